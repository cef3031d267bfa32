/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/runouts.h"

#include <stdio.h>
#include <string.h>

#include "crypto/jsonf.h"
#include "crypto/stamp.h"

#define CONSOLE "console" /* who it is in documents */

struct kind {
	const char *id, *what, *then, *way_out;
};
static const struct kind kinds[MSG_RUNOUT_LIMIT] = {
	[MSG_RUNOUT_CERT] = { "CERTIFICATE", "its certificate", "modules that look at it no longer come", "a new one" },
	[MSG_RUNOUT_CLIENT_CA] = { "CLIENT-CA", "a certificate in client_ca", "modules under it are refused", "a new one" },
	[MSG_RUNOUT_CRL] = { "CRL", "a list in client_crl", "modules with a certificate of its CA are refused", "a newer one" },
};
static const struct kind console_kinds[MSG_RUNOUT_LIMIT] = {
	[MSG_RUNOUT_CERT] = { "CERTIFICATE", "its certificate", "browsers refuse to go on", "a new one" },
	[MSG_RUNOUT_CLIENT_CA] = { "CLIENT-CA", "a certificate in console.sso.client_ca", "a front under it is refused",
	    "a new one" },
};

void
runouts_take(struct runouts *r, unsigned edge, const struct msg_runouts *m)
{
	static const struct msg_runouts none;
	if (edge < RUNOUTS_EDGES)
		r->of[edge] = m ? *m : none;
}

void
runouts_take_console(struct runouts *r, const struct msg_runouts *m)
{
	static const struct msg_runouts none;
	r->console = m ? *m : none;
}

/* From when on it is to be spoken of. Ends before beginnings are whatever an edge may say: at once. */
static int64_t
soon(const struct msg_runout *row)
{
	int64_t life, quarter = RUNOUTS_SOON;
	if (!__builtin_sub_overflow(row->until, row->from, &life) && life / 4 < RUNOUTS_SOON)
		quarter = life > 0 ? life / 4 : 0;
	int64_t at;
	return __builtin_sub_overflow(row->until, quarter, &at) ? INT64_MIN : at;
}

/* Of all edges the row that ends first: one of them may have a file that another refused. */
static const struct msg_runout *
first(const struct runouts *r, unsigned listener, unsigned kind)
{
	const struct msg_runout *least = NULL;
	for (unsigned i = 0; i < RUNOUTS_EDGES; i++) {
		for (unsigned k = 0; k < r->of[i].rows_n; k++) {
			const struct msg_runout *row = &r->of[i].rows[k];
			if (row->listener == listener && row->kind == kind && (!least || row->until < least->until))
				least = row;
		}
	}
	return least;
}

/* Of its one listener; whatever ordinals and kinds it may say. */
static const struct msg_runout *
of_console(const struct runouts *r, unsigned kind)
{
	for (unsigned k = 0; console_kinds[kind].id && k < r->console.rows_n; k++)
		if (r->console.rows[k].listener == 0 && r->console.rows[k].kind == kind)
			return &r->console.rows[k];
	return NULL;
}

/* The listeners of f, and behind them the console: whose row, what kind of thing, in what words. */
struct place {
	const struct msg_runout *row;
	const char *name;
	const struct kind *kind;
	bool console;
};

static bool
next(const struct runouts *r, const struct config *f, unsigned *at, struct place *ret)
{
	for (; *at < (f->listeners_n + 1) * MSG_RUNOUT_LIMIT; (*at)++) {
		unsigned i = *at / MSG_RUNOUT_LIMIT, kind = *at % MSG_RUNOUT_LIMIT;
		bool console = i == f->listeners_n;
		*ret = (struct place){
			.row = console ? of_console(r, kind) : first(r, i, kind),
			.name = console ? CONSOLE : f->listeners[i].name,
			.kind = console ? &console_kinds[kind] : &kinds[kind],
			.console = console,
		};
		if (kind != MSG_RUNOUT_NONE && ret->row) {
			(*at)++;
			return true;
		}
	}
	return false;
}

void
runouts_alerts(const struct runouts *r, const struct config *f, int64_t now,
    void (*alert)(struct jsonw *j, const char *id, const char *text), struct jsonw *j)
{
	char text[MSG_TEXT_MAX], when[STAMP_CAP];
	struct place p;
	for (unsigned at = 0; next(r, f, &at, &p);) {
		if (now < soon(p.row) || stamp_format(p.row->until, when))
			continue;
		bool over = now >= p.row->until;
		snprintf(text, sizeof text, "%s%s: %s %s at %s: %s%s. The way out: %s in its place, "
		    "then fotagate reload", p.console ? "the " : "listener ", p.name,
		    p.kind->what, over ? "ran out" : "runs out", when, over ? "" : "then ", p.kind->then, p.kind->way_out);
		alert(j, p.kind->id, text);
	}
}

void
runouts_put(const struct runouts *r, const struct config *f, int64_t now, struct jsonw *j)
{
	struct place p;
	jsonw_key(j, "certificates");
	jsonw_array(j);
	for (unsigned at = 0; next(r, f, &at, &p);) {
		if (!jsonf_is_time(p.row->until))
			continue;
		jsonw_object(j);
		jsonw_kcstr(j, "kind", p.kind->id);
		jsonw_kcstr(j, "listener", p.name);
		jsonw_kbool(j, "soon", now >= soon(p.row));
		jsonf_put_time(j, "until", p.row->until);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}
