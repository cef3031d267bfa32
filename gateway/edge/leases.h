/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leases - grants this edge holds: (module, release) until a moment on the
 * monotonic clock. They let an edge go on while control is away; a revocation
 * drops them.
 */
#ifndef FG_GATEWAY_EDGE_LEASES_H
#define FG_GATEWAY_EDGE_LEASES_H

#include "gateway/wire/msg.h"

#define LEASES_SECONDS_MAX 3600  /* no grant outlives control's silence longer (ARCHITECTURE.md section 3) */
#define LEASES_MAX 1048576u      /* modules downloading within an hour through one edge; 80 MB of places */

struct leases;

struct leases *leases_new(void);
void leases_free(struct leases *l);
bool leases_valid(const struct leases *l, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID], int64_t now_ms);
/*
 * Until now (above 0) plus seconds, capped; 0 seconds leave none. FG_ENOMEM,
 * FG_ELIMIT: then the module asks again later.
 */
int leases_add(struct leases *l, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID], int64_t now_ms,
    uint32_t seconds);
void leases_drop_release(struct leases *l, const uint8_t release[MSG_ID]);
/* Forgets what has run out; cheap enough for once a minute. */
void leases_sweep(struct leases *l, int64_t now_ms);
/* Those held, run out or not. */
size_t leases_count(const struct leases *l);

#endif
