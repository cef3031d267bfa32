/* SPDX-License-Identifier: Apache-2.0 */
#include "images/token.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"

#define SLOTS_MIN 4096u /* a power of two, as all sizes of the index are; it is never more than half full */
#define AROUND_BEFORE 32
#define AROUND_MAX 120
#define NO_PATH UINT32_MAX

struct entry {
	uint32_t text; /* in the arena */
	uint32_t path; /* likewise, or NO_PATH */
	uint64_t offset;
	uint32_t around;
	uint8_t around_n;
	uint8_t text_n;
	uint8_t class;
	bool own, packed, met;
};
_Static_assert(TOKEN_LEN_MAX <= UINT8_MAX && AROUND_MAX <= UINT8_MAX, "lengths are bytes");

struct token_set {
	struct token_set *known; /* borrowed */
	const struct token_own *own;
	struct entry *entry;
	size_t n, cap;
	uint32_t *slot; /* index + 1; 0 is free */
	size_t slots;
	uint8_t *arena; /* texts and surroundings as bytes, paths with their NUL */
	size_t arena_n, arena_cap;
	uint64_t lost;
	/* the leaf that is being scanned */
	const char *path;
	uint32_t path_at; /* in the arena once one of its tokens is kept */
	struct view run;
	uint64_t run_at;
	bool wide;
	bool both; /* the other image holds this leaf too */
};

static const char *const names[TOKEN_CLASS_LIMIT] = {
	[TOKEN_URL] = "URL",
	[TOKEN_HOST] = "host name",
	[TOKEN_IPV4] = "IPv4 address",
	[TOKEN_IPV6] = "IPv6 address",
	[TOKEN_PHONE] = "telephone number",
	[TOKEN_MAIL] = "e-mail address",
	[TOKEN_APN] = "access point name",
	[TOKEN_ENDPOINT] = "message broker",
	[TOKEN_AT] = "AT command",
	[TOKEN_DIAG] = "diagnosis switch",
	[TOKEN_SMS] = "silent message",
	[TOKEN_LOCATION] = "positioning server",
	[TOKEN_RESOLVER] = "name server",
	[TOKEN_SHELL] = "shell command",
	[TOKEN_LISTEN] = "listening program",
	[TOKEN_FUSE] = "lasting command",
	[TOKEN_IMEI] = "IMEI",
	[TOKEN_IMSI] = "IMSI",
	[TOKEN_ICCID] = "ICCID",
	[TOKEN_MAC] = "MAC address",
};

const char *token_class_name(enum token_class class)
{
	if (class <= TOKEN_NONE || class >= TOKEN_CLASS_LIMIT)
		abort();
	return names[class];
}

struct token_set *
token_set_new(struct token_set *known, const struct token_own *own)
{
	struct token_set *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->known = known;
	t->own = own && own->n ? own : NULL;
	t->slots = SLOTS_MIN;
	t->slot = calloc(t->slots, sizeof t->slot[0]);
	if (!t->slot) {
		free(t);
		return NULL;
	}
	return t;
}

void
token_set_free(struct token_set *t)
{
	if (!t)
		return;
	free(t->entry);
	free(t->slot);
	free(t->arena);
	free(t);
}

/* ---- storage ---- */

/* FNV-1a. Whoever makes tokens collide makes the scan slow, not blind: texts are compared in full. */
static uint64_t
hash(enum token_class class, struct view text)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ (unsigned)class;
	for (size_t i = 0; i < text.n; i++)
		h = (h ^ text.p[i]) * UINT64_C(1099511628211);
	return h ^ h >> 32;
}

/* The slot that holds it, or the free one where it would go. */
static size_t
find(const struct token_set *t, enum token_class class, struct view text)
{
	size_t i = (size_t)hash(class, text) & (t->slots - 1);
	for (; t->slot[i]; i = (i + 1) & (t->slots - 1)) {
		const struct entry *e = &t->entry[t->slot[i] - 1];
		if (e->class == (uint8_t) class && view_equal(view_of(t->arena + e->text, e->text_n), text))
			break;
	}
	return i;
}

/* FG_ELIMIT when the arena is full. */
static int
keep(struct token_set *t, struct view bytes, uint32_t *ret)
{
	if (bytes.n > TOKEN_TEXT_MAX - t->arena_n)
		return FG_ELIMIT;
	while (t->arena_cap - t->arena_n < bytes.n) {
		size_t cap = t->arena_cap ? t->arena_cap * 2 : 1u << 16;
		uint8_t *more = realloc(t->arena, cap);
		if (!more)
			return FG_ENOMEM;
		t->arena = more;
		t->arena_cap = cap;
	}
	*ret = (uint32_t)t->arena_n;
	if (bytes.n)
		memcpy(t->arena + t->arena_n, bytes.p, bytes.n);
	t->arena_n += bytes.n;
	return 0;
}

static int
room(struct token_set *t)
{
	if (t->n == TOKEN_SET_MAX)
		return FG_ELIMIT;
	if (t->n < t->cap)
		return 0;
	size_t cap = t->cap ? t->cap * 2 : 1024;
	struct entry *more = realloc(t->entry, cap * sizeof *more);
	if (!more)
		return FG_ENOMEM;
	t->entry = more;
	t->cap = cap;
	return 0;
}

/* Doubles the index. */
static int
spread(struct token_set *t)
{
	size_t slots = t->slots * 2;
	uint32_t *more = calloc(slots, sizeof *more);
	if (!more)
		return FG_ENOMEM;
	for (size_t k = 0; k < t->n; k++) {
		const struct entry *e = &t->entry[k];
		size_t i = (size_t)hash((enum token_class)e->class, view_of(t->arena + e->text, e->text_n)) &
			   (slots - 1);
		while (more[i])
			i = (i + 1) & (slots - 1);
		more[i] = (uint32_t)k + 1;
	}
	free(t->slot);
	t->slot = more;
	t->slots = slots;
	return 0;
}

static int
is_own(const struct token_set *t, enum token_class class, struct view text, bool *ret)
{
	uint8_t sum[DIGEST_SHA256_LEN];
	*ret = false;
	if (!t->own || class < TOKEN_IMEI)
		return 0;
	int err = digest_sha256(text, sum);
	size_t low = 0, high = t->own->n;
	while (!err && low < high) {
		size_t mid = low + (high - low) / 2;
		int c = memcmp(t->own->sha256[mid], sum, sizeof sum);
		if (c == 0) {
			*ret = true;
			break;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return err;
}

/* Adds one token of the leaf that is being scanned; around borrowed. */
static int
add(struct token_set *t, enum token_class class, struct view text, uint64_t offset, struct view around,
    bool packed)
{
	struct entry e = { .offset = offset,
		.class = (uint8_t) class,
		.text_n = (uint8_t)text.n,
		.packed = packed,
		.path = NO_PATH };
	if (t->known) {
		size_t there = find(t->known, class, text);
		if (t->known->slot[there]) {
			t->known->entry[t->known->slot[there] - 1].met = true;
			return 0;
		}
	}
	size_t slot = find(t, class, text);
	if (t->slot[slot]) {
		struct entry *there = &t->entry[t->slot[slot] - 1];
		there->met = there->met || t->both;
		return 0;
	}
	e.met = t->both;
	int err = room(t);
	if (!err)
		err = is_own(t, class, text, &e.own);
	if (!err)
		err = keep(t, text, &e.text);
	if (!err && t->known) { /* only what is new will be shown with what stands around it */
		e.around_n = (uint8_t)around.n;
		err = keep(t, around, &e.around);
	}
	if (!err && t->path_at == NO_PATH)
		err = keep(t, view_of(t->path, strlen(t->path) + 1), &t->path_at);
	e.path = t->path_at;
	if (err == FG_ELIMIT) {
		t->lost++;
		return 0;
	}
	if (err)
		return err;
	t->entry[t->n++] = e;
	t->slot[slot] = (uint32_t)t->n;
	return t->n * 2 > t->slots ? spread(t) : 0;
}

/* ---- scanning ---- */

static int
on_token(void *arg, enum token_class class, struct view token, size_t at)
{
	struct token_set *t = arg;
	size_t from = at > AROUND_BEFORE ? at - AROUND_BEFORE : 0;
	size_t n = t->run.n - from < AROUND_MAX ? t->run.n - from : AROUND_MAX;
	uint64_t offset = t->run_at + (uint64_t)at * (t->wide ? 2 : 1);
	return add(t, class, token, offset, view_of(t->run.p + from, n), false);
}

static int
on_run(void *arg, struct view run, uint64_t offset, bool wide)
{
	struct token_set *t = arg;
	t->run = run;
	t->run_at = offset;
	t->wide = wide;
	return token_classify(run, on_token, t);
}

static int
on_sure(void *arg, enum token_class class, struct view digits, uint64_t offset)
{
	return add(arg, class, digits, offset, view_of(NULL, 0), true);
}

/* Chance hits: only those that are known to be ours. */
static int
on_maybe(void *arg, enum token_class class, struct view digits, uint64_t offset)
{
	bool own;
	int err = is_own(arg, class, digits, &own);
	return err || !own ? err : add(arg, class, digits, offset, view_of(NULL, 0), true);
}

int
token_set_scan(struct token_set *t, const char *path, const struct source *s)
{
	t->path = path;
	t->path_at = NO_PATH;
	int err = token_runs(s, on_run, t);
	if (!err)
		err = token_idents(s, on_sure, t->own ? on_maybe : NULL, t);
	t->path = NULL;
	return err;
}

int
token_set_scan_both(struct token_set *t, const char *path, const struct source *s)
{
	t->both = true;
	int err = token_set_scan(t, path, s);
	t->both = false;
	return err;
}

size_t
token_set_count(const struct token_set *t)
{
	return t->n;
}

uint64_t
token_set_lost(const struct token_set *t)
{
	return t->lost;
}

bool
token_set_has(const struct token_set *t, enum token_class class, struct view token)
{
	return t->slot[find(t, class, token)] != 0 ||
	       (t->known && t->known->slot[find(t->known, class, token)] != 0);
}

void
token_set_get(const struct token_set *t, size_t i, struct token *ret)
{
	if (i >= t->n)
		abort();
	const struct entry *e = &t->entry[i];
	*ret = (struct token){ .class = (enum token_class)e->class,
		.own = e->own,
		.packed = e->packed,
		.met = e->met,
		.text = view_of(t->arena + e->text, e->text_n),
		.around = view_of(t->arena + e->around, e->around_n),
		.path = (const char *)t->arena + e->path,
		.offset = e->offset };
}
