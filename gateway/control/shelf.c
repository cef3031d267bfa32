/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/shelf.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MIN 64

void *
shelf_at(const struct shelf *s, size_t i)
{
	return s->rows + i * s->row_size;
}

/* Where key is, or the free slot where it would be. */
static size_t
slot_of(const struct shelf *s, const uint8_t key[SHELF_KEY])
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a: numbers and pseudonyms differ in few bytes */
	for (unsigned i = 0; i < SHELF_KEY; i++)
		h = (h ^ key[i]) * 0x100000001b3ull;
	size_t at = (size_t)h & (s->slots - 1);
	while (s->slot[at] && memcmp(shelf_at(s, s->slot[at] - 1), key, SHELF_KEY) != 0)
		at = (at + 1) & (s->slots - 1);
	return at;
}

void *
shelf_find(const struct shelf *s, const uint8_t key[SHELF_KEY])
{
	size_t at = s->slots ? slot_of(s, key) : 0;
	return s->slots && s->slot[at] ? shelf_at(s, s->slot[at] - 1) : NULL;
}

/* Twice the rows, and four slots for each. */
static int
grow(struct shelf *s)
{
	size_t cap = s->cap ? s->cap * 2 : ROWS_MIN;
	uint8_t *rows = reallocarray(s->rows, cap, s->row_size);
	if (!rows)
		return -1;
	s->rows = rows;
	size_t *slot = calloc(cap * 4, sizeof *slot);
	if (!slot)
		return -1;
	free(s->slot);
	s->slot = slot;
	s->slots = cap * 4;
	s->cap = cap;
	for (size_t i = 0; i < s->n; i++)
		s->slot[slot_of(s, shelf_at(s, i))] = i + 1;
	return 0;
}

void *
shelf_make(struct shelf *s, const uint8_t key[SHELF_KEY])
{
	void *found = shelf_find(s, key);
	if (found)
		return found;
	if (s->n == s->cap && grow(s))
		return NULL;
	s->slot[slot_of(s, key)] = s->n + 1;
	uint8_t *row = shelf_at(s, s->n++);
	memset(row, 0, s->row_size);
	memcpy(row, key, SHELF_KEY);
	return row;
}

void
shelf_free(struct shelf *s)
{
	free(s->rows);
	free(s->slot);
	*s = (struct shelf){ .row_size = s->row_size };
}
