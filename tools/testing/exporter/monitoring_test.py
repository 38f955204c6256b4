#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""monitoring_test.py [NAME...] - test the rules and the dashboard of tools/monitoring with a
real Prometheus that scrapes three exporters, and files for other agents; ends with "N passed, N failed"

Grafana is not in Debian: what is tested of the dashboard is that each of its queries, with
its variables filled in, returns data, and what its panels must say.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import urllib.parse
import urllib.request

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from exporter_test import oracle, TABLE, TOOLS, Exporter, conclude, free_port, until  # noqa: E402

MONITORING = os.path.join(TOOLS, 'monitoring')
CONFIGURATION = '''
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ['{rules}/alerts.yml', '{rules}/recording.yml']
scrape_configs:
  - job_name: portsock
    static_configs: [{{targets: [{targets}]}}]
'''


@contextlib.contextmanager
def prometheus(exporters):
    """Its function query(expression), once it has scraped all of them some times."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'prometheus.yml')
        with open(path, 'w') as file:
            file.write(CONFIGURATION.format(rules=os.path.realpath(MONITORING), targets=', '.join(
                f"'127.0.0.1:{exporter.port}'" for exporter in exporters)))

        def query(expression, **moment):
            url = f'http://127.0.0.1:{port}/api/v1/query?' + urllib.parse.urlencode({'query': expression, **moment})
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)['data']['result']

        def has_scraped():
            with contextlib.suppress(OSError):
                found = query('count_over_time(portsock_up[1m]) >= 4')
                return len(found) == len(exporters) and query('node_tcp_connection_states')
        process = subprocess.Popen(['prometheus', f'--config.file={path}', f'--storage.tsdb.path={directory}/data',
                                    f'--web.listen-address=127.0.0.1:{port}'], stderr=subprocess.DEVNULL)
        try:
            until(has_scraped, 60)
            yield query
        finally:
            process.terminate()
            process.wait()


def rules_do_what_they_say():
    subprocess.run(['promtool', 'test', 'rules', 'rules_test.yml'], cwd=MONITORING, check=True)


def numbers(result, *labels):
    return {tuple(series['metric'].get(label) for label in labels): float(series['value'][1]) for series in result}


def fleet_is_summed_up():
    with contextlib.ExitStack() as stack:
        exporters = [stack.enter_context(Exporter()) for _ in range(3)]
        with prometheus(exporters) as query:
            sums = numbers(query('port:portsock_sockets:sum'), 'proto', 'port', 'state')
            assert sums['tcp', '443', 'established'] == 3 * 20480
            assert sums['tcp', '443', 'close_wait'] == 3 * 50 and sums['udp', '53', 'close'] == 3 * 2
            states = numbers(query('node_tcp_connection_states'), 'state', 'instance')
            for exporter in exporters:
                instance = f'127.0.0.1:{exporter.port}'
                assert states['established', instance] == 2 + 10 + 20480 + 16 + 3
                assert states['time_wait', instance] == 311 + 1893 + 9
            assert numbers(query('instance:portsock_ephemeral_ports:ratio'), 'proto')['tcp',] == 2 / 28232


def queries(dashboard):
    """Title, expression: all of its targets."""
    for panel in dashboard['panels']:
        for target in panel.get('targets', []):
            yield panel['title'], target['expr']


def raised(table):
    """Connections came to port 443 here and elsewhere, and went, so that rates are not those of a standstill."""
    lines = table.splitlines()
    names = lines[1].split()
    for at in (i for i, line in enumerate(lines) if line.startswith('tcp 443 ')):
        cells = lines[at].split()
        for name in ('opened', 'accepted', 'closed', 'bytes_rx', 'bytes_tx', 'ended', 'lifetime_ms', 'handshakes',
                     'handshake_us', 'accepts', 'accept_wait_ms', 'rtts', 'rtt_us'):
            if cells[names.index(name)] != '-':
                cells[names.index(name)] = str(int(cells[names.index(name)]) + 100)
        for name in 'lifetime_log2', 'accept_wait_log2':
            if cells[names.index(name)] != '-':
                first, rest = cells[names.index(name)].split(',', 1)
                cells[names.index(name)] = f'{int(first) + 100},{rest}'
        lines[at] = ' '.join(cells)
    return '\n'.join(lines) + '\n'


def dashboard_finds_data():
    with open(os.path.join(MONITORING, 'dashboard.json')) as file:
        dashboard = json.load(file)
    assert dashboard['schemaVersion'] >= 41
    assert {v['name'] for v in dashboard['templating']['list']} == {'datasource', 'job', 'instance', 'proto', 'port'}
    for panel in dashboard['panels']:
        if panel['type'] != 'row':
            assert panel['title'] and panel['description'] and panel['fieldConfig']['defaults']['unit']
            assert panel['datasource']['uid'] == '${datasource}'
    with contextlib.ExitStack() as stack:
        exporters = [stack.enter_context(Exporter()) for _ in range(2)]
        values = {'job': 'portsock', 'instance': f'127.0.0.1:{exporters[0].port}', 'proto': 'tcp', 'port': '443',
                  '__rate_interval': '4s'}
        with prometheus(exporters) as query:
            with open(TABLE) as table, open(exporters[0].table(), 'w') as out:
                out.write(raised(table.read()))
            moments = []
            until(lambda: moments.extend(one['value'][0] for one in query(
                'sum(rate(portsock_sockets_opened_total{port="443"}[4s])) > 0')) or moments)
            asked = 0
            for title, expression in queries(dashboard):
                assert '[5m]' not in expression, title
                filled = re.sub(r'\$(\w+)', lambda match: values[match[1]], expression)
                found = query(filled, time=moments[0])
                assert found and 'NaN' not in [series['value'][1] for series in found], (title, filled)
                asked += 1
            assert asked >= 50, asked
            for variable in dashboard['templating']['list'][1:]:
                match = re.fullmatch(r'label_values\((.*), (\w+)\)', variable['query']['query'])
                selector = re.sub(r'\$(\w+)', lambda name: values[name[1]], match[1])
                assert values[variable['name']] in {s['metric'][match[2]] for s in query(selector)}, variable


def picture_shows_the_panels():
    """That in README.md is one of the dashboard as it is; picture.py makes it anew."""
    with open(os.path.join(MONITORING, 'dashboard.json')) as file:
        panels = json.load(file)['panels']
    with open(os.path.join(MONITORING, 'dashboard.svg')) as file:
        shown = re.findall(r'<text [^>]*font-size="1[14]"[^>]*>(.*)</text>', file.read())
    wanted = [panel['title'].replace('$proto', 'tcp').replace('$port', '443') for panel in panels]
    assert shown == wanted, (shown, wanted)


def configuration(name):
    with open(os.path.join(TOOLS, 'agents', name)) as file:
        return yaml.safe_load(file)


def agents_not_in_debian_have_files():
    """Of these the syntax is checked, and what they and portsock must agree on."""
    with open(os.path.join(TOOLS, 'agents/telegraf/portsock.conf'), 'rb') as file:
        assert tomllib.load(file)['inputs']['exec'][0] == {
            'commands': ['/usr/bin/portsock --format=influx'], 'data_format': 'influx'}
    collector = configuration('opentelemetry/collector.yaml')
    job = collector['receivers']['prometheus']['config']['scrape_configs'][0]
    assert job['static_configs'][0]['targets'] == ['127.0.0.1:19763']
    transform = collector['processors']['metricstransform']['transforms'][0]
    renamed = {action['value']: action['new_value'] for operation in transform['operations']
               for action in operation.get('value_actions', [])}
    # Those of network.connection.state in the semantic conventions.
    assert {renamed.pop(state, state) for state in oracle.STATES} == {
        'closed', 'close_wait', 'closing', 'established', 'fin_wait_1', 'fin_wait_2', 'last_ack', 'listen',
        'syn_received', 'syn_sent', 'time_wait'} and not renamed
    assert configuration('vector/portsock.yaml')['sources']['portsock']['endpoints'] == ['http://127.0.0.1:19763/metrics']
    source = configuration('fluent-bit/portsock.yaml')['pipeline']['inputs'][0]
    assert (source['host'], source['port'], source['metrics_path']) == ('127.0.0.1', 19763, '/metrics')


def zabbix_template_asks_for_what_is_there():
    """Its paths, but for their syntax of conditions, in what the agent's item returns."""
    template = configuration('zabbix/template.yaml')['zabbix_export']['templates'][0]
    rule = template['discovery_rules'][0]
    answer = json.loads(subprocess.run([os.path.join(TOOLS, 'portsock/portsock'), '-f', TABLE, '--format=json', '--numeric'],
                                       capture_output=True, check=True).stdout)
    assert 'exact' in answer['portsock'] and {'proto', 'port', 'class'} <= set(answer['rows'][0])
    assert rule['preprocessing'][0]['parameters'] == ['$.rows[?(@.class == "service")]']
    assert {path['path'] for path in rule['lld_macro_paths']} == {'$.port', '$.proto'}
    uuids = re.findall(r'uuid: (\w+)', open(os.path.join(TOOLS, 'agents/zabbix/template.yaml')).read())
    assert len(set(uuids)) == len(uuids) and all(re.fullmatch('[0-9a-f]{12}4[0-9a-f]{3}a[0-9a-f]{15}', uuid)
                                                 for uuid in uuids[1:])
    columns = set()
    for item in rule['item_prototypes']:
        column = re.fullmatch(r'portsock\.service\[\{#PROTO\},\{#PORT\},(\w+)\]', item['key'])[1]
        path = item['preprocessing'][0]['parameters'][0]
        assert path.startswith('$.rows[?(@.class == "service" && @.proto == "{#PROTO}" && @.port == {#PORT})].')
        assert path.endswith(f'.{column}.first()') and column in answer['rows'][0]
        assert item['master_item']['key'] == 'portsock.json'
        columns.add(column)
    assert columns == {'sockets', 'opened', 'closed', *oracle.STATES}


if __name__ == '__main__':
    conclude([rules_do_what_they_say, fleet_is_summed_up, dashboard_finds_data, picture_shows_the_panels,
              agents_not_in_debian_have_files, zabbix_template_asks_for_what_is_there])
