# SPDX-License-Identifier: MIT
"""Differences (see differences.py) about ICMP errors that come in: about flows
of services, about tunnels, and translated ones."""
import ways
import wire
from differences import (error, forwarded, is4, is6, one_hop_less, passed,
                         quotes, requote, rule)
from wire import ICMP, ICMP6, TCP, UDP


def quotes_flow(case):
    """Whether this is an ICMP error that quotes a flow of a service."""
    p = case.p
    if not wire.is_error(p):
        return False
    q = wire.parse(p.payload[8:])
    return q is not None and q.proto in (TCP, UDP) and (
        q.src == case.run.vip or is_nat(case.run) and q.dst in case.run.reals)


def is_nat(run):
    return run.kind.tunnel == 'nat'


def is_mine(case):
    """Whether it went to the one whose packet it quotes."""
    q = wire.parse(case.p.payload[8:])
    return q is not None and q.src == case.p.dst


# ---- about flows ------------------------------------------------------------

@rule('broken-quote', 'We relay no error whose quote is no header of IP, or '
      'ends before the length that RFC 4884 gives it; IPVS looks for ports '
      'and nothing else.')
def broken_quote(case, kernel, ours):
    p = case.p
    if case.fate not in ('drop.malformed', 'drop.truncated',
                         'pass.no_connection') or ours or \
            not wire.is_error(p):
        return None
    if not (forwarded(case, kernel) if not is_nat(case.run) else
            any(map(case.sent_on, kernel))):  # the quote cannot be undone
        return None
    b = p.payload
    unit = b[5] * 4 if p.version == 4 else b[4] * 8
    if b[8] >> 4 != p.version or unit > len(b) - 8:
        return [], []
    return None


@rule('broken-error', 'We relay no ICMP error with a wrong checksum: the '
      'quote chooses the server, so we verify it. So does IPVS with ICMPv4; '
      'with ICMPv6 it leaves that to the real server (K70).', is6)
def broken_error(case, kernel, ours):
    if case.fate.startswith('drop.checksum') and not ours and \
            case.inner(kernel) is not None:
        p = wire.parse(case.inner(kernel))
        if wire.is_error(p) and wire.cksum((b'' if p.version == 4 else
                                            wire.pseudo(
                p.src, p.dst, p.proto, len(p.payload))) + p.payload):
            return [], []
    return None


@rule('elsewhere', 'IPVS takes up errors about its flows wherever they go '
      'to; we only those that went to the service that they quote (R-LIB-08, '
      'as conntrack has it, K94): nobody honest sends others.')
def elsewhere(case, kernel, ours):
    p = case.p
    if ours or not case.fate.startswith('pass.') or not quotes_flow(case) or \
            is_mine(case):
        return None
    inner = case.inner(kernel)
    if inner is None or case.p.dst == case.run.vip:
        return None
    # What is not for the host is routed first, which takes one hop more.
    once = one_hop_less(case.packet[:p.length])
    if inner in (once, one_hop_less(once)):
        return [], []
    return None


@rule('unscheduled', 'Without net.ipv4.vs.schedule_icmp, IPVS leaves errors '
      'about flows that it has not seen to the host (K69), which does '
      'nothing about them; we know no flows, and place them as we would have '
      'placed theirs.',
      lambda run: run.kind.unscheduled)
def unscheduled(case, kernel, ours):
    p = case.p
    if kernel or not quotes_flow(case) or not forwarded(case, ours):
        return None
    q = wire.parse(p.payload[8:])
    flow = q.dst, q.proto, q.payload[2:4] + q.payload[:2]
    return ([], []) if flow not in case.run.flows else None


@rule('quench', 'IPVS relays source quench (type 4); we leave it to the '
      'host: it must not be acted on (RFC 6633).', is4)
def quench(case, kernel, ours):
    if case.fate == 'pass.not_served' and forwarded(case, kernel) and \
            case.p.payload[0] == 4 and quotes_flow(case):
        return [], []
    return None


@rule('parameter-problem', 'IPVS relays ICMPv4 types 3, 4 and 11 (K62); we '
      'relay 12, too: the real server sent what is wrong with it.', is4)
def parameter_problem(case, kernel, ours):
    if (not kernel or passed(case, kernel)) and forwarded(case, ours) and \
            case.p.payload[0] == 12 and quotes_flow(case):
        return [], []
    return None


@rule('unknown-error', 'IPVS relays ICMPv6 errors of unknown types (0, 5 to '
      '127); we do not know where a quote would be in them, and leave them '
      'to the host.', is6)
def unknown_error(case, kernel, ours):
    if case.fate == 'pass.not_served' and forwarded(case, kernel) and \
            case.p.payload[0] not in (1, 2, 3, 4):
        return [], []
    return None


@rule('error-too-big', 'IPVS drops an ICMPv6 error that does not fit (K23); '
      'we carry it in outer fragments (TMTU_MTU_ERRORS_DROP gives the '
      'kernel\'s way).', is6)
def error_too_big(case, kernel, ours):
    if not kernel and forwarded(case, ours) and quotes_flow(case) and \
            case.p.length > case.run.limit and len(ours) > 1:
        return [], []
    return None


@rule('no-ports', 'IPVS leaves an error that quotes no ports to the host: a '
      'quote that ends before them (K64, K66), a later fragment (K65). We '
      'send it by addresses, which places some of them right and harms no '
      'others.')
def no_ports(case, kernel, ours):
    p = case.p
    if not kernel and quotes_flow(case) and forwarded(case, ours):
        q = wire.parse(p.payload[8:])
        return ([], []) if q.off or len(q.payload) < 4 else None
    return None


@rule('answering-tunnel', 'IPVS looks for its own connection in what is '
      'quoted; we also in a tunnel that is quoted, through which a real '
      'server has answered.')
def answering_tunnel(case, kernel, ours):
    p = case.p
    if kernel or not wire.is_error(p) or not forwarded(case, ours):
        return None
    q = wire.Packet(p.payload[8:])
    inner = wire.parse(p.payload[8 + ways.inside(q):])
    if q.src == inner.src == case.run.vip and is_mine(case):
        return [], []
    return None


# ---- about tunnels ----------------------------------------------------------

def told(case, who, frames):
    """Whether `frames` are what `who` has to tell the inner packet's sender: an
    error about it as it is quoted, from where it went to."""
    if who.told is None:
        return not frames
    return frames == [case.plain(about(
        who.quote.inner, who.told, case.run.v))]


def about(inner, kind, version):
    """`version`: that its tunnel says it has."""
    head = wire.Packet(bytes((version << 4 | inner[0] & 15,)) + inner[1:])
    src, dst = wire.text(head.dst), wire.text(head.src)
    how = kind[0], kind[1], int.from_bytes(kind[2:], 'big')
    if head.version == 4:
        return wire.ip4(src, dst, ICMP, wire.icmp(
            src, dst, *how, inner[:548]), df=0, tos=head.tos & 0x1e | 0xc0)
    return wire.ip6(src, dst, ICMP6, wire.icmp(src, dst, *how, inner[:1232]))


def relay_rule(name, what, which):
    """Where both told what they had to, and `which` says that this is why they
    differ: it gets a case, and what each of the two thought of it."""
    def mend(case, kernel, ours):
        linux, us = case.run.linux, case.run.ours
        if (linux.told or us.told) and told(case, linux, kernel) and told(
                case, us, ours) and which(case, linux, us):
            return [], []
        return None
    rule(name, what, lambda run: run.kind.tunnels)(mend)


def both(which):
    return lambda case, linux, us: linux.told and us.told and which(
        case, linux, us)


def mine_alone(which):
    return lambda case, linux, us: not linux.told and which(case, linux, us)


def theirs_alone(*why):
    return lambda case, linux, us: not us.told and us.why in why


def mtu_of(who):
    return int.from_bytes(who.told[2:], 'big')


def is_too_big(who):
    return who.told[:2] in (b'\3\4', b'\2\0')


relay_rule('relay-stale', 'A relayed error of IPVS tells the MTU that the '
           'path had before, if it is the first one (K74: the sender does '
           'not hear of it until it has sent too much again); ours what the '
           'router says, at once.',
           both(lambda case, linux, us: linux.stale and is_too_big(us)))
relay_rule('relay-overhead', 'IPVS takes 20 bytes off the MTU, whatever its '
           'tunnel is and whatever options a router has put into the header; '
           'we, the bytes that are in front of the inner packet (K75, K76).',
           both(lambda case, linux, us: is_too_big(us) and not linux.stale and
                mtu_of(linux) == linux.mtu(quoted(case).dst) - 20 and
                linux.mtu(quoted(case).dst) == case.run.ours.mtu(
                    quoted(case).dst)))
relay_rule('relay-known', 'What is told goes by what is known of the path, '
           'and that differs, see the rules about paths.',
           both(lambda case, linux, us: is_too_big(us) and not linux.stale and
                linux.mtu(quoted(case).dst) != us.mtu(quoted(case).dst)))
relay_rule('relay-kind', 'IPVS relays type, code and second word as they are '
           '(K80: time exceeded somewhere in the tunnel is not the '
           'client\'s); we tell "host unreachable" (RFC 2003 §4), which does '
           'not end connections as a filter\'s 3/9, 3/10 and 3/13 would.',
           both(lambda case, linux, us: not is_too_big(us)))
relay_rule('relay-pairs', 'IPVS relays nothing about tunnels over IPv6 '
           '(K85), nor of IPv6 in IPv4 (K86); we do (RFC 2473 §8, RFC 4213 '
           '§3.4).',
           mine_alone(lambda case, linux, us: case.run.pair != '4in4'))
relay_rule('relay-parameter', 'IPVS relays no parameter problem about a '
           'tunnel (K62); we do, if the pointer is into the inner packet '
           '(RFC 2003 §4.5).',
           mine_alone(lambda case, linux, us: us.told[0] == 12))
relay_rule('relay-unknown', 'IPVS relays about connections that it has; we '
           'have none, and the quoted packet is one that our tunnel may have '
           'carried.',
           mine_alone(lambda case, linux, us: case.run.pair == '4in4' and
                      us.told[0] != 12))
relay_rule('relay-never', 'IPVS relays port unreachable, source route failed '
           'and source quench about its tunnel packets, time exceeded in '
           'reassembly and codes that there are not; RFC 2003 §4 has those '
           'for the tunnel\'s own end.', theirs_alone('never'))
relay_rule('relay-claim', 'IPVS believes who tells an MTU that is no less '
           'than the packet that would not fit; we do not (RFC 5927 §7.2).',
           theirs_alone('claim'))
relay_rule('relay-elsewhere', 'IPVS relays errors that went to another '
           'address than the one they quote as the source, or quote another '
           'one; we do not (R-LIB-08).', theirs_alone('elsewhere'))
relay_rule('relay-short', 'IPVS relays with four bytes of the transport; we '
           'want the eight that RFC 792 has quoted, without which the client '
           'could not tell what is meant. The path is learned all the same.',
           theirs_alone('short'))
relay_rule('relay-fits', 'IPVS tells about a packet that fits what it tells; '
           'we do not: nothing needs to change for it.', theirs_alone('fits'))
relay_rule('relay-version', 'IPVS relays about an inner packet that is of no '
           'IP version; we do not.', theirs_alone('version'))
relay_rule('relay-broken', 'IPVS relays an error that is shorter than the '
           'quote of which it tells the length (RFC 4884), and takes the '
           'extension behind for a part of the packet; we do neither.',
           theirs_alone('broken'))
relay_rule('relay-fragment', 'IPVS relays about the first outer fragment of '
           'a packet that was not to be told; we learn from it (R-LIB-10).',
           theirs_alone('fragment'))


def quoted(case):
    return case.run.ours.quote.outer


# ---- paths, as learned ------------------------------------------------------

def goes_by(case, frames, mtu, least):
    """Whether this is what becomes of a packet where the tunnel's path carries
    `mtu`: IPv6 clients are told no less than `least`."""
    run, p = case.run, case.p
    limit = mtu - run.overhead
    if p.length <= limit:
        return len(frames) == 1 and forwarded(case, frames)
    told = max(limit, least) if p.version == 6 else limit
    if p.version == 6 and p.length > told or p.version == 4 and p.df and \
            not run.kind.fragments:
        e = error(case, frames, (3, 4), (2, 0))
        return e is not None and quotes(e, case.packet) and \
            wire.get16(e.payload, 6) == told
    return len(frames) > 1 and forwarded(case, frames) and \
        max(map(len, frames)) <= mtu


def path_rule(name, what, *tags):
    def mend(case, kernel, ours):
        run = case.run
        real = run.alone_for(case.p)
        if run.apart.get(real) in tags and \
                goes_by(case, kernel, run.linux.mtu(real), 68) and \
                goes_by(case, ours, run.ours.mtu(real), 1280):
            return [], []
        return None
    rule(name, what, lambda run: run.kind.tunnels)(mend)


path_rule('path-pairs', 'Linux learns nothing about tunnels over IPv6 (K85) '
          'nor of IPv6 in IPv4 (K86), so that IPVS goes on sending what is '
          'lost on the way; we learn.', 'pairs')
path_rule('path-quote', 'IPVS learns nothing from a quote that ends before '
          'the inner ports (K81: the 28 bytes of RFC 792 do), or of a '
          'connection that it does not have; we do, and answer what comes '
          'next.', 'quote')
path_rule('path-gre', 'Linux learns from the quote of any GRE packet between '
          'the two hosts, by the handler of its GRE devices, whatever the '
          'tunnel of the real server is (K83, K84); we, from those of our '
          'tunnels.', 'gre')
path_rule('path-claim', 'Linux believes who tells an MTU that is no less '
          'than the packet that would not fit; we do not (RFC 5927 §7.2).',
          'claim')
path_rule('path-zero', 'An MTU that is not told is 552 to Linux, locked '
          '(K78); we guess the next plateau (RFC 1191 §5, §7).', 'zero')
path_rule('path-elsewhere', 'Linux learns from errors that went to another '
          'address of its own; we, from those to the tunnel\'s.', 'elsewhere')
path_rule('path-fragmented', 'Linux puts an error together that came in '
          'fragments (K63); we leave those about tunnels to the host: an '
          'honest one is no longer than 576 bytes.', 'fragmented')
path_rule('path-version', 'IPVS learns from a quote whose inner packet is of '
          'no IP version; we do not.', 'version')


@rule('locked', 'Where a router told less than the floor (552), we send '
      'without DF, so that others may cut what does not fit (K98, as Linux '
      'has it for its tunnel devices); IPVS goes on copying DF.',
      lambda run: run.pair == '4in4')
def locked(case, kernel, ours):
    real = case.run.alone_for(case.p)
    if real not in case.run.ours.locked or len(ours) != 1 or not case.sent_on(
            ours[0]) or not case.p.df or wire.Packet(ours[0]).df:
        return None
    frame = wire.put16(ours[0], 6, 0x4000)
    return kernel, [wire.fixed(wire.put16(frame, 4, 0))]


def right(p):
    """Whether its ICMPv6 checksum is."""
    return not wire.cksum(wire.pseudo(
        p.src, p.dst, p.proto, len(p.payload)) + p.payload)


def whole_error(case, frames):
    """The one that `frames` are, or make; ValueError: none."""
    p = wire.Packet(case.whole(frames) or b'')
    if not case.sent_on(frames[0]) or not wire.is_error(p):
        raise ValueError('no error')
    return p


# ---- addresses translated ---------------------------------------------------

@rule('quoted-sum', 'IPVS changes addresses and ports of a quoted packet, and '
      'leaves its TCP or UDP checksum as it was (K90); we change it with them, '
      'if it is quoted: the headers are to be those that were sent (RFC 5508 '
      'REQ-4, REQ-5).', is_nat)
def quoted_sum(case, kernel, ours):
    k, o = whole_error(case, kernel), whole_error(case, ours)
    at = ways.quoted_sum(o)
    came = wire.Packet(case.whole_packet()).payload
    was, q = came[at:at + 2], wire.Packet(came[8:])
    now = wire.Packet(o.payload[8:])
    right_sum = ways.adjusted(wire.get16(was, 0), [(
        q.src + q.dst + q.payload[:4], now.src + now.dst + now.payload[:4])])
    if k.payload[at:at + 2] != was or wire.get16(o.payload, at) != right_sum:
        return None
    as_it_was = requote(o.data, lambda b: b[:at - 8] + was + b[at - 6:])
    if as_it_was == k.data and [*map(len, kernel)] == [*map(len, ours)]:
        return [], []
    return None


@rule('no-connection', 'IPVS begins a connection for an error about a flow '
      'that it has not seen, with net.ipv4.vs.schedule_icmp (K69), or whose '
      'packets it has not sent on; we do not: nothing was translated that it '
      'could be about (RFC 5508 REQ-4).', is_nat)
def no_connection(case, kernel, ours):
    if ours or not case.fate.startswith(('drop.no_connection',
                                         'pass.no_connection')) or \
            not quotes_flow(case) or not forwarded(case, kernel):
        return None
    q = wire.parse(case.p.payload[8:])
    flow = q.dst, q.proto, q.payload[2:4] + q.payload[:2]
    if q.src != case.run.vip:
        port = wire.get16(q.payload, 2) - ways.Nat.MORE
        flow = q.src, q.proto, wire.put16(q.payload[:4], 2, port)
    return ([], []) if flow not in case.run.ours_sent else None


@rule('routed', 'IPVS translates a packet that its Routing header sends '
      'elsewhere first; we do not: its checksums are for the last address '
      'there (RFC 8200 §8.1).',
      lambda run: is_nat(run) and is6(run))
def routed(case, kernel, ours):
    if case.fate.startswith('drop.unsupported') and not ours and \
            forwarded(case, kernel):
        at = case.p.numbers[wire.ROUTING]
        return ([], []) if case.packet[at + 3] else None
    return None


@rule('zero-sum', 'IPVS computes the checksum of UDP where there was none, '
      'once it translates; we leave it away (RFC 768 allows it, the sender '
      'chose it).',
      is_nat)
def zero_sum(case, kernel, ours):
    o, k = wire.parse(ours[0]), wire.parse(kernel[0])
    if len(ours) == len(kernel) == 1 and o.proto == k.proto == UDP and \
            o.payload[6:8] == b'\0\0' == case.p.payload[6:8] and not wire.cksum(
                wire.pseudo(k.src, k.dst, UDP, len(k.payload)) + k.payload):
        return [wire.put16(kernel[0], k.start + 6, 0)], ours
    return None


@rule('mended-error', 'IPVS computes the checksum of an ICMPv6 error that it '
      'translates anew, and so makes a broken one look right; we drop it. '
      'With ICMPv4 both verify it (K70).', lambda run: is_nat(run) and is6(run))
def mended_error(case, kernel, ours):
    p = wire.Packet(case.whole_packet())
    if ours or not case.fate.startswith('drop.checksum') or \
            not wire.is_error(p) or right(p):
        return None
    return ([], []) if right(whole_error(case, kernel)) else None


@rule('back-source', 'What Linux tells a server about its answers comes from '
      'an address of its own: it forwards them as a router does (K56). Ours '
      'comes from the VIP, the one address that the server knows of us.',
      is_nat)
def back_source(case, kernel, ours):
    k, o = wire.parse(kernel[0]), wire.parse(ours[0])
    if len(kernel) == len(ours) == 1 and wire.is_error(k) and wire.is_error(o) \
            and k.src in case.run.ends and o.src == case.run.vip and \
            k.dst == o.dst == case.p.src != case.run.vip:
        at = 12 if o.version == 4 else 8
        frame = ours[0][:at] + k.src + ours[0][at + len(k.src):]
        if o.version == 6:  # see error-label
            kernel = [b'\x60\0\0\0' + kernel[0][4:]]
        return kernel, [requote(frame, lambda b: b)]
    return None


@rule('back-errors', 'IPVS drops every ICMPv6 error about what it has '
      'translated for a server, on its way to the client: it sums it without '
      'the pseudo-header, and finds it wrong. We send it on.',
      lambda run: is_nat(run) and is6(run))
def back_errors(case, kernel, ours):
    if kernel or case.p.dst == case.run.vip or not wire.is_error(
            wire.Packet(case.whole_packet())):
        return None
    if case.inner(ours) == one_hop_less(case.whole_packet()):
        return [], []
    return None


@rule('quoted-head-sum', 'IPVS makes the checksum of a quoted IP header '
      'anew, right or wrong as it was (K90); we drop the error if it was '
      'wrong (RFC 5508 REQ-3).', lambda run: is_nat(run) and is4(run))
def quoted_head_sum(case, kernel, ours):
    quote = case.p.payload[8:]
    if ours or not case.fate.startswith('drop.checksum') or \
            not quotes_flow(case):
        return None
    k = whole_error(case, kernel).payload[8:]
    if wire.cksum(quote[:20]) and not wire.cksum(k[:20]):
        return [], []
    return None


@rule('back-path', 'Linux refuses an answer that is longer than what it has '
      'learned of the path to the client, once IPVS has translated it; we '
      'know of no such path, and leave it to the router that knows.',
      lambda run: is_nat(run) and is6(run))
def back_path(case, kernel, ours):
    k = wire.parse(kernel[0])
    if len(kernel) == 1 and k.payload[:2] == b'\2\0' and \
            k.dst == case.p.src and \
            case.inner(ours) == one_hop_less(case.whole_packet()):
        mtu = wire.get16(k.payload, 6)
        if mtu in case.run.told and mtu < len(case.inner(ours)):
            return [], []
    return None


@rule('back-fragments', 'So it does with an answer that came in fragments '
      'with DF, and is longer than the path when whole (K27); what it quotes '
      'has the checksum of what it would have sent (K90). We send it in '
      'fragments.',
      lambda run: is_nat(run) and is4(run))
def back_fragments(case, kernel, ours):
    k = wire.parse(kernel[0])
    if len(kernel) != 1 or k.payload[:2] != b'\3\4' or k.dst != case.p.src or \
            not case.p.is_fragment() or case.largest() > case.run.limit:
        return None
    whole, quote = case.inner(ours), k.payload[8:]
    head, sent = wire.Packet(whole).head, wire.Packet(case.whole(ours)).payload
    at = head + {TCP: 16, UDP: 6}[case.datagram()[0].proto]
    whole = wire.fixed(whole[:4] + quote[4:8] + whole[8:])
    whole = whole[:at] + sent[at - head:at - head + 2] + whole[at + 2:]
    return ([], []) if whole.startswith(quote) else None
