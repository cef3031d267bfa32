/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/json.h"
#include "crypto/merkle.h"

#define HASH MERKLE_HASH_LEN
#define SMALL 130 /* every pair of sizes up to here is proven and refuted */

static int
setup(void **state)
{
	*state = merkle_new();
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	merkle_free(*state);
	return 0;
}

static void
unhex(const char *text, uint8_t out[HASH])
{
	assert_true(hex_decode(view_str(text), out, HASH));
}

/* RFC 6962 2.1 written down as it stands there: the oracle for everything smarter. */
static void
mth(struct merkle *m, uint8_t (*leaf)[HASH], uint64_t n, uint8_t out[HASH])
{
	uint8_t left[HASH], right[HASH];
	uint64_t k = 1;
	if (n == 1) {
		memcpy(out, leaf[0], HASH);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	mth(m, leaf, k, left);
	mth(m, leaf + k, n - k, right);
	assert_int_equal(merkle_node(m, left, right, out), 0);
}

/* RFC 6962 2.1.1 PATH and 2.1.2 SUBPROOF, likewise. */
static void
path(struct merkle *m, uint8_t (*leaf)[HASH], uint64_t index, uint64_t n, struct merkle_proof *p)
{
	uint64_t k = 1;
	if (n == 1)
		return;
	while (k * 2 < n)
		k *= 2;
	if (index < k) {
		path(m, leaf, index, k, p);
		mth(m, leaf + k, n - k, p->hash[p->n++]);
	} else {
		path(m, leaf + k, index - k, n - k, p);
		mth(m, leaf, k, p->hash[p->n++]);
	}
}

static void
subproof(struct merkle *m, uint8_t (*leaf)[HASH], uint64_t old, uint64_t n, bool whole,
    struct merkle_proof *p)
{
	uint64_t k = 1;
	if (old == n) {
		if (!whole)
			mth(m, leaf, n, p->hash[p->n++]);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	if (old <= k) {
		subproof(m, leaf, old, k, whole, p);
		mth(m, leaf + k, n - k, p->hash[p->n++]);
	} else {
		subproof(m, leaf + k, old - k, n - k, false, p);
		mth(m, leaf, k, p->hash[p->n++]);
	}
}

static void
make_leaves(struct merkle *m, uint8_t leaf[][HASH], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t entry[2] = { (uint8_t)(i >> 8), (uint8_t)i };
		assert_int_equal(merkle_leaf(m, view_of(entry, sizeof entry), leaf[i]), 0);
	}
}

/* RFC 6962's own eight entries; roots as every implementation publishes them. */
static const struct {
	const char *entry;
	size_t n;
	const char *root;
} REFERENCE[] = {
	{ "", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
	{ "\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
	{ "\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
	{ "\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
	{ "\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
	{ "\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
	{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8,
	    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
	{ "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
	    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
};

static void
test_reference_roots(void **state)
{
	struct merkle *m = *state;
	struct merkle_range range = { 0 };
	uint8_t got[HASH], want[HASH];
	assert_int_equal(merkle_range_root(m, &range, got), 0);
	unhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", want);
	assert_memory_equal(got, want, HASH);
	for (size_t i = 0; i < sizeof REFERENCE / sizeof *REFERENCE; i++) {
		uint8_t leaf[HASH];
		assert_int_equal(merkle_leaf(m, view_of(REFERENCE[i].entry, REFERENCE[i].n), leaf), 0);
		assert_int_equal(merkle_range_push(m, &range, leaf), 0);
		assert_int_equal(merkle_range_root(m, &range, got), 0);
		unhex(REFERENCE[i].root, want);
		assert_memory_equal(got, want, HASH);
		assert_int_equal(range.size, i + 1);
	}
}

static void
test_range_equals_definition(void **state)
{
	static uint8_t leaf[SMALL][HASH];
	struct merkle *m = *state;
	struct merkle_range range = { 0 };
	make_leaves(m, leaf, SMALL);
	for (uint64_t n = 1; n <= SMALL; n++) {
		uint8_t got[HASH], want[HASH];
		assert_int_equal(merkle_range_push(m, &range, leaf[n - 1]), 0);
		assert_int_equal(merkle_range_peaks(&range), __builtin_popcountll(n));
		assert_int_equal(merkle_range_root(m, &range, got), 0);
		mth(m, leaf, n, want);
		assert_memory_equal(got, want, HASH);
	}
}

static void
test_range_encoding(void **state)
{
	struct merkle *m = *state;
	struct merkle_range range = { 0 }, back;
	uint8_t buf[MERKLE_RANGE_MAX], leaf[HASH] = { 7 };
	for (unsigned i = 0; i < 70; i++) {
		size_t n = merkle_range_encode(&range, buf);
		assert_int_equal(n, 8 + HASH * merkle_range_peaks(&range));
		memset(&back, 0xaa, sizeof back);
		assert_int_equal(merkle_range_decode(view_of(buf, n), &back), 0);
		assert_int_equal(back.size, range.size);
		assert_memory_equal(back.peak, range.peak, HASH * merkle_range_peaks(&range));
		/* One byte less or more is another thing. */
		assert_int_equal(merkle_range_decode(view_of(buf, n - 1), &back), FG_EFORMAT);
		if (n < sizeof buf)
			assert_int_equal(merkle_range_decode(view_of(buf, n + 1), &back), FG_EFORMAT);
		assert_int_equal(merkle_range_push(m, &range, leaf), 0);
	}
}

static void
test_range_limit(void **state)
{
	struct merkle_range range = { .size = MERKLE_SIZE_MAX }, back;
	uint8_t leaf[HASH] = { 0 }, buf[MERKLE_RANGE_MAX];
	assert_int_equal(merkle_range_push(*state, &range, leaf), FG_ELIMIT);
	assert_int_equal(range.size, MERKLE_SIZE_MAX);
	assert_int_equal(merkle_range_encode(&range, buf), MERKLE_RANGE_MAX);
	assert_int_equal(merkle_range_decode(view_of(buf, sizeof buf), &back), 0);
	buf[0] |= 0x80; /* 2^64-1: sixty-four peaks would be needed */
	assert_int_equal(merkle_range_decode(view_of(buf, sizeof buf), &back), FG_EFORMAT);
}

static void
test_inclusion_all(void **state)
{
	static uint8_t leaf[SMALL][HASH];
	struct merkle *m = *state;
	make_leaves(m, leaf, SMALL);
	for (uint64_t n = 1; n <= SMALL; n++) {
		uint8_t root[HASH];
		mth(m, leaf, n, root);
		for (uint64_t i = 0; i < n; i++) {
			struct merkle_proof p = { 0 };
			bool proven = false;
			path(m, leaf, i, n, &p);
			assert_int_equal(merkle_verify_inclusion(m, i, n, leaf[i], &p, root, &proven), 0);
			assert_true(proven);
			/* Nothing else is proven by it. */
			merkle_verify_inclusion(m, (i + 1) % n, n, leaf[i], &p, root, &proven);
			assert_int_equal(proven, n == 1);
			merkle_verify_inclusion(m, i, n, leaf[(i + 1) % SMALL], &p, root, &proven);
			assert_false(proven);
			merkle_verify_inclusion(m, n, n, leaf[i], &p, root, &proven);
			assert_false(proven);
			p.n++;
			merkle_verify_inclusion(m, i, n, leaf[i], &p, root, &proven);
			assert_false(proven);
			p.n--;
			if (p.n) {
				p.hash[i % p.n][i % HASH] ^= 1;
				merkle_verify_inclusion(m, i, n, leaf[i], &p, root, &proven);
				assert_false(proven);
				p.hash[i % p.n][i % HASH] ^= 1;
				p.n--;
				merkle_verify_inclusion(m, i, n, leaf[i], &p, root, &proven);
				assert_false(proven);
			}
		}
	}
}

static void
test_consistency_all(void **state)
{
	static uint8_t leaf[SMALL][HASH];
	struct merkle *m = *state;
	make_leaves(m, leaf, SMALL);
	for (uint64_t n = 1; n <= SMALL; n++) {
		uint8_t root[HASH];
		mth(m, leaf, n, root);
		for (uint64_t old = 1; old <= n; old++) {
			struct merkle_proof p = { 0 };
			uint8_t was[HASH];
			bool proven = false;
			mth(m, leaf, old, was);
			subproof(m, leaf, old, n, true, &p);
			assert_int_equal(merkle_verify_consistency(m, old, n, was, root, &p, &proven), 0);
			assert_true(proven);
			was[3] ^= 1;
			merkle_verify_consistency(m, old, n, was, root, &p, &proven);
			assert_false(proven);
			was[3] ^= 1;
			root[3] ^= 1;
			merkle_verify_consistency(m, old, n, was, root, &p, &proven);
			assert_false(proven);
			root[3] ^= 1;
			merkle_verify_consistency(m, 0, n, was, root, &p, &proven);
			assert_false(proven);
			merkle_verify_consistency(m, n + 1, n, was, root, &p, &proven);
			assert_false(proven);
			p.n++;
			merkle_verify_consistency(m, old, n, was, root, &p, &proven);
			assert_false(proven);
			p.n--;
			if (p.n) {
				p.n--;
				merkle_verify_consistency(m, old, n, was, root, &p, &proven);
				assert_false(proven);
			}
		}
	}
}

/* Sizes near 2^63 and a proof count beyond the array must do nothing but answer no. */
static void
test_extremes(void **state)
{
	static const uint64_t sizes[] = { MERKLE_SIZE_MAX, MERKLE_SIZE_MAX + 1, UINT64_MAX };
	uint8_t hash[HASH] = { 0 };
	struct merkle_proof p = { .n = MERKLE_PROOF_MAX };
	for (size_t i = 0; i < 3; i++) {
		bool proven = true;
		assert_int_equal(merkle_verify_inclusion(*state, sizes[i] - 1, sizes[i], hash, &p, hash, &proven), 0);
		assert_false(proven);
		proven = true;
		assert_int_equal(merkle_verify_consistency(*state, sizes[i] - 1, sizes[i], hash, hash, &p, &proven), 0);
		assert_false(proven);
	}
	bool proven = true;
	p.n = MERKLE_PROOF_MAX + 1;
	assert_int_equal(merkle_verify_inclusion(*state, 0, MERKLE_SIZE_MAX, hash, &p, hash, &proven), 0);
	assert_false(proven);
}

/* ---- transparency-dev/merkle: 196 files, good and bad ---- */

static struct merkle *vector_merkle; /* nftw has no argument to pass */
static unsigned vectors_seen, vectors_good;

/*
 * Base64 of 32 bytes, or of at least `least`, padded: some consistency vectors
 * have other text for roots, which our types cannot hold.
 */
static bool
get_hash(const struct json_value *v, size_t least, uint8_t out[HASH])
{
	struct view text;
	struct writer w;
	memset(out, 0, HASH);
	if (!json_string(v, &text))
		return false;
	writer_init(&w, 4096);
	bool ok = base64_decode(text, &w) == 0 && w.n >= least && w.n <= HASH;
	if (ok && w.n)
		memcpy(out, w.p, w.n);
	writer_free(&w);
	return ok;
}

static uint64_t
get_uint(const struct json_value *o, const char *key)
{
	int64_t n;
	assert_true(json_int(json_get(o, key), &n));
	return (uint64_t)n;
}

static bool
run_vector(const struct json_value *o)
{
	struct merkle_proof p = { 0 };
	uint8_t a[HASH], b[HASH];
	bool proven = false, sane = true;
	const struct json_value *hashes = json_get(o, "proof");
	if (json_count(hashes) > MERKLE_PROOF_MAX)
		return false;
	for (size_t i = 0; i < json_count(hashes); i++)
		sane &= get_hash(json_at(hashes, i), HASH, p.hash[p.n++]);
	if (json_get(o, "leafIdx")) {
		sane &= get_hash(json_get(o, "leafHash"), HASH, a);
		sane &= get_hash(json_get(o, "root"), HASH, b);
		assert_int_equal(merkle_verify_inclusion(vector_merkle, get_uint(o, "leafIdx"),
		    get_uint(o, "treeSize"), a, &p, b, &proven), 0);
	} else {
		sane &= get_hash(json_get(o, "root1"), 1, a);
		sane &= get_hash(json_get(o, "root2"), 1, b);
		assert_int_equal(merkle_verify_consistency(vector_merkle, get_uint(o, "size1"),
		    get_uint(o, "size2"), a, b, &p, &proven), 0);
	}
	return sane && proven;
}

static int
visit(const char *file, const struct stat *st, int kind, struct FTW *ftw)
{
	static const char huge[] = "18446744073709551615";
	static char text[1 << 16];
	struct json *doc;
	bool want_error;
	(void)st;
	(void)ftw;
	if (kind != FTW_F || !strstr(file, ".json"))
		return 0;
	FILE *f = fopen(file, "re");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = '\0';
	/* Two files hold 2^64-1, which no I-JSON can; -1 becomes that again in get_uint. */
	char *at = strstr(text, huge);
	if (at)
		memcpy(at, "-1                  ", sizeof huge - 1);
	assert_int_equal(json_parse(view_of(text, n), &doc, NULL), 0);
	assert_true(json_bool(json_get(json_root(doc), "wantErr"), &want_error));
	if (run_vector(json_root(doc)) == want_error)
		fail_msg("%s: expected %s", file, want_error ? "refusal" : "proof");
	vectors_seen++;
	vectors_good += !want_error;
	json_free(doc);
	return 0;
}

static void
test_shared_vectors(void **state)
{
	char dir[4096];
	const char *shared = getenv("FG_SHARED");
	snprintf(dir, sizeof dir, "%s/vectors/merkle", shared ? shared : "/nonexistent");
	vector_merkle = *state;
	vectors_seen = vectors_good = 0;
	if (nftw(dir, visit, 8, FTW_PHYS) < 0) {
		print_message("vectors/merkle: not there\n");
		skip();
	}
	print_message("%u vectors, %u of them good\n", vectors_seen, vectors_good);
	assert_int_equal(vectors_seen, 196);
	assert_true(vectors_good >= 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference_roots),
		cmocka_unit_test(test_range_equals_definition),
		cmocka_unit_test(test_range_encoding),
		cmocka_unit_test(test_range_limit),
		cmocka_unit_test(test_inclusion_all),
		cmocka_unit_test(test_consistency_all),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_shared_vectors),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
