#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Has the kernel's verifier take examples/xdp_cpu.bpf.c, then runs it on packets:
# an ICMP error must get the CPU of the flow it quotes.
#     tests/interop/xdp.sh [SOURCE-FOLDER]
# Exit status 77 (skipped; the last line says why) where BPF is not allowed.
set -u
src=$(cd "${1:-$(dirname "$0")/../..}" && pwd) || exit 1
skip() { echo "$*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "loading a BPF program needs root"
command -v bpftool >/dev/null || { echo "bpftool is missing"; exit 1; }
if [ -z "${XDP_INSIDE-}" ]; then # a mount namespace for the bpf file system
    unshare --mount true 2>/dev/null || skip "no mount namespace can be made"
    XDP_INSIDE=1 exec unshare --mount -- "$0" "$src"
fi
out=$(mktemp -d) || exit 1
trap 'umount "$out/fs" 2>/dev/null; rm -rf "$out"' EXIT
mkdir "$out/fs"
mount -t bpf bpf "$out/fs" || skip "no BPF file system"

load() { # NAME SOURCE
    clang -target bpf -mcpu=v3 -ffreestanding -O2 -g -I"$src/include" \
        -I"$src/examples" -idirafter "/usr/include/$(uname -m)-linux-gnu" \
        -c "$2" -o "$out/$1.o" || exit 1
    bpftool prog load "$out/$1.o" "$out/fs/$1" type xdp >"$out/log" 2>&1 && return
    grep -q 'not permitted\|denied' "$out/log" && skip "bpf() is refused"
    tail -n 20 "$out/log"
    exit 1
}
load xdp_cpu "$src/examples/xdp_cpu.bpf.c"

# The same, but it tells the CPU instead of going there.
sed -e 's/return (int)bpf_redirect_map.*/return 1000 + (int)cpu;/' \
    -e 's/cpu_count = 1;/cpu_count = 251;/' -e 's/key = {0, 0}/key = {5, 6}/' \
    -e 's#"../lib/#"'"$src"'/lib/#' "$src/examples/xdp_cpu.bpf.c" >"$out/tell.c"
load tell "$out/tell.c"

cpu_of() { # HEX
    # shellcheck disable=SC2059
    printf "$(echo "$1" | tr -d " " | sed "s,..,\\\\x&,g")" >"$out/packet"
    bpftool prog run pinned "$out/fs/tell" data_in "$out/packet" repeat 1 2>&1 |
        sed -n 's/^Return value: \([0-9]*\),.*/\1/p'
}

eth="000000000000 000000000000 0800"
c2s="c000020ac6336414 9c4001bb" # 192.0.2.10:40000 > 198.51.100.20:443
s2c="c6336414c000020a 01bb9c40"
tcp4="4500002800010000 40060000"
rest="00000000 00000000 50100000 00000000"
error="4500003800010000 40010000 cb007101c000020a 03040000 000005c8"
there=$(cpu_of "$eth $tcp4 $c2s $rest")
back=$(cpu_of "$eth $tcp4 $s2c $rest")
quoting=$(cpu_of "$eth $error $tcp4 $c2s 00000000")
echo "client to server: $there, server to client: $back, error: $quoting"
[ "$there" -ge 1000 ] && [ "$there" -lt 1251 ] && [ "$there" != "$back" ] &&
    [ "$quoting" = "$back" ] || { echo "these are wrong"; exit 1; }
# 2: stays where it is
[ "$(cpu_of "${eth% 0800} 86dd $tcp4 $c2s $rest")" = 2 ] &&
    [ "$(cpu_of "$eth $error $tcp4 ${c2s% *} 9c")" = 2 ] ||
    { echo "IPv6 or a cut quote is not left alone"; exit 1; }
echo "taken by the verifier of $(uname -r)"
