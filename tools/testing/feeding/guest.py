# SPDX-License-Identifier: GPL-2.0
"""What the tests in this directory share, in the guest: known situations, what ss says of
them, and what the exporter does.
"""

import collections
import ctypes
import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import time
import urllib.parse
import urllib.request

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
DEADLINE = 300
PORT = 19763
URL = f'http://127.0.0.1:{PORT}'
# ss's names of TCP's states. A dead FIN-WAIT-2 socket becomes a mini-socket, which portsock counts
# as time_wait, and ss as FIN-WAIT-2: both are one here.
STATES = {'ESTAB': 'established', 'SYN-SENT': 'syn_sent', 'SYN-RECV': 'syn_recv', 'FIN-WAIT-1': 'fin_wait1',
          'FIN-WAIT-2': 'time_wait', 'TIME-WAIT': 'time_wait', 'CLOSE-WAIT': 'close_wait',
          'LAST-ACK': 'last_ack', 'LISTEN': 'listen', 'CLOSING': 'closing'}

libc = ctypes.CDLL(None, use_errno=True)


def run(*command, **options):
    """Its output. It must succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    assert not done.returncode, f'{" ".join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}'
    return done.stdout


def until(condition, what, seconds=DEADLINE):
    """Wait for condition(), and return its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f'not within {seconds} s: {what}'
        time.sleep(0.1)
    return value


def equal(got, wanted):
    if isinstance(got, dict) and isinstance(wanted, dict):
        got, wanted = ({key: each.get(key) for key in {*got, *wanted} if got.get(key) != wanted.get(key)}
                       for each in (got, wanted))
    assert got == wanted, f'is {got}, should be {wanted}'


def enter(inode_of):
    """The network namespace of a file becomes that of this process."""
    with open(inode_of) as file:
        assert not libc.setns(file.fileno(), CLONE_NEWNET), os.strerror(ctypes.get_errno())


def loopback_up():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack('16sh22x', b'lo', IFF_UP))


def connections(port, number, half_closed=0):
    """A listener, and connections to it, of which the clients of so many have said that they are
    done: CLOSE_WAIT there, FIN_WAIT2 here. Returns all sockets."""
    listener = socket.create_server(('127.0.0.1', port), backlog=number or 1)
    sockets = [listener]
    for i in range(number):
        client = socket.create_connection(('127.0.0.1', port))
        server = listener.accept()[0]
        if i < half_closed:
            client.shutdown(socket.SHUT_WR)
            server.recv(1)
        sockets += [client, server]
    return sockets


def datagram(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(('127.0.0.1', port))
    return sock


def ss(*prefix):
    """{(proto, port, state): number} of what ss lists, run by a command such as ip netns exec."""
    return ss_parse(run(*prefix, 'ss', '-Htan'), run(*prefix, 'ss', '-Huan'))


def ss_parse(tcp, udp=''):
    counted = collections.Counter()
    for line in tcp.splitlines():
        words = line.split()
        counted['tcp', words[3].rsplit(':', 1)[1], STATES[words[0]]] += 1
    for line in udp.splitlines():
        words = line.split()
        counted['udp', words[3].rsplit(':', 1)[1], {'ESTAB': 'established', 'UNCONN': 'close'}[words[0]]] += 1
    return dict(counted)


def table(path='/proc/portsock'):
    """The same of services in /proc/portsock."""
    with open(path) as file:
        _, names, *rows = (line.split() for line in file)
    return services(((row['proto'], row['port'], state), int(row[state])) for row in (dict(zip(names, row)) for row in rows)
                    if row['class'] == 'service' for state in row if state in {*STATES.values(), 'fin_wait2', 'close'})


def services(numbers):
    """Adds up, and leaves out zeros and what ss does not list."""
    counted = collections.Counter()
    for (proto, port, state), number in numbers:
        counted[proto, port, 'time_wait' if state == 'fin_wait2' else state] += number
    return {key: number for key, number in counted.items() if number and (key[0] == 'udp' or key[2] != 'close')}


def samples(text):
    """[(name, labels, value)] of Prometheus' text format."""
    found = []
    for line in text.splitlines():
        if line.startswith('#'):
            continue
        match = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line)
        assert match, line
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ''))
        found.append((match[1], labels, float(match[3])))
    return found


def exported(found):
    """As of ss(): those of services."""
    return services(((labels['proto'], labels['port'], labels['state']), value) for name, labels, value in found
                    if name == 'portsock_sockets' and labels['class'] == 'service')


def single(found, wanted):
    """The value of a metric that has one sample only."""
    values = [value for name, _, value in found if name == wanted]
    assert len(values) == 1, f'{wanted}: {values}'
    return values[0]


def curl(path, url=URL):
    return run('curl', '-sSf', url + path)


def query(expression):
    """[(labels, value)] from the Prometheus of this guest, none while it does not answer."""
    url = 'http://127.0.0.1:9090/api/v1/query?' + urllib.parse.urlencode({'query': expression})
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return [(series['metric'], float(series['value'][1])) for series in json.load(answer)['data']['result']]
    except OSError:
        return []
