# SPDX-License-Identifier: MIT
"""The text format of Prometheus (0.0.4), read more strictly than Prometheus
does. Standard library only.

    text.py [FILE...]    complains about files, or standard input
"""
import re
import sys

NAME = re.compile(r'[a-zA-Z_][a-zA-Z0-9_]*\Z')
SAMPLE = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.*)\})? (\d+)\Z')
LABEL = re.compile(r'([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
UNITS = re.compile(r'_(ms|us|ns|kb|mb|kbytes|packets?_count)(_|\Z)')


class Wrong(Exception):
    """What is wrong with a text."""


class Family:
    def __init__(self, name, text):
        self.name, self.help, self.type, self.samples = name, text, None, {}


def labels_of(line, text):
    """Pairs, which each occur once, with commas between them and none after."""
    labels, at = {}, 0
    while True:
        match = LABEL.match(text, at)
        if match is None:
            raise Wrong(f'{line!r}: labels end at {text[at:]!r}')
        name, value = match.groups()
        if name.startswith('__') or name in labels or not value:
            raise Wrong(f'{line!r}: label {name}')
        labels[name] = re.sub(r'\\(.)', lambda m: '\n' if m[1] == 'n' else m[1],
                              value)
        at = match.end()
        if at == len(text):
            return labels
        if text[at] != ',':
            raise Wrong(f'{line!r}: labels end at {text[at:]!r}')
        at += 1


def begin(families, line):
    words = line.split(' ', 3)
    if len(words) != 4 or words[1] != 'HELP' or not NAME.match(words[2]):
        raise Wrong(f'{line!r}: a family begins with its help')
    name, text = words[2:]
    if name in families:
        raise Wrong(f'{name}: in two places')
    if not text.endswith('.') or '\\' in text:
        raise Wrong(f'{name}: {text!r} is no sentence')
    if UNITS.search(name):
        raise Wrong(f'{name}: no base unit')
    families[name] = Family(name, text)
    return families[name]


def typed(family, line):
    want = 'counter' if family.name.endswith('_total') else 'gauge'
    if line != f'# TYPE {family.name} {want}':
        raise Wrong(f'{line!r}: where the type of {family.name} belongs')
    family.type = want


def sample(family, line):
    match = SAMPLE.match(line)
    if match is None:
        raise Wrong(f'{line!r}: no sample')
    name, labels, value = match.groups()
    if name != family.name:
        raise Wrong(f'{line!r}: among those of {family.name}')
    labels = labels_of(line, labels) if labels is not None else {}
    if family.samples and labels.keys() != dict(
            next(iter(family.samples))).keys():
        raise Wrong(f'{line!r}: has other labels than the one before')
    key = tuple(labels.items())
    if key in family.samples:
        raise Wrong(f'{line!r}: is there twice')
    family.samples[key] = int(value)


def read(text):
    """Families by name; raises Wrong."""
    families, family = {}, None
    if not text.endswith('\n'):
        raise Wrong('the last line does not end')
    for line in text[:-1].split('\n'):
        if family is not None and family.type is None:
            typed(family, line)
        elif line.startswith('#'):
            if family is not None and not family.samples:
                raise Wrong(f'{family.name}: has no sample')
            family = begin(families, line)
        elif family is None:
            raise Wrong(f'{line!r}: before any family')
        else:
            sample(family, line)
    if family is None or not family.samples:
        raise Wrong('ends in the middle')
    return families


def grown(before, after):
    """Complaints about counters that have fallen or gone."""
    for name, family in before.items():
        if family.type != 'counter':
            continue
        for key, value in family.samples.items():
            now = after[name].samples.get(key) if name in after else None
            if now is None or now < value:
                yield f'{name}{dict(key)}: was {value}, is {now}'


def main(files):
    bad = 0
    for file in files or ['/dev/stdin']:
        try:
            with open(file, encoding='utf-8') as f:
                read(f.read())
        except Wrong as wrong:
            print(f'{file}: {wrong}')
            bad = 1
    return bad


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
