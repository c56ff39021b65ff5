#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What keepalived runs when the health of a server changes, run as it would, and
# a tunmtu-lb that reads what comes of it.
#     tests/offline/keepalived.sh TUNMTU-LB
# Exit 77: there are no network namespaces here, or no flock.
set -u
if [ "${1-}" != --inside ]; then
    command -v flock >/dev/null || { echo "there is no flock"; exit 77; }
    flags=-n
    unshare $flags true 2>/dev/null || flags=-rn
    unshare $flags true 2>/dev/null || {
        echo "no network namespaces here"
        exit 77
    }
    exec unshare $flags "$0" --inside "$@"
fi
lb=$(realpath "$2")
folder=$(realpath "$(dirname "$0")/../../examples/keepalived")
out=$(mktemp -d) || exit 1
pid='' bad=0 checks=0
trap '[ -z "$pid" ] || kill -9 "$pid"; rm -rf "$out"' EXIT
complain() { echo "not ok: $*"; bad=$((bad + 1)); }

export TUNMTU_RULES=$out/all TUNMTU_ACTIVE=$out/active TUNMTU_STATE=$out/state
cat >"$TUNMTU_RULES" <<'END'
# kept
-A -t 10.0.0.2:443 -s mh -b mh-port
-a -t 10.0.0.2:443 -r 10.0.0.6:443 -i -w 3
-a -t 10.0.0.2:443 -r 10.0.0.7:443 -i -w 1
-a -t 10.0.0.2:443 -r 10.0.0.67:443 -i
-A -t [2001:db8::2]:443 -s mh -b mh-port
-a -t [2001:db8::2]:443 -r [2001:db8::6]:443 -i -w 1 --tun-type gre
-a -t [2001:db8::2]:443 -r 10.0.0.6:8443 -i -w 2
END
notify() { "$folder/tunmtu-notify" "$@"; }
# has TEXT...: the rules are just those of the servers that these lines are
has() { # WHAT LINE...
    checks=$((checks + 1))
    grep '^-a ' "$TUNMTU_ACTIVE" | sed 's/^-a -t //' >"$out/is"
    printf '%s\n' "${@:2}" | cmp -s - "$out/is" ||
        complain "$1: $(cat "$out/is")"
}
until_said() { # TEXT TIMES
    local i
    checks=$((checks + 1))
    for ((i = 0; i < 100; i++)); do
        [ "$(grep -c -- "$1" "$out/log")" -lt "$2" ] || return 0
        sleep 0.05
    done
    complain "not said $2 times: $1: $(cat "$out/log")"
}
refused() { # WHAT ARGUMENT...
    checks=$((checks + 1))
    notify "${@:2}" 2>"$out/why" && complain "$1: not refused"
    [ -s "$out/why" ] || complain "$1: no word why"
}
v4='10.0.0.2:443 -r 10.0.0'
v6='[2001:db8::2]:443 -r'
six="$v4.6:443 -i -w 3" seven="$v4.7:443 -i -w 1" other="$v4.67:443 -i"
six6="$v6 [2001:db8::6]:443 -i -w 1 --tun-type gre"
six4="$v6 10.0.0.6:8443 -i -w 2"

TUNMTU_RELOAD=false notify start || complain "start: exit $?"
has "at the start" "$six" "$seven" "$other" "$six6" "$six4"
ip link set lo up
"$lb" --rules "$TUNMTU_ACTIVE" --local 10.0.0.4 --local 2001:db8::4 \
    --io afpacket:lo --flow-table 100 --counters /dev/null 2>"$out/log" &
pid=$!
until_said ': ready$' 1
export TUNMTU_RELOAD="kill -HUP $pid"

notify down 10.0.0.6 || complain "down: exit $?"
has "a server is all its lines" "$seven" "$other" "$six6"
until_said ': 2 services now, ' 1
notify drain 2001:db8::6 # of IPv6, and nothing but its weight changes
has "drained" "$seven" "$other" "$v6 [2001:db8::6]:443 -i --tun-type gre -w 0"
until_said ': 2 services now, ' 2
notify drain 10.0.0.67
has "without a weight" "$seven" "$other -w 0" \
    "$v6 [2001:db8::6]:443 -i --tun-type gre -w 0"
until_said ': 2 services now, ' 3
notify up 2001:db8::6 && notify up 10.0.0.67 && notify up 10.0.0.6
has "up again" "$six" "$seven" "$other" "$six6" "$six4"
until_said ': 2 services now, ' 4 # or more: signals are not queued
notify down 10.0.0.6:8443
has "one of its ports" "$six" "$seven" "$other" "$six6"
notify up 10.0.0.6:8443
before=$(stat -c %i "$TUNMTU_ACTIVE")
notify up 10.0.0.6
[ "$(stat -c %i "$TUNMTU_ACTIVE")" = "$before" ] ||
    complain "rules are written that were there"

# Keepalived runs them side by side, as soon as health changes.
parts=()
for i in $(seq 20); do
    notify down 10.0.0.$((i % 2 ? 6 : 7)) &
    parts+=($!)
done
wait "${parts[@]}"
has "many at a time" "$other" "$six6"

# Rules as tunmtu-lb takes them: blanks, tabs, long options, and a CR at the end.
cp "$TUNMTU_RULES" "$out/all.before"
{
    grep -v '^-a ' "$out/all.before"
    printf '# -a -t 10.0.0.2:443 -r 10.0.0.99\n'
    printf '  -a -t 10.0.0.2:443\t-r\t10.0.0.60:443 -i\t-w\t3\n'
    printf -- '--add-server --tcp-service 10.0.0.2:443 --ipip'
    printf -- ' --weight=2 --real-server=10.0.0.61:443\r\n'
    printf -- '-a -t 10.0.0.2:443 --ipip --weight 2 --real-server 10.0.0.62\r\n'
} >"$TUNMTU_RULES"
notify drain 10.0.0.60 || complain "blanks and tabs: exit $?"
notify drain 10.0.0.61 || complain "long options: exit $?"
notify down 10.0.0.62 || complain "a CR: exit $?"
checks=$((checks + 1))
[ "$(tail -n 2 "$TUNMTU_ACTIVE")" = "$(
    printf '  -a -t 10.0.0.2:443\t-r\t10.0.0.60:443 -i -w 0\n'
    printf -- '--add-server --tcp-service 10.0.0.2:443 --ipip'
    printf -- ' --real-server=10.0.0.61:443 -w 0\n')" ] ||
    complain "rules in other words: $(cat -A "$TUNMTU_ACTIVE")"
refused "a server in a comment" down 10.0.0.99
mv "$out/all.before" "$TUNMTU_RULES"
notify up 10.0.0.6

refused "a server that there is not" down 10.0.0.66
grep -q 'has no server 10.0.0.66' "$out/why" || complain "why: $(cat "$out/why")"
refused "no server" down
refused "a word" down nobody
refused "a path" down ../../etc
refused "no such thing" away 10.0.0.6
cp "$TUNMTU_ACTIVE" "$out/before"
mv "$TUNMTU_RULES" "$out/gone"
refused "rules that are gone" up 10.0.0.6
cmp -s "$out/before" "$TUNMTU_ACTIVE" || complain "half of the rules"
mv "$out/gone" "$TUNMTU_RULES"
[ -z "$(find "$out" -name '*.new.*')" ] || complain "left behind: $(ls "$out")"

kill "$pid"
wait "$pid" || complain "tunmtu-lb: exit $?"
pid=
# Its own judgement, where it is installed. It takes only scripts that are
# root's, all the way down: so another stands for ours.
if command -v keepalived >/dev/null; then
    checks=$((checks + 1))
    sed 's|/etc/keepalived/[a-z-]*|/bin/true|' \
        "$folder/keepalived.conf" >"$out/conf"
    keepalived -t -f "$out/conf" || complain "keepalived's configuration"
fi
echo "$checks checks, $bad failed"
[ $bad = 0 ]
