# SPDX-License-Identifier: MIT
"""The programs with --metrics, in a network namespace that has lo and veth0.

    story.py FOLDER TUNMTU-LB TUNMTU-REALSERVER TUNMTU-PMTUD
"""
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import names
import text

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[2] / 'examples' / 'metrics'
PMTUD_PY = HERE.parent / 'pmtud.py'
PROMTOOL = shutil.which('promtool')
KEY = '000102030405060708090a0b0c0d0e0f'

RULES = '''-A -t 10.0.0.2:443 -s mh -b mh-port
-a -t 10.0.0.2:443 -r 10.0.0.6 -i -w 1
-a -t 10.0.0.2:443 -r 10.0.0.7 -i -w 1
-A -u 10.0.0.2:53 -s mh -b mh-port
-a -u 10.0.0.2:53 -r 10.0.0.6 -i -w 1
-A -u [2001:db8::2]:53 -s mh -b mh-port
-a -u [2001:db8::2]:53 -r [2001:db8::6] -i -w 1
-a -u [2001:db8::2]:53 -r 10.0.0.6 -i -w 0
'''
NAT = '''-A -u 10.0.0.9:53 -s mh -b mh-port
-a -u 10.0.0.9:53 -r 10.0.0.10:5353 -m -w 1
'''
LOCALS = ['--local', '10.0.0.3', '--local', '2001:db8::a']

failed = done = 0
processes = []


def holds(truth, *what):
    global failed, done
    done += 1
    if not truth:
        failed += 1
        print('WRONG:', *what)


def until(what, seconds=10):
    """Whether what() became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def links():
    """Interfaces with their addresses."""
    told = subprocess.run(['ip', '-j', 'link'], check=True, capture_output=True)
    return {link['ifname']: link.get('address')
            for link in json.loads(told.stdout)}


class Daemon:
    """A program with --metrics on a free port, and what it says."""

    def __init__(self, folder, program, *options, at='0'):
        self.name = Path(program).name
        self.short = self.name.removeprefix('tunmtu-')
        self.counters = folder / f'{self.name}.counters'
        self.log = folder / f'{self.name}.log'
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(
                [program, *options, '--metrics', at, '--counters',
                 self.counters], stderr=log)
        processes.append(self.process)
        if not until(lambda: ' ready\n' in self.said() or
                     self.process.poll() is not None):
            self.stop()
        match = re.search(r'metrics at http://(.*):(\d+)/metrics', self.said())
        if match is None:
            raise SystemExit(f'{self.name} does not start: {self.said()}')
        self.host, self.port = match[1].strip('[]'), int(match[2])

    def said(self):
        return self.log.read_text()

    def get(self, path='/metrics', method='GET', body=None):
        """Status, headers, body."""
        connection = HTTPConnection(self.host, self.port, timeout=20)
        connection.request(method, path, body)
        response = connection.getresponse()
        answer = response.status, response.headers, response.read().decode()
        connection.close()
        return answer

    def scrape(self):
        """Families by name, checked."""
        status, _, body = self.get()
        holds(status == 200, self.name, status)
        try:
            families = text.read(body)
        except text.Wrong as wrong:
            holds(False, f'{self.name}: {wrong}')
            raise SystemExit(1) from wrong
        for name in families:
            holds(name.startswith(f'tunmtu_{self.short}_'), name)
        if PROMTOOL is not None:
            says = subprocess.run([PROMTOOL, 'check', 'metrics'], input=body,
                                  capture_output=True, text=True, check=False)
            holds(says.returncode == 0 and not says.stderr + says.stdout,
                  f'{self.name}: promtool: {says.stderr}{says.stdout}')
        return families

    def value(self, name, **labels):
        for key, value in self.scrape()[f'tunmtu_{self.short}_{name}'] \
                .samples.items():
            if labels.items() <= dict(key).items():
                return value
        return None

    def info(self):
        (key, value), = self.scrape()[f'tunmtu_{self.short}_info'].samples.items()
        holds(value == 1, f'{self.name}: info is {value}')
        return dict(key)

    def dump(self):
        self.counters.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        until(self.counters.exists)
        return self.counters.read_text()

    def is_as_its_file(self):
        """Between two equal scrapes, so that nothing has happened meanwhile."""
        for _ in range(20):
            before = self.get()[2]
            lines = self.dump()
            if self.get()[2] == before:
                break
        else:
            holds(False, f'{self.name}: never quiet')
        wrong = list(names.differences(self.short, text.read(before), lines))
        holds(not wrong, f'{self.name}:', *wrong[:5])

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def ticks(self):
        """Of a processor."""
        stat = Path(f'/proc/{self.process.pid}/stat').read_text()
        return sum(map(int, stat.rsplit(')', 1)[1].split()[11:13]))

    def stop(self):
        self.process.terminate()
        holds(self.process.wait(20) == 0, f'{self.name}: {self.said()}')


def speaks_http(daemon):
    """What is served, and what is not."""
    status, headers, body = daemon.get()
    holds((status, headers['Content-Type']) ==
          (200, 'text/plain; version=0.0.4; charset=utf-8'), status, headers)
    holds(daemon.get('/metrics?x=1')[0] == 200, 'GET with a query')
    status, headers, nothing = daemon.get(method='HEAD')
    holds(status == 200 and nothing == '' and
          abs(int(headers['Content-Length']) - len(body)) < 100,
          'HEAD', status, headers)
    holds(daemon.get('/')[::2] == (200, 'See /metrics\n'), 'GET /')
    for path in '/metrics/', '/metric', '/favicon.ico', '//', '/../etc/passwd':
        holds(daemon.get(path)[0] == 404, path)
    for method in 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'NONSENSE':
        status, headers, _ = daemon.get(method=method, body='x=1')
        holds(status == 405 and headers['Allow'] == 'GET, HEAD', method, status)
    for request in (b'nonsense\r\n\r\n', b'\0' * 100 + b'\r\n\r\n',
                    b'GET /metrics HTTP/1.1\r\nHost: a\r\nX: ' + b'x' * 20000 +
                    b'\r\n\r\n',
                    b'GET /' + b'x' * 20000 + b' HTTP/1.1\r\nHost: a\r\n\r\n',
                    b'GET /metrics HTTP/9.9\r\nHost: a\r\n\r\n'):
        with socket.create_connection((daemon.host, daemon.port), 10) as s:
            try:
                s.sendall(request)
                answer = s.recv(100)
            except ConnectionResetError:
                answer = b''
            except TimeoutError:
                answer = b'HTTP/1.. 2: nothing'
        holds(not re.match(rb'HTTP/1\.. 2', answer), daemon.name, request[:40],
              answer)
    daemon.scrape()


def is_bounded(daemon):
    """Whoever connects and says nothing, or half of it, takes little."""
    before = daemon.descriptors()
    idle = []
    for i in range(30):
        s = socket.socket(socket.AF_INET6 if ':' in daemon.host else
                          socket.AF_INET)
        s.setblocking(False)
        s.connect_ex((daemon.host, daemon.port))
        idle.append(s)
    for s in idle[::2]: # not all have a connection that can be written to
        try:
            s.send(b'GET /metrics HT')
        except OSError:
            pass
    time.sleep(1)
    used = daemon.ticks()
    taken = daemon.descriptors() - before
    holds(0 < taken <= 8, f'{daemon.name}: {taken} connections of 30')
    time.sleep(2)
    used = daemon.ticks() - used
    holds(used < 20, f'{daemon.name}: {used} ticks of 200 for nothing')
    for s in idle[8:]:
        s.close()
    began = time.monotonic()
    daemon.scrape()
    holds(time.monotonic() - began < 12, f'{daemon.name}: served too late')
    for s in idle[:8]:
        s.close()
    holds(until(lambda: daemon.descriptors() <= before),
          f'{daemon.name}: {daemon.descriptors()} descriptors, were {before}')


def serves_many(daemon):
    """Who has to wait for a place waits for those before, and no second more."""
    def status(_):
        try:
            return daemon.get()[0]
        except OSError as error:
            return error
    began = time.monotonic()
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(status, range(480)))
    took = time.monotonic() - began
    bad = [answer for answer in answers if answer != 200]
    holds(not bad, f'{daemon.name}: {len(bad)} of 480 not served: {bad[:3]}')
    holds(took < 10, f'{daemon.name}: 480 answers took {took:.1f} s')


def udp(host, port, size=100, number=1, ttl=None):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    for _ in range(number):
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            if ttl is not None:
                s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            if family == socket.AF_INET:
                s.setsockopt(socket.IPPROTO_IP, 10, 2 if size > 1472 - 20 else 0)
            s.sendto(b'\0' * size, (host, port))


def set_up_network():
    run('ip', 'address', 'add', '198.51.100.7/32', 'dev', 'lo')
    run('ip', 'link', 'set', 'veth0', 'up')
    run('ip', 'link', 'set', 'veth1', 'up')


def route(device, *addresses):
    run('ip', 'link', 'set', device, 'up')
    run('ip', 'address', 'add', f'192.0.2.{len(device) + ord(device[-1])}/32',
        'dev', device)
    run('ip', '-6', 'address', 'add', f'2001:db8:9::{ord(device[0]):x}/128',
        'dev', device, 'nodad')
    for address in addresses:
        run('ip', 'route', 'add', address, 'dev', device)


def balance(folder, program):
    rules = folder / 'rules'
    rules.write_text(RULES + NAT)
    lb = Daemon(folder, program, '--rules', rules, *LOCALS, '--io', 'tun:lb0',
                '--flow-table', '1000', '--hash-key', KEY)
    route('lb0', '10.0.0.2', '10.0.0.9', '2001:db8::2')
    first = lb.scrape()
    udp('10.0.0.2', 53, number=20)
    udp('2001:db8::2', 53, number=10)
    udp('10.0.0.9', 53, number=5)
    udp('10.0.0.2', 54)
    udp('10.0.0.2', 53, ttl=1)
    udp('10.0.0.2', 53, size=1465)
    holds(until(lambda: lb.value('forwarded_packets_total') >= 35),
          'forwarded', lb.value('forwarded_packets_total'))
    for name, labels, least in (
            ('packets_in_total', {}, 38), ('answers_total',
                                           {'kind': 'ttl_expired'}, 1),
            ('answers_total', {'kind': 'too_big'}, 1),
            ('dropped_packets_total', {'reason': 'ttl_expired'}, 1),
            ('dropped_packets_total', {'reason': 'too_big'}, 1),
            ('ignored_packets_total', {'reason': 'not_served'}, 1),
            ('server_packets_total', {'service': 'udp:[2001:db8::2]:53',
                                      'server': '2001:db8::6'}, 10),
            ('server_packets_total', {'service': 'udp:10.0.0.9:53',
                                      'server': '10.0.0.10:5353'}, 5),
            ('flows_held', {'table': 'flow_table'}, 30),
            ('flows_places', {'table': 'flow_table'}, 1000),
            ('flows_held', {'table': 'flows'}, 10),
            ('server_path_mtu_bytes', {'server': '10.0.0.7'}, 1500)):
        holds(lb.value(name, **labels) >= least, name, labels,
              lb.value(name, **labels))
    lb.is_as_its_file()
    fell = list(text.grown(first, lb.scrape()))
    holds(not fell, *fell)
    return lb, rules


def tells_what_differs(folder, program, lb, rules):
    """Fingerprints: of the key, of the rules, at start and when they change."""
    line = r'fingerprint of the key ([0-9a-f]{16}), of the rules ([0-9a-f]{16})'

    def told(daemon):
        return re.findall(line, daemon.said())

    def in_metrics(daemon):
        info = daemon.info()
        return info['key_fingerprint'], info['rules_fingerprint']

    def reload(content):
        n = len(told(lb))
        before = lb.scrape()
        rules.write_text(content)
        lb.process.send_signal(signal.SIGHUP)
        holds(until(lambda: len(told(lb)) > n), 'not read again')
        holds(told(lb)[-1] == in_metrics(lb), told(lb), in_metrics(lb))
        kept = {name: family for name, family in before.items()
                if '_server_' not in name}
        fell = list(text.grown(kept, lb.scrape()))
        holds(not fell, *fell)
        return told(lb)[-1]

    holds(re.fullmatch(r'\d+\.\d+\.\d+', lb.info()['version']), lb.info())
    (start,) = told(lb)
    holds(start == in_metrics(lb), start)
    holds(start[0] not in (KEY[:16], KEY[16:]), 'the key is told')
    lighter = reload((RULES + NAT).replace('-r 10.0.0.7 -i -w 1',
                                           '-r 10.0.0.7 -i -w 2'))
    holds(lighter[0] == start[0] and lighter[1] != start[1], start, lighter)
    turned = (RULES + NAT).splitlines()
    turned[1], turned[2] = turned[2], turned[1]
    holds(reload('\n'.join(turned) + '\n') == start, 'whatever the order')
    lb.is_as_its_file()
    rules.write_text('nonsense\n')
    lb.process.send_signal(signal.SIGHUP)
    holds(until(lambda: 'stay as they were' in lb.said()), lb.said())
    holds(in_metrics(lb) == start, 'wrong rules')
    rules.write_text(RULES + NAT)
    other = Daemon(folder, program, '--rules', rules, *LOCALS, '--io',
                   'tun:lb1', '--hash-key', KEY.replace('f', 'e'))
    holds(in_metrics(other)[1] == start[1], 'another key, the same rules')
    holds(in_metrics(other)[0] != start[0], 'another key')
    other.stop()


def serve(folder, program):
    rs = Daemon(folder, program, '--vip', '10.0.0.2', '--io', 'tun:rs0',
                '--tun', 'rs1', '--clamp-mss', 'auto', at='[::1]:0')
    route('rs0', '10.0.0.6')
    route('rs1')
    first = rs.scrape()
    inner = struct.pack('!BBHHHBBH4s4sHHHH20x', 0x45, 0, 48, 1, 0, 60, 17, 0,
                        socket.inet_aton('198.51.100.9'),
                        socket.inet_aton('10.0.0.2'), 40000, 53, 28, 0)
    total = sum(struct.unpack('!10H', inner[:20]))
    total = ~(total + (total >> 16)) & 0xffff
    inner = inner[:10] + struct.pack('!H', total) + inner[12:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, 4) as s:
        for _ in range(7):
            s.sendto(inner, ('10.0.0.6', 0))
        for _ in range(3): # no IP packet is inside
            s.sendto(bytes(40), ('10.0.0.6', 0))
    holds(until(lambda: rs.value('delivered_packets_total') == 7),
          'delivered', rs.value('delivered_packets_total'))
    dropped = rs.scrape()['tunmtu_realserver_dropped_packets_total'].samples
    holds(sum(dropped.values()) == 3, [k for k, v in dropped.items() if v])
    rs.is_as_its_file()
    fell = list(text.grown(first, rs.scrape()))
    holds(not fell, *fell)
    holds(rs.info().keys() == {'version'}, rs.info())
    return rs


def pass_on(folder, program, lb):
    rules = folder / 'tunnels'
    rules.write_text(RULES)
    plain = Daemon(folder, program, '--iface', 'veth0', at='127.0.0.1:0')
    mac = links()['veth0']
    first = plain.scrape()
    for port in range(40000, 40006):
        run(sys.executable, PMTUD_PY, 'send', 'veth1', mac, '203.0.113.254',
            '10.0.0.2', '198.51.100.99', str(port), '1400')
    holds(until(lambda: plain.value('packets_in_total') >= 6), plain.said())
    passed = plain.value('relayed_errors_total')
    held = plain.value('dropped_packets_total', reason='src_rate')
    holds(passed > 0 and held > 0 and passed + held == 6, passed, held)
    plain.is_as_its_file()
    fell = list(text.grown(first, plain.scrape()))
    holds(not fell, *fell)
    holds(plain.info().keys() == {'version'}, plain.info())
    is_bounded(plain)
    speaks_http(plain)
    names_of = plain.scrape()
    plain.stop()
    steer = Daemon(folder, program, '--iface', 'veth0', '--mode', 'steer',
                   '--rules', rules, *LOCALS, '--hash-key', KEY)
    key = steer.info()['key_fingerprint']
    holds(key == lb.info()['key_fingerprint'], 'the same key')
    told = re.findall(r'of the key ([0-9a-f]+), of the rules ([0-9a-f]+)',
                      steer.said())
    holds(told == [(key, steer.info()['rules_fingerprint'])], told)
    steer.is_as_its_file()
    steer.stop()
    return names_of


def refuses(folder, programs, lb):
    """Before anything else begins: no device is made."""
    here, there = f'127.0.0.1:{lb.port}', '192.0.2.250:9100'
    options = {
        'tunmtu-lb': ['--rules', folder / 'rules', *LOCALS, '--io', 'tun:no0'],
        'tunmtu-realserver': ['--vip', '10.0.0.2', '--io', 'tun:no0',
                              '--tun', 'no1'],
        'tunmtu-pmtud': ['--iface', 'nosuch0']}
    for program in programs:
        name = Path(program).name
        for at, status, pattern in (
                (here, 1, 'cannot listen: another program has this port'),
                (str(lb.port), 1, f'--metrics {here}: cannot listen'),
                (there, 1, 'cannot listen: this host has no such address'),
                ('[2001:db8:ffff::1]:0', 1, 'this host has no such address'),
                ('10.0.0.3', 2, 'expected ADDR:PORT'),
                ('localhost:80', 2, 'expected ADDR:PORT')):
            got = subprocess.run([program, *options[name], '--metrics', at],
                                 stderr=subprocess.PIPE, text=True, timeout=20,
                                 check=False)
            holds(got.returncode == status and pattern in got.stderr and
                  got.stderr.count('\n') == 1, name, at, got)
        holds('no0' not in links(), f'{name}: has begun')


def shows_what_there_is(families):
    """The example dashboard asks for metrics and labels that there are."""
    labels = {name: {label for key in family.samples for label, _ in key}
              for name, family in families.items()}
    dashboard = (EXAMPLES / 'grafana.json').read_text()
    panels = json.loads(dashboard)['panels']
    asked = set()
    for panel in panels:
        holds(panel['type'] == 'row' or panel['targets'], panel['title'])
        for target in panel.get('targets', []):
            expr = target['expr']
            used = set(re.findall(r'tunmtu_\w+', expr))
            asked |= used
            holds(used and used <= labels.keys(), panel['title'],
                  used - labels.keys())
            known = set().union({'job', 'instance'},
                                *(labels.get(name, set()) for name in used))
            words = set(re.findall(r'(\w+)(?:=|!=|=~|!~)"', expr))
            for group in re.findall(r'\b(?:by|on|without|ignoring|group_left)'
                                    r' ?\(([^)]*)\)', expr):
                words |= set(re.findall(r'\w+', group))
            words |= set(re.findall(r'\{\{(\w+)\}\}',
                                    target.get('legendFormat', '')))
            holds(words <= known, panel['title'], words - known)
            for name in used:
                counted = name.endswith('_total')
                holds(counted == bool(re.search(
                    rf'(?:rate|increase)\({name}\b', expr)), panel['title'],
                    name, 'a counter is shown as a rate, a gauge as it is')
    holds(set(re.findall(r'tunmtu_[a-z]\w+', dashboard)) == asked,
          'metrics outside of queries')
    rules = (EXAMPLES / 'alerts.yml').read_text()
    alarming = set(re.findall(r'tunmtu_\w+', rules))
    holds(alarming and alarming <= labels.keys(), alarming - labels.keys())
    positions = [tuple(p['gridPos'].values()) for p in panels]
    holds(len(set(positions)) == len(positions), 'panels on one place')
    return len(panels), len(asked)


def main():
    folder = Path(sys.argv[1])
    programs = [os.path.realpath(p) for p in sys.argv[2:]]
    set_up_network()
    lb, rules = balance(folder, programs[0])
    rs = serve(folder, programs[1])
    speaks_http(lb)
    speaks_http(rs)
    tells_what_differs(folder, programs[0], lb, rules)
    is_bounded(lb)
    is_bounded(rs)
    serves_many(lb)
    refuses(folder, programs, lb)
    families = lb.scrape() | rs.scrape() | pass_on(folder, programs[2], lb)
    panels, asked = shows_what_there_is(families)
    if PROMTOOL is not None:
        got = subprocess.run(
            [PROMTOOL, 'check', 'config', EXAMPLES / 'prometheus.yml'],
            capture_output=True, text=True, check=False)
        holds(got.returncode == 0, got.stdout, got.stderr)
    lb.stop()
    rs.stop()
    print(f'{len(families)} families, {panels} panels of {asked} of them, '
          f'{done} checks, {failed} failed')
    if PROMTOOL is None:
        print('promtool (Debian: prometheus) is missing: the format is judged '
              'by this test alone')
    return failed != 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    finally:
        for left in processes:
            if left.poll() is None:
                left.kill()
