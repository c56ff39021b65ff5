#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Transfers a long stream both ways through the balancer, in a network of its
# own, and compares the checksums of both ends, under four policies.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$here/net.sh"

usage() {
    cat <<END
usage: transfer.sh [OPTION...]

Sends a stream from the client to the VIP, through the balancer's tunnel, and
receives another, which a real server sends directly. Each end computes a
checksum of what it sent and received: exit 1 if anything was lost or changed.

Options:
  --build DIR        where the programs are (build/quickstart)
  --mb N             megabytes each way (100)
  --family 4|6       4
  --io afpacket|tun  how the balancer receives and sends (afpacket)
  --servers N        real servers (2)
  --policies "..."   some of: $LAB_POLICIES
  --keep DIR         keep the programs' output and counters there
  --help             this

Needs no root where users may make namespaces; changes nothing outside its own.
END
}

build=$here/../../build/quickstart
mb=100 family=4 io=afpacket servers=2 policies=$LAB_POLICIES
args=("$@")
while [ $# -gt 0 ]; do
    case $1 in
    --help)
        usage
        exit
        ;;
    --build | --mb | --family | --io | --servers | --policies | --keep)
        [ $# -ge 2 ] || lab_misused "$1 needs a value"
        ;;&
    --build) build=$2 ;;
    --mb) mb=$2 ;;
    --family) family=$2 ;;
    --io) io=$2 ;;
    --servers) servers=$2 ;;
    --policies) policies=$2 ;;
    --keep) LAB_KEEP=$2 ;;
    *) lab_misused "unknown option $1" ;;
    esac
    shift 2
done
lab_options "$family" "$io" "$servers" "$policies"
lab_number "$mb" 1 100000 || lab_misused "--mb is 1 to 100000"
lab_programs "$build"
lab_enter "$0" ${args[@]+"${args[@]}"}

cat <<END
IPv$family, $mb MB each way, balancer on $io

policy      to the server  checksum          to the client  checksum
END
for policy in $policies; do
    lab_build_up "$build" "$policy" "$family" "$io" "$servers"
    # A minute, and a second for each megabyte: slower than that is broken.
    lab_probe $((60 + mb)) client "$build/examples/lab/tunmtu-probe" transfer \
        --bytes "${mb}000000"
    for way in up down; do
        sent=$(lab_value client "${way}_sent")
        [ "$sent" = "$(lab_value client "${way}_received")" ] ||
            lab_fail "under $policy not everything arrived as it was sent: $way"
    done
    printf '%-10s %7s Mbit/s  %s  %7s Mbit/s  %s\n' "$policy" \
        "$(lab_value client up_mbit_s)" "$(lab_value client up_received)" \
        "$(lab_value client down_mbit_s)" "$(lab_value client down_received)"
    lab_down "$policy"
done
echo
echo "Nothing was lost and nothing was changed: both ends have the same checksums."
