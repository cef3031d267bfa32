/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stock - what the warden has released to this edge: records, image
 * descriptors, block lists. The only bytes an edge can send come from here.
 * Guarantees: a record's digest is its id, its block list's digest stands in it;
 * no byte leaves before the 64 KiB block it lies in was hashed against that list
 * since it was loaded: once for sealed memory, at each load for a file, of which
 * some blocks stay in memory (edge/blocks.h) and a transfer holds none.
 */
#ifndef FG_GATEWAY_EDGE_STOCK_H
#define FG_GATEWAY_EDGE_STOCK_H

#include "crypto/release.h"
#include "gateway/edge/table.h"
#include "gateway/net/conn.h"

#define STOCK_MAX 1024    /* as many as the warden keeps in force */
#define STOCK_BANNED 4096 /* revoked ones remembered; older ones are out of every table by then */

struct stock;
struct stock_item; /* one release; counted by the transfers that use it */

struct stock *stock_new(void);
void stock_free(struct stock *r);
/*
 * Takes both descriptors. FG_EPEER for a record, list or memfd that does not
 * hold together, FG_EPERM for one that was revoked here, FG_ELIMIT, FG_ENOMEM, FG_EIO. A release that is there already
 * is replaced only by itself.
 */
int stock_add(struct stock *r, const uint8_t id[RELEASE_ID], struct view record, uint64_t size, bool hot,
    int image_fd, int blocks_fd);
/* Forgets it at once; transfers keep their item until they end (and are reset by the owner). */
bool stock_drop(struct stock *r, const uint8_t id[RELEASE_ID]);
/*
 * As stock_drop, and it stays out: a warden that was away when it was revoked
 * would otherwise bring it back. A release that is issued again has another id.
 */
void stock_ban(struct stock *r, const uint8_t id[RELEASE_ID]);
size_t stock_count(const struct stock *r);
const struct stock_item *stock_find(const struct stock *r, const uint8_t id[RELEASE_ID]);
const struct release *stock_record(const struct stock_item *item);
/* 64 hex digits of the image: the entity tag. */
const char *stock_etag(const struct stock_item *item);
/* True when the table's row permits nothing the record does not. */
bool stock_within(const struct stock_item *item, const struct table_decision *row);
/*
 * A body source over the item, to be done with before stock_free. corrupt is called (with corrupt_ctx) when a
 * block does not hash to what was signed for; the transfer then ends. corrupt may
 * drop the release, not free r. FG_ENOMEM.
 */
int stock_source(struct stock *r, const struct stock_item *item,
    void (*corrupt)(void *ctx, const uint8_t id[RELEASE_ID], uint64_t block), void *corrupt_ctx,
    struct net_source *ret);

#endif
