/* SPDX-License-Identifier: Apache-2.0 */
#include "images/account.h"

#include <stdlib.h>

#include "crypto/err.h"

#define WINDOW (64u << 10)
#define RANGES_FIRST 256
/*
 * Packed ranges whose comparison is remembered: the ends of a few hundred files
 * lie in one of a file system. And how often the bytes of a part are read for
 * it: honest ones need one time, hostile ones share a range thousands of times.
 */
#define PACKED_SLOTS 256
#define PACKED_TIMES 8

/* What an analyser explained. */
struct range {
	uint32_t part;
	uint64_t at, end;
};

struct side {
	const struct parts *tree;
	struct account_sum *sum; /* of each part */
	uint8_t *worst;          /* enum account_class of each part's bytes and of all that came out of them */
	struct range *range;
	size_t ranges, ranges_cap;
	struct account_sum expanded;
};

/* A packed range of a part, and one of a part of the other image: the same bytes? */
struct packed {
	uint32_t self, mate;
	uint64_t self_at, mate_at, length; /* length 0: none */
	bool equal;
};

struct account {
	const struct pair *pair;
	struct packed packed[PACKED_SLOTS];
	struct side side[PAIR_SIDES];
	uint8_t *window[2]; /* of a part and of its mate, WINDOW bytes each */
};

/* Who speaks for a range of a part's bytes; the first one that does is asked. */
enum voice {
	VOICE_CHILD,  /* lies there as it is: its own account has the bytes */
	VOICE_PACKED, /* four of them, by class */
	VOICE_STRUCTURE = VOICE_PACKED + ACCOUNT_CLASSES,
	VOICE_ANALYSER,
	VOICES,
};

struct event {
	uint64_t at;
	int8_t step; /* +1 begins, -1 ends */
	uint8_t voice;
};

struct events {
	struct event *row;
	size_t n, cap;
};

struct account *
account_new(const struct pair *pair)
{
	struct account *a = calloc(1, sizeof *a);
	if (!a)
		return NULL;
	a->pair = pair;
	bool ok = (a->window[0] = malloc(WINDOW)) && (a->window[1] = malloc(WINDOW));
	for (unsigned k = 0; k < PAIR_SIDES && ok; k++) {
		struct side *s = &a->side[k];
		s->tree = pair_tree(pair, (enum pair_side)k);
		s->sum = calloc(parts_count(s->tree), sizeof *s->sum);
		s->worst = calloc(parts_count(s->tree), 1);
		ok = s->sum && s->worst;
	}
	if (!ok) {
		account_free(a);
		return NULL;
	}
	return a;
}

void
account_free(struct account *a)
{
	if (!a)
		return;
	for (unsigned k = 0; k < PAIR_SIDES; k++) {
		free(a->side[k].sum);
		free(a->side[k].worst);
		free(a->side[k].range);
	}
	free(a->window[0]);
	free(a->window[1]);
	free(a);
}

int
account_explained(struct account *a, enum pair_side side, uint32_t i, uint64_t at, uint64_t length)
{
	struct side *s = &a->side[side];
	uint64_t size = parts_get(s->tree, i)->bytes.size;
	if (at >= size || length == 0)
		return 0;
	if (length > size - at)
		length = size - at;
	if (s->ranges == ACCOUNT_RANGES_MAX)
		return FG_ELIMIT;
	if (s->ranges == s->ranges_cap) {
		size_t cap = s->ranges_cap ? s->ranges_cap * 2 : RANGES_FIRST;
		struct range *more = realloc(s->range, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		s->range = more;
		s->ranges_cap = cap;
	}
	s->range[s->ranges++] = (struct range){ i, at, at + length };
	return 0;
}

static int
range_order(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/* ---- bytes that are equal at the same place ---- */

/* Two parts that are mates, compared from their start on, ever further. */
struct compare {
	struct account *a;
	const struct source *self, *mate; /* mate NULL: nothing is equal */
	uint64_t suffix;      /* common bytes at the ends, where the sizes differ */
	uint64_t at;          /* of the windows that are loaded, a multiple of WINDOW */
	size_t self_n, mate_n;
	bool loaded;
};

static int
common_suffix(struct compare *c)
{
	uint64_t most = c->self->size < c->mate->size ? c->self->size : c->mate->size;
	if (c->self->size == c->mate->size)
		return 0;
	while (c->suffix < most) {
		size_t n = most - c->suffix < WINDOW ? (size_t)(most - c->suffix) : WINDOW, equal = 0;
		const uint8_t *x = c->a->window[0], *y = c->a->window[1];
		int err = source_read(c->self, c->self->size - c->suffix - n, c->a->window[0], n);
		if (!err)
			err = source_read(c->mate, c->mate->size - c->suffix - n, c->a->window[1], n);
		if (err)
			return err;
		while (equal < n && x[n - 1 - equal] == y[n - 1 - equal])
			equal++;
		c->suffix += equal;
		if (equal < n)
			break;
	}
	return 0;
}

static int
load(struct compare *c, uint64_t at)
{
	if (c->loaded && c->at == at)
		return 0;
	long self = source_read_some(c->self, at, c->a->window[0], WINDOW);
	long mate = source_read_some(c->mate, at, c->a->window[1], WINDOW);
	if (self < 0 || mate < 0)
		return self < 0 ? (int)self : (int)mate;
	c->self_n = (size_t)self;
	c->mate_n = (size_t)mate;
	c->at = at;
	c->loaded = true;
	return 0;
}

/*
 * How many of the bytes [from, to) are identical: they lie in an equal block or in the common end.
 * By place only up to where the common end begins in the shorter one: a byte of the mate that
 * the end has stood for already cannot stand for another one too.
 */
static int
identical(struct compare *c, uint64_t from, uint64_t to, uint64_t *ret)
{
	*ret = 0;
	if (!c->mate)
		return 0;
	uint64_t end = c->self->size - c->suffix;
	if (to > end) {
		*ret = to - (from > end ? from : end);
		to = end;
	}
	uint64_t shorter = c->self->size < c->mate->size ? c->self->size : c->mate->size;
	if (to > shorter - c->suffix)
		to = shorter - c->suffix;
	while (from < to) {
		int err = load(c, from - from % WINDOW);
		if (err)
			return err;
		size_t off = (size_t)(from - c->at), block = off - off % ACCOUNT_BLOCK;
		size_t mine = c->self_n - block, its = c->mate_n > block ? c->mate_n - block : 0;
		mine = mine < ACCOUNT_BLOCK ? mine : ACCOUNT_BLOCK;
		its = its < ACCOUNT_BLOCK ? its : ACCOUNT_BLOCK;
		uint64_t next = c->at + block + mine;
		next = next < to ? next : to;
		if (mine == its && memcmp(c->a->window[0] + block, c->a->window[1] + block, mine) == 0)
			*ret += next - from;
		from = next;
	}
	return 0;
}

/* ---- who speaks for which bytes ---- */

static int
voice(struct events *e, uint64_t at, uint64_t end, unsigned v)
{
	if (at >= end)
		return 0;
	if (e->n + 2 > e->cap) {
		size_t cap = e->cap ? e->cap * 2 : RANGES_FIRST;
		struct event *more = realloc(e->row, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		e->row = more;
		e->cap = cap;
	}
	e->row[e->n++] = (struct event){ at, 1, (uint8_t)v };
	e->row[e->n++] = (struct event){ end, -1, (uint8_t)v };
	return 0;
}

static int
event_order(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Both lie within their parts. 0 or an error. */
static int
equal_bytes(struct account *a, const struct source *self, const struct source *mate, struct packed *k)
{
	for (uint64_t off = 0; off < k->length; off += WINDOW) {
		size_t n = k->length - off < WINDOW ? (size_t)(k->length - off) : WINDOW;
		int err = source_read(self, k->self_at + off, a->window[0], n);
		if (!err)
			err = source_read(mate, k->mate_at + off, a->window[1], n);
		if (err)
			return err;
		if (memcmp(a->window[0], a->window[1], n) != 0)
			return 0;
	}
	k->equal = true;
	return 0;
}

/*
 * Did child's mate come out of the same packed bytes as child did? shared: the
 * range of their ends. What was packed anew, or packed together with something
 * else, is not in the other image, whatever came out of it.
 */
static int
packed_same(struct account *a, enum pair_side side, uint32_t i, uint32_t child, bool shared,
    uint64_t *io_work, bool *ret)
{
	struct pair_mate m = pair_of(a->pair, side, child);
	*ret = false;
	if (m.how == PAIR_NONE || m.index == 0)
		return 0;
	const struct part *x = parts_get(a->side[side].tree, child);
	const struct part *y = parts_get(a->side[!side].tree, m.index);
	struct packed want = { i, y->parent, shared ? x->shared_at : x->packed_at,
		shared ? y->shared_at : y->packed_at, shared ? x->shared_length : x->packed_length, false };
	if ((!shared && y->placed) || want.length == 0 ||
	    want.length != (shared ? y->shared_length : y->packed_length))
		return 0;
	struct packed *k = &a->packed[(want.self_at ^ want.self_at >> 8 ^ want.self_at >> 16) % PACKED_SLOTS];
	if (k->self != want.self || k->mate != want.mate || k->self_at != want.self_at ||
	    k->mate_at != want.mate_at || k->length != want.length) {
		const struct source *self = &parts_get(a->side[side].tree, i)->bytes;
		if (want.length > *io_work)
			return 0;
		*io_work -= want.length;
		int err = equal_bytes(a, self, &parts_get(a->side[!side].tree, y->parent)->bytes, &want);
		if (err)
			return err;
		*k = want;
	}
	*ret = k->equal;
	return 0;
}

/*
 * What came out may be all that a range holds, or not: blocks may have bytes
 * behind what is unpacked of them, and shared ones ends that no file has. So
 * packed bytes that the other image does not have are identical never, and
 * shared ones not explained either.
 */
static int
packed_class(struct account *a, enum pair_side side, uint32_t i, uint32_t child, bool shared,
    uint64_t *io_work, unsigned *ret)
{
	const struct side *s = &a->side[side];
	unsigned most = shared ? ACCOUNT_UNEXPLAINED : ACCOUNT_EXPLAINED;
	bool equal;
	*ret = parts_get(s->tree, child)->partial ? ACCOUNT_UNREVIEWABLE : s->worst[child];
	if (*ret <= most)
		return 0;
	int err = packed_same(a, side, i, child, shared, io_work, &equal);
	if (!err && !equal)
		*ret = most;
	return err;
}

/* Of a file in pieces the place says nothing: equal at the same place they are, explained at best. */
static int
gather_pieces(const struct side *s, uint32_t child, struct events *e)
{
	const struct part *p = parts_get(s->tree, child);
	unsigned class = p->partial ? ACCOUNT_UNREVIEWABLE : s->worst[child];
	int err = 0;
	class = class < ACCOUNT_EXPLAINED ? class : ACCOUNT_EXPLAINED;
	for (uint32_t k = 0; k < p->pieces && !err; k++) {
		struct part_range r = parts_piece(s->tree, child, k);
		err = voice(e, r.at, r.at + r.length, VOICE_PACKED + class);
	}
	return err;
}

static int
gather(struct account *a, enum pair_side side, uint32_t i, size_t *io_range, struct events *e)
{
	const struct side *s = &a->side[side];
	const struct part *p = parts_get(s->tree, i);
	uint64_t work = p->bytes.size * PACKED_TIMES;
	unsigned packed;
	int err = 0;
	for (uint32_t k = p->first; k != PART_NONE_INDEX && !err; k = parts_get(s->tree, k)->next) {
		const struct part *child = parts_get(s->tree, k);
		if (child->placed && !child->again)
			err = voice(e, child->at, child->at + child->bytes.size, VOICE_CHILD);
		else if (!child->placed) {
			err = packed_class(a, side, i, k, false, &work, &packed);
			if (!err)
				err = voice(e, child->packed_at, child->packed_at + child->packed_length,
				    VOICE_PACKED + packed);
		}
		if (!err)
			err = gather_pieces(s, k, e);
		if (!err && child->shared_length > 0) {
			err = packed_class(a, side, i, k, true, &work, &packed);
			if (!err)
				err = voice(e, child->shared_at, child->shared_at + child->shared_length,
				    VOICE_PACKED + packed);
		}
	}
	for (uint32_t k = 0; k < p->structure_n && !err; k++) {
		struct part_range r = parts_structure(s->tree, i, k);
		err = voice(e, r.at, r.at + r.length, VOICE_STRUCTURE);
	}
	/* Parts are gone through from the last to the first, and so are ranges. */
	while (*io_range > 0 && s->range[*io_range - 1].part > i)
		--*io_range;
	while (*io_range > 0 && s->range[*io_range - 1].part == i && !err) {
		--*io_range;
		err = voice(e, s->range[*io_range].at, s->range[*io_range].end, VOICE_ANALYSER);
	}
	if (e->n > 1)
		qsort(e->row, e->n, sizeof *e->row, event_order);
	return err;
}

/* What bytes of p are for which nobody speaks. */
static enum account_class
base_of(const struct side *s, const struct part *p)
{
	enum account_class least = ACCOUNT_UNEXPLAINED;
	switch (p->look) {
	case PART_LOOK_ERASED:
		return ACCOUNT_EXPLAINED;
	case PART_LOOK_DATA:
	case PART_LOOK_KNOWN:
		return ACCOUNT_UNEXPLAINED;
	case PART_LOOK_OPENED:
		for (uint32_t k = p->first; k != PART_NONE_INDEX; k = parts_get(s->tree, k)->next)
			if (parts_get(s->tree, k)->partial || s->worst[k] == ACCOUNT_UNREVIEWABLE)
				least = ACCOUNT_UNREVIEWABLE;
		return p->mixed ? least : ACCOUNT_UNREVIEWABLE;
	case PART_LOOK_NONE:
	case PART_LOOK_OPAQUE:
		break;
	}
	return ACCOUNT_UNREVIEWABLE;
}

static enum account_class
class_of(const unsigned count[VOICES], enum account_class base)
{
	for (unsigned c = 0; c < ACCOUNT_CLASSES; c++)
		if (count[VOICE_PACKED + c])
			return (enum account_class)c;
	if (count[VOICE_STRUCTURE])
		return ACCOUNT_EXPLAINED;
	return base == ACCOUNT_UNEXPLAINED && count[VOICE_ANALYSER] ? ACCOUNT_EXPLAINED : base;
}

/* Counts the bytes [from, to), for which the counted voices speak. */
static int
count_bytes(struct compare *c, const unsigned count[VOICES], enum account_class base, uint64_t from,
    uint64_t to, struct account_sum *sum)
{
	uint64_t same;
	if (from >= to || count[VOICE_CHILD])
		return 0;
	int err = identical(c, from, to, &same);
	sum->bytes[ACCOUNT_IDENTICAL] += same;
	sum->bytes[class_of(count, base)] += to - from - same;
	return err;
}

static int
sweep(struct compare *c, const struct events *e, enum account_class base, uint64_t size,
    struct account_sum *sum)
{
	unsigned count[VOICES] = { 0 };
	uint64_t at = 0;
	int err = 0;
	for (size_t i = 0; i < e->n && !err; i++) {
		uint64_t to = e->row[i].at;
		err = count_bytes(c, count, base, at, to, sum);
		at = to > at ? to : at;
		count[e->row[i].voice] += (unsigned)(int)e->row[i].step;
	}
	return err ? err : count_bytes(c, count, base, at, size, sum);
}

/* ---- one part after the other ---- */

static int
open_mate(struct account *a, enum pair_side k, uint32_t i, struct compare *c)
{
	struct pair_mate m = pair_of(a->pair, k, i);
	*c = (struct compare){ .a = a, .self = &parts_get(a->side[k].tree, i)->bytes };
	if (m.how != PAIR_PATH && m.how != PAIR_LIKE)
		return 0;
	c->mate = &parts_get(a->side[!k].tree, m.index)->bytes;
	return common_suffix(c);
}

static int
count_part(struct account *a, enum pair_side k, uint32_t i, size_t *io_range)
{
	struct side *s = &a->side[k];
	const struct part *p = parts_get(s->tree, i);
	struct events e = { 0 };
	struct compare c;
	int err = gather(a, k, i, io_range, &e);
	if (!err)
		err = open_mate(a, k, i, &c);
	if (!err)
		err = sweep(&c, &e, base_of(s, p), p->bytes.size, &s->sum[i]);
	free(e.row);
	for (uint32_t child = p->first; child != PART_NONE_INDEX; child = parts_get(s->tree, child)->next)
		if (parts_get(s->tree, child)->placed && !parts_get(s->tree, child)->again)
			for (unsigned n = 0; n < ACCOUNT_CLASSES; n++)
				s->sum[i].bytes[n] += s->sum[child].bytes[n];
	return err;
}

/* The worst of its own bytes and of everything under it. */
static void
judge(struct side *s, uint32_t i)
{
	const struct part *p = parts_get(s->tree, i);
	unsigned worst = p->bytes.size > 0 ? 0 : ACCOUNT_EXPLAINED; /* that there is nothing is no secret */
	while (p->bytes.size > 0 && worst < ACCOUNT_IDENTICAL && s->sum[i].bytes[worst] == 0)
		worst++;
	for (uint32_t k = p->first; k != PART_NONE_INDEX; k = parts_get(s->tree, k)->next)
		if (s->worst[k] < worst)
			worst = s->worst[k];
	if (p->partial)
		worst = ACCOUNT_UNREVIEWABLE;
	s->worst[i] = (uint8_t)worst;
}

static int
count_side(struct account *a, enum pair_side k, bool *ret_holds)
{
	struct side *s = &a->side[k];
	memset(a->packed, 0, sizeof a->packed); /* the other side's numbers are others */
	size_t range = s->ranges;
	uint64_t expanded = 0;
	int err = 0;
	if (s->ranges)
		qsort(s->range, s->ranges, sizeof *s->range, range_order);
	for (uint32_t i = parts_count(s->tree); i-- > 0 && !err;) {
		const struct part *p = parts_get(s->tree, i);
		s->sum[i] = (struct account_sum){ { 0 } };
		if (pair_is_same(pair_of(a->pair, k, i).how)) {
			/* What is in it is in its mate too, however either was opened. */
			s->sum[i].bytes[ACCOUNT_IDENTICAL] = p->bytes.size;
			s->worst[i] = ACCOUNT_IDENTICAL;
		} else {
			err = count_part(a, k, i, &range);
			judge(s, i);
		}
		if (account_total(&s->sum[i]) != p->bytes.size && !err)
			*ret_holds = false;
		if (!p->expanded || p->placed)
			continue;
		expanded += p->bytes.size;
		for (unsigned n = 0; n < ACCOUNT_CLASSES; n++)
			s->expanded.bytes[n] += s->sum[i].bytes[n];
	}
	if (account_total(&s->expanded) != expanded && !err)
		*ret_holds = false;
	return err;
}

/* Has nothing inside, and all of it counts as identical. */
static bool
is_identical(const struct side *s, uint32_t i)
{
	const struct part *p = parts_get(s->tree, i);
	return part_is_leaf(p) && s->sum[i].bytes[ACCOUNT_IDENTICAL] == p->bytes.size;
}

/* Mates of two digests differ somewhere: where both are identical throughout, the count is wrong. */
static bool
differences_show(const struct account *a)
{
	const struct side *old = &a->side[PAIR_OLD], *new = &a->side[PAIR_NEW];
	for (uint32_t i = 0; i < parts_count(new->tree); i++) {
		struct pair_mate m = pair_of(a->pair, PAIR_NEW, i);
		if ((m.how == PAIR_PATH || m.how == PAIR_LIKE) && is_identical(new, i) &&
		    is_identical(old, m.index) &&
		    memcmp(parts_get(new->tree, i)->sha256, parts_get(old->tree, m.index)->sha256,
			DIGEST_SHA256_LEN) != 0)
			return false;
	}
	return true;
}

int
account_make(struct account *a, bool *ret_holds)
{
	*ret_holds = true;
	int err = count_side(a, PAIR_OLD, ret_holds);
	if (!err)
		err = count_side(a, PAIR_NEW, ret_holds);
	if (!err && !differences_show(a))
		*ret_holds = false;
	return err;
}

/* ---- results ---- */

struct account_sum
account_image(const struct account *a, enum pair_side side)
{
	return a->side[side].sum[0];
}

struct account_sum
account_expanded(const struct account *a, enum pair_side side)
{
	return a->side[side].expanded;
}

struct account_sum
account_part(const struct account *a, enum pair_side side, uint32_t i)
{
	if (i >= parts_count(a->side[side].tree))
		abort();
	return a->side[side].sum[i];
}
