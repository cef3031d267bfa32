/* SPDX-License-Identifier: Apache-2.0 */
/* part_table - which opener takes apart which format. */
#include "images/part_archive.h"
#include "images/part_fs.h"
#include "images/part_image.h"
#include "images/part_scan.h"
#include "images/part_stream.h"

part_fn *
part_of(enum format_id format)
{
	switch (format) {
	case FORMAT_GZIP:
	case FORMAT_JCAT:
	case FORMAT_XZ:
	case FORMAT_ZSTD:
	case FORMAT_BZIP2:
	case FORMAT_LZMA:
		return part_stream_open;
	case FORMAT_SQUASHFS:
	case FORMAT_RAUC_BUNDLE: /* or encrypted, which is told as damaged */
		return part_squashfs_open;
	case FORMAT_EXT4:
		return part_ext4_open;
	case FORMAT_CPIO:
	case FORMAT_SWU:
		return part_cpio_open;
	case FORMAT_TAR:
	case FORMAT_MENDER:
		return part_tar_open;
	case FORMAT_CAB:
		return part_cab_open;
	case FORMAT_ZIP:
	case FORMAT_ANDROID_OTA:
		return part_zip_open;
	case FORMAT_ANDROID_BOOT:
		return part_android_boot_open;
	case FORMAT_ANDROID_SPARSE:
		return part_sparse_open;
	case FORMAT_UIMAGE:
		return part_uimage_open;
	case FORMAT_MCUBOOT:
		return part_mcuboot_open;
	case FORMAT_ESP32:
		return part_esp32_open;
	case FORMAT_FIT:
		return part_fit_open;
	case FORMAT_ELF:
	case FORMAT_MBN:
		return part_elf_open;
	case FORMAT_UBI:
		return part_ubi_open;
	case FORMAT_FDT:
	case FORMAT_CMS:
	case FORMAT_MINISIGN:
		return part_known_open;
	case FORMAT_TUF: /* JSON to its last byte */
	case FORMAT_NONE:
		return NULL; /* known, and nothing inside to be opened */
	default:
		return part_scan_open;
	}
}
