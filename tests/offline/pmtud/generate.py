#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes in.pcap, the errors that tests/offline/pmtud.sh puts through
tunmtu-pmtud, with Ethernet headers."""
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))
from generate import (CLIENT, CLIENT6, ICMP, LOCAL, SERVER, TCP, UDP, VIP, VIP6,
                      body, broken, fragments, icmp, ip4, ip6, segment, udp)

HOST, HOP = b'\2\0\0\0\0\x11', b'\2\0\0\0\0\xfe'
ROUTER, ROUTER6 = '10.5.5.5', '2001:db8:5::5'


def frame(packet, to=HOST, tag=None, pad=0):
    kind = 0x86dd if packet[:1] and packet[0] >> 4 == 6 else 0x0800
    head = to + HOP
    if tag is not None:
        head += struct.pack('!HH', 0x8100, tag)
    return head + struct.pack('!H', kind) + packet + b'\xee' * pad


def reply(port=4000, vip=VIP, sport=443, length=1500, **how):
    """What a server sent to a client."""
    client = CLIENT6 if ':' in vip else CLIENT
    return segment(length, sport, vip, client, port, **how)


def error(quoted, mtu=1400, router=None, quote=None, to=None):
    """A router's word about it."""
    v6 = quoted[0] >> 4 == 6
    return icmp(router or (ROUTER6 if v6 else ROUTER),
                to or (VIP6 if v6 else VIP), *((2, 0) if v6 else (3, 4)), mtu,
                quoted[:quote or (48 if v6 else 28)])


def routers(first, number, port):
    """As many errors about as many flows."""
    for i in range(number):
        yield frame(error(reply(port + i), router=f'10.6.{first}.{i + 1}'))


def story():
    good, good6 = reply(), reply(vip=VIP6)
    yield frame(error(good))
    yield frame(error(good))  # said already
    yield frame(error(good6))
    yield 2
    yield frame(error(good))  # and news again
    yield frame(error(good, 1399))
    # Quotes: options, all there is, no ports, another protocol, a later
    # fragment, what a tunnel of the VIP carries.
    yield 2
    yield frame(error(reply(4001, options=b'\x07\x0b\x04' + bytes(9)),
                      quote=40))
    yield frame(error(reply(4002), quote=548, router='10.5.5.6'))
    yield frame(error(reply(4003), quote=23, router='10.5.5.7'))
    yield frame(error(ip4(VIP, CLIENT, 50, body(1480)), router='10.5.5.8'))
    yield frame(error(list(fragments(VIP, CLIENT, UDP, body(4000), 1480, df=0))
                      [1], router='10.5.5.9'))
    yield frame(error(ip4(VIP, '10.9.9.9', 4, reply(4004, length=1480)),
                      quote=48, router='10.5.5.10'))
    yield frame(error(ip4(VIP, CLIENT, UDP, udp(VIP, CLIENT, 53, 4005, 1472)),
                      router='10.5.5.11'))
    yield frame(error(reply(4006, sport=8080), router='10.5.5.12'))
    # MTUs.
    yield 4
    for i, mtu in enumerate((0, 67, 68, 551, 575, 576, 1499, 1500, 9000, 16384,
                             16385)):
        yield frame(error(reply(4100 + i, length=20000), mtu,
                          router=f'10.5.6.{i}'))
    for i, mtu in enumerate((0, 1279, 1280, 1499, 16385, 0xffffffff)):
        yield frame(error(reply(4100 + i, VIP6, length=20000), mtu,
                          router=f'2001:db8:6::{i}'))
    yield frame(error(reply(4200), 1500))  # no smaller than what it quotes
    # What is no error of this kind, or is broken.
    yield 2
    yield frame(icmp(ROUTER, VIP, 3, 3, 0, good[:28]))
    yield frame(icmp(ROUTER, VIP, 11, 0, 0, good[:28]))
    yield frame(icmp(ROUTER6, VIP6, 1, 4, 0, good6[:48]))
    yield frame(icmp(CLIENT, VIP, 8, 0, 1, body(56)))
    yield frame(segment(100))
    yield frame(broken(error(reply(4300)), 10))
    yield frame(broken(error(reply(4301)), 40))
    yield frame(error(reply(4302))[:40])
    yield frame(error(reply(4303), quote=19))
    yield frame(broken(error(reply(4304), quote=20), 0))
    yield frame(error(reply(4305), to='10.0.0.9'))
    yield frame(error(reply(4306), router='224.0.0.1'))
    yield frame(error(segment(1500, src='127.0.0.1', dst=CLIENT),
                      to='127.0.0.1'))
    yield frame(error(reply(4307, vip='10.0.0.22'), to='10.0.0.22'))
    long = error(reply(4308), quote=548)
    yield from (frame(p) for p in fragments(ROUTER, VIP, ICMP, long[20:], 288))
    # How it comes.
    yield 2
    yield frame(error(reply(4400)), b'\xff' * 6)
    yield frame(error(reply(4401, vip=VIP6)), b'\x33\x33\0\0\0\1')
    yield frame(error(reply(4402)), tag=5)
    yield frame(error(reply(4403)), tag=0xe000)  # a priority, no VLAN
    yield frame(error(reply(4404), router='10.5.5.13'), pad=4)
    yield HOST + HOP + b'\x08\x06' + body(46)  # ARP
    yield frame(ip4(LOCAL, SERVER, 4, error(reply(4405))))  # a copy's way
    yield frame(ip6('2001:db8::a', '2001:db8::6', 41, error(reply(4406,
                                                                  VIP6))))
    last = error(reply(4407), router='10.5.5.14')
    yield frame(ip4('10.5.5.14', VIP, ICMP, last[20:], ttl=1))
    # Too much: one router, and many.
    yield 4
    for port in range(4500, 4506):
        yield frame(error(reply(port)))
    yield 2
    yield from routers(0, 25, 4600)
    yield 1
    yield from routers(1, 25, 4700)
    yield -3  # a clock that steps back gives nobody anything
    yield from routers(1, 2, 4700)


def main():
    now = 1700000000 * 1000000
    with open(HERE / 'in.pcap', 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for p in story():
            if isinstance(p, int):
                now += p * 1000000
                continue
            out.write(struct.pack('<IIII', now // 1000000, now % 1000000,
                                  len(p), len(p)) + p)
            now += 100


if __name__ == '__main__':
    main()
