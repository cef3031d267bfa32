/* SPDX-License-Identifier: Apache-2.0 */
#include "images/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "images/story.h"

struct report *
report_new(enum report_kind kind)
{
	struct report *r = calloc(1, sizeof *r);
	if (r)
		r->kind = kind;
	return r;
}

void
report_free(struct report *r)
{
	if (r)
		story_free(r->story);
	free(r);
}

void
report_move(struct report *ret, struct report *r)
{
	story_free(ret->story);
	*ret = *r;
	r->story = NULL;
}

void
report_raise(struct report *r, enum finding_id id, enum finding_severity severity,
    const uint64_t *offset, const char *fmt, ...)
{
	const struct finding_info *info = finding_get(id);
	struct report_finding *f = &r->findings[id];
	if (severity == FINDING_NONE)
		severity = info->severity;
	if (severity < info->least || severity > info->severity)
		abort();
	if (severity > f->severity)
		f->severity = severity;
	f->count++;
	if (f->details_n == REPORT_DETAILS_MAX)
		return;

	char raw[2 * SIG_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : strnlen(raw, sizeof raw);
	struct report_detail *d = &f->details[f->details_n++];
	d->have_offset = offset != NULL;
	d->offset = offset ? *offset : 0;
	/* Text that is plain already may hold escapes made elsewhere: those stay as they are. */
	bool plain = true;
	for (size_t i = 0; i < len; i++)
		plain = plain && raw[i] >= 0x20 && raw[i] <= 0x7e;
	if (plain)
		snprintf(d->text, sizeof d->text, "%.*s", (int)sizeof d->text - 1, raw);
	else
		visible_cstr(view_of(raw, len), d->text, sizeof d->text);
}

bool
report_has(const struct report *r, enum finding_id id)
{
	return r->findings[id].count > 0;
}

enum report_verdict
report_verdict(const struct report *r)
{
	enum finding_severity worst = FINDING_NONE;
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (r->findings[i].count && r->findings[i].severity > worst)
			worst = r->findings[i].severity;
	if (worst >= FINDING_BLOCK)
		return REPORT_BLOCKED;
	return worst == FINDING_WARNING ? REPORT_REVIEW : REPORT_ACCEPTABLE;
}

const char *
report_verdict_name(enum report_verdict v)
{
	switch (v) {
	case REPORT_ACCEPTABLE:
		return "acceptable";
	case REPORT_REVIEW:
		return "review";
	case REPORT_BLOCKED:
		break;
	}
	return "blocked";
}

int
report_coverage(const struct report *r, struct coverage *ret)
{
	coverage_init(ret, r->size);
	for (unsigned i = 0; i < r->signatures.n; i++) {
		const struct sig_result *s = &r->signatures.result[i];
		for (unsigned k = 0; k < s->covers_n && s->outcome == SIG_VERIFIED; k++) {
			int err = coverage_add(ret, s->covers[k]);
			if (err)
				return err;
		}
	}
	return 0;
}

int
report_unsigned(const struct report *r, uint64_t *ret)
{
	struct coverage c;
	int err = report_coverage(r, &c);
	for (unsigned i = 0; i < r->contents.structure_n && !err; i++) {
		err = coverage_add(&c, r->contents.structure[i]);
		if (err == FG_ELIMIT) /* what there is no room for stays unsigned */
			err = 0;
	}
	if (!err)
		*ret = coverage_unsigned(&c);
	return err;
}

unsigned
report_verified(const struct report *r)
{
	unsigned n = 0;
	for (unsigned i = 0; i < r->signatures.n; i++)
		n += r->signatures.result[i].outcome == SIG_VERIFIED &&
		     !r->signatures.result[i].where[0];
	return n;
}

const char *
report_stage_name(enum report_kind kind)
{
	switch (kind) {
	case REPORT_VERIFY:
		return "verify";
	case REPORT_EXPLAIN:
		return "explain";
	case REPORT_DELTA:
		return "delta";
	case REPORT_WHOLE:
	case REPORT_KIND_NONE:
		break;
	}
	return "whole";
}

bool
report_delta_named(const struct report *r)
{
	uint64_t bare;
	/* A key that anybody has names nothing in the vendor's name. */
	for (unsigned i = 0; i < r->signatures.n; i++)
		if (r->signatures.result[i].signer.published_key)
			return false;
	return r->have_delta && r->delta.result.outcome == DELTA_APPLIED && r->delta.result.named && r->have_image &&
	       r->size > 0 && report_verified(r) > 0 && report_unsigned(r, &bare) == 0 && bare == 0;
}

bool
report_delta_proved(const struct report *r)
{
	const struct report_delta *d = &r->delta;
	return r->have_delta && d->result.outcome == DELTA_APPLIED && d->have_target &&
	       (d->target_signed || report_delta_named(r)) &&
	       (!d->have_full || memcmp(d->full_sha256, d->result.target_sha256, DIGEST_SHA256_LEN) == 0);
}

bool
report_is_delta(const struct report *r)
{
	bool may_be = r->format == FORMAT_RAW || r->format == FORMAT_ANDROID_PAYLOAD;
	return r->have_image && (r->have_delta || format_kind(r->format) == FORMAT_KIND_DELTA ||
	    (may_be && report_has(r, FINDING_FMT_DELTA)));
}

const char *
report_delta_word(const struct report *r)
{
	if (r->kind != REPORT_WHOLE || r->delta.result.outcome != DELTA_APPLIED)
		return delta_outcome_name(r->delta.result.outcome);
	return report_delta_proved(r) ? "proved" : "reconstructed";
}

const char *
report_delta_text(const struct report *r)
{
	if (r->kind != REPORT_WHOLE || r->delta.result.outcome != DELTA_APPLIED)
		return "the result was not seen";
	if (!report_delta_proved(r))
		return "reconstructed, target not independently signed";
	if (!r->delta.target_signed)
		return "proved: the vendor signed this delta, and in it the SHA-256 of the target";
	return r->delta.have_full ? "proved: the target is the full image that the vendor signed and we hold"
	                          : "proved: the vendor's own signature is over all of the target";
}

int
report_digest(struct view text, uint8_t ret[DIGEST_SHA256_LEN])
{
	return digest_sha256(text, ret);
}

bool
report_time_format(int64_t t, char dst[REPORT_TIME_LEN])
{
	struct tm tm;
	time_t when = (time_t)t;
	dst[0] = '\0';
	if (!gmtime_r(&when, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return false;
	char full[96];
	snprintf(full, sizeof full, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(dst, full, REPORT_TIME_LEN - 1);
	dst[REPORT_TIME_LEN - 1] = '\0';
	return true;
}

static bool
digits(struct view text, size_t from, size_t n, int *ret)
{
	*ret = 0;
	for (size_t i = from; i < from + n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		*ret = *ret * 10 + (text.p[i] - '0');
	}
	return true;
}

bool
report_time_parse(struct view text, int64_t *ret)
{
	struct tm tm = { 0 };
	char back[REPORT_TIME_LEN];
	if (text.n != REPORT_TIME_LEN - 1)
		return false;
	if (!digits(text, 0, 4, &tm.tm_year) || !digits(text, 5, 2, &tm.tm_mon) ||
	    !digits(text, 8, 2, &tm.tm_mday) || !digits(text, 11, 2, &tm.tm_hour) ||
	    !digits(text, 14, 2, &tm.tm_min) || !digits(text, 17, 2, &tm.tm_sec))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	int64_t t = (int64_t)timegm(&tm);
	/* timegm() takes the 31st of February for a day in March: only what comes back counts. */
	if (!report_time_format(t, back) || !view_is(text, back))
		return false;
	*ret = t;
	return true;
}
