/* SPDX-License-Identifier: Apache-2.0 */
/* delta_table - which format has an applier. */
#include "images/delta.h"
#include "images/delta_bsdiff.h"
#include "images/delta_casync.h"
#include "images/delta_crau.h"
#include "images/delta_detools.h"
#include "images/delta_hdiff.h"
#include "images/delta_imgdiff.h"
#include "images/delta_vcdiff.h"
#include "images/delta_zchunk.h"

static delta_fn *const table[FORMAT_LIMIT] = {
	[FORMAT_ANDROID_PAYLOAD] = delta_crau_apply,
	[FORMAT_BSDIFF] = delta_bsdiff_apply,
	[FORMAT_CASYNC_INDEX] = delta_casync_apply,
	[FORMAT_IMGDIFF] = delta_imgdiff_apply,
	[FORMAT_DETOOLS] = delta_detools_apply,
	[FORMAT_HDIFFPATCH] = delta_hdiff_apply,
	[FORMAT_VCDIFF] = delta_vcdiff_apply,
	[FORMAT_ZCHUNK] = delta_zchunk_apply,
};

delta_fn *
delta_of(enum format_id format)
{
	return (unsigned)format < FORMAT_LIMIT ? table[format] : NULL;
}
