#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which requirements of tests/ids the tests name: each must be tested, or stand
in not-ours.txt with its reason. One that is tested in part says there what is
left ("part: ...").

    tests/coverage_ids.py [SOURCE-FOLDER]
"""
import pathlib
import re
import sys

TOP = pathlib.Path(sys.argv[1] if len(sys.argv) > 1
                   else pathlib.Path(__file__).resolve().parent.parent)
IDS = TOP / 'tests' / 'ids'


def read(name):
    """Id -> words of it, and id -> the heading that it stands under."""
    words, under, heading = {}, {}, ''
    for line in (IDS / name).read_text().splitlines():
        area = re.match(r'# ([A-Z]): ', line)
        heading = area[1] if area else heading
        if not line or line.startswith('#'):
            continue
        ident, _, rest = line.partition(' ')
        if ident in words or not rest:
            sys.exit(f'{name}: {ident}: twice, or without a word')
        words[ident], under[ident] = rest, heading
    return words, under


def mentioned():
    """Ids in comments and row names of C tests and scripts, and in the names of
    tests that are run: k51_r_792_01_what_it_shows."""
    found = set()
    files = [*TOP.glob('tests/**/*.[ch]'), *TOP.glob('tests/**/*.sh'),
             *TOP.glob('fuzz/*.c')]
    for file in files:
        text = file.read_text()
        found.update(re.findall(r'\bK\d+\b', text))
        for source, first, more in re.findall(
                r'\bR-([A-Z0-9]+)-(\d\d)((?:(?:,| and| to) -\d\d)*)', text):
            found.update(f'R-{source}-{n}'
                         for n in [first] + re.findall(r'\d\d', more))
        for name in re.findall(r'cmocka_unit_test\(\s*(\w+)\)', text):
            found.update('K' + n for n in re.findall(r'(?:^|_)[kK](\d+)(?=_)',
                                                     name))
            found.update(f'R-{s.upper()}-{n}' for s, n in
                         re.findall(r'(?:^|_)r_([a-z0-9]+)_(\d\d)(?=_)', name))
    return found


def main():
    kernel, _ = read('kernel.txt')
    rfc, area = read('rfc.txt')
    reasons, _ = read('not-ours.txt')
    found, bad = mentioned(), 0
    for ident in reasons:
        if ident not in kernel and ident not in rfc:
            print(f'{ident}: in not-ours.txt, and no requirement')
            bad = 1
    summary = []
    for name in ['Linux', *sorted(set(area.values()))]:
        ids = kernel if name == 'Linux' else [
            i for i in rfc if area[i] == name]
        tested = [i for i in ids if i in found]
        left = [i for i in ids if i in reasons]
        part = [i for i in left if reasons[i].startswith('part: ')]
        for i in ids:
            if i not in found and (i not in left or i in part):
                print(f'{i}: no test names it ({(kernel | rfc)[i]})')
                bad = 1
            elif i in found and i in left and i not in part:
                print(f'note: {i}: a test names it; strike it from not-ours.txt')
        in_part = f' ({len(part)} in part)' if part else ''
        summary.append(f'{name}: {len(tested)} of {len(ids)} tested{in_part}, '
                       f'{len(set(left) - set(part))} not ours')
    print('; '.join(summary))
    return bad


sys.exit(main())
