/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/checkpoint.h"

#include <inttypes.h>

#include "crypto/base64.h"
#include "crypto/decimal.h"
#include "crypto/digest.h"
#include "crypto/err.h"

static const char *const OUTCOMES[] = {
	[CHECKPOINT_UNKNOWN] = "unknown",
	[CHECKPOINT_VERIFIED] = "verified",
	[CHECKPOINT_MALFORMED] = "malformed",
	[CHECKPOINT_NOT_BY_LOG] = "not-signed-by-log",
	[CHECKPOINT_BAD_SIGNATURE] = "bad-signature",
	[CHECKPOINT_WRONG_ORIGIN] = "wrong-origin",
};

const char *
checkpoint_outcome_name(enum checkpoint_outcome outcome)
{
	return (unsigned)outcome < sizeof OUTCOMES / sizeof *OUTCOMES ? OUTCOMES[outcome] :
	    OUTCOMES[CHECKPOINT_UNKNOWN];
}

int
checkpoint_encode(const struct checkpoint *c, struct writer *w)
{
	if (!note_name_is_valid(view_str(c->origin)) || c->size > MERKLE_SIZE_MAX ||
	    c->extensions != 0)
		return FG_EINVAL;
	writer_textf(w, "%s\n%" PRIu64 "\n", c->origin, c->size);
	base64_encode(view_of(c->root, sizeof c->root), w);
	writer_text(w, "\n");
	return writer_err(w);
}

/* The next line without its "\n"; empty (and so refused by every caller) when there is none. */
static struct view
next_line(struct view *rest)
{
	const uint8_t *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	if (!lf)
		return view_of(NULL, 0);
	struct view line = view_of(rest->p, (size_t)(lf - rest->p));
	*rest = view_of(lf + 1, rest->n - line.n - 1);
	return line;
}

static int
parse_root(struct view v, uint8_t ret[MERKLE_HASH_LEN])
{
	struct writer w;
	writer_init(&w, MERKLE_HASH_LEN);
	int rc = base64_decode(v, &w);
	struct view bytes = writer_view(&w);
	if (rc == FG_ELIMIT || (rc == 0 && bytes.n != MERKLE_HASH_LEN))
		rc = FG_EFORMAT;
	if (rc == 0)
		memcpy(ret, bytes.p, MERKLE_HASH_LEN);
	writer_free(&w);
	return rc;
}

int
checkpoint_parse(struct view text, unsigned extensions, struct checkpoint *ret)
{
	struct view rest = text;
	struct checkpoint c = { .size = 0 };
	if (text.n > CHECKPOINT_TEXT_MAX || extensions > CHECKPOINT_EXTENSIONS_MAX)
		return FG_EFORMAT;
	struct view origin = next_line(&rest);
	if (origin.n == 0 || origin.n > CHECKPOINT_ORIGIN_MAX || memchr(origin.p, '\0', origin.n))
		return FG_EFORMAT;
	memcpy(c.origin, origin.p, origin.n);
	if (!decimal_parse(next_line(&rest), MERKLE_SIZE_MAX, &c.size))
		return FG_EFORMAT;
	int rc = parse_root(next_line(&rest), c.root);
	if (rc < 0)
		return rc;
	for (; rest.n; c.extensions++) {
		if (c.extensions >= extensions || next_line(&rest).n == 0)
			return FG_EFORMAT;
	}
	if (c.size == 0) {
		uint8_t empty[DIGEST_SHA256_LEN];
		rc = digest_sha256(view_of(NULL, 0), empty);
		if (rc < 0)
			return rc;
		if (memcmp(c.root, empty, sizeof empty) != 0)
			return FG_EFORMAT;
	}
	*ret = c;
	return 0;
}

int
checkpoint_sign(const struct checkpoint *c, const struct note_signer *log, struct writer *w)
{
	if (strcmp(c->origin, log->key.name) != 0)
		return FG_EINVAL;
	struct writer text;
	writer_init(&text, CHECKPOINT_TEXT_MAX);
	int rc = checkpoint_encode(c, &text);
	if (rc == 0)
		rc = note_sign(writer_view(&text), log, w);
	writer_free(&text);
	return rc;
}

static enum checkpoint_outcome
of_note(const struct note_opened *note)
{
	switch (note->outcome) {
	case NOTE_VERIFIED:
		return note->signed_by[0] ? CHECKPOINT_VERIFIED : CHECKPOINT_NOT_BY_LOG;
	case NOTE_NO_KNOWN_KEY:
		return CHECKPOINT_NOT_BY_LOG;
	case NOTE_BAD_SIGNATURE:
		return CHECKPOINT_BAD_SIGNATURE;
	case NOTE_MALFORMED:
	case NOTE_UNKNOWN:
		break;
	}
	return CHECKPOINT_MALFORMED;
}

int
checkpoint_open(struct view note, const char *origin, const struct note_key *log,
    const struct note_key *witnesses, size_t n, unsigned extensions,
    struct checkpoint_opened *ret)
{
	struct note_key keys[NOTE_KEYS_MAX];
	struct note_opened opened;
	struct checkpoint_opened o = { .outcome = CHECKPOINT_UNKNOWN };
	struct checkpoint head;
	if (n >= NOTE_KEYS_MAX)
		return FG_EINVAL;
	keys[0] = *log;
	if (n)
		memcpy(keys + 1, witnesses, n * sizeof *keys);
	int rc = note_open(note, keys, n + 1, &opened);
	if (rc < 0)
		return rc;
	o.outcome = of_note(&opened);
	if (o.outcome == CHECKPOINT_VERIFIED) {
		rc = checkpoint_parse(opened.text, extensions, &head);
		if (rc < 0 && rc != FG_EFORMAT)
			return rc;
		if (rc == FG_EFORMAT)
			o.outcome = CHECKPOINT_MALFORMED;
		else if (strcmp(head.origin, origin ? origin : log->name) != 0)
			o.outcome = CHECKPOINT_WRONG_ORIGIN;
	}
	if (o.outcome == CHECKPOINT_VERIFIED) {
		o.head = head;
		for (size_t i = 0; i < n; i++) {
			o.witnessed[i] = opened.signed_by[i + 1];
			o.witnessed_at[i] = opened.signed_at[i + 1];
			o.witnesses += o.witnessed[i];
		}
	}
	*ret = o;
	return 0;
}
