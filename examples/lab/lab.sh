# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The place where the lab is: sourced by the scripts beside it.
#
# Everything lives in one `unshare` with a PID namespace: when the first process
# in it ends, however it ends, the kernel ends the others, and the network is
# gone. Nothing is left to tidy up.

set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin # where ip and ethtool are, and a user does not look

LAB_POLICIES='notify both fragment clamp'
LAB_DIR=/run/lab # on a tmpfs of the lab's own

# shellcheck source-path=SCRIPTDIR source=net.sh
. "${BASH_SOURCE[0]%/*}/net.sh"
# shellcheck source-path=SCRIPTDIR source=programs.sh
. "${BASH_SOURCE[0]%/*}/programs.sh"

lab_say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# A wrong command line.
lab_misused() {
    lab_say "$*; see $0 --help"
    exit 2
}

lab_number() { # TEXT LEAST MOST
    [[ $1 =~ ^[1-9][0-9]{0,8}$ ]] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# lab_arguments FLAGS VALUED ARGUMENT...: what the command line says, into the
# variables of the same names, or that NAME=VARIABLE tells: yes, or the value.
lab_arguments() {
    local flags=$1 valued=$2 name
    shift 2
    while [ $# -gt 0 ]; do
        if [ "$1" = --help ]; then
            usage
            exit
        fi
        for name in $flags; do
            [ "$1" = "--${name%=*}" ] || continue
            printf -v "${name#*=}" yes
            shift
            continue 2
        done
        for name in $valued; do
            [ "$1" = "--${name%=*}" ] || continue
            [ $# -ge 2 ] || lab_misused "$1 needs a value"
            printf -v "${name#*=}" %s "$2"
            shift 2
            continue 2
        done
        lab_misused "unknown option $1"
    done
}

# lab_options FAMILY IO SERVERS POLICIES TUNNEL: what all the scripts let choose.
lab_options() {
    local policy
    [[ $1 == [46] ]] || lab_misused "--family is 4 or 6"
    [[ $2 =~ ^(afpacket|tun)$ ]] || lab_misused "--io is afpacket or tun"
    [[ $5 =~ ^(ipip|gue|gre)$ ]] || lab_misused "--tunnel is ipip, gue or gre"
    lab_number "$3" 1 99 || lab_misused "--servers is 1 to 99"
    for policy in $4; do
        [[ " $LAB_POLICIES " == *" $policy "* ]] ||
            lab_misused "there is no policy $policy"
    done
}

# Ends with a sentence, and with what the programs said and lost.
lab_fail() {
    lab_say "$*"
    local log name
    for name in "${!LAB_PID[@]}"; do
        case $name in
        balancer | lb* | real*) kill -USR1 "${LAB_PID[$name]}" ;;
        hop | tunnel) kill -TERM "${LAB_PID[$name]}" ;; # that is when it writes them
        esac
    done 2>/dev/null
    sleep 0.5
    for log in "$LAB_DIR"/*.counters; do
        [ -s "$log" ] && sed -n "/ 0\$/!s|^|  ${log##*/}: |p" "$log" >&2
    done
    for log in "$LAB_DIR"/*.log; do
        [ -s "$log" ] && sed "s|^|  ${log##*/}: |" <(tail -n 5 "$log") >&2
    done
    exit 1
}

# Prints the flags with which unshare works here; root needs no user namespace.
lab_flags() {
    local flags
    for flags in -nmpf -Urnmpf; do
        unshare "$flags" true 2>/dev/null && echo "$flags" && return
    done
    return 1
}

# lab_enter COMMAND...: runs it as root of namespaces of its own and exits with
# its status. Returns at once when that has happened already.
lab_enter() {
    [ -z "${TUNMTU_LAB_INSIDE-}" ] || { lab_settle && return; }
    local flags pid status=0
    flags=$(lab_flags) || {
        lab_say "namespaces are not possible here:" \
            "$(unshare -Urnmpf true 2>&1 || :)"
        exit 1
    }
    TUNMTU_LAB_INSIDE=1 unshare "$flags" --kill-child -- "$@" </dev/null &
    pid=$!
    # Ending unshare ends its child, and with it the PID namespace.
    trap 'kill -KILL "$pid" 2>/dev/null || :' INT TERM HUP
    wait "$pid" || status=$?
    exit "$status"
}

lab_settle() {
    set -E
    # Said once, not by each subshell on the way out.
    trap '[ "$BASH_SUBSHELL" -gt 0 ] || lab_fail \
        "${BASH_SOURCE[0]##*/}:$LINENO: this command failed: $BASH_COMMAND"' ERR
    # Over all of /run: a user without root could not make /run/netns.
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p /run/netns "$LAB_DIR"
    # As PID 1 of its namespace this shell has no default for these.
    trap 'exit 143' INT TERM HUP
    [ -w /dev/net/tun ] || lab_fail "/dev/net/tun is missing, or not open to" \
        "this user; as root: modprobe tun; chmod 666 /dev/net/tun"
}

# lab_programs BUILD [PROGRAM...]: are they there?
lab_programs() {
    local build=$1 program
    shift
    for program in lb/tunmtu-lb realserver/tunmtu-realserver lab/tunmtu-probe \
        "$@"; do
        [ -x "$build/examples/$program" ] || lab_fail "$build/examples/$program" \
            "is not built; examples/lab/quickstart.sh does it"
    done
    for program in ip ethtool nsenter nstat awk timeout; do
        command -v "$program" >/dev/null || lab_fail "$program is not" \
            "installed (Debian: iproute2 ethtool util-linux)"
    done
}
