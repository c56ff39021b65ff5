# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What runs in the lab's network, and what it says.

LAB_PORT=443
LAB_UNDERLAY= # 4 or 6: the tunnels' outer family, if not that of their service
LAB_KEEP= # a folder for what lab_down finds
LAB_BALANCER= # more options of tunmtu-lb
declare -A LAB_PID=()

# lab_start NAME NODE COMMAND...: runs it there; what it says is in NAME.log.
lab_start() {
    local name=$1 node=$2
    shift 2
    # Not lab_in: nsenter becomes the command, so that this is its number.
    nsenter --net="/run/netns/$node" -- "$@" \
        >"$LAB_DIR/$name.log" 2>&1 </dev/null &
    LAB_PID[$name]=$!
}

# lab_stop NAME: asks it to end, so that it writes its counters; then insists.
lab_stop() {
    local pid=${LAB_PID[$1]} i
    unset "LAB_PID[$1]"
    kill -TERM "$pid" 2>/dev/null || :
    for ((i = 0; i < 100; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.02
    done
    kill -KILL "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
}

# lab_await NAME COMMAND...: until COMMAND succeeds, while NAME is alive.
lab_await() {
    local name=$1 i
    shift
    for ((i = 0; i < 250; i++)); do
        "$@" && return
        kill -0 "${LAB_PID[$name]}" 2>/dev/null || lab_fail "$name has ended"
        sleep 0.02
    done
    lab_fail "$name did not get ready within 5 s"
}

# lab_ready NAME: a program of ours takes packets. Its sockets are there before
# it does: what comes then is lost, and a SYN is sent again only after a second.
lab_ready() {
    lab_await "$1" grep -qs ': ready$' "$LAB_DIR/$1.log"
}

# lab_tun_runs NODE DEVICE: a program holds the other end, and the kernel knows:
# it takes notice later, and drops what is sent to the device until then.
lab_tun_runs() {
    lab_in "$1" ip -oneline link show "$2" | grep -q 'LOWER_UP.* state UP '
}

lab_tun() { # NODE DEVICE
    lab_in "$1" ip tuntap add "$2" mode tun
    lab_in "$1" ip link set "$2" up
}

# lab_balancer PROGRAM POLICY afpacket|tun SERVERS TUNNEL
lab_balancer() {
    local tunnel="-i -w 1 --tun-type $5"
    [ "$5" != gue ] || tunnel+=" --tun-port 6080"
    local program=$1 policy=$2 io=$3 local4=10.0.0.5 local6=2001:db8::5 i n
    # shellcheck disable=SC2153 # of net.sh
    for i in "$LAB_VIP4" "[$LAB_VIP6]"; do
        echo "-A -t $i:$LAB_PORT -s mh -b mh-port"
        for ((n = 6; n < 6 + $4; n++)); do
            case ${LAB_UNDERLAY:-$i} in
            6 | \[*) echo "-a -t $i:$LAB_PORT -r [2001:db8::$n]:$LAB_PORT $tunnel" ;;
            *) echo "-a -t $i:$LAB_PORT -r 10.0.0.$n:$LAB_PORT $tunnel" ;;
            esac
        done
    done >"$LAB_DIR/rules"
    if [ "$io" = tun ]; then
        # Now the kernel carries packets to the program and from it, so it must
        # forward; and the tunnel's end is an address that is not the kernel's.
        local4=10.0.0.4 local6=2001:db8::4
        lab_tun balancer lb0
        lab_set balancer ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
        for i in "$LAB_VIP4" "$LAB_VIP6" "$local4" "$local6"; do
            lab_in balancer ip route add "$i" dev lb0
        done
        lab_in router ip route add "$local4" via 10.0.0.5
        lab_in router ip route add "$local6" via 2001:db8::5
        io=tun:lb0
    else
        io=afpacket:eth0
    fi
    io+=${LAB_OFFLOAD:+,gso}
    # shellcheck disable=SC2086 # a list
    lab_start balancer balancer "$program" --rules "$LAB_DIR/rules" \
        --local "$local4" --local "$local6" --io "$io" --policy "$policy" \
        --policy6 "$policy" --counters "$LAB_DIR/balancer.counters" \
        $LAB_BALANCER
    lab_ready balancer
    [[ $io != tun:* ]] || lab_await balancer lab_tun_runs balancer lb0
}

# lab_real NUMBER PROGRAM [OPTION...]: the tunnel's other end on a real server.
lab_real() {
    local real=real$1 program=$2
    shift 2
    lab_tun "$real" rs0
    case " $* " in
    *' --clamp-mss '*) lab_answers_through_tun "$real" ;;
    esac
    lab_start "$real" "$real" "$program" --vip "$LAB_VIP4" --vip "$LAB_VIP6" \
        --io "afpacket:eth0${LAB_OFFLOAD:+,gso}" \
        --tun "rs0${LAB_OFFLOAD:+,gso}" --counters "$LAB_DIR/$real.counters" "$@"
    lab_ready "$real"
    lab_await "$real" lab_tun_runs "$real" rs0
}

# What the VIP sends goes to the program, which lowers the MSS and sends it on
# through a socket bound to eth0. The first rule is for that socket: whoever
# names its device uses the main table. (For IPv4 it would do without: a route
# through another device is passed over. IPv6 would send it into the TUN again.)
lab_answers_through_tun() {
    local family vip
    for family in "-4 $LAB_VIP4" "-6 $LAB_VIP6"; do
        vip=${family#* } family=${family% *}
        lab_in "$1" ip "$family" rule add pref 90 oif eth0 lookup main
        lab_in "$1" ip "$family" rule add pref 100 from "$vip" lookup 100
        lab_in "$1" ip "$family" route add default dev rs0 table 100
    done
}

# lab_hop PROGRAM [OPTION...]: the router in front of the one real server. What
# it did is in hop.log.
lab_hop() {
    local program=$1
    shift
    lab_start hop hop "$program" --near afpacket:eth0 --far afpacket:real1 \
        --address 10.0.0.253 --address 2001:db8::253 \
        --counters "$LAB_DIR/hop.counters" "$@"
    lab_await hop grep -qs ready "$LAB_DIR/hop.log"
}

# lab_serve NUMBER PROBE VIP
lab_serve() {
    lab_start "server$1" "real$1" "$2" serve "$3" "$LAB_PORT"
    lab_await "server$1" grep -qs listening "$LAB_DIR/server$1.log"
}

# lab_build_up BUILD POLICY FAMILY IO SERVERS TUNNEL: all of the above, ready
# for a client. The policy clamp is a balancer that notifies, whose real servers see
# to it that it need not.
lab_build_up() {
    local build=$1 policy=$2 family=$3 io=$4 servers=$5 tunnel=$6 options=() i
    lab_up "$servers"
    if [ "$policy" = clamp ]; then
        policy=notify options=(--clamp-mss auto)
    fi
    # The balancer sends GUE as IPVS does: without a checksum, IPv6 or not.
    [ "$tunnel" != gue ] || options+=(--zero-csum6)
    LAB_VIP=$LAB_VIP4
    [ "$family" = 4 ] || LAB_VIP=$LAB_VIP6
    # shellcheck disable=SC2086 # a list
    [ -z "$LAB_HOP" ] || lab_hop "$build/examples/lab/tunmtu-hop" $LAB_HOP
    for ((i = 1; i <= servers; i++)); do
        lab_real "$i" "$build/examples/realserver/tunmtu-realserver" \
            ${options[@]+"${options[@]}"}
        lab_serve "$i" "$build/examples/lab/tunmtu-probe" "$LAB_VIP"
    done
    lab_balancer "$build/examples/lb/tunmtu-lb" "$policy" "$io" "$servers" \
        "$tunnel"
}

# lab_probe SECONDS NAME PROBE MODE [OPTION...]: runs the client; its results
# are then in the file NAME.
lab_probe() {
    local seconds=$1 name=$2 probe=$3
    shift 3
    lab_in client timeout "$seconds" "$probe" "$@" "$LAB_VIP" "$LAB_PORT" \
        >"$LAB_DIR/$name" 2>"$LAB_DIR/client.said" ||
        lab_fail "the client gave up: $(cat "$LAB_DIR/client.said")"
}

# lab_values FILE NAME...: of its lines `NAME VALUE`.
lab_values() {
    local file=$1 name values=()
    shift
    for name; do
        values+=("$(awk -v name="$name" '$1 == name { print $2; found = 1 }
            END { exit !found }' "$LAB_DIR/$file")") || {
            lab_say "$file has no line $name"
            return 1
        }
    done
    echo "${values[*]}"
}

# lab_down NAME: stops all and takes the network down; the next one knows nothing
# of it. What is to be kept goes to a folder NAME.
lab_down() {
    local name
    for name in "${!LAB_PID[@]}"; do
        lab_stop "$name"
    done
    lab_net_down
    if [ -n "$LAB_KEEP" ]; then
        mkdir -p "$LAB_KEEP/$1"
        cp "$LAB_DIR"/* "$LAB_KEEP/$1/"
    fi
    rm -f "$LAB_DIR"/*
}
