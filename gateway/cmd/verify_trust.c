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
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	struct view w = view_of(rest->p, n);
	*rest = view_of(rest->p + n, rest->n - n);
	return w;
}

static const char *
genesis_line(struct view rest, struct verify_trust *t)
{
	struct view v = word(&rest);
	if (v.n == 7 + DIGEST_HEX_LEN && !memcmp(v.p, "sha256:", 7))
		v = view_of(v.p + 7, v.n - 7);
	if (t->geneses == VERIFY_TRUST_GENESES)
		return "too many geneses";
	if (!hex_decode(v, t->genesis[t->geneses], DIGEST_SHA256_LEN) || word(&rest).n)
		return "genesis wants the 64 hex digits that fotagate init printed";
	t->geneses++;
	return NULL;
}

static const char *
one_line(struct view line, struct verify_trust *t)
{
	const char *why = "not understood";
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	struct view rest = line, verb = word(&rest);
	if (!verb.n || verb.p[0] == '#')
		return NULL;
	if (view_is(verb, "genesis"))
		return genesis_line(rest, t);
	/* Two files may well say the same log. */
	if (view_is(verb, "log")) {
		struct note_key key;
		if (note_key_parse(word(&rest), &key))
			return "log wants a verifier key: name+hash+key";
		const struct note_key *known = verify_trust_log(t, view_str(key.name));
		if (known && note_key_equal(known, &key))
			return NULL;
	}
	int err = witness_policy_line(&t->policy, line, &why);
	if (err == FG_ENOTFOUND)
		return "unknown word: genesis, log, witness, group or quorum belongs here";
	if (!err && t->policy.witnesses >= NOTE_KEYS_MAX)
		return "too many witnesses";
	return err ? why : NULL;
}

int
verify_trust_read(const char *path, struct verify_trust *t)
{
	struct view text;
	int err = verify_file_read(NULL, path, VERIFY_SMALL_MAX, &text);
	if (err) {
		fprintf(stderr, "fotagate-verify: %s: %s\n", path, err_why(err));
		return err;
	}
	unsigned number = 1;
	for (size_t at = 0; !err && at < text.n; number++) {
		const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
		size_t n = end ? (size_t)(end - (text.p + at)) : text.n - at;
		const char *bad = one_line(view_of(text.p + at, n), t);
		if (bad) {
			fprintf(stderr, "fotagate-verify: %s:%u: %s\n", path, number, bad);
			err = FG_EFORMAT;
		}
		at += n + 1;
	}
	verify_file_free(text);
	return err;
}

bool
verify_trust_has_genesis(const struct verify_trust *t, const uint8_t digest[DIGEST_SHA256_LEN])
{
	for (unsigned i = 0; i < t->geneses; i++) {
		if (!memcmp(t->genesis[i], digest, DIGEST_SHA256_LEN))
			return true;
	}
	return false;
}

const struct note_key *
verify_trust_log(const struct verify_trust *t, struct view origin)
{
	int i = witness_policy_find_log(&t->policy, origin);
	return i < 0 ? NULL : &t->policy.log[i];
}

bool
verify_trust_witnessed(const struct verify_trust *t, const struct checkpoint_opened *opened)
{
	if (t->policy.quorum != WITNESS_POLICY_QUORUM_ABSENT)
		return witness_policy_satisfied(&t->policy, opened->witnessed);
	return opened->witnesses == t->policy.witnesses;
}
