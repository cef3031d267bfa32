/* SPDX-License-Identifier: Apache-2.0 */
#include "images/jcat.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/json.h"
#include "crypto/pem.h"
#include "crypto/visible.h"
#include "images/unpack.h"

#define FLAG_UTF8 1 /* Data is text as it stands; else base64 */
#define SHOWN_MAX 80

struct jcat {
	struct json *doc;
	const struct json_value *items;
	size_t n;
	bool plain;
};

static int
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return FG_EFORMAT;
}

static const char *
shown(struct view v, char dst[SHOWN_MAX])
{
	visible_cstr(v, dst, SHOWN_MAX);
	return dst;
}

/* ---- reading ---- */

static enum digest_alg
checksum_alg(uint64_t kind)
{
	return kind == JCAT_SHA1 ? DIGEST_SHA1 : kind == JCAT_SHA256 ? DIGEST_SHA256
	       : kind == JCAT_SHA512                               ? DIGEST_SHA512
	                                                            : DIGEST_NONE;
}

static uint64_t
number(const struct json_value *blob, const char *key)
{
	uint64_t n = 0;
	(void)json_uint(json_get(blob, key), &n);
	return n;
}

static bool
only(const struct json_value *object, const char *const *names, size_t n)
{
	for (size_t i = 0; i < json_count(object); i++) {
		bool known = false;
		for (size_t k = 0; k < n && !known; k++)
			known = view_is(json_key_at(object, i), names[k]);
		if (!known)
			return false;
	}
	return true;
}

/* The types of what is used; plain is lost with what is not known. */
static bool
check_blob(struct jcat *j, const struct json_value *blob)
{
	static const char *const keys[] = { "Kind", "Target", "Flags", "Timestamp", "Data" };
	uint64_t n;
	struct view data;
	j->plain &= only(blob, keys, sizeof keys / sizeof *keys);
	return json_type(blob) == JSON_OBJECT && json_uint(json_get(blob, "Kind"), &n) &&
	       (!json_get(blob, "Target") || json_uint(json_get(blob, "Target"), &n)) &&
	       (!json_get(blob, "Flags") || json_uint(json_get(blob, "Flags"), &n)) &&
	       (!json_get(blob, "Timestamp") || json_uint(json_get(blob, "Timestamp"), &n)) &&
	       json_string(json_get(blob, "Data"), &data);
}

static bool
check_item(struct jcat *j, size_t i)
{
	static const char *const keys[] = { "Id", "Blobs" };
	const struct json_value *item = json_at(j->items, i), *blobs = json_get(item, "Blobs");
	struct view id;
	j->plain &= only(item, keys, sizeof keys / sizeof *keys);
	if (json_type(item) != JSON_OBJECT || !json_string(json_get(item, "Id"), &id) || !id.n ||
	    (blobs && json_type(blobs) != JSON_ARRAY) || json_count(blobs) > JCAT_BLOBS_MAX)
		return false;
	unsigned seen = 0; /* checksums; each kind costs a pass over the file, and two would contradict each other */
	for (size_t k = 0; k < json_count(blobs); k++) {
		const struct json_value *blob = json_at(blobs, k);
		if (!check_blob(j, blob))
			return false;
		enum digest_alg alg = checksum_alg(number(blob, "Kind"));
		if (alg != DIGEST_NONE && seen & 1u << alg)
			return false;
		seen |= alg != DIGEST_NONE ? 1u << alg : 0;
	}
	for (size_t k = 0; k < i; k++)
		if (view_equal(jcat_id(j, k), id))
			return false;
	return true;
}

static int
check(struct jcat *j, const char **ret_why)
{
	static const char *const keys[] = { "JcatVersionMajor", "JcatVersionMinor", "Items" };
	const struct json_value *root = json_root(j->doc);
	uint64_t major = 1;
	j->items = json_get(root, "Items");
	j->plain = only(root, keys, sizeof keys / sizeof *keys);
	if (!json_uint(json_get(root, "JcatVersionMajor"), &major) || major != 0)
		return refuse(ret_why, "not of version 0");
	if (json_type(j->items) != JSON_ARRAY || json_count(j->items) > JCAT_ITEMS_MAX)
		return refuse(ret_why, "no list of items, or more than 256");
	j->n = json_count(j->items);
	for (size_t i = 0; i < j->n; i++)
		if (!check_item(j, i))
			return refuse(ret_why, "an item that is malformed, or stands there twice");
	return 0;
}

/* All of the gzip stream and nothing behind it. */
static int
unpack(struct view packed, uint8_t **ret, size_t *ret_n, const char **ret_why)
{
	struct source s;
	if (packed.n > JCAT_PACKED_MAX)
		return refuse(ret_why, "longer than 256 KiB");
	source_memory(&s, packed);
	struct unpack *u = unpack_new(UNPACK_GZIP, &s, (struct sig_range){ 0, packed.n });
	uint8_t *text = malloc(JCAT_TEXT_MAX + 1);
	size_t n = 0;
	long got = u && text ? 1 : FG_ENOMEM;
	while (got > 0 && n <= JCAT_TEXT_MAX) {
		got = unpack_read(u, text + n, JCAT_TEXT_MAX + 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	int err = got < 0 ? (int)got : 0;
	if (err == FG_EFORMAT)
		err = refuse(ret_why, "its gzip stream is damaged");
	else if (!err && got > 0)
		err = refuse(ret_why, "more than 1 MiB come out of it");
	else if (!err && unpack_left(u) > 0)
		err = refuse(ret_why, "bytes behind its gzip stream");
	unpack_free(u);
	if (err) {
		free(text);
		return err;
	}
	*ret = text;
	*ret_n = n;
	return 0;
}

int
jcat_read(struct view packed, struct jcat **ret, const char **ret_why)
{
	uint8_t *text = NULL;
	size_t n = 0;
	struct jcat *j = calloc(1, sizeof *j);
	int err = j ? unpack(packed, &text, &n, ret_why) : FG_ENOMEM;
	if (!err)
		err = json_parse(view_of(text, n), &j->doc, NULL);
	if (err == FG_ELIMIT || (err == FG_EFORMAT && text))
		err = refuse(ret_why, "no JSON, as it is read here");
	free(text);
	if (!err)
		err = check(j, ret_why);
	if (!err && packed.p[3] != 0) /* a name, a comment, extra fields of the gzip header: anybody's */
		j->plain = false;
	if (err)
		jcat_free(j);
	else
		*ret = j;
	return err;
}

void
jcat_free(struct jcat *j)
{
	if (j)
		json_free(j->doc);
	free(j);
}

bool
jcat_is_plain(const struct jcat *j)
{
	return j->plain;
}

size_t
jcat_items(const struct jcat *j)
{
	return j->n;
}

struct view
jcat_id(const struct jcat *j, size_t item)
{
	struct view id = view_of(NULL, 0);
	(void)json_string(json_get(json_at(j->items, item), "Id"), &id);
	return id;
}

bool
jcat_find(const struct jcat *j, struct view id, size_t *ret_item)
{
	for (size_t i = 0; i < j->n; i++)
		if (view_equal(jcat_id(j, i), id)) {
			*ret_item = i;
			return true;
		}
	return false;
}

/* ---- judging: signatures of the archive that the file lies in, and named as its own ---- */

/* One item over one file. */
struct judging {
	struct walk *w;
	struct walk over; /* the file as a container of its own, for the signatures' sake */
	struct walk_sums sums; /* of the file */
	const struct json_value *blobs;
	const struct source *file;
	struct view name;
};

/* "cab/pkcs7": what it is, and in what it came. */
struct scheme {
	char name[24];
};

static struct scheme
scheme_of(const struct walk *w, const char *kind)
{
	struct scheme s;
	snprintf(s.name, sizeof s.name, "%s%s", w->format == FORMAT_CAB ? "cab" : "jcat", kind);
	return s;
}

/* What is hashed or signed, as a container of its own; sums: those of its bytes, or NULL. */
static void
aim_at(struct judging *j, const struct source *s, struct walk_sums *sums)
{
	j->over = *j->w;
	j->over.image = s;
	j->over.sums = sums;
	j->over.placed = false;
	j->over.base = 0;
	j->over.under = (struct walk_signed){ 0 };
}

static bool
checksum_fits(const struct judging *j, const struct json_value *blob, enum digest_alg alg, int *err)
{
	uint8_t sum[DIGEST_LEN_MAX];
	char hex[2 * DIGEST_LEN_MAX + 1];
	struct view said = view_of(NULL, 0);
	(void)json_string(json_get(blob, "Data"), &said);
	const struct walk_span all = { .range = { { 0, j->file->size } }, .n = 1 };
	*err = walk_digest(&j->over, &all, alg, sum);
	hex_encode(sum, digest_len(alg), hex);
	return !*err && view_is(said, hex);
}

static int
checksums(struct judging *j, bool *ret_all)
{
	unsigned n = 0, wrong = 0;
	int err = 0;
	for (size_t i = 0; i < json_count(j->blobs) && !err; i++) {
		const struct json_value *blob = json_at(j->blobs, i);
		enum digest_alg alg = checksum_alg(number(blob, "Kind"));
		char text[SHOWN_MAX];
		if (alg == DIGEST_NONE)
			continue;
		n++;
		bool fits = checksum_fits(j, blob, alg, &err);
		if (err || fits)
			continue;
		wrong++;
		walk_raise(j->w, FINDING_MEMBER_DIGEST, NULL, "%s: its %s is not the one in the Jcat file",
		    shown(j->name, text), digest_name(alg));
	}
	*ret_all = n > 0 && wrong == 0;
	return err;
}

/* The DER in "-----BEGIN PKCS7-----", or as it stands. */
static int
judge_pkcs7(struct judging *j, struct view data, const struct walk_span *span, struct walk_signed *by)
{
	struct pem_object o = { .der = NULL }, second = { .der = NULL };
	struct pem it;
	const char *why = "";
	struct view der = data;
	struct scheme scheme = scheme_of(j->w, "/pkcs7");
	bool armoured = data.n && data.p[0] == '-';
	if (armoured) {
		pem_begin(&it, data, CMS_SIG_MAX);
		int more = pem_next(&it, &o, &why);
		if (more == FG_ENOMEM)
			return more;
		if (more == 1 && pem_next(&it, &second, &why) != 0)
			more = FG_EFORMAT;
		free(second.der);
		/* A PEM reader passes over what stands around; nothing does. */
		static const char end[] = "-----";
		while (data.n && (data.p[data.n - 1] == '\n' || data.p[data.n - 1] == '\r'))
			data.n--;
		if (data.n < sizeof end - 1 || memcmp(data.p + data.n - (sizeof end - 1), end, sizeof end - 1) != 0)
			more = FG_EFORMAT;
		if (more != 1 || (strcmp(o.label, "PKCS7") != 0 && strcmp(o.label, "CMS") != 0)) {
			free(o.der);
			walk_settle(j->w, scheme.name, SIG_INVALID, "not one armoured PKCS#7 object");
			return 0;
		}
		der = view_of(o.der, o.n);
	}
	int err = walk_cms(&j->over, scheme.name, der, span, by, NULL);
	free(o.der);
	return err;
}

static int
judge_ed25519(struct judging *j, struct view data, const struct walk_span *span, struct walk_signed *by)
{
	const struct scheme scheme = scheme_of(j->w, "/ed25519");
	const struct walk_claim claim = { .scheme = scheme.name, .as = TRUST_ED25519, .signature = data,
		.span = *span, .several = true };
	return walk_keys(&j->over, &claim, by);
}

static int
judge_kind(struct judging *j, uint64_t kind, struct view data, struct walk_signed *ret)
{
	const struct walk_span all = { .range = { { 0, j->over.image->size } }, .n = 1 };
	unsigned mark = walk_mark(j->w);
	struct walk_signed by = { 0 };
	int err = kind == JCAT_PKCS7    ? judge_pkcs7(j, data, &all, &by)
	          : kind == JCAT_ED25519 ? judge_ed25519(j, data, &all, &by)
	                                 : walk_openpgp(&j->over, scheme_of(j->w, "/openpgp").name, data, &all, &by, NULL);
	*ret = walk_since(j->w, mark);
	if (!err)
		walk_of_member(j->w, *ret, j->name);
	return err;
}

/* It is the file, or the text of one of its checksums, which fitted already. */
static bool
aim(struct judging *j, const struct json_value *blob, struct source *s)
{
	uint64_t target = number(blob, "Target");
	struct view text;
	*s = *j->file;
	if (target != JCAT_NONE) {
		/* One that collides would stand for another file. */
		if (!digest_is_strong(checksum_alg(target)))
			return false;
		bool found = false;
		for (size_t i = 0; i < json_count(j->blobs) && !found; i++) {
			const struct json_value *other = json_at(j->blobs, i);
			found = number(other, "Kind") == target && json_string(json_get(other, "Data"), &text);
		}
		if (!found)
			return false;
		source_memory(s, text);
	}
	aim_at(j, s, target == JCAT_NONE ? &j->sums : NULL);
	return true;
}

static int
data_of(const struct json_value *blob, struct writer *w)
{
	struct view data = view_of(NULL, 0);
	(void)json_string(json_get(blob, "Data"), &data);
	if (!(number(blob, "Flags") & FLAG_UTF8))
		return base64_decode(data, w);
	writer_bytes(w, data);
	return writer_err(w);
}

static int
signature(struct judging *j, const struct json_value *blob, struct jcat_verdict *v)
{
	uint64_t kind = number(blob, "Kind");
	struct source s;
	struct walk_signed by = { 0 };
	struct writer w;
	char text[SHOWN_MAX];
	if (checksum_alg(kind) != DIGEST_NONE)
		return 0;
	if (walk_mark(j->w) >= SIG_SIGNERS_MAX) { /* says so, and costs no pass over the file */
		walk_settle(j->w, scheme_of(j->w, "").name, SIG_INVALID, "not looked at");
		v->complete = false;
		return 0;
	}
	if ((kind != JCAT_GPG && kind != JCAT_PKCS7 && kind != JCAT_ED25519) || !aim(j, blob, &s)) {
		v->complete = false;
		walk_raise(j->w, FINDING_FMT_UNKNOWN_PART, NULL,
		    "%s: a Jcat blob of kind %u, or with a target, that is not looked at", shown(j->name, text),
		    (unsigned)(kind > 999 ? 999 : kind));
		return 0;
	}
	writer_init(&w, JCAT_TEXT_MAX);
	int err = data_of(blob, &w);
	if (err == FG_EFORMAT || err == FG_ELIMIT) {
		walk_settle(j->w, scheme_of(j->w, "").name, SIG_INVALID, "%s: a signature that is no base64", shown(j->name, text));
		err = 0;
	} else if (!err) {
		err = judge_kind(j, kind, writer_view(&w), &by);
	}
	v->complete &= walk_all_verified(j->w, by);
	writer_free(&w);
	return err;
}

bool
jcat_checksum(const struct jcat *j, size_t item, enum jcat_kind kind, struct view *ret)
{
	const struct json_value *blobs = json_get(json_at(j->items, item), "Blobs");
	for (size_t i = 0; i < json_count(blobs); i++)
		if (number(json_at(blobs, i), "Kind") == (uint64_t)kind)
			return json_string(json_get(json_at(blobs, i), "Data"), ret);
	return false;
}

int
jcat_judge(struct walk *w, const struct jcat *jc, size_t item, const struct source *file,
    struct jcat_verdict *ret)
{
	struct judging j = { .w = w, .blobs = json_get(json_at(jc->items, item), "Blobs"),
		.name = jcat_id(jc, item), .file = file };
	struct jcat_verdict v = { .complete = true };
	unsigned mark = walk_mark(w);
	aim_at(&j, file, &j.sums);
	int err = checksums(&j, &v.checked);
	for (size_t i = 0; i < json_count(j.blobs) && !err && v.checked; i++)
		err = signature(&j, json_at(j.blobs, i), &v);
	walk_sums_free(&j.sums);
	v.by = walk_since(w, mark);
	v.complete &= v.checked && walk_verified(w, v.by);
	*ret = v;
	return err;
}

int
jcat_judge_beside(struct walk *w, enum jcat_kind kind, struct view signature_, struct view name,
    const struct source *file, struct walk_signed *ret)
{
	struct judging j = { .w = w, .name = name, .file = file };
	aim_at(&j, file, NULL);
	return judge_kind(&j, kind, signature_, ret);
}

/* ---- alone ---- */

int
jcat_walk(struct walk *w)
{
	struct jcat *j = NULL;
	uint8_t *bytes = NULL;
	const char *why = "longer than 256 KiB";
	int err = walk_load(w, (struct sig_range){ 0, w->image->size }, JCAT_PACKED_MAX, &bytes);
	if (!err)
		err = jcat_read(view_of(bytes, (size_t)w->image->size), &j, &why);
	free(bytes);
	if (err == FG_EFORMAT) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "Jcat file: %s", why);
		return 0;
	}
	for (size_t i = 0; !err && i < jcat_items(j); i++) {
		char text[CONTENTS_VALUE_MAX], id[SHOWN_MAX];
		snprintf(text, sizeof text, "signatures of %s", shown(jcat_id(j, i), id));
		walk_fact(w, CONTENTS_FACT_NOTE, (struct walk_signed){ 0 }, view_str(text));
	}
	if (!err)
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, NULL,
		    "a Jcat file alone: it signs files that are not in it, and nobody signs it");
	jcat_free(j);
	return err;
}
