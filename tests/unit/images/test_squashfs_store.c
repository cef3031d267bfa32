/* SPDX-License-Identifier: Apache-2.0 */
/* The lower half of the reader: bounds that a whole image meets only in hours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/squashfs_store.h"
#include "tests/unit/crypto/pki.h"

struct rig {
	struct pki_blob bytes;
	struct source source;
	struct squashfs_store st;
};

static struct rig *
rig_up(const char *name)
{
	struct rig *g = calloc(1, sizeof *g);
	g->bytes = pki_load(name);
	source_memory(&g->source, pki_view(&g->bytes));
	assert_int_equal(squashfs_store_open(&g->st, &g->source, NULL), 0);
	return g;
}

static void
rig_down(struct rig *g)
{
	squashfs_store_close(&g->st);
	free(g->bytes.p);
	free(g);
}

static void
work_is_bounded(void **state)
{
	(void)state;
	struct rig *g = rig_up("squashfs/small-gzip.sqfs");
	uint8_t byte;
	uint64_t before = *g->st.work;
	assert_true(before > 96); /* the superblock and the owners were read, and unpacked */
	assert_int_equal(squashfs_store_count(&g->st, SQUASHFS_WORK_MAX - before), 0);
	assert_int_equal(squashfs_store_count(&g->st, 1), FG_ELIMIT);
	assert_non_null(strstr(g->st.why, "8 GiB"));
	/* From here on no byte of metadata comes any more. */
	assert_int_equal(squashfs_store_seek(&g->st, SQUASHFS_STORE_INODES, g->st.super.inode_table_start, 0), FG_ELIMIT);
	assert_true(squashfs_store_read(&g->st, SQUASHFS_STORE_INODES, &byte, 1) != 0);
	rig_down(g);
}

static void
numbers_outside_their_tables(void **state)
{
	(void)state;
	struct rig *g = rig_up("squashfs/plain.sqfs");
	uint32_t owner, word;
	uint64_t at;
	unsigned n;
	uint8_t caps[SQUASHFS_CAPS_MAX];
	size_t caps_n;
	assert_int_equal(squashfs_store_owner(&g->st, 0, &owner), 0);
	assert_int_equal(owner, 0);
	assert_int_equal(squashfs_store_owner(&g->st, g->st.super.id_count, &owner), FG_EFORMAT);
	assert_int_equal(squashfs_store_fragment(&g->st, 0, &at, &word), 0);
	assert_int_equal(squashfs_store_fragment(&g->st, g->st.super.fragment_entry_count, &at, &word), FG_EFORMAT);
	assert_int_equal(squashfs_store_xattrs(&g->st, 0, &n, caps, &caps_n), FG_EFORMAT);
	rig_down(g);
}

static void
blocks_outside(void **state)
{
	(void)state;
	struct rig *g = rig_up("squashfs/plain.sqfs");
	uint32_t block = g->st.super.block_size, plain = 1u << 24;
	uint64_t end = g->st.super.inode_table_start;
	uint8_t *out = malloc(block);
	size_t n = 0;
	assert_int_equal(squashfs_store_unpack(&g->st, 96, plain | 100, out, block, &n), 0);
	assert_int_equal(n, 100);
	assert_memory_equal(out, g->bytes.p + 96, 100);
	static const struct {
		int64_t from_end; /* of data; 0: at byte 96 */
		uint32_t word;
	} bad[] = {
		{ 0, 0 },                         /* no block */
		{ 0, 1u << 25 | 100 },            /* a bit that means nothing */
		{ 0, 1u << 24 | 4097 },           /* longer than a block */
		{ 99, 1u << 24 | 100 },           /* into the metadata */
		{ -1, 1u << 24 | 1 },             /* in it */
		{ 1, 1u << 24 | 0xffffff },       /* the greatest length */
	};
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint64_t at = bad[i].from_end ? (uint64_t)((int64_t)end - bad[i].from_end) : 96;
		assert_int_equal(squashfs_store_unpack(&g->st, at, bad[i].word, out, block, &n), FG_EFORMAT);
	}
	assert_int_equal(squashfs_store_unpack(&g->st, 95, plain | 1, out, block, &n), FG_EFORMAT);
	assert_int_equal(squashfs_store_unpack(&g->st, UINT64_MAX, plain | 1, out, block, &n), FG_EFORMAT);
	assert_int_equal(squashfs_store_length(plain | 77), 77);
	free(out);
	rig_down(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_is_bounded),
		cmocka_unit_test(numbers_outside_their_tables),
		cmocka_unit_test(blocks_outside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
