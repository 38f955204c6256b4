// SPDX-License-Identifier: GPL-2.0
/* Metrics of both formats: names, types, labels. */
#include <stdlib.h>

#include "table.h"

static char *text;
static size_t size;
static struct portsock_metrics metrics;

static void metrics_open(bool openmetrics)
{
	metrics = (struct portsock_metrics) { .out = open_memstream(&text, &size), .openmetrics = openmetrics };
	assert_non_null(metrics.out);
}

static void metrics_are(const char *wanted)
{
	assert_int_equal(fclose(metrics.out), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static void column_is(const char *name, enum portsock_kind kind, const char *unit, const char *metric_name,
		      uint64_t parts)
{
	struct portsock_column column = { .name = name, .kind = kind, .unit = unit, .help = "what it is" };
	struct portsock_metric metric;

	assert_int_equal(portsock_metric_of(&metric, &column, true), parts);
	assert_memory_equal(metric.name, "portsock_remote_", strlen("portsock_remote_"));
	assert_string_equal(strstr(metric.name, "_remote") + strlen("_remote"), metric_name + strlen("portsock"));
	assert_int_equal(portsock_metric_of(&metric, &column, false), parts);
	assert_string_equal(metric.name, metric_name);
	assert_string_equal(metric.help, "what it is");
	assert_int_equal(metric.type, kind == PORTSOCK_KIND_COUNTER ? PORTSOCK_METRIC_COUNTER : PORTSOCK_METRIC_GAUGE);
}

static void metric_of_column_is_named_by_its_unit(void **state)
{
	(void)state;
	column_is("ipv6", PORTSOCK_KIND_GAUGE, "sockets", "portsock_sockets_ipv6", 1);
	column_is("accepted", PORTSOCK_KIND_COUNTER, "of `opened`", "portsock_sockets_accepted", 1);
	column_is("backlog", PORTSOCK_KIND_GAUGE, "connections", "portsock_backlog", 1);
	column_is("listen_drops", PORTSOCK_KIND_COUNTER, "segments", "portsock_listen_drops", 1);
	column_is("connect_refused", PORTSOCK_KIND_COUNTER, "connections", "portsock_connect_refused", 1);
	column_is("retrans", PORTSOCK_KIND_COUNTER, "segments", "portsock_retrans", 1);
	column_is("rcv_queue", PORTSOCK_KIND_GAUGE, "bytes", "portsock_rcv_queue_bytes", 1);
	column_is("bytes_rx", PORTSOCK_KIND_COUNTER, "bytes", "portsock_rx_bytes", 1);
	column_is("lifetime_ms", PORTSOCK_KIND_SUM, "milliseconds", "portsock_lifetime_seconds", 1000);
	column_is("rtt_us", PORTSOCK_KIND_SUM, "microseconds", "portsock_rtt_seconds", 1000000);
}

static void type_is_of_samples_or_of_the_family(void **state)
{
	struct portsock_metric counter = { "x", PORTSOCK_METRIC_COUNTER, "help" };
	struct portsock_metric gauge = { "y", PORTSOCK_METRIC_GAUGE, "help" };
	struct portsock_metric info = { "z", PORTSOCK_METRIC_INFO, "help" };
	int openmetrics;

	(void)state;
	for (openmetrics = 0; openmetrics < 2; openmetrics++) {
		metrics_open(openmetrics);
		portsock_metric_begin(&metrics, &counter);
		portsock_metric_sample(&metrics, &counter);
		portsock_metric_begin(&metrics, &gauge);
		portsock_metric_sample(&metrics, &gauge);
		portsock_metric_begin(&metrics, &info);
		portsock_metric_sample(&metrics, &info);
		portsock_metrics_end(&metrics);
		metrics_are(openmetrics ?
			    "# HELP x help\n# TYPE x counter\nx_total"
			    "# HELP y help\n# TYPE y gauge\ny"
			    "# HELP z help\n# TYPE z info\nz_info# EOF\n" :
			    "# HELP x_total help\n# TYPE x_total counter\nx_total"
			    "# HELP y help\n# TYPE y gauge\ny"
			    "# HELP z_info help\n# TYPE z_info gauge\nz_info");
	}
}

static void label_is_escaped(void **state)
{
	(void)state;
	metrics_open(false);
	portsock_metric_text(&metrics, "a\"b\\c\nd\t\033\377\303\251 {},=");
	metrics_are("a\\\"b\\\\c?d????? {},=");
}

static void number_in_seconds_is_exact(void **state)
{
	(void)state;
	metrics_open(false);
	portsock_metric_number(&metrics, UINT64_MAX, 1000);
	portsock_metric_number(&metrics, 1001, 1000000);
	portsock_metric_number(&metrics, 7, 1);
	metrics_are(" 18446744073709551.615\n 0.001001\n 7\n");
}

static void feed_write(const char *table, bool openmetrics, bool netns)
{
	static struct portsock_snapshot snapshot;
	struct portsock_error error;
	struct portsock_feed feed;
	FILE *in;

	assert_int_equal(portsock_feed_init(&feed, 500, 1), 0);
	portsock_feed_begin(&feed);
	if (table) {
		in = snapshot_of(&snapshot, table);
		assert_int_equal(portsock_feed_add(&feed, NULL, &snapshot, &error), 0);
		fclose(in);
	}
	portsock_feed_end(&feed);
	metrics_open(openmetrics);
	metrics.netns = netns;
	portsock_metrics_write(&metrics, &feed);
	portsock_metrics_end(&metrics);
	assert_int_equal(fclose(metrics.out), 0);
	portsock_feed_exit(&feed);
}

/* 0 is a number, `-` is none; the highest value is not told at all. */
static void number_without_an_answer_has_no_sample(void **state)
{
	(void)state;
	feed_write(HEALTH NAMES DEPTH_NAMES "\n" ROW("tcp", "22", "service", "3", "2", "0", "1") " 0 128 9 1 - -\n"
		   ROW("udp", "53", "service", "2", "2", "0", "0") " - - - - 768 0\n", false, false);
	assert_non_null(strstr(text, "\nportsock_backlog{proto=\"tcp\",port=\"22\",class=\"service\"} 0\n"));
	assert_non_null(strstr(text, "\nportsock_backlog_max{proto=\"tcp\",port=\"22\",class=\"service\"} 128\n"));
	assert_non_null(strstr(text, "\nportsock_listen_drops_total{proto=\"tcp\",port=\"22\",class=\"service\"} 1\n"));
	assert_non_null(strstr(text, "\nportsock_rcv_queue_bytes{proto=\"udp\",port=\"53\",class=\"service\"} 768\n"));
	assert_non_null(strstr(text, "\nportsock_rcv_drops_total{proto=\"udp\",port=\"53\",class=\"service\"} 0\n"));
	assert_null(strstr(text, "\nportsock_backlog{proto=\"udp\""));
	assert_null(strstr(text, "\nportsock_rcv_drops_total{proto=\"tcp\""));
	assert_null(strstr(text, "peak"));
	free(text);
}

#define LIVES	HEALTH NAMES " ended lifetime_ms lifetime_log2 rtts rtt_us\n"
#define LABELS	"proto=\"tcp\",port=\"22\",class=\"service\""

static void sum_has_its_count_and_buckets(void **state)
{
	(void)state;
	feed_write(LIVES ROW("tcp", "22", "service", "3", "2", "0", "1") " 7 12345 " HISTOGRAM("4", "2", "1") " 3 1500001\n", true, false);
	assert_non_null(strstr(text, "\n# TYPE portsock_lifetime_seconds histogram\n"
			       "portsock_lifetime_seconds_bucket{" LABELS ",le=\"0.001\"} 4\n"
			       "portsock_lifetime_seconds_bucket{" LABELS ",le=\"0.004\"} 6\n"));
	assert_non_null(strstr(text, "\nportsock_lifetime_seconds_bucket{" LABELS ",le=\"67108.864\"} 6\n"
			       "portsock_lifetime_seconds_bucket{" LABELS ",le=\"+Inf\"} 7\n"
			       "portsock_lifetime_seconds_sum{" LABELS "} 12.345\n"
			       "portsock_lifetime_seconds_count{" LABELS "} 7\n"));
	assert_non_null(strstr(text, "\n# TYPE portsock_rtt_seconds summary\n"
			       "portsock_rtt_seconds_sum{" LABELS "} 1.500001\n"
			       "portsock_rtt_seconds_count{" LABELS "} 3\n"));
	assert_null(strstr(text, "portsock_ended"));
	free(text);
}

/* A row may count while it is read: first that something ended, then how long it had lived. */
static void count_of_a_histogram_is_that_of_its_buckets(void **state)
{
	(void)state;
	feed_write(LIVES ROW("tcp", "22", "service", "3", "2", "0", "1") " 6 1 " HISTOGRAM("4", "2", "1") " 0 0\n", false, false);
	assert_non_null(strstr(text, "\nportsock_lifetime_seconds_count{" LABELS "} 7\n"));
	free(text);
}

static void histogram_of_nothing_is_short(void **state)
{
	(void)state;
	feed_write(LIVES ROW("tcp", "22", "service", "3", "2", "0", "1") " 0 0 " HISTOGRAM("0", "0", "0") " 0 0\n"
		   ROW("udp", "53", "service", "3", "2", "0", "1") " - - - - -\n", false, false);
	assert_non_null(strstr(text, "\n# TYPE portsock_lifetime_seconds histogram\n"
			       "portsock_lifetime_seconds_bucket{" LABELS ",le=\"+Inf\"} 0\n"
			       "portsock_lifetime_seconds_sum{" LABELS "} 0.000\n"
			       "portsock_lifetime_seconds_count{" LABELS "} 0\n# HELP"));
	free(text);
}

static void no_table_is_down(void **state)
{
	(void)state;
	feed_write(NULL, true, false);
	assert_non_null(strstr(text, "\nportsock_up 0\n"));
	assert_non_null(strstr(text, "load the module with modprobe portsock\n"));
	assert_null(strstr(text, "portsock_exact"));
	assert_null(strstr(text, "portsock_sockets"));
	free(text);
}

static void namespace_is_a_label(void **state)
{
	(void)state;
	feed_write(HEALTH COLUMNS UNBOUND SSH TCP_TOTAL, false, true);
	assert_non_null(strstr(text, "\nportsock_sockets{netns=\"4026531840\",proto=\"tcp\",port=\"22\",class=\"service\","
			       "state=\"established\"} 2\n"));
	assert_non_null(strstr(text, "\nportsock_unbound_sockets{netns=\"4026531840\",proto=\"tcp\"} 1\n"));
	assert_non_null(strstr(text, "\nportsock_ephemeral_ports{netns=\"4026531840\",proto=\"tcp\"} 2\n"));
	assert_non_null(strstr(text, "\nportsock_ephemeral_ports_limit{netns=\"4026531840\"} 28232\n"));
	assert_non_null(strstr(text, "\nportsock_exact 1\n"));
	free(text);
}

/* The total is those above it; what no row has is not there at all. */
static void remote_ports_have_metrics_of_their_own(void **state)
{
	(void)state;
	feed_write("portsock 1 netns 7 exact 1 remote_guessed 3\n" COLUMNS HTTPS TCP_TO_443 TCP_TO_ALL, false, true);
	assert_non_null(strstr(text, "\nportsock_remote_sockets{netns=\"7\",proto=\"tcp\",remote_port=\"443\","
			       "state=\"time_wait\"} 4\n"));
	assert_non_null(strstr(text, "\nportsock_remote_sockets_opened_total{netns=\"7\",proto=\"tcp\",remote_port=\"443\"} 7\n"));
	assert_non_null(strstr(text, "\nportsock_sockets_opened_total{netns=\"7\",proto=\"tcp\",port=\"443\",class=\"service\"} 7\n"));
	assert_non_null(strstr(text, "\nportsock_remote_guessed_sockets{netns=\"7\"} 3\n"));
	assert_null(strstr(text, "port=\"*\""));
	assert_null(strstr(text, "class=\"remote\""));
	assert_null(strstr(text, "portsock_remote_connect"));
	assert_null(strstr(text, "portsock_remote_rtt"));
	free(text);
	feed_write(HEALTH COLUMNS HTTPS TCP_TO_ALL, false, false);
	assert_null(strstr(text, "remote"));
	free(text);
}

static void range_unknown_has_no_limit(void **state)
{
	(void)state;
	feed_write("portsock 1 exact 1\n" COLUMNS SSH, false, false);
	assert_null(strstr(text, "\nportsock_ephemeral_ports_limit "));
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(metric_of_column_is_named_by_its_unit),
		cmocka_unit_test(type_is_of_samples_or_of_the_family),
		cmocka_unit_test(label_is_escaped),
		cmocka_unit_test(number_in_seconds_is_exact),
		cmocka_unit_test(number_without_an_answer_has_no_sample),
		cmocka_unit_test(sum_has_its_count_and_buckets),
		cmocka_unit_test(count_of_a_histogram_is_that_of_its_buckets),
		cmocka_unit_test(histogram_of_nothing_is_short),
		cmocka_unit_test(no_table_is_down),
		cmocka_unit_test(namespace_is_a_label),
		cmocka_unit_test(remote_ports_have_metrics_of_their_own),
		cmocka_unit_test(range_unknown_has_no_limit),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
