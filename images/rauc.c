/* SPDX-License-Identifier: Apache-2.0 */
#include "images/rauc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/cms_ber.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/reader.h"
#include "images/rauc_manifest.h"
#include "images/squashfs_walk.h"
#include "images/verity.h"

#define LENGTH_LEN 8u
#define BLOCK 4096u
#define MANIFEST "manifest.raucm"

/* One bundle being walked. */
struct bundle {
	struct walk *w;
	uint64_t payload; /* bytes before the CMS: the file system, and its hash tree */
	struct sig_range cms;
	uint8_t *der;
	bool lean;                 /* all its signers verified, and nothing else is in it: walk_cms() */
	bool attached;             /* the manifest is the signed content */
	struct walk_signed signer; /* who signed manifest or payload */
	uint64_t data;             /* bytes of the file system (or of its ciphertext) */
	struct walk_signed behind; /* who stands behind these; nobody when the hash tree does not fit */
	struct rauc_manifest m;    /* the one that RAUC goes by */
	bool have_m;
	struct source fs_source;
	struct squashfs *fs;
	/* Which of the files that the manifest names were found. */
	bool found[RAUC_MANIFEST_IMAGES_MAX], found_hook, found_handler;
};

static void
say(void *arg, enum finding_id id, const char *text)
{
	walk_raise(((struct bundle *)arg)->w, id, NULL, "%s", text);
}

/* ---- the frame: payload, CMS, length ---- */

static bool
find_parts(struct bundle *b, int *ret_err)
{
	uint8_t last[LENGTH_LEN];
	struct reader r;
	uint64_t size = b->w->image->size;
	*ret_err = size < LENGTH_LEN ? FG_ELIMIT
	                             : source_read(b->w->image, size - LENGTH_LEN, last, sizeof last);
	if (*ret_err) {
		if (*ret_err == FG_ELIMIT)
			*ret_err = 0;
		return false;
	}
	reader_init(&r, view_of(last, sizeof last));
	b->cms.length = reader_u64(&r);
	if (b->cms.length == 0 || b->cms.length > CMS_SIG_MAX || b->cms.length >= size - LENGTH_LEN) {
		uint64_t at = size - LENGTH_LEN;
		walk_raise(b->w, FINDING_FMT_MALFORMED, &at, "a signature of %" PRIu64 " bytes is none",
		    b->cms.length);
		return false;
	}
	b->cms.offset = b->payload = size - LENGTH_LEN - b->cms.length;
	if (b->payload % BLOCK != 0)
		walk_raise(b->w, FINDING_FMT_MALFORMED, &b->payload,
		    "a payload of %" PRIu64 " bytes does not end with a block: the last one would not be mounted",
		    b->payload);
	return true;
}

/* ---- the signature ---- */

static int
judge_detached(struct bundle *b)
{
	struct walk_span all = { .range = { { 0, b->payload } }, .n = 1 };
	int err = walk_cms(b->w, "rauc-bundle/cms-detached", view_of(b->der, (size_t)b->cms.length), &all,
	    &b->signer, &b->lean);
	b->data = b->payload;
	b->behind = b->signer;
	return err;
}

/* The hash tree, recomputed: only then does the signed root stand for the data. */
static int
judge_tree(struct bundle *b)
{
	const struct rauc_manifest *m = &b->m;
	enum verity_answer answer = VERITY_UNKNOWN;
	uint64_t at = 0;
	if (!m->have_root_hash || !m->have_salt || !m->have_verity_size || m->verity_size >= b->payload ||
	    (b->payload - m->verity_size) % BLOCK != 0) {
		walk_raise(b->w, FINDING_FMT_MALFORMED, NULL,
		    "there is no hash tree that could be checked: %" PRIu64 " of %" PRIu64 " bytes", m->verity_size,
		    b->payload);
		b->data = b->payload / BLOCK * BLOCK;
		return 0;
	}
	b->data = b->payload - m->verity_size;
	uint64_t tree = verity_tree_size(b->data), end = b->data + tree;
	if (tree > m->verity_size) {
		walk_raise(b->w, FINDING_FMT_MALFORMED, &b->data, "the hash tree is cut: %" PRIu64 " of %" PRIu64
		    " bytes", m->verity_size, tree);
		return 0;
	}
	int err = verity_check(b->w->image, b->data, m->salt, m->root_hash, walk_naming(b->w), &answer, &at);
	if (err)
		return err;
	if (answer != VERITY_FITS) {
		walk_raise(b->w, FINDING_FMT_INTEGRITY, &at, answer == VERITY_TREE_DIFFERS
		        ? "the hash tree does not fit the data that it is over"
		        : "data and hash tree are not those of the root in the manifest");
		return 0;
	}
	b->behind = b->signer;
	walk_covers(b->w, b->signer, 0, b->data);
	walk_structure(b->w, b->data, tree);
	if (end < b->payload)
		walk_raise(b->w, FINDING_FMT_HIDDEN_BYTES, &end, "%" PRIu64 " bytes behind the hash tree",
		    b->payload - end);
	return 0;
}

static int
judge_attached(struct bundle *b)
{
	struct cms *c = NULL;
	int err = walk_cms_attached(b->w, "rauc-bundle/cms-attached", b->cms, &c, &b->signer, &b->lean);
	if (!err && c)
		err = rauc_manifest_parse(cms_content(c), &b->m, say, b);
	cms_free(c);
	if (err || !c)
		return err;
	b->have_m = true;
	rauc_manifest_check(&b->m, true, say, b);
	return judge_tree(b);
}

static int
judge(struct bundle *b)
{
	struct cms_ber outline;
	const char *why = "";
	struct view der = view_of(b->der, (size_t)b->cms.length);
	if (cms_ber_walk(der, &outline, &why)) {
		walk_settle(b->w, "rauc-bundle/cms", SIG_INVALID, "%s", why);
		return 0;
	}
	b->attached = outline.attached;
	int err = b->attached ? judge_attached(b) : judge_detached(b);
	if (!err && outline.signers > 1)
		walk_raise(b->w, FINDING_FMT_MALFORMED, &b->cms.offset,
		    "%u signers: RAUC installs only what one has signed", outline.signers);
	return err;
}

/* ---- what the manifest says ---- */

static void
fact_string(struct bundle *b, enum contents_fact_id id, const char *before, struct view value)
{
	char text[CONTENTS_VALUE_MAX];
	if (!value.p)
		return;
	snprintf(text, sizeof text, "%s%.*s", before, (int)(value.n < sizeof text ? value.n : sizeof text),
	    (const char *)value.p);
	walk_fact(b->w, id, b->signer, view_str(text));
}

static void
facts(struct bundle *b)
{
	const struct rauc_manifest *m = &b->m;
	char hex[2 * DIGEST_SHA256_LEN + 1];
	fact_string(b, CONTENTS_FACT_COMPATIBLE, "", m->compatible);
	fact_string(b, CONTENTS_FACT_VERSION, "", m->version);
	fact_string(b, CONTENTS_FACT_BUILD, "", m->build);
	fact_string(b, CONTENTS_FACT_NOTE, "description: ", m->description);
	fact_string(b, CONTENTS_FACT_NOTE, "handler arguments: ", m->handler_args);
	fact_string(b, CONTENTS_FACT_TYPE, "", view_str(rauc_manifest_format_name(m->format)));
	if (m->have_root_hash) {
		hex_encode(m->root_hash, sizeof m->root_hash, hex);
		fact_string(b, CONTENTS_FACT_DIGEST, "", view_str(hex));
	}
}

/* Reads the manifest that lies in the file system into *ret; *ret_there says whether there is one. */
static int
read_inner(struct bundle *b, struct rauc_manifest *ret, bool *ret_there)
{
	struct squashfs_entry e;
	int r;
	*ret_there = false;
	squashfs_rewind(b->fs);
	while ((r = squashfs_next(b->fs, &e)) > 0)
		if (view_is(e.path, MANIFEST) && e.type == SQUASHFS_FILE)
			break;
	if (r <= 0)
		return r == FG_EFORMAT || r == FG_ELIMIT ? 0 : r; /* told when the members are gone over */
	if (e.size > RAUC_MANIFEST_TEXT_MAX) {
		walk_raise(b->w, FINDING_FMT_WALK_LIMIT, NULL, MANIFEST ": %" PRIu64 " bytes are not read", e.size);
		return 0;
	}
	uint8_t *text = malloc((size_t)e.size + 1);
	size_t n = 0;
	long got = text ? 1 : FG_ENOMEM;
	while (text && n < e.size && (got = squashfs_read(b->fs, text + n, (size_t)e.size - n)) > 0)
		n += (size_t)got;
	int err = got < 0 && got != FG_EFORMAT && got != FG_ELIMIT ? (int)got : 0;
	if (!err && n == e.size) {
		err = rauc_manifest_parse(view_of(text, n), ret, say, b);
		*ret_there = !err;
	}
	free(text);
	return err;
}

/* Plain: it is the manifest. Otherwise it is a second one, which must not say anything else. */
static int
inner_manifest(struct bundle *b)
{
	struct rauc_manifest inner = { .format = RAUC_MANIFEST_UNKNOWN };
	bool there;
	int err = read_inner(b, &inner, &there);
	if (err || (!there && b->attached)) {
		rauc_manifest_free(&inner);
		return err;
	}
	if (!there)
		walk_raise(b->w, FINDING_MEMBER_MISSING, NULL, MANIFEST);
	else
		rauc_manifest_check(&inner, false, say, b);
	if (b->attached) {
		const char *what = b->have_m ? rauc_manifest_differs(&b->m, &inner) : NULL;
		if (what)
			walk_raise(b->w, FINDING_FMT_CONFLICT, NULL,
			    MANIFEST " in the file system is not the signed manifest: %s differ", what);
		rauc_manifest_free(&inner);
		return 0;
	}
	if (there && inner.format != RAUC_MANIFEST_PLAIN)
		walk_raise(b->w, FINDING_FMT_CONFLICT, NULL,
		    "the manifest says %s, and the bundle is signed as a plain one",
		    rauc_manifest_format_name(inner.format));
	b->m = inner;
	b->have_m = there;
	return 0;
}

/* ---- members ---- */

/* The first image of the manifest that is this file; NULL when it is none. */
static const struct rauc_manifest_image *
image_of(const struct bundle *b, struct view path)
{
	for (unsigned i = 0; i < b->m.images_n; i++)
		if (b->m.image[i].filename.p && view_equal(b->m.image[i].filename, path))
			return &b->m.image[i];
	return NULL;
}

static int
plain_member(struct bundle *b, const struct squashfs_entry *e)
{
	struct walk_member m = { .alg = DIGEST_NONE, .by = b->behind, .inside = true };
	bool hook = b->m.hook.p && view_equal(b->m.hook, e->path);
	bool handler = b->m.handler.p && view_equal(b->m.handler, e->path);
	b->found_hook = b->found_hook || hook;
	b->found_handler = b->found_handler || handler;
	m.runs = hook || handler;
	m.plain = view_is(e->path, MANIFEST);
	if (!m.runs && !m.plain)
		walk_raise(b->w, FINDING_MEMBER_UNLISTED, NULL, "%s: %" PRIu64 " bytes", (const char *)e->path.p,
		    e->size);
	squashfs_walk_member(b->fs, e, &m);
	return walk_member(b->w, &m, NULL);
}

/* Every image of the manifest that names this file: they must agree about it. */
static void
agree(struct bundle *b, const struct squashfs_entry *e, const struct rauc_manifest_image *first, bool index)
{
	for (unsigned i = 0; i < b->m.images_n; i++) {
		const struct rauc_manifest_image *other = &b->m.image[i];
		if (!other->filename.p || !view_equal(other->filename, e->path))
			continue;
		b->found[i] = true;
		if (other->have_sha256 != first->have_sha256 ||
		    memcmp(other->sha256, first->sha256, sizeof first->sha256) != 0)
			walk_raise(b->w, FINDING_FMT_CONFLICT, NULL, "%s: two images give it different digests",
			    (const char *)e->path.p);
		if (!index && other->have_size && other->size != e->size)
			walk_raise(b->w, FINDING_MEMBER_DIGEST, NULL, "%s: %" PRIu64 " bytes, the manifest says %" PRIu64,
			    (const char *)e->path.p, e->size, other->size);
	}
}

static int
image_member(struct bundle *b, const struct squashfs_entry *e, const struct rauc_manifest_image *image)
{
	bool index = rauc_manifest_is_index(e->path);
	struct walk_member m = { .alg = DIGEST_NONE, .by = b->behind, .inside = true };
	agree(b, e, image, index);
	if (index) {
		/* Digest and size are of the image that the device puts together. */
		walk_raise(b->w, FINDING_FMT_WALK_LIMIT, NULL,
		    "%s: an index of casync: the image of %" PRIu64
		    " bytes is put together from chunks outside the bundle, which were not seen",
		    (const char *)e->path.p, image->size);
	} else if (image->have_sha256) {
		m.alg = DIGEST_SHA256;
		memcpy(m.digest, image->sha256, sizeof image->sha256);
	}
	squashfs_walk_member(b->fs, e, &m);
	return walk_member(b->w, &m, NULL);
}

/*
 * One round over the entries: images come in the second, so that what else is
 * in the bundle is listed before the members of a root file system.
 */
static int
round_over(struct bundle *b, bool images)
{
	struct squashfs_entry e;
	int err;
	squashfs_rewind(b->fs);
	while ((err = squashfs_next(b->fs, &e)) > 0) {
		const struct rauc_manifest_image *image = image_of(b, e.path);
		if (!images)
			squashfs_walk_tell(b->w, &e, FINDING_WARNING);
		if (e.type != SQUASHFS_FILE || images != (image != NULL))
			continue;
		err = image ? image_member(b, &e, image) : plain_member(b, &e);
		if (err)
			return err;
	}
	return images && (err == FG_EFORMAT || err == FG_ELIMIT)
	    ? 0 /* told in the first round */
	    : squashfs_walk_failed(b->w, err, squashfs_why(b->fs));
}

static void
missing(struct bundle *b, struct view name, bool found)
{
	if (name.p && !found)
		walk_raise(b->w, FINDING_MEMBER_MISSING, NULL, "%.*s: the manifest names it, and it is no file here",
		    (int)(name.n < CONTENTS_PATH_MAX ? name.n : CONTENTS_PATH_MAX), (const char *)name.p);
}

static int
members(struct bundle *b)
{
	int err = inner_manifest(b);
	if (!err && !b->attached && b->have_m)
		facts(b);
	if (!err)
		err = round_over(b, false);
	if (!err)
		err = round_over(b, true);
	if (err)
		return err;
	for (unsigned i = 0; i < b->m.images_n; i++)
		missing(b, b->m.image[i].filename, b->found[i]);
	missing(b, b->m.hook, b->found_hook);
	missing(b, b->m.handler, b->found_handler);
	return 0;
}

static int
file_system(struct bundle *b)
{
	char why[SIG_TEXT_MAX] = "";
	int err = source_window(b->w->image, 0, b->data, &b->fs_source);
	if (!err)
		err = squashfs_open(&b->fs_source, walk_work(b->w), &b->fs, why, sizeof why);
	if (err)
		return squashfs_walk_failed(b->w, err, why);
	if (squashfs_made(b->fs) != 0)
		walk_fact_uint(b->w, CONTENTS_FACT_TIMESTAMP, b->behind, squashfs_made(b->fs));
	err = members(b);
	return err ? err : squashfs_walk_padding(b->w, b->fs, b->data);
}

/* Ciphertext: where it lies and that it fits the hash tree is all that can be known. */
static int
ciphertext(struct bundle *b, const char *why)
{
	struct walk_member m = { .name = view_str("payload"), .at = { 0, b->data }, .size = b->data,
		.by = b->behind, .inside = true, .plain = true };
	uint64_t at = 0;
	walk_raise(b->w, FINDING_FMT_ENCRYPTED, &at, "the file system of %" PRIu64 " bytes: %s", b->data, why);
	return walk_member(b->w, &m, NULL);
}

static int
parts(struct bundle *b)
{
	int err = walk_load(b->w, b->cms, CMS_SIG_MAX, &b->der);
	if (err)
		return err;
	if (format_is_enveloped_data(view_of(b->der, (size_t)b->cms.length))) {
		b->data = b->payload;
		walk_settle(b->w, "rauc-bundle/cms-enveloped", SIG_OPAQUE,
		    "the signature is encrypted together with the manifest, for the device alone");
		return ciphertext(b, "nothing of it can be checked without the device's key");
	}
	err = judge(b);
	if (err)
		return err;
	/* Where no signature stands behind it, neither it nor its length is more than bytes. */
	if (b->lean)
		walk_structure(b->w, b->cms.offset, b->cms.length + LENGTH_LEN);
	if (b->attached && b->have_m)
		facts(b);
	if (b->attached && b->m.format == RAUC_MANIFEST_CRYPT)
		return ciphertext(b, "its key stands in the signed manifest, it was not opened");
	return file_system(b);
}

int
rauc_walk(struct walk *w)
{
	int err = 0;
	struct bundle *b = calloc(1, sizeof *b);
	if (!b)
		return FG_ENOMEM;
	b->w = w;
	if (find_parts(b, &err))
		err = parts(b);
	squashfs_free(b->fs);
	rauc_manifest_free(&b->m);
	free(b->der);
	free(b);
	return err;
}
