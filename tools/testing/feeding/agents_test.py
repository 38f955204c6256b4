#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""agents_test.py [NAME...] - real agents beside ss, in the guest, with real services under
load and at rest; ends with "N passed, N failed"
"""

import glob
import os
import subprocess
import tempfile

from guest import PORT, STATES, connections, curl, equal, exported, query, run, samples, services, ss, table, until
from tap import conclude

SERVICES = {'80': 'nginx', '6379': 'redis', '9000': 'a service that leaks'}
IDLE = 10
LEAKED = 3
CLIENTS = 50
NGINX = '''
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
	access_log off;
	keepalive_requests 100000000;
	server {{
		listen 80;
		location / {{ return 200 "hello\\n"; }}
	}}
}}
'''
COLLECTD = '''
Hostname "here"
Interval 2
LoadPlugin csv
<Plugin csv>
	DataDir "{directory}/csv"
</Plugin>
LoadPlugin tcpconns
<Plugin tcpconns>
	ListeningPorts false
	LocalPort "80"
	LocalPort "6379"
	LocalPort "9000"
</Plugin>
Include "/portsock/agents/collectd/portsock.conf"
'''
PROMETHEUS = '''
global: {{scrape_interval: 2s, evaluation_interval: 2s}}
rule_files: ['/portsock/monitoring/alerts.yml', '/portsock/monitoring/recording.yml']
scrape_configs:
  - job_name: portsock
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
  - job_name: fleet
    static_configs: [{{targets: {fleet}}}]
'''
FLEET = [f'10.9.{i}.2' for i in range(3)]

directory = tempfile.mkdtemp()
os.chmod(directory, 0o755)
kept, programs = [], []


def start(*command):
    with open(os.path.join(directory, 'log'), 'a') as log:
        programs.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log))
    return programs[-1]


def write(name, text):
    path = os.path.join(directory, name)
    with open(path, 'w') as file:
        file.write(text)
    return path


def of_services(numbers):
    return {key: number for key, number in numbers.items() if key[0] == 'tcp' and key[1] in SERVICES}


def from_prometheus():
    return of_services(services(((labels['proto'], labels['port'], labels['state']), value) for labels, value in
                                query('portsock_sockets{job="portsock",class="service"}')))


def from_exporter():
    return of_services(exported(samples(curl('/metrics'))))


def from_collectd(host):
    """The last values of its plugin tcpconns, or of what the plugin exec is told in the same names."""
    states = {name.replace('-', '_').replace('ESTAB', 'ESTABLISHED'): state
              for name, state in STATES.items()}
    states |= {'FIN_WAIT1': 'fin_wait1', 'FIN_WAIT2': 'time_wait'}
    numbers = []
    for port in SERVICES:
        for name, state in states.items():
            files = sorted(glob.glob(f'{directory}/csv/{host}/tcpconns-{port}-local/tcp_connections-{name}-*'))
            if files:
                with open(files[-1]) as file:
                    numbers.append((('tcp', port, state), int(float(file.read().splitlines()[-1].split(',')[1]))))
    return services(numbers)


SOURCES = {
    'the file': lambda: of_services(table()),
    'portsock-exporter': from_exporter,
    'Prometheus': from_prometheus,
    'collectd from portsock': lambda: from_collectd('portsock.here'),
    'collectd from its plugin tcpconns': lambda: from_collectd('here'),
}


def all_say(wanted=None):
    """Wait until all sources say what ss says, before and after, and that is what is wanted of it."""
    last = {}

    def looked():
        last.clear()
        before = of_services(ss())
        last.update((name, source()) for name, source in SOURCES.items())
        last['ss'] = of_services(ss())
        return (before == last['ss'] and all(numbers == before for numbers in last.values())
                and all(wanted[key](before.get(key, 0)) for key in wanted or {}) and before)
    try:
        return until(looked, 'they say the same')
    except AssertionError as error:
        with open(os.path.join(directory, 'log')) as log:
            said = log.readlines()[-20:]
        raise AssertionError(''.join([f'{name}: {numbers}\n' for name, numbers in last.items()] + said)) from error


def is_number(number):
    return lambda value: value == number


def at_rest_all_say_the_same():
    equal(all_say(), {
        ('tcp', '80', 'listen'): 1, ('tcp', '6379', 'listen'): 1, ('tcp', '6379', 'established'): IDLE,
        ('tcp', '9000', 'listen'): 1, ('tcp', '9000', 'close_wait'): LEAKED,
        ('tcp', '9000', 'established'): 1})


def under_load_all_say_the_same():
    """Requests go on and on, while the number of connections stays."""
    load = [start('wrk', '-t1', f'-c{CLIENTS}', '-d600s', 'http://127.0.0.1/'),
            start('redis-benchmark', '-q', '-c', str(CLIENTS), '-n', '100000000', '-t', 'get')]
    try:
        said = all_say({('tcp', '80', 'established'): is_number(CLIENTS),
                        ('tcp', '6379', 'established'): is_number(CLIENTS + IDLE)})
    finally:
        for program in load:
            program.kill()
            program.wait()
    equal(said['tcp', '9000', 'close_wait'], LEAKED)


def behind_the_load_all_count_time_wait():
    """Each answer ended its connection; the kernel keeps them a minute."""
    done = run('wrk', '-t1', '-c10', '-d2s', '-H', 'Connection: close', 'http://127.0.0.1/')
    said = all_say({('tcp', '80', 'time_wait'): lambda number: number >= 20, ('tcp', '80', 'established'): is_number(0)})
    print(f'# {said["tcp", "80", "time_wait"]} in TIME_WAIT:{done.splitlines()[-2].strip()}')
    said = all_say({('tcp', '80', 'time_wait'): is_number(0)})
    equal(said['tcp', '6379', 'established'], IDLE)


def inside(i, *command):
    return ('ip', 'netns', 'exec', f'fleet{i}') + command


def member(i):
    """A namespace with an exporter of its own, a server, and connections of which some leak."""
    run('ip', 'netns', 'add', f'fleet{i}')
    run('ip', 'link', 'add', f'fleet{i}', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', f'fleet{i}')
    run('ip', 'address', 'add', f'10.9.{i}.1/24', 'dev', f'fleet{i}')
    run('ip', 'link', 'set', f'fleet{i}', 'up')
    run('ip', '-n', f'fleet{i}', 'address', 'add', f'{FLEET[i]}/24', 'dev', 'eth0')
    for device in 'eth0', 'lo':
        run('ip', '-n', f'fleet{i}', 'link', 'set', device, 'up')
    start(*inside(i, '/usr/bin/portsock-exporter', f'--web.listen-address={FLEET[i]}:{PORT}'))
    start(*inside(i, 'python3', '-c', f'from guest import *; kept = connections(8443, {2 + i}, {i}); time.sleep(1e6)'))
    until(lambda: ss(*inside(i)).get(('tcp', '8443', 'close_wait'), 0) == i and
          ss(*inside(i)).get(('tcp', '8443', 'established')) == 2, 'the server has its connections')


def fleet_is_summed_up():
    """One Prometheus, three namespaces, the recording rules."""
    for i in range(len(FLEET)):
        member(i)
    listed = [ss(*inside(i)) for i in range(len(FLEET))]
    wanted = {state: sum(each.get(('tcp', '8443', state), 0) for each in listed)
              for state in ('listen', 'established', 'close_wait')}
    equal(wanted, {'listen': 3, 'established': 6, 'close_wait': 3})

    def summed():
        found = query('port:portsock_sockets:sum{job="fleet",proto="tcp",port="8443"}')
        return {labels['state']: value for labels, value in found if value} == wanted
    until(summed, 'the fleet is summed up by port')
    of_instances = {(f'{address}:{PORT}', state): sum(number for key, number in listed[i].items()
                                                      if key[0] == 'tcp' and key[2] == state)
                    for i, address in enumerate(FLEET) for state in ('listen', 'close_wait')}

    def states():
        return {(labels['instance'], labels['state']): value
                for labels, value in query('node_tcp_connection_states{job="fleet"}')}
    # A rule is evaluated behind the other.
    until(lambda: of_instances.items() <= states().items(), 'the states of each instance')
    equal({labels['instance'] for labels, value in query('up{job="fleet"} == 1')},
          {f'{address}:{PORT}' for address in FLEET})


def start_all():
    run('sh', '-c', 'dpkg -i now/*.deb')
    start('nginx', '-c', write('nginx.conf', NGINX.format(directory=directory)), '-g', 'daemon off;')
    start('redis-server', '--port', '6379', '--bind', '127.0.0.1', '--save', '', '--dir', directory)
    until(lambda: ss().get(('tcp', '6379', 'listen')) and ss().get(('tcp', '80', 'listen')), 'nginx and redis listen')
    kept.extend(connections(9000, LEAKED + 1, LEAKED))
    idle = 'import socket, time; kept = [socket.create_connection(("127.0.0.1", 6379)) for _ in range(%d)]; time.sleep(1e6)'
    start('python3', '-c', idle % IDLE)
    run('insmod', 'portsock.ko')
    start('collectd', '-f', '-C', write('collectd.conf', COLLECTD.format(directory=directory)))
    start('./prometheus', f'--storage.tsdb.path={directory}/data', '--web.listen-address=127.0.0.1:9090', '--config.file=' + write(
        'prometheus.yml', PROMETHEUS.format(port=PORT, fleet=[f'{address}:{PORT}' for address in FLEET])))


try:
    start_all()
    conclude([at_rest_all_say_the_same, under_load_all_say_the_same, behind_the_load_all_count_time_wait, fleet_is_summed_up])
finally:
    for each in programs:
        each.kill()
