/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/minisign.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/rawsig.h"
#include "crypto/visible.h"

#define ALG_LEN 2
#define SIG_RECORD (ALG_LEN + TRUST_KEYNUM_LEN + ED25519_SIG_LEN)
#define KEY_RECORD (ALG_LEN + TRUST_KEYNUM_LEN + ED25519_KEY_LEN)
#define TRUSTED_START "trusted comment: "

static int
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return FG_EFORMAT;
}

/* The next line without its end, LF or CRLF; false at the end of the text. */
static bool
next_line(struct view *rest, struct view *ret)
{
	if (rest->n == 0)
		return false;
	const uint8_t *lf = memchr(rest->p, '\n', rest->n);
	size_t n = lf ? (size_t)(lf - rest->p) : rest->n, skip = lf ? n + 1 : n;
	*ret = view_of(rest->p, n);
	if (lf && n && ret->p[n - 1] == '\r')
		ret->n--;
	*rest = view_of(rest->p + skip, rest->n - skip);
	return true;
}

static bool
starts(struct view line, const char *word)
{
	size_t n = strlen(word);
	return line.n >= n && memcmp(line.p, word, n) == 0;
}

/* The untrusted comment and the line of base64 that both files begin with. */
static int
record(struct view *rest, uint8_t *dst, size_t n, const char **ret_why)
{
	struct view comment, line;
	if (!next_line(rest, &comment) || !starts(comment, MINISIGN_START))
		return refuse(ret_why, "it does not begin with an untrusted comment");
	if (comment.n > MINISIGN_COMMENT_MAX)
		return refuse(ret_why, "the untrusted comment is longer than 8192 bytes");
	if (!next_line(rest, &line))
		return refuse(ret_why, "it ends after the untrusted comment");
	struct writer w;
	writer_init(&w, KEY_RECORD + SIG_RECORD);
	int err = base64_decode(line, &w);
	if (!err && writer_view(&w).n == n)
		memcpy(dst, writer_view(&w).p, n);
	else if (err != FG_ENOMEM)
		err = refuse(ret_why, "the second line is not base64 of the right length");
	writer_free(&w);
	return err;
}

static int
trusted(struct view *rest, struct minisign *m, const char **ret_why)
{
	struct view comment, line;
	if (!next_line(rest, &comment))
		return FG_ENOTFOUND;
	if (!starts(comment, TRUSTED_START))
		return refuse(ret_why, "the third line is no trusted comment");
	m->trusted = view_of(comment.p + strlen(TRUSTED_START), comment.n - strlen(TRUSTED_START));
	if (m->trusted.n > MINISIGN_COMMENT_MAX)
		return refuse(ret_why, "the trusted comment is longer than 8192 bytes");
	if (!next_line(rest, &line))
		return refuse(ret_why, "the trusted comment is not signed");
	struct writer w;
	writer_init(&w, SIG_RECORD);
	int err = base64_decode(line, &w);
	if (!err && writer_view(&w).n == ED25519_SIG_LEN)
		memcpy(m->global, writer_view(&w).p, ED25519_SIG_LEN);
	else if (err != FG_ENOMEM)
		err = refuse(ret_why, "the fourth line is not base64 of the right length");
	writer_free(&w);
	return err;
}

int
minisign_parse(struct view text, bool embedded, struct minisign *ret, const char **ret_why)
{
	uint8_t bytes[SIG_RECORD];
	struct minisign m = { .form = MINISIGN_NONE };
	struct view rest = text;
	int err = record(&rest, bytes, sizeof bytes, ret_why);
	if (err)
		return err;
	bool hashed = memcmp(bytes, "ED", ALG_LEN) == 0;
	if (!hashed && memcmp(bytes, "Ed", ALG_LEN) != 0)
		return refuse(ret_why, "a signature of an unknown kind: neither \"ED\" nor \"Ed\"");
	memcpy(m.keynum, bytes + ALG_LEN, sizeof m.keynum);
	memcpy(m.sig, bytes + ALG_LEN + TRUST_KEYNUM_LEN, sizeof m.sig);
	err = embedded ? FG_ENOTFOUND : trusted(&rest, &m, ret_why);
	if (err && err != FG_ENOTFOUND)
		return err;
	if (err && hashed)
		return refuse(ret_why, "a minisign signature without its trusted comment");
	m.form = hashed ? MINISIGN_HASHED : err ? MINISIGN_SIGNIFY : MINISIGN_LEGACY;
	if (!embedded && rest.n > 0)
		return refuse(ret_why, "bytes after the signature");
	m.end = text.n - rest.n;
	*ret = m;
	return 0;
}

static bool
ends_first_line(struct view text, const char *suffix)
{
	struct view line;
	size_t n = strlen(suffix);
	return next_line(&text, &line) && line.n >= n && memcmp(line.p + line.n - n, suffix, n) == 0;
}

int
minisign_parse_key(struct view text, uint8_t ret_keynum[TRUST_KEYNUM_LEN],
    uint8_t ret_key[ED25519_KEY_LEN], enum trust_tool *ret_tool, const char **ret_why)
{
	uint8_t bytes[KEY_RECORD];
	struct view rest = text;
	int err = record(&rest, bytes, sizeof bytes, ret_why);
	if (err)
		return err;
	if (memcmp(bytes, "Ed", ALG_LEN) != 0)
		return refuse(ret_why, "a key of an unknown kind: not \"Ed\"");
	if (rest.n > 0)
		return refuse(ret_why, "bytes after the key");
	memcpy(ret_keynum, bytes + ALG_LEN, TRUST_KEYNUM_LEN);
	memcpy(ret_key, bytes + ALG_LEN + TRUST_KEYNUM_LEN, ED25519_KEY_LEN);
	*ret_tool = ends_first_line(text, " public key") ? TRUST_TOOL_SIGNIFY : TRUST_TOOL_MINISIGN;
	return 0;
}

enum digest_alg
minisign_digest(const struct minisign *m)
{
	return m->form == MINISIGN_HASHED ? DIGEST_BLAKE2B512 : DIGEST_NONE;
}

const char *
minisign_scheme(const struct minisign *m)
{
	switch (m->form) {
	case MINISIGN_HASHED:
		return "minisign-blake2b512";
	case MINISIGN_LEGACY:
		return "minisign-legacy";
	case MINISIGN_SIGNIFY:
		return "signify";
	case MINISIGN_NONE:
		break;
	}
	return "none";
}

/* "timestamp:1700000000" among the words of the comment, as minisign writes it. */
static void
claimed_time(struct view comment, struct sig_result *r)
{
	static const char word[] = "timestamp:";
	const uint8_t *at = memmem(comment.p, comment.n, word, sizeof word - 1);
	int64_t t = 0;
	if (!at)
		return;
	const uint8_t *p = at + sizeof word - 1, *end = comment.p + comment.n;
	if (p == end)
		return;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(t, 10, &t) || __builtin_add_overflow(t, *p - '0', &t))
			return;
	r->have_claimed_time = true;
	r->claimed_time = t;
}

/* The trusted comment is vouched for by the same key, or the whole is not what it seems to be. */
static int
judge_comment(const struct minisign *m, const struct trust_key *key, struct sig_result *r)
{
	struct sig_result comment = { .outcome = SIG_UNKNOWN };
	uint8_t *message = malloc(ED25519_SIG_LEN + m->trusted.n);
	if (!message)
		return FG_ENOMEM;
	memcpy(message, m->sig, ED25519_SIG_LEN);
	if (m->trusted.n)
		memcpy(message + ED25519_SIG_LEN, m->trusted.p, m->trusted.n);
	int err = rawsig_judge_message(key, view_of(message, ED25519_SIG_LEN + m->trusted.n),
	    view_of(m->global, sizeof m->global), &comment);
	free(message);
	if (err)
		return err;
	if (comment.outcome != SIG_VERIFIED) {
		sig_worsen(r, SIG_INVALID, "the signature of its trusted comment does not fit");
		return 0;
	}
	char shown[SIG_TEXT_MAX / 2];
	visible_cstr(m->trusted, shown, sizeof shown);
	snprintf(r->detail, sizeof r->detail, "fits key %.60s; its signed comment: %s", key->name,
	    shown);
	claimed_time(m->trusted, r);
	return 0;
}

static int
try_key(const struct minisign *m, const struct trust_key *as, struct view signed_,
    struct sig_result *r)
{
	struct trust_key key = *as;
	key.scheme = TRUST_ED25519;
	int err = rawsig_judge_message(&key, signed_, view_of(m->sig, sizeof m->sig), r);
	if (!err && r->outcome == SIG_VERIFIED && m->form != MINISIGN_SIGNIFY)
		err = judge_comment(m, &key, r);
	snprintf(r->scheme, sizeof r->scheme, "%s", minisign_scheme(m));
	r->digest = minisign_digest(m);
	return err;
}

bool
minisign_may_be_by(const struct trust_key *key, const void *keynum)
{
	return !key->have_keynum || memcmp(key->keynum, keynum, TRUST_KEYNUM_LEN) == 0;
}

int
minisign_judge(const struct minisign *m, const struct trust *t, struct view signed_,
    struct sig_result *ret)
{
	struct sig_result best = *ret;
	enum trust_tool tool = m->form == MINISIGN_SIGNIFY ? TRUST_TOOL_SIGNIFY : TRUST_TOOL_MINISIGN;
	bool tried = false;
	for (size_t i = 0; i < trust_keys(t); i++) {
		const struct trust_key *key = trust_key_at(t, i);
		struct sig_result one = *ret;
		if (!trust_key_for(key, tool) || !rawsig_key_can(key, TRUST_ED25519) ||
		    !minisign_may_be_by(key, m->keynum))
			continue;
		int err = try_key(m, key, signed_, &one);
		if (err)
			return err;
		bool sound = one.outcome != SIG_INVALID || one.signer.have_spki;
		if (!tried || sound)
			best = one;
		tried = true;
		if (sound)
			break;
	}
	if (!tried) {
		char hex[2 * TRUST_KEYNUM_LEN + 1], text[SIG_TEXT_MAX];
		uint8_t shown[TRUST_KEYNUM_LEN]; /* both tools print it as a little-endian number */
		for (unsigned i = 0; i < TRUST_KEYNUM_LEN; i++)
			shown[i] = m->keynum[TRUST_KEYNUM_LEN - 1 - i];
		hex_encode(shown, sizeof shown, hex);
		snprintf(text, sizeof text,
		    "it says that it is by key %s, which the trust set does not hold", hex);
		sig_worsen(&best, SIG_UNTRUSTED, text);
		snprintf(best.scheme, sizeof best.scheme, "%s", minisign_scheme(m));
		best.digest = minisign_digest(m);
		best.revocation = SIG_REVOCATION_NOT_APPLICABLE;
	}
	*ret = best;
	return 0;
}
