/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/role/clock.h"

#include <stdlib.h>
#include <time.h>

static int64_t
read_clock(clockid_t id, int64_t per_second)
{
	struct timespec ts;
	if (clock_gettime(id, &ts))
		abort(); /* both clocks exist since Linux 2.6.39 */
	return (int64_t)ts.tv_sec * per_second + ts.tv_nsec / (1000000000 / per_second);
}

static int64_t
system_wall_us(void *ctx)
{
	(void)ctx;
	return read_clock(CLOCK_REALTIME, 1000000);
}

static int64_t
system_mono_ms(void *ctx)
{
	(void)ctx;
	return read_clock(CLOCK_BOOTTIME, 1000);
}

struct clock_source
clock_system(void)
{
	return (struct clock_source){ .wall_us = system_wall_us, .mono_ms = system_mono_ms };
}

int64_t
clock_wall_us(const struct clock_source *c)
{
	if (!c->wall_us)
		abort();
	return c->wall_us(c->ctx);
}

int64_t
clock_wall_s(const struct clock_source *c)
{
	/* Floor, so that a time before 1970 in a test does not round towards it. */
	int64_t us = clock_wall_us(c);
	return us / 1000000 - (us % 1000000 < 0);
}

int64_t
clock_mono_ms(const struct clock_source *c)
{
	if (!c->mono_ms)
		abort();
	return c->mono_ms(c->ctx);
}
