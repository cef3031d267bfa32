/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcdiff - what both sides of RFC 3284 share: magic and indicator bits, the
 * default table of instruction codes, the address cache, integers, and the checksum of windows.
 * Role: delta_vcdiff.c applies, mkdelta_vcdiff.c makes. Guarantees: pure, no
 * allocation; the table is computed from the rules of section 5.6.
 */
#ifndef FG_IMAGES_VCDIFF_H
#define FG_IMAGES_VCDIFF_H

#include "crypto/view.h"

#define VCDIFF_MAGIC "\xd6\xc3\xc4"
#define VCDIFF_VERSION 0x00u
#define VCDIFF_VERSION_SDCH 0x53u /* open-vcdiff's interleaved form: 'S' */

/* Hdr_Indicator, section 4.1; the third is xdelta3's. */
#define VCDIFF_HDR_SECONDARY 0x01u
#define VCDIFF_HDR_CODETABLE 0x02u
#define VCDIFF_HDR_APPHEADER 0x04u
/* Win_Indicator, section 4.2; the third is xdelta3's: Adler-32 of the target window. */
#define VCDIFF_WIN_SOURCE 0x01u
#define VCDIFF_WIN_TARGET 0x02u
#define VCDIFF_WIN_ADLER32 0x04u
/* Delta_Indicator, section 4.3: which sections are packed once more. */
#define VCDIFF_DELTA_DATA 0x01u
#define VCDIFF_DELTA_INST 0x02u
#define VCDIFF_DELTA_ADDR 0x04u
/* Secondary compressors; numbers are xdelta3's. */
#define VCDIFF_SECONDARY_DJW 1u
#define VCDIFF_SECONDARY_LZMA 2u
#define VCDIFF_SECONDARY_FGK 16u

#define VCDIFF_INT_MAX 10u /* bytes of an integer: 7 bits each of 64 */

enum vcdiff_type { VCDIFF_NOOP = 0, VCDIFF_ADD, VCDIFF_RUN, VCDIFF_COPY };

/* Half of an instruction code; size 0: an integer follows in the instruction section. */
struct vcdiff_half {
	uint8_t type, size, mode;
};
struct vcdiff_code {
	struct vcdiff_half half[2];
};
#define VCDIFF_CODES 256u

/* The default code table of section 5.6. */
void vcdiff_table(struct vcdiff_code table[VCDIFF_CODES]);

#define VCDIFF_NEAR 4u
#define VCDIFF_SAME 3u
#define VCDIFF_MODE_SELF 0u
#define VCDIFF_MODE_HERE 1u
#define VCDIFF_MODE_NEAR 2u                          /* first of four */
#define VCDIFF_MODE_SAME (VCDIFF_MODE_NEAR + VCDIFF_NEAR) /* first of three: one byte instead of an integer */
#define VCDIFF_MODES (VCDIFF_MODE_SAME + VCDIFF_SAME)

/* Section 5.1; all zero at the start of each window. */
struct vcdiff_cache {
	uint64_t near[VCDIFF_NEAR];
	uint64_t same[VCDIFF_SAME * 256];
	unsigned next;
};

static inline void
vcdiff_remember(struct vcdiff_cache *c, uint64_t address)
{
	c->near[c->next] = address;
	c->next = (c->next + 1) % VCDIFF_NEAR;
	c->same[address % (VCDIFF_SAME * 256)] = address;
}

/* The cheapest mode for address, which lies before here. *ret: integer, or byte of a same mode, to be written. */
unsigned vcdiff_mode(const struct vcdiff_cache *c, uint64_t address, uint64_t here, uint64_t *ret);

/* Base 128, most significant first (section 2). Bytes written, at most VCDIFF_INT_MAX. */
unsigned vcdiff_int(uint64_t value, uint8_t out[VCDIFF_INT_MAX]);

/*
 * Adler-32 (RFC 1950, section 8.2) of a window. zlib's, which goes byte by byte in Debian, was a
 * twelfth of what it costs to apply a patch; this is a quarter of it.
 */
uint32_t vcdiff_adler32(struct view bytes);

#endif
