/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding - everything an inspection can say about an image, in one table.
 * Role: the inspector raises findings, the merger adds its own, policy,
 * console, log and manual use the same ids; gateway/man/fotagate-report.5
 * lists exactly these (a test compares both ways). Ids are a contract: they
 * are extended, never renamed or reused.
 */
#ifndef FG_IMAGES_FINDING_H
#define FG_IMAGES_FINDING_H

#include "crypto/view.h"

/* Zero is "not a finding"; the order is the order of weight. */
enum finding_severity {
	FINDING_NONE = 0,
	FINDING_INFO,
	FINDING_NOTICE,  /* worth knowing, nothing to decide */
	FINDING_WARNING, /* a person has to look: verdict "review" */
	FINDING_BLOCK,   /* verdict "blocked" */
	FINDING_SEVERITY_LIMIT,
};

/* Who may raise a finding: bits of struct finding_info.by. */
enum finding_by {
	FINDING_BY_VERIFY = 1,
	FINDING_BY_EXPLAIN = 2,
	FINDING_BY_MERGE = 4, /* whoever puts the stage replies together */
};

/* In the order of their ids, so that walking the enum is canonical order. */
enum finding_id {
	FINDING_CHG_FORMAT,
	FINDING_CHG_IDENTICAL,
	FINDING_CHG_NEARLY_ALL,
	FINDING_CHG_NO_OLD,
	FINDING_CHG_SHRUNK,
	FINDING_CONT_CERT_ENDS,
	FINDING_CONT_COUNTER_BACK,
	FINDING_CONT_DATE_BACK,
	FINDING_CONT_FIRST,
	FINDING_CONT_NEW_SIGNER,
	FINDING_CONT_SIGNATURE_LOST,
	FINDING_CONT_WEAKER,
	FINDING_COV_ENVELOPE,
	FINDING_COV_UNSIGNED_BYTES,
	FINDING_DELTA_NOT_APPLIED,
	FINDING_ENT_CLASS_SHIFT,
	FINDING_ENT_OPAQUE,
	FINDING_FMT_AMBIGUOUS,
	FINDING_FMT_CONFLICT,
	FINDING_FMT_DELTA,
	FINDING_FMT_DUPLICATE,
	FINDING_FMT_ENCRYPTED,
	FINDING_FMT_HIDDEN_BYTES,
	FINDING_FMT_INTEGRITY,
	FINDING_FMT_MALFORMED,
	FINDING_FMT_NOT_WALKED,
	FINDING_FMT_RAW,
	FINDING_FMT_TRAILING_BYTES,
	FINDING_FMT_UNKNOWN_PART,
	FINDING_FMT_WALK_LIMIT,
	FINDING_IMG_EMPTY,
	FINDING_INSPECT_CRASHED,
	FINDING_INSPECT_DISAGREES,
	FINDING_INSPECT_FAILED,
	FINDING_INSPECT_FOREIGN_FIELD,
	FINDING_INSPECT_MALFORMED,
	FINDING_INSPECT_OVERLONG,
	FINDING_INSPECT_TIMEOUT,
	FINDING_INSPECT_TRAILING,
	FINDING_MEMBER_DIGEST,
	FINDING_MEMBER_MISSING,
	FINDING_MEMBER_NO_DIGEST,
	FINDING_MEMBER_PRIVILEGED,
	FINDING_MEMBER_RUNS,
	FINDING_MEMBER_SPECIAL,
	FINDING_MEMBER_UNLISTED,
	FINDING_MEMBER_UNSAFE_NAME,
	FINDING_META_DOWNGRADE,
	FINDING_META_EXPIRED,
	FINDING_META_ROLLBACK,
	FINDING_META_TARGETED,
	FINDING_REPORT_CUT,
	FINDING_SIG_ABSENT,
	FINDING_SIG_DUPLICATE_SIGNER,
	FINDING_SIG_EXPIRED,
	FINDING_SIG_INVALID,
	FINDING_SIG_KEY_PUBLISHED,
	FINDING_SIG_LOW_ORDER,
	FINDING_SIG_MANY,
	FINDING_SIG_OPAQUE,
	FINDING_SIG_PSS_SALT,
	FINDING_SIG_PURPOSE,
	FINDING_SIG_REVOCATION_NOT_CHECKED,
	FINDING_SIG_REVOCATION_STALE,
	FINDING_SIG_REVOKED,
	FINDING_SIG_THRESHOLD,
	FINDING_SIG_TRAILING,
	FINDING_SIG_UNSUPPORTED_SCHEME,
	FINDING_SIG_UNTRUSTED,
	FINDING_SIG_WEAK,
	FINDING_SIG_WEAK_CURVE,
	FINDING_SIG_WEAK_DIGEST,
	FINDING_SIG_WEAK_EXPONENT,
	FINDING_SIG_WEAK_RSA,
	FINDING_TRUST_EMPTY,
	FINDING_TRUST_REFUSED,
	FINDING_LIMIT, /* also "none" */
};

struct finding_info {
	const char *id;                 /* "SIG-ABSENT" */
	enum finding_severity severity; /* as raised unless the raiser says less */
	enum finding_severity least;    /* the mildest it may appear with */
	unsigned by;                    /* finding_by bits */
	const char *means;              /* one sentence */
	const char *clears;             /* what would make it go away */
};

/* Aborts when id is not below FINDING_LIMIT. */
const struct finding_info *finding_get(enum finding_id id);
/* FINDING_LIMIT for an unknown word. */
enum finding_id finding_find(struct view word);
/* "info", "notice", "warning", "block"; "none" for anything else. */
const char *finding_severity_name(enum finding_severity severity);
/* FINDING_NONE for an unknown word. */
enum finding_severity finding_severity_parse(struct view word);

#endif
