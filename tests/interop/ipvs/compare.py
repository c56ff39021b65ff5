#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the director and tunmtu-lb made of the same packets, side by side.

    compare.py TYPE PAIR NAME COUNTS
    compare.py --all COUNTS

Of the capture NAME.in, NAME.kernel and NAME.ours; NAME.log is what tunmtu-lb
--verbose says. What each sent for a packet must be alike to the byte, but for what nothing
prescribes (see `plain`) and for what differences.py lists. An unlisted
difference fails. How often each was met is added to COUNTS; with --all, those
that were never met fail: the list is to tell the truth."""
import collections
import json
import sys

import differences
import packets
import wire

PORT = 40000  # GUE's source port, once it is known to be a good one
SHOWN = 10  # packets of a capture that are explained


class Wrong(Exception):
    """Bytes that no difference may excuse."""


class Tunnelled:
    """An outer packet: where the inner one begins, if it is the first."""

    def __init__(self, p):
        self.at = None
        if p.proto in (wire.IPIP, wire.SIT):
            inner = p.proto
            self.at = p.start
        elif p.proto == wire.GRE:
            head = 8 if p.data[p.start] & 0x80 else 4
            inner = {0x800: wire.IPIP, 0x86dd: wire.SIT}.get(
                wire.get16(p.data, p.start + 2))
            self.at = p.start + head
        elif p.proto == wire.UDP:
            inner = p.data[p.start + 9]
            self.at = p.start + 12
        if self.at is None or inner not in (wire.IPIP, wire.SIT):
            raise Wrong('no tunnel packet: ' + wire.show(p.data))
        self.inner = inner


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

    def largest(self):
        return max((f.length for f in self.datagram()), default=0)

    def odd(self):
        return any(f.mf and len(f.payload) % 8 for f in self.datagram())

    def marks(self):
        return {f.tos & 3 for f in self.datagram()}

    def tunnelled(self, data):
        """Whether the director, not its host, made this."""
        p = wire.parse(data)
        return p is not None and p.src in self.run.ends and \
            p.dst in self.run.reals

    def plain(self, data):
        """Without what nothing prescribes, once that is found to be sound:
        the server (each hashes in its own way), identifications of packets
        without DF, GUE's source port."""
        p = wire.Packet(data)
        if p.length != len(data):
            raise Wrong('not of the length that its header tells')
        if p.version == 4 and wire.cksum(data[:p.head]):
            raise Wrong('a wrong IPv4 checksum')
        if not self.tunnelled(data):
            if wire.is_error(p) and p.version == 4:
                data = wire.put16(data, 4, 0)
            return wire.fixed(data)
        udp = p.proto == wire.UDP and not p.off
        if udp:
            if p.mf == 0 and wire.get16(data, p.start + 6) and wire.cksum(
                    wire.pseudo(p.src, p.dst, p.proto, len(p.payload)) +
                    p.payload):
                raise Wrong('a wrong UDP checksum')
            if wire.get16(data, p.start) < 32768:
                raise Wrong('a source port of GUE that may be a service')
            if wire.get16(data, p.start + 6):
                data = wire.put16(data, p.start + 6, 0xffff)
            data = wire.put16(data, p.start, PORT)
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
            head = wire.put16(first.data[:20], 2, 20 + len(data))
            return wire.fixed(wire.put16(head, 6, 0) + data)
        return first.data[:4] + wire.put16(
            b'\0\0', 0, len(data)) + bytes((first.proto,)) + \
            first.data[7:40] + data

    def inner(self, frames):
        """The packet inside of the outer one that `frames` carry; None."""
        if not frames or not all(self.tunnelled(f) for f in frames):
            return None
        data = self.whole(frames)
        if data is None:
            return None
        p = wire.Packet(data)
        return data[Tunnelled(p).at:]

    def check_fragments(self, frames):
        """Outer fragments have one identification and make one sound packet."""
        parts = [f for f in frames if self.tunnelled(f)
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
        self.overhead = packets.HEAD[self.outer] + self.kind.extra
        self.limit = self.kind.mtu - self.overhead
        self.floor = self.outer == 6 and self.limit < 1280
        self.vip = wire.addr(packets.VIPS[self.v])
        self.ends = [wire.addr(a) for a in packets.DIRECTORS.values()]
        self.reals = [wire.addr(a) for a in packets.REALS[self.outer]]
        self.learned = False  # an error about a tunnel has been seen
        self.flows = set()  # that the director has forwarded
        self.datagrams = collections.defaultdict(list)
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


def spread(case, flows):
    """Notes what routers would spread a flow by: outer flow label or UDP source
    port (RFC 6438, RFC 8086 §3.2.1)."""
    for frame in case.ours:
        p = wire.parse(frame)
        if not case.tunnelled(frame) or p.off:
            continue
        value = p.label if p.version == 6 else None
        if p.proto == wire.UDP:
            value = value, wire.get16(p.data, p.start)
        inner = wire.parse(frame[Tunnelled(p).at:])
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
        except (Wrong, ValueError, IndexError, AttributeError):
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
        try:
            for frames in case.kernel, case.ours:
                case.check_fragments(frames)
            kernel = [case.plain(f) for f in case.kernel]
            ours = [case.plain(f) for f in case.ours]
        except (Wrong, ValueError) as e:
            complain(e)
            continue
        spread(case, flows)
        both = 'tunnelled' if kernel and case.tunnelled(kernel[0]) else \
            'answered' if kernel else 'nothing'
        if kernel == ours:
            stats[both] += 1
        else:
            alike, used = settle(case, rules, kernel, ours)
            names = [rule.name for rule in used]
            if alike:
                stats['label' if names == ['flow-label'] else 'listed'] += 1
                for name in names:
                    counts[name] = counts.get(name, 0) + 1
            else:
                complain('a difference that is not listed (besides: '
                         f"{', '.join(names) or 'none'})")
        if kernel and case.p is not None:
            run.flows.add(case.flow())
        if differences.teaches(case):
            run.learned = True
    total = len(run.cases)
    print(f'{run.name} {run.pair}: {total} packets; alike: '
          f"{stats['tunnelled']} tunnelled, {stats['label']} but for the flow "
          f"label, {stats['answered']} answered, {stats['nothing']} not; "
          f"{stats['listed']} differ as listed, {bad} otherwise")
    values = set().union(*flows.values())
    if any(len(v) > 1 for v in flows.values()) or \
            len(values) < len(flows) * 0.95:
        print(f'{len(flows)} flows, {len(values)} flow labels or source ports')
        bad += 1
    # Silence on both sides would be alike, too.
    if total < 600 or not run.floor and \
            stats['tunnelled'] + stats['label'] < total // 3:
        print('too little was compared')
        bad += 1
    return bad


def main(args):
    counts = {}
    path = args[-1]
    try:
        with open(path) as f:
            counts = json.load(f)
    except FileNotFoundError:
        pass
    if args[0] == '--all':
        for rule in differences.RULES:
            print(f'{counts.get(rule.name, 0):6}  {rule.name}: {rule.what}')
        never = [r.name for r in differences.RULES if r.name not in counts]
        for name in never:
            print(f'listed, but never met: {name}')
        return bool(never)
    bad = compare(Run(*args[:-1]), counts)
    with open(path, 'w') as f:
        json.dump(counts, f)
    return bool(bad)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
