#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a capture of what a director may meet: the same for the same words.

    packets.py TYPE PAIR OUT.pcap
    packets.py --alone VERSION

TYPE: ipip, gue or gre, nat or direct; -csum: with checksums, -1290: over paths
of 1290 bytes (else 1500); what else comes behind is nothing to the packets.
PAIR: 4in4, 6in4, 4in6 or 6in6, what a client sends, in what; 4in4 or 6in6
without a tunnel. Each packet has a time stamp of its own, a millisecond after
the one before. --alone lists the servers that have a service for themselves."""
import random
import struct
import sys

import wire
from errors import ALONE, Errors, pad
from way_back import WayBack
from wire import (AH, DSTOPT, FRAGMENT, GRE, HOPOPT, IPIP, NONE, ROUTING, SIT,
                  TCP, UDP)

VIPS = {4: '10.9.0.100', 6: 'fd09::100'}
REALS = {4: ('10.9.0.21', '10.9.0.22'), 6: ('fd09::21', 'fd09::22')}
DIRECTORS = {4: '10.9.0.2', 6: 'fd09::2'}
CLIENTS = {4: '198.51.100.', 6: '2001:db8::'}
ROUTERS = {4: '192.0.2.1', 6: '2001:db8:2::1'}
HEAD = {4: 20, 6: 40}
WEB, DNS = 80, 53
ECN = 0, 1, 2, 3
DSCP = 0, 8, 46, 63


class Kind:
    """A TYPE: how long its headers behind the outer one are, the path's MTU."""

    def __init__(self, word):
        self.tunnel, *how = word.split('-')
        self.csum = 'csum' in how
        self.mtu = 1290 if '1290' in how else 1500
        self.extra = {'gue': 12, 'gre': 8 if self.csum else 4}.get(
            self.tunnel, 0)
        self.unscheduled, self.fragments = (w in how for w in (
            'unscheduled', 'fragment'))
        self.tunnels = self.tunnel not in ('nat', 'direct')

    def overhead(self, outer):
        return HEAD[outer] + self.extra if self.tunnels else 0


class Capture(Errors, WayBack):
    """The packets of one capture; `v`: version of what clients send."""

    def __init__(self, kind, pair):
        self.kind, self.v, self.outer = Kind(kind), int(pair[0]), int(pair[3])
        self.over = self.kind.overhead(self.outer)
        self.most = self.kind.mtu - self.over  # what the tunnel carries
        self.vips, self.vip, self.head = VIPS, VIPS[self.v], HEAD[self.v]
        self.director, self.far = DIRECTORS[self.outer], ROUTERS[self.outer]
        self.icmp = wire.icmp_proto(self.vip)
        self.rng = random.Random(f'tunmtu {kind} {pair}')
        self.ident, self.port, self.servers, self.claim = 100, 20000, 0, 0

    # ---- single packets ----

    def client(self, n=7):
        return CLIENTS[self.v] + str(n)

    def next_ident(self):
        self.ident += 1
        return self.ident

    def tcp(self, size, sport=4000, src=None, dst=None, dport=WEB, flags=0x10,
            broken=0, tcp_options=b'', headers=(), options=b'', **how):
        """A TCP packet of `size` bytes, more if headers alone are longer."""
        src, dst = src or self.client(), dst or self.vip
        head = self.head + len(options) + 20 + len(tcp_options) + sum(
            2 + len(b) for _, b in headers)
        seg = wire.tcp(src, dst, sport, dport, max(0, size - head), flags,
                       broken, tcp_options)
        if headers:
            how['headers'] = headers
        return wire.ip(src, dst, TCP, seg, options=options, **how)

    def udp(self, size, sport=5000, src=None, dst=None, dport=DNS, broken=0,
            length=None, **how):
        src, dst = src or self.client(), dst or self.vip
        return wire.ip(src, dst, UDP, wire.udp(
            src, dst, sport, dport, max(0, size - self.head - 8), broken,
            length), **how)

    def echo(self, size, kind=None, src=None, dst=None, **how):
        src, dst = src or self.client(), dst or self.vip
        kind = kind if kind is not None else 8 if self.v == 4 else 128
        return wire.ip(src, dst, self.icmp, wire.icmp(
            src, dst, kind, 0, 0x10001, wire.body(size - self.head - 8)), **how)

    def reply(self, size, proto=TCP, client=7, **how):
        """What a real server sent to a client: for errors to quote."""
        to = self.client(client)
        if proto == TCP:
            return self.tcp(size, sport=WEB, src=self.vip, dst=to, dport=4000,
                            **how)
        if proto == UDP:
            return self.udp(size, sport=DNS, src=self.vip, dst=to, dport=5000,
                            **how)
        return self.echo(size, 0 if self.v == 4 else 129, src=self.vip, dst=to,
                         **how)

    def error(self, kind, code, info, quote, broken=0, src=None, dst=None,
              **how):
        src, dst = src or ROUTERS[self.v], dst or self.vip
        how.setdefault('df', 0)
        return wire.ip(src, dst, wire.icmp_proto(src), wire.icmp(
            src, dst, kind, code, info, quote, broken), **how)

    def too_big(self, mtu, quote, **how):
        return self.error(*((3, 4) if self.v == 4 else (2, 0)), mtu, quote,
                          **how)

    def sizes(self):
        n = self.most
        few = {68, 576, 1279, 1280, 1281, 1400, n - 1, n, n + 1, 1459, 1460,
               1461, 1479, 1480, 1481, 1499, 1500}
        return sorted({self.head + 20, self.head + 21, 100} | few)

    # ---- all of them ----

    def all(self):
        yield self.tcp(self.head + 20, flags=2)
        yield from self.lengths()
        yield from self.hops()
        yield from self.marks()
        yield from self.transports()
        yield from self.ends()
        yield from self.broken()
        yield from (self.headers4() if self.v == 4 else self.headers6())
        yield from self.fragments()
        yield from self.errors()
        yield from self.anything(120)
        if self.kind.tunnels:
            yield from self.about_tunnels()
        elif self.kind.tunnel == 'nat':
            yield from self.way_back()

    def lengths(self):
        for size in self.sizes():
            for df in (1, 0) if self.v == 4 else (1,):
                yield self.tcp(size, df=df)
                yield self.udp(max(size, self.head + 8), df=df)
        if self.v == 4:
            for ident in 0, 1, 0xffff:
                for df in 1, 0:
                    yield self.tcp(100, df=df, ident=ident)
                    yield self.tcp(self.most + 1, df=df, ident=ident)

    def hops(self):
        for ttl in 0, 1, 2, 64, 255:
            for size in 100, self.most, self.most + 1, 1500:
                for df in (1, 0) if self.v == 4 else (1,):
                    yield self.tcp(size, ttl=ttl, df=df)
            yield self.udp(1500, ttl=ttl, tos=0xb9)
            yield self.error(3, 1, 0, self.reply(200)[:self.head + 8], ttl=ttl)

    def marks(self):
        for dscp in DSCP:
            for ecn in ECN:
                tos = dscp << 2 | ecn
                yield self.tcp(100, tos=tos)
                yield self.tcp(self.most + 1, tos=tos)
                yield self.udp(100, tos=tos, ttl=1)
                if self.v == 4:
                    yield self.udp(self.most + 1, tos=tos, df=0)
                else:
                    yield self.udp(100, tos=tos, label=0x12345)
        yield self.tcp(1500, tos=0x1e)

    def transports(self):
        for flags in 0, 1, 2, 4, 8, 0x11, 0x12, 0x14, 0x3f, 0xc2:
            self.port += 1
            yield self.tcp(100, self.port, flags=flags)
        yield self.tcp(100, flags=4)  # a reset of a flow that is known
        for options in b'\2\4\5\xb4', b'\1' * 40, b'\2\0\1\1':
            yield self.tcp(120, tcp_options=options)
            yield self.tcp(1500, tcp_options=options, flags=2)
        for size in 28, 60, 100, 1000, self.most, self.most + 1, 1500:
            if size >= self.head + 8:
                yield self.echo(size)
        for kind in (0, 13, 15, 17, 9, 10, 19, 42, 255) if self.v == 4 else (
                129, 130, 133, 135, 137, 139, 200):
            yield self.echo(100, kind)
        for dport in WEB + 1, DNS, 0, 65535:
            yield self.tcp(100, dport=dport)
            yield self.tcp(1500, dport=dport)
        for dport in WEB, DNS + 1, 0:
            yield self.udp(100, dport=dport)
        for sport in 0, 1, 65535:
            yield self.tcp(100, sport)
            yield self.udp(100, sport)
        inside = self.tcp(60 if self.v == 4 else 80)
        yield wire.ip(self.client(), self.vip, IPIP if self.v == 4 else SIT,
                      inside)
        yield wire.ip(self.client(), self.vip, GRE, b'\0\0\x08\0' + inside)
        for proto in 50, 51, 132, 136, 253:
            yield wire.ip(self.client(), self.vip, proto, wire.body(40))
        for n in 0, 1, 2, 3, 4, 7, 8, 12, 19:  # ends in the transport header
            yield wire.ip(self.client(), self.vip, TCP, wire.tcp(
                self.client(), self.vip, 4000, WEB, 0)[:n])
            yield wire.ip(self.client(), self.vip, UDP, wire.udp(
                self.client(), self.vip, 5000, DNS, 0)[:min(n, 8)])

    def ends(self):
        odd = ('127.0.0.1', '224.0.0.1', '0.0.0.0', '0.1.2.3', '240.0.0.1',
               '255.255.255.255', '10.9.0.100', '10.9.0.2', '10.9.0.21',
               '169.254.1.1', '10.9.0.1') if self.v == 4 else (
                   '::', '::1', 'ff02::1', 'ff0e::1', '::ffff:1.2.3.4',
                   'fe80::1', 'fd09::100', 'fd09::2', 'fd09::21', '::1.2.3.4',
                   '2002:7f00:1::', 'fd09::1')
        for src in odd:
            yield self.tcp(100, src=src)
            yield self.tcp(1500, src=src)
        for dst in DIRECTORS[self.v], ROUTERS[self.v]:
            yield self.tcp(100, dst=dst)
            yield self.udp(100, dst=dst)
        for n in range(1, 40):  # others, so that both servers get some
            yield self.tcp(100 + n, src=self.client(n))

    def broken(self):
        client, vip = self.client(), self.vip
        good = self.tcp(100)
        yield self.tcp(100, broken=1)
        yield self.tcp(1500, broken=0x8000)
        yield self.udp(100, broken=1)
        yield wire.ip(client, vip, UDP, wire.put16(
            wire.udp(client, vip, 5000, DNS, 60), 6, 0))
        for length in 0, 7, 67, 69, 65535:
            yield self.udp(self.head + 68, length=length)
        for doff in 0, 4, 15:
            yield wire.ip(client, vip, TCP, wire.tcp(
                client, vip, 4000, WEB, 20, doff=doff))
        for cut in 1, 10, 19, 20, 21, 39, 40, 41, 59, 60, 99:
            if cut < self.head and self.v == 6:
                continue
            yield good[:cut]
        yield good + b'\xee' * 6  # padding of a link
        yield self.tcp(self.most) + b'\xee' * 4
        yield self.tcp(41) + b'\xee' * 900
        for version in (0, 5, 6) if self.v == 4 else (4, 5):
            yield self.tcp(100, version=version)
        if self.v == 4:
            segment = wire.tcp(client, vip, 4000, WEB, 60)
            for broken in 1, 0x100, 0xffff:
                yield wire.ip4(client, vip, TCP, segment, broken=broken)
            yield self.tcp(1500)[:10] + b'\0\0' + self.tcp(1500)[12:]
            for total in 0, 19, 20, 39, 101, 1500, 65535:
                yield self.tcp(100, total=total)
            for ihl in 0, 4, 6, 15:
                yield self.tcp(100, ihl=ihl)
            for size in 100, self.most, self.most + 1:
                for df in 1, 0:
                    yield self.tcp(size, df=df, reserved=1)
        else:
            for length in 0, 1, 19, 59, 61, 65535:
                yield self.tcp(100, length=length)

    def headers4(self):
        """Options."""
        good = {
            'nop': pad(3, 4), 'eol': pad(1, 4), 'forty': pad(40, 40),
            'rr': b'\7\x0b\4' + b'\0' * 8 + b'\1',
            'rr full': b'\7\7\x08' + wire.addr('192.0.2.9') + b'\1',
            'stamp': b'\x44\x0c\5\0' + b'\0' * 8,
            'alert': b'\x94\4\0\0', 'stream': b'\x88\4\0\1',
            'security': b'\x82\x0b' + b'\0' * 9 + b'\1',
            'unknown': b'\x5e\4\0\0', 'unknown copied': b'\xde\6\1\2\3\4\1\1',
            'lsrr done': b'\x83\7\x08' + wire.addr('192.0.2.9') + b'\1',
            'lsrr': b'\x83\7\4' + wire.addr('10.9.0.21') + b'\1',
            'ssrr': b'\x89\7\4' + wire.addr('10.9.0.21') + b'\1',
        }
        bad = (b'\7\0\4\1', b'\7\1\4\1', b'\x5e\1\0\0', b'\x5e\x28\0\0',
               b'\7\3\4\1', b'\7\7\3' + b'\0' * 4 + b'\1', b'\x5e\0\0\0',
               b'\x94\3\0\1')
        for options in good.values():
            for size in 100, self.most + 1:
                for df in 1, 0:
                    yield self.tcp(size, options=options, df=df)
            yield self.tcp(self.most, options=options)
            yield self.tcp(100, options=options, ttl=1)
        for options in bad:
            yield self.tcp(100, options=options)
        for options in pad(3, 4), pad(40, 40):
            yield from self.cut(self.udp(1900, df=0, options=options), 1496)

    def headers6(self):
        """Extension headers."""
        option, long = b'\1\4' + b'\0' * 4, b'\1\x0c' + b'\0' * 12
        unknown = b'\x1e\4' + b'\0' * 4
        # Types with which the receiver must discard, or answer: 01, 10, 11.
        refused = [bytes((t | 0x1e, 4)) + b'\0' * 4 for t in (0x40, 0x80, 0xc0)]
        alert = b'\5\2\0\0\1\0'
        jumbo = b'\xc2\4\0\1\0\0'
        route0 = b'\0\0' + b'\0' * 4
        left = b'\0\1' + b'\0' * 4 + wire.addr('fd09::21')
        atomic = b'\0\0' + struct.pack('!I', 77)
        segments = b'\4\0\0\0\0\0' + wire.addr('fd09::21')
        chains = [
            [(HOPOPT, option)], [(HOPOPT, long)], [(HOPOPT, unknown)],
            [(HOPOPT, alert)], [(DSTOPT, option)], [(DSTOPT, unknown)],
            [(ROUTING, route0)], [(ROUTING, left)], [(ROUTING, segments)],
            [(ROUTING, b'\xfd\0' + b'\0' * 4)],
            [(ROUTING, b'\xfd\1' + b'\0' * 4)], [(FRAGMENT, atomic)],
            [(HOPOPT, option), (DSTOPT, option)],
            [(HOPOPT, option), (DSTOPT, option), (ROUTING, route0),
             (FRAGMENT, atomic), (DSTOPT, option)],
            [(DSTOPT, option), (HOPOPT, option)], [(DSTOPT, option)] * 8,
            [(DSTOPT, option)] * 9, [(HOPOPT, jumbo)],
            [(AH, b'\0\0' + b'\0' * 12)],
            [(DSTOPT, option), (FRAGMENT, atomic)], [(135, option)],
        ] + [[(DSTOPT, o)] for o in refused] + [[(HOPOPT, o)] for o in refused]
        for chain in chains:
            for size in 200, self.most, self.most + 1:
                yield self.tcp(size, headers=chain)
            yield self.tcp(200, headers=chain, ttl=1)
        for proto in NONE, HOPOPT, 255:
            yield wire.ip6(self.client(), self.vip, proto, wire.body(16))
        quote = self.reply(300)[:48]
        for chain in chains[:9] + chains[11:14]:
            yield self.too_big(1300, quote, headers=chain)
        for n in 1, 2, 7, 8, 9, 15, 23:  # ends in a header
            yield self.tcp(100, headers=[(DSTOPT, long)], length=n)[:40 + n]
        for label in 0, 1, 0xfffff:
            yield self.tcp(100, label=label)
            yield self.tcp(1500, label=label)

    # ---- fragments ----

    def cut(self, packet, size, **how):
        """In fragments of at most `size` bytes."""
        p = wire.Packet(packet)
        ident = self.next_ident()
        step = (size - p.start - (8 if p.version == 6 else 0)) & ~7
        out = []
        for at in range(0, len(p.payload), step):
            out.append(self.piece(p, ident, at, at + step, **how))
        return out

    def piece(self, p, ident, start, end, mf=None, **how):
        part = p.payload[start:end]
        if mf is None:
            mf = int(end < len(p.payload))
        if p.version == 6:
            return wire.ip6(wire.text(p.src), wire.text(p.dst), p.proto, part,
                            p.ttl, p.tos, p.label, [
                (FRAGMENT, struct.pack('!HI', start | mf, ident))])
        how.setdefault('df', 0)
        return wire.ip4(wire.text(p.src), wire.text(p.dst), p.proto, part,
                        ttl=p.ttl, tos=how.pop('tos', p.tos), ident=ident,
                        mf=mf, off=start, options=p.data[20:p.head], **how)

    def fragments(self):
        n = self.most
        for size in 600, n, n + 1, 1500, 2000, 2000 + n, 4000:
            for most in 1500, n, 1280, 576:
                if most == 576 and (size > 2000 or size < 1000):
                    continue
                yield from self.cut(self.udp(size), most)
        for make in self.tcp, self.udp, self.echo:
            yield from self.cut(make(2000), 1280)
            yield from reversed(self.cut(make(2000), 1280))
        if self.v == 4:
            for size, most in ((2000, 1500), (2000, 1280), (2000, n),
                               (4000, 576)):
                yield from self.cut(self.udp(size), most, df=1)
                yield from self.cut(self.tcp(size), most, df=1)
            mixed = self.cut(self.udp(2000), 1280)
            again = self.cut(self.udp(2000), 1280, df=1)
            yield mixed[0]
            yield wire.fixed(again[1][:4] + mixed[0][4:6] + again[1][6:])
            yield from self.cut(self.udp(1200), 68)
        for ttl in 1, 2:
            yield from self.cut(self.udp(2000, ttl=ttl), 1280)
        for tos in 1, 2, 3, 0xb9, 0xba, 0xbb:
            yield from self.cut(self.udp(2000, tos=tos), 1280)
        for marks in (2, 3), (0, 3), (1, 2), (3, 1), (0, 2):
            whole = wire.Packet(self.udp(2000))
            ident = self.next_ident()
            for i, tos in enumerate(marks):
                whole.tos = tos
                yield self.piece(whole, ident, 1224 * i, 1224 + 1224 * i)
        whole = wire.Packet(self.udp(1400))
        end = len(whole.payload)
        for pieces in (((0, 800), (0, 800), (800, end)),  # once more
                       ((0, 800), (792, end), (800, end)),  # overlap
                       ((0, 800), (1200, end)),  # a hole
                       ((800, 1200), (1200, end)),  # no first one
                       ((800, end), (0, 808)),
                       ((0, 8), (8, end)), ((0, 16), (16, end)),
                       ((0, 801), (800, end)), ((end, end), (0, end))):
            ident = self.next_ident()
            for start, end in pieces:
                yield self.piece(whole, ident, start, end)
        ident = self.next_ident()
        for mf in 0, 1:  # they do not agree where it ends
            yield self.piece(whole, ident, 400, 1200, mf=mf)
        yield self.piece(whole, self.next_ident(), 0, end, mf=0)
        long = wire.Packet(self.udp(1300))
        long.payload = bytes(65528) + long.payload
        yield self.piece(long, self.next_ident(), 65528, 65528 + 100)
        quote = self.reply(1500)[:1300]
        yield from self.cut(self.too_big(1300, quote), 800)
        yield from self.cut(self.error(3, 1, 0, quote, broken=1), 800)

    # ---- anything ----

    def anything(self, count):
        rng = self.rng
        for _ in range(count):
            size = rng.choice(self.sizes() + [rng.randint(60, 1500)] * 6)
            how = dict(ttl=rng.choice((1, 2, 3, 63, 64, 128, 255)),
                       tos=rng.randrange(256), src=self.client(
                           rng.randint(1, 99)))
            if self.v == 4:
                how.update(df=rng.randrange(2), ident=rng.randrange(65536))
            else:
                how.update(label=rng.choice((0, rng.randrange(1 << 20))))
            make = rng.choice((self.tcp, self.tcp, self.udp, self.echo, None))
            if make is not None:
                yield make(max(size, self.head + 8), **how)
                continue
            how.pop('src')
            reply = self.reply(1500, rng.choice((TCP, UDP)),
                               rng.randint(1, 99))
            kinds = (3, 11) if self.v == 4 else (1, 2, 3, 4)
            yield self.error(rng.choice(kinds), rng.randrange(5),
                             rng.randrange(1501), reply[:rng.randint(
                                 self.head + 4, self.most - self.head - 8)],
                             **how)


def main(kind, pair, target=None):
    if kind == '--alone':
        print(*ALONE[int(pair)])
        return
    first = 1700000000 * 1000000
    packets = [p for p in Capture(kind, pair).all() if p]
    wire.write_capture(target, [(first + 1000 * i, p)
                                for i, p in enumerate(packets)])
    print(f'{len(packets)} packets')


if __name__ == '__main__':
    main(*sys.argv[1:])
