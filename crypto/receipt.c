/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/receipt.h"

#include <inttypes.h>

#include "crypto/base64.h"
#include "crypto/decimal.h"
#include "crypto/err.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

static const char *const OUTCOMES[] = {
	[RECEIPT_UNKNOWN] = "unknown",
	[RECEIPT_VERIFIED] = "verified",
	[RECEIPT_BAD_CHECKPOINT] = "bad-checkpoint",
	[RECEIPT_NOT_INCLUDED] = "not-included",
};

const char *
receipt_outcome_name(enum receipt_outcome outcome)
{
	return (unsigned)outcome < sizeof OUTCOMES / sizeof *OUTCOMES ? OUTCOMES[outcome] :
	    OUTCOMES[RECEIPT_UNKNOWN];
}

int
receipt_encode(const struct receipt *r, struct writer *w)
{
	if (r->index >= MERKLE_SIZE_MAX || r->proof.n > MERKLE_PROOF_MAX ||
	    r->extra.n > RECEIPT_EXTRA_MAX || r->note.n == 0 || r->note.n > NOTE_SIZE_MAX)
		return FG_EINVAL;
	writer_text(w, FIRST_LINE "\n");
	if (r->extra.n) {
		writer_text(w, "extra ");
		base64_encode(r->extra, w);
		writer_text(w, "\n");
	}
	writer_textf(w, "index %" PRIu64 "\n", r->index);
	for (size_t i = 0; i < r->proof.n; i++) {
		base64_encode(view_of(r->proof.hash[i], MERKLE_HASH_LEN), w);
		writer_text(w, "\n");
	}
	writer_text(w, "\n");
	writer_bytes(w, r->note);
	return writer_err(w);
}

static bool
next_line(struct view *rest, struct view *line)
{
	const uint8_t *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	if (!lf)
		return false;
	*line = view_of(rest->p, (size_t)(lf - rest->p));
	*rest = view_of(lf + 1, rest->n - line->n - 1);
	return true;
}

static bool
begins(struct view v, const char *prefix, struct view *rest)
{
	size_t n = strlen(prefix);
	if (v.n < n || memcmp(v.p, prefix, n) != 0)
		return false;
	*rest = view_of(v.p + n, v.n - n);
	return true;
}

/* Hash lines up to the empty one, which is consumed. */
static int
parse_hashes(struct view *rest, struct merkle_proof *proof)
{
	struct view line;
	struct writer hash;
	int rc = FG_EFORMAT; /* until the empty line is seen */
	writer_init(&hash, MERKLE_HASH_LEN);
	while (next_line(rest, &line)) {
		if (line.n == 0) {
			rc = 0;
			break;
		}
		writer_reset(&hash);
		int bad = proof->n < MERKLE_PROOF_MAX ? base64_decode(line, &hash) : FG_EFORMAT;
		struct view bytes = writer_view(&hash);
		if (bad == FG_ENOMEM) {
			rc = bad;
			break;
		}
		if (bad < 0 || bytes.n != MERKLE_HASH_LEN)
			break;
		memcpy(proof->hash[proof->n++], bytes.p, MERKLE_HASH_LEN);
	}
	writer_free(&hash);
	return rc;
}

int
receipt_parse(struct view text, struct writer *store, struct receipt *ret)
{
	struct view rest = text;
	struct view line;
	struct view value;
	struct receipt r = { .index = 0 };
	if (text.n > RECEIPT_SIZE_MAX)
		return FG_ELIMIT;
	if (!next_line(&rest, &line) || !view_is(line, FIRST_LINE) || !next_line(&rest, &line))
		return FG_EFORMAT;
	if (begins(line, "extra ", &value)) {
		writer_reset(store);
		int rc = base64_decode(value, store);
		if (rc < 0)
			return rc;
		r.extra = writer_view(store);
		if (r.extra.n == 0 || !next_line(&rest, &line))
			return FG_EFORMAT;
	}
	if (!begins(line, "index ", &value) || !decimal_parse(value, MERKLE_SIZE_MAX - 1, &r.index))
		return FG_EFORMAT;
	int rc = parse_hashes(&rest, &r.proof);
	if (rc < 0)
		return rc;
	if (rest.n == 0 || rest.n > NOTE_SIZE_MAX)
		return FG_EFORMAT;
	r.note = rest;
	*ret = r;
	return 0;
}

int
receipt_verify(struct merkle *m, const struct receipt *r, struct view entry,
    const char *origin, const struct note_key *log, const struct note_key *witnesses, size_t n,
    struct receipt_checked *ret)
{
	struct receipt_checked checked = { .outcome = RECEIPT_BAD_CHECKPOINT };
	int rc = checkpoint_open(r->note, origin, log, witnesses, n, 0, &checked.checkpoint);
	if (rc < 0)
		return rc;
	if (checked.checkpoint.outcome == CHECKPOINT_VERIFIED) {
		const struct checkpoint *head = &checked.checkpoint.head;
		uint8_t leaf[MERKLE_HASH_LEN];
		bool proven;
		rc = merkle_leaf(m, entry, leaf);
		if (rc == 0)
			rc = merkle_verify_inclusion(m, r->index, head->size, leaf, &r->proof, head->root,
			    &proven);
		if (rc < 0)
			return rc;
		checked.outcome = proven ? RECEIPT_VERIFIED : RECEIPT_NOT_INCLUDED;
	}
	*ret = checked;
	return 0;
}
