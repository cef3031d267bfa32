/* SPDX-License-Identifier: Apache-2.0 */
/* delta_crau_base - old partitions within a base: it is one, or an archive of them. */
#include <inttypes.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "images/delta_crau.h"

#define TAR_BLOCK 512u
#define TAR_NAME 100u
#define TAR_SIZE_AT 124u
#define TAR_SUM_AT 148u
#define TAR_TYPE_AT 156u
#define TAR_MAGIC_AT 257u

static int
wants(struct delta_crau *x, const char *why)
{
	char hex[DIGEST_HEX_LEN + 1];
	hex_encode(x->p->old_sha256, DIGEST_SHA256_LEN, hex);
	delta_wants(x->d, "partition %.*s: %" PRIu64 " bytes, sha256 %s", x->name_n, (const char *)x->p->name.p,
	    x->p->old_size, hex);
	return delta_refuse(x->d, DELTA_WRONG_BASE, "partition %.*s: %s", x->name_n, (const char *)x->p->name.p, why);
}

/* Octal digits up to a blank or NUL, or GNU's form of a size beyond 8 GiB, which is not wanted here. */
static bool
octal(const uint8_t *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;
	for (; i < n && p[i] == ' '; i++)
		;
	size_t first = i;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0');
	*ret = v;
	return i > first && (i == n || p[i] == ' ' || p[i] == '\0');
}

static bool
is_header(const uint8_t h[TAR_BLOCK])
{
	uint64_t sum = 0, said;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= TAR_SUM_AT && i < TAR_SUM_AT + 8 ? ' ' : h[i];
	return memcmp(h + TAR_MAGIC_AT, "ustar", 5) == 0 && octal(h + TAR_SUM_AT, 8, &said) && said == sum;
}

/* NAME.img or NAME, with or without "./" before it. */
static bool
is_named(const uint8_t h[TAR_BLOCK], struct view name)
{
	struct view v = view_of(h, strnlen((const char *)h, TAR_NAME));
	if (v.n > 2 && v.p[0] == '.' && v.p[1] == '/')
		v = view_of(v.p + 2, v.n - 2);
	if (v.n == name.n + 4 && memcmp(v.p + name.n, ".img", 4) == 0)
		v.n -= 4;
	return view_equal(v, name);
}

/* The one member of that name. */
static int
find_member(struct delta_crau *x, struct source *ret)
{
	const struct source *base = delta_base(x->d);
	uint8_t h[TAR_BLOCK];
	bool found = false;
	uint64_t at = 0, size;
	for (unsigned n = 0; at < base->size && base->size - at >= TAR_BLOCK; n++) {
		int err = source_read(base, at, h, sizeof h);
		if (err)
			return err;
		at += TAR_BLOCK;
		if (h[0] == '\0')
			break;
		if (n == DELTA_CRAU_MEMBERS_MAX)
			return delta_refuse(x->d, DELTA_LIMIT, "the base's archive has more than %u members",
			    DELTA_CRAU_MEMBERS_MAX);
		if (!is_header(h) || !octal(h + TAR_SIZE_AT, 12, &size) || size > base->size - at)
			return wants(x, "the base is an archive that cannot be read to its end");
		bool regular = h[TAR_TYPE_AT] == '0' || h[TAR_TYPE_AT] == '\0';
		if (regular && is_named(h, x->p->name)) {
			if (found)
				return wants(x, "the base's archive has it twice");
			found = true;
			err = source_window(base, at, size, ret);
			if (err)
				return err;
		}
		at += (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
	return found ? 0 : wants(x, "the base's archive does not have it");
}

static int
is_archive(const struct source *base, bool *ret)
{
	uint8_t h[TAR_BLOCK];
	*ret = false;
	if (base->size < sizeof h)
		return 0;
	int err = source_read(base, 0, h, sizeof h);
	*ret = !err && is_header(h);
	return err;
}

int
delta_crau_old(struct delta_crau *x, struct source *ret)
{
	const struct source *base = delta_base(x->d);
	uint8_t sum[DIGEST_SHA256_LEN];
	bool archive, alone = x->m.partitions == 1 && base->size == x->p->old_size;
	if (!x->p->have_old)
		return delta_refuse(x->d, DELTA_MALFORMED, "partition %.*s: reads the old one, and does not give its hash",
		    x->name_n, (const char *)x->p->name.p);
	int err = is_archive(base, &archive);
	if (!err && alone)
		*ret = *base;
	else if (!err && archive)
		err = find_member(x, ret);
	else if (!err)
		err = wants(x, x->m.partitions == 1 ? "the base has another size" : "the base is no tar archive of partitions");
	if (!err && ret->size != x->p->old_size)
		err = wants(x, "the base's has another size");
	if (!err)
		err = source_digest(ret, sum);
	if (!err && memcmp(sum, x->p->old_sha256, sizeof sum) != 0)
		err = wants(x, "the base's is another one");
	return err;
}
