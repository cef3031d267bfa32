/* SPDX-License-Identifier: Apache-2.0 */
#include "images/jcatproof.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "images/jcat.h"

#define SHOWN_MAX 80

struct judging {
	const struct jcatproof_job *job;
	struct report *r;
};

int
jcatproof_recognise(struct view head)
{
	struct source s;
	struct format_result f;
	if (head.n < 2 || head.p[0] != 0x1f || head.p[1] != 0x8b) /* gzip; all else is not even asked */
		return 0;
	source_memory(&s, head);
	int err = format_recognise(&s, &f);
	return err ? err : f.format == FORMAT_JCAT;
}

static bool
is(const struct jcat *jc, size_t item, enum jcat_kind kind, const uint8_t *sum, size_t n)
{
	char hex[2 * DIGEST_LEN_MAX + 1];
	struct view said;
	hex_encode(sum, n, hex);
	return jcat_checksum(jc, item, kind, &said) && view_is(said, hex);
}

/* The items of these bytes: the first, and how many there are. */
static size_t
find(const struct jcatproof_job *job, const struct jcat *jc, size_t *ret_item)
{
	size_t n = 0;
	for (size_t i = jcat_items(jc); i-- > 0;) {
		if (!is(jc, i, JCAT_SHA256, job->sha256, digest_len(DIGEST_SHA256)) &&
		    !is(jc, i, JCAT_SHA512, job->sha512, digest_len(DIGEST_SHA512)))
			continue;
		*ret_item = i;
		n++;
	}
	return n;
}

static int
judge_item(struct judging *j, struct walk *w, const struct jcat *jc)
{
	struct jcat_verdict v = { 0 };
	size_t item = 0, n = find(j->job, jc, &item);
	char id[SHOWN_MAX], note[CONTENTS_VALUE_MAX];
	if (n == 0) {
		walk_settle(w, "jcat", SIG_INVALID, "no item has the SHA-256 or SHA-512 of this image");
		return 0;
	}
	visible_cstr(jcat_id(jc, item), id, sizeof id);
	if (n > 1) {
		snprintf(note, sizeof note, "%zu items are of this image; %s was looked at", n, id);
		walk_fact(w, CONTENTS_FACT_NOTE, (struct walk_signed){ .n = 0 }, view_str(note));
	}
	int err = jcat_judge(w, jc, item, j->job->image, &v);
	if (!err && v.by.n == 0)
		walk_settle(w, "jcat", SIG_INVALID,
		    v.checked ? "%s: checksums, and nobody signed them" : "%s: another of its checksums does not fit", id);
	return err;
}

/* Whatever was judged is over the image, also where it did not fit. */
static void
place(struct judging *j, struct walk_signed by)
{
	for (unsigned i = by.first; i < by.first + by.n; i++) {
		struct sig_result *s = &j->r->signatures.result[i];
		s->where[0] = '\0';
		s->covers[0] = (struct sig_range){ 0, j->job->image->size };
		s->covers_n = 1;
	}
}

static int
judge(struct walk *w, void *arg)
{
	struct judging *j = arg;
	struct jcat *jc = NULL;
	uint8_t *bytes = NULL;
	unsigned mark = walk_mark(w);
	const char *why = "longer than 256 KiB";
	int err = walk_load(w, (struct sig_range){ 0, w->image->size }, JCAT_PACKED_MAX, &bytes);
	if (!err)
		err = jcat_read(view_of(bytes, (size_t)w->image->size), &jc, &why);
	free(bytes);
	if (err == FG_EFORMAT) {
		walk_settle(w, "jcat", SIG_INVALID, "no Jcat file: %s", why);
		err = 0;
	} else if (!err) {
		err = judge_item(j, w, jc);
	}
	if (!err)
		place(j, walk_since(w, mark));
	jcat_free(jc);
	return err;
}

int
jcatproof_judge(const struct jcatproof_job *job, struct report *r)
{
	struct judging j = { .job = job, .r = r };
	return walk_beside(job->file, FORMAT_JCAT, "signature", job->trust, job->policy, job->at, r, judge, &j);
}
