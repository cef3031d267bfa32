/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edges - control's channels to the edges: sightings and questions in, tables,
 * grants and revocations out. The table is built once and handed to all as one
 * sealed memfd; its generation is the size of the log and never goes back.
 */
#ifndef FG_GATEWAY_CONTROL_EDGES_H
#define FG_GATEWAY_CONTROL_EDGES_H

#include "gateway/role/chan.h"
#include "gateway/wire/msg.h"

#define EDGES_MAX 64            /* policy/config */
#define EDGES_DECIDE_MS 20      /* changes that come together make one table */
#define EDGES_MODULES_MS 2000   /* the inventory changes with every stranger, who waits at most that long; */
#define EDGES_MODULES_LEAST_MS 100 /* at least that long after the one before him, */
#define EDGES_MODULES_SHARE 20  /* and as many times as long as it took to make the table for that one */

struct control;
struct edges;

struct edges *edges_new(struct control *c);
void edges_free(struct edges *e);
/* Rules of the channel; its ctx is struct control. */
extern const struct chan_ops edges_ops;
void edges_up(struct edges *e, struct chan *chan, unsigned index);
void edges_down(struct edges *e, unsigned index);

/* A new table soon: of decisions alone, or of everything. */
void edges_table_due(struct edges *e, bool modules);
/* At once, for what restricts. */
void edges_table_now(struct edges *e);
/* Tells all edges to stop; how many were told. */
unsigned edges_revoke(struct edges *e, const uint8_t release[16]);
/* The same of one that may be offered again later. */
unsigned edges_withhold(struct edges *e, const uint8_t release[16]);
/* The inventory may have changed: a table with that in it follows, as soon as it may cost that much again. */
void edges_modules_seen(struct edges *e);
/* Every second. */
void edges_tick(struct edges *e);

uint64_t edges_generation(const struct edges *e);
/* As it said last; all zero while it is away. Borrowed; an edge may say what it likes. */
const struct msg_load *edges_load(const struct edges *e, unsigned index);
bool edges_is_up(const struct edges *e, unsigned index);
/* Generation that edge has taken. */
uint64_t edges_taken(const struct edges *e, unsigned index);

#endif
