// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <zlib.h>

#include <microhttpd.h>

#include "../../module/version.h"
#include "negotiate.h"
#include "server.h"

#define OPENMETRICS_TYPE	"application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS_TYPE		"text/plain; version=0.0.4; charset=utf-8"
#define TEXT_TYPE		"text/plain; charset=utf-8"
/* Of zlib: the largest window, and a header of gzip. */
#define GZIP_WINDOW		(15 + 16)

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);

	return time.tv_sec * UINT64_C(1000) + time.tv_nsec / 1000000;
}

/* Takes the text. Each answer ends its connection, so that no client keeps one. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status, const char *type, char *text,
			      size_t size, bool is_gzip)
{
	struct MHD_Response *response;
	enum MHD_Result rc;

	if (!text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
	if (is_gzip)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	rc = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);

	return rc;
}

static enum MHD_Result answer_short(struct MHD_Connection *connection, unsigned int status, const char *type,
				    const char *text)
{
	return answer(connection, status, type, strdup(text), strlen(text), false);
}

/* Return: the text compressed, its size set; NULL if that failed. */
static char *gzip(const char *text, size_t *size)
{
	z_stream stream = { .next_in = (Bytef *)text, .avail_in = *size };
	char *packed = NULL;
	uLong most;

	if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	most = deflateBound(&stream, *size);
	packed = malloc(most);
	stream.next_out = (Bytef *)packed;
	stream.avail_out = most;
	if (packed && deflate(&stream, Z_FINISH) == Z_STREAM_END) {
		*size = stream.total_out;
	} else {
		free(packed);
		packed = NULL;
	}
	deflateEnd(&stream);

	return packed;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result answer_metrics(struct portsock_server *server, struct MHD_Connection *connection, bool all)
{
	bool openmetrics = portsock_wants_openmetrics(header(connection, MHD_HTTP_HEADER_ACCEPT));
	const char *type = openmetrics ? OPENMETRICS_TYPE : PROMETHEUS_TYPE;
	char *text, *packed = NULL;
	size_t size;

	text = all ? portsock_scrape_all(server->scraper, openmetrics, &size) :
		     portsock_scrape_own(server->scraper, openmetrics, &size);
	if (text && portsock_wants_gzip(header(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING)))
		packed = gzip(text, &size);
	if (!packed)
		return answer(connection, MHD_HTTP_OK, type, text, size, false);
	free(text);

	return answer(connection, MHD_HTTP_OK, type, packed, size, true);
}

static enum MHD_Result answer_landing(const struct portsock_server *server, struct MHD_Connection *connection)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "<!DOCTYPE html>\n<html lang=\"en\"><head><title>portsock-exporter</title></head><body>\n"
		 "<h1>portsock-exporter " PORTSOCK_VERSION "</h1>\n"
		 "<p><a href=\"%s\">Metrics</a> of the network namespace it runs in</p>\n", server->path);
	if (server->netns)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "<p><a href=\"%s/netns\">Metrics of all network namespaces</a></p>\n", server->path);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "</body></html>\n");

	return answer_short(connection, MHD_HTTP_OK, "text/html; charset=utf-8", text);
}

static bool path_is_netns(const struct portsock_server *server, const char *path)
{
	size_t length = strlen(server->path);

	return server->netns && !strncmp(path, server->path, length) && !strcmp(path + length, "/netns");
}

/* Asked as soon as the headers are there: what is sent behind them is not read. */
static enum MHD_Result request_handle(void *arg, struct MHD_Connection *connection, const char *path,
				      const char *method, const char *version, const char *data, size_t *data_size,
				      void **state)
{
	struct portsock_server *server = arg;

	(void)version;
	(void)data;
	(void)data_size;
	(void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return answer_short(connection, MHD_HTTP_METHOD_NOT_ALLOWED, TEXT_TYPE, "GET or HEAD only\n");
	if (!strcmp(path, server->path))
		return answer_metrics(server, connection, false);
	if (path_is_netns(server, path))
		return answer_metrics(server, connection, true);
	if (!strcmp(path, "/-/healthy"))
		return answer_short(connection, MHD_HTTP_OK, TEXT_TYPE, "OK\n");
	if (!strcmp(path, "/"))
		return answer_landing(server, connection);

	return answer_short(connection, MHD_HTTP_NOT_FOUND, TEXT_TYPE, "Not found\n");
}

static void connection_notify(void *arg, struct MHD_Connection *connection, void **place,
			      enum MHD_ConnectionNotificationCode code)
{
	struct portsock_connection *known = *place;
	struct portsock_server *server = arg;
	unsigned int i;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (known)
			known->fd = -1;
		return;
	}
	for (i = 0; i < PORTSOCK_SERVER_CONNECTIONS; i++) {
		known = &server->connections[i];
		if (known->fd >= 0)
			continue;
		known->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		known->since = now();
		*place = known;
		return;
	}
}

int portsock_server_init(struct portsock_server *server, int fd, struct portsock_error *error)
{
	const int send = PORTSOCK_SERVER_SEND;
	unsigned int i;

	/* Connections inherit it. What the kernel had taken would outlive the deadline. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof(send));
	for (i = 0; i < PORTSOCK_SERVER_CONNECTIONS; i++)
		server->connections[i].fd = -1;
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, request_handle, server,
					  MHD_OPTION_LISTEN_SOCKET, fd,
					  MHD_OPTION_CONNECTION_LIMIT, PORTSOCK_SERVER_CONNECTIONS,
					  MHD_OPTION_PER_IP_CONNECTION_LIMIT, PORTSOCK_SERVER_PER_ADDRESS,
					  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)PORTSOCK_SERVER_REQUEST,
					  MHD_OPTION_NOTIFY_CONNECTION, connection_notify, server,
					  MHD_OPTION_END);

	return server->daemon ? 0 : portsock_error_set(error, "libmicrohttpd could not be started");
}

int portsock_server_fd(const struct portsock_server *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int portsock_server_timeout(const struct portsock_server *server, int most)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	return MHD_get_timeout(server->daemon, &timeout) == MHD_YES && timeout < (unsigned int)most ? (int)timeout : most;
}

/* The library then finds it closed by its client. Its own timeout begins anew with each byte. */
static void connections_expire(struct portsock_server *server)
{
	uint64_t time = now();
	unsigned int i;

	for (i = 0; i < PORTSOCK_SERVER_CONNECTIONS; i++)
		if (server->connections[i].fd >= 0 &&
		    time - server->connections[i].since > PORTSOCK_SERVER_DEADLINE)
			shutdown(server->connections[i].fd, SHUT_RDWR);
}

void portsock_server_run(struct portsock_server *server)
{
	connections_expire(server);
	MHD_run(server->daemon);
}

void portsock_server_exit(struct portsock_server *server)
{
	MHD_stop_daemon(server->daemon);
}
