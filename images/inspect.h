/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect - one stage of an inspection: hostile bytes in, a report fragment out.
 * Role: run by fotagate-inspect, one stage a process, inside its jail.
 * Guarantees: the bytes that a signature is judged over are those that were
 * hashed as the image (one pass feeds the image's digest and that of a signature
 * beside it, or of one inside that is over all in front of it);
 * memory is bounded by the caps of crypto/cms.h and crypto/rawsig.h; whatever
 * is wrong with the input is in the report, an error code is a local failure.
 */
#ifndef FG_IMAGES_INSPECT_H
#define FG_IMAGES_INSPECT_H

#include "crypto/trust.h"
#include "images/report.h"
#include "images/source.h"

/* What the signature is; on the wire in MSG_INSPECT. Zero denies. */
enum inspect_scheme {
	INSPECT_SCHEME_NONE = 0,
	/*
	 * No profile: a signature file that is CMS, minisign, signify, SSHSIG, OpenPGP or Jcat is that, a tar
	 * is TUF metadata (two repositories' where the trust set holds a director's root), any
	 * other is raw under the bare keys of the trust set; without one, an image that is CMS is
	 * attached CMS. What a container carries inside is judged beside that, always.
	 */
	INSPECT_AUTO,
	INSPECT_CMS_DETACHED,
	INSPECT_CMS_ATTACHED,
	INSPECT_EMBEDDED, /* the image's own format carries it, and its walker judges it */
	INSPECT_MINISIGN, /* with its trusted comment */
	INSPECT_SIGNIFY,
	INSPECT_SSHSIG, /* in the namespace "file" */
	INSPECT_OPENPGP,
	INSPECT_JCAT,   /* an item of it is of the image (jcatproof.h) */
	INSPECT_TUF,    /* a tar of a TUF repository's metadata (tufproof.h) */
	INSPECT_UPTANE, /* of a director's and an image repository's, which must agree */
	INSPECT_RAW, /* the key records of the trust set fix everything */
	INSPECT_SCHEME_LIMIT,
};

struct inspect_job {
	const struct source *image;
	const struct source *signature; /* detached; NULL = none */
	bool have_trust;
	struct view trust; /* trustset.h; hostile only where its PEM is */
	int64_t at;        /* verification time, epoch seconds */
	char profile[REPORT_PROFILE_MAX]; /* "" = none */
	uint8_t profile_sha256[DIGEST_SHA256_LEN];
	enum inspect_scheme scheme;
	struct trust_policy policy;
	bool require_signature;
};

/* What applies without a profile (ARCHITECTURE.md section 5): scheme, purpose, leaf anchors. */
void inspect_defaults(struct inspect_job *job);
/*
 * Judges image and signatures into ret (REPORT_VERIFY; overwritten). FG_EINVAL
 * for a job without scheme or purpose, FG_EIO, FG_ENOMEM, FG_ECRYPTO; ret is
 * untouched then.
 */
int inspect_verify(const struct inspect_job *job, struct report *ret);
struct explain_job; /* images/explain.h */
/*
 * Compares with the old image into ret (REPORT_EXPLAIN; overwritten); without a
 * scratch file (-1) byte by byte only. Errors as above.
 */
int inspect_explain(const struct explain_job *job, struct report *ret);

struct inspect_delta {
	const struct source *patch, *base;
	enum format_id format; /* FORMAT_NONE: recognised; detools must be named, it has no magic */
	int out;               /* the target goes there: a memfd or regular file of the caller's */
	uint64_t target_max;   /* bytes; at most DELTA_TARGET_MAX count */
};

/* Applies a delta into ret (REPORT_DELTA; overwritten). FG_EIO, FG_ENOMEM, FG_ECRYPTO; ret is untouched then. */
int inspect_delta(const struct inspect_delta *job, struct report *ret);

/*
 * "auto", "cms-detached", "cms-attached", "embedded", "minisign", "signify", "sshsig",
 * "openpgp", "jcat", "tuf", "uptane", "raw"; "none" for anything else.
 */
const char *inspect_scheme_name(enum inspect_scheme scheme);
/* INSPECT_SCHEME_NONE for an unknown word. */
enum inspect_scheme inspect_scheme_parse(const char *word);

#endif
