/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_forward.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_follow.h"
#include "gateway/cmd/cli_sink.h"
#include "gateway/cmd/cli_tail.h"
#include "gateway/view/cef.h"
#include "gateway/view/journal.h"
#include "gateway/view/rfc5424.h"

#define RESEND 512        /* entries sent again after a connection was lost */
#define RESEND_MAX 65536
#define MESSAGE_MAX (2u << 20) /* a checkpoint with all its signatures in base64, escaped */

struct forward {
	enum formats format;
	struct record_frame frame;
	struct cli_sink *sink;
	struct writer w;
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
send_record(void *ctx, const struct record *r)
{
	struct forward *f = ctx;
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
send_checkpoint(void *ctx, struct view note, const struct checkpoint *head)
{
	struct forward *f = ctx;
	struct record r = { .unlogged = true, .known = true, .e = { .t_us = now_us(), .sev = 6,
		.ev_text = view_str(entry_event_name(ENTRY_LOG_CHECKPOINT)),
		.src = view_of(head->origin, strcspn(head->origin, "/")) } };
	struct writer cef;
	int err;
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
	return err ? err : cli_sink_send(f->sink, writer_view(&f->w));
}

/* ---- the collector, as the loop sees it ---- */

static bool
is_open(void *ctx)
{
	return cli_sink_is_open(((struct forward *)ctx)->sink);
}

static int
open_sink(void *ctx)
{
	return cli_sink_open(((struct forward *)ctx)->sink);
}

static int
settle(void *ctx)
{
	return cli_sink_settle(((struct forward *)ctx)->sink);
}

static void
send_alarm(void *ctx, const struct record *r)
{
	struct forward *f = ctx;
	if (!cli_sink_open(f->sink) && !send_record(f, r))
		(void)cli_sink_settle(f->sink);
}

static const char *
why(void *ctx)
{
	const struct cli_sink *s = ((struct forward *)ctx)->sink;
	return cli_sink_is_open(s) ? "" : cli_sink_why(s);
}

/* ---- the verb ---- */

static int
start(struct forward *f, const struct cli_common *c, const struct cli_sink_to *to, const char *format)
{
	int status = cli_sink_new(c, to, &f->sink);
	if (status)
		return status;
	bool journal = cli_sink_kind(f->sink) == CLI_SINK_JOURNAL;
	f->format = format ? formats_parse(format) : journal ? FORMATS_JOURNAL : FORMATS_RFC5424;
	if (journal != (f->format == FORMATS_JOURNAL) ||
	    (!journal && f->format != FORMATS_RFC5424 && f->format != FORMATS_CEF))
		return cli_opt_fail(c, CLI_USAGE, "USAGE", "rfc5424 or cef; to the journal, journal.",
		    "%s: no format of that destination", format);
	return 0;
}

int
cli_forward(int argc, char **argv)
{
	struct cli_args a;
	struct cli_sink_to to = { .to = NULL };
	struct forward f = { .sink = NULL };
	struct cli_follow asked = { .c = &a.common, .word = "forwarding", .resend = RESEND };
	const char *format = NULL;
	int64_t pen = RFC5424_PEN_DOC;
	const struct cli_opt opts[] = {
		{ "to", CLI_OPT_TEXT, &to.to, 0, 0, 0 },
		{ "ca", CLI_OPT_TEXT, &to.ca, 0, 0, 0 },
		{ "cert", CLI_OPT_TEXT, &to.cert, 0, 0, 0 },
		{ "key", CLI_OPT_TEXT, &to.key, 0, 0, 0 },
		{ "cursor", CLI_OPT_TEXT, &asked.cursor, 0, 0, 0 },
		{ "format", CLI_OPT_TEXT, &format, 0, 0, 0 },
		{ "from", CLI_OPT_NUMBER, &asked.from, 0, JSON_INT_MAX - 1, 0 },
		{ "log", CLI_OPT_TEXT, &asked.vkey, 0, 0, 0 },
		{ "once", CLI_OPT_FLAG, &asked.once, 0, 0, 0 },
		{ "pen", CLI_OPT_NUMBER, &pen, 1, UINT32_MAX, 0 },
		{ "resend", CLI_OPT_NUMBER, &asked.resend, 0, RESEND_MAX, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	const struct cli_follow_taker taker = { .is_open = is_open, .open = open_sink, .entry = send_record,
		.checkpoint = send_checkpoint, .settle = settle, .alarm = send_alarm, .why = why, .ctx = &f };
	int status = cli_opt_parse(argc, argv, opts, "audit forward --to HOST:PORT|unix:PATH|journal [--ca FILE] "
	    "[--cert FILE --key FILE]\n       [--cursor FILE] [--from N] [--format rfc5424|cef] [--pen N] [--log KEY] "
	    "[--resend N] [--once]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (!to.to)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", NULL, "--to is missing: where the log is to go");
	f.frame.pen = (uint32_t)pen;
	writer_init(&f.w, MESSAGE_MAX);
	status = start(&f, &a.common, &to, format);
	if (!status)
		status = cli_follow(&asked, &taker);
	cli_sink_free(f.sink);
	writer_free(&f.w);
	return status;
}
