/* SPDX-License-Identifier: Apache-2.0 */
/* What mkfs.jffs2 and sumtool write, as parts: every file, every name, rights; younger and older nodes; damage at every place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "images/flash.h"
#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/part_rig.h"

static void
has(const struct part_rig *r, const char *path, const char *text)
{
	const struct part *p = part_rig_get(r, path);
	char b[256];
	assert_int_equal(p->bytes.size, strlen(text));
	assert_int_equal(source_read(&p->bytes, 0, b, strlen(text)), 0);
	assert_memory_equal(b, text, strlen(text));
}

static void
every_kind(void **state)
{
	(void)state;
	static const char *const kinds[] = { "none", "zlib", "rtime", "lzo", "big", "summed" };
	struct pki_blob list = pki_load("flash/list");
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		char path[64];
		struct part_rig r;
		snprintf(path, sizeof path, "flash/jffs2-%s", kinds[k]);
		struct pki_blob image = pki_load(path);
		part_rig_open(&r, pki_view(&image));
		const struct part *root = parts_get(r.tree, 0);
		part_rig_lists(&r, 0, pki_view(&list));
		assert_string_equal(part_form(root), "jffs2");
		assert_null(root->why);
		assert_int_equal(root->look, PART_LOOK_OPENED);
		assert_int_equal(parts_limits(r.tree), 0);
		assert_int_equal(part_rig_find(&r, "gap"), PART_NONE_INDEX); /* what the tools write has none */
		assert_int_equal(part_rig_find(&r, "summary") != PART_NONE_INDEX, k == 5);
		assert_int_equal(part_rig_get(&r, "empty")->kind, PART_FOLDER);
		assert_string_equal(part_rig_get(&r, "etc/link")->link, "/etc/hostname");
		assert_int_equal(part_rig_get(&r, "etc/rc.sh")->mode, 0755);
		assert_int_equal(part_rig_get(&r, "bin/su")->mode, 04755);
		assert_int_equal(part_rig_get(&r, "bin/su")->gid, 7);
		assert_int_equal(part_rig_get(&r, ".")->kind, PART_FOLDER);
		assert_int_equal(part_rig_get(&r, ".")->mode, 0755);
		assert_int_equal(part_rig_get(&r, "dev/console")->kind, PART_DEVICE);
		assert_false(part_rig_get(&r, "dev/console")->block);
		assert_int_equal(part_rig_get(&r, "dev/console")->rdev, (uint64_t)5 << 32 | 1);
		assert_true(part_rig_get(&r, "dev/mtdblock300")->block);
		assert_int_equal(part_rig_get(&r, "dev/mtdblock3")->rdev, (uint64_t)31 << 32 | 3);
		assert_int_equal(part_rig_get(&r, "dev/queue")->kind, PART_FIFO);
		assert_true(part_rig_get(&r, "lib/random")->pieces > 0);
		part_rig_close(&r);
		free(image.p);
	}
	free(list.p);
}

/* ---- nodes of our own ---- */

static uint8_t image[8192];
static size_t image_n;

static void
put(size_t at, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		image[image_n + at + i] = (uint8_t)(v >> 8 * i);
}

static void
seal(size_t from, size_t n, size_t at)
{
	put(at, flash_crc_zeros(view_of(image + image_n + from, n)), 4);
}

static void
begin(unsigned type, size_t length)
{
	memset(image + image_n, 0, length);
	put(0, 0x1985, 2);
	put(2, type, 2);
	put(4, (uint32_t)length, 4);
	seal(0, 8, 8);
}

static void
end(size_t length)
{
	memset(image + image_n + length, 0xff, 3);
	image_n += (length + 3) & ~(size_t)3;
}

static void
add_name(uint32_t folder, const char *name, uint32_t inode, uint32_t version)
{
	size_t n = strlen(name);
	begin(0xe001, 40 + n);
	put(12, folder, 4);
	put(16, version, 4);
	put(20, inode, 4);
	put(28, (uint32_t)n, 1);
	memcpy(image + image_n + 40, name, n);
	seal(0, 32, 32);
	seal(40, n, 36);
	end(40 + n);
}

static void
add_inode(uint32_t inode, uint32_t version, uint32_t mode, uint32_t size, uint32_t offset, unsigned packing, const char *data,
    uint32_t data_size)
{
	size_t n = data ? strlen(data) : 0;
	begin(0xe002, 68 + n);
	put(12, inode, 4);
	put(16, version, 4);
	put(20, mode, 4);
	put(28, size, 4);
	put(44, offset, 4);
	put(48, (uint32_t)n, 4);
	put(52, data_size, 4);
	put(56, packing, 1);
	if (n)
		memcpy(image + image_n + 68, data, n);
	seal(68, n, 60);
	seal(0, 60, 64);
	end(68 + n);
}

static void
start(void)
{
	image_n = 0;
	begin(0x2003, 12);
	end(12);
	add_inode(1, 1, S_IFDIR | 0755, 0, 0, 0, NULL, 0);
}

static void
younger_nodes_count(void **state)
{
	(void)state;
	struct part_rig r;
	start();
	add_inode(5, 2, S_IFREG | 0600, 11, 6, 0, "there", 5);
	add_inode(5, 1, S_IFREG | 0644, 11, 0, 0, "hello world", 11);
	add_name(1, "a", 5, 1);
	add_name(1, "old", 5, 1);
	add_name(1, "old", 0, 2);
	add_inode(6, 1, S_IFREG | 0644, 5, 0, 0, "later", 5); /* replaced throughout */
	add_inode(6, 2, S_IFREG | 0644, 5, 0, 0, "now!!", 5);
	add_name(1, "b", 6, 1);
	add_inode(7, 1, S_IFREG | 0644, 20, 0, 0, "start", 5);
	add_inode(7, 2, S_IFREG | 0644, 3, 0, 0, NULL, 0);     /* cut to three */
	add_inode(7, 3, S_IFREG | 0644, 9, 3, 1, NULL, 6);     /* and long again: zeros */
	add_name(1, "c", 7, 1);
	part_rig_open(&r, view_of(image, image_n));
	has(&r, "a", "hello there");
	assert_int_equal(part_rig_get(&r, "a")->mode, 0600);
	assert_int_equal(part_rig_find(&r, "old"), PART_NONE_INDEX);
	has(&r, "b", "now!!");
	const struct part *c = part_rig_get(&r, "c");
	char b[9];
	assert_int_equal(c->bytes.size, 9);
	assert_int_equal(source_read(&c->bytes, 0, b, 9), 0);
	assert_memory_equal(b, "sta\0\0\0\0\0\0", 9);
	/* What was replaced is nobody's, and is shown. */
	assert_true(part_rig_tells(&r, "old"));
	assert_true(part_rig_tells(&r, "later"));
	assert_true(part_rig_tells(&r, "hello world")); /* "hello " of it counts, and the rest does not */
	assert_null(parts_get(r.tree, 0)->why);
	part_rig_close(&r);
	/* The younger node has a wrong checksum: the older one counts. */
	uint8_t *now = memmem(image, image_n, "now!!", 5);
	now[0] ^= 1;
	part_rig_open(&r, view_of(image, image_n));
	has(&r, "b", "later");
	part_rig_close(&r);
	now[0] ^= 1;
	/* Marked as obsolete: the type in the header without a bit, the checksum as it was. */
	now[-68 + 3] &= (uint8_t)~0x20;
	part_rig_open(&r, view_of(image, image_n));
	has(&r, "b", "later");
	part_rig_close(&r);
}

static void
why_not(const char *why)
{
	struct part_rig r;
	part_rig_open(&r, view_of(image, image_n));
	assert_non_null(parts_get(r.tree, 0)->why);
	if (!strstr(parts_get(r.tree, 0)->why, why))
		fail_msg("%s, not %s", parts_get(r.tree, 0)->why, why);
	part_rig_close(&r);
}

static void
bad_cousins(void **state)
{
	(void)state;
	struct part_rig r;
	start();
	add_name(1, "ring", 2, 1);
	add_inode(2, 1, S_IFDIR | 0755, 0, 0, 0, NULL, 0);
	add_name(2, "back", 2, 1);
	why_not("two names, or is its own");
	start();
	add_name(1, "a", 5, 1);
	why_not("leads to no inode");
	start();
	add_inode(5, 1, S_IFREG | 0644, 1, 0, 0, "x", 1);
	add_inode(6, 1, S_IFREG | 0644, 1, 0, 0, "y", 1);
	add_name(1, "a", 5, 1);
	add_name(1, "a", 6, 1);
	why_not("equally young");
	start();
	add_inode(5, 1, S_IFREG | 0644, 1, 0, 0, "x", 1);
	add_name(1, "a/b", 5, 1);
	why_not("no program can open");
	/* Packed by what nothing here unpacks: by name. */
	start();
	add_inode(5, 1, S_IFREG | 0644, 100, 0, 8, "lzma", 100);
	add_name(1, "a", 5, 1);
	part_rig_open(&r, view_of(image, image_n));
	assert_true(part_rig_get(&r, "a")->partial);
	assert_string_equal(part_rig_get(&r, "a")->why, "packed in a way that nothing here unpacks");
	part_rig_close(&r);
	/* Sizes that lie: more than a page of zlib, more than there is of plain bytes, beyond four GiB. */
	start();
	add_inode(5, 1, S_IFREG | 0644, 70000, 0, 6, "zlib", 70000);
	add_inode(5, 2, S_IFREG | 0644, 100, 0, 0, "plain", 100);
	add_inode(5, 3, S_IFREG | 0644, 100, 0xffffffff, 1, NULL, 100);
	add_name(1, "a", 5, 1);
	why_not("leads to no inode");
	/* Something else behind it: not all of it is a file system, but this much is. */
	start();
	add_inode(5, 1, S_IFREG | 0644, 1, 0, 0, "x", 1);
	add_name(1, "a", 5, 1);
	memcpy(image + image_n, "and so on, in words", 19);
	image_n += 19;
	part_rig_open(&r, view_of(image, image_n));
	has(&r, "jffs2/a", "x");
	assert_int_equal(part_rig_get(&r, "data")->bytes.size >= 19, 1);
	part_rig_close(&r);
}

static void
add_attribute(uint32_t number, uint32_t version, const char *name)
{
	size_t n = strlen(name);
	begin(0xe008, 32 + n + 1);
	put(12, number, 4);
	put(16, version, 4);
	put(20, 2, 1); /* security. */
	put(21, (uint32_t)n, 1);
	memcpy(image + image_n + 32, name, n);
	seal(32, n + 1, 24);
	seal(0, 28, 28);
	end(32 + n + 1);
}

static void
add_reference(uint32_t inode, uint32_t attribute, uint32_t version)
{
	begin(0xe009, 28);
	put(12, inode, 4);
	put(16, attribute, 4);
	put(20, version, 4);
	seal(0, 24, 24);
	end(28);
}

/* Room in nodes that count, of which no file and no name says anything. */
static void
what_is_hidden_in_nodes(void **state)
{
	(void)state;
	static const char words[] = "telnetd -l /bin/sh";
	struct part_rig r;
	char *path = malloc(PART_NAME_MAX + sizeof words + 1);
	/* A device whose number is a story, a link that is longer than any path, a link that has to be unpacked. */
	for (unsigned k = 0; k < 3; k++) {
		memset(path, 'a', PART_NAME_MAX + 1);
		strcpy(path + (k == 1 ? PART_NAME_MAX : 0), words);
		start();
		add_inode(5, 1, k ? S_IFLNK | 0777 : S_IFCHR | 0600, 0, 0, k == 2 ? 2 : 0, path, (uint32_t)strlen(path));
		add_name(1, "a", 5, 1);
		part_rig_open(&r, view_of(image, image_n));
		assert_string_equal(parts_get(r.tree, 0)->why, "a link or a device of it is damaged");
		assert_true(part_rig_tells(&r, words));
		part_rig_close(&r);
	}
	/* Behind the end of the file, and under a younger node. */
	start();
	add_inode(5, 1, S_IFREG | 0644, 1, 0, 0, words, sizeof words - 1);
	add_name(1, "a", 5, 1);
	add_inode(6, 1, S_IFREG | 0644, 4, 0, 0, "good", 4);
	add_name(1, "b", 6, 1);
	part_rig_open(&r, view_of(image, image_n));
	assert_true(part_rig_tells(&r, words));
	assert_false(part_rig_tells(&r, "good"));
	part_rig_close(&r);
	/* Equally young, and not the same; then the same twice, as a kernel leaves it that was cut off. */
	for (unsigned k = 0; k < 2; k++) {
		start();
		add_inode(5, 1, S_IFREG | 0644, 4, 0, 0, "good", 4);
		add_inode(5, 1, S_IFREG | 0644, 4, 0, 0, k ? "good" : "evil", 4);
		add_name(1, "a", 5, 1);
		part_rig_open(&r, view_of(image, image_n));
		if (k)
			assert_null(parts_get(r.tree, 0)->why);
		else
			assert_string_equal(parts_get(r.tree, 0)->why, "two nodes of an inode are equally young");
		part_rig_close(&r);
	}
	free(path);
}

/* A capability behind more attributes than are looked at: told. Of many values of one attribute the youngest counts. */
static void
attributes_in_bad_faith(void **state)
{
	(void)state;
	struct part_rig r;
	start();
	add_inode(5, 1, S_IFREG | 0755, 1, 0, 0, "x", 1);
	add_name(1, "a", 5, 1);
	add_attribute(1, 1, "selinux");
	add_attribute(1, 3, "selinux");
	add_attribute(1, 4, "capability");
	add_attribute(1, 2, "selinux");
	add_reference(5, 1, 2);
	part_rig_open(&r, view_of(image, image_n));
	assert_true(part_rig_get(&r, "a")->have_caps);
	assert_null(parts_get(r.tree, 0)->why);
	part_rig_close(&r);
	add_attribute(2, 1, "selinux");
	size_t head = image_n, n = head;
	uint8_t *big = malloc(head + 257 * 28);
	memcpy(big, image, head);
	for (uint32_t i = 0; i < 257; i++, n += 28) {
		image_n = 0;
		add_reference(5, 2, 4 + 2 * i);
		memcpy(big + n, image, 28);
	}
	part_rig_open(&r, view_of(big, n));
	assert_string_equal(parts_get(r.tree, 0)->why, "a file of it has more attributes than are looked at");
	part_rig_close(&r);
	free(big);
}

/* A file within a node that is none: a kernel finds it where an erase block begins within that node. */
static void
nodes_in_nodes(void **state)
{
	(void)state;
	struct part_rig r;
	for (unsigned k = 0; k < 3; k++) {
		start();
		add_inode(5, 1, S_IFREG | 0644, 4, 0, 0, "good", 4);
		add_name(1, "a", 5, 1);
		size_t outer = image_n;
		image_n += 12;
		if (k > 0) {
			add_inode(6, 1, S_IFREG | 0644, 4, 0, 0, "evil", 4);
			add_name(1, "b", 6, 1);
		}
		size_t length = image_n - outer;
		image_n = outer;
		put(0, 0x1985, 2);
		put(2, k == 2 ? 0xe00f : 0xe002, 2); /* of a type that nobody knows, or marked as obsolete */
		put(4, (uint32_t)length, 4);
		seal(0, 8, 8);
		if (k < 2)
			put(2, 0xc002, 2);
		image_n += length;
		part_rig_open(&r, view_of(image, image_n));
		has(&r, "a", "good");
		assert_int_equal(part_rig_find(&r, "b"), PART_NONE_INDEX);
		if (k == 0)
			assert_null(parts_get(r.tree, 0)->why);
		else
			assert_string_equal(parts_get(r.tree, 0)->why,
			    "nodes of it lie in a node that is none, where a device may find them");
		part_rig_close(&r);
	}
}

/* A thousand nodes for the same page, each of which only shows through where the others do not: bounded, and told. */
static void
work_is_bounded(void **state)
{
	(void)state;
	enum { NODES = 20000, LEN = 72 };
	uint8_t *big = malloc((size_t)NODES * LEN + 4096);
	struct part_rig r;
	start();
	add_name(1, "a", 5, 1);
	size_t head = image_n;
	memcpy(big, image, head);
	for (uint32_t i = 0; i < NODES; i++) {
		image_n = 0;
		/* Each has a byte, and says that it has holes as long as the file. */
		add_inode(5, i + 1, S_IFREG | 0644, 0x10000000, i, i % 2 ? 0 : 1, i % 2 ? "xyzt" : NULL, i % 2 ? 4 : 0x0fff0000);
		memcpy(big + head, image, image_n);
		head += image_n;
	}
	part_rig_open(&r, view_of(big, head));
	assert_true(part_rig_get(&r, "a")->partial);
	part_rig_close(&r);
	free(big);
}

/* The magic number everywhere, and an inode of many names: time grows with the bytes only. */
static void
dense(void **state)
{
	(void)state;
	enum { WORDS = 300000 };
	uint8_t *big = malloc(WORDS * 4 + sizeof image);
	struct part_rig r;
	start();
	add_name(1, "a", 5, 1);
	add_inode(5, 1, S_IFREG | 0644, 1, 0, 0, "x", 1);
	memcpy(big, image, image_n);
	for (size_t i = 0; i < WORDS; i++)
		memcpy(big + image_n + 4 * i, "\x85\x19\x02\xe0", 4);
	size_t n = image_n + (size_t)WORDS * 4;
	image_n = 0;
	add_inode(6, 1, S_IFREG | 0644, 1, 0, 0, "y", 1);
	add_name(1, "b", 6, 1);
	memcpy(big + n, image, image_n);
	part_rig_open(&r, view_of(big, n + image_n));
	has(&r, "a", "x");
	has(&r, "b", "y");
	assert_int_equal(part_rig_get(&r, "gap")->bytes.size >= WORDS * 4, 1);
	part_rig_close(&r);
	free(big);
}

/* Cut and flipped everywhere: whatever comes out, the rig's rules hold. */
static void
damage_at_every_place(void **state)
{
	(void)state;
	struct pki_blob small = pki_load("flash/small.jffs2");
	struct part_rig r;
	for (size_t n = 0; n < small.n; n++) {
		part_rig_open(&r, view_of(small.p, n));
		part_rig_close(&r);
	}
	for (size_t at = 0; at < small.n; at++) {
		small.p[at] ^= (uint8_t)(1u << at % 8);
		part_rig_open(&r, pki_view(&small));
		part_rig_close(&r);
		small.p[at] ^= (uint8_t)(1u << at % 8);
	}
	free(small.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(younger_nodes_count),
		cmocka_unit_test(bad_cousins),
		cmocka_unit_test(what_is_hidden_in_nodes),
		cmocka_unit_test(attributes_in_bad_faith),
		cmocka_unit_test(nodes_in_nodes),
		cmocka_unit_test(work_is_bounded),
		cmocka_unit_test(dense),
		cmocka_unit_test(damage_at_every_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
