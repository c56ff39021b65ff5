#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGUSR1 writes counters, SIGINT and SIGTERM end the programs; on TUN devices
# in a network namespace of their own. And an interface may come and go.
#     tests/offline/signals.sh TUNMTU-LB TUNMTU-REALSERVER
set -u
if [ "${1-}" != --inside ]; then
    if [ ! -c /dev/net/tun ] || ! unshare -rn true 2>/dev/null; then
        echo "skipped: no /dev/net/tun, or no network namespaces here"
        exit 77
    fi
    exec unshare -rn "$0" --inside "$@"
fi
lb=$(realpath "$2") rs=$(realpath "$3")
cd "$(dirname "$0")" || exit 1
out=$(mktemp -d) || exit 1
pid=
trap '[ -z "$pid" ] || kill -9 "$pid"; rm -rf "$out"' EXIT
bad=0
ip link set lo up || exit 1
complain() { echo "not ok: $*"; bad=$((bad + 1)); }

until_true() { # COMMAND...: for at most five seconds
    local i
    for i in $(seq 50); do
        "$@" 2>/dev/null && return 0
        sleep 0.1
    done
    return 1
}

said() { # NUMBER SENTENCE: so often
    [ "$(grep -c "$2" "$out/log")" = "$1" ]
}

run() { # SIGNAL COMMAND...
    local signal=$1
    shift
    rm -f "$out"/*
    "$@" --counters "$out/counters" 2>"$out/log" &
    pid=$!
    until_true grep -q ' ready$' "$out/log" ||
        complain "never ready: $(cat "$out/log")"
    kill -USR1 "$pid"
    until_true grep -q '^in [0-9]' "$out/counters" || complain "no counters: $*"
    rm -f "$out/counters"
    kill -USR1 "$pid" # and once more
    until_true test -s "$out/counters" || complain "no counters again: $*"
    rm -f "$out/counters"
    kill -"$signal" "$pid"
    wait "$pid" || complain "exit $? on SIG$signal: $*"
    pid=
    grep -q '^in ' "$out/counters" || complain "no counters at the end: $*"
    [ "$(ls "$out")" = "$(printf 'counters\nlog')" ] ||
        complain "left behind: $(ls "$out")"
}

for signal in INT TERM; do
    run $signal "$lb" --rules rules --local 10.0.0.3 --local 2001:db8::a \
        --io tun:lb0
    grep -q 'ip_forward is off' "$out/log" || complain "no word on ip_forward"
    grep -q -e --local "$out/log" && complain "a word on --local behind a TUN"
    run $signal "$rs" --vip 10.0.0.2 --io tun:rs0 --tun rs1 --clamp-mss auto
done
run TERM "$lb" --rules rules --local 10.0.0.3 --local 2001:db8::a \
    --io afpacket:lo
grep -q '10.0.0.3 is no address' "$out/log" || complain "no word on --local"
# Behind a TUN it is the other way round.
ip address add 10.0.0.3/32 dev lo
run TERM "$lb" --rules rules --local 10.0.0.3 --local 2001:db8::a --io tun:lb0
grep -q '10.0.0.3 is an address of this host' "$out/log" ||
    complain "no word on --local behind a TUN"
grep -q 'lb0.accept_local is off' "$out/log" || complain "nor on accept_local"
run TERM "$rs" --vip 10.0.0.2 --io afpacket:lo --tun rs1

# An interface that goes away is waited for, and serves again.
veth() {
    ip link add v0 type veth peer name v1 && ip link set v0 up &&
        ip link set v1 up
}
rm -f "$out"/*
veth || complain "no veth"
"$lb" --rules rules --local 10.0.0.3 --local 2001:db8::a --io afpacket:v0 \
    --counters "$out/counters" 2>"$out/log" &
pid=$!
until_true grep -q ' ready$' "$out/log" || complain "never ready behind a veth"
# It may be seen on its way, when it is down; the second time it is down long
# before it goes, which the socket is not told any more.
for times in 1 2; do
    if [ $times = 2 ]; then
        ip link set v0 down
        until_true grep -q 'v0: the interface is down; waiting' "$out/log" ||
            complain "no word on an interface that is down: $(cat "$out/log")"
        sleep 1.2
    fi
    ip link delete v0
    until_true said $times 'v0: the interface is gone; waiting for it' ||
        complain "no word on an interface that is gone: $(cat "$out/log")"
    veth
    until_true said $times 'v0: the interface is back' ||
        complain "no word on an interface that is back: $(cat "$out/log")"
done
[ "$(grep -c 'is down' "$out/log")" -le 2 ] || complain "said more than once"
# Its MTU is that of the paths to the servers, also when it changes.
path_mtu() {
    kill -USR1 "$pid"
    sleep 0.2
    sed -n 's/.*\.10\.0\.0\.6\.path_mtu //p' "$out/counters" | sort -u
}
mtu_is() { [ "$(path_mtu)" = "$1" ]; }
for mtu in 1400 1500; do
    ip link set v0 mtu $mtu
    until_true mtu_is $mtu || complain "MTU $mtu, but paths of $(path_mtu)"
    until_true said 1 "the MTU is $mtu now" || complain "no word on an MTU"
done
ip link set v0 mtu 1000 # there are tunnels over IPv6
until_true said 1 'the MTU is 1000 now, less than tunnels need' ||
    complain "no word on an MTU that is too little: $(cat "$out/log")"
sleep 1.2
said 1 'the MTU is 1000' || complain "said more than once: $(cat "$out/log")"
mtu_is 1500 || complain "an MTU that is too little, and paths of $(path_mtu)"
kill -TERM "$pid"
wait "$pid" || complain "exit $? after an interface was gone"
pid=

# So is the one of a real server; packets that come afterwards are counted with
# those that came before.
rm -f "$out"/*
"$rs" --vip 10.0.0.2 --io afpacket:v0 --tun rs1 --counters "$out/counters" \
    2>"$out/log" &
pid=$!
until_true grep -q ' ready$' "$out/log" || complain "no real server on a veth"
send() { # fifty packets to v0, from its peer
    local i to
    to=$(ip -br link show v0 | awk '{ print $3 }')
    ip address add 10.9.0.1/24 dev v1 &&
        ip neighbour add 10.9.0.2 lladdr "$to" dev v1 || return 1
    for i in $(seq 50); do
        echo "$i" >/dev/udp/10.9.0.2/9 || return 1
    done
}
came() { # AT LEAST
    kill -USR1 "$pid"
    sleep 0.2
    [ "$(sed -n 's/^io.received //p' "$out/counters")" -ge "$1" ]
}
is_down() { # the one that is back
    sed '1,/is back/d' "$out/log" | grep -q 'is down; waiting for it'
}
send || complain "cannot send on a veth"
until_true came 50 || complain "nothing comes on a veth"
for times in 1 2; do
    if [ $times = 2 ]; then
        ip link set v0 down
        until_true is_down || complain "not down again: $(cat "$out/log")"
    fi
    ip link delete v0
    until_true said $times 'v0: the interface is gone; waiting for it' ||
        complain "no word on a real server's interface: $(cat "$out/log")"
    veth
    until_true said $times 'v0: the interface is back' ||
        complain "a real server's interface is not back: $(cat "$out/log")"
done
send || complain "cannot send on the next veth"
until_true came 100 || complain "since it is back: $(grep '^io' "$out/counters")"
kill -TERM "$pid"
wait "$pid" || complain "exit $? of a real server that waited"
pid=

# Whoever reads what it says may be gone; packets go on, and there are counters.
rm -f "$out"/*
mkfifo "$out/said"
"$lb" --rules rules --local 10.0.0.3 --local 2001:db8::a --io afpacket:v0 \
    --mtu 1500 --counters "$out/counters" 2>"$out/said" &
pid=$!
sed '/ ready$/q' "$out/said" >"$out/log"
kill -HUP "$pid" # about which it has something to say
sleep 0.3
kill -USR1 "$pid"
until_true test -s "$out/counters" || complain "nobody listens, and it ended"
kill -TERM "$pid"
wait "$pid" || complain "exit $? when nobody listened"
pid=

# Rules may take seconds to read; who says meanwhile that there are new ones does
# not end the program.
rm -f "$out"/*
mkfifo "$out/rules"
"$lb" --rules "$out/rules" --local 10.0.0.3 --local 2001:db8::a \
    --io afpacket:v0 --mtu 1500 --counters "$out/counters" 2>"$out/log" &
pid=$!
sleep 0.3 # it waits for its rules
kill -HUP "$pid"
kill -USR1 "$pid"
timeout 5 dd if=rules of="$out/rules" status=none || complain "rules not read"
until_true grep -q ' ready$' "$out/log" ||
    complain "SIGHUP before it was ready: $(cat "$out/log")"
timeout 5 dd if=rules of="$out/rules" status=none || complain "not read again"
until_true said 1 'services now' ||
    complain "SIGHUP before it was ready is forgotten: $(cat "$out/log")"
until_true test -s "$out/counters" || complain "and so is SIGUSR1"
kill -TERM "$pid"
wait "$pid" || complain "exit $? after an early SIGHUP"
pid=

echo "10 runs, $bad failed"
[ $bad = 0 ]
