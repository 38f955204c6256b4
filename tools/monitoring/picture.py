#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""picture.py FILE - write a picture of the panels of dashboard.json, the one in README.md

The tables of three hosts over an hour are made up; portsock tells them as OpenMetrics, a
Prometheus takes them, and the dashboard's queries are asked of it. Grafana is not in Debian:
Apache ECharts draws what they return, see picture.mjs. Needs tools/portsock/portsock, node
and npm.
"""

import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
PORTSOCK = os.path.join(HERE, '../portsock/portsock')
ECHARTS = 'echarts@5.6.0'
# 2026-11-24 12:00 UTC; samples every 15 seconds, as Prometheus is often told to take them.
BEGIN, STEP, SAMPLES = 1795521600, 15, 241
STATES = ('established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close close_wait last_ack listen '
          'closing').split()
VARIABLES = {'job': 'portsock', 'instance': 'web1|web2', 'proto': 'tcp', 'port': '443', '__rate_interval': '60s'}


def wave(sample, period, phase=0.0):
    """From 0 to 1, with a ripple."""
    turn = 2 * math.pi * (sample / period + phase)
    return 0.5 + 0.38 * math.sin(turn) + 0.08 * math.sin(7.3 * turn) + 0.04 * math.sin(23 * turn + 1)


def services(host, sample):
    """Port, states, sockets opened per second, connections that wait for accept() and how many may: of one host at one time."""
    rush = wave(sample, 200, {'web1': 0.1, 'web2': 0.13, 'db1': 0.2}[host])
    yield 22, {'established': 2, 'listen': 2}, 0.05, 0, 256
    if host == 'db1':
        yield 5432, {'established': 40 + int(25 * rush), 'listen': 2}, 2 * rush, int(2 * rush), 400
        yield 6379, {'established': 120 + int(60 * rush), 'listen': 2, 'time_wait': int(30 * rush)}, 9 * rush, 0, 1022
        return
    yield 80, {'established': 30 + int(40 * rush), 'listen': 2, 'time_wait': 300 + int(500 * rush)}, 25 * rush, int(9 * rush), 1022
    yield 443, {'established': 600 + int(700 * rush), 'syn_recv': int(9 * rush), 'fin_wait1': int(12 * rush),
                'time_wait': 1500 + int(2500 * rush), 'close_wait': 4, 'last_ack': int(5 * rush),
                'listen': 4}, 180 * rush, int(420 * rush ** 3), 2044
    if host == 'web2':
        leaked = max(0, sample - 90) // 2
        yield (9000, {'established': 24 + int(10 * rush), 'close_wait': leaked, 'listen': 1}, 4 * rush,
               min(129, 2 * leaked), 128)


with open(os.path.join(HERE, '../testing/reader/web.table')) as sample_table:
    HEAD = sample_table.read().splitlines()[:2]


def padded(row):
    """Where nothing is made up there is no answer."""
    cells = row.split()
    return ' '.join(cells + ['-'] * (len(HEAD[1].split()) - len(cells)))


class Host:
    """What its table says as time goes by."""

    def __init__(self, name):
        self.name = name
        self.opened = {}
        self.counts = {}

    def row(self, proto, port, kind, states, rate, ports=1, depth='- - - - - -', ends='- - - - - - - - - -'):
        opened = self.opened[proto, port] = self.opened.get((proto, port), 5000) + rate * STEP
        sockets = sum(number for state, number in states.items() if state not in ('time_wait', 'syn_recv'))
        counts = ' '.join(str(states.get(state, 0)) for state in STATES)
        come = int(opened)
        return f'{proto} {port} {kind} {sockets} {sockets // 3} {counts} {come} {come - 5} 0 {come - sockets} {sockets} {ports} {depth} {ends}'

    def counted(self, key, rate):
        count = self.counts[key] = self.counts.get(key, 0) + rate * STEP
        return int(count)

    def ends(self, port, resets, timeouts, aborts, retrans):
        counted = [self.counted((port, i), rate) for i, rate in enumerate((resets, timeouts, aborts, retrans))]
        return '0 0 0 0 0 - ' + ' '.join(map(str, counted))

    def histogram(self, key, rate, milliseconds):
        """Of so many connections per second, of which each took so long."""
        self.counted((key, int(milliseconds).bit_length()), rate)
        return [int(self.counts.get((key, i), 0)) for i in range(28)]

    def connections(self, port, rate, accepted, wait, kilobytes):
        """All end, after a time that follows how long they waited for accept(); wait in seconds."""
        lifetime, handshake, trip = 0.2 + 2 * wait, 0.09 + wait / 8, 0.06 + wait / 12
        lived = self.histogram((port, 'lived'), rate, 1000 * lifetime)
        waited = self.histogram((port, 'waited'), accepted, 1000 * wait)

        def count(name, per_second):
            return self.counted((port, name), per_second)
        return ' '.join(map(str, (
            count('rx', 900 * rate), count('tx', 1000 * kilobytes * rate),
            sum(lived), count('lifetime', 1000 * lifetime * rate), ','.join(map(str, lived)), ','.join(map(str, waited)),
            count('handshakes', rate), count('handshake', 1e6 * handshake * rate),
            sum(waited), count('wait', 1000 * wait * accepted), count('trips', rate), count('trip', 1e6 * trip * rate))))

    def clients(self, sample, ports):
        """What they are connected to restarts; web2 has so many that at last there is no port for some."""
        down = 140 < sample < 156 and self.name == 'web2'
        rates = (9 if down else 0.02, 0.1, 2 if 60 < sample < 70 else 0, 0.3 + ports / 20000, 0, max(0, ports - 18500) / 100,
                 4 if down else 0.1, 0.02, 0.2, 1 + ports / 4000)
        return ' '.join(str(self.counted(('*', i), rate)) for i, rate in enumerate(rates))

    def remote(self, port, states, rate, failing, milliseconds):
        """A service elsewhere that this host is a client of."""
        fails = self.counted(('to', port, 'fails'), failing * rate)
        answered = rate * (1 - failing)
        ends = ' '.join(['-'] * 6 + [str(n) for n in (fails, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)] + ['-', '-'] + [
            str(self.counted(('to', port, 'handshakes'), answered)),
            str(self.counted(('to', port, 'handshake'), 1000 * milliseconds * answered)), '-', '-', '0', '0'])
        return self.row('tcp', port, 'remote', states, rate, depth='', ends=ends)

    def service(self, port, states, rate, waiting, limit):
        """One whose queue is full drops what comes."""
        drops = self.counted(port, 2 * rate if waiting > limit else 0)
        ends = self.ends(port, rate / 60, rate / 300, rate / 90, rate / 9)
        connections = self.connections(port, rate, rate, waiting / rate, 9 + port % 40)
        return self.row('tcp', port, 'service', states, rate, depth=f'{waiting} {limit} {waiting} {drops} - -',
                        ends=f'{ends} {connections}')

    def table(self, sample):
        ports = 900 + int({'web1': 4000, 'web2': 19500, 'db1': 300}[self.name] * wave(sample, 230, 0.05))
        rows = [self.row('tcp', 0, 'unbound', {'close': 6 + sample % 5}, 60)]
        rows += [self.service(*service) for service in services(self.name, sample)]
        datagrams = self.counted('udp', 3 if sample % 80 > 70 else 0)
        rows += [self.row('udp', 53, 'service', {'close': 2}, 0, depth=f'- - - - {768 * (sample % 3)} {datagrams}'),
                 self.row('tcp', '*', 'ephemeral', {'established': ports // 4, 'time_wait': ports // 2}, ports / 90, ports,
                          ends=f"{self.clients(sample, ports)} {self.connections('*', ports / 90, 0, 0, 2)}"),
                 self.row('udp', '*', 'ephemeral', {'established': 12 + sample % 7}, 3, 12 + sample % 7)]
        rush, down = wave(sample, 200), 140 < sample < 156
        if self.name != 'db1':
            rows += [self.remote(443, {'established': 90 + int(60 * rush), 'time_wait': int(80 * rush)}, 6 * rush, 0.002, 30 + 20 * rush),
                     self.remote(5432, {'established': 0 if down else 30 + int(9 * rush)}, 9 if down else 1, 0.99 if down else 0.001, 2),
                     self.remote(6379, {'established': 60 + int(30 * rush)}, 4 * rush, 0.001, 0.6 + rush)]
        return '\n'.join(HEAD + [padded(row) for row in rows]) + '\n'


def openmetrics():
    """The samples of all hosts, family by family."""
    families = {}
    for name in 'web1', 'web2', 'db1':
        host = Host(name)
        for sample in range(SAMPLES):
            text = subprocess.run([PORTSOCK, '-f', '-', '-F', 'openmetrics'], input=host.table(sample), text=True,
                                  capture_output=True, check=True).stdout
            for line in text.splitlines():
                if line.startswith('# HELP '):
                    family = families.setdefault(line.split()[2], {'head': [], 'samples': []})
                    family['head'] = [line]
                elif line.startswith('# TYPE '):
                    family['head'].append(line)
                elif line != '# EOF':
                    metric, labels, value = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line).groups()
                    labels = f'job="portsock",instance="{name}"' + (f',{labels}' if labels else '')
                    family['samples'].append(f'{metric}{{{labels}}} {value} {BEGIN + sample * STEP}')
    return '\n'.join('\n'.join(family['head'] + family['samples']) for family in families.values()) + '\n# EOF\n'


class Prometheus:
    """One that has these samples."""

    def __init__(self, directory):
        with open(f'{directory}/samples', 'w') as file:
            file.write(openmetrics())
        subprocess.run(['promtool', 'tsdb', 'create-blocks-from', 'openmetrics', f'{directory}/samples',
                        f'{directory}/data'], check=True, stdout=subprocess.DEVNULL)
        with open(f'{directory}/prometheus.yml', 'w'):
            pass
        with socket.create_server(('127.0.0.1', 0)) as server:
            self.address = '127.0.0.1:%d' % server.getsockname()[1]
        self.process = subprocess.Popen(
            ['prometheus', f'--config.file={directory}/prometheus.yml', f'--storage.tsdb.path={directory}/data',
             '--storage.tsdb.retention.time=100y', f'--web.listen-address={self.address}'], stderr=subprocess.DEVNULL)

    def ask(self, path, **parameters):
        url = f'http://{self.address}/api/v1/{path}?' + urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)['data']['result']

    def wait(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if self.ask('query', query='portsock_up', time=BEGIN + 600):
                    return
            except OSError:
                time.sleep(0.2)
        sys.exit('picture.py: prometheus does not answer')


def fill(text):
    return re.sub(r'\$(\w+)', lambda match: VARIABLES[match[1]], text)


def series(prometheus, target):
    """Name and points of each: what a panel shows of a query."""
    end = BEGIN + (SAMPLES - 1) * STEP
    if target.get('instant'):
        found = prometheus.ask('query', query=fill(target['expr']), time=end)
    else:
        found = prometheus.ask('query_range', query=fill(target['expr']), start=BEGIN + 120, end=end, step=60)
    for one in found:
        name = re.sub(r'\{\{(\w+)\}\}', lambda match: one['metric'].get(match[1], ''), target['legendFormat'])
        yield {'name': name, 'points': [[int(when), float(value)] for when, value in one.get('values') or [one['value']]]}


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ('-h', '--help'):
        sys.exit(__doc__)
    with open(os.path.join(HERE, 'dashboard.json')) as file:
        panels = json.load(file)['panels']
    fetched = subprocess.run([os.path.join(HERE, '../testing/prometheus')], check=True, text=True, stdout=subprocess.PIPE)
    os.environ['PATH'] = fetched.stdout.strip() + ':' + os.environ['PATH']
    with tempfile.TemporaryDirectory() as directory:
        prometheus = Prometheus(directory)
        try:
            prometheus.wait()
            for panel in panels:
                panel['title'] = fill(panel['title'])
                panel['series'] = [one for target in panel.get('targets', []) for one in series(prometheus, target)]
        finally:
            prometheus.process.terminate()
            prometheus.process.wait()
        with open(f'{directory}/panels.json', 'w') as file:
            json.dump(panels, file)
        subprocess.run(['npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix', directory, ECHARTS], check=True)
        shutil.copy(os.path.join(HERE, 'picture.mjs'), directory)
        picture = subprocess.run(['node', f'{directory}/picture.mjs', f'{directory}/panels.json'], check=True,
                                 stdout=subprocess.PIPE).stdout
    with open(sys.argv[1], 'wb') as file:
        file.write(picture)


if __name__ == '__main__':
    main()
