/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/checkpoint.h"
#include "crypto/err.h"

#define ORIGIN "gw-7f3a.example/fotagate/audit"
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
#define EMPTY_ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void
test_round_trip(void **state)
{
	(void)state;
	static const char *const texts[] = {
		ORIGIN "\n70000\n" ROOT "\n",
		ORIGIN "\n0\n" EMPTY_ROOT "\n",
		ORIGIN "\n9223372036854775807\n" ROOT "\n",
		"x\n1\n" ROOT "\n",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct checkpoint c;
		struct writer w;
		assert_int_equal(checkpoint_parse(view_str(texts[i]), 0, &c), 0);
		writer_init(&w, CHECKPOINT_TEXT_MAX);
		assert_int_equal(checkpoint_encode(&c, &w), 0);
		assert_true(view_is(writer_view(&w), texts[i]));
		writer_free(&w);
	}
}

static void
test_strict(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "\n", ORIGIN, ORIGIN "\n", ORIGIN "\n1", ORIGIN "\n1\n", ORIGIN "\n1\n" ROOT,
		"\n1\n" ROOT "\n", ORIGIN "\n\n" ROOT "\n", ORIGIN "\n1\n\n",
		ORIGIN "\n01\n" ROOT "\n", ORIGIN "\n+1\n" ROOT "\n", ORIGIN "\n-1\n" ROOT "\n",
		ORIGIN "\n 1\n" ROOT "\n", ORIGIN "\n1 \n" ROOT "\n", ORIGIN "\n0x1\n" ROOT "\n",
		ORIGIN "\n9223372036854775808\n" ROOT "\n", ORIGIN "\n18446744073709551617\n" ROOT "\n",
		ORIGIN "\n00\n" EMPTY_ROOT "\n",
		ORIGIN "\n0\n" ROOT "\n", /* the empty tree has one root */
		ORIGIN "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
		ORIGIN "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", /* unused bits */
		ORIGIN "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jx\n",
		ORIGIN "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2JA\n",
		ORIGIN "\n1\n" ROOT "\n\n", ORIGIN "\n1\n" ROOT "\nextension\n", ORIGIN "\n1\n" ROOT "\nx",
		ORIGIN "\r\n1\r\n" ROOT "\r\n",
	};
	struct checkpoint c = { .size = 42 };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (checkpoint_parse(view_str(bad[i]), 0, &c) != FG_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(c.size, 42);
	assert_int_equal(checkpoint_parse(view_of("a\0b\n1\n" ROOT "\n", 51), 0, &c), FG_EFORMAT);
}

static void
test_foreign_extensions(void **state)
{
	(void)state;
	struct checkpoint c;
	struct writer w;
	const char *two = "other.example/log 42\n1\n" ROOT "\nfirst\nsecond\n";
	assert_int_equal(checkpoint_parse(view_str(two), 1, &c), FG_EFORMAT);
	assert_int_equal(checkpoint_parse(view_str(two), 2, &c), 0);
	assert_int_equal(c.extensions, 2);
	assert_string_equal(c.origin, "other.example/log 42");
	assert_int_equal(checkpoint_parse(view_str("x\n1\n" ROOT "\nfirst\n\nthird\n"), 16, &c), FG_EFORMAT);
	assert_int_equal(checkpoint_parse(view_str(two), 17, &c), FG_EFORMAT);
	/* We never write any, nor an origin that could not name a key. */
	assert_int_equal(checkpoint_parse(view_str(two), 2, &c), 0);
	writer_init(&w, 4096);
	assert_int_equal(checkpoint_encode(&c, &w), FG_EINVAL);
	c.extensions = 0;
	assert_int_equal(checkpoint_encode(&c, &w), FG_EINVAL);
	assert_int_equal(w.n, 0);
	writer_free(&w);
}

struct cast {
	struct note_signer log, other, witness[2];
	struct checkpoint head;
};

static struct cast
cast_of(void)
{
	struct cast c;
	memset(&c, 0, sizeof c);
	assert_int_equal(note_signer_generate(ORIGIN, NOTE_TYPE_ED25519, &c.log), 0);
	assert_int_equal(note_signer_generate("elsewhere", NOTE_TYPE_ED25519, &c.other), 0);
	assert_int_equal(note_signer_generate("w1.example", NOTE_TYPE_COSIGNATURE, &c.witness[0]), 0);
	assert_int_equal(note_signer_generate("w2.example", NOTE_TYPE_COSIGNATURE, &c.witness[1]), 0);
	memcpy(c.head.origin, ORIGIN, sizeof ORIGIN);
	c.head.size = 70000;
	memset(c.head.root, 0x5a, sizeof c.head.root);
	return c;
}

static void
test_sign_and_open(void **state)
{
	(void)state;
	struct cast c = cast_of();
	struct checkpoint_opened o;
	struct writer w, text;
	writer_init(&w, NOTE_SIZE_MAX);
	writer_init(&text, 4096);
	assert_int_equal(checkpoint_sign(&c.head, &c.other, &w), FG_EINVAL);
	assert_int_equal(checkpoint_sign(&c.head, &c.log, &w), 0);
	assert_int_equal(checkpoint_encode(&c.head, &text), 0);
	assert_int_equal(note_cosign(writer_view(&text), &c.witness[1], 1767225600, &w), 0);

	struct note_key witnesses[2] = { c.witness[0].key, c.witness[1].key };
	assert_int_equal(checkpoint_open(writer_view(&w), NULL, &c.log.key, witnesses, 2, 0, &o), 0);
	assert_int_equal(o.outcome, CHECKPOINT_VERIFIED);
	assert_string_equal(o.head.origin, ORIGIN);
	assert_int_equal(o.head.size, 70000);
	assert_memory_equal(o.head.root, c.head.root, 32);
	assert_int_equal(o.witnesses, 1);
	assert_true(!o.witnessed[0] && o.witnessed[1]);
	assert_int_equal(o.witnessed_at[1], 1767225600);

	assert_int_equal(checkpoint_open(writer_view(&w), ORIGIN, &c.log.key, NULL, 0, 0, &o), 0);
	assert_int_equal(o.outcome, CHECKPOINT_VERIFIED);
	assert_int_equal(checkpoint_open(writer_view(&w), "another", &c.log.key, NULL, 0, 0, &o), 0);
	assert_int_equal(o.outcome, CHECKPOINT_WRONG_ORIGIN);
	assert_int_equal(o.head.size, 0);
	/* A known witness alone does not make it the log's. */
	assert_int_equal(checkpoint_open(writer_view(&w), NULL, &c.other.key, witnesses, 2, 0, &o), 0);
	assert_int_equal(o.outcome, CHECKPOINT_NOT_BY_LOG);
	assert_int_equal(o.witnesses, 0);
	assert_int_equal(checkpoint_open(view_str("nonsense"), NULL, &c.log.key, NULL, 0, 0, &o), 0);
	assert_int_equal(o.outcome, CHECKPOINT_MALFORMED);
	w.p[w.n - 5] = w.p[w.n - 5] == 'A' ? 'B' : 'A'; /* the witness's line */
	assert_int_equal(checkpoint_open(writer_view(&w), NULL, &c.log.key, witnesses, 2, 0, &o), 0);
	assert_int_equal(o.outcome, CHECKPOINT_BAD_SIGNATURE);
	writer_free(&text);
	writer_free(&w);
}

/* Genuinely signed by the log's key, but not the text of a checkpoint. */
static void
test_signed_nonsense(void **state)
{
	(void)state;
	struct cast c = cast_of();
	static const char *const texts[] = { "hello\n", ORIGIN "\n01\n" ROOT "\n", ORIGIN "\n1\n" ROOT "\nmore\n" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct checkpoint_opened o;
		struct writer w;
		writer_init(&w, 4096);
		assert_int_equal(note_sign(view_str(texts[i]), &c.log, &w), 0);
		assert_int_equal(checkpoint_open(writer_view(&w), NULL, &c.log.key, NULL, 0, 0, &o), 0);
		assert_int_equal(o.outcome, CHECKPOINT_MALFORMED);
		writer_free(&w);
	}
}

/* A checkpoint that LVFS published (libjcat's test data). */
static void
test_foreign_checkpoint(void **state)
{
	(void)state;
	char path[4096], note[4096], vkey[256];
	const char *shared = getenv("FG_SHARED");
	snprintf(path, sizeof path, "%s/vectors/jcat/test.btcheckpoint", shared ? shared : "/nonexistent");
	FILE *f = fopen(path, "re");
	if (!f) {
		print_message("vectors/jcat: not there\n");
		skip();
	}
	size_t n = fread(note, 1, sizeof note, f);
	fclose(f);
	snprintf(path, sizeof path, "%s/vectors/jcat/test.btverifier", shared);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(vkey, sizeof vkey, f));
	fclose(f);
	vkey[strcspn(vkey, "\n")] = '\0';
	struct note_key key;
	struct checkpoint_opened o;
	assert_int_equal(note_key_parse(view_str(vkey), &key), 0);
	assert_int_equal(checkpoint_open(view_of(note, n), "lvfsqa", &key, NULL, 0, 0, &o), 0);
	assert_int_equal(o.outcome, CHECKPOINT_VERIFIED);
	assert_int_equal(o.head.size, 4);
	note[7] ^= 1;
	assert_int_equal(checkpoint_open(view_of(note, n), "lvfsqa", &key, NULL, 0, 0, &o), 0);
	assert_int_equal(o.outcome, CHECKPOINT_BAD_SIGNATURE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_foreign_extensions),
		cmocka_unit_test(test_sign_and_open),
		cmocka_unit_test(test_signed_nonsense),
		cmocka_unit_test(test_foreign_checkpoint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
