/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash - what the file systems of flash memory have in common: their checksum,
 * and blocks of a few KiB, each packed by itself.
 * Role: the readers of UBI, UBIFS and JFFS2, and of cramfs for its blocks.
 */
#ifndef FG_IMAGES_FLASH_H
#define FG_IMAGES_FLASH_H

#include "crypto/view.h"

#define FLASH_BLOCK_MAX 65536u /* bytes that come out of one: a page, of 64 KiB on some machines */

enum flash_packing {
	FLASH_UNKNOWN = 0, /* rubin, lzma, whatever comes next: nothing here unpacks it */
	FLASH_PLAIN,
	FLASH_ZEROS,   /* nothing is stored */
	FLASH_RTIME,   /* of JFFS2 */
	FLASH_LZO,
	FLASH_ZLIB,    /* RFC 1950 */
	FLASH_DEFLATE, /* RFC 1951 */
	FLASH_ZSTD,
};

/* CRC-32 with all ones before and not inverted behind: UBI and UBIFS. */
uint32_t flash_crc_ones(struct view v);
/* With zeros before: JFFS2. */
uint32_t flash_crc_zeros(struct view v);
/*
 * in as exactly n bytes, at most FLASH_BLOCK_MAX. 0; FG_EFORMAT when it is damaged, something else than n bytes
 * comes out, or anything lies in it that nothing comes out of; FG_ENOTFOUND for FLASH_UNKNOWN; FG_ENOMEM.
 */
int flash_unpack(enum flash_packing packing, struct view in, uint8_t *out, size_t n);

#endif
