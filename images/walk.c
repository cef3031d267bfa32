/* SPDX-License-Identifier: Apache-2.0 */
#include "images/walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "images/retain.h"
#include "images/walk_internal.h"

/* Those beside the image that are over the whole of it; none when they are over a part. */
static struct walk_signed
beside(const struct report *r, uint64_t size)
{
	const struct sig_set *set = &r->signatures;
	for (unsigned i = 0; i < set->n; i++)
		if (set->result[i].covers_n != 1 || set->result[i].covers[0].offset != 0 ||
		    set->result[i].covers[0].length != size)
			return (struct walk_signed){ 0 };
	return (struct walk_signed){ 0, set->n };
}

static int
walk_in(struct walk_room *room, const struct source *image, enum format_id format)
{
	walk_fn *fn = walk_of(format);
	struct walk w = { .room = room, .image = image, .format = format, .placed = true,
		.under = beside(room->r, image->size) };
	int err = retain_tell(&w, FORMAT_NONE, view_of(NULL, 0));
	if (err || !fn)
		return err;
	err = fn(&w);
	free(room->chunk);
	room->r->contents.walked = !err;
	return err;
}

int
walk_image(const struct source *image, enum format_id format, const struct trust *trust,
    const struct trust_policy *policy, int64_t at, struct report *r)
{
	struct walk_room room = { .r = r, .trust = trust, .policy = policy, .at = at };
	return walk_in(&room, image, format);
}

int
walk_whole(struct whole *whole, enum format_id format, const struct trust *trust,
    const struct trust_policy *policy, int64_t at, struct report *r)
{
	struct walk_room room = { .r = r, .trust = trust, .policy = policy, .at = at, .whole = whole };
	return walk_in(&room, whole->image, format);
}

int
walk_beside(const struct source *file, enum format_id format, const char *name,
    const struct trust *trust, const struct trust_policy *policy, int64_t at, struct report *r,
    int (*fn)(struct walk *w, void *arg), void *arg)
{
	struct walk_room room = { .r = r, .trust = trust, .policy = policy, .at = at };
	struct walk w = { .room = &room, .image = file, .format = format };
	snprintf(w.path, sizeof w.path, "%s", name);
	int err = fn(&w, arg);
	free(room.chunk);
	return err;
}

/* "zip member: detail", with the place in the whole image where there is one. */
__attribute__((format(printf, 5, 0))) static void
raise_at(struct walk *w, enum finding_id id, enum finding_severity severity, const uint64_t *offset,
    const char *fmt, va_list ap)
{
	char text[SIG_TEXT_MAX];
	/* A place that a header lied about is none, and no number of the report's. */
	bool placed = offset && w->placed && *offset <= w->image->size;
	uint64_t place = w->base + (placed ? *offset : 0);
	vsnprintf(text, sizeof text, fmt, ap);
	report_raise(w->room->r, id, severity, placed ? &place : NULL, "%s%s%s",
	    w->path, w->path[0] ? ": " : "", text);
}

void
walk_raise(struct walk *w, enum finding_id id, const uint64_t *offset, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	raise_at(w, id, FINDING_NONE, offset, fmt, ap);
	va_end(ap);
}

void
walk_raise_as(struct walk *w, enum finding_id id, enum finding_severity severity,
    const uint64_t *offset, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	raise_at(w, id, severity, offset, fmt, ap);
	va_end(ap);
}

struct whole *
walk_naming(struct walk *w)
{
	struct whole *h = w->room->whole;
	return h && w->image == h->image ? h : NULL;
}

uint64_t *
walk_work(struct walk *w)
{
	return &w->room->work;
}

unsigned
walk_mark(const struct walk *w)
{
	return w->room->r->signatures.n;
}

struct walk_signed
walk_since(const struct walk *w, unsigned mark)
{
	return (struct walk_signed){ .first = mark, .n = w->room->r->signatures.n - mark };
}

bool
walk_verified(const struct walk *w, struct walk_signed by)
{
	const struct sig_set *set = &w->room->r->signatures;
	for (unsigned i = by.first; i < by.first + by.n; i++)
		if (set->result[i].outcome == SIG_VERIFIED)
			return true;
	return false;
}

bool
walk_all_verified(const struct walk *w, struct walk_signed by)
{
	const struct sig_set *set = &w->room->r->signatures;
	for (unsigned i = by.first; i < by.first + by.n; i++)
		if (set->result[i].outcome != SIG_VERIFIED)
			return false;
	return by.n > 0;
}

void
walk_fact(struct walk *w, enum contents_fact_id id, struct walk_signed by, struct view value)
{
	struct contents *c = &w->room->r->contents;
	if (c->facts_n == CONTENTS_FACTS_MAX) {
		walk_raise(w, FINDING_FMT_WALK_LIMIT, NULL,
		    "more than %u claims: %s and what follows is not listed", CONTENTS_FACTS_MAX,
		    contents_fact_name(id));
		return;
	}
	struct contents_fact *f = &c->fact[c->facts_n++];
	*f = (struct contents_fact){ .id = id, .sure = walk_verified(w, by) || walk_verified(w, w->under) };
	memcpy(f->path, w->path, sizeof f->path);
	visible_cstr(value, f->value, sizeof f->value);
}

void
walk_fact_uint(struct walk *w, enum contents_fact_id id, struct walk_signed by, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, value);
	walk_fact(w, id, by, view_str(text));
}

static bool
inside(const struct walk *w, uint64_t offset, uint64_t length)
{
	return offset <= w->image->size && length <= w->image->size - offset;
}

void
walk_structure(struct walk *w, uint64_t offset, uint64_t length)
{
	if (!inside(w, offset, length))
		abort();
	/* Without room the bytes count as unsigned: nothing is hidden by it. */
	if (w->placed)
		(void)contents_add_structure(&w->room->r->contents,
		    (struct sig_range){ w->base + offset, length });
}

/* Into the ascending, disjoint list of s; without room it is left out, which claims less. */
static void
add_cover(struct sig_result *s, struct sig_range range)
{
	uint64_t start = range.offset, end = range.offset + range.length;
	unsigned first = 0;
	while (first < s->covers_n && s->covers[first].offset + s->covers[first].length < start)
		first++;
	unsigned last = first;
	for (; last < s->covers_n && s->covers[last].offset <= end; last++) {
		uint64_t its_end = s->covers[last].offset + s->covers[last].length;
		start = s->covers[last].offset < start ? s->covers[last].offset : start;
		end = its_end > end ? its_end : end;
	}
	if (first == last && s->covers_n == SIG_COVERS_MAX)
		return;
	memmove(&s->covers[first + 1], &s->covers[last],
	    (s->covers_n - last) * sizeof s->covers[0]);
	s->covers_n = s->covers_n - (last - first) + 1;
	s->covers[first] = (struct sig_range){ start, end - start };
}

void
walk_covers(struct walk *w, struct walk_signed by, uint64_t offset, uint64_t length)
{
	struct sig_set *set = &w->room->r->signatures;
	if (!inside(w, offset, length))
		abort();
	for (unsigned i = by.first; i < by.first + by.n && w->placed && length > 0; i++)
		if (set->result[i].outcome == SIG_VERIFIED)
			add_cover(&set->result[i], (struct sig_range){ w->base + offset, length });
}

void
walk_place_covers(const struct walk *w, const struct walk_span *span, struct sig_result *s)
{
	for (unsigned i = 0; i < span->n && w->placed; i++)
		if (span->range[i].length > 0)
			add_cover(s, (struct sig_range){ w->base + span->range[i].offset,
			                 span->range[i].length });
}

void
walk_of_member(struct walk *w, struct walk_signed by, struct view member)
{
	struct sig_set *set = &w->room->r->signatures;
	char name[SIG_WHERE_MAX];
	visible_cstr(member, name, sizeof name);
	for (unsigned i = by.first; i < by.first + by.n; i++)
		snprintf(set->result[i].where, sizeof set->result[i].where, "%s%s%s", w->path, w->path[0] ? "/" : "", name);
}

static bool
signed_by(const struct sig_set *set, struct walk_signed by, const struct sig_result *as)
{
	for (unsigned i = by.first; i < by.first + by.n; i++)
		if (set->result[i].outcome == SIG_VERIFIED &&
		    memcmp(set->result[i].signer.spki_sha256, as->signer.spki_sha256, DIGEST_SHA256_LEN) == 0)
			return true;
	return false;
}

void
walk_adopt(struct walk *w, const struct walk_signed *each, unsigned n, struct sig_range range)
{
	struct sig_set *set = &w->room->r->signatures;
	if (!inside(w, range.offset, range.length))
		abort();
	for (unsigned i = n ? each[0].first : 0; n && i < each[0].first + each[0].n; i++) {
		struct sig_result *s = &set->result[i];
		const struct walk_signed before = { each[0].first, i - each[0].first };
		bool all = s->outcome == SIG_VERIFIED && !signed_by(set, before, s);
		for (unsigned k = 1; k < n && all; k++)
			all = signed_by(set, each[k], s);
		if (!all)
			continue;
		memcpy(s->where, w->path, sizeof s->where);
		if (w->placed)
			add_cover(s, (struct sig_range){ w->base + range.offset, range.length });
	}
}

struct sig_result *
walk_place(struct walk *w, struct walk_signed *by)
{
	struct sig_set *set = &w->room->r->signatures;
	*by = (struct walk_signed){ .first = set->n };
	if (set->n == SIG_SIGNERS_MAX) {
		set->overflow = true;
		return NULL;
	}
	by->n = 1;
	struct sig_result *s = &set->result[set->n++];
	*s = (struct sig_result){ .revocation = SIG_REVOCATION_NOT_APPLICABLE };
	memcpy(s->where, w->path, sizeof s->where);
	return s;
}

void
walk_settle(struct walk *w, const char *scheme, enum sig_outcome outcome, const char *fmt, ...)
{
	struct walk_signed by;
	struct sig_result *s = walk_place(w, &by);
	char text[SIG_TEXT_MAX];
	va_list ap;
	if (outcome == SIG_VERIFIED || outcome == SIG_UNKNOWN)
		abort();
	if (!s)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	s->outcome = outcome;
	snprintf(s->scheme, sizeof s->scheme, "%s", scheme);
	visible_cstr(view_str(text), s->detail, sizeof s->detail);
}

/* One range from the first byte of the inspected file on, where the digest that names it has not gone further. */
static bool
is_of_whole(const struct walk *w, const struct walk_span *span, enum digest_alg alg)
{
	return w->room->whole && alg == DIGEST_SHA256 && span->n == 1 && w->placed && w->base == 0 &&
	       span->range[0].offset == 0 && inside(w, 0, span->range[0].length) &&
	       whole_can(w->room->whole, span->range[0].length);
}

static int
go_over(const struct walk *w, const struct walk_span *span, struct digest *d)
{
	uint64_t most = 0;
	for (unsigned i = 0; i < span->n; i++)
		most = span->range[i].length > most ? span->range[i].length : most;
	uint8_t *chunk = malloc(source_chunk(most));
	int err = chunk ? 0 : FG_ENOMEM;
	for (unsigned i = 0; i < span->n && !err; i++) {
		uint64_t at = span->range[i].offset, left = span->range[i].length;
		if (!inside(w, at, left))
			err = FG_EFORMAT;
		while (left > 0 && !err) {
			size_t n = left < SOURCE_CHUNK ? (size_t)left : SOURCE_CHUNK;
			err = source_read(w->image, at, chunk, n);
			if (!err)
				err = digest_update(d, view_of(chunk, n));
			at += n;
			left -= n;
		}
	}
	free(chunk);
	return err;
}

void
walk_sums_free(struct walk_sums *s)
{
	for (unsigned i = 0; i < DIGEST_LIMIT; i++)
		digest_free(s->of[i]);
	*s = (struct walk_sums){ .of = { NULL } };
}

int
walk_running(const struct walk *w, const struct walk_span *span, enum digest_alg alg, struct digest **ret)
{
	bool all = span->n == 1 && span->range[0].offset == 0 && span->range[0].length == w->image->size;
	struct digest **kept = w->sums && all ? &w->sums->of[alg] : NULL;
	if (kept && *kept) {
		*ret = digest_copy(*kept);
		return *ret ? 0 : FG_ECRYPTO;
	}
	struct digest *d = digest_new(alg);
	int err = d ? go_over(w, span, d) : FG_ECRYPTO;
	if (!err && kept)
		*kept = digest_copy(d); /* without memory the next one goes over them again */
	if (err)
		digest_free(d);
	else
		*ret = d;
	return err;
}

int
walk_digest(const struct walk *w, const struct walk_span *span, enum digest_alg alg,
    uint8_t ret[DIGEST_LEN_MAX])
{
	struct digest *d = NULL;
	if (is_of_whole(w, span, alg))
		return whole_upto(w->room->whole, span->range[0].length, ret);
	int err = walk_running(w, span, alg, &d);
	if (!err)
		err = digest_final(d, ret);
	digest_free(d);
	return err;
}

int
walk_load(const struct walk *w, struct sig_range at, size_t max, uint8_t **ret_bytes)
{
	if (!inside(w, at.offset, at.length) || at.length > max)
		return FG_EFORMAT;
	uint8_t *bytes = malloc((size_t)at.length + 1);
	if (!bytes)
		return FG_ENOMEM;
	int err = source_read(w->image, at.offset, bytes, (size_t)at.length);
	if (err) {
		free(bytes);
		return err;
	}
	bytes[at.length] = '\0';
	*ret_bytes = bytes;
	return 0;
}
