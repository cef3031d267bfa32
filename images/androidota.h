/* SPDX-License-Identifier: Apache-2.0 */
/*
 * androidota - update packages of Android's recovery (and of Linux modules built
 * on it): a zip whose comment ends in a whole-file signature.
 * Role: walker of FORMAT_ANDROID_OTA. The signature is a detached CMS without
 * signed attributes over everything but the comment and its length; the
 * footer says where it lies. Recovery pins keys and looks at no dates: that is
 * a profile's pinned_ignores_expiry, not a rule here.
 */
#ifndef FG_IMAGES_ANDROIDOTA_H
#define FG_IMAGES_ANDROIDOTA_H

#include "images/zip.h"

int androidota_walk(struct walk *w);

/* ---- for the walker's own parts (androidota_meta.c) ---- */

/* What the package's own words promise about its payload.bin. */
struct androidota_payload {
	const struct zip_entry *entry; /* NULL: there is none */
	bool have_hash;
	uint8_t sha256[DIGEST_SHA256_LEN];
};

/* Facts and findings of META-INF/com/android/metadata, the updater script and otacert. 0 or local failure. */
int androidota_meta(struct walk *w, const struct zip *z, struct walk_signed by);
/* payload.bin held against payload_properties.txt beside it. 0 or local failure. */
int androidota_payload(struct walk *w, const struct zip *z, struct androidota_payload *ret);

#endif
