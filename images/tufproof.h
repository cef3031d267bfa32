/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tufproof - TUF metadata that comes beside an image as evidence for it: a tar of
 * a repository's metadata folder, or of two of them (Uptane).
 * Role: the verify stage, after its one pass over the image. Guarantees: what is
 * verified ends at a root that the operator pinned; a signature is verified only
 * when every rule on the way held, and covers the whole image; whatever is wrong
 * is an outcome and a finding.
 *
 * The bundle: one folder with timestamp.json and the files that go with it, at
 * any depth. For Uptane two, somewhere below the folders "director" and "image".
 * Everything that is no .json (target files) is passed over. Only metadata of an
 * anchor whose name begins with "director" is a director's, and such a one
 * anchors nothing else: the operator says who is who, not the bundle.
 */
#ifndef FG_IMAGES_TUFPROOF_H
#define FG_IMAGES_TUFPROOF_H

#include "crypto/trust.h"
#include "images/report.h"
#include "images/source.h"

#define TUFPROOF_BUNDLE_MAX (8u << 20) /* a metadata folder; twice the longest list of targets */
#define TUFPROOF_FILES_MAX 1024        /* of them .json: long root chains, many roles, old versions */

struct tufproof_job {
	const struct source *bundle;
	bool uptane;
	const struct trust *trust;
	const struct trust_policy *policy; /* rsa_bits_min counts here */
	int64_t at;
	/* The image. */
	uint64_t size;
	uint8_t sha256[DIGEST_SHA256_LEN], sha512[DIGEST_LEN_MAX];
};

/* Is a signature file that begins so a tar? */
bool tufproof_recognise(struct view head);
/* Has the operator pinned a director? */
bool tufproof_has_director(const struct trust *t);
/* Appends signatures ("tuf"; "uptane-director", "uptane-image"), findings and facts to r. */
int tufproof_judge(const struct tufproof_job *job, struct report *r);

#endif
