/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidate - one image under one resource, and what became of it.
 * Its number makes the review id "R-<n>". A resource may have several: the same
 * URL giving other bytes is an incident, and both stay.
 */
#ifndef FG_GATEWAY_STATE_CANDIDATE_H
#define FG_GATEWAY_STATE_CANDIDATE_H

#include "gateway/state/db.h"

#define DB_REVIEW_CAP 32 /* "R-18446744073709551615" and NUL */

/* Proposed by the first statement; those after it must say the same. */
struct db_scope {
	uint32_t from_n;
	char from[DB_LIST_MAX][DB_VERSION_MAX];
	uint32_t groups_n;
	char groups[DB_LIST_MAX][DB_VERSION_MAX];
	uint32_t max_devices;
	int64_t not_before, not_after;
	uint32_t quorum; /* persons that the policy asked for when it was written; 0: not said */
	uint32_t delay;  /* break-glass: seconds of its veto delay, and no not_before; 0: an ordinary one */
	bool have_plan;
	uint8_t plan[DIGEST_SHA256_LEN];
};

/* Another image than the one released for the same update. Stored: values do not change. */
enum db_rival {
	DB_RIVAL_NONE = 0,
	DB_RIVAL_SUSPECT, /* not judged yet: what a server sends for a made-up name is no image */
	DB_RIVAL_FREEZES, /* it is one: what was released waits for people, while this is an incident */
};

struct db_candidate {
	uint64_t id;
	uint8_t resource[DB_ID];
	char profile[DB_NAME_MAX]; /* the resource's, read only */
	char state[DB_WORD_MAX];   /* lifecycle_state_name() */
	bool have_image;           /* false while bytes are not there yet */
	uint8_t image[DIGEST_SHA256_LEN];
	uint64_t size;
	bool in_quarantine;        /* the file is on disk and counts against the quota */
	bool have_signature, have_report, have_provenance, have_policy, have_scope, have_release, have_hook;
	uint8_t signature[DIGEST_SHA256_LEN];
	uint8_t report[DIGEST_SHA256_LEN];
	uint8_t provenance[DIGEST_SHA256_LEN];
	uint8_t policy[DIGEST_SHA256_LEN]; /* at judging */
	uint8_t hook[DIGEST_SHA256_LEN];   /* what the decision hook said (FILES_HOOK); control/hooks.h: if that counts */
	uint64_t opened_at_log;    /* log size when the review opened */
	int64_t created, updated;
	enum db_rival rival;
	int64_t arrived;           /* when these bytes came here; 0: they have not yet */
	uint32_t requesters_n;     /* importers, profile authors: never count */
	char requester[DB_LIST_MAX][DB_WHO_MAX];
	char note[DB_TEXT_MAX];
	struct db_scope scope;
	uint8_t release[DB_ID];
};

/* c->id is not looked at. FG_ENOTFOUND: no such resource. FG_EEXIST: it has this image already. */
int db_candidate_new(struct db *db, const struct db_candidate *c, uint64_t *ret_id);
/* No new one is given a number up to id: people have written those down. */
int db_candidate_number_from(struct db *db, uint64_t id);
/* FG_ENOTFOUND. */
int db_candidate_get(struct db *db, uint64_t id, struct db_candidate *ret);
/* The candidate of a resource with that image. FG_ENOTFOUND. */
int db_candidate_of(struct db *db, const uint8_t resource[DB_ID], const uint8_t image[DIGEST_SHA256_LEN],
    struct db_candidate *ret);
/* The youngest of a resource. FG_ENOTFOUND. */
int db_candidate_newest(struct db *db, const uint8_t resource[DB_ID], struct db_candidate *ret);
/* By what the warden issued for it. FG_ENOTFOUND. */
int db_candidate_by_release(struct db *db, const uint8_t release[DB_ID], struct db_candidate *ret);
/*
 * Writes the whole row (resource, created stay) when its state still is from.
 * FG_ENOTFOUND; FG_ESTATE: somebody moved it; FG_EEXIST: another one has the image.
 */
int db_candidate_update(struct db *db, const struct db_candidate *c, const char *from);

struct db_candidate_filter { /* NULL, zero: no matter */
	const char *state;
	const char *profile;
	const uint8_t *resource;
	const uint8_t *image;
	const char *product;
	const char *target, *from; /* of the resource, to the letter: "" is one without. With both of them profile as well */
	bool released;       /* only those the warden issued a release for */
	bool youngest_first; /* then after is not looked at */
	uint64_t after;
	unsigned limit; /* 0: DB_PAGE_MAX */
};
/* In order of id, or against it. */
int db_candidate_list(struct db *db, const struct db_candidate_filter *f,
    int (*each)(void *arg, const struct db_candidate *c), void *arg);
struct db_image { /* all candidates of the same bytes */
	uint8_t image[DIGEST_SHA256_LEN];
	uint64_t size, candidates;
	bool in_quarantine;
	int64_t arrived; /* first; 0: not known */
};
/* In order of digest, after `after` (NULL: from the first), at most limit. */
int db_candidate_images(struct db *db, const uint8_t *after, unsigned limit,
    int (*each)(void *arg, const struct db_image *i), void *arg);
/* How many there are in each state there is one in. */
int db_candidate_states(struct db *db, int (*each)(void *arg, const char *state, uint64_t n), void *arg);
/* Those that freeze what was released, in whatever state they are by now: asked often, and hardly ever are there any. */
int db_candidate_freezing(struct db *db, int (*each)(void *arg, const struct db_candidate *c), void *arg);
/* Bytes of the distinct images of a profile that lie in quarantine, bases of deltas among them. */
int db_candidate_usage(struct db *db, const char *profile, uint64_t *ret_bytes);
/* Whether any candidate other than `but`, or a base that `but` did not make, needs the file in quarantine: before it is removed. */
int db_candidate_needs_file(struct db *db, const uint8_t image[DIGEST_SHA256_LEN], uint64_t but, bool *ret);

/* "R-12" and back; false for anything else. */
void db_candidate_review(uint64_t id, char dst[DB_REVIEW_CAP]);
bool db_candidate_review_parse(struct view text, uint64_t *ret_id);

#endif
