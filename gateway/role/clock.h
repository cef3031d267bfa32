/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock - the only way a role learns the time, so that a test can hand it
 * another one. Zero-initialised it aborts on use.
 */
#ifndef FG_GATEWAY_ROLE_CLOCK_H
#define FG_GATEWAY_ROLE_CLOCK_H

#include <stdint.h>

struct clock_source {
	int64_t (*wall_us)(void *ctx); /* microseconds since the epoch, UTC */
	int64_t (*mono_ms)(void *ctx); /* milliseconds, never back, counts suspend */
	void *ctx;
};

/* The machine's: CLOCK_REALTIME and CLOCK_BOOTTIME. */
struct clock_source clock_system(void);
int64_t clock_wall_us(const struct clock_source *c);
int64_t clock_wall_s(const struct clock_source *c);
int64_t clock_mono_ms(const struct clock_source *c);

#endif
