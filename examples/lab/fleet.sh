#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A fleet behind ECMP: where the errors about the servers' long packets end, what
# that costs the clients, and what happens when a balancer dies.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$here/lab.sh"
# shellcheck source-path=SCRIPTDIR source=fleet_net.sh
. "$here/fleet_net.sh"
# shellcheck source-path=SCRIPTDIR source=fleet_ways.sh
. "$here/fleet_ways.sh"

usage() {
    cat <<END
usage: fleet.sh [OPTION...]

Clients behind four routers with a narrow link fetch something long from three
servers that have one address. The router in front spreads the flows over them,
or over three balancers, by routes that it has learnt by BGP (BIRD). The far
routers' errors go to the same address; the router in front hashes them by the
address of who sent them (net.ipv4.fib_multipath_hash_policy=1), so that they
end anywhere. Ways out:

  wide       no error at all, to compare with: balancers, far links of 1500 bytes
  none       none: three servers, no balancers
  l3         the same, and the router hashes addresses only, and for errors those
             of the packet that they quote (policy 0); for IPv6 the flow label,
             too, which is another one in each direction
  reflect    as l3, for IPv6 only: the servers answer with the flow label that
             they were asked with (net.ipv6.flowlabel_reflect=3)
  broadcast  as none; tunmtu-pmtud on the servers, as it comes: 1.1 errors a
             second of one router, 10 of all
  unlimited  the same without these limits
  blind      three balancers that never see ICMP: their kernel drops it
  steer      the same; tunmtu-pmtud --mode steer beside them, without limits
  lb         tunmtu-lb, as it is

Then, with lb: a balancer is dead from one moment to the next in the midst of
transfers (its cable is pulled; BFD tells the router), a new one takes its place,
and another one says goodbye before it goes.

Options:
  --build DIR        where the programs are (build/quickstart)
  --connections N    48, each of a client's address of its own
  --families "..."   4, 6 or both of them (both)
  --ways "..."       some of: $FLEET_WAYS,
                     or none of them ("")
  --narrow N         bytes that the far links carry (1400)
  --timeout S        seconds until a transfer counts as never (15)
  --no-deaths        leave out the second part
  --short            fewer connections, less patience
  --check            exit 1 unless errors go astray with none and with blind, lb
                     and steer bring each to the right server, once, and no
                     transfer waited for a timer; and no connection died with a
                     balancer, or paused for a second
  --keep DIR         keep the programs' output and counters there
  --help             this

errors    that the far routers sent; right, the share that reached the server
          that has the flow; copies, how many reached any server, per error
median    over the connections: the longest time in which nothing came, from the
          question on; max, of all of them
never     connections on which nothing moved until the end
timeouts  of TCP on the servers, which help nobody while errors are lost
noticed   how long until the router has another route
paused    connections on which nothing came for 100 ms
resent    segments that clients and servers sent again

Needs bird (Debian: bird2), and no root where users may make namespaces; changes
nothing outside its own.
END
}

build=$here/../../build/quickstart
connections='' families='4 6' ways='' narrow=1400 timeout=''
check='' no_deaths='' short=''
args=("$@")
lab_arguments 'check no-deaths=no_deaths short' \
    'build connections families ways narrow timeout keep=LAB_KEEP' "$@"
calm=2 # seconds to look on after something has happened
if [ -n "$short" ]; then
    calm=1
    : "${connections:=24}" "${timeout:=2}" "${ways:=none l3 steer lb}"
fi
: "${connections:=48}" "${timeout:=15}" "${ways:=$FLEET_WAYS}"
for family in $families; do
    lab_options "$family" afpacket 3 notify ipip
done
lab_number "$connections" 8 480 || lab_misused "--connections is 8 to 480"
lab_number "$narrow" 1280 1479 || lab_misused "--narrow is 1280 to 1479"
lab_number "$timeout" 1 600 || lab_misused "--timeout is 1 to 600"
for way in $ways; do
    [[ " $FLEET_WAYS " == *" $way "* ]] || lab_misused "there is no way $way"
done
command -v bird >/dev/null || {
    lab_say "bird is not installed (Debian: bird2)"
    exit 1
}
lab_programs "$build" pmtud/tunmtu-pmtud
lab_enter "$0" ${args[@]+"${args[@]}"}
probe=$build/examples/lab/tunmtu-probe
failed=0
fars=() reals=()
for ((i = 1; i <= FLEET_FARS; i++)); do
    fars+=("far$i")
done
for ((i = 1; i <= FLEET_HOSTS; i++)); do
    reals+=("real$i")
done

promise() { # WHAT TEST...
    local what=$1
    shift
    [ -z "$check" ] || test "$@" && return
    lab_say "IPv$family, $way: $what ($*)"
    failed=1
}

# Sum of a kernel's counter over nodes: total COUNTER NODE...
total() {
    local name=$1 sum=0 node
    shift
    for node; do
        sum=$((sum + $(lab_mib "$node" "$name")))
    done
    echo $sum
}

# fetching OPTION...: the client, started. fetched: when it has ended.
fetching() {
    local options=() i
    for ((i = 1; i <= FLEET_FARS; i++)); do
        [ "$family" = 4 ] && options+=(--from "10.1.$i.1") ||
            options+=(--from "2001:db8:1:$i::1")
    done
    lab_start client client "$probe" fetch "${options[@]}" \
        --connections "$connections" "$@" "$LAB_VIP" "$LAB_PORT"
}

fetched() {
    wait "${LAB_PID[client]}" ||
        lab_fail "IPv$family, $way: the client: $(cat "$LAB_DIR/client.log")"
    unset 'LAB_PID[client]'
}

ms() { # of microseconds
    awk -v us="$1" 'BEGIN {
        if (us == "never") print us
        else printf us < 99950 ? "%.1f ms" : "%.0f ms", us / 1000 }'
}

# One way out: how far the errors get, and how long nobody gets anything.
errors() {
    local sent got wrong out=IcmpOutDestUnreachs
    local in=IcmpInDestUnreachs astray=IcmpInErrors never timeouts seen
    [ "$family" = 4 ] || out=Icmp6OutPktTooBigs in=Icmp6InPktTooBigs \
        astray=Icmp6InErrors
    local narrow=$narrow share=- copies=-
    [ "$way" != wide ] || narrow=1500
    fleet_up
    "fleet_$way"
    fetching --bytes 100000 --timeout "$timeout"
    fetched
    # Whoever retransmits goes on: first what was sent, so that no error counts
    # as lost that is on its way.
    sent=$(total $out "${fars[@]}")
    got=$(total $in "${reals[@]}")
    wrong=$(total $astray "${reals[@]}")
    timeouts=$(total TcpExtTCPTimeouts "${reals[@]}")
    read -r -a seen <<<"$(lab_values client.log median_us max_us moved finished)"
    never=$((connections - seen[2]))
    if [ "$sent" -gt 0 ]; then
        share=$(awk "BEGIN { printf \"%.1f%%\", 100 * ($got - $wrong) / $sent }")
        copies=$(awk "BEGIN { printf \"%.2f\", $got / $sent }")
    elif [ "$way" != wide ]; then
        lab_fail "IPv$family, $way: nothing was too long"
    fi
    printf 'IPv%s  %-9s %7d %7s %7s %10s %10s %6d %9d\n' "$family" "$way" \
        "$sent" "$share" "$copies" "$(ms "${seen[0]}")" "$(ms "${seen[1]}")" \
        "$never" "$timeouts"
    case $way in
    wide) promise "no errors" "$sent" -eq 0 ;;
    none | blind) # K111
        promise "errors went astray" $((got - wrong)) -lt "$sent"
        promise "who is not told waits" "$never" -gt 0
        ;;
    l3) # K110, K112
        [ "$family" = 6 ] ||
            promise "each error reached its server" $((got - wrong)) -eq "$sent"
        [ "$family" = 4 ] ||
            promise "errors went astray" $((got - wrong)) -lt "$sent"
        ;;
    lb | steer) promise "one copy of each" "$got" -eq "$sent" ;;&
    unlimited) promise "a copy for all" "$got" -eq $((FLEET_HOSTS * sent)) ;;&
    lb | steer | unlimited | reflect)
        promise "each error reached its server" $((got - wrong)) -eq "$sent"
        promise "nobody waited for a timer" "$timeouts" -eq 0
        promise "all has come" "${seen[3]}" -eq "$connections"
        ;;
    esac
    lab_down "IPv$family-$way"
}

echo "$connections connections, far links of $narrow bytes, $FLEET_HOSTS servers"
echo
[ -z "$ways" ] ||
    printf '%5s %-9s %7s %7s %7s %10s %10s %6s %9s\n' '' way errors right \
        copies median max never timeouts
for family in $families; do
    for way in $ways; do
        [ "$way" = reflect ] && [ "$family" = 4 ] && continue
        errors
    done
done
if [ -z "$no_deaths" ]; then
    [ -z "$ways" ] || echo
    fleet_deaths_head
    way=lb
    for family in $families; do
        fleet_deaths
    done
fi
exit $failed
