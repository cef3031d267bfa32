/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_rig - archives put together record by record, so that each record can
 * lie, and an inspection of bytes in memory. For tests only.
 */
#ifndef FG_TESTS_ZIP_RIG_H
#define FG_TESTS_ZIP_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "crypto/writer.h"
#include "images/inspect.h"
#include "images/trustset.h"

#define RIG_MAX (8u << 20)
#define RIG_NOW 1767225600 /* 2026-01-01 */

/* One entry; what is zero is told truly. */
struct rig_entry {
	const char *name, *text;
	size_t text_n; /* 0: strlen(text) */
	bool deflate, descriptor, bare_descriptor;
	const char *local_name;      /* another name in the local header */
	uint32_t local_size, local_crc, central_size; /* lies */
	uint16_t method, flags;      /* or'ed in / instead, in both places */
	uint32_t mode;               /* Unix mode; 0: made by DOS */
	const char *extra;           /* of both headers */
	size_t extra_n;
	/* filled */
	uint64_t at;
	uint32_t crc, packed, size;
};

static inline void
rig_u16(struct writer *w, unsigned v)
{
	writer_u8(w, (uint8_t)v);
	writer_u8(w, (uint8_t)(v >> 8));
}

static inline void
rig_u32(struct writer *w, uint32_t v)
{
	rig_u16(w, v & 0xffff);
	rig_u16(w, v >> 16);
}

static inline void
rig_u64(struct writer *w, uint64_t v)
{
	rig_u32(w, (uint32_t)v);
	rig_u32(w, (uint32_t)(v >> 32));
}

static inline void
rig_put(struct writer *w, const void *p, size_t n)
{
	writer_bytes(w, view_of(p, n));
}

static inline unsigned
rig_flags(const struct rig_entry *e)
{
	return e->flags | (e->descriptor ? 8u : 0u);
}

static inline unsigned
rig_method(const struct rig_entry *e)
{
	return e->method ? e->method : e->deflate ? 8 : 0;
}

/* Local header, bytes, descriptor. */
static inline void
rig_local(struct writer *w, struct rig_entry *e)
{
	static uint8_t packed[RIG_MAX];
	const char *name = e->local_name ? e->local_name : e->name;
	size_t n = e->text_n ? e->text_n : strlen(e->text);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)e->text, .avail_in = (uInt)n, .next_out = packed,
		.avail_out = sizeof packed };
	e->at = writer_view(w).n;
	e->size = (uint32_t)n;
	e->packed = (uint32_t)n;
	e->crc = (uint32_t)crc32_z(0, (const Bytef *)e->text, n);
	if (e->deflate) {
		assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		e->packed = (uint32_t)z.total_out;
		deflateEnd(&z);
	}
	rig_put(w, "PK\3\4", 4);
	rig_u16(w, 20);
	rig_u16(w, rig_flags(e));
	rig_u16(w, rig_method(e));
	rig_u32(w, 0x5a210000);
	rig_u32(w, e->descriptor ? 0 : e->local_crc ? e->local_crc : e->crc);
	rig_u32(w, e->descriptor ? 0 : e->packed);
	rig_u32(w, e->descriptor ? 0 : e->local_size ? e->local_size : e->size);
	rig_u16(w, (unsigned)strlen(name));
	rig_u16(w, (unsigned)e->extra_n);
	rig_put(w, name, strlen(name));
	rig_put(w, e->extra, e->extra_n);
	rig_put(w, e->deflate ? (const void *)packed : e->text, e->packed);
	if (e->descriptor && !e->bare_descriptor)
		rig_put(w, "PK\7\10", 4);
	if (e->descriptor) {
		rig_u32(w, e->local_crc ? e->local_crc : e->crc);
		rig_u32(w, e->packed);
		rig_u32(w, e->size);
	}
}

static inline void
rig_central(struct writer *w, const struct rig_entry *e)
{
	rig_put(w, "PK\1\2", 4);
	rig_u16(w, e->mode ? 0x031e : 0x0014);
	rig_u16(w, 20);
	rig_u16(w, rig_flags(e));
	rig_u16(w, rig_method(e));
	rig_u32(w, 0x5a210000);
	rig_u32(w, e->crc);
	rig_u32(w, e->packed);
	rig_u32(w, e->central_size ? e->central_size : e->size);
	rig_u16(w, (unsigned)strlen(e->name));
	rig_u16(w, (unsigned)e->extra_n);
	rig_u16(w, 0);
	rig_u16(w, 0);
	rig_u16(w, 0);
	rig_u32(w, e->mode << 16);
	rig_u32(w, (uint32_t)e->at);
	rig_put(w, e->name, strlen(e->name));
	rig_put(w, e->extra, e->extra_n);
}

static inline void
rig_end(struct writer *w, unsigned entries, uint64_t at, uint64_t until, const char *comment)
{
	rig_put(w, "PK\5\6", 4);
	rig_u32(w, 0);
	rig_u16(w, entries);
	rig_u16(w, entries);
	rig_u32(w, (uint32_t)(until - at));
	rig_u32(w, (uint32_t)at);
	rig_u16(w, (unsigned)strlen(comment));
	rig_put(w, comment, strlen(comment));
}

/* An honest archive of n entries. */
static inline void
rig_zip(struct writer *w, struct rig_entry *e, unsigned n, const char *comment)
{
	writer_init(w, RIG_MAX);
	for (unsigned i = 0; i < n; i++)
		rig_local(w, &e[i]);
	uint64_t at = writer_view(w).n;
	for (unsigned i = 0; i < n; i++)
		rig_central(w, &e[i]);
	rig_end(w, n, at, writer_view(w).n, comment);
	assert_int_equal(writer_err(w), 0);
}

/* The report of the verify stage, which its reader takes. pem may be NULL; the caller frees. */
static inline struct report *
rig_inspect(struct view image, const char *pem, bool ignore_expiry)
{
	struct report *r = report_new(REPORT_KIND_NONE), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct source s;
	struct writer set, text;
	struct inspect_job job = { .image = &s, .have_trust = pem != NULL, .at = RIG_NOW };
	inspect_defaults(&job);
	job.policy.pinned_ignores_expiry = ignore_expiry;
	source_memory(&s, image);
	writer_init(&set, TRUSTSET_MAX);
	trustset_begin(&set);
	if (pem)
		trustset_add(&set, "vendor.pem", TRUST_SCHEME_NONE, view_str(pem));
	trustset_end(&set);
	job.trust = writer_view(&set);
	assert_int_equal(inspect_verify(&job, r), 0);
	writer_init(&text, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &text), 0);
	if (report_parse(writer_view(&text), REPORT_VERIFY, back, &why))
		fail_msg("%s: %s", finding_get(why.finding)->id, why.text);
	writer_free(&text);
	writer_free(&set);
	report_free(back);
	return r;
}

/* All findings and members, for a message. */
static inline void
rig_show(const struct report *r)
{
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		for (unsigned k = 0; k < r->findings[i].details_n; k++)
			print_error("%s: %s\n", finding_get((enum finding_id)i)->id,
			    r->findings[i].details[k].text);
	for (unsigned i = 0; i < r->contents.members_n; i++)
		print_error("member %s %s\n", r->contents.member[i].path,
		    contents_vouch_name(r->contents.member[i].vouch));
	for (unsigned i = 0; i < r->signatures.n; i++)
		print_error("signature %s %s: %s\n", r->signatures.result[i].scheme,
		    sig_outcome_name(r->signatures.result[i].outcome), r->signatures.result[i].detail);
}

/* No finding blocks. */
static inline void
rig_clean(const struct report *r)
{
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (r->findings[i].count && r->findings[i].severity == FINDING_BLOCK) {
			rig_show(r);
			fail_msg("%s", finding_get((enum finding_id)i)->id);
		}
}

static inline void
rig_has(const struct report *r, enum finding_id id)
{
	if (!report_has(r, id)) {
		rig_show(r);
		fail_msg("no %s", finding_get(id)->id);
	}
}

/* The member of that path, which must be listed. */
static inline const struct contents_member *
rig_member(const struct report *r, const char *path)
{
	for (unsigned i = 0; i < r->contents.members_n; i++)
		if (strcmp(r->contents.member[i].path, path) == 0)
			return &r->contents.member[i];
	rig_show(r);
	fail_msg("no member %s", path);
	abort();
}

/* The whole file of that name, or NULL. */
static inline uint8_t *
rig_file(const char *folder, const char *name, size_t *ret_n)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "rb");
	if (!f)
		return NULL;
	uint8_t *p = malloc(RIG_MAX + 1);
	*ret_n = fread(p, 1, RIG_MAX, f);
	p[*ret_n] = 0;
	fclose(f);
	return p;
}

#endif
