/* SPDX-License-Identifier: Apache-2.0 */
#include "images/androidota.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/format.h"

#define SCHEME "android-ota/cms-detached"
#define FOOTER_LEN 6u
#define COMMENT_LEN_FIELD 2u

/* Where things lie, all found from the last six bytes. */
struct footer {
	uint64_t end_record;
	uint64_t signed_length; /* [0, signed_length): everything up to the comment's length field */
	struct sig_range message, cms;
};

/*
 * The rules of recovery's own verifier: the signature lies within the comment,
 * the end record where the comment's length says, and nothing that looks like another
 * end record behind it, or a zip reader that searches from the back would open
 * another archive than the one that is signed. NULL, or what is wrong.
 */
static const char *
read_footer(const uint8_t *tail, size_t n, uint64_t size, struct footer *ret)
{
	if (n < ZIP_END_LEN + FOOTER_LEN)
		return "too short for a footer";
	const uint8_t *f = tail + n - FOOTER_LEN;
	size_t start = f[0] | (size_t)f[1] << 8, comment = f[4] | (size_t)f[5] << 8;
	if (f[2] != 0xff || f[3] != 0xff)
		return "no footer";
	if (start > comment || start <= FOOTER_LEN)
		return "the footer's signature does not lie in the comment";
	if (comment + ZIP_END_LEN > n)
		return "the footer's comment is longer than the file";
	const uint8_t *end = tail + n - comment - ZIP_END_LEN;
	if (memcmp(end, "PK\5\6", 4) != 0)
		return "no end record where the footer says";
	if (memmem(end + 4, comment + ZIP_END_LEN - 4, "PK\5\6", 4))
		return "a second end record in the comment";
	if ((end[20] | (size_t)end[21] << 8) != comment)
		return "the end record gives its comment another length than the footer";
	ret->end_record = size - comment - ZIP_END_LEN;
	ret->signed_length = size - comment - COMMENT_LEN_FIELD;
	ret->message = (struct sig_range){ size - comment, comment - start };
	ret->cms = (struct sig_range){ size - start, start - FOOTER_LEN };
	return NULL;
}

/* Before the signature stands what the tool says of itself; anything else there is unsigned room. */
static int
judge_message(struct walk *w, const struct footer *f)
{
	static const char tool[] = "signed by SignApk"; /* and its NUL */
	uint8_t *text = NULL;
	int err = walk_load(w, f->message, ZIP_COMMENT_MAX, &text);
	if (err)
		return err;
	size_t n = (size_t)f->message.length;
	if (n == 0 || (n == sizeof tool && memcmp(text, tool, n) == 0))
		walk_structure(w, f->message.offset, n);
	else
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &f->message.offset,
		    "%zu unsigned bytes stand before the signature: %.*s", n,
		    (int)(n < 100 ? n : 100), (const char *)text);
	free(text);
	return 0;
}

/*
 * Recovery hashes the file and compares with what the first signer signed. Signed
 * attributes would put another hash there (T10), and it refuses what it cannot
 * fit; so the same is refused here although CMS has a meaning for it.
 */
static int
judge_signature(struct walk *w, const struct footer *f, struct walk_signed *ret)
{
	struct walk_span span = { .range = { { 0, f->signed_length } }, .n = 1 };
	struct cms *c = NULL;
	uint8_t *der = NULL;
	bool lean = false;
	char why[SIG_TEXT_MAX];
	int err = walk_load(w, f->cms, CMS_SIG_MAX, &der);
	if (err == FG_EFORMAT) {
		walk_settle(w, SCHEME, SIG_INVALID, "a signature of more than 64 KiB");
		return 0;
	}
	struct view bytes = view_of(der, (size_t)f->cms.length);
	bool attributes = !err && cms_open(bytes, true, &c, why, sizeof why) == 0 && cms_has_attributes(c);
	cms_free(c);
	if (attributes)
		walk_settle(w, SCHEME, SIG_INVALID,
		    "it has signed attributes, which recovery does not take (T10)");
	else if (!err)
		err = walk_cms(w, SCHEME, bytes, &span, ret, &lean);
	free(der);
	if (err)
		return err;
	/* What does not verify may be any bytes, beside one that does, too. */
	if (lean)
		walk_structure(w, f->cms.offset, f->cms.length);
	walk_structure(w, f->cms.offset + f->cms.length, FOOTER_LEN);
	walk_structure(w, f->signed_length, COMMENT_LEN_FIELD);
	struct walk_signed first = { .first = ret->first, .n = ret->n ? 1 : 0 };
	if (ret->n > 1 && walk_verified(w, *ret) && !walk_verified(w, first))
		walk_raise(w, FINDING_FMT_CONFLICT, &f->cms.offset,
		    "recovery looks at the first of %u signers only, and that one is not verified",
		    ret->n);
	return 0;
}

/* JAR signatures say nothing to recovery; as files of their own they would look like broken CMS. */
static bool
is_jar_signature(struct view name)
{
	static const char folder[] = "META-INF/";
	static const char *const ends[] = { ".SF", ".RSA", ".EC", ".DSA", ".MF" };
	size_t skip = sizeof folder - 1;
	if (name.n < skip || memcmp(name.p, folder, skip) != 0 || memchr(name.p + skip, '/', name.n - skip))
		return false;
	for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		size_t n = strlen(ends[i]);
		if (name.n > skip + n && memcmp(name.p + name.n - n, ends[i], n) == 0)
			return true;
	}
	return false;
}

static bool
runs(struct view name)
{
	return view_is(name, "META-INF/com/google/android/update-binary") ||
	       view_is(name, "META-INF/com/google/android/updater-script");
}

static int
list(struct walk *w, const struct zip *z, struct walk_signed by)
{
	struct androidota_payload payload;
	int err = androidota_payload(w, z, &payload);
	for (size_t i = 0; i < z->n && !err; i++) {
		const struct zip_entry *e = &z->entry[i];
		struct zip_about about = { .by = by,
			.inside = true,
			.runs = runs(e->name),
			.plain = is_jar_signature(e->name) };
		if (e == payload.entry && payload.have_hash) {
			about.alg = DIGEST_SHA256;
			memcpy(about.digest, payload.sha256, DIGEST_SHA256_LEN);
		}
		err = zip_member(w, e, &about, NULL);
	}
	return err;
}

int
androidota_walk(struct walk *w)
{
	struct walk_signed by = { 0 };
	struct footer f;
	struct zip z;
	size_t n = ZIP_END_LEN + ZIP_COMMENT_MAX;
	uint8_t *tail = NULL;
	if (w->image->size < n)
		n = (size_t)w->image->size;
	int err = walk_load(w, (struct sig_range){ w->image->size - n, n }, n, &tail);
	if (err)
		return err;
	const char *why = read_footer(tail, n, w->image->size, &f);
	free(tail);
	if (why)
		walk_settle(w, SCHEME, SIG_INVALID, "%s", why);
	else
		err = judge_signature(w, &f, &by);
	if (!err && !why)
		err = judge_message(w, &f);
	if (err)
		return err;
	/* What is inside is read after the signature was judged (T21), and told whatever came of it. */
	err = zip_open(w, &z);
	if (!err)
		err = androidota_meta(w, &z, by);
	if (!err)
		err = list(w, &z, by);
	zip_close(&z);
	return err;
}
