/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_disk - partition tables: GPT (UEFI 2.10, section 5.3; both CRCs checked)
 * and the MBR's four entries with the chain of logical ones.
 */
#include "images/part_disk.h"

#include <stdlib.h>
#include <zlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define SECTOR 512u
#define GPT_HEAD 92u
#define GPT_ENTRIES_MAX 1024u /* of 128 bytes: tools write 128 */
#define MBR_SIGNATURE_AT 510
#define LOGICAL_MAX 64        /* partitions in an extended one */

struct gpt {
	uint64_t sector, head_at, table_at, other_at; /* bytes */
	uint32_t head_n, entries, entry_n;
	uint8_t *table; /* owned */
};

/* ---- GPT ---- */

/* Header at at, its CRC and the table's. 1, 0: none, or an error. */
static int
read_gpt(const struct source *s, uint64_t sector, uint64_t at, struct gpt *ret)
{
	uint8_t head[SECTOR];
	struct reader r;
	int err = source_read(s, at, head, sizeof head);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(head, sizeof head));
	if (!view_equal(reader_take(&r, 8), view_of("EFI PART", 8)))
		return 0;
	(void)reader_u32le(&r); /* revision */
	uint32_t n = reader_u32le(&r), crc = reader_u32le(&r);
	(void)reader_u32le(&r);
	uint64_t mine = reader_u64le(&r), other = reader_u64le(&r);
	(void)reader_take(&r, 8 + 8 + 16); /* usable range, disk id */
	uint64_t table = reader_u64le(&r);
	uint32_t entries = reader_u32le(&r), entry_n = reader_u32le(&r), table_crc = reader_u32le(&r);
	uint64_t sectors = s->size / sector;
	if (n < GPT_HEAD || n > SECTOR || entry_n != 128 || entries == 0 || entries > GPT_ENTRIES_MAX ||
	    mine != at / sector || table > sectors || (uint64_t)entries * entry_n > s->size - table * sector)
		return 0;
	memset(head + 16, 0, 4);
	if ((uint32_t)crc32(0, head, n) != crc)
		return 0;
	uint8_t *bytes = malloc((size_t)entries * entry_n);
	if (!bytes)
		return FG_ENOMEM;
	err = source_read(s, table * sector, bytes, (size_t)entries * entry_n);
	if (err || (uint32_t)crc32_z(0, bytes, (size_t)entries * entry_n) != table_crc) {
		free(bytes);
		return err;
	}
	*ret = (struct gpt){ .sector = sector, .head_at = at, .head_n = n, .table_at = table * sector,
		.other_at = other <= sectors ? other * sector : s->size, .entries = entries,
		.entry_n = entry_n, .table = bytes };
	return 1;
}

/* With sectors of 512 bytes or of 4096. */
static int
find_gpt(const struct source *s, struct gpt *ret)
{
	int r = read_gpt(s, SECTOR, SECTOR, ret);
	return r ? r : read_gpt(s, 4096, 4096, ret);
}

/* UTF-16 of an entry as bytes that can be shown: what is not ASCII becomes '?', and is seen in the table itself. */
static struct view
entry_name(const uint8_t *p, char dst[36])
{
	size_t n = 0;
	for (; n < 36; n++) {
		unsigned unit = (unsigned)p[2 * n] | (unsigned)p[2 * n + 1] << 8;
		if (unit == 0)
			break;
		dst[n] = unit >= 0x20 && unit < 0x7f ? (char)unit : '?';
	}
	return n ? view_of(dst, n) : view_str("partition");
}

static int
add_gpt_entry(struct part_ctx *c, uint32_t self, const struct gpt *g, const uint8_t *p)
{
	static const uint8_t unused[16];
	struct reader r;
	char name[36];
	uint64_t sectors = part_bytes(c, self)->size / g->sector;
	if (memcmp(p, unused, sizeof unused) == 0)
		return 0;
	reader_init(&r, view_of(p + 32, 16));
	uint64_t first = reader_u64le(&r), last = reader_u64le(&r);
	if (first > last || last >= sectors) {
		part_untold(c, self, "a partition lies outside it");
		return 0;
	}
	int64_t i = part_region(c, self, PART_REGION, entry_name(p + 56, name), first * g->sector,
	    (last - first + 1) * g->sector);
	return i < 0 ? (int)i : 0;
}

/* Header and table are shown as parts: only their CRCs were checked, not every field. */
static int
add_table(struct part_ctx *c, uint32_t self, const struct gpt *g, const char *name)
{
	uint64_t end;
	int err = part_header(c, self, name, g->head_at, g->head_n, &end);
	return err ? err : part_header(c, self, name, g->table_at, (uint64_t)g->entries * g->entry_n, &end);
}

static int
open_gpt(struct part_ctx *c, uint32_t self, const struct gpt *g)
{
	struct gpt other = { 0 };
	int err = add_table(c, self, g, "partition table");
	for (uint32_t i = 0; i < g->entries && !err; i++)
		err = add_gpt_entry(c, self, g, g->table + (size_t)i * g->entry_n);
	if (err)
		return err;
	err = read_gpt(part_bytes(c, self), g->sector, g->other_at, &other);
	if (err > 0 && other.head_at != g->head_at)
		err = add_table(c, self, &other, "second partition table");
	free(other.table);
	return err < 0 ? err : 0;
}

/* ---- MBR ---- */

struct mbr_entry {
	uint8_t boot, type;
	uint32_t first, sectors;
};

static void
read_entry(const uint8_t *p, struct mbr_entry *ret)
{
	struct reader r;
	reader_init(&r, view_of(p, 16));
	ret->boot = reader_u8(&r);
	(void)reader_take(&r, 3);
	ret->type = reader_u8(&r);
	(void)reader_take(&r, 3);
	ret->first = reader_u32le(&r);
	ret->sectors = reader_u32le(&r);
}

static bool
is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* Four entries that make sense: a boot sector of FAT has code there. */
static bool
is_mbr(const uint8_t *sector, uint64_t size, struct mbr_entry entry[4])
{
	unsigned used = 0;
	if (sector[MBR_SIGNATURE_AT] != 0x55 || sector[MBR_SIGNATURE_AT + 1] != 0xaa)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		struct mbr_entry *e = &entry[i];
		read_entry(sector + 446 + 16 * i, e);
		if ((e->boot & 0x7f) != 0 || (e->type == 0) != (e->sectors == 0))
			return false;
		if (e->type == 0)
			continue;
		used++;
		if (e->first == 0 || ((uint64_t)e->first + e->sectors) * SECTOR > size)
			return false;
		for (unsigned k = 0; k < i; k++)
			if (entry[k].type && e->first < (uint64_t)entry[k].first + entry[k].sectors &&
			    entry[k].first < (uint64_t)e->first + e->sectors)
				return false;
	}
	return used > 0;
}

static int
add_partition(struct part_ctx *c, uint32_t self, uint64_t first, uint64_t sectors)
{
	uint64_t size = part_bytes(c, self)->size;
	if (sectors == 0)
		return 0;
	if (first > size / SECTOR || sectors > size / SECTOR - first) {
		part_untold(c, self, "a partition lies outside it");
		return 0;
	}
	int64_t i = part_region(c, self, PART_REGION, view_str("partition"), first * SECTOR, sectors * SECTOR);
	return i < 0 ? (int)i : 0;
}

/* Each logical partition has a table of its own, which leads to the next. */
static int
add_logical(struct part_ctx *c, uint32_t self, const struct mbr_entry *extended)
{
	uint8_t sector[SECTOR];
	uint64_t at = extended->first;
	struct mbr_entry own, more;
	for (unsigned n = 0; n < LOGICAL_MAX; n++) {
		int err = source_read(part_bytes(c, self), at * SECTOR, sector, sizeof sector);
		if (err == FG_ELIMIT || (!err && (sector[510] != 0x55 || sector[511] != 0xaa)))
			return 0;
		read_entry(sector + 446, &own);
		read_entry(sector + 446 + 16, &more);
		if (!err)
			err = add_partition(c, self, at + own.first, own.sectors);
		if (err || more.type == 0 || more.first == 0)
			return err;
		uint64_t next = (uint64_t)extended->first + more.first;
		if (next <= at) /* a ring */
			return 0;
		at = next;
	}
	part_limit(c, self, "more logical partitions than are looked at");
	return 0;
}

static int
open_mbr(struct part_ctx *c, uint32_t self, const struct mbr_entry entry[4])
{
	uint64_t end;
	int err = part_header(c, self, "boot sector", 0, SECTOR, &end);
	for (unsigned k = 0; k < 4 && !err; k++)
		err = is_extended(entry[k].type) ? add_logical(c, self, &entry[k])
		                                 : add_partition(c, self, entry[k].first, entry[k].sectors);
	return err;
}

int
part_disk_try(struct part_ctx *c, uint32_t self)
{
	const struct source *s = part_bytes(c, self);
	struct mbr_entry entry[4];
	struct gpt g = { 0 };
	uint8_t sector[SECTOR];
	int r = find_gpt(s, &g);
	if (r > 0) {
		part_edit(c, self)->form = "gpt";
		int err = open_gpt(c, self, &g);
		free(g.table);
		return err ? err : 1;
	}
	if (r == 0)
		r = source_read(s, 0, sector, sizeof sector);
	if (r)
		return r == FG_ELIMIT ? 0 : r;
	if (!is_mbr(sector, s->size, entry))
		return 0;
	part_edit(c, self)->form = "mbr";
	r = open_mbr(c, self, entry);
	return r ? r : 1;
}
