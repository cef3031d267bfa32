/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkdelta_vcdiff - VCDIFF (RFC 3284) with the default code table, windows of 8 MiB
 * that each carry their Adler-32 (xdelta3's extension: without it a wrong base goes unseen), no
 * application header and no secondary compression.
 *
 * Three places are asked for a copy at each byte: the base at the distance of the last
 * copy from it, since an update goes on where it was after the few bytes that changed;
 * an index of the base's bytes, eight at a time; and the window itself. What saves most wins. A copy
 * from the base is extended backwards into bytes that were going to be added.
 */
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/writer.h"
#include "images/mkdelta.h"
#include "images/vcdiff.h"

#define WINDOW ((size_t)8 << 20) /* as xdelta3's: every decoder has that */
#define BLOCK 8u                 /* bytes of the base that are looked up at once */
#define STEP_LEAST 2u            /* from one of them to the next: an index of at most so many entries of 4 bytes */
#define INDEX_MAX ((size_t)16 << 20)
#define INDEX_BITS_LEAST 10u
#define NEAR_BITS 20u            /* places in the window, at most; a small one has fewer */
#define NEAR_BITS_LEAST 8u
#define COPY_LEAST 4u            /* the least that the code table knows */
#define RUN_LEAST 8u
#define LATER 4u                 /* bytes by which a copy may be put off for a better one, */
#define LATER_MOST 256u          /* unless it is as good as this */
#define SPARSE_FROM 1024u
#define SPARSE_STEP 16u
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15) /* Fibonacci hashing */
#define ADD_LARGEST 17u          /* sizes in the table */
#define COPY_LARGEST 18u
#define SECTION_MAX (3 * WINDOW) /* no instruction is longer than twice what it makes */

struct instruction {
	enum vcdiff_type type;
	uint64_t size;
	unsigned mode;
};

struct maker {
	struct view from;
	uint32_t *block; /* of the base, by hash: number of the step + 1 */
	size_t step;
	unsigned bits;
	uint32_t *near;  /* in the window, by hash of four bytes: place + 1 */
	unsigned near_bits;
	uint8_t *p;
	size_t n;
	struct vcdiff_cache cache;
	struct instruction held; /* not written: the next may share its code */
	bool copied;
	uint64_t last;   /* address of the last copy from the base, less its place in the window: wraps */
	uint8_t single[VCDIFF_COPY + 1][COPY_LARGEST + 1][VCDIFF_MODES];
	uint8_t add_copy[5][7][VCDIFF_MODES], copy_add[VCDIFF_MODES]; /* 0, which is RUN's: no such code */
	struct writer data, inst, addr;
};

/* ---- codes ---- */

static void
learn_codes(struct maker *k)
{
	struct vcdiff_code table[VCDIFF_CODES];
	vcdiff_table(table);
	for (unsigned i = 0; i < VCDIFF_CODES; i++) {
		const struct vcdiff_half *a = &table[i].half[0], *b = &table[i].half[1];
		if (b->type == VCDIFF_NOOP)
			k->single[a->type][a->size][a->mode] = (uint8_t)i;
		else if (a->type == VCDIFF_ADD)
			k->add_copy[a->size][b->size][b->mode] = (uint8_t)i;
		else
			k->copy_add[a->mode] = (uint8_t)i;
	}
}

static void
put_int(struct writer *w, uint64_t value)
{
	uint8_t p[VCDIFF_INT_MAX];
	writer_bytes(w, view_of(p, vcdiff_int(value, p)));
}

static void
write_held(struct maker *k)
{
	const struct instruction *h = &k->held;
	if (h->type == VCDIFF_NOOP)
		return;
	bool in_table = (h->type == VCDIFF_ADD && h->size <= ADD_LARGEST) ||
	                (h->type == VCDIFF_COPY && h->size >= COPY_LEAST && h->size <= COPY_LARGEST);
	writer_u8(&k->inst, k->single[h->type][in_table ? h->size : 0][h->mode]);
	if (!in_table)
		put_int(&k->inst, h->size);
	k->held.type = VCDIFF_NOOP;
}

/* The next instruction, which shares a code with the one before it where the table has one for both. */
static void
instruct(struct maker *k, struct instruction i)
{
	const struct instruction *h = &k->held;
	uint8_t both = 0;
	if (h->type == VCDIFF_ADD && i.type == VCDIFF_COPY && h->size <= 4 && i.size <= 6)
		both = k->add_copy[h->size][i.size][i.mode];
	else if (h->type == VCDIFF_COPY && i.type == VCDIFF_ADD && h->size == 4 && i.size == 1)
		both = k->copy_add[h->mode];
	if (both != 0) {
		writer_u8(&k->inst, both);
		k->held.type = VCDIFF_NOOP;
		return;
	}
	write_held(k);
	k->held = i;
}

static void
emit_add(struct maker *k, size_t at, size_t n)
{
	if (n == 0)
		return;
	instruct(k, (struct instruction){ VCDIFF_ADD, n, 0 });
	writer_bytes(&k->data, view_of(k->p + at, n));
}

static void
emit_run(struct maker *k, size_t at, size_t n)
{
	instruct(k, (struct instruction){ VCDIFF_RUN, n, 0 });
	writer_u8(&k->data, k->p[at]);
}

static void
emit_copy(struct maker *k, uint64_t address, size_t at, size_t n)
{
	uint64_t value;
	unsigned mode = vcdiff_mode(&k->cache, address, k->from.n + at, &value);
	instruct(k, (struct instruction){ VCDIFF_COPY, n, mode });
	if (mode >= VCDIFF_MODE_SAME)
		writer_u8(&k->addr, (uint8_t)value);
	else
		put_int(&k->addr, value);
	vcdiff_remember(&k->cache, address);
}

/* ---- finding ---- */

static size_t
block_slot(const struct maker *k, const uint8_t *p)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < BLOCK; i++)
		v = v << 8 | p[i];
	return (size_t)(v * MULTIPLIER >> (64 - k->bits));
}

static size_t
near_slot(const struct maker *k, const uint8_t *p)
{
	uint64_t v = (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
	return (size_t)((v << 32) * MULTIPLIER >> (64 - k->near_bits));
}

static int
index_base(struct maker *k)
{
	k->step = STEP_LEAST;
	while (k->from.n / k->step > INDEX_MAX)
		k->step *= 2;
	size_t blocks = k->from.n < BLOCK ? 0 : (k->from.n - BLOCK) / k->step + 1;
	k->bits = INDEX_BITS_LEAST;
	while ((size_t)1 << k->bits < blocks)
		k->bits++;
	k->block = calloc((size_t)1 << k->bits, sizeof *k->block);
	if (!k->block)
		return FG_ENOMEM;
	/* The first of equal blocks stays: fill has millions of the same. */
	for (size_t i = 0; i < blocks; i++) {
		uint32_t *slot = &k->block[block_slot(k, k->from.p + i * k->step)];
		if (*slot == 0)
			*slot = (uint32_t)i + 1;
	}
	return 0;
}

static size_t
common(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
	size_t n = a_n < b_n ? a_n : b_n, i = 0;
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

struct found {
	uint64_t address;
	size_t at, n; /* at: may lie before the place asked about */
	size_t gain;  /* bytes saved: n, less its code and address; 0: nothing found */
};

static void
offer(const struct maker *k, struct found f, struct found *best)
{
	uint8_t p[VCDIFF_INT_MAX];
	uint64_t value;
	unsigned mode = vcdiff_mode(&k->cache, f.address, k->from.n + f.at, &value);
	size_t cost = 1 + (mode >= VCDIFF_MODE_SAME ? 1 : vcdiff_int(value, p));
	f.gain = f.n > cost ? f.n - cost : 0;
	if (f.n >= COPY_LEAST && f.gain > best->gain)
		*best = f;
}

/* Bytes of the base from pos on that stand in the window at `at`, and up to `back` bytes in front of both. */
static void
try_base(const struct maker *k, size_t at, size_t back, uint64_t pos, struct found *best)
{
	if (pos >= k->from.n || k->from.p[pos] != k->p[at])
		return;
	size_t n = common(k->p + at, k->n - at, k->from.p + pos, k->from.n - (size_t)pos), before = 0;
	while (before < back && before < pos && k->p[at - before - 1] == k->from.p[pos - before - 1])
		before++;
	offer(k, (struct found){ pos - before, at - before, n + before, 0 }, best);
}

static void
try_window(const struct maker *k, size_t at, struct found *best)
{
	uint32_t place = k->near[near_slot(k, k->p + at)];
	if (place == 0 || place - 1 >= at)
		return;
	/* Behind `at` the copy goes on in what it makes itself. */
	size_t n = common(k->p + at, k->n - at, k->p + place - 1, k->n - (place - 1));
	offer(k, (struct found){ k->from.n + place - 1, at, n, 0 }, best);
}

/* The best copy that begins at `at`, or up to `back` bytes before. */
static struct found
find(const struct maker *k, size_t at, size_t back)
{
	struct found best = { 0 };
	size_t left = k->n - at;
	uint32_t block = left >= BLOCK ? k->block[block_slot(k, k->p + at)] : 0;
	if (block)
		try_base(k, at, back, (uint64_t)(block - 1) * k->step, &best);
	if (k->copied)
		try_base(k, at, back, k->last + at, &best);
	if (left >= COPY_LEAST)
		try_window(k, at, &best);
	return best;
}

static void
remember_place(struct maker *k, size_t at)
{
	if (k->n - at >= COPY_LEAST)
		k->near[near_slot(k, k->p + at)] = (uint32_t)at + 1;
}

static size_t
run_at(const struct maker *k, size_t at)
{
	size_t n = 1;
	while (at + n < k->n && k->p[at + n] == k->p[at])
		n++;
	return n;
}

/* ---- a window ---- */

static void
encode(struct maker *k)
{
	size_t at = 0, added = 0; /* from added to at: nothing was found for these */
	while (at < k->n) {
		struct found best = find(k, at, at - added);
		size_t run = k->n - at >= RUN_LEAST && k->p[at] == k->p[at + 1] ? run_at(k, at) : 0, end;
		if (best.gain == 0 && run < RUN_LEAST) {
			remember_place(k, at++);
			continue;
		}
		if (run >= RUN_LEAST && run >= best.n) {
			emit_add(k, added, at - added);
			emit_run(k, at, run);
			end = at + run;
		} else {
			/* One byte later there may begin a better one. */
			for (unsigned i = 0; i < LATER && best.n < LATER_MOST && at + 1 < k->n; i++) {
				remember_place(k, at);
				struct found next = find(k, at + 1, at + 1 - added);
				if (next.gain <= best.gain + 1)
					break;
				best = next;
				at++;
			}
			emit_add(k, added, best.at - added);
			emit_copy(k, best.address, best.at, best.n);
			if (best.address < k->from.n) {
				k->last = best.address - best.at;
				k->copied = true;
			}
			end = best.at + best.n;
		}
		/* Of long copies and runs not every place: it would cost more than it finds. */
		for (size_t i = at; i < end; i += end - at > SPARSE_FROM ? SPARSE_STEP : 1)
			remember_place(k, i);
		at = added = end;
	}
	emit_add(k, added, k->n - added);
	write_held(k);
}

static int
put_window(struct mkdelta *m, struct maker *k)
{
	const struct writer *section[3] = { &k->data, &k->inst, &k->addr };
	uint32_t sum = vcdiff_adler32(view_of(k->p, k->n));
	struct writer head, body;
	writer_init(&head, 128);
	writer_init(&body, 128);
	writer_u8(&head, VCDIFF_WIN_ADLER32 | (k->from.n ? VCDIFF_WIN_SOURCE : 0));
	if (k->from.n) {
		put_int(&head, k->from.n);
		put_int(&head, 0);
	}
	put_int(&body, k->n);
	writer_u8(&body, 0); /* no section is packed */
	for (unsigned i = 0; i < 3; i++)
		put_int(&body, section[i]->n);
	writer_u32(&body, sum);
	put_int(&head, body.n + section[0]->n + section[1]->n + section[2]->n);
	writer_bytes(&head, writer_view(&body));
	int err = writer_err(&head);
	if (!err)
		err = mkdelta_put(m, head.p, head.n);
	for (unsigned i = 0; i < 3 && !err; i++) {
		err = writer_err(section[i]);
		if (!err && section[i]->n > 0)
			err = mkdelta_put(m, section[i]->p, section[i]->n);
	}
	writer_free(&body);
	writer_free(&head);
	return err;
}

static int
make_window(struct mkdelta *m, struct maker *k)
{
	memset(&k->cache, 0, sizeof k->cache);
	k->near_bits = NEAR_BITS_LEAST;
	while (k->near_bits < NEAR_BITS && (size_t)1 << k->near_bits < k->n)
		k->near_bits++;
	memset(k->near, 0, ((size_t)1 << k->near_bits) * sizeof *k->near);
	writer_reset(&k->data);
	writer_reset(&k->inst);
	writer_reset(&k->addr);
	encode(k);
	/* The next window begins where this one ends, and places are told from there. */
	k->last += k->n;
	return put_window(m, k);
}

int
mkdelta_vcdiff(struct mkdelta *m)
{
	static const uint8_t header[5] = { 0xd6, 0xc3, 0xc4, VCDIFF_VERSION, 0 };
	const struct source *to = mkdelta_to(m);
	struct maker *k = calloc(1, sizeof *k);
	if (!k)
		return FG_ENOMEM;
	k->from = mkdelta_from(m);
	k->p = malloc(to->size < WINDOW ? (size_t)to->size + 1 : WINDOW);
	k->near = malloc(((size_t)1 << NEAR_BITS) * sizeof *k->near);
	writer_init(&k->data, SECTION_MAX);
	writer_init(&k->inst, SECTION_MAX);
	writer_init(&k->addr, SECTION_MAX);
	learn_codes(k);
	int err = k->p && k->near ? index_base(k) : FG_ENOMEM;
	if (!err)
		err = mkdelta_put(m, header, sizeof header);
	/* An empty target has one window too: without any, a file is not told from one that was cut. */
	for (uint64_t at = 0; !err && (at < to->size || at == 0);) {
		k->n = to->size - at < WINDOW ? (size_t)(to->size - at) : WINDOW;
		err = source_read(to, at, k->p, k->n);
		if (!err)
			err = make_window(m, k);
		at += k->n;
		if (k->n == 0)
			break;
	}
	writer_free(&k->data);
	writer_free(&k->inst);
	writer_free(&k->addr);
	free(k->near);
	free(k->block);
	free(k->p);
	free(k);
	return err;
}
