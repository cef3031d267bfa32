/* SPDX-License-Identifier: Apache-2.0 */
/* The reader over file systems of both genuine tools, and over what no tool makes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "images/squashfs.h"
#include "tests/unit/crypto/pki.h"

#define READ_MAX (4u << 20) /* of one hostile file */

struct image {
	struct pki_blob bytes;
	struct source source;
};

static struct image
load(const char *name)
{
	char path[100];
	struct image i;
	snprintf(path, sizeof path, "squashfs/%s.sqfs", name);
	i.bytes = pki_load(path);
	source_memory(&i.source, pki_view(&i.bytes));
	return i;
}

static struct squashfs *
opened(struct image *i)
{
	char why[200] = "";
	struct squashfs *fs = NULL;
	source_memory(&i->source, pki_view(&i->bytes));
	int err = squashfs_open(&i->source, NULL, &fs, why, sizeof why);
	if (err)
		fail_msg("%d %s", err, why);
	return fs;
}

/* SHA-256 in hex of the entry at hand, by reads of n bytes. */
static void
sum(struct squashfs *fs, size_t n, char ret[65], uint64_t *ret_size)
{
	uint8_t buf[70000], out[DIGEST_SHA256_LEN];
	struct digest *d = digest_new(DIGEST_SHA256);
	long got;
	*ret_size = 0;
	while ((got = squashfs_read(fs, buf, n)) > 0) {
		assert_int_equal(digest_update(d, view_of(buf, (size_t)got)), 0);
		*ret_size += (uint64_t)got;
	}
	assert_int_equal(got, 0);
	assert_int_equal(digest_final(d, out), 0);
	digest_free(d);
	hex_encode(out, sizeof out, ret);
}

/* Every file of tree/ must come out, byte for byte, and nothing else. */
static void
all_files(const char *name, size_t step)
{
	struct image i = load(name);
	struct pki_blob list = pki_load("squashfs/list");
	struct squashfs *fs = opened(&i);
	struct squashfs_entry e;
	char *text = malloc(list.n + 1), line[300], hex[65], again[65];
	unsigned files = 0, lines = 0;
	memcpy(text, list.p, list.n);
	text[list.n] = '\0';
	int r;
	while ((r = squashfs_next(fs, &e)) > 0) {
		uint64_t size;
		if (e.type != SQUASHFS_FILE)
			continue;
		sum(fs, step, again, &size);
		squashfs_again(fs);
		if (files % 2) { /* and not read to its end */
			(void)squashfs_read(fs, hex, 1);
			squashfs_again(fs);
		}
		sum(fs, step, hex, &size);
		assert_string_equal(hex, again);
		assert_int_equal(size, e.size);
		snprintf(line, sizeof line, "%s %llu %s\n", hex, (unsigned long long)size, (const char *)e.path.p);
		if (!strstr(text, line))
			fail_msg("%s: %s", name, line);
		files++;
	}
	assert_int_equal(r, 0);
	assert_int_equal(squashfs_next(fs, &e), 0);
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(files, lines);
	squashfs_free(fs);
	free(text);
	free(list.p);
	free(i.bytes.p);
}

static void
every_packer(void **state)
{
	(void)state;
	all_files("gzip", 70000);
	all_files("gzip", 1000);
	all_files("xz", 70000);
	all_files("zstd", 70000);
	all_files("lz4", 4096);
	all_files("lzma", 70000);
}

/* Many file systems in one inspection have one bound. */
static void
work_is_counted_together(void **state)
{
	(void)state;
	struct image i = load("plain");
	struct squashfs *fs = NULL;
	char why[200] = "";
	uint64_t work = 0;
	source_memory(&i.source, pki_view(&i.bytes));
	assert_int_equal(squashfs_open(&i.source, &work, &fs, why, sizeof why), 0);
	squashfs_free(fs);
	fs = NULL;
	uint64_t once = work;
	assert_true(once > 0);
	work = SQUASHFS_WORK_MAX - once + 1;
	assert_int_equal(squashfs_open(&i.source, &work, &fs, why, sizeof why), FG_ELIMIT);
	assert_non_null(strstr(why, "8 GiB"));
	free(i.bytes.p);
}

static void
not_lzo(void **state)
{
	(void)state;
	struct image i = load("lzo");
	struct squashfs *fs = NULL;
	char why[200] = "";
	assert_int_equal(squashfs_open(&i.source, NULL, &fs, why, sizeof why), FG_ELIMIT);
	assert_non_null(strstr(why, "lzo"));
	assert_null(fs);
	free(i.bytes.p);
}

static void
order_and_rewind(void **state)
{
	(void)state;
	static const char *const want[] = { "a", "a/b", "a.b", "a.b/x", "empty", "etc", "etc/empty",
		"etc/hostname", "etc/link", "etc/rc.sh", "lib", "lib/exact", "lib/hole", "lib/random",
		"lib/text", "lib/text2", NULL };
	struct image i = load("gzip");
	struct squashfs *fs = opened(&i);
	struct squashfs_entry e;
	for (unsigned round = 0; round < 3; round++) {
		uint32_t inode = 0;
		for (unsigned k = 0; want[k]; k++) {
			assert_int_equal(squashfs_next(fs, &e), 1);
			assert_string_equal((const char *)e.path.p, want[k]);
			assert_int_equal(e.path.n, strlen(want[k]));
			assert_int_equal(e.mtime, 1700000000);
			assert_false(e.repeated || e.unsorted);
			if (strcmp(want[k], "etc/rc.sh") == 0)
				assert_int_equal(e.mode, 0755);
			if (strcmp(want[k], "etc/link") == 0)
				assert_true(e.type == SQUASHFS_LINK && view_is(e.target, "/etc/hostname"));
			if (strcmp(want[k], "lib/text") == 0)
				inode = e.inode;
			if (strcmp(want[k], "lib/text2") == 0)
				assert_int_equal(e.inode, inode); /* a hard link */
			if (round == 1 && k == 8)
				break; /* and over again from the middle */
		}
		if (round != 1)
			assert_int_equal(squashfs_next(fs, &e), 0);
		squashfs_rewind(fs);
	}
	assert_int_equal(squashfs_made(fs), 1700000000);
	assert_string_equal(squashfs_packed_with(fs), "gzip");
	squashfs_free(fs);
	free(i.bytes.p);
}

static void
attributes_and_devices(void **state)
{
	(void)state;
	static const uint8_t caps[] = { 1, 0, 0, 2, 0, 0x20 };
	struct image i = load("caps");
	struct squashfs *fs = opened(&i);
	struct squashfs_entry e;
	unsigned seen = 0;
	while (squashfs_next(fs, &e) == 1) {
		const char *name = (const char *)e.path.p;
		seen++;
		if (strcmp(name, "ping") == 0) {
			assert_int_equal(e.xattrs, 1);
			assert_int_equal(e.caps.n, 20);
			assert_memory_equal(e.caps.p, caps, sizeof caps);
		} else {
			assert_int_equal(e.caps.n, 0);
		}
		if (strcmp(name, "labelled") == 0)
			assert_int_equal(e.xattrs, 2);
		if (strcmp(name, "su") == 0)
			assert_true(e.mode == 04755 && e.uid == 0 && e.gid == 7);
		if (strcmp(name, "disk") == 0)
			assert_true(e.type == SQUASHFS_BLOCK_DEVICE && e.device == 0x801);
		if (strcmp(name, "tty") == 0)
			assert_true(e.type == SQUASHFS_CHAR_DEVICE);
		if (strcmp(name, "queue") == 0)
			assert_true(e.type == SQUASHFS_FIFO);
		if (strcmp(name, "link") == 0)
			assert_true(view_is(e.target, "../outside"));
	}
	assert_int_equal(seen, 7);
	squashfs_free(fs);
	free(i.bytes.p);
}

static void
many_entries(void **state)
{
	(void)state;
	struct image i = load("many");
	struct squashfs *fs = opened(&i);
	struct squashfs_entry e;
	unsigned files = 0;
	while (squashfs_next(fs, &e) == 1)
		files += e.type == SQUASHFS_FILE;
	assert_int_equal(files, 5000);
	squashfs_free(fs);
	free(i.bytes.p);
}

/* ---- what no tool makes ---- */

/* Goes over all of it and reads everything: how the iteration ended. */
static int
exhaust(struct image *i, char *ret_why, size_t cap)
{
	static uint8_t buf[65536];
	struct squashfs *fs = NULL;
	struct squashfs_entry e;
	source_memory(&i->source, pki_view(&i->bytes));
	int r = squashfs_open(&i->source, NULL, &fs, ret_why, cap);
	if (r)
		return r;
	while ((r = squashfs_next(fs, &e)) > 0) {
		uint64_t total = 0;
		long got = 0;
		while (total < READ_MAX && (got = squashfs_read(fs, buf, sizeof buf)) > 0)
			total += (uint64_t)got;
		assert_true(total <= e.size || e.type != SQUASHFS_FILE);
		assert_true(got >= 0 || got == FG_EFORMAT || got == FG_ELIMIT);
	}
	snprintf(ret_why, cap, "%s", squashfs_why(fs));
	squashfs_free(fs);
	return r;
}

/* Where the name stands in the listing of an image with nothing packed. */
static uint8_t *
line_of(struct image *i, const char *name)
{
	size_t n = strlen(name);
	for (size_t at = i->bytes.n - n; at > 96; at--) /* listings lie behind the data */
		if (memcmp(i->bytes.p + at, name, n) == 0 && i->bytes.p[at - 2] == n - 1 &&
		    i->bytes.p[at - 1] == 0)
			return i->bytes.p + at;
	fail_msg("%s is not listed", name);
	return NULL;
}

static void
refused(const char *name, size_t back, const char *with, size_t n, const char *because)
{
	struct image i = load("plain");
	char why[200] = "";
	memcpy(line_of(&i, name) - back, with, n);
	assert_int_equal(exhaust(&i, why, sizeof why), FG_EFORMAT);
	if (!strstr(why, because))
		fail_msg("%s: %s", name, why);
	free(i.bytes.p);
}

static void
bad_listings(void **state)
{
	(void)state;
	refused("aa", 0, "..", 2, "name");
	refused("aa", 0, "a/", 2, "name");
	refused("aa", 0, "a\0", 2, "name");
	refused("aa", 2, "\xff\xff", 2, "cut");
	refused("aa", 4, "\1\0", 2, "contradict");  /* said to be a folder */
	refused("aa", 6, "\1\0", 2, "contradict");  /* another inode's number */
	refused("aa", 8 + 12, "\0\1", 2, "header"); /* 257 entries behind one header */
	refused("aa", 8 + 12, "\0\0", 2, "");       /* one: then a header is read out of the next line */
}

static void
names_twice_and_out_of_order(void **state)
{
	(void)state;
	struct squashfs_entry e;
	for (unsigned round = 0; round < 2; round++) {
		struct image i = load("plain");
		memcpy(line_of(&i, "ab"), round ? "a " : "aa", 2);
		struct squashfs *fs = opened(&i);
		assert_int_equal(squashfs_next(fs, &e), 1);
		assert_false(e.repeated || e.unsorted);
		assert_int_equal(squashfs_next(fs, &e), 1);
		assert_int_equal(e.repeated, round == 0);
		assert_int_equal(e.unsorted, round == 1);
		assert_int_equal(squashfs_next(fs, &e), 1);
		assert_false(e.repeated || e.unsorted);
		squashfs_free(fs);
		free(i.bytes.p);
	}
}

static uint32_t
le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void
a_folder_that_holds_itself(void **state)
{
	(void)state;
	struct image i = load("plain");
	char why[200] = "";
	uint8_t *d = line_of(&i, "d") - 8, *head = line_of(&i, "aa") - 20;
	unsigned root = le32(i.bytes.p + 32) & 0xffff;
	const uint8_t *inode = i.bytes.p + le32(i.bytes.p + 64) + 2 + root;
	uint32_t difference = le32(inode + 12) - le32(head + 8);
	d[0] = (uint8_t)root;
	d[1] = (uint8_t)(root >> 8);
	d[2] = (uint8_t)difference;
	d[3] = (uint8_t)(difference >> 8);
	assert_int_equal(exhaust(&i, why, sizeof why), FG_EFORMAT);
	assert_non_null(strstr(why, "holds itself"));
	free(i.bytes.p);
}

static void
folders_too_deep(void **state)
{
	(void)state;
	struct image i = load("deep");
	char why[200] = "";
	assert_int_equal(exhaust(&i, why, sizeof why), FG_ELIMIT);
	assert_non_null(strstr(why, "64 deep"));
	free(i.bytes.p);
}

/* Every bit of metadata and data: an end is always reached, and nothing is read that is not there. */
static void
every_bit_flipped(void **state)
{
	(void)state;
	static const char *const names[] = { "plain", "small-gzip", "small-xz", "small-zstd", "small-lz4",
		"small-lzma" };
	for (unsigned k = 0; k < sizeof names / sizeof names[0]; k++) {
		struct image i = load(names[k]);
		char why[200];
		for (size_t at = 0; at < i.bytes.n; at++)
			for (unsigned bit = 0; bit < 8; bit += 1 + (k == 0 && at > 96 && at < 4300) * 7) {
				i.bytes.p[at] ^= (uint8_t)(1u << bit);
				int r = exhaust(&i, why, sizeof why);
				if (r != 0 && r != FG_EFORMAT && r != FG_ELIMIT)
					fail_msg("%s: byte %zu bit %u: %d", names[k], at, bit, r);
				assert_true(r == 0 || why[0]);
				i.bytes.p[at] ^= (uint8_t)(1u << bit);
			}
		free(i.bytes.p);
	}
}

static void
cut_anywhere(void **state)
{
	(void)state;
	struct image i = load("small-gzip");
	size_t whole = i.bytes.n;
	for (size_t n = 0; n < whole; n++) {
		char why[200] = "";
		uint8_t *exact = malloc(n ? n : 1);
		memcpy(exact, i.bytes.p, n);
		struct image cut = { .bytes = { exact, n } };
		assert_int_equal(exhaust(&cut, why, sizeof why), FG_EFORMAT);
		assert_true(why[0]);
		free(exact);
	}
	free(i.bytes.p);
}

#define T(name) cmocka_unit_test(name)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_packer), T(not_lzo), T(work_is_counted_together), T(order_and_rewind), T(attributes_and_devices), T(many_entries),
		T(bad_listings), T(names_twice_and_out_of_order), T(a_folder_that_holds_itself),
		T(folders_too_deep), T(every_bit_flipped), T(cut_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
