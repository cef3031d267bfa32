/* SPDX-License-Identifier: Apache-2.0 */
/* What fetches.c, which orders a fetch and ends it, and arrivals.c, which finds out what it brought, share. */
#ifndef FG_GATEWAY_CONTROL_FETCHES_PRIVATE_H
#define FG_GATEWAY_CONTROL_FETCHES_PRIVATE_H

#include <sys/queue.h>

#include "gateway/control/control_private.h"
#include "gateway/control/fetches.h"

enum leg { LEG_FETCH = 0, LEG_IMAGE, LEG_SIGNATURE }; /* what is being waited for or hashed */

struct flight { /* one fetch under way */
	LIST_ENTRY(flight) link;
	struct fetches *all;
	struct db_resource resource;
	uint64_t candidate;  /* 0: a known image is looked at again */
	uint64_t record;     /* in the history */
	uint64_t job;
	uint64_t max_bytes;
	char asker[80];
	struct files_part part[2]; /* image, signature */
	bool have_part[2];
	bool kept;           /* the database knows part[0]: it outlives the flight */
	struct msg_kept had; /* as it knows it; bytes 0: nothing */
	int64_t had_at;
	uint64_t began_with; /* bytes of an earlier fetch */
	uint8_t policy[DIGEST_SHA256_LEN]; /* kept_policy() it was ordered under */
	bool started, replied;
	struct msg_fetch_done done;
	enum leg leg;
	struct digest *digest;
	int fd;
	uint64_t offset, size;
	uint8_t *slice;
	uint8_t sha256[2][DIGEST_SHA256_LEN];
	uint64_t bytes[2];
	bool have_provenance;
	uint8_t provenance[DIGEST_SHA256_LEN];
	struct event *turn;
};

struct fetches {
	struct control *c;
	LIST_HEAD(, flight) flights;
	unsigned n;
	int64_t told; /* when a limit was last complained of */
};

/* An entry about it, to be filled and told. NULL for want of memory. */
struct msg_append *fetches_entry(const struct flight *fl, enum entry_event event, const char *out);
/* How it ended, for the history and the resource. */
void fetches_history(struct flight *fl, unsigned outcome, const char *detail);
/*
 * Asks a fetcher: m says what and how much; how the profile's servers are reached, and for how long at most, is filled in
 * here. part: where image and signature go.
 */
int fetches_ask(const struct policy *p, struct msg_fetch *m, const struct files_part part[2], struct chan *chan);
/* Nobody goes on with its part any more. */
void fetches_release(struct flight *fl);
/* It is over and has brought nothing; takes fl. */
void fetches_fail(struct flight *fl, const char *detail);
/* Forgets it and what it has not handed on; takes fl. */
void fetches_land(struct flight *fl);

#endif
