/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/waiver.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "crypto/writer.h"
#include "images/story.h"

static bool
plain(const char *s)
{
	return visible_is_plain(view_str(s));
}

bool
waiver_check(const struct waiver *w, const char **ret_why)
{
	enum finding_id id = finding_find(view_str(w->finding));
	size_t part = strlen(w->part);
	if (id == FINDING_LIMIT)
		*ret_why = "names no finding: see fotagate-report(5)";
	else if (finding_get(id)->least == FINDING_BLOCK)
		*ret_why = "names a finding that blocks, which nobody can answer for";
	else if (!w->profile[0] || !plain(w->profile) || !plain(w->product))
		*ret_why = "needs the name of a profile, and of a product if any, in printable ASCII";
	else if (part && (part < WAIVER_PART_MIN || !plain(w->part)))
		*ret_why = "names a part by fewer than 3 characters, or others than printable ASCII";
	else if (strstr(w->part, "<...>"))
		*ret_why = "names a part that was cut where it was shown: what is behind that could be anything";
	else if (w->until <= 0)
		*ret_why = "has no end";
	else
		return true;
	return false;
}

int
waiver_id(const struct waiver *w, uint8_t out[WAIVER_ID])
{
	uint8_t sum[DIGEST_SHA256_LEN];
	struct writer all;
	writer_init(&all, 1024);
	writer_cstr(&all, w->finding);
	writer_cstr(&all, w->profile);
	writer_cstr(&all, w->product);
	writer_u8(&all, w->have_image);
	if (w->have_image)
		writer_bytes(&all, view_of(w->image, sizeof w->image));
	writer_cstr(&all, w->part);
	writer_u64(&all, (uint64_t)w->until);
	int err = writer_err(&all);
	if (!err)
		err = digest_sha256(writer_view(&all), sum);
	if (!err)
		memcpy(out, sum, WAIVER_ID);
	writer_free(&all);
	return err;
}

void
waiver_word(const struct waiver *w, const uint8_t id[WAIVER_ID], char dst[WAIVER_WORD_CAP])
{
	int n = snprintf(dst, WAIVER_WORD_CAP, "%s ", w->finding);
	hex_encode(id, WAIVER_ID, dst + n);
}

bool
waiver_is_for(const struct waiver *w, const char *profile, const char *product, const uint8_t image[DIGEST_SHA256_LEN],
    int64_t now)
{
	return now < w->until && !strcmp(w->profile, profile) && (!w->product[0] || !strcmp(w->product, product)) &&
	    (!w->have_image || !memcmp(w->image, image, DIGEST_SHA256_LEN));
}

/* The name of the rule, which a line of yarascan_page.h begins with; not what the rule says of itself. */
static bool
is_rule(const char *text, const char *part)
{
	static const char before[] = "YARA rule ";
	const size_t n = sizeof before - 1, len = strlen(part);
	return !strncmp(text, before, n) && !strncmp(text + n, part, len) && strchr(" ,:", text[n + len]);
}

/*
 * Whoever makes an image chooses the names of its files, what stands in them, and much of what is told of them. So
 * all is compared whole, an excerpt not at all, and one kind of part never with what may be of the other: the name
 * of a rule has no slash, and what a line says has a blank.
 */
static bool
line_tells_of(const struct page_line *l, const char *part)
{
	if (l->id == FINDING_CHG_YARA)
		return strchr(part, '/') ? !strcmp(l->path, part) : is_rule(l->text, part);
	return !strcmp(strchr(part, ' ') ? l->text : l->path, part);
}

/* What compares images tells of them line by line, and a finding's details mix up path, words and excerpt. */
static bool
has_lines(enum finding_id id)
{
	return finding_get(id)->by & FINDING_BY_EXPLAIN;
}

static bool
is_about(const struct waiver *w, enum finding_id id, const struct report_finding *f)
{
	return f->count > 0 && f->severity > FINDING_INFO && f->severity < FINDING_BLOCK &&
	    !strcmp(w->finding, finding_get(id)->id);
}

bool
waiver_meets(const struct waiver *w, enum finding_id id, const struct report *r)
{
	const struct report_finding *f = &r->findings[id];
	if (!is_about(w, id, f))
		return false;
	if (!w->part[0])
		return true;
	if (has_lines(id)) {
		for (size_t i = 0; r->story && i < page_count(r->story->page); i++) {
			const struct page_line *l = page_at(r->story->page, i);
			if (l->id == id && line_tells_of(l, w->part))
				return true;
		}
		return false;
	}
	for (unsigned i = 0; i < f->details_n; i++)
		if (!strcmp(f->details[i].text, w->part))
			return true;
	return false;
}

/* Any of those about the finding, each of which names a part. */
static bool
any_tells_of_line(const struct waiver *const *list, size_t n, const struct page_line *l)
{
	for (size_t k = 0; k < n; k++)
		if (!strcmp(list[k]->finding, finding_get(l->id)->id) && line_tells_of(l, list[k]->part))
			return true;
	return false;
}

/* How often the finding was raised for lines that are all told of; 0: one of them is not. */
static uint64_t
lines_told(const struct waiver *const *list, size_t n, enum finding_id id, const struct page *p)
{
	uint64_t told = 0;
	for (size_t i = 0; i < page_count(p); i++) {
		const struct page_line *l = page_at(p, i);
		if (l->id != id)
			continue;
		if (!any_tells_of_line(list, n, l))
			return 0;
		told += l->times;
	}
	return told;
}

static uint64_t
details_told(const struct waiver *const *list, size_t n, enum finding_id id, const struct report_finding *f)
{
	bool told[REPORT_DETAILS_MAX] = { false };
	for (size_t k = 0; k < n; k++)
		for (unsigned i = 0; is_about(list[k], id, f) && i < f->details_n; i++)
			told[i] |= !strcmp(f->details[i].text, list[k]->part);
	for (unsigned i = 0; i < f->details_n; i++)
		if (!told[i])
			return 0;
	return f->details_n;
}

bool
waiver_cover(const struct waiver *const *list, size_t n, enum finding_id id, const struct report *r)
{
	const struct report_finding *f = &r->findings[id];
	bool any = false;
	for (size_t k = 0; k < n; k++) {
		if (!is_about(list[k], id, f))
			continue;
		if (!list[k]->part[0])
			return true;
		any = true;
	}
	/* What is only counted was never told of, so nobody can have looked at it. */
	if (!any)
		return false;
	if (has_lines(id))
		return r->story && lines_told(list, n, id, r->story->page) == f->count;
	return details_told(list, n, id, f) == f->count;
}
