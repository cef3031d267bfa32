/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jcatproof - a Jcat file beside an image, as the LVFS and fwupd have it beside
 * firmware that is in no cabinet.
 * Role: the verify stage, after its one pass over the image. Guarantees: as
 * jcat.h; a signature of the item covers the whole image or is none of it.
 *
 * An item is found by a checksum that nobody can make collide, never by its name,
 * which nobody signs and which an image has none of here: SHA-256 or SHA-512, as
 * fwupd writes one of them into every item. One without is not looked at.
 */
#ifndef FG_IMAGES_JCATPROOF_H
#define FG_IMAGES_JCATPROOF_H

#include "crypto/trust.h"
#include "images/report.h"
#include "images/source.h"

struct jcatproof_job {
	const struct source *file;  /* the Jcat file */
	const struct source *image;
	const struct trust *trust;
	const struct trust_policy *policy;
	int64_t at;
	uint8_t sha256[DIGEST_SHA256_LEN], sha512[DIGEST_LEN_MAX]; /* of the image */
};

/* Is a signature file that begins so a Jcat file? 1, 0, or FG_ENOMEM. */
int jcatproof_recognise(struct view head);
/* Appends at least one signature ("jcat", "jcat/pkcs7", "jcat/openpgp", "jcat/ed25519") and findings to r. */
int jcatproof_judge(const struct jcatproof_job *job, struct report *r);

#endif
