/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glass - what the warden remembers for break-glass (crypto/approval_glass.h), in its own memory and file: which images
 * people in full number released, for how many modules; which releases one person alone made; which of those the others
 * have looked at since. For good, also when a release is gone. Only where genesis has break-glass.
 */
#ifndef FG_GATEWAY_WARDEN_GLASS_H
#define FG_GATEWAY_WARDEN_GLASS_H

#include "crypto/release.h"

/* Eighteen releases a day for ten years. What comes after is not remembered: then it permits less. */
#define GLASS_MAX 65536

struct glass;

struct glass_use { /* a release that one person made alone */
	uint8_t release[RELEASE_ID], image[DIGEST_SHA256_LEN];
	uint32_t quorum;   /* persons that policy asked for */
	uint64_t log_size; /* of the log when it was judged: an after-review has seen more */
};

/* Reads the file "breakglass" below dir, making it if it is missing. 0, FG_EIO, FG_ELIMIT, FG_ENOMEM. dir stays the caller's. */
int glass_open(int dir, struct glass **ret);
void glass_close(struct glass *g);
/* People let that image go to so many modules. Best effort: what is forgotten permits less. */
void glass_released(struct glass *g, const uint8_t image[DIGEST_SHA256_LEN], uint32_t modules, uint64_t log_size);
/* Most modules of such a release from a log state above newer_than: what was restricted since was not released before. */
uint32_t glass_modules(const struct glass *g, const uint8_t image[DIGEST_SHA256_LEN], uint64_t newer_than);
/*
 * Before the log is asked. Durable with 0, also if known already. With an error of the disk it is owed while this process
 * lives; FG_ELIMIT: there is no place for it and its review.
 */
int glass_used(struct glass *g, const struct glass_use *u);
/* False: nothing is owed. */
bool glass_owed(const struct glass *g, struct glass_use *ret);
/* The others have looked at it. Durable with 0, else it is still owed. */
int glass_reviewed(struct glass *g, const uint8_t release[RELEASE_ID]);

#endif
