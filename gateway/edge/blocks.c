/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/blocks.h"

#include <stdlib.h>

#define WAYS 4 /* places that a block may be in: the one used longest ago makes room */
#define SETS (BLOCKS_MAX / WAYS)

struct place {
	uint64_t file, block; /* block and 1; 0: nothing good is in it */
	uint64_t used;
	uint8_t *bytes;       /* NULL: never needed yet */
};

struct blocks {
	struct place place[SETS][WAYS];
	struct place *given; /* by blocks_room, and not yet kept */
	uint64_t clock;
};

struct blocks *
blocks_new(void)
{
	return calloc(1, sizeof(struct blocks));
}

void
blocks_free(struct blocks *b)
{
	for (unsigned s = 0; b && s < SETS; s++)
		for (unsigned w = 0; w < WAYS; w++)
			free(b->place[s][w].bytes);
	free(b);
}

/* Neighbours lie apart, and beginnings of files: whoever aims at one set makes his own reads slow. */
static struct place *
set_of(struct blocks *b, uint64_t file, uint64_t block)
{
	return b->place[(block + file * 7) % SETS];
}

const uint8_t *
blocks_find(struct blocks *b, uint64_t file, uint64_t block)
{
	struct place *set = set_of(b, file, block);
	for (unsigned w = 0; w < WAYS; w++) {
		if (set[w].file != file || set[w].block != block + 1)
			continue;
		set[w].used = ++b->clock;
		return set[w].bytes;
	}
	return NULL;
}

uint8_t *
blocks_room(struct blocks *b, uint64_t file, uint64_t block)
{
	struct place *set = set_of(b, file, block), *oldest = set;
	for (unsigned w = 1; w < WAYS; w++)
		if (set[w].used < oldest->used)
			oldest = &set[w];
	oldest->block = 0;
	if (!oldest->bytes && !(oldest->bytes = malloc(BLOCKS_SIZE)))
		return NULL;
	b->given = oldest;
	return oldest->bytes;
}

void
blocks_keep(struct blocks *b, uint64_t file, uint64_t block)
{
	if (!b->given)
		abort();
	b->given->file = file;
	b->given->block = block + 1;
	b->given->used = ++b->clock;
	b->given = NULL;
}
