/* SPDX-License-Identifier: Apache-2.0 */
/*
 * egress - where modules connect to, as the operator's own network saw it, before they had a release and after.
 * Role: control reads a report of that and asks what only modules with the release were seen to do; the network's
 * side (a firewall, a carrier's flow records) is the operator's, since traffic of modules does not pass this gateway.
 * Guarantees: pure; a report is judged by itself, so that no database says what is known: whoever has not had the
 * release yet, and everybody's time before it, is what the rest is held against. Another sight from before makes
 * nothing new, another from after makes nothing known; with nothing from before there is no verdict.
 */
#ifndef FG_POLICY_EGRESS_H
#define FG_POLICY_EGRESS_H

#include "policy/identity.h"
#include "policy/profile.h"

#define EGRESS_HEADER "kind,identity,endpoint,time"
#define EGRESS_BYTES_MAX (32u << 20) /* of one report: what so many lines take */
#define EGRESS_LINES_MAX 200000u     /* 50,000 modules and four places each; more comes in parts */
#define EGRESS_ENDPOINT_CAP (PROFILE_HOST_MAX + 1)

struct egress_line {
	enum identity_kind kind;
	char identity[IDENTITY_TEXT_MAX + 1]; /* canonical */
	char endpoint[EGRESS_ENDPOINT_CAP];   /* a name in lower case, or an address in its one spelling; no port */
	int64_t at;                           /* epoch seconds */
};

struct egress_reader {
	struct view rest;
	unsigned line; /* of what egress_next() gave last, from 1 */
};
/* Past the header. False: the first line is another. csv is borrowed. */
bool egress_begin(struct egress_reader *r, struct view csv);
/*
 * The next line that is not empty; false at the end. *ret_why is NULL, or what is wrong with that line: then ret is
 * nothing, and the next call goes on behind it.
 */
bool egress_next(struct egress_reader *r, struct egress_line *ret, const char **ret_why);

/* One module seen to connect to one endpoint: those of the same have the same number. */
struct egress_sight {
	uint32_t endpoint;
	bool after; /* it had the release then */
};
/*
 * Numbers of endpoints that were seen after and never before, at most cap of them into ret, in the order of s, which
 * has each number in one run; *ret_n counts all. False: nothing was seen before, and nobody knows what is new.
 */
bool egress_judge(const struct egress_sight *s, size_t n, uint32_t *ret, size_t cap, size_t *ret_n);

#endif
