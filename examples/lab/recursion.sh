#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A tunnel whose far end is reached through the tunnel itself: what becomes of
# the path MTU, in a network of its own.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$here/lab.sh"

usage() {
    cat <<END
usage: recursion.sh [OPTION...]

A host reaches T through a tunnel that ends at T. What it sends to T goes into
the tunnel; the tunnel's own packets, to T as well, come from another address O,
and a rule for O leads them out on the link. So there are two paths to T, and one
of them is shorter by the tunnel's headers. A long upload to T:

  by path    the tunnel's end remembers MTUs by source, destination and tunnel.
             The MTU falls once, by the tunnel's headers; and once more when a
             router on the way lets less through
  shared     it remembers one MTU for T. The tunnel takes what it told the host
             for what carries the tunnel, tells less, and so on, to the floor
  no rule    the tunnel's packets go into the tunnel. It says so. With the rule
             all is well

Options:
  --build DIR      where the programs are (build/quickstart)
  --mb N           megabytes of each upload (4)
  --family 4|6     4: of the tunnel and of what is inside
  --tunnel TYPE    gre or ipip (gre)
  --check          exit 1 unless all came out as described
  --keep DIR       keep the programs' output and counters there
  --help           this

Needs no root where users may make namespaces; changes nothing outside its own.
END
}

build=$here/../../build/quickstart
mb=4 family=4 tunnel=gre check=
args=("$@")
lab_arguments check 'build mb family tunnel keep=LAB_KEEP' "$@"
lab_options "$family" tun 1 "$LAB_POLICIES" "$tunnel"
[ "$tunnel" != gue ] || lab_misused "--tunnel is gre or ipip"
lab_number "$mb" 1 100000 || lab_misused "--mb is 1 to 100000"
lab_programs "$build" lab/tunmtu-tunnel
lab_enter "$0" ${args[@]+"${args[@]}"}

# T is what the lab's functions call the VIP. I is what the host sends from.
LAB_VIP4=10.0.0.6 LAB_VIP6=2001:db8::6
if [ "$family" = 4 ]; then
    T=$LAB_VIP4 O=10.0.0.4 I=10.0.0.9 floor=552 head=20 len=32
    host=10.0.0.1 gate=10.0.0.254
else
    T=$LAB_VIP6 O=2001:db8::4 I=2001:db8::9 floor=1280 head=40 len=128
    host=2001:db8::1 gate=2001:db8::fe
fi
LAB_VIP=$T
[ "$tunnel" = ipip ] || head=$((head + 4))

# up RULE [OPTION...]: the network, the command RULE, and the tunnel's end with
# these options. The client is the host, and real1 is T.
up() {
    local rule=$1
    shift
    lab_node router
    lab_set router ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
    lab_node client
    lab_link client 1
    lab_node real1
    lab_link real1 6
    lab_set client ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
    lab_tun client tunnel0
    lab_tun client under0
    lab_in client ip address add "$I/$len" dev lo
    lab_in client ip "-$family" route add "$O" dev under0
    lab_in client ip "-$family" route add "$T" dev tunnel0 src "$I"
    lab_in client ip "-$family" route add default via "$gate" dev eth0 table 100
    lab_in router ip "-$family" route add "$O" via "$host"
    lab_in router ip "-$family" route add "$I" via "$host"
    lab_real 1 "$build/examples/realserver/tunmtu-realserver"
    lab_serve 1 "$build/examples/lab/tunmtu-probe" "$T"
    "$rule"
    lab_start tunnel client "$build/examples/lab/tunmtu-tunnel" \
        --in tun:tunnel0 --out tun:under0 --local "$O" --remote "$T" \
        --tun-type "$tunnel" --counters "$LAB_DIR/tunnel.counters" "$@"
    lab_await tunnel grep -qs ready "$LAB_DIR/tunnel.log"
}

# The tunnel's own packets keep to the link.
rule() {
    lab_in client ip "-$family" rule add pref 100 from "$O" lookup 100
}

upload() { # NAME
    lab_probe $((60 + mb)) "$1" "$build/examples/lab/tunmtu-probe" upload \
        --bytes "${mb}000000"
}

fallen() { # how often an MTU fell
    awk '$2 == "learnt" { n++ } END { print n + 0 }' "$LAB_DIR/tunnel.log"
}

said() { # the word that the tunnel's end found for it, or nothing
    awk '/^tunmtu-tunnel: from / { sub(":.*", "", $6); print $6 }' \
        "$LAB_DIR/tunnel.log"
}

failed=0
# row NAME FILE FALLEN MTU WORD: prints what was seen, beside what must be.
row() {
    local times word mtu
    times=$(fallen) word=$(said) mtu=$(lab_route_mtu)
    printf '%-24s %6s %10s %8s   %s\n' "$1" "$times" "$mtu" \
        "$(lab_values "$2" mbit_s)" "${word:-nothing}"
    [ -n "$check" ] || return 0
    if [ "$times" != "$3" ] || [ "$mtu" != "$4" ] || [ "$word" != "$5" ]; then
        lab_say "$1: not as it must be: $3 times, $4 bytes, ${5:-nothing} said"
        failed=1
    fi
}

inner=$((1500 - head))
cat <<END
IPv$family, $tunnel, links of MTU 1500, $mb MB

                          times it    host's            the tunnel's end
END
printf '%-24s %6s %10s %8s   %s\n' '' fell 'route MTU' Mbit/s says

up rule
upload first
row 'by path' first 1 "$inner" ''
lab_in router ip "-$family" route change "$T" dev real1 mtu lock 1400
upload second
# Once outside, once inside: in all three times.
row 'a router takes 1400' second 3 $((1400 - head)) ''
lab_down by-path

up rule --shared
upload first
# From 1500 to the floor in steps of the headers.
row shared first $(((1500 - floor + head - 1) / head)) "$floor" shared
lab_down shared

up true
if lab_in client timeout 10 "$build/examples/lab/tunmtu-probe" upload \
    --timeout 1 "$T" "$LAB_PORT" >/dev/null 2>&1; then
    lab_fail "without a rule it should not have worked"
fi
[ "$(said)" = recursive ] || lab_fail "without a rule, it was not said why"
rule
upload first
row 'no rule, then the rule' first 1 "$inner" recursive
lab_down no-rule
exit $failed
