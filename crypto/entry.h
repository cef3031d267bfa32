/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry - one line of the audit log (AUDIT_AND_APPROVAL.md section 5): what is
 * hashed into the tree, exported as a line of entries.jsonl and read by people.
 * Role: the audit role alone encodes; everyone parses. Guarantees: an entry is
 * ASCII JSON on one line with keys in fixed order, each fact in one spelling,
 * at most 65,535 bytes; nothing outside 0x20-0x7e enters or leaves, so it can
 * be shown as it is. Hostile text was made visible (visible.h) by whoever
 * reported it.
 */
#ifndef FG_CRYPTO_ENTRY_H
#define FG_CRYPTO_ENTRY_H

#include "crypto/digest.h"
#include "crypto/json.h"
#include "crypto/view.h"
#include "crypto/writer.h"

#define ENTRY_VERSION 1
#define ENTRY_MAX 65535u     /* what a tlog-tiles bundle can hold */
#define ENTRY_WORD_MAX 32    /* out, reference keys */
#define ENTRY_SRC_MAX 128    /* host name and role */
#define ENTRY_NAME_MAX 256   /* act, obj, reference texts: principals, digests, versions */
#define ENTRY_MSG_MAX 1024   /* one sentence */
#define ENTRY_DOC_MAX 49152u /* a signed statement; escaping may take the rest of ENTRY_MAX */
#define ENTRY_REFS_MAX 16
#define ENTRY_DEV_LEN 16     /* module pseudonym */

/*
 * What happened. Text and usual severity are in entry.c's table; values travel
 * between roles of one build and are not stored.
 */
enum entry_event {
	ENTRY_EV_UNKNOWN = 0, /* a later version's; cannot be encoded */
	ENTRY_LOG_OPENED,
	ENTRY_LOG_RECOVERED,
	ENTRY_LOG_CHECKPOINT,
	ENTRY_LOG_WITNESSED,
	ENTRY_LOG_EXPORTED,
	ENTRY_LOG_TAMPER,
	ENTRY_LOG_FLOOD, /* entries that were counted instead of written */
	ENTRY_AUTH_OK,
	ENTRY_AUTH_FAILED,
	ENTRY_AUTH_THROTTLED,
	ENTRY_AUTH_LOGOUT,
	ENTRY_ACCOUNT_CHANGED,
	ENTRY_TOKEN_CREATED,
	ENTRY_TOKEN_REVOKED,
	ENTRY_AUTHZ_DENIED,
	ENTRY_AUTHZ_ROLE,
	ENTRY_AUTHZ_SIGNERS_CHANGED,
	ENTRY_AUTHZ_KEY_ADDED,
	ENTRY_AUTHZ_KEY_REVOKED,
	ENTRY_AUTHZ_KEY_SUSPENDED, /* one person's word; only a later signer set ends it */
	ENTRY_AUTHORITY_GENESIS, /* entry 0; doc = the statement */
	ENTRY_AUTHORITY_SIGNERS, /* doc = the statement */
	ENTRY_AUTHORITY_SIGNED,  /* a signature for a proposed set was handed in */
	ENTRY_AUTHORITY_POLICY,  /* in force by signatures; doc = the statement */
	ENTRY_UPSTREAM_FETCHED,
	ENTRY_UPSTREAM_TLS_CHANGED,
	ENTRY_UPSTREAM_ERROR,
	ENTRY_FETCH_STARTED,
	ENTRY_FETCH_DONE,
	ENTRY_FETCH_FAILED,
	ENTRY_IMAGE_ATTESTED, /* a person's word on what a module did with it */
	ENTRY_IMAGE_IMPORTED,
	ENTRY_IMAGE_NOTES, /* the vendor's words about it were given */
	ENTRY_IMAGE_VERIFIED,
	ENTRY_IMAGE_ANALYSED,
	ENTRY_IMAGE_QUARANTINED,
	ENTRY_IMAGE_BASE, /* what deltas are for, as a person named it */
	ENTRY_IMAGE_CORRUPT,
	ENTRY_IMAGE_RETIRED,
	ENTRY_IMAGE_INCIDENT, /* same URL, other bytes; or other URL, the same */
	ENTRY_VENDOR_INCIDENT, /* its server showed itself otherwise than before */
	ENTRY_REVIEW_OPENED,
	ENTRY_REVIEW_REMARKED, /* what somebody says about it, or lays beside it */
	ENTRY_APPROVAL_REQUESTED,
	ENTRY_APPROVAL_SIGNED,
	ENTRY_APPROVAL_REJECTED,
	ENTRY_APPROVAL_OUTDATED,
	ENTRY_APPROVAL_EXPIRED,
	ENTRY_APPROVAL_EFFECTIVE,
	ENTRY_APPROVAL_REVOKED,
	ENTRY_APPROVAL_BREAKGLASS,   /* one person alone lets a release through, which begins later */
	ENTRY_APPROVAL_AFTERREVIEW,  /* and the others have looked at that */
	ENTRY_REFUSAL_ADDED,  /* one person's word, in effect before it is here */
	ENTRY_REFUSAL_LIFTED, /* permits nothing by itself */
	ENTRY_WAIVER_ADDED,   /* permits nothing by itself: it has to stand in what people sign */
	ENTRY_WAIVER_LIFTED,
	ENTRY_RELEASE_ISSUED,
	ENTRY_RELEASE_REFUSED,
	ENTRY_RELEASE_WITHHELD, /* a later policy does not let it pass */
	ENTRY_RELEASE_OFFERED,  /* and another one does again */
	ENTRY_STANDING_PROPOSED, /* under which the gate may release by itself; permits nothing yet */
	ENTRY_STANDING_SIGNED,
	ENTRY_STANDING_EFFECTIVE,
	ENTRY_STANDING_REVOKED,   /* one person's word, in effect before it is here */
	ENTRY_ROLLOUT_CREATED,
	ENTRY_ROLLOUT_STARTED,
	ENTRY_ROLLOUT_PAUSED,
	ENTRY_ROLLOUT_ABORTED,
	ENTRY_ROLLOUT_PROMOTED,
	ENTRY_ROLLOUT_CLOSED,
	ENTRY_ROLLOUT_HELD,       /* one ring of it */
	ENTRY_ROLLOUT_RESUMED,    /* people signed for that: of a pause, a held ring, or a ring that waited for them */
	ENTRY_ROLLOUT_SUPERSEDED, /* a newer release took its place */
	ENTRY_ROLLOUT_WATCHED,    /* the network was seen to tell of so many modules of a ring */
	ENTRY_RESTRICT_HALT,
	ENTRY_RESTRICT_RESUME,
	ENTRY_MODULE_SIGHTING, /* aggregated: a count per resource and interval */
	ENTRY_DEVICE_SEEN,
	ENTRY_DEVICE_GRANT,
	ENTRY_DEVICE_SERVED,
	ENTRY_DEVICE_FAILED,
	ENTRY_DEVICE_RESULT,
	ENTRY_DEVICE_UNKNOWN_COUNT,
	ENTRY_DEVICE_REVEALED, /* somebody was shown who it is */
	ENTRY_DEVICE_ERASED,   /* who it is was forgotten */
	ENTRY_EGRESS_BLOCKED,
	ENTRY_EGRESS_NEW_ENDPOINT,
	ENTRY_POLICY_CHANGED,
	ENTRY_POLICY_UNSIGNED, /* the files say something else than what people signed, and are not followed */
	ENTRY_CONFIG_CHANGED,
	ENTRY_STATE_DIFFERS, /* the database said something else than the log, which won */
	ENTRY_CLOCK_STEPPED,
	ENTRY_DISK_WARN,
	ENTRY_DISK_FULL,
	ENTRY_SVC_START,
	ENTRY_SVC_STOP,
	ENTRY_SVC_EXIT, /* a role died */
	ENTRY_EV_LIMIT,
};

/* How far the time of an entry can be believed. */
enum entry_clk {
	ENTRY_CLK_UNKNOWN = 0,
	ENTRY_CLK_FREE,     /* nobody disciplines the clock */
	ENTRY_CLK_NTP,      /* the kernel says it is synchronised */
	ENTRY_CLK_INJECTED, /* a test's or a replay's time */
	ENTRY_CLK_LIMIT,
};

struct entry_ref {
	struct view key;  /* [a-z0-9._-], 1..ENTRY_WORD_MAX */
	bool is_number;
	uint64_t number;  /* below 2^53 */
	struct view text; /* may be empty */
};

/*
 * Views are borrowed: by the encoder for the call, by the parser from the
 * document it returns. An empty view is an absent field, except in references.
 */
struct entry {
	uint64_t seq;         /* index in the log, below 2^53 */
	int64_t t_us;         /* microseconds since 1970 */
	enum entry_clk clk;
	struct view src;      /* "gw-7f3a/edge0"; required */
	enum entry_event ev;
	struct view cat;      /* parser only: the encoder derives both from ev */
	struct view ev_text;
	unsigned sev;         /* syslog severity 0..7 */
	struct view out;      /* "ok", "failed", "denied" */
	struct view act;      /* who */
	struct view obj;      /* what */
	bool have_dev;
	uint8_t dev[ENTRY_DEV_LEN];
	unsigned refs;
	struct entry_ref ref[ENTRY_REFS_MAX];
	struct view doc;
	struct view msg;
};

/* "approval.signed"; "" for ENTRY_EV_UNKNOWN and beyond. */
const char *entry_event_name(enum entry_event ev);
/* ENTRY_EV_UNKNOWN for a text of no event of ours. */
enum entry_event entry_event_parse(struct view text);
/* Usual syslog severity, for callers that have no reason of their own. */
unsigned entry_event_severity(enum entry_event ev);
/*
 * Restrictions, and what says that something is wrong: what a log with no more room
 * still takes, from the space it kept for that. Nothing that permits is among it.
 */
bool entry_event_is_vital(enum entry_event ev);
const char *entry_clk_name(enum entry_clk clk);

/*
 * Appends the line without a line end. References are written in ascending
 * order of key, in whatever order they come. FG_EINVAL with *ret_why (static,
 * may be NULL) for what no entry may hold, FG_ELIMIT for a field or a line that
 * is too long; w then holds what it held.
 */
int entry_encode(const struct entry *e, struct writer *w, const char **ret_why);
/*
 * Reads one line (no line end). Unknown keys are allowed: they are hashed and
 * signed, but nobody here gives them a meaning. 0, *ret_doc (json_free) and
 * *ret borrowing from it; FG_EFORMAT or FG_ELIMIT with *ret_why; FG_ENOMEM.
 */
int entry_parse(struct view line, struct json **ret_doc, struct entry *ret, const char **ret_why);

/* The reference of that key; NULL. */
const struct entry_ref *entry_ref_get(const struct entry *e, const char *key);
/* A digest as entries spell it: "sha256:" and 64 digits. False for any other text. */
bool entry_sha256(struct view text, uint8_t ret[DIGEST_SHA256_LEN]);

#endif
