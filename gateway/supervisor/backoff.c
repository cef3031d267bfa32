/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/backoff.h"

void
backoff_started(struct backoff *b, int64_t now_ms)
{
	b->started_ms = now_ms;
}

int64_t
backoff_ended(struct backoff *b, int64_t now_ms)
{
	if (now_ms - b->started_ms >= BACKOFF_QUIET_MS)
		b->failures = 0;
	int64_t delay = BACKOFF_FIRST_MS;
	for (unsigned i = 0; i < b->failures && delay < BACKOFF_MAX_MS; i++)
		delay *= 2;
	if (delay >= BACKOFF_MAX_MS)
		return BACKOFF_MAX_MS; /* and the count stays where it is */
	b->failures++;
	return delay;
}
