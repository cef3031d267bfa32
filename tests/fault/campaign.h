/* SPDX-License-Identifier: Apache-2.0 */
/*
 * campaign - a story told on a folder, under every fault: cut at each change, each
 * call failing in each way, killed at each change and told again. The driver keeps
 * what was acknowledged and judges what is there.
 */
#ifndef FG_TESTS_FAULT_CAMPAIGN_H
#define FG_TESTS_FAULT_CAMPAIGN_H

#include "fault/fault.h"

struct campaign {
	const char *name;
	void *ctx;
	void (*base)(void *ctx, const char *dir); /* makes the folder's first state */
	void (*begin)(void *ctx);                 /* nothing has been acknowledged yet */
	/*
	 * Tells the story in dir; life counts from 1. Ends at the first error, which it
	 * returns. What was promised is noted only while campaign_alive().
	 */
	int (*tell)(void *ctx, const char *dir, unsigned life);
	void (*judge)(void *ctx, const char *dir); /* may change what is in dir */
	unsigned lots;                             /* cuts by lot at each change */
	/* For stories of many changes; 0 is 1, and all are 1 with FG_FAULT_DEEP. */
	unsigned step;  /* single faults only at one of so many calls */
	unsigned every; /* cuts of the second life only at one of so many changes */
	unsigned sparse; /* cuts of the story without a fault, too */
};

void campaign_run(const struct campaign *c);
/* The process that tells the story is not dead: what returned 0 was acknowledged. */
bool campaign_alive(void);

#endif
