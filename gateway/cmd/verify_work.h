/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_work - the same work on every processor at once: hashing and reading
 * entries are all that takes time here. Callers share nothing that is written
 * but what they take by verify_work_take.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_WORK_H
#define FG_GATEWAY_CMD_VERIFY_WORK_H

#include <stdatomic.h>
#include <stdint.h>

#define VERIFY_WORK_THREADS 8u /* beyond these, memory is what limits */

/* part of parts; 0 or a negative fg_err. */
typedef int (*verify_work_fn)(void *ctx, unsigned part, unsigned parts);

/* How many parts verify_work_run will make: 1..VERIFY_WORK_THREADS. */
unsigned verify_work_parts(void);
/* Runs fn once per part, the last in the calling thread. The first error of any; FG_ENOMEM without threads. */
int verify_work_run(verify_work_fn fn, void *ctx, unsigned parts);
/* The next of n jobs into *ret; 0 when all are taken. */
int verify_work_take(_Atomic uint64_t *next, uint64_t n, uint64_t *ret);

#endif
