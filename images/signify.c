/* SPDX-License-Identifier: Apache-2.0 */
#include "images/signify.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/minisign.h"
#include "crypto/visible.h"

#define COMMENT_MAX 128 /* "untrusted comment: verify with NAME.pub" */

static bool
may_be_by(const struct trust_key *key, const void *keynum)
{
	return minisign_may_be_by(key, keynum);
}

static int
judge(struct walk *w, const struct minisign *m, struct walk_signed *by)
{
	const struct walk_claim claim = { .scheme = "minisign/signify-embedded",
		.as = TRUST_ED25519,
		.tool = TRUST_TOOL_SIGNIFY,
		.signature = view_of(m->sig, sizeof m->sig),
		.span = { .range = { { m->end, w->image->size - m->end } }, .n = 1 },
		.candidate = may_be_by,
		.arg = m->keynum };
	return walk_keys(w, &claim, by);
}

/* "SHA256 (name) = hex" lines: what signify -C would hold files against. */
static int
list(struct walk *w, uint64_t from, struct walk_signed by)
{
	uint8_t *text = NULL;
	size_t n = (size_t)(w->image->size - from);
	int err = walk_load(w, (struct sig_range){ from, n }, SIGNIFY_LIST_MAX, &text);
	if (err == FG_EFORMAT) /* longer: no list */
		return 0;
	for (uint8_t *p = text, *end = text + n; !err && p < end;) {
		uint8_t *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end;
		if (stop - p > 8 && memcmp(p, "SHA256 (", 8) == 0)
			walk_fact(w, CONTENTS_FACT_DIGEST, by, view_of(p, (size_t)(stop - p)));
		p = stop + 1;
	}
	free(text);
	return err;
}

/*
 * Nobody signed the untrusted comment, and it is the first that a reader of
 * another kind gets to see: only what signify itself writes is structure.
 */
void
signify_comment(struct walk *w, uint64_t offset, struct view lines)
{
	static const char due[] = "untrusted comment: verify with ", suffix[] = ".pub";
	static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const uint8_t *lf = memchr(lines.p, '\n', lines.n);
	size_t len = lf ? (size_t)(lf - lines.p) : 0, start = sizeof due - 1, tail = sizeof suffix - 1;
	bool plain = len > start + tail && len <= COMMENT_MAX && memcmp(lines.p, due, start) == 0 &&
	             memcmp(lines.p + len - tail, suffix, tail) == 0;
	/* Not strchr(): for it a NUL is one of any string's characters. */
	for (size_t i = start; i < len && plain; i++)
		plain = memchr(may, lines.p[i], sizeof may - 1) != NULL;
	if (plain) {
		walk_structure(w, offset, lines.n);
		return;
	}
	char shown[COMMENT_MAX];
	visible_cstr(view_of(lines.p, len), shown, sizeof shown);
	walk_raise(w, FINDING_FMT_UNKNOWN_PART, &offset,
	    "its untrusted comment is not the one that signify writes: %s", shown);
}

int
signify_walk(struct walk *w)
{
	struct minisign m;
	struct walk_signed by = { 0 };
	const char *why = "";
	uint8_t *head = NULL;
	uint64_t n = w->image->size < MINISIGN_TEXT_MAX ? w->image->size : MINISIGN_TEXT_MAX;
	int err = walk_load(w, (struct sig_range){ 0, n }, MINISIGN_TEXT_MAX, &head);
	if (err)
		return err;
	err = minisign_parse(view_of(head, (size_t)n), true, &m, &why);
	if (err == FG_EFORMAT) {
		free(head);
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "no signature of signify: %s", why);
		return 0;
	}
	if (!err && m.end == w->image->size) {
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, NULL,
		    "the file is a signature and holds nothing that it signs");
		free(head);
		return 0;
	}
	if (!err)
		err = judge(w, &m, &by);
	if (!err)
		signify_comment(w, 0, view_of(head, m.end));
	free(head);
	if (err)
		return err;
	struct walk_member content = { .name = view_str("content"),
		.at = { m.end, w->image->size - m.end },
		.by = by,
		.inside = true };
	err = list(w, m.end, by);
	return err ? err : walk_member(w, &content, NULL);
}
