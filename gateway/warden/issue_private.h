/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What issue.c, which walks every request through the same steps, asks of a kind
 * of request, and what the kinds in issue_*.c may ask of it.
 */
#ifndef FG_GATEWAY_WARDEN_ISSUE_PRIVATE_H
#define FG_GATEWAY_WARDEN_ISSUE_PRIVATE_H

#include "crypto/entry.h"
#include "gateway/warden/issue.h"

/*
 * One kind of request. Whatever judged() and work() lead to, it ends in issue_refuse(),
 * issue_disown() or, after the log's acknowledgement, in effect() and issue_done().
 */
struct issue_kind {
	/* Tells whoever asked that it is not permitted. a is NULL when it was never looked at. */
	void (*refused)(struct warden *w, const struct request *r, const struct judge_answer *a, const char *why);
	/*
	 * Reads what came with it; NULL, or why it cannot be. A kind without is about statements of
	 * people: read, their log states asked of audit, judged; terms() and judged() are for those alone.
	 */
	const char *(*read)(struct warden *w, char *why, size_t cap);
	/* Kinds with read(): audit has said where the log stands. */
	void (*judge)(struct warden *w);
	/* What the statements must say, from our own facts; gateway is filled in. requesters holds MSG_FROM_MAX. */
	void (*terms)(const struct warden *w, struct judge_case *c, const char **requesters);
	/* Enough persons have signed. */
	void (*judged)(struct warden *w);
	/* Work that waits for nobody, true when there is more; NULL: none. */
	bool (*work)(struct warden *w);
	/* The log has it, durable. */
	void (*effect)(struct warden *w);
	/* It may be in the log and has no effect: says so there. NULL: the log needs no more. */
	void (*disowned)(struct warden *w, const char *why);
	/* Frees what the kind holds in the job; NULL: nothing. */
	void (*dropped)(struct warden *w);
};

extern const struct issue_kind issue_release, issue_resume, issue_rollout, issue_signers, issue_recover, issue_standing;
extern const struct issue_kind issue_policy, issue_policy_recover, issue_afterreview;

/* The job in hand ends: answered, cleared. */
void issue_refuse(struct warden *w, const char *why);
void issue_disown(struct warden *w, const char *why);
/* The job in hand is over and was answered. */
void issue_done(struct warden *w);
/* One more reference of an entry; one too many is left out. */
void issue_ref(struct msg_append *m, const char *key, const char *text);
void issue_number(struct msg_append *m, const char *key, uint64_t n);
/* Sends to audit and sets the deadline; false: the job is refused and gone. */
bool issue_ask_audit(struct warden *w, unsigned type, const void *msg);

/* What the log is read for (issue_scan.c), of the job in hand. */
struct issue_scan {
	enum entry_event event;
	struct view text;     /* the document of that entry */
	uint64_t from;        /* the log had so many entries when it was written down */
	const char *noun, *folder; /* for people; SUCCESSOR_... */
	uint32_t number;
	bool *unsettled;      /* the warden's own of these */
	uint64_t *scanned;
	bool (*was_in_force)(const struct warden *w, uint32_t number);
	void (*take)(struct warden *w); /* the log has it: into force, and told */
};
/* Audit has said where the log stands; an entry came. The job ends, or the next entry is asked for. */
void issue_scan_begin(struct warden *w, const struct issue_scan *s);
void issue_scan_proof(struct warden *w, const struct issue_scan *s, const struct msg_proof *m);
/* As a kind's refused(). */
void issue_scan_refused(struct warden *w, const struct request *r, const struct judge_answer *a, const char *why);
/* An entry of the log, looking for a signer set; for a policy. */
void issue_signers_proof(struct warden *w, const struct msg_proof *m);
void issue_policy_proof(struct warden *w, const struct msg_proof *m);
/* NULL, or why nothing of that profile may be released under that policy. */
const char *issue_policy_refuses(const struct warden *w, const char *profile, const uint8_t policy[DIGEST_SHA256_LEN]);
/* What is owed to the log about resumes without effect: is sent again when it is time, and forgotten once it is there. */
void issue_resume_owed(struct warden *w);
void issue_resume_appended(struct warden *w, const struct msg_appended *m);
void issue_resume_end(struct warden *w);
/* Of a request for a release, whatever it rests on: its terms, and its requesters. */
void issue_release_terms(const struct msg_issue *m, struct approval_terms *t);
void issue_release_requesters(const struct msg_issue *m, struct judge_case *c, const char **requesters);
/* issue_standing.c: what a release rests on that nobody signed for. */
void issue_standing_terms(const struct warden *w, struct judge_case *c, const char **requesters);
/* Its place among those under that statement is taken, durable; NULL, or why it is not. */
const char *issue_standing_take(struct warden *w);
/* When the first of its statements was written; 0: one of them is none. */
int64_t issue_standing_as_of(const struct warden *w);
/* The references that name the statement in the log. */
void issue_standing_name(const struct warden *w, struct msg_append *m);
/* issue_glass.c: a release that one person alone lets through. The statements of the job say that they are of that kind. */
bool issue_is_glass(const struct warden *w);
/* After issue_release_terms(): what such a statement says otherwise, and what bounds it. */
void issue_glass_terms(const struct warden *w, struct judge_case *c);
/* That an after-review is owed is noted, durable, and the log was told what is about to be done; NULL, or why not. */
const char *issue_glass_take(struct warden *w);
/* Made and kept: what that means for the next break-glass. */
void issue_glass_released(struct warden *w, const struct released *made);
/* The case of the job in hand. */
void issue_case(const struct warden *w, struct judge_case *c, const char **requesters);

#endif
