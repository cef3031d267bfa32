/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkdelta_bsdiff - BSDIFF40, by Percival's method ("Naive differences of executable
 * code", 2003): a suffix array of the base finds the longest run of it at each place of
 * the target; runs that only continue the current alignment are no reason to leave it; where
 * a better one begins, both alignments are extended towards each other as long as more
 * bytes fit than do not, and the bytes in between are new.
 */
#include <bzlib.h>
#include <divsufsort.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/mkdelta.h"

#define HEADER_LEN 32u
#define WORTH_LEAVING 8 /* bytes that a new alignment must fit better by: what a tuple costs */
#define CHUNK (64u << 10)
#define BZ2_LEVEL 9     /* as bsdiff does */
#define TUPLES_FIRST 1024u

struct tuple {
	int32_t add, copy, seek;
};

struct bsdiff {
	const uint8_t *old, *new;
	int32_t old_n, new_n;
	int32_t *order; /* of the suffixes of old */
	struct tuple *tuple;
	size_t tuples, room;
};

/* ---- the suffix array ---- */

static int32_t
common(const uint8_t *a, int32_t a_n, const uint8_t *b, int32_t b_n)
{
	int32_t n = a_n < b_n ? a_n : b_n, i = 0;
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* The longest run of old that starts as new does at `at`: its length, and where. */
static int32_t
longest(const struct bsdiff *b, int32_t at, int32_t *ret_pos)
{
	const uint8_t *want = b->new + at;
	int32_t want_n = b->new_n - at, low = 0, high = b->old_n, best = 0;
	/* Bytes that all suffixes at low and before, and at high and after, are known to share with want. */
	int32_t low_fits = 0, high_fits = 0;
	*ret_pos = 0;
	while (low < high) {
		int32_t mid = low + (high - low) / 2, pos = b->order[mid];
		int32_t skip = low_fits < high_fits ? low_fits : high_fits;
		int32_t fits = skip + common(b->old + pos + skip, b->old_n - pos - skip, want + skip, want_n - skip);
		if (fits > best) {
			best = fits;
			*ret_pos = pos;
		}
		if (fits == want_n)
			break;
		if (fits == b->old_n - pos || b->old[pos + fits] < want[fits]) {
			low = mid + 1;
			low_fits = fits;
		} else {
			high = mid;
			high_fits = fits;
		}
	}
	return best;
}

/* ---- alignments ---- */

/* Of n bytes from a and b on (or, backwards, up to them): the prefix with the most fitting over not fitting ones. */
static int32_t
extent(const uint8_t *a, const uint8_t *b, int32_t n, bool backwards)
{
	int32_t fits = 0, best = 0, best_score = 0;
	for (int32_t i = 1; i <= n; i++) {
		fits += backwards ? a[-i] == b[-i] : a[i - 1] == b[i - 1];
		int32_t score = 2 * fits - i;
		if (score > best_score) {
			best_score = score;
			best = i;
		}
	}
	return best;
}

/* Where n bytes belong to two alignments: how many of them fit the first better. */
static int32_t
divide(const uint8_t *first, const uint8_t *second, const uint8_t *new, int32_t n)
{
	int32_t score = 0, best_score = 0, best = 0;
	for (int32_t i = 0; i < n; i++) {
		score += (new[i] == first[i]) - (new[i] == second[i]);
		if (score > best_score) {
			best_score = score;
			best = i + 1;
		}
	}
	return best;
}

static int
push(struct bsdiff *b, int32_t add, int32_t copy, int32_t seek)
{
	if (b->tuples == b->room) {
		size_t room = b->room ? b->room + b->room / 2 : TUPLES_FIRST;
		struct tuple *more = realloc(b->tuple, room * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		b->tuple = more;
		b->room = room;
	}
	b->tuple[b->tuples++] = (struct tuple){ add, copy, seek };
	return 0;
}

/* An alignment: new byte n stands against old byte n + (old - new). */
struct alignment {
	int32_t new, old;
};

static bool
fits_at(const struct bsdiff *b, struct alignment a, int32_t at)
{
	int64_t pos = (int64_t)a.old - a.new + at;
	return pos >= 0 && pos < b->old_n && b->old[pos] == b->new[at];
}

/* The current alignment is left at `at` for one that starts there at pos, or at the end of the target for none. */
static int
leave(struct bsdiff *b, struct alignment *current, int32_t at, int32_t pos)
{
	int32_t ahead = at - current->new, behind = 0;
	if (ahead > b->old_n - current->old)
		ahead = b->old_n - current->old;
	ahead = extent(b->old + current->old, b->new + current->new, ahead, false);
	if (at < b->new_n)
		behind = extent(b->old + pos, b->new + at, at - current->new < pos ? at - current->new : pos, true);
	int32_t overlap = (current->new + ahead) - (at - behind);
	if (overlap > 0) {
		ahead -= overlap;
		behind -= overlap;
		int32_t n = divide(b->old + current->old + ahead, b->old + pos - behind - overlap, b->new + current->new + ahead,
		    overlap);
		ahead += n;
		behind += overlap - n;
	}
	struct alignment next = { at - behind, pos - behind };
	int err = push(b, ahead, next.new - (current->new + ahead), next.old - (current->old + ahead));
	*current = next;
	return err;
}

static int
compare(struct bsdiff *b)
{
	struct alignment current = { 0, 0 };
	int32_t at = 0, n = 0, pos = 0;
	while (at < b->new_n) {
		/* How many of the bytes of the run at hand fit the current alignment as well; up to where they were asked. */
		int32_t fitting = 0, counted;
		at += n;
		counted = at;
		for (; at < b->new_n; at++) {
			n = longest(b, at, &pos);
			for (; counted < at + n; counted++)
				fitting += fits_at(b, current, counted);
			if ((n == fitting && n > 0) || n > fitting + WORTH_LEAVING)
				break;
			if (counted > at)
				fitting -= fits_at(b, current, at);
			else
				counted = at + 1;
		}
		int err = n != fitting || at == b->new_n ? leave(b, &current, at, pos) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* ---- writing ---- */

static void
put_offset(uint8_t *p, int64_t v)
{
	uint64_t u = v < 0 ? (uint64_t)-v | UINT64_C(1) << 63 : (uint64_t)v;
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(u >> 8 * i);
}

static int
bz_run(struct mkdelta *m, bz_stream *z, int action)
{
	char out[CHUNK];
	int rc = BZ_RUN_OK;
	do {
		z->next_out = out;
		z->avail_out = sizeof out;
		rc = BZ2_bzCompress(z, action);
		if (rc < 0)
			return FG_ENOMEM; /* the only way: everything else would be our fault */
		int err = mkdelta_put(m, out, sizeof out - z->avail_out);
		if (err)
			return err;
	} while (action == BZ_FINISH ? rc != BZ_STREAM_END : z->avail_in > 0);
	return 0;
}

static int
bz_put(struct mkdelta *m, bz_stream *z, uint8_t *p, size_t n)
{
	z->next_in = (char *)p;
	z->avail_in = (unsigned)n;
	return n > 0 ? bz_run(m, z, BZ_RUN) : 0;
}

static int
put_control(struct mkdelta *m, bz_stream *z, const struct bsdiff *b)
{
	int err = 0;
	for (size_t i = 0; i < b->tuples && !err; i++) {
		uint8_t p[24];
		put_offset(p, b->tuple[i].add);
		put_offset(p + 8, b->tuple[i].copy);
		put_offset(p + 16, b->tuple[i].seek);
		err = bz_put(m, z, p, sizeof p);
	}
	return err;
}

static int
put_diff(struct mkdelta *m, bz_stream *z, const struct bsdiff *b)
{
	const uint8_t *old = b->old, *new = b->new;
	uint8_t buf[CHUNK];
	int err = 0;
	for (size_t i = 0; i < b->tuples && !err; i++) {
		const struct tuple *t = &b->tuple[i];
		for (int32_t done = 0; done < t->add && !err;) {
			int32_t n = t->add - done < (int32_t)CHUNK ? t->add - done : (int32_t)CHUNK;
			for (int32_t k = 0; k < n; k++)
				buf[k] = (uint8_t)(new[done + k] - old[done + k]);
			err = bz_put(m, z, buf, (size_t)n);
			done += n;
		}
		new += t->add + t->copy;
		old += t->add + t->seek;
	}
	return err;
}

static int
put_extra(struct mkdelta *m, bz_stream *z, const struct bsdiff *b)
{
	const uint8_t *new = b->new;
	uint8_t buf[CHUNK];
	int err = 0;
	for (size_t i = 0; i < b->tuples && !err; i++) {
		const struct tuple *t = &b->tuple[i];
		for (int32_t done = 0; done < t->copy && !err;) {
			int32_t n = t->copy - done < (int32_t)CHUNK ? t->copy - done : (int32_t)CHUNK;
			memcpy(buf, new + t->add + done, (size_t)n);
			err = bz_put(m, z, buf, (size_t)n);
			done += n;
		}
		new += t->add + t->copy;
	}
	return err;
}

static int
put_stream(struct mkdelta *m, const struct bsdiff *b, int (*put)(struct mkdelta *, bz_stream *, const struct bsdiff *))
{
	bz_stream z = { 0 };
	if (BZ2_bzCompressInit(&z, BZ2_LEVEL, 0, 0) != BZ_OK)
		return FG_ENOMEM;
	int err = put(m, &z, b);
	z.avail_in = 0;
	if (!err)
		err = bz_run(m, &z, BZ_FINISH);
	BZ2_bzCompressEnd(&z);
	return err;
}

static int
put_all(struct mkdelta *m, const struct bsdiff *b)
{
	uint8_t header[HEADER_LEN] = "BSDIFF40";
	int err = mkdelta_put(m, header, sizeof header);
	if (!err)
		err = put_stream(m, b, put_control);
	uint64_t control = mkdelta_written(m) - HEADER_LEN;
	if (!err)
		err = put_stream(m, b, put_diff);
	put_offset(header + 8, (int64_t)control);
	put_offset(header + 16, (int64_t)(mkdelta_written(m) - HEADER_LEN - control));
	put_offset(header + 24, b->new_n);
	if (!err)
		err = put_stream(m, b, put_extra);
	return err ? err : mkdelta_mend(m, 0, header, sizeof header);
}

int
mkdelta_bsdiff(struct mkdelta *m)
{
	const struct source *to = mkdelta_to(m);
	struct view from = mkdelta_from(m);
	struct bsdiff b = { .old = from.p, .old_n = (int32_t)from.n, .new_n = (int32_t)to->size };
	uint8_t *new = malloc(to->size ? (size_t)to->size : 1);
	b.new = new;
	b.order = malloc((from.n ? from.n : 1) * sizeof *b.order);
	int err = new && b.order ? source_read(to, 0, new, (size_t)to->size) : FG_ENOMEM;
	if (!err && from.n > 0 && divsufsort(b.old, b.order, b.old_n) != 0)
		err = FG_ENOMEM;
	if (!err)
		err = compare(&b);
	free(b.order);
	if (!err)
		err = put_all(m, &b);
	free(b.tuple);
	free(new);
	return err;
}
