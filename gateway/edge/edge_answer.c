/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/edge/edge_private.h"

/* ---- what is remembered of a connection ---- */

struct visit *
edge_visit(struct conn *conn)
{
	struct visit *v = conn_data(conn);
	if (!v) {
		v = calloc(1, sizeof *v);
		conn_set_data(conn, v);
	}
	return v;
}

void
edge_on_close(void *ctx, struct conn *conn, const struct conn_outcome *out)
{
	struct visit *v = conn_data(conn);
	if (out->why == CONN_WHY_TLS)
		edge_sight_refused(ctx, conn);
	if (v && v->ask)
		edge_asks_forget(ctx, v->ask);
	edge_crowd_leave(ctx, conn);
	if (v)
		free(v->recall);
	free(v);
	conn_set_data(conn, NULL);
}

bool
edge_has_room(const struct edge *e, enum msg_role role, unsigned frames_max)
{
	const struct chan *c = role_peer(e->role, role, 0);
	return c && chan_queued(c) < frames_max;
}

/* ---- "not now" ---- */

/* 0 to most: everybody whom one thing turned away would otherwise be back in the same second. */
static uint32_t
spread(const struct edge *e, const struct conn *conn, uint32_t most)
{
	uint64_t who[2] = { conn_id(conn), conn_request_number(conn) };
	return (uint32_t)(siphash_24(e->seed, view_of(who, sizeof who)) % (most + 1));
}

/* What it may be now, at the earliest and the latest. */
static void
clock_ends(const struct edge *e, int64_t *ret_earliest, int64_t *ret_latest)
{
	int64_t wall = clock_wall_us(e->clock), boot = clock_mono_ms(e->clock) * 1000;
	*ret_earliest = clockwatch_seconds(clockwatch_earliest(&e->watch, wall, boot));
	*ret_latest = clockwatch_seconds(clockwatch_latest(&e->watch, wall, boot));
}

/* Until a window opens for that group, and a little longer; as long as may be said, where none does before. */
static uint32_t
until_window(const struct edge *e, const struct conn *conn, const struct profile *profile, struct view group)
{
	uint32_t most = profile->not_now.status == 503 ? EDGE_WINDOW_RETRY_503 : EDGE_WINDOW_RETRY;
	uint32_t apart = spread(e, conn, EDGE_WINDOW_SPREAD_S);
	int64_t earliest, latest;
	clock_ends(e, &earliest, &latest);
	int64_t opens = window_next(&profile->windows, group, earliest, earliest + most - apart);
	return opens == ZONE_NEVER ? most - apart : (uint32_t)(opens - earliest) + apart;
}

/* It was our fault. */
static uint32_t
in_a_moment(const struct edge *e, const struct conn *conn)
{
	return EDGE_RETRY_S + spread(e, conn, EDGE_RETRY_S);
}

/* retry_s is said only where the profile says any; last: the connection ends with it. */
static void
not_now(struct conn *conn, const struct profile *profile, uint32_t retry_s, bool last)
{
	const struct profile_not_now *n = &profile->not_now;
	if (n->close) {
		conn_close_silently(conn);
		return;
	}
	/* A type that would not fit the head is left out: http_reply takes no mistakes. */
	bool typed = n->body[0] && http_reply_word_ok(view_str(n->content_type), HTTP_REPLY_TYPE_MAX);
	struct serve_text text = {
		.status = (unsigned)n->status,
		.type = typed ? n->content_type : NULL,
		.body = view_str(n->body),
		.retry_after_s = n->retry_after ? retry_s : 0,
		.close = last,
	};
	if (serve_text(conn, &text))
		conn_reset(conn);
}

void
edge_not_now(struct edge *e, struct conn *conn, const struct profile *profile, bool busy)
{
	not_now(conn, profile, busy ? in_a_moment(e, conn) : (uint32_t)profile->not_now.retry_after, false);
}

static void
no_such_thing(struct conn *conn)
{
	/* Empty: a page could end up in a module's flash (MODULE_PROTOCOLS.md section 8). */
	struct serve_text text = { .status = 404 };
	if (serve_text(conn, &text))
		conn_reset(conn);
}

/* ---- transfers ---- */

struct resetting {
	const uint8_t *release;
	unsigned n;
};

static void
reset_one(void *ctx, struct conn *conn)
{
	struct resetting *r = ctx;
	const struct visit *v = conn_data(conn);
	/*
	 * The end of an answer that was sent may still lie in our kernel: that is not to arrive either. Of the
	 * last answer only: where a pipelined request got another since, what lies there of the one before goes out.
	 */
	if (!v || (!v->sending && !v->touched) || (r->release && memcmp(v->release, r->release, MSG_ID)))
		return;
	r->n += v->sending != NULL;
	conn_reset(conn);
}

unsigned
edge_reset_transfers(struct edge *e, const uint8_t *release)
{
	struct resetting r = { .release = release };
	net_each(e->net, reset_one, &r);
	return r.n;
}

/* An entry about a release; refs and dev are the caller's to add. NULL on no memory; free(). */
static struct msg_append *
entry_new(enum entry_event ev, const uint8_t release[MSG_ID], const char *out, const char *msg)
{
	struct msg_append *m = calloc(1, sizeof *m);
	char digits[2 * MSG_ID + 1];
	if (!m)
		return NULL;
	hex_encode(release, MSG_ID, digits);
	m->event = ev;
	m->severity = (uint8_t)entry_event_severity(ev);
	snprintf(m->out, sizeof m->out, "%s", out);
	snprintf(m->obj, sizeof m->obj, "release:%s", digits);
	snprintf(m->msg, sizeof m->msg, "%s", msg);
	return m;
}

static void
entry_number(struct msg_append *m, const char *key, uint64_t number)
{
	struct msg_ref *r = &m->refs[m->refs_n++];
	snprintf(r->key, sizeof r->key, "%s", key);
	r->is_number = true;
	r->number = number;
}

/* Takes m, which may be NULL. False when audit does not get it. */
static bool
entry_send(struct edge *e, struct msg_append *m)
{
	bool sent = m && chan_send(role_peer(e->role, MSG_ROLE_AUDIT, 0), MSG_APPEND, m, NULL, 0) == FG_OK;
	free(m);
	return sent;
}

/* A block is not what was signed for: the release is dropped here, transfers end as they come to it. */
static void
on_corrupt(void *ctx, const uint8_t id[RELEASE_ID], uint64_t block)
{
	struct edge *e = ctx;
	struct msg_append *m =
	    entry_new(ENTRY_IMAGE_CORRUPT, id, "failed", "a block did not hash to what was signed for");
	oplog(OPLOG_ERR, "block %llu of an image is not what was signed for; its release is dropped",
	    (unsigned long long)block);
	if (m)
		entry_number(m, "block", block);
	if (stock_drop(e->stock, id))
		entry_send(e, m); /* once, however many transfers come to it */
	else
		free(m);
	leases_drop_release(e->leases, id);
}

static struct sending *
take_sending(struct edge *e)
{
	struct sending *s = e->spare_sending;
	if (!s)
		return malloc(sizeof *s);
	e->spare_sending = s->next;
	e->n_spare_sending--;
	return s;
}

static void
give_sending(struct edge *e, struct sending *s)
{
	if (!s)
		return;
	if (e->n_spare_sending == EDGE_SPARES_MAX) {
		free(s);
		return;
	}
	s->next = e->spare_sending;
	e->spare_sending = s;
	e->n_spare_sending++;
}

static void
serve(struct edge *e, struct conn *conn, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID],
    const struct profile *profile)
{
	const struct stock_item *item = stock_find(e->stock, release);
	const struct http_request *req = conn_request(conn);
	struct visit *v = edge_visit(conn);
	struct sending *s = v ? take_sending(e) : NULL;
	/* While audit is away a lease is as good as ever; while it drowns, nobody adds to it. */
	bool drowning = role_peer(e->role, MSG_ROLE_AUDIT, 0) && !edge_has_room(e, MSG_ROLE_AUDIT, EDGE_TOLD_QUEUED);
	struct net_source source;
	struct http_answer answer = { 0 };
	if (!item || !req || !s || e->halted || drowning || stock_source(e->stock, item, on_corrupt, e, &source)) {
		give_sending(e, s);
		edge_not_now(e, conn, profile, true);
		return;
	}
	struct http_resource resource = {
		.size = stock_record(item)->size,
		.etag = view_str(stock_etag(item)),
		.modified_s = stock_record(item)->issued,
	};
	bool head = req->method == HTTP_HEAD; /* req is gone once it is answered */
	if (serve_image(conn, &resource, &source, &answer)) {
		give_sending(e, s);
		conn_reset(conn);
		return;
	}
	*s = (struct sending){
		.first = answer.span[0].first,
		.length = answer.length,
		.size = resource.size,
		.head = head,
		.parted = answer.n > 1,
	};
	memcpy(s->module, module, MSG_ID);
	for (unsigned i = 0; i < answer.n; i++)
		s->to_end |= answer.span[i].last + 1 == resource.size;
	memcpy(v->release, release, MSG_ID);
	v->sending = s;
	v->touched = false;
}

static void
tell_end(struct edge *e, const struct visit *v, const struct sending *s, const struct conn_outcome *out, bool last)
{
	/* Between parts stand lines of ours: then only how much of the image it was at most. */
	uint64_t sent = s->parted && out->sent > s->length ? s->length : out->sent;
	struct msg_served m = { .offset = s->first, .sent = sent, .size = s->size, .complete = last };
	memcpy(m.module, s->module, MSG_ID);
	memcpy(m.release, v->release, MSG_ID);
	struct msg_append *entry = entry_new(last ? ENTRY_DEVICE_SERVED : ENTRY_DEVICE_FAILED, v->release,
	    last ? "ok" : "failed", last ? "sent to the end" : conn_why_name(out->why));
	if (entry) {
		entry->have_dev = true;
		memcpy(entry->dev, s->module, MSG_ID);
		entry_number(entry, "offset", s->first);
		entry_number(entry, "sent", sent);
	}
	bool told = entry_send(e, entry);
	if (!edge_has_room(e, MSG_ROLE_CONTROL, EDGE_TOLD_QUEUED) ||
	    chan_send(role_peer(e->role, MSG_ROLE_CONTROL, 0), MSG_SERVED, &m, NULL, 0))
		told = false;
	e->untold += !told;
}

void
edge_on_sent(void *ctx, struct conn *conn, const struct conn_outcome *out)
{
	struct visit *v = conn_data(conn);
	struct sending *s = v ? v->sending : NULL;
	if (!s)
		return; /* "not now", a refusal */
	v->sending = NULL;
	v->touched = out->sent > 0;
	bool last = out->complete && s->to_end;
	/* Ranges in the middle are progress, not an event: 50,000 of them make one image. */
	if (s->length && !s->head && (last || !out->complete))
		tell_end(ctx, v, s, out, last);
	give_sending(ctx, s);
}

/* ---- deciding ---- */

struct choice {
	enum scope_answer answer;
	uint8_t release[MSG_ID];
	uint8_t module[MSG_ID];
	bool have_module;
	const char *group;         /* of the module; borrowed from the table or the request's route */
	int64_t not_before, not_after;
};

/* A module's place under the release of one row after another: a release has many rows. */
struct place {
	bool have;
	uint8_t release[MSG_ID];
	uint64_t at;
};

static uint64_t
place_under(struct place *p, const uint8_t release[MSG_ID], const uint8_t module[MSG_ID])
{
	if (!p->have || memcmp(p->release, release, sizeof p->release) != 0) {
		p->have = true;
		memcpy(p->release, release, sizeof p->release);
		p->at = rollout_place(release, module);
	}
	return p->at;
}

/* One row against module, record and time; the reason if it is not offered. */
static enum scope_answer
judge_row(const struct edge *e, const struct route *r, const struct table_row *module, const struct table_decision *row,
    struct place *place)
{
	const struct stock_item *item = stock_find(e->stock, row->release);
	struct view from = view_str(row->from), group = view_str(row->group);
	struct scope_release release = {
		/* A row beyond the warden's record is no release, whatever the table says. */
		.valid = item && stock_within(item, row),
		.halted = e->halted,
		.product = view_str(row->product),
		.target_version = view_str(row->target),
		.from = &from,
		.from_n = 1,
		.groups = &group,
		.groups_n = 1,
		.not_before = row->not_before,
		.not_after = row->not_after,
		.share = row->share,
		.known_by = row->known_by,
		.as_of = row->as_of,
	};
	struct scope_module who = { .identified = r->identified, .product = view_str(r->product), .place = UINT64_MAX };
	who.current_version = view_str(r->current);
	/* The network's word about the group, where no inventory has another. */
	who.group = view_str(r->identity.group);
	if (module) {
		who.listed = module->listed; /* learnt modules are in the table too */
		who.held = module->held;
		if (module->group[0])
			who.group = view_str(module->group);
		who.first_seen = module->first_seen;
		who.placed = module->placed;
		/* A digest for a request only while a wave is out. */
		if (row->share < ROLLOUT_PLACES)
			who.place = place_under(place, row->release, module->pseudonym);
		if (!r->current[0])
			who.current_version = view_str(module->version);
	}
	int64_t earliest, latest;
	clock_ends(e, &earliest, &latest);
	return scope_offer(&release, &who, r->hit.profile, earliest, latest);
}

/* Of a module's choice: the profile's default where nobody put it into one. */
static struct view
group_of(const struct choice *c, const struct profile *p)
{
	return view_str(c->group && c->group[0] ? c->group : p->default_group);
}

/* What is decided inside a window holds until it closes, and is looked at anew once a day. */
static void
end_with_window(const struct edge *e, const struct profile *p, struct choice *c)
{
	int64_t earliest, latest;
	if (p->windows.n == 0 && p->windows.blackouts_n == 0)
		return;
	clock_ends(e, &earliest, &latest);
	int64_t close = window_close(&p->windows, group_of(c, p), earliest, earliest + ZONE_DAY);
	if (close < c->not_after)
		c->not_after = close;
	if (earliest > c->not_before)
		c->not_before = earliest; /* a clock that goes back may leave the window */
}

/* Nothing is offered: as the profile says, and with the time to come back at where that is known. */
static void
hold(struct edge *e, struct conn *conn, const struct profile *profile, const struct choice *c)
{
	if (c->answer == SCOPE_HOLD_WINDOW)
		not_now(conn, profile, until_window(e, conn, profile, group_of(c, profile)), false);
	else
		edge_not_now(e, conn, profile, false);
}

/* The module that asks: named by its short URL, or by what its request says of it. */
static bool
asker(const struct edge *e, const struct route *r, struct table_row *ret)
{
	if (e->by_link.is)
		*ret = e->by_link.module;
	return e->by_link.is ||
	    (r->identified && table_find(e->table, (unsigned)r->identity.kind, view_str(r->identity.text), ret));
}

/* About e->route and e->by_link. */
static struct choice
decide(const struct edge *e)
{
	const struct route *r = &e->route;
	struct choice c = { .answer = SCOPE_HOLD_NO_RELEASE };
	struct table_row module;
	struct table_decision row;
	struct place place = { .have = false };
	uint32_t it = 0;
	if (!e->table || (e->by_link.is && edge_link_expired(e)))
		return c;
	c.have_module = asker(e, r, &module);
	if (c.have_module) {
		memcpy(c.module, module.pseudonym, MSG_ID);
		c.group = module.group[0] ? module.group : r->identity.group;
	}
	while (table_next(e->table, r->hit.profile->name, r->resource, &it, &row)) {
		/* A short URL is for one release, and for no later one that answers the same request. */
		if (e->by_link.is && memcmp(row.release, e->by_link.link.release, MSG_ID))
			continue;
		enum scope_answer a = judge_row(e, r, c.have_module ? &module : NULL, &row, &place);
		/* Of several reasons the one that came furthest explains most. */
		if (a > c.answer)
			c.answer = a;
		if (a != SCOPE_OFFER)
			continue;
		memcpy(c.release, row.release, MSG_ID);
		c.not_before = row.not_before;
		c.not_after = row.not_after;
		end_with_window(e, r->hit.profile, &c);
		break;
	}
	/* Nobody is granted anything without a pseudonym: a module unknown so far is learnt first. */
	if (c.answer == SCOPE_OFFER && !c.have_module)
		c.answer = SCOPE_HOLD_UNLISTED;
	return c;
}

/* Fills e->route and e->by_link from the waiting request. As route_request. */
static int
route_conn(struct edge *e, struct conn *conn, const struct http_request *req)
{
	struct route_peer peer = {
		.cert_spki = conn_tls_peer(conn),
		.psk_identity = conn_tls_psk(conn),
		.tls_name = conn_tls_name(conn),
	};
	enum profile_miss miss;
	const char *listener = e->config->listeners[conn_tag(conn)].name;
	uint16_t port;
	int err = edge_link_route(e, listener, req);
	if (err != FG_ENOTFOUND)
		return err;
	conn_peer(conn, peer.ip, &port);
	return route_request(e->config, listener, req, &peer, &e->route, &miss);
}

void
edge_granted(struct edge *e, struct conn *conn, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID])
{
	const struct http_request *req = conn_request(conn);
	if (!req || route_conn(e, conn, req)) {
		conn_reset(conn); /* it came this far by the same way a moment ago */
		return;
	}
	struct choice c = decide(e);
	if (c.answer == SCOPE_OFFER && !memcmp(c.module, module, MSG_ID) && !memcmp(c.release, release, MSG_ID))
		serve(e, conn, module, release, e->route.hit.profile);
	else
		hold(e, conn, e->route.hit.profile, &c);
}

static void
refuse_method(struct conn *conn)
{
	if (serve_method_refused(conn))
		conn_reset(conn);
}

/*
 * What is neither GET nor HEAD never gets an image. Some protocols check in by
 * POST or PUT, and their profile knows how to say "nothing for you yet" to that.
 */
static void
answer_other(struct edge *e, struct conn *conn, const struct http_request *req)
{
	bool check_in = view_is(req->method_name, "POST") || view_is(req->method_name, "PUT");
	if (!check_in || route_conn(e, conn, req) || !e->route.hit.profile->not_now.post) {
		refuse_method(conn);
		return;
	}
	if (!e->by_link.is)
		edge_sight(e, conn, req, &e->route, SCOPE_HOLD_NO_RELEASE);
	edge_not_now(e, conn, e->route.hit.profile, false);
}

/* For the next one like it: on this connection, or the first on another. */
static void
keep(struct edge *e, const struct conn *conn, struct visit *v, const struct http_request *req, const struct choice *c,
    uint64_t sighting)
{
	struct recall what = {
		.sighting = sighting,
		.profile = e->route.hit.profile,
		.not_before = c->not_before,
		.not_after = c->not_after,
	};
	if (e->by_link.is && e->by_link.link.not_after < what.not_after)
		what.not_after = e->by_link.link.not_after;
	memcpy(what.module, c->module, MSG_ID);
	memcpy(what.release, c->release, MSG_ID);
	if (v)
		edge_recall_keep(e, v, req, &what);
	else
		edge_recent_keep(e, conn, req, &what, c->group);
}

void
edge_on_request(void *ctx, struct conn *conn, const struct http_request *req)
{
	struct edge *e = ctx;
	if (conn_tag(conn) >= e->config->listeners_n) {
		conn_reset(conn);
		return;
	}
	/* A reload may have taken back what its CA, or one below that, vouched for. */
	if (conn_is_tls(conn) && !conn_tls_stands(conn, e->listener[conn_tag(conn)].tls)) {
		edge_sight_refused(e, conn);
		conn_reset(conn);
		return;
	}
	if (req->method != HTTP_GET && req->method != HTTP_HEAD) {
		answer_other(e, conn, req);
		return;
	}
	struct visit *v = conn_data(conn);
	const struct recall *was = v ? edge_recall(e, v, req) : NULL;
	if (was) {
		serve(e, conn, was->module, was->release, was->profile);
		return;
	}
	const struct recent *recent = v ? NULL : edge_recent(e, conn, req);
	if (recent) {
		was = &recent->what;
		if (edge_crowd_enter(e, conn, was->module, recent->class, recent->group))
			not_now(conn, was->profile, in_a_moment(e, conn), true);
		else
			serve(e, conn, was->module, was->release, was->profile);
		return;
	}
	int err = route_conn(e, conn, req);
	if (err) {
		if (err == FG_ENOTFOUND)
			edge_sight(e, conn, req, NULL, 0);
		no_such_thing(conn);
		return;
	}
	struct choice c = decide(e);
	/* What is asked for by a short URL is known: control made it. */
	uint64_t sighting = e->by_link.is ? 0 : edge_sight(e, conn, req, &e->route, c.answer);
	const struct profile *profile = e->route.hit.profile;
	if (c.have_module && edge_crowd_enter(e, conn, c.module, edge_crowd_class(e), c.group)) {
		not_now(conn, profile, in_a_moment(e, conn), true);
		return;
	}
	if (c.answer != SCOPE_OFFER) {
		hold(e, conn, profile, &c);
		return;
	}
	if (!leases_valid(e->leases, c.module, c.release, clock_mono_ms(e->clock))) {
		edge_asks_add(e, conn, profile, c.module, c.release);
		return;
	}
	/* A first request may well be the only one of its connection. */
	if (sighting || e->by_link.is)
		keep(e, conn, v, req, &c, sighting);
	serve(e, conn, c.module, c.release, profile);
}
