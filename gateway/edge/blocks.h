/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks - blocks of files that were read and found to be what was signed for.
 * Role: the stock keeps them between two transfers and two requests: else each
 * range of 2 KiB would have its 64 KiB read and hashed again, and each transfer hold
 * them for as long as its reader takes. Guarantees: no more than BLOCKS_MAX in memory,
 * whoever reads; what is found is what was kept, whatever became of the file.
 */
#ifndef FG_GATEWAY_EDGE_BLOCKS_H
#define FG_GATEWAY_EDGE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define BLOCKS_SIZE 65536 /* RELEASE_BLOCK */
#define BLOCKS_MAX 256    /* 16 MiB in an edge, had when needed */

struct blocks;

/* NULL on no memory. */
struct blocks *blocks_new(void);
void blocks_free(struct blocks *b);
/* Block of the file with that number, which is never another's; NULL: not here. Borrowed until blocks_room. */
const uint8_t *blocks_find(struct blocks *b, uint64_t file, uint64_t block);
/* BLOCKS_SIZE bytes to read it into; what was there is gone. Nobody finds it before blocks_keep. NULL: no memory. */
uint8_t *blocks_room(struct blocks *b, uint64_t file, uint64_t block);
/* What stands in the room given last is good. */
void blocks_keep(struct blocks *b, uint64_t file, uint64_t block);

#endif
