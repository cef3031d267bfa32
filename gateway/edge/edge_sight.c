/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "crypto/entry.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/edge/edge_private.h"

bool
edge_sight_init(struct edge *e)
{
	e->seen = calloc(EDGE_SEEN, sizeof e->seen[0]);
	return e->seen && RAND_bytes(e->seed, sizeof e->seed) == 1;
}

struct key {
	uint8_t b[1024];
	size_t n;
};

/* Length first, so that no two lists of parts read the same; a part is cut where it would not fit. */
static void
put(struct key *k, struct view v, size_t max)
{
	size_t n = v.n < max ? v.n : max;
	if (n + 2 > sizeof k->b - k->n)
		abort(); /* the maxima below are wrong */
	k->b[k->n++] = (uint8_t)(n >> 8);
	k->b[k->n++] = (uint8_t)n;
	if (n)
		memcpy(k->b + k->n, v.p, n);
	k->n += n;
}

/*
 * A repeat is the same module, or the same address where no module is known,
 * asking on the same listener for the same thing in the same version and getting
 * the same answer.
 */
static uint64_t
key_of(const struct edge *e, const struct conn *conn, const struct http_request *req, const struct route *r,
    const uint8_t ip[NET_ADDR_LEN], unsigned answer)
{
	struct key k = { .n = 0 };
	uint32_t tag = conn_tag(conn);
	put(&k, view_of(&tag, sizeof tag), sizeof tag);
	put(&k, view_of(&answer, sizeof answer), sizeof answer);
	if (r && r->identified) {
		put(&k, view_of(&r->identity.kind, sizeof r->identity.kind), sizeof r->identity.kind);
		put(&k, view_str(r->identity.text), IDENTITY_TEXT_MAX);
	} else {
		put(&k, view_of(ip, NET_ADDR_LEN), NET_ADDR_LEN);
	}
	if (r) {
		put(&k, view_of(r->resource, sizeof r->resource), sizeof r->resource);
		put(&k, view_str(r->current), MSG_VERSION_MAX);
		put(&k, view_str(r->from), MSG_VERSION_MAX);
	} else {
		put(&k, req->host, 256);
		put(&k, req->path, 512);
	}
	uint64_t h = siphash_24(e->seed, view_of(k.b, k.n));
	return h ? h : 1;
}

/* Its place when it is to be told now, NULL when it is only counted; *ret_repeats: kept back since the last time. */
static struct seen *
due(struct edge *e, uint64_t key, uint32_t *ret_repeats)
{
	int64_t now = clock_mono_ms(e->clock);
	struct seen *s = &e->seen[key % EDGE_SEEN];
	if (edge_sight_again(e, key))
		return NULL;
	*ret_repeats = s->key == key ? s->repeats : 0;
	*s = (struct seen){ .key = key, .told_ms = now };
	return s;
}

static void
about_route(struct msg_sighting *m, const struct route *r)
{
	const struct profile *p = r->hit.profile;
	snprintf(m->profile, sizeof m->profile, "%s", p->name);
	snprintf(m->url, sizeof m->url, "%s", r->url);
	snprintf(m->signature_url, sizeof m->signature_url, "%s", r->signature_url);
	m->fetchable = r->fetchable;
	memcpy(m->resource, r->resource, sizeof m->resource);
	snprintf(m->product, sizeof m->product, "%s", r->product);
	snprintf(m->target, sizeof m->target, "%s", r->target);
	snprintf(m->current, sizeof m->current, "%s", r->current);
	snprintf(m->from, sizeof m->from, "%s", r->from);
	if (r->identified) {
		m->idents_n = 1;
		m->idents[0].kind = (uint8_t)r->identity.kind;
		m->idents[0].cls = (uint8_t)r->identity.class;
		snprintf(m->idents[0].text, sizeof m->idents[0].text, "%.127s", r->identity.text);
	}
}

static void
about_unknown(struct msg_sighting *m, const struct http_request *req)
{
	size_t at = 0;
	const struct http_field *agent = http_head_next(req, "user-agent", &at);
	/* A short URL that nobody knows here may be one that was, or will be: it stays out of the records. */
	visible_cstr(link_parse(req->path, NULL) ? view_str(LINK_PREFIX "*") : req->path, m->path, sizeof m->path);
	visible_cstr(req->host, m->host, sizeof m->host);
	if (agent)
		visible_cstr(agent->value, m->agent, sizeof m->agent);
}

bool
edge_sight_again(struct edge *e, uint64_t key)
{
	struct seen *s = &e->seen[key % EDGE_SEEN];
	if (s->key != key || clock_mono_ms(e->clock) - s->told_ms >= EDGE_SEEN_S * 1000)
		return false;
	s->repeats += s->repeats < UINT32_MAX;
	return true;
}

uint64_t
edge_sight(struct edge *e, const struct conn *conn, const struct http_request *req, const struct route *r,
    unsigned answer)
{
	uint8_t ip[NET_ADDR_LEN];
	uint16_t port;
	struct cidr_addr address;
	uint32_t repeats = 0, tag = conn_tag(conn);
	/* Strangers decide how many there are: a full channel would cost us control itself. */
	if ((!r && !e->config->learn) || !edge_has_room(e, MSG_ROLE_CONTROL, EDGE_SIGHTS_QUEUED))
		return 0; /* the module asks again */
	conn_peer(conn, ip, &port);
	uint64_t key = key_of(e, conn, req, r, ip, answer);
	struct seen *s = due(e, key, &repeats);
	if (!s)
		return key;
	struct msg_sighting m = { .answer = (uint8_t)answer, .repeats = repeats };
	if (r)
		about_route(&m, r);
	else
		about_unknown(&m, req);
	if (cidr_addr_from(ip, sizeof ip, &address))
		cidr_addr_text(&address, m.peer);
	if (tag < e->config->listeners_n)
		snprintf(m.listener, sizeof m.listener, "%s", e->config->listeners[tag].name);
	if (chan_send(role_peer(e->role, MSG_ROLE_CONTROL, 0), MSG_SIGHTING, &m, NULL, 0))
		*s = (struct seen){ 0 }; /* not told after all */
	return key;
}

void
edge_sight_refused(struct edge *e, const struct conn *conn)
{
	uint8_t spki[TLS_SPKI_LEN];
	char digits[2 * TLS_SPKI_LEN + 1];
	enum tls_refusal why = conn_tls_refusal(conn, spki);
	uint32_t repeats = 0, tag = conn_tag(conn);
	struct table_row row;
	struct key k = { .n = 0 };
	/* Anybody can make certificates of no CA of ours, as many as he likes: they are counted, not logged. */
	if (why <= TLS_REFUSAL_UNTRUSTED || tag >= e->config->listeners_n ||
	    !edge_has_room(e, MSG_ROLE_AUDIT, EDGE_SIGHTS_QUEUED))
		return;
	put(&k, view_of(&tag, sizeof tag), sizeof tag);
	put(&k, view_of(&why, sizeof why), sizeof why);
	put(&k, view_of(spki, sizeof spki), sizeof spki);
	struct seen *s = due(e, siphash_24(e->seed, view_of(k.b, k.n)) | 1, &repeats);
	struct msg_append *m = s ? calloc(1, sizeof *m) : NULL;
	if (!m)
		return;
	m->event = ENTRY_AUTH_FAILED;
	m->severity = (uint8_t)entry_event_severity(ENTRY_AUTH_FAILED);
	snprintf(m->out, sizeof m->out, "denied");
	snprintf(m->obj, sizeof m->obj, "listener:%s", e->config->listeners[tag].name);
	snprintf(m->msg, sizeof m->msg, "a client certificate that was presented is refused: %s", tls_peer_refusal_name(why));
	/* Whose it is the log knows by the pseudonym alone. */
	hex_encode(spki, sizeof spki, digits);
	m->have_dev = e->table && table_find(e->table, IDENTITY_CERT, view_str(digits), &row);
	if (m->have_dev)
		memcpy(m->dev, row.pseudonym, sizeof m->dev);
	if (repeats) {
		m->refs_n = 1;
		snprintf(m->refs[0].key, sizeof m->refs[0].key, "repeats");
		m->refs[0].is_number = true;
		m->refs[0].number = repeats;
	}
	if (chan_send(role_peer(e->role, MSG_ROLE_AUDIT, 0), MSG_APPEND, m, NULL, 0))
		*s = (struct seen){ 0 }; /* not told after all */
	free(m);
}
