#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything there is to check, in one command.
set -u

usage() {
    cat <<END
usage: tests/run.sh [OPTION...]

On a fresh Debian 12: installs what is missing (as root; else it says what is),
builds with gcc and clang with warnings as errors, runs the tests under ASan and
UBSan, replays and extends the fuzz corpora, installs and consumes the
libraries, builds the manual, and runs the programs in network namespaces. A
step that fails does not stop the others. Ends with the number of tests passed,
failed and skipped; exit 1 if one failed, 2 if a package is missing.

Options:
  --quick      without fuzzing, the lab and what needs namespaces
  --fuzz N     seconds of libFuzzer for each harness (10)
  --keep DIR   build in DIR and leave it there
  --help       this
END
}

quick='' seconds=10 keep=''
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=yes ;;
    --fuzz) seconds=${2?--fuzz needs a number} && shift ;;
    --keep) keep=${2?--keep needs a folder} && shift ;;
    --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done

src=$(cd "$(dirname "$0")/.." && pwd)
cd "$src" || exit 1
shopt -s nullglob
PATH=$PATH:/usr/sbin:/sbin # ip, ethtool, bpftool
started=$SECONDS
passed=0 failed=0 skipped=0
failures=() skips=()

# ---- what is needed ---------------------------------------------------------

packages=(gcc g++ libc6-dev clang llvm libclang-rt-14-dev cmake ninja-build
    pkg-config libpcap-dev libmicrohttpd-dev libnetfilter-log-dev
    libseccomp-dev libcap-ng-dev libcmocka-dev linux-libc-dev libbpf-dev
    binutils nftables python3 python3-scapy doxygen tshark bpftool iproute2
    ethtool procps util-linux user-mode-linux ipvsadm kmod bird2 keepalived)
if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian: nothing is installed. Needed are what these"
    echo "packages hold: ${packages[*]}"
else
    missing=()
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
            grep -q 'ok installed' || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        install="apt-get install -y --no-install-recommends ${missing[*]}"
        if [ "$(id -u)" != 0 ]; then
            echo "run.sh: missing: ${missing[*]}" >&2
            echo "run.sh: as root: apt-get update && $install" >&2
            exit 2
        fi
        echo "== installing ${missing[*]}"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq && $install -qq >/dev/null || {
            echo "run.sh: these could not be installed: ${missing[*]}" >&2
            exit 2
        }
    fi
fi

if [ -n "$keep" ]; then
    mkdir -p "$keep" && out=$(cd "$keep" && pwd) || exit 1
else
    out=$(mktemp -d) || exit 1
    trap 'rm -rf "$out"' EXIT
fi

# ---- steps ------------------------------------------------------------------

log_of() { # STEP
    echo "$out/$(tr -c 'A-Za-z0-9\n' - <<<"$1").log"
}

# step NAME COMMAND...: 0 passed, 77 skipped (its last line says why), else
# failed. A ctest counts as the tests it ran.
step() {
    local name=$1 log rc begin=$SECONDS tests=1 bad=0 left=0 what
    shift
    log=$(log_of "$name")
    printf '== %-46s ' "$name"
    "$@" >"$log" 2>&1 </dev/null
    rc=$?
    if what=$(grep -E '[0-9]+% tests passed, ' "$log"); then
        tests=$(sed 's/.* out of //' <<<"$what")
        bad=$(sed 's/.* passed, \([0-9]*\) .*/\1/' <<<"$what")
        left=$(grep -c '\*\*\*Skipped' "$log")
    fi
    case $rc in
    0)
        what=ok && passed=$((passed + tests - left))
        if [ "$left" -gt 0 ]; then
            skipped=$((skipped + left))
            skips+=("$name: $(grep '\*\*\*Skipped' "$log" | tr -s ' .' ' ')")
        fi
        ;;
    77)
        what=skipped && skipped=$((skipped + 1))
        skips+=("$name: $(tail -n 1 "$log")")
        ;;
    *)
        [ "$bad" -gt 0 ] || bad=1
        what=FAILED && failed=$((failed + bad))
        passed=$((passed + tests - bad - left))
        skipped=$((skipped + left))
        failures+=("$name")
        ;;
    esac
    [ "$tests" = 1 ] || what="$what, $tests tests"
    printf '%4d s  %s\n' $((SECONDS - begin)) "$what"
    [ "$rc" = 0 ] || [ "$rc" = 77 ] ||
        grep -vE '^(\[[0-9]+/[0-9]+\] [BLC]| *[0-9]+/[0-9]+ Test.* Passed)' \
            "$log" | sed 's/^/    /' | tail -n 60
    return $rc
}

# Lines out of a step's log, for the reader.
quote() { # STEP REGEX
    grep -sE "$2" "$(log_of "$1")" | sed 's/^/    /'
}

configure() { # FOLDER CC CXX OPTION...
    local dir=$1 cc=$2 cxx=$3
    shift 3
    CC=$cc CXX=$cxx cmake -S . -B "$out/$dir" -G Ninja -DTMTU_WERROR=ON "$@"
}

build() { # FOLDER CC CXX OPTION...
    configure "$@" && cmake --build "$out/$1" -j2
}

san='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
export UBSAN_OPTIONS=print_stacktrace=1

# What its threads do at the same time shows only while they run.
threads() {
    configure threads clang clang++ -DCMAKE_BUILD_TYPE=Debug \
        "-DCMAKE_C_FLAGS=-O1 -fsanitize=thread" &&
        cmake --build "$out/threads" -j2 --target tunmtu-lb lb_fleet_flows
}

# Labels: tree is about the sources, interop is about others, kernel needs
# namespaces: once is enough, with the sanitizers.
check() { # FOLDER NOT-LABEL
    ctest --test-dir "$out/$1" --output-on-failure -j2 \
        -LE "${quick:+kernel|}${2-none}"
}
step "gcc, release build" \
    build gcc gcc g++ -DCMAKE_BUILD_TYPE=Release &&
    step "tests" check gcc "tree|interop|kernel"
step "gcc, ASan and UBSan build" \
    build gcc-san gcc g++ -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_FLAGS=-O1 $san" &&
    step "tests, gcc with ASan and UBSan" check gcc-san
step "clang, ASan and UBSan build" \
    build clang-san clang clang++ -DCMAKE_BUILD_TYPE=Debug \
    "-DCMAKE_C_FLAGS=-O1 $san" &&
    step "tests, clang with ASan and UBSan" check clang-san \
        "tree|interop|kernel"
step "clang, release build" \
    build clang clang clang++ -DCMAKE_BUILD_TYPE=Release
step "install, consume, exported symbols" tests/install.sh
step "manual" cmake --build "$out/gcc" --target docs

# ---- judged by others -------------------------------------------------------

# What the offline test expects to be sent is what was sent, if it passed.
step "tshark on what we emit" \
    tests/interop/tshark.sh tests/offline/*/{out,tun,host}.pcap

# ---- fuzzing ----------------------------------------------------------------

harnesses=()
for harness in fuzz/*.c; do
    harness=$(basename "$harness" .c)
    [ "$harness" = replay ] || harnesses+=("$harness")
done

# New units go to a folder of their own, never into the corpus.
fuzz_one() {
    local dir=$out/new/$1 rc
    mkdir -p "$dir"
    "$out/fuzz/fuzz/fuzz_$1" -max_total_time="$seconds" -max_len=2048 \
        -timeout=5 -print_final_stats=1 -artifact_prefix="$dir/found-" \
        "$dir" "fuzz/corpus/$1" >"$out/fuzz_$1.out" 2>&1
    rc=$?
    [ $rc = 0 ] || tail -n 40 "$out/fuzz_$1.out"
    awk -v name="$1" '/number_of_executed_units/ { n = $2 }
        /cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
        END { printf "%s: %d executions, %d edges\n", name, n, cov }' \
        "$out/fuzz_$1.out"
    return $rc
}

fuzz_all() { # two at a time
    local rc=0 i pids
    for ((i = 0; i < ${#harnesses[@]}; i += 2)); do
        pids=()
        for harness in "${harnesses[@]:i:2}"; do
            fuzz_one "$harness" &
            pids+=($!)
        done
        for pid in "${pids[@]}"; do
            wait "$pid" || rc=1
        done
    done
    return $rc
}

if [ -z "$quick" ]; then
    step "fuzz targets" build fuzz clang clang++ -DTMTU_FUZZ=ON \
        -DTMTU_IO=OFF -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_FLAGS=-O1 $san" &&
        step "fuzzing, $seconds s each" fuzz_all
    quote "fuzzing, $seconds s each" '^[a-z]*: [0-9]* executions'
fi

# ---- on a kernel ------------------------------------------------------------

# COMMAND in namespaces; skipped only where none can be made.
isolated() {
    if ! unshare -nm true 2>/dev/null && ! unshare -Urnm true 2>/dev/null; then
        echo "no namespaces can be made here"
        return 77
    fi
    "$@"
}

if [ -z "$quick" ]; then
    step "XDP example" tests/interop/xdp.sh
    for family in 4 6; do
        step "lab, first segments, IPv$family" isolated \
            examples/lab/stall.sh --build "$out/gcc" --family $family --check
        quote "lab, first segments, IPv$family" '^ *(notify|both|fragment|clamp) '
        step "lab, 100 MB both ways, IPv$family" isolated \
            examples/lab/transfer.sh --build "$out/gcc" --family $family
        step "lab, super-packets both ways, IPv$family" isolated \
            examples/lab/transfer.sh --build "$out/gcc" --family $family --offload
        for tunnel in gue gre; do
            step "lab, $tunnel, first segments, IPv$family" isolated \
                examples/lab/stall.sh --build "$out/gcc" --family $family \
                --tunnel $tunnel --connections 8 --check
            step "lab, $tunnel, 100 MB both ways, IPv$family" isolated \
                examples/lab/transfer.sh --build "$out/gcc" --family $family \
                --tunnel $tunnel
        done
    done
    step "lab, readdressed, 100 MB both ways" isolated \
        examples/lab/nat.sh --build "$out/gcc" --mb 100 --io afpacket
    step "lab, readdressed, super-packets, TUN too" isolated \
        examples/lab/nat.sh --build "$out/gcc" --offload
    step "lab, direct routing" isolated \
        examples/lab/direct.sh --build "$out/gcc" --mb 100
    step "lab, direct routing, super-packets" isolated \
        examples/lab/direct.sh --build "$out/gcc" --mb 100 --offload
    step "lab, the path shrinks" isolated \
        examples/lab/shrink.sh --build "$out/gcc" --mb 20 \
        --policies "notify fragment" --check
    quote "lab, the path shrinks" '^[46]in[46] '
    for tunnel in gue gre; do
        step "lab, $tunnel, the path shrinks" isolated examples/lab/shrink.sh \
            --build "$out/gcc" --tunnel $tunnel \
            --policies notify --mb 20 --check
    done
    for family in 4 6; do
        step "lab, a tunnel's end behind it, IPv$family" isolated \
            examples/lab/recursion.sh --build "$out/gcc" --family $family --check
        quote "lab, a tunnel's end behind it, IPv$family" '(nothing|shared|recursive)$'
    done
    step "tunmtu-lb with ThreadSanitizer" threads &&
        step "queues and rules that change, ThreadSanitizer" isolated \
            tests/interop/lb_fleet.sh "$out/threads/examples/lb/tunmtu-lb" \
            "$out/threads/tests/lb_fleet_flows" 5000
fi

# ---- the end ----------------------------------------------------------------

echo "== $((SECONDS - started)) s"
for what in ${failures[@]+"${failures[@]}"}; do
    echo "failed: $what"
done
for what in ${skips[@]+"${skips[@]}"}; do
    echo "skipped: $what"
done
[ -z "$quick" ] || echo "not run (--quick): fuzzing, namespaces, the lab"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
