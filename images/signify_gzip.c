/* SPDX-License-Identifier: Apache-2.0 */
#include "images/signify_gzip.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/minisign.h"
#include "images/signify.h"
#include "images/unpack.h"

#define HEADER_LEN 10
#define SUM_LEN 32 /* SHA-512/256 */
#define LINE_LEN (2 * SUM_LEN + 1)

struct zsig {
	struct walk *w;
	uint8_t *head; /* header and as much behind it as may be the comment */
	struct view comment;
	struct view signed_; /* its part that is signed */
	struct view lines;   /* of that, the digests */
	struct walk_signed by;
	uint64_t stream; /* where the compressed stream begins */
};

static bool
malformed(struct zsig *z, const char *why)
{
	walk_raise(z->w, FINDING_FMT_MALFORMED, NULL, "no signature of signify in a gzip header: %s", why);
	return false;
}

/* 0 and *ok; local failure. */
static int
read_comment(struct zsig *z, bool *ok)
{
	uint64_t size = z->w->image->size, n = size < SIGNIFY_GZIP_HEAD_MAX ? size : SIGNIFY_GZIP_HEAD_MAX;
	int err = walk_load(z->w, (struct sig_range){ 0, n }, SIGNIFY_GZIP_HEAD_MAX, &z->head);
	if (err)
		return err;
	/* No time, no name, made on Unix; the ninth byte says how hard was tried. */
	static const uint8_t due[8] = { 0x1f, 0x8b, 8, 16 };
	if (n < HEADER_LEN || memcmp(z->head, due, sizeof due) != 0 || z->head[9] != 3 ||
	    (z->head[8] != 0 && z->head[8] != 2 && z->head[8] != 4)) {
		*ok = malformed(z, "its header is not the one that signify writes");
		return 0;
	}
	const uint8_t *end = memchr(z->head + HEADER_LEN, 0, (size_t)n - HEADER_LEN);
	*ok = end != NULL || malformed(z, "the comment does not end within 4 MiB");
	if (end) {
		z->comment = view_of(z->head + HEADER_LEN, (size_t)(end - z->head) - HEADER_LEN);
		z->stream = HEADER_LEN + z->comment.n + 1;
	}
	return 0;
}

static bool
may_be_by(const struct trust_key *key, const void *keynum)
{
	return minisign_may_be_by(key, keynum);
}

static int
judge(struct zsig *z, bool *ok)
{
	struct minisign m;
	const char *why = "";
	int err = minisign_parse(z->comment, true, &m, &why);
	if (err == FG_EFORMAT) {
		*ok = malformed(z, why);
		return 0;
	}
	if (err)
		return err;
	z->signed_ = view_of(z->comment.p + m.end, z->comment.n - m.end);
	const struct walk_claim claim = { .scheme = "signify-gzip/ed25519",
		.as = TRUST_ED25519,
		.tool = TRUST_TOOL_SIGNIFY,
		.signature = view_of(m.sig, sizeof m.sig),
		.span = { .range = { { HEADER_LEN + m.end, z->signed_.n } }, .n = 1 },
		.candidate = may_be_by,
		.arg = m.keynum };
	err = walk_keys(z->w, &claim, &z->by);
	if (!err && walk_verified(z->w, z->by)) {
		walk_structure(z->w, 0, HEADER_LEN);
		walk_structure(z->w, HEADER_LEN + z->comment.n, 1);
		signify_comment(z->w, HEADER_LEN, view_of(z->comment.p, m.end));
	}
	return err;
}

static bool
cut_line(struct view *rest, struct view *ret)
{
	const uint8_t *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	if (!lf)
		return false;
	*ret = view_of(rest->p, (size_t)(lf - rest->p));
	*rest = view_of(lf + 1, rest->n - ret->n - 1);
	return true;
}

static bool
starts(struct view v, const char *word)
{
	size_t n = strlen(word);
	return v.n > n && memcmp(v.p, word, n) == 0;
}

/* "date=", "key=", "algorithm=", "blocksize=", an empty line, digests. */
static bool
read_list(struct zsig *z)
{
	struct view rest = z->signed_, line;
	bool alg = false, block = false;
	for (;;) {
		if (!cut_line(&rest, &line))
			return malformed(z, "what is signed has no list of digests");
		if (line.n == 0)
			break;
		if (view_is(line, "algorithm=SHA512/256"))
			alg = true;
		else if (view_is(line, "blocksize=65536"))
			block = true;
		else if (starts(line, "date="))
			walk_fact(z->w, CONTENTS_FACT_NOTE, z->by, line);
		else if (starts(line, "key="))
			walk_fact(z->w, CONTENTS_FACT_KEY_HINT, z->by, line);
		else
			return malformed(z, "a line in what is signed that is not known");
	}
	z->lines = rest;
	return (alg && block) || malformed(z, "not SHA512/256 of blocks of 65536 bytes");
}

/* The stream block by block against the list, to the end of both. */
static int
compare(struct zsig *z, bool *ret_fits)
{
	uint64_t size = z->w->image->size, blocks = (size - z->stream + SIGNIFY_GZIP_BLOCK - 1) / SIGNIFY_GZIP_BLOCK;
	*ret_fits = false;
	if (z->lines.n != blocks * LINE_LEN) {
		walk_raise(z->w, FINDING_FMT_INTEGRITY, &z->stream, "%" PRIu64 " blocks, and %zu bytes of digests: %u a block",
		    blocks, z->lines.n, LINE_LEN);
		return 0;
	}
	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t at = z->stream + i * SIGNIFY_GZIP_BLOCK, left = size - at;
		if (left > SIGNIFY_GZIP_BLOCK)
			left = SIGNIFY_GZIP_BLOCK;
		const struct walk_span span = { .range = { { at, left } }, .n = 1 };
		const uint8_t *said = z->lines.p + i * LINE_LEN;
		uint8_t sum[DIGEST_LEN_MAX];
		char hex[2 * SUM_LEN + 1];
		int err = walk_digest(z->w, &span, DIGEST_SHA512_256, sum);
		if (err)
			return err;
		hex_encode(sum, SUM_LEN, hex);
		if (memcmp(said, hex, 2 * SUM_LEN) != 0 || said[2 * SUM_LEN] != '\n') {
			walk_raise(z->w, FINDING_FMT_INTEGRITY, &at, "block %" PRIu64 " does not fit the digest that is signed", i);
			return 0;
		}
	}
	*ret_fits = true;
	return 0;
}

/* A gzip stream that knows whether it came to its end. */
struct stream {
	struct unpack *u;
	bool ended;
};

static long
read_stream(void *arg, void *buf, size_t n)
{
	struct stream *s = arg;
	long got = unpack_read(s->u, buf, n);
	s->ended = got == 0;
	return got;
}

static int
content(struct zsig *z, bool fits)
{
	uint64_t size = z->w->image->size;
	struct stream s = { .u = unpack_new(UNPACK_GZIP, z->w->image, (struct sig_range){ 0, size }) };
	if (!s.u)
		return FG_ENOMEM;
	struct walk_member m = { .name = view_str("content"), .at = { z->stream, size - z->stream }, .read = read_stream,
		.arg = &s, .size = UINT64_MAX, .inside = fits };
	if (fits) {
		m.by = z->by;
		walk_covers(z->w, z->by, z->stream, size - z->stream);
	}
	int err = walk_member(z->w, &m, NULL);
	uint64_t left = s.ended ? unpack_left(s.u) : 0;
	if (!err && left > 0)
		walk_raise(z->w, FINDING_FMT_TRAILING_BYTES, &(uint64_t){ size - left },
		    "%" PRIu64 " bytes behind the gzip stream", left);
	unpack_free(s.u);
	return err;
}

int
signify_gzip_walk(struct walk *w)
{
	struct zsig z = { .w = w };
	bool ok = false, fits = false;
	int err = read_comment(&z, &ok);
	if (!err && ok)
		err = judge(&z, &ok);
	if (!err && ok && read_list(&z))
		err = compare(&z, &fits);
	if (!err && ok)
		err = content(&z, fits);
	free(z.head);
	return err;
}
