/* SPDX-License-Identifier: Apache-2.0 */
/* edge_boot - what an edge is handed before it starts: configuration, sockets, keys. */
#include <stdlib.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/wipe.h"
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

void
edge_limits_of(const struct config *c, struct net_limits *l)
{
	net_limits_default(l);
	l->conns_max = (uint32_t)c->limits.connections;
	l->http.head_max = (uint32_t)c->limits.head_bytes;
	l->requests_max = (uint32_t)c->limits.requests_per_connection;
	l->body_max = (uint32_t)c->limits.body_bytes;
	l->head_ms = (uint32_t)c->limits.header_seconds * 1000;
	l->idle_ms = (uint32_t)c->limits.idle_seconds * 1000;
	l->stall_ms = (uint32_t)c->limits.stall_seconds * 1000;
}

/* ---- boot ---- */

static int
slurp(int fd, uint8_t **ret, size_t *ret_n)
{
	uint8_t *p = malloc(EDGE_PEM_MAX + 1);
	if (!p)
		return FG_ENOMEM;
	ssize_t n = pread(fd, p, EDGE_PEM_MAX + 1, 0);
	if (n < 0 || (size_t)n > EDGE_PEM_MAX) {
		wipe(p, EDGE_PEM_MAX + 1);
		free(p);
		return n < 0 ? FG_EIO : FG_ELIMIT;
	}
	free(*ret);
	*ret = p;
	*ret_n = (size_t)n;
	return FG_OK;
}

static void
keep_fd(int *place, int fd)
{
	if (*place >= 0)
		close(*place);
	*place = fd;
}

/* Only kept here: everything is parsed in start(), inside the jail. */
int
edge_on_boot_fd(void *ctx, struct role *r, const struct msg_boot_fd *what, int fd)
{
	struct edge *e = ctx;
	unsigned i = what->ordinal, k = what->part;
	int err = FG_EPEER;
	(void)r;
	if (e->net || (what->kind != MSG_FD_BUNDLE && (i >= MSG_LISTENERS_MAX || k > 1))) {
		close(fd);
		return err;
	}
	switch (what->kind) {
	case MSG_FD_BUNDLE:
		keep_fd(&e->bundle_fd, fd);
		return FG_OK;
	case MSG_FD_LISTENER:
		keep_fd(&e->listener[i].fd, fd);
		return FG_OK;
	case MSG_FD_TLS_CERT:
		err = slurp(fd, &e->listener[i].cert[k], &e->listener[i].cert_n[k]);
		break;
	case MSG_FD_TLS_KEY:
		err = slurp(fd, &e->listener[i].key[k], &e->listener[i].key_n[k]);
		break;
	case MSG_FD_CLIENT_CA:
		err = slurp(fd, &e->listener[i].client_ca, &e->listener[i].client_ca_n);
		break;
	default:
		break; /* no key, socket or file of another role's belongs here */
	}
	close(fd);
	return err;
}

static int
make_tls(struct edge *e, unsigned i)
{
	char why[TLS_WHY_MAX] = "";
	const struct config_listener *l = &e->config->listeners[i];
	struct tls_config t = {
		.suites = l->suites == CONFIG_SUITES_LEGACY ? TLS_SUITES_LEGACY : TLS_SUITES_MODERN,
		.peer = TLS_PEER_NONE,
		.security_level = (uint32_t)l->security_level,
		.send_fragment = (uint32_t)l->send_fragment,
	};
	for (unsigned k = 0; k < 2; k++) {
		if (!e->listener[i].cert[k] || !e->listener[i].key[k])
			continue;
		t.pairs[t.n_pairs++] = (struct tls_pair){ view_of(e->listener[i].cert[k], e->listener[i].cert_n[k]),
			view_of(e->listener[i].key[k], e->listener[i].key_n[k]) };
	}
	if (e->listener[i].client_ca) {
		/* Optional: modules without a certificate are identified otherwise, or held. */
		t.peer = TLS_PEER_OPTIONAL;
		t.client_ca_pem = view_of(e->listener[i].client_ca, e->listener[i].client_ca_n);
	}
	int err = tls_new(&t, &e->listener[i].tls, why);
	if (err)
		oplog(OPLOG_ERR, "listener %s: %s", l->name, why[0] ? why : err_name(err));
	return err;
}

/* OpenSSL has copies of its own; ours would be a second place to steal a key from. */
void
edge_forget_keys(struct edge *e)
{
	for (unsigned i = 0; i < MSG_LISTENERS_MAX; i++) {
		for (unsigned k = 0; k < 2; k++) {
			if (e->listener[i].key[k])
				wipe(e->listener[i].key[k], e->listener[i].key_n[k]);
			free(e->listener[i].key[k]);
			free(e->listener[i].cert[k]);
			e->listener[i].key[k] = e->listener[i].cert[k] = NULL;
		}
		free(e->listener[i].client_ca);
		e->listener[i].client_ca = NULL;
	}
}

int
edge_open_listeners(struct edge *e)
{
	for (unsigned i = 0; i < e->config->listeners_n; i++) {
		if (e->listener[i].fd < 0)
			return FG_ENOTFOUND;
		int err = e->config->listeners[i].tls ? make_tls(e, i) : FG_OK;
		struct net_origin origin = { .tls = e->listener[i].tls, .mode = HTTP_LENIENT, .tag = i };
		struct listener *made;
		if (err)
			return err;
		err = listener_new(e->net, e->listener[i].fd, &origin, &made);
		e->listener[i].fd = -1;
		if (err)
			return err;
	}
	return FG_OK;
}
