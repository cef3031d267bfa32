/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfd - big things between roles: made, filled, sealed by the sender; checked
 * for all four seals before the receiver maps a byte.
 */
#ifndef FG_GATEWAY_WIRE_MEMFD_H
#define FG_GATEWAY_WIRE_MEMFD_H

#include "crypto/view.h"

/* A memfd holding bytes, sealed WRITE|GROW|SHRINK|SEAL. Returns fd or negative fg_err. */
int memfd_sealed(const char *name, struct view bytes);
/* An empty memfd that may be sealed later. Returns fd or negative fg_err. */
int memfd_open(const char *name);
/* Adds all four seals (fails while a writable mapping exists). 0 or FG_EIO. */
int memfd_seal(int fd);
/* True when fd is a memfd with all four seals (FUTURE_WRITE is not enough). */
bool memfd_is_sealed(int fd);
/*
 * Maps a sealed memfd of 1..max bytes read-only. FG_EPEER when it is not
 * sealed, FG_ELIMIT when empty or too large, FG_EIO. memfd_unmap() ends it.
 */
int memfd_map(int fd, size_t max, struct view *ret);
void memfd_unmap(struct view v);

#endif
