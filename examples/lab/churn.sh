#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Real servers are added, drained and removed under long connections, and those
# that break are counted: with a table of flows and without, beside theory.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$here/lab.sh"

usage() {
    cat <<END
usage: churn.sh [OPTION...]

Holds long TCP connections open to real servers behind tunmtu-lb, on which a few
bytes are answered five times a second, and changes the rules under them with
SIGHUP. A connection whose packets go to another server than before is reset
there: it breaks.

Options:
  --build DIR        where the programs are (build/quickstart)
  --connections N    how many (200), 10 to 400
  --family 4|6       IPv4 or IPv6 (4)
  --tunnel TYPE      ipip, gue or gre (ipip)
  --io afpacket|tun  how the balancer receives and sends (afpacket)
  --short            fewer changes
  --check            exit 1 unless with the table none broke but those of the
                     server that was removed with connections on it, and without
                     it as many as Maglev moves, within four standard deviations
  --keep DIR         keep the programs' output and counters there
  --help             this

least       the share of flows that a change has to move, so that each server has
            its share then: k of n servers that come take k/n of all
Maglev      the share that it moves: those, and some more
no table    connections that broke: those that were moved
--flow-table  the same with one

Before a server is removed that was drained, all connections end and begin anew,
as they would in time; broken ones do before the next change. Without the table
all do before each change: those that stay are no fair sample of flows.
Needs no root where users may make namespaces; changes nothing outside its own.
END
}

build=$here/../../build/quickstart
connections=200 family=4 tunnel=ipip io=afpacket short='' check=''
args=("$@")
lab_arguments 'short check' \
    'build connections family tunnel io keep=LAB_KEEP' "$@"
lab_options "$family" "$io" 1 notify "$tunnel"
lab_number "$connections" 10 400 || lab_misused "--connections is 10 to 400"
lab_programs "$build" lab/tunmtu-shares
lab_enter "$0" ${args[@]+"${args[@]}"}

rows=$LAB_DIR.rows # outlives lab_down

# What the servers are after each change, by the last numbers of their addresses
# and weights; `!` in front: after all connections have ended; last, a server that
# is removed with connections on it.
first='6:1 7:1 8:1'
changes=(
    'add one|6:1 7:1 8:1 9:1'
    'add another|6:1 7:1 8:1 9:1 10:1'
    'one gets thrice the weight|6:1 7:1 8:3 9:1 10:1'
    'drain one|6:0 7:1 8:3 9:1 10:1'
    'remove what was drained|!7:1 8:3 9:1 10:1'
    'add it again|6:1 7:1 8:3 9:1 10:1'
    'remove it with connections|6:1 8:3 9:1 10:1|7'
)
[ -z "$short" ] || changes=("${changes[0]}" 'drain one|6:0 7:1 8:1 9:1'
    'remove what was drained|!7:1 8:1 9:1' 'remove it with connections|8:1 9:1|7')

prefix=10.0.0. vip=$LAB_VIP4 open='' close=''
[ "$family" = 4 ] || prefix=2001:db8:: vip=[$LAB_VIP6] open=[ close=]

rules() { # NUMBER:WEIGHT...
    local server how="-i --tun-type $tunnel"
    [ "$tunnel" != gue ] || how+=" --tun-port 6080"
    echo "-A -t $vip:$LAB_PORT -s mh -b mh-port"
    for server; do
        echo "-a -t $vip:$LAB_PORT" \
            "-r $open$prefix${server%:*}$close:$LAB_PORT $how -w ${server#*:}"
    done
}

reloads() {
    grep -c ': 1 service now, ' "$LAB_DIR/balancer.log" || :
}
# shellcheck disable=SC2317 # for lab_await
more_reloads() { # THAN
    [ "$(reloads)" -gt "$1" ]
}
# Gives the balancer these servers.
reload() {
    local before
    before=$(reloads)
    rules "$@" >"$LAB_DIR/rules.new"
    mv "$LAB_DIR/rules.new" "$LAB_DIR/rules"
    kill -HUP "${LAB_PID[balancer]}"
    lab_await balancer more_reloads "$before"
}

# Servers as tunmtu-shares wants them.
addresses() {
    local server
    for server; do
        printf '%s ' "$prefix$server"
    done
}

# Connections at the server of this number.
at() {
    lab_in "real$(($1 - 5))" ss -Htn state established "sport = :$LAB_PORT" |
        wc -l
}

# Has the client tell what it is asked for with a signal: SIGNAL PATTERN.
ask() {
    kill "-$1" "${LAB_PID[client]}"
    lab_await client grep -qs "$2" "$LAB_DIR/client.log"
}

# All changes, one after the other; a row each: broken, and how many were at the
# server that goes.
measure() { # NAME
    local i change servers goes gone renewals=0
    # A server for each number; who is not in the rules waits.
    lab_build_up "$build" notify "$family" "$io" 5 "$tunnel"
    # shellcheck disable=SC2086 # a list
    reload $first
    lab_start client client "$build/examples/lab/tunmtu-probe" busy \
        --connections "$connections" --timeout 2 "$LAB_VIP" "$LAB_PORT"
    lab_await client grep -qs '^open' "$LAB_DIR/client.log"
    for i in "${!changes[@]}"; do
        IFS='|' read -r change servers goes <<<"${changes[i]}"
        if [[ $1 = without || $servers = !* ]]; then
            renewals=$((renewals + 1))
            ask USR2 "^renewed $renewals\$"
        fi
        sleep 0.5 # all have been asked on, wherever they are
        gone=0
        [ -z "$goes" ] || gone=$(at "$goes")
        # shellcheck disable=SC2086 # a list
        reload ${servers#!}
        sleep 1 # each connection is used, five times
        ask USR1 "^$i.broken"
        echo "$1 $i $(lab_values client.log "$i.broken") $gone" >>"$rows"
    done
    lab_stop client
    lab_down "$1"
}

cell() { # NAME NUMBER COLUMN
    awk -v name="$1" -v i="$2" -v column="$3" \
        '$1 == name && $2 == i { print $column }' "$rows"
}

# What --check asks for, of one row. `moved` is in thousandths.
fits() { # MOVED WITHOUT WITH GONE
    awk -v n="$connections" -v moved="$1" -v without="$2" -v with="$3" \
        -v gone="$4" 'BEGIN {
            p = moved / 1000
            off = without - n * p
            exit !(with == gone && off * off <= 16 * n * p * (1 - p))
        }'
}

: >"$rows"
measure without
LAB_BALANCER='--flow-table 10000'
measure with

echo "IPv$family, $connections connections, $tunnel, balancer on $io"
echo
printf '%-28s %8s %8s %10s %13s\n' change least Maglev 'no table' --flow-table
before=$first bad=0
for i in "${!changes[@]}"; do
    IFS='|' read -r change servers goes <<<"${changes[i]}"
    # shellcheck disable=SC2086 # lists
    read -r moved least < <("$build/examples/lab/tunmtu-shares" \
        "$(addresses $before)" "$(addresses ${servers#!})" |
        awk '{ print $2 }' | paste -sd ' ')
    without=$(cell without "$i" 3) with=$(cell with "$i" 3)
    printf '%-28s %6.1f %% %6.1f %% %10d %13d\n' "$change" \
        "$(awk "BEGIN { print $least / 10 }")" \
        "$(awk "BEGIN { print $moved / 10 }")" "$without" "$with"
    if [ -n "$check" ] && ! fits "$moved" "$without" "$with" \
        "$(cell with "$i" 4)"; then
        lab_say "$change: not as it must be"
        bad=1
    fi
    before=${servers#!}
done
exit $bad
