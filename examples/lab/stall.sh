#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures, in a network of its own, how long the first full-size segment of
# each connection through a load balancer's tunnel takes, under four policies.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$here/lab.sh"

usage() {
    cat <<END
usage: stall.sh [OPTION...]

A client opens connections to the VIP and says a few bytes on each. Then each
connection sends exactly one segment of full size, one connection after the
other. In the tunnel it would be too long, by 20 bytes (GUE: 32, GRE: 24; IPv6:
20 more). What happens next depends on the balancer's policy:

  notify    it answers "too big, next-hop MTU 1480" (or what it is) and drops
  both      it forwards in fragments, and answers the same
  fragment  it forwards in fragments, and says nothing
  clamp     as notify, but the real servers have lowered the MSS in their
            SYN-ACK, so that nothing is too long

Options:
  --build DIR        where the programs are (build/quickstart)
  --connections N    32, at least 2
  --family 4|6       4: of client, servers and tunnel
  --tunnel TYPE      ipip, gue or gre (ipip)
  --io afpacket|tun  how the balancer receives and sends (afpacket)
  --servers N        real servers (2)
  --policies "..."   some of: $LAB_POLICIES
  --check            exit 1 unless fragment and clamp came out as they must: no
                     connection stalled, no ICMP, the client's route untouched;
                     and notify and both made the balancer answer
  --keep DIR         keep the programs' output and counters there
  --help             this

The latencies are of all connections but the first, which has its own column.
"client's own ICMP" counts what the client's kernel said to itself because a
packet was too long for its route (IcmpOutDestUnreachs); for IPv6, where it
refuses without a message, "client's own refusals" counts those (Ip6FragFails).

Needs no root where users may make namespaces; changes nothing outside its own.
END
}

build=$here/../../build/quickstart
connections=32 family=4 tunnel=ipip io=afpacket servers=2
policies=$LAB_POLICIES check=
args=("$@")
lab_arguments check \
    'build connections family tunnel io servers policies keep=LAB_KEEP' "$@"
lab_options "$family" "$io" "$servers" "$policies" "$tunnel"
lab_number "$connections" 2 500 || lab_misused "--connections is 2 to 500"
lab_programs "$build"
lab_enter "$0" ${args[@]+"${args[@]}"}

# The counter of the balancer's file that counts its FRAG_NEEDED and Packet Too
# Big; the client's counters of such errors received, and of what its own kernel
# refused (the IPv4 errors that it then sends itself are received as well).
answered=answered.too_big
if [ "$family" = 4 ]; then
    received=IcmpInDestUnreachs own=IcmpOutDestUnreachs own_name=ICMP
else
    received=Icmp6InPktTooBigs own=Ip6FragFails own_name=refusals
fi

rows=$LAB_DIR.rows # outlives lab_down

# Runs one policy in a fresh network, and writes its row.
measure() {
    local policy=$1 seen mtu own_icmp icmp row
    lab_build_up "$build" "$policy" "$family" "$io" "$servers" "$tunnel"
    lab_probe 60 client "$build/examples/lab/tunmtu-probe" stall \
        --connections "$connections"
    # Before the programs stop: the route is as the last segment found it.
    mtu=$(lab_route_mtu)
    own_icmp=$(lab_mib client "$own")
    seen=$(lab_mib client "$received")
    [ "$family" = 6 ] || seen=$((seen - own_icmp))
    lab_stop balancer
    icmp=$(lab_values balancer.counters "$answered")
    [ "$icmp" -eq "$seen" ] || lab_say "note: under $policy the balancer sent" \
        "$icmp ICMP errors, $seen reached the client"
    row="$policy $(lab_values client median_us p99_us max_us first_us)"
    row+=" $icmp $own_icmp $(lab_values client retransmissions) $mtu"
    row+=" $(lab_values client stalled)"
    echo "$row" >>"$rows"
    lab_down "$policy"
}

row() {
    awk 'function ms(us) { return sprintf("%.2f ms", us / 1000) }
        { printf "%-9s %11s %11s %11s %11s %9s %12s %7s %10s\n", $1, ms($2),
          ms($3), ms($4), ms($5), $6, $7, $8, $9 }'
}

heading() {
    cat <<END
IPv$family, $connections connections, links of MTU 1500, $tunnel, $servers real servers, balancer on $io

          first full-size segment of the connections      ICMP by  client's own  re-     client's
END
    printf '%-9s %11s %11s %11s %11s %9s %12s %7s %10s\n' policy median p99 max \
        'the first' balancer "$own_name" trans. 'route MTU'
}

# One sentence about the rows, made of their numbers alone.
verdict() {
    awk -v others=$((connections - 1)) '
        function ms(us) {
            return sprintf(us < 10000 ? "%.1f ms" : "%.0f ms", us / 1000)
        }
        function list(l, n,   i, s) {
            for (i = 1; i <= n; i++)
                s = s (i == 1 ? "" : i == n ? " and " : ", ") l[i]
            return s
        }
        $10 > 0 {
            slow[++s] = $1
            took[s] = ms($2)
            stalled += $10
            learned += $9 < 1500
            refused += $7 > 0
        }
        $10 == 0 {
            good[++g] = $1
            if ($4 > worst) worst = $4
        }
        END {
            if (s == 0) {
                print "Under " list(good, g) " no connection stalled: the " \
                    "longest took " ms(worst) "."
                exit
            }
            line = "Under " list(slow, s) ", " stalled " of the " s * others \
                " connections after the first stalled (median " list(took, s) ")"
            if (learned == s)
                line = line ", after the answer to the first had lowered the " \
                    "MTU of the client\047s route"
            if (refused == s)
                line = line " and the client\047s own kernel refused packets of " \
                    "the old size"
            if (g > 0)
                line = line "; under " list(good, g) " no connection waited " \
                    "longer than " ms(worst)
            print line "."
        }' "$rows"
}

# What fragment and clamp promise, and that the others had something to say.
promises() {
    awk '($1 == "fragment" || $1 == "clamp") &&
            ($10 != 0 || $6 != 0 || $7 != 0 || $9 != 1500) ||
        ($1 == "notify" || $1 == "both") && ($6 == 0 || $9 == 1500) {
            print "stall.sh: " $1 " did not come out as it must"; bad = 1
        }
        END { exit bad }' "$rows" >&2
}

heading
for policy in $policies; do
    measure "$policy"
    tail -n 1 "$rows" | row
done
echo
verdict
if [ -n "$check" ] && ! promises; then
    exit 1
fi
