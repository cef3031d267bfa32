/* SPDX-License-Identifier: Apache-2.0 */
#include "images/androidboot.h"

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/avb.h"

#define HEAD_MAX 2128u   /* vendor_boot, version 4 */
#define HEAD_3 2112u     /* version 3; the first tools of it said 2108, and wrote as much as this */
#define PAGE_NEW 4096u   /* of boot images from version 3 on */
#define VERSION_AT 40u
#define VERSION_MAX 4u
#define ENTRY 108u       /* of the table of vendor ramdisks */

struct layout {
	struct androidboot *b;
	const struct source *s;
	uint8_t head[HEAD_MAX];
	size_t head_n;
	uint64_t page, at; /* of the next section */
};

static struct reader
from(const struct layout *l, size_t at)
{
	struct reader r;
	reader_init(&r, view_of(l->head, l->head_n));
	(void)reader_take(&r, at);
	return r;
}

static void
add(struct layout *l, const char *name, uint64_t at, uint64_t length, bool head)
{
	if (length > 0 && l->b->n < ANDROIDBOOT_PARTS_MAX)
		l->b->part[l->b->n++] = (struct androidboot_part){ name, at, length, head };
}

/* A field of the header with text in it: without the zeros behind it. */
static void
text(struct layout *l, const char *name, size_t at, size_t n)
{
	size_t have = at < l->head_n ? l->head_n - at : 0;
	have = have < n ? have : n;
	add(l, name, at, have ? strnlen((const char *)l->head + at, have) : 0, false);
}

/* Each begins at a page. */
static uint64_t
section(struct layout *l, const char *name, uint64_t length)
{
	uint64_t at = l->at;
	if (name)
		add(l, name, at, length, false);
	l->at += (length + l->page - 1) / l->page * l->page;
	return at;
}

static bool
is_page(uint64_t page)
{
	return page >= 2048 && page <= 65536 && (page & (page - 1)) == 0;
}

/* Versions 0 to 2. version above 4: the size of a table of device trees stands there, as Qualcomm's tools once wrote it. */
static void
old(struct layout *l, uint32_t version)
{
	struct reader r = from(l, 8);
	uint64_t kernel = reader_u32le(&r);
	(void)reader_u32le(&r);
	uint64_t ramdisk = reader_u32le(&r);
	(void)reader_u32le(&r);
	uint64_t second = reader_u32le(&r), trees = version > VERSION_MAX ? version : 0;
	(void)reader_take(&r, 8);
	l->page = reader_u32le(&r);
	if (r.bad || !is_page(l->page) || kernel == 0) {
		l->b->bad = true;
		return;
	}
	version = trees ? 0 : version;
	l->b->version = version;
	r = from(l, 1632);
	uint64_t recovery = reader_u32le(&r);
	(void)reader_take(&r, 12);
	uint64_t dtb = reader_u32le(&r);
	add(l, "header", 0, 64, true);
	text(l, "command line", 64, 512);
	add(l, "id", 576, 32, true);
	text(l, "command line, continued", 608, 1024);
	if (version > 0)
		add(l, "header, continued", 1632, version == 1 ? 16 : 28, true);
	l->at = l->page;
	(void)section(l, "kernel", kernel);
	(void)section(l, "ramdisk", ramdisk);
	(void)section(l, "second", second);
	(void)section(l, "recovery dtbo", version > 0 ? recovery : 0);
	(void)section(l, "dtb", version > 1 ? dtb : trees);
}

/* Versions 3 and 4. */
static void
new(struct layout *l, uint32_t version)
{
	struct reader r = from(l, 8);
	uint64_t kernel = reader_u32le(&r), ramdisk = reader_u32le(&r);
	r = from(l, 1580);
	uint64_t signature = version > 3 ? reader_u32le(&r) : 0;
	l->b->version = version;
	l->page = PAGE_NEW;
	l->b->bad = r.bad || (kernel == 0 && ramdisk == 0); /* an init_boot image has no kernel */
	add(l, "header", 0, 44, true);
	text(l, "command line", 44, 1536);
	if (version > 3)
		add(l, "header, continued", 1580, 4, true);
	l->at = l->page;
	(void)section(l, "kernel", kernel);
	(void)section(l, "ramdisk", ramdisk);
	(void)section(l, "signature", signature);
}

/* The fragments that the vendor ramdisk is made of; all of it as one where there is no sound table. */
static int
ramdisks(struct layout *l, uint64_t at, uint64_t length, uint64_t table_at, unsigned n)
{
	uint8_t entry[ENTRY];
	unsigned first = l->b->n;
	for (unsigned i = 0; i < n; i++) {
		struct reader r;
		int err = source_read(l->s, table_at + (uint64_t)i * ENTRY, entry, sizeof entry);
		if (err && err != FG_ELIMIT)
			return err;
		reader_init(&r, view_of(entry, sizeof entry));
		uint64_t size = reader_u32le(&r), offset = reader_u32le(&r);
		if (err || offset > length || size > length - offset) {
			l->b->bad = true;
			l->b->n = first;
			n = 0;
			break;
		}
		add(l, "ramdisk", at + offset, size, false);
	}
	if (n == 0)
		add(l, "ramdisk", at, length, false);
	return 0;
}

static int
vendor(struct layout *l)
{
	struct reader r = from(l, 8);
	uint32_t version = reader_u32le(&r);
	l->page = reader_u32le(&r);
	(void)reader_take(&r, 8);
	uint64_t ramdisk = reader_u32le(&r);
	r = from(l, 2096);
	uint64_t said = reader_u32le(&r), head = version > 3 ? HEAD_MAX : HEAD_3, dtb = reader_u32le(&r);
	(void)reader_u64le(&r);
	uint64_t table = 0, entries = 0, entry = 0, config = 0;
	if (version > 3) {
		table = reader_u32le(&r);
		entries = reader_u32le(&r);
		entry = reader_u32le(&r);
		config = reader_u32le(&r);
	}
	l->b->version = version;
	if (r.bad || version < 3 || version > VERSION_MAX || !is_page(l->page) || ramdisk == 0 ||
	    (said != head && (said != HEAD_3 - 4 || version > 3))) {
		l->b->bad = true;
		return 0;
	}
	bool listed = entry == ENTRY && entries > 0 && entries <= ANDROIDBOOT_RAMDISKS_MAX && entries * ENTRY <= table;
	l->b->bad = version > 3 && !listed;
	add(l, "header", 0, 28, true);
	text(l, "command line", 28, 2048);
	add(l, "header, continued", 2076, head - 2076, true);
	l->at = (head + l->page - 1) / l->page * l->page;
	uint64_t at = section(l, NULL, ramdisk);
	(void)section(l, "dtb", dtb);
	uint64_t table_at = section(l, NULL, table);
	add(l, "table of ramdisks", table_at, table, true);
	(void)section(l, "bootconfig", config);
	return ramdisks(l, at, ramdisk, table_at, listed ? (unsigned)entries : 0);
}

/* Verified boot writes its data behind the image, and a footer that leads to it at the end of the partition. */
static int
verified_boot(struct layout *l)
{
	uint64_t size = l->s->size, at, length;
	bool is;
	int err = avb_footer(l->s, &at, &length, &is);
	if (err || !is || at < l->at)
		return err;
	add(l, "vbmeta", at, length, false);
	add(l, "footer", size - AVB_FOOT, AVB_FOOT, true);
	return 0;
}

int
androidboot_read(const struct source *s, struct androidboot *ret)
{
	struct layout l = { .b = ret, .s = s };
	*ret = (struct androidboot){ 0 };
	long n = source_read_some(s, 0, l.head, sizeof l.head);
	if (n < 8)
		return n < 0 ? (int)n : 0;
	l.head_n = (size_t)n;
	ret->vendor = memcmp(l.head, "VNDRBOOT", 8) == 0;
	if (!ret->vendor && memcmp(l.head, "ANDROID!", 8) != 0)
		return 0;
	struct reader r = from(&l, VERSION_AT);
	uint32_t version = reader_u32le(&r);
	int err = 0;
	if (ret->vendor)
		err = vendor(&l);
	else if (version == 3 || version == 4)
		new(&l, version);
	else
		old(&l, version);
	ret->end = l.at;
	if (!err && !ret->bad)
		err = verified_boot(&l);
	return err ? err : 1;
}
