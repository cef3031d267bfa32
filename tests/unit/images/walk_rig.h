/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk_rig - what the tests of walkers share: files of tests/vectors and of
 * ../shared/vectors, trust sets of PEM files, an inspection whose report must
 * survive its own reader, and what is to be true of every format.
 */
#ifndef FG_TESTS_UNIT_IMAGES_WALK_RIG_H
#define FG_TESTS_UNIT_IMAGES_WALK_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/inspect.h"
#include "images/trustset.h"

#define RIG_NOW 1767225600 /* 2026-01-01 */
#define RIG_PATH_MAX 512
#define RIG_TEXT_MAX 1024

/* A file whole; p is NULL when it is not there. Freed with rig_drop(). */
static inline struct view
rig_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return view_of(NULL, 0);
	fseek(f, 0, SEEK_END);
	size_t n = (size_t)ftell(f);
	rewind(f);
	uint8_t *p = malloc(n + 1);
	assert_non_null(p);
	assert_int_equal(fread(p, 1, n, f), n);
	fclose(f);
	return view_of(p, n);
}

static inline void
rig_drop(struct view v)
{
	free((void *)(uintptr_t)v.p);
}

static inline uint8_t *
rig_bytes(struct view v)
{
	return (uint8_t *)(uintptr_t)v.p;
}

/* A file that tests/vectors made, under its folder there; it must be there. */
static inline struct view
rig_made(const char *folder, const char *name)
{
	char path[RIG_PATH_MAX];
	snprintf(path, sizeof path, "%s/%s/%s", getenv("FG_VECTORS"), folder, name);
	struct view v = rig_read(path);
	if (!v.p)
		fail_msg("%s is not there", path);
	return v;
}

/* A file of ../shared/vectors, which may be missing. */
static inline struct view
rig_genuine(const char *name)
{
	char path[RIG_PATH_MAX];
	snprintf(path, sizeof path, "%s/vectors/%s", getenv("FG_SHARED"), name);
	return rig_read(path);
}

/* PEM texts, up to an empty one, as a trust set in its packed form. */
static inline struct view
rig_trust(const struct view *pems)
{
	struct writer w;
	size_t n = 0;
	writer_init(&w, TRUSTSET_MAX);
	trustset_begin(&w);
	for (unsigned i = 0; pems[i].p; i++) {
		char name[24];
		snprintf(name, sizeof name, "anchor-%u", i);
		trustset_add(&w, name, TRUST_SCHEME_NONE, pems[i]);
	}
	trustset_end(&w);
	assert_int_equal(writer_err(&w), 0);
	uint8_t *p = writer_take(&w, &n);
	return view_of(p, n);
}

/* The verify stage over an image; the caller frees the report. */
static inline struct report *
rig_inspect(struct view img, struct view trust)
{
	struct inspect_job job = { 0 };
	struct source s;
	struct report *r = report_new(REPORT_KIND_NONE);
	inspect_defaults(&job);
	source_memory(&s, img);
	job.image = &s;
	job.have_trust = trust.n > 0;
	job.trust = trust;
	job.at = RIG_NOW;
	assert_int_equal(inspect_verify(&job, r), 0);
	return r;
}

/* The same, through the report's text and its strict reader. */
static inline struct report *
rig_verify(struct view img, struct view trust)
{
	struct report *r = rig_inspect(img, trust), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct writer w;
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &w), 0);
	if (report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		fail_msg("%s: %s: %s", finding_get(why.finding)->id, why.text, w.p);
	writer_free(&w);
	report_free(r);
	return back;
}

/* "scheme outcome, in-member: scheme outcome" of all signatures. */
static inline void
rig_signatures(const struct report *r, char ret[RIG_TEXT_MAX])
{
	size_t at = 0;
	ret[0] = '\0';
	for (unsigned i = 0; i < r->signatures.n && at < RIG_TEXT_MAX; i++) {
		const struct sig_result *s = &r->signatures.result[i];
		at += (size_t)snprintf(ret + at, RIG_TEXT_MAX - at, "%s%s%s%s %s", at ? ", " : "", s->where,
		    s->where[0] ? ": " : "", s->scheme, sig_outcome_name(s->outcome));
	}
}

/* The findings that need somebody: "SIG-ABSENT FMT-MALFORMED!", the mark for a block. */
static inline void
rig_findings(const struct report *r, char ret[RIG_TEXT_MAX])
{
	size_t at = 0;
	ret[0] = '\0';
	for (unsigned i = 0; i < FINDING_LIMIT && at < RIG_TEXT_MAX; i++)
		if (r->findings[i].count && r->findings[i].severity >= FINDING_WARNING)
			at += (size_t)snprintf(ret + at, RIG_TEXT_MAX - at, "%s%s%s", at ? " " : "",
			    finding_get((enum finding_id)i)->id,
			    r->findings[i].severity == FINDING_BLOCK ? "!" : "");
}

/* Is text what was expected? A star at the end stands for more reasons of the same kind. */
static inline bool
rig_is(const char *text, const char *expected)
{
	size_t n = strlen(expected);
	return n && expected[n - 1] == '*' ? strncmp(text, expected, n - 1) == 0 : strcmp(text, expected) == 0;
}

/* The keys of a folder of tests/vectors, up to eight, as a trust set: key/NAME.SUFFIX. Freed with rig_drop(). */
static inline struct view
rig_vendor(const char *folder, const char *suffix, const char *const *names, size_t n)
{
	struct view pems[9] = { 0 };
	assert_true(n <= 8);
	for (size_t i = 0; i < n; i++) {
		char name[48];
		snprintf(name, sizeof name, "key/%s.%s", names[i], suffix);
		pems[i] = rig_made(folder, name);
	}
	struct view trust = rig_trust(pems);
	for (size_t i = 0; i < n; i++)
		rig_drop(pems[i]);
	return trust;
}

/* What is to be said of NAME.SUFFIX of a folder of tests/vectors. */
struct rig_expected {
	const char *name;
	const char *signatures;
	const char *findings; /* warnings, and blocks with their mark; see rig_is() */
};

static inline void
rig_check_all(const char *folder, const char *suffix, struct view trust, const struct rig_expected *e, size_t n)
{
	for (; n > 0; n--, e++) {
		char file[64], signatures[RIG_TEXT_MAX], findings[RIG_TEXT_MAX];
		snprintf(file, sizeof file, "%s.%s", e->name, suffix);
		struct view img = rig_made(folder, file);
		struct report *r = rig_verify(img, trust);
		rig_signatures(r, signatures);
		rig_findings(r, findings);
		if (strcmp(signatures, e->signatures) != 0 || !rig_is(findings, e->findings))
			fail_msg("%s: [%s] [%s]", e->name, signatures, findings);
		report_free(r);
		rig_drop(img);
	}
}

/* The n-th claim of that kind; NULL when there are fewer. */
static inline const struct contents_fact *
rig_fact(const struct report *r, enum contents_fact_id id, unsigned n)
{
	for (unsigned i = 0; i < r->contents.facts_n; i++)
		if (r->contents.fact[i].id == id && n-- == 0)
			return &r->contents.fact[i];
	return NULL;
}

/* Its words; "" when there is no such claim. */
static inline const char *
rig_value(const struct report *r, enum contents_fact_id id, unsigned n)
{
	const struct contents_fact *f = rig_fact(r, id, n);
	return f ? f->value : "";
}

/* An own or inner verified signature that covers the byte. */
static inline bool
rig_covered(const struct report *r, uint64_t at)
{
	for (unsigned i = 0; i < r->signatures.n; i++) {
		const struct sig_result *s = &r->signatures.result[i];
		for (unsigned k = 0; s->outcome == SIG_VERIFIED && k < s->covers_n; k++)
			if (at >= s->covers[k].offset && at - s->covers[k].offset < s->covers[k].length)
				return true;
	}
	return false;
}

/* Told as a part of the container's own form. */
static inline bool
rig_structure(const struct report *r, uint64_t at)
{
	for (unsigned i = 0; i < r->contents.structure_n; i++) {
		struct sig_range s = r->contents.structure[i];
		if (at >= s.offset && at - s.offset < s.length)
			return true;
	}
	return false;
}

/* Of an image with a verified signature: no changed byte is ever under one, nor accepted without a word. */
static inline void
rig_flip(struct view img, struct view trust, size_t from, size_t to, size_t step)
{
	uint8_t *b = rig_bytes(img);
	for (size_t i = from; i < to; i += step) {
		b[i] ^= 0x10;
		struct report *r = rig_inspect(img, trust);
		if (rig_covered(r, i))
			fail_msg("byte %zu was changed and is under a verified signature", i);
		if (report_verdict(r) == REPORT_ACCEPTABLE)
			fail_msg("byte %zu was changed and nobody has to look", i);
		report_free(r);
		b[i] ^= 0x10;
	}
}

static inline void
rig_flip_every_byte(struct view img, struct view trust, size_t step)
{
	rig_flip(img, trust, 0, img.n, step);
}

static inline void
rig_flip_range(struct view img, struct view trust, size_t from, size_t to)
{
	rig_flip(img, trust, from, to, 1);
}

/* No beginning of an image is acceptable. */
static inline void
rig_cut_everywhere(struct view img, struct view trust, size_t step)
{
	for (size_t n = 0; n < img.n; n += step) {
		uint8_t *p = malloc(n ? n : 1); /* exact, so that a read beyond is seen */
		memcpy(p, img.p, n);
		struct report *r = rig_inspect(view_of(p, n), trust);
		if (report_verdict(r) == REPORT_ACCEPTABLE)
			fail_msg("the first %zu of %zu bytes are acceptable", n, img.n);
		report_free(r);
		free(p);
	}
}

#endif
