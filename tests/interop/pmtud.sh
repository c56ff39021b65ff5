#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tunmtu-pmtud on three servers with one address, on one bridge: an error that
# reaches the wrong one is heard by the right one's kernel, once, each way out
# and in; and what must not be left when it runs.
#     tests/interop/pmtud.sh TUNMTU-PMTUD TUNMTU-REALSERVER PMTUD-FLOOD
# Exit 77: not all of it could be tried, and the last line says what.
set -u
say() { echo "pmtud: $*"; }
if [ "${1-}" != --inside ]; then
    for tool in unshare nsenter setpriv ip bridge nft python3; do
        command -v $tool >/dev/null || { say "there is no $tool"; exit 77; }
    done
    [ -c /dev/net/tun ] || { say "there is no /dev/net/tun"; exit 77; }
    unshare -Urnm true 2>/dev/null || {
        say "namespaces are not possible here"; exit 77; }
    exec unshare -Urnm "$0" --inside "$@"
fi
pmtud=$(realpath "$2") realserver=$(realpath "$3") flood=$(realpath "$4")
errors=$(dirname "$(realpath "$0")")/pmtud.py
out=$(mktemp -d) || exit 1
pids=() bad=0 checks=0
VIP4=10.0.0.2 VIP6=2001:db8::2
CLIENT4=198.51.100.7 CLIENT6=2001:db8:1::7
ROUTER4=203.0.113.254 ROUTER6=2001:db8:ffff::1

stop() { # PID...
    local pid
    for pid; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
}
cleanup() {
    stop ${pids[@]+"${pids[@]}"}
    rm -rf "$out"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

complain() { say "WRONG: $*"; bad=$((bad + 1)); }
in_() { # NODE COMMAND...
    local node=$1
    shift
    nsenter --net="/run/netns/$node" -- "$@"
}
task_() { # the same, to be put in the background, where $! is its own
    local node=$1
    shift
    exec nsenter --net="/run/netns/$node" -- "$@"
}
set_() { # NODE KEY=VALUE...: below net, with slashes
    local node=$1 pair
    shift
    for pair; do
        in_ "$node" tee "/proc/sys/net/${pair%%=*}" <<<"${pair#*=}" >/dev/null ||
            { say "net/$pair cannot be set"; exit 77; }
    done
}
await() { # COMMAND...: until it succeeds, five seconds at most
    local i
    for ((i = 0; i < 250; i++)); do
        "$@" 2>/dev/null && return 0
        sleep 0.02
    done
    return 1
}

# ---- the network --------------------------------------------------------------

mount -t tmpfs none /run && ip netns add r || {
    say "no named namespaces here"; exit 77; }
ip link set lo up
ip link add name bri0 type bridge && ip link set bri0 up || {
    say "no bridges here"; exit 77; }

plug() { # NODE: its eth0, on the bridge
    local node=$1
    ip link add name "p$node" type veth peer name eth0 netns "$node"
    ip link set "p$node" master bri0 up
    case $node in
    r) ip -n r address add 10.9.0.254/24 dev eth0
       ip -n r address add 2001:db8:9::fe/64 dev eth0 nodad ;;
    *) ip -n "$node" address add "10.9.0.${node#s}/24" dev eth0
       ip -n "$node" address add "2001:db8:9::${node#s}/64" dev eth0 nodad
       ip -n "$node" link set eth0 address "02:00:00:00:00:0${node#s}" ;;
    esac
    ip -n "$node" link set eth0 up
    [ "$node" = r ] || {
        ip -n "$node" route add default via 10.9.0.254
        ip -n "$node" -6 route add default via 2001:db8:9::fe
    }
}

for node in s1 s2 s3; do
    ip netns add $node
done
for node in r s1 s2 s3; do
    set_ $node ipv4/conf/all/rp_filter=0 ipv4/conf/default/rp_filter=0 \
        ipv6/conf/default/accept_dad=0 ipv6/conf/default/accept_ra=0
    ip -n $node link set lo up
    plug $node
done
for node in s1 s2 s3; do
    # Nobody else needs to find the address: errors are put on the wire.
    set_ $node ipv4/conf/all/arp_ignore=1
    ip -n $node address add $VIP4/32 dev lo
    ip -n $node address add $VIP6/128 dev lo nodad
done

# ---- daemons and errors -------------------------------------------------------

daemons=()
begin() { # NODE OPTION...: a daemon there
    local node=$1
    shift
    rm -f "$out/$node.log" "$out/$node.counters" # of the last one
    task_ "$node" "$pmtud" "$@" --verbose --verbose \
        --counters "$out/$node.counters" 2>"$out/$node.log" &
    daemons+=($!) pids+=($!)
    await grep -q ' ready$' "$out/$node.log" ||
        complain "$node: never ready: $(cat "$out/$node.log")"
}
begin_all() { # OPTION...: on all servers; "NODE" in a word is its number
    local node
    for node in s1 s2 s3; do
        begin $node "${@//NODE/${node#s}}"
    done
}
end_all() {
    stop "${daemons[@]}"
    daemons=()
}
counter() { # NODE NAME
    sed -n "s/^$2 //p" "$out/$1.counters"
}
counted() { # NODE NAME NUMBER: of a daemon that has ended
    [ "$(counter "$1" "$2")" = "$3" ] ||
        complain "$case: $1: $2 is $(counter "$1" "$2"), not $3"
    checks=$((checks + 1))
}
for_family() { # 4 OR 6
    vip=VIP$1 client=CLIENT$1 router=ROUTER$1
    vip=${!vip} client=${!client} router=${!router}
}

# A kernel remembers the least MTU of a path: each error says less than the last.
listener= mtu=1450
listen() { # NODE PORT
    rm -f "$out/heard"
    mtu=$((mtu - 5))
    task_ "$1" python3 "$errors" wait $vip $client "$2" $mtu \
        >"$out/heard" 2>&1 &
    listener=$! && pids+=($!)
    await grep -q open "$out/heard" || complain "$case: no listener on $1: $(
        cat "$out/heard")"
}
stray() { # PORT: to the wrong server, the first
    in_ r python3 "$errors" send eth0 02:00:00:00:00:01 $router $vip $client \
        "$1" $mtu || complain "$case: cannot be sent"
}
heard() {
    wait "$listener" || complain "$case: $(cat "$out/heard")"
    checks=$((checks + 1))
}

# The port of a flow that a server has.
owned_by() { # NODE
    python3 "$errors" write "$out/many.pcap" $router $vip $client 40000 32 1400
    "$pmtud" --mode steer --rules "$out/rules" --local 10.9.0.254 \
        --local 2001:db8:9::fe --io "pcap:$out/many.pcap:/dev/null" --dry-run \
        --src-rate 1000 --iface-rate 1000 --counters /dev/null 2>&1 |
        sed -nE "s/.*, server (10.9.0.|2001:db8:9::)${1#s}, .* to .*:([0-9]*), says.*/\\2/p" |
        head -n 1
}
echo "-A -u $VIP4:443 -s mh -b mh-port" >"$out/rules"
for i in 1 2 3; do
    echo "-a -u $VIP4:443 -r 10.9.0.$i:443 -i"
done >>"$out/rules"
echo "-A -u [$VIP6]:443 -s mh -b mh-port" >>"$out/rules"
for i in 1 2 3; do
    echo "-a -u [$VIP6]:443 -r [2001:db8:9::$i]:443 -i"
done >>"$out/rules"

# ---- each way out: heard by the right one, and no copy of a copy ---------------

for family in 4 6; do
    for_family $family
    case="broadcast, IPv$family"
    begin_all --iface eth0
    listen s2 40000
    stray 40000
    heard
    sleep 0.2
    end_all
    counted s1 out 1
    for node in s2 s3; do
        counted $node out 0
        counted $node copy.group 1
    done

    port=$(owned_by s2)
    [ -n "$port" ] || complain "IPv$family: no flow is the second server's"
    for mode in steer peers; do
        case="$mode, IPv$family"
        servers=()
        for node in s1 s2 s3; do
            rm -f "$out/$node.rs"
            task_ $node "$realserver" --vip $VIP4 --vip $VIP6 --io afpacket:eth0 \
                --tun tun:rs0 2>"$out/$node.rs" &
            servers+=($!) pids+=($!)
            await grep -q ' ready$' "$out/$node.rs" ||
                complain "$case: $(cat "$out/$node.rs")"
            ip -n $node link set rs0 up
        done
        if [ $mode = steer ]; then
            begin_all --iface eth0 --mode steer --rules "$out/rules" \
                --local 10.9.0.NODE --local 2001:db8:9::NODE
        elif [ $family = 4 ]; then
            begin_all --iface eth0 --mode peers --local 10.9.0.NODE \
                --peers 10.9.0.1,10.9.0.2,10.9.0.3
        else
            begin_all --iface eth0 --mode peers --local 2001:db8:9::NODE \
                --peers 2001:db8:9::1,2001:db8:9::2,2001:db8:9::3
        fi
        listen s2 "$port"
        stray "$port"
        heard
        sleep 0.2
        end_all
        counted s1 out $([ $mode = steer ] && echo 1 || echo 2)
        counted s1 io.send_errors 0
        counted s2 out 0
        counted s3 out 0
        stop "${servers[@]}"
    done
done

for_family 4
case="a peer without a route"
ip -n s1 route add unreachable 192.0.2.77
begin s1 --iface eth0 --mode peers --local 10.9.0.1 --peers 192.0.2.77,10.9.0.2
mtu=$((mtu - 5))
stray 40008
await grep -q ': cannot send to 192.0.2.77: No route to host' "$out/s1.log" ||
    complain "$case: $(cat "$out/s1.log")"
end_all
counted s1 io.sent 1
counted s1 io.send_errors 1

# ---- rules that are read again --------------------------------------------------

for_family 4
case="rules on SIGHUP"
cp "$out/rules" "$out/now"
begin s1 --iface eth0 --mode steer --rules "$out/now" --local 10.9.0.1 \
    --local 2001:db8:9::1
echo nonsense >"$out/now"
kill -HUP "${daemons[0]}"
await grep -q 'the rules stay as they were' "$out/s1.log" ||
    complain "$case: $(cat "$out/s1.log")"
grep -q 'now:1: ' "$out/s1.log" || complain "$case: no file and line"
stray "$(owned_by s2)"
await grep -q ': sent, server 10.9.0.2,' "$out/s1.log" ||
    complain "$case: not as before: $(cat "$out/s1.log")"
sed /10.9.0.2:/d "$out/rules" >"$out/now"
kill -HUP "${daemons[0]}"
await grep -q 'rules read again, ' "$out/s1.log" ||
    complain "$case: $(cat "$out/s1.log")"
sleep 1 # the router has its tokens back
mtu=$((mtu - 5))
stray "$(owned_by s2)"
await grep -qE ': (sent, server 10.9.0.3|pass.own, server 10.9.0.1),' \
    "$out/s1.log" || complain "$case: $(cat "$out/s1.log")"
end_all

case="SIGHUP while the rules are read for the first time"
mkfifo "$out/fifo"
rm -f "$out/s1.log"
task_ s1 "$pmtud" --iface eth0 --mode steer --rules "$out/fifo" \
    --local 10.9.0.1 --local 2001:db8:9::1 2>"$out/s1.log" &
daemons=($!) pids+=($!)
await grep -q '^SigBlk:.*[13579bdf]$' "/proc/${daemons[0]}/status" ||
    complain "$case: would be killed"
kill -HUP "${daemons[0]}"
timeout 5 cp "$out/rules" "$out/fifo"
await grep -q ' ready$' "$out/s1.log" || complain "$case: $(cat "$out/s1.log")"
timeout 5 cp "$out/now" "$out/fifo"
await grep -q 'rules read again, ' "$out/s1.log" ||
    complain "$case: $(cat "$out/s1.log")"
end_all

case="nobody reads what it says"
mkfifo "$out/said.fifo"
task_ s1 "$pmtud" --iface eth0 --verbose --counters "$out/s1.counters" \
    2>"$out/said.fifo" &
daemons=($!) pids+=($!)
sed '/ ready$/q' "$out/said.fifo" >"$out/said"
mtu=$((mtu - 5))
stray 40007
sleep 0.2
kill -0 "${daemons[0]}" 2>/dev/null || complain "$case: killed"
end_all
counted s1 sent 1

# ---- out of NFLOG: also there, what comes out of a tunnel is a copy ------------

for_family 4
for node in s1 s2 s3; do
    in_ $node nft -f - <<END || { say "no nftables rules here"; exit 77; }
table inet t {
    chain c {
        type filter hook input priority 0;
        icmp type destination-unreachable icmp code frag-needed \
            counter log group 33
        icmpv6 type packet-too-big log group 33
    }
}
END
done
for family in 4 6; do
    for_family $family
    case="NFLOG, broadcast, IPv$family"
    begin_all --iface eth0 --nflog 33
    listen s2 40001
    stray 40001
    heard
    sleep 0.2
    end_all
    counted s1 out 1
    for node in s2 s3; do
        counted $node out 0
        counted $node copy.group 1
    done
done

for_family 4
case="NFLOG, peers"
rm -f "$out/s2.rs"
task_ s2 "$realserver" --vip $VIP4 --io afpacket:eth0 --tun tun:rs0 \
    2>"$out/s2.rs" &
servers=($!) && pids+=($!)
await grep -q ' ready$' "$out/s2.rs" || complain "$case: $(cat "$out/s2.rs")"
ip -n s2 link set rs0 up
begin_all --nflog 33 --mode peers --local 10.9.0.NODE \
    --peers 10.9.0.1,10.9.0.2,10.9.0.3
listen s2 40002
stray 40002
heard
sleep 0.2

case="a busy NFLOG group"
in_ s1 timeout 5 "$pmtud" --iface eth0 --nflog 33 >"$out/said" 2>&1
[ $? = 1 ] || complain "$case: does not end with 1"
grep -q 'NFLOG group 33: another program has it' "$out/said" ||
    complain "$case: $(cat "$out/said")"
end_all
case="NFLOG, peers"
stop "${servers[@]}"
counted s1 out 2
counted s2 out 0
counted s2 copy.tunnel 1

# ---- what is left of its rights ------------------------------------------------

case=rights
for options in "--iface eth0" "--iface eth0 --nflog 33"; do
    begin s1 $options
    status=/proc/${daemons[0]}/status
    for set in CapInh CapPrm CapEff CapAmb CapBnd; do
        grep -q "^$set:.0000000000000000$" "$status" ||
            complain "$case: $options: $(grep $set "$status")"
    done
    grep -q '^NoNewPrivs:.1$' "$status" || complain "$case: new privileges"
    grep -q 'no capabilities any more' "$out/s1.log" ||
        complain "$case: it does not say so"
    # A sanitizer makes calls of its own: then it says nothing of a filter.
    filtered=0
    grep -q 'only the system calls of its loop' "$out/s1.log" && filtered=2
    grep -q "^Seccomp:.$filtered$" "$status" || complain "$case: seccomp"
    kill -USR1 "${daemons[0]}" # and it still can
    await test -s "$out/s1.counters" || complain "$case: no counters"
    rm -f "$out/s1.counters"
    kill "${daemons[0]}"
    wait "${daemons[0]}" || complain "$case: exit $?: $(cat "$out/s1.log")"
    daemons=()
    [ -s "$out/s1.counters" ] || complain "$case: no counters at the end"
    checks=$((checks + 1))
done
[ $filtered = 2 ] || say "(built with a sanitizer: no seccomp filter)"

missing() { # TEXT OPTION...: without rights, it says which
    local text=$1
    shift
    in_ s1 setpriv --bounding-set -all --inh-caps -all timeout 5 "$pmtud" "$@" \
        >"$out/said" 2>&1
    [ $? = 1 ] || complain "$case: $*: does not end with 1"
    [ "$(grep -c '' "$out/said")" = 1 ] && grep -q "$text" "$out/said" ||
        complain "$case: $*: $(cat "$out/said")"
    checks=$((checks + 1))
}
case="no rights"
missing 'eth0: cannot open a packet socket: Operation not permitted' --iface eth0
missing 'NFLOG group 33: cannot join: Operation not permitted' --nflog 33 \
    --mode peers --local 10.9.0.1 --peer 10.9.0.2
in_ s1 setpriv --bounding-set -all,+net_admin --inh-caps -all,+net_admin \
    timeout 5 "$pmtud" --nflog 33 --mode peers --local 10.9.0.1 --peer 10.9.0.2 \
    >"$out/said" 2>&1
grep -q 'cannot open a raw IP socket: Operation not permitted' "$out/said" ||
    complain "$case: $(cat "$out/said")"
in_ s1 timeout 5 "$pmtud" --iface eth0 --user nobody >"$out/said" 2>&1
grep -q 'cannot become nobody: [A-Z]' "$out/said" || # nobody else is mapped here
    complain "$case: $(cat "$out/said")"

# ---- an interface that goes away and returns -----------------------------------

case="an interface that is not there"
in_ s1 timeout 5 "$pmtud" --iface nosuch0 >"$out/said" 2>&1
[ $? = 1 ] || complain "$case: does not end with 1"
grep -q 'nosuch0: no such interface' "$out/said" ||
    complain "$case: $(cat "$out/said")"
[ "$(wc -l <"$out/said")" = 1 ] || complain "$case: more than one sentence"

says() { # TIMES TEXT: in the daemon's log, by now
    [ "$(grep -c "$2" "$out/s1.log")" = "$1" ]
}
case="an interface that goes down"
begin s1 --iface eth0
ip -n s1 link set eth0 down
await says 1 'eth0: the interface is down; waiting' ||
    complain "$case: $(cat "$out/s1.log")"
ip -n s1 link set eth0 up
ip -n s1 route add default via 10.9.0.254 2>/dev/null
await says 1 'eth0: the interface is back' ||
    complain "$case: $(cat "$out/s1.log")"
listen s2 40003
stray 40003
heard

case="an interface that another one replaces"
ip link delete ps1
await says 1 'eth0: the interface is gone; waiting' ||
    complain "$case: $(cat "$out/s1.log")"
plug s1
await says 2 'eth0: the interface is back' ||
    complain "$case: $(cat "$out/s1.log")"
listen s2 40004
stray 40004
heard

case="an interface that another namespace had, with its old number"
index_() { ip -n s1 -o link show eth0 | cut -d: -f1; }
number=$(index_)
ip netns add elsewhere
ip -n s1 link set eth0 netns elsewhere
await says 2 'eth0: the interface is gone; waiting' ||
    complain "$case: $(cat "$out/s1.log")"
ip -n elsewhere link set eth0 netns s1 up
[ "$(index_)" = "$number" ] || complain "$case: $(index_), not $number"
await says 3 'eth0: the interface is back' ||
    complain "$case: $(cat "$out/s1.log")"
listen s2 40005
stray 40005
heard
end_all
counted s1 out 3

# ---- a flood, on a link of its own -----------------------------------------------

ip -n r link add name eth1 type veth peer name eth1 netns s1
ip -n s1 link set eth1 address 02:00:00:00:00:11 up
ip -n r link set eth1 up
case=flood
number() { sed -n "s/^$2:[[:space:]]*\([0-9]*\).*/\1/p" "/proc/$1/status"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
rm -f "$out/s1.log"
task_ s1 "$pmtud" --iface eth1 --counters "$out/s1.counters" 2>"$out/s1.log" &
daemons=($!) && pids+=($!)
await grep -q ' ready$' "$out/s1.log" || complain "$case: never ready"
began=$(date +%s%N)
memory=$(number "${daemons[0]}" VmData) resident=$(number "${daemons[0]}" VmRSS)
used=$(ticks "${daemons[0]}")
in_ r "$flood" eth1 02:00:00:00:00:11 $VIP4 100000 10 >"$out/flood" ||
    complain "$case: $(cat "$out/flood")"
used=$(($(ticks "${daemons[0]}") - used))
[ "$(number "${daemons[0]}" VmData)" = "$memory" ] ||
    complain "$case: memory grows: $memory kB, $(
        number "${daemons[0]}" VmData) kB"
[ $(($(number "${daemons[0]}" VmRSS) - resident)) -le 4096 ] ||
    complain "$case: more than its tables became resident"
now=$(date +%s%N)
end_all
sent=$(counter s1 sent)
most=$((19 + ((now - began) / 100000000) + 1))
[ "$sent" -ge 100 ] && [ "$sent" -le $most ] ||
    complain "$case: $sent were sent, not 100 to $most"
counted s1 out "$sent"
counted s1 drop.full 0
sum=$(awk '/^(sent|pass\.|copy\.|drop\.|doubted\.)/ { n += $2 } END { print n }' \
    "$out/s1.counters")
[ "$sum" = "$(counter s1 in)" ] || complain "$case: the counters do not add up"
say "$(cat "$out/flood"); $(counter s1 in) came in, $(counter s1 io.lost) were" \
    "lost before, $sent passed on; $((used * 1000 / $(getconf CLK_TCK))) ms of a" \
    "processor, memory $memory kB before and after"

case="what comes without an Ethernet address, when the interface has a new one"
old=02:00:00:00:00:01 new=02:00:00:00:00:55
set_ s1 ipv4/conf/lo/rp_filter=0
begin s1 --iface eth0 --nflog 33
ip -n s1 link set eth0 address $new
sleep 1
bridge fdb delete $old dev ps1 master 2>/dev/null
in_ s1 python3 "$errors" send lo 00:00:00:00:00:00 $ROUTER4 $VIP4 $CLIENT4 40009 \
    1300 || complain "$case: cannot be sent"
await grep -q ': sent, .*:40009,' "$out/s1.log" ||
    complain "$case: $(cat "$out/s1.log")"
bridge fdb show br bri0 | grep -q "^$new dev ps1 " ||
    complain "$case: the bridge learns nothing"
bridge fdb show br bri0 | grep -q "^$old dev ps1 " &&
    complain "$case: the old one is used still"
end_all
counted s1 io.sent 1
ip -n s1 link set eth0 address $old

case="a flood out of NFLOG, while the daemon is held up"
logged() {
    in_ s1 nft list ruleset | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p'
}
begin s1 --iface eth0 --nflog 33
before=$(logged)
kill -STOP "${daemons[0]}"
in_ r "$flood" eth1 02:00:00:00:00:11 $VIP4 100000 1 >"$out/flood" ||
    complain "$case: $(cat "$out/flood")"
kill -CONT "${daemons[0]}"
sleep 1
stray 40006 # a gap shows when the next one comes
await grep -q ':40006,' "$out/s1.log" || complain "$case: not heard any more"
logged=$(($(logged) - before))
end_all
[ "$(counter s1 io.lost)" -gt 0 ] || complain "$case: none was lost"
[ $(($(counter s1 in) + $(counter s1 io.lost))) = $logged ] ||
    complain "$case: $(counter s1 in) in, $(counter s1 io.lost) lost, of $logged"
checks=$((checks + 1))

[ $bad = 0 ] && say "$checks checks"
[ $bad = 0 ]
