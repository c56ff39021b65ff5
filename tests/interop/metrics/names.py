# SPDX-License-Identifier: MIT
"""Which metric each line of a counters file is: said once more, apart from the
programs, so that a counter that is renamed or forgotten in one place shows."""
import re

FLOWS = [(rf'(?P<table>flow_table|flows)\.{name}', metric) for name, metric in (
    ('places', 'flows_places'), ('held', 'flows_held'),
    ('confirmed', 'flows_confirmed'), ('inserted', 'flows_inserted_total'),
    ('expired', 'flows_expired_total'), ('evicted', 'flows_evicted_total'),
    ('removed', 'flows_removed_total'), ('full', 'flows_without_place_total'))]
REASS = [
    (r'reass\.fragments', 'reassembly_fragments_total'),
    (r'reass\.packets', 'reassembled_packets_total'),
    (r'reass\.(?P<reason>timeouts|overlaps|limits|malformed|ecn|evicted)',
     'reassembly_failures_total')]


def interfaces(group, off_link=True):
    names = {'received': 'received_packets', 'sent': 'sent_packets',
             'send_errors': 'send_errors', 'skipped': 'skipped_packets',
             'lost': 'lost_packets'}
    if off_link:
        names['off_link'] = 'off_link_packets'
    return [(rf'{group}\.{name}', f'io_{metric}_total')
            for name, metric in names.items()]


AMOUNTS = [(rf'{way}{suffix}', f'{what}_{way}_total') for way in ('in', 'out')
           for suffix, what in (('', 'packets'), (r'\.bytes', 'bytes'))]
SERVER = r'server\.(?P<service>[a-z]+:\S+?:\d+)\.(?P<server>\S+)\.'

TABLES = {
    'lb': AMOUNTS + FLOWS + REASS + interfaces('(?P<interface>io)') + [
        ('forwarded', 'forwarded_packets_total'),
        (r'held\.fragment', 'held_fragments_total'),
        (r'pass\.(?P<reason>\w+)', 'ignored_packets_total'),
        ('icmp_tunnel', 'tunnel_errors_total'),
        (r'drop\.(?P<reason>\w+)', 'dropped_packets_total'),
        ('passed', 'passed_packets_total'),
        (r'forwarded\.icmp\.by_address', 'forwarded_errors_by_address_total'),
        (r'forwarded\.icmp\.(?P<kind>\w+)', 'forwarded_errors_total'),
        (r'forwarded\.cut', 'cut_packets_total'),
        (r'forwarded\.fragments', 'sent_fragments_total'),
        (r'icmp_tunnel\.doubted\.(?P<reason>\w+)', 'doubted_errors_total'),
        (r'icmp_tunnel\.not_relayed\.(?P<reason>\w+)',
         'not_relayed_errors_total'),
        (r'answered\.(?P<kind>\w+)', 'answers_total'),
        (r'unanswered\.(?P<reason>\w+)', 'withheld_answers_total'),
        ('returned', 'returned_packets_total'),
        (r'returned\.icmp', 'returned_errors_total'),
        (SERVER + 'packets', 'server_packets_total'),
        (SERVER + r'returned\.bytes', 'server_returned_bytes_total'),
        (SERVER + 'bytes', 'server_bytes_total'),
        (SERVER + 'returned', 'server_returned_packets_total'),
        (SERVER + 'errors', 'server_tunnel_errors_total'),
        (SERVER + 'unreachable', 'server_tunnel_unreachable_total'),
        (SERVER + 'unreachable', 'server_tunnel_unreachable_total'),
        (SERVER + 'path_mtu', 'server_path_mtu_bytes')],
    'realserver': REASS + interfaces('(?P<interface>io|tun)') + [
        ('in', 'packets_in_total'),
        ('out', 'packets_out_total'),
        (r'in\.delivered', 'delivered_packets_total'),
        (r'in\.held\.fragment', 'held_fragments_total'),
        (r'(?P<direction>in)\.pass\.(?P<reason>not_tunnel)',
         'ignored_packets_total'),
        (r'(?P<direction>out)\.(?P<reason>not_vip)', 'ignored_packets_total'),
        (r'(?P<direction>in|out)\.drop\.(?P<reason>\w+)',
         'dropped_packets_total'),
        (r'out\.sent', 'sent_packets_total'),
        (r'mss\.clamped', 'mss_clamped_packets_total'),
        (r'mss\.unreadable', 'mss_unreadable_packets_total')],
    'pmtud': AMOUNTS + interfaces('io', off_link=False) + [
        ('sent', 'relayed_errors_total'),
        ('by_address', 'relayed_errors_by_address_total'),
        (r'pass\.(?P<reason>\w+)', 'ignored_packets_total'),
        (r'copy\.(?P<reason>\w+)', 'ignored_copies_total'),
        (r'drop\.(?P<reason>\w+)', 'dropped_packets_total'),
        (r'doubted\.(?P<reason>\w+)', 'doubted_errors_total'),
        ('left_out', 'left_out_peers_total')],
}


def metric_of(program, name):
    """Name and labels of a metric; None."""
    for pattern, metric in TABLES[program]:
        match = re.fullmatch(pattern, name)
        if match is not None:
            return f'tunmtu_{program}_{metric}', match.groupdict()
    return None


def differences(program, families, counters):
    """Complaints; every line must be one sample, and the other way round."""
    left = {(name, frozenset(key)): value for name, family in families.items()
            for key, value in family.samples.items()
            if name != f'tunmtu_{program}_info'}
    for line in counters.splitlines():
        name, value = line.rsplit(' ', 1)
        metric = metric_of(program, name)
        if metric is None:
            yield f'{name}: what metric is it?'
            continue
        got = left.pop((metric[0], frozenset(metric[1].items())), None)
        if got != int(value):
            yield f'{name}: {value} in the file, {metric}: {got}'
    for name, labels in left:
        yield f'{name}{dict(labels)}: not in the file'
