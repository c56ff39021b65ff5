#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the director and tunmtu-lb made of the same packets, side by side.

    compare.py TYPE PAIR NAME COUNTS
    compare.py --all COUNTS...

Of the capture NAME.in, NAME.kernel and NAME.ours; NAME.log is what tunmtu-lb
--verbose says. What each sent for a packet must be alike to the byte, but for
what nothing prescribes (see `plain`) and for what differences.py and
differences_errors.py list. An unlisted difference fails. How often each was met
is added to COUNTS; with --all, those that were never met fail: the list is to
tell the truth."""
import collections
import json
import struct
import sys

import differences
import differences_errors  # noqa: F401, it adds to them
import packets
import paths
import ways
import wire
from ways import Wrong

SHOWN = 10  # packets of a capture that are explained
# Differences that every packet of some pairs has, in one field of the outer
# header.
FIELDS = ['flow-label'], ['df-6in4']


class Case:
    """One packet and what came of it."""

    def __init__(self, run, number, packet):
        self.run, self.number, self.packet = run, number, packet
        self.p = wire.parse(packet)
        self.kernel, self.ours, self.fate = [], [], ''

    def flow(self):
        return self.p.src, self.p.proto, self.p.payload[:4]

    def datagram(self):
        """All fragments up to this one, of the packet it is of."""
        p = self.p
        if p is None or not p.is_fragment():
            return []
        return self.run.datagrams[(p.src, p.ident)]

    def together(self):
        """The packet that they make, if this was the last one missing."""
        parts = sorted(self.datagram(), key=lambda f: f.off)
        return self.whole([f.data for f in parts])

    def whole_packet(self):
        """This one, or what it is the last fragment of."""
        return self.p.is_fragment() and self.together() or self.packet

    def largest(self):
        return max((f.length for f in self.datagram()), default=0)

    def odd(self):
        return any(f.mf and len(f.payload) % 8 for f in self.datagram())

    def marks(self):
        return {f.tos & 3 for f in self.datagram()}

    def sent_on(self, data):
        """Whether the director, not its host, made this."""
        p = wire.parse(data)
        return p is not None and self.run.way.is_on(self, p)

    def plain(self, data):
        """Without what nothing prescribes, once that is found to be sound."""
        p = wire.Packet(data)
        if p.length != len(data):
            raise Wrong('not of the length that its header tells')
        if p.version == 4 and wire.cksum(data[:p.head]):
            raise Wrong('a wrong IPv4 checksum')
        if self.sent_on(data):
            return self.run.way.plain(p, data)
        if wire.is_error(p) and p.version == 4:
            data = wire.put16(data, 4, 0)  # the identification
        return wire.fixed(data)

    def whole(self, frames):
        """The outer packet that fragments make, its ID and MF gone; None."""
        parts = [wire.Packet(f) for f in frames]
        if not parts or parts[0].off:
            return None
        data, at = b'', 0
        for p in parts:
            if p.off != at or p.ident != parts[0].ident or \
                    bool(p.mf) != (p is not parts[-1]):
                return None
            data += p.payload
            at += len(p.payload)
        first = parts[0]
        if len(parts) == 1:
            return frames[0]
        if first.version == 4:
            head = wire.put16(first.data[:first.head], 2,
                              first.head + len(data))
            return wire.fixed(wire.put16(head, 6, 0) + data)
        return first.data[:4] + wire.put16(
            b'\0\0', 0, len(data)) + bytes((first.proto,)) + \
            first.data[7:40] + data

    def inner(self, frames):
        """The packet that `frames` carry to a server, as it was; None."""
        if not frames or not all(self.sent_on(f) for f in frames):
            return None
        data = self.whole(frames)
        return None if data is None else self.run.way.before(self, data)

    def check_fragments(self, frames):
        """Outer fragments have one identification and make one sound packet."""
        parts = [f for f in frames if self.sent_on(f)
                 and wire.Packet(f).is_fragment()]
        if not parts:
            return
        if len({wire.Packet(f).ident for f in parts}) > 1:
            raise Wrong('fragments of one packet with several identifications')
        whole = self.whole(parts)
        if whole is None:
            raise Wrong('fragments that do not make one packet')
        self.plain(whole)

    def explain(self):
        lines = [f'packet {self.number}: {wire.show(self.packet)}']
        for who, frames in ('kernel', self.kernel), ('ours', self.ours):
            lines += [f'    {who:6} -> {wire.show(f)}' for f in frames] or [
                f'    {who:6} -> nothing']
        return '\n'.join(lines + [f'    ours says: {self.fate}'])


class Run:
    """One capture through both."""

    def __init__(self, kind, pair, name):
        self.name, self.kind, self.pair = kind, packets.Kind(kind), pair
        self.v, self.outer = int(pair[0]), int(pair[3])
        self.overhead = self.kind.overhead(self.outer)
        self.limit = self.kind.mtu - self.overhead
        self.floor = self.outer == 6 and self.limit < 1280
        self.way = {'nat': ways.Nat, 'direct': ways.Direct}.get(
            self.kind.tunnel, ways.Tunnel)(self)
        self.vip = wire.addr(packets.VIPS[self.v])
        self.ends = [wire.addr(a) for a in packets.DIRECTORS.values()]
        self.reals = [wire.addr(a) for a in packets.REALS[self.outer]]
        self.alone = [wire.addr(a) for a in packets.ALONE[self.outer]]
        self.mine = self.ends + [wire.addr(a) for a in packets.VIPS.values()]
        self.pair = pair
        self.flows = set()  # that the director has taken up
        self.ours_sent = set()  # that we have forwarded
        self.told = set()  # MTUs that errors for a service have told
        self.datagrams = collections.defaultdict(list)
        self.apart = {}  # why they know different things about a path
        self.linux, self.ours = paths.Linux(self), paths.Ours(self)
        self.cases, times = [], {}
        for i, (when, data) in enumerate(wire.read_capture(name + '.in'), 1):
            times[when] = Case(self, i, data)
            self.cases.append(times[when])
        for when, data in wire.read_capture(name + '.kernel'):
            times[when].kernel.append(data)
        for when, data in wire.read_capture(name + '.ours'):
            times[when].ours.append(data)
        with open(name + '.log') as f:
            for line in f:
                if line.startswith('packet '):
                    number, fate = line[7:].rstrip().split(': ', 1)
                    self.cases[int(number) - 1].fate = fate
        if not all(c.fate for c in self.cases):
            raise SystemExit(f'{name}.log: not all packets are there')

    def serves(self, p):
        """Whether a packet is for a service."""
        if p is None or p.dst != self.vip or p.off or len(p.payload) < 4:
            return False
        port = wire.get16(p.payload, 2)
        return (p.proto, port) in ((wire.TCP, packets.WEB), (
            wire.UDP, packets.DNS)) or self.alone_for(p) is not None

    def hear(self, case):
        """Both learn what they learn, and where they come apart is noted."""
        self.linux.hears(case)
        self.ours.hears(case)
        p = self.ours.error(case)
        q = p and paths.Quote(self, p).outer
        if q is None:
            return
        real, why = q.dst, self.linux.why
        if self.linux.mtu(real) == self.ours.mtu(real):
            self.apart.pop(real, None)
        elif why == 'gre' and not self.ours.learned:
            self.apart[real] = 'gre'
        elif why and self.ours.learned:
            self.apart[real] = 'zero'
        elif why:
            self.apart[real] = self.ours.why
        elif self.ours.learned:
            self.apart[real] = 'quote' if self.pair == '4in4' else 'pairs'

    def alone_for(self, p):
        """The server that a packet goes to, if it has the service alone."""
        if p is None or p.proto != wire.TCP or p.dst != self.vip or \
                len(p.payload) < 4 or p.off:
            return None
        n = wire.get16(p.payload, 2) - 8001
        return self.alone[n] if 0 <= n < len(self.alone) else None


def spread(case, flows):
    """Notes what routers would spread a flow by: outer flow label or UDP source
    port (RFC 6438, RFC 8086 §3.2.1)."""
    for frame in case.ours if case.run.kind.tunnels else ():
        p = wire.parse(frame)
        if not case.sent_on(frame) or p.off:
            continue
        value = p.label if p.version == 6 else None
        if p.proto == wire.UDP:
            value = value, wire.get16(p.data, p.start)
        inner = wire.parse(frame[ways.inside(p):])
        if value is not None and inner.proto in (wire.TCP, wire.UDP):
            flow = inner.src, inner.proto, inner.data[
                inner.start:inner.start + 4]
            flows[flow].add(value)


def settle(case, rules, kernel, ours):
    """Applies rules until both are alike. Returns whether they are, and the
    rules that did something."""
    used = []
    for rule in rules:
        if kernel == ours:
            break
        try:
            got = rule.mend(case, kernel, ours)
        except (Wrong, ValueError, IndexError, AttributeError, struct.error):
            continue  # not what it is about
        if got is not None and got != (kernel, ours):
            kernel, ours = got
            used.append(rule)
    return kernel == ours, used


def compare(run, counts):
    stats = collections.Counter()
    rules = [r for r in differences.RULES if r.applies(run)]
    bad = 0

    flows = collections.defaultdict(set)

    def complain(what):
        nonlocal bad
        bad += 1
        if bad <= SHOWN:
            print(f'{run.name} {run.pair}: {what}\n{case.explain()}')
    for case in run.cases:
        if case.p is not None and case.p.is_fragment():
            run.datagrams[(case.p.src, case.p.ident)].append(case.p)
        run.hear(case)
        try:
            for frames in (case.kernel, case.ours)[not run.kind.tunnels:]:
                case.check_fragments(frames)
            kernel = [case.plain(f) for f in case.kernel]
            ours = [case.plain(f) for f in case.ours]
        except (Wrong, ValueError) as e:
            complain(e)
            continue
        spread(case, flows)
        both = 'sent on' if kernel and case.sent_on(kernel[0]) else \
            'answered' if kernel else 'nothing'
        if kernel == ours:
            stats[both] += 1
        else:
            alike, used = settle(case, rules, kernel, ours)
            names = [rule.name for rule in used]
            if alike:
                stats['field' if names in FIELDS else 'listed'] += 1
                for name in names:
                    counts[name] += 1
            else:
                complain('a difference that is not listed (besides: '
                         f"{', '.join(names) or 'none'})")
        if kernel and run.serves(case.p):
            run.flows.add(case.flow())
        if case.ours and case.sent_on(case.ours[0]) and case.p is not None:
            run.ours_sent.add(case.flow())
        p = run.ours.error(case)
        run.told.add(p and run.ours.says_mtu(p))
        real = run.alone_for(case.p)
        if real is not None:
            run.linux.sends(real)
    total = len(run.cases)
    print(f'{run.name} {run.pair}: {total} packets; alike: '
          f"{stats['sent on']} sent on, {stats['field']} but for one field "
          f"outside, {stats['answered']} answered, {stats['nothing']} not; "
          f"{stats['listed']} differ as listed, {bad} otherwise")
    values = set().union(*flows.values())
    if any(len(v) > 1 for v in flows.values()) or \
            len(values) < len(flows) * 0.95:
        print(f'{len(flows)} flows, {len(values)} flow labels or source ports')
        bad += 1
    # Silence on both sides would be alike, too.
    if total < 600 or not run.floor and \
            stats['sent on'] + stats['field'] < total // (
                3 if run.kind.tunnels else 5):
        print('too little was compared')
        bad += 1
    return bad


def counted(path):
    try:
        with open(path) as f:
            return collections.Counter(json.load(f))
    except FileNotFoundError:
        return collections.Counter()


def main(args):
    if args[0] == '--all':
        counts = sum(map(counted, args[1:]), collections.Counter())
        for rule in differences.RULES:
            print(f'{counts[rule.name]:6}  {rule.name}: {rule.what}')
        never = [r.name for r in differences.RULES if not counts[r.name]]
        for name in never:
            print(f'listed, but never met: {name}')
        return bool(never)
    *about, path = args
    counts = counted(path)
    bad = compare(Run(*about), counts)
    with open(path, 'w') as f:
        json.dump(counts, f)
    return bool(bad)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
