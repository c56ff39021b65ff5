#!/bin/sh
# SPDX-License-Identifier: MIT
# Has Wireshark's dissectors judge captures (raw IP or Ethernet): prints each
# packet that is malformed, cut short or has a wrong checksum, or of which
# Wireshark says anything else with the severity of an error; fails if any.
#     tests/interop/tshark.sh FILE.pcap...
# Further arguments for tshark come from TSHARK_OPTIONS.
# Not checked: TCP and UDP checksums in an ICMP quote, which is cut short, and
# what an application's dissector, chosen by port, makes of our payloads.
set -u
command -v tshark >/dev/null || { echo "tshark is missing" >&2; exit 1; }
[ $# -gt 0 ] || { echo "usage: $0 FILE.pcap..." >&2; exit 2; }
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
bad=0 packets=0

fields() { # FILE FIELD...: of every packet, one a line
    file=$1
    shift
    # shellcheck disable=SC2046,SC2086
    tshark -n -r "$file" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
        -o udp.check_checksum:TRUE \
        -o tcp.analyze_sequence_numbers:FALSE \
        -o tcp.desegment_tcp_streams:FALSE ${TSHARK_OPTIONS-} \
        -T fields $(printf ' -e %s' "$@") 2>"$log"
}

for file; do
    fields "$file" frame.number frame.protocols ip.checksum.status \
        icmp.checksum.status icmpv6.checksum.status tcp.checksum.status \
        udp.checksum.status gre.checksum.status \
        _ws.expert.severity _ws.expert.message >"$log.rows" || {
        echo "$file: tshark cannot read it"
        sed 's/^/    /' "$log"
        bad=1
    }
    # Status 0 is bad, 1 good, 2 not verified.
    awk -F '\t' -v file="$file" '
        function wrong(status) { return status ~ /(^|,)0(,|$)/ }
        function say(what) { print file ": packet " $1 ": " what " (" $2 ")"; bad = 1 }
        { quote = $2 ~ /:icmp/
          stack = $2
          gsub(/:udp:(gre|gue):/, ":", stack)
          ours = stack !~ /:(tcp|udp):/ || stack ~ /:(tcp|udp):data$/ }
        wrong($3) { say("IPv4 header checksum") }
        wrong($4) { say("ICMP checksum") }
        wrong($5) { say("ICMPv6 checksum") }
        !quote && wrong($6) { say("TCP checksum") }
        !quote && wrong($7) { say("UDP checksum") }
        !quote && wrong($8) { say("GRE checksum") }
        { what = $10 # of a quote that is cut short, sums say nothing
          errors = gsub(/8388608/, "&", $9) - gsub(/Bad checksum/, "&", what)
          if (!quote) errors = index($9, "8388608") }
        errors > 0 && ours { say($10) }
        END { exit bad }' "$log.rows" || bad=1
    packets=$((packets + $(wc -l <"$log.rows")))
    rm -f "$log.rows"
done
[ $packets -gt 0 ] || { echo "no packet was judged"; bad=1; }
echo "$# captures, $packets packets"
exit $bad
