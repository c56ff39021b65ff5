# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of fleet.sh
# The ways of fleet.sh, sourced by it: what runs on which machine; and the lives
# of balancers.

# shellcheck disable=SC2034 # of fleet.sh
FLEET_WAYS='wide none l3 reflect broadcast unlimited blind steer lb'

# fleet_serve [OPTION...]: the probe's servers.
fleet_serve() {
    local i
    for ((i = 1; i <= FLEET_HOSTS; i++)); do
        lab_start "server$i" "real$i" "$probe" serve "$@" "$LAB_VIP" "$LAB_PORT"
        lab_await "server$i" grep -qs listening "$LAB_DIR/server$i.log"
    done
}

fleet_hash() { # POLICY: of the router in front
    lab_set router "ipv4/fib_multipath_hash_policy=$1" \
        "ipv6/fib_multipath_hash_policy=$1"
}

fleet_pmtud() { # NODE OPTION...
    local node=$1
    shift
    lab_start "pmtud-$node" "$node" "$build/examples/pmtud/tunmtu-pmtud" \
        --iface eth0 --counters "$LAB_DIR/pmtud-$node.counters" "$@"
    lab_ready "pmtud-$node"
}

fleet_none() {
    fleet_hash "${1-1}"
    fleet_serve
    fleet_route real1 real2 real3
}

fleet_l3() {
    fleet_none 0
}

fleet_wide() {
    fleet_lb
}

fleet_reflect() {
    local i
    for ((i = 1; i <= FLEET_HOSTS; i++)); do
        lab_set "real$i" ipv6/flowlabel_reflect=3
    done
    fleet_l3
}

fleet_broadcast() {
    local i
    fleet_none
    for ((i = 1; i <= FLEET_HOSTS; i++)); do
        fleet_pmtud "real$i" "$@"
    done
}

FLEET_UNLIMITED='--src-rate 1000000 --iface-rate 1000000 --duplicate-time 0'

fleet_unlimited() {
    # shellcheck disable=SC2086 # a list
    fleet_broadcast $FLEET_UNLIMITED
}

# What all balancers know: the same.
fleet_rules() {
    local i service
    service=$(fleet_quoted "$LAB_VIP"):$LAB_PORT
    echo "-A -t $service -s mh -b mh-port"
    for ((i = 1; i <= FLEET_HOSTS; i++)); do
        echo "-a -t $service -r $(fleet_quoted \
            "$(fleet_address $((20 + i)))"):$LAB_PORT -i -w 1"
    done
}

fleet_reals() { # far ends of the tunnels, for these balancers only
    local i peers=()
    for ((i = 1; i <= FLEET_HOSTS; i++)); do
        peers+=(--peer "$(fleet_address $((10 + i)))")
    done
    for ((i = 1; i <= FLEET_HOSTS; i++)); do
        lab_real "$i" "$build/examples/realserver/tunmtu-realserver" \
            "${peers[@]}"
    done
}

fleet_balancer() { # NUMBER IO
    lab_start "lb$1" "lb$1" "$build/examples/lb/tunmtu-lb" \
        --rules "$LAB_DIR/rules" --local "$(fleet_address $((10 + $1)))" \
        --io "$2" --counters "$LAB_DIR/lb$1.counters"
    lab_ready "lb$1"
}

# fleet_lb [OPTION...]: of the servers.
fleet_lb() {
    local i
    fleet_hash 1
    fleet_serve "$@"
    fleet_rules >"$LAB_DIR/rules"
    fleet_reals
    for ((i = 1; i <= FLEET_HOSTS; i++)); do
        fleet_balancer "$i" afpacket:eth0
    done
    fleet_route lb1 lb2 lb3
}

# Only TCP is routed to the balancer. The kernel forwards, and drops the rest;
# it is given packets in the name of its own address.
fleet_blind() {
    local i lb
    fleet_hash 1
    fleet_serve
    fleet_rules >"$LAB_DIR/rules"
    fleet_reals
    for ((i = 1; i <= FLEET_HOSTS; i++)); do
        lb=lb$i
        lab_set "$lb" ipv4/ip_forward=1 ipv6/conf/all/forwarding=1 \
            ipv4/conf/all/accept_local=1
        lab_tun "$lb" lb0
        lab_in "$lb" ip "-$family" route add blackhole "$LAB_VIP"
        lab_in "$lb" ip "-$family" route add "$LAB_VIP" dev lb0 table 100
        # 6: "tcp" is known only where /etc/protocols is
        lab_in "$lb" ip "-$family" rule add pref 100 to "$LAB_VIP" ipproto 6 \
            lookup 100
        fleet_balancer "$i" tun:lb0
        lab_await "$lb" lab_tun_runs "$lb" lb0
    done
    fleet_route lb1 lb2 lb3
}

fleet_steer() {
    local i
    fleet_blind
    for ((i = 1; i <= FLEET_HOSTS; i++)); do
        # shellcheck disable=SC2086 # a list
        fleet_pmtud "lb$i" --mode steer --rules "$LAB_DIR/rules" \
            --local "$(fleet_address $((10 + i)))" $FLEET_UNLIMITED
    done
}

# ---- lives of balancers -----------------------------------------------------

fleet_deaths_head() {
    printf '%5s %-33s %7s %6s %6s %6s %10s %10s\n' '' 'of balancers' noticed \
        moving paused resent median max
}

# fleet_phase WHAT [MS]: ends one, after a look.
fleet_phase() {
    local before=$resent
    sleep "$calm"
    phase=$((phase + 1))
    kill -USR1 "${LAB_PID[client]}"
    lab_await client grep -qs "^$phase.max_us" "$LAB_DIR/client.log"
    read -r -a seen <<<"$(lab_values client.log "$phase.moved" \
        "$phase.stalled" "$phase.median_us" "$phase.max_us")"
    resent=$(total TcpRetransSegs client "${reals[@]}")
    printf 'IPv%s  %-33s %7s %6s %6s %6s %10s %10s\n' "$family" "$1" \
        "${2+$2 ms}" "${seen[0]}" "${seen[1]}" $((resent - before)) \
        "$(ms "${seen[2]}")" "$(ms "${seen[3]}")"
    promise "$1: all go on" "${seen[0]}" -eq "$connections"
}

# fleet_kill NAME: no time for a last word.
fleet_kill() {
    kill -KILL "${LAB_PID[$1]}"
    wait "${LAB_PID[$1]}" 2>/dev/null || :
    unset "LAB_PID[$1]"
}

fleet_deaths() {
    local phase resent start seen
    fleet_up
    fleet_lb --rate 250000
    fetching --bytes 20000 --timeout 5 --hold
    lab_await client grep -qs '^held' "$LAB_DIR/client.log"
    # Until the servers know what the far links carry, and have got going.
    sleep $((calm + 1))
    kill -USR1 "${LAB_PID[client]}"
    phase=1 resent=$(total TcpRetransSegs client "${reals[@]}")
    fleet_phase 'three, and nothing happens'

    start=$(fleet_now)
    lab_in router ip link set lb2 down
    fleet_kill lb2
    fleet_kill bird-lb2
    fleet_paths 2
    fleet_phase 'lb2 dies: its cable is pulled' $(($(fleet_now) - start))
    promise "some went through lb2" "${seen[1]}" -gt 0
    promise "BFD has told" "${seen[3]}" -lt 1000000

    start=$(fleet_now)
    lab_in router ip link set lb2 up
    fleet_balancer 2 afpacket:eth0
    fleet_bird lb2
    fleet_paths 3
    fleet_phase 'a new lb2 takes its place' $(($(fleet_now) - start))

    start=$(fleet_now)
    lab_stop bird-lb1
    fleet_paths 2
    fleet_phase 'lb1 leaves: its session ends' $(($(fleet_now) - start))
    lab_stop lb1
    fleet_phase 'lb1 is gone'

    kill -TERM "${LAB_PID[client]}"
    fetched
    read -r -a seen <<<"$(lab_values client.log connections finished lost)"
    printf 'IPv%s  %d connections, %d lived through it all\n' "$family" \
        "${seen[0]}" "${seen[1]}"
    promise "all live" "${seen[1]}" -eq "$connections"
    lab_down "IPv$family-deaths"
}
