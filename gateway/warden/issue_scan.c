/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue_scan - what was written down aside before it went to the log, and may be in there without being in force:
 * the log is read for its entry, from the state it was written at. Found, it comes into force; not found, it never
 * was, and is dropped. Signer sets and policies come this way after a crash or a silent audit.
 */
#include <stdio.h>

#include "crypto/err.h"
#include "crypto/json.h"
#include "gateway/warden/issue_private.h"

void
issue_scan_refused(struct warden *w, const struct request *r, const struct judge_answer *a, const char *why)
{
	(void)w;
	(void)r;
	(void)a;
	(void)why; /* nobody asked; it is tried again */
}

static void
look(struct warden *w, const struct issue_scan *s)
{
	struct job *j = &w->job;
	*s->scanned = j->scan;
	if (w->stopping) {
		issue_refuse(w, "the warden is stopping");
		return;
	}
	if (j->scan < j->log_size) {
		struct msg_proof_ask m = { .token = ++w->token, .index = j->scan };
		j->step = STEP_SCAN;
		issue_ask_audit(w, MSG_PROOF_ASK, &m);
		return;
	}
	/* What was in force here is in the log, whatever the folder and the log look like by now. */
	if (s->was_in_force(w, s->number)) {
		char why[96];
		snprintf(why, sizeof why, "the log has lost the %s that is in force", s->noun);
		issue_refuse(w, why);
		return;
	}
	fprintf(stderr, "<5>warden: %s %u never reached the log and is dropped\n", s->noun, s->number);
	successor_drop(w->authority_dir, s->folder, s->number);
	*s->unsettled = false;
	issue_done(w);
}

void
issue_scan_begin(struct warden *w, const struct issue_scan *s)
{
	struct job *j = &w->job;
	/* Goes on where the last try ended: what audit could prove does not change, unless the log is another. */
	bool resumed = *s->scanned > s->from && *s->scanned <= j->log_size;
	j->scan = resumed ? *s->scanned : s->from;
	look(w, s);
}

void
issue_scan_proof(struct warden *w, const struct issue_scan *s, const struct msg_proof *m)
{
	struct json *doc = NULL;
	struct entry e;
	if (m->err) {
		issue_refuse(w, "an entry of the log could not be read");
		return;
	}
	int err = entry_parse(m->entry, &doc, &e, NULL);
	if (err == FG_ENOMEM) {
		issue_refuse(w, err_name(err));
		return;
	}
	bool found = !err && e.ev == s->event && view_equal(e.doc, s->text);
	json_free(doc);
	if (found) {
		s->take(w);
		issue_done(w);
		return;
	}
	w->job.scan++;
	look(w, s);
}
