#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Captures through tunmtu-lb and tunmtu-realserver, and what must come out:
# packets and counters to the byte; then each way in which they must refuse.
#     tests/offline/offline.sh [--accept] TUNMTU-LB TUNMTU-REALSERVER
# --accept takes what comes out as what is expected; look at it before.
set -u
accept=
[ "${1-}" = --accept ] && accept=yes && shift
[ $# = 2 ] || { sed -n '5s/^# *//p' "$0" >&2; exit 2; }
lb=$(realpath "$1") rs=$(realpath "$2")
cd "$(dirname "$0")" || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
bad=0 done=0
complain() { echo "not ok: $*"; bad=$((bad + 1)); }

same() { # CASE FILE...: they are as expected
    local case=$1 file
    shift
    for file; do
        if [ -n "$accept" ]; then
            cp "$out/$file" "$case/$file"
        elif ! cmp "$out/$file" "$case/$file"; then
            complain "$case: $file"
            [ "${file##*.}" = pcap ] ||
                diff "$case/$file" "$out/$file" | head -20
        fi
    done
    done=$((done + 1))
}

sound() { # CASE FILE...: another program finds nothing wrong in what we sent
    command -v tshark >/dev/null || return 0
    local case=$1 file wrong
    shift
    for file; do
        # Not looked at: what the data means, TCP's own reassembly, and sums
        # inside of ICMP quotes, which are cut short.
        wrong=$(tshark -n -r "$out/$file" --disable-protocol dns \
            -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
            -o udp.check_checksum:TRUE -o tcp.desegment_tcp_streams:FALSE \
            -o tcp.analyze_sequence_numbers:FALSE \
            -Y '_ws.malformed || ip.checksum.status == 0 ||
                icmp.checksum.status == 0 || icmpv6.checksum.status == 0 ||
                (!icmp && !icmpv6 && (tcp.checksum.status == 0 ||
                                      udp.checksum.status == 0))' \
            2>"$out/tshark") || complain "$case: tshark: $(cat "$out/tshark")"
        [ -z "$wrong" ] || complain "$case: $file: $wrong"
    done
}

balance() { # CASE OPTION...
    local case=$1 rules=rules
    shift
    rm -f "$out"/*
    [ ! -e "$case/rules" ] || rules=$case/rules
    "$lb" --rules "$rules" --local 10.0.0.3 --local 2001:db8::a \
        --io "pcap:$case/in.pcap:$out/out.pcap" --counters "$out/counters" \
        --verbose "$@" 2>"$out/log" || complain "$case: exit $?"
    grep -e ^packet "$out/log" >"$out/packets"
    same "$case" out.pcap counters packets
    sound "$case" out.pcap
    # Each packet came to exactly one end.
    awk '$1 == "in" { want = $2 }
         /^(forwarded|returned|icmp_tunnel|held\.fragment|(pass|drop)\.[^ ]*) / { n += $2 }
         END { exit n != want || want == 0 }' "$out/counters" ||
        complain "$case: the counters do not add up"
}

# One capture through a kind of tunnel, and what is in those through a real
# server: for it, they must all be alike.
tunnels() { # NAME POLICY OPTION-OF-RULES...
    local name=$1 policy=$2
    shift 2
    rm -f "$out/log"
    sed "s/--tun-type ipip/$*/" rules >"$out/rules"
    "$lb" --rules "$out/rules" --local 10.0.0.3 --local 2001:db8::a \
        --io "pcap:tunnels/in.pcap:$out/$name.pcap" --policy "$policy" \
        --policy6 "$policy" --counters "$out/$name.counters" --verbose \
        2>"$out/log" || complain "tunnels: $name: exit $?"
    grep -e ^packet "$out/log" >"$out/$name.packets"
    same tunnels "$name.pcap" "$name.counters" "$name.packets"
    sound tunnels "$name.pcap"
    [ "$policy" = fragment ] || return 0
    "$rs" --vip 10.0.0.2 --vip 10.0.0.4 --vip 2001:db8::2 --vip 2001:db8::3 \
        --peer 10.0.0.3 --peer 2001:db8::a --zero-csum6 \
        --io "pcap:$out/$name.pcap:$out/none.pcap" \
        --tun "pcap:$out/none.pcap:$out/host.pcap" \
        --counters "$out/rs.counters" 2>"$out/log" ||
        complain "tunnels: $name: real server: exit $?"
    [ "$(awk '$1 == "in.delivered" { print $2 }' "$out/rs.counters")" = \
        "$(awk '$1 == "forwarded" { print $2 }' "$out/$name.counters")" ] ||
        complain "tunnels: $name: not all that was forwarded was delivered"
    [ -e "$out/first.pcap" ] || cp "$out/host.pcap" "$out/first.pcap"
    cmp "$out/host.pcap" "$out/first.pcap" ||
        complain "tunnels: the real server got something else through $name"
}

balance notify --policy notify
balance fragment --policy fragment
balance both --policy both --hash-key 000102030405060708090a0b0c0d0e0f
balance notify6
balance nat
balance fragment6 --policy6 fragment

rm -f "$out"/*
tunnels gue notify --tun-type gue --tun-port 6080 --tun-nocsum
tunnels gre notify --tun-type gre --tun-nocsum
tunnels ipip-cut fragment --tun-type ipip
tunnels gue-cut fragment --tun-type gue --tun-port 6080 --tun-nocsum
tunnels gue-csum-cut fragment --tun-type gue --tun-port 6080 --tun-csum
tunnels gre-cut fragment --tun-type gre --tun-nocsum
tunnels gre-csum-cut fragment --tun-type gre --tun-csum

rm -f "$out"/*
"$rs" --vip 10.0.0.2 --vip 2001:db8::2 --local 10.0.0.6 --peer 10.0.0.3 \
    --io "pcap:realserver/in.pcap:$out/out.pcap" \
    --tun "pcap:realserver/tun.pcap:$out/host.pcap" --clamp-mss auto \
    --counters "$out/counters" 2>"$out/log" || complain "realserver: exit $?"
same realserver out.pcap host.pcap counters
sound realserver host.pcap

# ---- refusals: a status, one sentence, and nothing else ----------------------

refuse() { # STATUS PATTERN COMMAND...
    local status=$1 pattern=$2 got
    shift 2
    "$@" >"$out/said" 2>&1
    got=$?
    [ $got = "$status" ] || complain "exit $got, not $status: $*"
    grep -qe "$pattern" "$out/said" || complain "no '$pattern': $*"
    [ "$(grep -vc -e ' ready$' -e ': fingerprint of ' "$out/said")" = 1 ] ||
        complain "more than one sentence: $*: $(cat "$out/said")"
    done=$((done + 1))
}

with="--rules rules --local 10.0.0.3 --local 2001:db8::a"
io="--io pcap:notify/in.pcap:$out/new.pcap"
rm -f "$out"/*
printf '%s\n' '-A -t 10.0.0.2:443 -s mh' \
    '-a -t 10.0.0.2:443 -r [2001:db8::6]:443 -m -w 1' >"$out/masq"
refuse 2 'masq:2: masquerading (-m) keeps' "$lb" --rules "$out/masq" \
    --local 10.0.0.3 $io
refuse 2 'connections 0: expected 1 to 50000000' "$lb" $with $io \
    --connections 0
printf '%s\n' '-A -t 10.0.0.2:443 -s mh' \
    '-a -t 10.0.0.2:443 -r [2001:db8::6]:443 -i' >"$out/six"
refuse 2 'six:2: .*--local with an IPv6' "$lb" --rules "$out/six" \
    --local 10.0.0.3 $io
refuse 2 'cannot open' "$lb" --rules "$out/none" --local 10.0.0.3 $io
refuse 2 'expected --rules' "$lb" --local 10.0.0.3 $io
refuse 2 'expected --local' "$lb" --rules rules $io
refuse 2 'expected --io' "$lb" $with
refuse 2 'expected notify, fragment or both' "$lb" $with $io --policy x
refuse 2 'expected 68 to 65535' "$lb" $with $io --mtu 67
refuse 2 'expected linux, rfc4443 or off' "$lb" $with $io --icmp-rate 5
refuse 2 'expected 32 hex' "$lb" $with $io --hash-key 00
refuse 2 'at most one IPv4' "$lb" $with --local 10.0.0.33 $io
[ ! -e "$out/new.pcap" ] || complain "something was written before a refusal"
refuse 1 'not one of tun:NAME' "$lb" $with --io foo
refuse 1 'none.pcap' "$lb" $with --io "pcap:$out/none.pcap:$out/new.pcap"
refuse 1 'nosuch0' "$lb" $with --io afpacket:nosuch0
refuse 1 'not a capture' "$lb" $with --io "pcap:rules:$out/new.pcap"
refuse 2 'expected --vip' "$rs" --io foo --tun bar
refuse 2 'expected auto, or 48' "$rs" --vip 10.0.0.2 --clamp-mss x
rsio="--vip 10.0.0.2 --io foo --tun bar"
refuse 2 'expected some of ipip, gre' "$rs" $rsio --tun-type ipip,foo
refuse 2 'expected some of ipip, gre' "$rs" $rsio --tun-type ipip,
refuse 2 'expected 1 to 65535' "$rs" $rsio --gue-port 0
refuse 2 'expected different ports' "$rs" $rsio --gue-port 4754
refuse 2 'expected 0 to 4294967295' "$rs" $rsio --gre-key 0x100000000
refuse 2 'expected 0 to 4294967295' "$rs" $rsio --gre-key 7x
refuse 1 'not one of tun:NAME' "$rs" $rsio --tun-type gue --gue-port 4754
refuse 1 'not one of tun:NAME' "$rs" --vip 10.0.0.2 --io foo --tun bar

# A capture that ends in the middle of a packet: what came before is there.
size=$(stat -c %s notify/in.pcap)
head -c $((size - 5)) notify/in.pcap >"$out/cut.pcap"
refuse 1 'cut.pcap: ' "$lb" $with --io "pcap:$out/cut.pcap:$out/new.pcap" \
    --counters "$out/counters"
grep -q '^out [1-9]' "$out/counters" || complain "no counters of a cut capture"
cmp "$out/new.pcap" <(head -c "$(stat -c %s "$out/new.pcap")" notify/out.pcap) ||
    complain "the output of a cut capture"
[ "$(stat -c %s "$out/new.pcap")" -gt 1000 ] || complain "no output of one"

for program in "$lb" "$rs"; do
    "$program" --help | grep -q '^usage: ' || complain "$program --help"
    "$program" --version | grep -Eq '^tunmtu-[a-z]+ [0-9]+\.[0-9]+\.[0-9]+$' ||
        complain "$program --version"
done

echo "$done checks, $bad failed"
[ $bad = 0 ]
