/* SPDX-License-Identifier: Apache-2.0 */
/* part_table - which opener takes apart which format. */
#include "images/part_fs.h"
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
		return part_stream_open;
	case FORMAT_SQUASHFS:
		return part_squashfs_open;
	default:
		return NULL;
	}
}
