#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the library at each level at which it can be taken: whole as one file,
# core freestanding, core for BPF. Says which compiler is not there.
#     tests/levels.sh [SOURCE-FOLDER]
set -u
cd "${1:-$(dirname "$0")/..}" || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
bad=0 built=0
complain() { echo "$*"; bad=1; }

# An object wants nothing from outside but mem* (clang's memcmp for equality is
# bcmp; 32 bits divide 64 by a function), and holds no state of its own.
pure() { # OBJECT WHAT [NM]
    wants=$(${3:-nm} -u "$1" | sed 's/.* U //' |
        grep -vx 'memcpy\|memset\|memmove\|memcmp\|bcmp\|__u\{0,1\}divdi3')
    [ -z "$wants" ] || complain "$2: undefined:" $wants
    state=$(${3:-nm} "$1" | sed -n 's/^[^ ]* [BbCDdGgSs] //p')
    [ -z "$state" ] || complain "$2: writable data:" $state
}

build() { # WHAT COMPILER-AND-FLAGS...: compiles $file to $out/one.o
    what=$1
    shift
    if ! command -v "$1" >/dev/null; then
        echo "$what: not built, $1 is missing"
        return 1
    fi
    "$@" -std=gnu11 -Iinclude -Wall -Wextra -pedantic -Werror \
        -c "$file" -o "$out/one.o" || { complain "$what: does not build"; return 1; }
    built=$((built + 1))
    echo "$what: $("$1" -dumpversion), $(wc -c <"$out/one.o") bytes of object"
}

for cc in gcc clang; do
    for opt in -O2 -Os -O0; do
        file=lib/all.c
        build "all, $cc $opt" $cc $opt -fno-pic -fno-pie && pure "$out/one.o" "all, $cc $opt"
    done
    file=lib/core.c
    build "core freestanding, $cc" $cc -O2 -ffreestanding -nostdlib -fno-pic &&
        pure "$out/one.o" "core freestanding, $cc"
    # In one object with its user: nothing is exported, nothing left over.
    build "core static inline, $cc" $cc -O2 -ffreestanding \
        '-DTMTU_API=static inline __attribute__((unused))' && pure "$out/one.o" "core, $cc"
done

# Where size_t has 32 bits.
file=lib/all.c
if gcc -m32 -x c -c /dev/null -o "$out/none.o" 2>/dev/null; then
    build "all freestanding, 32 bits" gcc -m32 -O2 -ffreestanding -fno-pic &&
        pure "$out/one.o" "all, 32 bits"
else
    echo "all freestanding, 32 bits: not built, gcc knows no -m32"
fi
file=lib/core.c
build "core freestanding, arm" arm-none-eabi-gcc -Os -mthumb -ffreestanding \
    -nostdlib && pure "$out/one.o" "core, arm" arm-none-eabi-nm

# The small example links with lib/all.c and nothing else, and says what the
# README says it says.
file=examples/minimal.c
if build "examples/minimal.c" "${CC:-cc}" -O2; then
    "${CC:-cc}" -std=c11 -Iinclude -o "$out/minimal" examples/minimal.c \
        lib/all.c && "$out/minimal" >"$out/said" ||
        complain "examples/minimal.c: does not run"
    sed -n 's#^ \* says: ##p' examples/minimal.c >"$out/should"
    [ -s "$out/should" ] && diff "$out/should" "$out/said" ||
        complain "examples/minimal.c: does not say what it says it says"
fi
# The README's C block is that file, from the first #include on.
sed -n '/^```c$/,/^```$/p' README.md | sed '/^```/d' >"$out/readme.c"
sed -n '/^#include/,$p' examples/minimal.c | diff - "$out/readme.c" ||
    complain "README.md: its C block is not examples/minimal.c"

# -ffreestanding, or <stdint.h> asks for the 32-bit libc; -idirafter for
# <asm/types.h>. tests/interop/xdp.sh loads the example.
for file in tests/core.bpf.c examples/xdp_cpu.bpf.c; do
    build "$file" clang -target bpf -mcpu=v3 -ffreestanding -O2 -g \
        -Wno-language-extension-token \
        -idirafter "/usr/include/$(uname -m)-linux-gnu"
done

[ $bad = 0 ] && echo "$built builds, all as they should be"
exit $bad
