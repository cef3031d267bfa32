/* SPDX-License-Identifier: Apache-2.0 */
/* quota - a bucket of tokens that refills with time: what one source may write of one kind. Pure; time is handed in. */
#ifndef FG_GATEWAY_AUDIT_QUOTA_H
#define FG_GATEWAY_AUDIT_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

struct quota_rate {
	uint32_t burst; /* tokens of a full bucket */
	uint32_t per_s; /* that come back in a second */
};

struct quota { /* zero-initialised: full at its first use */
	int64_t left;  /* thousandths of a token; below zero after a charge that was more than there was */
	int64_t at_ms;
	bool begun;
};

/* Takes cost tokens if they are there; false, and nothing taken, if not. now_ms never goes back. */
bool quota_take(struct quota *q, const struct quota_rate *rate, int64_t now_ms, uint32_t cost);
/* Takes them whether they are there or not: quota_is_open() is false until the debt is paid. */
void quota_charge(struct quota *q, const struct quota_rate *rate, int64_t now_ms, uint32_t cost);
bool quota_is_open(struct quota *q, const struct quota_rate *rate, int64_t now_ms);

#endif
