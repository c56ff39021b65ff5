#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From a fresh checkout to the table: installs what is missing, builds, measures.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/quickstart

usage() {
    cat <<END
usage: quickstart.sh [OPTION...]

Installs the packages that are missing (Debian and its relatives; as root, else
it says which they are and exits 1), builds what the lab runs in
build/quickstart, and runs stall.sh with the options given. See stall.sh --help
for them and for what is measured. With --build DIR, it builds there. What is
built serves the other scripts of this folder as well; fleet.sh needs bird2
besides.
END
}

for ((i = 1; i <= $#; i++)); do
    case ${!i} in
    --help)
        usage
        exit
        ;;
    --build)
        i=$((i + 1))
        build=${!i:?--build needs a folder}
        ;;
    esac
done

# What is not there, by the name of its Debian package.
missing() {
    command -v cc >/dev/null || echo gcc libc6-dev
    command -v cmake >/dev/null || echo cmake
    command -v make >/dev/null || echo make
    command -v pkg-config >/dev/null || echo pkg-config
    pkg-config --exists libpcap 2>/dev/null || echo libpcap-dev
    pkg-config --exists libmicrohttpd 2>/dev/null || echo libmicrohttpd-dev
    pkg-config --exists libnetfilter_log 2>/dev/null ||
        echo libnetfilter-log-dev
    pkg-config --exists libseccomp 2>/dev/null || echo libseccomp-dev
    pkg-config --exists libcap-ng 2>/dev/null || echo libcap-ng-dev
    command -v ip >/dev/null && command -v nstat >/dev/null || echo iproute2
    command -v ethtool >/dev/null || echo ethtool
    command -v unshare >/dev/null && command -v nsenter >/dev/null ||
        echo util-linux
}

# Those of /sbin too, where a user's PATH may not lead.
PATH=$PATH:/usr/sbin:/sbin
wanted=$(missing | tr '\n' ' ')
if [ -n "$wanted" ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "quickstart.sh: missing: $wanted" >&2
        echo "quickstart.sh: as root: apt-get update &&" \
            "apt-get install --no-install-recommends $wanted" >&2
        exit 1
    fi
    echo "Installing $wanted"
    # shellcheck disable=SC2086 # a list
    DEBIAN_FRONTEND=noninteractive sh -ec '
        apt-get -q update
        apt-get -qy --no-install-recommends install "$@"' sh $wanted \
        >"${TMPDIR:-/tmp}/tunmtu-apt.$$" 2>&1 || {
        tail -n 20 "${TMPDIR:-/tmp}/tunmtu-apt.$$" >&2
        rm -f "${TMPDIR:-/tmp}/tunmtu-apt.$$"
        echo "quickstart.sh: these could not be installed: $wanted" >&2
        exit 1
    }
    rm -f "${TMPDIR:-/tmp}/tunmtu-apt.$$"
fi

echo "Building in $build"
mkdir -p "$build"
{
    cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF &&
        cmake --build "$build" --parallel \
            --target tunmtu-lb tunmtu-realserver tunmtu-probe tunmtu-hop \
            tunmtu-tunnel tunmtu-shares tunmtu-pmtud
} >"$build/quickstart.log" 2>&1 || {
    tail -n 30 "$build/quickstart.log" >&2
    echo "quickstart.sh: it did not build; all of it: $build/quickstart.log" >&2
    exit 1
}
echo
exec "$here/stall.sh" --build "$build" "$@"
