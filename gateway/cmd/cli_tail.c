/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_tail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/stamp.h"
#include "gateway/cmd/cli_log.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_proved.h"
#include "gateway/view/rfc5424.h"

#define TAIL_LINES 20
#define RETRIES 10     /* times the log may grow under our hands before we say so */
#define LOOK_S 1

#define LOST "fotagate status tells what is known about the log."

/* How entries are shown. */
struct shown {
	const struct cli_common *c;
	enum formats format; /* FORMATS_NONE: columns for people */
	struct record_frame frame;
	FILE *out;
	struct merkle *m;
	struct writer w;
};

bool
cli_tail_format(const struct cli_common *c, const char *name, enum formats *ret)
{
	*ret = name ? formats_parse(name) : FORMATS_NONE;
	if (!name || *ret)
		return true;
	cli_opt_fail(c, CLI_USAGE, "USAGE", "One of jsonl, rfc5424, cef, ocsf, journal.", "%s: no such format", name);
	return false;
}

static int
shown_start(struct shown *s, const struct cli_common *c, enum formats format, int64_t pen, FILE *out)
{
	*s = (struct shown){ .c = c, .format = format, .frame = { .pen = (uint32_t)pen }, .out = out, .m = merkle_new() };
	writer_init(&s->w, FORMATS_TEXT_MAX);
	return s->m ? 0 : cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
}

static void
shown_end(struct shown *s)
{
	merkle_free(s->m);
	writer_free(&s->w);
}

/* ---- one entry ---- */

static void
print_view(const char *before, struct view v)
{
	if (v.n && cli_print_is_plain(v))
		printf("%s%.*s", before, (int)v.n, (const char *)v.p);
}

static void
print_columns(const struct entry *e)
{
	char at[STAMP_US_CAP] = "?";
	if (stamp_format_us(e->t_us, at))
		at[0] = '\0';
	printf("%6" PRIu64 "  %.23sZ  ", e->seq, at);
	printf("%-20.*s", (int)e->ev_text.n, (const char *)e->ev_text.p);
	printf(" %-7.*s", (int)e->out.n, e->out.n ? (const char *)e->out.p : "");
	print_view(" ", e->act);
	print_view(" -> ", e->obj);
	print_view(": ", e->msg);
	putchar('\n');
}

/* 0 or a negative fg_err. A terminal is shown nothing that is not an entry's alphabet; a file gets the exact bytes. */
static int
show(struct shown *s, uint64_t index, struct view line)
{
	struct record r;
	int err = record_read(s->m, index, line, &r);
	if (err)
		return err;
	bool plain = cli_print_is_plain(line);
	if (!s->format && r.known) {
		print_columns(&r.e);
	} else if (s->format != FORMATS_NONE && (s->format != FORMATS_JSONL || plain || s->out != stdout)) {
		writer_reset(&s->w);
		err = formats_put(s->format, &r, line, &s->frame, &s->w);
		if (!err && fwrite(s->w.p, 1, s->w.n, s->out) != s->w.n)
			err = FG_EIO;
	} else if (!s->format && plain) {
		printf("%.*s\n", (int)line.n, (const char *)line.p);
	}
	record_free(&r);
	return err;
}

/* ---- tail ---- */

/* Entries from `from` up to the head; *ret_next is where to go on. 0, FG_ENOTFOUND to ask again, or an error. */
static int
print_from(struct cli_log *l, struct shown *s, uint64_t from, uint64_t *ret_next)
{
	struct writer w;
	struct tile_bundle b;
	struct view line;
	unsigned width = 0;
	int err = 0;
	writer_init(&w, TILE_BUNDLE_MAX);
	while (!err && from < l->head.size) {
		uint64_t at = from / TILE_WIDTH * TILE_WIDTH;
		err = cli_log_bundle(l, from / TILE_WIDTH, &w, &width);
		if (err)
			break;
		tile_bundle_begin(&b, writer_view(&w), width);
		int more;
		for (; !err && (more = tile_bundle_next(&b, &line)) != 0; at++) {
			if (more > 0 && at < from)
				continue;
			err = more < 0 ? more : show(s, at, line);
			if (!err)
				from = at + 1;
		}
		*ret_next = from;
	}
	writer_free(&w);
	fflush(s->out);
	return err;
}

static int
tail_once(struct cli_log *l, struct shown *s, uint64_t *next)
{
	for (unsigned tries = 0;; tries++) {
		int status = cli_log_head(l);
		if (status)
			return status;
		int err = print_from(l, s, *next, next);
		if (!err)
			return 0;
		if (err != FG_ENOTFOUND)
			return CLI_COULD_NOT;
		if (tries == RETRIES)
			return cli_opt_fail(l->common, CLI_COULD_NOT, "LOG", LOST, "tiles of the published log are missing");
	}
}

int
cli_tail(int argc, char **argv)
{
	struct cli_args a;
	int64_t lines = TAIL_LINES, pen = RFC5424_PEN_DOC;
	bool follow = false;
	const char *name = NULL;
	enum formats format;
	const struct cli_opt opts[] = {
		{ "lines", CLI_OPT_NUMBER, &lines, 0, 1000000000, 'n' },
		{ "follow", CLI_OPT_FLAG, &follow, 0, 0, 'f' },
		{ "format", CLI_OPT_TEXT, &name, 0, 0, 0 },
		{ "pen", CLI_OPT_NUMBER, &pen, 1, UINT32_MAX, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	const struct timespec nap = { .tv_sec = LOOK_S };
	struct cli_call *call = NULL;
	struct cli_log l;
	struct shown s;
	int status = cli_opt_parse(argc, argv, opts, "audit tail [-n LINES] [-f] [--format FORMAT] [--pen N] [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (!cli_tail_format(&a.common, name, &format))
		return CLI_USAGE;
	status = cli_call_open(&a.common, &call);
	if (status)
		return status;
	cli_log_init(&l, &a.common, call);
	status = shown_start(&s, &a.common, a.common.json && !format ? FORMATS_JSONL : format, pen, stdout);
	if (!status)
		status = cli_log_head(&l);
	if (!status) {
		uint64_t next = l.head.size > (uint64_t)lines ? l.head.size - (uint64_t)lines : 0;
		status = tail_once(&l, &s, &next);
		while (!status && follow) {
			nanosleep(&nap, NULL);
			status = tail_once(&l, &s, &next);
		}
	}
	shown_end(&s);
	cli_log_end(&l);
	cli_call_close(call);
	return status;
}

/* ---- export ---- */

static int
write_one(void *ctx, uint64_t index, struct view line)
{
	struct shown *s = ctx;
	int err = show(s, index, line);
	return err ? cli_opt_fail(s->c, CLI_COULD_NOT, "LOCAL", NULL, "entry %" PRIu64 ": %s", index, err_why(err)) : 0;
}

/* The log says first that somebody took it away. */
static int
announce(const struct cli_common *c, struct cli_call *call)
{
	struct cli_reply reply;
	int status = cli_call_do(call, "audit.export", NULL, NULL, 0, &reply);
	if (!status && reply.status != CLI_DONE)
		status = cli_call_refused(c, &reply);
	cli_reply_free(&reply);
	return status;
}

static int
write_all(struct cli_proved *p, struct shown *s, uint64_t *next)
{
	const struct checkpoint nothing = { .size = 0 };
	int status = CLI_PROVED_AGAIN;
	for (unsigned tries = 0; status == CLI_PROVED_AGAIN && tries < RETRIES; tries++) {
		struct checkpoint before = tries ? p->log.head : nothing;
		status = cli_proved_head(p, &before);
		while (!status && *next < p->log.head.size)
			status = cli_proved_some(p, next, write_one, s);
	}
	if (status == CLI_PROVED_AGAIN)
		status = cli_opt_fail(s->c, CLI_COULD_NOT, "LOG", LOST, "tiles of the published log are missing");
	return status;
}

int
cli_tail_export(const struct cli_common *c, enum formats format, int64_t pen, const char *path)
{
	struct cli_call *call = NULL;
	struct cli_proved p;
	struct shown s;
	uint64_t n = 0;
	int status = cli_call_open(c, &call);
	if (status)
		return status;
	FILE *out = fopen(path, "wxe");
	if (!out) {
		status = errno == EEXIST ? cli_opt_fail(c, CLI_REFUSED, "EXISTS", "Nothing is overwritten: name a new file.",
		    "%s: is there already", path) : cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path,
		    strerror(errno));
		cli_call_close(call);
		return status;
	}
	status = cli_proved_open(&p, c, call, NULL);
	if (!status)
		status = announce(c, call);
	int begun = shown_start(&s, c, format, pen, out);
	if (!status)
		status = begun ? begun : write_all(&p, &s, &n);
	if (fclose(out) && !status)
		status = cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, strerror(errno));
	/* Half a file would look like a whole log. */
	if (status)
		(void)unlink(path);
	else if (!c->json)
		cli_print_line(stdout, "entries", "%" PRIu64, n);
	else
		printf("{\"entries\":%" PRIu64 "}\n", n);
	shown_end(&s);
	cli_proved_close(&p);
	cli_call_close(call);
	return status;
}
