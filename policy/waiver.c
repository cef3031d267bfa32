/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/waiver.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "crypto/writer.h"

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

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* As a whole: "rule_a" is not what "rule_ab" tells of. */
static bool
tells_of(const char *text, const char *part)
{
	size_t n = strlen(part);
	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		if ((at == text || !is_word(at[-1]) || !is_word(part[0])) && (!is_word(at[n]) || !is_word(part[n - 1])))
			return true;
	return false;
}

static bool
is_about(const struct waiver *w, enum finding_id id, const struct report_finding *f)
{
	return f->count > 0 && f->severity > FINDING_INFO && f->severity < FINDING_BLOCK &&
	    !strcmp(w->finding, finding_get(id)->id);
}

bool
waiver_meets(const struct waiver *w, enum finding_id id, const struct report_finding *f)
{
	if (!is_about(w, id, f))
		return false;
	for (unsigned i = 0; w->part[0] && i < f->details_n; i++)
		if (tells_of(f->details[i].text, w->part))
			return true;
	return !w->part[0];
}

bool
waiver_cover(const struct waiver *const *list, size_t n, enum finding_id id, const struct report_finding *f)
{
	bool told[REPORT_DETAILS_MAX] = { false };
	for (size_t k = 0; k < n; k++) {
		if (!is_about(list[k], id, f))
			continue;
		if (!list[k]->part[0])
			return true;
		for (unsigned i = 0; i < f->details_n; i++)
			told[i] |= tells_of(f->details[i].text, list[k]->part);
	}
	/* What is only counted was never told of, so nobody can have looked at it. */
	for (unsigned i = 0; i < f->details_n; i++)
		if (!told[i])
			return false;
	return f->details_n > 0 && f->count == f->details_n;
}
