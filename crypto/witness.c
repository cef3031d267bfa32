/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/witness.h"

#include <inttypes.h>

#include "crypto/base64.h"
#include "crypto/decimal.h"
#include "crypto/err.h"

#define OLD_PREFIX "old "
#define HASH_DIGITS 44 /* base64 of 32 bytes */
#define LINES_MAX NOTE_SIGS_MAX

static const char *const OUTCOMES[] = {
	[WITNESS_UNKNOWN] = "unknown",
	[WITNESS_COSIGN] = "cosign",
	[WITNESS_MALFORMED] = "malformed",
	[WITNESS_UNKNOWN_LOG] = "unknown-log",
	[WITNESS_BAD_SIGNATURE] = "bad-signature",
	[WITNESS_CONFLICT] = "conflict",
	[WITNESS_FORK] = "fork",
	[WITNESS_BAD_PROOF] = "bad-proof",
};

static const char *const ANSWERS[] = {
	[WITNESS_ANSWER_UNKNOWN] = "unknown",
	[WITNESS_ANSWER_COSIGNED] = "cosigned",
	[WITNESS_ANSWER_BEHIND] = "behind",
	[WITNESS_ANSWER_AHEAD] = "ahead",
	[WITNESS_ANSWER_FORK] = "fork",
	[WITNESS_ANSWER_NOT_US] = "not-us",
	[WITNESS_ANSWER_UNUSABLE] = "unusable",
};

const char *
witness_outcome_name(enum witness_outcome outcome)
{
	return (unsigned)outcome < sizeof OUTCOMES / sizeof *OUTCOMES ? OUTCOMES[outcome] :
	    OUTCOMES[WITNESS_UNKNOWN];
}

const char *
witness_answer_name(enum witness_answer answer)
{
	return (unsigned)answer < sizeof ANSWERS / sizeof *ANSWERS ? ANSWERS[answer] :
	    ANSWERS[WITNESS_ANSWER_UNKNOWN];
}

unsigned
witness_outcome_status(enum witness_outcome outcome)
{
	switch (outcome) {
	case WITNESS_COSIGN:
		return 200;
	case WITNESS_MALFORMED:
		return 400;
	case WITNESS_UNKNOWN_LOG:
		return 404;
	case WITNESS_BAD_SIGNATURE:
		return 403;
	case WITNESS_CONFLICT:
	case WITNESS_FORK:
		return 409;
	case WITNESS_BAD_PROOF:
		return 422;
	case WITNESS_UNKNOWN:
	default:
		return 500;
	}
}

/* The next line without its "\n"; false when no line end is left. */
static bool
next_line(struct view *rest, struct view *ret)
{
	const uint8_t *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	if (!lf)
		return false;
	*ret = view_of(rest->p, (size_t)(lf - rest->p));
	*rest = view_of(lf + 1, rest->n - ret->n - 1);
	return true;
}

/* ---- the witness ---- */

static bool
read_hash(struct view line, uint8_t ret[MERKLE_HASH_LEN])
{
	struct writer w;
	if (line.n != HASH_DIGITS)
		return false;
	writer_init(&w, MERKLE_HASH_LEN);
	bool good = base64_decode(line, &w) == 0 && w.n == MERKLE_HASH_LEN;
	if (good)
		memcpy(ret, w.p, MERKLE_HASH_LEN);
	writer_free(&w);
	return good;
}

int
witness_request_parse(struct view body, struct witness_request *ret)
{
	struct witness_request r = { .old = 0 };
	struct view rest = body;
	struct view line;
	const size_t prefix = sizeof OLD_PREFIX - 1;
	if (body.n > WITNESS_REQUEST_MAX || !next_line(&rest, &line) || line.n < prefix ||
	    memcmp(line.p, OLD_PREFIX, prefix) != 0 ||
	    !decimal_parse(view_of(line.p + prefix, line.n - prefix), MERKLE_SIZE_MAX, &r.old))
		return FG_EFORMAT;
	for (;;) {
		if (!next_line(&rest, &line))
			return FG_EFORMAT;
		if (line.n == 0)
			break;
		if (r.proof.n == WITNESS_PROOF_MAX || !read_hash(line, r.proof.hash[r.proof.n]))
			return FG_EFORMAT;
		r.proof.n++;
	}
	r.checkpoint = rest;
	if (!next_line(&rest, &r.origin) || r.origin.n == 0)
		return FG_EFORMAT;
	*ret = r;
	return 0;
}

/* Whether head extends what is remembered; the old size has been compared. */
static int
judge_growth(struct merkle *m, const struct witness_request *r, const struct witness_memory *memory,
    const struct checkpoint *head, enum witness_outcome *ret)
{
	bool proven = false;
	*ret = WITNESS_BAD_PROOF;
	if (r->old == 0) { /* anything extends nothing, and needs no proof for it */
		if (r->proof.n == 0)
			*ret = WITNESS_COSIGN;
		return 0;
	}
	if (head->size == memory->size) {
		if (memcmp(head->root, memory->root, sizeof head->root) != 0)
			*ret = WITNESS_FORK;
		else if (r->proof.n == 0)
			*ret = WITNESS_COSIGN;
		return 0;
	}
	int rc = merkle_verify_consistency(m, memory->size, head->size, memory->root, head->root, &r->proof,
	    &proven);
	if (rc == 0 && proven)
		*ret = WITNESS_COSIGN;
	return rc;
}

int
witness_judge(struct merkle *m, const struct witness_request *r, const struct note_key *log,
    const struct witness_memory *memory, struct witness_verdict *ret)
{
	struct witness_verdict v = { .outcome = WITNESS_UNKNOWN_LOG };
	struct note_opened note;
	if (!log || !view_is(r->origin, log->name)) {
		*ret = v;
		return 0;
	}
	int rc = note_open(r->checkpoint, log, 1, &note);
	if (rc < 0)
		return rc;
	v.outcome = note.outcome == NOTE_MALFORMED ? WITNESS_MALFORMED : WITNESS_BAD_SIGNATURE;
	if (note.outcome == NOTE_VERIFIED) {
		v.outcome = WITNESS_MALFORMED;
		rc = checkpoint_parse(note.text, CHECKPOINT_EXTENSIONS_MAX, &v.head);
		if (rc < 0 && rc != FG_EFORMAT)
			return rc;
		if (rc == 0 && r->old <= v.head.size)
			v.outcome = r->old == memory->size ? WITNESS_COSIGN : WITNESS_CONFLICT;
	}
	if (v.outcome == WITNESS_COSIGN) {
		rc = judge_growth(m, r, memory, &v.head, &v.outcome);
		if (rc < 0)
			return rc;
	}
	if (v.outcome == WITNESS_COSIGN)
		v.text = note.text;
	*ret = v;
	return 0;
}

/* ---- the log ---- */

int
witness_request_write(uint64_t old, const struct merkle_proof *proof, struct view checkpoint, struct writer *w)
{
	if (proof->n > WITNESS_PROOF_MAX)
		return FG_EINVAL;
	writer_textf(w, OLD_PREFIX "%" PRIu64 "\n", old);
	for (size_t i = 0; i < proof->n; i++) {
		base64_encode(view_of(proof->hash[i], MERKLE_HASH_LEN), w);
		writer_text(w, "\n");
	}
	writer_text(w, "\n");
	writer_bytes(w, checkpoint);
	return writer_err(w);
}

/* Text of a note up to its last empty line, without judging signatures. */
static struct view
text_of(struct view note)
{
	for (size_t i = note.n; i >= 2; i--) {
		if (note.p[i - 1] == '\n' && note.p[i - 2] == '\n')
			return view_of(note.p, i - 1);
	}
	return view_of(NULL, 0);
}

/* What one line of the answer, alone under the text, is worth under key. */
static int
open_line(struct view text, struct view line, const struct note_key *key, struct note_opened *ret)
{
	struct writer note;
	writer_init(&note, NOTE_SIZE_MAX);
	writer_bytes(&note, text);
	writer_text(&note, "\n");
	writer_bytes(&note, line);
	writer_text(&note, "\n");
	int rc = writer_err(&note);
	if (rc == 0)
		rc = note_open(writer_view(&note), key, 1, ret);
	writer_free(&note);
	return rc;
}

static int
judge_lines(struct view body, struct view text, const struct note_key *key, struct writer *line,
    struct witness_answered *a)
{
	struct view one;
	for (unsigned i = 0; i < LINES_MAX && next_line(&body, &one); i++) {
		struct note_opened note;
		int rc = open_line(text, one, key, &note);
		if (rc < 0)
			return rc;
		if (note.outcome == NOTE_NO_KNOWN_KEY)
			continue;
		/* Its key in a line that does not verify: nothing of the answer is to be believed. */
		if (note.outcome != NOTE_VERIFIED)
			return 0;
		writer_bytes(line, one);
		writer_text(line, "\n");
		a->answer = WITNESS_ANSWER_COSIGNED;
		a->time = note.signed_at[0];
		return writer_err(line);
	}
	return 0;
}

/* 409: the body is a size. */
static void
judge_conflict(struct view body, uint64_t old, const struct checkpoint *head, struct witness_answered *a)
{
	struct view number;
	uint64_t size;
	if (!next_line(&body, &number) || body.n || !decimal_parse(number, MERKLE_SIZE_MAX, &size)) {
		/* Of one size there can be nothing to compare but the root; the number is then often left out. */
		if (old == head->size)
			a->answer = WITNESS_ANSWER_FORK;
		return;
	}
	if (size > head->size) {
		a->answer = WITNESS_ANSWER_AHEAD;
	} else if (size != old) {
		a->answer = WITNESS_ANSWER_BEHIND;
	} else if (size == head->size) {
		a->answer = WITNESS_ANSWER_FORK;
	} else {
		return; /* "not the size I remember", and then the same size */
	}
	a->size = size;
}

int
witness_answer_judge(unsigned status, struct view body, uint64_t old, struct view checkpoint,
    const struct note_key *key, struct writer *line, struct witness_answered *ret)
{
	struct witness_answered a = { .answer = WITNESS_ANSWER_UNUSABLE };
	struct checkpoint head;
	struct view text = text_of(checkpoint);
	int rc = checkpoint_parse(text, CHECKPOINT_EXTENSIONS_MAX, &head);
	if (rc < 0)
		return rc;
	if (body.n > WITNESS_ANSWER_MAX)
		status = 0;
	switch (status) {
	case 200:
		a.size = head.size;
		rc = judge_lines(body, text, key, line, &a);
		break;
	case 403:
	case 404:
		a.answer = WITNESS_ANSWER_NOT_US;
		break;
	case 409:
		judge_conflict(body, old, &head, &a);
		break;
	case 422: /* the old size was right, and what grew from it is not this */
		a.answer = WITNESS_ANSWER_FORK;
		break;
	default:
		break;
	}
	if (rc == 0)
		*ret = a;
	return rc;
}
