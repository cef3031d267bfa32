/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust_internal - what the files of the trust set share: trust.c (the set),
 * trust_enrol.c and trust_root.c (what may enter it), trust_judge.c (what it says about a
 * certificate, by chain), trust_pin.c (by pin), trust_links.c (what is asked of
 * every certificate on the way). Nobody else includes this.
 */
#ifndef FG_CRYPTO_TRUST_INTERNAL_H
#define FG_CRYPTO_TRUST_INTERNAL_H

#include "crypto/trust.h"

struct trust_cert {
	char name[TRUST_NAME_MAX];
	X509 *x509;
	uint8_t id[DIGEST_SHA256_LEN]; /* names the object in trust_digest */
	uint8_t spki_sha256[DIGEST_SHA256_LEN];
};

struct trust_crl {
	X509_CRL *crl;
	uint8_t id[DIGEST_SHA256_LEN];
};

struct trust_bare {
	struct trust_key key;
	uint8_t id[DIGEST_SHA256_LEN];
};

struct trust_pinned {
	struct trust_root root;
	uint8_t id[DIGEST_SHA256_LEN];
};

/* Arrays in place: pointers handed out stay good, and a limit is a limit. */
struct trust {
	struct trust_cert cert[TRUST_ITEMS_MAX];
	struct trust_crl crl[TRUST_ITEMS_MAX];
	struct trust_bare bare[TRUST_ITEMS_MAX];
	struct trust_pinned pinned[TRUST_ROOTS_MAX];
	size_t cert_n, crl_n, bare_n, pinned_n;
};

/*
 * Checks every object of a PEM text and puts it into batch, an empty set of the
 * caller's that is thrown away unless this returns 0. Errors as trust_add_pem.
 */
int trust_enrol_pem(struct trust *batch, const char *name, struct view pem,
    enum trust_scheme scheme, char *ret_why, size_t cap);

/*
 * What names an object in trust_digest: its kind ('c' certificate, 'r' CRL, 'k'
 * key, 't' TUF root), how it is used, its bytes. 0 or FG_ECRYPTO.
 */
int trust_object_id(char kind, enum trust_scheme scheme, struct view bytes,
    uint8_t ret[DIGEST_SHA256_LEN]);
/* Puts root metadata into batch, as trust_enrol_pem() does with PEM. */
int trust_root_enrol(struct trust *batch, const char *name, struct view json, char *ret_why,
    size_t cap);

/*
 * What one way of vouching (chain or pin) comes to. result starts without an
 * outcome and keeps none where nothing is wrong, so "nothing was found" can
 * never be mistaken for "verified".
 */
struct trust_judgement {
	struct sig_result result;
	bool vouched; /* an anchor stands behind it */
};

/*
 * Purpose (T2, T3) and key strength of every certificate of chain, signer
 * first; sets published_key when one of the keys is public property. Worsens
 * result. 0 or local failure.
 */
int trust_links_judge(const struct trust_policy *policy, STACK_OF(X509) *chain,
    struct sig_result *result);

/*
 * The enrolled certificate whose key is the signer's, T13: by key, because
 * subject and serial can be typed by anybody. Of several (a renewed
 * certificate) the one that is valid longest. NULL if none.
 */
const struct trust_cert *trust_pin_find(const struct trust *t,
    const uint8_t spki[DIGEST_SHA256_LEN]);
/*
 * Everything is judged on the enrolled certificate: the one in the signature is
 * signed by nobody we know and may claim any validity or purpose. 0 or local
 * failure.
 */
int trust_pin_judge(const struct trust *t, const struct trust_policy *policy,
    const struct trust_cert *pin, int64_t now, struct trust_judgement *j);

#endif
