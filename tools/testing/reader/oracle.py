#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""oracle.py FORMAT TABLE < document - read what portsock wrote with a parser that is not
ours, and compare it with the table itself.

Prints how many numbers were compared; an assertion tells what differs. FORMAT is one of
those of portsock --format.
"""

import csv
import re
import sys

STATES = ('established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close close_wait '
          'last_ack listen closing').split()
COUNTERS = 'opened accepted connected closed'.split()
# How connections fail and end.
ENDS = ('connect_refused connect_timeout connect_unreachable connect_given_up connect_killed connect_no_port '
        'resets timeouts aborts retrans').split()
# Sums and what they are of; histograms of two of them.
SUMS = {'lifetime_ms': 'ended', 'accept_wait_ms': 'accepts', 'handshake_us': 'handshakes', 'rtt_us': 'rtts'}
HISTOGRAMS = {'lifetime_ms': 'lifetime_log2', 'accept_wait_ms': 'accept_wait_log2'}
CONNECTIONS = ('bytes_rx bytes_tx ended lifetime_ms handshakes handshake_us accepts accept_wait_ms rtts rtt_us').split()
OWNERS = 'uid cgroup pid comm'.split()
# Not every row has these; their metrics.
DEPTH = {'backlog': 'portsock_backlog', 'backlog_max': 'portsock_backlog_max',
         'listen_drops': 'portsock_listen_drops_total', 'rcv_queue': 'portsock_rcv_queue_bytes',
         'rcv_drops': 'portsock_rcv_drops_total',
         **{name: f'portsock_{name}_total' for name in ENDS}}
# What InfluxDB has of a row.
NUMBERS = ['sockets', 'ipv6'] + STATES + COUNTERS + ['ports'] + list(DEPTH) + CONNECTIONS
# What CSV has, in this order.
CELLS = (NUMBERS[:-len(CONNECTIONS)] + CONNECTIONS[:4] + list(HISTOGRAMS.values()) + CONNECTIONS[4:] + OWNERS)


def table(path):
    """Line 1 as a dictionary, and the rows that agents are told, likewise."""
    lines = [line.rstrip('\n') for line in open(path)]
    lines = [line.split(None, lines[1].count(' ')) for line in lines]
    head = dict(zip(lines[0][2::2], map(int, lines[0][3::2])))
    rows = [dict(zip(lines[1], line)) for line in lines[2:]]
    return head, [row for row in rows if row['class'] in ('service', 'unbound') or
                  (row['class'] == 'ephemeral' and row['port'] == '*') or
                  (row['class'] == 'remote' and row['port'] != '*')]


def states(row):
    """Those that its protocol has."""
    return STATES if row['proto'] == 'tcp' else ['established', 'close']


def tells(row):
    return [name for name in NUMBERS if row[name] != '-' and (name not in STATES or name in states(row))]


def metrics_of(head, rows):
    """Samples as portsock-exporter(8) names them: {(name, labels): value}."""
    want = {
        ('portsock_up', ()): 1,
        ('portsock_exact', ()): head['exact'],
        ('portsock_missed_events_total', ()): head['missed'],
        ('portsock_repaired_sockets_total', ()): head['repaired'],
        ('portsock_untracked_events', ()): head['untracked'],
        ('portsock_sample_age_seconds', ()): head['sample_age_ms'] / 1000,
        ('portsock_rows_dropped', ()): 0,
        ('portsock_remote_guessed_sockets', ()): head['remote_guessed'],
        ('portsock_ephemeral_ports_limit', ()): head['port_max'] - head['port_min'] + 1,
    }
    for row in rows:
        proto = (('proto', row['proto']),)
        if row['class'] == 'unbound':
            want['portsock_unbound_sockets', proto] = row['sockets']
            want['portsock_unbound_sockets_opened_total', proto] = row['opened']
            continue
        if row['class'] == 'ephemeral':
            want['portsock_ephemeral_ports', proto] = row['ports']
        prefix = 'portsock'
        labels = tuple((key, row[key]) for key in ('class', 'port', 'proto'))
        if row['class'] == 'remote':
            prefix += '_remote'
            labels = proto + (('remote_port', row['port']),)
        for state in states(row):
            want[f'{prefix}_sockets', labels + (('state', state),)] = row[state]
        want[f'{prefix}_sockets_ipv6', labels] = row['ipv6']
        for counter in COUNTERS:
            want[f'{prefix}_sockets_{counter}_total', labels] = row[counter]
        for name in DEPTH.keys() & tells(row):
            want[DEPTH[name].replace('portsock', prefix), labels] = row[name]
        for name in {'bytes_rx', 'bytes_tx'} & set(tells(row)):
            want[f'{prefix}_{name[-2:]}_bytes_total', labels] = row[name]
        for name in SUMS.keys() & tells(row):
            want.update(distribution(f'{prefix}_{name}', name, labels, row))
    return {key: float(value) for key, value in want.items()}


def distribution(metric, name, labels, row):
    """Samples of a sum: its count, and how often it was below each fourfold of a millisecond."""
    metric = f'{metric[:-3]}_seconds'
    want = {(f'{metric}_sum', labels): int(row[name]) / (1000 if name.endswith('_ms') else 1000000),
            (f'{metric}_count', labels): row[SUMS[name]]}
    if name not in HISTOGRAMS:
        return want
    numbers = [int(number) for number in row[HISTOGRAMS[name]].split(',')]
    ends = [f'{2 ** i / 1000:.3f}' for i in range(0, 27, 2)] if sum(numbers) else []
    for i, end in enumerate(ends + ['+Inf']):
        below = numbers if end == '+Inf' else numbers[:2 * i + 1]
        want[f'{metric}_bucket', tuple(sorted(labels + (('le', end),)))] = sum(below)
    return want


def metrics(families, head, rows):
    got, types = {}, {}
    for family in families:
        assert family.documentation, family.name
        types[family.name] = family.type
        for sample in family.samples:
            assert sample.timestamp is None and sample.exemplar is None, sample
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in got, key
            got[key] = sample.value
    for name in 'portsock_scrape_duration_seconds', 'portsock_start_time_seconds':
        assert got.pop((name, ())) >= 0
    build = [key for key in got if key[0] == 'portsock_build_info']
    assert got.pop(build[0]) == 1 and [key for key, _ in build[0][1]] == ['format', 'version']
    want = metrics_of(head, rows)
    assert got == want, set(got.items()) ^ set(want.items())
    assert types['portsock_sockets'] == 'gauge' and types['portsock_sockets_opened'] == 'counter'
    assert types['portsock_lifetime_seconds'] == types['portsock_accept_wait_seconds'] == 'histogram'
    assert types['portsock_handshake_seconds'] == types['portsock_rtt_seconds'] == 'summary'
    assert types['portsock_remote_sockets'] == 'gauge' and types['portsock_remote_sockets_opened'] == 'counter'
    assert types['portsock_remote_lifetime_seconds'] == 'histogram' and 'portsock_remote_backlog' not in types
    return len(got)


def prometheus(text, head, rows):
    from prometheus_client.parser import text_string_to_metric_families
    assert '# TYPE portsock_sockets_opened_total counter\n' in text
    assert '# TYPE portsock_build_info gauge\n' in text and '# EOF' not in text
    return metrics(text_string_to_metric_families(text), head, rows)


def openmetrics(text, head, rows):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
    assert '# TYPE portsock_sockets_opened counter\n' in text
    assert '# TYPE portsock_build info\n' in text and text.endswith('\n# EOF\n')
    return metrics(text_string_to_metric_families(text), head, rows)


def influx_line(line):
    """One point of the line protocol, as its reference says: measurement, tags, fields.
    Stricter: no escapes, strings or floats, which portsock has no use for."""
    match = re.fullmatch(r'([^,= \\"]+)((?:,[^,= \\"]+=[^,= \\"]+)*) (.+)', line, re.ASCII)
    assert match, line
    measurement, tags, fields = match.groups()
    assert not measurement.startswith('_'), line
    tags = [tag.split('=') for tag in tags.split(',')[1:]]
    assert [key for key, _ in tags] == sorted({key for key, _ in tags}), line
    values = {}
    for field in fields.split(','):
        key, value = re.fullmatch(r'([^,= \\"_][^,= \\"]*)=(-?[0-9]+)i', field, re.ASCII).groups()
        assert key not in values and -2**63 <= int(value) < 2**63, line
        values[key] = int(value)
    return measurement, dict(tags), values


def influx(text, head, rows):
    assert text.endswith('\n')
    points = [influx_line(line) for line in text[:-1].split('\n')]
    assert points[0] == ('portsock_health', {}, {**head, 'rows_dropped': 0}), points[0]
    got = {tuple(tags[key] for key in ('proto', 'port', 'class')): values
           for name, tags, values in points[1:] if name == 'portsock' and len(tags) == 3}
    got.update({(tags['proto'], tags['remote_port'], 'remote'): values
                for name, tags, values in points[1:] if name == 'portsock_remote' and len(tags) == 2})
    want = {(row['proto'], row['port'], row['class']): {name: int(row[name]) for name in tells(row)}
            for row in rows}
    assert got == want and len(points) == 1 + len(want), (got, want)
    return sum(map(len, want.values()))


def collectd(text, head, rows):
    want = {f'portsock-health/gauge-{key}': value for key, value in head.items()}
    want['portsock-health/gauge-rows_dropped'] = 0
    for row in rows:
        port = row['port'] if row['class'] in ('service', 'remote') else row['class']
        remote = 'remote-' if row['class'] == 'remote' else ''
        for name in tells(row):
            key = f'portsock-{remote}{row["proto"]}-{port}/gauge-{name}'
            if name in STATES and row['proto'] == 'tcp' and row['class'] in ('service', 'remote'):
                state = 'CLOSED' if name == 'close' else name.upper()
                key = f'tcpconns-{port}-{"remote" if remote else "local"}/tcp_connections-{state}'
            elif name in COUNTERS + ENDS + CONNECTIONS or name.endswith('_drops'):
                key = f'portsock-{remote}{row["proto"]}-{port}/derive-{name}'
            want[key] = int(row[name])
    got = {}
    for line in text.splitlines():
        match = re.fullmatch(r'PUTVAL "a host/([^"]+)" interval=30\.000 N:(\d+)', line)
        assert match and match[1] not in got, line
        got[match[1]] = int(match[2])
    assert got == want, set(got.items()) ^ set(want.items())
    return len(got)


def comma(text, head, rows):
    got = list(csv.DictReader(text.splitlines()))
    rows = [row for row in rows if (row['class'] == 'remote') == (got[0]['class'] == 'remote')]
    names = ['proto', 'port', 'class'] + CELLS
    want = [{key: '' if row[key] == '-' else row[key] for key in names} for row in rows]
    assert list(got[0]) == names
    order = lambda row: tuple(row.values())
    assert sorted(got, key=order) == sorted(want, key=order), (got, want)
    assert text.count('\n') == len(want) + 1
    return len(want) * len(CELLS)


def main():
    check = {'prometheus': prometheus, 'openmetrics': openmetrics, 'influx': influx,
             'collectd': collectd, 'csv': comma}[sys.argv[1]]
    print(check(sys.stdin.buffer.read().decode('ascii'), *table(sys.argv[2])))


if __name__ == '__main__':
    main()
