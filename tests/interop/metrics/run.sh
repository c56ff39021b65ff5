#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the programs serve at --metrics, in a network namespace of its own: held
# against the format, the counters file, promtool and the example dashboard.
#     tests/interop/metrics/run.sh TUNMTU-LB TUNMTU-REALSERVER TUNMTU-PMTUD
# Exit 77: it cannot be tried here, and the last line says why.
set -u
PATH=$PATH:/usr/sbin:/sbin
if [ "${1-}" != --inside ]; then
    for tool in unshare ip python3; do
        command -v $tool >/dev/null || { echo "there is no $tool"; exit 77; }
    done
    [ -c /dev/net/tun ] || { echo "there is no /dev/net/tun"; exit 77; }
    unshare -Urn true 2>/dev/null || { echo "no namespaces here"; exit 77; }
    exec unshare -Urn "$0" --inside "$@"
fi
shift
ip link set lo up || exit 1
ip link add name veth0 type veth peer name veth1 2>/dev/null || {
    echo "no veth here"; exit 77; }
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
PYTHONDONTWRITEBYTECODE=1 python3 "$(dirname "$0")/story.py" "$out" "$@"
