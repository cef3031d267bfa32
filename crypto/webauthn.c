/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/webauthn.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/cbor.h"
#include "crypto/ed25519.h"
#include "crypto/err.h"
#include "crypto/sshsig.h"

#define PREFIX_MAX (1024 + SSHSIG_ORIGIN_MAX) /* base64url of the longest challenge (200 bytes), the origin, three keys */
#define AAGUID 16       /* the make of the authenticator, by its own word */
#define COORDINATE 32   /* of P-256 and of Ed25519 */
#define OBJECT_MEMBERS 3

/* COSE (RFC 9052 section 7, RFC 9053): labels and values of the two kinds of keys that are taken. */
enum { COSE_KTY = 1, COSE_ALG = 3, COSE_CRV = -1, COSE_X = -2, COSE_Y = -3 };
enum { KTY_OKP = 1, KTY_EC2 = 2, ALG_ES256 = -7, ALG_EDDSA = -8, CRV_P256 = 1, CRV_ED25519 = 6 };

static const char *const OUTCOMES[] = {
	[WEBAUTHN_UNKNOWN] = "unknown",
	[WEBAUTHN_GOOD] = "good",
	[WEBAUTHN_MALFORMED] = "malformed",
	[WEBAUTHN_BAD_CLIENT_DATA] = "bad-client-data",
	[WEBAUTHN_WRONG_RP] = "wrong-relying-party",
	[WEBAUTHN_NO_PRESENCE] = "no-user-presence",
	[WEBAUTHN_NO_VERIFICATION] = "no-user-verification",
	[WEBAUTHN_BAD_KEY] = "bad-key",
	[WEBAUTHN_BAD_SIGNATURE] = "bad-signature",
};

const char *
webauthn_outcome_name(enum webauthn_outcome outcome)
{
	return (unsigned)outcome < sizeof OUTCOMES / sizeof *OUTCOMES ? OUTCOMES[outcome] : OUTCOMES[WEBAUTHN_UNKNOWN];
}

/* ---- client data ---- */

/* Base64url without padding: the one place that needs it, so made from base64. */
static void
write_base64url(struct view bytes, struct writer *w)
{
	size_t start = w->n;
	base64_encode(bytes, w);
	if (writer_err(w) < 0)
		return;
	while (w->n > start && w->p[w->n - 1] == '=')
		w->n--;
	for (size_t i = start; i < w->n; i++)
		w->p[i] = w->p[i] == '+' ? '-' : w->p[i] == '/' ? '_' : w->p[i];
}

int
webauthn_client_data(struct view client_data, const char *type, struct view challenge, const char *origin, bool *ret_good)
{
	static const char same_origin[] = ",\"crossOrigin\":false";
	struct writer want;
	*ret_good = false;
	writer_init(&want, PREFIX_MAX);
	writer_textf(&want, "{\"type\":\"%s\",\"challenge\":\"", type);
	write_base64url(challenge, &want);
	writer_textf(&want, "\",\"origin\":\"%s\"", origin);
	int rc = writer_err(&want);
	struct view prefix = writer_view(&want);
	struct view rest = client_data;
	if (rc == 0 && rest.n > prefix.n && view_equal(view_of(rest.p, prefix.n), prefix)) {
		rest = view_of(rest.p + prefix.n, rest.n - prefix.n);
		size_t n = sizeof same_origin - 1;
		/* True means that the page was a frame inside another site, where people do not see what they do. */
		if (rest.n > n && memcmp(rest.p, same_origin, n) == 0) {
			rest = view_of(rest.p + n, rest.n - n);
			*ret_good = rest.p[0] == '}' ? rest.n == 1 : rest.p[0] == ',';
		} else {
			*ret_good = rest.n == 1 && rest.p[0] == '}';
		}
	}
	writer_free(&want);
	return rc;
}

/* ---- authenticator data (section 6.1) ---- */

/* What both acts begin with. *ret_good false: w->outcome says why not. */
static int
read_head(struct reader *r, const struct webauthn_rules *rules, struct webauthn *w, bool *ret_good)
{
	uint8_t rp[DIGEST_SHA256_LEN];
	*ret_good = false;
	int err = digest_sha256(view_str(rules->rp_id), rp);
	if (err)
		return err;
	struct view of = reader_take(r, sizeof rp);
	w->flags = reader_u8(r);
	w->counter = reader_u32(r);
	if (r->bad || (w->flags & (SSHSIG_FLAG_BE | SSHSIG_FLAG_BS)) == SSHSIG_FLAG_BS)
		w->outcome = WEBAUTHN_MALFORMED; /* what cannot be copied is nowhere else */
	else if (!view_equal(of, view_of(rp, sizeof rp)))
		w->outcome = WEBAUTHN_WRONG_RP;
	else if (!(w->flags & SSHSIG_FLAG_UP))
		w->outcome = WEBAUTHN_NO_PRESENCE;
	else if (!(w->flags & SSHSIG_FLAG_UV))
		w->outcome = WEBAUTHN_NO_VERIFICATION;
	else
		*ret_good = true;
	return FG_OK;
}

/* What extensions say nobody acts on: one map where the flag announces one, then nothing. */
static bool
at_end(struct reader *r, uint8_t flags)
{
	if (flags & SSHSIG_FLAG_ED) {
		if (cbor_peek(r) != CBOR_MAP)
			return false;
		(void)cbor_skip(r);
	}
	return reader_end(r);
}

/* As CTAP2 writes one: these members, in this order. False: another kind. */
static bool
read_cose_key(struct reader *r, const char *rp_id, struct sshkey *key)
{
	size_t members = cbor_map(r, 5);
	bool good = cbor_int(r) == COSE_KTY;
	int64_t kty = cbor_int(r);
	good &= cbor_int(r) == COSE_ALG;
	int64_t alg = cbor_int(r);
	good &= cbor_int(r) == COSE_CRV;
	int64_t curve = cbor_int(r);
	good &= cbor_int(r) == COSE_X;
	struct view x = cbor_bytes(r), y = { NULL, 0 };
	memset(key, 0, sizeof *key);
	if (kty == KTY_EC2 && alg == ALG_ES256 && curve == CRV_P256 && members == 5) {
		key->type = SSHKEY_SK_ECDSA;
		good &= cbor_int(r) == COSE_Y;
		y = cbor_bytes(r);
		good &= y.n == COORDINATE;
	} else if (kty == KTY_OKP && alg == ALG_EDDSA && curve == CRV_ED25519 && members == 4) {
		key->type = SSHKEY_SK_ED25519;
	} else {
		good = false;
	}
	if (r->bad || !good || x.n != COORDINATE)
		return false;
	if (y.n)
		key->point[0] = 4; /* uncompressed */
	memcpy(key->point + (y.n ? 1 : 0), x.p, COORDINATE);
	if (y.n)
		memcpy(key->point + 1 + COORDINATE, y.p, COORDINATE);
	memcpy(key->application, rp_id, strlen(rp_id));
	return true;
}

/* On its curve and of no small order: judged where all keys of people are. */
static int
check_point(const struct sshkey *key, bool *ret_good)
{
	struct sshkey again;
	struct writer w;
	writer_init(&w, SSHKEY_BLOB_MAX);
	sshkey_write_blob(key, &w);
	int err = writer_err(&w);
	*ret_good = !err && sshkey_parse_blob(writer_view(&w), &again, NULL) == 0 && sshkey_equal(&again, key);
	writer_free(&w);
	return err == FG_ELIMIT ? FG_OK : err;
}

/* The attested half: who made it, its name, its key. */
static int
read_attested(struct reader *r, const struct webauthn_rules *rules, struct webauthn *w)
{
	bool good = false;
	(void)reader_take(r, AAGUID);
	w->credential = reader_take(r, reader_u16(r));
	if (r->bad || w->credential.n == 0 || w->credential.n > WEBAUTHN_CREDENTIAL_MAX || cbor_peek(r) != CBOR_MAP) {
		w->outcome = WEBAUTHN_MALFORMED;
		return FG_OK;
	}
	if (!read_cose_key(r, rules->rp_id, &w->key)) {
		w->outcome = r->bad ? WEBAUTHN_MALFORMED : WEBAUTHN_BAD_KEY;
		return FG_OK;
	}
	int err = check_point(&w->key, &good);
	if (!err)
		w->outcome = !good ? WEBAUTHN_BAD_KEY : at_end(r, w->flags) ? WEBAUTHN_GOOD : WEBAUTHN_MALFORMED;
	return err;
}

/* The object's three members in any order: browsers differ. Its statement may say what it likes. */
static bool
read_object(struct view object, struct view *ret_auth)
{
	struct reader r;
	unsigned seen = 0;
	reader_init(&r, object);
	if (object.n > WEBAUTHN_OBJECT_MAX || cbor_map(&r, OBJECT_MEMBERS) != OBJECT_MEMBERS)
		return false;
	for (unsigned i = 0; i < OBJECT_MEMBERS; i++) {
		struct view key = cbor_text(&r);
		if (view_is(key, "fmt")) {
			(void)cbor_text(&r);
			seen |= 1;
		} else if (view_is(key, "attStmt") && cbor_peek(&r) == CBOR_MAP) {
			(void)cbor_skip(&r);
			seen |= 2;
		} else if (view_is(key, "authData")) {
			*ret_auth = cbor_bytes(&r);
			seen |= 4;
		} else {
			return false;
		}
	}
	return reader_end(&r) && seen == 7 && ret_auth->n <= WEBAUTHN_AUTH_MAX;
}

/* Fills of w whatever can be said before its signature; *ret_good: go on. */
static int
begin(struct view client_data, const char *type, struct view auth, const struct webauthn_rules *rules, struct reader *r,
    struct webauthn *w, bool *ret_good)
{
	if (!rules->rp_id || !rules->origin || !rules->challenge || strlen(rules->rp_id) > SSHKEY_APPLICATION_MAX)
		abort();
	*ret_good = false;
	reader_init(r, auth);
	if (client_data.n > WEBAUTHN_CLIENT_MAX || auth.n > WEBAUTHN_AUTH_MAX) {
		w->outcome = WEBAUTHN_MALFORMED;
		return FG_OK;
	}
	int err = webauthn_client_data(client_data, type, view_of(rules->challenge, WEBAUTHN_CHALLENGE), rules->origin, ret_good);
	if (!err && !*ret_good)
		w->outcome = WEBAUTHN_BAD_CLIENT_DATA;
	return err || !*ret_good ? err : read_head(r, rules, w, ret_good);
}

/* Of what is refused nothing is told but why, and what its flags said. */
static int
finish(int err, const struct webauthn *w, struct webauthn *ret)
{
	*ret = (struct webauthn){ .outcome = err ? WEBAUTHN_UNKNOWN : w->outcome, .flags = w->flags, .counter = w->counter };
	if (ret->outcome == WEBAUTHN_GOOD)
		*ret = *w;
	return err;
}

int
webauthn_made(struct view client_data, struct view object, const struct webauthn_rules *rules, struct webauthn *ret)
{
	struct webauthn w = { .outcome = WEBAUTHN_UNKNOWN };
	struct view auth = { NULL, 0 };
	struct reader r;
	bool good = false;
	if (!read_object(object, &auth)) {
		w.outcome = WEBAUTHN_MALFORMED;
		return finish(FG_OK, &w, ret);
	}
	int err = begin(client_data, "webauthn.create", auth, rules, &r, &w, &good);
	if (!err && good && !(w.flags & SSHSIG_FLAG_AT))
		w.outcome = WEBAUTHN_MALFORMED;
	else if (!err && good)
		err = read_attested(&r, rules, &w);
	return finish(err, &w, ret);
}

static int
check_signature(const struct sshkey *key, struct view auth, struct view client_data, struct view signature, bool *ret_good)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	struct writer m;
	*ret_good = false;
	int err = digest_sha256(client_data, digest);
	if (err || signature.n > WEBAUTHN_SIGNATURE_MAX)
		return err;
	writer_init(&m, WEBAUTHN_AUTH_MAX + sizeof digest);
	writer_bytes(&m, auth);
	writer_bytes(&m, view_of(digest, sizeof digest));
	err = writer_err(&m);
	if (!err)
		err = key->type == SSHKEY_SK_ECDSA ? sshkey_verify_p256(key, writer_view(&m), signature, ret_good) :
		    ed25519_verify(key->point, writer_view(&m), signature, ret_good);
	writer_free(&m);
	return err;
}

int
webauthn_asserted(const struct sshkey *key, struct view client_data, struct view auth_data, struct view signature,
    const struct webauthn_rules *rules, struct webauthn *ret)
{
	struct webauthn w = { .outcome = WEBAUTHN_UNKNOWN };
	struct reader r;
	bool good = false;
	int err = begin(client_data, "webauthn.get", auth_data, rules, &r, &w, &good);
	if (err || !good)
		return finish(err, &w, ret);
	if ((w.flags & SSHSIG_FLAG_AT) || !at_end(&r, w.flags)) {
		w.outcome = WEBAUTHN_MALFORMED;
	} else if (!sshkey_is_sk(key) || strcmp(key->application, rules->rp_id) != 0) {
		w.outcome = WEBAUTHN_WRONG_RP;
	} else {
		err = check_signature(key, auth_data, client_data, signature, &good);
		w.outcome = good ? WEBAUTHN_GOOD : WEBAUTHN_BAD_SIGNATURE;
	}
	return finish(err, &w, ret);
}
