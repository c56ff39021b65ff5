# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The lab's network: sourced by the scripts beside it, does nothing by itself.
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
# sees each packet too, and must ignore it); it sends IP in IP to a real server,
# and that one answers the client directly.
#
# Everything lives in one `unshare` with a PID namespace: when the first process
# in it ends, however it ends, the kernel ends the others, and the network is
# gone. Nothing is left to tidy up.

set -euo pipefail

LAB_VIP4=10.0.0.2 LAB_VIP6=2001:db8::2
LAB_PORT=443
LAB_POLICIES='notify both fragment clamp'
LAB_DIR=/run/lab # on a tmpfs of the lab's own
declare -A LAB_PID=()
LAB_NODES=()
LAB_KEEP=

lab_say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# A wrong command line.
lab_misused() {
    lab_say "$*; see $0 --help"
    exit 2
}

lab_number() { # TEXT LEAST MOST
    [[ $1 =~ ^[1-9][0-9]{0,8}$ ]] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# lab_options FAMILY IO SERVERS POLICIES: what all the scripts let choose.
lab_options() {
    local policy
    [[ $1 == [46] ]] || lab_misused "--family is 4 or 6"
    [[ $2 =~ ^(afpacket|tun)$ ]] || lab_misused "--io is afpacket or tun"
    lab_number "$3" 1 99 || lab_misused "--servers is 1 to 99"
    for policy in $4; do
        [[ " $LAB_POLICIES " == *" $policy "* ]] ||
            lab_misused "there is no policy $policy"
    done
}

# Ends with a sentence, and with what the programs said.
lab_fail() {
    lab_say "$*"
    local log
    for log in "$LAB_DIR"/*.log; do
        [ -s "$log" ] && sed "s|^|  ${log##*/}: |" <(tail -n 5 "$log") >&2
    done
    exit 1
}

# --- into the namespaces -----------------------------------------------------

# Prints the flags with which unshare works here; root needs no user namespace.
lab_flags() {
    local flags
    for flags in -nmpf -Urnmpf; do
        unshare "$flags" true 2>/dev/null && echo "$flags" && return
    done
    return 1
}

# lab_enter COMMAND...: runs it as root of namespaces of its own and exits with
# its status. Returns at once when that has happened already.
lab_enter() {
    [ -z "${TUNMTU_LAB_INSIDE-}" ] || { lab_settle && return; }
    local flags pid status=0
    flags=$(lab_flags) || {
        lab_say "namespaces are not possible here:" \
            "$(unshare -Urnmpf true 2>&1 || :)"
        exit 1
    }
    TUNMTU_LAB_INSIDE=1 unshare "$flags" --kill-child -- "$@" </dev/null &
    pid=$!
    # Ending unshare ends its child, and with it the PID namespace.
    trap 'kill -KILL "$pid" 2>/dev/null || :' INT TERM HUP
    wait "$pid" || status=$?
    exit "$status"
}

lab_settle() {
    set -E
    trap 'lab_fail "${BASH_SOURCE[0]##*/}:$LINENO: this command failed:" \
        "$BASH_COMMAND"' ERR
    # Over all of /run: a user without root could not make /run/netns.
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p /run/netns "$LAB_DIR"
    # As PID 1 of its namespace this shell has no default for these.
    trap 'exit 143' INT TERM HUP
    [ -w /dev/net/tun ] || lab_fail "/dev/net/tun is missing, or not open to" \
        "this user; root can repair that with: modprobe tun; chmod 666 /dev/net/tun"
}

# --- the machines ------------------------------------------------------------

# lab_in NODE COMMAND...
lab_in() {
    local node=$1
    shift
    nsenter --net="/run/netns/$node" -- "$@"
}

# lab_set NODE KEY=VALUE...: keys below net, with slashes.
lab_set() {
    local node=$1 pair
    shift
    for pair; do
        lab_in "$node" tee "/proc/sys/net/${pair%%=*}" <<<"${pair#*=}" >/dev/null ||
            lab_fail "net/$pair cannot be set; is /proc/sys read-only?"
    done
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

# lab_link NODE NUMBER: its link to the router, address, and default route.
lab_link() {
    local node=$1 v4=10.0.0.$2 v6=2001:db8::$2 end
    ip link add eth0 netns "$node" mtu 1500 type veth \
        peer name "$node" netns router mtu 1500
    # As on a wire: segments no larger than the MTU, checksums complete.
    for end in "$node eth0" "router $node"; do
        # shellcheck disable=SC2086 # two words
        set -- $end
        lab_in "$1" ethtool -K "$2" tso off gso off gro off tx off \
            >/dev/null 2>"$LAB_DIR/ethtool.log" ||
            lab_fail "the offloads of $2 cannot be switched off"
        lab_in "$1" ip link set "$2" up
    done
    lab_in "$node" ip -batch - <<-END
	address add $v4/32 dev eth0
	address add $v6/128 dev eth0 nodad
	route add 10.0.0.254 dev eth0
	route add default via 10.0.0.254
	route add 2001:db8::fe dev eth0
	route add default via 2001:db8::fe
	END
    lab_in router ip -batch - <<-END
	address add 10.0.0.254/32 dev $node
	address add 2001:db8::fe/128 dev $node nodad
	route add $v4 dev $node
	route add $v6 dev $node
	END
    # A TUN device that comes later speaks only when spoken to.
    lab_set "$node" ipv6/conf/default/addr_gen_mode=1
}

# lab_up SERVERS
lab_up() {
    local i
    lab_node router
    lab_set router ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
    lab_node client
    lab_link client 1
    lab_node balancer
    lab_link balancer 5
    lab_in router ip route add "$LAB_VIP4" via 10.0.0.5
    lab_in router ip route add "$LAB_VIP6" via 2001:db8::5
    for ((i = 1; i <= $1; i++)); do
        lab_node "real$i"
        lab_link "real$i" $((5 + i))
        lab_in "real$i" ip address add "$LAB_VIP4/32" dev lo
        lab_in "real$i" ip address add "$LAB_VIP6/128" dev lo nodad
    done
    LAB_SERVERS=$1
}

# Stops what runs and takes the network down: the next one knows nothing of it.
lab_down() {
    local name
    for name in "${!LAB_PID[@]}"; do
        lab_stop "$name"
    done
    for name in "${LAB_NODES[@]}"; do
        ip netns delete "$name"
    done
    LAB_NODES=()
    if [ -n "$LAB_KEEP" ]; then
        mkdir -p "$LAB_KEEP/$1"
        cp "$LAB_DIR"/* "$LAB_KEEP/$1/"
    fi
    rm -f "$LAB_DIR"/*
}

# --- the programs ------------------------------------------------------------

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

lab_tun_is_held() { # NODE DEVICE: a program holds the other end
    lab_in "$1" ip -oneline link show "$2" | grep -q LOWER_UP
}

lab_socket_is_open() { # NODE: /proc/net/packet has a line below its heading
    [ "$(lab_in "$1" cat /proc/net/packet | wc -l)" -gt 1 ]
}

lab_tun() { # NODE DEVICE
    lab_in "$1" ip tuntap add "$2" mode tun
    lab_in "$1" ip link set "$2" up
}

# lab_balancer PROGRAM POLICY afpacket|tun
lab_balancer() {
    local program=$1 policy=$2 io=$3 local4=10.0.0.5 local6=2001:db8::5 i
    for i in "$LAB_VIP4" "[$LAB_VIP6]"; do
        echo "-A -t $i:$LAB_PORT -s mh -b mh-port"
        for ((n = 6; n < 6 + LAB_SERVERS; n++)); do
            case $i in
            \[*) echo "-a -t $i:$LAB_PORT -r [2001:db8::$n]:$LAB_PORT -i -w 1" ;;
            *) echo "-a -t $i:$LAB_PORT -r 10.0.0.$n:$LAB_PORT -i -w 1" ;;
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
    lab_start balancer balancer "$program" --rules "$LAB_DIR/rules" \
        --local "$local4" --local "$local6" --io "$io" --policy "$policy" \
        --policy6 "$policy" --counters "$LAB_DIR/balancer.counters"
    case $io in
    tun:*) lab_await balancer lab_tun_is_held balancer lb0 ;;
    *) lab_await balancer lab_socket_is_open balancer ;;
    esac
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
        --io afpacket:eth0 --tun rs0 --counters "$LAB_DIR/$real.counters" "$@"
    lab_await "$real" lab_tun_is_held "$real" rs0
    lab_await "$real" lab_socket_is_open "$real"
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

# lab_serve NUMBER PROBE VIP
lab_serve() {
    lab_start "server$1" "real$1" "$2" serve "$3" "$LAB_PORT"
    lab_await "server$1" grep -qs listening "$LAB_DIR/server$1.log"
}

# lab_build_up BUILD POLICY FAMILY IO SERVERS: all of the above, ready for a
# client. The policy clamp is a balancer that notifies, whose real servers see
# to it that it need not.
lab_build_up() {
    local build=$1 policy=$2 family=$3 io=$4 servers=$5 clamp=() i
    lab_up "$servers"
    if [ "$policy" = clamp ]; then
        policy=notify clamp=(--clamp-mss auto)
    fi
    LAB_VIP=$LAB_VIP4
    [ "$family" = 4 ] || LAB_VIP=$LAB_VIP6
    for ((i = 1; i <= servers; i++)); do
        lab_real "$i" "$build/examples/realserver/tunmtu-realserver" \
            ${clamp[@]+"${clamp[@]}"}
        lab_serve "$i" "$build/examples/lab/tunmtu-probe" "$LAB_VIP"
    done
    lab_balancer "$build/examples/lb/tunmtu-lb" "$policy" "$io"
}

# lab_probe SECONDS NAME PROBE MODE [OPTION...]: runs the client; its results
# are then in the file NAME.
lab_probe() {
    local seconds=$1 name=$2 probe=$3
    shift 3
    lab_in client timeout "$seconds" "$probe" "$@" "$LAB_VIP" "$LAB_PORT" \
        >"$LAB_DIR/$name" 2>"$LAB_DIR/client.log" ||
        lab_fail "the client gave up: $(cat "$LAB_DIR/client.log")"
}

# --- numbers -----------------------------------------------------------------

# lab_value FILE NAME: of a line `NAME VALUE`.
lab_value() {
    awk -v name="$2" '$1 == name { print $2; found = 1 }
        END { exit !found }' "$LAB_DIR/$1" ||
        lab_fail "$1 has no line $2"
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
    *' mtu '*) sed -n 's/.* mtu \([0-9]*\).*/\1/p' <<<"$route" ;;
    *) echo 1500 ;; # that of the link: the route knows of no other
    esac
}

# lab_programs BUILD: are they there?
lab_programs() {
    local program
    for program in lb/tunmtu-lb realserver/tunmtu-realserver lab/tunmtu-probe; do
        [ -x "$1/examples/$program" ] || lab_fail \
            "$1/examples/$program is not built; examples/lab/quickstart.sh does it"
    done
    for program in ip ethtool nsenter nstat awk timeout; do
        command -v "$program" >/dev/null ||
            lab_fail "$program is not installed (Debian: iproute2 ethtool util-linux)"
    done
}
