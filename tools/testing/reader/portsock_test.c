// SPDX-License-Identifier: GPL-2.0
/* The program as its users meet it: output, messages, exit status. */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"
#include "table.h"

#define WEB	"PORTSOCK_FILE=" SAMPLES "/web.table "
#define RUN	WEB READER " "
#define PRINT	"printf '%s' '"
#define PIPE	"' | " READER " -f - "

static void table_of_services(void **state)
{
	(void)state;
	expect(RUN "2>&1", 0,
	       "PROTO PORT SERVICE    SOCKETS ESTAB SYN_S SYN_R TIME_W CLOSE CLOSE_W LISTEN BACKLOG BL_MAX L_DROPS RCV_Q R_DROPS C_REFUSED C_TIMEOUT C_UNREACH C_GIVENUP C_NOPORT RESETS TIMEOUTS ABORTS RETRANS  OPENED\n"
	       "tcp      0 unbound          3     -     -     -      -     3       -      -       -      -       -     -       -         -         -         -         -        -      -        -      -       -     412\n"
	       "tcp     22 ssh              3     2     -     -      -     -       -      1       -    128       -     -       -         -         -         -         -        -      2        -      -       4       5\n"
	       "tcp     80 http            12    10     -     2    311     -       -      2       3   1022       6     -       -         -         -         -         -        -     31        4     12      96   90233\n"
	       "tcp    443 https        20534 20480     -    14   1893     -      50      4      37   2044    1287     -       -         -         -         -         -        -    913       77    140   20211 1839201\n"
	       "tcp   5432 postgresql      17    16     -     -      -     -       -      1       -    200       -     -       -         -         -         -         -        -      -        -      1       -      17\n"
	       "tcp   8080 http-alt         1     -     -     -      -     -       -      1       -    100       -     -       -         -         -         -         -        -      -        -      -       -       1\n"
	       "udp     53 domain           2     -     -     -      -     2       -      -       -      -       -  4352      17         -         -         -         -        -      -        -      -       -       2\n"
	       "udp   5353 mdns             2     -     -     -      -     2       -      -       -      -       -     -       -         -         -         -         -        -      -        -      -       -       2\n"
	       "raw      1 icmp             1     -     -     -      -     1       -      -       -      -       -     -       -         -         -         -         -        -      -        -      -       -       1\n"
	       "tcp      * ephemeral        4     3     1     -      9     -       -      -       -      -       -     -       -        41         7         2        19        5     23        3      8     310     812\n"
	       "tcp      * folded           -     -     -     -      -     -       -      -       -      -       3     -       -         1         -         -         -        -      6        -      2      11     340\n"
	       "udp      * ephemeral        1     1     -     -      -     -       -      -       -      -       -     -       5         -         -         -         -        -      -        -      -       -      76\n"
	       "total                   20580 20512     1    16   2213     8      50      9      40   3494    1296  4352      22        42         7         2        19        5    975       84    163   20632 1930690\n");
}

static void table_of_all_has_the_same_total(void **state)
{
	(void)state;
	expect(RUN "| tail -n 1 | tr -s ' '", 0, "total 20580 20512 1 16 2213 8 50 9 40 3494 1296 4352 22 42 7 2 19 5 975 84 163 20632 1930690\n");
	expect(RUN "-a | tail -n 1 | tr -s ' '", 0, "total 20580 20512 1 16 2213 8 50 9 40 3494 1296 4352 22 42 7 2 19 5 975 84 163 20632 1930690\n");
	expect(RUN "--all -o proto,port | tail -n 4", 0, "udp       *\ntcp   40123\ntcp   40124\nudp   33101\n");
}

static void filters_by_option(void **state)
{
	(void)state;
	expect(RUN "-o port -p udp,raw", 0, "PORT\n  53\n5353\n   1\n   *\n");
	expect(RUN "-o port --port 0-79,https", 0, "PORT\n   0\n  22\n 443\n  53\n   1\n");
	expect(RUN "-o port --state close_wait,syn_sent", 0, "PORT\n 443\n   *\n");
	expect(RUN "-o port -p tcp -p udp -P 22,53 -s listen", 0, "PORT\n  22\n");
}

static void port_listed_is_found_among_singles(void **state)
{
	(void)state;
	expect(RUN "-o proto,port,sockets -P 22,40124,33101", 0,
	       "PROTO  PORT SOCKETS\n"
	       "tcp      22       3\n"
	       "tcp   40124       1\n"
	       "udp   33101       1\n");
	/* One that somebody has as a remote port is nobody's local one. */
	expect(RUN "-P 6379 2>&1", 1, "portsock: no row matches\n");
}

static void port_single_of_two_protos_is_found_in_both(void **state)
{
	(void)state;
	expect(PRINT HEALTH COLUMNS SSH TCP_40001 TCP_40002 ROW("udp", "40001", "ephemeral", "1", "0", "0", "0") "\n"
	       PIPE "-o proto,port -P 40001", 0,
	       "PROTO  PORT\n"
	       "tcp   40001\n"
	       "udp   40001\n");
}

static void nothing_matched_is_1(void **state)
{
	(void)state;
	expect(RUN "-P 7 2>&1", 1, "portsock: no row matches\n");
	expect(RUN "-p sctp 2>/dev/null", 1, "");
	expect(RUN "-s last_ack 2>/dev/null", 1, "");
	expect(RUN "-P 7 -j 2>&1 | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"rows\"])'", 0, "[]\n");
	assert_int_equal(run(RUN "-P 7 -j"), 1);
	assert_int_equal(run(PRINT HEALTH COLUMNS PIPE), 0);
}

/* An oracle of another make: what Python reads from the JSON, and from the table itself. */
static void json_says_what_the_table_says(void **state)
{
	(void)state;
	expect(RUN "-a --json | python3 -c '\n"
	       "import json, sys\n"
	       "got = json.load(sys.stdin)\n"
	       "lines = [line.split(\" \") for line in open(\"" SAMPLES "/web.table\").read().splitlines()]\n"
	       "lines = [line[:53] + [\" \".join(line[53:])] if i else line for i, line in enumerate(lines)]\n"
	       "head = dict(zip(lines[0][2::2], map(int, lines[0][3::2])), format=1, exact=True)\n"
	       "assert got[\"portsock\"] == head and got[\"portsock\"][\"exact\"] is True, got[\"portsock\"]\n"
	       "value = lambda text: int(text) if text.isdigit() else None if text in (\"*\", \"-\") else "
	       "list(map(int, text.split(\",\"))) if text.count(\",\") == 27 else text\n"
	       "rows = [dict(zip(lines[1], map(value, line))) for line in lines[2:] if line[2] != \"remote\"]\n"
	       "names = [row.pop(\"service\") for row in got[\"rows\"]]\n"
	       "assert got[\"rows\"] == rows, got[\"rows\"]\n"
	       "print(len(rows), *names)'", 0,
	       "15 None ssh http https postgresql http-alt domain mdns icmp None None None None None None\n");
}

static void json_with_odd_values_is_valid(void **state)
{
	(void)state;
	expect("printf '%s\\n%s comm\\n%s a\"b\\\\\\\\ \\t\\033[31m\\377\\303\\251\\n' 'portsock 1 exact 0 big 18446744073709551615' '"
	       NAMES "' '" ROW("tcp", "22", "service", "18446744073709551615", "2", "0", "1") "'"
	       " | " READER " -f - -j -o sockets,comm | python3 -c 'import json,sys; print(json.load(sys.stdin))'", 0,
	       "{'portsock': {'format': 1, 'exact': False, 'big': 18446744073709551615}, "
	       "'rows': [{'sockets': 18446744073709551615, 'comm': 'a\"b\\\\\\\\ \\t?[31m??" "?'}]}\n");
}

static void health_is_told_on_stderr(void **state)
{
	(void)state;
	expect(PRINT "portsock 1 exact 0 missed 3 repaired 1 untracked 2\n" COLUMNS SSH PIPE "2>&1 >/dev/null", 0,
	       "portsock: not exact at the moment: counts may be off until the next repair (missed 3, repaired 1, untracked 2)\n");
	expect(PRINT "portsock 1 exact 1 missed 3 repaired 3 untracked 0\n" COLUMNS SSH PIPE "2>&1 >/dev/null", 0,
	       "portsock: sockets and states are exact, but short-lived ones may be missing in opened and closed (missed 3, repaired 3, untracked 0)\n");
	expect(PRINT "portsock 1 exact 1 missed 0 repaired 3 untracked 0\n" COLUMNS SSH PIPE "2>&1 >/dev/null", 0, "");
	expect(PRINT "portsock 1 exact 0 missed 3\n" COLUMNS SSH PIPE "-j 2>&1 >/dev/null", 0, "");
}

static void table_broken_is_2_without_output(void **state)
{
	(void)state;
	expect(PRINT HEALTH COLUMNS SSH "tcp 44" PIPE "2>&1", 2,
	       "portsock: stdin: line 4: cut off: the table is not complete, capture it again\n");
	expect(PRINT "portsock 2 exact 1\n" COLUMNS PIPE "-j 2>&1", 2,
	       "portsock: stdin: line 1: format 2 is newer than this reader (1): update portsock\n");
	expect(READER " -f /dev/null 2>&1", 2, "portsock: /dev/null: empty: not a portsock table\n");
	expect(READER " -f /dev/zero 2>&1", 2,
	       "portsock: /dev/zero: line 1: longer than 4094 bytes or not text: not a portsock table\n");
	expect(READER " -f / 2>&1", 2, "portsock: /: read failed: Is a directory\n");
}

static void source_missing_is_2(void **state)
{
	(void)state;
	expect(READER " -f /nonexistent 2>&1", 2, "portsock: /nonexistent: No such file or directory\n");
	expect("PORTSOCK_FILE=/proc/nonexistent " READER " 2>&1", 2,
	       "portsock: /proc/nonexistent: No such file or directory (is the module loaded? modprobe portsock)\n");
	expect(READER " -N nonexistent 2>&1", 2,
	       "portsock: --netns nonexistent: no such process ID or name in /run/netns (see: ip netns list)\n");
	expect(READER " -N ../../proc/self/ns/net 2>&1", 2,
	       "portsock: --netns '../../proc/self/ns/net': neither a process ID nor a name in /run/netns\n");
	expect(READER " -N 4194305 2>&1", 2, "portsock: --netns 4194305: no process has this ID\n");
}

static void file_option_beats_environment(void **state)
{
	(void)state;
	expect("PORTSOCK_FILE=/nonexistent " READER " -o port -P 22 --file " SAMPLES "/web.table", 0, "PORT\n  22\n");
}

/* In a namespace of its own, where the kernel has no sockets. The table is read more than once: no pipe. */
#define PIPE_CHECK "' | { t=$(mktemp) && cat > $t; unshare -rn " READER " check -f $t; r=$?; rm $t; exit $r; }"

static void check_without_sockets(void **state)
{
	(void)state;
	if (run("unshare -rn true 2>&1"))
		skip();
	assert_int_equal(run(PRINT HEALTH COLUMNS PIPE_CHECK), 0);
	assert_non_null(strstr(output, "\nequal: 0 rows with 0 sockets (tcp, udp"));
	assert_non_null(strstr(output, "not compared: icmp (sock_diag does not list it)\n"));
}

static void check_finds_rows_wrong(void **state)
{
	(void)state;
	if (run("unshare -rn true 2>&1"))
		skip();
	assert_int_equal(run(PRINT HEALTH COLUMNS
			     "tcp 22 service 3 1 2 0 0 0 0 0 0 0 0 1 0 3 0 0 0 3 1\n"
			     "udp 53 service 0 0 0 0 0 0 0 0 0 0 0 0 0 3 0 0 3 3 1\n"
			     "tcp * folded 2 0 2 0 0 0 0 0 0 0 0 0 0 9 9 0 7 5 4\n"
			     "udp * ephemeral 1 0 1 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 3\n"
			     "udp * folded 0 0 0 0 0 0 0 0 0 0 0 0 0 9 0 0 9 5 4\n" PIPE_CHECK), 1);
	assert_non_null(strstr(output, "tcp 22 sockets: portsock 3, kernel 0\n"));
	assert_non_null(strstr(output, "tcp 22 established: portsock 2, kernel 0\n"));
	assert_non_null(strstr(output, "tcp 22 listen: portsock 1, kernel 0\n"));
	assert_non_null(strstr(output, "tcp 22 ipv6: portsock 1, kernel 0\n"));
	assert_non_null(strstr(output, "tcp * (folded) sockets: portsock 2, kernel 0\n"));
	assert_non_null(strstr(output, "tcp * (folded) established: portsock 2, kernel 0\n"));
	assert_non_null(strstr(output, "udp * sockets: portsock 1, sum of its rows 0\n"));
	assert_non_null(strstr(output, "udp * ports: portsock 3, sum of its rows 0\n"));
	assert_non_null(strstr(output, "udp *: sockets is 1, but peak 0\n"));
	assert_non_null(strstr(output, "\ndifferent: "));
	assert_null(strstr(output, "udp 53"));
	assert_null(strstr(output, "udp * (folded)"));
	assert_null(strstr(output, "tcp * (folded) ports"));
	assert_null(strstr(output, "tcp 22 ports"));
}

/*
 * A connection that waits for accept() and a datagram that waits to be received, in a namespace of their own. How much
 * a datagram takes /proc/net/udp says. A table that is right, then one that is not.
 */
#define WAITING \
	"import fcntl, socket, struct, subprocess, sys, tempfile\n" \
	"udp, listener = socket.socket(type=socket.SOCK_DGRAM), socket.socket()\n" \
	"fcntl.ioctl(udp, 0x8914, struct.pack(\"16sh22x\", b\"lo\", 1))\n" \
	"for one in udp, listener: one.bind((\"127.0.0.1\", 53))\n" \
	"listener.listen(7)\n" \
	"client = socket.create_connection(listener.getsockname())\n" \
	"udp.sendto(b\"x\", udp.getsockname())\n" \
	"bytes = int(open(\"/proc/net/udp\").read().splitlines()[1].split()[4].split(\":\")[1], 16)\n" \
	"def check(backlog, limit, bytes):\n" \
	"    with tempfile.NamedTemporaryFile(\"w\") as table:\n" \
	"        table.write(\"\"\"" HEALTH NAMES DEPTH_NAMES "\n\"\"\" + f\"\"\"" \
	"tcp 53 service 2 0 1 0 0 0 0 0 0 0 0 1 0 2 1 0 0 2 1 {backlog} {limit} 0 0 - -\n" \
	"udp 53 service 1 0 0 0 0 0 0 0 1 0 0 0 0 1 0 0 0 1 1 - - - - {bytes} 0\n" \
	"tcp * ephemeral 1 0 1 0 0 0 0 0 0 0 0 0 0 1 0 1 0 1 1 - - - - - -\n" \
	"tcp {client.getsockname()[1]} ephemeral 1 0 1 0 0 0 0 0 0 0 0 0 0 1 0 1 0 1 1 - - - - - -\n\"\"\")\n" \
	"        table.flush()\n" \
	"        print(subprocess.run([\"" READER "\", \"check\", \"-f\", table.name]).returncode, flush=True)\n" \
	"check(1, 7, bytes)\n" \
	"print(\"now\", bytes, flush=True)\n" \
	"check(0, 8, bytes + 1)\n"

static void check_compares_queues(void **state)
{
	char wanted[128];
	const char *now;

	(void)state;
	if (run("unshare -rn true 2>&1"))
		skip();
	assert_int_equal(run("unshare -rn python3 -c '" WAITING "'"), 0);
	now = strstr(output, "\nnow ");
	assert_non_null(now);
	assert_memory_equal(now - 2, "\n0", 2);
	assert_non_null(strstr(output, "not compared: listen_drops, rcv_drops ("));
	assert_non_null(strstr(now, "tcp 53 backlog: portsock 0, kernel 1\n"));
	assert_non_null(strstr(now, "tcp 53 backlog_max: portsock 8, kernel 7\n"));
	snprintf(wanted, sizeof(wanted), "udp 53 rcv_queue: portsock %d, kernel %d\n", atoi(now + 5) + 1, atoi(now + 5));
	assert_true(atoi(now + 5) > 0);
	assert_non_null(strstr(now, wanted));
}

static void check_impossible_is_2(void **state)
{
	(void)state;
	expect(READER " check -f /nonexistent 2>&1", 2, "portsock: /nonexistent: No such file or directory\n");
	expect(READER " check -f - 2>&1", 2, "portsock: --file -: check reads the table more than once, stdin cannot be\n");
	expect(READER " check -f /dev/null 2>&1", 2, "portsock: /dev/null: empty: not a portsock table\n");
	expect(READER " check -N nonexistent 2>&1", 2,
	       "portsock: --netns nonexistent: no such process ID or name in /run/netns (see: ip netns list)\n");
	expect(READER " check -N 4194305 2>&1", 2, "portsock: --netns 4194305: no process has this ID\n");
	expect(RUN "check 443 2>&1", 2, "portsock: unexpected argument '443' (see: portsock check --help)\n");
	expect(READER " check --up 2>/dev/null", 2, "");
}

static void check_help(void **state)
{
	(void)state;
	assert_int_equal(run(READER " check --help"), 0);
	assert_non_null(strstr(output, "Usage: portsock check [options]\n"));
	expect(READER " check -h 2>&1 >/dev/full", 2, "portsock: write failed: No space left on device\n");
	assert_int_equal(run(READER " --help"), 0);
	assert_non_null(strstr(output, "portsock check [options]\n"));
}

static void usage_wrong_is_2(void **state)
{
	(void)state;
	expect(RUN "443 2>&1", 2, "portsock: unexpected argument '443' (see: portsock --help)\n");
	expect(RUN "-N 1 -f x 2>&1", 2, "portsock: --file and --netns exclude each other\n");
	expect(RUN "-P 70000 2>&1", 2, "portsock: --port: '70000' is beyond 65535\n");
	expect(RUN "-s up 2>&1", 2, "portsock: --state: unknown state 'up' (valid: " STATES ")\n");
	expect(RUN "-o up 2>&1", 2, "portsock: --output: the table has no column 'up' (valid: service " NAMES DEPTH_NAMES END_NAMES CONNECTION_NAMES OWNER_NAMES ")\n");
	expect(RUN "--up 2>/dev/null", 2, "");
}

/* However many there are. */
static void columns_valid_are_all_named(void **state)
{
#define MORE(name) " " name "_of_a_newer_module"
#define MANY MORE("bytes_rx") MORE("bytes_tx") MORE("ended") MORE("lifetime") MORE("handshakes") MORE("accepts") MORE("cgroup")
	(void)state;
	expect(PRINT "portsock 1 exact 1\n" NAMES DEPTH_NAMES END_NAMES MANY "\n" PIPE "-o up 2>&1", 2,
	       "portsock: --output: the table has no column 'up' (valid: service " NAMES DEPTH_NAMES END_NAMES MANY ")\n");
}

static void help_names_every_column(void **state)
{
	const struct portsock_column *column;

	(void)state;
	assert_int_equal(run(READER " --help"), 0);
	for (column = portsock_columns; column->name; column++)
		assert_non_null(strstr(output, column->name));
	assert_non_null(strstr(output, "Usage: portsock [options]\n"));
}

static void rows_sorted(void **state)
{
	(void)state;
	expect(RUN "-o proto,port,sockets --sort sockets:desc -p tcp", 0,
	       "PROTO PORT SOCKETS\n"
	       "tcp    443   20534\n"
	       "tcp   5432      17\n"
	       "tcp     80      12\n"
	       "tcp      *       4\n"
	       "tcp      0       3\n"
	       "tcp     22       3\n"
	       "tcp   8080       1\n"
	       "tcp      *       0\n");
	/* By a column that is not shown; numbers by value, `*` behind them. */
	expect(RUN "-o service,port -p tcp --sort port", 0,
	       "SERVICE    PORT\n"
	       "              0\n"
	       "ssh          22\n"
	       "http         80\n"
	       "https       443\n"
	       "postgresql 5432\n"
	       "http-alt   8080\n"
	       "              *\n"
	       "              *\n");
	expect(RUN "-n -o port --sort SERVICE -P 22,53,80", 0, "PORT\n  53\n  80\n  22\n");
	expect(RUN "-P 443,80 --sort port:desc | tail -n 3 | tr -s ' ' | cut -d ' ' -f -4", 0,
	       "tcp 443 https 20534\ntcp 80 http 12\ntotal 20546 20490 16\n");
	expect(RUN "-P 443,80,22 --sort time_wait:desc -j -o port | tr -d ' \\n{}' | grep -o rows.*", 0,
	       "rows\":[\"port\":443,\"port\":80,\"port\":22]\n");
	expect(RUN "--sort colour 2>&1", 2,
	       "portsock: --sort: the table has no column 'colour' (valid: service " NAMES DEPTH_NAMES END_NAMES CONNECTION_NAMES OWNER_NAMES ")\n");
	expect(RUN "--sort :desc 2>&1", 2,
	       "portsock: --sort: the table has no column ':desc' (valid: service " NAMES DEPTH_NAMES END_NAMES CONNECTION_NAMES OWNER_NAMES ")\n");
	expect(RUN "--sort opened/s 2>&1", 2,
	       "portsock: --sort: 'opened/s' needs --watch, to compare with the previous look\n");
	expect(RUN "-o port,rtts/avg 2>&1", 2,
	       "portsock: --output: 'rtts' is no column of kind sum, of which averages are known\n");
	expect(RUN "-o port,rtt_us/avg 2>&1", 2,
	       "portsock: --output: 'rtt_us/avg' needs --watch, to compare with the previous look\n");
	expect(RUN "-o port,peak/s 2>&1", 2,
	       "portsock: --output: 'peak' is no column of kind counter or sum, of which rates are known\n");
}

static void range_in_use(void **state)
{
	(void)state;
	/* 28232 ports from 32768 to 60999 */
	expect(PRINT HEALTH COLUMNS SSH ROW_OF("14116", "tcp", "*", "ephemeral", "9", "8", "4", "0") "\n" TCP_FOLDED TCP_40001
	       PIPE "-a -o port,range%", 0,
	       " PORT RANGE%\n"
	       "   22      -\n"
	       "    *   50.0\n"
	       "    *      -\n"
	       "40001      -\n");
	expect(PRINT "portsock 1 exact 1\n" COLUMNS TCP_TOTAL PIPE "-j -o range% | grep range", 0, "         \"range%\": null\n");
}

/*
 * The table becomes that of two seconds later behind the first look that was seen. No time passes in the table but
 * then, so one look has rates, whenever it comes: what it prints, a line each.
 */
#define WATCH(options, stop) \
	"{ d=$(mktemp -d) && cp " SAMPLES "/web.table $d/t && cp " SAMPLES "/later.table $d/later && " \
	READER " -f $d/t -w 0.1 " options " | while IFS= read -r line; do " \
	"[ ! -e $d/later ] || { mv $d/later $d/t; continue; }; " stop "; done; rm -r $d; }"
#define PRINT_UNTIL(pattern) "case $line in " pattern ") echo \"$line\"; break ;; esac"

static void watch_shows_rates(void **state)
{
	(void)state;
	assert_int_equal(run(WATCH("", PRINT_UNTIL("*443*250*")) " | tr -s ' '"), 0);
	assert_string_equal(output, "tcp 443 https 20634 20570 - 14 1893 - 60 4 41 2044 10 - - - 1.0 20 1000000 45000000 250 30 1500 250 200 - 1839701\n");
	assert_int_equal(run(WATCH("", PRINT_UNTIL("total*262*")) " | tr -s ' '"), 0);
	assert_string_equal(output, "total 20682 20604 1 16 2213 8 60 9 46 3494 10 2176 1.5 3.0 1.0 20 1000000 45000000 262 210 1931213\n");
	assert_int_equal(run(WATCH("-a -o port,opened/s,accepted/s,closed/s", PRINT_UNTIL("*80*1.5*"))), 0);
	assert_string_equal(output, "   80      1.5        1.5      0.5\n");
	assert_int_equal(run(WATCH("-o port,lifetime_ms/s,lifetime/avg,rtt/avg", PRINT_UNTIL("*443*40*"))), 0);
	assert_string_equal(output, " 443      50000          250      40\n");
	assert_int_equal(run(WATCH("-o port,listen_drops/s,rcv_drops/s,rcv_queue", PRINT_UNTIL("*443*10*"))), 0);
	assert_string_equal(output, " 443        10         -     -\n");
	/* A port that was not there has nothing but what came since. */
	assert_int_equal(run(WATCH("-a -o port,opened/s", PRINT_UNTIL("*40125*1.5*"))), 0);
	assert_string_equal(output, "40125      1.5\n");
	assert_int_equal(run(WATCH("-j", PRINT_UNTIL("*closed/s*200*"))), 0);
	assert_string_equal(output, "         \"closed/s\": 200,\n");
}

static void watch_marks_what_is_new_and_what_grows(void **state)
{
	(void)state;
	assert_int_equal(run(WATCH("--color -o port,close_wait", PRINT_UNTIL("*443*60*"))), 0);
	assert_string_equal(output, " 443 \033[1;33m     60\033[0m\n");
	assert_int_equal(run(WATCH("--color -o port,close_wait", PRINT_UNTIL("*8443*"))), 0);
	assert_string_equal(output, "\033[36m8443       0\033[0m\n");
	/* Known to be as it was: neither new nor grown. */
	assert_int_equal(run(WATCH("--color -o port,close_wait,opened/s", PRINT_UNTIL("*22*0*0*"))), 0);
	assert_string_equal(output, "  22       0        0\n");
	assert_int_equal(run(WATCH("-o port,close_wait", PRINT_UNTIL("*443*60*"))), 0);
	assert_string_equal(output, " 443      60\n");
	expect(PRINT HEALTH "proto port class backlog backlog_max\n" "tcp 80 service 103 127\n" "tcp 81 service 102 127\n"
	       PIPE "--color=always -o backlog", 0, "BACKLOG\n\033[1;33m    103\033[0m\n    102\n");
	expect(PRINT HEALTH COLUMNS ROW_OF("22600", "tcp", "*", "ephemeral", "9", "8", "4", "0") "\n"
	       ROW_OF("22500", "udp", "*", "ephemeral", "9", "8", "4", "0") "\n" PIPE "--color=always -o range%", 0,
	       "RANGE%\n\033[1;33m  80.1\033[0m\n  79.7\n");
}

static void watch_counts_looks(void **state)
{
	(void)state;
	assert_int_equal(run(RUN "-w 0.1 -c 3 -o port -P 22"), 0);
	assert_string_equal(output, "PORT\n  22\nPORT\n  22\nPORT\n  22\n");
	assert_int_equal(run(RUN "-w 0.1 -c 2 -P 22 | grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$'"), 0);
	assert_string_equal(output, "2\n");
	/* Single ports are looked for again in each. */
	assert_int_equal(run(RUN "-w 0.1 -c 2 -o port,opened/s -P 40123"), 0);
	assert_string_equal(output, " PORT OPENED/S\n40123        -\n PORT OPENED/S\n40123        -\n");
	assert_int_equal(run(RUN "-w 0.1 -c 2 -P 7 2>&1"), 1);
	assert_string_equal(output, "portsock: no row matches\nportsock: no row matches\n");
	expect(RUN "-f /nonexistent -w 0.1 2>&1", 2, "portsock: /nonexistent: No such file or directory\n");
}

static void watch_options_wrong_are_2(void **state)
{
	(void)state;
	expect(RUN "-w 0 2>&1", 2, "portsock: --watch: '0' is no number of seconds from 0.1 to 86400\n");
	expect(RUN "-w 1s 2>&1", 2, "portsock: --watch: '1s' is no number of seconds from 0.1 to 86400\n");
	expect(RUN "-w nan 2>&1", 2, "portsock: --watch: 'nan' is no number of seconds from 0.1 to 86400\n");
	expect(RUN "-w 1 -c 0 2>&1", 2, "portsock: --count: '0' is no number from 1 to 999999999\n");
	expect(RUN "-c 2 2>&1", 2, "portsock: --count needs --watch\n");
	expect(RUN "-w 1 -f - 2>&1", 2, "portsock: --file -: the table is read more than once, stdin cannot be\n");
	expect(RUN "--color=red 2>&1", 2, "portsock: --color: 'red' is not auto, always or never\n");
	expect(RUN "-A -N 1 2>&1", 2, "portsock: --all-netns and --netns exclude each other\n");
	expect(RUN "-A -f x 2>&1", 2, "portsock: --all-netns and --file exclude each other\n");
	expect(RUN "-o netns 2>&1", 2, "portsock: --output: 'netns' needs --all-netns\n");
}

/* A /proc made up of files, where tables are in the same namespace when they are the same file. */
#define TABLE(netns, rows) "portsock 1 netns " netns " exact 1 missed 0 repaired 0 untracked 0 uptime_ms 5 port_min 1 port_max 2\\n" \
	NAMES "\\n" rows
#define SSH_ROW	"tcp 22 service 3 0 2 0 0 0 0 0 0 0 0 1 0 7 6 5 4 3 1\\n"
#define DNS_ROW	"udp 53 service 2 0 2 0 0 0 0 0 0 0 0 0 0 7 6 5 4 3 1\\n"
#define FAKE_PROC \
	"d=$(mktemp -d) && mkdir $d/1 $d/7 $d/8 && for p in 1 7 8; do mkdir $d/$p/net; echo p$p > $d/$p/comm; echo 0::/ > $d/$p/cgroup; done && " \
	"printf '" TABLE("11", SSH_ROW) "' > $d/1/net/portsock && printf '" TABLE("12", SSH_ROW DNS_ROW) "' > $d/7/net/portsock && " \
	"ln $d/7/net/portsock $d/8/net/ && echo 0::/machine.slice/machine-web.scope > $d/7/cgroup && "
#define IN_FAKE_PROC(command) FAKE_PROC "unshare -rm sh -c \"mount --bind $d /proc && " command "\"; r=$?; rm -r $d; exit $r"

static void all_namespaces(void **state)
{
	(void)state;
	if (run("unshare -rm mount -t tmpfs none /sys/module 2>&1"))
		skip();
	expect(IN_FAKE_PROC(READER " -A 2>&1"), 0,
	       "NETNS PROTO PORT SERVICE SOCKETS ESTAB LISTEN OPENED\n"
	       "p1/1  tcp     22 ssh           3     2      1      7\n"
	       "web   tcp     22 ssh           3     2      1      7\n"
	       "web   udp     53 domain        2     2      -      7\n"
	       "total                          8     6      2     21\n");
	expect(IN_FAKE_PROC(READER " -A -o port,netns --sort netns:desc -p tcp -P 22"), 0,
	       "PORT NETNS\n  22 web\n  22 p1/1\n");
	expect(IN_FAKE_PROC(READER " -A -j -P 53 | tr -d ' \\n' | grep -o rows.*service.,"), 0,
	       "rows\":[{\"netns\":\"web\",\"proto\":\"udp\",\"port\":53,\"service\":\"domain\",\"class\":\"service\",\n");
	expect(IN_FAKE_PROC("rm $d/7/comm $d/8/comm; " READER " -A -o netns,port"), 0, "NETNS PORT\np1/1    22\n");
	expect(IN_FAKE_PROC("rm $d/?/net/*; " READER " -A 2>&1"), 2,
	       "portsock: /proc: no process has a table (is the module loaded? modprobe portsock)\n");
	expect(IN_FAKE_PROC("echo x > $d/8/net/portsock; " READER " -A 2>&1"), 2,
	       "portsock: /proc/7/net/portsock: line 1: not a portsock table: begins with 'x' instead of 'portsock 1'\n");
}

/* The process goes when half of its table has been read. */
#define GOING(pid) "rm $d/" pid "/net/portsock; mkfifo $d/" pid "/net/portsock; " \
	"{ printf '" TABLE("11", SSH_ROW) "tcp 44'; rm -r $d/" pid "; } > $d/" pid "/net/portsock & "

static void namespaces_that_go_are_left_out(void **state)
{
	(void)state;
	if (run("unshare -rm mount -t tmpfs none /sys/module 2>&1"))
		skip();
	expect(IN_FAKE_PROC(GOING("8") READER " -A -o netns,port,proto --sort proto 2>&1"), 0,
	       "NETNS PORT PROTO\np1/1    22 tcp\nweb     22 tcp\np8/8    22 tcp\nweb     53 udp\n");
	expect(IN_FAKE_PROC("rm -r $d/[78]; " GOING("1") READER " -A 2>&1"), 2,
	       "portsock: /proc: all tables went while they were read (was the module unloaded?)\n");
}

/* A namespace with a name. The table is a pipe: while nothing is in it, the reader has opened it and waits. */
#define IN_NAMED \
	"export d=$(mktemp -d) && unshare -rmn sh -c 'mount -t tmpfs none /run && mkdir /run/netns && : > /run/netns/blue && " \
	"unshare --net=/run/netns/blue true && mkdir -p $d/real $d/proc/self/ns && mount --rbind /proc $d/real && " \
	": > $d/proc/self/ns/net && mount --bind /proc/self/ns/net $d/proc/self/ns/net && mkfifo $d/proc/portsock && " \
	"mount --rbind $d/proc /proc && { "
#define IN_NAMED_END "; }'; r=$?; rm -r $d; exit $r"

static void namespace_with_a_name_is_left_again(void **state)
{
	(void)state;
	if (run("unshare -rmn mount -t tmpfs none /run 2>&1"))
		skip();
	expect(IN_NAMED READER " -N blue -o port 2>&1 & exec 3> /proc/portsock; n=0; "
	       "until [ $(readlink $d/real/$!/ns/net) = $(readlink $d/real/self/ns/net) ] || [ $n = 200 ]; do "
	       "n=$((n + 1)); sleep 0.05; done; [ $n = 200 ] && echo not left; "
	       "printf \"" TABLE("11", SSH_ROW) "\" >&3; exec 3>&-; wait $!" IN_NAMED_END, 0, "PORT\n  22\n");
	expect(IN_NAMED READER " -N blue 2>&1 & echo x > /proc/portsock; wait $!" IN_NAMED_END, 2,
	       "portsock: /run/netns/blue: line 1: not a portsock table: begins with 'x' instead of 'portsock 1'\n");
}

static void version_is_the_module_s(void **state)
{
	static char version[sizeof(output)];

	(void)state;
	assert_int_equal(run("awk -F '\"' '/define PORTSOCK_VERSION /{ print \"portsock \" $2 }' " VERSION_H), 0);
	strcpy(version, output);
	expect(READER " -V", 0, version);
}

#define LOADED(version) "unshare -rm sh -c 'mount -t tmpfs none /sys/module && mkdir /sys/module/portsock && " \
	"echo " version " > /sys/module/portsock/version && " READER " -V' 2>&1"

static void version_of_another_module_is_told(void **state)
{
	static char version[sizeof(output)];

	(void)state;
	if (run("unshare -rm mount -t tmpfs none /sys/module 2>&1"))
		skip();
	run(READER " -V");
	strcpy(version, output);
	assert_int_equal(run(LOADED("9.8.7")), 0);
	assert_memory_equal(output, version, strlen(version));
	assert_string_equal(output + strlen(version), "The module that is loaded has another version: 9.8.7\n");
	version[strlen(version) - 1] = '\0';
	assert_int_equal(run(LOADED("$(" READER " -V | tr -d \"a-z \")")), 0);
	output[strlen(output) - 1] = '\0';
	assert_string_equal(output, version);
}

static void disk_full_is_2(void **state)
{
	(void)state;
	expect(RUN "2>&1 >/dev/full", 2, "portsock: write failed: No space left on device\n");
	expect(RUN "-j 2>&1 >/dev/full", 2, "portsock: write failed: No space left on device\n");
	expect(READER " -h 2>&1 >/dev/full", 2, "portsock: write failed: No space left on device\n");
	expect(READER " -V 2>&1 >/dev/full", 2, "portsock: write failed: No space left on device\n");
	expect(RUN "2>&1 >&-", 2, "portsock: write failed: Bad file descriptor\n");
}

/* true(1) has long left when the first byte is written. */
static void pipe_closed_is_silent(void **state)
{
	(void)state;
	expect("{ { sleep 0.2; " RUN "2>&4; echo $? >&4; } | true; } 4>&1", 0, "0\n");
}

static void child_read_table(int in, char *option)
{
	static char reader[] = READER, file[] = "-f", minus[] = "-";
	char *args[] = { reader, file, minus, option, NULL };
	FILE *null = fopen("/dev/null", "w");

	dup2(in, STDIN_FILENO);
	dup2(fileno(null), STDOUT_FILENO);
	alarm(10);
	execv(READER, args);
	_exit(127);
}

/* The total is the sum of the rows above it: either is added up. */
static void remote_ports_in_place_of_local_ones(void **state)
{
	(void)state;
	expect(RUN "-r 2>/dev/null", 0,
	       "PROTO PORT SERVICE    SOCKETS ESTAB SYN_S TIME_W C_REFUSED C_TIMEOUT C_UNREACH C_GIVENUP C_NOPORT RESETS TIMEOUTS ABORTS RETRANS OPENED\n"
	       "tcp    443 https            1     1     -      9         -         2         2        11        -     20        1      2     150    402\n"
	       "tcp   5432 postgresql       2     2     -      -         -         -         -         -        -      -        1      -       2      3\n"
	       "tcp   6379 redis            1     -     1      -        41         5         -         8        5      3        1      6     158    407\n"
	       "tcp      * remote           4     3     1      9        41         7         2        19        5     24        4      8     312    830\n"
	       "udp     53 domain           1     1     -      -         -         -         -         -        -      -        -      -       -     76\n"
	       "udp      * remote           1     1     -      -         -         -         -         -        -      -        -      -       -     80\n"
	       "total                       5     4     1      9        41         7         2        19        5     23        3      8     310    888\n");
	expect(RUN "-n --remote -P 5432,22 -o +ports,peak 2>/dev/null", 0,
	       "PROTO PORT CLASS  SOCKETS ESTAB TIMEOUTS RETRANS OPENED PORTS PEAK\n"
	       "tcp   5432 remote       2     2        1       2      3     1    3\n"
	       "total                   2     2        1       2      3     1 \n");
	expect(RUN "-r -p tcp -s time_wait --sort port:desc -o port 2>/dev/null", 0, "PORT\n   *\n 443\n");
	expect(RUN "-r -P 22 2>&1 >/dev/null | tail -n 1", 0, "portsock: no row matches\n");
	expect(RUN "-r -a 2>&1", 2, "portsock: --all and --remote exclude each other\n");
}

static void remote_ports_in_json(void **state)
{
	(void)state;
	expect(RUN "-r -j 2>&1 | python3 -c '\n"
	       "import json, sys\n"
	       "got = json.load(sys.stdin)\n"
	       "print(got[\"portsock\"][\"remote_guessed\"], set(map(len, got[\"rows\"])))\n"
	       "for row in got[\"rows\"]: print(*(row[name] for name in "
	       "\"proto port service class sockets peak connect_refused backlog\".split()))'", 0,
	       "2 {55}\n"
	       "tcp 443 https remote 1 31 0 None\n"
	       "tcp 5432 postgresql remote 2 3 0 None\n"
	       "tcp 6379 redis remote 1 2 41 None\n"
	       "tcp None None remote 4 None 41 None\n"
	       "udp 53 domain remote 1 4 None None\n"
	       "udp None None remote 1 None None None\n");
}

static void remote_ports_have_rates(void **state)
{
	(void)state;
	assert_int_equal(run(WATCH("-r -o port,opened/s,connect_refused/s 2>/dev/null", PRINT_UNTIL("*6379*9.5*"))), 0);
	assert_string_equal(output, "6379      9.5         3.0\n");
	/* One that is new, and in the total. */
	assert_int_equal(run(WATCH("-r --color -o port,sockets,opened/s 2>/dev/null", PRINT_UNTIL("*9200*"))), 0);
	assert_string_equal(output, "\033[36m9200       1      0.5\033[0m\n");
	assert_int_equal(run(WATCH("-r 2>/dev/null", PRINT_UNTIL("total*3.0*")) " | tr -s ' '"), 0);
	assert_string_equal(output, "total 5 4 1 9 3.0 10 10 908\n");
}

/* Of each namespace, as far as its connections are shown. */
static void remote_ports_guessed_are_told_on_stderr(void **state)
{
	(void)state;
	expect(RUN "-r 2>&1 >/dev/null", 0,
	       "portsock: some connections are older than the module, and only guessed to be outgoing (remote_guessed 2)\n");
	expect(RUN "2>&1 >/dev/null", 0, "");
	expect(RUN "-r -j 2>&1 >/dev/null", 0, "");
	expect(PRINT "portsock 1 exact 1 remote_guessed 0\n" COLUMNS TCP_TO_443 PIPE "-r 2>&1 >/dev/null", 0, "");
	if (run("unshare -rm mount -t tmpfs none /sys/module 2>&1"))
		skip();
	expect(IN_FAKE_PROC("sed -i 's/uptime_ms/remote_guessed 4 &/' $d/[17]/net/portsock; " READER " -A -r 2>&1 >/dev/null"), 0,
	       "portsock: some connections are older than the module, and only guessed to be outgoing (remote_guessed 8)\n");
}

/*
 * The pipe holds such rows and stays open: a reader that wanted to see the end would wait for it until its alarm,
 * one that read on would leave less in the pipe.
 */
static void rows_behind_are_not_read(const char *head, const char *row, char *option)
{
	int status, pipe_ends[2], left = 0;
	size_t sent = strlen(head);
	pid_t child;

	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(write(pipe_ends[1], head, strlen(head)), strlen(head));
	for (; sent < 50000; sent += strlen(row))
		assert_int_equal(write(pipe_ends[1], row, strlen(row)), strlen(row));

	child = fork();
	assert_true(child >= 0);
	if (!child)
		child_read_table(pipe_ends[0], option);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);

	assert_int_equal(ioctl(pipe_ends[0], FIONREAD, &left), 0);
	assert_int_equal(sent - left, 4096);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static void rows_behind_the_totals_are_not_read(void **state)
{
	static char option[] = "-r";

	(void)state;
	rows_behind_are_not_read(HEALTH COLUMNS SSH TCP_TOTAL, TCP_40001, NULL);
	rows_behind_are_not_read(HEALTH COLUMNS SSH TCP_TOTAL, TCP_TO_443, NULL);
	rows_behind_are_not_read(HEALTH COLUMNS SSH TCP_TOTAL TCP_TO_443 TCP_TO_ALL, TCP_40001, option);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_of_services),
		cmocka_unit_test(table_of_all_has_the_same_total),
		cmocka_unit_test(filters_by_option),
		cmocka_unit_test(port_listed_is_found_among_singles),
		cmocka_unit_test(port_single_of_two_protos_is_found_in_both),
		cmocka_unit_test(nothing_matched_is_1),
		cmocka_unit_test(json_says_what_the_table_says),
		cmocka_unit_test(json_with_odd_values_is_valid),
		cmocka_unit_test(health_is_told_on_stderr),
		cmocka_unit_test(table_broken_is_2_without_output),
		cmocka_unit_test(source_missing_is_2),
		cmocka_unit_test(file_option_beats_environment),
		cmocka_unit_test(check_without_sockets),
		cmocka_unit_test(check_finds_rows_wrong),
		cmocka_unit_test(check_compares_queues),
		cmocka_unit_test(check_impossible_is_2),
		cmocka_unit_test(check_help),
		cmocka_unit_test(usage_wrong_is_2),
		cmocka_unit_test(columns_valid_are_all_named),
		cmocka_unit_test(help_names_every_column),
		cmocka_unit_test(rows_sorted),
		cmocka_unit_test(range_in_use),
		cmocka_unit_test(watch_shows_rates),
		cmocka_unit_test(watch_marks_what_is_new_and_what_grows),
		cmocka_unit_test(watch_counts_looks),
		cmocka_unit_test(watch_options_wrong_are_2),
		cmocka_unit_test(all_namespaces),
		cmocka_unit_test(namespaces_that_go_are_left_out),
		cmocka_unit_test(namespace_with_a_name_is_left_again),
		cmocka_unit_test(version_is_the_module_s),
		cmocka_unit_test(version_of_another_module_is_told),
		cmocka_unit_test(disk_full_is_2),
		cmocka_unit_test(pipe_closed_is_silent),
		cmocka_unit_test(remote_ports_in_place_of_local_ones),
		cmocka_unit_test(remote_ports_in_json),
		cmocka_unit_test(remote_ports_have_rates),
		cmocka_unit_test(remote_ports_guessed_are_told_on_stderr),
		cmocka_unit_test(rows_behind_the_totals_are_not_read),
	};

	/* Tests see no table but their own; messages come in English. */
	unsetenv("PORTSOCK_FILE");
	setenv("LC_ALL", "C.UTF-8", 1);

	return cmocka_run_group_tests_name("portsock", tests, NULL, NULL);
}
