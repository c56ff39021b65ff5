#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Transfers a stream both ways through a balancer that readdresses packets (-m),
# over paths that are narrow on both sides, and looks who was told.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$here/lab.sh"

usage() {
    cat <<END
usage: nat.sh [OPTION...]

The real server listens at its own address and another port than the service,
and what it sends to clients is routed through the balancer. The router lets
1400 bytes through to the client and 1300 to the server, and nobody else knows:
streams of both directions arrive only if the balancer alters the router's ICMP
errors, too. Exit 1 if anything was lost or changed, or somebody was told
another MTU.

Options:
  --build DIR        where the programs are (build/quickstart)
  --mb N             megabytes each way (10)
  --family "4 6"     which (4 6)
  --io "..."         how the balancer receives and sends (afpacket tun)
  --offload          leaves the offloads of the links on
  --keep DIR         keep the programs' output and counters there
  --help             this

Needs no root where users may make namespaces; changes nothing outside its own.
END
}

build=$here/../../build/quickstart
mb=10 families='4 6' ios='afpacket tun'
args=("$@")
lab_arguments 'offload=LAB_OFFLOAD' \
    'build mb family=families io=ios keep=LAB_KEEP' "$@"
for family in $families; do
    for io in $ios; do
        lab_options "$family" "$io" 1 notify ipip
    done
done
lab_number "$mb" 1 100000 || lab_misused "--mb is 1 to 100000"
lab_programs "$build"
lab_enter "$0" ${args[@]+"${args[@]}"}

to_client=1400 to_server=1300 # what the router lets through
inside=8443                   # the server's port

# The way back leads through the balancer: what comes from the server, and what
# the router itself has to say to the client about packets to the server.
nat_routes() {
    local family gate client
    for family in '-4 10.0.0.5 10.0.0.1' '-6 2001:db8::5 2001:db8::1'; do
        # shellcheck disable=SC2086 # three words
        set -- $family
        family=$1 gate=$2 client=$3
        lab_in router ip "$family" route add default via "$gate" table 200
        lab_in router ip "$family" rule add iif real1 lookup 200
        lab_in router ip "$family" rule add iif lo to "$client" lookup 200
    done
    # Its errors come by it again, on their way from the balancer to the server.
    lab_set router ipv4/conf/all/accept_local=1
    lab_in real1 ip address delete "$LAB_VIP4/32" dev lo
    lab_in real1 ip address delete "$LAB_VIP6/128" dev lo
    lab_narrow $to_client
    lab_in router ip route change 10.0.0.6 dev real1 mtu lock $to_server
    lab_in router ip -6 route change 2001:db8::6 dev real1 mtu lock $to_server
}

# nat_balancer afpacket|tun
nat_balancer() {
    local io=$1 family
    cat >"$LAB_DIR/rules" <<-END
	-A -t $LAB_VIP4:$LAB_PORT -s mh -b mh-port
	-a -t $LAB_VIP4:$LAB_PORT -r 10.0.0.6:$inside -m -w 1
	-A -t [$LAB_VIP6]:$LAB_PORT -s mh -b mh-port
	-a -t [$LAB_VIP6]:$LAB_PORT -r [2001:db8::6]:$inside -m -w 1
	END
    if [ "$io" = tun ]; then
        # All that arrives goes to the program, and what it sends on from there.
        lab_tun balancer lb0
        lab_set balancer ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
        for family in -4 -6; do
            lab_in balancer ip "$family" route add default dev lb0 table 200
            lab_in balancer ip "$family" rule add iif eth0 lookup 200
        done
        io=tun:lb0
    else
        io=afpacket:eth0
    fi
    io+=${LAB_OFFLOAD:+,gso}
    lab_start balancer balancer "$build/examples/lb/tunmtu-lb" \
        --rules "$LAB_DIR/rules" --io "$io" \
        --counters "$LAB_DIR/balancer.counters"
    lab_ready balancer
    [[ $io != tun:* ]] || lab_await balancer lab_tun_runs balancer lb0
}

# nat_route_mtu NODE ADDRESS: of its route there, as it is now.
nat_route_mtu() {
    lab_in "$1" ip route get "$2" | sed -En 's/.* mtu (lock )?([0-9]*).*/\2/p'
}

nat_told() { # WHO NODE ADDRESS MTU
    local mtu
    mtu=$(nat_route_mtu "$2" "$3")
    [ "$mtu" = "$4" ] ||
        lab_fail "the $1's route has an MTU of ${mtu:-1500}, and not of $4"
}

cat <<END
$mb MB each way, readdressed${LAB_OFFLOAD:+, offloads on}

family  balancer  to the server  checksum          to the client  checksum
END
for family in $families; do
    for io in $ios; do
        server=10.0.0.6 client=10.0.0.1 LAB_VIP=$LAB_VIP4
        [ "$family" = 4 ] ||
            server=2001:db8::6 client=2001:db8::1 LAB_VIP=$LAB_VIP6
        lab_up 1
        nat_routes
        lab_start server1 real1 "$build/examples/lab/tunmtu-probe" serve \
            "$server" "$inside"
        lab_await server1 grep -qs listening "$LAB_DIR/server1.log"
        nat_balancer "$io"
        lab_probe $((60 + mb)) client "$build/examples/lab/tunmtu-probe" \
            transfer --bytes "${mb}000000"
        set -- "IPv$family" "$io"
        for way in up down; do
            sum=$(lab_values client "${way}_sent")
            [ "$sum" = "$(lab_values client "${way}_received")" ] ||
                lab_fail "not everything arrived as it was sent: $way"
            set -- "$@" "$(lab_values client "${way}_mbit_s")" "$sum"
        done
        nat_told client client "$LAB_VIP" $to_server
        nat_told server real1 "$client" $to_client
        lab_stop balancer
        for way in forwarded.icmp.too_big returned.icmp; do
            [ "$(lab_values balancer.counters $way)" -gt 0 ] ||
                lab_fail "an MTU was learnt without the balancer: $way is 0"
        done
        printf '%-7s %-8s %7s Mbit/s  %s  %7s Mbit/s  %s\n' "$@"
        lab_down "ipv$family-$io"
    done
done
echo
echo "Nothing was lost and nothing was changed. The client was told of $to_server bytes,"
echo "the server of $to_client, both by errors that the balancer altered."
