#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""exporter_test.py [NAME...] - test portsock-exporter as its clients meet it; ends with
"N passed, N failed"

Debian's Python, as it has prometheus_client. The tables are files in a directory that
stands in for /proc. NAME: only tests whose names begin with it.
"""

import contextlib
import gzip
import http.client
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, '../..')
EXPORTER = os.path.join(TOOLS, 'exporter/portsock-exporter')
TABLE = os.path.join(TOOLS, 'testing/reader/web.table')
sys.path[:0] = os.path.join(TOOLS, 'testing'), os.path.join(TOOLS, 'testing/reader')
sys.dont_write_bytecode = True
import oracle  # noqa: E402
from tap import conclude  # noqa: E402

OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'
DEADLINE = 10
CONNECTIONS = 32
PER_ADDRESS = 8
# What it may have in memory beside the answers that it sends.
MOST_KIB = 16 * 1024


# Many clients at a time.
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'never so'
        time.sleep(0.02)


class Exporter:
    """One that runs, its directory in the place of /proc, and how to ask it."""

    def __init__(self, *arguments, proc=None, environment=None):
        self.proc = proc or tempfile.mkdtemp(prefix='portsock-exporter.')
        self.port = free_port()
        self.log = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen(
            [EXPORTER, f'--web.listen-address=127.0.0.1:{self.port}', f'--path.procfs={self.proc}',
             *arguments], stderr=self.log, env={**os.environ, **(environment or {})})

    def __enter__(self):
        shutil.copy(TABLE, self.table())
        until(self.answers)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            assert self.process.wait(10) == 0, self.process.returncode
        finally:
            self.process.kill()
            shutil.rmtree(self.proc)

    def table(self, pid=None):
        return os.path.join(self.proc, f'{pid}/net/portsock' if pid else 'portsock')

    def answers(self):
        try:
            return self.get('/-/healthy')[0] == 200
        except OSError:
            return False

    def connect(self, source='127.0.0.1'):
        return socket.create_connection(('127.0.0.1', self.port), timeout=30, source_address=(source, 0))

    def get(self, path, headers=None, method='GET', source='127.0.0.1'):
        """Status, headers, body."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30,
                                                source_address=(source, 0))
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def raw(self, request):
        """All that comes back on a connection."""
        with self.connect() as client:
            client.sendall(request)
            return b''.join(iter(lambda: client.recv(65536), b''))

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def kib(self, key='VmRSS'):
        with open(f'/proc/{self.process.pid}/status') as status:
            return int(re.search(rf'^{key}:\s+(\d+) kB$', status.read(), re.M)[1])


def metrics_are_the_table():
    with Exporter() as exporter:
        status, headers, body = exporter.get('/metrics')
        assert (status, headers['Content-Type']) == (200, PROMETHEUS), headers
        assert oracle.prometheus(body.decode(), *oracle.table(TABLE)) == 552
        subprocess.run(['promtool', 'check', 'metrics'], input=body, check=True)
        status, headers, body = exporter.get('/metrics', {'Accept': 'application/openmetrics-text'})
        assert (status, headers['Content-Type']) == (200, OPENMETRICS), headers
        assert oracle.openmetrics(body.decode(), *oracle.table(TABLE)) == 552


def format_is_what_the_client_prefers():
    wanted = {
        # Prometheus 2.42, and 3 with and without its protocol buffers.
        'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,'
        'text/plain;version=0.0.4;q=0.5,*/*;q=0.1': OPENMETRICS,
        'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,'
        'application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,'
        'text/plain;version=0.0.4;q=0.3,*/*;q=0.2': OPENMETRICS,
        'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,'
        'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,'
        '*/*;q=0.1': OPENMETRICS,
        'text/plain': PROMETHEUS,
        '*/*': PROMETHEUS,
        '': PROMETHEUS,
        'text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.8': PROMETHEUS,
        'text/plain;version=0.0.4;q=0.8, Application/OpenMetrics-Text ; Version="1.0.0" ; Q=0.8': OPENMETRICS,
        'application/openmetrics-text;version=0.0.1': PROMETHEUS,
        'application/openmetrics-text;q=0': PROMETHEUS,
        'application/openmetrics-text;q=nan': PROMETHEUS,
        'application/openmetrics-textual': PROMETHEUS,
        'application/openmetrics-text;;;q,=,;version': OPENMETRICS,
    }
    with Exporter() as exporter:
        for accept, content_type in wanted.items():
            headers = exporter.get('/metrics', {'Accept': accept})[1]
            assert headers['Content-Type'] == content_type, (accept, headers['Content-Type'])


def answer_is_packed_where_it_may_be():
    wanted = {'gzip': True, 'deflate, gzip;q=0.5': True, 'GZIP': True, 'gzip;q=0': False, 'identity': False,
              'x-gzip-not': False, '': False, 'br': False}
    with Exporter() as exporter:
        for encodings, packed in wanted.items():
            _, headers, body = exporter.get('/metrics', {'Accept-Encoding': encodings})
            assert headers['Content-Encoding'] == ('gzip' if packed else None), encodings
            text = gzip.decompress(body) if packed else body
            assert oracle.prometheus(text.decode(), *oracle.table(TABLE)) == 552
            assert not packed or len(body) < len(text) / 4


def paths_and_methods():
    with Exporter('--web.telemetry-path=/m') as exporter:
        status, headers, body = exporter.get('/')
        assert status == 200 and headers['Content-Type'] == 'text/html; charset=utf-8'
        assert b'<a href="/m">' in body and b'netns' not in body
        assert exporter.get('/-/healthy')[::2] == (200, b'OK\n')
        for path in '/metrics', '/m/', '/m/netns', '/mm', '/-/health', '/..':
            assert exporter.get(path)[0] == 404, path
        assert exporter.get('/m?x=y')[0] == 200
        for method in 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND':
            status, headers, _ = exporter.get('/m', method=method)
            assert (status, headers['Allow']) == (405, 'GET, HEAD'), method
        _, want, _ = exporter.get('/-/healthy')
        status, got, body = exporter.get('/-/healthy', method='HEAD')
        assert (status, body) == (200, b'') and got['Content-Length'] == want['Content-Length'] == '3'
        assert got['Connection'] == 'close'


def requests_that_are_too_long():
    with Exporter() as exporter:
        for size in 9000, 30000:
            assert exporter.raw(b'GET /' + b'a' * size + b' HTTP/1.1\r\nHost: h\r\n\r\n').startswith(b'HTTP/1.1 414 ')
            assert exporter.raw(b'GET / HTTP/1.1\r\nHost: h\r\nX: ' + b'a' * size + b'\r\n\r\n').startswith(b'HTTP/1.1 431 ')
        assert exporter.raw(b'\0\r\n\r\n').startswith(b'HTTP/1.1 400 ') or exporter.answers()
        assert exporter.answers()


def module_absent_is_told():
    with Exporter('--netns') as exporter:
        os.rename(exporter.table(), exporter.table() + '.away')
        for _ in range(3):
            exporter.get('/metrics/netns')
            status, _, body = exporter.get('/metrics')
            assert status == 200 and b'\nportsock_up 0\n' in body and b'portsock_exact' not in body
            assert b'load the module with modprobe portsock\n' in body
        subprocess.run(['promtool', 'check', 'metrics'], input=body, check=True)
        os.rename(exporter.table() + '.away', exporter.table())
        assert b'\nportsock_up 1\n' in exporter.get('/metrics')[2]
        hint = '(is the module loaded? modprobe portsock)'
        assert exporter.said() == f'portsock-exporter: {exporter.proc}: no process has a table {hint}\n' \
                                  f'portsock-exporter: {exporter.table()}: No such file or directory\n' \
                                  'portsock-exporter: the table can be read again\n', exporter.said()


def table_broken_is_not_told():
    with Exporter() as exporter:
        with open(exporter.table(), 'r+') as table:
            table.truncate(table.read().index('tcp 443 ') + 6)
        body = exporter.get('/metrics')[2]
        assert b'\nportsock_up 0\n' in body and b'portsock_sockets' not in body
        assert exporter.said().endswith(': cut off: the table is not complete, capture it again\n')


def rows_are_chosen():
    with Exporter('--limit=2', '--proto=tcp,udp', '--port', '22,80,443,53') as exporter:
        body = exporter.get('/metrics')[2].decode()
        assert '\nportsock_rows_dropped 2\n' in body
        assert set(re.findall(r',port="(.*?)"', body)) == {'22', '80'}
        assert set(re.findall(r'remote_port="(.*?)"', body)) == {'443', '53'}


def process_add(exporter, pid, inode, comm, cgroup):
    """A process in a network namespace of its own."""
    os.makedirs(os.path.dirname(exporter.table(pid)))
    with open(TABLE) as table, open(exporter.table(pid), 'w') as out:
        out.write(table.read().replace('netns 4026531840', f'netns {inode}'))
    for name, text in ('comm', comm), ('cgroup', cgroup):
        with open(os.path.join(exporter.proc, str(pid), name), 'w') as file:
            file.write(text + '\n')


def namespaces_have_labels():
    container = '0123456789abcdef' * 4
    with Exporter('--netns', '--limit', '10000') as exporter:
        process_add(exporter, 1, 4026531840, 'systemd', '0::/init.scope')
        process_add(exporter, 20, 4026532001, 'a"b\\c', f'0::/system.slice/docker-{container}.scope')
        # One whose table cannot be read, one of the same namespace, and one that is gone.
        process_add(exporter, 5, 4026532000, 'broken', '0::/')
        os.truncate(exporter.table(5), 300)
        os.makedirs(os.path.join(exporter.proc, '21'))
        os.symlink('../20/net', os.path.join(exporter.proc, '21/net'))
        os.makedirs(os.path.join(exporter.proc, '22'))
        status, headers, body = exporter.get('/metrics/netns', {'Accept': 'application/openmetrics-text'})
        assert (status, headers['Content-Type']) == (200, OPENMETRICS)
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
        samples = [s for family in text_string_to_metric_families(body.decode()) for s in family.samples]
        infos = [s.labels for s in samples if s.name == 'portsock_netns_info']
        assert infos == [
            {'netns': '4026531840', 'name': '', 'container_id': '', 'pod_uid': '', 'comm': 'systemd'},
            {'netns': '4026532001', 'name': '', 'container_id': container, 'pod_uid': '', 'comm': 'a"b\\c'},
        ], infos
        values = {s.name: s.value for s in samples if not s.labels}
        assert values['portsock_netns_skipped_processes'] == 2 and values['portsock_netns_dropped'] == 0
        assert values['portsock_up'] == 1
        # But for that label, each namespace says what its table does.
        want = oracle.metrics_of(*oracle.table(TABLE))
        for netns in '4026531840', '4026532001':
            got = {(s.name, tuple(sorted((k, v) for k, v in s.labels.items() if k != 'netns'))): s.value
                   for s in samples if s.labels.get('netns') == netns}
            got = {key: value for key, value in got.items() if key[0] != 'portsock_netns_info'}
            assert got == {key: value for key, value in want.items()
                           if key[1] or key[0] in ('portsock_ephemeral_ports_limit', 'portsock_remote_guessed_sockets')}
        assert b'/metrics/netns' in exporter.get('/')[2]
        text = exporter.get('/metrics/netns')[2]
        subprocess.run(['promtool', 'check', 'metrics'], input=text, check=True)


def namespaces_share_one_limit():
    with Exporter('--netns', '--limit=20') as exporter:
        for pid in range(1, 200):
            process_add(exporter, pid, 4026531840 + pid, f'p{pid}', '0::/')
        body = exporter.get('/metrics/netns')[2].decode()
        services = re.findall(r'^portsock_sockets_opened_total\{.*class="service"\}', body, re.M)
        others = re.findall(r'^portsock_sockets_opened_total\{.*class="ephemeral"\}', body, re.M)
        unbound = re.findall(r'^portsock_unbound_sockets_opened_total\{', body, re.M)
        remote = re.findall(r'^portsock_remote_sockets_opened_total\{', body, re.M)
        assert len(services) == 20 and len(others) + len(unbound) == 20 and len(remote) == 20
        assert body.count('\nportsock_netns_info{') == 199
        assert f'\nportsock_rows_dropped {199 * 15 - 60}\n' in body
        assert exporter.kib() < MOST_KIB, exporter.kib()


def no_processes_is_down():
    with Exporter('--netns') as exporter:
        status, _, body = exporter.get('/metrics/netns')
        assert status == 200 and b'\nportsock_up 0\n' in body


def big_table(exporter):
    """1,000 rows: what an answer has at most."""
    head = open(TABLE).read().splitlines()[:2]
    names = head[1].split()[3:]
    row = ' '.join(','.join(['18446744073709551615'] * (28 if name.endswith('_log2') else 1)) for name in names)
    with open(exporter.table(), 'w') as table:
        table.write('\n'.join(head + [f'tcp {port} {name} {row}' for name in ('service', 'remote')
                                      for port in range(30000)]) + '\n')


def memory_is_bounded():
    """A thousand clients that are idle, send half a request, or a whole one and do not read."""
    requests = b'', b'GET /metrics HTTP/1.1\r\nHost', b'GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n'
    with Exporter() as exporter:
        big_table(exporter)
        size = len(exporter.get('/metrics')[2])
        assert size > 1500000, size
        clients = []
        for number in range(1000):
            client = socket.socket()
            client.setblocking(False)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.bind((f'127.0.1.{1 + number % 250}', 0))
            client.connect_ex(('127.0.0.1', exporter.port))
            clients.append(client)
        end = time.monotonic() + DEADLINE + 2
        while time.monotonic() < end:
            for number, client in enumerate(clients):
                with contextlib.suppress(OSError):
                    client.send(requests[number % 3])
            time.sleep(0.5)
        for client in clients:
            client.close()
        until(exporter.answers, 60)
        most = exporter.kib('VmHWM')
        assert most < MOST_KIB + CONNECTIONS * size / 1024, most
        assert exporter.kib() < MOST_KIB, exporter.kib()


def address_has_its_share():
    with Exporter() as exporter:
        clients = [exporter.connect() for _ in range(40)]
        start = time.monotonic()
        assert exporter.get('/metrics', source='127.0.0.2')[0] == 200
        assert time.monotonic() - start < DEADLINE / 2
        waiting = sum(map(waits, clients))
        assert waiting == PER_ADDRESS, waiting
        for client in clients:
            client.close()


def waits(client):
    client.settimeout(0.2)
    try:
        client.recv(1)
        return False
    except TimeoutError:
        return True
    except ConnectionError:
        return False


def slow_clients_are_cut_off():
    with Exporter() as exporter:
        big_table(exporter)
        start = time.monotonic()
        sender, reader, idle = exporter.connect(), socket.socket(), exporter.connect()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(('127.0.0.1', exporter.port))
        reader.sendall(b'GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n')
        sender.sendall(b'GET / HTTP/1.1\r\nX: ')
        with contextlib.suppress(OSError):
            while time.monotonic() < start + 3 * DEADLINE:
                sender.sendall(b'x')
                time.sleep(0.2)
                if time.monotonic() < start + DEADLINE - 2:
                    reader.recv(1)
        assert DEADLINE - 1 < time.monotonic() - start < DEADLINE + 3, time.monotonic() - start
        idle.settimeout(3)
        assert idle.recv(1) == b''
        reader.settimeout(3)
        size = 0
        with contextlib.suppress(ConnectionError):
            while data := reader.recv(65536):
                size += len(data)
        with contextlib.closing(sender), contextlib.closing(reader), contextlib.closing(idle):
            assert size < len(exporter.get('/metrics')[2]) / 2, size


def flood_is_survived():
    with Exporter() as exporter:
        def flood():
            for _ in range(300):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    exporter.get('/metrics', {'Accept-Encoding': 'gzip'})
        threads = [threading.Thread(target=flood) for _ in range(8)]
        for thread in threads:
            thread.start()
        until(lambda: exporter.get('/metrics', source='127.0.0.9')[0] == 200)
        for thread in threads:
            thread.join()
        assert exporter.kib('VmHWM') < MOST_KIB, exporter.kib('VmHWM')
        used = seconds_used(exporter)
        time.sleep(1)
        assert seconds_used(exporter) - used < 0.2, 'busy at rest'


def seconds_used(exporter):
    fields = open(f'/proc/{exporter.process.pid}/stat').read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def systemd_is_told():
    with tempfile.TemporaryDirectory() as directory:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(os.path.join(directory, 'notify'))
            manager.settimeout(5)
            # The watchdog is for a process by its ID, which env keeps.
            with Exporter(environment={'NOTIFY_SOCKET': manager.getsockname(), 'WATCHDOG_USEC': '400000'}) as exporter:
                assert manager.recv(100) == b'READY=1'
                times = []
                for _ in range(5):
                    assert manager.recv(100) == b'WATCHDOG=1'
                    times.append(time.monotonic())
                assert times[4] - times[0] < 1.2, times
                exporter.process.terminate()
                last = b''
                while last != b'STOPPING=1':
                    last = manager.recv(100)


def socket_of_systemd_is_taken():
    port = free_port()
    with tempfile.TemporaryDirectory() as proc:
        shutil.copy(TABLE, os.path.join(proc, 'portsock'))
        with subprocess.Popen(['systemd-socket-activate', '-l', f'127.0.0.1:{port}', EXPORTER, '--web.systemd-socket',
                               f'--path.procfs={proc}'], stderr=subprocess.DEVNULL) as process:
            def body():
                with contextlib.suppress(OSError):
                    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=10)
                    connection.request('GET', '/metrics')
                    return connection.getresponse().read()
            until(body)
            assert b'\nportsock_up 1\n' in body()
            process.terminate()
            assert process.wait(10) == 0
    refused('--web.systemd-socket: systemd passed none; start portsock-exporter.socket', '--web.systemd-socket')


def refused(message, *arguments):
    done = subprocess.run([EXPORTER, *arguments], capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stdout) == (2, ''), done
    assert done.stderr == f'portsock-exporter: {message}\n', done.stderr


def usage_wrong_is_2():
    refused('--web.config.file: no TLS and no passwords here; put a reverse proxy such as nginx in front of it',
            '--web.config.file=x')
    for address in ('localhost', '1.2.3.4', '::1:80', ':', 'a:b', '[::1]', '[:80', '127.0.0.1:65536',
                    f'127.0.0.1:{2**64 + 80}'):
        refused(f"--web.listen-address: '{address}' is not ADDRESS:PORT, [ADDRESS]:PORT or :PORT",
                f'--web.listen-address={address}')
    with socket.create_server(('127.0.0.1', 0)) as taken:
        address = '127.0.0.1:%d' % taken.getsockname()[1]
        refused(f'--web.listen-address: {address}: Address already in use', f'--web.listen-address={address}')
    for path in '', 'metrics', '/', '/-/healthy', '/a b', '/"':
        refused(f"--web.telemetry-path: '{path}' is no path such as /metrics", f'--web.telemetry-path={path}')
    refused("--limit: 'x' is no number from 0 to 250000", '--limit=x')
    refused("unexpected argument 'x' (see: portsock-exporter --help)", 'x')


def addresses_of_both_families():
    for address, hosts in ('[::1]:{}', ['::1']), (':{}', ['127.0.0.1', '::1']), ('localhost:{}', ['localhost']):
        port = free_port()
        with subprocess.Popen([EXPORTER, '--web.listen-address', address.format(port), '--path.procfs=/nonexistent']) as process:
            for host in hosts:
                def answers():
                    try:
                        socket.create_connection((host, port), 5).close()
                        return True
                    except OSError:
                        return False
                until(answers)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0


def units_are_tight():
    unit = os.path.join(TOOLS, 'exporter/portsock-exporter')
    done = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--threshold=20', '--no-pager',
                           f'{unit}.service'], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-200:]
    with tempfile.TemporaryDirectory() as directory:
        text = open(f'{unit}.service').read().replace('/usr/bin/portsock-exporter', os.path.realpath(EXPORTER))
        with open(os.path.join(directory, 'portsock-exporter.service'), 'w') as service:
            service.write(text)
        shutil.copy(f'{unit}.socket', directory)
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', *(os.path.join(directory, name)
                               for name in os.listdir(directory))], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ''), done.stderr
    assert '127.0.0.1:19763' in open(f'{unit}.socket').read()
    usage = subprocess.run([EXPORTER, '--help'], capture_output=True, text=True, check=True).stdout
    assert ' 127.0.0.1:19763;' in usage and max(map(len, usage.splitlines())) <= 80


TESTS = [metrics_are_the_table, format_is_what_the_client_prefers, answer_is_packed_where_it_may_be,
         paths_and_methods, requests_that_are_too_long, module_absent_is_told, table_broken_is_not_told,
         rows_are_chosen, namespaces_have_labels, namespaces_share_one_limit, no_processes_is_down,
         memory_is_bounded, address_has_its_share, slow_clients_are_cut_off, flood_is_survived,
         systemd_is_told, socket_of_systemd_is_taken, usage_wrong_is_2, addresses_of_both_families, units_are_tight]


if __name__ == '__main__':
    conclude(TESTS)
