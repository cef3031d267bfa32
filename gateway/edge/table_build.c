/* SPDX-License-Identifier: Apache-2.0 */
/* Building: growing parts, laid end to end at the end. See table_format.h. */
#include <stdlib.h>

#include "crypto/err.h"
#include "gateway/edge/siphash.h"
#include "gateway/edge/table_format.h"
#include "gateway/file/fdio.h"

#define SLOTS_MIN 64

struct part {
	uint8_t *p;
	size_t n, cap;
};

/* Byte strings kept once each; attributes and C strings. */
struct pool {
	struct part bytes;
	uint32_t *slot; /* offset + 1, or 0 */
	size_t slots_n, used;
};

/* With the hash beside it a probe looks at one identity at most: each costs a cache miss. */
struct slot {
	uint32_t hash;
	uint32_t at; /* offset + 1, or 0 */
};

struct table_builder {
	struct table_head head;
	bool fixed; /* the module section came whole from an earlier table */
	struct part section; /* then this is it */
	struct part modules, idents, links;
	struct pool attrs, strings, decision_strings;
	struct slot *slot; /* head.slots_n of them */
	struct { /* of the module before: fleets come in runs of equal ones */
		bool have;
		uint32_t index;
		char group[TABLE_STRING_MAX + 1], product[TABLE_STRING_MAX + 1], version[TABLE_STRING_MAX + 1];
		uint32_t flags;
	} last;
	struct part decisions;
};

/* ---- parts and pools ---- */

static int
reserve(struct part *a, size_t more)
{
	size_t need;
	if (__builtin_add_overflow(a->n, more, &need) || need > TABLE_BYTES_MAX)
		return FG_ELIMIT;
	if (need <= a->cap)
		return 0;
	size_t cap = a->cap ? a->cap : 256;
	while (cap < need)
		cap *= 2;
	uint8_t *p = realloc(a->p, cap);
	if (!p)
		return FG_ENOMEM;
	a->p = p;
	a->cap = cap;
	return 0;
}

/* After reserve(). */
static uint8_t *
extend(struct part *a, size_t more)
{
	uint8_t *p = a->p + a->n;
	a->n += more;
	return p;
}

static size_t
pool_slot(const struct pool *q, const uint8_t seed[16], struct view v)
{
	return (size_t)siphash_24(seed, v) & (q->slots_n - 1);
}

static int
pool_grow(struct pool *q, const uint8_t seed[16], size_t fixed)
{
	size_t n = q->slots_n ? q->slots_n * 2 : SLOTS_MIN;
	struct pool bigger = { .slot = calloc(n, sizeof *bigger.slot), .slots_n = n };
	if (!bigger.slot)
		return FG_ENOMEM;
	for (size_t off = 0; off < q->bytes.n;) {
		const char *s = (const char *)q->bytes.p + off;
		struct view v = view_of(s, fixed ? fixed : strlen(s) + 1);
		size_t i = pool_slot(&bigger, seed, v);
		while (bigger.slot[i])
			i = (i + 1) & (n - 1);
		bigger.slot[i] = (uint32_t)off + 1;
		off += v.n;
	}
	free(q->slot);
	q->slot = bigger.slot;
	q->slots_n = n;
	return 0;
}

/*
 * Offset of v in the pool, which takes it in. v is a string with its NUL, or
 * `fixed` bytes like every other entry: no entry is then the beginning of another.
 */
static int
pool_add(struct pool *q, const uint8_t seed[16], struct view v, size_t fixed, uint32_t *ret)
{
	if (q->used * 2 >= q->slots_n) {
		int r = pool_grow(q, seed, fixed);
		if (r)
			return r;
	}
	size_t i = pool_slot(q, seed, v);
	for (; q->slot[i]; i = (i + 1) & (q->slots_n - 1)) {
		size_t off = q->slot[i] - 1;
		if (q->bytes.n - off >= v.n && memcmp(q->bytes.p + off, v.p, v.n) == 0) {
			*ret = (uint32_t)off;
			return 0;
		}
	}
	int r = reserve(&q->bytes, v.n);
	if (r)
		return r;
	*ret = (uint32_t)q->bytes.n;
	memcpy(extend(&q->bytes, v.n), v.p, v.n);
	q->slot[i] = *ret + 1;
	q->used++;
	return 0;
}

static int
pool_string(struct pool *q, const uint8_t seed[16], const char *s, uint32_t *ret)
{
	size_t n = strnlen(s, TABLE_STRING_MAX + 1);
	if (n > TABLE_STRING_MAX)
		return FG_ELIMIT;
	return pool_add(q, seed, view_of(s, n + 1), 0, ret);
}

static void
pool_free(struct pool *q)
{
	free(q->bytes.p);
	free(q->slot);
}

/* ---- modules ---- */

/* Lays all identities into n slots. */
static int
reslot(struct table_builder *b, size_t n)
{
	struct slot *slot = n <= UINT32_MAX ? calloc(n, sizeof *slot) : NULL;
	if (!slot)
		return FG_ENOMEM;
	for (size_t k = 0; k < b->head.slots_n; k++) {
		if (b->slot[k].at == 0)
			continue;
		size_t i = table_slot(b->slot[k].hash, n);
		while (slot[i].at)
			i = i + 1 == n ? 0 : i + 1;
		slot[i] = b->slot[k];
	}
	free(b->slot);
	b->slot = slot;
	b->head.slots_n = (uint32_t)n;
	return 0;
}

/* Goes on from *slot to the identity (true) or to a free slot. */
static bool
probe(const struct table_builder *b, const struct table_key *key, uint32_t hash, size_t *slot)
{
	while (b->slot[*slot].at) {
		if (b->slot[*slot].hash == hash && table_key_is(b->idents.p + (b->slot[*slot].at - 1), key))
			return true;
		*slot = *slot + 1 == b->head.slots_n ? 0 : *slot + 1;
	}
	return false;
}

static int
attrs_of(struct table_builder *b, const struct table_module *m, uint32_t *ret)
{
	uint8_t raw[TABLE_ATTRS_LEN];
	uint32_t off[3] = { 0 }, at = 0;
	uint32_t flags = (m->held ? TABLE_FLAG_HELD : 0) | (m->listed ? TABLE_FLAG_LISTED : 0);
	const char *text[3] = { m->group, m->product, m->version };
	if (b->last.have && b->last.flags == flags && strcmp(b->last.group, m->group) == 0 &&
	    strcmp(b->last.product, m->product) == 0 && strcmp(b->last.version, m->version) == 0) {
		*ret = b->last.index;
		return 0;
	}
	for (unsigned k = 0; k < 3; k++) {
		int r = pool_string(&b->strings, b->head.seed, text[k], &off[k]);
		if (r)
			return r;
		table_put32(raw + 4 * k, off[k]);
	}
	table_put32(raw + 12, flags);
	int r = pool_add(&b->attrs, b->head.seed, view_of(raw, sizeof raw), sizeof raw, &at);
	if (r)
		return r;
	*ret = at / TABLE_ATTRS_LEN;
	b->last.have = true;
	b->last.index = *ret;
	b->last.flags = flags;
	memcpy(b->last.group, m->group, strlen(m->group) + 1);
	memcpy(b->last.product, m->product, strlen(m->product) + 1);
	memcpy(b->last.version, m->version, strlen(m->version) + 1);
	return 0;
}

/* Room for what one module can add, so that nothing fails half-way. */
static int
make_room(struct table_builder *b)
{
	int r = reserve(&b->modules, TABLE_MODULE_LEN);
	if (!r)
		r = reserve(&b->idents, 4 * (TABLE_IDENT_HEAD + TABLE_IDENT_TEXT_MAX));
	/* Grown at 0.6: a hint that was right then ends near one half. */
	if (!r && ((uint64_t)b->head.idents_n + 4) * 10 > (uint64_t)b->head.slots_n * 6)
		r = reslot(b, (size_t)b->head.slots_n * 2);
	return r;
}

static uint32_t
seconds(int64_t at)
{
	return at <= 0 ? 0 : at < UINT32_MAX ? (uint32_t)at : UINT32_MAX;
}

int
table_builder_module(struct table_builder *b, const struct table_module *m)
{
	struct table_key key[4];
	uint32_t hash[4];
	size_t slot[4];
	uint32_t attrs = 0;
	if (b->fixed || m->idents_n > 4)
		abort(); /* the caller's mistake: table_builder_from() keeps its modules */
	if (b->head.modules_n >= TABLE_MODULES_MAX)
		return FG_ELIMIT;
	int r = make_room(b);
	if (r)
		return r;
	for (unsigned i = 0; i < m->idents_n; i++) {
		if (m->ident[i].cls > TABLE_CLASS_MAX || !table_key_make(m->ident[i].kind, m->ident[i].text, &key[i]))
			return FG_ELIMIT;
		hash[i] = table_key_hash(b->head.seed, &key[i]);
		slot[i] = table_slot(hash[i], b->head.slots_n);
		if (probe(b, &key[i], hash[i], &slot[i]))
			return FG_EEXIST;
	}
	r = attrs_of(b, m, &attrs);
	if (r)
		return r;
	uint32_t ordinal = b->head.modules_n++;
	uint8_t *p = extend(&b->modules, TABLE_MODULE_LEN);
	memcpy(p, m->pseudonym, TABLE_ID);
	table_put32(p + TABLE_ID, attrs);
	table_put32(p + TABLE_ID + 4, seconds(m->first_seen));
	table_put32(p + TABLE_ID + 8, seconds(m->placed));
	for (unsigned i = 0; i < m->idents_n; i++) {
		/* Goes on from the free slot: one of this module's own may have taken it. */
		if (probe(b, &key[i], hash[i], &slot[i]))
			continue; /* the same identity twice over */
		b->slot[slot[i]] = (struct slot){ hash[i], (uint32_t)b->idents.n + 1 };
		p = extend(&b->idents, TABLE_IDENT_HEAD + key[i].n - 2);
		table_put32(p, ordinal);
		p[4] = (uint8_t)(key[i].bytes[0] | m->ident[i].cls << 4);
		memcpy(p + 5, key[i].bytes + 1, key[i].n - 1);
		b->head.idents_n++;
	}
	return 0;
}

/* ---- links ---- */

int
table_builder_link(struct table_builder *b, const struct table_link *l)
{
	uint32_t profile = 0;
	if (b->fixed || l->module >= b->head.modules_n)
		abort(); /* the caller's mistake: links go with the modules they are for */
	if (b->head.links_n >= TABLE_LINKS_MAX)
		return FG_ELIMIT;
	int r = reserve(&b->links, TABLE_LINK_LEN);
	if (!r)
		r = pool_string(&b->strings, b->head.seed, l->profile, &profile);
	if (r)
		return r;
	uint8_t *p = extend(&b->links, TABLE_LINK_LEN);
	memcpy(p, l->digest, DIGEST_SHA256_LEN);
	memcpy(p + 32, l->release, TABLE_ID);
	table_put64(p + 48, (uint64_t)l->not_after);
	table_put32(p + 56, l->module);
	table_put32(p + 60, profile);
	b->head.links_n++;
	return 0;
}

static int
compare_links(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SHA256_LEN);
}

/* In order of digest; FG_EEXIST when one is there twice. */
static int
sort_links(struct table_builder *b)
{
	if (b->links.n)
		qsort(b->links.p, b->head.links_n, TABLE_LINK_LEN, compare_links);
	for (size_t i = 1; i < b->links.n / TABLE_LINK_LEN; i++)
		if (compare_links(b->links.p + (i - 1) * TABLE_LINK_LEN, b->links.p + i * TABLE_LINK_LEN) == 0)
			return FG_EEXIST;
	return 0;
}

/* ---- decisions ---- */

int
table_builder_decision(struct table_builder *b, const struct table_decision *d)
{
	const char *text[5] = { d->profile, d->product, d->target, d->from, d->group };
	uint32_t off[5] = { 0 };
	if (b->head.decisions_n >= TABLE_DECISIONS_MAX)
		return FG_ELIMIT;
	int r = reserve(&b->decisions, TABLE_DECISION_LEN);
	for (unsigned k = 0; !r && k < 5; k++)
		r = pool_string(&b->decision_strings, b->head.seed, text[k], &off[k]);
	if (r)
		return r;
	uint8_t *p = extend(&b->decisions, TABLE_DECISION_LEN);
	memcpy(p, d->release, TABLE_ID);
	memcpy(p + 16, d->resource, TABLE_ID);
	memcpy(p + 32, d->image, DIGEST_SHA256_LEN);
	table_put64(p + 64, (uint64_t)d->not_before);
	table_put64(p + 72, (uint64_t)d->not_after);
	table_put64(p + 80, d->size);
	table_put64(p + 88, (uint64_t)d->last_modified);
	table_put64(p + 96, d->share);
	table_put64(p + 104, (uint64_t)d->known_by);
	table_put64(p + 112, (uint64_t)d->as_of);
	for (unsigned k = 0; k < 5; k++)
		table_put32(p + TABLE_DECISION_STRINGS + 4 * k, off[k]);
	b->head.decisions_n++;
	return 0;
}

struct sorting {
	const struct table_builder *b;
};

/* Resource, profile, then as added: what people see first was said first. */
static int
compare(const void *a, const void *b, void *arg)
{
	const struct table_builder *t = ((const struct sorting *)arg)->b;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const uint8_t *x = t->decisions.p + (size_t)i * TABLE_DECISION_LEN;
	const uint8_t *y = t->decisions.p + (size_t)j * TABLE_DECISION_LEN;
	const char *strings = (const char *)t->decision_strings.bytes.p;
	int c = memcmp(x + 16, y + 16, TABLE_ID);
	if (c == 0)
		c = strcmp(strings + table_get32(x + TABLE_DECISION_STRINGS), strings + table_get32(y + TABLE_DECISION_STRINGS));
	return c ? c : (i > j) - (i < j);
}

/* A sorted copy of the decisions; NULL on no memory. */
static uint8_t *
sorted_decisions(const struct table_builder *b)
{
	size_t n = b->head.decisions_n;
	struct sorting s = { b };
	uint32_t *index = calloc(n + 1, sizeof *index);
	uint8_t *out = malloc(b->decisions.n + 1);
	if (index && out) {
		for (size_t i = 0; i < n; i++)
			index[i] = (uint32_t)i;
		qsort_r(index, n, sizeof *index, compare, &s);
		for (size_t i = 0; i < n; i++)
			memcpy(out + i * TABLE_DECISION_LEN, b->decisions.p + (size_t)index[i] * TABLE_DECISION_LEN,
			    TABLE_DECISION_LEN);
	} else {
		free(out);
		out = NULL;
	}
	free(index);
	return out;
}

/* ---- the whole ---- */

struct table_builder *
table_builder_new(uint64_t generation, const uint8_t seed[16], size_t modules_hint)
{
	struct table_builder *b = calloc(1, sizeof *b);
	if (!b)
		return NULL;
	b->head.generation = generation;
	memcpy(b->head.seed, seed, sizeof b->head.seed);
	if (modules_hint > TABLE_MODULES_MAX)
		modules_hint = TABLE_MODULES_MAX;
	/* Two identities a module, half of the slots free. */
	if (reslot(b, modules_hint * 4 + SLOTS_MIN) ||
	    (modules_hint && reserve(&b->modules, modules_hint * TABLE_MODULE_LEN))) {
		table_builder_free(b);
		return NULL;
	}
	return b;
}

struct table_builder *
table_builder_from(const struct table *t, uint64_t generation)
{
	struct table_builder *b = calloc(1, sizeof *b);
	if (!b)
		return NULL;
	struct view modules = table_borrow_modules(t, &b->head);
	b->head.generation = generation;
	b->head.decisions_n = b->head.decision_strings_len = 0;
	b->fixed = true;
	if (reserve(&b->section, modules.n)) {
		table_builder_free(b);
		return NULL;
	}
	memcpy(extend(&b->section, modules.n), modules.p, modules.n);
	return b;
}

void
table_builder_free(struct table_builder *b)
{
	if (!b)
		return;
	free(b->section.p);
	free(b->modules.p);
	free(b->idents.p);
	free(b->links.p);
	free(b->slot);
	pool_free(&b->attrs);
	pool_free(&b->strings);
	free(b->decisions.p);
	pool_free(&b->decision_strings);
	free(b);
}

/* Only the offsets: readers compare identities. */
static int
write_slots(const struct table_builder *b, int fd)
{
	uint8_t raw[4096];
	size_t n = 0;
	for (size_t i = 0; i < b->head.slots_n; i++) {
		table_put32(raw + n, b->slot[i].at);
		n += 4;
		if (n == sizeof raw || i + 1 == b->head.slots_n) {
			if (fdio_write(fd, view_of(raw, n)))
				return FG_EIO;
			n = 0;
		}
	}
	return 0;
}

static int
write_modules(struct table_builder *b, int fd)
{
	if (b->fixed)
		return fdio_write(fd, view_of(b->section.p, b->section.n));
	int r = fdio_write(fd, view_of(b->modules.p, b->modules.n));
	if (!r)
		r = fdio_write(fd, view_of(b->attrs.bytes.p, b->attrs.bytes.n));
	if (!r)
		r = fdio_write(fd, view_of(b->idents.p, b->idents.n));
	if (!r)
		r = write_slots(b, fd);
	if (!r)
		r = fdio_write(fd, view_of(b->strings.bytes.p, b->strings.bytes.n));
	if (!r)
		r = fdio_write(fd, view_of(b->links.p, b->links.n));
	return r;
}

int
table_builder_write(struct table_builder *b, int fd)
{
	uint8_t head[TABLE_HEAD];
	uint64_t modules;
	if (!b->fixed) {
		/* An over-long index costs every edge memory. */
		size_t slots = (size_t)b->head.idents_n * 2 + 1;
		if (b->head.slots_n > slots + slots / 4) {
			int r = reslot(b, slots);
			if (r)
				return r;
		}
		int r = sort_links(b);
		if (r)
			return r;
		b->head.attrs_n = (uint32_t)(b->attrs.bytes.n / TABLE_ATTRS_LEN);
		b->head.idents_len = (uint32_t)b->idents.n;
		b->head.strings_len = (uint32_t)b->strings.bytes.n;
	}
	b->head.decision_strings_len = (uint32_t)b->decision_strings.bytes.n;
	if (!table_module_section(&b->head, &modules) ||
	    TABLE_HEAD + modules + b->decisions.n + b->decision_strings.bytes.n > TABLE_BYTES_MAX)
		return FG_ELIMIT;
	uint8_t *decisions = sorted_decisions(b);
	if (!decisions)
		return FG_ENOMEM;
	table_head_write(&b->head, head);
	int r = fdio_write(fd, view_of(head, sizeof head));
	if (!r)
		r = write_modules(b, fd);
	if (!r)
		r = fdio_write(fd, view_of(decisions, b->decisions.n));
	if (!r)
		r = fdio_write(fd, view_of(b->decision_strings.bytes.p, b->decision_strings.bytes.n));
	free(decisions);
	return r;
}
