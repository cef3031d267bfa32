/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/replay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "crypto/tile.h"
#include "gateway/control/control_private.h"
#include "gateway/control/recount.h"

#define LOOKS_MAX 10 /* REPLAY_AGAIN_MS apart: the warden needs a few writes to disk */

struct replay {
	struct control *c;
	uint64_t next;      /* first entry not yet read */
	uint64_t target;    /* size of the log when reading began */
	uint64_t published; /* what can be read of it */
	bool have_target, running, done;
	unsigned looks;     /* at a folder of signer sets that is not as the log has it */
	bool stuck;         /* for ever: the log does not change */
	uint64_t stuck_at;  /* entry that takes something back, and cannot be read */
	struct event *again;
	struct recount *recount; /* NULL once the database was held against it */
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
	r->recount = recount_new(control_now(c));
	if (!r->again || !r->recount) {
		replay_free(r);
		return NULL;
	}
	return r;
}

void
replay_free(struct replay *r)
{
	if (!r)
		return;
	if (r->again)
		event_free(r->again);
	recount_free(r->recount);
	free(r);
}

bool
replay_done(const struct replay *r)
{
	return r && r->done;
}

bool
replay_stuck(const struct replay *r, uint64_t *ret_index)
{
	*ret_index = r ? r->stuck_at : 0;
	return r && r->stuck;
}

static void
later(struct replay *r)
{
	const struct timeval tv = { 0, REPLAY_AGAIN_MS * 1000 };
	if (evtimer_add(r->again, &tv))
		r->running = false; /* the log's next change begins it again */
}

/* The value of the first text field of that name, which holds no escape; empty without one. */
static struct view
field(struct view line, const char *name)
{
	const uint8_t *p = memmem(line.p, line.n, name, strlen(name));
	if (!p)
		return view_of(NULL, 0);
	p += strlen(name);
	size_t left = line.n - (size_t)(p - line.p);
	const uint8_t *end = memchr(p, '"', left);
	return end && !memchr(p, '\\', (size_t)(end - p)) ? view_of(p, (size_t)(end - p)) : view_of(NULL, 0);
}

/*
 * Most of a log are grants, and all of it is read at every start: they are not
 * parsed as documents. Keys stand in fixed order (entry.h), so what comes first is
 * the field and nothing that somebody wrote into another.
 */
static int
take_grant(struct replay *r, struct view line)
{
	uint8_t module[MSG_ID], release[MSG_ID];
	int64_t t_us = 0;
	struct view obj = field(line, "\"obj\":\"release:"), dev = field(line, "\"dev\":\""), t = field(line, "\"t\":\"");
	if (obj.n != 2 * sizeof release || dev.n != 2 * sizeof module || !stamp_parse_us(t, &t_us) ||
	    !hex_decode(obj, release, sizeof release) || !hex_decode(dev, module, sizeof module))
		return FG_EFORMAT;
	return grants_replay(r->c->grants, module, release, t_us / 1000000);
}

/* What a granted module said. Likewise, for there may be as many; and what cannot be read counts for nobody. */
static void
take_result(struct replay *r, struct view line)
{
	uint8_t module[MSG_ID], release[MSG_ID];
	int64_t t_us = 0;
	struct view obj = field(line, "\"obj\":\"release:"), dev = field(line, "\"dev\":\""), t = field(line, "\"t\":\"");
	if (obj.n != 2 * sizeof release || dev.n != 2 * sizeof module || !stamp_parse_us(t, &t_us) ||
	    !hex_decode(obj, release, sizeof release) || !hex_decode(dev, module, sizeof module))
		return;
	rollouts_replay(r->c->rollouts, module, release, field(line, "\"outcome\":\""), field(line, "\"class\":\""),
	    t_us / 1000000);
}

static int
take_entry(struct replay *r, uint64_t index, struct view line)
{
	struct json *doc = NULL;
	struct entry e;
	struct view event = field(line, "\"ev\":\"");
	bool grant = view_is(event, entry_event_name(ENTRY_DEVICE_GRANT));
	if (view_is(event, entry_event_name(ENTRY_DEVICE_RESULT))) {
		take_result(r, line);
		return FG_OK;
	}
	bool attest = view_is(event, entry_event_name(ENTRY_IMAGE_ATTESTED));
	if (!grant && !attest && !recount_wants(event))
		return FG_OK;
	int err = grant ? take_grant(r, line) : entry_parse(line, &doc, &e, NULL);
	if (err == FG_EFORMAT || err == FG_ELIMIT) {
		/* It will never be any other. What would permit, or counts one module, is left out and named. */
		r->stuck = recount_restricts(event);
		r->stuck_at = index;
		if (r->stuck)
			return err;
		recount_skip(r->recount);
		return FG_OK;
	}
	if (!err && attest)
		err = attests_replay(r->c->attests, &e);
	else if (!err && !grant) {
		glass_replay(r->c->glass, &e);
		err = recount_take(r->recount, index, &e);
	}
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
			err = take_entry(r, index, line);
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
	if (r->stuck) {
		oplog(OPLOG_ERR, "entry %llu of the log takes something back and cannot be read; nothing is permitted",
		    (unsigned long long)r->stuck_at);
		return; /* it stays running, and is never done */
	}
	if (err) {
		oplog(OPLOG_ERR, "the log could not be read back: %s; nothing is permitted until it was",
		    err_name(err));
		later(r);
		return;
	}
	ask(r);
}

static void
finish(struct replay *r)
{
	struct control *c = r->c;
	if (!c->warden_listed) {
		later(r); /* what it has released is part of the truth */
		return;
	}
	if (recount_signers_differ(r->recount, c->people) && r->looks++ < LOOKS_MAX) {
		r->have_target = false; /* the warden may be putting one in force just now */
		later(r);
		return;
	}
	r->running = false;
	(void)recount_mend(r->recount, c, r->target);
	recount_free(r->recount);
	r->recount = NULL;
	r->done = true;
	(void)grants_flush(c->grants);
	control_gate(c);
	judging_resume(c->judging);
	reviews_resume(c->reviews);
	proposals_resume(c->proposals);
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
