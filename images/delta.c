/* SPDX-License-Identifier: Apache-2.0 */
#include "images/delta.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/visible.h"

#define OUT_SIZE (64u << 10)   /* gathered before it is hashed and written */
#define EMIT_SIZE (256u << 10) /* as much at once of what comes in long pieces: it is still cached between the two */
/*
 * Of the base, kept after small reads: deltas jump between places that they come back to. A base
 * of up to 32 MiB is read once; more is used as far as it is touched, beside DELTA_MEMORY_MAX.
 */
#define BLOCK_SIZE (4u << 10)
#define BLOCKS 8192u

/* Each in the slot of its number modulo BLOCKS. */
struct blocks {
	uint64_t held[BLOCKS]; /* the number + 1; 0: none */
	uint8_t bytes[BLOCKS][BLOCK_SIZE];
};

struct delta {
	const struct source *patch, *base, *bonus; /* bonus may be NULL */
	struct delta_result *r;
	bool told; /* refused: nothing more is written */
	bool declared, open; /* open: the format does not say the size */
	uint64_t size;    /* of the target, as declared */
	uint64_t written; /* what is gathered included */
	size_t memory;    /* charged */
	struct digest *digest; /* NULL: of a part nobody asks it */
	/* Where it goes: a file, memory, the delta that it is a part of, or (-1, NULL, NULL) nowhere. */
	int fd;
	uint8_t *mem;
	struct delta *into;
	uint64_t room; /* as much as may be declared */
	struct blocks *blocks; /* NULL before the first small read */
	size_t out_n;
	uint8_t out[OUT_SIZE];
};

/* ---- saying something ---- */

int
delta_refuse(struct delta *d, enum delta_outcome outcome, const char *fmt, ...)
{
	char text[SIG_TEXT_MAX];
	va_list ap;
	if (outcome == DELTA_APPLIED)
		abort();
	if (d->told)
		return FG_EFORMAT;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	d->told = true;
	d->r->outcome = outcome;
	visible_cstr(view_str(text), d->r->detail, sizeof d->r->detail);
	return FG_EFORMAT;
}

void
delta_wants(struct delta *d, const char *fmt, ...)
{
	char text[DELTA_WANTS_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	visible_cstr(view_str(text), d->r->wants, sizeof d->r->wants);
}

void
delta_applier(struct delta *d, const char *name)
{
	snprintf(d->r->applier, sizeof d->r->applier, "%s", name);
}

void
delta_checked(struct delta *d)
{
	d->r->checked = true;
}

void
delta_named(struct delta *d)
{
	d->r->checked = d->r->named = true;
}

/* ---- memory ---- */

size_t
delta_memory_left(const struct delta *d)
{
	return DELTA_MEMORY_MAX - d->memory;
}

int
delta_charge(struct delta *d, size_t n, const char *what)
{
	if (n > delta_memory_left(d))
		return delta_refuse(d, DELTA_LIMIT, "%s: %zu bytes of memory are wanted beside %zu, of at most %zu",
		    what, n, d->memory, DELTA_MEMORY_MAX);
	d->memory += n;
	return 0;
}

void
delta_discharge(struct delta *d, size_t n)
{
	if (n > d->memory)
		abort();
	d->memory -= n;
}

/* ---- reading ---- */

const struct source *
delta_patch(const struct delta *d)
{
	return d->patch;
}

const struct source *
delta_base(const struct delta *d)
{
	return d->base;
}

bool
delta_bonus(const struct delta *d, struct source *ret)
{
	if (d->bonus)
		*ret = *d->bonus;
	return d->bonus != NULL;
}

int
delta_patch_read(struct delta *d, uint64_t at, void *buf, size_t n)
{
	if (at > d->patch->size || n > d->patch->size - at)
		return delta_refuse(d, DELTA_MALFORMED, "the patch ends at %" PRIu64 ", before byte %" PRIu64,
		    d->patch->size, at > d->patch->size ? at : at + n);
	return source_read(d->patch, at, buf, n);
}

/* Outside: told, and in words that fit both causes, since nothing here can tell them apart. */
static int
within_base(struct delta *d, uint64_t at, uint64_t n)
{
	if (at <= d->base->size && n <= d->base->size - at)
		return 0;
	return delta_refuse(d, DELTA_MALFORMED,
	    "wants %" PRIu64 " bytes at %" PRIu64 " of a base of %" PRIu64
	    ": another base, or damaged",
	    n, at, d->base->size);
}

/* Bytes of the base from at on, as many as its block holds, up to n of them. */
static long
block_read(struct delta *d, uint64_t at, uint8_t *buf, size_t n)
{
	uint64_t number = at / BLOCK_SIZE;
	size_t slot = (size_t)(number % BLOCKS), from = (size_t)(at % BLOCK_SIZE);
	struct blocks *b = d->blocks;
	if (!b) {
		b = d->blocks = malloc(sizeof *b);
		if (!b)
			return FG_ENOMEM;
		memset(b->held, 0, sizeof b->held);
	}
	if (b->held[slot] != number + 1) {
		uint64_t left = d->base->size - number * BLOCK_SIZE;
		b->held[slot] = 0;
		int err = source_read(d->base, number * BLOCK_SIZE, b->bytes[slot],
		    left < BLOCK_SIZE ? (size_t)left : BLOCK_SIZE);
		if (err)
			return err;
		b->held[slot] = number + 1;
	}
	if (n > BLOCK_SIZE - from)
		n = BLOCK_SIZE - from;
	memcpy(buf, b->bytes[slot] + from, n);
	return (long)n;
}

int
delta_base_read(struct delta *d, uint64_t at, void *buf, size_t n)
{
	int err = within_base(d, at, n);
	if (err || n == 0)
		return err;
	if (d->base->fd < 0 || n > BLOCK_SIZE / 2)
		return source_read(d->base, at, buf, n);
	for (uint8_t *to = buf; n > 0;) {
		long got = block_read(d, at, to, n);
		if (got < 0)
			return (int)got;
		at += (uint64_t)got;
		to += got;
		n -= (size_t)got;
	}
	return 0;
}

/* ---- writing ---- */

uint64_t
delta_declared(const struct delta *d)
{
	return d->size;
}

uint64_t
delta_written(const struct delta *d)
{
	return d->written;
}

int
delta_declare(struct delta *d, uint64_t size)
{
	if (d->declared)
		abort();
	if (size > d->room)
		return delta_refuse(d, DELTA_LIMIT, "the target would have %" PRIu64 " bytes, more than %" PRIu64,
		    size, d->room);
	d->declared = true;
	d->size = size;
	return 0;
}

void
delta_declare_open(struct delta *d)
{
	if (d->declared)
		abort();
	d->declared = d->open = true;
	d->size = d->room;
}

static int gather(struct delta *d, const uint8_t *p, size_t n);

/* n bytes to where the target goes. */
static int
emit(struct delta *d, uint64_t at, const uint8_t *p, size_t n)
{
	int err = d->digest ? digest_update(d->digest, view_of(p, n)) : 0;
	if (!err && d->into)
		err = gather(d->into, p, n);
	if (d->mem && n > 0)
		memcpy(d->mem + at, p, n);
	for (size_t done = 0; !err && d->fd >= 0 && done < n;) {
		ssize_t k = pwrite(d->fd, p + done, n - done, (off_t)(at + done));
		err = k > 0 ? 0 : FG_EIO;
		done += k > 0 ? (size_t)k : 0;
	}
	return err;
}

static int
flush(struct delta *d)
{
	int err = emit(d, d->written - d->out_n, d->out, d->out_n);
	d->out_n = 0;
	return err;
}

/* The next n bytes of the target must be within what was declared. */
static int
room_for(struct delta *d, uint64_t n)
{
	if (d->told)
		return FG_EFORMAT;
	if (!d->declared)
		abort();
	if (n > d->size - d->written && d->open)
		return delta_refuse(d, DELTA_LIMIT, "the target would have more than %" PRIu64 " bytes", d->size);
	if (n > d->size - d->written)
		return delta_refuse(d, DELTA_MALFORMED, "writes past the %" PRIu64 " bytes that it declares", d->size);
	return 0;
}

/* Gathers n bytes, which room_for() allowed; what would fill the buffer by itself goes past it. */
static int
gather(struct delta *d, const uint8_t *p, size_t n)
{
	int err = 0;
	while (!err && n > 0) {
		bool past = d->out_n == 0 && n >= OUT_SIZE;
		size_t k = past ? EMIT_SIZE : OUT_SIZE - d->out_n;
		if (k > n)
			k = n;
		if (past) {
			err = emit(d, d->written, p, k);
		} else {
			memcpy(d->out + d->out_n, p, k);
			d->out_n += k;
		}
		d->written += k;
		p += k;
		n -= k;
		if (!err && d->out_n == OUT_SIZE)
			err = flush(d);
	}
	return err;
}

int
delta_put_mixed(struct delta *d, const void *buf, size_t n, size_t from_base)
{
	int err = room_for(d, n);
	if (from_base > n)
		abort();
	if (!err)
		err = gather(d, buf, n);
	if (!err) {
		d->r->from_base += from_base;
		d->r->from_patch += n - from_base;
	}
	return err;
}

int
delta_put(struct delta *d, const void *buf, size_t n)
{
	return delta_put_mixed(d, buf, n, 0);
}

int
delta_copy(struct delta *d, uint64_t at, uint64_t n)
{
	int err = room_for(d, n);
	if (!err)
		err = within_base(d, at, n);
	d->r->from_base += err ? 0 : n;
	while (!err && n > 0) {
		size_t k = OUT_SIZE - d->out_n;
		if (k > n)
			k = (size_t)n;
		err = delta_base_read(d, at, d->out + d->out_n, k);
		if (err)
			break;
		d->out_n += k;
		d->written += k;
		at += k;
		n -= k;
		if (d->out_n == OUT_SIZE)
			err = flush(d);
	}
	return err;
}

int
delta_add(struct delta *d, uint64_t at, void *diff, size_t n)
{
	uint8_t *p = diff;
	int err = room_for(d, n);
	if (!err)
		err = within_base(d, at, n);
	while (!err && n > 0) {
		uint8_t from[4096];
		size_t k = n < sizeof from ? n : sizeof from, same = 0;
		err = delta_base_read(d, at, from, k);
		if (err)
			break;
		for (size_t i = 0; i < k; i++) {
			same += p[i] == 0;
			p[i] = (uint8_t)(p[i] + from[i]);
		}
		err = gather(d, p, k);
		d->r->from_base += same;
		d->r->from_patch += k - same;
		p += k;
		at += k;
		n -= k;
	}
	return err;
}

int
delta_target_read(struct delta *d, uint64_t at, void *buf, size_t n)
{
	if (at > d->written || n > d->written - at)
		return delta_refuse(d, DELTA_MALFORMED,
		    "wants %zu bytes at %" PRIu64 " of the target, of which %" PRIu64 " are written", n, at,
		    d->written);
	if (d->fd < 0 && !d->mem)
		return FG_EINVAL;
	uint64_t out_at = d->written - d->out_n;
	uint8_t *to = buf;
	if (at < out_at) {
		size_t k = n < out_at - at ? n : (size_t)(out_at - at);
		struct source flushed = { .fd = d->mem ? -1 : d->fd, .mem = d->mem, .size = out_at };
		int err = source_read(&flushed, at, to, k);
		if (err)
			return err;
		at += k;
		to += k;
		n -= k;
	}
	if (n > 0)
		memcpy(to, d->out + (at - out_at), n);
	return 0;
}

/* ---- one application ---- */

static int
finish(struct delta *d)
{
	if (!d->declared)
		abort();
	if (d->written != d->size && !d->open)
		return delta_refuse(d, DELTA_MALFORMED, "makes %" PRIu64 " of the %" PRIu64 " bytes that it declares",
		    d->written, d->size);
	int err = flush(d);
	if (!err && d->digest)
		err = digest_final(d->digest, d->r->target_sha256);
	if (err)
		return err;
	d->r->target_size = d->written;
	d->r->outcome = DELTA_APPLIED;
	return 0;
}

/* What one application is about; out says where it goes. */
struct application {
	const struct source *patch, *base, *bonus;
	int fd;
	uint8_t *mem;
	uint64_t room;
	struct delta *whole; /* it is a part of that */
	bool append;         /* and goes there */
};

static int
apply(delta_fn *fn, const struct application *a, struct delta_result *ret)
{
	struct delta *d = malloc(sizeof *d);
	if (!d)
		return FG_ENOMEM;
	memset(d, 0, offsetof(struct delta, out));
	*ret = (struct delta_result){ .outcome = DELTA_MALFORMED };
	d->patch = a->patch;
	d->base = a->base;
	d->bonus = a->bonus;
	d->r = ret;
	d->fd = a->fd;
	d->mem = a->mem;
	d->room = a->room < DELTA_TARGET_MAX ? a->room : DELTA_TARGET_MAX;
	d->into = a->append ? a->whole : NULL;
	d->memory = a->whole ? a->whole->memory : 0;
	d->digest = a->whole ? NULL : digest_new(DIGEST_SHA256);
	int err = d->digest || a->whole ? fn(d) : FG_ECRYPTO;
	/* Refused and gone on as if not, or a refusal that nobody told: neither may pass for an outcome. */
	if (err ? err == FG_EFORMAT && !d->told : d->told)
		abort();
	if (!err)
		err = finish(d);
	if (err)
		ret->from_base = ret->from_patch = 0;
	digest_free(d->digest);
	free(d->blocks);
	free(d);
	return err == FG_EFORMAT ? 0 : err;
}

static int
apply_to_file(delta_fn *fn, const struct application *a, struct delta_result *ret)
{
	if (!fn)
		return FG_EINVAL;
	if (a->fd >= 0 && ftruncate(a->fd, 0))
		return FG_EIO;
	return apply(fn, a, ret);
}

int
delta_apply_by(delta_fn *fn, const struct source *patch, const struct source *base, int out,
    struct delta_result *ret)
{
	const struct application a = { .patch = patch, .base = base, .fd = out, .room = DELTA_TARGET_MAX };
	return apply_to_file(fn, &a, ret);
}

int
delta_apply_within(enum format_id format, const struct source *patch, const struct source *base, int out,
    uint64_t max, struct delta_result *ret)
{
	const struct application a = { .patch = patch, .base = base, .fd = out, .room = max };
	return apply_to_file(delta_of(format), &a, ret);
}

int
delta_apply(enum format_id format, const struct source *patch, const struct source *base, int out,
    struct delta_result *ret)
{
	return delta_apply_within(format, patch, base, out, DELTA_TARGET_MAX, ret);
}

int
delta_apply_bonus(enum format_id format, const struct source *patch, const struct source *base,
    const struct source *bonus, int out, struct delta_result *ret)
{
	const struct application a = { .patch = patch, .base = base, .bonus = bonus, .fd = out,
		.room = DELTA_TARGET_MAX };
	return apply_to_file(delta_of(format), &a, ret);
}

int
delta_apply_memory(enum format_id format, const struct source *patch, const struct source *base,
    uint8_t *out, size_t room, struct delta_result *ret)
{
	const struct application a = { .patch = patch, .base = base, .fd = -1, .mem = out, .room = room };
	delta_fn *fn = delta_of(format);
	return fn ? apply(fn, &a, ret) : FG_EINVAL;
}

/* ---- deltas within deltas ---- */

static int
part(struct delta *d, enum format_id format, const struct application *a, struct delta_result *ret)
{
	delta_fn *fn = delta_of(format);
	if (!fn)
		abort();
	int err = apply(fn, a, ret);
	if (!err && ret->outcome != DELTA_APPLIED)
		err = delta_refuse(d, ret->outcome, "a part by %s: %s", ret->applier, ret->detail);
	return err;
}

int
delta_part(struct delta *d, enum format_id format, const struct source *patch, const struct source *base)
{
	const struct application a = { .patch = patch, .base = base, .fd = -1, .room = d->size - d->written, .whole = d,
		.append = true };
	struct delta_result r;
	int err = room_for(d, 0);
	if (!err)
		err = part(d, format, &a, &r);
	if (!err) {
		d->r->from_base += r.from_base;
		d->r->from_patch += r.from_patch;
	}
	return err;
}

int
delta_part_memory(struct delta *d, enum format_id format, const struct source *patch, const struct source *base,
    uint8_t *out, size_t n, uint64_t *ret_from_base)
{
	const struct application a = { .patch = patch, .base = base, .fd = -1, .mem = out, .room = n, .whole = d };
	struct delta_result r;
	int err = part(d, format, &a, &r);
	if (!err && r.target_size != n)
		err = delta_refuse(d, DELTA_MALFORMED, "a part by %s makes %" PRIu64 " bytes and should make %zu", r.applier,
		    r.target_size, n);
	if (ret_from_base)
		*ret_from_base = err ? 0 : r.from_base;
	return err;
}
