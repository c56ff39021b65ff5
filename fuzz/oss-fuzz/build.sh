#!/bin/bash -eu
# SPDX-License-Identifier: MIT
# Builds every fuzz target into $OUT, with its corpus, from the source folder.
# Honours CC, CXX, CFLAGS, CXXFLAGS and LIB_FUZZING_ENGINE; without an engine
# the targets replay files.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
engine=${LIB_FUZZING_ENGINE-}
includes='-Iinclude -Iexamples/pmtud -Iexamples/lb -Iexamples/common'
# shellcheck disable=SC2086
$CC ${CFLAGS-} -std=c11 -Iinclude -c lib/all.c -o "$work/lib.o"
if [ -z "$engine" ]; then
    # shellcheck disable=SC2086
    $CC ${CFLAGS-} -std=c11 -c fuzz/replay.c -o "$work/replay.o"
    engine=$work/replay.o
fi
for harness in fuzz/*.c; do
    name=$(basename "$harness" .c)
    [ "$name" != replay ] || continue
    objects=$work/$name.o
    # shellcheck disable=SC2086
    $CC ${CFLAGS-} -std=c11 $includes -c "$harness" -o "$work/$name.o"
    for part in $(grep -sv "^#" "fuzz/$name.parts"); do # of a program
        object=$work/$(basename "$part" .c).part.o
        # shellcheck disable=SC2086
        $CC ${CFLAGS-} -std=c11 $includes -c "$part" -o "$object"
        objects="$objects $object"
    done
    # The engine may be C++.
    # shellcheck disable=SC2086
    $CXX ${CXXFLAGS-} $objects "$work/lib.o" $engine -o "$OUT/fuzz_$name"
    (cd "fuzz/corpus/$name" && zip -qr "$OUT/fuzz_${name}_seed_corpus.zip" .)
    printf '[libfuzzer]\nmax_len = 2048\ntimeout = 5\n' \
        >"$OUT/fuzz_$name.options"
done
