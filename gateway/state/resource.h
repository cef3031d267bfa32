/* SPDX-License-Identifier: Apache-2.0 */
/* resource - what modules ask for: a profile and an upstream URL, whoever asks. */
#ifndef FG_GATEWAY_STATE_RESOURCE_H
#define FG_GATEWAY_STATE_RESOURCE_H

#include "gateway/state/db.h"

/*
 * Captures in a URL are the module's to choose: beyond this, what nothing was
 * fetched for makes room: first what was asked for once, longest ago.
 */
#define DB_RESOURCES_PER_PROFILE_MAX 4096

struct db_resource {
	uint8_t id[DB_ID];
	char profile[DB_NAME_MAX];
	char url[DB_URL_MAX];           /* "" : imported only */
	char signature_url[DB_URL_MAX]; /* "" : none */
	char product[DB_NAME_MAX];
	char target[DB_VERSION_MAX];
	char from[DB_VERSION_MAX];      /* "" : any */
	int64_t first_seen, last_seen;
	uint64_t sightings;
	bool have_asker;
	uint8_t asker[DB_ID];           /* pseudonym of the module that asked first */
	char state[DB_WORD_MAX];        /* lifecycle word of the fetch: "sighted", "fetching", ... */
	/* Of its newest candidate, read only. */
	uint64_t candidate;             /* 0: none */
	char candidate_state[DB_WORD_MAX];
};

/*
 * Takes a sighting in: a new row, or last_seen, sightings (+= r->sightings) of the
 * known one, whose other fields stay. FG_ELIMIT: the profile has too many that
 * something was fetched for.
 */
int db_resource_sight(struct db *db, const struct db_resource *r, bool *ret_new);
/* last_seen and sightings (+= n) of a known one. *ret_there is false when it has made room for another. */
int db_resource_seen(struct db *db, const uint8_t id[DB_ID], int64_t last_seen, uint64_t n, bool *ret_there);
/* FG_ENOTFOUND. */
int db_resource_get(struct db *db, const uint8_t id[DB_ID], struct db_resource *ret);
/* FG_ENOTFOUND; FG_ESTATE when it is not in from (NULL: whatever it is in). */
int db_resource_move(struct db *db, const uint8_t id[DB_ID], const char *from, const char *to);
/* In order of id, after `after` (NULL: from the first), at most limit; profile and state NULL: all. */
int db_resource_list(struct db *db, const char *profile, const char *state, const uint8_t *after, unsigned limit,
    int (*each)(void *arg, const struct db_resource *r), void *arg);
int db_resource_count(struct db *db, const char *profile, uint64_t *ret);
/* Forgets it and its fetch history. FG_ENOTFOUND; FG_ESTATE when it has candidates. */
int db_resource_drop(struct db *db, const uint8_t id[DB_ID]);

#endif
