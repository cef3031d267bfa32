/* SPDX-License-Identifier: Apache-2.0 */
/* Cut as casync cuts: its own indexes of the same bytes (tests/vectors/casync.py) say where. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "images/casync_cut.h"
#include "images/casync_index.h"
#include "tests/unit/images/walk_rig.h"

struct comparing {
	struct casync_cut cut;
	struct view of;
	size_t at, step;
	uint64_t chunks;
};

static void
malformed(void *arg, uint64_t at, const char *why)
{
	(void)arg;
	fail_msg("%llu: %s", (unsigned long long)at, why);
}

static int
begin(void *arg, const struct casync_index *x)
{
	struct comparing *k = arg;
	casync_cut_init(&k->cut, x->least, x->middle, x->most);
	return 0;
}

static int
chunk(void *arg, uint64_t i, uint64_t n, const uint8_t *id)
{
	struct comparing *k = arg;
	uint8_t sum[DIGEST_LEN_MAX];
	size_t from = k->at;
	bool end = false;
	while (!end && k->at < k->of.n) {
		size_t left = k->of.n - k->at, took;
		took = casync_cut_next(&k->cut, k->of.p + k->at, left < k->step ? left : k->step, &end);
		assert_true(took > 0);
		k->at += took;
	}
	if (k->at - from != n)
		fail_msg("chunk %llu has %zu bytes instead of %llu", (unsigned long long)i, k->at - from, (unsigned long long)n);
	/* Not only where: it is of these bytes. */
	assert_int_equal(digest_bytes(k->step == 1 ? DIGEST_SHA256 : DIGEST_SHA512_256, view_of(k->of.p + from, n), sum), 0);
	assert_memory_equal(sum, id, CASYNC_ID_LEN);
	k->chunks++;
	return 0;
}

static void
as_casync(const char *index, const char *of, size_t step, uint64_t chunks)
{
	struct view x = rig_made("casync", index), bytes = rig_made("casync", of);
	struct comparing k = { .of = bytes, .step = step };
	struct casync_index ret;
	struct source s;
	source_memory(&s, x);
	assert_int_equal(casync_index_read(&s, &(struct casync_teller){ malformed, begin, chunk, &k }, &ret), 0);
	assert_int_equal(k.at, bytes.n);
	assert_int_equal(ret.size, bytes.n);
	assert_int_equal(ret.chunks, k.chunks);
	if (k.chunks < chunks)
		fail_msg("%s: %llu chunks", index, (unsigned long long)k.chunks);
	rig_drop(bytes);
	rig_drop(x);
}

static void
every_way(void **state)
{
	(void)state;
	as_casync("cut-4096-16384-65536.caibx", "cut", 65536, 20);
	as_casync("cut-16384-65536-262144.caibx", "cut", 1000, 5);
	as_casync("cut-1024-1024-1024.caibx", "cut", 7, 684);
	as_casync("cut-256-512-1024.caibx", "cut", 4096, 900);
	as_casync("cut-300-1000-100000.caibx", "cut", 49, 300);
	as_casync("cut-sha256.caibx", "cut", 1, 20);
	as_casync("blob.caibx", "blob", 1 << 20, 15);
	as_casync("large.caibx", "large", 1 << 20, 2);
	as_casync("empty.caibx", "empty", 1, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
