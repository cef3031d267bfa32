/* SPDX-License-Identifier: Apache-2.0 */
#include "images/delta_vcdiff.h"

#include <inttypes.h>
#include <lzma.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/largepage.h"
#include "images/vcdiff.h"

#define SECTION_BUFFER (32u << 10)
#define LZMA_STATE ((size_t)128 << 10) /* of a decoder, beside its dictionary */
#define AHEAD_MIN (16u << 10)  /* what one reading costs anyhow, about */
#define AHEAD_MAX (256u << 10) /* of which the next instruction may make nothing */
/* Indicator, segment, lengths, Adler-32: as long as a window's header can be. */
#define WINDOW_HEADER_MAX (2u + 8 * VCDIFF_INT_MAX + 4u)
#define HERE(v) ((v)->segment_n + (v)->done)

/* One of a window's three runs of bytes, read forward. */
struct section {
	const char *name;
	bool packed, open; /* this window's is packed; the decoder lives from window to window */
	uint64_t at, left; /* bytes of the patch to be fetched */
	uint64_t due;      /* packed: expanded bytes to come */
	uint64_t came;     /* expanded bytes so far, of all windows: what is used of the dictionary */
	size_t charged;
	lzma_stream lzma;
	size_t i, n; /* of bytes: the next, and how many there are */
	uint8_t bytes[SECTION_BUFFER], in[SECTION_BUFFER];
};

struct window {
	uint8_t indicator, delta;
	uint64_t segment_at, segment_n;
	uint64_t size;          /* of the target window */
	uint64_t section_at[3], section_n[3];
	uint32_t adler;
	uint64_t end;           /* of the patch, where the next window begins */
};

enum { DATA = 0, INST, ADDR };

/*
 * Of the base, read into the window ahead of the instructions. A shift is a place in the base minus that in the
 * window, modulo 2^64: the same for all that one reading ahead brings.
 */
struct ahead {
	uint64_t shift, other; /* what is read is of the first; the other is that of the last copy which was not */
	uint64_t end;          /* the window's bytes from done to there are read */
	size_t length;         /* of the last reading */
};

struct vcdiff {
	struct delta *d;
	uint8_t secondary; /* 0: none */
	uint64_t first;    /* window's offset in the patch */
	bool all_checked;
	uint64_t number;   /* of the window, from 0 */
	struct window w;
	uint64_t segment_n;
	uint8_t *target; /* the window being made */
	size_t room;
	uint64_t done, from_base;
	struct ahead ahead;
	struct vcdiff_cache cache;
	struct vcdiff_code table[VCDIFF_CODES];
	struct section section[3];
};

static int
broken(struct vcdiff *v, const char *what)
{
	return delta_refuse(v->d, DELTA_MALFORMED, "window %" PRIu64 ": %s", v->number, what);
}

/* ---- sections ---- */

static int
lzma_begin(struct vcdiff *v, struct section *s)
{
	int err = delta_charge(v->d, LZMA_STATE, "lzma");
	if (err)
		return err;
	s->charged = LZMA_STATE;
	s->lzma = (lzma_stream)LZMA_STREAM_INIT;
	s->open = lzma_stream_decoder(&s->lzma, DELTA_VCDIFF_LZMA_MAX, 0) == LZMA_OK;
	return s->open ? 0 : FG_ENOMEM;
}

/*
 * The dictionary is allocated whole and used as far as bytes came out of it, so
 * that three of 64 MiB (xdelta3 -9) cost what a patch of that length costs.
 */
static int
charge_dictionary(struct vcdiff *v, struct section *s, size_t more)
{
	uint64_t whole = lzma_memusage(&s->lzma), used = s->came + more + LZMA_STATE;
	size_t want = (size_t)(used < whole || whole == 0 ? used : whole);
	int err = want > s->charged ? delta_charge(v->d, want - s->charged, "lzma's dictionary") : 0;
	if (!err && want > s->charged)
		s->charged = want;
	return err;
}

/* Expanded bytes, at least one. */
static int
fill_packed(struct vcdiff *v, struct section *s)
{
	size_t room = s->due < sizeof s->bytes ? (size_t)s->due : sizeof s->bytes;
	int err = charge_dictionary(v, s, room);
	s->lzma.next_out = s->bytes;
	s->lzma.avail_out = room;
	while (!err && s->lzma.avail_out == room) {
		if (s->lzma.avail_in == 0) {
			size_t n = s->left < sizeof s->in ? (size_t)s->left : sizeof s->in;
			if (n == 0)
				return broken(v, "a packed section ends before what it says it unpacks to");
			err = delta_patch_read(v->d, s->at, s->in, n);
			if (err)
				return err;
			s->at += n;
			s->left -= n;
			s->lzma.next_in = s->in;
			s->lzma.avail_in = n;
		}
		lzma_ret rc = lzma_code(&s->lzma, LZMA_RUN);
		if (rc == LZMA_MEM_ERROR)
			return FG_ENOMEM;
		if (rc == LZMA_MEMLIMIT_ERROR)
			return delta_refuse(v->d, DELTA_LIMIT, "lzma wants a dictionary of more than %" PRIu64 " MiB",
			    DELTA_VCDIFF_LZMA_MAX >> 20);
		/* xdelta3 flushes at each window and never ends the stream. */
		if (rc != LZMA_OK)
			return broken(v, "a packed section is damaged");
	}
	if (err)
		return err;
	s->n = room - s->lzma.avail_out;
	s->due -= s->n;
	s->came += s->n;
	return 0;
}

static int
fill(struct vcdiff *v, struct section *s)
{
	s->i = s->n = 0;
	if (s->packed ? s->due == 0 : s->left == 0)
		return delta_refuse(v->d, DELTA_MALFORMED, "window %" PRIu64 ": wants more of the %s section than there is",
		    v->number, s->name);
	if (s->packed)
		return fill_packed(v, s);
	size_t n = s->left < sizeof s->bytes ? (size_t)s->left : sizeof s->bytes;
	int err = delta_patch_read(v->d, s->at, s->bytes, n);
	if (err)
		return err;
	s->at += n;
	s->left -= n;
	s->n = n;
	return 0;
}

static inline int
take(struct vcdiff *v, struct section *s, uint8_t *ret)
{
	int err = s->i == s->n ? fill(v, s) : 0;
	if (!err)
		*ret = s->bytes[s->i++];
	return err;
}

static int
take_int(struct vcdiff *v, struct section *s, uint64_t *ret)
{
	uint64_t value = 0;
	uint8_t b;
	do {
		int err = take(v, s, &b);
		if (err)
			return err;
		if (value >> 57 || (value == 0 && b == 0x80))
			return broken(v, "an integer of more than 64 bits, or with a leading zero");
		value = value << 7 | (b & 0x7f);
	} while (b & 0x80);
	*ret = value;
	return 0;
}

static int
take_bytes(struct vcdiff *v, struct section *s, uint8_t *to, uint64_t n)
{
	while (n > 0) {
		int err = s->i == s->n ? fill(v, s) : 0;
		if (err)
			return err;
		size_t k = s->n - s->i < n ? s->n - s->i : (size_t)n;
		memcpy(to, s->bytes + s->i, k);
		s->i += k;
		to += k;
		n -= k;
	}
	return 0;
}

static bool
at_end(const struct section *s)
{
	return s->i == s->n && (s->packed ? s->due : s->left) == 0;
}

static int
section_begin(struct vcdiff *v, unsigned which)
{
	struct section *s = &v->section[which];
	s->at = v->w.section_at[which];
	s->left = v->w.section_n[which];
	s->i = s->n = 0;
	s->packed = false;
	if (!(v->w.delta & 1u << which))
		return 0;
	if (v->secondary != VCDIFF_SECONDARY_LZMA)
		return delta_refuse(v->d, DELTA_UNSUPPORTED, "secondary compression by %s",
		    v->secondary == VCDIFF_SECONDARY_DJW ? "djw" : "fgk");
	uint64_t size = 0;
	int err = take_int(v, s, &size);
	if (err)
		return err;
	if (size == 0)
		return broken(v, "a packed section that unpacks to nothing");
	/* What was read ahead behind the length goes back. */
	s->at -= s->n - s->i;
	s->left += s->n - s->i;
	s->i = s->n = 0;
	s->packed = true;
	s->due = size;
	return s->open ? 0 : lzma_begin(v, s);
}

static int
section_end(struct vcdiff *v, struct section *s)
{
	if (at_end(s) && (!s->packed || (s->left == 0 && s->lzma.avail_in == 0)))
		return 0;
	return delta_refuse(v->d, DELTA_MALFORMED, "window %" PRIu64 ": bytes of the %s section that nothing uses",
	    v->number, s->name);
}

/* ---- instructions ---- */

/* Section 5.3. */
static int
address(struct vcdiff *v, unsigned mode, uint64_t *ret)
{
	struct section *s = &v->section[ADDR];
	uint64_t here = HERE(v), value = 0;
	int err;
	if (mode >= VCDIFF_MODE_SAME) {
		uint8_t b = 0;
		err = take(v, s, &b);
		value = v->cache.same[(mode - VCDIFF_MODE_SAME) * 256 + b];
	} else {
		err = take_int(v, s, &value);
		if (mode == VCDIFF_MODE_HERE)
			value = value <= here ? here - value : here;
		else if (mode >= VCDIFF_MODE_NEAR && __builtin_add_overflow(value, v->cache.near[mode - VCDIFF_MODE_NEAR], &value))
			value = here;
	}
	if (err)
		return err;
	if (value >= here)
		return broken(v, "copies from where nothing is yet");
	vcdiff_remember(&v->cache, value);
	*ret = value;
	return 0;
}

/* Within the window being made; what is copied may be what this copy makes (section 3). */
static void
copy_within(uint8_t *to, uint64_t distance, uint64_t n)
{
	while (n > 0) {
		size_t k = (size_t)(distance < n ? distance : n);
		memcpy(to, to - distance, k);
		to += k;
		n -= k;
		distance += k;
	}
}

/*
 * n bytes of the base from at on. Most copies go on where the one before would have, behind a few bytes that
 * are new: from the second such on, and behind a long one, the base is read ahead to where in the window it will
 * be wanted, and a copy that finds its bytes there is done. No copy reads what lies ahead in the window,
 * and every byte of it is made by some instruction before the window is whole.
 */
static int
copy_base(struct vcdiff *v, uint64_t at, size_t n)
{
	struct ahead *a = &v->ahead;
	uint64_t shift = at - v->done, to = v->done;
	if (shift != a->shift && shift != a->other && n < AHEAD_MIN) {
		a->other = shift;
		return delta_base_read(v->d, at, v->target + to, n);
	}
	if (shift != a->shift)
		*a = (struct ahead){ .shift = shift, .other = a->shift };
	if (a->end > to) {
		uint64_t there = a->end - to;
		if (there >= n)
			return 0;
		to += there;
		at += there;
		n -= (size_t)there;
	}
	uint64_t base_left = v->w.segment_at + v->segment_n - at, left = v->w.size - to;
	size_t want = a->length < AHEAD_MAX / 2 ? a->length * 2 : AHEAD_MAX;
	want = want < AHEAD_MIN ? AHEAD_MIN : want;
	want = want < n ? n : want;
	left = left < base_left ? left : base_left;
	a->length = want < left ? want : (size_t)left;
	a->end = to + a->length;
	return delta_base_read(v->d, at, v->target + to, a->length);
}

static int
copy(struct vcdiff *v, unsigned mode, uint64_t size)
{
	uint64_t from = 0;
	int err = address(v, mode, &from);
	uint8_t *to = v->target + v->done;
	if (err)
		return err;
	if (from >= v->segment_n) {
		copy_within(to, v->done - (from - v->segment_n), size);
		return 0;
	}
	if (size > v->segment_n - from)
		return broken(v, "a copy runs over the end of its segment");
	v->from_base += size;
	return copy_base(v, v->w.segment_at + from, (size_t)size);
}

static int
instruction(struct vcdiff *v, const struct vcdiff_half *h)
{
	struct section *data = &v->section[DATA];
	uint64_t size = h->size;
	int err = size == 0 ? take_int(v, &v->section[INST], &size) : 0;
	if (err)
		return err;
	if (size == 0)
		return broken(v, "an instruction about no bytes");
	if (size > v->w.size - v->done)
		return broken(v, "writes past its end");
	uint8_t *to = v->target + v->done, byte = 0;
	switch ((enum vcdiff_type)h->type) {
	case VCDIFF_ADD:
		err = take_bytes(v, data, to, size);
		break;
	case VCDIFF_RUN:
		err = take(v, data, &byte);
		memset(to, byte, (size_t)size);
		break;
	case VCDIFF_COPY:
		err = copy(v, h->mode, size);
		break;
	case VCDIFF_NOOP:
		abort();
	}
	v->done += size;
	return err;
}

static int
instructions(struct vcdiff *v)
{
	struct section *inst = &v->section[INST];
	while (!at_end(inst)) {
		uint8_t code = 0;
		int err = take(v, inst, &code);
		for (unsigned i = 0; i < 2 && !err; i++)
			if (v->table[code].half[i].type != VCDIFF_NOOP)
				err = instruction(v, &v->table[code].half[i]);
		if (err)
			return err;
	}
	return 0;
}

/* ---- windows ---- */

struct cursor {
	const uint8_t *p;
	size_t n, i;
	bool bad;
};

static uint64_t
cursor_int(struct cursor *c)
{
	uint64_t value = 0;
	uint8_t b = 0x80;
	while (b & 0x80 && !c->bad) {
		b = c->i < c->n ? c->p[c->i] : 0;
		c->bad = c->i >= c->n || value >> 57 || (value == 0 && b == 0x80);
		c->i++;
		value = value << 7 | (b & 0x7f);
	}
	return c->bad ? 0 : value;
}

static uint8_t
cursor_byte(struct cursor *c)
{
	c->bad = c->bad || c->i >= c->n;
	return c->bad ? 0 : c->p[c->i++];
}

/* Sections 4.2 and 4.3: the window's header at `at`, checked against the patch and for what it says twice. */
static int
read_window(struct vcdiff *v, uint64_t at, struct window *w)
{
	uint8_t head[WINDOW_HEADER_MAX];
	uint64_t rest = delta_patch(v->d)->size - at, sum = 0, encoded;
	struct cursor c = { head, rest < sizeof head ? (size_t)rest : sizeof head, 0, false };
	int err = delta_patch_read(v->d, at, head, c.n);
	if (err)
		return err;
	memset(w, 0, sizeof *w);
	w->indicator = cursor_byte(&c);
	if (w->indicator & ~(VCDIFF_WIN_SOURCE | VCDIFF_WIN_TARGET | VCDIFF_WIN_ADLER32) ||
	    (w->indicator & VCDIFF_WIN_SOURCE && w->indicator & VCDIFF_WIN_TARGET))
		return broken(v, "an indicator with bits that have no meaning");
	/* No tool at hand makes such, and xdelta3 does not apply them. */
	if (w->indicator & VCDIFF_WIN_TARGET)
		return delta_refuse(v->d, DELTA_UNSUPPORTED, "window %" PRIu64 ": a segment of the target", v->number);
	if (w->indicator & VCDIFF_WIN_SOURCE) {
		w->segment_n = cursor_int(&c);
		w->segment_at = cursor_int(&c);
	}
	encoded = cursor_int(&c);
	size_t start = c.i;
	w->size = cursor_int(&c);
	w->delta = cursor_byte(&c);
	for (unsigned i = 0; i < 3; i++)
		w->section_n[i] = cursor_int(&c);
	if (w->indicator & VCDIFF_WIN_ADLER32)
		for (unsigned i = 0; i < 4; i++)
			w->adler = w->adler << 8 | cursor_byte(&c);
	if (c.bad)
		return broken(v, "a header that is cut short or has a number of more than 64 bits");
	if (w->delta & ~(VCDIFF_DELTA_DATA | VCDIFF_DELTA_INST | VCDIFF_DELTA_ADDR) || (w->delta && v->secondary == 0))
		return broken(v, "a delta indicator with bits that have no meaning");
	for (unsigned i = 0; i < 3; i++) {
		if (w->section_n[i] > rest - c.i - sum)
			return broken(v, "sections that are longer than the patch");
		w->section_at[i] = at + c.i + sum;
		sum += w->section_n[i];
	}
	if (encoded != c.i - start + sum)
		return broken(v, "the length of its encoding is not that of its parts");
	w->end = at + c.i + sum;
	return 0;
}

/* What the header of a window says about its segment and size. */
static int
check_window(struct vcdiff *v, const struct window *w)
{
	uint64_t have = delta_base(v->d)->size;
	uint64_t end;
	if (__builtin_add_overflow(w->segment_at, w->segment_n, &end))
		return broken(v, "a segment that no file can have");
	if (end > have) {
		delta_wants(v->d, "at least %" PRIu64 " bytes", end);
		return delta_refuse(v->d, DELTA_WRONG_BASE,
		    "window %" PRIu64 " is about bytes up to %" PRIu64 " of the base, which has %" PRIu64, v->number, end, have);
	}
	if (w->size > DELTA_VCDIFF_WINDOW_MAX)
		return delta_refuse(v->d, DELTA_LIMIT, "window %" PRIu64 " has %" PRIu64 " bytes, more than %" PRIu64, v->number,
		    w->size, DELTA_VCDIFF_WINDOW_MAX);
	return 0;
}

/* Nothing of the window before is needed. */
static int
make_room(struct vcdiff *v, size_t n)
{
	if (n <= v->room)
		return 0;
	int err = delta_charge(v->d, n - v->room, "a window");
	if (err)
		return err;
	free(v->target);
	v->target = largepage_alloc(n);
	v->room = v->target ? n : 0;
	return v->target ? 0 : FG_ENOMEM;
}

static int
make_window(struct vcdiff *v)
{
	const struct window *w = &v->w;
	int err = check_window(v, w);
	if (!err)
		err = make_room(v, (size_t)w->size);
	v->segment_n = w->segment_n;
	v->done = v->from_base = 0;
	v->ahead = (struct ahead){ .shift = UINT64_MAX, .other = UINT64_MAX };
	memset(&v->cache, 0, sizeof v->cache);
	for (unsigned i = 0; i < 3 && !err; i++)
		err = section_begin(v, i);
	if (!err)
		err = instructions(v);
	for (unsigned i = 0; i < 3 && !err; i++)
		err = section_end(v, &v->section[i]);
	if (!err && v->done != w->size)
		err = broken(v, "makes less than it says");
	if (err)
		return err;
	if (!(w->indicator & VCDIFF_WIN_ADLER32))
		v->all_checked = v->all_checked && w->size == 0;
	else if (vcdiff_adler32(view_of(v->target, (size_t)w->size)) != w->adler)
		return delta_refuse(v->d, DELTA_WRONG_BASE,
		    "window %" PRIu64 " does not have the Adler-32 %08" PRIx32 ": another base, or damaged", v->number, w->adler);
	return delta_put_mixed(v->d, v->target, (size_t)w->size, (size_t)v->from_base);
}

/*
 * The format does not say how long the target is: the windows' headers do. All of them
 * are looked at before anything is made of the first.
 */
static int
count_windows(struct vcdiff *v)
{
	uint64_t total = 0, end = delta_patch(v->d)->size;
	v->number = 0;
	for (uint64_t at = v->first; at < end; at = v->w.end, v->number++) {
		if (v->number == DELTA_VCDIFF_WINDOWS_MAX)
			return delta_refuse(v->d, DELTA_LIMIT, "more than %u windows", DELTA_VCDIFF_WINDOWS_MAX);
		int err = read_window(v, at, &v->w);
		if (err)
			return err;
		if (__builtin_add_overflow(total, v->w.size, &total))
			return broken(v, "a target that no file can be");
	}
	/* RFC 3284 lets a file be without windows. It is of no use, and the likeliest damage. */
	if (v->number == 0)
		return delta_refuse(v->d, DELTA_MALFORMED, "no window");
	return delta_declare(v->d, total);
}

/* ---- the header ---- */

/*
 * xdelta3's is NAME/HOW/NAME/HOW of target and base (or the first two), where HOW
 * is a letter when it unpacked that file before comparing. Then the bytes here are
 * not those that it would write, but of what it would pack again. It reads up to the first
 * NUL and splits three times, so that the last field may hold slashes. A second or fourth
 * field with anything in it is refused, whatever xdelta3 would make of that word.
 */
static bool
was_unpacked(const char *text, size_t n)
{
	unsigned field = 1;
	for (size_t i = 0; i < n && text[i] != '\0'; i++) {
		if (text[i] == '/' && field < 4)
			field++;
		else if (field % 2 == 0)
			return true;
	}
	return false;
}

static int
read_header(struct vcdiff *v)
{
	uint8_t head[5 + 1 + VCDIFF_INT_MAX];
	char app[DELTA_VCDIFF_APPHEADER_MAX];
	uint64_t size = delta_patch(v->d)->size, length;
	struct cursor c = { head, size < sizeof head ? (size_t)size : sizeof head, 3, false };
	int err = delta_patch_read(v->d, 0, head, c.n);
	if (err)
		return err;
	if (c.n < 5 || memcmp(head, VCDIFF_MAGIC, 3) != 0)
		return delta_refuse(v->d, DELTA_MALFORMED, "does not start as VCDIFF does");
	uint8_t version = cursor_byte(&c), indicator = cursor_byte(&c);
	if (version == VCDIFF_VERSION_SDCH)
		return delta_refuse(v->d, DELTA_UNSUPPORTED, "the interleaved form of SDCH");
	if (version != VCDIFF_VERSION)
		return delta_refuse(v->d, DELTA_UNSUPPORTED, "version %u", version);
	if (indicator & ~(VCDIFF_HDR_SECONDARY | VCDIFF_HDR_CODETABLE | VCDIFF_HDR_APPHEADER))
		return delta_refuse(v->d, DELTA_MALFORMED, "a header indicator with bits that have no meaning");
	if (indicator & VCDIFF_HDR_SECONDARY) {
		v->secondary = cursor_byte(&c);
		if (v->secondary != VCDIFF_SECONDARY_DJW && v->secondary != VCDIFF_SECONDARY_LZMA &&
		    v->secondary != VCDIFF_SECONDARY_FGK)
			return delta_refuse(v->d, DELTA_UNSUPPORTED, "secondary compressor %u", v->secondary);
	}
	if (indicator & VCDIFF_HDR_CODETABLE)
		return delta_refuse(v->d, DELTA_UNSUPPORTED, "a code table of its own");
	if (indicator & VCDIFF_HDR_APPHEADER) {
		length = cursor_int(&c);
		if (c.bad || length > size - c.i)
			return delta_refuse(v->d, DELTA_MALFORMED, "an application header longer than the patch");
		if (length > sizeof app)
			return delta_refuse(v->d, DELTA_LIMIT, "an application header of %" PRIu64 " bytes", length);
		err = delta_patch_read(v->d, c.i, app, (size_t)length);
		if (err)
			return err;
		if (was_unpacked(app, (size_t)length))
			return delta_refuse(v->d, DELTA_UNSUPPORTED,
			    "xdelta3 unpacked the files before it compared them: its output is packed again (-D leaves that out)");
		c.i += (size_t)length;
	}
	if (c.bad)
		return delta_refuse(v->d, DELTA_MALFORMED, "the header is cut short");
	v->first = c.i;
	return 0;
}

int
delta_vcdiff_apply(struct delta *d)
{
	struct vcdiff *v = calloc(1, sizeof *v);
	delta_applier(d, "vcdiff/1");
	if (!v)
		return FG_ENOMEM;
	v->d = d;
	v->all_checked = true;
	v->section[DATA].name = "data";
	v->section[INST].name = "instruction";
	v->section[ADDR].name = "address";
	vcdiff_table(v->table);
	int err = read_header(v);
	if (!err)
		err = count_windows(v);
	v->number = 0;
	for (uint64_t at = v->first; !err && at < delta_patch(d)->size; at = v->w.end, v->number++) {
		err = read_window(v, at, &v->w);
		if (!err)
			err = make_window(v);
	}
	if (!err && v->all_checked && delta_written(d) > 0)
		delta_checked(d);
	for (unsigned i = 0; i < 3; i++)
		if (v->section[i].open)
			lzma_end(&v->section[i].lzma);
	free(v->target);
	free(v);
	return err;
}
