# SPDX-License-Identifier: MIT
"""Packets as bytes: built, taken apart, described, and kept in captures.

Standard library only; nothing of ours is used, so that it does not agree with
us by construction."""
import socket
import struct

TCP, UDP, ICMP, ICMP6, GRE = 6, 17, 1, 58, 47
IPIP, SIT, HOPOPT, ROUTING, FRAGMENT, AH, NONE, DSTOPT, MOBILITY = (
    4, 41, 0, 43, 44, 51, 59, 60, 135)
ETHERNET, RAW = 1, 101


def addr(text):
    return socket.inet_pton(
        socket.AF_INET6 if ':' in text else socket.AF_INET, text)


def text(address):
    return socket.inet_ntop(
        socket.AF_INET6 if len(address) == 16 else socket.AF_INET, address)


def cksum(data):
    if len(data) & 1:
        data += b'\0'
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def pseudo(src, dst, proto, length):
    return src + dst + struct.pack('!II', length, proto)


def put16(data, at, value):
    return data[:at] + struct.pack('!H', value) + data[at + 2:]


def get16(data, at):
    return data[at] << 8 | data[at + 1]


# ---- built ------------------------------------------------------------------

def ip4(src, dst, proto, data, df=1, ttl=64, tos=0, ident=7, mf=0, off=0,
        options=b'', reserved=0, total=None, ihl=None, version=4, broken=0):
    head = struct.pack(
        '!BBHHHBBH', version << 4 | (5 + len(options) // 4 if ihl is None
                                     else ihl), tos,
        20 + len(options) + len(data) if total is None else total, ident,
        reserved << 15 | df << 14 | mf << 13 | off // 8, ttl, proto,
        0) + addr(src) + addr(dst) + options
    return put16(head, 10, cksum(head) ^ broken) + data


def ip6(src, dst, proto, data, ttl=64, tos=0, label=0, headers=(),
        length=None, version=6):
    """`headers`: extension headers, (number, bytes from the third one on)."""
    chain, following = b'', proto
    for number, body in reversed(headers):
        size = (0 if number == FRAGMENT else (len(body) + 2) // 4 - 2
                if number == AH else (len(body) + 2) // 8 - 1)
        chain = bytes((following, size)) + body + chain
        following = number
    data = chain + data
    return struct.pack('!IHBB', version << 28 | tos << 20 | label,
                       len(data) if length is None else length, following,
                       ttl) + addr(src) + addr(dst) + data


def ip(src, dst, proto, data, **how):
    if ':' in src:
        for name in 'df', 'ident', 'options':
            how.pop(name, None)
        return ip6(src, dst, proto, data, **how)
    return ip4(src, dst, proto, data, **how)


def body(n):
    return bytes(i * 7 + 1 & 0xff for i in range(n))


def summed(src, dst, proto, segment, at, broken=0):
    """With its checksum written at `at`."""
    total = cksum(pseudo(addr(src), addr(dst), proto, len(segment)) + segment)
    return put16(segment, at, (total or 0xffff) ^ broken)


def tcp(src, dst, sport, dport, n, flags=0x10, broken=0, options=b'',
        doff=None):
    return summed(src, dst, TCP, struct.pack(
        '!HHIIBBHHH', sport, dport, 1000, 2000,
        (5 + len(options) // 4 if doff is None else doff) << 4, flags, 65535,
        0, 0) + options + body(n), 16, broken)


def udp(src, dst, sport, dport, n, broken=0, length=None):
    return summed(src, dst, UDP, struct.pack(
        '!HHHH', sport, dport, 8 + n if length is None else length, 0) +
        body(n), 6, broken)


def icmp(src, dst, kind, code, info, rest, broken=0):
    message = struct.pack('!BBHI', kind, code, 0, info) + rest
    if ':' in src:
        return summed(src, dst, ICMP6, message, 2, broken)
    return put16(message, 2, cksum(message) ^ broken)


def icmp_proto(src):
    return ICMP6 if ':' in src else ICMP


# ---- taken apart ------------------------------------------------------------

class Packet:
    """The header of an IP packet; ValueError if there is none that is whole.

    start: where the transport begins; off, mf, ident: of a fragment; length:
    that the header tells."""

    def __init__(self, data):
        self.data = data
        self.version = data[0] >> 4 if data else 0
        if self.version == 4 and len(data) >= 20:
            self.head = self.start = (data[0] & 15) * 4
            self.tos, self.ttl, self.proto = data[1], data[8], data[9]
            self.length, self.ident = get16(data, 2), get16(data, 4)
            frag = get16(data, 6)
            self.df, self.mf = frag >> 14 & 1, frag >> 13 & 1
            self.off = (frag & 0x1fff) * 8
            self.src, self.dst = data[12:16], data[16:20]
            self.options = data[20:self.head]
            if self.head < 20 or self.head > len(data):
                raise ValueError('header')
        elif self.version == 6 and len(data) >= 40:
            self.head = self.start = 40
            word = struct.unpack('!I', data[:4])[0]
            self.tos, self.label = word >> 20 & 255, word & 0xfffff
            self.ttl, self.proto = data[7], data[6]
            self.length, self.ident = 40 + get16(data, 4), 0
            self.df = self.mf = self.off = 0
            self.src, self.dst = data[8:24], data[24:40]
            self.numbers = {}  # of extension headers, and where they are
            while self.proto in (HOPOPT, ROUTING, FRAGMENT, DSTOPT, MOBILITY):
                at = self.start
                self.numbers[self.proto] = at
                if at + 8 > len(data):
                    break
                if self.proto == FRAGMENT:
                    self.off = get16(data, at + 2) & 0xfff8
                    self.mf = data[at + 3] & 1
                    self.ident = struct.unpack('!I', data[at + 4:at + 8])[0]
                    self.start += 8
                else:
                    self.start += 8 + data[at + 1] * 8
                self.proto = data[at]
                if self.off:
                    break
        else:
            raise ValueError('version')
        self.payload = data[self.start:self.length]

    def without(self, number):
        """The IPv6 packet without one of its extension headers, of 8 bytes."""
        at = self.numbers[number]
        before = [a for a in self.numbers.values() if a < at]
        link = max(before) if before else 6
        data = self.data[:self.length]
        data = data[:link] + data[at:at + 1] + data[link + 1:at] + data[at + 8:]
        return put16(data, 4, len(data) - 40)

    def is_fragment(self):
        return bool(self.mf or self.off)


def parse(data):
    try:
        return Packet(data)
    except ValueError:
        return None


def fixed(data):
    """With the checksum of its IPv4 header computed anew."""
    if data[0] >> 4 != 4:
        return data
    size = (data[0] & 15) * 4
    return put16(data, 10, cksum(data[:10] + b'\0\0' + data[12:size]))


def is_error(packet):
    """An ICMP or ICMPv6 error message."""
    if packet is None or packet.off or not packet.payload:
        return False
    if packet.proto == ICMP:
        return packet.payload[0] in (3, 4, 5, 11, 12)
    return packet.proto == ICMP6 and packet.payload[0] < 128


# ---- described --------------------------------------------------------------

def show(data, quoted=False):
    try:
        return show_ip(data, quoted)
    except (ValueError, IndexError, struct.error):
        return f'{len(data)} bytes, {data[:24].hex()}'


def show_ip(data, quoted):
    p = Packet(data)
    out = f'{text(p.src)} > {text(p.dst)} len {p.length}'
    if p.version == 4:
        out += ' DF' * p.df + ' RES' * (data[6] >> 7) + f' id {p.ident}'
        out += f' options {data[20:p.head].hex()}' * (p.head > 20)
        out += ' BAD-IP-SUM' * bool(cksum(data[:p.head]))
    else:
        out += f' label {p.label:#x}' * bool(p.label)
        out += f' headers {data[6]}:{data[40:p.start].hex()}' * (p.start > 40)
    out += f' ttl {p.ttl} tos {p.tos:#x}'
    if p.is_fragment():
        out += f' frag {p.off}' + '+' * p.mf
    if len(data) != p.length and not quoted:
        out += f' ({len(data)} bytes there)'
    return out if p.off else out + show_transport(p, quoted)


def show_transport(p, quoted):
    b, whole = p.payload, len(p.data) >= p.length and not p.mf
    bad = whole and p.proto in (TCP, UDP, ICMP6) and cksum(
        pseudo(p.src, p.dst, p.proto, len(b)) + b) != 0
    if p.proto in (TCP, UDP):
        out = f" {'TCP' if p.proto == TCP else 'UDP'} "
        out += f'{get16(b, 0)}>{get16(b, 2)}'
        none = p.proto == UDP and b[6:8] == b'\0\0'
        out += ' no-sum' if none else ' BAD-SUM' if bad else ''
        if p.proto == UDP and get16(b, 2) == 6080 and len(b) > 12:
            return out + f' GUE {b[8:12].hex()} [{show(b[12:], quoted)}]'
        return out
    if p.proto in (ICMP, ICMP6):
        bad = bad or whole and p.proto == ICMP and cksum(b) != 0
        out = f" ICMP{'v6' * (p.proto == ICMP6)} {b[0]}/{b[1]}"
        out += ' BAD-SUM' * bool(bad)
        if is_error(p):
            out += f" info {int.from_bytes(b[4:8], 'big')}"
            out += f' quotes {len(b) - 8} B [{show(b[8:], True)}]'
        return out
    if p.proto in (IPIP, SIT):
        return f' IPIP [{show(b, quoted)}]'
    if p.proto == GRE:
        head = 4 + 4 * (b[0] >> 7)
        return f' GRE {b[:head].hex()} [{show(b[head:], quoted)}]'
    return f' proto {p.proto}'


# ---- captures: the classic format, microseconds, little endian --------------

def write_capture(path, packets, link=RAW):
    """`packets`: pairs of a time in microseconds and bytes."""
    with open(path, 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, link))
        for when, data in packets:
            out.write(struct.pack('<IIII', when // 1000000, when % 1000000,
                                  len(data), len(data)) + data)


def read_capture(path):
    """Pairs, as above; a raw one."""
    with open(path, 'rb') as f:
        data = f.read()
    magic, *_, link = struct.unpack('<IHHiIII', data[:24])
    if magic not in (0xa1b2c3d4, 0xa1b23c4d) or link != RAW:
        raise SystemExit(f'{path}: not a raw capture of this byte order')
    fine = 1000 if magic == 0xa1b23c4d else 1  # nanoseconds
    at, out = 24, []
    while at < len(data):
        sec, usec, have, _ = struct.unpack('<IIII', data[at:at + 16])
        out.append((sec * 1000000 + usec // fine, data[at + 16:at + 16 + have]))
        at += 16 + have
    return out
