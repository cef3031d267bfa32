/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_name - words about formats; apart from recognising them (format.c), which
 * unpacks: whoever reads a report needs no unpacker.
 */
#include "images/format.h"

#define BOX FORMAT_KIND_CONTAINER
#define DELTA FORMAT_KIND_DELTA
#define PLAIN FORMAT_KIND_PLAIN

static const struct {
	const char *name;
	enum format_kind kind;
} table[FORMAT_LIMIT] = {
	[FORMAT_NONE] = { "none", FORMAT_KIND_NONE },
	[FORMAT_RAUC_BUNDLE] = { "rauc-bundle", BOX },
	[FORMAT_SWU] = { "swu", BOX },
	[FORMAT_ANDROID_OTA] = { "android-ota", BOX },
	[FORMAT_MENDER] = { "mender", BOX },
	[FORMAT_FIT] = { "fit", BOX },
	[FORMAT_JCAT] = { "jcat", BOX },
	[FORMAT_SIGNIFY_GZIP] = { "signify-gzip", BOX },
	[FORMAT_TUF] = { "tuf", BOX },
	[FORMAT_MCUBOOT] = { "mcuboot", BOX },
	[FORMAT_ANDROID_PAYLOAD] = { "android-payload", BOX },
	[FORMAT_ESP32] = { "esp32", BOX },
	[FORMAT_SUIT] = { "suit", BOX },
	[FORMAT_CMS] = { "cms", BOX },
	[FORMAT_CAB] = { "cab", BOX },
	[FORMAT_MBN] = { "mbn", BOX },
	[FORMAT_NORDIC_MODEM] = { "nordic-modem", BOX },
	[FORMAT_NORDIC_DELTA] = { "nordic-delta", DELTA },
	[FORMAT_SIERRA_CWE] = { "sierra-cwe", BOX },
	[FORMAT_BSDIFF] = { "bsdiff", DELTA },
	[FORMAT_VCDIFF] = { "vcdiff", DELTA },
	[FORMAT_IMGDIFF] = { "imgdiff", DELTA },
	[FORMAT_HDIFFPATCH] = { "hdiffpatch", DELTA },
	[FORMAT_DETOOLS] = { "detools", DELTA },
	[FORMAT_ZCHUNK] = { "zchunk", BOX },
	[FORMAT_CASYNC_INDEX] = { "casync-index", DELTA },
	[FORMAT_ZIP] = { "zip", BOX },
	[FORMAT_SEVENZIP] = { "7z", BOX },
	[FORMAT_SQUASHFS] = { "squashfs", BOX },
	[FORMAT_ELF] = { "elf", PLAIN },
	[FORMAT_UIMAGE] = { "uimage", BOX },
	[FORMAT_FDT] = { "fdt", PLAIN },
	[FORMAT_ANDROID_BOOT] = { "android-boot", BOX },
	[FORMAT_ANDROID_SPARSE] = { "android-sparse", BOX },
	[FORMAT_UBI] = { "ubi", BOX },
	[FORMAT_EXT4] = { "ext4", BOX },
	[FORMAT_CPIO] = { "cpio", BOX },
	[FORMAT_TAR] = { "tar", BOX },
	[FORMAT_GZIP] = { "gzip", BOX },
	[FORMAT_XZ] = { "xz", BOX },
	[FORMAT_ZSTD] = { "zstd", BOX },
	[FORMAT_BZIP2] = { "bzip2", BOX },
	[FORMAT_LZMA] = { "lzma", BOX },
	[FORMAT_MINISIGN] = { "minisign", BOX },
	[FORMAT_RAW] = { "raw", PLAIN },
};

const char *
format_name(enum format_id id)
{
	return (unsigned)id < FORMAT_LIMIT ? table[id].name : "none";
}

enum format_id
format_find(struct view word)
{
	for (unsigned i = FORMAT_NONE + 1; i < FORMAT_LIMIT; i++)
		if (view_is(word, table[i].name))
			return (enum format_id)i;
	return FORMAT_NONE;
}

enum format_kind
format_kind(enum format_id id)
{
	return (unsigned)id < FORMAT_LIMIT ? table[id].kind : FORMAT_KIND_NONE;
}

bool
format_has_opaque_signature(enum format_id id)
{
	return id == FORMAT_NORDIC_DELTA;
}
