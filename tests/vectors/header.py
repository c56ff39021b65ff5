#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes vectors.h out of vectors.json: every packet under its name.

    header.py           writes
    header.py --check   compares, exit status 1 if they differ

vectors.json comes from an implementation of its own in Python, and tshark has
checked it. A test that does not agree with it is wrong, or the library is.
"""
import json
import pathlib
import re
import sys

here = pathlib.Path(__file__).resolve().parent
lines = [
    "/* SPDX-License-Identifier: MIT */",
    "/* Packets that must come out byte by byte; header.py wrote this. */",
    "#ifndef TMTU_VECTORS_H",
    "#define TMTU_VECTORS_H",
    "",
    "/* clang-format off */",
    "static const struct {",
    "    const char *name, *hex;",
    "} vectors[] = {",
]
for group, fields in json.loads((here / "vectors.json").read_text()).items():
    if not re.fullmatch(r"V\d+", group):
        continue
    for name, value in fields.items():
        # A packet is at least 20 bytes long; shorter ones are checksums.
        if isinstance(value, str) and re.fullmatch("([0-9a-f]{2}){12,}", value):
            lines.append(f'    {{"{group}.{name}",')
            rows = [f'     "{row}"' for row in re.findall(".{1,64}", value)]
            lines += rows[:-1] + [rows[-1] + "},"]
lines += ["};", "/* clang-format on */", "", "#endif", ""]
text = "\n".join(lines)

if sys.argv[1:] == ["--check"]:
    sys.exit((here / "vectors.h").read_text() != text)
(here / "vectors.h").write_text(text)
