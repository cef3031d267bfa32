/* SPDX-License-Identifier: Apache-2.0 */
/* By arithmetic of its own; signify itself signs and judges in tests/integration/test_signify_gzip.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <zlib.h>

#include "crypto/base64.h"
#include "crypto/ed25519.h"
#include "crypto/hex.h"
#include "images/signify_gzip.h"
#include "unit/images/walk_rig.h"

#define FIRMWARE_LEN 200000
#define COMMENT "untrusted comment: verify with vendor.pub\n"

static const uint8_t seed[ED25519_SEED_LEN] = { 9 };

/* What a case does otherwise than signify. */
struct how {
	const char *comment, *lines; /* NULL: the usual ones */
	const char *behind;          /* bytes behind the stream, of which digests are given */
	int blocks;                  /* digests too many, or too few */
	uint8_t flags, os;           /* of the header, changed by that */
};

static void
record(struct writer *w, const char *alg, const uint8_t *rest, size_t n)
{
	uint8_t bytes[2 + TRUST_KEYNUM_LEN + ED25519_SIG_LEN] = { 0 };
	memcpy(bytes, alg, 2);
	memcpy(bytes + 2 + TRUST_KEYNUM_LEN, rest, n);
	base64_encode(view_of(bytes, 2 + TRUST_KEYNUM_LEN + n), w);
	writer_text(w, "\n");
}

/* Incompressible, so that there is more than one block. */
static size_t
stream(uint8_t *dst, size_t cap)
{
	static uint8_t plain[FIRMWARE_LEN];
	uint32_t x = 1;
	z_stream z = { .next_in = plain, .avail_in = sizeof plain, .next_out = dst, .avail_out = (uInt)cap };
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	size_t n = z.total_out - 10; /* without its header */
	memmove(dst, dst + 10, n);
	deflateEnd(&z);
	return n;
}

static struct view
make(const struct how *how)
{
	static uint8_t packed[FIRMWARE_LEN + 5000];
	const uint8_t head[10] = { 0x1f, 0x8b, 8, 16 ^ how->flags, 0, 0, 0, 0, 2, 3 ^ how->os };
	uint8_t sig[ED25519_SIG_LEN], sum[DIGEST_LEN_MAX];
	struct writer list, all;
	size_t n = stream(packed, sizeof packed), out = 0;
	if (how->behind) {
		memcpy(packed + n, how->behind, strlen(how->behind));
		n += strlen(how->behind);
	}
	writer_init(&list, 1 << 20);
	writer_init(&all, 1 << 20);
	writer_text(&list, how->lines ? how->lines : "date=2026-01-01T00:00:00Z\nkey=vendor.sec\nalgorithm=SHA512/256\nblocksize=65536\n\n");
	int left = (int)((n + 65535) / 65536) + how->blocks;
	for (size_t at = 0; left > 0; at += 65536, left--) {
		char hex[65];
		size_t from = at < n ? at : 0, len = n - from < 65536 ? n - from : 65536;
		assert_int_equal(digest_bytes(DIGEST_SHA512_256, view_of(packed + from, len), sum), 0);
		hex_encode(sum, 32, hex);
		writer_textf(&list, "%s\n", hex);
	}
	assert_int_equal(ed25519_sign(seed, writer_view(&list), sig), 0);
	writer_bytes(&all, view_of(head, sizeof head));
	writer_text(&all, how->comment ? how->comment : COMMENT);
	record(&all, "Ed", sig, sizeof sig);
	writer_bytes(&all, writer_view(&list));
	writer_u8(&all, 0);
	writer_bytes(&all, view_of(packed, n));
	writer_free(&list);
	uint8_t *p = writer_take(&all, &out);
	return view_of(p, out);
}

static struct view
trusted(void)
{
	uint8_t key[ED25519_KEY_LEN];
	struct writer w;
	assert_int_equal(ed25519_public(seed, key), 0);
	writer_init(&w, 1000);
	writer_text(&w, "untrusted comment: x public key\n");
	record(&w, "Ed", key, sizeof key);
	const struct view pems[] = { writer_view(&w), { NULL, 0 } };
	struct view trust = rig_trust(pems);
	writer_free(&w);
	return trust;
}

static void
cases_are_judged(void **state)
{
	static const struct {
		const char *name;
		struct how how;
		const char *signatures, *findings;
	} table[] = {
		{ "as signify has it", { .comment = NULL }, "signify-gzip/ed25519 verified", "" },
		{ "another comment", { .comment = "untrusted comment: anything at all\n" }, "signify-gzip/ed25519 verified", "COV-UNSIGNED-BYTES FMT-UNKNOWN-PART" },
		{ "the comment read as a name: a damaged gzip", { .flags = 8 }, "", "COV-UNSIGNED-BYTES FMT-MALFORMED! FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "not made on Unix", { .os = 1 }, "", "COV-UNSIGNED-BYTES FMT-MALFORMED! SIG-ABSENT" },
		{ "a block too many", { .blocks = 1 }, "signify-gzip/ed25519 verified", "COV-UNSIGNED-BYTES FMT-INTEGRITY!" },
		{ "a block too few", { .blocks = -1 }, "signify-gzip/ed25519 verified", "COV-UNSIGNED-BYTES FMT-INTEGRITY!" },
		{ "bytes behind, signed", { .behind = "anything" }, "signify-gzip/ed25519 verified", "FMT-TRAILING-BYTES!" },
		{ "another digest", { .lines = "algorithm=SHA256\nblocksize=65536\n\n" }, "signify-gzip/ed25519 verified", "COV-UNSIGNED-BYTES FMT-MALFORMED!" },
		{ "another size", { .lines = "algorithm=SHA512/256\nblocksize=1024\n\n" }, "signify-gzip/ed25519 verified", "COV-UNSIGNED-BYTES FMT-MALFORMED!" },
		{ "no list", { .lines = "date=x\n", .blocks = -9 }, "signify-gzip/ed25519 verified", "COV-UNSIGNED-BYTES FMT-MALFORMED!" },
		{ "an unknown word", { .lines = "algorithm=SHA512/256\nblocksize=65536\nx=y\n\n" }, "signify-gzip/ed25519 verified", "COV-UNSIGNED-BYTES FMT-MALFORMED!" },
	};
	struct view trust = trusted();
	bool bad = false;
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char signatures[RIG_TEXT_MAX], findings[RIG_TEXT_MAX];
		struct view img = make(&table[i].how);
		struct report *r = rig_verify(img, trust);
		rig_signatures(r, signatures);
		rig_findings(r, findings);
		if (strcmp(signatures, table[i].signatures) != 0 || !rig_is(findings, table[i].findings)) {
			print_message("%s: [%s] [%s]\n", table[i].name, signatures, findings);
			bad = true;
		}
		report_free(r);
		rig_drop(img);
	}
	rig_drop(trust);
	assert_false(bad);
}

static void
every_byte_counts(void **state)
{
	struct view trust = trusted(), img = make(&(struct how){ .comment = NULL });
	size_t head = 10 + strlen(COMMENT);
	(void)state;
	rig_flip(img, trust, 0, 10, 1);
	rig_flip(img, trust, head, head + 700, 3);
	rig_flip(img, trust, head + 700, img.n, 4999);
	rig_flip(img, trust, img.n - 8, img.n, 1);
	rig_cut_everywhere(img, trust, 7919);
	rig_drop(img);
	rig_drop(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases_are_judged),
		cmocka_unit_test(every_byte_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
