/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpio_rig - archives put together member by member, so that each header can lie,
 * and what a walk through one finds. For tests only.
 */
#ifndef FG_TESTS_CPIO_RIG_H
#define FG_TESTS_CPIO_RIG_H

#include "unit/crypto/pki.h"

#include "crypto/writer.h"
#include "images/entail.h"
#include "images/walk.h"

#define RIG_MAX (4u << 20)

/* One member; what is zero is told truly. */
struct rig_file {
	const char *name, *data;
	size_t data_n; /* 0: strlen(data) */
	bool crc;
	uint32_t mode, check, size, namesize; /* lies */
	const char *head; /* instead of the whole header */
	char pad;         /* what paddings are made of */
};

static inline void
rig_pad(struct writer *w, char c)
{
	while (writer_view(w).n % 4)
		writer_u8(w, (uint8_t)c);
}

static inline void
rig_add(struct writer *w, const struct rig_file *f)
{
	char head[128];
	const char *data = f->data ? f->data : "";
	size_t n = f->data_n ? f->data_n : strlen(data);
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (uint8_t)data[i];
	snprintf(head, sizeof head, "07070%c%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
	    f->crc ? '2' : '1', 7u, f->mode ? f->mode : 0100644u, 0u, 0u, 1u, 0u,
	    f->size ? f->size : (unsigned)n, 0u, 0u, 0u, 0u,
	    f->namesize ? f->namesize : (unsigned)strlen(f->name) + 1,
	    f->check ? f->check : f->crc ? sum : 0u);
	writer_bytes(w, view_str(f->head ? f->head : head));
	writer_bytes(w, view_of(f->name, strlen(f->name) + 1));
	rig_pad(w, f->pad);
	writer_bytes(w, view_of(data, n));
	rig_pad(w, f->pad);
}

static inline void
rig_end(struct writer *w)
{
	struct rig_file end = { .name = "TRAILER!!!" };
	rig_add(w, &end);
}

/* Walks bytes; a NULL set trusts nobody. The report must be one that its reader takes. */
static inline struct report *
rig_walk(struct view bytes, enum format_id format, const struct trust *t)
{
	static const struct trust_policy policy = { .purpose = TRUST_PURPOSE_FIRMWARE };
	struct trust *nobody = trust_new();
	struct report *r = report_new(REPORT_VERIFY), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct source s;
	struct writer w;
	source_memory(&s, bytes);
	r->have_image = true;
	r->format = format;
	r->size = bytes.n;
	r->inputs.at = PKI_NOW;
	snprintf(r->inputs.inspector, sizeof r->inputs.inspector, "x");
	assert_int_equal(walk_image(&s, format, t ? t : nobody, &policy, PKI_NOW, r), 0);
	assert_int_equal(entail_raise(r, false), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &w), 0);
	if (report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		fail_msg("%s: %s", finding_get(why.finding)->id, why.text);
	writer_free(&w);
	report_free(back);
	trust_free(nobody);
	return r;
}

static inline unsigned
rig_verified(const struct report *r)
{
	unsigned n = 0;
	for (unsigned i = 0; i < r->signatures.n; i++)
		n += r->signatures.result[i].outcome == SIG_VERIFIED;
	return n;
}

/* Exactly these of the findings that a walker raises itself, in any order; FINDING_LIMIT ends them. */
static inline void
rig_told(const struct report *r, const char *what, const enum finding_id *ids)
{
	for (unsigned i = 0; i < FINDING_LIMIT; i++) {
		const struct finding_info *info = finding_get((enum finding_id)i);
		bool due = false, walkers = strncmp(info->id, "FMT-", 4) == 0 ||
		                            strncmp(info->id, "MEMBER-", 7) == 0;
		for (unsigned k = 0; ids[k] != FINDING_LIMIT; k++)
			due = due || ids[k] == (enum finding_id)i;
		if (walkers && due != report_has(r, (enum finding_id)i))
			fail_msg("%s: %s is %s: %s", what, info->id, due ? "missing" : "told",
			    due ? "" : r->findings[i].details[0].text);
	}
}

static inline bool
rig_fact(const struct report *r, enum contents_fact_id id, const char *value)
{
	for (unsigned i = 0; i < r->contents.facts_n; i++)
		if (r->contents.fact[i].id == id && strcmp(r->contents.fact[i].value, value) == 0)
			return true;
	return false;
}

#endif
