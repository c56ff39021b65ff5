#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual in HTML, from the source folder; fails when a word is missing.
#     tests/docs.sh DOXYFILE
set -eu
command -v doxygen >/dev/null || { echo "doxygen is missing" >&2; exit 1; }
out=$(sed -n 's/^OUTPUT_DIRECTORY *= *"\(.*\)"$/\1/p' "$1")
rm -rf "$out"
mkdir -p "$out"
rc=0
doxygen "$1" || rc=1

# Doxygen 1.9.4 says nothing about an enum value that has no comment.
awk '
FNR == 1 { inside = comment = 0; begun = "" }
{ $0 = begun $0; begun = "" }
/=$/ && !comment { begun = $0; next } # clang-format has broken the line here
/^enum [a-z0-9_]* *\{/ { inside = 1 }
/^\}/ { inside = 0 }
inside && !comment && /^ *[A-Z]/ && !/\/\*\*</ &&
prev !~ /^ *(\/\*\*|\*).*\*\/ *$/ {
    print FILENAME ":" FNR ": enum value without documentation: " $1; bad = 1 }
/\/\*/ { comment = 1 }
/\*\// { comment = 0 }
{ prev = $0 }
END { exit bad }' include/tunmtu/*.h || rc=1
[ $rc = 0 ] && echo "the manual is in $out/html/index.html"
exit $rc
