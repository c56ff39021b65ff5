#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sends the packets of a capture to the director and records what it sends.

    replay.py IN.pcap OUT.pcap [IN.pcap OUT.pcap]...

Inside of the lab only: see director.sh.

After each packet an echo request to the director itself: it works on one
packet after the other, so what it sent before the reply belongs to the packet.
Frames in OUT.pcap have the time stamp of the packet they followed."""
import os
import select
import socket
import struct
import sys

import wire

DIRECTOR, US = '10.9.0.2', '10.9.0.1'
VNET = 10  # length of the virtio-net header in front of the tap's frames
# Now and then User-Mode Linux does not see that there is something to read; the
# next frame wakes it. Seconds of silence after which one is sent that means
# nothing to it, and how often.
SILENCE, NUDGES = 0.1, 100


def mark(n):
    return wire.ip4(US, DIRECTOR, wire.ICMP, wire.icmp(
        US, DIRECTOR, 8, 0, n & 0xffffffff, b'mark'))


def is_mark(packet):
    return (packet[:1] == b'\x45' and packet[12:20] == wire.addr(DIRECTOR) +
            wire.addr(US) and packet[20:21] == b'\0' and
            packet[28:32] == b'mark')


def tap():
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((os.environ['LAB_TAP'], 0))
    s.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    return s


def replay(s, source, target):
    macs = bytes.fromhex((os.environ['LAB_MAC'] +
                          os.environ['LAB_TAP_MAC']).replace(':', ''))
    out = []

    def send(packet):
        kind = b'\x86\xdd' if packet[:1] >= b'\x60' else b'\x08\0'
        s.send(bytes(VNET) + macs + kind + packet)

    def receive():
        """The next frame's packet; None if it is no business of ours."""
        for _ in range(NUDGES):
            if select.select([s], [], [], SILENCE)[0]:
                break
            s.send(bytes(VNET) + macs + b'\x88\xb5' + bytes(46))
        else:
            sys.exit(f'replay: no reply, packet {len(sent)}')
        data, who = s.recvfrom(65536)
        if who[2] == socket.PACKET_OUTGOING:
            return None
        flags, gso, _, _, start, offset = struct.unpack('=BBHHHH', data[:VNET])
        frame = data[VNET:]
        if gso:
            sys.exit('replay: a frame that is not segmented yet')
        if flags & 1:  # the checksum was left to the device: to us
            frame = wire.put16(frame, start + offset,
                               wire.cksum(frame[start:]) or 0xffff)
        if frame[12:14] not in (b'\x08\0', b'\x86\xdd') or frame[0] & 1:
            return None  # no IP, or multicast
        return frame[14:]

    sent = []
    for when, packet in wire.read_capture(source):
        sent.append(when)
        send(packet)
        send(mark(len(sent)))
        while True:
            got = receive()
            if got is not None and is_mark(got):
                if int.from_bytes(got[24:28], 'big') != len(sent):
                    sys.exit('replay: replies in another order')
                break
            if got is not None:
                out.append((when, got))
    wire.write_capture(target, out)
    print(f'{len(sent)} packets in, {len(out)} out', flush=True)


with tap() as opened:
    for files in zip(sys.argv[1::2], sys.argv[2::2]):
        replay(opened, *files)
