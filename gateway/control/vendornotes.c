/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/vendornotes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/judging.h"
#include "gateway/control/privacy.h"
#include "gateway/control/requests_private.h"

struct noting { /* waits for its entry */
	struct control *c;
	struct call *call;  /* NULL: they were fetched */
	uint64_t candidate; /* is judged then; 0: none */
	char url[DB_URL_MAX];
	uint8_t image[DIGEST_SHA256_LEN];
	struct writer text;
	struct notes notes;
};

#define AGAIN_MAX 16 /* reviews of one image that are judged again at once; the next start comes to others */

int
vendornotes_of(struct control *c, const uint8_t image[DIGEST_SHA256_LEN], struct notes *ret)
{
	struct writer w;
	*ret = (struct notes){ .have = false };
	writer_init(&w, NOTES_FILE_MAX);
	int err = files_doc_get(c->files, FILES_NOTES, image, &w);
	if (!err)
		err = notes_take(writer_view(&w), ret);
	writer_free(&w);
	/* What no text is any more is none: it was the vendor's word and nothing more. */
	return err == FG_ENOTFOUND || err == FG_EINVAL || err == FG_ELIMIT ? FG_OK : err;
}

/* By its digest, or as the image of a review. False: the call is answered. */
static bool
image_of(struct control *c, struct call *call, uint8_t ret[DIGEST_SHA256_LEN])
{
	char text[DIGEST_HEX_LEN + 1];
	uint64_t id = 0;
	if (call_text(call, "image", text, sizeof text) && text[0]) {
		if (hex_decode(view_str(text), ret, DIGEST_SHA256_LEN))
			return true;
		call_fail(call, CALL_USAGE, "USAGE", "", "image is no SHA-256");
		return false;
	}
	struct db_candidate *cand = calloc(1, sizeof *cand);
	(void)call_text(call, "review", text, sizeof text);
	int err = !cand ? FG_ENOMEM : !db_candidate_review_parse(view_str(text), &id) ? FG_ENOTFOUND :
	    db_candidate_get(c->db, id, cand);
	bool have = !err && cand->have_image;
	if (have)
		memcpy(ret, cand->image, DIGEST_SHA256_LEN);
	free(cand);
	if (!have && (!err || err == FG_ENOTFOUND))
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate review list",
		    "there is no such review, or no bytes of it");
	else if (!have)
		call_fail_err(call, err);
	return have;
}

static int
one(void *arg, const struct db_candidate *cand)
{
	(void)cand;
	*(bool *)arg = true;
	return 0;
}

/* *ret false: nobody knows these bytes, and there are many notes already. */
static int
has_room(struct control *c, const uint8_t image[DIGEST_SHA256_LEN], bool *ret)
{
	const struct db_candidate_filter f = { .image = image, .limit = 1 };
	uint64_t n = 0;
	*ret = false;
	int err = db_candidate_list(c->db, &f, one, ret);
	if (err || *ret)
		return err;
	err = files_doc_count(c->files, FILES_NOTES, &n);
	*ret = n < VENDORNOTES_MAX;
	return err;
}

struct again {
	struct control *c;
	const struct notes *notes; /* reviews whose report has them are let be; NULL: none has */
	uint64_t id[AGAIN_MAX];
	unsigned n;
};

/* A report names the notes it has by their digest. One that cannot be read is made once more. */
static bool
has_them(const struct again *a, const struct db_candidate *cand)
{
	char hex[DIGEST_HEX_LEN + 1];
	struct writer w;
	writer_init(&w, FILES_DOC_MAX);
	hex_encode(a->notes->sha256, sizeof a->notes->sha256, hex);
	int err = files_doc_get(a->c->files, FILES_REPORT, cand->report, &w);
	bool has = !err && memmem(writer_view(&w).p, writer_view(&w).n, hex, DIGEST_HEX_LEN);
	writer_free(&w);
	return has;
}

static int
note(void *arg, const struct db_candidate *cand)
{
	struct again *a = arg;
	bool waits = candidates_is(cand, LIFECYCLE_REVIEW) || (candidates_is(cand, LIFECYCLE_JUDGING) && !a->notes);
	if (waits && a->n < AGAIN_MAX && !(a->notes && has_them(a, cand)))
		a->id[a->n++] = cand->id;
	return 0;
}

/* notes: they were there already, and a stop may have come between them and the report that has them. */
static void
judge_again(struct control *c, const uint8_t image[DIGEST_SHA256_LEN], const struct notes *notes)
{
	struct again a = { .c = c, .notes = notes };
	const struct db_candidate_filter f = { .image = image };
	struct db_candidate *cand = calloc(1, sizeof *cand);
	if (!cand || db_candidate_list(c->db, &f, note, &a))
		oplog(OPLOG_WARNING, "what the vendor's notes are about could not be looked up: its report has none of them");
	for (unsigned i = 0; cand && i < a.n; i++) {
		if (db_candidate_get(c->db, a.id[i], cand))
			continue;
		if (candidates_is(cand, LIFECYCLE_REVIEW)) {
			judging_again(c->judging, cand, "the vendor's notes came");
		} else if (candidates_is(cand, LIFECYCLE_JUDGING)) {
			judging_cancel(c->judging, cand->id);
			judging_start(c->judging, cand->id);
		}
	}
	free(cand);
}

static void
answer(struct call *call, const uint8_t image[DIGEST_SHA256_LEN], const struct notes *n)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_khex(&d.j, "image", image, DIGEST_SHA256_LEN);
	jsonw_kuint(&d.j, "lines", n->lines_total);
	jsonw_khex(&d.j, "notes", n->sha256, sizeof n->sha256);
	call_doc_end(call, &d, CALL_DONE);
}

/* Takes k. What waited to be judged is. */
static void
over(struct noting *k)
{
	if (k->candidate)
		judging_start(k->c->judging, k->candidate);
	writer_free(&k->text);
	free(k);
}

/* Nobody waits for an answer but the log of the day. */
static void
fail(struct call *call, int err)
{
	if (!call)
		oplog(OPLOG_WARNING, "the vendor's notes were not taken: %s", err_name(err));
	else if (err == FG_EEXIST)
		call_fail(call, CALL_REFUSED, "EXISTS", "the report has those", "other notes were given for these bytes before");
	else if (err == FG_ELIMIT || err == FG_EINVAL)
		call_fail(call, CALL_USAGE, "USAGE", "", err == FG_EINVAL ? "it is an empty text" :
		    "a text of notes has at most %u KiB", NOTES_FILE_MAX >> 10);
	else if (err == FG_EAGAIN)
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it");
	else
		call_fail_err(call, err);
}

/* Whether they are yet to be laid there, and may be. False: the call is answered. */
static bool
are_new(const struct noting *k)
{
	struct notes there = { .have = false };
	bool room = true;
	int err = vendornotes_of(k->c, k->image, &there);
	bool same = !err && there.have && !memcmp(there.sha256, k->notes.sha256, sizeof there.sha256);
	if (!err && there.have && !same)
		err = FG_EEXIST;
	if (!err && !same)
		err = has_room(k->c, k->image, &room);
	if (err)
		fail(k->call, err);
	else if (same)
		judge_again(k->c, k->image, &k->notes);
	if (!err && same && k->call)
		answer(k->call, k->image, &k->notes);
	else if (!err && !same && !room && !k->call)
		fail(NULL, FG_ELIMIT);
	else if (!err && !same && !room)
		call_fail(k->call, CALL_REFUSED, "LIMIT", "bring them once the image is under review",
		    "there are %d texts of notes already, and no review of these bytes", VENDORNOTES_MAX);
	return !err && !same && room;
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct noting *k = ctx;
	(void)index;
	if (err) {
		fail(k->call, FG_EAGAIN);
	} else if (are_new(k)) { /* others may have come meanwhile */
		err = files_doc_put(k->c->files, FILES_NOTES, k->image, writer_view(&k->text));
		if (err) {
			fail(k->call, err);
		} else {
			judge_again(k->c, k->image, NULL);
			if (k->call)
				answer(k->call, k->image, &k->notes);
		}
	}
	over(k);
}

/* Logged before any report has them: those that a crash left would be shown, and nobody would have given them. Takes k. */
static void
begin(struct noting *k)
{
	char obj[16 + DIGEST_HEX_LEN + 1] = "image:", url[DB_URL_MAX];
	hex_encode(k->image, DIGEST_SHA256_LEN, obj + strlen("image:"));
	obj[strlen("image:") + DIGEST_HEX_LEN] = '\0';
	struct msg_append *e = logbook_entry(ENTRY_IMAGE_NOTES, "ok", k->call ? requests_actor(k->c, k->call) : "control", obj);
	int err = FG_ENOMEM;
	if (e) {
		logbook_ref_sha256(e, "image", k->image);
		logbook_ref_sha256(e, "notes", k->notes.sha256);
		logbook_ref_number(e, "size", k->notes.size);
		/* The path was filled in from what a module asked for, and the log is forever. */
		privacy_mask_text(k->url, false, url, sizeof url);
		logbook_say(e, "the vendor's words, of which nothing is checked%s%s", url[0] ? ": " : "", url);
		err = logbook_append(k->c->logbook, e, on_logged, k);
	}
	free(e);
	if (!err)
		return;
	if (!k->call)
		fail(NULL, err);
	else if (err == FG_EAGAIN)
		call_fail(k->call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(k->c->logbook));
	else
		call_fail_err(k->call, err);
	over(k);
}

void
vendornotes_add(struct control *c, struct call *call)
{
	uint8_t image[DIGEST_SHA256_LEN];
	if (!image_of(c, call, image))
		return;
	struct noting *k = calloc(1, sizeof *k);
	if (!k) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	k->c = c;
	k->call = call;
	memcpy(k->image, image, sizeof k->image);
	writer_init(&k->text, NOTES_FILE_MAX);
	int err = files_read(call_fd(call, 0), NOTES_FILE_MAX, &k->text);
	if (!err)
		err = notes_take(writer_view(&k->text), &k->notes);
	if (err)
		fail(call, err);
	if (!err && are_new(k))
		begin(k);
	else
		over(k);
}

void
vendornotes_came(struct control *c, uint64_t candidate, const uint8_t image[DIGEST_SHA256_LEN], int fd,
    const char *url)
{
	struct noting *k = calloc(1, sizeof *k);
	if (!k) {
		judging_start(c->judging, candidate);
		return;
	}
	k->c = c;
	k->candidate = candidate;
	memcpy(k->image, image, sizeof k->image);
	snprintf(k->url, sizeof k->url, "%s", url);
	writer_init(&k->text, NOTES_FILE_MAX);
	int err = files_read(fd, NOTES_FILE_MAX, &k->text);
	/* Whatever stands at a URL: a person who brings a file has seen that it is one. */
	if (!err && writer_view(&k->text).n && memchr(writer_view(&k->text).p, 0, writer_view(&k->text).n))
		err = FG_EFORMAT;
	if (!err)
		err = notes_take(writer_view(&k->text), &k->notes);
	if (err)
		fail(NULL, err);
	if (!err && are_new(k))
		begin(k);
	else
		over(k);
}
