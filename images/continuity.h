/* SPDX-License-Identifier: Apache-2.0 */
/*
 * continuity - what an image's report says against those of the releases before
 * it: another signer, a weaker signature, a counter or a date that goes back.
 * No format can tell this by itself (T22), and a validly signed update is where
 * it shows that a key was stolen or that somebody digs out an old version.
 * Role: whoever merges a report hands over the reports of what was approved
 * before for the same product; policy weighs the findings like all others.
 *
 * Guarantees: pure; compares only what verified signatures stand behind; the
 * report names the reports it was compared with, so the comparison can be
 * made again by anybody who has them.
 */
#ifndef FG_IMAGES_CONTINUITY_H
#define FG_IMAGES_CONTINUITY_H

#include "images/contents.h"
#include "crypto/sig.h"

#define CONTINUITY_PAST_MAX 8      /* releases looked back; keys live for years, and eight releases for about as long */
/*
 * Counters and dates of one image: it has one, an inner one now and then, Uptane's evidence for it nine, and a phone's
 * package an index for each partition that is signed by itself, of which there are about eight.
 */
#define CONTINUITY_NUMBERS_MAX 32
#define CONTINUITY_ENDS_SOON (90 * 86400L) /* a certificate with less time left will not sign the next release */

/* A number that must not fall, and the container that gives it. */
struct continuity_number {
	enum contents_fact_id id; /* CONTENTS_FACT_SECURITY_COUNTER, _ROLLBACK_INDEX or _TIMESTAMP */
	char path[CONTENTS_PATH_MAX];
	uint64_t value;
};

/* What of one report is compared. */
struct continuity_mark {
	uint8_t report[DIGEST_SHA256_LEN]; /* which report it was taken from */
	unsigned keys_n;                   /* verified signatures of the image itself */
	uint8_t key[SIG_SIGNERS_MAX][DIGEST_SHA256_LEN];
	unsigned strength; /* bits of the strongest of these; 0: there was none */
	char scheme[64];   /* of that one, for the sentence */
	unsigned numbers_n;
	struct continuity_number number[CONTINUITY_NUMBERS_MAX];
};

struct report;

/* Takes the mark of r, whose text has that digest. */
void continuity_mark(const struct report *r, const uint8_t digest[DIGEST_SHA256_LEN],
    struct continuity_mark *ret);
/*
 * Compares r with what came before, the youngest first; n is 0 for the first
 * release of a product, at most CONTINUITY_PAST_MAX. Fills r->inputs.history
 * and raises the CONT findings.
 */
void continuity_raise(struct report *r, const struct continuity_mark *past, unsigned n);
/*
 * The same for the target of a delta and what it is applied to: counters and
 * dates as above, and a version that falls (META-DOWNGRADE). base is the report
 * of its inspection, a stage's or whole; r is the target's.
 */
void continuity_base(struct report *r, const struct report *base);
/*
 * Whether a module that runs what has is the report of refuses older by a counter that never falls: MCUboot's and ESP32's
 * of security, a boot chain's version in fuses, a sequence number, a rollback index of Android's verified boot, and of
 * Android's packages the date; or by the least version that RAUC's settings in what it has ask for. Then ret_why says
 * which, "security-counter 3 after 5". What containers say of themselves counts, signed or not: a module believes it.
 * False where one of the two says nothing: that is not known.
 */
bool continuity_refuses(const struct report *has, const struct report *older, char *ret_why, size_t cap);
/*
 * Bits of security of a key ("rsa-3072", "ec-p256", "ed25519") with a digest, by
 * NIST SP 800-57 part 1, table 2; 0 for anything unknown.
 */
unsigned continuity_strength(const char *key_type, enum digest_alg digest);

#endif
