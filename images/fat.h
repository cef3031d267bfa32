/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fat - FAT12, FAT16 and FAT32 as they lie on a device: boot sector, allocation
 * table, names of entries (Microsoft's specification of 2000; long names by VFAT).
 * Role: part_fat.c, which goes over the folders. No Debian library reads FAT from
 * memory.
 *
 * Guarantees: nothing is allocated; every cluster that is given out lies within the
 * source; reading of the table is bounded (FAT_WORK_MAX).
 */
#ifndef FG_IMAGES_FAT_H
#define FG_IMAGES_FAT_H

#include "images/source.h"

#define FAT_ENTRY 32u                           /* bytes of an entry of a folder */
#define FAT_WORK_MAX ((uint64_t)8 << 30)        /* bytes of tables and folders read in all, as of squashfs and ext4 */
#define FAT_FOLDER_MAX (2u << 20)               /* bytes of one: 65,536 entries, the format's own */
#define FAT_WINDOW 4096u
#define FAT_END UINT32_MAX                      /* of a chain */
#define FAT_LONG_MAX 20u                        /* entries of one long name */
#define FAT_NAME_MAX (FAT_LONG_MAX * 13 * 3)    /* bytes of one name in UTF-8 */

#define FAT_READ_ONLY 0x01u /* attributes of an entry */
#define FAT_LABEL 0x08u
#define FAT_IS_FOLDER 0x10u
#define FAT_ARCHIVE 0x20u
#define FAT_LONG 0x0fu

struct fat {
	const struct source *s;
	uint64_t *work;
	unsigned bits;              /* 12, 16, 32 */
	uint32_t sector, cluster;   /* bytes */
	uint64_t reserved;          /* bytes in front of the tables */
	uint64_t table_n;           /* bytes of one table */
	unsigned tables;
	uint64_t root, root_n;      /* place of the root where it has one of its own; root_n 0: it is a chain */
	uint32_t root_cluster;
	uint64_t data;              /* place of cluster 2 */
	uint32_t clusters;          /* numbers go from 2 to clusters + 1; those that lie within the source */
	uint64_t size;              /* bytes it says it takes */
	uint32_t info, second;      /* sectors of the counters and of the copy of the boot sector; 0: none */
	bool one_table;             /* the tables are not copies of each other: which one counts is in the boot sector */
	uint64_t window_at;         /* of the table, UINT64_MAX: none */
	uint8_t window[FAT_WINDOW + 4];
};

/* 1, 0: there is none, FG_EIO. Only what no other bytes look like by chance is one. work as part_work() has it. */
int fat_open(const struct source *s, uint64_t *work, struct fat *ret);
/* Entry n of the first table, n below clusters + 2. 0, FG_EIO, FG_ELIMIT (FAT_WORK_MAX). */
int fat_entry(struct fat *fs, uint32_t n, uint32_t *ret);
/* The same as what follows n in its chain: a cluster, FAT_END, or 0: damaged. */
int fat_next(struct fat *fs, uint32_t n, uint32_t *ret);
bool fat_is_cluster(const struct fat *fs, uint32_t n);
uint64_t fat_place(const struct fat *fs, uint32_t n);

/* ---- fat_name.c: names ---- */

/* A long name as it comes together, its last piece first. Zeroed: none. */
struct fat_long {
	uint16_t unit[FAT_LONG_MAX * 13];
	unsigned pieces, next; /* how many it has, and which comes next; next 0: complete */
	uint8_t sum;           /* of the short name that it belongs to */
};

/* One more entry (FAT_ENTRY bytes) of a long name; what does not go on where the last one ended starts over, or is none. */
void fat_long_add(struct fat_long *l, const uint8_t *e);
/* Is it complete, and does it belong to e? */
bool fat_long_is_of(const struct fat_long *l, const uint8_t *e);
/* Name in UTF-8, without NUL behind it; *ret_exact: false where '?' stands for what is none. Bytes written. */
size_t fat_long_name(const struct fat_long *l, char dst[FAT_NAME_MAX], bool *ret_exact);
/* "NAME.EXT", in the case that e asks for, bytes as they are: at most 12. */
size_t fat_short_name(const uint8_t *e, char dst[FAT_NAME_MAX]);
/* Is e's short name one that a system makes for this long one? */
bool fat_short_fits(const uint8_t *e, struct view name);

#endif
