/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_casync - what an index of casync (.caibx) is of, put together from the chunks that the base has.
 * Role: an entry of delta_table.c. Guarantees: see images/delta.h; the base is read twice, a block at a time; every
 * chunk is held against its digest when it is found, and once more when it is put.
 *
 * The base is cut as casync cuts a seed, with the sizes of the index, and a chunk of it is one of the index's if length
 * and digest are. The index has no bytes of its own, and no form is known that packs it and chunks into one
 * file: chunks that the base lacks are in a store outside, which this does not read. How many these are is said.
 * An index of a tree (.caidx) is refused by name: what it makes is no image but a directory's archive.
 */
#ifndef FG_IMAGES_DELTA_CASYNC_H
#define FG_IMAGES_DELTA_CASYNC_H

#include "images/delta.h"

/* Bytes: casync's own are 16 KiB; below, a base would be cut into so many that looking for them takes minutes. */
#define DELTA_CASYNC_LEAST 256u

/* A delta_fn. */
int delta_casync_apply(struct delta *d);

#endif
