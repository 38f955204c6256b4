#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""unit_test.py [NAME...] - portsock-exporter under systemd, in the guest; ends with
"N passed, N failed"

The tests go on from each other: what is installed by the first is removed by the last.
"""

import os
import signal
import subprocess
import time

from guest import PORT, connections, curl, datagram, equal, exported, run, samples, single, ss, table, until
from tap import conclude

SERVICE, SOCKET = 'portsock-exporter.service', 'portsock-exporter.socket'
TIMER = 'portsock-textfile.timer'
TEXTFILE = '/var/lib/prometheus/node-exporter/portsock.prom'
ARGUMENTS = '/etc/default/portsock-exporter'
DROP_IN = f'/run/systemd/system/{SERVICE}.d'
kept = []


def show(*names, unit=SERVICE):
    """What systemd knows of a unit, as text."""
    lines = run('systemctl', 'show', unit, *(f'-p{name}' for name in names)).splitlines()
    found = dict(line.split('=', 1) for line in lines)
    return [found[name] for name in names]


def main_pid():
    return int(show('MainPID')[0])


def journal(since):
    """What it and systemd said of it since show('InvocationID'), one line each."""
    return run('journalctl', '-o', 'cat', '-u', SERVICE, f'_SYSTEMD_INVOCATION_ID={since}', '+',
               f'INVOCATION_ID={since}').splitlines()


def scrape():
    return samples(curl('/metrics'))


def up():
    """Is the table read? Whoever cannot connect has no answer."""
    try:
        return single(scrape(), 'portsock_up')
    except AssertionError:
        return None


def without_scrapes(numbers):
    """Those of the exporter's own port change with each look at it."""
    return {key: number for key, number in numbers.items() if key[1] != str(PORT)}


def values_are_right():
    """The exporter's are those that /proc/portsock and ss have; they are at rest."""
    got = without_scrapes(exported(scrape()))
    equal(got, without_scrapes(table()))
    listed = without_scrapes(ss())
    equal(got, {key: number for key, number in listed.items() if key[:2] in {wanted[:2] for wanted in got}})
    equal({key: got[key] for key in got if key[1] in ('7001', '7002')}, {
        ('tcp', '7001', 'listen'): 1, ('tcp', '7001', 'established'): 3, ('tcp', '7001', 'close_wait'): 2,
        ('udp', '7002', 'close'): 1})


def installed_it_runs():
    """The package starts it, and it says so to systemd. It does not need the module for that."""
    run('sh', '-c', 'dpkg -i now/*.deb')
    equal(show('ActiveState', 'SubState', 'Type', 'UnitFileState'), ['active', 'running', 'notify', 'enabled'])
    found = scrape()
    equal(single(found, 'portsock_up'), 0)
    assert 'modprobe portsock' in curl('/metrics').split('# TYPE portsock_up')[0]


def values_are_those_of_the_file_and_of_ss():
    kept.extend(connections(7001, 5, half_closed=2) + [datagram(7002)])
    run('insmod', 'portsock.ko')
    values_are_right()


def service_has_complained_of_the_module_only():
    [invocation] = show('InvocationID')
    lines = journal(invocation)
    equal([line for line in lines if line.startswith('portsock-exporter: ')], [
        'portsock-exporter: /proc/portsock: No such file or directory (is the module loaded? modprobe portsock)',
        'portsock-exporter: the table can be read again'])
    equal(sorted(set(lines) - set(l for l in lines if l.startswith('portsock-exporter: '))), [
        f'Started {SERVICE} - Answer scrapes of Prometheus with the sockets of each local port.',
        f'Starting {SERVICE} - Answer scrapes of Prometheus with the sockets of each local port...'])


def watchdog_is_fed():
    """WATCHDOG=1 comes again and again, before systemd's 30 seconds are over."""
    usec, fed = show('WatchdogUSec', 'WatchdogTimestampMonotonic')
    equal(usec, '30s')
    began = time.monotonic()
    for _ in range(3):
        last = fed
        until(lambda: show('WatchdogTimestampMonotonic')[0] != last, 'the watchdog is fed', 20)
        [fed] = show('WatchdogTimestampMonotonic')
    assert time.monotonic() - began < 30


def status(pid):
    with open(f'/proc/{pid}/status') as file:
        return dict(line.rstrip('\n').split(':\t', 1) for line in file)


def control_group(pid):
    with open(f'/proc/{pid}/cgroup') as file:
        return '/sys/fs/cgroup' + file.read().splitlines()[-1].split('::')[1]


def sandbox_is_around_it():
    """As the kernel has it, not as the unit says."""
    pid = main_pid()
    has = status(pid)
    assert '0' not in has['Uid'].split() + has['Gid'].split(), has
    equal([has[name] for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp', 'Groups')],
          ['0' * 16] * 5 + ['1', '2', has['Groups']])
    for name in 'mnt', 'user', 'uts':
        assert os.readlink(f'/proc/{pid}/ns/{name}') != os.readlink(f'/proc/1/ns/{name}'), name
    equal(os.readlink(f'/proc/{pid}/ns/net'), os.readlink('/proc/1/ns/net'))
    with open(f'/proc/{pid}/mountinfo') as mounts:
        options = {line.split()[4]: line.split()[5].split(',')[0] for line in mounts}
    equal({path: options[path] for path in ('/', '/proc/sys', '/sys/fs/cgroup')},
          {'/': 'ro', '/proc/sys': 'ro', '/sys/fs/cgroup': 'ro'})
    for name, value in ('memory.max', str(256 << 20)), ('pids.max', '4'):
        with open(f'{control_group(pid)}/{name}') as limit:
            equal(limit.read().strip(), value)


# Each in a process of its own: the filter of system calls ends who makes one that it forbids.
ATTEMPTS = '''
import ctypes, mmap, os, signal, socket
def attempt(name, function):
    child = os.fork()
    if not child:
        try:
            function()
            os._exit(0)
        except Exception as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    end = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else 'fails' if status else 'works'
    print('TRIED', name, end, flush=True)
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), '')
attempt('read', lambda: open('/proc/portsock').read())
attempt('other', lambda: open('/proc/1/net/portsock').read())
attempt('inet', lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt('write', lambda: open('/var/file', 'w'))
attempt('home', lambda: os.listdir('/root'))
attempt('sysctl', lambda: open('/proc/sys/net/ipv4/ip_forward', 'w'))
attempt('log', lambda: open('/proc/kmsg'))
attempt('disk', lambda: open('/dev/nvme0n1'))
attempt('packet', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt('execute', lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC))
attempt('chown', lambda: os.chown('/tmp', 0, 0))
attempt('unshare', lambda: call(272, 0x40000000))
attempt('mount', lambda: call(165, 0, 0, 0, 0, 0))
'''


def unit_path():
    return show('FragmentPath')[0]


def sandbox_refuses():
    """Python in the place of the exporter, and nothing else of the unit changed: what may it do?"""
    with open(unit_path()) as unit, open('/run/systemd/system/attempts.service', 'w') as copy:
        copy.write(unit.read().replace('Type=notify', 'Type=oneshot').replace('Restart=on-failure\n', '')
                   .replace('WatchdogSec=30\n', '')
                   .replace('ExecStart=/usr/bin/portsock-exporter $ARGS', 'ExecStart=/usr/bin/python3 /usr/local/attempts'))
    with open('/usr/local/attempts', 'w') as program:
        program.write(ATTEMPTS)
    run('systemctl', 'daemon-reload')
    run('systemctl', 'start', 'attempts')
    output = run('journalctl', '-o', 'cat', '-u', 'attempts')
    ends = dict(line.split()[1:] for line in output.splitlines() if line.startswith('TRIED '))
    assert len(ends) == ATTEMPTS.count("attempt('"), output
    equal({name for name, end in ends.items() if end == 'works'}, {'read', 'other', 'inet'})
    equal({ends[name] for name in ('mount', 'chown')}, {'SIGSYS'})


def stopped_it_is_gone():
    [invocation] = show('InvocationID')
    run('systemctl', 'stop', SERVICE)
    equal(show('ActiveState', 'Result', 'ExecMainStatus', 'NRestarts'), ['inactive', 'success', '0', '0'])
    equal(up(), None)
    assert f'{SERVICE}: Deactivated successfully.' in journal(invocation), journal(invocation)


def first_request_starts_it():
    """systemd listens, and passes its socket."""
    run('systemctl', 'start', SOCKET)
    equal(show('ActiveState'), ['inactive'])
    equal(ss()['tcp', str(PORT), 'listen'], 1)
    values_are_right()
    equal(show('ActiveState', 'TriggeredBy'), ['active', SOCKET])
    first = main_pid()
    assert os.readlink(f'/proc/{first}/fd/3').startswith('socket:')
    run('systemctl', 'stop', SERVICE)
    equal(show('ActiveState', unit=SOCKET), ['active'])
    values_are_right()
    assert main_pid() not in (0, first)
    run('systemctl', 'stop', SOCKET, SERVICE)
    equal(up(), None)


def arguments(text):
    with open(ARGUMENTS, 'w') as file:
        file.write(f'ARGS={text}\n')


def with_that_option_it_wants_the_socket():
    arguments('--web.systemd-socket')
    failed = subprocess.run(('systemctl', 'start', SERVICE), stderr=subprocess.DEVNULL, check=False)
    assert failed.returncode
    run('systemctl', 'stop', SERVICE)
    assert 'start portsock-exporter.socket' in run('journalctl', '-o', 'cat', '-u', SERVICE, '-n', '20')
    run('systemctl', 'reset-failed', SERVICE)
    run('systemctl', 'start', SOCKET)
    equal(up(), 1)
    run('systemctl', 'stop', SOCKET, SERVICE)
    os.remove(ARGUMENTS)


def all_namespaces_are_seen_from_within():
    """Also one that got its name, and its process, when the service was there already."""
    arguments('--netns')
    run('systemctl', 'start', SERVICE)
    equal(single(samples(curl('/metrics/netns')), 'portsock_netns_skipped_processes'), 0)
    run('ip', 'netns', 'add', 'blue')
    run('ip', '-n', 'blue', 'link', 'set', 'lo', 'up')
    with subprocess.Popen(('ip', 'netns', 'exec', 'blue', 'nc', '-lk', '127.0.0.1', '7003')) as server:
        until(lambda: ss('ip', 'netns', 'exec', 'blue'), 'nc listens')
        found = samples(curl('/metrics/netns'))
        inode = str(os.stat('/run/netns/blue').st_ino)
        names = {labels['netns']: (labels['name'], labels['comm']) for name, labels, _ in found
                 if name == 'portsock_netns_info'}
        equal(names[inode], ('blue', 'nc'))
        home = str(os.stat('/proc/1/ns/net').st_ino)
        equal(set(names), {inode, home})
        by_netns = {netns: exported([(name, labels, value) for name, labels, value in found
                                     if labels.get('netns') == netns]) for netns in names}
        equal(by_netns[inode], ss('ip', 'netns', 'exec', 'blue'))
        equal(by_netns[inode], {('tcp', '7003', 'listen'): 1})
        equal(without_scrapes(by_netns[home]), without_scrapes(table()))
        server.kill()
    run('ip', 'netns', 'delete', 'blue')
    os.remove(ARGUMENTS)
    run('systemctl', 'restart', SERVICE)


def table_for_a_group_needs_that_group():
    """As the manual page says."""
    run('rmmod', 'portsock')
    run('insmod', 'portsock.ko', 'mode=0440')
    equal(up(), 0)
    os.makedirs(DROP_IN)
    with open(f'{DROP_IN}/group.conf', 'w') as file:
        file.write('[Service]\nSupplementaryGroups=root\n')
    run('systemctl', 'daemon-reload')
    run('systemctl', 'restart', SERVICE)
    values_are_right()
    os.remove(f'{DROP_IN}/group.conf')
    os.rmdir(DROP_IN)
    run('systemctl', 'daemon-reload')
    run('rmmod', 'portsock')
    run('insmod', 'portsock.ko')
    run('systemctl', 'restart', SERVICE)
    values_are_right()


def hung_it_is_started_anew():
    pid = main_pid()
    os.kill(pid, signal.SIGSTOP)
    until(lambda: main_pid() not in (0, pid), 'systemd has lost patience')
    until(lambda: up() == 1, 'it answers again')
    equal(show('NRestarts'), ['1'])


def version():
    return [labels['version'] for name, labels, _ in scrape() if name == 'portsock_build_info']


def upgraded_it_is_another():
    pid, [before] = main_pid(), run('portsock-exporter', '-V').split()[1:]
    run('sh', '-c', 'dpkg -i later/*.deb')
    equal(run('portsock-exporter', '-V').split()[1:], [f'{before}.1'])
    equal(show('ActiveState', 'Result'), ['active', 'success'])
    assert main_pid() not in (0, pid)
    equal(os.readlink(f'/proc/{main_pid()}/exe'), '/usr/bin/portsock-exporter')
    assert f'portsock-exporter {before}.1' in curl('/')
    values_are_right()


def upgraded_behind_its_socket_it_stays_there():
    """Whoever chose the socket keeps it."""
    run('systemctl', 'disable', '--now', SERVICE)
    run('systemctl', 'enable', '--now', SOCKET)
    equal(up(), 1)
    run('sh', '-c', 'dpkg -i now/*.deb')
    equal(show('UnitFileState'), ['disabled'])
    equal(show('ActiveState', 'UnitFileState', unit=SOCKET), ['active', 'enabled'])
    values_are_right()
    assert '.1</h1>' not in curl('/')


def timer_writes_for_node_exporter():
    """Again and again."""
    os.makedirs(os.path.dirname(TEXTFILE))
    run('systemctl', 'enable', '--now', TIMER)
    for _ in range(2):
        until(lambda: os.path.exists(TEXTFILE), 'the file is written')
        with open(TEXTFILE) as file:
            equal(single(samples(file.read()), 'portsock_up'), 1)
        os.remove(TEXTFILE)


def purged_it_is_gone():
    run('dpkg', '--purge', 'portsock-exporter', 'portsock')
    equal(show('ActiveState', 'LoadState', unit=TIMER), ['inactive', 'not-found'])
    equal(up(), None)
    equal(show('ActiveState', 'LoadState'), ['inactive', 'not-found'])
    equal(show('ActiveState', 'LoadState', unit=SOCKET), ['inactive', 'not-found'])


conclude([installed_it_runs, values_are_those_of_the_file_and_of_ss, service_has_complained_of_the_module_only,
          watchdog_is_fed, sandbox_is_around_it, sandbox_refuses, stopped_it_is_gone, first_request_starts_it,
          with_that_option_it_wants_the_socket, all_namespaces_are_seen_from_within,
          table_for_a_group_needs_that_group, hung_it_is_started_anew, upgraded_it_is_another,
          upgraded_behind_its_socket_it_stays_there, timer_writes_for_node_exporter, purged_it_is_gone])
