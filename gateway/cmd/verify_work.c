/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_work.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "crypto/err.h"

struct part {
	verify_work_fn fn;
	void *ctx;
	unsigned part, parts;
	int err;
	pthread_t thread;
};

unsigned
verify_work_parts(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > (long)VERIFY_WORK_THREADS ? VERIFY_WORK_THREADS : (unsigned)n;
}

static void *
enter(void *arg)
{
	struct part *p = arg;
	p->err = p->fn(p->ctx, p->part, p->parts);
	return NULL;
}

int
verify_work_run(verify_work_fn fn, void *ctx, unsigned parts)
{
	struct part part[VERIFY_WORK_THREADS];
	unsigned started = 0;
	int err = FG_OK;
	if (!parts || parts > VERIFY_WORK_THREADS)
		return FG_EINVAL;
	for (; !err && started + 1 < parts; started++) {
		struct part *p = &part[started];
		*p = (struct part){ .fn = fn, .ctx = ctx, .part = started, .parts = parts };
		if (pthread_create(&p->thread, NULL, enter, p)) {
			err = FG_ENOMEM;
			break;
		}
	}
	if (!err)
		err = fn(ctx, parts - 1, parts);
	for (unsigned i = 0; i < started; i++) {
		pthread_join(part[i].thread, NULL);
		if (!err)
			err = part[i].err;
	}
	return err;
}

int
verify_work_take(_Atomic uint64_t *next, uint64_t n, uint64_t *ret)
{
	*ret = atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
	return *ret < n;
}
