# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of fleet.sh
# The network of fleet.sh: sourced by it, after lab.sh.
#
#     client 10.1.1.1 ... 10.1.4.1 ...
#       │ 1400 │ 1400 │ 1400 │ 1400
#     far1   far2   far3   far4            one network of clients each
#       └──────┴──┬───┴──────┘
#               router 10.0.0.254          BGP, ECMP; a bridge to the others
#       ┌─────────┴──────────────────────────┐
#     lb1, lb2, lb3                  real1, real2, real3
#     10.0.0.11 ...                  10.0.0.21 ..., VIP on lo
#
# For IPv6 the same with 2001:db8::, 2001:db8:1: and :2: before the last number.
# A far router's link to the client is narrow for what goes there: the server's
# long packets end at it, and it sends errors to the VIP.

LAB_VIP4=192.0.2.1
LAB_VIP6=2001:db8:f::1
FLEET_FARS=4
FLEET_HOSTS=3 # balancers, and as many real servers

# The address of a host on the bridge; as an endpoint of rules with fleet_quoted.
fleet_address() { # NUMBER [FAMILY]
    case ${2-$family} in
    4) echo "10.0.0.$1" ;;
    6) echo "2001:db8::$1" ;;
    esac
}
fleet_quoted() {
    [ "$family" = 4 ] && echo "$1" || echo "[$1]"
}

fleet_number() { # NODE: its last number
    case $1 in
    lb*) echo $((10 + ${1#lb})) ;;
    real*) echo $((20 + ${1#real})) ;;
    router) echo 254 ;;
    esac
}

# fleet_plug NODE: its link to the bridge, its address and its way out.
fleet_plug() {
    local number
    number=$(fleet_number "$1")
    lab_wire "$1" eth0 router "$1"
    lab_in router ip link set "$1" master br0
    lab_in "$1" ip -batch - <<-END
	address add 10.0.0.$number/24 dev eth0
	address add 2001:db8::$number/64 dev eth0 nodad
	route add default via 10.0.0.254
	route add default via 2001:db8::254
	END
}

# fleet_far NUMBER: a router far away, and the clients behind it. The client
# leaves from an address through the router of that address.
fleet_far() {
    local n=$1 far=far$1 i
    lab_node "$far"
    lab_set "$far" ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
    lab_wire "$far" out router "$far"
    lab_wire client "$far" "$far" client
    lab_in router ip -batch - <<-END
	address add 10.2.$n.254/24 dev $far
	address add 2001:db8:2:$n::254/64 dev $far nodad
	route add 10.1.$n.0/24 via 10.2.$n.1
	route add 2001:db8:1:$n::/64 via 2001:db8:2:$n::1
	END
    # The links' own MTU stays: a veth takes in no more than it gives out.
    lab_in "$far" ip -batch - <<-END
	address add 10.2.$n.1/24 dev out
	address add 2001:db8:2:$n::1/64 dev out nodad
	route add default via 10.2.$n.254
	route add default via 2001:db8:2:$n::254
	address add 10.1.$n.254/32 dev client
	address add 2001:db8:1:$n::fe/128 dev client nodad
	route add 10.1.$n.0/24 dev client mtu lock $narrow
	route add 2001:db8:1:$n::/64 dev client mtu lock $narrow
	END
    {
        for ((i = 1; i <= (connections + FLEET_FARS - 1) / FLEET_FARS; i++)); do
            echo "address add 10.1.$n.$i/24 dev $far"
            printf 'address add 2001:db8:1:%d::%x/64 dev %s nodad\n' \
                "$n" "$i" "$far"
        done
        echo "route add default via 10.1.$n.254 dev $far table $((100 + n))"
        echo "route add default via 2001:db8:1:$n::fe dev $far table $((100 + n))"
        echo "rule add from 10.1.$n.0/24 lookup $((100 + n))"
    } | lab_in client ip -batch -
    lab_in client ip -6 rule add from "2001:db8:1:$n::/64" lookup $((100 + n))
}

# fleet_up: all machines, and nothing that runs on them.
fleet_up() {
    local i
    LAB_VIP=$LAB_VIP4
    [ "$family" = 4 ] || LAB_VIP=$LAB_VIP6
    lab_node router
    lab_set router ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
    lab_in router ip link add br0 type bridge
    lab_in router ip link set br0 up
    lab_in router ip address add 10.0.0.254/24 dev br0
    lab_in router ip address add 2001:db8::254/64 dev br0 nodad
    lab_node client
    for ((i = 1; i <= FLEET_FARS; i++)); do
        fleet_far "$i"
    done
    lab_in client ip route add default via 10.1.1.254
    lab_in client ip route add default via 2001:db8:1:1::fe
    for ((i = 1; i <= FLEET_HOSTS; i++)); do
        lab_node "lb$i"
        fleet_plug "lb$i"
        lab_node "real$i"
        # Nobody asks for the VIP on this link, and it asks for nobody. TCP
        # does not find out for itself; and paces by packets, however near the
        # client seems.
        lab_set "real$i" ipv4/conf/all/arp_ignore=1 \
            ipv4/conf/all/arp_announce=2 ipv4/tcp_mtu_probing=0 \
            ipv4/tcp_tso_rtt_log=0
        fleet_plug "real$i"
        lab_in "real$i" ip address add "$LAB_VIP4/32" dev lo
        lab_in "real$i" ip address add "$LAB_VIP6/128" dev lo nodad
    done
}

# fleet_bird NODE: the router learns the VIP from whoever has a session; the
# others announce it. BFD sees in 150 ms that one does not answer.
fleet_bird() {
    local node=$1 channel=ipv$family number length=32
    [ "$family" = 4 ] || length=128
    number=$(fleet_number "$node")
    {
        cat <<-END
		log stderr { warning, error, fatal, bug, auth };
		router id 10.0.0.$number;
		protocol device {}
		protocol bfd {
		    interface "*" { interval 50 ms; multiplier 3; };
		}
		template bgp fleet {
		    local $(fleet_address "$number") as ${2-65001};
		    bfd on;
		    hold time 3;
		    connect delay time 1;
		    error wait time 1, 2;
		}
		END
        if [ "$node" = router ]; then
            cat <<-END
			protocol kernel { $channel { export all; }; merge paths on; }
			protocol bgp host from fleet {
			    neighbor range $(fleet_address 0)/$((length * 3 / 4)) as 65001;
			    $channel {
			        import where net = $LAB_VIP/$length;
			        export none;
			    };
			}
			END
        else
            cat <<-END
			protocol static { $channel; route $LAB_VIP/$length blackhole; }
			protocol bgp up from fleet {
			    neighbor $(fleet_address 254) as 65000;
			    $channel { import none; export all; };
			}
			END
        fi
    } >"$LAB_DIR/bird-$node.conf"
    lab_start "bird-$node" "$node" bird -f -c "$LAB_DIR/bird-$node.conf" \
        -s "$LAB_DIR/bird-$node.ctl"
}

# Milliseconds of a clock that only goes forward.
fleet_now() {
    awk '{ print int($1 * 1000) }' /proc/uptime
}

# fleet_paths N: until the router's route to the VIP has so many.
fleet_paths() {
    local i
    for ((i = 0; i < 1000; i++)); do
        [ "$(lab_in router ip "-$family" route show "$LAB_VIP" |
            grep -o ' via ' | wc -l)" != "$1" ] || return 0
        sleep 0.02
    done
    lab_fail "the router has not come to $1 ways to the VIP in 20 s"
}

# fleet_route NODE...: the sessions, and the route that follows from them.
fleet_route() {
    local node
    fleet_bird router 65000
    for node; do
        fleet_bird "$node"
    done
    fleet_paths $#
}
