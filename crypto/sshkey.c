/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sshkey.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#include "crypto/base64.h"
#include "crypto/ed25519.h"
#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/stamp.h"
#include "crypto/visible.h"

#define TYPE_NAME_MAX 64 /* the longest OpenSSH names are certificates, at 49 */
#define CURVE_NAME "nistp256"

static const struct {
	const char *name;
	size_t point_len;
	bool sk;
} TYPES[] = {
	[SSHKEY_NONE] = { "", 0, false },
	[SSHKEY_ED25519] = { "ssh-ed25519", ED25519_KEY_LEN, false },
	[SSHKEY_SK_ED25519] = { "sk-ssh-ed25519@openssh.com", ED25519_KEY_LEN, true },
	[SSHKEY_SK_ECDSA] = { "sk-ecdsa-sha2-nistp256@openssh.com", SSHKEY_POINT_LEN, true },
};
#define TYPES_N (sizeof TYPES / sizeof *TYPES)

/* Families people will try, and what to tell them. First match wins. */
static const struct {
	const char *prefix;
	const char *why;
} REFUSED[] = {
	{ "ssh-ed25519-cert-", "certificates are not accepted, only plain keys" },
	{ "sk-ssh-ed25519-cert-", "certificates are not accepted, only plain keys" },
	{ "sk-ecdsa-sha2-nistp256-cert-", "certificates are not accepted, only plain keys" },
	{ "ssh-rsa", "RSA keys are not accepted: use ssh-ed25519 or a security key" },
	{ "rsa-sha2-", "RSA keys are not accepted: use ssh-ed25519 or a security key" },
	{ "ssh-dss", "DSA keys are not accepted: use ssh-ed25519 or a security key" },
	{ "ecdsa-sha2-", "ECDSA file keys are not accepted: use ssh-ed25519 or a security key" },
	{ "webauthn-sk-", "this names a signature, not a key" },
	{ "ssh-", "key type not accepted: use ssh-ed25519 or a security key" },
	{ "sk-", "key type not accepted: use ssh-ed25519 or a security key" },
};

static int
refuse(const char **ret_why, const char *why)
{
	if (ret_why)
		*ret_why = why;
	return FG_EFORMAT;
}

static bool
begins(struct view v, const char *prefix)
{
	size_t n = strlen(prefix);
	return v.n >= n && memcmp(v.p, prefix, n) == 0;
}

static enum sshkey_type
type_of(struct view name, const char **ret_why)
{
	for (unsigned i = SSHKEY_NONE + 1; i < TYPES_N; i++) {
		if (view_is(name, TYPES[i].name))
			return (enum sshkey_type)i;
	}
	for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
		if (begins(name, REFUSED[i].prefix)) {
			(void)refuse(ret_why, REFUSED[i].why);
			return SSHKEY_NONE;
		}
	}
	(void)refuse(ret_why, "does not begin with a known key type");
	return SSHKEY_NONE;
}

const char *
sshkey_type_name(enum sshkey_type type)
{
	return (unsigned)type < TYPES_N ? TYPES[type].name : "";
}

bool
sshkey_is_sk(const struct sshkey *key)
{
	return (unsigned)key->type < TYPES_N && TYPES[key->type].sk;
}

size_t
sshkey_point_len(const struct sshkey *key)
{
	return (unsigned)key->type < TYPES_N ? TYPES[key->type].point_len : 0;
}

static bool
p256_is_safe(const uint8_t point[SSHKEY_POINT_LEN])
{
	bool safe = false;
	if (point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return false;
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *p = group ? EC_POINT_new(group) : NULL;
	/* The cofactor is one: any point on the curve but infinity, which has no 65-byte form, will do. */
	if (p && EC_POINT_oct2point(group, p, point, SSHKEY_POINT_LEN, NULL) == 1 &&
	    EC_POINT_is_on_curve(group, p, NULL) == 1)
		safe = true;
	EC_POINT_free(p);
	EC_GROUP_free(group);
	ERR_clear_error();
	return safe;
}

/* What an application string is made of: it is shown, logged and hashed. */
static bool
application_is_plain(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < 0x21 || v.p[i] > 0x7e)
			return false;
	}
	return v.n > 0 && v.n <= SSHKEY_APPLICATION_MAX;
}

int
sshkey_parse_blob(struct view blob, struct sshkey *ret, const char **ret_why)
{
	struct reader r;
	struct sshkey key = { .type = SSHKEY_NONE };
	reader_init(&r, blob);
	struct view name = reader_blob(&r, TYPE_NAME_MAX);
	if (r.bad)
		return refuse(ret_why, "malformed key");
	key.type = type_of(name, ret_why);
	if (key.type == SSHKEY_NONE)
		return FG_EFORMAT;
	if (key.type == SSHKEY_SK_ECDSA && !view_is(reader_blob(&r, sizeof CURVE_NAME), CURVE_NAME))
		return refuse(ret_why, "not the curve its type names");
	struct view point = reader_blob(&r, SSHKEY_POINT_LEN);
	struct view application = view_of(NULL, 0);
	if (TYPES[key.type].sk)
		application = reader_blob(&r, SSHKEY_APPLICATION_MAX);
	if (!reader_end(&r) || point.n != TYPES[key.type].point_len)
		return refuse(ret_why, "malformed key");
	if (TYPES[key.type].sk && !application_is_plain(application))
		return refuse(ret_why, "malformed application in a security key");
	memcpy(key.point, point.p, point.n);
	if (application.n)
		memcpy(key.application, application.p, application.n);
	bool safe = key.type == SSHKEY_SK_ECDSA ? p256_is_safe(key.point) :
	    ed25519_key_is_safe(key.point);
	if (!safe)
		return refuse(ret_why, "not a point this kind of key can have, or one of small order");
	*ret = key;
	return 0;
}

/* The next word up to a space or tab; *rest loses it and one separator. */
static struct view
next_word(struct view *rest)
{
	size_t n = 0;
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	struct view word = view_of(rest->p, n);
	size_t skip = n < rest->n ? n + 1 : n;
	*rest = view_of(rest->p + skip, rest->n - skip);
	return word;
}

int
sshkey_parse_line(struct view line, struct sshkey *ret, char *comment, size_t cap,
    const char **ret_why)
{
	if (line.n > SSHKEY_LINE_MAX)
		return refuse(ret_why, "key line too long");
	struct view rest = line;
	if (rest.n && rest.p[rest.n - 1] == '\n')
		rest.n--;
	if (rest.n && rest.p[rest.n - 1] == '\r')
		rest.n--;
	if (rest.n == 0 || memchr(rest.p, '\n', rest.n))
		return refuse(ret_why, "exactly one line with one key is wanted");
	struct view name = next_word(&rest);
	struct view text = next_word(&rest);
	enum sshkey_type type = type_of(name, ret_why);
	if (type == SSHKEY_NONE)
		return FG_EFORMAT;

	struct writer blob;
	struct sshkey key;
	writer_init(&blob, SSHKEY_LINE_MAX);
	int rc = base64_decode(text, &blob);
	if (rc == FG_EFORMAT)
		(void)refuse(ret_why, "malformed base64 in the key");
	if (rc == 0)
		rc = sshkey_parse_blob(writer_view(&blob), &key, ret_why);
	if (rc == 0 && key.type != type)
		rc = refuse(ret_why, "the key is of another type than its line says");
	writer_free(&blob);
	if (rc < 0)
		return rc;
	*ret = key;
	if (comment)
		visible_cstr(rest, comment, cap);
	return 0;
}

void
sshkey_write_blob(const struct sshkey *key, struct writer *w)
{
	if (key->type == SSHKEY_NONE || (unsigned)key->type >= TYPES_N)
		abort();
	writer_cstr(w, TYPES[key->type].name);
	if (key->type == SSHKEY_SK_ECDSA)
		writer_cstr(w, CURVE_NAME);
	writer_blob(w, view_of(key->point, TYPES[key->type].point_len));
	if (TYPES[key->type].sk)
		writer_cstr(w, key->application);
}

void
sshkey_write_line(const struct sshkey *key, struct writer *w)
{
	struct writer blob;
	writer_init(&blob, SSHKEY_BLOB_MAX);
	sshkey_write_blob(key, &blob);
	writer_text(w, TYPES[key->type].name);
	writer_text(w, " ");
	if (writer_err(&blob) < 0)
		w->err = writer_err(&blob);
	else
		base64_encode(writer_view(&blob), w);
	writer_free(&blob);
}

bool
sshkey_same_point(const struct sshkey *a, const struct sshkey *b)
{
	size_t n = sshkey_point_len(a);
	return n != 0 && n == sshkey_point_len(b) && memcmp(a->point, b->point, n) == 0;
}

bool
sshkey_equal(const struct sshkey *a, const struct sshkey *b)
{
	return a->type == b->type && sshkey_same_point(a, b) &&
	    strcmp(a->application, b->application) == 0;
}

int
sshkey_digest(const struct sshkey *key, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct writer blob;
	writer_init(&blob, SSHKEY_BLOB_MAX);
	sshkey_write_blob(key, &blob);
	int rc = writer_err(&blob);
	if (rc == 0)
		rc = digest_sha256(writer_view(&blob), ret);
	writer_free(&blob);
	return rc;
}

int
sshkey_fingerprint(const struct sshkey *key, char ret[SSHKEY_FINGERPRINT_CAP])
{
	uint8_t digest[DIGEST_SHA256_LEN];
	int rc = sshkey_digest(key, digest);
	if (rc < 0)
		return rc;
	struct writer w;
	writer_init(&w, SSHKEY_FINGERPRINT_CAP);
	writer_text(&w, "SHA256:");
	base64_encode(view_of(digest, sizeof digest), &w);
	rc = writer_err(&w);
	if (rc == 0) {
		struct view text = writer_view(&w);
		memcpy(ret, text.p, text.n - 1); /* without the one '=' */
		ret[text.n - 1] = '\0';
	}
	writer_free(&w);
	return rc;
}

/*
 * A word that means only itself in allowed_signers: no pattern (*?!), no list,
 * no quoting, no comment, no white space.
 */
static bool
is_exact(const char *s, const char *also)
{
	size_t n = strlen(s);
	if (n == 0 || n > SSHKEY_PRINCIPAL_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		bool refused = c < 0x21 || c > 0x7e || strchr("*?!,\"'\\#", c);
		if (refused && !strchr(also, c))
			return false;
	}
	return true;
}

/* "2026-01-01T10:00:00Z" as 20260101100000Z. */
static int
write_date(struct writer *w, const char *key, int64_t t)
{
	char stamp[STAMP_CAP];
	int rc = stamp_format(t, stamp);
	if (rc < 0)
		return rc;
	writer_textf(w, ",%s=\"", key);
	for (const char *c = stamp; *c; c++) {
		if ((*c >= '0' && *c <= '9') || *c == 'Z')
			writer_u8(w, (uint8_t)*c);
	}
	/* The Z (OpenSSH 9.1 and later) keeps the auditor's time zone out of it. */
	writer_text(w, "\"");
	return 0;
}

int
sshkey_write_allowed(const struct sshkey *key, const char *principal, const char *namespaces,
    int64_t valid_after, int64_t valid_before, struct writer *w)
{
	if (!is_exact(principal, "") || !is_exact(namespaces, ","))
		return FG_EINVAL;
	/* ssh-keygen takes a zero date for "none given". */
	if (valid_after <= 0 || valid_before <= valid_after || valid_before > STAMP_MAX)
		return FG_EINVAL;
	writer_textf(w, "%s namespaces=\"%s\"", principal, namespaces);
	int rc = write_date(w, "valid-after", valid_after);
	if (rc == 0)
		rc = write_date(w, "valid-before", valid_before);
	if (rc < 0)
		return rc;
	writer_text(w, " ");
	sshkey_write_line(key, w);
	writer_text(w, "\n");
	return writer_err(w);
}

/* ---- arithmetic ---- */

static EVP_PKEY *
p256_key(const struct sshkey *key)
{
	char group[] = "prime256v1";
	uint8_t point[SSHKEY_POINT_LEN];
	memcpy(point, key->point, sizeof point);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

int
sshkey_verify_p256(const struct sshkey *key, struct view message, struct view der, bool *ret_valid)
{
	int rc = FG_ECRYPTO;
	*ret_valid = false;
	if (key->type != SSHKEY_SK_ECDSA)
		return FG_EINVAL;
	EVP_PKEY *pkey = p256_key(key);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (pkey && ctx && EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, pkey, NULL) == 1) {
		*ret_valid = EVP_DigestVerify(ctx, der.p, der.n, message.p, message.n) == 1;
		rc = 0;
	}
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return rc;
}
