/* SPDX-License-Identifier: Apache-2.0 */
/* Flash images and unknown bytes: what stands in them, tables of partitions, pieces that stay what they were. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <lzma.h>
#include <zlib.h>

#include "images/part_probe.h"
#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/pair_rig.h"

#define NOISE (1u << 20)

static uint8_t *noise;

static int
setup(void **state)
{
	uint32_t x = 99;
	(void)state;
	noise = malloc(NOISE);
	for (size_t i = 0; i < NOISE; i++)
		noise[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(noise);
	return 0;
}

static void
flash(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("pairs/base.flash");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	/* The recogniser takes it for the uImage that it begins with; the rest is its gap. */
	assert_int_equal(parts_get(r.tree, 0)->format, FORMAT_UIMAGE);
	assert_int_equal(part_rig_get(&r, "image/gzip")->kind, PART_STREAM);
	assert_int_equal(part_rig_get(&r, "gap/squashfs")->look, PART_LOOK_OPENED);
	assert_int_equal(part_rig_get(&r, "gap/squashfs/etc/passwd")->mode, 0644);
	assert_int_equal(part_rig_get(&r, "gap/erased")->look, PART_LOOK_ERASED);
	assert_int_equal(part_rig_get(&r, "gap/squashfs/usr/bin/agent/.text")->kind, PART_SECTION);
	part_rig_close(&r);
	/* Behind something else it is found by itself. */
	memset(image.p + 5, 0, 1); /* the header's CRC: no uImage any more */
	part_rig_open(&r, pki_view(&image));
	assert_int_equal(parts_get(r.tree, 0)->format, FORMAT_RAW);
	assert_int_equal(part_rig_get(&r, "gzip")->kind, PART_STREAM);
	assert_int_equal(part_rig_get(&r, "squashfs")->at, 0x80000);
	part_rig_close(&r);
	free(image.p);
}

static void
gpt(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("pairs/base.gpt");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	assert_string_equal(part_form(parts_get(r.tree, 0)), "gpt");
	assert_int_equal(part_rig_get(&r, "boot")->at, 1 << 20);
	assert_int_equal(part_rig_get(&r, "boot/image/gzip")->kind, PART_STREAM);
	assert_int_equal(part_rig_get(&r, "rootfs/etc/init.d/rcS")->mode, 0755);
	assert_int_equal(part_rig_get(&r, "spare")->look, PART_LOOK_ERASED);
	assert_int_equal(part_rig_get(&r, "second partition table")->kind, PART_REGION);
	part_rig_close(&r);
	/* A byte of the table: its CRC does not fit, and nothing of it is believed. */
	image.p[1024 + 40] ^= 1;
	part_rig_open(&r, pki_view(&image));
	assert_string_not_equal(part_form(parts_get(r.tree, 0)), "gpt");
	assert_int_equal(part_rig_find(&r, "boot"), PART_NONE_INDEX);
	part_rig_close(&r);
	free(image.p);
}

static void
mbr(void **state)
{
	(void)state;
	uint8_t *b = calloc(1, 200 * 512);
	static const uint8_t entries[] = { 0x80, 0, 0, 0, 0x83, 0, 0, 0, 8, 0, 0, 0, 20, 0, 0, 0,
		0, 0, 0, 0, 0x05, 0, 0, 0, 60, 0, 0, 0, 100, 0, 0, 0 };
	static const uint8_t logical[] = { 0, 0, 0, 0, 0x83, 0, 0, 0, 2, 0, 0, 0, 30, 0, 0, 0 };
	struct part_rig r;
	memcpy(b + 446, entries, sizeof entries);
	memcpy(b + 510, "\x55\xaa", 2);
	memcpy(b + 60 * 512 + 446, logical, sizeof logical);
	memcpy(b + 60 * 512 + 510, "\x55\xaa", 2);
	memcpy(b + 8 * 512, "first", 5);
	memcpy(b + 62 * 512, "second", 6);
	part_rig_open(&r, view_of(b, 200 * 512));
	assert_string_equal(part_form(parts_get(r.tree, 0)), "mbr");
	unsigned partitions = 0;
	for (uint32_t i = 1; i < parts_count(r.tree); i++)
		partitions += strcmp(parts_get(r.tree, i)->name, "partition") == 0;
	assert_int_equal(partitions, 2);
	part_rig_close(&r);
	/* A partition that reaches beyond the end: no table. */
	b[446 + 12] = 250;
	part_rig_open(&r, view_of(b, 200 * 512));
	assert_string_not_equal(part_form(parts_get(r.tree, 0)), "mbr");
	part_rig_close(&r);
	free(b);
}

static void
certificate(void **state)
{
	(void)state;
	struct pki_blob der = pki_load("pairs/vendor.der"), key = pki_load("pairs/vendor-key.der");
	uint8_t *b = malloc(20000 + der.n);
	struct part_rig r;
	memcpy(b, noise, 20000);
	memcpy(b + 10001, der.p, der.n);
	memcpy(b + 15000, key.p, key.n);
	part_rig_open(&r, view_of(b, 20000 + der.n));
	assert_int_equal(part_rig_get(&r, "private-key")->at, 15000);
	assert_int_equal(part_rig_get(&r, "private-key")->bytes.size, key.n);
	assert_int_equal(part_rig_get(&r, "certificate")->at, 10001);
	assert_int_equal(part_rig_get(&r, "certificate")->bytes.size, der.n);
	part_rig_close(&r);
	b[10001 + 20] ^= 0xff; /* inside: no certificate any more */
	part_rig_open(&r, view_of(b, 20000 + der.n));
	part_rig_close(&r);
	free(b);
	free(der.p);
	free(key.p);
}

static void
u64le(uint8_t *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* Sections of a hostile ELF lie over each other: one has the bytes, and none is anybody's twice. */
static void
elf(void **state)
{
	(void)state;
	struct pki_blob file = pki_load("pairs/base/tree/usr/bin/agent");
	struct part_rig r;
	part_rig_open(&r, pki_view(&file));
	uint64_t text = part_rig_get(&r, ".text")->bytes.size;
	assert_int_equal(text, 60000);
	assert_int_equal(part_rig_get(&r, "header")->bytes.size, 64);
	assert_false(part_rig_get(&r, ".rodata")->again);
	part_rig_close(&r);
	uint8_t *heads = file.p + (file.p[40] | file.p[41] << 8 | file.p[42] << 16);
	u64le(heads + 2 * 64 + 24, 64 + 100); /* .rodata into .text */
	part_rig_open(&r, pki_view(&file));
	assert_true(part_rig_get(&r, ".rodata")->again);
	assert_int_equal(part_rig_get(&r, ".rodata")->bytes.size, 0);
	assert_int_equal(part_rig_get(&r, ".text")->bytes.size, 60000);
	part_rig_close(&r);
	/* All of the file as a section: not an ELF in itself. */
	u64le(heads + 64 + 24, 0);
	u64le(heads + 64 + 32, file.n);
	part_rig_open(&r, pki_view(&file));
	assert_int_equal(part_rig_get(&r, ".text")->format, FORMAT_RAW);
	part_rig_close(&r);
	/* Outside. */
	u64le(heads + 64 + 24, file.n - 10);
	part_rig_open(&r, pki_view(&file));
	assert_non_null(parts_get(r.tree, 0)->why);
	part_rig_close(&r);
	free(file.p);
}

static void
jffs2(void **state)
{
	(void)state;
	uint8_t *b = malloc(100000);
	struct part_rig r;
	memcpy(b, noise, 100000);
	memset(b + 8192, 0xff, 8192);
	for (unsigned k = 0; k < 3; k++) {
		uint8_t *node = b + 8192 + (k == 2 ? 4096 : 512 * k);
		static const uint8_t head[] = { 0x85, 0x19, 0x03, 0x20, 0x90, 0x01, 0, 0 };
		memcpy(node, head, sizeof head);
		uint32_t crc = ~(uint32_t)crc32(0xffffffff, node, 8);
		for (unsigned i = 0; i < 4; i++)
			node[8 + i] = (uint8_t)(crc >> 8 * i);
		node[12] = (uint8_t)k;
	}
	memcpy(b + 8192 + 400, b + 8192 + 512, 112); /* the second one follows the first */
	part_rig_open(&r, view_of(b, 100000));
	assert_int_equal(part_rig_get(&r, "jffs2")->at, 8192);
	assert_int_equal(part_rig_get(&r, "jffs2")->bytes.size, 4096 + 400);
	assert_string_equal(part_form(part_rig_get(&r, "jffs2")), "jffs2");
	part_rig_close(&r);
	b[8192 + 8] ^= 1;
	part_rig_open(&r, view_of(b, 100000));
	assert_int_not_equal(part_rig_get(&r, "jffs2")->at, 8192);
	part_rig_close(&r);
	free(b);
}

/* Data in the tree, behind it, and at a position of its own. */
static void
fit(void **state)
{
	(void)state;
	static const char *const names[] = { "fit/rsa2048.fit", "fit/external.fit", "fit/position.fit" };
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		struct pki_blob image = pki_load(names[k]);
		struct part_rig r;
		char start[7];
		part_rig_open(&r, pki_view(&image));
		assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_OPENED);
		const struct part *p = part_rig_get(&r, "kernel-1");
		assert_int_equal(p->bytes.size, 7 * 703);
		assert_int_equal(source_read(&p->bytes, 0, start, sizeof start), 0);
		assert_memory_equal(start, "kernel ", sizeof start);
		part_rig_close(&r);
		free(image.p);
	}
	struct pki_blob image = pki_load("fit/late-property.fit");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	assert_non_null(parts_get(r.tree, 0)->why);
	part_rig_close(&r);
	free(image.p);
}

/* Noise, with something inserted near its start: nearly all of its pieces are as they were. */
static void
pieces_stay(void **state)
{
	(void)state;
	uint8_t *b = malloc(NOISE + 100);
	struct pair_rig r;
	memcpy(b, noise, 1000);
	memset(b + 1000, 'i', 100);
	memcpy(b + 1100, noise + 1000, NOISE - 1000);
	pair_rig_open(&r, view_of(noise, NOISE), view_of(b, NOISE + 100));
	uint64_t same = 0;
	unsigned pieces = 0;
	for (uint32_t i = 1; i < parts_count(r.side[PAIR_NEW].tree); i++) {
		const struct part *p = parts_get(r.side[PAIR_NEW].tree, i);
		assert_string_equal(p->name, "data");
		assert_int_equal(p->look, PART_LOOK_OPAQUE);
		pieces++;
		same += pair_is_same(pair_of(r.pair, PAIR_NEW, i).how) ? p->bytes.size : 0;
	}
	assert_in_range(pieces, 4, 64);
	assert_true(same > NOISE / 2);
	struct account *a = account_new(r.pair);
	pair_rig_count(&r, a);
	assert_true(account_image(a, PAIR_NEW).bytes[ACCOUNT_IDENTICAL] >= same);
	account_free(a);
	pair_rig_close(&r);
	free(b);
}

/* Wherever a piece ends, no word does. */
static void
words_stay_whole(void **state)
{
	(void)state;
	static const char word[] = "http://203.0.113.77:8443/gate.php";
	size_t n = 0, cap = NOISE;
	uint8_t *b = malloc(cap + 100);
	unsigned words = 0, found = 0;
	struct part_rig r;
	/* Words of varied distance, binary in between. */
	while (n < cap - 200) {
		memcpy(b + n, word, sizeof word);
		n += sizeof word;
		memset(b + n, 1, 8 + words % 7);
		b[n + words % 7] = (uint8_t)(words & 0x1f);
		n += 8 + words++ % 7;
	}
	part_rig_open(&r, view_of(b, n));
	assert_true(parts_count(r.tree) > 3);
	for (uint32_t i = 1; i < parts_count(r.tree); i++) {
		const struct part *p = parts_get(r.tree, i);
		const uint8_t *q = p->bytes.mem, *end = q + p->bytes.size;
		while ((q = memmem(q, (size_t)(end - q), word, sizeof word - 1)) != NULL) {
			found++;
			q++;
		}
	}
	assert_int_equal(found, words);
	part_rig_close(&r);
	free(b);
}

/* Magic numbers everywhere: told, and done in a moment. */
static void
nothing_but_magic(void **state)
{
	(void)state;
	static const char *const magic[] = { "BZh91AY&SY", "\x1f\x8b\x08\0\0\0\0\0\0\3", "PK\3\4", "070701", "hsqs",
		"UBI#\1", "ustar", "\x27\x05\x19\x56", "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff" };
	for (size_t k = 0; k < sizeof magic / sizeof magic[0]; k++) {
		static const size_t lengths[] = { 10, 10, 4, 6, 4, 5, 5, 4, 13 };
		uint8_t *b = malloc(16384);
		struct part_rig r;
		for (size_t i = 0; i < 16384; i++)
			b[i] = (uint8_t)magic[k][i % lengths[k]];
		part_rig_open(&r, view_of(b, 16384));
		part_rig_close(&r);
		free(b);
	}
}

/* A JFFS2 begins with a node: a magic number without one is not followed to the next erase blocks. */
static void
jffs2_begins_with_a_node(void **state)
{
	(void)state;
	uint8_t b[12288];
	struct source s;
	memset(b, 0xff, sizeof b);
	memcpy(b, "\x85\x19", 2);
	for (unsigned k = 0; k < 2; k++) {
		uint8_t *node = b + 8192 + 64 * k;
		memcpy(node, "\x85\x19\x03\x20\x40\0\0\0", 8);
		uint32_t crc = ~(uint32_t)crc32(0xffffffff, node, 8);
		for (unsigned i = 0; i < 4; i++)
			node[8 + i] = (uint8_t)(crc >> 8 * i);
	}
	source_memory(&s, view_of(b, sizeof b));
	const struct part_probe *p;
	for (unsigned k = 0; (p = part_probe(k)) && strcmp(p->name, "jffs2") != 0; k++)
		;
	uint64_t length = 0;
	assert_non_null(p);
	if (!p)
		return; /* the plain build does not know that the line above ends it */
	assert_int_equal(p->fits(&s, 0, &length), 0);
	assert_int_equal(p->fits(&s, 8192, &length), 1);
	assert_int_equal(length, 128);
	/* One node is none, and the erase blocks behind it were looked at. */
	assert_int_equal(p->fits(&s, 8192 + 64, &length), 0);
	assert_true(length >= 4096 - 64);
}

/* What a failed look at a table, or by OpenSSL, took is told. */
static void
failures_count(void **state)
{
	(void)state;
	static const char *const names[] = { "elf", "private-key", "certificate" };
	uint8_t b[3][256] = { "\x7f" "ELF\2\1\1", { 0x30, 0x81, 0x80, 2, 1, 0, 0x30 }, { 0x30, 0x82, 0, 0xa0, 0x30, 0x82 } };
	b[0][32] = 64; /* program headers: the third reaches beyond the end */
	b[0][52] = 64;
	b[0][54] = 56;
	b[0][56] = 3;
	b[0][64 + 2 * 56 + 9] = 0xff;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct part_probe *p;
		struct source s;
		uint64_t length = 0;
		for (unsigned k = 0; (p = part_probe(k)) && strcmp(p->name, names[i]) != 0; k++)
			;
		assert_non_null(p);
		if (!p)
			return;
		source_memory(&s, view_of(b[i], sizeof b[i]));
		assert_int_equal(p->fits(&s, 0, &length), 0);
		assert_true(length >= 3 * 1024);
	}
}

/* Writes a file of a cpio in the new format; returns what it takes. */
static size_t
cpio_file(uint8_t *dst, const char *name, const uint8_t *p, size_t n)
{
	size_t name_n = strlen(name) + 1, head = (110 + name_n + 3) & ~(size_t)3, all = (head + n + 3) & ~(size_t)3;
	char fields[111];
	memset(dst, 0, all);
	snprintf(fields, sizeof fields, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1u,
	    n ? 0100644u : 0u, 0u, 0u, 1u, 0u, n, 0u, 0u, 0u, 0u, name_n, 0u);
	memcpy(dst, fields, 110);
	memcpy(dst + 110, name, name_n);
	if (n)
		memcpy(dst + head, p, n);
	return all;
}

/* What is tried in vain is bounded for the tree: many files are no more than one. */
static void
vain_is_the_trees(void **state)
{
	(void)state;
	const size_t file = 48 << 10;
	uint8_t *b = calloc(1, file), *image = malloc(3 * file);
	struct part_rig r;
	/* Heads of zip members, each with a look for the end record in all that is left: 36 MiB of looking. */
	memcpy(b, noise, 64);
	for (size_t i = 64; i + 32 <= file; i += 32) {
		memcpy(b + i, "PK\3\4\x14", 5);
		b[i + 26] = 1;
	}
	for (unsigned files = 1; files <= 2; files++) {
		size_t n = 0;
		for (unsigned k = 0; k < files; k++)
			n += cpio_file(image + n, k ? "two" : "one", b, file);
		n += cpio_file(image + n, "TRAILER!!!", NULL, 0);
		part_rig_open(&r, view_of(image, n));
		assert_int_equal(parts_get(r.tree, 0)->format, FORMAT_CPIO);
		assert_int_equal(parts_limits(r.tree), files == 2);
		if (files == 2)
			assert_non_null(part_rig_get(&r, "two")->why);
		part_rig_close(&r);
	}
	free(image);
	free(b);
}

/* A stream that proves damaged is forgotten, not the work that it was: the next one is not tried. */
static void
forgotten_streams_count(void **state)
{
	(void)state;
	const size_t out = 65u << 20, cap = 64 << 10, each = 100000;
	uint8_t *zeros = calloc(1, out), *image = malloc(2 * each);
	lzma_options_lzma o;
	assert_false(lzma_lzma_preset(&o, 0));
	for (unsigned streams = 1; streams <= 2; streams++) {
		memset(image, 1, 2 * each);
		for (unsigned k = 0; k < streams; k++) {
			uint8_t *to = image + 1000 + k * each;
			lzma_stream z = LZMA_STREAM_INIT;
			assert_int_equal(lzma_alone_encoder(&z, &o), LZMA_OK);
			z.next_in = zeros;
			z.avail_in = out;
			z.next_out = to;
			z.avail_out = cap;
			assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
			lzma_end(&z);
			u64le(to + 5, out + 1); /* its end comes too early */
		}
		struct part_rig r;
		part_rig_open(&r, view_of(image, 2 * each));
		assert_int_equal(part_rig_find(&r, "lzma"), PART_NONE_INDEX);
		assert_int_equal(parts_limits(r.tree), streams == 2);
		part_rig_close(&r);
	}
	free(image);
	free(zeros);
}

static void
be32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* A device tree of nothing, of which total bytes are said to be its own. */
static void
small_fdt(uint8_t *p, uint32_t total)
{
	static const uint32_t words[] = { 0xd00dfeed, 0, 56, 72, 40, 17, 16, 0, 0, 16, 0, 0, 0, 0, 1, 0, 2, 9 };
	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
		be32(p + 4 * i, i == 1 ? total : words[i]);
}

/* What stands behind a header, or is taken by the length in it, is searched and looked at. */
static void
nothing_hides_behind_a_header(void **state)
{
	(void)state;
	struct pki_blob fs = pki_load("pairs/base.sqfs");
	size_t n = 4096 + fs.n;
	uint8_t *b = calloc(1, n + NOISE);
	struct part_rig r;
	/* Short, and then another thing. */
	small_fdt(b, 72);
	memcpy(b + 4096, fs.p, fs.n);
	part_rig_open(&r, view_of(b, n));
	assert_int_equal(parts_get(r.tree, 0)->format, FORMAT_FDT);
	assert_int_equal(part_rig_get(&r, "fdt")->bytes.size, 72);
	assert_int_equal(part_rig_get(&r, "fdt")->look, PART_LOOK_KNOWN);
	assert_int_equal(part_rig_get(&r, "gap/squashfs/etc/passwd")->mode, 0644);
	part_rig_close(&r);
	/* All of it its own. */
	small_fdt(b, (uint32_t)n);
	part_rig_open(&r, view_of(b, n));
	assert_int_equal(part_rig_get(&r, "squashfs/etc/passwd")->mode, 0644);
	part_rig_close(&r);
	/* Noise. */
	memcpy(b + 72, noise, 100000);
	small_fdt(b, 100072);
	part_rig_open(&r, view_of(b, 100072));
	assert_int_equal(parts_get(r.tree, 0)->format, FORMAT_FDT);
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_OPAQUE);
	part_rig_close(&r);
	/* A signature's lines, and a CMS that is an object identifier. */
	static const char lines[] = "untrusted comment: x\nAAAA\n";
	static const uint8_t cms[] = { 0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2 };
	for (unsigned k = 0; k < 2; k++) {
		size_t own = k ? sizeof cms : sizeof lines - 1;
		memset(b, 0, 4096);
		memcpy(b, k ? (const void *)cms : lines, own);
		memcpy(b + 4096, fs.p, fs.n);
		part_rig_open(&r, view_of(b, n));
		assert_int_equal(part_rig_get(&r, k ? "cms" : "minisign")->bytes.size, own);
		assert_int_equal(part_rig_get(&r, "gap/squashfs/etc/passwd")->mode, 0644);
		part_rig_close(&r);
		memcpy(b + own, noise, 100000);
		part_rig_open(&r, view_of(b, own + 100000));
		assert_int_equal(part_rig_get(&r, "gap")->look, PART_LOOK_OPAQUE);
		part_rig_close(&r);
	}
	/* A cramfs that says that all is its own, found in something else. */
	memset(b, 1, 8192);
	memcpy(b + 4096, "\x45\x3d\xcd\x28", 4);
	for (unsigned i = 0; i < 4; i++)
		b[4100 + i] = (uint8_t)((4096 + fs.n) >> 8 * i);
	memcpy(b + 4096 + 8, "\3\0\0\0", 4);
	memcpy(b + 4096 + 16, "Compressed ROMFS", 16);
	memcpy(b + 4096 + 64, "\xed\x41\0\0" "\0\0\0\0" "\xc0\4\0\0", 12); /* an empty root */
	memcpy(b + 8192, fs.p, fs.n);
	part_rig_open(&r, view_of(b, 8192 + fs.n));
	assert_int_equal(part_rig_get(&r, "cramfs")->at, 4096);
	assert_int_equal(part_rig_get(&r, "cramfs/gap/squashfs/etc/passwd")->mode, 0644);
	part_rig_close(&r);
	free(b);
	free(fs.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flash), cmocka_unit_test(gpt), cmocka_unit_test(mbr),
		cmocka_unit_test(certificate), cmocka_unit_test(elf), cmocka_unit_test(jffs2),
		cmocka_unit_test(fit), cmocka_unit_test(pieces_stay),
		cmocka_unit_test(words_stay_whole), cmocka_unit_test(nothing_but_magic),
		cmocka_unit_test(jffs2_begins_with_a_node), cmocka_unit_test(failures_count),
		cmocka_unit_test(vain_is_the_trees), cmocka_unit_test(forgotten_streams_count),
		cmocka_unit_test(nothing_hides_behind_a_header),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
