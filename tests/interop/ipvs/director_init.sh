#!/bin/sh
# SPDX-License-Identifier: MIT
# PID 1 of the director. Its root is the host's file tree, read-only; LAB_CONF,
# from the kernel command line, names the settings that director.sh wrote.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /run
# shellcheck source=/dev/null
. "$LAB_CONF"
end() { echo o >/proc/sysrq-trigger; sleep 5; }
try() { "$@" 2>&1 || { echo "GUEST-FAILED: $*"; end; }; }

# Modules of the UML kernel, wherever the host keeps those of its own.
mkdir -p /run/m/lib/modules
ln -s "/usr/lib/uml/modules/$(uname -r)" "/run/m/lib/modules/$(uname -r)"
for m in ip_vs "ip_vs_$SCHED" ipip ip6_tunnel gre fou ip_gre ip6_gre; do
    try modprobe -d /run/m "$m"
done

# One neighbour for both families: everything that leaves goes to the tap.
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0 \
    net.ipv6.conf.vec0.accept_dad=0 net.ipv6.conf.vec0.accept_ra=0
ip link set lo up
try ip link set vec0 addrgenmode none
try ip link set vec0 mtu "$MTU" arp on up
# This driver sends packets wrong that are a list of fragments in memory.
try ethtool -K vec0 sg off
ip addr add 10.9.0.2/32 dev vec0
ip neigh add 10.9.0.1 lladdr "$LAB_TAP_MAC" dev vec0 nud permanent
try ip route add default via 10.9.0.1 dev vec0 onlink
ip addr add fd09::2/128 dev vec0 nodad
ip neigh add fd09::1 lladdr "$LAB_TAP_MAC" dev vec0 nud permanent
try ip route add default via fd09::1 dev vec0 onlink
if [ -n "$PATH_MTU" ]; then
    for r in $REALS $REALS6 $ALONE $ALONE6; do
        case $r in *:*) gw=fd09::1 ;; *) gw=10.9.0.1 ;; esac
        echo "route replace $r via $gw dev vec0 onlink mtu $PATH_MTU"
    done >/run/routes
    try ip -batch /run/routes
fi

# Nothing may depend on time: ICMP is not limited, of either family.
try sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.vec0.rp_filter=0 \
    net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.vec0.send_redirects=0 \
    net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0 \
    net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_msgs_burst=1000000 \
    net.ipv4.vs.pmtu_disc="$PMTU_DISC" net.ipv4.vs.sloppy_tcp="$SLOPPY_TCP" \
    net.ipv4.vs.schedule_icmp="$SCHEDULE_ICMP"

way=$FORWARD
if [ "$way" = -i ]; then
    way="-i --tun-type $TUN_TYPE $TUN_FLAGS"
    [ "$TUN_TYPE" != gue ] || way="$way --tun-port $TUN_PORT"
fi
service() { # -t|-u ADDRESS PORT REALS: lines for ipvsadm -R
    case $2 in *:*) a="[$2]:$3" ;; *) a="$2:$3" ;; esac
    echo "-A $1 $a -s $SCHED"
    to=$3
    [ "$FORWARD" != -m ] || to=$(($3 + 1000))
    for r in $4; do
        case $r in *:*) r="[$r]" ;; esac
        echo "-a $1 $a -r $r:$to $way"
    done
}
services() { # ADDRESS REALS ALONE
    for p in $TCP_PORTS; do service -t "$1" "$p" "$2"; done
    for p in $UDP_PORTS; do service -u "$1" "$p" "$2"; done
    p=8000
    for r in $3; do service -t "$1" $((p += 1)) "$r"; done
    service -t "$1" 8100 ''
}
ip addr add "$VIP/32" dev lo
ip addr add "$VIP6/128" dev lo nodad
services "$VIP" "$REALS" "$ALONE" >/run/rules
services "$VIP6" "$REALS6" "$ALONE6" >>/run/rules
try ipvsadm -R </run/rules

echo "kernel $(uname -r)"
sysctl net.ipv4.vs.pmtu_disc net.ipv4.vs.schedule_icmp net.ipv4.vs.sloppy_tcp
ipvsadm-save -n # the rules that our balancer gets, too
echo GUEST-READY
n=0
while [ ! -e "$STOP" ] && [ $((n += 1)) -lt $((LIFE * 5)) ]; do sleep 0.2; done
echo "== at the end"
ipvsadm -Lnc
ip route show cache
ip -6 route show cache
grep -E '^(Ip|Icmp):' /proc/net/snmp
end
