/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/replay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/tile.h"
#include "gateway/control/control_private.h"

#define META_REPLAYED "replayed" /* entries whose grants are in the database */

struct replay {
	struct control *c;
	uint64_t next;      /* first entry not yet read */
	uint64_t target;    /* size of the log when reading began */
	uint64_t published; /* what can be read of it */
	bool have_target, running, done;
	struct event *again;
};

static void ask(struct replay *r);

static void
on_again(evutil_socket_t fd, short what, void *ctx)
{
	struct replay *r = ctx;
	(void)fd;
	(void)what;
	r->running = false;
	replay_begin(r);
}

struct replay *
replay_new(struct control *c)
{
	struct replay *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->c = c;
	r->again = evtimer_new(c->base, on_again, r);
	if (!r->again) {
		free(r);
		return NULL;
	}
	(void)db_meta_get_u64(c->db, META_REPLAYED, &r->next);
	return r;
}

void
replay_free(struct replay *r)
{
	if (!r)
		return;
	event_free(r->again);
	free(r);
}

bool
replay_done(const struct replay *r)
{
	return r->done;
}

static void
later(struct replay *r)
{
	const struct timeval tv = { 0, REPLAY_AGAIN_MS * 1000 };
	if (evtimer_add(r->again, &tv))
		r->running = false; /* the log's next change begins it again */
}

static int
take_entry(struct replay *r, struct view line)
{
	static const char mark[] = "\"ev\":\"device.grant\"";
	static const char prefix[] = "release:";
	struct json *doc = NULL;
	struct entry e;
	uint8_t release[MSG_ID];
	int err = FG_OK;
	/* Most entries are something else: they are not worth parsing. */
	if (!line.n || !memmem(line.p, line.n, mark, sizeof mark - 1))
		return FG_OK;
	err = entry_parse(line, &doc, &e, NULL);
	if (err)
		return err;
	if (e.ev == ENTRY_DEVICE_GRANT && e.have_dev && e.obj.n == sizeof prefix - 1 + sizeof release * 2 &&
	    !memcmp(e.obj.p, prefix, sizeof prefix - 1) &&
	    hex_decode(view_of(e.obj.p + sizeof prefix - 1, 2 * sizeof release), release, sizeof release))
		err = grants_replay(r->c->grants, e.dev, release, e.t_us / 1000000);
	json_free(doc);
	return err;
}

static int
take_bundle(struct replay *r, struct view bytes, uint64_t first, unsigned width)
{
	struct tile_bundle b;
	struct view line;
	uint64_t index = first;
	int got, err = FG_OK;
	tile_bundle_begin(&b, bytes, width);
	while (!err && (got = tile_bundle_next(&b, &line)) != 0) {
		if (got < 0)
			return got;
		if (index >= r->next)
			err = take_entry(r, line);
		index++;
	}
	if (!err)
		r->next = index;
	return err;
}

static uint64_t
bundle_of(const struct replay *r)
{
	return r->next / TILE_WIDTH;
}

static void
on_opened(void *ctx, int err, int fd)
{
	struct replay *r = ctx;
	struct writer w;
	if (err) {
		/* A partial bundle gives way to a wider one; away is away. */
		later(r);
		return;
	}
	writer_init(&w, TILE_BUNDLE_MAX);
	err = files_read(fd, TILE_BUNDLE_MAX, &w);
	close(fd);
	if (!err)
		err = take_bundle(r, writer_view(&w), bundle_of(r) * TILE_WIDTH, tile_width(0, bundle_of(r), r->published));
	writer_free(&w);
	if (err) {
		oplog(OPLOG_ERR, "grants could not be read back from the log: %s; nothing is granted until they are",
		    err_name(err));
		later(r);
		return;
	}
	ask(r);
}

static void
finish(struct replay *r)
{
	r->running = false;
	r->done = true;
	replay_remember(r);
	control_gate(r->c);
}

static void
ask(struct replay *r)
{
	char name[TILE_PATH_CAP];
	if (r->next >= r->target) {
		finish(r);
		return;
	}
	unsigned width = tile_width(0, bundle_of(r), r->published);
	if (r->published < r->target || bundle_of(r) * TILE_WIDTH + width <= r->next) {
		later(r); /* it publishes every second */
		return;
	}
	const struct tile t = { .level = TILE_ENTRIES, .index = bundle_of(r), .width = width };
	tile_path(&t, name);
	if (logbook_open(r->c->logbook, name, on_opened, r))
		later(r);
}

static void
on_head(void *ctx, int err, const struct msg_head *m)
{
	struct replay *r = ctx;
	if (err || m->state != MSG_LOG_OPEN_OK) {
		later(r);
		return;
	}
	if (!r->have_target)
		r->target = m->size;
	r->have_target = true;
	r->published = m->published;
	/* More than the log has: it was another log, and the logbook says so elsewhere. */
	if (r->next > m->size)
		r->next = 0;
	ask(r);
}

void
replay_begin(struct replay *r)
{
	if (r->done || r->running || !logbook_permits(r->c->logbook))
		return;
	r->running = true;
	if (logbook_ask_head(r->c->logbook, on_head, r))
		r->running = false;
}

void
replay_remember(struct replay *r)
{
	struct control *c = r->c;
	/* Grants below this size were answered before it was heard of, so they are in memory, and flushed now. */
	uint64_t size = logbook_head_size(c->logbook);
	if (r->done && logbook_permits(c->logbook) && size && grants_flush(c->grants) == FG_OK)
		(void)db_meta_set_u64(c->db, META_REPLAYED, size);
}
