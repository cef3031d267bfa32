/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/edges.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"

_Static_assert(EDGES_MAX == RUNOUTS_EDGES, "an edge has a place in each");

struct edges {
	struct control *c;
	struct chan *chan[EDGES_MAX];
	uint64_t taken[EDGES_MAX];
	struct msg_load load[EDGES_MAX];
	uint64_t generation;
	int fd;               /* the table in force; -1: none yet */
	struct table *table;  /* the same, open: its modules are kept when only decisions change */
	struct event *build, *modules;
	bool due, modules_due;
	int64_t modules_at;   /* when all of it was built last, ms */
	int64_t modules_rest; /* and for how long strangers wait from then on */
};

static void on_build(evutil_socket_t fd, short what, void *ctx);
static void on_modules(evutil_socket_t fd, short what, void *ctx);

struct edges *
edges_new(struct control *c)
{
	struct edges *e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	e->c = c;
	e->fd = -1;
	e->build = evtimer_new(c->base, on_build, e);
	e->modules = evtimer_new(c->base, on_modules, e);
	if (!e->build || !e->modules) {
		edges_free(e);
		return NULL;
	}
	(void)db_meta_get_u64(c->db, DB_META_GENERATION, &e->generation);
	return e;
}

void
edges_free(struct edges *e)
{
	if (!e)
		return;
	if (e->build)
		event_free(e->build);
	if (e->modules)
		event_free(e->modules);
	table_free(e->table);
	if (e->fd >= 0)
		close(e->fd);
	free(e);
}

uint64_t
edges_generation(const struct edges *e)
{
	return e->fd >= 0 ? e->generation : 0;
}

bool
edges_is_up(const struct edges *e, unsigned index)
{
	return index < EDGES_MAX && e->chan[index];
}

uint64_t
edges_taken(const struct edges *e, unsigned index)
{
	return index < EDGES_MAX ? e->taken[index] : 0;
}

const struct msg_load *
edges_load(const struct edges *e, unsigned index)
{
	static const struct msg_load none;
	return index < EDGES_MAX ? &e->load[index] : &none;
}

/* ---- tables ---- */

static void
send_table(struct edges *e, unsigned index)
{
	const struct msg_table m = { .generation = e->generation };
	if (e->fd >= 0)
		chan_send(e->chan[index], MSG_TABLE, &m, &e->fd, 1);
}

/* A generation above every one before, and not below the log. */
static int
next_generation(struct edges *e, uint64_t *ret)
{
	uint64_t log = logbook_size(e->c->logbook);
	uint64_t next = log > e->generation ? log : e->generation + 1;
	/* Remembered before anybody sees it: after a crash the next one must be larger. */
	int err = db_meta_set_u64(e->c->db, DB_META_GENERATION, next);
	*ret = next;
	return err;
}

static int
make(struct edges *e, bool modules, uint64_t generation)
{
	size_t n;
	const struct tables_release *list = releases_all(e->c->releases, &n);
	if (!modules && e->table)
		return tables_redecide(e->table, list, n, generation);
	links_prune(e->c->links, e->c->inventory, timekeep_earliest(e->c));
	return tables_build(e->c->inventory, e->c->links, list, n, generation);
}

/* A table of everything costs what there is of it: no more than one part in EDGES_MODULES_SHARE of the time. */
static int64_t
rest_after(int64_t cost_ms)
{
	int64_t rest = cost_ms * EDGES_MODULES_SHARE;
	if (rest < EDGES_MODULES_LEAST_MS)
		return EDGES_MODULES_LEAST_MS;
	return rest < EDGES_MODULES_MS ? rest : EDGES_MODULES_MS;
}

static void
build(struct edges *e)
{
	struct control *c = e->c;
	int64_t began = clock_mono_ms(c->clock);
	bool modules = e->modules_due || !e->table;
	struct table *t = NULL;
	uint64_t generation;
	e->due = false;
	int err = next_generation(e, &generation);
	if (err) /* the disk is away: the number is above all others of this life at least */
		oplog(OPLOG_ERR, "the table's generation could not be written down: %s", db_why(c->db));
	int fd = make(e, modules, generation);
	err = fd < 0 ? fd : table_open(fd, &t);
	if (err) {
		if (fd >= 0)
			close(fd);
		oplog(OPLOG_ERR, "no decision table could be made: %s; the edges go on with the last one", err_name(err));
		return;
	}
	if (modules) {
		inventory_taken(c->inventory);
		e->modules_due = false;
		e->modules_at = clock_mono_ms(c->clock);
		e->modules_rest = rest_after(e->modules_at - began);
	}
	table_free(e->table);
	if (e->fd >= 0)
		close(e->fd);
	e->table = t;
	e->fd = fd;
	e->generation = generation;
	for (unsigned i = 0; i < EDGES_MAX; i++)
		if (e->chan[i])
			send_table(e, i);
}

static void
on_build(evutil_socket_t fd, short what, void *ctx)
{
	struct edges *e = ctx;
	(void)fd;
	(void)what;
	/* Nothing is offered before the warden has said what is released. */
	if (e->due && e->c->warden_listed)
		build(e);
}

void
edges_table_due(struct edges *e, bool modules)
{
	const struct timeval tv = { 0, EDGES_DECIDE_MS * 1000 };
	e->modules_due |= modules;
	if (!e->due)
		evtimer_add(e->build, &tv);
	e->due = true;
}

void
edges_table_now(struct edges *e)
{
	if (e->c->warden_listed || e->table)
		build(e);
}

static void
on_modules(evutil_socket_t fd, short what, void *ctx)
{
	struct edges *e = ctx;
	(void)fd;
	(void)what;
	if (inventory_is_stale(e->c->inventory))
		edges_table_due(e, true);
}

void
edges_modules_seen(struct edges *e)
{
	if (!inventory_is_stale(e->c->inventory) || e->modules_due || evtimer_pending(e->modules, NULL))
		return;
	int64_t wait = e->modules_at + e->modules_rest - clock_mono_ms(e->c->clock);
	const struct timeval tv = { wait > 0 ? wait / 1000 : 0, wait > 0 ? wait % 1000 * 1000 : 0 };
	evtimer_add(e->modules, &tv);
}

void
edges_tick(struct edges *e)
{
	edges_modules_seen(e);
	if (e->due && e->c->warden_listed && !evtimer_pending(e->build, NULL))
		build(e);
}

static unsigned
take_back(struct edges *e, const uint8_t release[MSG_ID], bool withheld)
{
	struct msg_revoke m = { .generation = e->generation, .withheld = withheld };
	unsigned n = 0;
	memcpy(m.release, release, sizeof m.release);
	for (unsigned i = 0; i < EDGES_MAX; i++)
		if (e->chan[i] && chan_send(e->chan[i], MSG_REVOKE, &m, NULL, 0) == FG_OK)
			n++;
	return n;
}

unsigned
edges_revoke(struct edges *e, const uint8_t release[MSG_ID])
{
	return take_back(e, release, false);
}

unsigned
edges_withhold(struct edges *e, const uint8_t release[MSG_ID])
{
	return take_back(e, release, true);
}

/* ---- channels ---- */

void
edges_up(struct edges *e, struct chan *chan, unsigned index)
{
	if (index >= EDGES_MAX)
		return;
	e->chan[index] = chan;
	e->taken[index] = 0;
	e->load[index] = (struct msg_load){ 0 };
	send_table(e, index);
}

void
edges_down(struct edges *e, unsigned index)
{
	if (index >= EDGES_MAX)
		return;
	e->chan[index] = NULL;
	e->load[index] = (struct msg_load){ 0 };
	runouts_take(&e->c->runouts, index, NULL);
}

static void
on_sighting(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	(void)frame;
	sightings_take(c->sightings, chan_peer_index(chan), msg);
	edges_modules_seen(c->edges);
}

static void
on_grant_ask(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	const struct msg_grant_ask *m = msg;
	struct msg_grant_say say = { 0 };
	int64_t most = policies_config(c->policies)->grant_lease;
	(void)frame;
	grants_answer_all(c->grants, c->inventory, m, timekeep_earliest(c), timekeep_latest(c), &say);
	for (uint32_t i = 0; i < say.says_n; i++)
		if (say.says[i].lease_s > most)
			say.says[i].lease_s = (uint32_t)most;
	chan_send(chan, MSG_GRANT_SAY, &say, NULL, 0);
}

static void
on_taken(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	const struct msg_table_taken *m = msg;
	unsigned i = chan_peer_index(chan);
	(void)frame;
	if (m->err)
		oplog(OPLOG_ERR, "edge %u refused a table: %s", i, err_name(m->err));
	else if (i < EDGES_MAX)
		c->edges->taken[i] = m->generation;
}

static void
on_revoked(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	(void)chan;
	(void)frame;
	releases_on_revoked(c->releases, msg);
}

static void
on_served(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	const struct msg_served *m = msg;
	(void)frame;
	/* An edge may say what it likes: only a release in force gets a row for it. */
	if (grants_served(c->grants, m, control_now(c)) != FG_ENOTFOUND ||
	    (c->warden_listed && !releases_offers(c->releases, m->release)))
		return;
	/* Answered by a control that died before it was written down: the module counts all the same. */
	oplog(OPLOG_WARNING, "edge %u says it served a module that control does not remember granting",
	    chan_peer_index(chan));
	if (grants_replay(c->grants, m->module, m->release, control_now(c)) == FG_OK)
		(void)grants_served(c->grants, m, control_now(c));
}

static void
on_load(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	unsigned i = chan_peer_index(chan);
	(void)frame;
	if (i < EDGES_MAX)
		c->edges->load[i] = *(const struct msg_load *)msg;
}

static void
on_runouts(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	struct control *c = ctx;
	(void)frame;
	runouts_take(&c->runouts, chan_peer_index(chan), msg);
}

static const struct chan_rule rules[] = {
	{ MSG_SIGHTING, CHAN_ALWAYS, on_sighting },
	{ MSG_GRANT_ASK, CHAN_ALWAYS, on_grant_ask },
	{ MSG_TABLE_TAKEN, CHAN_ALWAYS, on_taken },
	{ MSG_REVOKED, CHAN_ALWAYS, on_revoked },
	{ MSG_SERVED, CHAN_ALWAYS, on_served },
	{ MSG_LOAD, CHAN_ALWAYS, on_load },
	{ MSG_RUNOUTS, CHAN_ALWAYS, on_runouts },
};
const struct chan_ops edges_ops = { rules, sizeof rules / sizeof rules[0], NULL };
