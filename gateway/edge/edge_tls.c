/* SPDX-License-Identifier: Apache-2.0 */
/* edge_tls - from the files an edge is handed to the TLS of its listeners, at the start and at every reload. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/edge/edge_private.h"
#include "gateway/wire/memfd.h"

static void
forget(struct edge_file *f)
{
	if (f->p)
		wipe(f->p, f->n);
	free(f->p);
	*f = (struct edge_file){ 0 };
}

/* OpenSSL has copies of its own; ours would be a second place to steal a key from. */
void
edge_tls_forget(struct edge *e)
{
	for (unsigned i = 0; i < MSG_LISTENERS_MAX; i++)
		for (unsigned k = 0; k < EDGE_FILES; k++)
			forget(&e->listener[i].file[k]);
}

static int
slurp(int fd, size_t max, struct edge_file *f)
{
	uint8_t *p = malloc(max + 1);
	if (!p)
		return FG_ENOMEM;
	ssize_t n = pread(fd, p, max + 1, 0);
	if (n < 0 || (size_t)n > max) {
		wipe(p, max + 1);
		free(p);
		return n < 0 ? FG_EIO : FG_ELIMIT;
	}
	forget(f);
	*f = (struct edge_file){ p, (size_t)n };
	return FG_OK;
}

/* Sealed by one key in all edges, so that a module need not meet the same one again. */
static int
take_tickets(struct edge *e, int fd)
{
	struct view v;
	int err = memfd_map(fd, sizeof e->tickets, &v);
	if (err)
		return err;
	if (v.n == sizeof e->tickets)
		memcpy(e->tickets, v.p, sizeof e->tickets);
	else
		err = FG_EPEER;
	memfd_unmap(v);
	e->has_tickets |= !err;
	for (unsigned i = 0; !err && i < MSG_LISTENERS_MAX; i++)
		if (e->listener[i].tls)
			err = tls_tickets_set(e->listener[i].tls, e->tickets);
	return err;
}

int
edge_tls_file(struct edge *e, const struct msg_boot_fd *what, int fd)
{
	unsigned k;
	if (what->kind == MSG_FD_TICKETS)
		return take_tickets(e, fd);
	if (what->ordinal >= MSG_LISTENERS_MAX)
		return FG_EPEER;
	switch (what->kind) {
	case MSG_FD_TLS_CERT:
	case MSG_FD_TLS_KEY:
		if (what->part >= TLS_CERTS_MAX)
			return FG_EPEER;
		k = (what->kind == MSG_FD_TLS_CERT ? EDGE_FILE_CERT : EDGE_FILE_KEY) + what->part;
		break;
	case MSG_FD_CLIENT_CA:
		k = EDGE_FILE_CLIENT_CA;
		break;
	case MSG_FD_CLIENT_CRL:
		k = EDGE_FILE_CLIENT_CRL;
		break;
	case MSG_FD_PSK:
		k = EDGE_FILE_PSK;
		break;
	default:
		return FG_EPEER; /* no key, socket or file of another role's belongs here */
	}
	return slurp(fd, k >= EDGE_FILE_CLIENT_CRL ? EDGE_LIST_MAX : EDGE_PEM_MAX, &e->listener[what->ordinal].file[k]);
}

static struct view
text_of(const struct edge_file *f)
{
	return view_of(f->p, f->n);
}

/* A file that is named and missing, or NULL. Without it the listener would be another one than was configured. */
static const char *
missing(const struct config_listener *l, const struct edge_file *f)
{
	const char *const names[EDGE_FILES] = {
		[EDGE_FILE_CERT] = l->cert,
		[EDGE_FILE_CERT + 1] = l->second_cert,
		[EDGE_FILE_KEY] = l->key,
		[EDGE_FILE_KEY + 1] = l->second_key,
		[EDGE_FILE_CLIENT_CA] = l->client_ca,
		[EDGE_FILE_CLIENT_CRL] = l->client_crl,
		[EDGE_FILE_PSK] = l->psk,
	};
	for (unsigned k = 0; k < EDGE_FILES; k++)
		if (names[k][0] && !f[k].p)
			return names[k];
	return NULL;
}

int
edge_tls_make(struct edge *e, const struct config *c, unsigned i, struct tls **ret, char why[TLS_WHY_MAX])
{
	const struct config_listener *l = &c->listeners[i];
	const struct edge_file *f = e->listener[i].file;
	const char *lost = missing(l, f);
	struct tls_config t = {
		.suites = l->suites == CONFIG_SUITES_LEGACY ? TLS_SUITES_LEGACY : TLS_SUITES_MODERN,
		.peer = TLS_PEER_NONE,
		.security_level = (uint32_t)l->security_level,
		.send_fragment = (uint32_t)l->send_fragment,
		.psk_file = text_of(&f[EDGE_FILE_PSK]),
	};
	if (lost) {
		snprintf(why, TLS_WHY_MAX, "the file %s was not handed over", lost);
		return FG_ENOTFOUND;
	}
	for (unsigned k = 0; k < TLS_CERTS_MAX; k++)
		if (f[EDGE_FILE_CERT + k].p && f[EDGE_FILE_KEY + k].p)
			t.pairs[t.n_pairs++] =
			    (struct tls_pair){ text_of(&f[EDGE_FILE_CERT + k]), text_of(&f[EDGE_FILE_KEY + k]) };
	if (f[EDGE_FILE_CLIENT_CA].p) {
		/* Optional: modules without a certificate are identified otherwise, or held. */
		t.peer = TLS_PEER_OPTIONAL;
		t.client_ca_pem = text_of(&f[EDGE_FILE_CLIENT_CA]);
		t.client_crl_pem = text_of(&f[EDGE_FILE_CLIENT_CRL]);
	}
	struct tls *tls = NULL;
	int err = tls_new(&t, &tls, why);
	if (!err && e->has_tickets)
		err = tls_tickets_set(tls, e->tickets);
	if (err) {
		tls_free(tls);
		return err;
	}
	*ret = tls;
	return FG_OK;
}

struct revoking {
	unsigned listener;
	const struct tls *tls;
	unsigned n;
};

static void
end_revoked(void *ctx, struct conn *conn)
{
	struct revoking *r = ctx;
	if (conn_tag(conn) != r->listener || !conn_tls_revoked(conn, r->tls))
		return;
	r->n++;
	conn_reset(conn);
}

void
edge_tls_renew(struct edge *e, const struct config *c, char *ret_why, size_t cap)
{
	size_t n = 0;
	ret_why[0] = '\0';
	for (unsigned i = 0; i < c->listeners_n; i++) {
		const struct config_listener *l = &c->listeners[i];
		char why[TLS_WHY_MAX] = "";
		struct tls *tls = NULL;
		if (!l->tls)
			continue;
		int err = edge_tls_make(e, c, i, &tls, why);
		if (!err) {
			struct revoking r = { .listener = i, .tls = tls };
			listener_set_tls(e->listener[i].open, tls);
			if (e->listener[i].next)
				listener_set_tls(e->listener[i].next, tls);
			net_each(e->net, end_revoked, &r);
			if (r.n)
				oplog(OPLOG_NOTICE,
				    "listener %s: %u connections were reset: certificate or key withdrawn, or not shown yet",
				    l->name, r.n);
			/* Connections keep it for days, where the secrets are forgotten after two hours. */
			if (tls_tickets_forget(e->listener[i].tls))
				oplog(OPLOG_WARNING, "listener %s: old keys of tickets stay with its connections", l->name);
			tls_free(e->listener[i].tls);
			e->listener[i].tls = tls;
		} else if (n < cap) {
			n += (size_t)snprintf(ret_why + n, cap - n, "%slistener %s keeps its TLS as it was: %s", n ? "; " : "",
			    l->name, why[0] ? why : err_name(err));
		}
	}
	edge_tls_forget(e);
}

void
edge_tls_tell(struct edge *e)
{
	static const enum msg_runout_kind kinds[TLS_RUNOUTS] = { [TLS_RUNOUT_CERT] = MSG_RUNOUT_CERT,
		[TLS_RUNOUT_CLIENT_CA] = MSG_RUNOUT_CLIENT_CA, [TLS_RUNOUT_CRL] = MSG_RUNOUT_CRL };
	struct msg_runouts m = { 0 };
	struct chan *control = role_peer(e->role, MSG_ROLE_CONTROL, 0);
	for (unsigned i = 0; i < e->config->listeners_n; i++) {
		struct tls_span spans[TLS_RUNOUTS];
		if (!e->listener[i].tls)
			continue;
		tls_runouts(e->listener[i].tls, spans);
		for (unsigned k = 0; k < TLS_RUNOUTS; k++) {
			const struct msg_runout row = { (uint16_t)i, (uint8_t)kinds[k], spans[k].from, spans[k].until };
			if (row.until)
				m.rows[m.rows_n++] = row;
		}
	}
	if (control) /* else when it is there */
		chan_send(control, MSG_RUNOUTS, &m, NULL, 0);
}
