/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tufmeta - one metadata file of The Update Framework (specification 1.0,
 * section 4): its form, and how many of a role's keys signed it.
 * Role: the trust set (a root that an operator pinned) and images/tufrepo.c,
 * which makes the client's way through a repository of it. Guarantees: bounded
 * by the named limits; what is signed is rebuilt from the strictly parsed text
 * (olpc.h); a threshold counts keys by what they are, never by what the file
 * calls them (T14), and each only once.
 */
#ifndef FG_CRYPTO_TUFMETA_H
#define FG_CRYPTO_TUFMETA_H

#include "crypto/digest.h"
#include "crypto/json.h"

/* Longest files: what python-tuf lets a client download of each. */
#define TUFMETA_ROOT_MAX (512u << 10)
#define TUFMETA_TIMESTAMP_MAX (16u << 10)
#define TUFMETA_SNAPSHOT_MAX (2u << 20)
#define TUFMETA_TARGETS_MAX JSON_TEXT_MAX
#define TUFMETA_SIGNATURES_MAX 64 /* of one file; root of a large project has a dozen */
#define TUFMETA_KEYS_MAX 64       /* of one role, likewise */
#define TUFMETA_NAME_MAX 128      /* key ids (64 digits) and names of roles, with their NUL */

enum tufmeta_type { TUFMETA_NONE = 0, TUFMETA_ROOT, TUFMETA_TIMESTAMP, TUFMETA_SNAPSHOT, TUFMETA_TARGETS };

struct tufmeta {
	enum tufmeta_type type;
	uint64_t version; /* from 1 on */
	int64_t expires;  /* epoch seconds */
	bool consistent;  /* root: file names begin with their version */
	const struct json_value *said; /* "signed", of that type's form; lives as long as this */
	struct writer tbs;             /* its canonical form, what signatures are over */
	struct json *doc;
};

/* A key that signed. */
struct tufmeta_signer {
	uint8_t spki_sha256[DIGEST_SHA256_LEN];
	char key_type[24];
	enum digest_alg digest;
	bool published;
};

/* How a role's keys signed a file. Zero is nobody. */
struct tufmeta_count {
	uint64_t threshold;
	unsigned n; /* different keys whose signature fits */
	struct tufmeta_signer signer[TUFMETA_KEYS_MAX];
	/* Signatures of the role that do not count, and why. */
	unsigned broken;   /* does not fit the key */
	unsigned twice;    /* by a key that was counted, under another id */
	unsigned misnamed; /* the key's id is not the digest of the key */
	unsigned unusable; /* of a kind that is not calculated here, or too weak */
};

/* "root", "timestamp", ...; "none". */
const char *tufmeta_type_name(enum tufmeta_type type);
/*
 * Reads a file that must be of that type (TUFMETA_NONE: of any). FG_EFORMAT with
 * a sentence in ret_why (plain ASCII), FG_ENOMEM; *ret (tufmeta_free()) on success only.
 */
int tufmeta_open(struct view file, enum tufmeta_type type, struct tufmeta **ret, char *ret_why,
    size_t cap);
void tufmeta_free(struct tufmeta *m);
/*
 * Is that a role ({"keyids": [...], "threshold": n})? Every key once, threshold at least 1.
 */
bool tufmeta_is_role(const struct json_value *role);
/* The keys of a root ("keys"), and one of its top-level roles; the type of a delegated role is TUFMETA_TARGETS. */
const struct json_value *tufmeta_keys(const struct tufmeta *root);
const struct json_value *tufmeta_role(const struct tufmeta *root, enum tufmeta_type type);
/*
 * Counts the keys of a role, which tufmeta_is_role(), that signed m. RSA keys
 * shorter than rsa_bits_min (0: the house's least) do not count. FG_ENOMEM, FG_ECRYPTO.
 */
int tufmeta_count(const struct tufmeta *m, const struct json_value *keys,
    const struct json_value *role, unsigned rsa_bits_min, struct tufmeta_count *ret);
bool tufmeta_met(const struct tufmeta_count *c);
/* "1 of 2 keys that are needed signed it; signatures that do not fit: 1": plain ASCII. */
void tufmeta_explain(const struct tufmeta_count *c, char *dst, size_t cap);

#endif
