/* SPDX-License-Identifier: Apache-2.0 */
#include "images/delta_hdiff.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"

#define CHUNK (16u << 10)
#define HEAD_MAX (DELTA_HDIFF_NAME_MAX + 11 * 10) /* the name, and eleven numbers of at most ten bytes */
#define ANY_SIZE UINT64_MAX

/* Bytes read forward: from memory, or from a window of the patch, packed or not. */
struct run {
	struct delta *d;
	const char *name;
	const struct source *plain; /* where they are as they are; NULL: in stream */
	uint64_t at, left;          /* to be fetched */
	struct delta_stream *stream;
	size_t i, n;
	uint8_t bytes[CHUNK];
};

/* Run lengths of what is added to the base (HDIFF13): what is left of the current one. */
struct rle {
	struct run control, code;
	uint64_t set, copy; /* bytes of one value; bytes of code */
	uint8_t value;
};

/* The same in HDIFFSF20: zeros and bytes in turn, each with their number in front. */
struct rle0 {
	const uint8_t *p;
	size_t n, i;
	uint64_t zeros, bytes;
	bool zeros_next;
};

struct cover {
	uint64_t skip;   /* new bytes before it */
	uint64_t base;   /* where its bytes are in the base */
	uint64_t length;
};

struct hdiff {
	struct delta *d;
	const struct source *diff;
	bool inner;      /* diff is not the patch itself */
	uint64_t at;     /* of diff: behind what was taken */
	char packing[DELTA_HDIFF_NAME_MAX];
	uint64_t old_end; /* of the last cover: the next is told relative to it */
	uint64_t covers;  /* to come */
};

static int
broken(struct delta *d, const char *what)
{
	return delta_refuse(d, DELTA_MALFORMED, "at byte %" PRIu64 " of the target: %s", delta_written(d), what);
}

/* ---- numbers ---- */

/*
 * Base 128, most significant first; the first byte has `tag` bits of something
 * else on top. One byte more: 1 when the number goes on, 0 at its end, -1 too long.
 */
static int
number_step(uint64_t *value, bool first, unsigned tag, uint8_t b)
{
	unsigned bits = first ? 7 - tag : 7;
	if (*value >> 57)
		return -1;
	*value = *value << 7 | (b & ((1u << bits) - 1));
	return b >> bits & 1;
}

static int
memory_number(struct delta *d, const uint8_t *p, size_t n, size_t *i, unsigned tag, uint8_t *ret_tag, uint64_t *ret)
{
	uint64_t value = 0;
	int more = 1;
	for (bool first = true; more > 0; first = false) {
		if (*i == n)
			return broken(d, "a number that is cut short");
		uint8_t b = p[(*i)++];
		if (first)
			*ret_tag = (uint8_t)(b >> (8 - tag)); /* 8 - 0: nothing */
		more = number_step(&value, first, tag, b);
	}
	*ret = value;
	return more < 0 ? broken(d, "a number of more than 64 bits") : 0;
}

/* ---- runs ---- */

static int
run_fetch(struct run *r)
{
	size_t n = r->left < CHUNK ? (size_t)r->left : CHUNK;
	if (n == 0)
		return delta_refuse(r->d, DELTA_MALFORMED, "%s: wants more than there is", r->name);
	int err = r->stream ? delta_stream_read(r->stream, r->bytes, n) : source_read(r->plain, r->at, r->bytes, n);
	r->i = 0;
	r->n = err ? 0 : n;
	r->at += n;
	r->left -= n;
	return err;
}

static int
run_number(struct run *r, unsigned tag, uint8_t *ret_tag, uint64_t *ret)
{
	uint64_t value = 0;
	int more = 1;
	for (bool first = true; more > 0; first = false) {
		int err = r->i == r->n ? run_fetch(r) : 0;
		if (err)
			return err;
		uint8_t b = r->bytes[r->i++];
		if (first)
			*ret_tag = (uint8_t)(b >> (8 - tag)); /* 8 - 0: nothing */
		more = number_step(&value, first, tag, b);
	}
	*ret = value;
	return more < 0 ? broken(r->d, "a number of more than 64 bits") : 0;
}

static int
run_read(struct run *r, void *buf, size_t n)
{
	for (uint8_t *to = buf; n > 0;) {
		int err = r->i == r->n ? run_fetch(r) : 0;
		if (err)
			return err;
		size_t k = r->n - r->i < n ? r->n - r->i : n;
		memcpy(to, r->bytes + r->i, k);
		r->i += k;
		to += k;
		n -= k;
	}
	return 0;
}

static int
run_finish(struct run *r)
{
	if (r->i < r->n || r->left > 0)
		return delta_refuse(r->d, DELTA_MALFORMED, "%s: bytes that nothing uses", r->name);
	return r->stream ? delta_stream_finish(r->stream) : 0;
}

/* zlib's windowBits in front: negative for a bare stream, as hdiffz writes it. */
static int
zlib_kind(struct hdiff *h, uint64_t at, uint64_t *packed, enum delta_packing *ret)
{
	uint8_t bits = 0;
	int err = *packed == 0 ? broken(h->d, "an empty zlib stream") : source_read(h->diff, at, &bits, 1);
	if (err)
		return err;
	int window = bits < 128 ? bits : bits - 256;
	if (window < -15 || window > 15 || (window > -8 && window < 8))
		return broken(h->d, "a zlib window of no possible size");
	*packed -= 1;
	*ret = window < 0 ? DELTA_DEFLATE : DELTA_ZLIB;
	return 0;
}

static int
packing_of(struct hdiff *h, uint64_t *at, uint64_t *packed, enum delta_packing *ret)
{
	static const struct {
		const char *name;
		enum delta_packing packing;
	} known[] = { { "zlib", DELTA_DEFLATE }, { "pzlib", DELTA_DEFLATE }, { "bz2", DELTA_BZ2 }, { "bzip2", DELTA_BZ2 },
		{ "pbz2", DELTA_BZ2 }, { "pbzip2", DELTA_BZ2 }, { "zstd", DELTA_ZSTD }, { "7zXZ", DELTA_XZ } };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcmp(h->packing, known[i].name) != 0)
			continue;
		*ret = known[i].packing;
		int err = *ret == DELTA_DEFLATE ? zlib_kind(h, *at, packed, ret) : 0;
		if (!err && known[i].packing == DELTA_DEFLATE)
			(*at)++;
		return err;
	}
	return delta_refuse(h->d, DELTA_UNSUPPORTED, "packed by \"%s\"", h->packing);
}

/* The next part of the patch: size bytes, in packed ones (0: as they are). */
static int
run_open(struct hdiff *h, struct run *r, const char *name, uint64_t size, uint64_t packed)
{
	uint64_t length = packed ? packed : size, at = h->at;
	memset(r, 0, offsetof(struct run, bytes));
	r->d = h->d;
	r->name = name;
	r->left = size;
	if (length > h->diff->size - at)
		return delta_refuse(h->d, DELTA_MALFORMED, "%s: %" PRIu64 " bytes where %" PRIu64 " are left of the patch", name,
		    length, h->diff->size - at);
	h->at += length;
	r->plain = h->diff;
	r->at = at;
	if (packed == 0)
		return 0;
	if (h->inner)
		return delta_refuse(h->d, DELTA_UNSUPPORTED, "packed twice");
	enum delta_packing packing = DELTA_PLAIN;
	int err = packing_of(h, &at, &packed, &packing);
	return err ? err : delta_stream_open(h->d, name, packing, at, packed, &r->stream);
}

/* ---- HDIFF13's run lengths ---- */

static int
rle_next(struct rle *l)
{
	enum { ZEROS = 0, ONES, VALUE, AS_IS };
	uint8_t kind = 0;
	uint64_t n = 0;
	int err = run_number(&l->control, 2, &kind, &n);
	if (err)
		return err;
	if (n == UINT64_MAX)
		return broken(l->control.d, "a run that no file can hold");
	if (kind == AS_IS) {
		l->copy = n + 1;
		return 0;
	}
	l->set = n + 1;
	l->value = kind == ONES ? 0xff : 0;
	return kind == VALUE ? run_read(&l->code, &l->value, 1) : 0;
}

/* The next n bytes to be added, or, where new bytes are, to be passed over. */
static int
rle_read(struct rle *l, uint8_t *to, size_t n)
{
	while (n > 0) {
		int err = l->set == 0 && l->copy == 0 ? rle_next(l) : 0;
		uint64_t *left = l->set ? &l->set : &l->copy;
		size_t k = *left < n ? (size_t)*left : n;
		if (!err && l->set)
			memset(to, l->value, k);
		else if (!err)
			err = run_read(&l->code, to, k);
		if (err)
			return err;
		*left -= k;
		to += k;
		n -= k;
	}
	return 0;
}

/* ---- covers ---- */

/* Checks what three numbers say, of which one is relative to the end of the cover before. */
static int
cover_of(struct hdiff *h, bool back, uint64_t by, struct cover *c)
{
	uint64_t left = delta_declared(h->d) - delta_written(h->d), base = delta_base(h->d)->size;
	if (back ? by > h->old_end : by > base - h->old_end)
		return broken(h->d, "a move to outside the base");
	c->base = back ? h->old_end - by : h->old_end + by;
	if (c->skip > left || c->length > left - c->skip)
		return broken(h->d, "more than is left of the target");
	if (c->length > base - c->base)
		return broken(h->d, "more than there is of the base");
	h->old_end = c->base + c->length;
	return 0;
}

static int
put_run(struct delta *d, struct run *r, struct rle *l, uint64_t n)
{
	uint8_t buf[CHUNK], passed[CHUNK];
	while (n > 0) {
		size_t k = n < CHUNK ? (size_t)n : CHUNK;
		int err = run_read(r, buf, k);
		if (!err && l)
			err = rle_read(l, passed, k);
		if (!err)
			err = delta_put(d, buf, k);
		if (err)
			return err;
		n -= k;
	}
	return 0;
}

/* ---- HDIFF13 ---- */

struct streams13 {
	struct run covers, fresh;
	struct rle rle;
};

static int
apply_covers(struct hdiff *h, struct streams13 *s)
{
	uint8_t buf[CHUNK], sign = 0, none;
	unsigned idle = 0;
	for (; h->covers > 0; h->covers--) {
		struct cover c = { 0 };
		uint64_t by = 0;
		int err = run_number(&s->covers, 1, &sign, &by);
		if (!err)
			err = run_number(&s->covers, 0, &none, &c.skip);
		if (!err)
			err = run_number(&s->covers, 0, &none, &c.length);
		if (!err)
			err = cover_of(h, sign, by, &c);
		if (!err && c.skip == 0 && c.length == 0 && ++idle > DELTA_HDIFF_IDLE_MAX)
			err = delta_refuse(h->d, DELTA_LIMIT, "over %u covers that make nothing", DELTA_HDIFF_IDLE_MAX);
		if (!err)
			err = put_run(h->d, &s->fresh, &s->rle, c.skip);
		for (uint64_t done = 0; !err && done < c.length;) {
			size_t k = c.length - done < CHUNK ? (size_t)(c.length - done) : CHUNK;
			err = rle_read(&s->rle, buf, k);
			if (!err)
				err = delta_add(h->d, c.base + done, buf, k);
			done += k;
		}
		if (err)
			return err;
	}
	return put_run(h->d, &s->fresh, &s->rle, delta_declared(h->d) - delta_written(h->d));
}

static int
apply_13(struct hdiff *h, const uint64_t size[8])
{
	struct streams13 *s = calloc(1, sizeof *s);
	if (!s)
		return FG_ENOMEM;
	int err = run_open(h, &s->covers, "covers", size[0], size[1]);
	if (!err)
		err = run_open(h, &s->rle.control, "run lengths", size[2], size[3]);
	if (!err)
		err = run_open(h, &s->rle.code, "run bytes", size[4], size[5]);
	if (!err)
		err = run_open(h, &s->fresh, "new bytes", size[6], size[7]);
	if (!err && h->at != h->diff->size)
		err = delta_refuse(h->d, DELTA_MALFORMED, "%" PRIu64 " bytes behind the patch", h->diff->size - h->at);
	if (!err)
		err = apply_covers(h, s);
	if (!err && (s->rle.set > 0 || s->rle.copy > 0))
		err = broken(h->d, "a run that goes on behind the end");
	struct run *const all[] = { &s->covers, &s->rle.control, &s->rle.code, &s->fresh };
	for (unsigned i = 0; i < 4; i++) {
		if (!err)
			err = run_finish(all[i]);
		delta_stream_close(all[i]->stream);
	}
	free(s);
	return err;
}

/* ---- HDIFFSF20 ---- */

static int
rle0_read(struct delta *d, struct rle0 *l, uint8_t *to, size_t n)
{
	while (n > 0) {
		uint8_t none;
		if (l->zeros == 0 && l->bytes == 0) {
			uint64_t *next = l->zeros_next ? &l->zeros : &l->bytes;
			int err = memory_number(d, l->p, l->n, &l->i, 0, &none, next);
			if (err)
				return err;
			if (!l->zeros_next && l->bytes > l->n - l->i)
				return broken(d, "a run that is longer than its step");
			l->zeros_next = !l->zeros_next;
		}
		uint64_t left = l->zeros ? l->zeros : l->bytes;
		size_t k = left < n ? (size_t)left : n;
		if (l->zeros) {
			memset(to, 0, k);
			l->zeros -= k;
		} else {
			memcpy(to, l->p + l->i, k);
			l->i += k;
			l->bytes -= k;
		}
		to += k;
		n -= k;
	}
	return 0;
}

/* Nothing is left of a step's run lengths but runs of no bytes, of which HDiffPatch writes one. */
static int
rle0_finish(struct delta *d, struct rle0 *l)
{
	uint64_t n = l->zeros + l->bytes;
	uint8_t none;
	while (n == 0 && l->i < l->n) {
		int err = memory_number(d, l->p, l->n, &l->i, 0, &none, &n);
		if (err)
			return err;
	}
	return n ? broken(d, "a run that goes on behind the end of its step") : 0;
}

/* One step: its covers, of covers_n bytes, and its run lengths. */
static int
apply_step(struct hdiff *h, struct run *r, const uint8_t *p, size_t covers_n, size_t rle_n)
{
	struct rle0 l = { .p = p + covers_n, .n = rle_n, .zeros_next = true };
	uint8_t buf[CHUNK], sign = 0, none;
	for (size_t i = 0; i < covers_n;) {
		struct cover c = { 0 };
		uint64_t by = 0;
		if (h->covers == 0)
			return broken(h->d, "more covers than there are said to be");
		h->covers--;
		int err = memory_number(h->d, p, covers_n, &i, 1, &sign, &by);
		if (!err)
			err = memory_number(h->d, p, covers_n, &i, 0, &none, &c.skip);
		if (!err)
			err = memory_number(h->d, p, covers_n, &i, 0, &none, &c.length);
		if (!err)
			err = cover_of(h, sign, by, &c);
		if (!err && c.length == 0 && h->covers > 0)
			err = broken(h->d, "a cover of no bytes that is not the last");
		if (!err)
			err = put_run(h->d, r, NULL, c.skip);
		for (uint64_t done = 0; !err && done < c.length;) {
			size_t k = c.length - done < CHUNK ? (size_t)(c.length - done) : CHUNK;
			err = rle0_read(h->d, &l, buf, k);
			if (!err)
				err = delta_add(h->d, c.base + done, buf, k);
			done += k;
		}
		if (err)
			return err;
	}
	return rle0_finish(h->d, &l);
}

static int
apply_steps(struct hdiff *h, struct run *r, uint8_t *step, uint64_t step_size)
{
	uint8_t none;
	while (h->covers > 0) {
		uint64_t covers_n = 0, rle_n = 0;
		int err = run_number(r, 0, &none, &covers_n);
		if (!err)
			err = run_number(r, 0, &none, &rle_n);
		if (!err && (covers_n > step_size || rle_n > step_size - covers_n))
			err = broken(h->d, "a step that is larger than it is said to be");
		if (!err && covers_n == 0)
			err = broken(h->d, "a step without covers");
		if (!err)
			err = run_read(r, step, (size_t)(covers_n + rle_n));
		if (!err)
			err = apply_step(h, r, step, (size_t)covers_n, (size_t)rle_n);
		if (err)
			return err;
	}
	return 0;
}

static int
apply_20(struct hdiff *h, uint64_t step_size, uint64_t size, uint64_t packed)
{
	if (packed > size || step_size > size)
		return delta_refuse(h->d, DELTA_MALFORMED, "%" PRIu64 " bytes packed into %" PRIu64 ", in steps of %" PRIu64, size,
		    packed, step_size);
	if (step_size > DELTA_HDIFF_STEP_MAX)
		return delta_refuse(h->d, DELTA_LIMIT, "steps of %" PRIu64 " bytes", step_size);
	int err = delta_charge(h->d, (size_t)step_size, "a step");
	if (err)
		return err;
	struct run *r = malloc(sizeof *r);
	uint8_t *step = malloc(step_size ? (size_t)step_size : 1);
	if (r)
		r->stream = NULL;
	err = r && step ? run_open(h, r, "the stream", size, packed) : FG_ENOMEM;
	if (!err && h->at != h->diff->size)
		err = delta_refuse(h->d, DELTA_MALFORMED, "%" PRIu64 " bytes behind the patch", h->diff->size - h->at);
	if (!err)
		err = apply_steps(h, r, step, step_size);
	if (!err)
		err = run_finish(r);
	if (r)
		delta_stream_close(r->stream);
	free(step);
	free(r);
	return err;
}

/* ---- the head ---- */

/* "HDIFF13&zlib" up to its NUL: form and packing. */
static int
read_name(struct hdiff *h, const uint8_t *p, size_t n, char form[DELTA_HDIFF_NAME_MAX], size_t *ret_end)
{
	const uint8_t *nul = memchr(p, 0, n < DELTA_HDIFF_NAME_MAX ? n : DELTA_HDIFF_NAME_MAX);
	const uint8_t *mark = nul ? memchr(p, '&', (size_t)(nul - p)) : NULL;
	if (!mark)
		return delta_refuse(h->d, DELTA_MALFORMED, "does not start as a patch of HDiffPatch does");
	memcpy(form, p, (size_t)(mark - p));
	form[mark - p] = '\0';
	snprintf(h->packing, sizeof h->packing, "%.*s", (int)(nul - mark - 1), (const char *)mark + 1);
	*ret_end = (size_t)(nul - p) + 1;
	return 0;
}

static int
apply(struct hdiff *h, uint64_t size)
{
	uint8_t p[HEAD_MAX];
	char form[DELTA_HDIFF_NAME_MAX];
	uint64_t head[11] = { 0 }, rest = h->diff->size - h->at;
	size_t n = rest < sizeof p ? (size_t)rest : sizeof p, i = 0;
	int err = source_read(h->diff, h->at, p, n);
	if (!err)
		err = read_name(h, p, n, form, &i);
	if (err)
		return err;
	bool one = strcmp(form, "HDIFF13") == 0;
	if (!one && strcmp(form, "HDIFFSF20") != 0)
		return delta_refuse(h->d, DELTA_UNSUPPORTED, "the form \"%s\"%s", form,
		    strcmp(form, "HDIFF19") == 0 ? ", for directories" : "");
	/* Target, base, covers; then pairs of sizes, or the step's and one pair. */
	for (unsigned k = 0; k < (one ? 11u : 6u) && !err; k++) {
		uint8_t none;
		err = memory_number(h->d, p, n, &i, 0, &none, &head[k]);
	}
	if (err)
		return err;
	h->at += i;
	h->covers = head[2];
	delta_wants(h->d, "%" PRIu64 " bytes", head[1]);
	if (head[1] != delta_base(h->d)->size)
		return delta_refuse(h->d, DELTA_WRONG_BASE, "is for a base of %" PRIu64 " bytes, not %" PRIu64, head[1],
		    delta_base(h->d)->size);
	if (size != ANY_SIZE && head[0] != size)
		return delta_refuse(h->d, DELTA_MALFORMED, "makes %" PRIu64 " bytes, and what it is wrapped in says %" PRIu64,
		    head[0], size);
	err = delta_declare(h->d, head[0]);
	/* Every cover but a last empty one is about a byte of the target. */
	if (!err && h->covers > head[0] + 1)
		err = delta_refuse(h->d, DELTA_MALFORMED, "%" PRIu64 " covers for %" PRIu64 " bytes", h->covers, head[0]);
	if (err)
		return err;
	return one ? apply_13(h, head + 3) : apply_20(h, head[3], head[4], head[5]);
}

int
delta_hdiff_apply_at(struct delta *d, const struct source *inner, uint64_t at, uint64_t size)
{
	struct hdiff h = { .d = d, .diff = inner ? inner : delta_patch(d), .inner = inner != NULL, .at = at };
	return apply(&h, size);
}

int
delta_hdiff_apply(struct delta *d)
{
	delta_applier(d, "hdiffpatch/1");
	return delta_hdiff_apply_at(d, NULL, 0, ANY_SIZE);
}
