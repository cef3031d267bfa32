/* SPDX-License-Identifier: Apache-2.0 */
/* fit_image - the images of a FIT: where their bytes lie, what their hashes say, and their turn as members. */
#include "images/fit_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define ALIGN 4u /* external data starts at the next multiple behind the tree */
#define HASH_PREFIX "hash"
#define SIGNATURE_PREFIX "signature"
#define CRC_LEN 4u
#define HASHES_MAX 6 /* of one image; each is computed over all of it */

static bool
starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool
may_be(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}
#define MAY_BE(name, names) may_be(name, names, sizeof names / sizeof *names)

/* ---- where the bytes are ---- */

/* Data in the tree, behind it by an offset, or anywhere by a position: one of them. */
static void
place(struct fit *f, struct fit_image *m)
{
	const struct fdtree_prop *data = fdtree_prop(&f->t, m->node, "data"),
	                         *offset = fdtree_prop(&f->t, m->node, "data-offset"),
	                         *position = fdtree_prop(&f->t, m->node, "data-position"),
	                         *size = fdtree_prop(&f->t, m->node, "data-size");
	uint64_t at = f->t.node[m->node].begin.offset;
	uint32_t from = 0, n = 0;
	char name[FIT_SHOWN_MAX];
	(void)fit_name(f, m->node, name);
	if (!!data + !!offset + !!position != 1 || (data && size)) {
		walk_raise(f->w, data || offset || position ? FINDING_FMT_CONFLICT : FINDING_MEMBER_MISSING, &at,
		    "image %s: %s", name,
		    data || offset || position ? "its data is said to be in two places" : "it has no data");
		return;
	}
	if (data) {
		m->data = data->value;
		m->placed = true;
		return;
	}
	if (!size || fit_u32(f, size, &n) || fit_u32(f, offset ? offset : position, &from)) {
		walk_raise(f->w, FINDING_FMT_MALFORMED, &at, "image %s: place and size of its data are no numbers", name);
		return;
	}
	uint64_t start = offset ? ((f->t.total + ALIGN - 1) & ~(uint64_t)(ALIGN - 1)) + from : from;
	if (start < f->t.total || start > f->w->image->size || n > f->w->image->size - start) {
		walk_raise(f->w, FINDING_FMT_MALFORMED, &at,
		    "image %s: its data, %" PRIu32 " bytes at %" PRIu64 ", is not behind the tree and in the file", name, n,
		    start);
		return;
	}
	m->data = (struct sig_range){ start, n };
	m->placed = m->external = true;
}

/* ---- hashes ---- */

static const struct {
	const char *name;
	enum digest_alg alg;
} hashes[] = {
	{ "crc32", DIGEST_NONE },
	{ "md5", DIGEST_MD5 },
	{ "sha1", DIGEST_SHA1 },
	{ "sha256", DIGEST_SHA256 },
	{ "sha384", DIGEST_SHA384 },
	{ "sha512", DIGEST_SHA512 },
};

static int
crc_of(const struct fit *f, struct sig_range data, uint8_t ret[CRC_LEN])
{
	uint8_t *chunk = malloc(source_chunk(data.length));
	uLong crc = crc32(0, NULL, 0);
	int err = chunk ? 0 : FG_ENOMEM;
	for (uint64_t done = 0; done < data.length && !err;) {
		uint64_t left = data.length - done;
		size_t n = left < SOURCE_CHUNK ? (size_t)left : SOURCE_CHUNK;
		err = source_read(f->w->image, data.offset + done, chunk, n);
		if (!err)
			crc = crc32(crc, chunk, (uInt)n);
		done += n;
	}
	free(chunk);
	for (unsigned i = 0; i < CRC_LEN; i++)
		ret[i] = (uint8_t)(crc >> (8 * (CRC_LEN - 1 - i)));
	return err;
}

/* One that nobody may build on, or not the strongest: compared at once. */
static int
compare(struct fit *f, const struct fit_image *m, unsigned i, const uint8_t *said, uint64_t at)
{
	uint8_t sum[DIGEST_LEN_MAX];
	struct walk_span span = { .range = { m->data }, .n = 1 };
	char name[FIT_SHOWN_MAX];
	bool crc = hashes[i].alg == DIGEST_NONE;
	if (!m->placed)
		return 0;
	int err = crc ? crc_of(f, m->data, sum) : walk_digest(f->w, &span, hashes[i].alg, sum);
	if (!err && memcmp(sum, said, crc ? CRC_LEN : digest_len(hashes[i].alg)) != 0)
		walk_raise(f->w, FINDING_FMT_INTEGRITY, &at, "image %s: its %s is another",
		    fit_name(f, m->node, name), hashes[i].name);
	return err;
}

/* Of two, the stronger is left to walk_member(), which compares it too. */
static int
take(struct fit *f, struct fit_image *m, unsigned i, const uint8_t *said, uint64_t at)
{
	int err = 0;
	if (hashes[i].alg <= m->alg)
		return compare(f, m, i, said, at);
	for (unsigned k = 0; k < sizeof hashes / sizeof *hashes && m->alg != DIGEST_NONE; k++)
		if (hashes[k].alg == m->alg)
			err = compare(f, m, k, m->digest, at);
	m->alg = hashes[i].alg;
	memcpy(m->digest, said, digest_len(m->alg));
	return err;
}

static int
hash_node(struct fit *f, struct fit_image *m, unsigned node)
{
	static const char *const known[] = { "algo", "value" };
	const struct fdtree_prop *algo = fdtree_prop(&f->t, node, "algo"), *value = fdtree_prop(&f->t, node, "value");
	uint64_t at = f->t.node[node].begin.offset;
	uint8_t said[DIGEST_LEN_MAX];
	char word[16], name[FIT_SHOWN_MAX];
	unsigned i = 0;
	for (unsigned k = 0; k < f->t.node[node].props; k++) {
		const struct fdtree_prop *p = &f->t.prop[f->t.node[node].first + k];
		if (MAY_BE(p->name, known))
			continue;
		/* "uboot-ignore" makes U-Boot pass the hash over; nobody else may build on it then. */
		walk_raise(f->w, FINDING_FMT_UNKNOWN_PART, &p->token.offset,
		    "image %s: a hash with more than algo and value", fit_name(f, m->node, name));
		return 0;
	}
	if (!algo || !value || fit_string(f, algo, word, sizeof word)) {
		walk_raise(f->w, FINDING_FMT_MALFORMED, &at, "image %s: a hash without algo or value",
		    fit_name(f, m->node, name));
		return 0;
	}
	while (i < sizeof hashes / sizeof *hashes && strcmp(hashes[i].name, word) != 0)
		i++;
	if (i == sizeof hashes / sizeof *hashes) {
		walk_raise(f->w, FINDING_FMT_UNKNOWN_PART, &at, "image %s: a hash by %s", fit_name(f, m->node, name), word);
		return 0;
	}
	if (value->value.length != (hashes[i].alg == DIGEST_NONE ? CRC_LEN : digest_len(hashes[i].alg))) {
		walk_raise(f->w, FINDING_FMT_MALFORMED, &at, "image %s: a %s of %" PRIu64 " bytes",
		    fit_name(f, m->node, name), word, value->value.length);
		return 0;
	}
	int err = source_read(f->w->image, value->value.offset, said, (size_t)value->value.length);
	return err ? err : take(f, m, i, said, at);
}

static bool
is_strong(enum digest_alg alg)
{
	return alg == DIGEST_SHA256 || alg == DIGEST_SHA384 || alg == DIGEST_SHA512;
}

static int
read_hashes(struct fit *f, struct fit_image *m)
{
	char name[FIT_SHOWN_MAX];
	unsigned n_hashes = 0;
	int err = 0;
	for (unsigned i = m->node + 1; i < f->t.nodes && !err; i++) {
		const struct fdtree_node *n = &f->t.node[i];
		if (n->parent != m->node)
			continue;
		if (starts(n->name, HASH_PREFIX) && ++n_hashes <= HASHES_MAX)
			err = hash_node(f, m, i);
		else if (starts(n->name, HASH_PREFIX))
			walk_raise(f->w, FINDING_FMT_WALK_LIMIT, &n->begin.offset, "image %s: more than %u hashes",
			    fit_name(f, m->node, name), HASHES_MAX);
		else if (strcmp(n->name, "cipher") == 0)
			walk_raise(f->w, FINDING_FMT_ENCRYPTED, &n->begin.offset, "image %s", fit_name(f, m->node, name));
		else if (!starts(n->name, SIGNATURE_PREFIX))
			walk_raise(f->w, FINDING_FMT_UNKNOWN_PART, &n->begin.offset,
			    "image %s: a node that is neither hash nor signature", fit_name(f, m->node, name));
	}
	return err;
}

static int
by_place(const void *a, const void *b)
{
	const struct fit_image *const *x = a, *const *y = b;
	uint64_t at = (*x)->data.offset, of = (*y)->data.offset;
	return at < of ? -1 : at > of;
}

/* Images behind the tree in the order of their data: *ret, malloc'ed, and how many. */
static int
externals(struct fit *f, struct fit_image ***ret, unsigned *ret_n)
{
	struct fit_image **list = calloc(f->images + 1, sizeof *list);
	if (!list)
		return FG_ENOMEM;
	*ret_n = 0;
	for (unsigned i = 0; i < f->images; i++)
		if (f->image[i].external)
			list[(*ret_n)++] = &f->image[i];
	qsort(list, *ret_n, sizeof(struct fit_image *), by_place);
	*ret = list;
	return 0;
}

/* Bytes that two images share are hashed for neither: it would be the same ones again and again. */
static int
part(struct fit *f)
{
	struct fit_image **list;
	char name[FIT_SHOWN_MAX];
	uint64_t end = 0;
	unsigned n;
	int err = externals(f, &list, &n);
	if (err)
		return err;
	for (unsigned i = 0; i < n; i++) {
		const struct sig_range *r = &list[i]->data;
		if (r->offset < end) {
			walk_raise(f->w, FINDING_FMT_CONFLICT, &r->offset, "image %s shares bytes with another",
			    fit_name(f, list[i]->node, name));
			list[i]->placed = false;
		}
		end = r->offset + r->length > end ? r->offset + r->length : end;
	}
	free(list);
	return 0;
}

int
fit_image_read(struct fit *f)
{
	for (unsigned i = f->images_node + 1; i < f->t.nodes; i++) {
		if (f->t.node[i].parent != f->images_node)
			continue;
		if (f->images == FIT_IMAGES_MAX) {
			walk_raise(f->w, FINDING_FMT_WALK_LIMIT, &f->t.node[i].begin.offset, "more than %u images",
			    FIT_IMAGES_MAX);
			break;
		}
		f->image[f->images] = (struct fit_image){ .node = i };
		place(f, &f->image[f->images++]);
	}
	int err = part(f);
	for (unsigned i = 0; i < f->images && !err; i++)
		err = read_hashes(f, &f->image[i]);
	return err;
}

struct fit_image *
fit_image_find(struct fit *f, struct view name)
{
	for (unsigned i = 0; i < f->images; i++)
		if (view_is(name, f->t.node[f->image[i].node].name))
			return &f->image[i];
	return NULL;
}

/* ---- members ---- */

/* The properties that say where data lies are left out of every signature: what they say is now known to be so. */
static void
place_is_structure(struct fit *f, const struct fit_image *m)
{
	static const char *const names[] = { "data-offset", "data-position", "data-size" };
	const struct fdtree_prop *data = fdtree_prop(&f->t, m->node, "data");
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		const struct fdtree_prop *p = fdtree_prop(&f->t, m->node, names[i]);
		if (p)
			fit_structure(f, p);
	}
	if (!data)
		return;
	if (!data->clean) {
		walk_raise(f->w, FINDING_FMT_HIDDEN_BYTES, &data->token.offset, "bytes in the padding of an image's data");
		return;
	}
	uint64_t end = data->value.offset + data->value.length, stop = data->token.offset + data->token.length;
	walk_structure(f->w, data->token.offset, data->value.offset - data->token.offset);
	walk_structure(f->w, end, stop - end);
}

static int
member(struct fit *f, struct fit_image *m)
{
	const struct fdtree_prop *type = fdtree_prop(&f->t, m->node, "type");
	struct walk_member out = { .name = view_str(f->t.node[m->node].name), .at = m->data };
	uint64_t at = f->t.node[m->node].begin.offset;
	char name[FIT_SHOWN_MAX], word[32];
	struct walk_seen seen = { .vouch = CONTENTS_VOUCH_NONE };
	bool by_config = walk_verified(f->w, m->by), own = walk_verified(f->w, m->own);
	(void)fit_name(f, m->node, name);
	if (by_config && !is_strong(m->alg))
		walk_raise(f->w, FINDING_MEMBER_NO_DIGEST, &at, "image %s: %s", name,
		    m->alg == DIGEST_NONE ? "no hash but a checksum" : "no hash that is fit to be signed");
	if (walk_verified(f->w, f->by) && !m->listed)
		walk_raise(f->w, FINDING_MEMBER_UNLISTED, &at, "image %s is in no configuration", name);
	if (!m->placed)
		return 0;
	out.runs = type && fit_string(f, type, word, sizeof word) == 0 && strcmp(word, "script") == 0;
	out.plain = fdtree_child(&f->t, m->node, view_str("cipher")) != FDTREE_NONE;
	out.by = m->by;
	out.alg = m->alg;
	memcpy(out.digest, m->digest, sizeof out.digest);
	if (!by_config && own) { /* a signature over the bytes themselves; nobody signed the hash */
		uint8_t sum[DIGEST_LEN_MAX];
		struct walk_span span = { .range = { m->data }, .n = 1 };
		int err = m->alg == DIGEST_NONE ? 0 : walk_digest(f->w, &span, m->alg, sum);
		if (err)
			return err;
		if (m->alg != DIGEST_NONE && memcmp(sum, m->digest, digest_len(m->alg)) != 0)
			walk_raise(f->w, FINDING_FMT_INTEGRITY, &at, "image %s: its %s is another", name, digest_name(m->alg));
		out.alg = DIGEST_NONE;
		out.by = m->own;
		out.inside = true;
	}
	int err = walk_member(f->w, &out, &seen);
	if (!err && seen.vouch >= CONTENTS_VOUCH_INSIDE)
		place_is_structure(f, m);
	return err;
}

int
fit_image_members(struct fit *f)
{
	int err = 0;
	for (unsigned i = 0; i < f->images && !err; i++)
		err = member(f, &f->image[i]);
	return err;
}

/* ---- behind the tree ---- */

/*
 * Zeros between two images' data, or something that is nobody's. Behind the last
 * one the tool fills up to what the file is then aligned to, and no further.
 */
static int
between(struct fit *f, uint64_t from, uint64_t to, bool last)
{
	uint8_t *chunk = malloc(source_chunk(to - from));
	uint64_t at = from;
	bool clean = !last || (from > f->t.total && to - from < (to & (~to + 1)));
	int err = chunk ? 0 : FG_ENOMEM;
	while (at < to && clean && !err) {
		size_t n = to - at < SOURCE_CHUNK ? (size_t)(to - at) : SOURCE_CHUNK;
		err = source_read(f->w->image, at, chunk, n);
		for (size_t i = 0; i < n && clean && !err; i++, at++)
			clean = chunk[i] == 0;
	}
	free(chunk);
	if (!err && clean)
		walk_structure(f->w, from, to - from);
	else if (!err)
		walk_raise(f->w, last ? FINDING_FMT_TRAILING_BYTES : FINDING_FMT_HIDDEN_BYTES, &from,
		    "%" PRIu64 " bytes %s", to - from, last ? "behind tree and images" : "between images");
	return err;
}

int
fit_image_rest(struct fit *f)
{
	struct fit_image **list;
	uint64_t end = f->t.total;
	unsigned n;
	int err = externals(f, &list, &n);
	if (err)
		return err;
	for (unsigned i = 0; i < n && !err; i++) {
		const struct sig_range *r = &list[i]->data;
		if (r->offset > end)
			err = between(f, end, r->offset, false);
		end = r->offset + r->length > end ? r->offset + r->length : end;
	}
	if (!err && end < f->w->image->size)
		err = between(f, end, f->w->image->size, true);
	free(list);
	return err;
}
