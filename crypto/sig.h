/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sig - what every signature scheme answers: evidence, never a bare yes.
 * Role: filled by schemes in crypto/, carried in the report by images/, judged
 * by policy/. A refused signature is a successful verification with outcome
 * other than SIG_VERIFIED; only local failure is an error code.
 */
#ifndef FG_CRYPTO_SIG_H
#define FG_CRYPTO_SIG_H

#include "crypto/digest.h"
#include "crypto/view.h"

#define SIG_TEXT_MAX 256   /* subject, issuer and detail after escaping */
#define SIG_WHERE_MAX 192  /* path of a container inside the image */
#define SIG_COVERS_MAX 256  /* ranges one signature can cover: as many as an update has members */
#define SIG_SIGNERS_MAX 16 /* signatures looked at in one container; more is a finding */

/*
 * Report vocabulary (ARCHITECTURE.md section 5). Zero is "nobody looked", never
 * written out, never acceptable.
 */
enum sig_outcome {
	SIG_UNKNOWN = 0,
	SIG_INVALID,   /* malformed, or the arithmetic says no */
	SIG_REVOKED,
	SIG_WEAK,      /* digest, key size or curve below the allow-list */
	SIG_EXPIRED,   /* or not yet valid */
	SIG_UNTRUSTED, /* valid, but no anchor or wrong purpose */
	SIG_OPAQUE,    /* signed in a way nobody here can check */
	SIG_ABSENT,
	SIG_VERIFIED,
};

enum sig_revocation {
	SIG_REVOCATION_NOT_CHECKED = 0, /* said aloud in every report */
	SIG_REVOCATION_CHECKED,         /* a current CRL for the whole chain */
	SIG_REVOCATION_STALE,           /* CRL missing for a link or past nextUpdate */
	SIG_REVOCATION_NOT_APPLICABLE,  /* bare key */
};

/*
 * What is wrong with a signature beyond its outcome, so that each has its own
 * finding. Bits of sig_result.reasons.
 */
enum sig_reason {
	SIG_REASON_WEAK_DIGEST = 1 << 0,   /* MD5, SHA-1 (T4) */
	SIG_REASON_SHORT_RSA = 1 << 1,     /* under 2048 bits, or what the profile demands */
	SIG_REASON_SMALL_EXPONENT = 1 << 2, /* RSA with e = 3: sound, but forgeable where a module checks padding carelessly */
	SIG_REASON_WEAK_CURVE = 1 << 3,    /* P-192, or any curve off the list */
	SIG_REASON_LOW_ORDER = 1 << 4,     /* Ed25519 key under which anything verifies (T17) */
	SIG_REASON_PSS_SALT = 1 << 5,      /* another salt length than is prescribed (T15) */
	SIG_REASON_PURPOSE = 1 << 6,       /* a certificate for something else (T2, T3) */
	SIG_REASON_TRAILING = 1 << 7,      /* bytes after the signature object (T5) */
};
#define SIG_REASONS 8

struct sig_range {
	uint64_t offset;
	uint64_t length;
};

struct sig_signer {
	bool have_spki;
	uint8_t spki_sha256[DIGEST_SHA256_LEN]; /* key that verified (T14): never a hint from the file */
	char key_type[24];                      /* "rsa-3072", "ec-p256", "ed25519" */
	char subject[SIG_TEXT_MAX];             /* escaped; "" for a bare key */
	char issuer[SIG_TEXT_MAX];
	char serial[64];                        /* hex */
	int64_t not_before, not_after;          /* epoch seconds; 0,0 for a bare key */
	char anchor[SIG_TEXT_MAX];              /* name of the anchor that vouched; "" if none */
	bool published_key;                     /* private half is public: SIG-KEY-PUBLISHED */
};

struct sig_result {
	char scheme[64]; /* "cms-detached", "rsa-pkcs1v15-sha256", "rauc-bundle/cms-attached", ... */
	char where[SIG_WHERE_MAX]; /* container inside the image that carries it; "" for the image's own */
	enum sig_outcome outcome;
	unsigned reasons; /* sig_reason bits */
	enum digest_alg digest;
	enum sig_revocation revocation;
	struct sig_signer signer;
	struct sig_range covers[SIG_COVERS_MAX];
	unsigned covers_n;
	bool have_claimed_time; /* CMS signingTime: the signer's own claim, shown only (T11) */
	int64_t claimed_time;
	char detail[SIG_TEXT_MAX]; /* one sentence, plain ASCII, why the outcome is what it is */
};

/* The signatures of one container. */
struct sig_set {
	struct sig_result result[SIG_SIGNERS_MAX];
	unsigned n;
	bool overflow; /* more were there than SIG_SIGNERS_MAX */
};

/* "verified", "untrusted", ...; never NULL. */
const char *sig_outcome_name(enum sig_outcome outcome);
/* SIG_UNKNOWN for an unknown word. */
enum sig_outcome sig_outcome_parse(struct view word);
/* Of one bit: "weak-digest", "short-rsa", ...; "none" for anything else. */
const char *sig_reason_name(enum sig_reason reason);
/* 0 for an unknown word. */
unsigned sig_reason_parse(struct view word);
const char *sig_revocation_name(enum sig_revocation revocation);
/*
 * Makes outcome the worse of what it was and what is given, in the order
 * invalid > revoked > weak > expired > untrusted > everything else, and keeps
 * the detail that belongs to the worst.
 */
void sig_worsen(struct sig_result *r, enum sig_outcome outcome, const char *detail);

#endif
