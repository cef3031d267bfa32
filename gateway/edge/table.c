/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: checked wholly by table_open(), after which no function checks an offset again. */
#include "gateway/edge/table.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/edge/table_format.h"
#include "gateway/wire/memfd.h"

struct table {
	struct view mapped; /* ours to unmap; empty over borrowed bytes */
	struct table_head head;
	struct view modules, attrs, idents, slots, strings, links;
	struct view decisions, decision_strings;
	struct view module_section;
};

/* ---- checking ---- */

/* A terminated string of at most TABLE_STRING_MAX bytes begins at off. */
static bool
is_string(struct view pool, uint32_t off)
{
	if (off >= pool.n)
		return false;
	size_t room = pool.n - off;
	return memchr(pool.p + off, '\0', room < TABLE_STRING_MAX + 1 ? room : TABLE_STRING_MAX + 1) != NULL;
}

static bool
check_modules(const struct table *t)
{
	for (size_t i = 0; i < t->head.modules_n; i++)
		if (table_get32(t->modules.p + i * TABLE_MODULE_LEN + TABLE_ID) >= t->head.attrs_n)
			return false;
	for (size_t i = 0; i < t->head.attrs_n; i++) {
		const uint8_t *a = t->attrs.p + i * TABLE_ATTRS_LEN;
		for (unsigned k = 0; k < 3; k++)
			if (!is_string(t->strings, table_get32(a + 4 * k)))
				return false;
		if (table_get32(a + 12) & ~(TABLE_FLAG_HELD | TABLE_FLAG_LISTED))
			return false;
	}
	return true;
}

/* Bytes of the identity at off, 0 if there is none that could have been written. */
static size_t
ident_len(const struct table *t, size_t off)
{
	size_t left = t->idents.n - off;
	const uint8_t *p = t->idents.p + off;
	if (left < TABLE_IDENT_HEAD || table_get32(p) >= t->head.modules_n)
		return 0;
	if ((p[4] & TABLE_KIND_MAX) == 0 || p[5] == 0 || p[5] > TABLE_IDENT_TEXT_MAX)
		return 0;
	size_t len = TABLE_IDENT_HEAD + table_data_len(p[4] & TABLE_TAG_PACKED, p[5]);
	return len <= left ? len : 0;
}

/*
 * Identities tile their part, and every slot names the beginning of another one.
 * What is not checked is whether a slot is where its hash says: one that is not
 * is not found, which holds a module and never offers.
 */
static int
check_idents(const struct table *t)
{
	uint8_t *begins = calloc(1, t->idents.n / 8 + 1);
	if (!begins)
		return FG_ENOMEM;
	size_t off = 0, n = 0, used = 0;
	bool ok = true;
	while (ok && off < t->idents.n) {
		size_t len = ident_len(t, off);
		begins[off / 8] |= (uint8_t)(1u << off % 8);
		off += len;
		ok = len > 0 && ++n <= t->head.idents_n;
	}
	ok = ok && n == t->head.idents_n;
	for (size_t i = 0; ok && i < t->head.slots_n; i++) {
		uint32_t s = table_get32(t->slots.p + 4 * i);
		if (s == 0)
			continue;
		size_t at = s - 1;
		ok = at < t->idents.n && (begins[at / 8] & 1u << at % 8);
		if (ok)
			begins[at / 8] &= (uint8_t)~(1u << at % 8); /* once only */
		used++;
	}
	free(begins);
	return ok && used == n ? 0 : FG_EPEER;
}

enum { L_RELEASE = 32, L_AFTER = 48, L_MODULE = 56, L_PROFILE = 60 };

static bool
check_links(const struct table *t)
{
	for (size_t i = 0; i < t->head.links_n; i++) {
		const uint8_t *l = t->links.p + i * TABLE_LINK_LEN;
		if (table_get32(l + L_MODULE) >= t->head.modules_n || !is_string(t->strings, table_get32(l + L_PROFILE)))
			return false;
		if (i > 0 && memcmp(l - TABLE_LINK_LEN, l, DIGEST_SHA256_LEN) >= 0)
			return false;
	}
	return true;
}

static const uint8_t *
decision(const struct table *t, size_t i)
{
	return t->decisions.p + i * TABLE_DECISION_LEN;
}

enum { D_RESOURCE = 16, D_IMAGE = 32, D_BEFORE = 64, D_AFTER = 72, D_SIZE = 80, D_MODIFIED = 88, D_SHARE = 96, D_KNOWN = 104,
	D_AS_OF = 112, D_STRINGS = TABLE_DECISION_STRINGS };

static const char *
decision_string(const struct table *t, const uint8_t *d, unsigned k)
{
	return (const char *)t->decision_strings.p + table_get32(d + D_STRINGS + 4 * k);
}

/* The order of decisions: resource, then profile. */
static int
order(const struct table *t, size_t i, const char *profile, const uint8_t *resource)
{
	const uint8_t *d = decision(t, i);
	int c = memcmp(d + D_RESOURCE, resource, TABLE_ID);
	return c ? c : strcmp(decision_string(t, d, 0), profile);
}

static bool
check_decisions(const struct table *t)
{
	for (size_t i = 0; i < t->head.decisions_n; i++) {
		const uint8_t *d = decision(t, i);
		for (unsigned k = 0; k < 5; k++)
			if (!is_string(t->decision_strings, table_get32(d + D_STRINGS + 4 * k)))
				return false;
		if (i > 0 && order(t, i - 1, decision_string(t, d, 0), d + D_RESOURCE) > 0)
			return false;
	}
	return true;
}

/* The next n bytes; cut() has made sure that they are there. */
static struct view
part(const uint8_t **p, uint64_t n)
{
	struct view v = view_of(*p, (size_t)n);
	*p += n;
	return v;
}

static int
cut(struct table *t, struct view bytes)
{
	uint64_t modules, all;
	if (bytes.n < TABLE_HEAD || bytes.n > TABLE_BYTES_MAX || memcmp(bytes.p, TABLE_MAGIC, 8) != 0)
		return FG_EPEER;
	struct table_head *h = &t->head;
	table_head_read(bytes.p, h);
	if (!table_module_section(h, &modules) || h->decisions_n > TABLE_DECISIONS_MAX || table_get32(bytes.p + 68) != 0)
		return FG_EPEER;
	/* Below 2^40 each: no sum wraps. */
	all = TABLE_HEAD + modules + (uint64_t)h->decisions_n * TABLE_DECISION_LEN + h->decision_strings_len;
	if (all != bytes.n)
		return FG_EPEER;
	const uint8_t *p = bytes.p + TABLE_HEAD;
	t->module_section = view_of(p, (size_t)modules);
	t->modules = part(&p, (uint64_t)h->modules_n * TABLE_MODULE_LEN);
	t->attrs = part(&p, (uint64_t)h->attrs_n * TABLE_ATTRS_LEN);
	t->idents = part(&p, h->idents_len);
	t->slots = part(&p, (uint64_t)h->slots_n * 4);
	t->strings = part(&p, h->strings_len);
	t->links = part(&p, (uint64_t)h->links_n * TABLE_LINK_LEN);
	t->decisions = part(&p, (uint64_t)h->decisions_n * TABLE_DECISION_LEN);
	t->decision_strings = part(&p, h->decision_strings_len);
	return 0;
}

int
table_open_bytes(struct view bytes, struct table **ret)
{
	struct table *t = calloc(1, sizeof *t);
	if (!t)
		return FG_ENOMEM;
	int r = cut(t, bytes);
	if (!r && (!check_modules(t) || !check_links(t) || !check_decisions(t)))
		r = FG_EPEER;
	if (!r)
		r = check_idents(t);
	if (r) {
		free(t);
		return r;
	}
	*ret = t;
	return 0;
}

int
table_open(int fd, struct table **ret)
{
	struct view bytes;
	struct table *t;
	int r = memfd_map(fd, TABLE_BYTES_MAX, &bytes);
	if (r)
		return r == FG_ELIMIT ? FG_EPEER : r;
	r = table_open_bytes(bytes, &t);
	if (r) {
		memfd_unmap(bytes);
		return r;
	}
	t->mapped = bytes;
	*ret = t;
	return 0;
}

void
table_free(struct table *t)
{
	if (!t)
		return;
	memfd_unmap(t->mapped);
	free(t);
}

/* ---- asking ---- */

uint64_t
table_generation(const struct table *t)
{
	return t->head.generation;
}

size_t
table_modules(const struct table *t)
{
	return t->head.modules_n;
}

size_t
table_decisions(const struct table *t)
{
	return t->head.decisions_n;
}

struct view
table_borrow_modules(const struct table *t, struct table_head *ret)
{
	*ret = t->head;
	return t->module_section;
}

static void
row_of(const struct table *t, uint32_t ordinal, struct table_row *ret)
{
	const uint8_t *m = t->modules.p + (size_t)ordinal * TABLE_MODULE_LEN;
	const uint8_t *a = t->attrs.p + (size_t)table_get32(m + TABLE_ID) * TABLE_ATTRS_LEN;
	const char *strings = (const char *)t->strings.p;
	uint32_t flags = table_get32(a + 12);
	*ret = (struct table_row){
		.ordinal = ordinal,
		.pseudonym = m,
		.group = strings + table_get32(a),
		.product = strings + table_get32(a + 4),
		.version = strings + table_get32(a + 8),
		.held = flags & TABLE_FLAG_HELD,
		.listed = flags & TABLE_FLAG_LISTED,
		.first_seen = table_get32(m + TABLE_ID + 4),
		.placed = table_get32(m + TABLE_ID + 8),
	};
}

bool
table_find(const struct table *t, unsigned kind, struct view text, struct table_row *ret)
{
	struct table_key key;
	if (!table_key_make(kind, text, &key))
		return false;
	size_t slot = table_slot(table_key_hash(t->head.seed, &key), t->head.slots_n);
	for (;;) {
		uint32_t s = table_get32(t->slots.p + 4 * slot);
		if (s == 0)
			return false;
		const uint8_t *p = t->idents.p + (s - 1);
		if (table_key_is(p, &key)) {
			row_of(t, table_get32(p), ret);
			return true;
		}
		slot = slot + 1 == t->head.slots_n ? 0 : slot + 1;
	}
}

size_t
table_links(const struct table *t)
{
	return t->head.links_n;
}

/* The first link whose digest does not begin lower than that one. */
static size_t
first_link(const struct table *t, const uint8_t digest[DIGEST_SHA256_LEN])
{
	size_t low = 0, high = t->head.links_n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (memcmp(t->links.p + mid * TABLE_LINK_LEN, digest, sizeof(uint64_t)) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool
table_find_link(const struct table *t, const uint8_t digest[DIGEST_SHA256_LEN], struct table_link *ret,
    struct table_row *ret_module)
{
	for (size_t i = first_link(t, digest); i < t->head.links_n; i++) {
		const uint8_t *l = t->links.p + i * TABLE_LINK_LEN;
		if (memcmp(l, digest, sizeof(uint64_t)) != 0)
			return false;
		if (!wipe_equal(l, digest, DIGEST_SHA256_LEN))
			continue;
		memcpy(ret->digest, l, sizeof ret->digest);
		memcpy(ret->release, l + L_RELEASE, sizeof ret->release);
		ret->not_after = (int64_t)table_get64(l + L_AFTER);
		ret->module = table_get32(l + L_MODULE);
		ret->profile = (const char *)t->strings.p + table_get32(l + L_PROFILE);
		row_of(t, ret->module, ret_module);
		return true;
	}
	return false;
}

bool
table_decision_at(const struct table *t, size_t i, struct table_decision *ret)
{
	if (i >= t->head.decisions_n)
		return false;
	const uint8_t *d = decision(t, i);
	memcpy(ret->release, d, sizeof ret->release);
	memcpy(ret->resource, d + D_RESOURCE, sizeof ret->resource);
	memcpy(ret->image, d + D_IMAGE, sizeof ret->image);
	ret->not_before = (int64_t)table_get64(d + D_BEFORE);
	ret->not_after = (int64_t)table_get64(d + D_AFTER);
	ret->size = table_get64(d + D_SIZE);
	ret->last_modified = (int64_t)table_get64(d + D_MODIFIED);
	ret->share = table_get64(d + D_SHARE);
	ret->known_by = (int64_t)table_get64(d + D_KNOWN);
	ret->as_of = (int64_t)table_get64(d + D_AS_OF);
	ret->profile = decision_string(t, d, 0);
	ret->product = decision_string(t, d, 1);
	ret->target = decision_string(t, d, 2);
	ret->from = decision_string(t, d, 3);
	ret->group = decision_string(t, d, 4);
	return true;
}

/* The first decision not before (resource, profile). */
static size_t
lower_bound(const struct table *t, const char *profile, const uint8_t *resource)
{
	size_t low = 0, high = t->head.decisions_n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (order(t, mid, profile, resource) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool
table_next(const struct table *t, const char *profile, const uint8_t resource[TABLE_ID], uint32_t *it,
    struct table_decision *ret)
{
	/* 0 is the beginning; after that *it is the next index, never 0 again. */
	size_t i = *it ? *it : lower_bound(t, profile, resource);
	if (i >= t->head.decisions_n || order(t, i, profile, resource) != 0)
		return false;
	*it = (uint32_t)i + 1;
	return table_decision_at(t, i, ret);
}
