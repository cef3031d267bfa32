/* SPDX-License-Identifier: Apache-2.0 */
/* walk_table - which formats have a walker. */
#include "images/walk.h"

#include "images/androidota.h"
#include "images/cab.h"
#include "images/casync.h"
#include "images/cmsbox.h"
#include "images/cpio.h"
#include "images/crau.h"
#include "images/cwe.h"
#include "images/esp32.h"
#include "images/fit.h"
#include "images/jcat.h"
#include "images/mbn.h"
#include "images/mcuboot.h"
#include "images/mender.h"
#include "images/nordic.h"
#include "images/packed.h"
#include "images/rauc.h"
#include "images/signify.h"
#include "images/signify_gzip.h"
#include "images/squashfs_walk.h"
#include "images/suit.h"
#include "images/swu.h"
#include "images/tar.h"
#include "images/tuf.h"
#include "images/uimage.h"
#include "images/zchunk.h"
#include "images/zip.h"

static walk_fn *const table[FORMAT_LIMIT] = {
	[FORMAT_ANDROID_OTA] = androidota_walk,
	[FORMAT_ANDROID_PAYLOAD] = crau_walk,
	[FORMAT_BZIP2] = packed_walk,
	[FORMAT_CAB] = cab_walk,
	[FORMAT_CASYNC_INDEX] = casync_walk,
	[FORMAT_CMS] = cmsbox_walk,
	[FORMAT_CPIO] = cpio_walk,
	[FORMAT_ESP32] = esp32_walk,
	[FORMAT_FIT] = fit_walk,
	[FORMAT_GZIP] = packed_walk,
	[FORMAT_JCAT] = jcat_walk,
	[FORMAT_LZMA] = packed_walk,
	[FORMAT_MBN] = mbn_walk,
	[FORMAT_MCUBOOT] = mcuboot_walk,
	[FORMAT_MENDER] = mender_walk,
	[FORMAT_MINISIGN] = signify_walk,
	[FORMAT_NORDIC_MODEM] = nordic_walk,
	[FORMAT_SIERRA_CWE] = cwe_walk,
	[FORMAT_RAUC_BUNDLE] = rauc_walk,
	[FORMAT_SIGNIFY_GZIP] = signify_gzip_walk,
	[FORMAT_SQUASHFS] = squashfs_walk,
	[FORMAT_SUIT] = suit_walk,
	[FORMAT_SWU] = swu_walk,
	[FORMAT_TAR] = tar_walk,
	[FORMAT_TUF] = tuf_walk,
	[FORMAT_UIMAGE] = uimage_walk,
	[FORMAT_XZ] = packed_walk,
	[FORMAT_ZCHUNK] = zchunk_walk,
	[FORMAT_ZIP] = zip_walk,
	[FORMAT_ZSTD] = packed_walk,
};

walk_fn *
walk_of(enum format_id format)
{
	return (unsigned)format < FORMAT_LIMIT ? table[format] : NULL;
}
