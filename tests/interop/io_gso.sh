#!/bin/sh
# SPDX-License-Identifier: MIT
# TCP between two kernels that leave segmentation to others, through TUN and
# AF_PACKET: 20 MB each way, the checksums of both ends compared.
#     tests/interop/io_gso.sh FOLDER-OF-IO_RELAY-IO_ECHO-AND-IO_UDP TUNMTU-PROBE
# Needs unshare, nsenter (util-linux) and ip; no root where user namespaces are
# allowed. Exit 77: it could not be tried, and the last line says why.
set -u
say() { echo "io_gso: $*"; }
if [ "${1-}" != inside ]; then
    bin=$(cd "${1:?folder of io_relay}" && pwd) || exit 1
    probe=$(readlink -f "${2:?tunmtu-probe}")
    for tool in unshare nsenter ip; do
        command -v $tool >/dev/null || { say "there is no $tool"; exit 77; }
    done
    unshare -Urnm true || { say "namespaces are not possible here"; exit 77; }
    (: <>/dev/net/tun) 2>/dev/null ||
        { say "/dev/net/tun cannot be opened"; exit 77; }
    exec unshare -Urnm "$0" inside "$bin" "$probe"
fi
bin=$2 probe=$3
out=$(mktemp -d) || exit 1
near= far= relay= echo= server= bad=0

cleanup() {
    for pid in $relay $echo $server $near $far; do
        kill "$pid" 2>/dev/null
    done
    rm -rf "$out"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

complain() { say "WRONG: $*"; bad=1; }
await() { # COMMAND...: until it succeeds, two seconds at most
    tries=0
    until "$@" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || return 1
        sleep 0.02
    done
}
at() { # PID COMMAND...: in that one's network namespace
    pid=$1
    shift
    nsenter -t "$pid" -n "$@"
}
elsewhere() { # PID: has it a network namespace of its own?
    ns=$(readlink "/proc/$1/ns/net") && [ -n "$ns" ] &&
        [ "$ns" != "$(readlink /proc/self/ns/net)" ]
}

unshare -n sleep 120 &
near=$!
unshare -n sleep 120 &
far=$!
await elsewhere $near && await elsewhere $far ||
    { say "no more network namespaces"; exit 77; }

begin() { # IO IO: io_relay, in the background, open
    rm -f "$out/relay"
    "$bin/io_relay" "$1" "$2" >"$out/relay" 2>"$out/why" &
    relay=$!
    await grep -q '^ready' "$out/relay" ||
        { complain "$1 $2: $(cat "$out/why")"; exit 1; }
}

end() { # stops it; its counters are then in $out/relay
    kill "$relay"
    wait "$relay" || complain "io_relay failed: $(cat "$out/why")"
    relay=
}

count() { sed -n "s/^$1 //p" "$out/relay"; }
counted() { # NAME TEST-OPERATOR NUMBER
    [ "$(count "$1")" "$2" "$3" ] ||
        complain "$1 is $(count "$1"), should be $2 $3"
}

# The TUN device that io_relay has made, as the link of another namespace.
give() { # DEVICE PID ADDRESS4 ADDRESS6
    ip link set "$1" netns "$2" && at "$2" sh -c "ip link set $1 up &&
        ip addr add $3/24 dev $1 && ip -6 addr add $4/64 dev $1 nodad" ||
        complain "$1 could not be moved"
}

value() { sed -n "s/^$1 //p" "$out/client"; }

# 20 MB each way to the far one's address, with no byte changed.
transfer() { # ADDRESS
    rm -f "$out/server"
    nsenter -t "$far" -n "$probe" serve "$1" 443 >"$out/server" 2>&1 &
    server=$!
    await grep -q listening "$out/server" ||
        complain "nobody serves $1: $(cat "$out/server")"
    at "$near" timeout 40 "$probe" transfer --bytes 20000000 "$1" 443 \
        >"$out/client" 2>&1 || complain "$1: $(cat "$out/client")"
    for way in up down; do
        [ -n "$(value ${way}_sent)" ] &&
            [ "$(value ${way}_sent)" = "$(value ${way}_received)" ] ||
            complain "$1 $way: sent $(value ${way}_sent), received $(value ${way}_received)"
    done
    say "$1: $(value up_mbit_s) and $(value down_mbit_s) Mbit/s"
    kill "$server"
    wait "$server" 2>/dev/null
    server=
}

sums() { # what holds whatever the backends
    counted bad = 0
    counted cut = 0
    counted lost = 0
    counted send_errors = 0
    counted longest_plain -le 1500
}

tuns() { # OPTION OPTION
    say "TUN$1 to TUN$2"
    begin "tun:t0$1" "tun:t1$2"
    give t0 "$near" 10.9.0.1 fd00:9::1
    give t1 "$far" 10.9.0.2 fd00:9::2
    transfer 10.9.0.2
    transfer fd00:9::2
    [ "$1$2" != ,gso,gso ] || forwarded
    end
    sums
}

# What a kernel was given half done it believes, and does not finish when it
# forwards: the next one to look sees whether it was right. Both ways.
forwarded() {
    nsenter -t "$far" -n "$bin/io_echo" tun:t9,gso >"$out/echo" 2>&1 &
    echo=$!
    await grep -q ready "$out/echo" || complain "$(cat "$out/echo")"
    at "$far" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
        ip route add 10.5.0.0/24 dev t9'
    at "$near" ip route add 10.5.0.0/24 dev t0
    at "$near" "$bin/io_udp" 10.5.0.9 super || complain "nothing was forwarded"
    kill "$echo"
    wait "$echo"
    grep -q '^bad 0$' "$out/echo" && grep -q '^longest 8028$' "$out/echo" ||
        complain "forwarded: $(cat "$out/echo")"
}

tuns '' ''
counted super = 0
counted sent -ge 50000 # 80 MB in segments
tuns ,gso ,gso
counted super -ge 1000
counted longest -gt 20000
counted sent -lt 25000 # passed on as they are
tuns ,gso ''
counted super -ge 500
counted sent -ge 25000
tuns '' ,gso
counted super -ge 500
counted sent -ge 25000

# The near one behind a veth that leaves all segmentation to the receiver, which
# is this kernel; the addresses of the far one are nobody's here.
ip link add v0 type veth peer name v1 netns "$near" || exit 1
mac=$(ip -o link show v0 2>/dev/null | sed 's/.*link.ether \([0-9a-f:]*\).*/\1/')
ip addr add 10.8.0.1/24 dev v0
ip -6 addr add fd00:8::1/64 dev v0 nodad
ip link set v0 up
# This kernel gets what io_relay gets. IPv6 without a route would tell the near
# one so; IPv4 that does not forward holds its tongue.
ip -6 route add blackhole fd00:7::/64
at "$near" sh -c "ip link set v1 up
    ip addr add 10.8.0.2/24 dev v1
    ip -6 addr add fd00:8::2/64 dev v1 nodad
    ip route add 10.7.0.0/24 via 10.8.0.9 dev v1
    ip route add fd00:7::/64 via fd00:8::9 dev v1
    ip neigh add 10.8.0.9 lladdr $mac dev v1
    ip neigh add fd00:8::9 lladdr $mac dev v1" || exit 1

afpacket() { # OPTION OPTION
    say "AF_PACKET$1 to TUN$2"
    begin "afpacket:v0$1" "tun:t2$2"
    give t2 "$far" 10.7.0.2 fd00:7::2
    at "$far" sh -c 'ip route add 10.8.0.0/24 dev t2
        ip route add fd00:8::/64 dev t2'
    transfer 10.7.0.2
    transfer fd00:7::2
    end
    sums
}

afpacket '' ''
counted super = 0
counted sent -ge 50000
afpacket ,gso ,gso
counted super -ge 1000
counted longest -gt 20000
afpacket ,gso ''
counted super -ge 500
afpacket '' ,gso
counted super -ge 500

unreachable=$(nstat -asz Icmp6OutDestUnreachs 2>/dev/null |
    awk '/^Icmp6OutDestUnreachs/ { print $2 }')
[ "${unreachable:-0}" = 0 ] ||
    complain "this kernel had a word in it: $unreachable times unreachable"
[ $bad = 0 ] || exit 1
say "all right"
