/* SPDX-License-Identifier: Apache-2.0 */
/* zip_internal - what the parts of zip share: zip.c and zip_entry.c only. */
#ifndef FG_IMAGES_ZIP_INTERNAL_H
#define FG_IMAGES_ZIP_INTERNAL_H

#include "crypto/reader.h"
#include "images/zip.h"

#define ZIP_IS64 0xffffffffu /* the real value is in a ZIP64 field */
#define ZIP_IS64_SHORT 0xffffu

#define ZIP_FLAG_ENCRYPTED 0x0001u
#define ZIP_FLAG_DESCRIPTOR 0x0008u /* CRC and sizes follow the bytes */
#define ZIP_FLAG_STRONG 0x0040u
#define ZIP_FLAG_MASKED 0x2000u

/* What extra fields can change about an entry. */
struct zip_extra {
	bool have64, have_name, encrypted;
	struct view zip64, name;
};

/*
 * Extra fields of one header. false with a sentence in *ret_why: one that
 * leaves its block, or one that matters twice.
 */
bool zip_extra_parse(struct view block, struct zip_extra *ret, const char **ret_why);
/*
 * Puts the 64-bit values in place of those that are ZIP_IS64, in the order of
 * APPNOTE 4.5.3. false: too few, or values that nothing asks for.
 */
bool zip_extra_values(const struct zip_extra *x, uint64_t *value[], unsigned n);
/* Is the name in the Unicode path field (0x7075) the header's own? True without one. */
bool zip_extra_name_fits(const struct zip_extra *x, struct view name);

/*
 * Holds every local header against the directory; fills data, end and kind. No
 * header lies behind directory_at; one that is directory_at is nowhere.
 */
int zip_entries_check(struct walk *w, struct zip *z, uint64_t directory_at);

#endif
