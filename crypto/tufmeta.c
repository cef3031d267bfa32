/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/tufmeta.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/ed25519.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonf.h"
#include "crypto/keyform.h"
#include "crypto/olpc.h"
#include "crypto/pem.h"
#include "crypto/published.h"
#include "crypto/rawsig.h"

static const char *const type_names[] = { "none", "root", "timestamp", "snapshot", "targets" };

static const size_t longest[] = { TUFMETA_TARGETS_MAX, TUFMETA_ROOT_MAX, TUFMETA_TIMESTAMP_MAX,
	TUFMETA_SNAPSHOT_MAX, TUFMETA_TARGETS_MAX };

const char *
tufmeta_type_name(enum tufmeta_type type)
{
	return (unsigned)type <= TUFMETA_TARGETS ? type_names[type] : type_names[TUFMETA_NONE];
}

/* ---- form ---- */

/* The i-th key id of a list of such strings, or the "keyid" of a signature. */
static bool
name_of(const struct json_value *v, char ret[TUFMETA_NAME_MAX])
{
	return json_cstr(v, ret, TUFMETA_NAME_MAX) && ret[0] != '\0';
}

bool
tufmeta_is_role(const struct json_value *role)
{
	const struct json_value *ids = json_get(role, "keyids");
	char a[TUFMETA_NAME_MAX], b[TUFMETA_NAME_MAX];
	uint64_t threshold;
	if (json_type(ids) != JSON_ARRAY || json_count(ids) > TUFMETA_KEYS_MAX ||
	    !json_uint(json_get(role, "threshold"), &threshold) || threshold == 0)
		return false;
	for (size_t i = 0; i < json_count(ids); i++) {
		if (!name_of(json_at(ids, i), a))
			return false;
		for (size_t k = 0; k < i; k++)
			if (name_of(json_at(ids, k), b) && strcmp(a, b) == 0)
				return false;
	}
	return true;
}

/* The same key id twice would let one key be taken for two. */
static const char *
signatures_wrong(const struct json_value *list)
{
	char a[TUFMETA_NAME_MAX], b[TUFMETA_NAME_MAX];
	if (json_type(list) != JSON_ARRAY)
		return "without a list of signatures";
	if (json_count(list) > TUFMETA_SIGNATURES_MAX)
		return "with more than 64 signatures";
	for (size_t i = 0; i < json_count(list); i++) {
		struct view sig;
		if (!name_of(json_get(json_at(list, i), "keyid"), a) ||
		    !json_string(json_get(json_at(list, i), "sig"), &sig))
			return "with a signature that has no key id or no bytes";
		for (size_t k = 0; k < i; k++)
			if (name_of(json_get(json_at(list, k), "keyid"), b) && strcmp(a, b) == 0)
				return "with two signatures under one key id";
	}
	return NULL;
}

static const char *
root_wrong(struct tufmeta *m)
{
	static const enum tufmeta_type roles[] = { TUFMETA_ROOT, TUFMETA_TIMESTAMP, TUFMETA_SNAPSHOT,
		TUFMETA_TARGETS };
	const struct json_value *consistent = json_get(m->said, "consistent_snapshot");
	if (json_type(json_get(m->said, "keys")) != JSON_OBJECT)
		return "a root without keys";
	if (consistent && !json_bool(consistent, &m->consistent))
		return "a root whose consistent_snapshot is neither true nor false";
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (!tufmeta_is_role(tufmeta_role(m, roles[i])))
			return "a root in which a role is missing, names a key twice or has a threshold below 1";
	return NULL;
}

/* What each type must have beyond what all have; NULL: it has. */
static const char *
type_wrong(struct tufmeta *m)
{
	const struct json_value *meta = json_get(m->said, "meta");
	switch (m->type) {
	case TUFMETA_ROOT:
		return root_wrong(m);
	case TUFMETA_TIMESTAMP:
		return json_count(meta) == 1 && json_type(json_get(meta, "snapshot.json")) == JSON_OBJECT
		           ? NULL
		           : "a timestamp that names more or less than one snapshot";
	case TUFMETA_SNAPSHOT:
		return json_type(json_get(meta, "targets.json")) == JSON_OBJECT
		           ? NULL
		           : "a snapshot that does not name the targets";
	case TUFMETA_TARGETS:
		return json_type(json_get(m->said, "targets")) == JSON_OBJECT ? NULL
		                                                              : "targets without any list";
	case TUFMETA_NONE:
		break;
	}
	return "of no type that is known";
}

static enum tufmeta_type
type_of(const struct json_value *said)
{
	struct view word;
	if (!json_string(json_get(said, "_type"), &word))
		return TUFMETA_NONE;
	for (unsigned i = TUFMETA_ROOT; i <= TUFMETA_TARGETS; i++)
		if (view_is(word, type_names[i]))
			return (enum tufmeta_type)i;
	return TUFMETA_NONE;
}

/* "1.0.31": the major version is what a client must know (section 4.3). */
static bool
spec_is_known(const struct json_value *said)
{
	struct view v;
	return json_string(json_get(said, "spec_version"), &v) && v.n >= 2 && v.p[0] == '1' && v.p[1] == '.';
}

static const char *
wrong(struct tufmeta *m, enum tufmeta_type type)
{
	const struct json_value *top = json_root(m->doc);
	m->said = json_get(top, "signed");
	m->type = type_of(m->said);
	if (json_type(m->said) != JSON_OBJECT)
		return "without a signed part";
	if (type != TUFMETA_NONE && m->type != type)
		return "of another type than its name says";
	if (!spec_is_known(m->said))
		return "of another specification than TUF 1";
	if (!json_uint(json_get(m->said, "version"), &m->version) || m->version == 0)
		return "without a version";
	if (!jsonf_time(json_get(m->said, "expires"), &m->expires))
		return "without a time at which it expires";
	const char *why = signatures_wrong(json_get(top, "signatures"));
	return why ? why : type_wrong(m);
}

int
tufmeta_open(struct view file, enum tufmeta_type type, struct tufmeta **ret, char *ret_why, size_t cap)
{
	struct json_error where = { .what = "" };
	if (file.n > longest[type]) {
		snprintf(ret_why, cap, "longer than %zu bytes", longest[type]);
		return FG_EFORMAT;
	}
	struct tufmeta *m = calloc(1, sizeof *m);
	if (!m)
		return FG_ENOMEM;
	int err = json_parse(file, &m->doc, &where);
	const char *why = err ? NULL : wrong(m, type);
	writer_init(&m->tbs, JSON_TEXT_MAX); /* never longer than the text it comes from */
	if (err && err != FG_ENOMEM) {
		snprintf(ret_why, cap, "no JSON as it must be, at byte %zu: %s", where.offset, where.what);
		err = FG_EFORMAT;
	} else if (why) {
		snprintf(ret_why, cap, "%s", why);
		err = FG_EFORMAT;
	}
	if (!err)
		olpc_write(m->said, &m->tbs);
	if (!err)
		err = writer_err(&m->tbs);
	if (err)
		tufmeta_free(m);
	else
		*ret = m;
	return err;
}

void
tufmeta_free(struct tufmeta *m)
{
	if (!m)
		return;
	json_free(m->doc);
	writer_free(&m->tbs);
	free(m);
}

const struct json_value *
tufmeta_keys(const struct tufmeta *root)
{
	return json_get(root->said, "keys");
}

const struct json_value *
tufmeta_role(const struct tufmeta *root, enum tufmeta_type type)
{
	return json_get(json_get(root->said, "roles"), tufmeta_type_name(type));
}

/* ---- keys ---- */

/*
 * The forms of a key whose digest is its name (section 4.2.1): the record as it
 * stands; its fields that matter, for tools that add others later; and these with
 * a list of digests, which securesystemslib counted in up to 0.26 even where
 * python-tuf did not write it.
 */
enum key_form { FORM_RECORD, FORM_FIELDS, FORM_ALGORITHMS, FORM_LIMIT };

static void
write_key(const struct json_value *key, enum key_form form, struct writer *w)
{
	if (form == FORM_RECORD) {
		olpc_write(key, w);
		return;
	}
	writer_text(w, form == FORM_ALGORITHMS ? "{\"keyid_hash_algorithms\":[\"sha256\",\"sha512\"]," : "{");
	writer_text(w, "\"keytype\":");
	olpc_write(json_get(key, "keytype"), w);
	writer_text(w, ",\"keyval\":{\"public\":");
	olpc_write(json_get(json_get(key, "keyval"), "public"), w);
	writer_text(w, "},\"scheme\":");
	olpc_write(json_get(key, "scheme"), w);
	writer_text(w, "}");
}

static int
is_named(const struct json_value *key, const char *id, bool *ret)
{
	uint8_t sum[DIGEST_SHA256_LEN];
	char hex[DIGEST_HEX_LEN + 1];
	struct writer w;
	int err = 0;
	writer_init(&w, JSON_TEXT_MAX);
	*ret = false;
	for (unsigned form = FORM_RECORD; form < FORM_LIMIT && !err && !*ret; form++) {
		writer_reset(&w);
		write_key(key, (enum key_form)form, &w);
		err = writer_err(&w) ? writer_err(&w) : digest_sha256(writer_view(&w), sum);
		hex_encode(sum, sizeof sum, hex);
		*ret = !err && strcmp(hex, id) == 0;
	}
	writer_free(&w);
	return err;
}

/* One PEM public key and nothing beside it; NULL when it is none. */
static int
from_pem(struct view text, EVP_PKEY **ret)
{
	struct pem it;
	struct pem_object object, more;
	const char *why;
	pem_begin(&it, text, KEYFORM_DER_MAX);
	int n = pem_next(&it, &object, &why);
	if (n != 1)
		return n == FG_ENOMEM ? n : 0;
	if (strcmp(object.label, "PUBLIC KEY") == 0 && keyform_from_der(view_of(object.der, object.n), ret))
		*ret = NULL;
	free(object.der);
	n = pem_next(&it, &more, &why);
	if (n == 1)
		free(more.der);
	if (n != 0) {
		EVP_PKEY_free(*ret);
		*ret = NULL;
	}
	return n == FG_ENOMEM ? n : 0;
}

/*
 * The key of a record, ready to verify as its scheme says; *ret_pkey NULL when it
 * is of a kind that is not calculated here. Nothing is left to the signature.
 */
static int
load_key(const struct json_value *record, struct trust_key *ret)
{
	struct view type, scheme, public;
	uint8_t raw[ED25519_KEY_LEN];
	int err = 0;
	if (!json_string(json_get(record, "keytype"), &type) ||
	    !json_string(json_get(record, "scheme"), &scheme) ||
	    !json_string(json_get(json_get(record, "keyval"), "public"), &public))
		return 0;
	if (view_is(type, "ed25519") && view_is(scheme, "ed25519")) {
		ret->scheme = TRUST_ED25519;
		if (hex_decode(public, raw, sizeof raw))
			ret->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", PUBKEY_PROPQ, raw, sizeof raw);
	} else if (view_is(type, "rsa") && view_is(scheme, "rsassa-pss-sha256")) {
		ret->scheme = TRUST_RSA_PSS_SHA256;
		err = from_pem(public, &ret->pkey);
	} else if ((view_is(type, "ecdsa") || view_is(type, "ecdsa-sha2-nistp256")) &&
	           view_is(scheme, "ecdsa-sha2-nistp256")) {
		ret->scheme = TRUST_ECDSA_DER;
		err = from_pem(public, &ret->pkey);
	}
	if (!err && ret->pkey)
		pubkey_type(ret->pkey, ret->key_type);
	return err;
}

static bool
is_fit(const struct trust_key *key, unsigned rsa_bits_min)
{
	char why[SIG_TEXT_MAX];
	return key->pkey && rawsig_key_can(key, key->scheme) &&
	       pubkey_is_fit(key->pkey, rsa_bits_min, why, sizeof why) &&
	       (key->scheme != TRUST_ECDSA_DER || strcmp(key->key_type, "ec-p256") == 0);
}

/* ---- threshold ---- */

/* The bytes of the signature under that id; no bytes when there is none, or none in hexadecimal. */
static struct view
signature_of(const struct tufmeta *m, const char *id, uint8_t buf[RAWSIG_MAX], bool *ret_there)
{
	const struct json_value *list = json_get(json_root(m->doc), "signatures");
	char name[TUFMETA_NAME_MAX];
	struct view hex = { NULL, 0 };
	*ret_there = false;
	for (size_t i = 0; i < json_count(list); i++)
		if (name_of(json_get(json_at(list, i), "keyid"), name) && strcmp(name, id) == 0)
			(void)json_string(json_get(json_at(list, i), "sig"), &hex);
	*ret_there = hex.n > 0; /* some tools leave an empty place for who has not signed yet */
	if (hex.n == 0 || hex.n % 2 || hex.n / 2 > RAWSIG_MAX || !hex_decode(hex, buf, hex.n / 2))
		return view_of(NULL, 0);
	return view_of(buf, hex.n / 2);
}

static int
fits(const struct tufmeta *m, const struct trust_key *key, struct view sig, bool *ret)
{
	struct sig_result result = { .outcome = SIG_UNKNOWN };
	uint8_t sum[DIGEST_LEN_MAX];
	enum digest_alg alg = rawsig_digest(key);
	int err;
	if (alg == DIGEST_NONE) {
		err = rawsig_judge_message(key, writer_view(&m->tbs), sig, &result);
	} else {
		err = digest_bytes(alg, writer_view(&m->tbs), sum);
		if (!err)
			err = rawsig_judge_digest(key, view_of(sum, digest_len(alg)), sig, &result);
	}
	*ret = !err && result.outcome == SIG_VERIFIED;
	return err;
}

/* Whoever signed is known by the key itself. */
static int
count_key(const struct trust_key *key, struct tufmeta_count *c)
{
	struct tufmeta_signer s = { .digest = rawsig_digest(key) };
	int err = pubkey_spki_sha256(key->pkey, s.spki_sha256);
	if (err)
		return err;
	for (unsigned i = 0; i < c->n; i++)
		if (memcmp(c->signer[i].spki_sha256, s.spki_sha256, sizeof s.spki_sha256) == 0) {
			c->twice++;
			return 0;
		}
	memcpy(s.key_type, key->key_type, sizeof s.key_type);
	s.published = published_find(s.spki_sha256) != NULL;
	c->signer[c->n++] = s;
	return 0;
}

static int
try_id(const struct tufmeta *m, const struct json_value *keys, const char *id, unsigned rsa_bits_min,
    struct tufmeta_count *c)
{
	struct trust_key key = { .name = "of a role" };
	uint8_t buf[RAWSIG_MAX];
	const struct json_value *record = json_get(keys, id);
	bool there, named = false, good = false;
	struct view sig = signature_of(m, id, buf, &there);
	if (!there || !record)
		return 0;
	int err = is_named(record, id, &named);
	if (!err && !named) {
		c->misnamed++;
		return 0;
	}
	if (!err)
		err = load_key(record, &key);
	bool fit = !err && is_fit(&key, rsa_bits_min);
	if (fit)
		err = fits(m, &key, sig, &good);
	if (!err && !fit)
		c->unusable++;
	else if (!err && !good)
		c->broken++;
	else if (!err)
		err = count_key(&key, c);
	EVP_PKEY_free(key.pkey);
	return err;
}

int
tufmeta_count(const struct tufmeta *m, const struct json_value *keys, const struct json_value *role,
    unsigned rsa_bits_min, struct tufmeta_count *ret)
{
	const struct json_value *ids = json_get(role, "keyids");
	char id[TUFMETA_NAME_MAX];
	int err = 0;
	if (!tufmeta_is_role(role))
		abort();
	*ret = (struct tufmeta_count){ .n = 0 };
	(void)json_uint(json_get(role, "threshold"), &ret->threshold);
	for (size_t i = 0; i < json_count(ids) && !err; i++)
		if (name_of(json_at(ids, i), id))
			err = try_id(m, keys, id, rsa_bits_min, ret);
	return err;
}

bool
tufmeta_met(const struct tufmeta_count *c)
{
	return c->threshold > 0 && c->n >= c->threshold;
}

void
tufmeta_explain(const struct tufmeta_count *c, char *dst, size_t cap)
{
	static const char *const why[] = { "that do not fit", "by a key that was counted",
		"under an id that is not the key's digest", "of a kind or strength that is not taken" };
	const unsigned many[] = { c->broken, c->twice, c->misnamed, c->unusable };
	int at = snprintf(dst, cap, "%u of %" PRIu64 " keys that are needed signed it", c->n, c->threshold);
	for (size_t i = 0; i < sizeof many / sizeof many[0]; i++)
		if (many[i] && at > 0 && (size_t)at < cap)
			at += snprintf(dst + at, cap - (size_t)at, "; signatures %s: %u", why[i], many[i]);
}
