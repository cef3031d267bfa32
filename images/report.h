/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report - what an inspection found: the model, its one canonical text, and
 * the strict reader of that text. The text's SHA-256 is what people sign.
 *
 * Three kinds share the model. The inspector's stages each write a fragment
 * ("fotagate-report-stage/1"); whoever started them takes the fragments, or the
 * way a stage died, and merges them into the whole ("fotagate-report/1", see
 * fotagate-report(5)). Fragments and stored reports are hostile input.
 *
 * Guarantees: same model, same bytes; coverage and verdict are never stored but
 * follow from signatures and findings, on writing as on reading; what the facts
 * entail (entail.h) must stand among the findings, or the text is refused.
 */
#ifndef FG_IMAGES_REPORT_H
#define FG_IMAGES_REPORT_H

#include "crypto/sig.h"
#include "crypto/writer.h"
#include "images/changes.h"
#include "images/contents.h"
#include "images/continuity.h"
#include "images/coverage.h"
#include "images/delta.h"
#include "images/finding.h"
#include "images/notes.h"

#define REPORT_MAX (2u << 20)    /* bytes of the text, by contract */
#define REPORT_DETAILS_MAX 8     /* occurrences of one finding told in full; all are counted */
#define REPORT_GAPS_MAX 64       /* unsigned ranges listed; all are counted */
#define REPORT_PROFILE_MAX 64    /* name of a vendor profile */
#define REPORT_INSPECTOR "fotagate-inspect/" FG_VERSION
#define REPORT_INSPECTOR_MAX 64
#define REPORT_TIME_LEN 21       /* "2026-01-01T10:00:00Z" and its NUL */

enum report_kind { REPORT_KIND_NONE = 0, REPORT_VERIFY, REPORT_EXPLAIN, REPORT_DELTA, REPORT_WHOLE };

/* Zero denies. */
enum report_verdict { REPORT_BLOCKED = 0, REPORT_REVIEW, REPORT_ACCEPTABLE };

struct report_inputs {
	int64_t at; /* verification time, epoch seconds */
	bool have_trust, have_signature, have_profile, have_base;
	uint8_t trust[DIGEST_SHA256_LEN];
	uint8_t signature[DIGEST_SHA256_LEN];
	uint8_t base[DIGEST_SHA256_LEN];
	char profile[REPORT_PROFILE_MAX];
	uint8_t profile_sha256[DIGEST_SHA256_LEN];
	char inspector[REPORT_INSPECTOR_MAX];
	bool have_history; /* whole: compared with releases before it, of which there may be none */
	unsigned history_n;
	uint8_t history[CONTINUITY_PAST_MAX][DIGEST_SHA256_LEN]; /* their reports, the youngest first */
	/* Whole: what the operator gave the comparison beside the images. */
	bool have_own;
	uint8_t own[DIGEST_SHA256_LEN];   /* the list of identities, as it was given */
	bool have_rules;
	uint8_t rules[DIGEST_SHA256_LEN]; /* YARA, of the text; the shipped ones go with the inspector */
};

struct report_detail {
	bool have_offset;
	uint64_t offset; /* byte of the image */
	char text[SIG_TEXT_MAX];
};

/* What became of a delta: the proof, or the lack of one. */
struct report_delta {
	uint8_t patch_sha256[DIGEST_SHA256_LEN], base_sha256[DIGEST_SHA256_LEN];
	uint64_t patch_size, base_size;
	struct delta_result result;
	/* Whole, of a target that was made and inspected as a full image in its turn. */
	bool have_target;
	uint8_t target_report[DIGEST_SHA256_LEN]; /* its own report */
	enum report_verdict target_verdict;
	bool target_signed; /* verified signatures of its own are over all of it but structure */
	bool have_full;     /* it was held against the full image of that digest */
	uint8_t full_sha256[DIGEST_SHA256_LEN];
};

struct report_finding {
	uint64_t count; /* 0: not raised */
	enum finding_severity severity;
	unsigned details_n;
	struct report_detail details[REPORT_DETAILS_MAX];
};

struct story; /* images/story.h */

struct report {
	enum report_kind kind;
	struct report_inputs inputs; /* verify and whole */
	bool have_image;             /* false only when verify did not answer */
	enum format_id format;
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint64_t size;
	struct sig_set signatures;
	struct notes notes;       /* whole; the vendor's words, where somebody gave them */
	struct contents contents; /* verify and whole; of a container that was walked */
	bool have_changes; /* explain and whole */
	struct changes changes;
	bool have_delta; /* delta and whole */
	struct report_delta delta;
	struct story *story; /* with changes, of images that were taken apart; owned; NULL: none */
	struct report_finding findings[FINDING_LIMIT];
};

/* Zeroed, of that kind; NULL without memory. About half a MiB: not for the stack. */
struct report *report_new(enum report_kind kind);
void report_free(struct report *r);
/* Makes ret what r is, and r nothing (report_free() is still due for both). */
void report_move(struct report *ret, struct report *r);

/*
 * Raises a finding once: severity FINDING_NONE means the table's, and repeated
 * raising keeps the worst. offset may be NULL. The text is made visible.
 * Aborts when the table forbids that severity.
 */
void report_raise(struct report *r, enum finding_id id, enum finding_severity severity,
    const uint64_t *offset, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
bool report_has(const struct report *r, enum finding_id id);
/* The worst finding's class: block, warning, anything less. */
enum report_verdict report_verdict(const struct report *r);
/* "blocked", "review", "acceptable"; never NULL. */
const char *report_verdict_name(enum report_verdict v);
/* Bytes that verified signatures cover, those inside the image too. FG_EFORMAT when a range leaves it. */
int report_coverage(const struct report *r, struct coverage *ret);
/* Of the bytes that no verified signature covers, those that are no structure either. Errors as above. */
int report_unsigned(const struct report *r, uint64_t *ret);
/* Signatures of the image itself with outcome verified: one of something inside it vouches for no more than that. */
unsigned report_verified(const struct report *r);

/*
 * Appends the canonical text, at most max bytes (REPORT_MAX but in tests): where
 * it would be longer, details of mild findings, then mild findings, then other
 * lists go, never a warning or block, and REPORT-CUT is raised. 0, FG_ENOMEM,
 * FG_ELIMIT when even that is too long. Aborts on a model that lies about itself.
 */
int report_encode(const struct report *r, size_t max, struct writer *w);

/* Why a text is no report of the kind asked for. */
struct report_refusal {
	enum finding_id finding; /* INSPECT-OVERLONG, -TRAILING, -FOREIGN-FIELD or -MALFORMED */
	char text[160];          /* plain ASCII */
};

/*
 * Reads a report that must be of that kind. FG_EFORMAT with ret_why filled, or
 * FG_ENOMEM; ret (any kind before) is untouched on failure.
 */
int report_parse(struct view text, enum report_kind kind, struct report *ret,
    struct report_refusal *ret_why);
/* Name of a report: SHA-256 of its text. 0 or FG_ECRYPTO. */
int report_digest(struct view text, uint8_t ret[DIGEST_SHA256_LEN]);

/* "verify", "explain", "delta"; "whole" for anything else. */
const char *report_stage_name(enum report_kind kind);
/*
 * The word for what became of a delta: "proved" when the target is, byte for
 * byte, under a verified signature of its own (or named by its SHA-256 in a patch that is),
 * and no other than the full image given, "reconstructed" when it was made and that is all; "applied" in the
 * stage's own fragment; else delta_outcome_name(). Only with have_delta.
 */
const char *report_delta_word(const struct report *r);
/* The same in a sentence without its full stop, for people who sign; never NULL. */
const char *report_delta_text(const struct report *r);
bool report_delta_proved(const struct report *r);
/* Of a whole report: the patch names the SHA-256 of what it makes, and verified signatures are over all of the patch. */
bool report_delta_named(const struct report *r);
/*
 * Whether the image itself is a delta: by the format of its bytes, or, where the format may be either (bytes
 * that do not tell, an Android payload), by a finding that whoever knew it raised. Of a full payload with
 * a delta in one of its partitions it is said too: nobody saw what comes of that. Any other format that merely
 * holds deltas among other things is none.
 */
bool report_is_delta(const struct report *r);

/* How a stage ended. Zero is the worst that can be said of a process. */
enum report_end {
	REPORT_END_FAILED = 0, /* no reply, and nothing that explains it better */
	REPORT_END_REPLIED,
	REPORT_END_CRASHED,
	REPORT_END_TIMEOUT,
	REPORT_END_OVERLONG,   /* reply larger than REPORT_MAX */
	REPORT_END_TRAILING,   /* a second message, or more descriptors */
	REPORT_END_MALFORMED,  /* not the message that was due, or a memfd that is not sealed */
};

struct report_reply {
	enum report_end end;
	struct view text; /* with REPORT_END_REPLIED */
	char detail[160]; /* otherwise: "signal 11", "no answer after 60 s" */
};

/* What the stages were asked: known to the caller, not taken from their word. */
struct report_asked {
	int64_t at;
	char profile[REPORT_PROFILE_MAX]; /* "" = none */
	uint8_t profile_sha256[DIGEST_SHA256_LEN];
	uint64_t image_size;
	bool have_signature, have_trust, require_signature;
	bool proof_signs; /* a delta without a signature is as good as signed where a signature proves its target */
	bool have_old; /* explain was asked */
	bool have_old_sha256; /* the old image's digest is known (a released one's is) */
	uint8_t old_sha256[DIGEST_SHA256_LEN];
	bool have_own, have_rules; /* with an old image or a base */
	uint8_t own[DIGEST_SHA256_LEN], rules[DIGEST_SHA256_LEN];
	bool have_base;
	uint8_t base[DIGEST_SHA256_LEN];
	bool have_history; /* the releases before it are known: past, the youngest first */
	unsigned past_n;
	struct continuity_mark past[CONTINUITY_PAST_MAX];
	const struct notes *notes; /* of the vendor's; NULL or without any: none were given */
};

/* What is known of a delta when its stage is over and, where it made something, the target was inspected. */
struct report_applied {
	struct report_reply stage;
	/* The target's own report and the digest of its text; NULL: nothing was made. */
	const struct report *target;
	uint8_t target_report[DIGEST_SHA256_LEN];
	bool have_full; /* a full image that the target was held against */
	uint8_t full_sha256[DIGEST_SHA256_LEN];
	unsigned others; /* bases that it could be applied to as well, with nothing to say which is meant */
};

/*
 * Makes the whole report. explain is looked at only with asked->have_old and
 * may else be NULL; delta only with asked->have_base, and NULL is a base that
 * was named and not used. Whatever is wrong with a reply becomes a finding; only
 * FG_ENOMEM fails. ret is overwritten.
 */
int report_merge(const struct report_asked *asked, const struct report_reply *verify,
    const struct report_reply *explain, const struct report_applied *delta, struct report *ret);
/*
 * Reads a delta stage's reply alone: what it made, so that the caller knows whether
 * there is a target to inspect. False when it made nothing or is no reply.
 */
bool report_delta_made(const struct report_reply *stage, struct report_delta *ret);

/* RFC 3339 in UTC; false (dst "") outside the years 0 to 9999. */
bool report_time_format(int64_t t, char dst[REPORT_TIME_LEN]);
/* Exactly the form above. */
bool report_time_parse(struct view text, int64_t *ret);

#endif
