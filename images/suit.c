/* SPDX-License-Identifier: Apache-2.0 */
#include "images/suit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/cose.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "images/suit_internal.h"

enum { TAG_ENVELOPE = 107, KEY_COMMANDS_FIRST = 15, KEY_COMMANDS_LAST = 22 };

/* One entry of the envelope. */
struct part {
	bool named;       /* text key: an integrated payload or dependency */
	int64_t key;
	struct view name;
	struct view item; /* the byte string with its head: what digests are over */
	struct view bytes; /* inside it */
};

struct envelope {
	unsigned n;
	struct part part[SUIT_PARTS_MAX];
};

static uint64_t
place(const struct suit *s, struct view v)
{
	return (uint64_t)(v.p - s->all.p);
}

static void
malformed(struct suit *s, const uint8_t *at, const char *what)
{
	uint64_t offset = at ? (uint64_t)(at - s->all.p) : 0;
	walk_raise(s->w, FINDING_FMT_MALFORMED, at ? &offset : NULL, "%s", what);
}

bool
suit_digest_read(struct reader *r, struct suit_digest *ret)
{
	if (cbor_array(r, 2) != 2)
		return false;
	int64_t alg = cbor_int(r);
	ret->sum = cbor_bytes(r);
	ret->alg = alg == -16 ? DIGEST_SHA256 : alg == -43 ? DIGEST_SHA384 : alg == -44 ? DIGEST_SHA512 : DIGEST_NONE;
	return !r->bad && (ret->alg == DIGEST_NONE || ret->sum.n == digest_len(ret->alg));
}

static bool
same_key(const struct part *a, const struct part *b)
{
	return a->named == b->named && (a->named ? view_equal(a->name, b->name) : a->key == b->key);
}

/* The outer map, every entry of which is a byte string. */
static bool
read_envelope(struct suit *s, struct envelope *e)
{
	struct reader r;
	reader_init(&r, s->all);
	bool tagged = cbor_tag(&r) == TAG_ENVELOPE;
	size_t n = cbor_map(&r, SUIT_PARTS_MAX);
	for (size_t i = 0; i < n && tagged && !r.bad; i++) {
		struct part *p = &e->part[e->n];
		p->named = cbor_peek(&r) == CBOR_TEXT;
		if (p->named)
			p->name = cbor_text(&r);
		else
			p->key = cbor_int(&r);
		size_t from = r.off;
		p->bytes = cbor_bytes(&r);
		p->item = view_of(s->all.p + from, r.off - from);
		for (unsigned k = 0; k < e->n; k++)
			if (same_key(&e->part[k], p))
				walk_raise(s->w, FINDING_FMT_DUPLICATE, &(uint64_t){ from },
				    "an entry of the envelope stands there twice");
		e->n++;
	}
	if (!tagged || r.bad) {
		malformed(s, s->all.p + (r.off < s->all.n ? r.off : 0),
		    "the envelope is no map of byte strings under tag 107");
		return false;
	}
	if (reader_left(&r))
		walk_raise(s->w, FINDING_FMT_TRAILING_BYTES, &(uint64_t){ r.off },
		    "%zu bytes after the envelope", reader_left(&r));
	return true;
}

static const struct part *
find(const struct envelope *e, int64_t key)
{
	for (unsigned i = 0; i < e->n; i++)
		if (!e->part[i].named && e->part[i].key == key)
			return &e->part[i];
	return NULL;
}

static int
fits(const struct suit_digest *d, struct view over, bool *ret)
{
	uint8_t sum[DIGEST_LEN_MAX];
	*ret = false;
	if (d->alg == DIGEST_NONE)
		return 0;
	int err = digest_bytes(d->alg, over, sum);
	if (!err)
		*ret = memcmp(sum, d->sum.p, d->sum.n) == 0;
	return err;
}

/* ---- signatures ---- */

static bool
of_curve(const struct trust_key *key, const void *alg)
{
	int64_t a = *(const int64_t *)alg;
	if (a == -7)
		return strcmp(key->key_type, "ec-p256") == 0;
	return a != -35 || strcmp(key->key_type, "ec-p384") == 0;
}

static int
judge_one(struct suit *s, const struct cose_signature *sig, struct view digest,
    const struct walk_span *span)
{
	char scheme[64];
	struct writer tbs;
	struct walk_signed one = { 0 };
	snprintf(scheme, sizeof scheme, "suit/%s", cose_alg_name(sig->alg));
	if (sig->as == TRUST_SCHEME_NONE) {
		walk_settle(s->w, scheme, SIG_OPAQUE, "COSE algorithm %" PRId64 " is not calculated here",
		    sig->alg);
		return 0;
	}
	writer_init(&tbs, SUIT_ENVELOPE_MAX);
	cose_tbs(sig, digest, &tbs);
	int err = writer_err(&tbs);
	struct walk_claim claim = { .scheme = scheme,
		.as = sig->as,
		.signature = sig->signature,
		.span = *span,
		.have_message = true,
		.message = writer_view(&tbs),
		.candidate = of_curve,
		.arg = &sig->alg };
	if (!err)
		err = walk_keys(s->w, &claim, &one);
	writer_free(&tbs);
	if (!s->by.n)
		s->by.first = one.first;
	s->by.n += one.n;
	if (!err && sig->kid.n && sig->kid.n <= 32) {
		char hex[65];
		hex_encode(sig->kid.p, sig->kid.n, hex);
		walk_fact(s->w, CONTENTS_FACT_KEY_HINT, (struct walk_signed){ 0 }, view_str(hex));
	}
	return err;
}

static int
judge_block(struct suit *s, struct view block, struct view digest, const struct walk_span *span)
{
	struct cose *c = calloc(1, sizeof *c);
	const char *why = "";
	if (!c)
		return FG_ENOMEM;
	int err = cose_parse(block, c, &why);
	if (err == FG_EFORMAT) {
		walk_settle(s->w, "suit/cose", SIG_INVALID, "%s", why);
		err = 0;
	} else if (!err && c->mac) {
		walk_settle(s->w, "suit/mac", SIG_OPAQUE,
		    "a message authentication code, which only the holder of its secret can check");
	} else if (!err && c->have_payload && !view_equal(c->payload, digest)) {
		walk_settle(s->w, "suit/cose", SIG_INVALID, "it signs another digest than the envelope's");
	} else {
		for (unsigned i = 0; i < c->n && !err; i++)
			err = judge_one(s, &c->signature[i], digest, span);
	}
	free(c);
	return err;
}

/* The digest of the manifest and the blocks that sign it. */
static int
authenticate(struct suit *s, const struct part *auth, const struct part *manifest)
{
	struct reader r, inner;
	struct suit_digest d;
	bool good = false;
	reader_init(&r, auth->bytes);
	size_t n = cbor_array(&r, SIG_SIGNERS_MAX + 1);
	struct view digest = n ? cbor_bytes(&r) : view_of(NULL, 0);
	reader_init(&inner, digest);
	if (r.bad || n == 0 || !suit_digest_read(&inner, &d) || !reader_end(&inner)) {
		malformed(s, auth->bytes.p, "the authentication wrapper does not begin with a digest");
		return 0;
	}
	int err = fits(&d, manifest->item, &good);
	if (err)
		return err;
	if (!good) {
		walk_raise(s->w, FINDING_FMT_INTEGRITY, &(uint64_t){ place(s, digest) },
		    d.alg == DIGEST_NONE ? "the digest of the manifest is of an unknown algorithm"
		                         : "the digest in the envelope is not that of its manifest");
		walk_settle(s->w, "suit/digest", SIG_INVALID, "what is signed is not the digest of this manifest");
		return 0;
	}
	struct walk_span span = { .range = { { place(s, digest), digest.n },
	                              { place(s, manifest->item), manifest->item.n } },
		.n = 2 };
	for (size_t i = 1; i < n && !err; i++) {
		struct view block = cbor_bytes(&r);
		if (!r.bad)
			err = judge_block(s, block, digest, &span);
	}
	if (!err && !reader_end(&r))
		malformed(s, auth->bytes.p, "the authentication wrapper is malformed");
	return err;
}

/* ---- what stands beside the manifest ---- */

static int
severed(struct suit *s, const struct part *p)
{
	for (unsigned i = 0; i < s->severed_n; i++) {
		struct suit_severed *v = &s->severed[i];
		bool good = false;
		if (v->key != p->key)
			continue;
		v->found = true;
		int err = fits(&v->digest, p->item, &good);
		if (err)
			return err;
		if (!good) {
			walk_raise(s->w, FINDING_MEMBER_DIGEST, &(uint64_t){ place(s, p->item) },
			    "entry %" PRId64 " of the envelope is not what the manifest describes", p->key);
			return 0;
		}
		if (walk_verified(s->w, s->by))
			walk_covers(s->w, s->by, place(s, p->item), p->item.n);
		if (p->key >= KEY_COMMANDS_FIRST && p->key <= KEY_COMMANDS_LAST)
			suit_sequence_read(s, p->bytes, 0);
		return 0;
	}
	walk_raise(s->w, FINDING_MEMBER_UNLISTED, &(uint64_t){ place(s, p->item) },
	    "entry %" PRId64 " of the envelope is not one that the manifest names", p->key);
	return 0;
}

/* An image in the envelope itself: vouched for when one of the manifest's digests is its own. */
static int
integrated(struct suit *s, const struct part *p)
{
	struct walk_member m = { .name = p->name, .at = { place(s, p->bytes), p->bytes.n }, .by = s->by };
	bool fetched = false;
	for (unsigned i = 0; i < s->digests_n && m.alg == DIGEST_NONE; i++) {
		bool good = false;
		int err = fits(&s->digest[i], p->bytes, &good);
		if (err)
			return err;
		if (good) {
			m.alg = s->digest[i].alg;
			memcpy(m.digest, s->digest[i].sum.p, s->digest[i].sum.n);
		}
	}
	for (unsigned i = 0; i < s->uris_n; i++)
		fetched |= view_equal(s->uri[i], p->name);
	/* Its name stands in the envelope, where nobody signed it. */
	if (m.alg == DIGEST_NONE && fetched)
		walk_raise(s->w, FINDING_MEMBER_DIGEST, &(uint64_t){ m.at.offset },
		    "an integrated image has none of the digests that the manifest gives");
	else if (!fetched)
		walk_raise(s->w, FINDING_MEMBER_UNLISTED, &(uint64_t){ m.at.offset },
		    m.alg == DIGEST_NONE ? "an integrated image that the manifest neither fetches nor describes"
		                         : "an integrated image has a name that the manifest does not fetch");
	return walk_member(s->w, &m, NULL);
}

static int
walk_parts(struct suit *s, const struct envelope *e)
{
	int err = 0;
	for (unsigned i = 0; i < e->n && !err; i++) {
		const struct part *p = &e->part[i];
		if (!p->named && p->key != SUIT_KEY_AUTH && p->key != SUIT_KEY_MANIFEST)
			err = severed(s, p);
	}
	for (unsigned i = 0; i < e->n && !err; i++)
		if (e->part[i].named)
			err = integrated(s, &e->part[i]);
	return err;
}

/* Heads, names and, where every one of them verified, signatures: what no image and no command is. */
static void
structure(struct suit *s, const struct envelope *e, bool verified)
{
	uint64_t from = 0;
	for (unsigned i = 0; i < e->n; i++) {
		const struct part *p = &e->part[i];
		uint64_t at = place(s, p->named ? p->bytes : p->item);
		walk_structure(s->w, from, at - from);
		if (!p->named && p->key == SUIT_KEY_AUTH && verified)
			walk_structure(s->w, at, p->item.n);
		from = place(s, p->bytes) + p->bytes.n;
	}
}

int
suit_walk(struct walk *w)
{
	uint8_t *bytes = NULL;
	struct envelope *e = calloc(1, sizeof *e);
	struct suit *s = calloc(1, sizeof *s);
	int err = e && s ? walk_load(w, (struct sig_range){ 0, w->image->size }, SUIT_ENVELOPE_MAX, &bytes)
	                 : FG_ENOMEM;
	if (err == FG_EFORMAT)
		walk_raise(w, FINDING_FMT_WALK_LIMIT, NULL, "an envelope of more than 64 MiB");
	if (!err) {
		s->w = w;
		s->all = view_of(bytes, (size_t)w->image->size);
	}
	if (!err && read_envelope(s, e)) {
		const struct part *auth = find(e, SUIT_KEY_AUTH), *manifest = find(e, SUIT_KEY_MANIFEST);
		if (!auth || !manifest) {
			malformed(s, NULL, auth ? "the envelope holds no manifest"
			                        : "the envelope holds no authentication wrapper");
		} else {
			s->manifest = manifest->bytes;
			unsigned mark = walk_mark(w);
			err = authenticate(s, auth, manifest);
			/* Not s->by: those that were never calculated count here, too. */
			bool verified = walk_all_verified(w, walk_since(w, mark));
			if (!err)
				suit_manifest_read(s);
			if (!err)
				err = walk_parts(s, e);
			structure(s, e, verified);
		}
	}
	free(bytes);
	free(s);
	free(e);
	return err == FG_EFORMAT ? 0 : err;
}
