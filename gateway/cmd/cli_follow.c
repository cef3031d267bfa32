/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_follow.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_cursor.h"
#include "gateway/cmd/cli_proved.h"

#define LOOK_S 1 /* the log publishes a checkpoint a second at most */
#define BACKOFF_MAX_S 60
#define AGAIN_MAX 10

struct follow {
	const struct cli_follow *asked;
	const struct cli_follow_taker *to;
	struct cli_cursor cursor;
	uint64_t at;           /* next to hand on: the cursor's, or earlier */
	uint64_t floor;        /* before it nothing is: where a first start began */
	bool from_now;         /* the floor is the first head that is seen */
	struct cli_call *call; /* NULL: not connected */
	struct cli_proved log;
	struct merkle *m;
	unsigned wait_s;       /* back-off; 0: all is well */
};

static int64_t
now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- one thing handed on ---- */

static int
entry(void *ctx, uint64_t index, struct view line)
{
	struct follow *f = ctx;
	struct record r;
	int err = record_read(f->m, index, line, &r);
	if (err)
		return CLI_COULD_NOT;
	err = f->to->entry(f->to->ctx, &r);
	record_free(&r);
	return err ? CLI_COULD_NOT : 0;
}

static int
settle(struct follow *f)
{
	return f->to->settle && f->to->settle(f->to->ctx) ? CLI_COULD_NOT : 0;
}

static int
checkpoint(struct follow *f)
{
	struct view note = writer_view(&f->log.log.note);
	uint8_t sha256[DIGEST_SHA256_LEN];
	int err = digest_sha256(note, sha256);
	if (err || memcmp(sha256, f->cursor.note, sizeof sha256) == 0)
		return err ? CLI_COULD_NOT : 0;
	if (f->to->checkpoint && (f->to->checkpoint(f->to->ctx, note, &f->log.log.head) || settle(f)))
		return CLI_COULD_NOT;
	memcpy(f->cursor.note, sha256, sizeof sha256);
	return 0;
}

/* Whoever takes is told as well that what the gateway shows is not what it signed; if it can be. */
static void
alarm_of(struct follow *f)
{
	char src[CHECKPOINT_ORIGIN_MAX + sizeof "/forward"], msg[160];
	const char *origin = f->log.key.name;
	if (!f->to->alarm)
		return;
	snprintf(src, sizeof src, "%.*s/forward", (int)strcspn(origin, "/"), origin);
	snprintf(msg, sizeof msg, "the log shows what it did not sign, or does not continue what it signed before; %s has stopped",
	    f->asked->word);
	const struct record r = record_alarm(view_str(src), msg, now_us());
	f->to->alarm(f->to->ctx, &r);
}

/* ---- both ends ---- */

/* A lie may not be told on; everything else may get better. */
static bool
is_final(int status)
{
	return status == CLI_REFUSED || status == CLI_USAGE;
}

static void
close_log(struct follow *f)
{
	if (!f->call)
		return;
	cli_proved_close(&f->log);
	cli_call_close(f->call);
	f->call = NULL;
}

static int
open_log(struct follow *f)
{
	const struct cli_follow *a = f->asked;
	if (f->call)
		return 0;
	int status = cli_call_open(a->c, &f->call);
	if (status)
		return status;
	status = cli_proved_open(&f->log, a->c, f->call, a->vkey);
	/* Another key is another log: its entries are no continuation of what was sent. */
	if (!status && f->cursor.vkey[0] && strcmp(f->cursor.vkey, f->log.vkey) != 0)
		status = cli_opt_fail(a->c, CLI_REFUSED, "LOG", "A new log needs a new cursor.",
		    "%s belongs to the log %s, and this gateway's is %s", a->cursor ? a->cursor : "what was sent", f->cursor.vkey,
		    f->log.vkey);
	else if (!status)
		memcpy(f->cursor.vkey, f->log.vkey, sizeof f->cursor.vkey);
	if (status)
		close_log(f);
	return status;
}

static int
open_taker(struct follow *f)
{
	if (!f->to->is_open || f->to->is_open(f->to->ctx))
		return 0;
	if (f->to->open(f->to->ctx))
		return CLI_COULD_NOT;
	/* What the last connection took may never have been read: once more, as much as was agreed. */
	uint64_t back = f->cursor.next < (uint64_t)f->asked->resend ? f->cursor.next : (uint64_t)f->asked->resend;
	f->at = f->cursor.next - back < f->floor ? f->floor : f->cursor.next - back;
	memset(f->cursor.note, 0, sizeof f->cursor.note);
	return 0;
}

/* ---- the loop ---- */

static int
keep(struct follow *f)
{
	return f->asked->cursor ? cli_cursor_save(f->asked->c, f->asked->cursor, &f->cursor) : 0;
}

/* A bundle of entries, and the cursor behind it once the other side has confirmed them. */
static int
some(struct follow *f)
{
	int status = cli_proved_some(&f->log, &f->at, entry, f);
	/* What came before the one that failed has been taken all the same. */
	int taken = settle(f);
	if (!taken && f->at > f->cursor.next) { /* else: again, not further */
		f->cursor.next = f->at;
		taken = keep(f);
	}
	return status ? status : taken;
}

/* The log and whoever takes are there, and the head continues the one before. */
static int
both(struct follow *f)
{
	int status = open_log(f);
	if (!status)
		status = cli_proved_head(&f->log, &f->cursor.head);
	if (!status && f->from_now) {
		f->cursor.next = f->at = f->floor = f->log.log.head.size;
		f->from_now = false;
		status = keep(f);
	}
	return status ? status : open_taker(f);
}

static int
round_trip(struct follow *f)
{
	int status = both(f);
	if (status)
		return status;
	bool grown = f->log.log.head.size != f->cursor.head.size;
	if (f->cursor.next > f->log.log.head.size) { /* --from: wait for it */
		if (f->asked->once)
			fprintf(stderr, "fotagate: nothing was sent: the log has %" PRIu64 " entries\n", f->log.log.head.size);
		return 0;
	}
	f->cursor.head = f->log.log.head;
	while (!status && f->at < f->log.log.head.size)
		status = some(f);
	uint8_t before[DIGEST_SHA256_LEN];
	memcpy(before, f->cursor.note, sizeof before);
	if (!status)
		status = checkpoint(f);
	if (!status && (grown || memcmp(before, f->cursor.note, sizeof before) != 0))
		status = keep(f);
	if (!status && f->to->round && f->to->round(f->to->ctx, f->call))
		status = CLI_COULD_NOT;
	/* Also where nothing was to be sent: who hung up meanwhile may not have read the last of it. */
	return status ? status : settle(f);
}

static void
complain(const struct follow *f)
{
	const char *why = f->to->why(f->to->ctx);
	if (why[0])
		cli_opt_fail(f->asked->c, CLI_COULD_NOT, "AWAY", NULL, "%s", why);
}

static void
back_off(struct follow *f)
{
	f->wait_s = f->wait_s ? f->wait_s * 2 : 1;
	if (f->wait_s > BACKOFF_MAX_S)
		f->wait_s = BACKOFF_MAX_S;
	complain(f);
	nanosleep(&(struct timespec){ .tv_sec = f->wait_s }, NULL);
}

static int
follow(struct follow *f)
{
	const struct timespec nap = { .tv_sec = LOOK_S };
	for (unsigned again = 0;;) {
		int status = round_trip(f);
		/* A newer head has replaced tiles: look again at once, but not for ever. */
		if (status == CLI_PROVED_AGAIN && ++again < AGAIN_MAX)
			continue;
		again = 0;
		if (status == CLI_REFUSED)
			alarm_of(f);
		if (f->asked->once && status)
			complain(f);
		if (is_final(status) || f->asked->once)
			return status == CLI_PROVED_AGAIN ? CLI_COULD_NOT : status;
		if (status) {
			close_log(f);
			back_off(f);
		} else {
			f->wait_s = 0;
			nanosleep(&nap, NULL);
		}
	}
}

int
cli_follow(const struct cli_follow *asked, const struct cli_follow_taker *taker)
{
	struct follow f = { .asked = asked, .to = taker, .m = merkle_new() };
	int status = f.m ? 0 : cli_opt_fail(asked->c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	if (!status && asked->cursor)
		status = cli_cursor_load(asked->c, asked->cursor, &f.cursor);
	if (!status && !f.cursor.vkey[0]) {
		f.from_now = asked->from < 0;
		f.cursor.next = f.floor = f.from_now ? 0 : (uint64_t)asked->from;
	}
	f.at = f.cursor.next;
	signal(SIGPIPE, SIG_IGN); /* whoever hangs up is an everyday thing */
	if (!status)
		status = follow(&f);
	close_log(&f);
	merkle_free(f.m);
	return status;
}
