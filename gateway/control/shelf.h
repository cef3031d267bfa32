/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf - rows of one size found by a 32-byte key, in the order they were made.
 * Used by recount for what a log says of thousands of things. Keys are digests,
 * pseudonyms or numbers of ours: nobody outside chooses them freely.
 */
#ifndef FG_GATEWAY_CONTROL_SHELF_H
#define FG_GATEWAY_CONTROL_SHELF_H

#include <stddef.h>
#include <stdint.h>

#define SHELF_KEY 32

struct shelf { /* zero but for row_size: empty; a row begins with its key */
	size_t row_size;
	size_t n, cap;
	uint8_t *rows;
	size_t *slot; /* number of the row + 1; slots a power of two */
	size_t slots;
};

/* NULL when there is none. Valid until the next shelf_make(). */
void *shelf_find(const struct shelf *s, const uint8_t key[SHELF_KEY]);
/* Finds, or makes one that is zero but for the key. NULL for want of memory. */
void *shelf_make(struct shelf *s, const uint8_t key[SHELF_KEY]);
/* The i-th made; i < n. */
void *shelf_at(const struct shelf *s, size_t i);
void shelf_free(struct shelf *s);

#endif
