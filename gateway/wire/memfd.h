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
/*
 * Has the kernel keep what is between from and end (a multiple of MEMFD_LARGE, or the end
 * of the file) in pages of that size instead of small ones, which sendfile pays for one by
 * one. Takes half a millisecond a MiB. Before sealing or after: the bytes are the same.
 * An incomplete last page only if it is three quarters full. Best effort: false when the
 * kernel did none or not all of it (before 6.1, fragmented memory), and nothing is amiss.
 */
#define MEMFD_LARGE (UINT64_C(2) << 20)
bool memfd_enlarge(int fd, uint64_t from, uint64_t end);
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
