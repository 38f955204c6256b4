#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""netns_test.py [NAME...] - 1,000 network namespaces, in the guest; ends with
"N passed, N failed"

The guest's clock counts instructions: a nanosecond is one.
"""

import collections
import http.client
import json
import os
import subprocess
import time

from guest import (CLONE_NEWNET, PORT, connections, datagram, enter, equal, exported, libc, loopback_up, run, samples,
                   services, single, ss_parse, until)
from tap import conclude

COUNT = 1000
# How many are entered with ss: each takes as much as the others.
ENTERED = 100
EXPORTER = './usr/bin/portsock-exporter'
PORTSOCK = './usr/bin/portsock'
HOME = '/proc/1/ns/net'
kept = []


class Space:
    """A namespace that a process is in, with what is known of it."""

    def __init__(self, i):
        assert not libc.unshare(CLONE_NEWNET)
        loopback_up()
        self.holder = subprocess.Popen(('sleep', 'infinity'))
        self.inode = str(os.stat('/proc/self/ns/net').st_ino)
        number, half_closed = i % 4, i % 4 // 3
        kept.extend(connections(7000 + i % 7, number, half_closed))
        self.has = services([(('tcp', str(7000 + i % 7), 'listen'), 1),
                             (('tcp', str(7000 + i % 7), 'established'), number - half_closed),
                             (('tcp', str(7000 + i % 7), 'close_wait'), half_closed)])
        # Of clients: those that are half closed are in FIN_WAIT2.
        self.clients = number - half_closed
        if i % 2:
            kept.append(datagram(5353))
            self.has['udp', '5353', 'close'] = 1


def make_spaces():
    spaces = [Space(i) for i in range(COUNT)]
    enter(HOME)
    return spaces


def start_exporter(*arguments):
    process = subprocess.Popen((EXPORTER, '--netns', *arguments), stderr=subprocess.PIPE,
                               user='nobody', group='nogroup', extra_groups=[])
    until(lambda: scrape('/-/healthy'), 'the exporter answers')
    return process


def scrape(path='/metrics/netns'):
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=600)
    try:
        connection.request('GET', path)
        return connection.getresponse().read().decode()
    except OSError:
        return None
    finally:
        connection.close()


def rss(pid):
    with open(f'/proc/{pid}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmHWM'))


def timed(function, *arguments):
    """Its value, and the instructions it took: nothing else runs here."""
    began = time.monotonic_ns()
    return function(*arguments), time.monotonic_ns() - began


def entered(space):
    return run('nsenter', f'--net=/proc/{space.holder.pid}/ns/net', 'ss', '-tan')


def sums(each):
    counted = collections.Counter()
    for numbers in each:
        counted.update(numbers)
    return dict(counted)


def all_are_exported():
    """Each with its numbers, and their sums; by nobody, without a capability."""
    process = start_exporter(f'--limit={4 * COUNT}')
    try:
        found = samples(scrape())
        memory = rss(process.pid)
    finally:
        process.terminate()
    equal(process.wait(), 0)
    by_netns = collections.defaultdict(list)
    for name, labels, value in found:
        if 'netns' in labels:
            by_netns[labels['netns']].append((name, labels, value))
    home = str(os.stat(HOME).st_ino)
    equal(set(by_netns), {space.inode for space in spaces} | {home})
    for space in spaces:
        equal(exported(by_netns[space.inode]), space.has)
    equal(sums(exported(by_netns[space.inode]) for space in spaces), sums(space.has for space in spaces))
    clients = sum(value for name, labels, value in found if name == 'portsock_sockets' and labels['netns'] != home
                  and labels['class'] == 'ephemeral' and labels['state'] == 'established')
    equal(clients, sum(space.clients for space in spaces))
    infos = {labels['netns']: labels['comm'] for name, labels, _ in found if name == 'portsock_netns_info'}
    equal({space.inode: infos[space.inode] for space in spaces}, {space.inode: 'sleep' for space in spaces})
    equal([single(found, name) for name in ('portsock_rows_dropped', 'portsock_netns_dropped',
                                            'portsock_netns_skipped_processes')], [0, 0, 0])
    equal(process.stderr.read(), b'')
    print(f'# the exporter had {memory} KiB in memory')
    # Half of what its unit allows.
    assert memory < 128 << 10


def what_is_left_out_is_told():
    """With the usual limit all namespaces are named, and all rows counted."""
    process = start_exporter()
    try:
        found = samples(scrape())
    finally:
        process.terminate()
    process.wait()
    infos = {labels['netns'] for name, labels, _ in found if name == 'portsock_netns_info'}
    assert {space.inode for space in spaces} <= infos
    rows = {(labels['netns'], labels['proto'], labels['port']) for name, labels, _ in found
            if name == 'portsock_sockets_ipv6' and labels['class'] == 'service'}
    equal(len(rows), 500)
    made = sum(len({key[:2] for key in space.has}) for space in spaces)
    assert single(found, 'portsock_rows_dropped') >= made - len(rows)


def a_scrape_is_cheap():
    """Beside ss in each namespace, of which the output is right as well."""
    process = start_exporter(f'--limit={4 * COUNT}')
    try:
        scrape()
        text, scraped = min((timed(scrape) for _ in range(3)), key=lambda pair: pair[1])
    finally:
        process.terminate()
    process.wait()
    chosen = spaces[::COUNT // ENTERED]
    entered(chosen[0])
    outputs, took = timed(lambda: [entered(space) for space in chosen])
    for space, output in zip(chosen, outputs):
        listed = ss_parse(''.join(output.splitlines(keepends=True)[1:]))
        equal({key: number for key, number in listed.items() if key[1].startswith('700')},
              {key: number for key, number in space.has.items() if key[0] == 'tcp'})
    took = took * COUNT // len(chosen)
    print(f'# {COUNT:,} namespaces: {scraped:,} instructions for a scrape of {len(text):,} bytes, {took:,} to enter '
          f'each with ss (from {len(chosen)} of them)')
    assert scraped < 1_000_000_000 or scraped < took / 20


def reader_is_right(**identity):
    """portsock -A, run by that user: names, rows and their numbers."""
    columns = 'listen', 'established', 'close_wait', 'close'
    output = json.loads(run(PORTSOCK, '-A', '-j', '-n', '-o', ','.join(('netns', 'proto', 'port', 'class') + columns), **identity))
    found = collections.defaultdict(list)
    for row in output['rows']:
        if row['class'] == 'service':
            found[row['netns']] += [((row['proto'], str(row['port']), name), row[name]) for name in columns if row[name]]
    for space in spaces:
        equal(services(found.pop(f'sleep/{space.holder.pid}')), space.has)
    # What may be left is where this runs.
    assert len(found) <= 1, found


def reader_shows_all_to_root():
    reader_is_right()


def reader_shows_all_to_nobody():
    reader_is_right(user='nobody', group='nogroup', extra_groups=[])


run('insmod', 'portsock.ko')
for package in 'portsock', 'portsock-exporter':
    run('sh', '-c', f'dpkg -x now/{package}_*.deb /tmp/package')
os.chdir('/tmp/package')
spaces = make_spaces()
conclude([all_are_exported, what_is_left_out_is_told, a_scrape_is_cheap, reader_shows_all_to_root,
          reader_shows_all_to_nobody])
