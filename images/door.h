/* SPDX-License-Identifier: Apache-2.0 */
/*
 * door - one-way doors: what an update changes on a module that no later one takes
 * back. Counters that may only rise, the boot chain and the partition table, and the
 * keys that the next update is checked with. (Commands that burn fuses are tokens:
 * token_fuse.c.)
 * Role: the explain stage, once for two trees. Files: door.c (who is asked), door_count.c
 * (counters that containers carry), door_place.c (boot loaders, tables, anchors by
 * where they lie).
 * Guarantees: what containers say of themselves is told as they say it, signed or not:
 * a module that believes it does so too. Parts that both images hold are not asked.
 */
#ifndef FG_IMAGES_DOOR_H
#define FG_IMAGES_DOOR_H

#include "images/page.h"
#include "images/pair.h"

/* Lines for all of it. 0, FG_EIO, FG_ENOMEM, FG_ECRYPTO. */
int door_page(const struct pair *pair, struct page *page);

/* ---- door_count.c ---- */

/* What a counter is kept for. Zero: there is none. */
enum door_kind {
	DOOR_NONE = 0,
	DOOR_MCUBOOT, /* security counter, protected TLV 0x50 */
	DOOR_ESP32,   /* secure_version, held against an eFuse */
	DOOR_MBN,     /* SW_ID's upper half, held against fuses */
	DOOR_AVB,     /* rollback_index of vbmeta, in storage that only rises */
	DOOR_SUIT,    /* manifest sequence number: each release has a higher one */
	DOOR_OTA,     /* post-timestamp of Android's metadata, likewise */
	DOOR_KINDS,
};

struct door_count {
	enum door_kind kind;
	uint64_t value;
	/* DOOR_AVB */
	uint32_t location, flags;
	bool have_key;
	uint8_t key[DIGEST_SHA256_LEN]; /* of the public key that vbmeta carries */
};

/*
 * Of part i's own bytes, not of what lies in it; path as parts_path() writes it.
 * ret->kind DOOR_NONE: it has none. 0, FG_EIO, FG_ENOMEM, FG_ECRYPTO.
 */
int door_count_read(const struct parts *t, uint32_t i, const char *path, struct door_count *ret);
/* The line that the way from was (NULL: no such part before) to is deserves, or none. 0, FG_ENOMEM. */
int door_count_page(const struct door_count *was, const struct door_count *is, const char *path, struct page *page);

/* ---- door_place.c ---- */

enum door_place {
	DOOR_PLACE_NONE = 0,
	DOOR_PLACE_BOOT,   /* a boot loader or other early firmware, by the name of its file or partition */
	DOOR_PLACE_ANCHOR, /* a key or certificate that updates are checked with */
};
enum door_place door_place_of(const char *path);
/* Partitions that came, went, or lie elsewhere, of two parts with a partition table. 0, FG_ENOMEM. */
int door_place_table(const struct pair *pair, uint32_t old, uint32_t new, struct page *page);

#endif
