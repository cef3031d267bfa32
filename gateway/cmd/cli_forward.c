/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop of two ends that can both go away: the gateway's control socket and the
 * collector. Neither may cost an entry: what is not known to have been taken is
 * sent again, from a cursor that moves only behind what was; and what the log's signature does
 * not cover is not sent at all.
 */
#include "gateway/cmd/cli_forward.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_cursor.h"
#include "gateway/cmd/cli_proved.h"
#include "gateway/cmd/cli_sink.h"
#include "gateway/cmd/cli_tail.h"
#include "gateway/view/cef.h"
#include "gateway/view/journal.h"
#include "gateway/view/rfc5424.h"

#define LOOK_S 1          /* the log publishes a checkpoint a second at most */
#define BACKOFF_MAX_S 60
#define RESEND 512        /* entries sent again after a connection was lost */
#define RESEND_MAX 65536
#define AGAIN_MAX 10
#define MESSAGE_MAX (2u << 20) /* a checkpoint with all its signatures in base64, escaped */

struct forward {
	const struct cli_common *c;
	enum formats format;
	struct record_frame frame;
	struct cli_sink *sink;
	const char *path;          /* of the cursor; NULL: none is kept */
	const char *vkey;          /* what a person said; NULL: the gateway's word */
	struct cli_cursor cursor;
	uint64_t at;               /* next to send on this connection: the cursor's, or earlier */
	int64_t resend;
	bool once;                 /* one round, and done */
	uint64_t floor;            /* before it nothing is sent: --from of a first start */
	struct cli_call *call;     /* NULL: not connected */
	struct cli_proved log;
	struct merkle *m;
	struct writer w;
	unsigned wait_s;           /* back-off; 0: all is well */
};

static int64_t
now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- one message ---- */

static int
send_record(struct forward *f, const struct record *r)
{
	int err;
	struct writer cef;
	writer_reset(&f->w);
	if (f->format == FORMATS_JOURNAL) {
		err = journal_put(r, &f->w);
	} else if (f->format == FORMATS_CEF) {
		writer_init(&cef, FORMATS_TEXT_MAX);
		err = cef_put(r, &cef);
		if (!err)
			err = rfc5424_wrap(r, writer_view(&cef), &f->w);
		writer_free(&cef);
	} else {
		err = rfc5424_put(r, &f->frame, &f->w);
	}
	return err ? err : cli_sink_send(f->sink, writer_view(&f->w));
}

static int
send_entry(void *ctx, uint64_t index, struct view line)
{
	struct forward *f = ctx;
	struct record r;
	int err = record_read(f->m, index, line, &r);
	if (err)
		return CLI_COULD_NOT;
	err = send_record(f, &r);
	record_free(&r);
	return err ? CLI_COULD_NOT : 0;
}

static int
send_checkpoint(struct forward *f)
{
	const struct checkpoint *head = &f->log.log.head;
	struct view note = writer_view(&f->log.log.note);
	uint8_t sha256[DIGEST_SHA256_LEN];
	struct record r = { .unlogged = true, .known = true, .e = { .t_us = now_us(), .sev = 6,
		.ev_text = view_str(entry_event_name(ENTRY_LOG_CHECKPOINT)),
		.src = view_of(head->origin, strcspn(head->origin, "/")) } };
	struct writer cef;
	int err = digest_sha256(note, sha256);
	if (err || memcmp(sha256, f->cursor.note, sizeof sha256) == 0)
		return err ? CLI_COULD_NOT : 0;
	writer_reset(&f->w);
	if (f->format == FORMATS_JOURNAL) {
		err = journal_put_checkpoint(note, head, &f->w);
	} else if (f->format == FORMATS_CEF) {
		writer_init(&cef, MESSAGE_MAX);
		err = cef_put_checkpoint(note, head, r.e.t_us, &cef);
		if (!err)
			err = rfc5424_wrap(&r, writer_view(&cef), &f->w);
		writer_free(&cef);
	} else {
		err = rfc5424_put_checkpoint(note, head, r.e.t_us, &f->frame, &f->w);
	}
	if (err || cli_sink_send(f->sink, writer_view(&f->w)) || cli_sink_settle(f->sink))
		return CLI_COULD_NOT;
	memcpy(f->cursor.note, sha256, sizeof sha256);
	return 0;
}

/* The collector is told as well that what the gateway shows is not what it signed; if it can be. */
static void
send_alarm(struct forward *f)
{
	char src[CHECKPOINT_ORIGIN_MAX + sizeof "/forward"];
	const char *origin = f->log.key.name;
	snprintf(src, sizeof src, "%.*s/forward", (int)strcspn(origin, "/"), origin);
	const struct record r = record_alarm(view_str(src), "the log shows what it did not sign, or does not continue what "
	    "it signed before; forwarding has stopped", now_us());
	if (!cli_sink_open(f->sink) && !send_record(f, &r))
		(void)cli_sink_settle(f->sink);
}

/* ---- both ends ---- */

/* A lie may not be told on; everything else may get better. */
static bool
is_final(int status)
{
	return status == CLI_REFUSED || status == CLI_USAGE;
}

static void
close_log(struct forward *f)
{
	if (!f->call)
		return;
	cli_proved_close(&f->log);
	cli_call_close(f->call);
	f->call = NULL;
}

static int
open_log(struct forward *f)
{
	if (f->call)
		return 0;
	int status = cli_call_open(f->c, &f->call);
	if (status)
		return status;
	status = cli_proved_open(&f->log, f->c, f->call, f->vkey);
	/* Another key is another log: its entries are no continuation of what was sent. */
	if (!status && f->cursor.vkey[0] && strcmp(f->cursor.vkey, f->log.vkey) != 0)
		status = cli_opt_fail(f->c, CLI_REFUSED, "LOG", "A new log needs a new cursor.",
		    "%s belongs to the log %s, and this gateway's is %s", f->path ? f->path : "what was sent", f->cursor.vkey,
		    f->log.vkey);
	else if (!status)
		memcpy(f->cursor.vkey, f->log.vkey, sizeof f->cursor.vkey);
	if (status)
		close_log(f);
	return status;
}

static int
open_sink(struct forward *f)
{
	if (cli_sink_is_open(f->sink))
		return 0;
	if (cli_sink_open(f->sink))
		return CLI_COULD_NOT;
	/* What the last connection took may never have been read: once more, as much as was agreed. */
	uint64_t back = f->cursor.next < (uint64_t)f->resend ? f->cursor.next : (uint64_t)f->resend;
	f->at = f->cursor.next - back < f->floor ? f->floor : f->cursor.next - back;
	memset(f->cursor.note, 0, sizeof f->cursor.note);
	return 0;
}

/* ---- the loop ---- */

static int
keep(struct forward *f)
{
	return f->path ? cli_cursor_save(f->c, f->path, &f->cursor) : 0;
}

/* A bundle of entries, and the cursor behind it once the other side has confirmed them. */
static int
send_some(struct forward *f)
{
	int status = cli_proved_some(&f->log, &f->at, send_entry, f);
	if (status)
		return status;
	if (cli_sink_settle(f->sink))
		return CLI_COULD_NOT;
	if (f->at <= f->cursor.next)
		return 0; /* again, not further */
	f->cursor.next = f->at;
	return keep(f);
}

static int
round_trip(struct forward *f)
{
	int status = open_log(f);
	if (!status)
		status = cli_proved_head(&f->log, &f->cursor.head);
	if (!status)
		status = open_sink(f);
	if (status)
		return status;
	bool grown = f->log.log.head.size != f->cursor.head.size;
	if (f->cursor.next > f->log.log.head.size) { /* --from: wait for it */
		if (f->once)
			fprintf(stderr, "fotagate: nothing was sent: the log has %" PRIu64 " entries\n", f->log.log.head.size);
		return 0;
	}
	f->cursor.head = f->log.log.head;
	while (!status && f->at < f->log.log.head.size)
		status = send_some(f);
	uint8_t before[DIGEST_SHA256_LEN];
	memcpy(before, f->cursor.note, sizeof before);
	if (!status)
		status = send_checkpoint(f);
	if (!status && (grown || memcmp(before, f->cursor.note, sizeof before) != 0))
		status = keep(f);
	/* Also where nothing was to be sent: who hung up meanwhile may not have read the last of it. */
	return !status && cli_sink_settle(f->sink) ? CLI_COULD_NOT : status;
}

static void
complain(const struct forward *f)
{
	if (!cli_sink_is_open(f->sink) && cli_sink_why(f->sink)[0])
		cli_opt_fail(f->c, CLI_COULD_NOT, "AWAY", NULL, "%s", cli_sink_why(f->sink));
}

static void
back_off(struct forward *f)
{
	f->wait_s = f->wait_s ? f->wait_s * 2 : 1;
	if (f->wait_s > BACKOFF_MAX_S)
		f->wait_s = BACKOFF_MAX_S;
	complain(f);
	nanosleep(&(struct timespec){ .tv_sec = f->wait_s }, NULL);
}

static int
forward(struct forward *f)
{
	const struct timespec nap = { .tv_sec = LOOK_S };
	for (unsigned again = 0;;) {
		int status = round_trip(f);
		/* A newer head has replaced tiles: look again at once, but not for ever. */
		if (status == CLI_PROVED_AGAIN && ++again < AGAIN_MAX)
			continue;
		again = 0;
		if (status == CLI_REFUSED)
			send_alarm(f);
		if (f->once && status)
			complain(f);
		if (is_final(status) || f->once)
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

static int
start(struct forward *f, const struct cli_sink_to *to, const char *format, int64_t from)
{
	int status = cli_sink_new(f->c, to, &f->sink);
	if (status)
		return status;
	bool journal = cli_sink_kind(f->sink) == CLI_SINK_JOURNAL;
	f->format = format ? formats_parse(format) : journal ? FORMATS_JOURNAL : FORMATS_RFC5424;
	if (journal != (f->format == FORMATS_JOURNAL) ||
	    (!journal && f->format != FORMATS_RFC5424 && f->format != FORMATS_CEF))
		return cli_opt_fail(f->c, CLI_USAGE, "USAGE", "rfc5424 or cef; to the journal, journal.",
		    "%s: no format of that destination", format);
	if (f->path)
		status = cli_cursor_load(f->c, f->path, &f->cursor);
	if (!status && !f->cursor.vkey[0])
		f->cursor.next = f->floor = (uint64_t)from;
	return status;
}

int
cli_forward(int argc, char **argv)
{
	struct cli_args a;
	struct cli_sink_to to = { .to = NULL };
	struct forward f = { .resend = RESEND };
	const char *format = NULL;
	int64_t from = 0, pen = RFC5424_PEN_DOC;
	const struct cli_opt opts[] = {
		{ "to", CLI_OPT_TEXT, &to.to, 0, 0, 0 },
		{ "ca", CLI_OPT_TEXT, &to.ca, 0, 0, 0 },
		{ "cert", CLI_OPT_TEXT, &to.cert, 0, 0, 0 },
		{ "key", CLI_OPT_TEXT, &to.key, 0, 0, 0 },
		{ "cursor", CLI_OPT_TEXT, &f.path, 0, 0, 0 },
		{ "format", CLI_OPT_TEXT, &format, 0, 0, 0 },
		{ "from", CLI_OPT_NUMBER, &from, 0, JSON_INT_MAX - 1, 0 },
		{ "log", CLI_OPT_TEXT, &f.vkey, 0, 0, 0 },
		{ "once", CLI_OPT_FLAG, &f.once, 0, 0, 0 },
		{ "pen", CLI_OPT_NUMBER, &pen, 1, UINT32_MAX, 0 },
		{ "resend", CLI_OPT_NUMBER, &f.resend, 0, RESEND_MAX, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	int status = cli_opt_parse(argc, argv, opts, "audit forward --to HOST:PORT|unix:PATH|journal [--ca FILE] "
	    "[--cert FILE --key FILE]\n       [--cursor FILE] [--from N] [--format rfc5424|cef] [--pen N] [--log KEY] "
	    "[--resend N] [--once]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (!to.to)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", NULL, "--to is missing: where the log is to go");
	f.c = &a.common;
	f.frame.pen = (uint32_t)pen;
	f.m = merkle_new();
	writer_init(&f.w, MESSAGE_MAX);
	signal(SIGPIPE, SIG_IGN); /* a collector that hangs up is an everyday thing */
	status = f.m ? start(&f, &to, format, from) : cli_opt_fail(&a.common, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	if (!status)
		status = forward(&f);
	close_log(&f);
	cli_sink_free(f.sink);
	merkle_free(f.m);
	writer_free(&f.w);
	return status;
}
