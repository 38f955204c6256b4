// SPDX-License-Identifier: GPL-2.0
/* What programs get, read by parsers of another make; and files that are replaced. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"

#define WEB	SAMPLES "/web.table"
#define FORMAT	READER " -f " WEB " --format="
/* Modules of Debian are those of its own Python. */
#define ORACLE(format)	FORMAT format " | /usr/bin/python3 " SAMPLES "/oracle.py " format " " WEB

static void prometheus_is_read_by_others(void **state)
{
	(void)state;
	expect(ORACLE("prometheus"), 0, "552\n");
	expect(FORMAT "prometheus | promtool check metrics 2>&1", 0, "");
}

static void openmetrics_is_read_by_others(void **state)
{
	(void)state;
	expect(ORACLE("openmetrics"), 0, "552\n");
}

static void influx_is_read_by_others(void **state)
{
	(void)state;
	expect(ORACLE("influx"), 0, "416\n");
}

static void csv_is_read_by_others(void **state)
{
	(void)state;
	expect(ORACLE("csv"), 0, "539\n");
}

static void csv_of_remote_ports_alone(void **state)
{
	(void)state;
	expect(FORMAT "csv -r | cut -d , -f -4; " FORMAT "influx -r | tail -n +2 | cut -d ' ' -f 1; "
	       FORMAT "prometheus -r | grep -c '[,{]port='", 1,
	       "proto,port,class,sockets\ntcp,443,remote,1\ntcp,5432,remote,2\ntcp,6379,remote,1\nudp,53,remote,1\n"
	       "portsock_remote,proto=tcp,remote_port=443\nportsock_remote,proto=tcp,remote_port=5432\n"
	       "portsock_remote,proto=tcp,remote_port=6379\nportsock_remote,proto=udp,remote_port=53\n0\n");
	expect(FORMAT "csv -r | /usr/bin/python3 " SAMPLES "/oracle.py csv " WEB, 0, "196\n");
}

static void collectd_has_names_of_tcpconns(void **state)
{
	(void)state;
	expect("export COLLECTD_HOSTNAME='a host' COLLECTD_INTERVAL=30.000; " ORACLE("collectd"), 0, "427\n");
}

static void collectd_has_no_odd_host_or_interval(void **state)
{
	(void)state;
	expect("COLLECTD_HOSTNAME='a\"/\\\n' COLLECTD_INTERVAL=inf " FORMAT "collectd | sed -n 2p", 0,
	       "PUTVAL \"a____/portsock-health/gauge-exact\" interval=10 N:1\n");
	assert_int_equal(run("COLLECTD_HOSTNAME= " FORMAT "collectd -P 22 | head -n 1 | grep -c \"\\\"$(uname -n)/\""), 0);
	assert_string_equal(output, "1\n");
}

/* In Turkish the capital of i is none of ASCII. */
static void names_do_not_depend_on_the_locale(void **state)
{
	(void)state;
	expect("d=$(mktemp -d); export LOCPATH=$d; for c in ISO-8859-9 UTF-8; do localedef -i tr_TR -f $c $d/tr_TR.$c; "
	       "export LC_ALL=tr_TR.$c; bash -c 'cmp <(" FORMAT "collectd) <(LC_ALL=C " FORMAT "collectd)'; "
	       READER " -f " WEB " -p UDP -P 5353 -o SERVICE,IPV6; done 2>&1; rm -r $d", 0,
	       "SERVICE IPV6\nmdns       1\nSERVICE IPV6\nmdns       1\n");
}

static void numbers_that_are_too_large_for_influx(void **state)
{
	(void)state;
	expect("printf '%s' '" HEALTH COLUMNS ROW("tcp", "22", "service", "18446744073709551615", "2", "0", "1")
	       "\n' | " READER " -f - -F influx | tail -n 1 | cut -d ' ' -f 2 | cut -d , -f 1", 0,
	       "sockets=9223372036854775807i\n");
}

/* Of an older module, and with a number that has no answer. */
static void columns_missing_are_not_told(void **state)
{
	(void)state;
	expect("t=$(mktemp); printf '%s\\n' 'portsock 1 exact 1' 'proto port class sockets opened' 'tcp 22 service 3 -' "
	       "'tcp 80 service - -' > $t; "
	       "for f in csv influx prometheus; do " READER " -f $t -F $f | grep -E '^(tcp|portsock(,|_sockets.*{))'; done | sed 's/,*$//'; "
	       "rm $t", 0,
	       "tcp,22,service,3\n"
	       "tcp,80,service\n"
	       "portsock,class=service,port=22,proto=tcp sockets=3i\n");
}

static void json_is_that_of_option_j(void **state)
{
	(void)state;
	expect("bash -c 'cmp <(" FORMAT "json) <(" READER " -f " WEB " -j)'", 0, "");
}

static void nothing_matched_is_0(void **state)
{
	(void)state;
	expect(FORMAT "csv -P 7 | wc -l", 0, "1\n");
	assert_int_equal(run(FORMAT "csv -P 7"), 0);
	assert_int_equal(run(FORMAT "prometheus -P 7"), 0);
	assert_int_equal(run(FORMAT "json -P 7"), 0);
}

static void rows_left_out_are_counted(void **state)
{
	(void)state;
	expect(FORMAT "prometheus -l 2 | grep -E '^portsock_(rows_dropped |.*opened_total.*service)'", 0,
	       "portsock_rows_dropped 8\n"
	       "portsock_sockets_opened_total{proto=\"tcp\",port=\"22\",class=\"service\"} 5\n"
	       "portsock_sockets_opened_total{proto=\"tcp\",port=\"80\",class=\"service\"} 90233\n");
}

static void usage_wrong_is_2(void **state)
{
	(void)state;
	expect(FORMAT "xml 2>&1", 2,
	       "portsock: --format: unknown format 'xml' (valid: json prometheus openmetrics influx collectd csv)\n");
	expect(FORMAT "csv -l all 2>&1", 2, "portsock: --limit: 'all' is no number from 0 to 250000\n");
	expect(FORMAT "csv -a 2>&1", 2, "portsock: --output, --all, --sort and --all-netns are for tables and JSON only\n");
	expect(FORMAT "csv -o port 2>&1", 2, "portsock: --output, --all, --sort and --all-netns are for tables and JSON only\n");
}

static void table_broken_is_2_without_output(void **state)
{
	(void)state;
	expect("printf '%s' '" HEALTH COLUMNS SSH "tcp 44' | " READER " -f - -F prometheus 2>&1", 2,
	       "portsock: stdin: line 4: cut off: the table is not complete, capture it again\n");
	expect(READER " -f /nonexistent -F influx 2>&1", 2, "portsock: /nonexistent: No such file or directory\n");
	expect(FORMAT "openmetrics 2>&1 >/dev/full", 2, "portsock: write failed: No space left on device\n");
}

/* In a directory of its own, with a file f that holds "old". */
#define IN_DIR(command) \
	"d=$(mktemp -d) && cd $d && echo old > f && { " command "; }; r=$?; ls -A; cat f; cd / && rm -r $d; exit $r"

static void file_is_replaced(void **state)
{
	(void)state;
	expect("(" IN_DIR("umask 027 && " FORMAT "csv -p raw -O f && stat -c %a f") ") | cut -d , -f -26", 0,
	       "640\nf\n"
	       "proto,port,class,sockets,ipv6,established,syn_sent,syn_recv,fin_wait1,fin_wait2,time_wait,close,"
	       "close_wait,last_ack,listen,closing,opened,accepted,connected,closed,ports,"
	       "backlog,backlog_max,listen_drops,rcv_queue,rcv_drops\n"
	       "raw,1,service,1,0,0,0,0,0,0,0,1,0,0,0,0,1,0,0,0,1,,,,0,0\n");
	expect(IN_DIR(READER " -f " WEB " -P 22 -o port --output-file $PWD/f"), 0, "f\nPORT\n  22\n");
	expect(IN_DIR("rm f && " READER " -f " WEB " -P 22 -o port -O f"), 0, "f\nPORT\n  22\n");
}

static void file_stays_when_the_table_is_broken(void **state)
{
	(void)state;
	expect(IN_DIR("printf '%s' '" HEALTH COLUMNS SSH "tcp 44' | " READER " -f - -F csv -O f 2>&1"), 2,
	       "portsock: stdin: line 4: cut off: the table is not complete, capture it again\nf\nold\n");
	expect(IN_DIR(READER " -f " WEB " -P 7 -O f 2>&1"), 1, "portsock: no row matches\nf\nold\n");
}

static void file_stays_when_the_disk_is_full(void **state)
{
	(void)state;
	if (run("unshare -rm true 2>&1"))
		skip();
	expect(IN_DIR("unshare -rm sh -c 'mount -t tmpfs -o size=16k none . && cd . && cd $PWD && echo old > f && "
		      "dd if=/dev/zero of=fill 2> /dev/null; " FORMAT "csv -O f 2>&1; r=$?; ls -A; cat f; exit $r'"), 2,
	       "portsock: f: No space left on device\nf\nfill\nold\nf\nold\n");
}

static void file_stays_when_files_may_not_be_large(void **state)
{
	(void)state;
	expect(IN_DIR("(ulimit -f 0; exec " FORMAT "csv -O f 2>&1)"), 2, "portsock: f: File too large\nf\nold\n");
}

static void file_is_no_file(void **state)
{
	(void)state;
	expect(IN_DIR("ln -s f l && " FORMAT "csv -O l 2>&1"), 2,
	       "portsock: l: not a regular file, it would be replaced by one\nf\nl\nold\n");
	expect(FORMAT "csv -O /nonexistent/f 2>&1", 2,
	       "portsock: /nonexistent/f: cannot make a file beside it: No such file or directory\n");
	expect(FORMAT "csv -O '' 2>&1", 2, "portsock: the name of the output file is empty\n");
	expect(IN_DIR("mkfifo p && timeout 5 " FORMAT "csv -O p 2>&1"), 2,
	       "portsock: p: not a regular file, it would be replaced by one\nf\np\nold\n");
}

/* Root may write anywhere, unless he does without that. */
static void directory_without_rights(void **state)
{
	(void)state;
	expect(IN_DIR("chmod 555 . && $([ $(id -u) != 0 ] || echo setpriv --bounding-set -dac_override) " FORMAT
		      "csv -O f 2>&1"), 2,
	       "portsock: f: cannot make a file beside it: Permission denied\nf\nold\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(prometheus_is_read_by_others),
		cmocka_unit_test(openmetrics_is_read_by_others),
		cmocka_unit_test(influx_is_read_by_others),
		cmocka_unit_test(csv_is_read_by_others),
		cmocka_unit_test(csv_of_remote_ports_alone),
		cmocka_unit_test(collectd_has_names_of_tcpconns),
		cmocka_unit_test(collectd_has_no_odd_host_or_interval),
		cmocka_unit_test(names_do_not_depend_on_the_locale),
		cmocka_unit_test(numbers_that_are_too_large_for_influx),
		cmocka_unit_test(columns_missing_are_not_told),
		cmocka_unit_test(json_is_that_of_option_j),
		cmocka_unit_test(nothing_matched_is_0),
		cmocka_unit_test(rows_left_out_are_counted),
		cmocka_unit_test(usage_wrong_is_2),
		cmocka_unit_test(table_broken_is_2_without_output),
		cmocka_unit_test(file_is_replaced),
		cmocka_unit_test(file_stays_when_the_table_is_broken),
		cmocka_unit_test(file_stays_when_the_disk_is_full),
		cmocka_unit_test(file_stays_when_files_may_not_be_large),
		cmocka_unit_test(file_is_no_file),
		cmocka_unit_test(directory_without_rights),
	};

	unsetenv("PORTSOCK_FILE");
	setenv("LC_ALL", "C.UTF-8", 1);

	return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
