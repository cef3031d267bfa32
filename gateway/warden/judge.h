/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge - do these statements permit this? Pure: facts and time in, a counted
 * answer out; nothing here reads a file, a clock or another role.
 */
#ifndef FG_GATEWAY_WARDEN_JUDGE_H
#define FG_GATEWAY_WARDEN_JUDGE_H

#include "crypto/genesis.h"
#include "crypto/release.h"

#define JUDGE_STATEMENTS_MAX RELEASE_STATEMENTS_MAX

/* Statement and signature bytes as handed in; views borrow from the bundle. */
struct judge_bundle {
	unsigned n;
	struct {
		struct view statement;
		struct view signature;
	} pair[JUDGE_STATEMENTS_MAX];
};

/* u32 count, then (blob statement, blob signature) each. FG_EPEER if not exactly that. */
int judge_bundle_parse(struct view bytes, struct judge_bundle *ret);

/* What the caller knows for itself. */
struct judge_case {
	const struct genesis *genesis;
	const struct signers *set;
	struct approval_terms terms;          /* what was asked for */
	const char *const *requesters;        /* principals that never count */
	unsigned requesters_n;
	uint32_t quorum;                      /* the profile's; the floor may be higher */
	uint64_t newer_than;                  /* log size a statement must have seen more than */
	uint64_t others;                      /* modules that other releases in force of this image are for */
	/* The clock may be either (crypto/clockwatch.h): what must not have begun too late or ended is asked of both. */
	int64_t earliest, latest;
	int64_t wall;
	bool confirms_clock;                  /* the statement says that wall is right: its own time is judged by it */
	/* Of a standing statement: the release asked for under it, and how many there were. Zeroed it covers nothing. */
	struct approval_terms covers;
	uint32_t used;
	/* Of break-glass: modules that people in full number let that image to before; whether an after-review is owed. */
	uint32_t released;
	bool review_owed;
	bool halted; /* the gateway is, which stops it */
	/* Root of our log at the i-th statement's log size, asked of audit beforehand; NULL = not in our log. */
	const uint8_t *roots[JUDGE_STATEMENTS_MAX];
};

struct judge_answer {
	bool permitted; /* enough persons, in the ways their number asks for */
	uint32_t needed;
	uint32_t counted;
	uint32_t off_console; /* of those counted: not made by a passkey in a browser */
	uint32_t statements_n;
	struct release_statement statement[JUDGE_STATEMENTS_MAX]; /* those that counted */
	char why[512]; /* when not permitted: the first reason a statement did not count, or how many are missing */
};

/* The log size each statement says it saw, for asking audit. FG_EFORMAT with why for an unreadable one. */
int judge_log_sizes(const struct judge_bundle *b, uint64_t ret[JUDGE_STATEMENTS_MAX], char *ret_why, size_t cap);
/*
 * Every statement: canonical, the terms byte for byte those of the case, times
 * and log state in order, a nonce no other one has, a good signature by a key of
 * the approver named in it, not a requester; persons and keys once. 0 with the
 * answer or a local failure. Where the floor is that of
 * production, it is permitted only if one of those that count was made off the
 * console: whoever signs in a browser has read what the console showed.
 */
int judge_case(const struct judge_case *c, const struct judge_bundle *b, struct judge_answer *ret);

#endif
