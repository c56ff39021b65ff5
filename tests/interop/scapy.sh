#!/bin/sh
# SPDX-License-Identifier: MIT
# Others judge what the library builds: a capture of 20000 packets with all
# tunnels, families and flags, ICMP errors, fragments and clamped SYNs. tshark
# finds no wrong checksum and nothing malformed; scapy takes each packet apart,
# forgets checksums and lengths, and gets the same bytes again.
#     tests/interop/scapy.sh EMIT [SEED]
set -u
[ $# -gt 0 ] || { echo "usage: $0 EMIT [SEED]" >&2; exit 2; }
here=$(dirname "$0")
python=/usr/bin/python3 # where a distribution's python3-scapy is
[ -x "$python" ] || python=python3
command -v tshark >/dev/null || { echo "tshark is missing"; exit 77; }
"$python" -c 'import scapy.packet' 2>/dev/null ||
    { echo "scapy is missing (python3-scapy)"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0

"$1" "$tmp/all.pcap" 20000 "${2:-1}" || exit 1
# Zero is no sum over IPv6 where TMTU_ENCAP_ZERO6 asked for it: RFC 6935.
TSHARK_OPTIONS="-X lua_script:$here/gue.lua
    -o udp.ignore_ipv6_zero_checksum:TRUE" \
    "$here/tshark.sh" "$tmp/all.pcap" || bad=1
"$python" "$here/scapy_rebuild.py" "$tmp/all.pcap" || bad=1
exit $bad
