/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policyset - which policy is in force: the digests of one bundle, and the numbered
 * statement by which people put the next one in its place.
 * Role: genesis has the first; the warden, control and fotagate-verify follow those after
 * it. What the digests are of is policy/policy_bundle's to say: nobody who only links
 * crypto reads a policy. Guarantees: only canonical JSON (RFC 8785) is accepted, byte for
 * byte; every set but genesis' names its predecessor's digest and the signer set that
 * counts under it.
 */
#ifndef FG_CRYPTO_POLICYSET_H
#define FG_CRYPTO_POLICYSET_H

#include "crypto/digest.h"
#include "crypto/jsonw.h"
#include "crypto/writer.h"

#define POLICYSET_NAMESPACE "fotagate-policy@v1"
#define POLICYSET_PROFILES_MAX 256  /* as many as a configuration has (policy/config.h) */
#define POLICYSET_NAME_MAX 49       /* with its NUL: a profile's name */
#define POLICYSET_BYTES_MAX 32768   /* 256 names and digests are 30 KiB; an entry of the log holds it escaped */
#define POLICYSET_CHAIN_MAX 4096    /* a policy a day for eleven years */

struct policyset_profile {
	char name[POLICYSET_NAME_MAX];
	uint8_t sha256[DIGEST_SHA256_LEN]; /* what people sign a release under: approval_terms.policy */
};

struct policyset {
	uint32_t number;                     /* 0: genesis' */
	uint8_t previous[DIGEST_SHA256_LEN]; /* digest of the predecessor's statement, genesis.json for number 1; zero in genesis */
	uint32_t signers;                    /* number of the signer set whose persons are counted; 0 in genesis */
	int64_t time;                        /* 0 in genesis */
	uint8_t bundle[DIGEST_SHA256_LEN];   /* of the bundle's own text: all of it, files by their digests */
	uint8_t config[DIGEST_SHA256_LEN];   /* of the part that comes of configuration alone */
	uint32_t n;
	struct policyset_profile profile[POLICYSET_PROFILES_MAX]; /* in ascending order of name, each once */
};

/* FG_EINVAL with ret_why for a set nobody may sign. */
int policyset_check(const struct policyset *s, char *ret_why, size_t cap);
/* Its own members as a JSON object, without those of a statement where number is 0; and back (is_genesis: those of one). */
void policyset_put(struct jsonw *j, const struct policyset *s);
bool policyset_get(const struct json_value *v, bool is_genesis, struct policyset *ret);
/* Canonical statement, predicateType urn:fotagate:policy:v1; number is not 0. FG_EINVAL, FG_ELIMIT, FG_ENOMEM. */
int policyset_encode(const struct policyset *s, const char *origin, struct writer *w);
/* Only what policyset_encode() could have written. FG_EFORMAT with ret_why. */
int policyset_parse(struct view text, const char *origin, struct policyset *ret, char *ret_why, size_t cap);
/* Whether a release may name that policy for that profile. */
bool policyset_has(const struct policyset *s, const char *profile, const uint8_t sha256[DIGEST_SHA256_LEN]);

#endif
