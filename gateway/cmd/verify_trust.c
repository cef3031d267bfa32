/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_trust.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/cmd/verify_file.h"

static struct view
word(struct view *rest)
{
	while (rest->n && (*rest->p == ' ' || *rest->p == '\t'))
		*rest = view_of(rest->p + 1, rest->n - 1);
	size_t n = 0;
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t' && rest->p[n] != '\r')
		n++;
	struct view w = view_of(rest->p, n);
	*rest = view_of(rest->p + n, rest->n - n);
	return w;
}

static const char *
one_line(struct view line, struct verify_trust *t)
{
	struct view verb = word(&line);
	if (!verb.n || verb.p[0] == '#')
		return NULL;
	if (view_is(verb, "genesis")) {
		struct view v = word(&line);
		if (v.n == 7 + DIGEST_HEX_LEN && !memcmp(v.p, "sha256:", 7))
			v = view_of(v.p + 7, v.n - 7);
		t->have_genesis = hex_decode(v, t->genesis, sizeof t->genesis);
		return t->have_genesis ? NULL : "genesis wants the 64 hex digits that fotagate init printed";
	}
	if (view_is(verb, "log")) {
		t->have_log = note_key_parse(word(&line), &t->log) == FG_OK;
		return t->have_log ? NULL : "log wants a verifier key: name+hash+key";
	}
	if (view_is(verb, "witness")) {
		word(&line);
		if (t->witnesses == VERIFY_TRUST_WITNESSES)
			return "too many witnesses";
		if (note_key_parse(word(&line), &t->witness[t->witnesses]))
			return "witness wants a name and a verifier key";
		t->witnesses++;
		return NULL;
	}
	return "unknown word: genesis, log or witness belongs here";
}

int
verify_trust_read(const char *path, struct verify_trust *ret)
{
	struct view text;
	int err = verify_file_read(NULL, path, VERIFY_SMALL_MAX, &text);
	if (err) {
		fprintf(stderr, "fotagate-verify: %s: %s\n", path, err_name(err));
		return err;
	}
	unsigned number = 1;
	for (size_t at = 0; !err && at < text.n; number++) {
		const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
		size_t n = end ? (size_t)(end - (text.p + at)) : text.n - at;
		const char *bad = one_line(view_of(text.p + at, n), ret);
		if (bad) {
			fprintf(stderr, "fotagate-verify: %s:%u: %s\n", path, number, bad);
			err = FG_EFORMAT;
		}
		at += n + 1;
	}
	verify_file_free(text);
	return err;
}
