/* SPDX-License-Identifier: Apache-2.0 */
#include "images/fat.h"

#include "crypto/err.h"
#include "crypto/reader.h"

#define HEAD 512u
#define STEP_COST 16u         /* what one step of a chain counts as: thousands of entries may lead to one */
#define CLUSTERS_12 4085u /* from so many on a table has 16 bits, and from the next on 32 */
#define CLUSTERS_16 65525u
#define CLUSTERS_32 0x0ffffff5u

static bool
is_power_of_two(uint32_t n)
{
	return n > 0 && (n & (n - 1)) == 0;
}

/* The two entries in front of the clusters' own: media byte, and ones. */
static int
table_begins(struct fat *fs, uint8_t media)
{
	uint32_t first;
	uint32_t ones = fs->bits == 32 ? 0x0fffff00u : (1u << fs->bits) - 0x100u;
	int err = fat_entry(fs, 0, &first);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	return (first & (fs->bits == 32 ? 0x0fffffffu : UINT32_MAX)) == (ones | media);
}

/* Fields of the boot sector; false where they contradict each other. */
static bool
read_boot(const uint8_t raw[HEAD], struct fat *fs)
{
	struct reader r;
	reader_init(&r, view_of(raw + 11, HEAD - 11));
	fs->sector = reader_u16le(&r);
	uint32_t each = reader_u8(&r), reserved = reader_u16le(&r);
	fs->tables = reader_u8(&r);
	uint32_t roots = reader_u16le(&r), total = reader_u16le(&r), media = reader_u8(&r), table = reader_u16le(&r);
	(void)reader_take(&r, 8);
	uint32_t total_32 = reader_u32le(&r);
	total = total ? total : total_32;
	bool wide = table == 0;
	if (wide) {
		table = reader_u32le(&r);
		fs->one_table = (reader_u16le(&r) & 0x80) != 0;
		if (reader_u16le(&r) != 0) /* version */
			return false;
		fs->root_cluster = reader_u32le(&r);
		fs->info = reader_u16le(&r);
		fs->second = reader_u16le(&r);
		fs->info = fs->info < reserved ? fs->info : 0;
		fs->second = fs->second < reserved ? fs->second : 0;
	}
	if (!is_power_of_two(fs->sector) || fs->sector < 512 || fs->sector > 4096 || !is_power_of_two(each) || reserved == 0 ||
	    fs->tables == 0 || fs->tables > 4 || (media != 0xf0 && media < 0xf8) || table == 0 || total == 0 ||
	    wide != (roots == 0) || (uint64_t)roots * FAT_ENTRY % fs->sector)
		return false;
	fs->cluster = fs->sector * each;
	fs->reserved = (uint64_t)reserved * fs->sector;
	fs->table_n = (uint64_t)table * fs->sector;
	fs->root = fs->reserved + fs->tables * fs->table_n;
	fs->root_n = (uint64_t)roots * FAT_ENTRY;
	fs->data = fs->root + fs->root_n;
	fs->size = (uint64_t)total * fs->sector;
	if (fs->data >= fs->size)
		return false;
	uint64_t clusters = (fs->size - fs->data) / fs->cluster;
	fs->bits = wide ? 32 : clusters < CLUSTERS_12 ? 12 : 16;
	uint64_t entries = fs->table_n * 8 / fs->bits;
	clusters = entries < clusters + 2 ? entries - 2 : clusters;
	if (entries < 3 || clusters == 0 || clusters > CLUSTERS_32 || (!wide && clusters >= CLUSTERS_16))
		return false;
	fs->clusters = (uint32_t)clusters;
	return true;
}

int
fat_open(const struct source *s, uint64_t *work, struct fat *ret)
{
	uint8_t raw[HEAD];
	int err = source_read(s, 0, raw, sizeof raw);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	*ret = (struct fat){ .s = s, .work = work, .window_at = UINT64_MAX };
	/* A jump over the fields: what begins otherwise is started by nobody. */
	if ((raw[0] != 0xeb && raw[0] != 0xe9) || !read_boot(raw, ret) || ret->data > s->size)
		return 0;
	uint64_t there = (s->size - ret->data) / ret->cluster;
	ret->clusters = there < ret->clusters ? (uint32_t)there : ret->clusters;
	return table_begins(ret, raw[21]);
}

int
fat_entry(struct fat *fs, uint32_t n, uint32_t *ret)
{
	uint64_t at = (uint64_t)n * fs->bits / 8, from = at - at % FAT_WINDOW;
	bool here = from == fs->window_at;
	*fs->work += here ? STEP_COST : FAT_WINDOW;
	if (*fs->work > FAT_WORK_MAX)
		return FG_ELIMIT;
	if (!here) {
		memset(fs->window, 0, sizeof fs->window);
		long got = source_read_some(fs->s, fs->reserved + from, fs->window, sizeof fs->window);
		if (got < 0)
			return (int)got;
		fs->window_at = from;
	}
	const uint8_t *p = fs->window + (at - from);
	uint32_t two = p[0] | (uint32_t)p[1] << 8;
	if (fs->bits == 32)
		*ret = two | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	else if (fs->bits == 16)
		*ret = two;
	else
		*ret = n % 2 ? two >> 4 : two & 0xfff;
	return 0;
}

bool
fat_is_cluster(const struct fat *fs, uint32_t n)
{
	return n >= 2 && n - 2 < fs->clusters;
}

int
fat_next(struct fat *fs, uint32_t n, uint32_t *ret)
{
	uint32_t v, least = fs->bits == 32 ? 0x0ffffff8u : (1u << fs->bits) - 8;
	int err = fat_entry(fs, n, &v);
	if (err)
		return err;
	v &= fs->bits == 32 ? 0x0fffffffu : UINT32_MAX;
	*ret = v >= least ? FAT_END : fat_is_cluster(fs, v) ? v : 0;
	return 0;
}

uint64_t
fat_place(const struct fat *fs, uint32_t n)
{
	return fs->data + (uint64_t)(n - 2) * fs->cluster;
}
