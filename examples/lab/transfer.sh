#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Transfers a long stream both ways through the balancer, in a network of its
# own, and compares the checksums of both ends, under four policies.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lab.sh
. "$here/lab.sh"

usage() {
    cat <<END
usage: transfer.sh [OPTION...]

Sends a stream from the client to the VIP, through the balancer's tunnel, and
receives another, which a real server sends directly. Each end computes a
checksum of what it sent and received: exit 1 if anything was lost or changed.

Options:
  --build DIR        where the programs are (build/quickstart)
  --mb N             megabytes each way (100)
  --family 4|6       4: of client, servers and tunnel
  --tunnel TYPE      ipip, gue or gre (ipip)
  --io afpacket|tun  how the balancer receives and sends (afpacket)
  --servers N        real servers (2)
  --offload          leaves the offloads of the links on (TSO, GSO, GRO and
                     checksums): the programs are given super-packets, of many
                     segments each, by TUN and AF_PACKET
  --path-mtu N       the router sends at most N bytes in a packet to the client,
                     and nobody else knows: what a real server sends can only
                     arrive if the router's ICMP errors, which go to the VIP,
                     are carried on to that server
  --policies "..."   some of: $LAB_POLICIES
  --keep DIR         keep the programs' output and counters there
  --help             this

Needs no root where users may make namespaces; changes nothing outside its own.
END
}

build=$here/../../build/quickstart
mb=100 family=4 tunnel=ipip io=afpacket servers=2 policies=$LAB_POLICIES path_mtu=1500
args=("$@")
lab_arguments 'offload=LAB_OFFLOAD' \
    'build mb family tunnel io servers policies path-mtu=path_mtu keep=LAB_KEEP' "$@"
lab_options "$family" "$io" "$servers" "$policies" "$tunnel"
lab_number "$mb" 1 100000 || lab_misused "--mb is 1 to 100000"
lab_number "$path_mtu" 1280 1500 || lab_misused "--path-mtu is 1280 to 1500"
lab_programs "$build"
lab_enter "$0" ${args[@]+"${args[@]}"}

cat <<END
IPv$family, $tunnel, $mb MB each way, balancer on $io${LAB_OFFLOAD:+, offloads on}

policy      to the server  checksum          to the client  checksum
END
for policy in $policies; do
    lab_build_up "$build" "$policy" "$family" "$io" "$servers" "$tunnel"
    [ "$path_mtu" = 1500 ] || lab_narrow "$path_mtu"
    # A minute, and a second for each megabyte: slower than that is broken.
    lab_probe $((60 + mb)) client "$build/examples/lab/tunmtu-probe" transfer \
        --bytes "${mb}000000"
    set -- "$policy" # what is printed
    for way in up down; do
        sum=$(lab_values client "${way}_sent")
        [ "$sum" = "$(lab_values client "${way}_received")" ] ||
            lab_fail "under $policy not everything arrived as it was sent: $way"
        rate=$(lab_values client "${way}_mbit_s")
        set -- "$@" "$rate" "$sum"
    done
    printf '%-10s %7s Mbit/s  %s  %7s Mbit/s  %s\n' "$@"
    lab_down "$policy"
done
echo
echo "Nothing was lost and nothing was changed: both ends have the same checksums."
