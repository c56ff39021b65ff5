#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What tunmtu-explain says, to the byte, and each way in which it must refuse.
#     tests/offline/explain.sh [--accept] TUNMTU-EXPLAIN
# --accept takes what comes out as what is expected; look at it before.
set -u
accept=
[ "${1-}" = --accept ] && accept=yes && shift
[ $# = 1 ] || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
explain=$(realpath "$1")
[ -x "$explain" ] || { echo "$1: is no program"; exit 1; }
cd "$(dirname "$0")/explain" || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
bad=0 done=0
complain() { echo "not ok: $*"; bad=$((bad + 1)); }

says() { # CASE STATUS ARGUMENT...
    local case=$1 want=$2 rc
    shift 2
    "$explain" "$@" >"$out/said" 2>"$out/error"
    rc=$?
    [ $rc = "$want" ] || complain "$case: exit $rc, expected $want"
    if [ "$want" = 0 ]; then
        [ ! -s "$out/error" ] || complain "$case: $(cat "$out/error")"
    else
        [ ! -s "$out/said" ] || complain "$case: speaks, though it refuses"
        mv "$out/error" "$out/said"
    fi
    if [ -n "$accept" ] && [ $rc = "$want" ]; then
        cp "$out/said" "$case"
    else
        diff "$case" "$out/said" || complain "$case"
    fi
    done=$((done + 1))
}

says one-gue6 0 ipv6+udp+gue+ipv4
says one-either 0 ipv4+udp+wireguard
says one-pppoe 0 eth+vlan+pppoe+ipv4+gre+key+ipv6
says one-esp-lost 0 --mtu 1499 ipv4+esp-cbc+ipv4
says one-below-1280 0 --mtu 1300 ipv6+ipv6
says one-either-below-1280 0 --mtu 1300 ipv4+udp+gue
says one-no-room 0 --mtu 68 ipv6+udp+vxlan+eth+ipv4
says one-no-segment 0 --mtu 68 ipv4+udp
says one-tiny 0 --mtu 68 ipv4+ipv4
says one-plain 0 ipv6
says one-plain-narrow 0 --mtu 1000 ipv6
says table 0 ipv4+ipv4 ipv6+tel+ipv6 ipv4+gre+csum+key+seq+ipv4 \
    ipv4+udp+vxlan+eth+ipv4 ipv6+udp+wireguard+ipv4 ipv4+esp-gcm+ipv4
says packet-fits 0 --packet-size 1480 ipv4+ipv4 ipv4+ipv6
says packet-notify 0 --packet-size 1481 ipv4+gre
says packet-fragment 0 --packet-size 5000 --policy fragment ipv4+ipv4 ipv6+ipv6
says packet-both 0 --packet-size 1500 --policy both pppoe+ipv6+tel+ipv4
says packet-padded 0 --packet-size 1440 ipv4+esp-gcm+ipv4 ipv4+esp-cbc+ipv4
says packet-1280 0 --mtu 1300 --packet-size 1280 ipv6+ipv6 ipv6+frag6+ipv6 \
    ipv6+tel+frag6+ipv6
says packet-no-outer 0 --packet-size 1500 pppoe+ipv4 pppoe+ipv6
says packet-no-outer-fragment 0 --packet-size 1500 --policy fragment pppoe+ipv4 \
    pppoe+ipv6
says packet-too-long 0 --packet-size 65535 ipv4+ipv4 ipv6+ipv4
says list 0 --list
says help 0 --help
says json 0 --json --packet-size 1500 ipv4+ipv4 eth+ipv6+udp+12+gue
says bad-name 2 ipv4+greg+ipv4
says bad-place 2 ipv4+vxlan+eth+ipv4
says bad-front 2 udp+gue+ipv4
says bad-frame 2 ipv4+udp+vxlan+ipv4
says bad-end 2 ipv4+udp+vxlan
says bad-empty 2 ''
says bad-plus 2 ipv4+
says bad-second 2 ipv4+ipv4 ipv4+nothing
says bad-many 2 "$(printf '1+%.0s' {1..16})ipv4"
says bad-nothing 2
says bad-mtu 2 --mtu 67 ipv4
says bad-size 2 --packet-size 1e3 ipv4
says bad-policy 2 --policy never ipv4

# ICMP errors, made by scapy.
says error-4in4 0 --error \
    '45000060 00010000 40010219 cb007181 cb007101 03042069 00000578
     45000078 00014000 4004c27c cb007101 cb007102 45000064 00014000
     3f064f41 c000020a c6336414 9c4001bb 01020304 00000000 50102000
     e3260000 78787878 78787878'
says error-8-bytes 0 --error \
    '45000038 00010000 40010241 cb007181 cb007101 0304721e 00000578
     45000078 00014000 4004c27c cb007101 cb007102 45000064 00014000'
says error-gre-gue 0 --error \
    '450000a0 00010000 400101d9 cb007181 cb007101 03042f62 00000578
     450000b4 00014000 402fc215 cb007101 cb007102 20000800 00000005
     45000098 00010000 40116652 0a000001 0a000002 c35017c0 0084a970
     00290000 60000000 0050063f 20010db8 00010000 00000000 00000010
     20010db8 00020000 00000000 00000020 9c4001bb 00000007 00000000
     50102000 77d30000 78787878 78787878 78787878'
says error-plain 0 --error \
    '45000038 00010000 40010241 cb007181 cb007101 030d5af1 00000000
     45000064 00014000 3f064f41 c000020a c6336414 9c4001bb 01020304'
says error-later 0 --error \
    '45000038 00010000 40010241 cb007181 cb007101 0b000f1a 00000000
     45000064 000100b9 40118d7d c000020a c6336414 79797979 79797979'
says error-wrong 0 --error \
    '45000038 00010000 40010241 cb007181 cb007101 03045afa 00000000
     45000064 00014000 3e064f41 c000020a c6336414 9c4001bb 01020304'
says error-v6 0 --error \
    '60000000 00803a40 20010db8 ffff0000 00000000 00000001 20010db8
     000a0000 00000000 00000001 02001b57 00000578 60000000 006c3c40
     20010db8 000a0000 00000000 00000001 20010db8 000b0000 00000000
     00000001 04000401 04010000 45000064 00014000 3f064f41 c000020a
     c6336414 9c4001bb 01020304 00000000 50102000 e3260000 78787878
     78787878 78787878 78787878 78787878 78787878 78787878 78787878'
says error-redirect 0 --error \
    '45000038 00010000 4001f6b8 c0000201 c000020a 050196fa c0000202
     45000064 00014000 3f064f41 c000020a c6336414 9c4001bb 01020304'
says error-super-packet 0 --error \
    '60000000 004c3a40 20010db8 00000000 00000000 00000002 20010db8
     00000000 00000000 00000001 0200fc44 00000578 600f81c0 00000040
     20010db8 00000000 00000000 00000001 20010db8 00010000 00000000
     00000001 0600c204 00028dc8 dffa1388 e6266851 3135302c 80180040
     e93d0000'
says error-garbage 0 --error \
    '4500004c 00010000 4001022d cb007181 cb007101 03049783 00000578
     45000030 00014000 4004c2c4 cb007101 cb007102 60000000 00000000
     00000000 00000000 00000000 00000000 00000000'
says error-deep 0 --error \
    '450000b0 00010000 400101c9 cb007181 cb007101 0301fcfe 00000000
     45000094 00010000 40046657 0a060001 0a060002 45000080 00010000
     4004666d 0a050001 0a050002 4500006c 00010000 40046683 0a040001
     0a040002 45000058 00010000 40046699 0a030001 0a030002 45000044
     00010000 400466af 0a020001 0a020002 45000030 00010000 400466c5
     0a010001 0a010002 4500001c 00010000 400666d9 0a000001 0a000002
     00000000 00000000'
says error-v6-zero 0 --error \
    '60000000 00383a40 20010db8 00000000 00000000 00000002 20010db8
     00000000 00000000 00000001 0200b553 00000000 60000000 05781140
     20010db8 00000000 00000000 00000001 20010db8 00010000 00000000
     00000001 003514e9 05780001'
says error-json 0 --json --error \
    '450000a0 00010000 400101d9 cb007181 cb007101 03042f62 00000578
     450000b4 00014000 402fc215 cb007101 cb007102 20000800 00000005
     45000098 00010000 40116652 0a000001 0a000002 c35017c0 0084a970
     00290000 60000000 0050063f 20010db8 00010000 00000000 00000010
     20010db8 00020000 00000000 00000020 9c4001bb 00000007 00000000
     50102000 77d30000 78787878 78787878 78787878'
says bad-error-hex 2 --error 4500001g
says bad-error-odd 2 --error 4500001
says bad-error-ethernet 2 --error \
    '02000000 00020200 00000001 08004500 004c0001 00004001 022dcb00
     7181cb00 71010304 97830000 05784500 00300001 40004004 c2c4cb00
     7101cb00 71026000 00000000 00000000 00000000 00000000 00000000
     00000000 0000'
says bad-error-cut 2 --error 45000038
says bad-error-tcp 2 --error \
    '45000028 00004000 40060000 c000020a c6336414 9c4001bb 00000000
     00000000 50000000 00000000'
says bad-error-stack 2 --error 45 ipv4

# What it tells programs is what it tells people, and is JSON.
if command -v python3 >/dev/null; then
    "$explain" --json --packet-size 1500 ipv6+udp+gue+ipv4 ipv4+ipv6 |
        python3 -c '
import json, sys
gue, sit = json.load(sys.stdin)
assert (gue["overhead"], gue["inner_mtu"], gue["mss4"]) == (52, 1448, 1408)
assert [h["bytes"] for h in gue["headers"]] == [40, 8, 4, 0]
assert [p["packet"] for p in sit["packets"]] == ["ipv6"]
assert sit["packets"][0]["answer_mtu"] == 1480
' || complain "json: not what was expected"
    python3 -c '
import json
error = json.load(open("error-json"))
assert [q.get("overhead") for q in error["quoted"]] == [28, 32, None]
assert error["quoted"][2]["dport"] == 443 and error["sequence"] == 7
' || complain "error-json: not what was expected"
fi
case $("$explain" --version) in
"tunmtu-explain "[0-9]*.[0-9]*.[0-9]*) ;;
*) complain "--version" ;;
esac
"$explain" ipv4 >/dev/full 2>/dev/null && complain "writes to a full disk"

[ $bad = 0 ] && echo "$done outputs as expected"
exit $((bad != 0))
