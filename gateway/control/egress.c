/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/egress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/rollouts_watch.h"
#include "policy/egress.h"

/* A clock of the network's may be ahead by so much; a line from later than that is none. */
#define AHEAD_S 300
#define SHOWN_MAX 4096u /* endpoints of one answer: a megabyte; each release says how many it has */

struct import {
	struct control *c;
	struct writer csv, names; /* names: endpoints, each with a NUL */
	struct rollouts_traffic traffic;
	size_t room;
	unsigned lines, unknown;  /* unknown: of no module, or of one without a product */
	unsigned problems_n, shown;
	struct { unsigned line; const char *text; } problem[EGRESS_PROBLEMS_MAX];
	struct call_doc d;
};

static void
problem(struct import *m, unsigned line, const char *text)
{
	if (m->problems_n < EGRESS_PROBLEMS_MAX) {
		m->problem[m->problems_n].line = line;
		m->problem[m->problems_n].text = text;
	}
	m->problems_n++;
}

/* The text of an endpoint moves until all are there: until then it is an offset. */
static int
keep(struct import *m, const struct inventory_module *of, const struct egress_line *line, size_t *offset)
{
	struct rollouts_traffic *t = &m->traffic;
	if (t->n == m->room) {
		size_t room = m->room ? 2 * m->room : 1024;
		struct rollouts_contact *more = reallocarray(t->seen, room, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		t->seen = more;
		m->room = room;
	}
	*offset = writer_view(&m->names).n;
	writer_bytes(&m->names, view_of(line->endpoint, strlen(line->endpoint) + 1));
	t->seen[t->n++] = (struct rollouts_contact){ .module = of, .at = line->at };
	return writer_err(&m->names);
}

static int
read_lines(struct import *m, size_t *offset)
{
	struct egress_reader r;
	struct egress_line line;
	const char *why;
	int err = FG_OK;
	int64_t latest = control_now(m->c) + AHEAD_S;
	if (!egress_begin(&r, writer_view(&m->csv)))
		problem(m, 1, "the first line must be: " EGRESS_HEADER);
	while (!err && m->problems_n <= EGRESS_PROBLEMS_MAX && egress_next(&r, &line, &why)) {
		if (m->lines++ == EGRESS_LINES_MAX)
			return FG_ELIMIT;
		if (!why && line.at > latest)
			why = "time is still to come";
		if (why) {
			problem(m, r.line, why);
			continue;
		}
		const struct inventory_module *of = inventory_by_identity(m->c->inventory, line.kind, view_str(line.identity));
		if (!of || !of->product[0])
			m->unknown++;
		else
			err = keep(m, of, &line, &offset[m->traffic.n]);
	}
	return err;
}

static int
read_report(struct import *m)
{
	size_t *offset = calloc(EGRESS_LINES_MAX, sizeof *offset);
	int err = offset ? digest_sha256(writer_view(&m->csv), m->traffic.sha256) : FG_ENOMEM;
	if (!err)
		err = read_lines(m, offset);
	for (size_t i = 0; !err && i < m->traffic.n; i++)
		m->traffic.seen[i].endpoint = (const char *)writer_view(&m->names).p + offset[i];
	free(offset);
	return err;
}

/* ---- the answer ---- */

static void
put_release(void *arg, const struct rollouts_watched *w)
{
	struct import *m = arg;
	struct jsonw *j = &m->d.j;
	jsonw_object(j);
	jsonw_kbool(j, "baseline", w->baseline);
	jsonw_key(j, "endpoints");
	jsonw_array(j);
	for (size_t i = 0; i < w->fresh_n && i < ROLLOUTS_ENDPOINTS_MAX && m->shown < SHOWN_MAX; i++, m->shown++)
		jsonw_cstr(j, w->fresh[i]);
	jsonw_array_end(j);
	jsonw_khex(j, "id", w->id, RELEASE_ID);
	jsonw_kuint(j, "new", w->fresh_n);
	jsonw_kbool(j, "paused", w->paused);
	jsonw_kuint(j, "watched", w->watched);
	jsonw_object_end(j);
}

static void
put_problems(struct import *m)
{
	struct jsonw *j = &m->d.j;
	jsonw_key(j, "errors");
	jsonw_array(j);
	for (unsigned i = 0; i < m->problems_n && i < EGRESS_PROBLEMS_MAX; i++) {
		jsonw_object(j);
		jsonw_kuint(j, "line", m->problem[i].line);
		requests_put_text(j, "text", m->problem[i].text);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static int
judge(struct import *m, struct call *call, bool dry_run)
{
	struct jsonw *j = &m->d.j;
	int err = FG_OK;
	call_doc_begin(&m->d);
	jsonw_kbool(j, "dry_run", dry_run);
	put_problems(m);
	jsonw_kuint(j, "lines", m->lines);
	jsonw_key(j, "releases");
	jsonw_array(j);
	if (!m->problems_n)
		err = rollouts_watch(m->c->rollouts, &m->traffic, dry_run, put_release, m);
	jsonw_array_end(j);
	jsonw_kuint(j, "unknown", m->unknown);
	if (err)
		writer_free(&m->d.w);
	else
		call_doc_end(call, &m->d, m->problems_n ? CALL_REFUSED : CALL_DONE);
	return err;
}

void
egress_import(struct control *c, struct call *call)
{
	struct stat st;
	struct import *m = calloc(1, sizeof *m);
	int err = m ? FG_OK : FG_ENOMEM;
	if (m) {
		m->c = c;
		m->traffic.who = requests_actor(c, call);
		writer_init(&m->csv, EGRESS_BYTES_MAX);
		writer_init(&m->names, EGRESS_BYTES_MAX);
	}
	if (!err && (fstat(call_fd(call, 0), &st) || !S_ISREG(st.st_mode)))
		err = FG_EINVAL;
	if (!err)
		err = files_read(call_fd(call, 0), EGRESS_BYTES_MAX, &m->csv);
	if (!err)
		err = read_report(m);
	if (!err)
		err = judge(m, call, call_flag(call, "dry_run"));
	if (err == FG_EINVAL)
		call_fail(call, CALL_USAGE, "USAGE", "hand in a file of CSV lines", "it is no regular file");
	else if (err == FG_ELIMIT)
		call_fail(call, CALL_USAGE, "LIMIT",
		    "hand it in by parts, each with modules that have the release and some that have not",
		    "it has more than 200,000 lines, or more than can be held against the releases of its products at once");
	else if (err)
		call_fail_err(call, err);
	if (m) {
		writer_free(&m->csv);
		writer_free(&m->names);
		free(m->traffic.seen);
	}
	free(m);
}
