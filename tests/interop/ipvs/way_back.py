# SPDX-License-Identifier: MIT
"""What real servers send through a balancer that translates addresses: answers
to clients, and errors about what clients sent."""
import wire
from errors import QUOTES, extension, kinds, pad, units
from wire import DSTOPT, TCP, UDP

SERVER_WEB, SERVER_DNS = 1080, 1053  # the services' ports, and 1000


class WayBack:
    """For Capture."""

    def back_tcp(self, size, client=7, real=None, sport=SERVER_WEB, dport=4000,
                 **how):
        return self.tcp(size, sport, src=real or self.real(),
                        dst=self.client(client), dport=dport, **how)

    def back_udp(self, size, client=7, real=None, sport=SERVER_DNS, dport=5000,
                 **how):
        return self.udp(size, sport, src=real or self.real(),
                        dst=self.client(client), dport=dport, **how)

    def real(self):
        return '10.9.0.21' if self.v == 4 else 'fd09::21'

    def arrived(self, size, proto=TCP, client=7, **how):
        """What a client has sent, as a server saw it."""
        make, sport, dport = (
            self.tcp, 4000, SERVER_WEB) if proto == TCP else (
                self.udp, 5000, SERVER_DNS)
        return make(size, sport, src=self.client(client), dst=self.real(),
                    dport=dport, **how)

    def complaint(self, kind, code, info, quote, client=7, **how):
        """An error about that, for the client."""
        how.setdefault('src', self.real())
        return self.error(kind, code, info, quote, dst=self.client(client),
                          **how)

    def way_back(self):
        yield self.tcp(100)
        yield self.udp(100)
        yield from self.answers()
        yield from self.answers_in_fragments()
        yield from self.strange_answers()
        yield from self.complaints()
        yield from self.strange_complaints()
        yield from self.connections()

    def answers(self):
        for size in self.sizes():
            for df in (1, 0) if self.v == 4 else (1,):
                yield self.back_tcp(size, df=df)
                yield self.back_udp(max(size, self.head + 8), df=df)
        for ttl in 0, 1, 2, 64, 255:
            yield self.back_tcp(100, ttl=ttl)
            yield self.back_udp(1500, ttl=ttl)
        for tos in 1, 2, 3, 0xb8, 0xbb:
            yield self.back_tcp(100, tos=tos)
        for flags in 0, 1, 2, 4, 0x11, 0x12, 0x14, 0x18:
            yield self.back_tcp(100, flags=flags)
            yield self.tcp(100)
        for n in range(13):  # every length of the last word
            yield self.back_tcp(self.head + 20 + n)
            yield self.back_udp(self.head + 8 + n)
        if self.v == 4:
            for options in pad(3, 4), pad(40, 40):
                yield self.back_tcp(200, options=options)
            for ident in 0, 1, 0xffff:
                yield self.back_tcp(200, df=0, ident=ident)
        else:
            for label in 1, 0xfffff:
                yield self.back_tcp(200, label=label)
            for chain in ([(DSTOPT, b'\1\4' + b'\0' * 4)],
                          [(DSTOPT, b'\1\4' + b'\0' * 4)] * 2):
                yield self.back_tcp(200, headers=chain)

    def answers_in_fragments(self):
        for make in self.back_tcp, self.back_udp:
            for size, most in (2000, 1500), (2000, 1280), (4000, 1500):
                yield from self.cut(make(size), most)
            yield from reversed(self.cut(make(2000), 1280))
        if self.v == 4:
            yield from self.cut(self.back_udp(2000), 1280, df=1)

    def strange_answers(self):
        for broken in 1, 0xffff:
            yield self.back_tcp(100, broken=broken)
            yield self.back_udp(100, broken=broken)
        src, dst = self.real(), self.client()
        yield wire.ip(src, dst, UDP, wire.put16(
            wire.udp(src, dst, SERVER_DNS, 5000, 60), 6, 0))  # no checksum
        yield self.back_tcp(100, sport=1081)  # no service
        yield self.back_tcp(100, sport=80)
        yield self.back_tcp(100, dport=4001)  # no connection
        yield self.back_tcp(100, client=123)
        yield self.back_udp(100, sport=SERVER_WEB)
        yield self.back_udp(100, client=123)
        other = '10.9.0.99' if self.v == 4 else 'fd09::99'
        yield self.back_tcp(100, real=other)  # no server
        yield self.tcp(100, 4000, dst=self.real(), dport=SERVER_WEB)  # past us
        for n in 0, 1, 3, 4, 8, 19:
            yield wire.ip(src, dst, TCP, wire.tcp(
                src, dst, SERVER_WEB, 4000, 0)[:n])
        for n in 0, 4, 7:
            yield wire.ip(src, dst, UDP, wire.udp(
                src, dst, SERVER_DNS, 5000, 0)[:n])
        yield self.echo(100, src=src, dst=dst)
        yield wire.ip(src, dst, 253, wire.body(40))

    def complaints(self):
        """Every end that is translated, in the error and in its quote (K89), of
        even and odd lengths (K91)."""
        seen = self.arrived(1500)
        for kind, code in kinds(self.v):
            yield self.complaint(kind, code, 1300, seen[:self.head + 28])
            yield self.complaint(kind, code, 0, seen[:528])
        few = ((3, 1), (3, 3), (3, 4), (11, 0)) if self.v == 4 else (
            (1, 0), (1, 4), (2, 0), (3, 0))
        for proto in TCP, UDP:
            for client in 7, 8, 123:  # the last one is not known
                seen = self.arrived(1500, proto, client)
                for kind, code in few:
                    for n in 0, 3, 4, 7, *QUOTES, 29, 527:
                        yield self.complaint(kind, code, 1400,
                                             seen[:self.head + n], client)
        for make in self.arrived(100), self.arrived(100, UDP):  # whole
            yield self.complaint(*few[1], 0, make)
        for router in ('10.9.0.77' if self.v == 4 else 'fd09::77',
                       '192.0.2.1' if self.v == 4 else '2001:db8:2::1'):
            yield self.complaint(*few[0], 0, seen[:528], src=router)
            yield self.complaint(*few[0], 0, self.arrived(
                1500)[:self.head + 8], src=router)
        for size in 1499, 1500:  # as long as can be
            yield self.complaint(*few[0], 0, self.arrived(1500)[
                :size - self.head - 8])

    def strange_complaints(self):
        seen = self.arrived(1500)
        about = (3, 3) if self.v == 4 else (1, 4)
        for broken in 1, 0xffff:
            yield self.complaint(*about, 0, seen[:self.head + 28],
                                 broken=broken)
        for ttl in 0, 1, 2:
            yield self.complaint(*about, 0, seen[:self.head + 28], ttl=ttl)
        first = self.v == 4
        for n in 8, 28, 528:  # the quote's own checksums
            yield self.complaint(*about, 0, self.arrived(
                600, broken=1)[:self.head + n])
            plain = self.arrived(600, UDP)
            yield self.complaint(*about, 0, wire.put16(
                plain, self.head + 6, 0)[:self.head + n])
            if first:
                yield self.complaint(*about, 0, wire.put16(
                    seen, 10, 0x1234)[:self.head + n])
        for ttl in 0, 255:
            yield self.complaint(*about, 0, self.arrived(
                600, ttl=ttl)[:self.head + 8])
        for odd in (self.tcp(100), self.back_tcp(100), self.arrived(
                100, version=5), b'\0' * 60):
            yield self.complaint(*about, 0, odd[:self.head + 28])
        yield self.complaint(*about, units(self.v, 128),
                             seen[:128] + extension())
        if self.v == 4:
            for size in 4, 40:
                with_options = self.arrived(600, options=pad(size, size))
                for n in 4, 8, 20, 200:
                    yield self.complaint(*about, 0,
                                         with_options[:20 + size + n])
        else:
            long = self.arrived(600, headers=[(DSTOPT, b'\1\4' + b'\0' * 4)])
            for n in 4, 8, 20, 200:
                yield self.complaint(*about, 0, long[:48 + n])
        for f in self.cut(self.arrived(1500, UDP), 800):
            yield self.complaint(*about, 0, f[:self.head + 28])
        yield from self.cut(self.complaint(*about, 0, seen[:1300]), 800)
        # To another client than the one that sent what is quoted.
        yield self.complaint(*about, 0, seen[:self.head + 28], client=8)
        # From outside, about what the server sent: as it was on its own side.
        hidden = self.back_tcp(1500)[:self.head + 28]
        yield self.error(*about, 0, hidden)
        yield self.error(*about, 0, hidden, dst=self.real())

    def connections(self):
        """Begun, ended, begun anew: of one client that was not there yet."""
        me = self.client(150)
        for flags, back in ((2, 0x12), (0x10, 0x10), (0x11, 0x11), (
                0x10, 0x10), (2, 0x12), (4, 4), (0x10, 0x10)):
            yield self.tcp(100, 6000, src=me, flags=flags)
            yield self.back_tcp(100, 150, dport=6000, flags=back)
        for sport in range(6001, 6020):
            yield self.tcp(100, sport, src=me, flags=2)
            yield self.back_tcp(100, 150, dport=sport, flags=0x12)
