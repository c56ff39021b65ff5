#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A capture through tunmtu-pmtud with each of its options, and what must come
# out: packets, words and counters to the byte; then each way in which it must
# refuse.
#     tests/offline/pmtud.sh [--accept] TUNMTU-PMTUD
# --accept takes what comes out as what is expected; look at it before.
set -u
accept=
[ "${1-}" = --accept ] && accept=yes && shift
[ $# = 1 ] || { sed -n '6s/^# *//p' "$0" >&2; exit 2; }
pmtud=$(realpath "$1")
[ -x "$pmtud" ] || { echo "$1: is no program"; exit 1; }
cd "$(dirname "$0")/pmtud" || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
bad=0 done=0
complain() { echo "not ok: $*"; bad=$((bad + 1)); }

same() { # FILE...: they are as expected
    local file
    for file; do
        if [ -n "$accept" ]; then
            cp "$out/$file" "$file"
        elif ! cmp "$out/$file" "$file"; then
            complain "$file"
            [ "${file##*.}" = pcap ] || diff "$file" "$out/$file" | head -20
        fi
    done
}

passes() { # CASE OPTION...
    local case=$1
    shift
    "$pmtud" --io "pcap:in.pcap:$out/$case.pcap" --counters "$out/$case.counters" \
        "$@" -v -v 2>"$out/log" || complain "$case: exit $?: $(cat "$out/log")"
    grep -e ^packet "$out/log" >"$out/$case.packets"
    same "$case.pcap" "$case.packets" "$case.counters"
    # Each packet came to exactly one end.
    awk '$1 == "in" { want = $2 }
         /^(sent|pass\.|copy\.|drop\.|doubted\.)/ { n += $2 }
         END { exit n != want || want == 0 }' "$out/$case.counters" ||
        complain "$case: the counters do not add up"
    done=$((done + 1))
}

steer="--mode steer --rules ../rules --local 10.0.0.3 --local 2001:db8::a"
fast="--src-rate 1000 --iface-rate 1000"
passes broadcast
passes strict --strict
passes ports --ports 53,443 $fast
passes use-src --use-src
passes vip --vip 10.0.0.2 $fast
passes rates --src-rate 0.5 --iface-rate 2.5
passes repeated --duplicate-time 0 $fast
passes peers --mode peers --peers 10.0.0.6,2001:db8::6,10.0.0.3 \
    --local 10.0.0.3 --local 2001:db8::a $fast
passes steer $steer $fast --hash-key 000102030405060708090a0b0c0d0e0f
# On one of the real servers: what is its own is not sent.
passes own --mode steer --rules ../rules --local 10.0.0.6 --local 2001:db8::a \
    $fast

# ---- what it tells ------------------------------------------------------------

"$pmtud" --io "pcap:in.pcap:$out/dry.pcap" --dry-run \
    --counters "$out/counters" 2>"$out/log" || complain "dry run: exit $?"
[ "$(stat -c %s "$out/dry.pcap")" = 24 ] || complain "a dry run sends"
grep -e ^packet "$out/log" | cmp - broadcast.packets ||
    complain "a dry run says something else"
"$pmtud" --io "pcap:in.pcap:$out/v.pcap" -v --counters "$out/counters" \
    2>"$out/log"
grep -e ^packet "$out/log" | diff - <(grep ': sent' broadcast.packets) ||
    complain "-v: tells more or less than what was sent"
"$pmtud" --io "pcap:in.pcap:$out/v.pcap" --counters "$out/counters" 2>"$out/log"
[ ! -s "$out/log" ] || complain "it speaks unasked: $(head -n 1 "$out/log")"
"$pmtud" --io "pcap:in.pcap:$out/v.pcap" -vvv --counters "$out/counters" \
    2>"$out/log"
grep -e ^packet "$out/log" | sed 's/, [0-9a-f]*$//' | cmp - broadcast.packets ||
    complain "-vvv: not the same and bytes"
grep -q '^packet 1: sent, .*, 45[0-9a-f]*$' "$out/log" || complain "-vvv: no bytes"
"$pmtud" --io "pcap:in.pcap:$out/v.pcap" -v --src-rate 0.004 \
    --iface-rate 12.25 --duplicate-time 0.04 --counters /dev/null 2>"$out/log"
grep -q 'rates 0.004 a second of one router, 12.25 of all, .* 0.04 s$' \
    "$out/log" || complain "rates: $(grep rates "$out/log")"
done=$((done + 5))

# What it emits is what another program finds nothing wrong with.
if command -v tshark >/dev/null; then
    for case in broadcast peers steer; do
        wrong=$(tshark -n -r $case.pcap -o ip.check_checksum:TRUE \
            -Y '_ws.malformed || ip.checksum.status == 0 ||
                icmp.checksum.status == 0 || icmpv6.checksum.status == 0' \
            2>"$out/tshark") || complain "$case: tshark: $(cat "$out/tshark")"
        [ -z "$wrong" ] || complain "$case: $wrong"
    done
fi

# ---- refusals: a status, one sentence, and nothing else ------------------------

refuse() { # STATUS PATTERN OPTION...
    local status=$1 pattern=$2 got
    shift 2
    "$pmtud" "$@" >"$out/said" 2>&1
    got=$?
    [ $got = "$status" ] || complain "exit $got, not $status: $*"
    grep -qe "$pattern" "$out/said" || complain "no '$pattern': $*"
    [ "$(grep -c '' "$out/said")" = 1 ] ||
        complain "more than one sentence: $*: $(cat "$out/said")"
    done=$((done + 1))
}

io="--io pcap:in.pcap:$out/new.pcap"
refuse 2 'expected --iface'
refuse 2 'expected --iface' --nflog 3 # broadcasts go to one
refuse 2 '0 to 65535' --iface lo --nflog 65536
refuse 2 '0 to 65535' --iface lo --nflog x
refuse 2 'broadcast, steer or peers' $io --mode all
refuse 2 '0.001 to 1000000' $io --src-rate 0
refuse 2 '0.001 to 1000000' $io --src-rate=-1
refuse 2 '0.001 to 1000000' $io --iface-rate nan
refuse 2 '0.001 to 1000000' $io --iface-rate 5x
refuse 2 '0 to 3600' $io --duplicate-time 3601
refuse 2 'ports from 0 to 65535' $io --ports 80,65536
refuse 2 'ports from 0 to 65535' $io --ports 80,,443
refuse 2 'ports from 0 to 65535' $io --ports ''
refuse 2 '--vip 10.0.0.300' $io --vip 10.0.0.300
refuse 2 '--peers 10.0.0.1,x' $io --mode peers --local 10.0.0.3 --peers 10.0.0.1,x
refuse 2 'expected --peer ADDR' $io --mode peers --local 10.0.0.3
refuse 2 'another host' $io --mode peers --local 10.0.0.3 --peer 10.0.0.3
refuse 2 'expected --local ADDR' $io --mode peers --peer 10.0.0.3
refuse 2 'with an IPv6 address' $io --mode peers --peer 2001:db8::6 \
    --local 10.0.0.3
refuse 2 '--mode peers with it' $io --peer 10.0.0.6
refuse 2 '--mode steer with it' $io --rules ../rules
refuse 2 'expected --rules' $io --mode steer --local 10.0.0.3
refuse 2 'expected --local' $io --mode steer --rules ../rules
refuse 2 'at most one IPv4' $io $steer --local 10.0.0.9
refuse 2 'of this host' $io $steer --local 224.0.0.1
refuse 2 '32 hexadecimal' $io $steer --hash-key 00
refuse 2 'cannot open' $io --mode steer --rules "$out/none" --local 10.0.0.3
printf '%s\n' '-A -t 10.0.0.2:443 -s mh' '-a -t 10.0.0.2:443 -r 10.0.0.6 -g' \
    >"$out/direct"
refuse 2 'direct:2: .*expected -i' $io --mode steer --rules "$out/direct" \
    --local 10.0.0.3
refuse 2 'neither --iface nor --nflog' $io --iface lo
refuse 2 'named by --iface' --io afpacket:lo
refuse 2 'expected only options' $io more
refuse 2 'unrecognized option' $io --foo
[ ! -e "$out/new.pcap" ] || complain "something was written before a refusal"
refuse 1 'none.pcap' --io "pcap:$out/none.pcap:$out/new.pcap"
refuse 1 'without colons' --io pcap:in.pcap
refuse 1 'same file' --io pcap:in.pcap:in.pcap
refuse 1 'Ethernet headers' --io "pcap:../notify/in.pcap:$out/new.pcap"
refuse 1 'cpu 1023: there is none' $io --cpu 1023
head -c 1000 in.pcap >"$out/cut.pcap"
refuse 1 'input: ' --io "pcap:$out/cut.pcap:$out/new.pcap" \
    --counters "$out/counters"
refuse 1 'cannot write' $io --counters "$out/none/counters"

for word in --help --version; do
    "$pmtud" $word >"$out/said" 2>"$out/error" || complain "$word: exit $?"
    [ -s "$out/said" ] && [ ! -s "$out/error" ] || complain "$word: says nothing"
done
awk 'length > 80 { print FILENAME ": a line is too long: " $0; exit 1 }' \
    <("$pmtud" --help) || complain "--help"

[ "$bad" = 0 ] && echo "$done checks"
[ "$bad" = 0 ]
