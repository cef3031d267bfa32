/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reserve - space that is held for the log's last words: a file of zeros,
 * audit/reserve, given up when the disk has no more, so that what happened on a
 * full disk can still be written down. Taken again when there is room for it.
 * While it is not held the log counts as full.
 */
#ifndef FG_GATEWAY_AUDIT_RESERVE_H
#define FG_GATEWAY_AUDIT_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#define RESERVE_FILE "reserve"
#define RESERVE_BYTES (UINT64_C(64) << 20) /* 100,000 entries and their tiles, and a segment that begins among them */
#define RESERVE_SHARE 8      /* on a small disk: at most this part of it */
#define RESERVE_WARN_PCT 80  /* used, the reserve not counted */
#define RESERVE_ALARM_PCT 90

enum reserve_level { /* how full the log's disk is */
	RESERVE_UNKNOWN = 0, /* it could not be measured */
	RESERVE_GOOD,
	RESERVE_WARN,
	RESERVE_ALARM,
	RESERVE_FULL, /* the reserve is not held */
};

struct reserve {
	int dirfd;         /* data_dir/audit; borrowed */
	uint64_t bytes;    /* what it should be here; 0: a file system without an end */
	bool held;
	unsigned used_pct; /* as last measured */
	uint64_t free;     /* bytes the log may still take, the reserve not counted */
};

/* Finds the reserve or takes it. FG_EIO when the folder cannot be measured; a full disk is no error. */
int reserve_open(struct reserve *r, int dirfd);
/*
 * Measures. Gives the reserve up when less than half of its size is free beside it, takes it
 * (again) when there is room for it and that half.
 */
enum reserve_level reserve_look(struct reserve *r);
/* A write met a full disk: gives it up now, whatever the measure says. */
void reserve_give(struct reserve *r);

#endif
