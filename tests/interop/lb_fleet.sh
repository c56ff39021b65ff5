#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tunmtu-lb with several queues, whose rules change under load: no packet is
# lost, doubled, out of order or at another server because of that, each queue
# has work, the counters are those of all, and what one learns of a path all
# know. And what is said when it cannot be.
#     tests/interop/lb_fleet.sh TUNMTU-LB LB_FLEET_FLOWS [PACKETS-A-SECOND]
# Exit 77: it cannot be tried here, and the last line says why.
set -u
PATH=$PATH:/usr/sbin:/sbin
say() { echo "lb_fleet: $*"; }
if [ "${1-}" != --inside ]; then
    for tool in unshare nsenter ip awk timeout; do
        command -v $tool >/dev/null || { say "there is no $tool"; exit 77; }
    done
    [ -w /dev/net/tun ] || { say "/dev/net/tun cannot be used"; exit 77; }
    flags=-nm
    unshare $flags true 2>/dev/null || flags=-Urnm
    unshare $flags true || { say "namespaces are not possible here"; exit 77; }
    exec unshare $flags "$0" --inside "$@"
fi
lb=$(realpath "$2") flows=$(realpath "$3") rate=${4-20000}
out=$(mktemp -d) || exit 1
peer='' pid='' bad=0 checks=0
stop() { # PID
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}
cleanup() {
    [ -z "$pid" ] || stop "$pid"
    [ -z "$peer" ] || stop "$peer"
    rm -rf "$out"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

complain() {
    say "WRONG: $*"
    [ ! -s "$out/log" ] || sed 's/^/    /' <(tail -n 30 "$out/log")
    bad=$((bad + 1))
}
holds() { # NUMBER TEST-OPERATOR NUMBER WHAT
    checks=$((checks + 1))
    test "$1" "$2" "$3" || complain "$4: $1, should be $2 $3"
}
there() { nsenter --net="/proc/$peer/ns/net" -- "$@"; } # where flows come from
await() { # COMMAND...: until it succeeds, ten seconds at most
    local i
    for ((i = 0; i < 500; i++)); do
        "$@" 2>/dev/null && return
        sleep 0.02
    done
    return 1
}

# ---- the network: here is the balancer, there the clients and the servers ----

unshare -n sleep 600 &
peer=$!
# shellcheck disable=SC2016 # for the shell inside
await bash -c '[ "$(readlink /proc/$1/ns/net)" != "$(readlink /proc/self/ns/net)" ]' \
    - "$peer"
ip link add eth0 type veth peer name eth0 netns "$peer" || exit 1
there ip -batch - <<END
link set lo up
link set eth0 address 02:00:00:00:00:01 up
address add 10.9.0.1/24 dev eth0
neighbor add 10.9.0.5 lladdr 02:00:00:00:00:05 dev eth0 nud permanent
route add 10.0.0.0/24 via 10.9.0.5
END
ip -batch - <<END
link set lo up
link set eth0 address 02:00:00:00:00:05 up
address add 10.9.0.5/24 dev eth0
neighbor add 10.9.0.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent
route add 10.0.0.0/24 via 10.9.0.1
route add default via 10.9.0.1
END
for key in all default eth0; do
    for net in here there; do
        if [ $net = there ]; then set -- there; else set --; fi
        "$@" tee /proc/sys/net/ipv4/conf/$key/rp_filter <<<0 >/dev/null
        "$@" tee /proc/sys/net/ipv4/conf/$key/send_redirects <<<0 >/dev/null
    done
done
there tee /proc/sys/net/ipv4/ip_forward <<<0 >/dev/null

# ---- the balancer -------------------------------------------------------------

rules() { # NUMBER:WEIGHT...: servers
    local server
    echo "-A -u 10.0.0.2:53 -s mh -b mh-port"
    for server; do
        echo "-a -u 10.0.0.2:53 -r 10.0.0.${server%:*} -i -w ${server#*:}"
    done
}
start() { # IO OPTION...
    local io=$1
    shift
    : >"$out/log"
    "$lb" --rules "$out/rules" --local 10.0.0.4 --io "$io" \
        --counters "$out/counters" "$@" 2>"$out/log" </dev/null &
    pid=$!
    await grep -q ': ready$' "$out/log" || complain "$io: not ready"
    if [[ $io = tun:* ]]; then
        ip route replace 10.0.0.2 dev lb0
        ip route replace 10.0.0.4 dev lb0
        await sh -c 'ip -o link show lb0 | grep -q LOWER_UP'
        sleep 0.1 # the kernel takes notice later
    fi
}
finish() { # ends it
    local status=0
    kill "$pid"
    wait "$pid" || status=$?
    pid=
    holds $status -eq 0 "exit status"
    grep -q ThreadSanitizer "$out/log" && complain "a data race"
}
count() { awk -v name="$1" '$1 == name { print $2 }' "$out/counters"; }
value() { awk -v name="$1" '$1 == name { print $2 }' "$out/flows"; }
said() { # TEXT: how many lines of the log have it
    grep -cF -- "$1" "$out/log" || :
}
# Until it has read its rules once more; the file is there whole or not at all.
reload() { # WHAT-IT-SAYS FILE
    local before
    before=$(said "$1")
    mv "$2" "$out/rules"
    kill -HUP "$pid"
    # shellcheck disable=SC2016 # for the shell inside
    await bash -c '[ "$(grep -cF -- "$1" "$2")" -gt "$3" ]' - "$1" "$out/log" \
        "$before" || complain "nothing about \"$1\" after SIGHUP"
}
now() { date +%s%N; }

# Threads that did more than wait in vain for fragments, once a second.
busy() {
    local task n=0
    for task in /proc/"$pid"/task/*; do
        [ "${task##*/}" != "$pid" ] || continue
        [ "$(awk '/^voluntary_ctxt/ { print $2 }' "$task/status")" -lt 100 ] ||
            n=$((n + 1))
    done
    echo $n
}

# under_load IO QUEUES OPTION...: flows for four seconds, and rules that change:
# servers that drain, come and go; new ones that are wrong; SIGUSR1 in between.
under_load() {
    local io=$1 queues=$2 i before longest=0 server sum=0
    shift 2
    rules 6:1 7:1 8:1 >"$out/rules"
    start "$io" --flow-table 4096 "$@"
    there timeout 60 "$flows" flows eth0 10.0.0.2 53 256 "$rate" 4 \
        >"$out/flows" 2>>"$out/log" &
    local client=$!
    sleep 0.7 # all flows have begun
    for ((i = 0; i < 6; i++)); do
        rules 9:1 6:0 7:$((i % 2)) 8:1 >"$out/new"
        reload '1 service now, ' "$out/new"
        rules 8:1 7:1 6:1 >"$out/new"
        reload '1 service now, ' "$out/new"
        { rules 6:1 7:1 && echo '-a -u 10.0.0.2:53 -r nobody -i'; } >"$out/new"
        reload 'the rules stay as they were' "$out/new"
        rm -f "$out/counters"
        before=$(now)
        kill -USR1 "$pid"
        await test -s "$out/counters" || complain "$io: no counters under load"
        before=$((($(now) - before) / 1000000))
        [ $before -le $longest ] || longest=$before
    done
    wait $client || complain "$io: the flows: $(cat "$out/log")"
    holds "$(busy)" -eq "$queues" "$io: queues with work"
    holds "$longest" -le 1000 "$io: ms until the counters were written"
    finish
    holds "$(said "rules:4: ")" -eq 6 "$io: errors with file and line"
    holds "$(value lost)" -eq 0 "$io: lost of $(value sent)"
    holds "$(value doubled)" -eq 0 "$io: doubled"
    holds "$(value disordered)" -eq 0 "$io: out of order"
    holds "$(value moved)" -eq 0 "$io: at another server than before"
    holds "$(count io.lost)" -eq 0 "$io: io.lost"
    holds "$(count io.skipped)" -lt 100 "$io: io.skipped, what it sent itself"
    holds "$(count forwarded)" -eq "$(value sent)" "$io: forwarded"
    holds "$(count out)" -eq "$(value sent)" "$io: out"
    holds "$(count flow_table.held)" -eq 256 "$io: flows in all tables"
    for server in 6 7 8; do # those that came and went began anew
        sum=$((sum + $(count server.udp:10.0.0.2:53.10.0.0.$server.packets)))
    done
    # 9 got no flow that was there before.
    holds $sum -eq "$(value sent)" "$io: packets of all servers"
    say "$io: $(value sent) packets, 18 reloads, counters within $longest ms"
}

# Whichever queue an error about a tunnel comes by: all send no more than that.
path() { # IO
    rules 6:1 7:1 >"$out/rules"
    start "$1"
    there timeout 60 "$flows" path eth0 10.0.0.2 53 200 10.0.0.4 1400 \
        >"$out/flows" 2>>"$out/log" || complain "$1: the path"
    holds "$(value sent)" -gt 60 "$1: flows of that server"
    holds "$(value longer)" -eq 0 "$1: packets longer than the path's MTU"
    finish
    holds "$(count icmp_tunnel)" -eq 1 "$1: errors about tunnels"
    holds "$(count answered.too_big)" -eq "$(value sent)" "$1: answered"
}

# An error about a flow that has stayed at its server goes there, and a packet in
# fragments, whichever queue they come by.
errors() { # IO
    rules 6:1 7:1 8:1 >"$out/rules"
    start "$1" --flow-table 4096
    rm -f "$out/go"
    mkfifo "$out/go"
    exec 3<>"$out/go"
    there timeout 60 "$flows" errors eth0 10.0.0.2 53 200 10.9.0.1 1400 \
        <"$out/go" >"$out/flows" 2>>"$out/log" &
    local client=$!
    await grep -q begun "$out/flows" || complain "$1: flows do not begin"
    rules 9:1 6:0 7:0 8:0 >"$out/new"
    reload '1 service now, ' "$out/new"
    echo >&3
    wait $client || complain "$1: the errors"
    exec 3>&-
    holds "$(value errors)" -eq 200 "$1: errors forwarded"
    holds "$(value misplaced)" -eq 0 "$1: errors at another server"
    holds "$(value fragmented)" -eq 200 "$1: packets in fragments"
    holds "$(value moved)" -eq 0 "$1: flows at another server"
    finish
}

for queues in 2 4; do
    under_load afpacket:eth0,queues=$queues $queues
    path afpacket:eth0,queues=$queues
    errors afpacket:eth0,queues=$queues
done
echo 1 >/proc/sys/net/ipv4/ip_forward
for queues in 2 4; do
    # Another one each time: the kernel remembers for 3 s which queue a flow
    # came from, and gives queues that are new none of its packets.
    ip tuntap add lb0 mode tun multi_queue &&
        ip link set lb0 txqueuelen 10000 up # others may want the CPU
    echo 0 >/proc/sys/net/ipv4/conf/lb0/rp_filter
    under_load tun:lb0,queues=$queues $queues
    path tun:lb0,queues=$queues
    errors tun:lb0,queues=$queues
    ip tuntap del lb0 mode tun multi_queue
done
under_load afpacket:eth0 1 # and without queues

# ---- what is refused ------------------------------------------------------------

refused() { # STATUS TEXT OPTION...
    local status=0
    checks=$((checks + 1))
    timeout 5 "$lb" --rules "$out/rules" --local 10.0.0.4 "${@:3}" \
        2>"$out/log" </dev/null || status=$?
    [ $status = "$1" ] || complain "${*:3}: exit $status, not $1"
    grep -qF -- "$2" "$out/log" || complain "${*:3}: not said: $2"
    [ "$(wc -l <"$out/log")" = 1 ] || complain "${*:3}: not one line"
}
rules 6:1 >"$out/rules"
for queues in 0 65 100 '' x 1x -1; do
    refused 1 'the only options are gso and queues=N, N from 1 to 64' \
        --io "afpacket:eth0,queues=$queues"
done
ip tuntap add lb1 mode tun
refused 1 'not a TUN device with multi_queue' --io tun:lb1,queues=2
ip tuntap del lb1 mode tun
ip tuntap add lb1 mode tun multi_queue
refused 1 'not a plain TUN device' --io tun:lb1
ip tuntap del lb1 mode tun multi_queue
printf '%s\n' '-A -t 10.0.0.2:80 -s mh' '-a -t 10.0.0.2:80 -r 10.0.0.6:80 -m' \
    >"$out/rules"
refused 2 'masquerading (-m): expected an --io of one queue' \
    --io afpacket:eth0,queues=2
# The same when they come later.
rules 6:1 >"$out/rules"
start afpacket:eth0,queues=2
printf '%s\n' '-A -t 10.0.0.2:80 -s mh' '-a -t 10.0.0.2:80 -r 10.0.0.6:80 -m' \
    >"$out/new"
reload 'the rules stay as they were' "$out/new"
holds "$(said 'expected an --io of one queue')" -eq 1 "-m on SIGHUP"
rm "$out/rules"
kill -HUP "$pid"
await grep -q 'cannot open: No such file' "$out/log" ||
    complain "no word on rules that are gone"
finish

say "$checks checks, $bad failed"
[ $bad = 0 ]
