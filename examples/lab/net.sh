# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The lab's network: client, router, balancer and real servers.
#
#                        router 10.0.0.254
#        ┌──────────────┬───────┴──────┬───────────────┐
#     client         balancer        real1 …         realN
#    10.0.0.1        10.0.0.5       10.0.0.6         10.0.0.7 …
#                                   VIP on lo        VIP on lo
#
# Five or more network namespaces, one link of MTU 1500 each to the router; for
# IPv6 the same with 2001:db8:: before the last number. All addresses are /32
# and /128 and everything is routed: no machine hears the ARP of another, so the
# VIP 10.0.0.2 may be on every real server. The router's route to the VIP leads
# to the balancer, which does not own the VIP and does not forward (its kernel
# sees each packet too, and must ignore it); its tunnels lead to real servers,
# and that one answers the client directly.
#
# With a hop (LAB_HOP) there is one more router, between the first and the real
# servers: 10.0.0.253, whose kernel does not forward; tunmtu-hop does.

LAB_VIP4=10.0.0.2
LAB_VIP6=2001:db8::2
LAB_VIP=$LAB_VIP4 # of the family that is measured
LAB_OFFLOAD= # yes: the links' ends leave segments and checksums to each other
LAB_HOP= # options of tunmtu-hop: the real server is behind one more router
LAB_NODES=()

# lab_in NODE COMMAND...
lab_in() {
    local node=$1
    shift
    nsenter --net="/run/netns/$node" -- "$@"
}

# lab_set NODE KEY=VALUE...: keys below net, with slashes.
lab_set() {
    local node=$1
    shift
    # shellcheck disable=SC2016 # of the shell there: one for all
    lab_in "$node" sh -c 'for pair; do
        echo "${pair#*=}" >"/proc/sys/net/${pair%%=*}" || exit
    done' sh "$@" || lab_fail "net/$* cannot be set; is /proc/sys read-only?"
}

lab_node() {
    ip netns add "$1"
    LAB_NODES+=("$1")
    # rp_filter: the client's packets come out of a TUN here, and the VIP's out
    # of the balancer. Redirects: the router sends packets back where they came
    # from, which is the point. IPv6: addresses at once, and no other ones. The
    # congestion control that every kernel has: figures can be compared.
    lab_set "$1" ipv4/conf/all/rp_filter=0 ipv4/conf/default/rp_filter=0 \
        ipv4/conf/all/send_redirects=0 ipv4/conf/default/send_redirects=0 \
        ipv4/tcp_congestion_control=reno ipv4/ip_forward=0 \
        ipv6/conf/all/forwarding=0 ipv6/conf/default/accept_dad=0 \
        ipv6/conf/default/accept_ra=0
    lab_in "$1" ip link set lo up
}

# lab_wire NODE DEVICE NODE DEVICE: a link between them, up.
lab_wire() {
    # As on a wire: segments no larger than the MTU, checksums complete. Else as
    # veth comes, and merging what arrives, as a network card's driver does.
    local offloads='tso off gso off gro off tx off'
    [ -z "$LAB_OFFLOAD" ] || offloads='tso on gso on gro on tx on'
    ip link add "$2" netns "$1" mtu 1500 type veth \
        peer name "$4" netns "$3" mtu 1500
    while [ $# -gt 0 ]; do
        # shellcheck disable=SC2086 # eight words
        lab_in "$1" ethtool -K "$2" $offloads \
            >/dev/null 2>"$LAB_DIR/ethtool.log" ||
            lab_fail "the offloads of $2 cannot be set: $offloads"
        lab_in "$1" ip link set "$2" up
        shift 2
    done
}

# lab_link NODE NUMBER [UPSTREAM]: its link to the router or the hop, address,
# and default route.
lab_link() {
    local node=$1 v4=10.0.0.$2 v6=2001:db8::$2
    local up=${3-router} gate4=10.0.0.254 gate6=2001:db8::fe
    [ "$up" = router ] || gate4=10.0.0.253 gate6=2001:db8::253
    lab_wire "$node" eth0 "$up" "$node"
    lab_in "$node" ip -batch - <<-END
	address add $v4/32 dev eth0
	address add $v6/128 dev eth0 nodad
	route add $gate4 dev eth0
	route add default via $gate4
	route add $gate6 dev eth0
	route add default via $gate6
	END
    lab_in "$up" ip -batch - <<-END
	address add $gate4/32 dev $node
	address add $gate6/128 dev $node nodad
	route add $v4 dev $node
	route add $v6 dev $node
	END
    # A TUN device that comes later speaks only when spoken to.
    lab_set "$node" ipv6/conf/default/addr_gen_mode=1
}

# lab_up SERVERS
lab_up() {
    local i behind=router
    lab_node router
    lab_set router ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
    lab_node client
    lab_link client 1
    lab_node balancer
    lab_link balancer 5
    lab_in router ip route add "$LAB_VIP4" via 10.0.0.5
    lab_in router ip route add "$LAB_VIP6" via 2001:db8::5
    if [ -n "$LAB_HOP" ]; then
        behind=hop
        lab_node hop
        lab_link hop 253
        # Who asks for the neighbours of others does it by this address.
        lab_set hop ipv6/conf/default/addr_gen_mode=0
    fi
    for ((i = 1; i <= $1; i++)); do
        lab_node "real$i"
        lab_link "real$i" $((5 + i)) "$behind"
        if [ -n "$LAB_HOP" ]; then
            lab_in router ip route add "10.0.0.$((5 + i))" via 10.0.0.253
            lab_in router ip route add "2001:db8::$((5 + i))" via 2001:db8::253
        fi
        lab_in "real$i" ip address add "$LAB_VIP4/32" dev lo
        lab_in "real$i" ip address add "$LAB_VIP6/128" dev lo nodad
    done
}

# Lets only packets of up to $1 bytes through to the client. The link's own MTU
# stays: a veth takes in no more than it gives out.
lab_narrow() {
    lab_in router ip route change 10.0.0.1 dev client mtu lock "$1"
    lab_in router ip -6 route change 2001:db8::1 dev client mtu lock "$1"
}

lab_net_down() {
    local node
    for node in "${LAB_NODES[@]}"; do
        ip netns delete "$node"
    done
    LAB_NODES=()
}

# lab_mib NODE COUNTER: of the kernel, as nstat calls it.
lab_mib() {
    lab_in "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}

# Of the client's route to the VIP, as it is now.
lab_route_mtu() {
    local route
    route=$(lab_in client ip route get "$LAB_VIP")
    case $route in
    *' mtu '*) sed -En 's/.* mtu (lock )?([0-9]*).*/\2/p' <<<"$route" ;;
    *) echo 1500 ;; # that of the link: the route knows of no other
    esac
}
