#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tunmtu-lb beside a real IPVS director: the same generated captures through
# both, what comes out compared packet by packet (compare.py, differences.py).
#     tests/interop/ipvs/run.sh [--keep DIR] TUNMTU-LB [TYPE]...
# TYPE: ipip, gue, gre, gue-csum, gre-csum, ipip-1290 (a path of 1290 bytes),
# ipip-fragment (net.ipv4.vs.pmtu_disc=0, our --policy fragment),
# ipip-unscheduled (net.ipv4.vs.schedule_icmp=0), nat and direct (-m and -g) with
# nat-1290, nat-unscheduled and direct-1290; all of them if none is given. The
# director is the kernel of the package user-mode-linux in a namespace of its own
# (director.sh). Exit status 77: skipped, something for it is missing.
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
all=(ipip gue gre gue-csum gre-csum ipip-1290 ipip-fragment ipip-unscheduled
    nat nat-1290 nat-unscheduled direct direct-1290)
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
else
    out=$(mktemp -d) || exit 1
    trap 'rm -rf "$out"' EXIT
fi
running=()
# shellcheck disable=SC2317
stop() { # each ends its director; none is left behind
    trap - TERM INT
    [ ${#running[@]} = 0 ] || kill "${running[@]}" 2>/dev/null
    wait
    exit 143
}
trap stop TERM INT

compare() { python3 -B "$here/compare.py" "$@"; }
packets() { python3 -B "$here/packets.py" "$@"; }
four='10.9.0.21 10.9.0.22' six='fd09::21 fd09::22'
alone4=$(packets --alone 4) && alone6=$(packets --alone 6) || exit 1

# One director for two pairs: what IPv4 and IPv6 clients send. They share
# nothing in it.
together() { # TYPE PAIR PAIR, in a process of its own
    kind=$1 dir=$out/$1-$2 bad=0 files=() settings=() options=()
    reals=$four reals6=$six
    [ "$2" = 4in4 ] || reals=$six reals6=$four
    case $kind in
    *-csum) settings=(--tun-flags --tun-csum) ;;
    nat-1290 | direct-1290) settings=(--mtu 1290) options=(--mtu 1290) ;;
    *-1290) settings=(--path-mtu 1290) options=(--mtu 1290) ;;
    *-fragment) settings=(--pmtu-disc 0) options=(--policy fragment) ;;
    *-unscheduled) settings=(--schedule-icmp 0) ;;
    esac
    case $kind in
    # One server of a service: each places clients in its own way.
    nat*) settings+=(--forward -m --reals "${reals% *}" --reals6 "${reals6% *}") ;;
    direct*) settings+=(--forward -g --reals "$reals" --reals6 "$reals6") ;;
    *) [ "$2" = 4in4 ] || { alone=$alone4 alone4=$alone6 alone6=$alone; }
       settings+=(--tun-type "${kind%-*}" --reals "$reals" --reals6 "$reals6"
           --alone "$alone4" --alone6 "$alone6") ;;
    esac
    mkdir -p "$dir" && rm -f "$dir/counts" || exit 1
    for pair in "$2" "$3"; do
        packets "$kind" "$pair" "$dir/$pair.in" >/dev/null || exit 1
        files+=("$dir/$pair.in" "$dir/$pair.kernel")
    done
    "$here/director.sh" "${settings[@]}" --log "$dir/log" \
        replay "${files[@]}" >/dev/null &
    director=$!
    trap 'kill $director 2>/dev/null; wait; exit 143' TERM INT
    wait $director || { echo "$kind: no director"; exit 1; }
    tr -d '\r' <"$dir/log" | grep '^-[Aa] ' >"$dir/rules"
    for pair in "$2" "$3"; do
        "$lb" --rules "$dir/rules" --local 10.9.0.2 --local fd09::2 \
            --io "pcap:$dir/$pair.in:$dir/$pair.ours" --verbose --icmp-rate off \
            "${options[@]}" --counters "$dir/$pair.counters" 2>"$dir/$pair.log" || {
            echo "tunmtu-lb: $(tail -n 1 "$dir/$pair.log")"
            bad=1
            continue
        }
        compare "$kind" "$pair" "$dir/$pair" "$dir/counts" || bad=1
    done
    exit $bad
}

most=$(nproc) # at once; the others wait
[ "$most" -le 4 ] || most=4
names=()
start() {
    while [ "$(jobs -rp | wc -l)" -ge "$most" ]; do wait -n; done
    together "$@" >"$out/$1-$2.said" 2>&1 &
    running+=($!) names+=("$1-$2")
}
for kind in "${kinds[@]}"; do
    start "$kind" 4in4 6in6
    case $kind in nat* | direct*) continue ;; esac # no tunnel, one family
    start "$kind" 4in6 6in4
done
bad=0 counts=()
for i in "${!names[@]}"; do
    wait "${running[i]}" || bad=1
    cat "$out/${names[i]}.said"
    counts+=("$out/${names[i]}/counts")
done
[ $# -gt 0 ] || compare --all "${counts[@]}" || bad=1
exit $bad
