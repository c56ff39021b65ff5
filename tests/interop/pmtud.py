# SPDX-License-Identifier: MIT
"""ICMP errors for tests/interop/pmtud.sh, and whether a kernel has heard one.
Standard library only.

    pmtud.py send IFACE DST-MAC ROUTER VIP CLIENT PORT MTU
    pmtud.py write FILE ROUTER VIP CLIENT FIRST-PORT NUMBER MTU
    pmtud.py wait VIP CLIENT PORT MTU    (prints "open", then "heard")
"""
import socket
import struct
import sys
import time

UDP_PORT = 443
IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU = 10, 2, 14
IPV6_MTU_DISCOVER, IPV6_MTU = 23, 24


def family(text):
    return socket.AF_INET6 if ':' in text else socket.AF_INET


def addr(text):
    return socket.inet_pton(family(text), text)


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(src, dst, proto, data, length=None):
    """A packet that says it is `length` bytes long."""
    if ':' in src:
        return struct.pack('!IHBB16s16s', 6 << 28, (length or 40 + len(data)) -
                           40, proto, 60, addr(src), addr(dst)) + data
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, length or 20 + len(data), 1,
                       0x4000, 60, proto, 0, addr(src), addr(dst))
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + data


def error(router, vip, client, port, mtu):
    udp = struct.pack('!HHHH', UDP_PORT, port, 1472, 0)
    quote = ip(vip, client, 17, udp, 1500)
    v6 = ':' in vip
    message = struct.pack('!BBHI', *((2, 0) if v6 else (3, 4)), 0, mtu) + quote
    pseudo = addr(router) + addr(vip) + struct.pack(
        '!II', len(message), 58) if v6 else b''
    total = checksum(pseudo + message)
    return ip(router, vip, 58 if v6 else 1,
              message[:2] + struct.pack('!H', total) + message[4:])


def frame(mac, packet):
    kind = 0x86dd if packet[0] >> 4 == 6 else 0x0800
    return bytes.fromhex(mac.replace(':', '')) + b'\2\0\0\0\0\xfe' + \
        struct.pack('!H', kind) + packet


def send(iface, mac, router, vip, client, port, mtu):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((iface, 0))
    s.send(frame(mac, error(router, vip, client, int(port), int(mtu))))


def write(file, router, vip, client, first, number, mtu):
    with open(file, 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(int(number)):
            p = frame('02:00:00:00:00:01',
                      error(router, vip, client, int(first) + i, int(mtu)))
            out.write(struct.pack('<IIII', 1000 + i, 0, len(p), len(p)) + p)


def wait(vip, client, port, mtu):
    s = socket.socket(family(vip), socket.SOCK_DGRAM)
    v6 = ':' in vip
    level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
    s.setsockopt(level, IPV6_MTU_DISCOVER if v6 else IP_MTU_DISCOVER,
                 IP_PMTUDISC_DO)
    s.bind((vip, UDP_PORT))
    s.connect((client, int(port)))
    name = IPV6_MTU if v6 else IP_MTU
    if s.getsockopt(level, name) <= int(mtu):
        sys.exit('knows it already')
    print('open', flush=True)
    for _ in range(400):
        if s.getsockopt(level, name) == int(mtu):
            print('heard', flush=True)
            return
        time.sleep(0.01)
    sys.exit('heard nothing')


{'send': send, 'write': write, 'wait': wait}[sys.argv[1]](*sys.argv[2:])
