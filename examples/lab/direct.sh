#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Direct routing (-g): a long stream both ways between a client and real servers
# that have the VIP themselves, on one Ethernet with the balancer.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$here/lab.sh"

usage() {
    cat <<END
usage: direct.sh [OPTION...]

    client 10.0.1.1 -- router 10.0.0.254
                          |
        --+---------------+--------------+---------------+--   a bridge
          |               |              |               |
       balancer         real1          real2           real3 ...
       10.0.0.5        10.0.0.6       10.0.0.7        10.0.0.8
                       VIP on lo      VIP on lo       VIP on lo

The router's route to the VIP 10.0.0.2 leads to the balancer, which sends each
packet on as it is, to a real server's link-layer address. Nobody says that he
has the VIP when he is asked by ARP or neighbour discovery; the server answers
the client through the router. For IPv6 the same, with 2001:db8:: and
2001:db8:1:: before the last number. Three times:

  direct      nothing in the way
  narrow      the router has 1400 bytes on the way to the client: its ICMP
              errors go to the VIP, and have to reach the server of the flow
  far         the only real server is behind the router: it must get nothing,
              for the router would send it back, and the balancer has to say so

Options:
  --build DIR        where the programs are (build/quickstart)
  --mb N             megabytes each way (10)
  --connections N    with which all real servers are to be met (32)
  --families "..."   4, 6 or both of them (both)
  --servers N        real servers (2)
  --offload          leaves the offloads of the links on (TSO, GSO, GRO and
                     checksums): the balancer is given super-packets
  --keep DIR         keep the programs' output and counters there
  --help             this

Each end computes a checksum of what it sent and received: exit 1 if anything was
lost or changed. Needs no root where users may make namespaces; changes nothing
outside its own.
END
}

build=$here/../../build/quickstart
mb=10 connections=32 families='4 6' servers=2
args=("$@")
lab_arguments 'offload=LAB_OFFLOAD' \
    'build mb connections families servers keep=LAB_KEEP' "$@"
for family in $families; do
    lab_options "$family" afpacket "$servers" notify ipip
done
lab_number "$mb" 1 100000 || lab_misused "--mb is 1 to 100000"
lab_number "$connections" 2 500 || lab_misused "--connections is 2 to 500"
lab_programs "$build"
lab_enter "$0" ${args[@]+"${args[@]}"}
probe=$build/examples/lab/tunmtu-probe

# plug NODE NUMBER: its link to the bridge, and its addresses.
plug() {
    lab_wire "$1" eth0 bridge "$1"
    lab_in bridge ip link set "$1" master br0
    lab_in "$1" ip address add "10.0.0.$2/24" dev eth0
    lab_in "$1" ip address add "2001:db8::$2/64" dev eth0 nodad
}

# plug_host NODE NUMBER: with a way out of here, too.
plug_host() {
    plug "$1" "$2"
    lab_in "$1" ip route add default via 10.0.0.254
    lab_in "$1" ip route add default via 2001:db8::254
}

plug_all() {
    local i
    lab_node bridge
    lab_in bridge ip link add br0 type bridge
    lab_in bridge ip link set br0 up
    lab_node router
    lab_set router ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
    plug router 254
    lab_node client
    lab_wire client eth0 router client
    lab_in router ip address add 10.0.1.254/24 dev client
    lab_in router ip address add 2001:db8:1::254/64 dev client nodad
    lab_in client ip address add 10.0.1.1/24 dev eth0
    lab_in client ip address add 2001:db8:1::1/64 dev eth0 nodad
    lab_in client ip route add default via 10.0.1.254
    lab_in client ip route add default via 2001:db8:1::254
    lab_node balancer
    plug_host balancer 5
    lab_in router ip route add "$LAB_VIP4" via 10.0.0.5
    lab_in router ip route add "$LAB_VIP6" via 2001:db8::5
    for ((i = 1; i <= servers; i++)); do
        lab_node "real$i"
        # Neither answers ARP for the VIP, nor asks in its name.
        lab_set "real$i" ipv4/conf/all/arp_ignore=1 \
            ipv4/conf/all/arp_announce=2
        plug_host "real$i" $((5 + i))
        lab_in "real$i" ip address add "$LAB_VIP4/32" dev lo
        lab_in "real$i" ip address add "$LAB_VIP6/128" dev lo nodad
        lab_serve "$i" "$probe" "$LAB_VIP"
    done
}

# balance SERVER...: by the last number of an address, or by address.
balance() {
    local service=$LAB_VIP4 server
    [ "$family" = 4 ] || service="[$LAB_VIP6]"
    {
        echo "-A -t $service:$LAB_PORT -s mh -b mh-port"
        for server; do
            echo "-a -t $service:$LAB_PORT -r $server:$LAB_PORT -g -w 1"
        done
    } >"$LAB_DIR/rules"
    lab_start balancer balancer "$build/examples/lb/tunmtu-lb" \
        --rules "$LAB_DIR/rules" --io "afpacket:eth0${LAB_OFFLOAD:+,gso}" \
        --counters "$LAB_DIR/balancer.counters"
    lab_ready balancer
}

# up SERVER...: all of it.
up() {
    LAB_VIP=$LAB_VIP4
    [ "$family" = 4 ] || LAB_VIP=$LAB_VIP6
    plug_all
    balance "$@"
}

counters() { # NAME...: of the balancer, once it has written them
    lab_stop balancer
    counted "$@"
}
counted() {
    lab_values balancer.counters "$@"
}

expect() { # WHAT NUMBER TEST-OPERATOR NUMBER
    test "$2" "$3" "$4" || lab_fail "IPv$family, $what: $1 is $2, not $3 $4"
}

# Every server gets its share, and a stream arrives as it was sent.
transfer() {
    local way sum rate address i
    lab_probe 60 stall "$probe" stall --connections "$connections"
    lab_probe $((60 + mb)) client "$probe" transfer --bytes "${mb}000000"
    set -- "IPv$family" "$what"
    for way in up down; do
        sum=$(lab_values client "${way}_sent")
        [ "$sum" = "$(lab_values client "${way}_received")" ] ||
            lab_fail "IPv$family, $what: not all arrived as it was sent: $way"
        rate=$(lab_values client "${way}_mbit_s")
        set -- "$@" "$rate" "$sum"
    done
    # Packets of 1500 bytes arrived whole: nothing was cut, nobody was told.
    expect 'too big' "$(counters answered.too_big)" = 0
    expect 'in fragments' "$(counted forwarded.cut)" = 0
    expect 'not on the link' "$(counted io.off_link)" = 0
    expect 'not sent' "$(counted io.send_errors)" = 0
    [ "$what" = direct ] ||
        expect 'ICMP errors for servers' \
            "$(counted forwarded.icmp.too_big)" -gt 0
    for ((i = 1; i <= servers; i++)); do
        address=10.0.0.$((5 + i))
        [ "$family" = 4 ] || address=2001:db8::$((5 + i))
        expect "what $address got" "$(awk -v name="$address.packets" '
            index($1, "server.") == 1 &&
            substr($1, length($1) - length(name) + 1) == name { print $2 }' \
            "$LAB_DIR/balancer.counters")" -gt 0
    done
    printf '%s  %-8s %7s Mbit/s  %s  %7s Mbit/s  %s\n' "$@"
}

# Nothing may reach the router again that came from it.
far() {
    local before after
    before=$(lab_mib router "$1")
    ! lab_in client timeout 5 "$probe" stall --connections 2 --timeout 2 \
        "$LAB_VIP" "$LAB_PORT" >"$LAB_DIR/client" 2>&1 ||
        lab_fail "IPv$family, far: somebody answered"
    after=$(lab_mib router "$1")
    expect 'not on the link' "$(counters io.off_link)" -gt 0
    # Each of them, and only once.
    expect 'what the router forwarded' $((after - before)) -le "$(counted in)"
    expect 'what the balancer sent' "$(counted io.sent)" = 0
    grep -q 'is no host on this link' "$LAB_DIR/balancer.log" ||
        lab_fail "IPv$family, far: the balancer did not say why"
    printf 'IPv%s  %-8s nothing sent, and said why\n' "$family" "$what"
}

echo "Direct routing, $mb MB each way, $servers real servers${LAB_OFFLOAD:+, offloads on}"
echo
echo "              to the server  checksum          to the client  checksum"
for family in $families; do
    if [ "$family" = 4 ]; then
        net=10.0.0. away=10.0.1.1 forwarded=IpForwDatagrams
    else
        net=2001:db8:: away='[2001:db8:1::1]' forwarded=Ip6OutForwDatagrams
    fi
    near=()
    for ((i = 1; i <= servers; i++)); do
        [ "$family" = 4 ] && near+=("$net$((5 + i))") ||
            near+=("[$net$((5 + i))]")
    done
    for what in direct narrow; do
        up "${near[@]}"
        if [ "$what" = narrow ]; then
            lab_in router ip route add 10.0.1.1 dev client mtu lock 1400
            lab_in router ip route add 2001:db8:1::1 dev client mtu lock 1400
        fi
        transfer
        lab_down "IPv$family-$what"
    done
    what=far
    up "$away"
    far "$forwarded"
    lab_down "IPv$family-$what"
done
echo
echo "Nothing was lost and nothing was changed: both ends have the same checksums."
