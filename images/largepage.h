/* SPDX-License-Identifier: Apache-2.0 */
/*
 * largepage - memory that is written once from end to end: windows of deltas,
 * members that are kept so as to be walked. In the kernel's small pages their
 * first touch is a tenth to a seventh of all that such an inspection costs.
 * Role: whoever holds tens of MiB. Guarantees: a hint only; nothing depends on
 * what the kernel gives.
 */
#ifndef FG_IMAGES_LARGEPAGE_H
#define FG_IMAGES_LARGEPAGE_H

#include <stddef.h>

/* As malloc(n): NULL without memory, freed by free(), grown by realloc(). */
void *largepage_alloc(size_t n);

#endif
