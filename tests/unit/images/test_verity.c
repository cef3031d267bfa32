/* SPDX-License-Identifier: Apache-2.0 */
/* Hash trees of every shape, against a second reckoning that keeps whole levels in memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/verity.h"

#define FAN 128

struct made {
	uint8_t *bytes; /* data, then the tree */
	uint64_t data, all;
	uint8_t salt[32], root[32];
};

static void
hash(const struct made *m, const uint8_t *block, uint8_t ret[32])
{
	struct digest *d = digest_new(DIGEST_SHA256);
	assert_int_equal(digest_update(d, view_of(m->salt, 32)), 0);
	assert_int_equal(digest_update(d, view_of(block, VERITY_BLOCK)), 0);
	assert_int_equal(digest_final(d, ret), 0);
	digest_free(d);
}

/* Level by level, each written where the levels below it begin: from the end of the file forward. */
static struct made
make(uint64_t blocks)
{
	struct made m = { .data = blocks * VERITY_BLOCK };
	m.all = m.data + verity_tree_size(m.data);
	m.bytes = calloc(1, m.all);
	for (uint64_t i = 0; i < m.data; i += 97)
		m.bytes[i] = (uint8_t)(i / 97);
	memset(m.salt, 0x5a, sizeof m.salt);
	const uint8_t *from = m.bytes;
	uint64_t n = blocks;
	uint8_t *end = m.bytes + m.all;
	while (n > 1) {
		uint64_t up = (n + FAN - 1) / FAN;
		uint8_t *to = end - up * VERITY_BLOCK;
		for (uint64_t i = 0; i < n; i++)
			hash(&m, from + i * VERITY_BLOCK, to + i * 32);
		from = end = to;
		n = up;
	}
	assert_ptr_equal(end, m.bytes + m.data);
	hash(&m, from, m.root);
	return m;
}

static enum verity_answer
check(const struct made *m, uint64_t *ret_at)
{
	struct source s;
	enum verity_answer answer = VERITY_UNKNOWN;
	source_memory(&s, view_of(m->bytes, m->all));
	assert_int_equal(verity_check(&s, m->data, m->salt, m->root, NULL, &answer, ret_at), 0);
	return answer;
}

static void
sizes(void **state)
{
	(void)state;
	assert_int_equal(verity_tree_size(VERITY_BLOCK), 0);
	assert_int_equal(verity_tree_size(2 * VERITY_BLOCK), VERITY_BLOCK);
	assert_int_equal(verity_tree_size(FAN * VERITY_BLOCK), VERITY_BLOCK);
	assert_int_equal(verity_tree_size((FAN + 1) * VERITY_BLOCK), 3 * VERITY_BLOCK);
	assert_int_equal(verity_tree_size(SOURCE_SIZE_MAX) % VERITY_BLOCK, 0);
	assert_true(verity_tree_size(SOURCE_SIZE_MAX) > SOURCE_SIZE_MAX / (FAN + 1));
}

static void
every_shape(void **state)
{
	(void)state;
	static const uint64_t blocks[] = { 1, 2, 127, 128, 129, 255, 256, 257, 128 * 128, 128 * 128 + 1 };
	for (unsigned i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
		uint64_t at = 1;
		struct made m = make(blocks[i]);
		assert_int_equal(check(&m, &at), VERITY_FITS);
		m.root[31] ^= 1;
		assert_int_equal(check(&m, &at), VERITY_ROOT_DIFFERS);
		m.root[31] ^= 1;
		m.salt[0] ^= 1;
		assert_true(check(&m, &at) != VERITY_FITS);
		free(m.bytes);
	}
}

/* Every byte of the tree, and of one block of data in each place, matters. */
static void
every_byte(void **state)
{
	(void)state;
	struct made m = make(130);
	uint64_t at;
	for (uint64_t i = m.data; i < m.all; i += 41) {
		m.bytes[i] ^= 1;
		assert_int_equal(check(&m, &at), VERITY_TREE_DIFFERS);
		/* Its own block, or the one above that hashes it: data fits, so the lower one is met first. */
		assert_int_equal(at, i / VERITY_BLOCK * VERITY_BLOCK);
		m.bytes[i] ^= 1;
	}
	for (uint64_t i = 0; i < m.data; i += VERITY_BLOCK * 3 - 1) {
		m.bytes[i] ^= 1;
		assert_int_equal(check(&m, &at), VERITY_TREE_DIFFERS);
		m.bytes[i] ^= 1;
	}
	assert_int_equal(check(&m, &at), VERITY_FITS);
	free(m.bytes);
}

/* Who names the image gets the data on the way, whole or not at all. */
static void
named_on_the_way(void **state)
{
	(void)state;
	static const uint64_t before[] = { 0, 1, VERITY_BLOCK };
	struct made m = make(600); /* more than one chunk */
	struct source s;
	source_memory(&s, view_of(m.bytes, m.all));
	for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
		enum verity_answer answer = VERITY_UNKNOWN;
		uint8_t got[DIGEST_SHA256_LEN], want[DIGEST_SHA256_LEN];
		struct whole h;
		uint64_t at;
		assert_int_equal(whole_open(&h, &s), 0);
		assert_int_equal(whole_upto(&h, before[i], got), 0);
		assert_int_equal(verity_check(&s, m.data, m.salt, m.root, &h, &answer, &at), 0);
		assert_int_equal(answer, VERITY_FITS);
		assert_int_equal(h.at, before[i] ? before[i] : m.data);
		assert_int_equal(whole_upto(&h, m.all, got), 0);
		assert_int_equal(digest_sha256(view_of(m.bytes, m.all), want), 0);
		assert_memory_equal(got, want, sizeof want);
		whole_close(&h);
	}
	free(m.bytes);
}

static void
no_blocks(void **state)
{
	(void)state;
	struct source s;
	enum verity_answer answer;
	uint64_t at;
	uint8_t zero[VERITY_BLOCK] = { 0 };
	source_memory(&s, view_of(zero, sizeof zero));
	assert_int_equal(verity_check(&s, 0, zero, zero, NULL, &answer, &at), FG_EINVAL);
	assert_int_equal(verity_check(&s, 100, zero, zero, NULL, &answer, &at), FG_EINVAL);
	assert_int_equal(verity_check(&s, 2 * VERITY_BLOCK, zero, zero, NULL, &answer, &at), FG_ELIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(every_shape),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(named_on_the_way),
		cmocka_unit_test(no_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
