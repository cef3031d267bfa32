/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/remarks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/control/control_private.h"
#include "gateway/control/requests_private.h"
#include "gateway/state/remark.h"

struct remarking { /* waits for its entry */
	struct control *c;
	struct call *call;
	struct db_remark remark;
};

static void
put(struct jsonw *j, const struct db_remark *n)
{
	jsonw_object(j);
	requests_put_time(j, "at", n->at);
	requests_put_digest(j, "file", n->have_file, n->sha256, sizeof n->sha256);
	requests_put_text(j, "name", n->name);
	jsonw_kuint(j, "size", n->size);
	requests_put_text(j, "text", n->text);
	jsonw_kcstr(j, "who", n->who);
	jsonw_object_end(j);
}

static int
put_remark(void *arg, const struct db_remark *n)
{
	put(arg, n);
	return FG_OK;
}

void
remarks_put(struct control *c, const struct db_candidate *cand, struct jsonw *j, const char *key)
{
	jsonw_key(j, key);
	jsonw_array(j);
	(void)db_remark_list(c->db, cand->id, put_remark, j);
	jsonw_array_end(j);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct remarking *k = ctx;
	struct call_doc d;
	(void)index;
	if (err) {
		call_fail(k->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it");
		free(k);
		return;
	}
	err = db_remark_add(k->c->db, &k->remark, REMARKS_MAX);
	if (err == FG_ELIMIT) {
		call_fail(k->call, CALL_REFUSED, "LIMIT", "it is in the log all the same", "there are %d remarks on it already",
		    REMARKS_MAX);
	} else if (err) {
		call_fail_err(k->call, err);
	} else {
		call_doc_begin(&d);
		jsonw_key(&d.j, "remark");
		put(&d.j, &k->remark);
		requests_put_review(&d.j, "review", k->remark.candidate);
		call_doc_end(k->call, &d, CALL_DONE);
	}
	free(k);
}

static int
count(void *arg, const struct db_remark *n)
{
	(void)n;
	++*(unsigned *)arg;
	return FG_OK;
}

static void
log_away(struct control *c, struct call *call)
{
	call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s", logbook_state(c->logbook));
}

/* Before any byte of it is kept: what is not to be a remark shall not fill the disk. False: the call is answered. */
static bool
has_room(struct control *c, struct call *call, const struct db_candidate *cand)
{
	unsigned there = 0;
	int err = db_remark_list(c->db, cand->id, count, &there);
	if (err)
		call_fail_err(call, err);
	else if (there >= REMARKS_MAX)
		call_fail(call, CALL_REFUSED, "LIMIT", "", "there are %d remarks on it already", REMARKS_MAX);
	else if (!logbook_permits(c->logbook))
		log_away(c, call);
	else
		return true;
	return false;
}

/* Logged before it is shown to anybody; takes k. */
static void
begin(struct remarking *k, const struct db_candidate *cand)
{
	struct control *c = k->c;
	struct call *call = k->call;
	char review[DB_REVIEW_CAP];
	k->remark.candidate = cand->id;
	k->remark.at = control_now(c);
	snprintf(k->remark.who, sizeof k->remark.who, "%s", requests_actor(c, call));
	db_candidate_review(cand->id, review);
	struct msg_append *e = logbook_entry(ENTRY_REVIEW_REMARKED, "ok", k->remark.who, review);
	int err = FG_ENOMEM;
	if (e) {
		if (k->remark.have_file) {
			logbook_ref_sha256(e, "file", k->remark.sha256);
			logbook_ref(e, "name", k->remark.name);
			logbook_ref_number(e, "size", k->remark.size);
		}
		logbook_say(e, "%s", k->remark.text);
		err = logbook_append(c->logbook, e, on_logged, k);
	}
	free(e);
	if (!err)
		return;
	free(k);
	if (err == FG_EAGAIN)
		log_away(c, call);
	else
		call_fail_err(call, err);
}

/* With the text of the call; NULL: it is answered. */
static struct remarking *
remarking_new(struct control *c, struct call *call)
{
	struct remarking *k = calloc(1, sizeof *k);
	if (!k) {
		call_fail_err(call, FG_ENOMEM);
		return NULL;
	}
	*k = (struct remarking){ .c = c, .call = call };
	(void)call_text(call, "text", k->remark.text, sizeof k->remark.text);
	(void)call_text(call, "name", k->remark.name, sizeof k->remark.name);
	if (visible_is_plain(view_str(k->remark.text)) && visible_is_plain(view_str(k->remark.name)))
		return k;
	call_fail(call, CALL_USAGE, "USAGE", "", "write printable ASCII only");
	free(k);
	return NULL;
}

void
remarks_comment(struct control *c, struct call *call)
{
	struct db_candidate *cand = reviews_of_call(c, call);
	struct remarking *k = cand && has_room(c, call, cand) ? remarking_new(c, call) : NULL;
	if (k && k->remark.text[0]) {
		begin(k, cand);
	} else if (k) {
		call_fail(call, CALL_USAGE, "USAGE", "", "there is nothing in it");
		free(k);
	}
	free(cand);
}

/* Keeps the bytes; false: the call is answered. */
static bool
keep(struct control *c, struct call *call, struct db_remark *n)
{
	struct stat st;
	struct writer w;
	writer_init(&w, REMARKS_FILE_MAX);
	int err = fstat(call_fd(call, 0), &st) || !S_ISREG(st.st_mode) || st.st_size <= 0 ? FG_EINVAL :
	    files_read(call_fd(call, 0), REMARKS_FILE_MAX, &w);
	if (!err)
		err = digest_sha256(writer_view(&w), n->sha256);
	if (!err)
		err = files_doc_put(c->files, FILES_ATTACHMENT, n->sha256, writer_view(&w));
	n->have_file = !err;
	n->size = writer_view(&w).n;
	writer_free(&w);
	if (err == FG_EINVAL || err == FG_ELIMIT)
		call_fail(call, CALL_USAGE, "USAGE", "name it by its SHA-256 in a comment, and keep it elsewhere",
		    "what is laid beside a review is a file of 1 to %u bytes", REMARKS_FILE_MAX);
	else if (err)
		call_fail_err(call, err);
	return !err;
}

void
remarks_attach(struct control *c, struct call *call)
{
	struct db_candidate *cand = reviews_of_call(c, call);
	struct remarking *k = cand && has_room(c, call, cand) ? remarking_new(c, call) : NULL;
	if (k && keep(c, call, &k->remark))
		begin(k, cand);
	else
		free(k);
	free(cand);
}
