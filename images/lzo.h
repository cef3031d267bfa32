/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lzo - one block of LZO1X, as the Linux kernel's file systems of flash store them
 * (the stream is described in the kernel's Documentation/staging/lzo.rst).
 * Role: flash.c. Own code rather than Debian's liblzo2: that one is under the GPL,
 * and what is wanted of it is this one loop, over blocks of a few KiB.
 *
 * Guarantees: reads nothing outside in, writes nothing outside out; time is that of
 * going through both. The kernel's own addition of runs of zeros (lzo-rle, a first
 * byte of 17), which no file system uses, is refused.
 */
#ifndef FG_IMAGES_LZO_H
#define FG_IMAGES_LZO_H

#include "crypto/view.h"

/*
 * How many bytes came out, at most cap; FG_EFORMAT when the block is damaged, does not
 * end where in ends, or holds more than cap.
 */
long lzo_unpack(struct view in, uint8_t *out, size_t cap);

#endif
