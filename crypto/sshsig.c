/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sshsig.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/webauthn.h"

#define MAGIC "SSHSIG"
#define VERSION 1
#define BEGIN_LINE "-----BEGIN SSH SIGNATURE-----"
#define END_LINE "-----END SSH SIGNATURE-----"
#define ARMOR_WIDTH 70       /* digits a line, as ssh-keygen writes; the specification allows 76 */
#define HASH_NAME_MAX 8      /* "sha512" */
#define SCHEME_NAME_MAX 64   /* the longest is 43 */
#define SCALAR_LEN 32        /* r or s of P-256 */
#define MPINT_MAX (SCALAR_LEN + 1) /* and the zero byte that keeps it positive */

static const struct {
	const char *name;
	enum sshkey_type key;
} SCHEMES[] = {
	[SSHSIG_SCHEME_NONE] = { "", SSHKEY_NONE },
	[SSHSIG_SCHEME_ED25519] = { "ssh-ed25519", SSHKEY_ED25519 },
	[SSHSIG_SCHEME_SK_ED25519] = { "sk-ssh-ed25519@openssh.com", SSHKEY_SK_ED25519 },
	[SSHSIG_SCHEME_SK_ECDSA] = { "sk-ecdsa-sha2-nistp256@openssh.com", SSHKEY_SK_ECDSA },
	[SSHSIG_SCHEME_WEBAUTHN] = { "webauthn-sk-ecdsa-sha2-nistp256@openssh.com", SSHKEY_SK_ECDSA },
};
#define SCHEMES_N (sizeof SCHEMES / sizeof *SCHEMES)

static const char *const OUTCOMES[] = {
	[SSHSIG_UNKNOWN] = "unknown",
	[SSHSIG_VERIFIED] = "verified",
	[SSHSIG_WRONG_NAMESPACE] = "wrong-namespace",
	[SSHSIG_NO_PRESENCE] = "no-user-presence",
	[SSHSIG_NO_VERIFICATION] = "no-user-verification",
	[SSHSIG_WEBAUTHN_REFUSED] = "webauthn-refused",
	[SSHSIG_WRONG_ORIGIN] = "wrong-origin",
	[SSHSIG_BAD_CLIENT_DATA] = "bad-client-data",
	[SSHSIG_BAD_SIGNATURE] = "bad-signature",
};

const char *
sshsig_outcome_name(enum sshsig_outcome outcome)
{
	return (unsigned)outcome < sizeof OUTCOMES / sizeof *OUTCOMES ? OUTCOMES[outcome] :
	    OUTCOMES[SSHSIG_UNKNOWN];
}

const char *
sshsig_backup_name(uint8_t flags)
{
	return flags & SSHSIG_FLAG_BS ? "backed-up" : flags & SSHSIG_FLAG_BE ? "can-be-backed-up" : "device-bound";
}

static int
refuse(const char **ret_why, const char *why)
{
	if (ret_why)
		*ret_why = why;
	return FG_EFORMAT;
}

/* ---- armour ---- */

/* Cuts the next line off *rest, without its LF or CRLF; false when no line end is left. */
static bool
next_line(struct view *rest, struct view *line)
{
	const uint8_t *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	if (!lf)
		return false;
	size_t n = (size_t)(lf - rest->p);
	*line = view_of(rest->p, n);
	if (n && line->p[n - 1] == '\r')
		line->n--;
	*rest = view_of(lf + 1, rest->n - n - 1);
	return true;
}

/* Gathers the base64 of the lines up to END_LINE; then nothing may be left. */
static int
join_lines(struct view rest, struct writer *digits, const char **ret_why)
{
	struct view line;
	while (next_line(&rest, &line)) {
		if (view_is(line, END_LINE))
			return rest.n == 0 ? 0 : refuse(ret_why, "something follows the signature");
		if (line.n == 0)
			return refuse(ret_why, "empty line inside the armour");
		writer_bytes(digits, line);
	}
	/* The END line needs no line end of its own. */
	return view_is(rest, END_LINE) ? 0 : refuse(ret_why, "the armour has no end");
}

int
sshsig_dearmor(struct view text, struct writer *w, const char **ret_why)
{
	struct view rest = text;
	struct view line;
	if (text.n > SSHSIG_ARMOR_MAX) {
		(void)refuse(ret_why, "armour too long");
		return FG_ELIMIT;
	}
	if (!next_line(&rest, &line) || !view_is(line, BEGIN_LINE))
		return refuse(ret_why, "not an armoured SSH signature");
	struct writer digits;
	writer_init(&digits, SSHSIG_ARMOR_MAX);
	int rc = join_lines(rest, &digits, ret_why);
	if (rc == 0)
		rc = writer_err(&digits);
	if (rc == 0) {
		rc = base64_decode(writer_view(&digits), w);
		if (rc == FG_EFORMAT)
			(void)refuse(ret_why, "malformed base64 in the armour");
	}
	writer_free(&digits);
	return rc;
}

void
sshsig_armor(struct view blob, struct writer *w)
{
	struct writer digits;
	writer_init(&digits, SSHSIG_ARMOR_MAX);
	base64_encode(blob, &digits);
	if (writer_err(&digits) < 0) {
		w->err = writer_err(&digits);
		writer_free(&digits);
		return;
	}
	struct view rest = writer_view(&digits);
	writer_text(w, BEGIN_LINE "\n");
	while (rest.n) {
		size_t n = rest.n < ARMOR_WIDTH ? rest.n : ARMOR_WIDTH;
		writer_bytes(w, view_of(rest.p, n));
		writer_text(w, "\n");
		rest = view_of(rest.p + n, rest.n - n);
	}
	writer_text(w, END_LINE "\n");
	writer_free(&digits);
}

/* ---- blob ---- */

static enum digest_alg
hash_of(struct view name)
{
	if (view_is(name, "sha512"))
		return DIGEST_SHA512;
	return view_is(name, "sha256") ? DIGEST_SHA256 : DIGEST_NONE;
}

/* A positive SSH integer in its shortest form (RFC 4251 section 5) as 32 bytes. */
static bool
read_scalar(struct reader *r, uint8_t out[SCALAR_LEN])
{
	struct view v = reader_blob(r, MPINT_MAX);
	memset(out, 0, SCALAR_LEN);
	if (r->bad || v.n == 0 || (v.p[0] & 0x80))
		return false;
	if (v.p[0] == 0) {
		if (v.n == 1 || !(v.p[1] & 0x80))
			return false; /* zero, or a needless zero in front */
		v = view_of(v.p + 1, v.n - 1);
	}
	if (v.n > SCALAR_LEN)
		return false;
	memcpy(out + SCALAR_LEN - v.n, v.p, v.n);
	return true;
}

/* The inner value: 64 bytes, or two integers. */
static bool
read_value(struct reader *r, struct sshsig *s)
{
	struct view v = reader_blob(r, SSHSIG_BLOB_MAX);
	if (s->key.type != SSHKEY_SK_ECDSA) {
		if (v.n != ED25519_SIG_LEN)
			return false;
		memcpy(s->value, v.p, ED25519_SIG_LEN);
		return true;
	}
	struct reader inner;
	reader_init(&inner, v);
	return read_scalar(&inner, s->value) && read_scalar(&inner, s->value + SCALAR_LEN) &&
	    reader_end(&inner);
}

/* Flags a plain FIDO signature cannot have: it has no room for what they announce. */
static bool
flags_fit(const struct sshsig *s)
{
	if (s->flags & SSHSIG_FLAG_AT)
		return false;
	return !(s->flags & SSHSIG_FLAG_ED) == (s->extensions.n == 0);
}

static int
parse_signature(struct view in, struct sshsig *s, const char **ret_why)
{
	struct reader r;
	reader_init(&r, in);
	struct view name = reader_blob(&r, SCHEME_NAME_MAX);
	for (unsigned i = SSHSIG_SCHEME_NONE + 1; i < SCHEMES_N; i++) {
		if (view_is(name, SCHEMES[i].name) && SCHEMES[i].key == s->key.type)
			s->scheme = (enum sshsig_scheme)i;
	}
	if (s->scheme == SSHSIG_SCHEME_NONE)
		return refuse(ret_why, "the signature is of another kind than its key");
	if (!read_value(&r, s))
		return refuse(ret_why, "malformed signature value");
	if (s->scheme != SSHSIG_SCHEME_ED25519) {
		s->flags = reader_u8(&r);
		s->counter = reader_u32(&r);
	}
	if (s->scheme == SSHSIG_SCHEME_WEBAUTHN) {
		reader_cstr(&r, s->origin, sizeof s->origin);
		s->client_data = reader_blob(&r, SSHSIG_BLOB_MAX);
		s->extensions = reader_blob(&r, SSHSIG_BLOB_MAX);
		if (strchr(s->origin, '"') || strchr(s->origin, '\\'))
			return refuse(ret_why, "malformed origin");
	}
	if (!reader_end(&r))
		return refuse(ret_why, "malformed signature");
	if (s->scheme != SSHSIG_SCHEME_ED25519 && !flags_fit(s))
		return refuse(ret_why, "authenticator flags contradict the signature");
	return 0;
}

/* A namespace is compared, logged and shown: printable, not empty. */
static bool
namespace_is_plain(const char *s)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] < 0x21 || (unsigned char)s[i] > 0x7e)
			return false;
	}
	return n > 0 && n <= SSHSIG_NAMESPACE_MAX;
}

int
sshsig_parse(struct view blob, struct sshsig *ret, const char **ret_why)
{
	struct reader r;
	struct sshsig s = { .scheme = SSHSIG_SCHEME_NONE };
	if (blob.n > SSHSIG_BLOB_MAX)
		return refuse(ret_why, "signature too long");
	reader_init(&r, blob);
	if (!view_is(reader_take(&r, strlen(MAGIC)), MAGIC))
		return refuse(ret_why, "not an SSH signature");
	uint32_t version = reader_u32(&r);
	struct view key = reader_blob(&r, SSHSIG_BLOB_MAX);
	reader_cstr(&r, s.namespace_, sizeof s.namespace_);
	struct view reserved = reader_blob(&r, SSHSIG_BLOB_MAX);
	s.hash = hash_of(reader_blob(&r, HASH_NAME_MAX));
	struct view signature = reader_blob(&r, SSHSIG_BLOB_MAX);
	if (!reader_end(&r))
		return refuse(ret_why, "malformed SSH signature");
	if (version != VERSION)
		return refuse(ret_why, "SSH signature of an unknown version");
	if (!namespace_is_plain(s.namespace_))
		return refuse(ret_why, "malformed namespace");
	/* ssh-keygen skips reserved data without covering it; what nobody signed, nobody may bring. */
	if (reserved.n != 0)
		return refuse(ret_why, "reserved data in the signature");
	if (s.hash == DIGEST_NONE)
		return refuse(ret_why, "unknown hash algorithm");
	int rc = sshkey_parse_blob(key, &s.key, ret_why);
	if (rc == 0)
		rc = parse_signature(signature, &s, ret_why);
	if (rc < 0)
		return rc;
	*ret = s;
	return 0;
}

static int
tbs_of_digest(const char *namespace_, enum digest_alg hash, struct view digest, struct writer *w)
{
	if (!namespace_is_plain(namespace_) || (hash != DIGEST_SHA256 && hash != DIGEST_SHA512) ||
	    digest.n != digest_len(hash))
		return FG_EINVAL;
	writer_text(w, MAGIC);
	writer_cstr(w, namespace_);
	writer_cstr(w, "");
	writer_cstr(w, digest_name(hash));
	writer_blob(w, digest);
	return writer_err(w);
}

int
sshsig_tbs(const char *namespace_, enum digest_alg hash, struct view message, struct writer *w)
{
	uint8_t digest[DIGEST_LEN_MAX];
	if (hash != DIGEST_SHA256 && hash != DIGEST_SHA512)
		return FG_EINVAL;
	int rc = digest_bytes(hash, message, digest);
	return rc < 0 ? rc : tbs_of_digest(namespace_, hash, view_of(digest, digest_len(hash)), w);
}

int
sshsig_write_ed25519(const struct sshkey *key, const char *namespace_, enum digest_alg hash,
    const uint8_t sig[ED25519_SIG_LEN], struct writer *w)
{
	if (key->type != SSHKEY_ED25519 || !namespace_is_plain(namespace_) ||
	    (hash != DIGEST_SHA256 && hash != DIGEST_SHA512))
		return FG_EINVAL;
	struct writer part;
	writer_init(&part, SSHSIG_BLOB_MAX);
	writer_text(w, MAGIC);
	writer_u32(w, VERSION);
	sshkey_write_blob(key, &part);
	writer_blob(w, writer_view(&part));
	writer_cstr(w, namespace_);
	writer_cstr(w, "");
	writer_cstr(w, digest_name(hash));
	int rc = writer_err(&part);
	writer_reset(&part);
	writer_cstr(&part, SCHEMES[SSHSIG_SCHEME_ED25519].name);
	writer_blob(&part, view_of(sig, ED25519_SIG_LEN));
	writer_blob(w, writer_view(&part));
	if (rc == 0)
		rc = writer_err(&part);
	writer_free(&part);
	return rc < 0 ? rc : writer_err(w);
}

/* ---- verification ---- */

/* r || s as the DER that EVP wants; freed with OPENSSL_free. 0 when it cannot be made. */
static int
scalars_to_der(const uint8_t value[2 * SCALAR_LEN], unsigned char **ret_der)
{
	int n = 0;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(value, SCALAR_LEN, NULL);
	BIGNUM *s = BN_bin2bn(value + SCALAR_LEN, SCALAR_LEN, NULL);
	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL; /* taken */
		n = i2d_ECDSA_SIG(sig, ret_der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return n > 0 ? n : 0;
}

static int
p256_verify(const struct sshsig *sig, struct view message, bool *ret_valid)
{
	unsigned char *der = NULL;
	*ret_valid = false;
	int der_len = scalars_to_der(sig->value, &der);
	int rc = der_len ? sshkey_verify_p256(&sig->key, message, view_of(der, (size_t)der_len), ret_valid) : FG_ECRYPTO;
	OPENSSL_free(der);
	ERR_clear_error();
	return rc;
}

/* SHA256(application) | flags | counter | [extensions] | SHA256(tbs or client data). */
static int
authenticator_message(const struct sshsig *sig, struct view tbs, struct writer *w)
{
	uint8_t application[DIGEST_SHA256_LEN];
	uint8_t content[DIGEST_SHA256_LEN];
	bool webauthn = sig->scheme == SSHSIG_SCHEME_WEBAUTHN;
	int rc = digest_sha256(view_str(sig->key.application), application);
	if (rc == 0)
		rc = digest_sha256(webauthn ? sig->client_data : tbs, content);
	if (rc < 0)
		return rc;
	writer_bytes(w, view_of(application, sizeof application));
	writer_u8(w, sig->flags);
	writer_u32(w, sig->counter);
	if (webauthn)
		writer_bytes(w, sig->extensions);
	writer_bytes(w, view_of(content, sizeof content));
	return writer_err(w);
}

/* Does the arithmetic hold? tbs is what the person's tool meant to sign. */
static int
check_value(const struct sshsig *sig, struct view tbs, bool *ret_valid)
{
	if (sig->scheme == SSHSIG_SCHEME_ED25519)
		return ed25519_verify(sig->key.point, tbs, view_of(sig->value, ED25519_SIG_LEN), ret_valid);
	struct writer message;
	writer_init(&message, SSHSIG_BLOB_MAX + 128);
	int rc = authenticator_message(sig, tbs, &message);
	if (rc == 0) {
		rc = sig->key.type == SSHKEY_SK_ECDSA ?
		    p256_verify(sig, writer_view(&message), ret_valid) :
		    ed25519_verify(sig->key.point, writer_view(&message),
			view_of(sig->value, ED25519_SIG_LEN), ret_valid);
	}
	writer_free(&message);
	return rc;
}

/* What rules say before any arithmetic; SSHSIG_VERIFIED = nothing against it. */
static enum sshsig_outcome
judge_context(const struct sshsig *sig, const struct sshsig_rules *rules)
{
	if (strcmp(sig->namespace_, rules->namespace_) != 0)
		return SSHSIG_WRONG_NAMESPACE;
	if (sig->scheme != SSHSIG_SCHEME_WEBAUTHN)
		return SSHSIG_VERIFIED;
	if (!rules->rp_id)
		return SSHSIG_WEBAUTHN_REFUSED;
	if (strcmp(sig->key.application, rules->rp_id) != 0 || strcmp(sig->origin, rules->origin) != 0)
		return SSHSIG_WRONG_ORIGIN;
	return SSHSIG_VERIFIED;
}

static enum sshsig_outcome
judge_flags(const struct sshsig *sig, const struct sshsig_rules *rules)
{
	if (!sshkey_is_sk(&sig->key))
		return SSHSIG_VERIFIED; /* a file key asserts nothing of its holder */
	if (!rules->presence_not_required && !(sig->flags & SSHSIG_FLAG_UP))
		return SSHSIG_NO_PRESENCE;
	if (rules->verification_required && !(sig->flags & SSHSIG_FLAG_UV))
		return SSHSIG_NO_VERIFICATION;
	return SSHSIG_VERIFIED;
}

/* Context, client data, arithmetic, flags, in this order: the first objection is the outcome. */
static int
judge(const struct sshsig *sig, struct view tbs, const struct sshsig_rules *rules,
    enum sshsig_outcome *ret)
{
	enum sshsig_outcome context = judge_context(sig, rules);
	bool good = false;
	int rc;
	if (context != SSHSIG_VERIFIED) {
		*ret = context;
		return 0;
	}
	if (sig->scheme == SSHSIG_SCHEME_WEBAUTHN) {
		rc = webauthn_client_data(sig->client_data, "webauthn.get", tbs, sig->origin, &good);
		if (rc < 0)
			return rc;
		if (!good) {
			*ret = SSHSIG_BAD_CLIENT_DATA;
			return 0;
		}
	}
	rc = check_value(sig, tbs, &good);
	if (rc < 0)
		return rc;
	*ret = good ? judge_flags(sig, rules) : SSHSIG_BAD_SIGNATURE;
	return 0;
}

int
sshsig_verify(const struct sshsig *sig, struct view message, const struct sshsig_rules *rules,
    struct sshsig_evidence *ret)
{
	uint8_t digest[DIGEST_LEN_MAX];
	*ret = (struct sshsig_evidence){ .outcome = SSHSIG_UNKNOWN };
	int rc = digest_bytes(sig->hash, message, digest);
	if (rc)
		return rc;
	return sshsig_verify_digest(sig, view_of(digest, digest_len(sig->hash)), rules, ret);
}

int
sshsig_verify_digest(const struct sshsig *sig, struct view digest,
    const struct sshsig_rules *rules, struct sshsig_evidence *ret)
{
	if (!rules->namespace_ || !*rules->namespace_ || !rules->rp_id != !rules->origin)
		abort();
	*ret = (struct sshsig_evidence){
		.outcome = SSHSIG_UNKNOWN,
		.scheme = sig->scheme,
		.key = sig->key,
		.hash = sig->hash,
		.flags = sig->flags,
		.present = sig->flags & SSHSIG_FLAG_UP,
		.verified_user = sig->flags & SSHSIG_FLAG_UV,
		.counter = sig->counter,
	};
	memcpy(ret->namespace_, sig->namespace_, sizeof ret->namespace_);
	struct writer tbs;
	writer_init(&tbs, SSHSIG_BLOB_MAX);
	int rc = tbs_of_digest(sig->namespace_, sig->hash, digest, &tbs);
	if (rc == 0)
		rc = judge(sig, writer_view(&tbs), rules, &ret->outcome);
	writer_free(&tbs);
	return rc;
}

int
sshsig_verify_armored(struct view armor, struct view message, const struct sshsig_rules *rules,
    struct sshsig_evidence *ret, const char **ret_why)
{
	struct writer blob;
	struct sshsig sig;
	*ret = (struct sshsig_evidence){ .outcome = SSHSIG_UNKNOWN };
	writer_init(&blob, SSHSIG_ARMOR_MAX);
	int rc = sshsig_dearmor(armor, &blob, ret_why);
	if (rc == 0)
		rc = sshsig_parse(writer_view(&blob), &sig, ret_why);
	if (rc == 0)
		rc = sshsig_verify(&sig, message, rules, ret);
	writer_free(&blob);
	return rc;
}
