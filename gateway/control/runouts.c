/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/runouts.h"

#include <stdio.h>
#include <string.h>

#include "crypto/jsonf.h"
#include "crypto/stamp.h"

static const struct {
	const char *id, *what, *then, *way_out;
} kinds[MSG_RUNOUT_LIMIT] = {
	[MSG_RUNOUT_CERT] = { "CERTIFICATE", "its certificate", "modules that look at it no longer come", "a new one" },
	[MSG_RUNOUT_CLIENT_CA] = { "CLIENT-CA", "a certificate in client_ca", "modules under it are refused", "a new one" },
	[MSG_RUNOUT_CRL] = { "CRL", "a list in client_crl", "modules with a certificate of its CA are refused", "a newer one" },
};

void
runouts_take(struct runouts *r, unsigned edge, const struct msg_runouts *m)
{
	static const struct msg_runouts none;
	if (edge < RUNOUTS_EDGES)
		r->of[edge] = m ? *m : none;
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

void
runouts_alerts(const struct runouts *r, const struct config *f, int64_t now,
    void (*alert)(struct jsonw *j, const char *id, const char *text), struct jsonw *j)
{
	char text[MSG_TEXT_MAX], when[STAMP_CAP];
	for (unsigned i = 0; i < f->listeners_n; i++) {
		for (unsigned kind = MSG_RUNOUT_NONE + 1; kind < MSG_RUNOUT_LIMIT; kind++) {
			const struct msg_runout *row = first(r, i, kind);
			if (!row || now < soon(row) || stamp_format(row->until, when))
				continue;
			bool over = now >= row->until;
			snprintf(text, sizeof text, "listener %s: %s %s at %s: %s%s. The way out: %s in its place, "
			    "then fotagate reload", f->listeners[i].name, kinds[kind].what, over ? "ran out" : "runs out",
			    when, over ? "" : "then ", kinds[kind].then, kinds[kind].way_out);
			alert(j, kinds[kind].id, text);
		}
	}
}

void
runouts_put(const struct runouts *r, const struct config *f, int64_t now, struct jsonw *j)
{
	jsonw_key(j, "certificates");
	jsonw_array(j);
	for (unsigned i = 0; i < f->listeners_n; i++) {
		for (unsigned kind = MSG_RUNOUT_NONE + 1; kind < MSG_RUNOUT_LIMIT; kind++) {
			const struct msg_runout *row = first(r, i, kind);
			if (!row || !jsonf_is_time(row->until))
				continue;
			jsonw_object(j);
			jsonw_kcstr(j, "kind", kinds[kind].id);
			jsonw_kcstr(j, "listener", f->listeners[i].name);
			jsonw_kbool(j, "soon", now >= soon(row));
			jsonf_put_time(j, "until", row->until);
			jsonw_object_end(j);
		}
	}
	jsonw_array_end(j);
}
