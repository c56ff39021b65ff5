#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lets the path between the balancer and the real server shrink while clients
# are sending, and measures how soon they know, under four policies.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$here/lab.sh"

usage() {
    cat <<END
usage: shrink.sh [OPTION...]

Between the balancer and the real server is a router whose link there goes from
1500 bytes to 1400. It answers tunnel packets that are too long, and its answer
goes to the balancer: what becomes of it decides what the client learns. Twice:

  one by one  connections that have sent segments of full size before, send one
              more each after the shrink, one connection after the other
  a stream    a long upload, and the link shrinks in the middle of it

The router quotes much of the packet (548 bytes; IPv6: 1232), or as little as it
may (28; IPv6: 48): then nobody can know from the quote whose packet it was.

Options:
  --build DIR        where the programs are (build/quickstart)
  --mb N             megabytes of the stream (100)
  --connections N    one by one (8), at least 2
  --to N             bytes that the link shrinks to (1400), at least 1280
  --pairs "..."      of families, inner in outer: 4in4 6in4 4in6 6in6 (all)
  --quotes "..."     long, short or both of them (both)
  --tunnel TYPE      ipip, gue or gre (ipip)
  --io afpacket|tun  how the balancer receives and sends (afpacket)
  --policies "..."   some of: $LAB_POLICIES
  --check            exit 1 unless, one by one, no more than the first packet
                     was lost, and the client's route then had the right MTU:
                     what the link carries less the tunnel's headers, for IPv6
                     1280 if that is more. (Under fragment it is told nothing)
  --keep DIR         keep the programs' output and counters there
  --help             this

lost        packets that the router dropped because they were too long
first       how long the segment of the first connection took; then the median
            of the others: about 200 ms when the client's kernel knew, refused
            to send packets of the old size, and TCP waited for its timer
progress    from the shrink until more of the stream had got there: the end of
            the longest pause that began within 50 ms after the shrink
ICMP        errors that reached the client after the shrink

Whatever is not delivered as it was sent, or not within ten seconds, is an error.
Needs no root where users may make namespaces; changes nothing outside its own.
END
}

build=$here/../../build/quickstart
mb=100 connections=8 to=1400 pairs='4in4 6in4 4in6 6in6' quotes='long short'
tunnel=ipip io=afpacket policies=$LAB_POLICIES check=
args=("$@")
lab_arguments check \
    'build mb connections to pairs quotes tunnel io policies keep=LAB_KEEP' "$@"
lab_options 4 "$io" 1 "$policies" "$tunnel"
# Less is no middle of a stream: what fits into the sockets at once.
lab_number "$mb" 10 100000 || lab_misused "--mb is 10 to 100000"
lab_number "$connections" 2 500 || lab_misused "--connections is 2 to 500"
lab_number "$to" 1280 1499 || lab_misused "--to is 1280 to 1499"
for pair in $pairs; do
    [[ $pair == [46]in[46] ]] || lab_misused "there is no pair $pair"
done
for quote in $quotes; do
    [[ $quote =~ ^(long|short)$ ]] || lab_misused "there is no quote $quote"
done
lab_programs "$build" lab/tunmtu-hop
lab_enter "$0" ${args[@]+"${args[@]}"}

probe=$build/examples/lab/tunmtu-probe
rows=$LAB_DIR.rows # outlives lab_down

# The MTU that a client has to learn: expected INNER OUTER
expected() {
    local overhead=20 mtu
    case $tunnel in
    gre) overhead=24 ;;
    gue) overhead=32 ;;
    esac
    [ "$2" = 4 ] || overhead=$((overhead + 20))
    mtu=$((to - overhead))
    [ "$1" = 4 ] || [ "$mtu" -ge 1280 ] || mtu=1280
    echo "$mtu"
}

# What the client's kernel was told by others so far.
told() {
    if [ "$family" = 4 ]; then
        echo $(($(lab_mib client IcmpInDestUnreachs) - \
            $(lab_mib client IcmpOutDestUnreachs)))
    else
        lab_mib client Icmp6InPktTooBigs
    fi
}

lost() {
    awk '$2 == "too_big" { n++ } END { print n + 0 }' "$LAB_DIR/hop.log"
}

# up POLICY [OPTION...]: the network, with a hop of these options.
up() {
    local policy=$1
    shift
    LAB_HOP="--then $to $*"
    [ "$quote" = long ] || LAB_HOP+=" --quote4 28 --quote6 48"
    lab_build_up "$build" "$policy" "$family" "$io" 1 "$tunnel"
}

# Sets `seen` to lost, first, median, icmp and mtu.
one_by_one() {
    local policy=$1 before
    up "$policy"
    lab_start client client "$probe" stall --hold --connections "$connections" \
        "$LAB_VIP" "$LAB_PORT"
    lab_await client grep -qs '^held' "$LAB_DIR/client.log"
    before=$(told)
    kill -USR1 "${LAB_PID[hop]}"
    lab_await hop grep -qs ' mtu ' "$LAB_DIR/hop.log"
    kill -USR1 "${LAB_PID[client]}"
    wait "${LAB_PID[client]}" || lab_fail "$pair, $policy, $quote quotes:" \
        "the client gave up after the shrink"
    unset 'LAB_PID[client]'
    seen="$(lost) $(lab_values client.log first_us median_us)"
    seen+=" $(($(told) - before)) $(lab_route_mtu)"
    lab_down "one-by-one-$pair-$policy-$quote"
}

# When the shrink was, from what the hop said.
shrunk() {
    awk '$2 == "mtu" { print $1; found = 1 } END { exit !found }' \
        "$LAB_DIR/hop.log"
}

# Microseconds from time $1 until more had got there, out of the timeline.
progress() {
    awk -v at="$1" '
        NR > 1 && $1 > at && last < at + 50000 && $1 - last > longest {
            longest = $1 - last
            until = $1 - at
        }
        { last = $1 }
        END { print until + 0 }' "$LAB_DIR/timeline"
}

# Adds lost, progress, pause, rate, icmp and mtu to `seen`.
stream() {
    local policy=$1 before at
    up "$policy" --after "$((mb * 500000))"
    # What the path carries before the shrink is known by then.
    lab_probe 60 warm "$probe" stall --connections 2
    before=$(told)
    lab_probe $((60 + mb)) client "$probe" upload --bytes "${mb}000000" \
        --timeline "$LAB_DIR/timeline"
    at=$(shrunk) || lab_fail "the path did not shrink: too little was sent"
    seen+=" $(lost) $(progress "$at")"
    seen+=" $(lab_values client pause_us mbit_s)"
    seen+=" $(($(told) - before)) $(lab_route_mtu)"
    lab_down "stream-$pair-$policy-$quote"
}

heading() {
    cat <<END
$tunnel, 1500 to $to bytes, $connections connections, $mb MB, balancer on $io

                       one by one                                  a stream
END
    printf '%-4s %-8s %-5s %5s %10s %9s %5s %5s   %5s %10s %10s %7s %5s %5s\n' \
        pair policy quote lost first median ICMP MTU \
        lost progress 'max pause' Mbit/s ICMP MTU
}

# Of: pair policy quote, lost first median icmp mtu, lost progress pause rate
# icmp mtu
row() {
    awk 'function ms(us) { return sprintf("%.1f ms", us / 1000) }
        { printf "%-4s %-8s %-5s %5d %10s %9s %5d %5d   %5d %10s %10s %7d %5d" \
              " %5d\n", $1, $2, $3, $4, ms($5), ms($6), $7, $8, $9, ms($10),
              ms($11), $12, $13, $14 }'
}

# Under fragment the client is told nothing, and need not know.
promises() {
    awk -v want="$1" '
        function bad(what) {
            print "shrink.sh: " $1 ", " $2 ", " $3 " quotes: " what
            wrong = 1
        }
        $4 > 1 { bad($4 " packets were lost before all connections knew") }
        $2 == "fragment" { next }
        $4 == 0 { bad("nothing was too long: it shows nothing") }
        $8 != want { bad("one by one, the client believes in " $8 \
            " bytes, not " want) }
        $14 != want { bad("after the stream, the client believes in " $14 \
            " bytes, not " want) }
        END { exit wrong }' >&2
}

heading
failed=0
for pair in $pairs; do
    family=${pair%in*} LAB_UNDERLAY=${pair#*in}
    for policy in $policies; do
        for quote in $quotes; do
            one_by_one "$policy"
            stream "$policy"
            echo "$pair $policy $quote $seen" >"$rows"
            row <"$rows"
            [ -z "$check" ] ||
                promises "$(expected "${pair%in*}" "${pair#*in}")" <"$rows" ||
                failed=1
        done
    done
done
echo
echo "Every byte arrived as it was sent."
exit $failed
