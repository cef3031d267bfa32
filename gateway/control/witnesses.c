/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/witnesses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/requests_private.h"

#define LAG_ALERT 100000 /* entries: as for the warden's word */

struct seen {
	char name[WITNESS_POLICY_NAME_MAX + 1];
	uint64_t size, time;   /* audit has judged it */
	enum witness_answer answer; /* the last one, as it was told */
	uint64_t claimed;      /* the size it came with; 0: none */
	int64_t at;
};

struct witnesses {
	struct control *c;
	unsigned n;
	struct seen seen[WITNESS_POLICY_WITNESSES_MAX];
};

struct telling { /* a call that waits for audit */
	struct witnesses *w;
	struct call *call;
	struct seen said;
	bool line;
};

struct witnesses *
witnesses_new(struct control *c)
{
	struct witnesses *w = calloc(1, sizeof *w);
	if (w)
		w->c = c;
	return w;
}

void
witnesses_free(struct witnesses *w)
{
	free(w);
}

static struct seen *
place(struct witnesses *w, const char *name)
{
	for (unsigned i = 0; i < w->n; i++)
		if (strcmp(w->seen[i].name, name) == 0)
			return &w->seen[i];
	if (w->n == WITNESS_POLICY_WITNESSES_MAX)
		return NULL; /* no policy has more: some are of an earlier one */
	struct seen *s = &w->seen[w->n++];
	snprintf(s->name, sizeof s->name, "%s", name);
	return s;
}

/* ---- audit.cosigned ---- */

static bool
answer_parse(const char *text, enum witness_answer *ret)
{
	for (int i = WITNESS_ANSWER_UNKNOWN; i <= WITNESS_ANSWER_UNUSABLE; i++) {
		if (strcmp(witness_answer_name((enum witness_answer)i), text) == 0) {
			*ret = (enum witness_answer)i;
			return true;
		}
	}
	return false;
}

static void
answer(struct call *call, const struct msg_witness_taken *m)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_kuint(&d.j, "size", m->size);
	call_doc_end(call, &d, CALL_DONE);
}

static void
on_taken(void *ctx, int err, const struct msg_witness_taken *m)
{
	struct telling *t = ctx;
	if (m && err != FG_ENOTFOUND) {
		struct seen *s = place(t->w, t->said.name);
		if (s) {
			s->size = m->size;
			s->time = m->time;
			/* A line that audit does not take is no answer that helps. */
			s->answer = t->line && err ? WITNESS_ANSWER_UNUSABLE : t->said.answer;
			s->claimed = t->said.claimed;
			s->at = control_now(t->w->c);
		}
	}
	if (!err)
		answer(t->call, m);
	else if (err == FG_ENOTFOUND)
		call_fail(t->call, CALL_REFUSED, "NOT-FOUND", "data_dir/authority/witnesses is read when audit starts",
		    "the policy that audit has read names no such witness");
	else if (err == FG_EPERM)
		call_fail(t->call, CALL_REFUSED, "NO-COSIGNATURE", "the log may have grown meanwhile: ask the witness again",
		    "that is no cosignature of the checkpoint that is published now");
	else if (err == FG_ESTATE)
		call_fail(t->call, CALL_REFUSED, "OLD-COSIGNATURE",
		    "ask the witness again; if that does not help, a clock is wrong",
		    "that cosignature was not made since this start of the log");
	else
		call_fail(t->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log went away");
	free(t);
}

void
witnesses_cosigned(struct witnesses *w, struct call *call)
{
	char word[33];
	struct msg_witness_said m = { 0 };
	struct telling *t = calloc(1, sizeof *t);
	if (!t) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	t->w = w;
	t->call = call;
	(void)call_text(call, "answer", word, sizeof word);
	(void)call_text(call, "name", m.name, sizeof m.name);
	(void)call_text(call, "line", m.line, sizeof m.line);
	t->line = m.line[0];
	memcpy(t->said.name, m.name, sizeof t->said.name);
	t->said.claimed = call_number(call, "size", 0);
	if (!answer_parse(word, &t->said.answer) || t->line != (t->said.answer == WITNESS_ANSWER_COSIGNED)) {
		call_fail(call, CALL_USAGE, "USAGE", "", "audit.cosigned: a line comes with the answer cosigned, and only then");
		free(t);
		return;
	}
	if (logbook_tell_witness(w->c->logbook, &m, on_taken, t) == FG_OK)
		return;
	call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status",
	    "the audit log is %s", logbook_state(w->c->logbook));
	free(t);
}

/* ---- status ---- */

void
witnesses_put(const struct witnesses *w, struct jsonw *j)
{
	uint64_t size = logbook_head_size(w->c->logbook);
	jsonw_key(j, "witnesses");
	jsonw_array(j);
	for (unsigned i = 0; i < w->n; i++) {
		const struct seen *s = &w->seen[i];
		jsonw_object(j);
		jsonw_kcstr(j, "answer", witness_answer_name(s->answer));
		requests_put_time(j, "answered", s->at);
		jsonw_kuint(j, "claimed", s->claimed);
		requests_put_time(j, "cosigned", s->time <= INT64_MAX ? (int64_t)s->time : 0);
		jsonw_kuint(j, "lag", size > s->size ? size - s->size : 0);
		jsonw_kcstr(j, "name", s->name);
		jsonw_kuint(j, "size", s->size);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

void
witnesses_alerts(const struct witnesses *w, void (*alert)(struct jsonw *j, const char *id, const char *text),
    struct jsonw *j)
{
	char text[WITNESS_POLICY_NAME_MAX + 256];
	uint64_t size = logbook_head_size(w->c->logbook), remote = logbook_remote_size(w->c->logbook);
	for (unsigned i = 0; i < w->n; i++) {
		const struct seen *s = &w->seen[i];
		if (s->answer == WITNESS_ANSWER_AHEAD)
			/* Without the sizes, which status has: with every entry, here or there, it would be told anew. */
			snprintf(text, sizeof text, "%s is said to remember more entries than this log has: rolled back? "
			    "Put the newest copy or export back", s->name);
		else if (s->answer == WITNESS_ANSWER_FORK)
			snprintf(text, sizeof text,
			    "%s is said not to accept that this log continues what it remembers: compare it with an export",
			    s->name);
		else
			continue;
		alert(j, "WITNESS", text);
	}
	if (logbook_remotes(w->c->logbook) && remote && size > remote + LAG_ALERT)
		alert(j, "WITNESS", "the witnesses elsewhere have not cosigned for long: is fotagate audit witness running?");
}
