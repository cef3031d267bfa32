/* SPDX-License-Identifier: Apache-2.0 */
#include "images/mender.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/json.h"
#include "crypto/rawsig.h"
#include "crypto/visible.h"
#include "images/mender_list.h"
#include "images/tar.h"
#include "images/unpack.h"

#define JSON_FILE_MAX (256u << 10) /* header-info and type-info have some hundred bytes */
#define NAME_MAX_LEN (TAR_NAME_MAX + 1)
#define SHOWN_MAX 80
#define AGAIN_MAX (64u << 10) /* bytes of a stream before a file, for it to be unpacked again: not all files, one by one */
#define P256_SIG_LEN 64

/* The order of the artifact's parts (artifact format, version 3). */
enum part { NO_PART = 0, VERSION, MANIFEST, SIGNATURE, AUGMENT, HEADER, HEADER_AUGMENT, DATA };

struct mender {
	enum part last;
	struct sig_range version, manifest, signature, augmented;
	bool have[DATA + 1];
	bool judged;
	uint8_t *text, *augment_text; /* of the manifests; the lists point into them */
	struct mender_list list, augment;
	struct walk_signed by; /* over the manifest */
	struct sig_range payload; /* at hand */
	bool stored;
	bool bound; /* every file of it so far is the one that the signed manifest names */
	char prefix[NAME_MAX_LEN]; /* of the payload at hand in the manifest: "data/0000/" */
};

static const char *
shown(struct view name, char dst[SHOWN_MAX])
{
	visible_cstr(name, dst, SHOWN_MAX);
	return dst;
}

static bool
starts(struct view v, const char *with)
{
	size_t n = strlen(with);
	return v.n >= n && memcmp(v.p, with, n) == 0;
}

static enum part
part_of(struct view name)
{
	static const struct {
		const char *name;
		bool whole;
		enum part part;
	} parts[] = {
		{ "version", true, VERSION },
		{ "manifest", true, MANIFEST },
		{ "manifest.sig", true, SIGNATURE },
		{ "manifest-augment", true, AUGMENT },
		{ "header.tar", false, HEADER },
		{ "header-augment.tar", false, HEADER_AUGMENT },
		{ "data/", false, DATA },
	};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (parts[i].whole ? view_is(name, parts[i].name) : starts(name, parts[i].name))
			return parts[i].part;
	return NO_PART;
}

/* What the part behind ".tar" of a name says; false for a packing that is not undone here. */
static bool
packing_of(struct view name, enum unpack_kind *ret)
{
	static const struct {
		const char *suffix;
		enum unpack_kind kind;
	} packings[] = { { ".tar", UNPACK_NONE }, { ".tar.gz", UNPACK_GZIP }, { ".tar.zst", UNPACK_ZSTD } };
	for (size_t i = 0; i < sizeof packings / sizeof packings[0]; i++) {
		size_t n = strlen(packings[i].suffix);
		if (name.n > n && view_is(view_of(name.p + name.n - n, n), packings[i].suffix)) {
			*ret = packings[i].kind;
			return true;
		}
	}
	return false;
}

/* ---- manifests and the signature ---- */

static int
read_list(struct walk *w, const char *what, struct sig_range at, struct mender_list *l, uint8_t **ret_text)
{
	unsigned line = 0;
	int err = walk_load(w, at, MENDER_LIST_TEXT_MAX, ret_text);
	if (!err)
		err = mender_list_add(l, view_of(*ret_text, (size_t)at.length), &line);
	if (err == FG_EEXIST)
		walk_raise(w, FINDING_FMT_DUPLICATE, &at.offset, "%s: line %u names a file again", what, line);
	else if (err == FG_EFORMAT)
		walk_raise(w, FINDING_FMT_MALFORMED, &at.offset, "%s: line %u is no digest and name", what, line);
	else if (err == FG_ELIMIT)
		walk_raise(w, FINDING_FMT_WALK_LIMIT, &at.offset, "%s: more than %u files", what, MENDER_LIST_MAX);
	return err == FG_EEXIST || err == FG_EFORMAT || err == FG_ELIMIT ? 0 : err;
}

/*
 * The format prescribes by the kind of key: PKCS#1 v1.5 for RSA, r||s for P-256.
 * The length only excludes one of them.
 */
static int
judge_signature(struct walk *w, struct mender *u)
{
	uint8_t *text = NULL;
	struct writer sig;
	int err = walk_load(w, u->signature, RAWSIG_MAX * 2, &text);
	if (err && err != FG_EFORMAT)
		return err;
	writer_init(&sig, RAWSIG_MAX * 2);
	if (!err)
		err = base64_decode(view_of(text, (size_t)u->signature.length), &sig);
	if (!err)
		err = writer_err(&sig);
	if (err == FG_EFORMAT || err == FG_ELIMIT) {
		walk_settle(w, "mender/raw", SIG_INVALID, "manifest.sig is no base64 of a signature");
		err = 0;
	} else if (!err) {
		struct walk_claim claim = { .signature = writer_view(&sig),
			.span = { .range = { u->manifest }, .n = 1 } };
		claim.as = claim.signature.n == P256_SIG_LEN ? TRUST_ECDSA_FIXED : TRUST_RSA_PKCS1_SHA256;
		err = walk_keys(w, &claim, &u->by);
	}
	writer_free(&sig);
	free(text);
	/* One text, strictly read, of one signature; what does not verify may say anything. */
	if (!err && walk_all_verified(w, u->by))
		walk_structure(w, u->signature.offset, u->signature.length);
	return err;
}

static int
listed(struct walk *w, struct mender *u, struct view name, struct sig_range at, struct walk_seen *ret)
{
	struct walk_member m = { .name = name, .at = at, .by = u->by, .plain = true };
	const struct mender_file *f = mender_list_take(&u->list, name);
	char text[SHOWN_MAX];
	if (f) {
		m.alg = DIGEST_SHA256;
		memcpy(m.digest, f->sha256, sizeof f->sha256);
	} else if ((f = mender_list_take(&u->augment, name))) {
		m.alg = DIGEST_SHA256;
		memcpy(m.digest, f->sha256, sizeof f->sha256);
		m.by = (struct walk_signed){ 0 };
	} else {
		walk_raise(w, FINDING_MEMBER_UNLISTED, &at.offset, "%s", shown(name, text));
	}
	return walk_member(w, &m, ret);
}

/* {"format":"mender","version":3} */
static int
check_version(struct walk *w, struct mender *u)
{
	uint8_t *text = NULL;
	struct json *doc = NULL;
	int64_t version = 0;
	int err = walk_load(w, u->version, JSON_FILE_MAX, &text);
	if (!err)
		err = json_parse(view_of(text, (size_t)u->version.length), &doc, NULL);
	struct view format = view_str("");
	(void)json_string(json_get(json_root(doc), "format"), &format);
	if (!err && json_int(json_get(json_root(doc), "version"), &version) && version != 3 &&
	    view_is(format, "mender"))
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &u->version.offset,
		    "version %" PRId64 " of the format: only 3 is known here", version);
	else if (err == FG_EFORMAT || err == FG_ELIMIT || (!err && (version != 3 || !view_is(format, "mender"))))
		walk_raise(w, FINDING_FMT_MALFORMED, &u->version.offset, "version says neither format nor number");
	json_free(doc);
	free(text);
	return err == FG_EFORMAT || err == FG_ELIMIT ? 0 : err;
}

/* Once what comes before the header is there: the signature first, then what it covers. */
static int
judge(struct walk *w, struct mender *u)
{
	struct walk_member manifest = { .name = view_str("manifest"), .at = u->manifest, .inside = true, .plain = true };
	int err = 0;
	u->judged = true;
	if (!u->have[VERSION] || !u->have[MANIFEST]) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "no %s", u->have[VERSION] ? "manifest" : "version");
		return 0;
	}
	if (u->have[SIGNATURE])
		err = judge_signature(w, u);
	manifest.by = u->by;
	if (!err)
		err = walk_member(w, &manifest, NULL);
	if (!err)
		err = read_list(w, "manifest", u->manifest, &u->list, &u->text);
	if (!err && u->have[AUGMENT]) {
		manifest = (struct walk_member){ .name = view_str("manifest-augment"), .at = u->augmented, .plain = true };
		walk_raise(w, FINDING_MEMBER_UNLISTED, &u->augmented.offset,
		    "manifest-augment: names files outside the signature, on purpose");
		err = walk_member(w, &manifest, NULL);
		if (!err)
			err = read_list(w, "manifest-augment", u->augmented, &u->augment, &u->augment_text);
	}
	if (!err)
		err = listed(w, u, view_str("version"), u->version, NULL);
	return err ? err : check_version(w, u);
}

/* ---- header ---- */

static void
fact(struct walk *w, enum contents_fact_id id, const char *before, struct view key, const struct json_value *v)
{
	struct view text;
	char name[48], value[64], line[CONTENTS_VALUE_MAX];
	if (json_type(v) == JSON_ARRAY) {
		for (size_t i = 0; i < json_count(v); i++)
			if (json_type(json_at(v, i)) != JSON_ARRAY)
				fact(w, id, before, key, json_at(v, i));
		return;
	}
	if (!json_string(v, &text))
		return;
	visible_cstr(key, name, sizeof name);
	visible_cstr(text, value, sizeof value);
	snprintf(line, sizeof line, "%s%s%s%s", before, name, key.n ? " " : "", value);
	walk_fact(w, id, (struct walk_signed){ 0 }, view_str(line));
}

static bool
ends(struct view v, const char *with)
{
	size_t n = strlen(with);
	return v.n >= n && memcmp(v.p + v.n - n, with, n) == 0;
}

static void
tell_header_info(struct walk *w, const struct json_value *root)
{
	static const struct view none = { NULL, 0 };
	const struct json_value *gives = json_get(root, "artifact_provides"), *wants = json_get(root, "artifact_depends");
	const struct json_value *payloads = json_get(root, "payloads");
	fact(w, CONTENTS_FACT_BUILD, "", none, json_get(gives, "artifact_name"));
	fact(w, CONTENTS_FACT_NOTE, "group ", none, json_get(gives, "artifact_group"));
	fact(w, CONTENTS_FACT_COMPATIBLE, "", none, json_get(wants, "device_type"));
	fact(w, CONTENTS_FACT_REQUIRES, "artifact ", none, json_get(wants, "artifact_name"));
	fact(w, CONTENTS_FACT_REQUIRES, "group ", none, json_get(wants, "artifact_group"));
	for (size_t i = 0; i < json_count(payloads); i++)
		fact(w, CONTENTS_FACT_TYPE, "", none, json_get(json_at(payloads, i), "type"));
}

static void
tell_type_info(struct walk *w, const struct json_value *root)
{
	const struct json_value *gives = json_get(root, "artifact_provides"), *wants = json_get(root, "artifact_depends");
	for (size_t i = 0; i < json_count(gives); i++) {
		struct view key = json_key_at(gives, i);
		if (ends(key, ".version"))
			fact(w, CONTENTS_FACT_VERSION, "", key, json_at(gives, i));
		else if (!ends(key, ".checksum")) /* the manifest says it already */
			fact(w, CONTENTS_FACT_NOTE, "provides ", key, json_at(gives, i));
	}
	for (size_t i = 0; i < json_count(wants); i++)
		fact(w, CONTENTS_FACT_REQUIRES, "", json_key_at(wants, i), json_at(wants, i));
	fact(w, CONTENTS_FACT_NOTE, "clears ", view_of(NULL, 0), json_get(root, "clears_artifact_provides"));
}

static int
json_file(struct tar *t, const struct tar_member *m, void (*tell)(struct walk *, const struct json_value *))
{
	char name[SHOWN_MAX];
	struct json *doc = NULL;
	if (m->size > JSON_FILE_MAX) {
		walk_raise(t->w, FINDING_FMT_WALK_LIMIT, NULL, "%s: longer than 256 KiB", shown(m->name, name));
		return 0;
	}
	uint8_t *text = malloc((size_t)m->size + 1);
	if (!text)
		return FG_ENOMEM;
	long n = tar_read(t, text, (size_t)m->size);
	int err = n < 0 ? (int)n : json_parse(view_of(text, (size_t)n), &doc, NULL);
	if (n >= 0 && (err == FG_EFORMAT || err == FG_ELIMIT || (!err && json_type(json_root(doc)) != JSON_OBJECT))) {
		walk_raise(t->w, FINDING_FMT_MALFORMED, NULL, "%s: not a JSON object", shown(m->name, name));
		err = 0;
	} else if (!err) {
		tell(t->w, json_root(doc));
	}
	json_free(doc);
	free(text);
	return err;
}

static int
header_file(struct tar *t, const struct tar_member *m, void *arg)
{
	struct walk_member out = { .name = m->name, .read = tar_read, .arg = t, .size = m->size };
	char name[SHOWN_MAX];
	(void)arg;
	if (m->type != TAR_REGULAR)
		return 0;
	if (view_is(m->name, "header-info"))
		return json_file(t, m, tell_header_info);
	if (starts(m->name, "headers/") && ends(m->name, "/type-info"))
		return json_file(t, m, tell_type_info);
	out.runs = starts(m->name, "scripts/");
	out.plain = true;
	if (!out.runs && !(starts(m->name, "headers/") && ends(m->name, "/meta-data")))
		walk_raise(t->w, FINDING_FMT_UNKNOWN_PART, NULL, "%s", shown(m->name, name));
	return walk_member(t->w, &out, NULL);
}

/* Goes through an archive at at, packed or not; what follows a packed stream is told. */
static int
inside(struct tar *t, struct sig_range at, enum unpack_kind kind, tar_fn *fn, void *arg, bool *ret_whole)
{
	struct unpack *stream = NULL;
	const struct source *image = t->w->image;
	t->stored = kind == UNPACK_NONE;
	t->base = at.offset;
	t->size = at.length;
	if (!t->stored) {
		stream = unpack_new(kind, image, at);
		if (!stream)
			return FG_ENOMEM;
		t->read = unpack_read;
		t->arg = stream;
	}
	int err = tar_members(t, fn, arg, ret_whole);
	if (!err && stream && *ret_whole && unpack_left(stream) > 0) {
		*ret_whole = false;
		walk_raise(t->w, FINDING_FMT_HIDDEN_BYTES, &at.offset, "%" PRIu64 " bytes behind a packed stream",
		    unpack_left(stream));
	}
	unpack_free(stream);
	return err;
}

static int
header(struct walk *w, struct mender *u, const struct tar_member *m)
{
	enum unpack_kind kind;
	struct walk_seen seen = { .vouch = CONTENTS_VOUCH_NONE };
	char name[SHOWN_MAX];
	bool whole;
	int err = listed(w, u, m->name, m->at, &seen);
	if (err)
		return err;
	if (!packing_of(m->name, &kind)) {
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &m->at.offset, "%s: packed in a way that is not undone here",
		    shown(m->name, name));
		return 0;
	}
	struct source source;
	struct walk in = *w;
	struct tar t = { .w = &in };
	err = source_window(w->image, m->at.offset, m->at.length, &source);
	if (err)
		return err;
	in.image = &source;
	in.placed = w->placed && kind == UNPACK_NONE;
	in.base = w->base + m->at.offset;
	in.depth++;
	if (seen.vouch == CONTENTS_VOUCH_DIGEST)
		in.under = u->by;
	visible_cstr(m->name, name, sizeof name);
	snprintf(in.path, sizeof in.path, "%s%s%s", w->path, w->path[0] ? "/" : "", name);
	return inside(&t, (struct sig_range){ 0, m->at.length }, kind, header_file, u, &whole);
}

/* ---- payloads ---- */

/* A file of a packed payload. */
struct packed_file {
	struct tar *t;
	uint64_t from, size; /* in the archive */
};

static long
packed_read(void *arg, void *buf, size_t n)
{
	return tar_read(((struct packed_file *)arg)->t, buf, n);
}

static int
packed_again(void *arg)
{
	const struct packed_file *p = arg;
	uint8_t away[4096];
	int err = unpack_again(p->t->arg);
	p->t->off = 0;
	p->t->left = p->from;
	while (!err && p->t->left > 0) {
		long n = tar_read(p->t, away, sizeof away);
		err = n == FG_EFORMAT ? FG_EIO : n < 0 ? (int)n : 0; /* it was there before */
	}
	p->t->left = p->size;
	return err;
}

static int
payload_file(struct tar *t, const struct tar_member *m, void *arg)
{
	struct mender *u = arg;
	char name[2 * NAME_MAX_LEN], text[SHOWN_MAX];
	size_t n = (size_t)snprintf(name, sizeof name, "%s%.*s", u->prefix, (int)m->name.n, (const char *)m->name.p);
	struct walk_member out = { .name = view_of(name, n), .at = m->at, .size = m->size, .by = u->by };
	struct packed_file packed = { t, t->off, m->size };
	struct walk_seen seen = { .vouch = CONTENTS_VOUCH_NONE };
	const struct mender_file *f;
	if (m->type != TAR_REGULAR) { /* the manifest names files only: a link or a folder is nobody's word */
		u->bound = false;
		walk_raise(t->w, FINDING_MEMBER_UNLISTED, &u->payload.offset, "%s: is no regular file",
		    shown(out.name, text));
		return 0;
	}
	if ((f = mender_list_take(&u->list, out.name)) == NULL) {
		out.by = (struct walk_signed){ 0 };
		f = mender_list_take(&u->augment, out.name);
	}
	if (f) {
		out.alg = DIGEST_SHA256;
		memcpy(out.digest, f->sha256, sizeof f->sha256);
	} else {
		walk_raise(t->w, FINDING_MEMBER_UNLISTED, &u->payload.offset, "%s", shown(out.name, text));
	}
	if (!u->stored) { /* it lies nowhere as it is: no byte of the stream is itself under the digest */
		out.at = (struct sig_range){ u->payload.offset, 0 };
		out.read = packed_read;
		out.again = t->off <= AGAIN_MAX ? packed_again : NULL;
		out.arg = &packed;
	}
	int err = walk_member(t->w, &out, &seen);
	u->bound &= seen.vouch == CONTENTS_VOUCH_DIGEST;
	return err;
}

static int
payload(struct walk *w, struct mender *u, const struct tar_member *m)
{
	enum unpack_kind kind;
	struct tar t = { .w = w };
	char name[SHOWN_MAX];
	bool whole = false;
	if (!packing_of(m->name, &kind)) {
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &m->at.offset, "%s: packed in a way that is not undone here",
		    shown(m->name, name));
		return 0;
	}
	size_t n = m->name.n - (kind == UNPACK_NONE ? 4 : kind == UNPACK_GZIP ? 7 : 8);
	snprintf(u->prefix, sizeof u->prefix, "%.*s/", (int)n, (const char *)m->name.p);
	u->payload = m->at;
	u->stored = kind == UNPACK_NONE;
	u->bound = true;
	int err = inside(&t, m->at, kind, payload_file, u, &whole);
	/* A stream that gives a whole archive of files that somebody verifiably signed, and nothing else. */
	if (!err && !u->stored && whole && u->bound)
		walk_structure(w, m->at.offset, m->at.length);
	return err;
}

/* ---- the artifact ---- */

static int
part(struct tar *t, const struct tar_member *m, void *arg)
{
	struct mender *u = arg;
	struct walk *w = t->w;
	char name[SHOWN_MAX];
	enum part p = part_of(m->name);
	if (p == NO_PART) {
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &m->at.offset, "%s", shown(m->name, name));
		return 0;
	}
	if (p < u->last || (p == u->last && p != DATA))
		walk_raise(w, FINDING_FMT_MALFORMED, &m->at.offset, "%s is not where it belongs", shown(m->name, name));
	u->last = p > u->last ? p : u->last;
	int err = p >= HEADER && !u->judged ? judge(w, u) : 0;
	if (err)
		return err;
	if (!u->have[p] && p < HEADER) {
		struct sig_range *const at[] = { [VERSION] = &u->version, [MANIFEST] = &u->manifest,
			[SIGNATURE] = &u->signature, [AUGMENT] = &u->augmented };
		*at[p] = m->at;
	}
	u->have[p] = true;
	if (p == HEADER || p == HEADER_AUGMENT)
		return header(w, u, m);
	return p == DATA ? payload(w, u, m) : 0;
}

static void
missing(struct walk *w, const struct mender_list *l)
{
	char name[SHOWN_MAX];
	for (unsigned i = 0; i < l->n; i++)
		if (!l->file[i].found)
			walk_raise(w, FINDING_MEMBER_MISSING, NULL, "%s", shown(l->file[i].name, name));
}

int
mender_walk(struct walk *w)
{
	struct mender u = { .last = NO_PART };
	struct tar t = { .w = w, .stored = true, .size = w->image->size };
	bool whole;
	int err = tar_members(&t, part, &u, &whole);
	if (!err && !u.judged)
		err = judge(w, &u);
	if (!err && !u.have[HEADER])
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "no header");
	if (!err) {
		missing(w, &u.list);
		missing(w, &u.augment);
	}
	mender_list_free(&u.list);
	mender_list_free(&u.augment);
	free(u.text);
	free(u.augment_text);
	return err;
}
