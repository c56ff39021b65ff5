#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs into an empty prefix, static and shared, in a plain lib folder and a
# multiarch one; moves the prefix; compares what the shared libraries export
# with tests/symbols.txt; and has a stranger's program (tests/consume) built
# through pkg-config and find_package, as C and C++, run.
#     tests/install.sh [SOURCE-FOLDER]
set -eu
src=$(cd "${1:-$(dirname "$0")/..}" && pwd)
cc=${CC:-cc} cxx=${CXX:-c++}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
multiarch=$(gcc -print-multiarch 2>/dev/null || :) # x86_64-linux-gnu
ran=0

quietly() { # COMMAND...: its words only if it fails
    "$@" >"$out/log" 2>&1 || { cat "$out/log"; echo "FAILED: $*"; exit 1; }
}

says() { # WHAT PROGRAM
    case $("$2") in
    "tunmtu "[0-9]*) ran=$((ran + 1)) ;;
    *) echo "$1: does not run"; exit 1 ;;
    esac
}

for shared in OFF ON; do
    for libdir in lib "lib${multiarch:+/$multiarch}"; do
        what="shared $shared, $libdir"
        quietly cmake -S "$src" -B "$out/b$shared" -DBUILD_TESTING=OFF \
            -DBUILD_SHARED_LIBS=$shared -DCMAKE_INSTALL_LIBDIR="$libdir" \
            -DCMAKE_BUILD_TYPE=Release
        quietly cmake --build "$out/b$shared" -j2
        rm -rf "$out/first" "$out/prefix"
        quietly cmake --install "$out/b$shared" --prefix "$out/first"
        command -v systemd-analyze >/dev/null &&
            systemd-analyze verify --man=no \
                "$out/first/lib/systemd/system/tunmtu-pmtud@eth0.service" 2>&1 |
            grep 'tunmtu-pmtud@' && {
            echo "$what: systemd would not take the service so"; exit 1; }
        mv "$out/first" "$out/prefix" # a package may end up anywhere
        libs=$out/prefix/$libdir
        export LD_LIBRARY_PATH="$libs"
        grep -rIl --exclude='*.service' -e "$src" -e "$out" \
            "$libs" "$out/prefix/include" && {
            echo "$what: these name a folder of the build"; exit 1; }
        # systemd wants the whole name: the one that --prefix made.
        grep -q "^ExecStart=$out/first/sbin/tunmtu-pmtud " \
            "$out/prefix/lib/systemd/system/tunmtu-pmtud@.service" || {
            echo "$what: the service starts another program"; exit 1; }
        for library in tunmtu tunmtu-io; do
            [ $shared = ON ] || { [ -f "$libs/lib$library.a" ] && continue; }
            nm -D --defined-only "$libs/lib$library.so" |
                sed "s/.* /lib$library /; s/@.*//"
        done >"$out/symbols"
        [ $shared = OFF ] || diff "$src/tests/symbols.txt" "$out/symbols" || {
            echo "$what: exports other symbols than tests/symbols.txt"; exit 1; }

        export PKG_CONFIG_PATH="$libs/pkgconfig"
        for package in tunmtu tunmtu-io; do
            define=
            [ $package = tunmtu ] || define=-DWITH_IO
            flags="$(pkg-config --cflags $package) $define"
            link=$(pkg-config --libs $package)
            # shellcheck disable=SC2086
            quietly "$cc" -std=c11 $flags "$src/tests/consume/main.c" \
                -o "$out/c" $link
            says "$what, pkg-config, $package, C" "$out/c"
            # shellcheck disable=SC2086
            quietly "$cxx" -std=c++11 $flags -x c++ \
                "$src/tests/consume/main.c" -x none -o "$out/cc" $link
            says "$what, pkg-config, $package, C++" "$out/cc"
        done

        quietly cmake -S "$src/tests/consume" -B "$out/use" --fresh \
            -DCMAKE_PREFIX_PATH="$out/prefix"
        quietly cmake --build "$out/use" --clean-first -j2
        for program in pure_c pure_cc io_c io_cc; do
            says "$what, find_package, $program" "$out/use/$program"
        done
        echo "$what: C and C++ through pkg-config and find_package"
    done
done
unset LD_LIBRARY_PATH PKG_CONFIG_PATH

# Both libraries where there is none of what the programs need besides.
cat >"$out/pkg-config" <<'END'
#!/bin/sh
case $* in
*microhttpd* | *netfilter* | *seccomp* | *cap-ng*) exit 1 ;;
esac
exec pkg-config "$@"
END
chmod +x "$out/pkg-config"
quietly cmake -S "$src" -B "$out/libraries" -DBUILD_TESTING=OFF \
    -DTMTU_PROGRAMS=OFF -DPKG_CONFIG_EXECUTABLE="$out/pkg-config"
quietly cmake --build "$out/libraries" -j2
quietly cmake --install "$out/libraries" --prefix "$out/alone"
if [ ! -f "$out/alone/lib/pkgconfig/tunmtu-io.pc" ] || [ -e "$out/alone/sbin" ]; then
    echo "TMTU_PROGRAMS=OFF: not the two libraries alone"
    exit 1
fi
echo "without the programs"

# As a part of another project: the pure library alone, nothing installed.
quietly cmake -S "$src/tests/consume" -B "$out/fetch" -DTUNMTU_SOURCE="$src"
quietly cmake --build "$out/fetch" -j2
says "FetchContent" "$out/fetch/pure_c"
says "FetchContent" "$out/fetch/pure_cc"
[ ! -e "$out/fetch/io_c" ] || { echo "FetchContent builds too much"; exit 1; }
echo "as a subproject: C and C++"
echo "$ran programs ran"
