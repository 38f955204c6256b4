// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "compare.h"
#include "diag.h"

/* As the kernel's headers have them; older ones lack the name or the number. */
#define PROTO_MPTCP		262
#define TCP_BOUND_INACTIVE	13

static const struct {
	int number;
	const char *module;
} protos[PORTSOCK_PROTO_NR] = {
	[PORTSOCK_TCP] = { IPPROTO_TCP, "tcp_diag" },
	[PORTSOCK_UDP] = { IPPROTO_UDP, "udp_diag" },
	[PORTSOCK_UDPLITE] = { IPPROTO_UDPLITE, "udplite in udp_diag" },
	[PORTSOCK_RAW] = { IPPROTO_RAW, "raw_diag" },
	[PORTSOCK_ICMP] = { IPPROTO_ICMP, NULL },
	[PORTSOCK_SCTP] = { IPPROTO_SCTP, "sctp_diag" },
	[PORTSOCK_DCCP] = { IPPROTO_DCCP, "dccp_diag" },
	[PORTSOCK_MPTCP] = { PROTO_MPTCP, "mptcp_diag" },
};

/**
 * struct dump - a dump under way
 * @diag: whose it is
 * @told: the table
 * @rows: counted so far
 * @proto: of all sockets in it
 * @listeners: tree (tsearch) of the inodes of SCTP's listeners in @rows
 */
struct dump {
	struct portsock_diag *diag;
	const struct portsock_rows *told;
	struct portsock_rows *rows;
	enum portsock_proto proto;
	void *listeners;
};

static bool kernel_is_at_least(unsigned int major, unsigned int minor)
{
	unsigned int a = 0, b = 0;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &a, &b) != 2)
		return false;

	return a > major || (a == major && b >= minor);
}

int portsock_diag_open(struct portsock_diag *diag, struct portsock_error *error)
{
	*diag = (struct portsock_diag) {
		.nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC),
		.lists_bound = kernel_is_at_least(6, 8),
	};
	if (!diag->nl || mnl_socket_bind(diag->nl, 0, MNL_SOCKET_AUTOPID))
		return portsock_error_set(error, "cannot ask the kernel for its sockets (sock_diag): %s",
					  strerror(errno));

	return 0;
}

static const struct nlattr *attr_find(const struct nlmsghdr *message, int type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct inet_diag_msg))
		if (mnl_attr_get_type(attr) == type)
			return attr;

	return NULL;
}

/* DCCP's own states, PARTOPEN and PASSIVE_CLOSEREQ, follow TCP's, one more where sockets only bound are listed. */
static unsigned int dccp_state(const struct portsock_diag *diag, unsigned int state)
{
	unsigned int partopen = diag->lists_bound ? TCP_BOUND_INACTIVE + 1 : TCP_BOUND_INACTIVE;

	if (state == partopen)
		return TCP_ESTABLISHED;
	if (state == partopen + 1)
		return TCP_CLOSE_WAIT;

	return state;
}

static int inode_compare(const void *a, const void *b)
{
	return (a > b) - (a < b);
}

/*
 * A listener of SCTP in which associations wait is listed twice by some
 * kernels (6.18.15 is one): as a listener, and with its associations.
 *
 * Return: 1 if it was, 0 if not, -1 without memory.
 */
static int listener_was_listed(struct dump *dump, const struct inet_diag_msg *found)
{
	const void *inode = (void *)(uintptr_t)found->idiag_inode;

	if (dump->proto != PORTSOCK_SCTP || found->idiag_state != TCP_LISTEN)
		return 0;
	if (tfind(inode, &dump->listeners, inode_compare))
		return 1;

	return tsearch(inode, &dump->listeners, inode_compare) ? 0 : -1;
}

static bool has_datagrams(enum portsock_proto proto)
{
	return proto == PORTSOCK_UDP || proto == PORTSOCK_UDPLITE || proto == PORTSOCK_RAW;
}

/* Of a listener, connections that wait for accept() and how many may; of a datagram socket, bytes to be received. */
static void queue_count(struct portsock_row *row, enum portsock_proto proto, const struct inet_diag_msg *found)
{
	if (found->idiag_state == TCP_LISTEN) {
		row->count[PORTSOCK_BACKLOG] += found->idiag_rqueue;
		row->count[PORTSOCK_BACKLOG_MAX] += found->idiag_wqueue;
	} else if (has_datagrams(proto)) {
		row->count[PORTSOCK_RCV_QUEUE] += found->idiag_rqueue;
	}
}

static void owner_learn(const struct dump *dump, struct portsock_row *row, const struct nlmsghdr *message)
{
	const struct inet_diag_msg *found = mnl_nlmsg_get_payload(message);
	const struct nlattr *cgroup = attr_find(message, INET_DIAG_CGROUP_ID);
	const struct portsock_row *told = portsock_rows_get(dump->told, dump->proto, ntohs(found->id.idiag_sport));

	portsock_truth_owner(row, told, PORTSOCK_UID, found->idiag_uid);
	if (cgroup)
		portsock_truth_owner(row, told, PORTSOCK_CGROUP, mnl_attr_get_u64(cgroup));
}

static int socket_count(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *found = mnl_nlmsg_get_payload(message);
	/* Every full socket has this attribute, no TIME_WAIT or request mini-socket does. */
	bool mini = !attr_find(message, INET_DIAG_SHUTDOWN);
	unsigned int state = found->idiag_state;
	struct dump *dump = data;
	struct portsock_row *row;
	int listed;

	/* SCTP lists the associations behind their socket, with addresses of the peer. */
	if (attr_find(message, INET_DIAG_PEERS))
		return MNL_CB_OK;
	listed = listener_was_listed(dump, found);
	if (listed > 0)
		return MNL_CB_OK;
	row = portsock_rows_make(dump->rows, dump->proto, ntohs(found->id.idiag_sport));
	if (listed < 0 || !row) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	if (dump->proto == PORTSOCK_DCCP)
		state = dccp_state(dump->diag, state);
	if (state == TCP_BOUND_INACTIVE)
		state = TCP_CLOSE;
	if (dump->proto == PORTSOCK_TCP && state == TCP_CLOSE)
		dump->diag->lists_bound = true;
	/* A TIME_WAIT mini-socket may still wait for the other's FIN. */
	if (mini && state != TCP_SYN_RECV)
		state = TCP_TIME_WAIT;

	if (state && state <= PORTSOCK_STATES)
		row->count[state]++;
	if (!mini) {
		row->count[PORTSOCK_SOCKETS]++;
		row->count[PORTSOCK_IPV6] += found->idiag_family == AF_INET6;
		queue_count(row, dump->proto, found);
		if (found->idiag_state == TCP_LISTEN || has_datagrams(dump->proto))
			owner_learn(dump, row, message);
	}

	return MNL_CB_OK;
}

/* A dump that failed may end like any other and say why; libmnl's own handler does not look. */
static int dump_end(const struct nlmsghdr *message, void *data)
{
	const int *err = mnl_nlmsg_get_payload(message);

	(void)data;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*err) || *err >= 0)
		return MNL_CB_STOP;
	errno = -*err;

	return MNL_CB_ERROR;
}

static int request_send(struct portsock_diag *diag, int family, int number)
{
	char buffer[256] = "";
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = ++diag->seq;
	request = mnl_nlmsg_put_extra_header(message, sizeof(*request));
	request->sdiag_family = family;
	request->idiag_states = UINT32_MAX;
	/* Numbers beyond a byte go into an attribute; the byte must be a valid one all the same. */
	request->sdiag_protocol = number > UINT8_MAX ? IPPROTO_RAW : number;
	if (number > UINT8_MAX)
		mnl_attr_put_u32(message, INET_DIAG_REQ_PROTOCOL, number);

	return mnl_socket_sendto(diag->nl, message, message->nlmsg_len) < 0 ? -1 : 0;
}

/* Return: 0, or -1 with errno set. */
static int family_dump(struct dump *dump, int family)
{
	static mnl_cb_t control[] = { [NLMSG_ERROR] = dump_end, [NLMSG_DONE] = dump_end };
	struct portsock_diag *diag = dump->diag;
	/* The kernel fills up to 32 KiB at a time for those who have room. */
	static char buffer[32768];
	ssize_t length;
	int rc;

	if (request_send(diag, family, protos[dump->proto].number))
		return -1;
	do {
		length = mnl_socket_recvfrom(diag->nl, buffer, sizeof(buffer));
		if (length < 0)
			return -1;
		rc = mnl_cb_run2(buffer, length, diag->seq, mnl_socket_get_portid(diag->nl), socket_count, dump,
				 control, sizeof(control) / sizeof(*control));
	} while (rc > MNL_CB_STOP);

	return rc;
}

static void inode_forget(void *inode)
{
	(void)inode;
}

enum portsock_diag_result portsock_diag_dump(struct portsock_diag *diag, enum portsock_proto proto,
					     const struct portsock_rows *told, struct portsock_rows *rows,
					     struct portsock_error *error)
{
	struct dump dump = { .diag = diag, .told = told, .rows = rows, .proto = proto };
	bool failed;

	if (!protos[proto].module)
		return PORTSOCK_DIAG_ABSENT;

	failed = family_dump(&dump, AF_INET) || family_dump(&dump, AF_INET6);
	tdestroy(dump.listeners, inode_forget);
	if (!failed)
		return PORTSOCK_DIAG_OK;
	if (errno == ENOENT || errno == EOPNOTSUPP)
		return PORTSOCK_DIAG_ABSENT;
	portsock_error_set(error, "cannot list the kernel's %s sockets (sock_diag): %s", portsock_proto_names[proto],
			   strerror(errno));

	return PORTSOCK_DIAG_FAILED;
}

const char *portsock_diag_module(enum portsock_proto proto)
{
	return protos[proto].module;
}

void portsock_diag_close(struct portsock_diag *diag)
{
	if (diag->nl)
		mnl_socket_close(diag->nl);
}
