#!/bin/sh
# SPDX-License-Identifier: MIT
# Keeps the floors of the house: an #include only points down.
#     tests/floors.sh [SOURCE-FOLDER]
set -u
cd "${1:-$(dirname "$0")/..}" || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
bad=0
complain() { echo "$*"; bad=1; }

# A header or a .c file of libtunmtu may include what stands on a line above
# its own, <stddef.h> and <stdint.h>; a .c file its own header too.
floors='api version bytes
reason flow cksum buf
hash
ip
icmp encap mtu mss reset frag segment stack pmtu_path
nat owner
flows follow limit pmtu reass steer
tunnel trust
relay'
# Files that share the header of another.
parts='ip_transport=ip ip_ends=ip ip6=ip ip_quick=ip icmp_build=icmp
icmp_meaning=icmp icmp_quote=icmp icmp_redirect=icmp hop=ip ip4_option=ip
outer=encap encap_kinds=encap encap_gre=encap encap_gue=encap encap_limit=encap
encap_peek=encap encap_pull=encap encap_udp=encap nat_rewrite=nat nat_plan=nat nat_crc=nat
tunnel_quick=tunnel'

floor() { # NAME: its line, nothing if it is on none
    echo "$floors" | grep -nw -- "$1" | cut -d: -f1
}

includes() { # FILE: what it includes, one a line
    sed -n 's/^ *# *include *\([<"][^>"]*[>"]\).*/\1/p' "$1"
}

for file in include/tunmtu/*.h lib/*.c lib/*.h; do
    name=$(basename "$file" | sed 's/\.[ch]$//')
    case $file in
    lib/all.c | lib/core.c | include/tunmtu/io.h) continue ;; # see below
    lib/wire.h) # names of offsets, needs nothing
        for inc in $(includes "$file"); do
            complain "$file: may not include $inc"
        done
        continue ;;
    esac
    own=$name
    for part in $parts; do
        [ "${part%=*}" = "$name" ] && own=${part#*=}
    done
    line=$(floor "$own")
    [ -n "$line" ] || { complain "$file: is on no floor"; continue; }
    for inc in $(includes "$file"); do
        case $inc in
        '<stddef.h>' | '<stdint.h>') continue ;;
        '"wire.h"') case $file in lib/*.[ch]) continue ;; esac ;;
        '"ip_ends.h"') [ "$(floor ip)" -le "$line" ] && continue ;;
        '"ip_quick.h"') [ "$(floor ip)" -le "$line" ] && continue ;;
        '"hop.h"') [ "$(floor ip)" -le "$line" ] && continue ;;
        '"ip4_option.h"') [ "$(floor ip)" -le "$line" ] && continue ;;
        '"outer.h"') [ "$(floor encap)" -le "$line" ] && continue ;;
        '"encap_kinds.h"') [ "$(floor encap)" -le "$line" ] && continue ;;
        '"nat_'*'.h"') [ "$own" = nat ] && continue ;;
        '"tunnel_quick.h"') [ "$own" = tunnel ] && continue ;;
        '<tunmtu/'*)
            target=${inc#<tunmtu/}
            target=${target%.h>}
            case $file in lib/*) [ "$target" = "$own" ] && continue ;; esac
            below=$(floor "$target")
            [ -n "$below" ] && [ "$below" -lt "$line" ] && continue ;;
        esac
        complain "$file: may not include $inc"
    done
done

# The lists hold .c files of this folder and nothing else; together, all.
for file in lib/all.c lib/core.c; do
    for inc in $(includes "$file"); do
        case $inc in
        '"'*'.c"') ;;
        *) complain "$file: may not include $inc" ;;
        esac
    done
done
listed=$(cat lib/all.c lib/core.c | sed -n 's/^#include "\(.*\)".*/\1/p' |
    grep -v '^core.c$' | sort)
there=$(cd lib && ls ./*.c | sed 's#^\./##' | grep -v '^all.c$\|^core.c$')
[ "$listed" = "$there" ] || {
    complain "lib/all.c does not list what lib holds:"
    printf '%s\n' "$listed" >"$out/listed"
    printf '%s\n' "$there" | diff "$out/listed" -
}

# Everything else goes through the public headers. What shows how to take the
# core into another program may reach into lib; a test into what it tests.
find include/tunmtu/io.h lib/io examples tests fuzz -name '*.[ch]' \
    >"$out/files"
while read -r file; do
    name=$(basename "$file" _test.c)
    for inc in $(includes "$file"); do
        case $file:$inc in
        tests/*_test.c:"\"../lib/$name.c\"") ;;
        include/tunmtu/io.h:'<tunmtu/buf.h>' | include/tunmtu/io.h:'<std'*) ;;
        include/tunmtu/io.h:*) complain "$file: may not include $inc" ;;
        *.bpf.c:'"../lib/core.c"' | *.bpf.c:'"../lib/wire.h"') ;;
        lib/io/*:'"../wire.h"') ;;
        *:*wire.h*) complain "$file: may not include $inc" ;;
        *:*lib/*) complain "$file: may not include $inc" ;;
        esac
    done
done <"$out/files"

# Each public header compiles alone, in both languages.
std='-Wall -Wextra -pedantic -Werror -Iinclude'
for header in include/tunmtu/*.h; do
    printf '#include <%s>\nextern int not_empty;\n' "${header#include/}" \
        >"$out/one.c"
    # shellcheck disable=SC2086
    ${CC:-cc} -std=c11 $std -Wstrict-prototypes -fsyntax-only "$out/one.c" ||
        complain "$header: does not compile alone as C11"
    # shellcheck disable=SC2086
    ${CXX:-c++} -std=c++11 $std -x c++ -fsyntax-only "$out/one.c" ||
        complain "$header: does not compile alone as C++11"
done

# Every file says under which licence, in its first line (or behind #!).
find CMakeLists.txt .ci pkgconfig include lib examples tests fuzz \
    \( -name '*.[ch]' -o -name '*.cc' -o -name '*.sh' -o -name '*.py' -o \
    -name '*.awk' -o -name 'CMakeLists.txt' -o -name '*.in' -o \
    -path .ci/run \) ! -name '*.pc.in' >"$out/files"
while read -r file; do
    sed -n '1,2p' "$file" | grep -q 'SPDX-License-Identifier: MIT' ||
        complain "$file: has no SPDX line"
done <"$out/files"

[ $bad = 0 ] && echo "the floors hold"
exit $bad
