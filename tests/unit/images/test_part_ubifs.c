/* SPDX-License-Identifier: Apache-2.0 */
/* What mkfs.ubifs and ubinize write, as parts: every file, every name, rights; what is left over; damage at every place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/flash.h"
#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/part_rig.h"

#define ERASE 16384u /* as tests/vectors/flash.py has it */
#define DATA 1024u
#define LEB (ERASE - DATA)

static void
every_packing(void **state)
{
	(void)state;
	static const char *const packers[] = { "none", "lzo", "zlib", "zstd" };
	struct pki_blob list = pki_load("flash/list");
	for (size_t k = 0; k < sizeof packers / sizeof packers[0]; k++) {
		char path[64];
		struct part_rig r;
		snprintf(path, sizeof path, "flash/ubifs-%s", packers[k]);
		struct pki_blob image = pki_load(path);
		part_rig_open(&r, pki_view(&image));
		const struct part *root = parts_get(r.tree, 0);
		part_rig_lists(&r, 0, pki_view(&list));
		assert_string_equal(part_form(root), "ubifs");
		assert_null(root->why);
		assert_int_equal(root->look, PART_LOOK_OPENED);
		assert_int_equal(parts_limits(r.tree), 0);
		assert_int_equal(part_rig_find(&r, "gap"), PART_NONE_INDEX); /* what the tool writes has none */
		assert_int_equal(part_rig_get(&r, "empty")->kind, PART_FOLDER);
		assert_string_equal(part_rig_get(&r, "etc/link")->link, "/etc/hostname");
		assert_int_equal(part_rig_get(&r, "etc/rc.sh")->mode, 0755);
		assert_int_equal(part_rig_get(&r, "bin/su")->mode, 04755);
		assert_int_equal(part_rig_get(&r, "bin/su")->gid, 7);
		assert_int_equal(part_rig_get(&r, ".")->kind, PART_FOLDER);
		assert_int_equal(part_rig_get(&r, ".")->mode, 0755);
		assert_int_equal(part_rig_get(&r, "lib/text")->bytes.base, part_rig_get(&r, "lib/text2")->bytes.base);
		assert_int_equal(part_rig_get(&r, "dev/console")->kind, PART_DEVICE);
		assert_false(part_rig_get(&r, "dev/console")->block);
		assert_int_equal(part_rig_get(&r, "dev/console")->rdev, (uint64_t)5 << 32 | 1);
		assert_true(part_rig_get(&r, "dev/mtdblock300")->block);
		assert_int_equal(part_rig_get(&r, "dev/mtdblock300")->rdev, (uint64_t)31 << 32 | 300);
		assert_int_equal(part_rig_get(&r, "dev/queue")->kind, PART_FIFO);
		assert_true(part_rig_get(&r, "lib/random")->pieces > 0);
		part_rig_close(&r);
		free(image.p);
	}
	free(list.p);
}

static void
volumes(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/ubi"), calibration = pki_load("flash/calibration"), list = pki_load("flash/list");
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	assert_int_equal(parts_get(r.tree, 0)->format, FORMAT_UBI);
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_OPENED);
	part_rig_lists(&r, part_rig_find(&r, "rootfs"), pki_view(&list));
	const struct part *p = part_rig_get(&r, "calibration");
	uint8_t sum[DIGEST_SHA256_LEN];
	assert_int_equal(digest_sha256(pki_view(&calibration), sum), 0);
	assert_memory_equal(p->sha256, sum, sizeof sum);
	assert_int_equal(p->bytes.size, calibration.n); /* a static volume knows how long it is */
	assert_int_equal(part_rig_get(&r, "noise")->bytes.size % LEB, 0);
	(void)part_rig_get(&r, "volume table");
	(void)part_rig_get(&r, "second volume table");
	assert_int_equal(part_rig_find(&r, "gap"), PART_NONE_INDEX);
	part_rig_close(&r);
	free(list.p);
	free(calibration.p);
	free(image.p);
}

/* The checksum of a header of UBI, of n bytes with it. */
static void
seal(uint8_t *p, size_t n)
{
	uint32_t crc = flash_crc_ones(view_of(p, n - 4));
	for (unsigned i = 0; i < 4; i++)
		p[n - 4 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* Checksum of a node of UBIFS, of n bytes. */
static void
seal_node(uint8_t *p, size_t n)
{
	uint32_t crc = flash_crc_ones(view_of(p + 8, n - 8));
	for (unsigned i = 0; i < 4; i++)
		p[4 + i] = (uint8_t)(crc >> (8 * i));
}

static void
the_younger_block_counts(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/small.ubi");
	uint8_t *b = malloc(image.n + ERASE);
	struct part_rig r;
	/* A block of the volume once more behind the end, changed in one byte of a file. */
	memcpy(b, image.p, image.n);
	size_t from = 0;
	for (size_t at = 0; at < image.n && !from; at += ERASE)
		if (memmem(b + at, ERASE, "first", 5))
			from = at;
	assert_true(from > 0);
	memcpy(b + image.n, b + from, ERASE);
	uint8_t *copy = b + image.n, *word = memmem(copy, ERASE, "first", 5);
	*word = 'F';
	seal_node(word - 48, 48 + 5); /* a data node */
	part_rig_open(&r, view_of(b, image.n + ERASE));
	assert_non_null(parts_get(r.tree, 0)->why); /* equally old */
	part_rig_close(&r);
	copy[512 + 47] = 9; /* of what order is counted in */
	seal(copy + 512, 64);
	part_rig_open(&r, view_of(b, image.n + ERASE));
	const struct part *p = part_rig_get(&r, "small/aa");
	char text[5];
	assert_null(parts_get(r.tree, 0)->why);
	assert_int_equal(source_read(&p->bytes, 0, text, 5), 0);
	assert_memory_equal(text, "First", 5);
	assert_true(part_rig_get(&r, "gap")->at >= from); /* the other one is nobody's, and shown */
	part_rig_close(&r);
	/* Copied, and the copy is not whole: the old one counts. */
	copy[512 + 6] = 1;
	memset(copy + 512 + 20, 0, 4);
	copy[512 + 22] = 2;
	seal(copy + 512, 64);
	part_rig_open(&r, view_of(b, image.n + ERASE));
	p = part_rig_get(&r, "small/aa");
	assert_int_equal(source_read(&p->bytes, 0, text, 5), 0);
	assert_memory_equal(text, "first", 5);
	part_rig_close(&r);
	free(b);
	free(image.p);
}

/* Numbers of volumes that no table has: told by their number. */
static void
volumes_without_a_record(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/small.ubi");
	struct part_rig r;
	for (unsigned k = 0; k < 2; k++) {
		for (size_t at = 0; at < image.n; at += ERASE) {
			uint8_t *id = image.p + at + 512;
			if (memcmp(id, "UBI!", 4) != 0 || (id[8] == 0x7f && id[9] == 0xff))
				continue;
			memset(id + 8, k ? 0xff : 0, 4);
			id[11] = k ? 0xff : 128;
			seal(id, 64);
		}
		part_rig_open(&r, pki_view(&image));
		(void)part_rig_get(&r, k ? "volume 4294967295/aa" : "volume 128/aa");
		part_rig_close(&r);
	}
	free(image.p);
}

/* Kernels that know of fast attaching take a map's word for what lies where. */
static void
maps_are_told(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/small.ubi");
	struct part_rig r;
	for (size_t at = 0; at < image.n; at += ERASE) {
		uint8_t *id = image.p + at + 512;
		if (memcmp(id, "UBI!", 4) != 0 || (id[8] == 0x7f && id[9] == 0xff))
			continue;
		memcpy(id + 8, "\x7f\xff\xf0\0", 4);
		seal(id, 64);
	}
	part_rig_open(&r, pki_view(&image));
	assert_non_null(parts_get(r.tree, 0)->why);
	assert_non_null(strstr(parts_get(r.tree, 0)->why, "map of its erase blocks"));
	part_rig_close(&r);
	free(image.p);
}

/* A sound node of a file that nothing leads to, where the tool left the flash erased. */
static void
what_nothing_leads_to_is_a_part(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/small.ubifs");
	struct part_rig r;
	uint8_t *node = (uint8_t *)memmem(image.p, image.n, "first", 5) - 48, *end = image.p + image.n;
	memcpy(end - 96, node, 53);
	part_rig_open(&r, pki_view(&image));
	const struct part *p = part_rig_get(&r, "gap");
	assert_null(parts_get(r.tree, 0)->why);
	assert_true(p->at + p->bytes.size >= image.n - 96 + 53);
	part_rig_close(&r);
	free(image.p);
}

/* The first index node of the lowest level: places of three words and a key each, from 28 on. */
static uint8_t *
index_node(struct pki_blob *image)
{
	for (uint8_t *p = image->p; p + 64 < image->p + image->n; p += 8)
		if (memcmp(p, "\x31\x18\x10\x06", 4) == 0 && p[20] == 9 && p[26] == 0)
			return p;
	print_error("no index\n");
	abort();
}

static void
why_not(struct pki_blob *image, const char *why)
{
	struct part_rig r;
	part_rig_open(&r, pki_view(image));
	assert_non_null(parts_get(r.tree, 0)->why);
	if (!strstr(parts_get(r.tree, 0)->why, why))
		fail_msg("%s, not %s", parts_get(r.tree, 0)->why, why);
	assert_int_equal(parts_get(r.tree, 0)->look, PART_LOOK_NONE);
	part_rig_close(&r);
}

static void
bad_cousins(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/small.ubifs");
	uint8_t *idx = index_node(&image), *old = malloc(image.n);
	uint32_t n;
	memcpy(&n, idx + 16, 4);
	memcpy(old, image.p, image.n);
	/* The second branch leads where the first one does. */
	memcpy(idx + 28 + 20, idx + 28, 20);
	seal_node(idx, n);
	why_not(&image, "out of order");
	/* To the node of the first with the key of the second. */
	memcpy(image.p, old, image.n);
	memcpy(idx + 28 + 20, idx + 28, 12);
	seal_node(idx, n);
	why_not(&image, "is another one");
	/* Out of the volume. */
	memcpy(image.p, old, image.n);
	memset(idx + 28, 0x7f, 4);
	seal_node(idx, n);
	why_not(&image, "out of it");
	/* To itself, as a level more. */
	memcpy(image.p, old, image.n);
	uint32_t at = (uint32_t)(idx - image.p), place[3] = { at / LEB, at % LEB, n };
	idx[26] = 1;
	memcpy(idx + 28, place, sizeof place);
	seal_node(idx, n);
	why_not(&image, "index is damaged");
	/* The index has a wrong checksum. */
	memcpy(image.p, old, image.n);
	idx[30] ^= 1;
	why_not(&image, "index is damaged");
	/* Something in the journal: a mark in the log, to a place where something stands. */
	memcpy(image.p, old, image.n);
	uint8_t *log = image.p + 3 * LEB, ref[64] = { 0 };
	size_t off = 0;
	while (off + 512 < LEB && memcmp(log + off, "\x31\x18\x10\x06", 4) == 0) {
		memcpy(&n, log + off + 16, 4);
		off += (n + 7) & ~7u;
	}
	memcpy(ref, log, 24);
	memset(ref + 8, 0xff, 4); /* younger than the commit */
	ref[16] = 64;
	ref[20] = 8;
	ref[24] = (uint8_t)(at / LEB);
	memcpy(log + off, ref, sizeof ref);
	seal_node(log + off, 64);
	why_not(&image, "journal");
	/* Encrypted. */
	memcpy(image.p, old, image.n);
	image.p[28] |= 0x10;
	seal_node(image.p, 4096);
	why_not(&image, "encrypted");
	/* Packed in a way of tomorrow. */
	memcpy(image.p, old, image.n);
	uint8_t *node = (uint8_t *)memmem(image.p, image.n, "first", 5) - 48;
	node[44] = 77;
	seal_node(node, 53);
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	assert_true(part_rig_get(&r, "aa")->partial);
	assert_string_equal(part_rig_get(&r, "aa")->why, "packed in a way that nothing here unpacks");
	part_rig_close(&r);
	free(old);
	free(image.p);
}

/* The first node of a type (0 inode, 1 data, 2 name), after skip others; its length. */
static uint8_t *
node_of(struct pki_blob *image, unsigned type, unsigned skip, uint32_t *ret_n)
{
	for (uint8_t *p = image->p; p + 64 < image->p + image->n; p += 8)
		if (memcmp(p, "\x31\x18\x10\x06", 4) == 0 && p[20] == type && skip-- == 0) {
			memcpy(ret_n, p + 16, 4);
			return p;
		}
	print_error("no node\n");
	abort();
}

/* Room in nodes that count, of which no file and no name says anything. */
static void
what_is_hidden_in_nodes(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/small.ubifs");
	uint8_t *old = malloc(image.n);
	uint32_t n;
	memcpy(old, image.p, image.n);
	/* Bytes that no field takes: of an inode, of keys. */
	for (unsigned type = 0; type < 3; type++)
		for (unsigned k = 0; k < 2; k++) {
			uint8_t *p = node_of(&image, type, k, &n);
			memcpy(p + 32, "telnetd", 7);
			seal_node(p, n);
			part_rig_shows(pki_view(&image), "telnetd");
			memcpy(image.p, old, image.n);
		}
	uint8_t *p = node_of(&image, 0, 1, &n);
	memcpy(p + 134, "telnetd -l /bin/sh", 18);
	seal_node(p, n);
	part_rig_shows(pki_view(&image), "telnetd -l /bin/sh");
	memcpy(image.p, old, image.n);
	/* A file that ends within its block, and the block does not. */
	p = (uint8_t *)memmem(image.p, image.n, "first", 5) - 48;
	uint32_t inode, seen = 0;
	memcpy(&inode, p + 24, 4);
	for (unsigned k = 0; !seen; k++) {
		uint8_t *i = node_of(&image, 0, k, &n);
		seen = memcmp(i + 24, &inode, 4) == 0;
		if (!seen)
			continue;
		i[48] = 2; /* bytes long */
		seal_node(i, n);
	}
	struct part_rig r;
	part_rig_open(&r, pki_view(&image));
	assert_int_equal(part_rig_get(&r, "aa")->bytes.size, 2);
	assert_true(part_rig_tells(&r, "first"));
	part_rig_close(&r);
	free(old);
	free(image.p);
}

/* Inodes of files and folders that have bytes of their own: those of the index's leaf are made longer in place. */
static void
inodes_hold_nothing(void **state)
{
	(void)state;
	static const char words[] = "telnetd -l /bin/sh......";
	struct pki_blob image = pki_load("flash/small.ubifs");
	uint8_t *idx = index_node(&image);
	uint32_t n, branches = idx[24];
	memcpy(&n, idx + 16, 4);
	uint8_t *room = image.p + image.n - 512; /* where the tool left the flash erased */
	unsigned tried = 0;
	for (uint32_t b = 0; b < branches; b++) {
		uint8_t *branch = idx + 28 + 20 * b, keep[20];
		uint32_t place[3], length = 160 + sizeof words - 1, at = (uint32_t)(room - image.p), data = sizeof words - 1;
		memcpy(place, branch, sizeof place);
		memcpy(keep, branch, sizeof keep);
		const uint8_t *from = image.p + (uint64_t)place[0] * LEB + place[1];
		if (from[20] != 0 || (from[105] >> 4) == 10)
			continue;
		memcpy(room, from, 160);
		memcpy(room + 160, words, data);
		memcpy(room + 16, &length, 4);
		memcpy(room + 112, &data, 4);
		seal_node(room, length);
		place[0] = at / LEB;
		place[1] = at % LEB;
		place[2] = length;
		memcpy(branch, place, sizeof place);
		seal_node(idx, n);
		part_rig_shows(pki_view(&image), words);
		memcpy(branch, keep, sizeof keep);
		memset(room, 0xff, 512);
		tried++;
	}
	assert_true(tried > 1);
	free(image.p);
}

/* A node of padding whose last bytes are the next node's is none: its number is shown. */
static void
padding_ends_before_the_next_node(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/small.ubifs");
	uint8_t *idx = index_node(&image), *room = image.p + image.n - 1024, *pad = room + 160;
	uint32_t n, moved = 0, length = 28;
	memcpy(&n, idx + 16, 4);
	for (uint32_t b = 0; b < idx[24] && moved < 2; b++) {
		uint8_t *to = moved ? pad + 24 : room;
		uint32_t place[3];
		memcpy(place, idx + 28 + 20 * b, sizeof place);
		if (place[2] != 160)
			continue;
		memcpy(to, image.p + (size_t)place[0] * LEB + place[1], 160);
		place[0] = (uint32_t)(to - image.p) / LEB;
		place[1] = (uint32_t)(to - image.p) % LEB;
		memcpy(idx + 28 + 20 * b, place, sizeof place);
		moved++;
	}
	assert_int_equal(moved, 2);
	seal_node(idx, n);
	memcpy(pad, room, 24);
	memcpy(pad + 8, "telnetd!", 8);
	memcpy(pad + 16, &length, 4);
	pad[20] = 5;
	seal_node(pad, 28);
	part_rig_shows(pki_view(&image), "telnetd!");
	free(image.p);
}

/* A log of marks that lead to nothing, over and over: a bound, and no word of a journal that holds something. */
static void
work_of_a_log_is_bounded(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/small.ubifs");
	struct part_rig r;
	uint8_t *log = image.p + 3 * LEB, ref[64] = { 0 };
	size_t off = 0;
	uint32_t n;
	while (memcmp(log + off, "\x31\x18\x10\x06", 4) == 0) {
		memcpy(&n, log + off + 16, 4);
		off += (n + 7) & ~7u;
	}
	memcpy(ref, log, 24);
	memset(ref + 8, 0xff, 4); /* younger than the commit */
	ref[16] = 64;
	ref[20] = 8;
	ref[24] = 10; /* all of it is erased */
	for (unsigned k = 0; k < 4 * 12 + 8; k++, off += sizeof ref) {
		memcpy(log + off, ref, sizeof ref);
		seal_node(log + off, sizeof ref);
		if (k == 1) { /* which is so */
			part_rig_open(&r, pki_view(&image));
			assert_null(parts_get(r.tree, 0)->why);
			part_rig_close(&r);
		}
	}
	why_not(&image, "its log leads to more of its journal than is looked at");
	part_rig_open(&r, pki_view(&image));
	assert_int_equal(parts_limits(r.tree), 1);
	part_rig_close(&r);
	free(image.p);
}

/* A folder that is its own: a name in it leads back to it. */
static void
rings_end(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/small.ubifs");
	uint64_t root = 1;
	for (uint8_t *p = image.p; p + 64 < image.p + image.n; p += 8)
		if (memcmp(p, "\x31\x18\x10\x06", 4) == 0 && p[20] == 2 && p[50] == 1 && p[56] == 'd') {
			memcpy(p + 40, &root, 8);
			seal_node(p, 58);
		}
	why_not(&image, "two names, or is its own");
	free(image.p);
}

/* Cut and flipped everywhere: whatever comes out, the rig's rules hold. */
static void
damage_at_every_place(void **state)
{
	(void)state;
	struct pki_blob image = pki_load("flash/small.ubi");
	struct part_rig r;
	for (size_t n = 0; n < image.n; n += n < 4096 ? 61 : 4099) {
		part_rig_open(&r, view_of(image.p, n));
		part_rig_close(&r);
	}
	free(image.p);
	image = pki_load("flash/small.ubifs");
	for (size_t at = 0; at < image.n; at += 7) {
		if (image.p[at] == 0xff)
			continue;
		image.p[at] ^= (uint8_t)(1u << at % 8);
		part_rig_open(&r, pki_view(&image));
		part_rig_close(&r);
		image.p[at] ^= (uint8_t)(1u << at % 8);
	}
	free(image.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packing),
		cmocka_unit_test(volumes),
		cmocka_unit_test(the_younger_block_counts),
		cmocka_unit_test(volumes_without_a_record),
		cmocka_unit_test(maps_are_told),
		cmocka_unit_test(what_nothing_leads_to_is_a_part),
		cmocka_unit_test(bad_cousins),
		cmocka_unit_test(what_is_hidden_in_nodes),
		cmocka_unit_test(inodes_hold_nothing),
		cmocka_unit_test(padding_ends_before_the_next_node),
		cmocka_unit_test(work_of_a_log_is_bounded),
		cmocka_unit_test(rings_end),
		cmocka_unit_test(damage_at_every_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
