# SPDX-License-Identifier: MIT
"""The ways to a real server: what is on its way there, or comes from there, and
what the packet was before."""
import wire

GUE_SOURCE = 40000  # GUE's source port, once it is known to be a good one


class Wrong(Exception):
    """Bytes that no difference may excuse."""


class Tunnel:
    """An outer packet of the director's, to a real server."""

    def __init__(self, run):
        self.run = run

    def is_on(self, case, p):
        return p.src in self.run.ends and \
            p.dst in self.run.reals + self.run.alone

    def before(self, case, data):
        """The packet inside of a whole outer one."""
        return data[self.at(data):]

    def at(self, data):
        """Where the packet is, in what carries it."""
        return inside(wire.Packet(data))

    def plain(self, p, data):
        """Without what nothing prescribes: the server of several (each hashes
        in its own way), identifications of packets without DF, GUE's source
        port."""
        if p.proto == wire.UDP and not p.off:
            if not p.mf and wire.get16(data, p.start + 6) and wire.cksum(
                    wire.pseudo(p.src, p.dst, p.proto, len(p.payload)) +
                    p.payload):
                raise Wrong('a wrong UDP checksum')
            if wire.get16(data, p.start) < 32768:
                raise Wrong('a source port of GUE that may be a service')
            if wire.get16(data, p.start + 6):
                data = wire.put16(data, p.start + 6, 0xffff)
            data = wire.put16(data, p.start, GUE_SOURCE)
        real = p.dst
        if real in self.run.reals:
            real = self.run.reals[0]
        if p.version == 4:
            data = data[:16] + real + data[20:]
            if not p.df:
                data = wire.put16(data, 4, 0)
            return wire.fixed(data)
        data = data[:24] + real + data[40:]
        if data[6] == wire.FRAGMENT:
            data = data[:44] + b'\0\0\0\0' + data[48:]
        return data


def inside(p):
    """Where the inner packet begins in an outer one, or its first fragment."""
    at = None
    if p.proto in (wire.IPIP, wire.SIT):
        inner = p.proto
        at = p.start
    elif p.proto == wire.GRE:
        head = 8 if p.data[p.start] & 0x80 else 4
        inner = {0x800: wire.IPIP, 0x86dd: wire.SIT}.get(
            wire.get16(p.data, p.start + 2))
        at = p.start + head
    elif p.proto == wire.UDP:
        inner = p.data[p.start + 9]
        at = p.start + 12
    if at is None or inner not in (wire.IPIP, wire.SIT):
        raise Wrong('no tunnel packet: ' + wire.show(p.data))
    return at


class Bare:
    """No tunnel: what nothing prescribes about it, there is not."""

    def __init__(self, run):
        self.run = run

    def at(self, data):
        return 0

    def plain(self, p, data):
        return data

    def goes_in(self, case):
        """To the server: from a client, or about what it sent to one."""
        p, vip = case.p, self.run.vip
        if p.dst == vip or not wire.is_error(p):
            return p.dst == vip
        q = wire.parse(p.payload[8:])
        return q is not None and q.src == vip


class Direct(Bare):
    """Nothing but the address of the link is another one."""

    def is_on(self, case, p):
        return case.p is not None and self.goes_in(case) and \
            p.dst == case.p.dst

    def before(self, case, data):
        return data


class Nat(Bare):
    """The service's address and port are the server's, of which there is but
    one, on the way there; on the way back again the service's."""
    MORE = 1000  # the server's ports are so much higher

    def is_on(self, case, p):
        if case.p is None:
            return False
        if self.goes_in(case):
            return p.dst in self.run.reals and p.src == case.p.src
        return p.src == self.run.vip and p.dst == case.p.dst

    def before(self, case, data):
        vip, real = self.run.vip, self.run.reals[0]
        ends = (1, case.p.dst, vip, -self.MORE) if self.goes_in(case) else (
            0, case.p.src, real, self.MORE)
        out = changed(data, *ends)
        # What covers the quoted transport was changed with it, or not.
        came = wire.Packet(case.whole_packet())
        at = quoted_sum(wire.Packet(out))
        if at is None or came.payload[at:at + 2] == wire.Packet(
                out).payload[at:at + 2]:
            return out
        return changed(data, *ends, True)


def quoted_sum(p):
    """Where an error has the checksum of the transport that it quotes; None."""
    if not wire.is_error(p) or p.off:
        return None
    q = wire.parse(p.payload[8:])
    at = q and not q.off and {wire.TCP: 16, wire.UDP: 6}.get(q.proto)
    return 8 + q.start + at if at and len(q.payload) >= at + 2 else None


def changed(data, end, address, quoted, more, quoted_too=False):
    """With the source (end 0) or destination (1) another one, and its port
    `more`; in an error's quote the opposite end, `quoted`. Checksums by
    increment (RFC 1624), so that a wrong one stays wrong; that of the quoted
    transport is left, or changed `quoted_too`."""
    p = wire.Packet(data)
    data, words = addressed(p, end, address)
    if p.off:
        return wire.fixed(data)
    if wire.is_error(p):
        was = p.payload[8:]
        q = wire.Packet(was)
        now, _ = addressed(q, 1 - end, quoted)
        if q.proto in (wire.TCP, wire.UDP) and not q.off and len(
                was) >= q.start + 4:
            now = port_moved(now, q.start, 1 - end, more)
        at = quoted_sum(p)
        if quoted_too and at is not None and wire.get16(now, at - 8):
            now = wire.put16(now, at - 8, adjusted(wire.get16(now, at - 8), [
                (was[:q.start + 4], now[:q.start + 4])]))
        now = wire.fixed(now)
        if p.version == 4:
            words = []
        odd = b'\0' * (len(was) & 1)
        total = adjusted(wire.get16(p.payload, 2), words + [
            (was + odd, now + odd)])
        return wire.fixed(wire.put16(data[:p.start + 8], p.start + 2, total) +
                          now)
    if p.proto in (wire.TCP, wire.UDP):
        at = p.start + 2 * end
        words.append((data[at:at + 2],
                      port_moved(data, p.start, end, more)[at:at + 2]))
        data = port_moved(data, p.start, end, more)
        at = p.start + (16 if p.proto == wire.TCP else 6)
        was = wire.get16(data, at)
        if was or p.proto == wire.TCP:
            total = adjusted(was, words)
            data = wire.put16(data, at, total or (
                0xffff if p.proto == wire.UDP else 0))
    return wire.fixed(data)


def addressed(p, end, address):
    """The packet with one address changed; what was there, and what is now."""
    size = len(address)
    at = (12 if p.version == 4 else 8) + end * size
    return p.data[:at] + address + p.data[at + size:], [
        (p.data[at:at + size], address)]


def port_moved(data, start, end, more):
    at = start + 2 * end
    return wire.put16(data, at, wire.get16(data, at) + more & 0xffff)


def adjusted(total, words):
    """A checksum after these bytes, of even length, have become those."""
    s = total ^ 0xffff
    for was, now in words:
        s += wire.cksum(was) + (wire.cksum(now) ^ 0xffff)
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s ^ 0xffff
