/* SPDX-License-Identifier: Apache-2.0 */
/* File systems of mkfs.fat and mtools as parts: every width, every file and name; what is hidden, damaged or made in bad faith. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/fat.h"
#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/part_rig.h"

#define IMAGE_MAX (64u << 20)

/* A whole file system: one of FAT32 is larger than what pki_load() reads. */
static struct pki_blob
load(const char *name)
{
	char path[500];
	struct pki_blob b = { calloc(1, IMAGE_MAX), 0 };
	snprintf(path, sizeof path, "%s/fat/%s", getenv("FG_VECTORS"), name);
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s is missing", path);
	b.n = fread(b.p, 1, IMAGE_MAX, f);
	fclose(f);
	return b;
}

static void
every_file(void **state)
{
	(void)state;
	static const char *const kinds[] = { "fat12", "fat16", "fat32" };
	struct pki_blob list = pki_load("fat/list");
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		struct part_rig r;
		struct pki_blob image = load(kinds[k]);
		part_rig_open(&r, pki_view(&image));
		part_rig_lists(&r, 0, pki_view(&list));
		assert_string_equal(part_form(parts_get(r.tree, 0)), "fat");
		if (parts_get(r.tree, 0)->look != PART_LOOK_OPENED)
			fail_msg("%s: %s", kinds[k], parts_get(r.tree, 0)->why);
		assert_int_equal(parts_limits(r.tree), 0);
		assert_int_equal(part_rig_get(&r, "EMPTY")->kind, PART_FOLDER);
		assert_false(part_rig_get(&r, "EMPTY")->have_mode);
		/* What mtools writes leaves nothing: every entry, and the tables. */
		assert_int_equal(part_rig_find(&r, "allocation table"), PART_NONE_INDEX);
		part_rig_close(&r);
		free(image.p);
	}
	free(list.p);
}

static void
in_pieces(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("fat/pieces");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	uint32_t i = part_rig_find(&r, "pieces.bin");
	assert_true(i != PART_NONE_INDEX && parts_get(r.tree, i)->pieces > 1);
	assert_int_equal(parts_get(r.tree, i)->bytes.size, 9000);
	assert_true(part_rig_get(&r, "f0")->placed);
	/* The name of one that was deleted, without its first letter. */
	assert_true(part_rig_tells(&r, "\xe5" "5         "));
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_OPENED);
	part_rig_close(&r);
	free(image.p);
}

/* ---- in bad faith, out of the small one: one sector a cluster, twelve bits ---- */

#define SECTOR 512u

static size_t
table_n(const struct pki_blob *b)
{
	return (size_t)(b->p[22] | b->p[23] << 8) * SECTOR;
}

static size_t
root_at(const struct pki_blob *b)
{
	return SECTOR + 2 * table_n(b);
}

static size_t
cluster_at(const struct pki_blob *b, unsigned n)
{
	return root_at(b) + 16 * FAT_ENTRY + (n - 2) * SECTOR;
}

/* The entry of a short name, in the root or in the folder D. */
static uint8_t *
entry_of(const struct pki_blob *b, size_t folder, const char *name)
{
	uint8_t *e = b->p + folder;
	for (unsigned k = 0; k < 16; k++, e += FAT_ENTRY)
		if (memcmp(e, name, 11) == 0)
			return e;
	fail_msg("no %s", name);
	abort();
}

static unsigned
first_of(const uint8_t *e)
{
	return e[26] | (unsigned)e[27] << 8;
}

/* Entry n of both tables. */
static void
set(struct pki_blob *b, unsigned n, unsigned v)
{
	for (unsigned k = 0; k < 2; k++) {
		uint8_t *p = b->p + SECTOR + k * table_n(b) + n + n / 2;
		p[0] = (uint8_t)(n % 2 ? (p[0] & 0xf) | v << 4 : v);
		p[1] = (uint8_t)(n % 2 ? v >> 4 : (p[1] & 0xf0) | v >> 8);
	}
}

static void
bad_faith(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 11; k++) {
		struct pki_blob b = pki_load("fat/tiny");
		struct part_rig r;
		size_t root = root_at(&b);
		uint8_t *c = entry_of(&b, root, "C       TXT"), *d = entry_of(&b, root, "D          ");
		size_t folder = cluster_at(&b, first_of(d));
		uint8_t *in = entry_of(&b, folder, "B       BIN");
		unsigned first = first_of(c);
		switch (k) {
		case 0: /* a ring, and a size to go round in it */
			set(&b, first, first);
			memset(c + 28, 0x7f, 4);
			break;
		case 1: /* two files over one chain */
			memcpy(in + 26, c + 26, 2);
			break;
		case 2: /* shorter than it says */
			memset(c + 28, 0x7f, 4);
			break;
		case 3: /* a folder in itself */
			memcpy(in, d, FAT_ENTRY);
			memcpy(in, "LOOP       ", 11);
			break;
		case 4: /* a folder's chain is a ring */
			set(&b, first_of(d), first_of(d));
			break;
		case 5: /* leads to where nothing is */
			set(&b, first, 0x7ff);
			break;
		case 6: /* one more entry behind the end of a folder */
			memcpy(b.p + folder + 10 * FAT_ENTRY, in, FAT_ENTRY);
			memcpy(b.p + folder + 10 * FAT_ENTRY, "TELNETD    ", 11);
			break;
		case 7: /* tables that say different things */
			b.p[SECTOR + table_n(&b) + 40] ^= 0x55;
			break;
		case 8: /* a lost chain: the tables are no structure any more */
			set(&b, 60, 0xfff);
			break;
		case 9: /* "." that leads elsewhere is shown as an entry */
			b.p[folder + 26] ^= 1;
			break;
		default: /* another short name than the long one gives */
			memcpy(entry_of(&b, root, "AFILE~1 TXT"), "TELNETD TXT", 11);
		}
		part_rig_open(&r, pki_view(&b));
		const struct part *top = parts_get(r.tree, 0);
		switch (k) {
		case 0:
			assert_true(part_rig_get(&r, "C.TXT")->partial && part_rig_get(&r, "C.TXT")->bytes.size < b.n);
			assert_non_null(top->why);
			break;
		case 1:
			assert_non_null(top->why);
			assert_non_null(strstr(top->why, "belong to two files"));
			/* Which of them is met first is no reason to show the other one as empty. */
			assert_false(part_rig_get(&r, "D/B.BIN")->again || part_rig_get(&r, "C.TXT")->again);
			assert_true(part_rig_get(&r, "D/B.BIN")->bytes.size > 0 && part_rig_get(&r, "C.TXT")->bytes.size > 0);
			break;
		case 2:
			assert_true(part_rig_get(&r, "C.TXT")->partial);
			assert_int_equal(part_rig_get(&r, "C.TXT")->bytes.size, 3 * SECTOR);
			break;
		case 3:
			assert_string_equal(top->why, "a folder of its file system has two places");
			assert_int_equal(part_rig_find(&r, "D/LOOP/LOOP"), PART_NONE_INDEX);
			break;
		case 4:
			assert_non_null(top->why);
			assert_int_equal(part_rig_get(&r, "D/B.BIN")->bytes.size, 1500);
			break;
		case 5:
			assert_true(part_rig_get(&r, "C.TXT")->partial);
			break;
		case 6:
			assert_string_equal(top->why, "a folder of its file system goes on behind its end");
			assert_true(part_rig_tells(&r, "TELNETD"));
			break;
		case 7:
			assert_string_equal(top->why, "its allocation tables are not copies of each other");
			break;
		case 8:
			assert_int_equal(part_rig_get(&r, "allocation table")->bytes.size, table_n(&b));
			break;
		case 9:
			assert_true(part_rig_get(&r, "D/.")->inexact);
			break;
		default:
			/* The sum of the long name no longer fits: it is a rest, and shown as one. */
			assert_int_equal(part_rig_get(&r, "TELNETD.TXT")->bytes.size, 11);
			assert_int_equal(part_rig_get(&r, "gap")->bytes.size % FAT_ENTRY, 0);
		}
		part_rig_close(&r);
		free(b.p);
	}
}

/* What no name leads to is a part of its own. */
static void
what_is_hidden(void **state)
{
	(void)state;
	static const char words[] = "telnetd -l /bin/sh";
	struct pki_blob image = pki_load("fat/tiny");
	struct part_rig r;
	unsigned tried = 0;
	for (size_t at = SECTOR; at + sizeof words < image.n; at += 127) {
		static const uint8_t zeros[sizeof words];
		if (memcmp(image.p + at, zeros, sizeof zeros) != 0)
			continue;
		memcpy(image.p + at, words, sizeof words - 1);
		part_rig_open(&r, pki_view(&image));
		bool file_has = false;
		for (uint32_t i = 1; i < parts_count(r.tree); i++) {
			const struct part *p = parts_get(r.tree, i);
			file_has = file_has || (p->kind == PART_FILE && p->placed && at >= p->at && at < p->at + p->bytes.size);
		}
		if (!file_has && !part_rig_tells(&r, words) && !parts_get(r.tree, 0)->why)
			fail_msg("nothing tells of %zu", at);
		part_rig_close(&r);
		memset(image.p + at, 0, sizeof words - 1);
		tried++;
	}
	assert_true(tried > 100);
	free(image.p);
}

/* Within unknown bytes, with and without something behind it. */
static void
found_in_a_flash(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("fat/tiny");
	uint8_t *b = malloc(image.n + 16384);
	struct part_rig r;
	memset(b, 0xff, image.n + 16384);
	memcpy(b, "boot code of somebody's", 23);
	memcpy(b + 8192, image.p, image.n);
	part_rig_open(&r, view_of(b, image.n + 16384));
	assert_int_equal(part_rig_get(&r, "fat/C.TXT")->bytes.size, 1200);
	part_rig_close(&r);
	memcpy(b + 8192 + image.n + 1000, "telnetd", 7);
	part_rig_open(&r, view_of(b + 8192, image.n + 8192));
	assert_int_equal(part_rig_get(&r, "rest")->at, image.n + 1000);
	part_rig_close(&r);
	free(b);
	free(image.p);
}

/* What its boot sector claims to take is not what was done to see that it is cut off: the search goes on behind it. */
static void
cut_in_a_flash(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("fat/tiny"), packed = pki_load("pairs/base.cpio.gz");
	size_t n = 8192 + image.n + packed.n;
	uint8_t *b = malloc(n), *boot = b + 8192;
	struct part_rig r;
	memset(b, 0xff, 8192);
	memcpy(boot, image.p, image.n);
	memcpy(boot + image.n, packed.p, packed.n);
	boot[13] = 64; /* sectors of a cluster: as many clusters as twelve bits have numbers for */
	boot[19] = boot[20] = 0;
	memcpy(boot + 32, "\0\0\3\0", 4); /* 96 MiB */
	part_rig_open(&r, view_of(b, n));
	assert_int_equal(part_rig_get(&r, "gzip")->kind, PART_STREAM);
	assert_int_equal(parts_limits(r.tree), 0);
	part_rig_close(&r);
	free(b);
	free(packed.p);
	free(image.p);
}

static void
damage(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("fat/tiny");
	struct part_rig r;
	for (size_t n = 0; n < image.n; n += 127) {
		uint8_t *b = malloc(n + 1);
		memcpy(b, image.p, n);
		part_rig_open(&r, view_of(b, n));
		part_rig_close(&r);
		free(b);
	}
	for (size_t i = 0; i < image.n; i++) {
		static const uint8_t flips[] = { 0x01, 0x80, 0xff };
		bool head = i < cluster_at(&image, 2) + SECTOR * 8;
		if (image.p[i] == 0 ? i % 37 : !head)
			continue;
		image.p[i] ^= flips[i % 3];
		part_rig_open(&r, pki_view(&image));
		part_rig_close(&r);
		image.p[i] ^= flips[i % 3];
	}
	free(image.p);
}

static void
names(void **state)
{
	(void)state;
	char name[FAT_NAME_MAX];
	bool exact;
	uint8_t e[FAT_ENTRY] = "AB      TXT", piece[FAT_ENTRY] = { 0x41 };
	struct fat_long l = { 0 };
	uint8_t sum = 0;
	for (unsigned i = 0; i < 11; i++)
		sum = (uint8_t)((sum >> 1 | sum << 7) + e[i]);
	memset(piece + 1, 0xff, sizeof piece - 1);
	piece[11] = FAT_LONG;
	piece[12] = piece[26] = piece[27] = 0;
	piece[13] = sum;
	memcpy(piece + 1, "\x3d\xd8\0\xde" "b\0\0", 8); /* U+1F600, b, end */
	piece[7] = piece[8] = 0;
	fat_long_add(&l, piece);
	assert_true(fat_long_is_of(&l, e));
	assert_int_equal(fat_long_name(&l, name, &exact), 5);
	assert_memory_equal(name, "\xf0\x9f\x98\x80" "b", 5);
	assert_true(exact);
	piece[2] = 0xdc; /* half of a letter */
	fat_long_add(&l, piece);
	assert_true(fat_long_is_of(&l, e));
	(void)fat_long_name(&l, name, &exact);
	assert_false(exact);
	piece[14] = 0; /* no filling behind the end */
	fat_long_add(&l, piece);
	assert_false(fat_long_is_of(&l, e));
	assert_int_equal(fat_short_name(e, name), 6);
	assert_memory_equal(name, "AB.TXT", 6);
	e[12] = 0x18;
	assert_int_equal(fat_short_name(e, name), 6);
	assert_memory_equal(name, "ab.txt", 6);
	assert_true(fat_short_fits((const uint8_t *)"AFILE~1 TXT", view_str("a file.txt")));
	assert_true(fat_short_fits((const uint8_t *)"LONGNA~2CON", view_str("longname here.conf")));
	assert_true(fat_short_fits((const uint8_t *)"A_B     C  ", view_str("a+b.c")));
	assert_false(fat_short_fits((const uint8_t *)"TELNETD TXT", view_str("a file.txt")));
	assert_false(fat_short_fits((const uint8_t *)"AFILE~1 EXE", view_str("a file.txt")));
	assert_false(fat_short_fits((const uint8_t *)"AFILE~XXTXT", view_str("a file.txt")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file), cmocka_unit_test(in_pieces), cmocka_unit_test(bad_faith),
		cmocka_unit_test(what_is_hidden), cmocka_unit_test(found_in_a_flash), cmocka_unit_test(cut_in_a_flash),
		cmocka_unit_test(damage), cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
