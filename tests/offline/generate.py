#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the input captures of the offline tests: NAME/in.pcap and, for the
real server, NAME/tun.pcap. Standard library only; nothing of ours is used, so
that it does not agree with us by construction."""
import pathlib
import socket
import struct

HERE = pathlib.Path(__file__).parent
RAW, ETHERNET, COOKED = 101, 1, 113
CLIENT, VIP, LOCAL, SERVER = '10.0.1.1', '10.0.0.2', '10.0.0.3', '10.0.0.6'
CLIENT6, VIP6 = '2001:db8:1::1', '2001:db8::2'
LOCAL6, SERVER6 = '2001:db8::a', '2001:db8::6'
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58


def addr(text):
    return socket.inet_pton(
        socket.AF_INET6 if ':' in text else socket.AF_INET, text)


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def pseudo(src, dst, proto, data):
    tail = (struct.pack('!IHBB', len(data), 0, 0, proto) if ':' in src
            else struct.pack('!BBH', 0, proto, len(data)))
    return checksum(addr(src) + addr(dst) + tail + data)


def ip4(src, dst, proto, data, df=1, ttl=64, tos=0, ident=1, mf=0, off=0,
        options=b''):
    head = struct.pack('!BBHHHBBH4s4s', 0x40 | 5 + len(options) // 4, tos,
                       20 + len(options) + len(data), ident,
                       df << 14 | mf << 13 | off // 8, ttl, proto, 0,
                       addr(src), addr(dst)) + options
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + data


def ip6(src, dst, proto, data, ttl=64, tclass=0, headers=b''):
    """`headers` are extension headers; `proto` is the first of them then."""
    return struct.pack('!IHBB16s16s', 6 << 28 | tclass << 20,
                       len(headers) + len(data), proto, ttl, addr(src),
                       addr(dst)) + headers + data


def ip(src, dst, proto, data, **how):
    return (ip6 if ':' in src else ip4)(src, dst, proto, data, **how)


def body(n):
    return bytes(i * 7 + 1 & 0xff for i in range(n))


def tcp(src, dst, sport, dport, n, flags=0x10, options=b''):
    seg = struct.pack('!HHIIBBHHH', sport, dport, 1000, 2000,
                      5 + len(options) // 4 << 4, flags, 65535, 0,
                      0) + options + body(n)
    return seg[:16] + struct.pack('!H', pseudo(src, dst, TCP, seg)) + seg[18:]


def udp(src, dst, sport, dport, n):
    dgram = struct.pack('!HHHH', sport, dport, 8 + n, 0) + body(n)
    return dgram[:6] + struct.pack('!H', pseudo(src, dst, UDP,
                                                dgram)) + dgram[8:]


def icmp(src, dst, kind, code, info, quote):
    msg = struct.pack('!BBHI', kind, code, 0, info) + quote
    total = pseudo(src, dst, ICMP6, msg) if ':' in src else checksum(msg)
    return ip(src, dst, ICMP6 if ':' in src else ICMP,
              msg[:2] + struct.pack('!H', total) + msg[4:])


def segment(length, sport=4000, src=CLIENT, dst=VIP, dport=443, **how):
    """A TCP packet of `length` bytes in all."""
    head = 60 if ':' in src else 40
    return ip(src, dst, TCP, tcp(src, dst, sport, dport, length - head), **how)


def fragments(src, dst, proto, data, size, **how):
    for off in range(0, len(data), size):
        more = int(off + size < len(data))
        piece = data[off:off + size]
        if ':' in src:
            yield ip6(src, dst, 44, piece, headers=struct.pack(
                '!BBHI', proto, 0, off | more, how.get('ident', 1)))
        else:
            yield ip4(src, dst, proto, piece, mf=more, off=off, **how)


def broken(packet, at):
    return packet[:at] + bytes([packet[at] ^ 1]) + packet[at + 1:]


def write(name, link, packets):
    """A capture with microseconds, 100 of them between two packets; a number
    among the packets is a pause of that many seconds."""
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    now = 1700000000 * 1000000
    with open(path, 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, link))
        for p in packets:
            if isinstance(p, int):
                now += p * 1000000
                continue
            kind = 0x86dd if p[:1] and p[0] >> 4 == 6 else 0x0800
            if link == ETHERNET:
                p = bytes.fromhex('020000000002020000000001') + struct.pack(
                    '!HHH', 0x8100, 5, kind) + p
                p += b'\xee' * max(0, 60 - len(p))
            elif link == COOKED:
                p = struct.pack('!HHH8sH', 0, 1, 6, b'\2\0\0\0\0\1', kind) + p
            out.write(struct.pack('<IIII', now // 1000000, now % 1000000,
                                  len(p), len(p)) + p)
            now += 100


def client4():
    """What an IPv4 balancer may meet."""
    for sport in range(4000, 4004):  # fits, just fits, just not, full size
        for length in (41, 1480, 1481, 1500):
            yield segment(length, sport)
    yield segment(1500, df=0)
    yield segment(60, ttl=1)
    yield segment(1500, ttl=1)
    yield segment(100, tos=0xbb)
    yield segment(1500, tos=0xb8)
    yield segment(100, options=b'\x01' * 7 + b'\0')
    yield segment(100, dport=444)
    yield segment(100, dst='10.0.0.22')
    for src in '127.0.0.1', '224.0.0.1', '0.0.0.0':
        yield segment(1500, src=src)
    yield broken(segment(1500), 10)
    yield broken(segment(1500, ttl=1), 10)
    yield segment(1500)[:1000]
    yield b'\x45'
    yield broken(segment(1500), 0)
    yield ip4(CLIENT, VIP, UDP, udp(CLIENT, VIP, 5000, 53, 500), df=0)
    yield icmp(CLIENT, VIP, 8, 0, 1, body(56))
    # Errors about replies: quoting 8 bytes, options, a lot, nothing useful.
    router = '10.5.5.5'
    for sport in range(4000, 4004):
        reply = segment(1500, 443, VIP, CLIENT, sport)
        options = segment(1500, 443, VIP, CLIENT, sport,
                          options=b'\x07\x0b\x04' + bytes(9))
        yield icmp(router, VIP, 3, 4, 1400, reply[:28])
        yield icmp(router, VIP, 11, 0, 0, options[:40])
        yield icmp(router, VIP, 3, 1, 0, reply[:548])
        yield icmp(router, VIP, 3, 4, 1400, reply[:1472])
    yield icmp(router, VIP, 3, 4, 1400, reply[:23])
    yield icmp(router, VIP, 5, 1, 0, reply[:28])
    yield broken(icmp(router, VIP, 3, 4, 1400, reply[:28]), 51)
    yield icmp(router, VIP, 3, 4, 1400,
               segment(1500, 80, VIP, CLIENT, 4000)[:28])
    tunnel = ip4(LOCAL, SERVER, 4, segment(1480))
    yield icmp(router, LOCAL, 3, 4, 1400, tunnel[:548])
    # Fragments: whole, in the wrong order, with DF, the last one missing.
    data = tcp(CLIENT, VIP, 4001, 443, 3000)
    yield from fragments(CLIENT, VIP, TCP, data, 1480, df=0, ident=11)
    yield from reversed(list(
        fragments(CLIENT, VIP, TCP, data, 1480, df=0, ident=12)))
    yield from fragments(CLIENT, VIP, TCP, data, 1400, df=1, ident=13)
    yield from list(fragments(CLIENT, VIP, TCP, data, 1480, df=0,
                              ident=14))[:2]
    yield 61
    yield segment(41)


def client6():
    """The same for IPv6, and for IPv6 over IPv4 and IPv4 over IPv6."""
    to6 = {'src': CLIENT6, 'dst': VIP6}
    for dst in VIP6, '2001:db8::3':
        for length in (61, 1280, 1460, 1461, 1480, 1481, 1500):
            yield segment(length, src=CLIENT6, dst=dst)
        yield segment(61, src=CLIENT6, dst=dst, ttl=1)
        yield segment(1500, src=CLIENT6, dst=dst, ttl=1)
        yield segment(100, src=CLIENT6, dst=dst, tclass=0xbb)
    for length in (41, 1460, 1461, 1500):
        yield segment(length, dst='10.0.0.4')
    yield segment(1500, dst='10.0.0.4', df=0)
    for src in '::', '::1', 'ff02::1', '::ffff:10.0.1.1':
        yield segment(1500, src=src, dst=VIP6)
    yield segment(1500, **to6)[:1000]
    padn = bytes([TCP, 0, 1, 4, 0, 0, 0, 0])
    yield ip6(CLIENT6, VIP6, 60, tcp(CLIENT6, VIP6, 4000, 443, 30),
              headers=padn)
    router = '2001:db8:5::5'
    for sport in range(4000, 4004):
        yield segment(61, sport, **to6)
        reply = segment(1500, 443, VIP6, CLIENT6, sport)
        yield icmp(router, VIP6, 2, 0, 1400, reply[:48])
        yield icmp(router, VIP6, 1, 4, 0, reply[:1232])
        yield icmp(router, VIP6, 2, 0, 1400, reply[:1452])
    yield broken(icmp(router, VIP6, 2, 0, 1400, reply[:48]), 91)
    yield icmp(router, VIP6, 137, 0, 0, reply[:48])
    yield icmp(router, VIP6, 128, 0, 1, body(56))
    data = tcp(CLIENT6, VIP6, 4001, 443, 3920)
    yield from fragments(CLIENT6, VIP6, TCP, data, 1232, ident=21)
    yield from fragments(CLIENT6, VIP6, TCP, data, 1448, ident=22)
    yield from list(fragments(CLIENT6, VIP6, TCP, data, 1232, ident=23))[:1]
    yield 61
    yield segment(61, **to6)


def each_tunnel():
    """The four pairs of families around the limits of each kind of tunnel."""
    limits = {4: (1468, 1472, 1476, 1480), 6: (1448, 1452, 1456, 1460)}
    for src, dst, outer in ((CLIENT, VIP, 4), (CLIENT6, '2001:db8::3', 4),
                            (CLIENT, '10.0.0.4', 6), (CLIENT6, VIP6, 6)):
        for sport in 4000, 4001:
            yield segment(100, sport, src, dst)
        for limit in limits[outer]:
            yield segment(limit, src=src, dst=dst)
            yield segment(limit + 1, src=src, dst=dst)
        yield segment(101, src=src, dst=dst, ttl=1)
        if outer == 4 or src == CLIENT:
            yield segment(1500, src=src, dst=dst, **(
                {'df': 0} if src == CLIENT else {}))
        reply = segment(1500, 443, dst, src, 4000)
        router = '10.5.5.5' if src == CLIENT else '2001:db8:5::5'
        yield icmp(router, dst, *((3, 4, 1400) if src == CLIENT
                                  else (2, 0, 1400)), reply[:48])
    # Errors about the tunnels themselves, and about other things of the host.
    gue = udp(LOCAL, SERVER, 50000, 6080, 100)
    for proto, data in ((UDP, gue), (47, b'\0\0\x08\0' + segment(100)),
                        (4, segment(100)), (TCP, segment(100)[20:])):
        yield icmp('10.5.5.5', LOCAL, 3, 4, 1400,
                   ip4(LOCAL, SERVER, proto, data)[:48])
        yield icmp('2001:db8:5::5', LOCAL6, 2, 0, 1400,
                   ip6(LOCAL6, SERVER6, proto, data)[:88])


def tunnelled():
    """What a real server gets from its balancers."""
    small, full = segment(100), segment(1500)
    yield ip4(LOCAL, SERVER, 4, small)
    yield ip4(LOCAL, SERVER, 41, segment(100, src=CLIENT6, dst=VIP6))
    yield from fragments(LOCAL, SERVER, 4, full, 1480, df=0, ident=31)
    yield ip4(LOCAL, SERVER, 4, small, tos=3)  # congestion, Not-ECT inside
    yield ip4(LOCAL, SERVER, 4, segment(100, tos=2), tos=3)
    yield ip4('10.0.0.33', SERVER, 4, small)
    yield ip4(LOCAL, '10.0.0.66', 4, small)
    yield ip4(LOCAL, SERVER, 4, segment(100, dst='10.0.0.22'))
    yield ip4(LOCAL, SERVER, 4, broken(small, 10))
    yield ip4(LOCAL, SERVER, 41, small)
    yield ip4(LOCAL, SERVER, 4, small[:50])
    yield segment(100, dst=SERVER)


def replies():
    """What a real server's kernel sends in return."""
    for src, dst, mss in ((VIP, CLIENT, 1460), (VIP, CLIENT, 1200),
                          (VIP6, CLIENT6, 1440)):
        options = struct.pack('!BBHBBBB', 2, 4, mss, 1, 3, 3, 7)
        yield ip(src, dst, TCP, tcp(src, dst, 443, 4000, 0, 0x12, options))
        yield segment(1500, 443, src, dst, 4000)
    yield ip(VIP, CLIENT, TCP, tcp(VIP, CLIENT, 443, 4000, 0, 0x12,
                                   b'\x02\x09\0\0'))
    yield segment(100, 443, SERVER, CLIENT, 4000)


def readdressed():
    """Both ends of connections, and the routers between, for -m."""
    for client, vip, server, router in (
            (CLIENT, VIP, SERVER, '192.0.2.9'),
            (CLIENT6, VIP6, SERVER6, '2001:db8:9::1')):
        four = ':' not in client
        big, gone = ((3, 4), (3, 3)) if four else ((2, 0), (1, 4))

        def error(src, dst, kind, quote):
            return icmp(src, dst, *kind, 1400, quote)

        def up(length, flags=0x10, **how):
            data = tcp(client, vip, 4000, 443, length - (40 if four else 60),
                       flags)
            return ip(client, vip, TCP, data, **how)

        def down(length, flags=0x10, src=server, sport=8443, **how):
            data = tcp(src, client, sport, 4000, length - (40 if four else 60),
                       flags)
            return ip(src, client, TCP, data, **how)

        yield down(100)  # nobody's yet
        yield up(60, 0x04)
        yield error(router, vip, big, down(1400, src=vip, sport=443)[:68])
        yield up(60, 0x02)
        yield down(60, 0x12)
        yield up(1500)
        yield down(1499)
        yield up(1501)
        yield down(1501)
        yield up(100, ttl=1)
        yield down(100, ttl=1)
        yield error(router, vip, big, down(1400, src=vip, sport=443)[:68])
        yield error(router, vip, big, down(1400, src=vip, sport=443)[:548])
        inside = tcp(client, server, 4000, 8443, 60)
        quoted = ip(client, server, TCP, inside)
        yield error(server, client, gone, quoted)
        yield error('10.9.0.1' if four else '2001:db8:9::2', client, gone,
                    quoted[:68])
        yield broken(error(server, client, gone, quoted), 22 if four else 42)
        data = tcp(server, client, 8443, 4000, 3000)
        yield from fragments(server, client, TCP, data, 1200, ident=91)
        if four:
            data = tcp(client, vip, 4000, 443, 3000)
            yield ip4(client, vip, TCP, data, df=0, ident=92)
        yield up(60, 0x11)
        yield down(60, 0x11)
        yield up(60, 0x04)
        data = udp(client, vip, 4000, 53, 100)
        yield ip(client, vip, UDP, data)
        data = udp(server, client, 5300, 4000, 101)
        yield ip(server, client, UDP, data)
    yield ip4(CLIENT, VIP, UDP, udp(CLIENT, VIP, 4000, 53, 9)[:6] + b'\0\0' +
              body(9))  # without a checksum


def main():
    for policy in 'notify', 'fragment', 'both':
        write(f'{policy}/in.pcap', {'notify': RAW, 'fragment': ETHERNET,
                                    'both': COOKED}[policy], client4())
    for policy in 'notify6', 'fragment6':
        write(f'{policy}/in.pcap', ETHERNET if policy == 'notify6' else RAW,
              client6())
    write('nat/in.pcap', RAW, readdressed())
    write('tunnels/in.pcap', RAW, each_tunnel())
    write('realserver/in.pcap', ETHERNET, tunnelled())
    write('realserver/tun.pcap', RAW, replies())


if __name__ == '__main__':
    main()
