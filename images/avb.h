/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avb - what Android's verified boot writes into a partition: vbmeta, and the footer that leads to it (libavb,
 * avb_vbmeta_image.h and avb_footer.h).
 * Role: door_count.c and androidboot.c, for what changed and where it lies; retain.c, for what a module keeps.
 *
 * Guarantees: reads stay within the source, 64 KiB at most; nothing is verified, and what is said here is said of
 * itself. Where a rollback index is kept the header says for the main vbmeta only; that of a chained partition stands
 * with who chains it.
 */
#ifndef FG_IMAGES_AVB_H
#define FG_IMAGES_AVB_H

#include "images/source.h"

#define AVB_HEAD 256u        /* AvbVBMetaImageHeader */
#define AVB_FOOT 64u         /* AvbFooter, at the end of a partition */
#define AVB_MAX (64u << 10)  /* VBMETA_MAX_SIZE of libavb */

struct avb {
	uint64_t rollback_index;
	uint32_t location, flags;
	bool is_signed; /* says that it is: only then is the index asked for, as libavb takes no other that is not */
	bool have_key;
	uint8_t key[DIGEST_SHA256_LEN]; /* of the public key that it carries */
};

/* The vbmeta at at. *ret_is false: there is none. 0, FG_EIO, FG_ECRYPTO. */
int avb_read(const struct source *s, uint64_t at, struct avb *ret, bool *ret_is);
/* Where the footer at the end of s says that vbmeta lies, within what is before it. *ret_is and errors as above. */
int avb_footer(const struct source *s, uint64_t *ret_at, uint64_t *ret_length, bool *ret_is);

#endif
