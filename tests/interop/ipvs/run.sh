#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tunmtu-lb beside a real IPVS director: the same generated captures through
# both, what comes out compared packet by packet (compare.py, differences.py).
#     tests/interop/ipvs/run.sh [--keep DIR] TUNMTU-LB [TYPE]...
# TYPE: ipip, gue, gre, gue-csum, gre-csum, ipip-1290 (a path of 1290 bytes),
# ipip-fragment (net.ipv4.vs.pmtu_disc=0, our --policy fragment); all of them if
# none is given. The director is the kernel of the package user-mode-linux in a namespace of
# its own (director.sh). Exit status 77: skipped, something for it is missing.
set -u

keep=
if [ "${1-}" = --keep ]; then
    keep=$2
    shift 2
fi
[ $# -ge 1 ] || { sed -n '5s/^# *//p' "$0" >&2; exit 2; }
lb=$(realpath "$1")
shift
here=$(cd "$(dirname "$0")" && pwd)
all=(ipip gue gre gue-csum gre-csum ipip-1290 ipip-fragment)
kinds=("$@")
[ $# -gt 0 ] || kinds=("${all[@]}")
for kind in "${kinds[@]}"; do
    case " ${all[*]} " in
    *" $kind "*) ;;
    *) echo "$kind: no such type" >&2; exit 2 ;;
    esac
done

skip() { echo "skipped: $*"; exit 77; }
PATH=$PATH:/usr/sbin:/sbin
for needed in linux.uml:user-mode-linux ipvsadm:ipvsadm modprobe:kmod \
    ethtool:ethtool ip:iproute2 unshare:util-linux python3:python3; do
    command -v "${needed%:*}" >/dev/null ||
        skip "${needed%:*} is missing (package ${needed#*:})"
done
[ "$(id -u)" = 0 ] || skip "a director needs root (namespace, tap device)"
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
unshare --net true 2>/dev/null || skip "no network namespace can be made here"

if [ -n "$keep" ]; then
    mkdir -p "$keep" && out=$(cd "$keep" && pwd) || exit 1
    rm -f "$out/counts"
else
    out=$(mktemp -d) || exit 1
    trap 'rm -rf "$out"' EXIT
fi
trap 'exit 143' TERM INT # once the director of the moment has ended
bad=0
fail() { echo "$*"; bad=1; }

four='10.9.0.21 10.9.0.22' six='fd09::21 fd09::22'
compare() { python3 -B "$here/compare.py" "$@"; }

# One director for two pairs: what IPv4 and IPv6 clients send. They share
# nothing in it.
together() { # TYPE PAIR PAIR REALS-OF-IPv4 REALS-OF-IPv6
    local kind=$1 pair dir=$out/$1-$2 files=() settings=() options=()
    case $kind in
    *-csum) settings=(--tun-flags --tun-csum) ;;
    *-1290) settings=(--path-mtu 1290) options=(--mtu 1290) ;;
    *-fragment) settings=(--pmtu-disc 0) options=(--policy fragment) ;;
    esac
    mkdir -p "$dir"
    for pair in "$2" "$3"; do
        python3 -B "$here/packets.py" "$kind" "$pair" "$dir/$pair.in" \
            >/dev/null || return 1
        files+=("$dir/$pair.in" "$dir/$pair.kernel")
    done
    "$here/director.sh" --tun-type "${kind%-*}" "${settings[@]}" \
        --reals "$4" --reals6 "$5" --log "$dir/log" replay "${files[@]}" \
        >/dev/null || return 1
    tr -d '\r' <"$dir/log" | grep '^-[Aa] ' >"$dir/rules"
    for pair in "$2" "$3"; do
        "$lb" --rules "$dir/rules" --local 10.9.0.2 --local fd09::2 \
            --io "pcap:$dir/$pair.in:$dir/$pair.ours" --verbose --icmp-rate off \
            "${options[@]}" --counters "$dir/$pair.counters" 2>"$dir/$pair.log" || {
            fail "tunmtu-lb: $(tail -n 1 "$dir/$pair.log")"
            continue
        }
        compare "$kind" "$pair" "$dir/$pair" "$out/counts" || bad=1
    done
}

for kind in "${kinds[@]}"; do
    together "$kind" 4in4 6in6 "$four" "$six" || fail "$kind: no director"
    together "$kind" 4in6 6in4 "$six" "$four" || fail "$kind: no director"
done
[ $# -gt 0 ] || compare --all "$out/counts" || bad=1
exit $bad
