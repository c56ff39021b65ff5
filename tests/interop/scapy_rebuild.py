#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Has scapy take each packet of a capture (raw IP) apart, forget checksums and
lengths, and put it together again: the bytes must be the same.

    scapy_rebuild.py FILE.pcap [PROCESSES]

Prints how many packets of each kind there were; fails if a kind that emit.c
writes is missing. What a fragment or a quote in an ICMP error cuts short keeps
its sums: they are of bytes that are not there.
"""
import collections
import logging
import multiprocessing
import struct
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.fields import BitField, ByteField, ShortField
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, UDPerror
from scapy.layers.inet6 import (ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt,
                                IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                _ICMPv6, IPerror6)
from scapy.layers.l2 import GRE
from scapy.packet import Packet, Raw, bind_layers


class GUE(Packet):
    """Variant 0 without options; variant 1 is the IP packet itself."""
    name = "GUE"
    fields_desc = [BitField("version", 0, 2), BitField("control", 0, 1),
                   BitField("hlen", 0, 5), ByteField("proto", 4),
                   ShortField("flags", 0)]

    @classmethod
    def dispatch_hook(cls, _pkt=None, *args, **kargs):
        return {4: IP, 6: IPv6}.get(_pkt[0] >> 4, cls) if _pkt else cls

    def guess_payload_class(self, payload):
        return {4: IP, 41: IPv6}.get(self.proto, Raw)


bind_layers(UDP, GUE, dport=6080)
bind_layers(UDP, GRE, dport=4754)

# Computed by scapy where they are not told.
COMPUTED = {
    IP: ("ihl", "len", "chksum"),
    IPv6: ("plen",),
    UDP: ("len", "chksum"),
    TCP: ("dataofs", "chksum"),
    ICMP: ("chksum",),
    GRE: ("chksum", "offset"),
    IPv6ExtHdrDestOpt: ("len",),
    IPv6ExtHdrHopByHop: ("len",),
}


def is_fragment(layer):
    if isinstance(layer, IP):
        return bool(layer.flags.MF) or layer.frag != 0
    return isinstance(layer, IPv6ExtHdrFragment)


def forget(layer):
    """Computed fields of one layer; those that say "none" stay."""
    names = COMPUTED.get(type(layer), ())
    if isinstance(layer, _ICMPv6):
        names = ("cksum",)
    for name in names:
        if isinstance(layer, UDP) and name == "chksum" and layer.chksum == 0:
            continue
        if isinstance(layer, GRE) and not layer.chksum_present:
            continue
        layer.delfieldval(name)
    if isinstance(layer, (IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop)):
        for option in layer.options:
            if "optlen" in option.fields:
                option.delfieldval("optlen")


def layers(packet):
    """Those that are whole: up to a fragment's end, or an error's quote."""
    layer = packet
    while layer and not isinstance(layer, (IPerror, IPerror6)):
        yield layer
        if is_fragment(layer):
            return
        layer = layer.payload


def rebuild(data):
    """Name of the packet's kind, and its bytes as scapy makes them."""
    packet = (IP if data[0] >> 4 == 4 else IPv6)(data)
    names, options = [], set()
    for layer in layers(packet):
        name = type(layer).__name__
        if isinstance(layer, GRE):
            options.add("C" * layer.chksum_present + "K" * layer.key_present +
                        "S" * layer.seqnum_present)
        elif isinstance(layer, UDP) and layer.dport in (4754, 6080):
            name = "UDP0" if layer.chksum == 0 else "UDP"
        if isinstance(layer, _ICMPv6):
            name = "ECHO" if isinstance(layer, ICMPv6EchoRequest) else "ERROR"
        elif isinstance(layer, ICMP):
            name = "ECHO" if layer.type == 8 else "ERROR"
        if is_fragment(layer):
            name += "*"
        names.append({"IPv6ExtHdrDestOpt": "OPT", "IPv6ExtHdrHopByHop": "HBH",
                      "IPv6ExtHdrFragment*": "FRAG*"}.get(name, name))
        forget(layer)
    return names, options, bytes(packet)


def judge(job):
    first, packets = job
    wrong, kinds = [], collections.Counter()
    for number, data in enumerate(packets, first):
        names, options, made = rebuild(data)
        if made != data:
            at = next((i for i, (a, b) in enumerate(zip(data, made)) if a != b),
                      min(len(data), len(made)))
            wrong.append(f"packet {number} ({'/'.join(names)}): byte {at}, "
                         f"{len(data)} bytes, scapy makes {len(made)}\n"
                         f"    {data.hex()}\n    {made.hex()}")
        kinds.update(kinds_of(names, options))
    return wrong, kinds


def kinds_of(names, options):
    """Tunnels as pairs of families, and what else is in the packet."""
    stack = [n for n in names if n not in ("OPT", "HBH")]
    found = set()
    for i, name in enumerate(stack[:-1]):
        if name not in ("IP", "IPv6"):
            continue
        for end in range(i + 1, min(i + 4, len(stack))):
            if stack[end] in ("IP", "IPv6"):
                shim = "+".join(stack[i + 1:end]) or "ipip"
                if shim.startswith("UDP") and "+" not in shim:
                    shim += "+GUE1"
                found.add(f"{stack[end]} in {shim} in {name}")
                break
    found.update("GRE " + option for option in options if option)
    if names[:2] == ["IPv6", "OPT"] and stack[1:2] != ["IPv6"] and \
            len(found) > 0:
        found.add("encapsulation limit")
    found.update({"ERROR": f"error {stack[0]}", "FRAG*": "fragment IPv6",
                  "IP*": "fragment IP", "TCP": "TCP", "ECHO": "echo"}[n]
                 for n in names if n in ("ERROR", "FRAG*", "IP*", "TCP", "ECHO"))
    return found


def expected():
    for outer in ("IP", "IPv6"):
        for inner in ("IP", "IPv6"):
            for shim in ("ipip", "GRE", "UDP+GUE", "UDP+GUE1", "UDP+GRE",
                         "UDP0+GUE", "UDP0+GUE1", "UDP0+GRE"):
                yield f"{inner} in {shim} in {outer}"
        yield f"error {outer}"
        yield f"fragment {outer}"
    for options in ("C", "K", "S", "CK", "CS", "KS", "CKS"):
        yield "GRE " + options
    yield from ("encapsulation limit", "TCP", "echo")


def read(name):
    """Packets of a little-endian pcap file of raw IP."""
    with open(name, "rb") as file:
        data = file.read()
    magic, link = struct.unpack_from("<I16xI", data)
    if magic not in (0xa1b2c3d4, 0xa1b23c4d) or link not in (101, 12):
        sys.exit(f"{name}: not a pcap file of raw IP")
    at, packets = 24, []
    while at < len(data):
        length = struct.unpack_from("<8xI", data, at)[0]
        packets.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return packets


def main():
    packets = read(sys.argv[1])
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    step = 500
    jobs = [(i + 1, packets[i:i + step]) for i in range(0, len(packets), step)]
    kinds, wrong = collections.Counter(), []
    with multiprocessing.Pool(processes) as pool:
        for bad, seen in pool.imap(judge, jobs):
            wrong += bad
            kinds += seen
    for name, count in sorted(kinds.items()):
        print(f"{count:6} {name}")
    for line in wrong[:10]:
        print(line)
    missing = [name for name in expected() if kinds[name] == 0]
    for name in missing:
        print(f"no packet: {name}")
    print(f"{len(packets)} packets rebuilt, {len(wrong)} not as they were")
    return 1 if wrong or missing or not packets else 0


if __name__ == "__main__":
    sys.exit(main())
