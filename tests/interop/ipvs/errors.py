# SPDX-License-Identifier: MIT
"""The ICMP errors of a capture: about what servers sent to clients, and about
what the director sent into its tunnels."""
import struct

import wire
from wire import DSTOPT, FRAGMENT, GRE, HOPOPT, IPIP, SIT, TCP, UDP

# Each the only server of a service, TCP 8001 and on: what a director learns
# about one of them is known by itself.
ALONE = {v: [f'{net}{n}' for n in range(1, 61)]
         for v, net in ((4, '10.9.1.'), (6, 'fd09:1::'))}
NOBODY = 8100  # the port of a service that has none
# As told by routers: below, at and above all that is a limit to somebody (K78,
# K96, K103).
MTUS = (0, 1, 68, 296, 400, 551, 552, 576, 1000, 1279, 1280, 1281, 1400, 1480,
        1499, 1500, 1501, 9000, 65535)
QUOTES = 8, 20, 28, 528  # bytes of the transport


def pad(n, size):
    return b'\1' * n + b'\0' * (size - n)  # NOP and end of list


def kinds(v):
    """Types and codes of errors: all that have a meaning, and some that have
    none."""
    if v == 4:
        return [(3, c) for c in [*range(17), 255]] + [
            (4, 0), (4, 1), *((5, c) for c in range(5)),
            *((11, c) for c in range(3)), *((12, c) for c in range(4)),
            (1, 0), (6, 0), (44, 0)]
    return [(1, c) for c in [*range(9), 255]] + [
        (2, 0), (2, 1), *((3, c) for c in range(3)),
        *((4, c) for c in range(11)), (0, 0), (5, 0), (100, 0), (127, 0),
        (137, 0)]


def extension(damaged=0):
    """As behind an original datagram: one object (RFC 4884)."""
    ext = b'\x20\0' + b'\0\0' + b'\0\x08\1\1' + b'\0\1\2\3'
    return wire.put16(ext, 2, wire.cksum(ext) ^ damaged)


def proto_inside(v):
    return IPIP if v == 4 else SIT


def ethertype(v):
    return b'\x08\0' if v == 4 else b'\x86\xdd'


def units(v, size):
    """`size` bytes of the original, in the second word of an error."""
    return (size // 4) << 16 if v == 4 else (size // 8) << 24


class Errors:
    """For Capture."""

    # ---- about flows ----

    def errors(self):
        """What is quoted goes from the service to a client (K68)."""
        quote = self.reply(1500)
        for kind, code in kinds(self.v):
            yield self.error(kind, code, 1300, quote[:self.head + 28])
            yield self.error(kind, code, 0, quote[:528])
        few = ((3, 1), (3, 3), (11, 0), (12, 0)) if self.v == 4 else (
            (1, 0), (1, 4), (3, 0), (4, 0))
        for proto in TCP, UDP, self.icmp:
            for client in 7, 8, 9, 77:  # the last one was never seen
                reply = self.reply(1500, proto, client)
                for n in 4, *QUOTES:
                    yield self.too_big(1400, reply[:self.head + n])
            for kind, code in few:
                for n in QUOTES:
                    yield self.error(kind, code, 0,
                                     self.reply(1500, proto)[:self.head + n])
        for n in 0, 1, 2, 3, 5, 7:
            yield self.too_big(1400, quote[:self.head + n])
        for n in 0, 1, 4, 19, 39:
            yield self.too_big(1400, quote[:min(n, self.head - 1)])
        for mtu in *MTUS, 0xffffffff, 0x10000 | 1400:
            yield self.too_big(mtu, quote[:self.head + 8])
        for bits in 1, 0xffff:
            for kind, code in few + ((3, 4) if self.v == 4 else (2, 0),):
                yield self.error(kind, code, 0, quote[:self.head + 8],
                                 broken=bits)
        for n in range(self.head + 20, 1500 - self.head - 8, 111):
            yield self.too_big(1400, quote[:n], tos=n & 255)
        for n in (1279, 1280, 1281, self.most - 1, self.most, self.most + 1,
                  1500):
            for df in (1, 0) if self.v == 4 else (1,):
                yield self.too_big(1400, quote[:n - self.head - 8], df=df)
        yield from self.nobody()
        yield from self.strange_quotes()
        yield from self.strange_ways()
        yield from self.extended(quote, self.error)
        yield from self.options_quoted(few)
        yield from self.fragments_quoted(few)

    def nobody(self):
        """A service that has no server (K14, K72)."""
        for size in 100, 1500:
            for ttl in 1, 64:
                yield self.tcp(size, dport=NOBODY, ttl=ttl)
        yield self.tcp(100, dport=NOBODY, flags=2)
        yield self.tcp(100, dport=NOBODY, flags=4)
        yield from self.cut(self.tcp(2000, dport=NOBODY), 1280)
        quote = self.tcp(1500, NOBODY, src=self.vip, dst=self.client(),
                         dport=4000)
        for n in QUOTES:
            yield self.too_big(1400, quote[:self.head + n])
            yield self.error(3 if self.v == 4 else 1, 1, 0,
                             quote[:self.head + n])

    def strange_quotes(self):
        """None of ours, too short, another version, no packet."""
        me, client, other = self.vip, self.client(), (
            '10.9.0.3' if self.v == 4 else 'fd09::3')
        for odd in (self.tcp(100), self.tcp(100, src=client, dst=other),
                    self.tcp(100, src=me, dst=client, sport=81),
                    self.udp(100, src=me, dst=client, sport=80),
                    self.tcp(100, src=other, dst=client, sport=80),
                    wire.ip(me, client, 132, wire.body(40)),
                    wire.ip(me, client, 50, wire.body(40)),
                    wire.ip(me, client, 253, wire.body(40)),
                    b'\0' * 60, b'\xff' * 60, self.reply(100, version=5),
                    self.reply(100, version=10 - self.v),
                    self.too_big(1400, self.tcp(100), src=me, dst=client),
                    self.error(11 if self.v == 4 else 3, 0, 0, self.tcp(100),
                               src=me, dst=client)):
            for n in 28, 60:
                yield self.too_big(1400, odd[:self.head + n])
            yield self.error(3 if self.v == 4 else 1, 1, 0, odd[:self.head + 8])
        inside = proto_inside(self.v)
        gue = struct.pack('!HHHHBBH', 50000, 6080, 1472, 0, 0, inside, 0)
        for proto, head in ((inside, b''), (GRE, b'\0\0' + ethertype(self.v)),
                            (UDP, gue)):
            for n in 8, 60:
                answer = wire.ip(me, other, proto, head + self.reply(1400))
                yield self.too_big(1400, answer[:2 * self.head + len(head) + n])
        whole = self.reply(100)
        for ttl in 0, 255:
            yield self.too_big(80, self.reply(100, ttl=ttl))
        yield self.too_big(80, self.reply(100, broken=1))
        yield self.too_big(80, whole + b'\xee' * 20)
        yield self.too_big(1400, whole)  # claims more than was sent

    def strange_ways(self):
        """From whom, and to whom it goes."""
        v = self.v
        quote = self.reply(1500)[:self.head + 28]
        me, other = ('10.9.0.2', '10.9.0.3') if v == 4 else ('fd09::2',
                                                            'fd09::3')
        for dst in me, other, self.client():
            yield self.too_big(1400, quote, dst=dst)
            yield self.error(3 if v == 4 else 1, 3, 0, quote, dst=dst)
        for src in (self.client(), self.client(50), self.vip, me,
                    '10.9.0.21' if v == 4 else 'fd09::21',
                    '0.0.0.0' if v == 4 else '::',
                    '224.0.0.1' if v == 4 else 'ff02::1',
                    '127.0.0.1' if v == 4 else '::1'):
            yield self.too_big(1400, quote, src=src)
        for ttl in 0, 1, 2, 255:
            yield self.too_big(1400, quote, ttl=ttl)
        if v == 4:
            for options in pad(3, 4), pad(40, 40):
                yield self.too_big(1400, quote, options=options)
                yield self.error(11, 0, 0, quote, options=options, broken=1)

    def extended(self, quote, error, base=None):
        """RFC 4884: so much of the original, then an extension."""
        v = base or self.v
        for kind in (3, 11, 12) if v == 4 else (1, 3):
            for size in 128, 256, 64, 520:
                text = quote[:size] + bytes(max(0, size - len(quote)))
                yield error(kind, 0, units(v, size), text + extension())
            yield error(kind, 0, units(v, 256), quote[:128] + extension())
            yield error(kind, 0, units(v, 128), quote[:128] + extension(1))
            yield error(kind, 0, units(v, 128), quote[:128])
            yield error(kind, 0, 0, quote[:128] + extension())

    def options_quoted(self, few):
        """K67: ports are where the quoted header says that it ends."""
        if self.v == 4:
            for size, options in ((4, pad(3, 4)), (40, pad(40, 40)), (
                    12, b'\7\x0b\4' + b'\0' * 8 + b'\1')):
                reply = self.reply(600, options=options)
                for n in 0, 3, 4, 8, 20, 28, 200:
                    yield self.too_big(1400, reply[:20 + size + n])
                for kind, code in few:
                    yield self.error(kind, code, 0, reply[:20 + size + 8])
            yield self.too_big(1400, self.reply(600, ihl=4)[:60])
            yield self.too_big(1400, self.reply(600, ihl=15)[:48])
            yield self.too_big(1400, self.reply(600, total=65535)[:60])
            yield self.too_big(1400, self.reply(600, total=20)[:60])
            return
        option = b'\1\4' + b'\0' * 4
        for headers in ([(DSTOPT, option)], [(HOPOPT, option)],
                        [(HOPOPT, option)] + [(DSTOPT, option)] * 2,
                        [(DSTOPT, option)] * 8):
            reply = self.reply(600, headers=headers)
            for n in 44, 48, 56, 60, 64, 80, 120, 160:
                yield self.too_big(1400, reply[:n])
            for kind, code in few:
                yield self.error(kind, code, 0, reply[:128])

    def fragments_quoted(self, few):
        """The first, and later ones."""
        for proto in TCP, UDP, self.icmp:
            for f in self.cut(self.reply(1500, proto), 800):
                for n in 8, 20, 28, 60:
                    yield self.too_big(600, f[:self.head + n])
                for kind, code in few:
                    yield self.error(kind, code, 0, f[:self.head + 28])
        if self.v == 6:
            for word in b'\0\0', b'\0\1', b'\0\x08':
                reply = self.reply(600, headers=[
                    (FRAGMENT, word + b'\0\0\0\5')])
                for n in 44, 48, 52, 56, 60, 80, 120:
                    yield self.too_big(1400, reply[:n])

    # ---- about tunnels ----

    # What is quoted goes to the service, in a tunnel (K68).

    def tunnel(self, real, inner, src=None, inside=None, more=b'', first=b'',
               tun_port=6080, **how):
        """What the director sends, for errors to quote. `more`: GUE's header
        has it, too; `first`: what the tunnel's header begins with instead."""
        me = src or self.director
        v = inner[0] >> 4
        inside = inside or proto_inside(v)
        if self.kind.tunnel == 'gre':
            head = first or b'\0\0' + ethertype(v)
            if self.kind.csum and not first:
                head = b'\x80\0' + head[2:] + b'\0' * 4
                head = wire.put16(head, 4, wire.cksum(head + inner))
            return wire.ip(me, real, GRE, head + inner, **how)
        if self.kind.tunnel == 'gue':
            inner = (first or struct.pack('!BBH', len(more) // 4, inside,
                                          0)) + more + inner
            segment = struct.pack('!HHHH', 50000, tun_port, 8 + len(inner),
                                  0) + inner
            if self.kind.csum:
                segment = wire.summed(me, real, UDP, segment, 6)
            return wire.ip(me, real, UDP, segment, **how)
        return wire.ip(me, real, inside, inner, **how)

    def server(self):
        """One that was not asked for yet, and its service's port."""
        self.servers += 1
        return ALONE[self.outer][self.servers - 1], 8000 + self.servers

    def back(self, kind, code, info, quote, **how):
        """An error about the tunnel."""
        how.setdefault('src', self.far)
        how.setdefault('dst', self.director)
        return self.error(kind, code, info, quote, **how)

    def narrow(self, mtu, quote, **how):
        return self.back(*((3, 4) if self.outer == 4 else (2, 0)), mtu, quote,
                         **how)

    def probes(self, port, *mtus):
        """What shows which path MTU the director goes by."""
        sizes = {100, self.most, self.most + 1}
        for mtu in *mtus, 552, 1280:
            n = max(min(mtu, 1500) - self.over, 0)
            sizes |= {n, n + 1}
        for size in sorted(sizes):
            if self.head + 20 <= size <= 1500:
                yield self.tcp(size, dport=port)
        if self.v == 4:
            yield self.tcp(self.most, dport=port, df=0)

    def story(self, *steps, cold=False):
        """Of one server: what is said about its tunnel, and what comes of it.
        `steps`: MTUs, or functions that get what was sent and return errors;
        what each of those tells is less than the one before, so that the packet
        behind it shows whether it was believed."""
        real, port = self.server()
        if not cold:
            yield self.tcp(100, dport=port)
        full = self.tcp(self.most, dport=port)
        sent = self.tunnel(real, full)
        self.claim = self.kind.mtu - 100
        for step in steps:
            if isinstance(step, int):
                yield self.narrow(step, sent[:self.over + self.head + 28])
                yield from self.probes(port, step)
                continue
            for error in step(sent, real, port):
                yield error
                yield full
            yield from self.probes(port, self.claim)

    def less(self):
        self.claim -= 4
        return self.claim

    def about_tunnels(self):
        for mtu in *MTUS, 0xffffffff, 0x10000 | 1400:
            yield from self.story(mtu, mtu)  # first heard, and known
        yield from self.story(1400, 1300, 1450, 1300)
        yield from self.story(600, 400, 300, 1400)
        yield from self.story(1400, cold=True)
        yield from self.story(self.without_df, 1400)
        yield from self.story(self.short_quotes)
        yield from self.story(self.long_quotes)
        yield from self.story(self.other_kinds)
        yield from self.story(self.damaged)
        yield from self.story(self.elsewhere)
        yield from self.story(self.not_ours)
        yield from self.story(self.other_insides)
        yield from self.story(self.other_flows)
        yield from self.story(self.outer_options)
        yield from self.story(self.with_extensions)
        yield from self.story(self.in_fragments)
        yield from self.story(self.quoted_fragments)
        yield from self.story(self.quoted_marks)
        real = ALONE[self.outer][0]  # of another service than is quoted
        yield self.narrow(1300, self.tunnel(real, self.tcp(self.most, dport=(
            8002)))[:self.over + self.head + 28])

    def without_df(self, sent, real, port):
        clear = self.tunnel(real, self.tcp(self.most, dport=port, df=0), df=0)
        for n in self.over + self.head + 8, 548:
            yield self.narrow(self.less(), clear[:n])

    def short_quotes(self, sent, real, port):
        """Up to four bytes before the ports can be told."""
        base = self.over - self.kind.extra
        ends = {0, 1, base - 1, base, base + 1, base + 4, base + 7, base + 8}
        ends |= {self.over + n for n in (0, 1, 8, self.head - 1, self.head,
                                         self.head + 1, self.head + 3)}
        for n in sorted(ends):
            if n < self.over + self.head + 4:
                yield self.narrow(self.less(), sent[:n])
                yield self.back(*((3, 1) if self.outer == 4 else (1, 0)), 0,
                                sent[:n])

    def long_quotes(self, sent, real, port):
        base = self.over + self.head
        for n in 4, 5, 7, *QUOTES, 20, 100, 400, 900, 1200:
            yield self.narrow(self.less(), sent[:min(base + n, 1400)])

    def other_kinds(self, sent, real, port):
        """All but those that tell an MTU."""
        for kind, code in kinds(self.outer):
            if (kind, code) in ((3, 4), (2, 0)):
                continue
            for n in 8, 528:
                yield self.back(kind, code, 0, sent[:self.over + self.head + n])
        yield self.back(12 if self.outer == 4 else 4, 0, self.over << (
            24 if self.outer == 4 else 0), sent[:self.over + self.head + 28])

    def damaged(self, sent, real, port):
        """K87."""
        quote = sent[:self.over + self.head + 28]
        for bits in 1, 0x8000, 0xffff:
            yield self.narrow(self.less(), quote, broken=bits)
            yield self.back(3 if self.outer == 4 else 1, 0, 0, quote,
                            broken=bits)

    def elsewhere(self, sent, real, port):
        """To another address than is quoted as the source (K82)."""
        quote = sent[:self.over + self.head + 28]
        other = '10.9.0.3' if self.outer == 4 else 'fd09::3'
        for dst in other, self.vips[self.outer]:
            yield self.narrow(self.less(), quote, dst=dst)
        strange = self.tunnel(real, self.tcp(self.most, dport=port), src=other)
        yield self.narrow(self.less(), strange[:548])
        yield self.narrow(self.less(), strange[:548], dst=other)
        from_vip = self.tunnel(real, self.tcp(self.most, dport=port),
                               src=self.vips[self.outer])
        yield self.narrow(self.less(), from_vip[:548],
                          dst=self.vips[self.outer])

    def not_ours(self, sent, real, port):
        """Tunnels that are none of the director's."""
        inner = self.tcp(self.most, dport=port)
        me, n = self.director, self.over + self.head + 60
        v = self.v
        kind, inside = ethertype(v), proto_inside(v)
        stranger = '10.9.0.99' if self.outer == 4 else 'fd09::99'
        yield self.narrow(self.less(), self.tunnel(stranger, inner)[:n])
        odd = []
        if self.kind.tunnel != 'ipip':
            odd.append(wire.ip(me, real, inside, inner))
        if self.kind.tunnel != 'gre':
            odd.append(wire.ip(me, real, GRE, b'\0\0' + kind + inner))
        else:
            for flags, more in ((0x2000, 4), (0x1000, 4), (0x4000, 4), (
                    1, 0), (0xb000, 12), (0x80, 0)):
                odd.append(self.tunnel(real, inner, first=struct.pack(
                    '!H', flags) + kind + bytes(more)))
            for proto in 0x6558, 0, 0x86dd if v == 4 else 0x800:
                odd.append(self.tunnel(real, inner, first=struct.pack(
                    '!HH', 0, proto)))
            mine = b'\x80\0' + kind + bytes(4)  # summed where none is asked
            odd.append(self.tunnel(real, inner, first=b'\0\0' + kind
                                   if self.kind.csum else mine))
        if self.kind.tunnel != 'gue':
            odd.append(wire.ip(me, real, UDP, struct.pack(
                '!HHHHBBH', 50000, 6080, 12 + len(inner), 0, 0, inside, 0) +
                inner))
        else:
            for first in (b'\x20', b'\x40', b'\x80', b'\x01', b'\x1f'):
                odd.append(self.tunnel(real, inner, first=first + bytes((
                    inside, 0, 0))))
            for proto in 59, 17, 41 if v == 4 else 4:
                odd.append(self.tunnel(real, inner, inside=proto))
            odd.append(self.tunnel(real, inner, more=b'\0' * 8))
            odd.append(self.tunnel(real, inner, tun_port=6081))
        odd.append(wire.ip(me, real, 253, inner))
        for packet in odd:
            yield self.narrow(self.less(), packet[:n])
            yield self.back(11 if self.outer == 4 else 3, 0, 0, packet[:n])

    def other_insides(self, sent, real, port):
        """What the tunnel carried: no TCP of a client."""
        n = self.over + self.head + 60
        for inner in (self.udp(self.most), self.echo(self.most),
                      self.tcp(self.most, dport=81),
                      self.tcp(self.most, dport=port, src=self.client(66)),
                      self.tcp(self.most, dport=port, dst='10.9.0.77'
                               if self.v == 4 else 'fd09::77'),
                      wire.ip(self.client(), self.vip, 253, wire.body(1000)),
                      self.too_big(1400, self.reply(1000)),
                      self.error(*((11, 0) if self.v == 4 else (3, 0)), 0,
                                 self.reply(1000)),
                      b'\0' * 100, b'\xff' * 100,
                      self.tcp(self.most, dport=port, version=5)):
            first = b''
            if self.kind.tunnel == 'gre':
                first = b'\0\0' + ethertype(self.v)
            sent = self.tunnel(real, inner, inside=proto_inside(self.v),
                               first=first)
            yield self.narrow(self.less(), sent[:n])
            yield self.back(11 if self.outer == 4 else 3, 0, 0, sent[:n])

    def other_flows(self, sent, real, port):
        """Inner packets that no client should have sent."""
        n = self.over + self.head + 60
        for src in (('0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255',
                     self.vip, '10.9.0.2', '10.9.0.21') if self.v == 4 else (
                         '::', '::1', 'ff02::1', 'ff0e::1', self.vip,
                         'fd09::2', 'fd09::21')):
            yield self.narrow(self.less(), self.tunnel(real, self.tcp(
                self.most, dport=port, src=src))[:n])
        for ttl in 0, 1, 255:
            yield self.narrow(self.less(), self.tunnel(real, self.tcp(
                self.most, dport=port, ttl=ttl))[:n])
        small = self.tunnel(real, self.tcp(200, dport=port))
        yield self.narrow(self.less(), small)  # it is not too big for that
        yield self.narrow(self.over + 200, small)
        for broken in 1, 0xffff:
            yield self.narrow(self.less(), self.tunnel(real, self.tcp(
                self.most, dport=port, broken=broken))[:n])
        # Less than it was, and no more than it may be expected to be.
        yield self.narrow(300, self.tunnel(real, self.tcp(400, dport=port)))

    def outer_options(self, sent, real, port):
        """A router's quote may have more in it than was sent."""
        inner = self.tcp(self.most, dport=port)
        if self.outer == 4:
            for size in 4, 40:
                yield self.narrow(self.less(), self.tunnel(
                    real, inner, options=pad(size, size))[
                        :size + self.over + self.head + 28])
            for ihl in 4, 15:
                yield self.narrow(self.less(), self.tunnel(
                    real, inner, ihl=ihl)[:548])
            for total in 20, 65535:
                yield self.narrow(self.less(), self.tunnel(
                    real, inner, total=total)[:548])
        else:
            option = b'\1\4' + b'\0' * 4
            for headers in ([(DSTOPT, option)], [(DSTOPT, b'\4\1\4\1\0\0')],
                            [(HOPOPT, option)]):
                for n in 28, 100:
                    yield self.narrow(self.less(), self.tunnel(
                        real, inner, headers=headers)[
                            :8 + self.over + self.head + n])
        if self.v == 4:
            for size in 4, 40:
                for n in 0, 4, 8, 100:
                    yield self.narrow(self.less(), self.tunnel(real, self.tcp(
                        self.most, dport=port, options=pad(size, size)))[
                            :self.over + 20 + size + n])

    def with_extensions(self, sent, real, port):
        yield from self.extended(sent, self.back, self.outer)
        quote = sent[:128] + extension()
        if self.outer == 4:  # RFC 4884 §4.2: not in the MTU's half
            yield self.narrow(units(4, 128) | self.less(), quote)

    def in_fragments(self, sent, real, port):
        """The error itself comes in fragments (K63)."""
        yield from self.cut(self.narrow(self.less(), sent[:1200]), 800)

    def quoted_fragments(self, sent, real, port):
        """Of what was sent: the outer packet was cut, or the inner one."""
        for f in self.cut(self.tunnel(real, self.tcp(1500, dport=port)), 1480):
            yield self.narrow(self.less(), f[:self.over + 8 + self.head + 28])
        for proto in TCP, UDP:
            packet = self.tcp(1800, dport=port) if proto == TCP else \
                self.udp(1800)
            for f in self.cut(packet, self.most):
                yield self.narrow(self.less(), self.tunnel(real, f)[
                    :self.over + 8 + self.head + 28])

    def quoted_marks(self, sent, real, port):
        """Routers may have changed these; a path has neither TOS nor ports
        (K101, K104)."""
        inner = self.tcp(self.most, dport=port)
        n = self.over + self.head + 28
        for how in (dict(ttl=1), dict(ttl=0), dict(tos=0xb8), dict(tos=3)):
            yield self.narrow(self.less(), self.tunnel(real, inner, **how)[:n])
        if self.outer == 4:
            for ident in 0, 1, 0xffff:
                yield self.narrow(self.less(), self.tunnel(
                    real, inner, ident=ident)[:n])
