/* SPDX-License-Identifier: Apache-2.0 */
/* edge_boot - what an edge is handed before it starts: configuration, sockets, keys. */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/edge/edge_private.h"

/* ---- configuration ---- */

int
edge_parse_bundle(int fd, struct bundle **ret_bundle, struct config **ret_config)
{
	unsigned n = 0;
	struct bundle *b = NULL;
	struct config_problems *problems = calloc(1, sizeof *problems);
	int err = problems ? bundle_open(fd, &b) : FG_ENOMEM;
	if (!err) {
		const struct bundle_file *files = bundle_files(b, &n);
		struct config_file *copy = calloc(n ? n : 1, sizeof *copy);
		err = copy ? FG_OK : FG_ENOMEM;
		for (unsigned i = 0; !err && i < n; i++)
			copy[i] = (struct config_file){ files[i].name, files[i].text };
		if (!err)
			err = config_parse(copy, n, ret_config, problems);
		free(copy);
	}
	if (err == FG_EFORMAT && problems->n)
		oplog(OPLOG_ERR, "%s:%u: %s", problems->at[0].file, problems->at[0].line, problems->at[0].text);
	free(problems);
	if (err)
		bundle_free(b);
	else
		*ret_bundle = b;
	return err;
}

/* A jail lets a role read its own limits. */
static uint32_t
conns_within(uint32_t wanted)
{
	struct rlimit fds;
	if (getrlimit(RLIMIT_NOFILE, &fds) || fds.rlim_cur >= (rlim_t)wanted + EDGE_FDS_KEPT)
		return wanted;
	uint32_t n = fds.rlim_cur > 2 * EDGE_FDS_KEPT ? (uint32_t)fds.rlim_cur - EDGE_FDS_KEPT : (uint32_t)fds.rlim_cur / 2;
	oplog(OPLOG_WARNING, "limits.connections: %u would need more descriptors than there may be (%llu); it is %u here", wanted,
	    (unsigned long long)fds.rlim_cur, n);
	return n ? n : 1;
}

void
edge_limits_of(const struct config *c, struct net_limits *l)
{
	net_limits_default(l);
	l->conns_max = conns_within((uint32_t)c->limits.connections);
	l->http.head_max = (uint32_t)c->limits.head_bytes;
	l->requests_max = (uint32_t)c->limits.requests_per_connection;
	l->body_max = (uint32_t)c->limits.body_bytes;
	l->handshake_ms = (uint32_t)c->limits.header_seconds * 1000;
	l->head_ms = (uint32_t)c->limits.header_seconds * 1000;
	l->body_ms = (uint32_t)c->limits.body_seconds * 1000;
	l->idle_ms = (uint32_t)c->limits.idle_seconds * 1000;
	l->stall_ms = (uint32_t)c->limits.stall_seconds * 1000;
}

/* ---- boot ---- */

static void
keep_fd(int *place, int fd)
{
	if (*place >= 0)
		close(*place);
	*place = fd;
}

/* Only kept here: everything is parsed in start() or reload(), inside the jail. */
int
edge_on_boot_fd(void *ctx, struct role *r, const struct msg_boot_fd *what, int fd)
{
	struct edge *e = ctx;
	unsigned i = what->ordinal;
	(void)r;
	if (!e->net && what->kind == MSG_FD_BUNDLE) {
		keep_fd(&e->bundle_fd, fd);
		return FG_OK;
	}
	if (!e->net && what->kind == MSG_FD_LISTENER && i < MSG_LISTENERS_MAX && what->part < 2) {
		keep_fd(what->part ? &e->listener[i].next_fd : &e->listener[i].fd, fd);
		return FG_OK;
	}
	int err = edge_tls_file(e, what, fd);
	close(fd);
	return err;
}

int
edge_open_listeners(struct edge *e)
{
	for (unsigned i = 0; i < e->config->listeners_n; i++) {
		if (e->listener[i].fd < 0)
			return FG_ENOTFOUND;
		char why[TLS_WHY_MAX] = "";
		struct tls *tls = NULL;
		int err = e->config->listeners[i].tls ? edge_tls_make(e, e->config, i, &tls, why) : FG_OK;
		struct net_origin origin = { .tls = tls, .mode = HTTP_LENIENT, .tag = i };
		if (err) {
			oplog(OPLOG_ERR, "listener %s: %s", e->config->listeners[i].name, why[0] ? why : err_name(err));
			return err;
		}
		err = listener_new(e->net, e->listener[i].fd, &origin, &e->listener[i].open);
		e->listener[i].tls = tls;
		e->listener[i].fd = -1;
		if (!err && e->listener[i].next_fd >= 0) {
			err = listener_mind(e->net, e->listener[i].next_fd, &origin, &e->listener[i].next);
			e->listener[i].next_fd = -1;
		}
		if (err)
			return err;
	}
	return FG_OK;
}
