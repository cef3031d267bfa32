/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/fetch_private.h"

#include <string.h>

/* The part that was asked for, of what was there before, and nothing else (RFC 9110 15.3.7). */
static void
take_part(struct fetch *f)
{
	const struct answer *a = &f->answer;
	bool by_tag = f->validator[0] == '"';
	/* First of all: another image has another length, and is no reason to give up. */
	if ((by_tag && a->etag_seen && strcmp(a->etag, f->validator)) ||
	    (!by_tag && a->modified_seen && strcmp(a->modified, f->validator))) {
		fetch_halt(f, FETCH_STOP_FROM_ZERO, MSG_FINDING_CHANGED, FETCH_CHANGED);
		return;
	}
	if (a->range != ANSWER_RANGE_BYTES || a->first != f->asked || a->last != a->total - 1 ||
	    (f->total && a->total != f->total) || (a->have_length && a->length != a->last - a->first + 1)) {
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_RANGE, "answer is not the part that was asked for");
		return;
	}
	if (a->total > f->body.max) {
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_SIZE, FETCH_TOO_LARGE);
		return;
	}
	f->total = a->total;
	f->taking = true;
}

static void
judge_head(struct fetch *f)
{
	const struct answer *a = &f->answer;
	bool part = a->status == 206 && f->asked;
	if (a->status == 416 && f->asked) {
		fetch_halt(f, FETCH_STOP_FROM_ZERO, MSG_FINDING_CHANGED, FETCH_CHANGED ": it has become shorter");
		return;
	}
	if (a->status != 200 && !part)
		return; /* a page, read and forgotten */
	if (a->ambiguous)
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_AMBIGUOUS, "answer gives its length in two ways");
	else if (a->coded)
		fetch_halt(f, FETCH_STOP_REFUSED, MSG_FINDING_CODING, "answer is in a content coding nobody asked for");
	else if (part)
		take_part(f);
	else
		fetch_take_whole(f, answer_validator(a), a->have_length, a->length);
}

void
fetch_http_line(struct fetch *f, struct view line)
{
	if (answer_line(&f->answer, line))
		judge_head(f);
}
