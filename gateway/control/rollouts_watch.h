/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollouts_watch - what the operator's network saw of modules (policy/egress.h), held against each rollout.
 * Role: egress.c hands a report over that it read. Guarantees: an endpoint that only modules with the release were
 * seen at is in the log and, where the plan asks for a watch, pauses the rollout first; each is told once for a
 * release, so what people signed to go on over pauses nothing again; how many modules were watched is in the log
 * before a ring opens for it, and nowhere else.
 */
#ifndef FG_GATEWAY_CONTROL_ROLLOUTS_WATCH_H
#define FG_GATEWAY_CONTROL_ROLLOUTS_WATCH_H

#include "gateway/control/rollouts.h"

#define ROLLOUTS_ASKED_MAX 1000000u /* lines times releases of a product: a fifth of a second */

struct rollouts_contact {
	const struct inventory_module *module; /* of which a product is known */
	const char *endpoint;                  /* borrowed */
	int64_t at;
};
struct rollouts_traffic {
	struct rollouts_contact *seen; /* is sorted here */
	size_t n;
	uint8_t sha256[DIGEST_SHA256_LEN]; /* of the report */
	const char *who;                   /* brought it */
};

/* What it said of one release. */
struct rollouts_watched {
	const uint8_t *id;
	bool baseline;     /* modules of the product were seen without the release: only then the rest says anything */
	bool paused;       /* by this */
	size_t fresh_n;    /* endpoints that are new with it, whether told before or not */
	unsigned watched;  /* modules that run it, and were seen since they had it */
	const char *fresh[ROLLOUTS_ENDPOINTS_MAX]; /* the first of those */
};
/*
 * Judges all releases of the products seen, and but for dry_run acts on it; each: called for every one that modules
 * have. FG_ENOMEM: nothing was done. FG_ELIMIT: more than ROLLOUTS_ASKED_MAX, nothing was done.
 */
int rollouts_watch(struct rollouts *r, struct rollouts_traffic *t, bool dry_run,
    void (*each)(void *arg, const struct rollouts_watched *what), void *arg);

#endif
