#!/bin/sh
# SPDX-License-Identifier: MIT
# One of the lab's scripts as a test.
#     tests/lab.sh SCRIPT BUILD-FOLDER [OPTION...]
# fleet.sh shows what Linux does with the errors of routers (K110, K111, K112).
# Exit 77 where it cannot be tried; the last line says why.
set -u
PATH=$PATH:/usr/sbin:/sbin
script=$(dirname "$0")/../examples/lab/$1
build=$2
shift 2
for tool in bash unshare nsenter ip ethtool nstat awk timeout; do
    command -v $tool >/dev/null || { echo "lab: there is no $tool"; exit 77; }
done
[ "${script##*/}" != fleet.sh ] || command -v bird >/dev/null ||
    { echo "lab: there is no bird (Debian: bird2)"; exit 77; }
unshare -nm true 2>/dev/null || unshare -Urnm true ||
    { echo "lab: namespaces are not possible here"; exit 77; }
[ -w /dev/net/tun ] || { echo "lab: /dev/net/tun cannot be used"; exit 77; }
# LeakSanitizer looks itself up in /proc, which has not the lab's numbers.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS
exec "$script" --build "$build" "$@"
