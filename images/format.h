/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format - what an image is, by its bytes alone; names and suffixes are the
 * sender's words and are not asked.
 * Role: the inspector's verify and explain stages. Guarantees: bounded reads
 * (head, tail, and a few dozen small ones in between), no allocation beyond
 * half a MiB, linear time, deterministic. A magic number alone is believed only
 * where the format has nothing else; headers must be consistent with the size.
 */
#ifndef FG_IMAGES_FORMAT_H
#define FG_IMAGES_FORMAT_H

#include "images/source.h"

/* The words of the report contract; the order is that of trying, most specific first. */
enum format_id {
	FORMAT_NONE = 0,
	FORMAT_RAUC_BUNDLE,
	FORMAT_SWU,
	FORMAT_ANDROID_OTA,
	FORMAT_MENDER,
	FORMAT_FIT,
	FORMAT_JCAT,
	FORMAT_SIGNIFY_GZIP,
	FORMAT_TUF,
	FORMAT_MCUBOOT,
	FORMAT_ANDROID_PAYLOAD,
	FORMAT_ESP32,
	FORMAT_SUIT,
	FORMAT_CMS,
	FORMAT_CAB,
	FORMAT_MBN,
	FORMAT_NORDIC_MODEM,
	FORMAT_NORDIC_DELTA,
	FORMAT_SIERRA_CWE,
	FORMAT_BSDIFF,
	FORMAT_VCDIFF,
	FORMAT_IMGDIFF,
	FORMAT_HDIFFPATCH,
	FORMAT_DETOOLS, /* has no magic: never recognised, only named by a profile */
	FORMAT_ZCHUNK,
	FORMAT_CASYNC_INDEX,
	FORMAT_ZIP,
	FORMAT_SEVENZIP,
	FORMAT_SQUASHFS,
	FORMAT_ELF,
	FORMAT_UIMAGE,
	FORMAT_FDT,
	FORMAT_ANDROID_BOOT,
	FORMAT_ANDROID_SPARSE,
	FORMAT_UBI,
	FORMAT_EXT4,
	FORMAT_CPIO,
	FORMAT_TAR,
	FORMAT_GZIP,
	FORMAT_XZ,
	FORMAT_ZSTD,
	FORMAT_BZIP2,
	FORMAT_LZMA, /* the older form, of a header of 13 bytes without a magic */
	FORMAT_MINISIGN,
	FORMAT_RAW, /* nothing of the above */
	FORMAT_LIMIT,
};

enum format_kind {
	FORMAT_KIND_NONE = 0,
	FORMAT_KIND_PLAIN,     /* nothing inside that would have to be opened */
	FORMAT_KIND_CONTAINER, /* holds files, a file system, a stream or its own signatures */
	FORMAT_KIND_DELTA,     /* means something only together with a base */
};

#define FORMAT_ALSO_MAX 4 /* other formats named in an ambiguity; more add nothing */

struct format_result {
	enum format_id format;
	enum format_id also[FORMAT_ALSO_MAX]; /* fit as well and are not what format is made of */
	unsigned also_n;
};

/* 0, FG_EIO or FG_ENOMEM; ret is untouched on failure. An empty image is raw. */
int format_recognise(const struct source *image, struct format_result *ret);

#define FORMAT_HEAD (1u << 20)   /* longer than whatever is read as a whole, or further in than anything looks from the start */
#define FORMAT_TAIL (128u << 10) /* the longest comment of a zip, the longest signature of a RAUC bundle */

/* Something of which only the ends are at hand. */
struct format_ends {
	struct view head; /* at least FORMAT_HEAD bytes */
	struct view tail; /* at least FORMAT_TAIL bytes; empty: they are yet to come */
	uint64_t size;    /* of all of it; while the tail is yet to come, the most that it may be */
};

/*
 * The same by the ends alone. *ret_sure: nothing between them was asked for, and with a tail ret is what
 * format_recognise() says of the whole; without one it is what that says unless the tail makes another of it.
 * 0, FG_ENOMEM; FG_EINVAL for ends that are too short.
 */
int format_recognise_ends(const struct format_ends *e, struct format_result *ret, bool *ret_sure);

/* Starts like a CMS ContentInfo of signedData, of any form of length (RFC 5652, section 3). */
bool format_is_signed_data(struct view start);
/* The same of envelopedData: encrypted for somebody. */
bool format_is_enveloped_data(struct view start);

/* "rauc-bundle", ...; never NULL. */
const char *format_name(enum format_id id);
/* FORMAT_NONE for an unknown word. */
enum format_id format_find(struct view word);
enum format_kind format_kind(enum format_id id);
/* Signed inside in a way that only the module can check (nRF91 modem deltas). */
bool format_has_opaque_signature(enum format_id id);

#endif
