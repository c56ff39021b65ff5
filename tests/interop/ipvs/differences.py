# SPDX-License-Identifier: MIT
"""Where Linux IPVS and tunmtu-lb differ, and why: all there is.

Each entry turns what one of the two sent into what the other did, for exactly
the packets that it is about; whatever is left must be alike to the byte.
"""
import wire
from wire import DSTOPT, FRAGMENT, HOPOPT, ICMP, MOBILITY, TCP, UDP

RULES = []


class Rule:
    def __init__(self, mend, name, what, where):
        self.mend, self.name, self.what, self.where = mend, name, what, where

    def applies(self, run):
        return self.where(run)


def rule(name, what, where=lambda run: True):
    """`what`: the difference and its reason. The function gets a case and what
    kernel and we sent, and returns both anew, or None."""
    def add(mend):
        RULES.append(Rule(mend, name, what, where))
        return mend
    return add


# ---- tools ------------------------------------------------------------------

def one_hop_less(data):
    at = 8 if data[0] >> 4 == 4 else 7
    return wire.fixed(data[:at] + bytes((data[at] - 1,)) + data[at + 1:])


def requote(frame, change):
    """An ICMP error with its quote changed, lengths and checksum right."""
    p = wire.Packet(frame)
    b = wire.put16(p.payload[:8] + change(p.payload[8:]), 2, 0)
    total = wire.cksum(b if p.proto == ICMP else wire.pseudo(
        p.src, p.dst, p.proto, len(b)) + b)
    head = frame[:p.start]
    at, length = (2, len(head)) if p.version == 4 else (4, len(head) - 40)
    return wire.fixed(wire.put16(head, at, length + len(b)) +
                      wire.put16(b, 2, total))


def error(case, frames, *kinds):
    """The packet, if `frames` are one ICMP error from the VIP, of these kinds
    (ICMPv4 and ICMPv6 types, or pairs of type and code)."""
    p = wire.parse(frames[0]) if len(frames) == 1 else None
    if p is None or case.sent_on(frames[0]) or not wire.is_error(p) or \
            p.src != case.run.vip:
        return None
    kind = p.payload[0], p.payload[1]
    return p if kind in kinds or kind[0] in kinds else None


def quotes(p, packet):
    """Whether an error quotes a packet, with one hop less or not."""
    q = p.payload[8:]
    return bool(q) and any(x.startswith(q) for x in (
        packet, one_hop_less(packet) if packet[8 if p.version == 4 else 7]
        else packet))


def forwarded(case, frames):
    """Whether `frames` carry what came, with one hop less, nothing changed."""
    p = case.p
    return p is not None and case.inner(frames) == one_hop_less(
        case.packet[:p.length])


def passed(case, frames):
    """Whether the host has forwarded the packet, as a router does."""
    return frames == [case.plain(one_hop_less(case.packet[:case.p.length]))]


def served(case, frames):
    """Whether they forward the packet, or are an error that quotes it."""
    p = error(case, frames, 2, 3, 11)
    return forwarded(case, frames) or p is not None and quotes(p, case.packet)


def transport_is_broken(p):
    """TCP and UDP headers that end early or contradict the packet."""
    b = p.payload
    if p.proto == TCP:
        return len(b) < 20 or not 20 <= b[12] >> 4 << 2 <= len(b)
    if p.proto == UDP:
        return len(b) < 8 or wire.get16(b, 4) != len(b)
    return False


def is4(run):
    return run.v == 4


def is6(run):
    return run.v == 6


def bare(run):
    return not run.kind.tunnels


def over6(run):
    return run.outer == 6 and run.kind.tunnels


# ---- what the host does, and the director is a host -------------------------

@rule('host', 'What no service takes is the host\'s with us, and not sent; '
      'the director is its own host, and answers or forwards it itself.')
def host(case, kernel, ours):
    if case.fate in ('pass.not_served', 'pass.no_connection') and \
            not ours and not any(case.sent_on(f) for f in kernel) and not (
                wire.is_error(case.p) and case.p.dst in case.run.ends):
        return [], ours
    return None


@rule('option-answered', 'A host answers IPv4 options with a wrong length or '
      'pointer (ICMP 12); we drop what contradicts RFC 791 and forward the '
      'rest as it is: what an option means is the real server\'s business.',
      is4)
def option_answered(case, kernel, ours):
    p = error(case, kernel, 12)
    if p is not None and case.p.head > 20 and quotes(p, case.packet):
        if case.fate == 'drop.malformed' and not ours:
            return [], []
        if forwarded(case, ours):
            return [], []
    return None


@rule('option-recorded', 'A host writes its address or the time into the '
      'options "record route" and "timestamp" on arrival, and quotes them so '
      '(its quote\'s checksum is wrong then); we leave them alone.', is4)
def option_recorded(case, kernel, ours):
    p = case.p
    if p is None or p.head == 20 or p.data[20] not in (7, 68):
        return None
    options = p.data[20:p.head]

    def mend(frame):
        q = wire.Packet(frame)
        if q.off:
            return frame
        if not case.sent_on(frame):
            return requote(frame, lambda b: wire.fixed(
                b[:20] + options + b[p.head:]))
        at = case.run.way.at(frame)
        return frame[:at] + wire.fixed(frame[at:at + 20] + options +
                                       frame[at + p.head:])
    return [mend(f) for f in kernel], ours


@rule('option-echoed', 'Linux sends "record route" and "timestamp" options '
      'back in its errors (RFC 1812 §4.3.2.6 asks for source routes only), '
      'and quotes less for it; we send no options (RFC 7126 advises against '
      'all of them).', is4)
def option_echoed(case, kernel, ours):
    k, o = error(case, kernel, 3, 11), error(case, ours, 3, 11)
    if k is None or o is None or k.head == 20 or case.p.data[20] not in (7, 68):
        return None
    plain = wire.put16(b'\x45' + k.data[1:20], 2, 20 + len(k.payload))
    size = len(k.payload) - 8
    if k.length < 576 and size != len(o.payload) - 8:
        return None
    return [wire.fixed(plain + k.payload)], [requote(
        ours[0], lambda b: b[:size])]


@rule('source-route', 'A host drops what came by a source route '
      '(accept_source_route is off, as RFC 7126 advises); we forward it as '
      'it is, the real server has the same switch.', is4)
def source_route(case, kernel, ours):
    if not kernel and served(case, ours) and case.p.head > 20 and \
            case.p.data[20] in (0x83, 0x89):
        return [], []
    return None


@rule('hop-by-hop', 'A host obeys Hop-by-Hop options: drops or answers '
      'unknown ones as their type tells, drops long padding, a jumbogram '
      'that is none. We forward them: a router may ignore them (RFC 8200 '
      '§4.3).', is6)
def hop_by_hop(case, kernel, ours):
    p = case.p
    if p is None or p.data[6] != HOPOPT or not served(case, ours):
        return None
    kind, size = p.data[42], p.data[43]
    p4 = error(case, kernel, 4)
    if kind == 1 and size > 5 and not kernel or \
            kind >> 6 == 1 and not kernel or \
            kind >> 6 >= 2 and p4 is not None and quotes(p4, case.packet):
        return [], []
    return None


@rule('mobility', 'Linux does not look behind a Mobility header: it is a '
      'protocol that the host does not know; we follow it as the extension '
      'header that it is (RFC 6275 §6.1).', is6)
def mobility(case, kernel, ours):
    p4 = error(case, kernel, (4, 1))
    if p4 is not None and MOBILITY in case.p.numbers and quotes(
            p4, case.packet) and served(case, ours):
        return [], []
    return None


# ---- who may be served ------------------------------------------------------

@rule('source', 'We answer and forward nothing from a source that no host '
      'has (RFC 1122 §3.2.1.3: 0/8; RFC 1112 §4: 240/4; RFC 4291 §2.5.2, '
      '§2.5.5.2: :: and ::ffff:0:0/96); Linux forwards these.')
def source(case, kernel, ours):
    src = case.p.src
    odd = src[0] == 0 or src[0] >= 240 if len(src) == 4 else \
        src == bytes(16) or src[:12] == bytes(10) + b'\xff\xff'
    if case.fate == 'drop.source' and odd and not ours and \
            served(case, kernel):
        return [], []
    return None


@rule('loop', 'We put nothing into a tunnel that comes from one of its ends '
      '(RFC 2003 §3.3, RFC 2473 §4.1.2); Linux does, unless it is an IPv4 '
      'address of its own.')
def loop(case, kernel, ours):
    ends = case.run.reals + case.run.ends
    if case.fate.startswith('drop.loop') and case.p.src in ends and not ours \
            and served(case, kernel):
        return [], []
    return None


@rule('land', 'We drop what comes from the address that it goes to; Linux '
      'forwards it, if it is IPv6.', is6)
def land(case, kernel, ours):
    if case.fate == 'drop.source' and case.p.src == case.p.dst and \
            forwarded(case, kernel):
        return [], []
    return None


@rule('own-source', 'A host drops what comes from outside with an address of '
      'its own (IPv6: only the answer to it never leaves); we know an '
      'address to be our own that has tunnels.',
      lambda run: run.v != run.outer or not run.kind.tunnels)
def own_source(case, kernel, ours):
    if not kernel and case.p.src in case.run.ends and served(case, ours):
        return [], []
    return None


@rule('reset', 'IPVS starts no connection with a TCP reset; we have no '
      'connections, and forward it, or say that there is no server.')
def reset(case, kernel, ours):
    p = case.p
    if kernel or p.proto != TCP or not p.payload[13] & 4 or \
            case.flow() in case.run.flows:
        return None
    refused = error(case, ours, (3, 3) if p.version == 4 else (1, 4))
    if forwarded(case, ours) or refused is not None and quotes(
            refused, case.packet):
        return [], []
    return None


# ---- what is broken ---------------------------------------------------------

@rule('broken-transport', 'We forward no TCP or UDP header that ends early '
      'or contradicts the packet (RFC 793, RFC 768); IPVS reads ports alone.')
def broken_transport(case, kernel, ours):
    if case.fate in ('drop.malformed', 'drop.truncated') and not ours and \
            (forwarded(case, kernel) or passed(case, kernel)) and \
            transport_is_broken(case.p):
        return [], []
    return None


@rule('broken-chain', 'We forward and answer nothing with extension headers '
      'out of order (RFC 8200 §4.1) or with more than 8 of them; IPVS does.',
      is6)
def broken_chain(case, kernel, ours):
    if case.fate not in ('drop.malformed', 'drop.limit') or ours or \
            case.packet[6] != DSTOPT:
        return None
    if served(case, kernel):
        return [], []
    return None


# ---- what errors of ours look like ------------------------------------------

@rule('atomic', 'Linux takes the Fragment header off an atomic fragment and, '
      'over IPv6, makes the outer packet one; we forward it as it is (RFC '
      '6946: an atomic fragment is no fragment).', is6)
def atomic(case, kernel, ours):
    p = case.p
    if p is None or p.is_fragment() or FRAGMENT not in p.numbers:
        return None
    plain = p.without(FRAGMENT)
    if forwarded(case, ours) and case.inner(kernel) == one_hop_less(plain):
        return [], []
    if error(case, kernel, 2, 3) and error(case, ours, 2, 3) and quotes(
            wire.Packet(ours[0]), case.packet):
        return kernel, [requote(ours[0], lambda _: plain[:1232])]
    return None


@rule('floor', 'Over IPv6, Linux drops all packets in silence where the '
      'tunnel has less than 1280 bytes left, however small they are (K9); we '
      'carry them, what is too long in outer fragments (TMTU_MTU_FLOOR_DROP '
      'gives the kernel\'s way).', lambda run: run.floor)
def floor(case, kernel, ours):
    if not kernel and (served(case, ours) or case.datagram() and (
            case.inner(ours) is not None or error(case, ours, 2, 3, 11))):
        return [], []
    return None


@rule('below-1280', 'Linux tells IPv6 senders an MTU below 1280 (K10), which '
      'they ignore (RFC 8201 §4); we tell 1280, and carry what is no longer '
      'in outer fragments (RFC 2473 §7.1).',
      lambda run: run.pair == '6in4')
def below_1280(case, kernel, ours):
    k, o = error(case, kernel, 2), error(case, ours, 2)
    limit = case.run.linux.mtu(case.run.alone_for(case.p)) - case.run.overhead
    if limit >= 1280 or k is None or wire.get16(k.payload, 6) != limit:
        return None
    if o is not None and wire.get16(o.payload, 6) == 1280:
        told = wire.put16(o.payload, 6, limit)
        return kernel, [requote(ours[0][:o.start] + told, lambda b: b)]
    inner, p = case.inner(ours), case.p
    if inner is None or (case.largest() or len(inner)) > 1280:
        return None
    if not p.is_fragment() and FRAGMENT in p.numbers:
        inner = one_hop_less(p.without(FRAGMENT))  # see atomic
    return ([], []) if inner.startswith(k.payload[8:]) else None


@rule('quoted-ttl', 'Linux takes one off the TTL before it finds a packet '
      'too big, and quotes it so; RFC 1812 §4.3.2.3 allows both. We quote '
      'what came (tmtu_ip_hop before tmtu_icmp_build gives the kernel\'s '
      'way).')
def quoted_ttl(case, kernel, ours):
    if error(case, kernel, (3, 4), 2) and error(case, ours, (3, 4), 2) and \
            case.run.ours.told is None:  # what is relayed is quoted as it came
        return kernel, [requote(f, one_hop_less) for f in ours]
    return None


@rule('error-label', 'Linux gives its own ICMPv6 errors a random flow label '
      '(auto_flowlabels), we give them 0.', is6)
def error_label(case, kernel, ours):
    p = error(case, ours, 1, 2, 3, 4)
    if error(case, kernel, 1, 2, 3, 4) and p is not None and not p.label:
        return [b'\x60\0\0\0' + f[4:] for f in kernel], ours
    return None


# ---- outer headers and fragments --------------------------------------------

@rule('flow-label', 'The outer flow label is a hash of the flow with us (RFC '
      '6438), 0 with IPVS (K39; tmtu_encap_each.hash 0 gives that).', over6)
def flow_label(case, kernel, ours):
    def mend(frame):
        if not case.sent_on(frame):
            return frame
        return frame[:1] + bytes((frame[1] & 0xf0, 0, 0)) + frame[4:]
    return kernel, [mend(f) for f in ours]


@rule('df-6in4', 'Linux never sets DF where it carries IPv6 in IPv4 (K20); '
      'we do while more than 1280 bytes are left, so that senders hear of a '
      'path that shrinks (RFC 4213 §3.2.2).', lambda run: run.pair == '6in4')
def df_6in4(case, kernel, ours):
    run = case.run
    left = run.ours.mtu(run.alone_for(case.p)) - run.overhead
    p = wire.Packet(ours[0])
    if len(ours) == 1 and case.sent_on(ours[0]) and p.df and not p.ident and \
            left > 1280:
        return kernel, [wire.fixed(wire.put16(ours[0], 6, 0))]
    return None


@rule('df-on-fragments', 'Linux sets DF on the outer fragments of a packet '
      'that came in fragments with DF, and, as it looks there for IPv4\'s '
      'notes where IPv6\'s are, on those of some IPv6 packets. Our outer '
      'fragments have none (K31, K20): they may be cut again.',
      lambda run: run.outer == 4)
def df_on_fragments(case, kernel, ours):
    def mend(frame):
        p = wire.Packet(frame)
        if not (case.sent_on(frame) and p.df and p.is_fragment()):
            return frame
        frame = wire.put16(frame, 6, wire.get16(frame, 6) & ~0x4000)
        return wire.fixed(wire.put16(frame, 4, 0))
    if case.largest():
        return [mend(f) for f in kernel], ours
    return None


@rule('fragments-as-received', 'Linux makes outer fragments of a reassembled '
      'packet no longer than those it came in (K28), though that path is '
      'another one; ours are as long as the tunnel\'s path allows.')
def fragments_as_received(case, kernel, ours):
    most = case.largest()
    if case.run.outer == 6:  # IPv6 makes none shorter
        most = max(most, 1280 - case.run.overhead)
    if case.largest() and len(kernel) > 1 and \
            case.whole(kernel) is not None and \
            case.whole(kernel) == case.whole(ours) and \
            max(map(len, kernel)) <= most + case.run.overhead:
        return [case.whole(kernel)], [case.whole(ours)]
    return None


@rule('df-fragments', 'Linux refuses a packet that came in fragments with DF '
      'and is too long when whole (K27, FRAG_NEEDED though each fragment '
      'fitted); we carry it in outer fragments.', is4)
def df_fragments(case, kernel, ours):
    p = error(case, kernel, (3, 4))
    inner = case.inner(ours)
    if p is None or inner is None or not case.p.is_fragment() or not \
            case.largest() <= case.run.limit < len(inner):
        return None
    if not case.run.kind.tunnels:  # the fragments are of the packet itself
        inner = wire.fixed(inner[:4] + p.payload[12:16] + inner[8:])
    return ([], []) if inner.startswith(p.payload[8:]) else None


@rule('fragment-id', 'Linux cuts a packet that has DF, or the identification '
      '0, and keeps the identification, which need not be one; we give all '
      'fragments one (RFC 6864 §4).', bare)
def fragment_id(case, kernel, ours):
    p = case.p
    ids = [{wire.Packet(f).ident for f in frames} for frames in (kernel, ours)]
    if len(ours) < 2 or ids[0] != {p.ident} or len(ids[1]) > 1 or 0 in ids[1] \
            or not (p.df or not p.ident):
        return None
    return kernel, [wire.fixed(wire.put16(f, 4, p.ident)) for f in ours]


@rule('fragment-options', 'Linux keeps in later fragments the place of '
      'options that are not to be copied, and fills it with "no operation"; '
      'we leave them away (RFC 791).', bare)
def fragment_options(case, kernel, ours):
    parts = [wire.Packet(f) for f in kernel]
    mine = [wire.Packet(f) for f in ours]
    if len(parts) < 2 or not parts[0].options or case.whole(
            kernel) != case.whole(ours):
        return None
    copied = copied_options(parts[0].options)
    if all(p.head == parts[0].head for p in parts) and all(
            p.options == copied for p in mine[1:]):
        return [], []
    return None


def copied_options(options):
    """Those that stand in every fragment, padded."""
    out, at = b'', 0
    while at < len(options) and options[at]:
        size = 1 if options[at] == 1 else options[at + 1]
        if options[at] & 0x80:
            out += options[at:at + size]
        at += size
    return out + bytes(-len(out) % 4)


@rule('odd-fragment', 'Linux cuts a fragment that is not the last one to a '
      'multiple of 8 bytes; we drop it: RFC 791 does not know it.', is4)
def odd_fragment(case, kernel, ours):
    if case.fate == 'held.fragment' and not ours and \
            case.inner(kernel) is not None and case.odd():
        return [], []
    return None


@rule('odd-fragment6', 'Linux does not put together an IPv6 fragment that is '
      'not the last one and no multiple of 8 bytes long, and IPVS sends it '
      'on, its ports being there; we drop it (RFC 8200 §4.5).',
      lambda run: is6(run) and bare(run))
def odd_fragment6(case, kernel, ours):
    p = case.p
    if not ours and case.fate == 'drop.malformed' and len(kernel) == 1 and \
            case.sent_on(kernel[0]) and p.mf and len(p.payload) % 8:
        return [], []
    return None


@rule('fragment-marks', 'Linux drops a packet some of whose fragments are '
      'Not-ECT and some ECT; we, only Not-ECT with CE (RFC 3168 §5.3).')
def fragment_marks(case, kernel, ours):
    if not kernel and case.inner(ours) is not None and case.marks() in (
            {0, 1}, {0, 2}, {0, 1, 2}):
        return [], []
    return None
