/* SPDX-License-Identifier: Apache-2.0 */
/* androidota_meta - what an update package says about itself, and about its payload. */
#include "images/androidota.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "crypto/base64.h"
#include "crypto/decimal.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/pem.h"
#include "crypto/pubkey.h"

#define METADATA "META-INF/com/android/metadata"
#define SCRIPT "META-INF/com/google/android/updater-script"
#define OTACERT "META-INF/com/android/otacert"
#define METADATA_MAX (64u << 10)
#define SCRIPT_MAX (1u << 20)
#define OTACERT_MAX (64u << 10)
#define PROPERTIES_MAX (16u << 10)
#define TIMESTAMP_MAX ((uint64_t)INT64_MAX)

/* ---- key=value lines ---- */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct view
trim(struct view v)
{
	while (v.n > 0 && is_blank(v.p[0]))
		v = view_of(v.p + 1, v.n - 1);
	while (v.n > 0 && is_blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

/* The part of *rest up to sep, which is taken from it; false at the end. */
static bool
next_part(struct view *rest, char sep, struct view *ret)
{
	if (!rest->p)
		return false;
	const uint8_t *end = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	*ret = view_of(rest->p, n);
	*rest = end ? view_of(end + 1, rest->n - n - 1) : view_of(NULL, 0);
	return true;
}

/* The next line that has a "=", both sides trimmed as recovery trims them. */
static bool
next_pair(struct view *rest, struct view *key, struct view *value)
{
	struct view line;
	while (next_part(rest, '\n', &line)) {
		const uint8_t *eq = line.n ? memchr(line.p, '=', line.n) : NULL;
		if (!eq)
			continue;
		*key = trim(view_of(line.p, (size_t)(eq - line.p)));
		*value = trim(view_of(eq + 1, line.n - (size_t)(eq - line.p) - 1));
		return true;
	}
	return false;
}

/* ---- META-INF/com/android/metadata ---- */

enum meaning { CLAIM, CLAIM_EACH, TIME, YES_OLDER, DEVICE, BEFORE, NOTE };

static const struct {
	const char *key;
	enum meaning meaning;
	enum contents_fact_id fact;
} known[] = {
	{ "ota-downgrade", YES_OLDER, CONTENTS_FACT_NOTE },
	{ "ota-type", CLAIM, CONTENTS_FACT_TYPE },
	{ "ota-wipe", NOTE, CONTENTS_FACT_NOTE },
	{ "post-build", CLAIM, CONTENTS_FACT_BUILD },
	{ "post-build-incremental", CLAIM, CONTENTS_FACT_VERSION },
	{ "post-sdk-level", NOTE, CONTENTS_FACT_NOTE },
	{ "post-security-patch-level", NOTE, CONTENTS_FACT_NOTE },
	{ "post-timestamp", TIME, CONTENTS_FACT_TIMESTAMP },
	{ "pre-build", BEFORE, CONTENTS_FACT_REQUIRES },
	{ "pre-build-incremental", CLAIM, CONTENTS_FACT_REQUIRES },
	{ "pre-device", CLAIM_EACH, CONTENTS_FACT_COMPATIBLE },
	{ "serialno", DEVICE, CONTENTS_FACT_TARGET },
	{ "spl-downgrade", YES_OLDER, CONTENTS_FACT_NOTE },
};
#define KNOWN_N (sizeof known / sizeof known[0])

static void
note(struct walk *w, struct walk_signed by, struct view key, struct view value)
{
	char text[CONTENTS_VALUE_MAX];
	int n = snprintf(text, sizeof text, "%.*s=%.*s", (int)(key.n < 60 ? key.n : 60),
	    (const char *)key.p, (int)(value.n < 60 ? value.n : 60), (const char *)value.p);
	walk_fact(w, CONTENTS_FACT_NOTE, by, view_of(text, n > 0 ? (size_t)n : 0));
}

static void
each(struct walk *w, enum contents_fact_id fact, struct walk_signed by, struct view value)
{
	struct view part;
	while (next_part(&value, '|', &part))
		if (part.n > 0)
			walk_fact(w, fact, by, part);
}

static void
take_pair(struct walk *w, unsigned i, struct walk_signed by, struct view key, struct view value,
    const uint64_t *at)
{
	uint64_t seconds;
	switch (known[i].meaning) {
	case CLAIM:
		walk_fact(w, known[i].fact, by, value);
		break;
	case CLAIM_EACH:
		each(w, known[i].fact, by, value);
		break;
	case TIME:
		if (decimal_parse(value, TIMESTAMP_MAX, &seconds))
			walk_fact_uint(w, known[i].fact, by, seconds);
		else
			walk_raise(w, FINDING_FMT_MALFORMED, at, METADATA ": %s is no number",
			    known[i].key);
		break;
	case YES_OLDER:
		note(w, by, key, value);
		if (view_is(value, "yes"))
			walk_raise(w, FINDING_META_DOWNGRADE, at, "%s=yes: recovery does not compare times",
			    known[i].key);
		break;
	case DEVICE:
		each(w, known[i].fact, by, value);
		walk_raise(w, FINDING_META_TARGETED, at, "only for serial number %.*s",
		    (int)(value.n < 120 ? value.n : 120), (const char *)value.p);
		break;
	case BEFORE:
		walk_fact(w, known[i].fact, by, value);
		walk_raise(w, FINDING_FMT_DELTA, at, "incremental: only for devices that run %.*s",
		    (int)(value.n < 120 ? value.n : 120), (const char *)value.p);
		break;
	case NOTE:
		note(w, by, key, value);
		break;
	}
}

static int
take_metadata(struct walk *w, struct view text, struct walk_signed by, uint64_t at)
{
	bool seen[KNOWN_N] = { false };
	struct view key, value;
	while (next_pair(&text, &key, &value)) {
		for (unsigned i = 0; i < KNOWN_N; i++) {
			if (!view_is(key, known[i].key))
				continue;
			if (seen[i])
				walk_raise(w, FINDING_FMT_DUPLICATE, &at, METADATA ": %s is there twice",
				    known[i].key);
			seen[i] = true;
			take_pair(w, i, by, key, value, &at);
		}
	}
	return 0;
}

/* ---- the script ---- */

/* Calls of edify that do more than copy a file to where an update goes. */
static const char *const calls[] = { "apply_patch", "block_image_update", "delete", "delete_recursive",
	"format", "mount", "package_extract_dir", "package_extract_file", "patch_partition", "reboot_now",
	"rename", "run_program", "set_metadata", "set_metadata_recursive", "symlink", "write_raw_image",
	"write_value" };
#define CALLS_N (sizeof calls / sizeof calls[0])

static bool
is_word(uint8_t c)
{
	return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Words before a "(", counted: a guide for whoever reads the script, not a judgement. */
static int
take_script(struct walk *w, struct view text, struct walk_signed by, uint64_t at)
{
	(void)at; /* nothing in it is a finding of its own: that it runs is one */
	unsigned count[CALLS_N] = { 0 };
	char line[CONTENTS_VALUE_MAX] = "updater-script calls";
	size_t start = 0, n = strlen(line);
	for (size_t i = 0; i < text.n; i++) {
		if (is_word(text.p[i]))
			continue;
		struct view word = view_of(text.p + start, i - start);
		for (unsigned k = 0; k < CALLS_N && text.p[i] == '('; k++)
			count[k] += view_is(word, calls[k]);
		start = i + 1;
	}
	for (unsigned k = 0; k < CALLS_N; k++) {
		if (count[k] == 0)
			continue;
		int more = snprintf(line + n, sizeof line - n, " %s:%u", calls[k], count[k]);
		if (more < 0 || (size_t)more >= sizeof line - n) {
			line[n] = '\0';
			walk_fact(w, CONTENTS_FACT_NOTE, by, view_str(line));
			n = strlen("updater-script calls");
			more = snprintf(line + n, sizeof line - n, " %s:%u", calls[k], count[k]);
		}
		n += (size_t)more;
	}
	if (n > strlen("updater-script calls"))
		walk_fact(w, CONTENTS_FACT_NOTE, by, view_str(line));
	return 0;
}

/* ---- otacert ---- */

/* The certificate the package brings along: never an anchor, only a name for the key (T14). */
static int
take_otacert(struct walk *w, struct view text, struct walk_signed by, uint64_t at)
{
	(void)at; /* a broken one names nobody, and nobody relies on it */
	struct pem it;
	struct pem_object o;
	const char *why = NULL;
	char line[CONTENTS_VALUE_MAX] = "otacert spki-sha256 ";
	uint8_t spki[DIGEST_SHA256_LEN];
	pem_begin(&it, text, OTACERT_MAX);
	int rc = pem_next(&it, &o, &why);
	if (rc <= 0)
		return rc == FG_ENOMEM ? rc : 0;
	const uint8_t *p = o.der;
	X509 *x = d2i_X509(NULL, &p, (long)o.n);
	EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
	int err = key ? pubkey_spki_sha256(key, spki) : FG_EFORMAT;
	if (!err) {
		hex_encode(spki, sizeof spki, line + strlen(line));
		walk_fact(w, CONTENTS_FACT_KEY_HINT, by, view_str(line));
	}
	ERR_clear_error();
	X509_free(x);
	free(o.der);
	return err == FG_ENOMEM ? err : 0;
}

/* ---- loading ---- */

/* NULL in *ret_text when there is no such file, or none that can be used, which is then told. */
static int
load(struct walk *w, const struct zip *z, const char *name, size_t max, uint8_t **ret_text, size_t *ret_n,
    uint64_t *ret_at)
{
	const struct zip_entry *e = zip_find(z, name);
	*ret_text = NULL;
	if (!e)
		return 0;
	*ret_at = e->header;
	int err = zip_load(w, e, max, ret_text, ret_n);
	if (err != FG_EFORMAT)
		return err;
	if (e->size > max)
		walk_raise(w, FINDING_FMT_WALK_LIMIT, &e->header, "%s is longer than %zu bytes", name, max);
	else
		walk_raise(w, FINDING_FMT_MALFORMED, &e->header, "%s cannot be unpacked", name);
	return 0;
}

/* What is read as text, and by whom. */
static const struct {
	const char *name;
	size_t max;
	int (*take)(struct walk *w, struct view text, struct walk_signed by, uint64_t at);
} texts[] = { { METADATA, METADATA_MAX, take_metadata }, { SCRIPT, SCRIPT_MAX, take_script },
	{ OTACERT, OTACERT_MAX, take_otacert } };

int
androidota_meta(struct walk *w, const struct zip *z, struct walk_signed by)
{
	int err = 0;
	for (unsigned i = 0; i < sizeof texts / sizeof texts[0] && !err; i++) {
		uint8_t *text = NULL;
		uint64_t at = 0;
		size_t n = 0;
		err = load(w, z, texts[i].name, texts[i].max, &text, &n, &at);
		if (!err && text)
			err = texts[i].take(w, view_of(text, n), by, at);
		free(text);
	}
	return err;
}

/* ---- payload.bin and its properties ---- */

struct properties {
	bool have_file, have_metadata, have_file_size, have_metadata_size;
	uint8_t file[DIGEST_SHA256_LEN], metadata[DIGEST_SHA256_LEN];
	uint64_t file_size, metadata_size;
};

static bool
take_hash(struct view value, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct writer out;
	writer_init(&out, 64);
	bool fits = base64_decode(value, &out) == 0 && writer_view(&out).n == DIGEST_SHA256_LEN;
	if (fits)
		memcpy(ret, writer_view(&out).p, DIGEST_SHA256_LEN);
	writer_free(&out);
	return fits;
}

/* NULL, or the key that is malformed or there twice. */
static const char *
parse_properties(struct view text, struct properties *p)
{
	struct view key, value;
	while (next_pair(&text, &key, &value)) {
		if (view_is(key, "FILE_HASH")) {
			if (p->have_file || !take_hash(value, p->file))
				return "FILE_HASH";
			p->have_file = true;
		} else if (view_is(key, "METADATA_HASH")) {
			if (p->have_metadata || !take_hash(value, p->metadata))
				return "METADATA_HASH";
			p->have_metadata = true;
		} else if (view_is(key, "FILE_SIZE")) {
			if (p->have_file_size || !decimal_parse(value, SOURCE_SIZE_MAX, &p->file_size))
				return "FILE_SIZE";
			p->have_file_size = true;
		} else if (view_is(key, "METADATA_SIZE")) {
			if (p->have_metadata_size || !decimal_parse(value, SOURCE_SIZE_MAX, &p->metadata_size))
				return "METADATA_SIZE";
			p->have_metadata_size = true;
		}
	}
	return NULL;
}

static int
check_metadata(struct walk *w, const struct zip_entry *e, const struct properties *p)
{
	uint8_t sum[DIGEST_LEN_MAX];
	if (!p->have_metadata || !p->have_metadata_size)
		return 0;
	if (e->method != 0 || p->metadata_size > e->size) {
		walk_raise(w, FINDING_FMT_CONFLICT, &e->header,
		    "payload_properties.txt speaks of %" PRIu64 " bytes of metadata %s", p->metadata_size,
		    e->method != 0 ? "in a payload that is packed" : "in a shorter payload");
		return 0;
	}
	struct walk_span span = { .range = { { e->data, p->metadata_size } }, .n = 1 };
	int err = walk_digest(w, &span, DIGEST_SHA256, sum);
	if (!err && memcmp(sum, p->metadata, DIGEST_SHA256_LEN) != 0)
		walk_raise(w, FINDING_MEMBER_DIGEST, &e->header,
		    "payload.bin: METADATA_HASH of payload_properties.txt does not fit");
	return err;
}

int
androidota_payload(struct walk *w, const struct zip *z, struct androidota_payload *ret)
{
	struct properties p = { 0 };
	uint8_t *text = NULL;
	size_t n = 0;
	uint64_t at = 0;
	*ret = (struct androidota_payload){ .entry = zip_find(z, "payload.bin") };
	int err = load(w, z, "payload_properties.txt", PROPERTIES_MAX, &text, &n, &at);
	if (err || !text)
		return err;
	const char *bad = parse_properties(view_of(text, n), &p);
	free(text);
	if (bad) {
		walk_raise(w, FINDING_FMT_MALFORMED, &at,
		    "payload_properties.txt: %s is malformed or there twice", bad);
		return 0;
	}
	if (!ret->entry) {
		walk_raise(w, FINDING_MEMBER_MISSING, &at,
		    "payload_properties.txt describes a payload.bin that is not there");
		return 0;
	}
	if (p.have_file_size && p.file_size != ret->entry->size)
		walk_raise(w, FINDING_FMT_CONFLICT, &at,
		    "payload.bin has %" PRIu64 " bytes, payload_properties.txt says %" PRIu64,
		    ret->entry->size, p.file_size);
	ret->have_hash = p.have_file;
	memcpy(ret->sha256, p.file, sizeof ret->sha256);
	return check_metadata(w, ret->entry, &p);
}
