#!/bin/sh
# SPDX-License-Identifier: MIT
# A real Linux IPVS director in User-Mode Linux, on a tap device in a network
# namespace of its own, for as long as a command takes. Clients, routers and real
# servers are all behind that device.
#
#     director.sh [--SETTING VALUE]... replay IN.pcap OUT.pcap [IN OUT]...
#     director.sh [--SETTING VALUE]... run CMD [ARG]...
#
# Each setting below is an option (--tun-type gue) or an environment variable.
# The namespace has no other interface: nothing leaves it. Needs root; no module
# is loaded on the host. LOG receives what the director prints, with its rules,
# and what it knows at the end.
set -eu

: "${VIP=10.9.0.100}"                   # of the IPv4 services
: "${VIP6=fd09::100}"                   # of the IPv6 services
: "${REALS=10.9.0.21 10.9.0.22}"        # real servers of the IPv4 services
: "${REALS6=fd09::21 fd09::22}"         # real servers of the IPv6 services
: "${TCP_PORTS=80}" "${UDP_PORTS=53}"   # lists; one service each
: "${ALONE=}" "${ALONE6=}"             # each the only one of a service, TCP 8001...
: "${FORWARD=-i}"                       # -i, -m (to ports 1000 higher) or -g
: "${TUN_TYPE=ipip}" "${TUN_PORT=6080}" # ipip, gue or gre; the port is for gue
: "${TUN_FLAGS=}"                       # e.g. --tun-csum, for gue and gre
: "${MTU=1500}"                         # of the director's interface
: "${PATH_MTU=}"                        # of its routes to real servers, if less
: "${SCHED=mh}"                         # places flows by their client's address
: "${PMTU_DISC=1}" "${SCHEDULE_ICMP=1}" "${SLOPPY_TCP=1}" # net.ipv4.vs.*
: "${LIFE=120}"                         # seconds after which it ends by itself
: "${LOG=/dev/null}"
SETTINGS="VIP VIP6 REALS REALS6 TCP_PORTS UDP_PORTS ALONE ALONE6 FORWARD"
SETTINGS="$SETTINGS TUN_TYPE TUN_PORT TUN_FLAGS MTU PATH_MTU SCHED PMTU_DISC SCHEDULE_ICMP"
SETTINGS="$SETTINGS SLOPPY_TCP LIFE LOG"

die() { echo "director.sh: $*" >&2; exit 1; }
usage() { sed -n '7,8s/^# *//p' "$0" >&2; exit 2; }

while [ $# -gt 0 ]; do
    case $1 in
    --*)
        name=$(printf %s "${1#--}" | tr 'a-z-' 'A-Z_')
        case " $SETTINGS " in *" $name "*) ;; *) usage ;; esac
        [ $# -ge 2 ] || usage
        eval "$name=\$2"
        shift 2 ;;
    *) break ;;
    esac
done
case ${1-} in
replay) [ $# -ge 3 ] || usage ;;
run) [ $# -ge 2 ] || usage ;;
*) usage ;;
esac
for name in $SETTINGS; do export "${name?}"; done
[ "$(id -u)" = 0 ] || die "must be root (namespace, tap device)"
if [ -z "${LAB_INSIDE-}" ]; then # once more, in a new, empty network namespace
    LAB_INSIDE=1 exec unshare --net "$0" "$@"
fi

HERE=$(cd "$(dirname "$0")" && pwd)
DIR=$(mktemp -d)
export LAB_TAP=lab0 LAB_TAP_MAC=02:00:00:00:09:01 LAB_MAC=02:00:00:00:09:02
case $DIR in *[!A-Za-z0-9/._+-]*) die "TMPDIR: no blanks can be in it" ;; esac
uml='' job=''
# shellcheck disable=SC2317
finish() { # ask the director to halt, then insist; only processes started here
    trap - EXIT
    [ -z "$job" ] || kill "$job" 2>/dev/null || :
    if [ -n "$uml" ]; then
        : >"$DIR/stop"
        i=0
        while kill -0 "$uml" 2>/dev/null && [ $((i += 1)) -lt 50 ]; do
            sleep 0.1
        done
        kill "$uml" 2>/dev/null || :
        wait "$uml" 2>/dev/null || :
    fi
    cat "$DIR/log" >"$LOG" || :
    rm -rf "$DIR"
}
: >"$DIR/log"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

for name in $SETTINGS LAB_TAP_MAC; do
    [ "$name" != LOG ] || continue
    value=
    eval "value=\$$name"
    case $value in
    *[!A-Za-z0-9.:\ ,/_-]*) die "$name: unexpected character in '$value'" ;;
    esac
    echo "$name='$value'"
done >"$DIR/conf"
echo "STOP='$DIR/stop'" >>"$DIR/conf"
cp "$HERE/director_init.sh" "$DIR/init"

# The tap has no address and answers nothing: the far end is what is replayed.
sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1
ip tuntap add dev $LAB_TAP mode tap
ip link set $LAB_TAP address $LAB_TAP_MAC mtu 9216 arp off up

linux.uml mem=256M rootfstype=hostfs rootflags=/ ro quiet init="$DIR/init" \
    LAB_CONF="$DIR/conf" umid=lab uml_dir="$DIR/" con=null con0=fd:0,fd:1 \
    "vec0:transport=tap,ifname=$LAB_TAP,depth=128,gro=0,mtu=$MTU,mac=$LAB_MAC" \
    </dev/null >"$DIR/log" 2>&1 &
uml=$!
i=0
until grep -q GUEST-READY "$DIR/log"; do
    if ! kill -0 $uml 2>/dev/null || [ $((i += 1)) -gt 300 ]; then
        tail -n 20 "$DIR/log" >&2
        die "the director did not start"
    fi
    sleep 0.1
done

case $1 in
replay) shift; python3 -B "$HERE/replay.py" "$@" & ;;
run) shift; exec 3<&0; "$@" <&3 & ;;
esac
job=$!
rc=0
wait $job || rc=$?
job=''
exit $rc
