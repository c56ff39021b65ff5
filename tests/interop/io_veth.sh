#!/bin/sh
# SPDX-License-Identifier: MIT
# TUN and AF_PACKET against a kernel's own sockets, in two network namespaces.
#     tests/interop/io_veth.sh FOLDER-OF-IO_ECHO-IO_UDP-IO_PARTIAL-AND-IO_VIA
# Needs unshare, nsenter, setpriv (util-linux) and ip; no root where user
# namespaces are allowed. Exit 77: not all of it could be tried, and the last
# line says what.
set -u
say() { echo "io_veth: $*"; }
if [ "${1-}" != inside ]; then
    bin=$(cd "${1:?folder of io_echo and io_udp}" && pwd) || exit 1
    for tool in unshare nsenter setpriv ip; do
        command -v $tool >/dev/null || { say "there is no $tool"; exit 77; }
    done
    unshare -Urnm true || { say "namespaces are not possible here"; exit 77; }
    exec unshare -Urnm "$0" inside "$bin"
fi
bin=$2
out=$(mktemp -d) || exit 1
peer= echo= bad=0

cleanup() {
    [ -n "$echo" ] && kill -9 "$echo" 2>/dev/null
    [ -n "$peer" ] && kill "$peer" 2>/dev/null
    rm -rf "$out"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

complain() { say "WRONG: $*"; bad=1; }
there() { nsenter -t "$peer" -n "$@"; } # in the other namespace

await() { # COMMAND...: until it succeeds, two seconds at most
    tries=0
    until "$@" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || return 1
        sleep 0.02
    done
}

begin() { # IO: io_echo, in the background, open
    rm -f "$out/echo" # of the last one, which was ready, too
    "$bin/io_echo" "$1" >"$out/echo" 2>"$out/why" &
    echo=$!
    await grep -q '^ready' "$out/echo" || {
        complain "$1: $(cat "$out/why")"
        exit 1
    }
}

end() { # stops it; its counters are then in $out/echo
    kill "$echo"
    wait "$echo" || complain "io_echo failed: $(cat "$out/why")"
    echo=
}

count() { sed -n "s/^$1 //p" "$out/echo"; }
counted() { # NAME TEST-OPERATOR NUMBER
    [ "$(count "$1")" "$2" "$3" ] ||
        complain "$1 is $(count "$1"), should be $2 $3"
}

sentence() { # TEXT COMMAND...: it ends with 1 and says that
    text=$1
    shift
    timeout 5 "$@" >/dev/null 2>"$out/why"
    [ $? = 1 ] || complain "$*: does not end with 1"
    grep -qF -- "$text" "$out/why" || complain "$*: says: $(cat "$out/why")"
    [ "$(wc -l <"$out/why")" = 1 ] || complain "$*: not one line"
}

ends_with() { # TEXT: io_echo, in the background, does
    await not_running || complain "io_echo goes on, instead of: $1"
    kill "$echo" 2>/dev/null
    wait "$echo"
    [ $? = 1 ] || complain "io_echo does not end with 1"
    echo=
    grep -qF -- "$1" "$out/why" || complain "io_echo says: $(cat "$out/why")"
}
not_running() { # also a zombie has ended
    ! grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$echo/status"
}

via() { # WHAT-IT-SAYS SRC DST VIA...: echo requests, over v0
    want=$1
    shift
    "$bin/io_via" afpacket:v0 "$@" >"$out/via" 2>&1
    got=$(grep -v '^why' "$out/via" | tr '\n' ' ')
    [ "$got" = "$want " ] || complain "via $*: $got instead of $want:" \
        "$(grep '^why' "$out/via")"
}

unshare -n sleep 60 &
peer=$!
elsewhere() {
    ns=$(readlink "/proc/$peer/ns/net") && [ -n "$ns" ] &&
        [ "$ns" != "$(readlink /proc/self/ns/net)" ]
}
await elsewhere || { say "no second network namespace"; exit 77; }

tun() {
    say "TUN"
    begin tun:t0
    ip addr add 10.9.0.1/24 dev t0 && ip addr add fd00:9::1/64 dev t0 nodad ||
        complain "t0 was not made"
    for to in 10.9.0.2 fd00:9::2; do
        "$bin/io_udp" $to 500 || complain "TUN: $to does not answer"
    done
    end
    counted bad = 0
    counted cut = 0
    counted echoed = 2056
    counted sent = 2056
    grep -q '^ready tun mtu 1500' "$out/echo" || complain "TUN: $(cat "$out/echo")"

    say "TUN, super-packets welcome"
    begin tun:t0,gso
    ip addr add 10.9.0.1/24 dev t0 && ip addr add fd00:9::1/64 dev t0 nodad ||
        complain "t0 was not made"
    for to in 10.9.0.2 fd00:9::2; do
        "$bin/io_udp" $to 500 || complain "TUN: $to does not answer"
        "$bin/io_udp" $to super || complain "TUN: $to: no super-packet"
    done
    end
    counted bad = 0
    counted cut = 0
    counted longest = 8048 # Linux 6.2
    counted echoed = 2058
    counted sent = 2058

    say "a TUN device that was there before, with an MTU of its own"
    ip tuntap add dev t1 mode tun && ip link set t1 mtu 1400
    begin tun:t1
    grep -q '^ready tun mtu 1400' "$out/echo" || complain "t1: $(cat "$out/echo")"
    ip link show up dev t1 | grep -q t1 || complain "t1 was not brought up"
    sentence 't1: cannot become a TUN device: Device or resource busy' \
        "$bin/io_echo" tun:t1
    ip addr add 10.9.1.1/24 dev t1 && "$bin/io_udp" 10.9.1.2 shout # a packet to t1
    say "TUN, down and deleted"
    kill -STOP "$echo"
    "$bin/io_udp" 10.9.1.2 shout
    ip link set t1 down
    kill -CONT "$echo"
    ends_with 't1: the interface is down'
    begin tun:t1
    ip link del t1
    ends_with 't1: the interface is gone'
    sentence 'lo: cannot become a TUN device: Invalid argument' \
        "$bin/io_echo" tun:lo
}

# A packet of a kind that the kernel cannot describe beside it: it is lost, and
# those behind it are not. Twice, the second time to an emptied ring at once.
odd() {
    say "AF_PACKET, and a packet that does not fit into the ring's words"
    mkfifo "$out/go"
    "$bin/io_odd" t5 10 20 <"$out/go" >"$out/odd" 2>&1 &
    odd=$!
    exec 9>"$out/go"
    await grep -q '^ready' "$out/odd" || complain "io_odd: $(cat "$out/odd")"
    begin afpacket:t5
    echo >&9
    sleep 1.5
    echo >&9
    await grep -q '^done' "$out/odd"
    sleep 0.5
    end
    echo >&9
    exec 9>&-
    wait $odd
    status=$?
    [ $status = 0 ] || complain "io_odd ends with $status"
    counted received -ge 58 # 2 x (10 + 20); Linux before 5.6 loses none else
    counted lost -ge 2
    counted lost -le 4
}

# The echo's addresses are nobody's: the kernel here does not answer for them.
afpacket() {
    ip link add v0 type veth peer name v1 netns "$peer" || exit 1
    mac=$(ip -o link show v0 2>/dev/null | sed 's/.*link.ether \([0-9a-f:]*\).*/\1/')
    ip addr add 10.8.0.1/24 dev v0
    ip addr add fd00:8::1/64 dev v0 nodad
    # A neighbour is asked for from a link-local address: one that needs no DAD.
    ip link set v0 addrgenmode none
    ip addr add fe80::1/64 dev v0 nodad
    sentence 'v0: the interface is down' "$bin/io_echo" afpacket:v0
    ip link set v0 up
    there sh -c "ip link set lo up
        ip link set v1 addrgenmode none
        ip link set v1 up
        ip addr add fe80::2/64 dev v1 nodad
        ip addr add 10.8.0.2/24 brd 10.8.0.255 dev v1
        ip addr add fd00:8::2/64 dev v1 nodad
        ip neigh add 10.8.0.9 lladdr $mac dev v1
        ip neigh add fd00:8::9 lladdr $mac dev v1" || exit 1

    # What the kernel believes of the path must not stop or cut a packet.
    ip route add 10.8.0.2 dev v0 mtu 600
    ip route add fd00:8::2 dev v0 mtu 1280

    say "AF_PACKET"
    begin afpacket:v0
    for to in 10.8.0.9 fd00:8::9; do
        there "$bin/io_udp" $to 500 || complain "AF_PACKET: $to does not answer"
    done
    # Not segmented by its kernel: comes as if it had been.
    there "$bin/io_udp" 10.8.0.9 super || complain "no super-packet"
    there "$bin/io_udp" fd00:8::9 super || complain "no super-packet"
    there "$bin/io_udp" 10.8.0.255 shout || complain "no broadcast"
    there "$bin/io_udp" 10.8.0.9 10 || complain "AF_PACKET: no answer any more"
    end
    counted bad = 0
    counted cut = 0
    counted lost = 0
    counted group -ge 1
    counted longest = 1500
    counted echoed = 2130 # 2 x (500 + 11 x 48 + 8) + 10 + 48
    counted sent = 2130
    counted send_errors = 0
    counted skipped -ge 1 # ARP

    say "AF_PACKET, to a host that the header does not name"
    # Nobody hears of the VIP: it is on lo there, as on a real server.
    there sh -c "echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
        ip addr add 10.7.7.7/32 dev lo
        ip addr add fd00:77::7/128 dev lo nodad
        ip addr add 10.8.1.2/24 dev v1" || exit 1
    ip route add 10.6.0.0/24 via 10.8.0.2
    ip route add fd00:6::/64 via fd00:8::2
    ip route add default via 10.8.0.2
    ip route add default via fd00:8::2
    via 'sent 2 send_errors 3 off_link 3 answered 0 4' \
        10.8.0.1 10.7.7.7 10.8.0.2 10.6.0.2 10.8.0.1 10.5.5.5 10.8.0.2
    via 'sent 2 send_errors 3 off_link 3 answered 1 3' \
        fd00:8::1 fd00:77::7 fd00:6::2 fd00:8::2 2001:db8::5 fd00:8::2 fd00:8::1
    via 'sent 0 send_errors 1 off_link 1 answered' 10.8.0.1 10.7.7.7 fd00:8::2
    grep -q '^why v0: fd00:8::2 is no host on this link' "$out/via" ||
        complain "no word about the next hop: $(cat "$out/via")"
    # With the same route to it, but its own header: a router is asked.
    via 'sent 1 send_errors 0 off_link 0 answered 0' 10.8.0.1 10.7.7.7 -
    ip route del default via 10.8.0.2
    ip route del default via fd00:8::2
    # Without a route, who knows an interface takes all for its neighbours.
    via 'sent 0 send_errors 2 off_link 2 answered' \
        10.8.0.1 10.7.7.7 10.5.5.5 224.0.0.1
    via 'sent 0 send_errors 2 off_link 2 answered' \
        fd00:8::1 fd00:77::7 2001:db8::5 ff02::1
    # There is no other way to the VIP now.
    via 'sent 1 send_errors 0 off_link 0 answered 0' 10.8.0.1 10.7.7.7 10.8.0.2
    via 'sent 1 send_errors 0 off_link 0 answered 0' \
        fd00:8::1 fd00:77::7 fd00:8::2
    via 'sent 1 send_errors 0 off_link 0 answered' 10.8.0.1 10.7.7.7 -
    say "AF_PACKET, super-packets welcome"
    begin afpacket:v0,gso
    there "$bin/io_udp" 10.8.0.9 super || complain "no super-packet"
    there "$bin/io_udp" fd00:8::9 super || complain "no super-packet"
    end
    counted bad = 0
    counted longest = 8048
    counted echoed = 2
    counted sent = 16
    counted send_errors = 0
    ip link set v0 mtu 900 # 1028 bytes each: may come, but not leave
    begin afpacket:v0,gso
    there "$bin/io_udp" 10.8.0.9 super 2>/dev/null && complain "over the MTU"
    end
    ip link set v0 mtu 1500
    counted echoed = 1
    counted sent = 0
    counted send_errors = 8

    say "a checksum left undone inside a tunnel"
    begin afpacket:v0
    there "$bin/io_partial" v1 "$mac" || complain "nothing was sent"
    there "$bin/io_udp" 10.8.0.9 10 # what came before has been looked at
    end
    counted tunnelled = 1
    counted bad = 0

    say "a ring that overflows"
    begin afpacket:v0
    kill -STOP "$echo"
    there "$bin/io_udp" 10.8.0.9 flood || complain "the flood stopped"
    kill -CONT "$echo"
    sleep 0.5 # nothing more comes, and yet it finds out
    end
    counted lost -gt 0
    [ $(($(count received) + $(count lost))) -ge 6000 ] ||
        complain "received $(count received), lost $(count lost): of 6000"

    say "interfaces that go away"
    begin afpacket:v0
    ip link set v0 down
    ends_with 'v0: the interface is down'
    ip link set v0 up
    begin afpacket:v0
    ip link del v0
    ends_with 'v0: the interface is ' # gone, or on its way: down
}

untried=
if (: <>/dev/net/tun) 2>/dev/null; then
    tun
    odd
else
    untried='TUN, for /dev/net/tun cannot be opened'
fi
afpacket

say "what is not there, and what is not allowed"
ip link set lo up
sentence 'v0: no such interface' "$bin/io_echo" afpacket:v0
sentence 'lo: cannot open a packet socket: Operation not permitted (needs CAP_NET_RAW)' \
    setpriv --bounding-set=-net_raw --inh-caps=-net_raw \
    "$bin/io_echo" afpacket:lo
[ -n "$untried" ] ||
    sentence 't2: cannot become a TUN device: Operation not permitted (needs CAP_NET_ADMIN' \
        setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
        "$bin/io_echo" tun:t2

[ $bad = 0 ] || exit 1
[ -z "$untried" ] || { say "all right, but not tried: $untried"; exit 77; }
say "all right"
