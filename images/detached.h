/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detached - signature files that are neither CMS nor bare: minisign, signify
 * and OpenSSH's file signatures, over the whole image.
 * Role: the verify stage, between its one pass over the image and the report.
 * Guarantees: says before the pass what of the image it needs, so that an image
 * of any size is read once; nothing in the file chooses more than its own form.
 */
#ifndef FG_IMAGES_DETACHED_H
#define FG_IMAGES_DETACHED_H

#include "crypto/sig.h"
#include "crypto/trust.h"

/* What ssh-keygen(1) calls file signing; a signature made for anything else (git, mail, an approval) is none of a file. */
#define DETACHED_SSH_NAMESPACE "file"

enum detached_kind {
	DETACHED_NONE = 0,
	DETACHED_MINISIGN, /* with its trusted comment */
	DETACHED_SIGNIFY,
	DETACHED_SSHSIG,
};

struct detached;

/* By its first bytes; DETACHED_NONE for anything else. minisign and signify begin alike: DETACHED_MINISIGN. */
enum detached_kind detached_recognise(struct view sig);
/*
 * Reads a signature file of that kind; sig must live as long. FG_EFORMAT with a
 * sentence in ret_why, FG_ENOMEM. *ret is the caller's (detached_free()).
 */
int detached_open(enum detached_kind kind, struct view sig, struct detached **ret, char *ret_why,
    size_t cap);
void detached_free(struct detached *d);
/* "minisign-blake2b512", "minisign-legacy", "signify", "sshsig-ed25519". */
const char *detached_scheme(const struct detached *d);
/* The digest of the image it is over; DIGEST_NONE: the image itself (T18). */
enum digest_alg detached_digest(const struct detached *d);
/*
 * Judges it over that digest, or over the image. Fills all of ret but covers.
 * 0, FG_ENOMEM, FG_ECRYPTO; ret is untouched on failure.
 */
int detached_judge(const struct detached *d, const struct trust *t, struct view signed_,
    struct sig_result *ret);

#endif
