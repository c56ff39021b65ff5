# SPDX-License-Identifier: MIT
"""What each of the two knows about the paths to servers that have a service for
themselves: how Linux learns (K73 to K84, K95 to K97), and how we do (RFC 2003
§4, RFC 2473 §8, RFC 5927 §7.2). What a packet is answered with shows whether it
is so; which of the two is right, differences.py says."""
import wire
from errors import ethertype, proto_inside
from wire import GRE, ICMP, ICMP6, TCP, UDP

FLOOR = {4: 552, 6: 1280}
PLATEAUS = (65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68)


class Quote:
    """What an error is about, as far as it is there: `outer` is the header that
    it quotes, `inner` the packet in its tunnel, or None. `lenient`: as we read
    it."""

    def __init__(self, run, p, lenient=False):
        self.p, self.lenient = p, lenient
        self.data = p.payload[8:]
        if lenient:
            self.data = self.data[:self.original()]
        self.outer = wire.parse(self.data)
        self.inner, self.over = None, 0
        q = self.outer
        if q is None or q.version != run.outer:
            self.outer = None
            return
        self.rest = self.data[q.start:]
        size = self.header(run)
        if size is not None:
            self.over = q.start + size
            self.inner = self.data[self.over:]

    def original(self):
        """How much of it is quoted, before an extension (RFC 4884): at least
        128 bytes, else it does not count."""
        b, n = self.p.payload, 0
        if self.p.proto == ICMP and b[0] in (3, 11, 12):
            n = b[5] * 4
        elif self.p.proto == ICMP6 and b[0] in (1, 3):
            n = b[4] * 8
        if n < 128:
            return len(self.data)
        return n if n <= len(self.data) else 0

    def header(self, run):
        """How long the tunnel's header is, if it is one of `run` and whole."""
        q, b, kind = self.outer, self.rest, run.kind
        if q.off:
            return None
        if kind.tunnel == 'ipip':
            return 0 if q.proto == proto_inside(run.v) else None
        if kind.tunnel == 'gre' and q.proto == GRE and len(b) >= 4:
            # We pass over a sequence number, and over what RFC 2784 reserves to
            # be ignored.
            refused, more = (0x6cff & ~0xf8, 0x90) if self.lenient else (
                0x7fff, 0x80)
            size = 4 + 4 * bin(b[0] & more).count('1')
            if not wire.get16(b, 0) & refused and len(b) >= size and \
                    b[2:4] == ethertype(run.v):
                return size
        if kind.tunnel == 'gue' and q.proto == UDP and len(b) >= 12 and \
                wire.get16(b, 2) == 6080:
            size = 12 + (b[8] & 31) * 4
            if not b[8] & 0xe0 and len(b) >= size and \
                    b[9] == proto_inside(run.v):
                return size
        return None


class Paths:
    def __init__(self, run):
        self.run = run
        self.known, self.locked = {}, set()
        self.quote = None

    def mtu(self, real):
        return self.known.get(real, self.run.kind.mtu)

    def learn(self, real, mtu):
        if real in self.locked or mtu >= self.mtu(real):
            return False  # K95, K97
        if mtu < FLOOR[self.run.outer]:
            mtu = min(FLOOR[4], self.mtu(real))
            self.locked.add(real)  # K96
        self.known[real] = mtu
        return True

    def error(self, case):
        """The error that has come with this packet, which may be its last
        fragment; its checksum is right."""
        p = case.p
        if p is not None and p.is_fragment():
            data = case.together()
            p = None if data is None else wire.parse(data)
        if not wire.is_error(p) or len(p.payload) < 8:
            return None
        total = wire.cksum(p.payload if p.proto == ICMP else wire.pseudo(
            p.src, p.dst, ICMP6, len(p.payload)) + p.payload)
        return None if total else p

    @staticmethod
    def says_mtu(p):
        """What it says the path carries; None: it is about something else."""
        if p.proto == ICMP and p.payload[:2] == b'\3\4':
            return wire.get16(p.payload, 6)
        if p.proto == ICMP6 and p.payload[0] == 2:
            return int.from_bytes(p.payload[4:8], 'big')
        return None


class Linux(Paths):
    """IPv4 tunnels alone. Of the last error: `told`, what IPVS makes of it
    (type, code and second word for the client; None: nothing); `stale`, whether
    it told what it knew before; `why`, how it learned from it (None: not)."""

    def __init__(self, run):
        super().__init__(run)
        self.route = {}  # what the route says that IPVS holds: K74
        self.told = self.why = None
        self.stale = False

    def sends(self, real):
        """A packet for this server, whatever becomes of it: the route is looked
        up anew if need be."""
        self.route[real] = self.mtu(real)

    def hears(self, case):
        self.told = self.why = None
        self.stale = False
        p = self.error(case)
        if p is None or p.proto != ICMP or p.dst not in self.run.mine:
            return
        q = self.quote = Quote(self.run, p)
        if q.outer is None:
            return
        mtu, real = self.says_mtu(p), q.outer.dst
        known = self.knows(q)
        if mtu is not None and q.outer.src in self.run.mine and (
                known or self.gre(q)):
            before = self.known.get(real)
            if self.learn(real, mtu):
                self.why = 'ipvs' if known else 'gre'
                if before is not None:  # of an entry that it follows already
                    self.route[real] = self.mtu(real)
        if known:
            self.relay(p, q, mtu)

    def knows(self, q):
        """A tunnel of IPVS, IPv4 in IPv4, and a connection inside (K81 to
        K84); it looks at the inner version in GUE alone."""
        b = q.inner
        if self.run.pair != '4in4' or b is None or len(b) < 24 or \
                q.outer.dst not in self.run.alone + self.run.reals:
            return False
        if self.run.kind.tunnel == 'gue' and b[0] >> 4 != 4:
            return False
        head = (b[0] & 15) * 4
        if head < 20 or len(b) < head + 4 or wire.get16(b, 6) & 0x1fff or \
                b[9] not in (TCP, UDP) or b[16:20] != self.run.vip:
            return False
        return (b[12:16], b[9], b[head:head + 4]) in self.run.flows

    def gre(self, q):
        """The handler of GRE devices, whose tunnel it may be or not (K126)."""
        b = q.rest
        if q.outer.proto != GRE or q.outer.off or len(b) < 8 or \
                b[0] & 0x40 or b[1] & 7:
            return False
        return len(b) >= 4 + 4 * (bin(b[0] & 0xb0).count('1'))

    def relay(self, p, q, mtu):
        kind = p.payload[:2]
        if kind[0] not in (3, 4, 11):
            return  # K62
        if mtu is None:
            self.told = kind + p.payload[4:8]  # K80
        elif q.inner[6] & 0x40:  # K79; 20 whatever the tunnel is: K75, K76
            base = self.route.get(q.outer.dst, mtu)
            self.stale = base != self.mtu(q.outer.dst)
            self.told = kind + (base - 20).to_bytes(4, 'big')


class Ours(Paths):
    """All pairs. Of the last error: `told`, as above; `why` not, if not."""
    # RFC 2003 §4, the VIP being on our own network: host unreachable for all
    # but port unreachable, source route failed, and what no router sends.
    HOST = set(range(16)) - {3, 4, 5}

    def __init__(self, run):
        super().__init__(run)
        self.told = self.why = None
        self.learned = False

    def hears(self, case):
        self.told, self.learned = None, False
        self.why = 'nothing'
        p = self.error(case)
        if p is None:
            return
        q = self.quote = Quote(self.run, p, True)
        o = q.outer
        if not q.data and len(p.payload) > 8:
            self.why = 'broken'
        if o is None or o.dst not in self.run.alone + self.run.reals:
            return
        if case.p.is_fragment():
            self.why = 'fragmented'
            return
        if p.dst not in self.run.ends or o.src != p.dst:
            self.why = 'elsewhere'
            return
        if q.inner and q.inner[0] >> 4 != self.run.v:
            self.why = 'version'
            return
        if q.inner is None and not self.named(q):
            self.why = 'foreign'
            return
        inner = wire.parse(q.inner) if q.inner else None
        if inner is not None and not self.may_be_sent(inner):
            self.why = 'unsent'
            return
        if inner is not None and \
                len(q.inner) < min(inner.start + 8, inner.length):
            inner = None
        mtu = self.says_mtu(p)
        if mtu is not None:
            self.too_big(q, mtu, inner)
        elif inner is None:
            self.why = 'short'
        else:
            self.other(p, q, inner)

    def may_be_sent(self, p):
        """A packet for a service, or with nothing that says it is none."""
        ports = p.proto in (TCP, UDP) and not p.off and len(p.payload) >= 4
        return self.run.serves(p) or p.dst == self.run.vip and not ports

    def named(self, q):
        """Of one of our tunnels as far as it goes."""
        o, b, kind = q.outer, q.rest, self.run.kind
        proto = {'gre': GRE, 'gue': UDP}.get(
            kind.tunnel, proto_inside(self.run.v))
        if o.proto != proto:
            return False
        if o.off:
            return True
        want = {'ipip': b'', 'gre': b'\0\0' + ethertype(self.run.v),
                'gue': None}[kind.tunnel]
        if want is None:
            size = 12 + (b[8] & 31) * 4 if len(b) > 8 else 12
            return len(b) < size and b[2:4] in (b'\x17\xc0'[:len(b[2:4])],) \
                and not (len(b) > 8 and b[8] & 0xe0) and (
                    len(b) < 10 or b[9] == proto_inside(self.run.v))
        if kind.csum and want:
            want = b'\x80' + want[1:]
        return b.startswith(want) if len(b) >= len(want) else \
            want.startswith(b)

    def too_big(self, q, mtu, inner):
        o = q.outer
        if mtu == 0 and o.version == 4:
            length = o.length - (o.head if o.length >= self.mtu(o.dst) else 0)
            mtu = max(m for m in PLATEAUS if m < length)  # RFC 1191 §5
        if mtu >= o.length or mtu < 1280 and o.version == 6:
            self.why = 'claim'
            return
        if len(q.data) < min(o.length, o.start + 8):
            self.why = 'short'  # K106
            return
        before = self.mtu(o.dst)
        self.learned = self.learn(o.dst, mtu)
        if o.is_fragment():
            self.why = 'fragment'
        elif inner is None:
            self.why = 'short'
        elif inner.version == 4 and not inner.df:
            self.why = 'df'  # K79
        else:
            mtu = min(max(mtu, FLOOR[o.version]), before) - q.over
            mtu = max(mtu, 68 if inner.version == 4 else 1280)
            if mtu < inner.length:
                self.tell(inner, (3, 4) if inner.version == 4 else (2, 0), mtu)
            else:
                self.why = 'fits'

    def other(self, p, q, inner):
        kind, code = p.payload[:2]
        unreachable = (3, 1) if inner.version == 4 else (1, 3)
        self.why = 'never'
        if p.proto == ICMP6:
            if kind == 1 or (kind, code) == (3, 0):
                self.tell(inner, unreachable, 0)
        elif kind == 3 and code in self.HOST or (kind, code) == (11, 0):
            self.tell(inner, unreachable, 0)
        elif kind == 12 and code in (0, 2):
            at = p.payload[4]
            at = at - q.over if at >= q.over else at if at == 1 else -1
            if 0 <= at < inner.length and inner.version == 4:
                self.tell(inner, (12, code), at << 24)
            elif at >= 0:
                self.tell(inner, unreachable, 0)

    def tell(self, inner, kind, info):
        """What is told, unless nobody may be: errors about errors (RFC 1122
        §3.2.2), sources that are nobody."""
        if wire.is_error(inner):
            self.why = 'error'
        elif inner.off:
            self.why = 'later'
        elif not is_host(inner.src):
            self.why = 'source'
        else:
            self.why = None
            self.told = bytes(kind) + info.to_bytes(4, 'big')


def is_host(a):
    if len(a) == 4:
        return a[0] not in (0, 127) and a[0] < 224
    return a[0] != 0xff and a[:15] != bytes(15)
