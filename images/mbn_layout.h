/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbn_layout - where the parts of a Qualcomm image lie: an ELF file with a hash
 * segment, or the older form of a header, code, signature and certificates.
 * Public sources: "Secure Boot and Image Authentication, Technical Overview"
 * (v1.0 and v2.0), and the open signers made after it (signlk, qtestsign,
 * coreboot's mbn_tools). A hash segment is a program header whose flags have the
 * segment type 2; it holds a header (version 3: 40 bytes; 5: the same with sizes
 * of a second signer; 6: 48 bytes with sizes of metadata; 7: 40 bytes of other
 * order), metadata, one hash for each program header, and signatures with
 * certificate chains. All little-endian.
 * Role: images/mbn.c and the recogniser. Guarantees: bounded reads, sums in 64 bits.
 */
#ifndef FG_IMAGES_MBN_LAYOUT_H
#define FG_IMAGES_MBN_LAYOUT_H

#include "crypto/sig.h"
#include "images/finding.h"
#include "images/source.h"

#define MBN_LAYOUT_SEGMENTS_MAX 128 /* a modem's image has about thirty */

enum mbn_layout_kind {
	MBN_LAYOUT_DATA = 0, /* to be hashed */
	MBN_LAYOUT_HASHES = 2,
	MBN_LAYOUT_HEADERS = 7, /* stands for the ELF header and the program headers */
};

struct mbn_layout_segment {
	struct sig_range at; /* in the file */
	unsigned kind;       /* enum mbn_layout_kind; others are data too */
};

struct mbn_layout {
	bool bad; /* it breaks the rules: then only the three fields below are filled */
	enum finding_id finding;
	uint64_t where;
	char why[112];
	bool elf;           /* else: header, code, signature, certificates */
	unsigned version;   /* of the header */
	uint64_t elf_header; /* bytes of ELF header and program headers */
	unsigned n, hashes; /* program headers; which of them is the hash segment */
	struct mbn_layout_segment segment[MBN_LAYOUT_SEGMENTS_MAX];
	struct sig_range header;   /* of the hash segment, or of the whole */
	struct sig_range metadata; /* empty before version 6 */
	struct sig_range table;    /* the hashes; without ELF the code */
	size_t hash_len;           /* 20, 32 or 48; 0 without ELF */
	struct sig_range maker_signature, maker_chain; /* Qualcomm's own */
	struct sig_range signature, chain;             /* the device maker's */
	struct sig_range padding;  /* what is left of the hash segment, or of the file */
};

/* Reads it; what is neither form is bad. 0; FG_EIO. */
int mbn_layout_read(const struct source *image, struct mbn_layout *ret);
/* An ELF file with a hash segment, sound or not. 0; FG_EIO. */
int mbn_layout_is_elf(const struct source *image, bool *ret);

#endif
