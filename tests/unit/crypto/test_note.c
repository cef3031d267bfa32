/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/note.h"

/* C2SP's and Go's published examples (golang.org/x/mod/sumdb/note). */
#define FOO_VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_TEXT "This is an example message.\n"
#define FOO_LINE "\xe2\x80\x94 example.com/foo " \
	"Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define PETER_SKEY "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define PETER_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_TEXT "If you think cryptography is the answer to your problem,\n" \
	"then you don't know what your problem is.\n"
#define PETER_LINE "\xe2\x80\x94 PeterNeumann " \
	"x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"

static struct note_key
key_of(const char *vkey)
{
	struct note_key key;
	assert_int_equal(note_key_parse(view_str(vkey), &key), 0);
	return key;
}

static enum note_outcome
open_with(struct view note, const struct note_key *keys, size_t n)
{
	struct note_opened o;
	memset(&o, 0xaa, sizeof o);
	assert_int_equal(note_open(note, keys, n, &o), 0);
	assert_int_equal(o.text.n != 0, o.outcome == NOTE_VERIFIED);
	return o.outcome;
}

static void
test_published_examples(void **state)
{
	(void)state;
	struct note_key keys[2] = { key_of(FOO_VKEY), key_of(PETER_VKEY) };
	struct note_opened o;
	assert_string_equal(keys[0].name, "example.com/foo");
	assert_true(keys[0].id == 0x530d903a);
	assert_int_equal(note_open(view_str(FOO_TEXT "\n" FOO_LINE), keys, 1, &o), 0);
	assert_int_equal(o.outcome, NOTE_VERIFIED);
	assert_true(view_is(o.text, FOO_TEXT));
	assert_true(o.signed_by[0]);
	assert_int_equal(o.unknown, 0);
	assert_int_equal(note_open(view_str(PETER_TEXT "\n" PETER_LINE), keys, 2, &o), 0);
	assert_int_equal(o.outcome, NOTE_VERIFIED);
	assert_false(o.signed_by[0]);
	assert_true(o.signed_by[1]);
}

/* Ed25519 is deterministic: the same key and text give Go's bytes. */
static void
test_same_bytes_as_go(void **state)
{
	(void)state;
	struct note_signer signer;
	struct writer w;
	assert_int_equal(note_signer_parse(view_str(PETER_SKEY "\n"), &signer), 0);
	writer_init(&w, 4096);
	assert_int_equal(note_sign(view_str(PETER_TEXT), &signer, &w), 0);
	assert_true(view_is(writer_view(&w), PETER_TEXT "\n" PETER_LINE));
	writer_reset(&w);
	note_key_write(&signer.key, &w);
	assert_true(view_is(writer_view(&w), PETER_VKEY));
	writer_reset(&w);
	note_signer_write(&signer, &w);
	assert_true(view_is(writer_view(&w), PETER_SKEY));
	writer_free(&w);
	note_signer_wipe(&signer);
	static const struct note_signer zero;
	assert_memory_equal(&signer, &zero, sizeof zero);
}

static void
test_bad_keys(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "+", "++", "example.com/foo", "example.com/foo+530d903a",
		"example.com/foo+530d903a+",
		"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", /* other id */
		"example.com/fox+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", /* other name */
		"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", /* second spelling */
		"example.com/foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2l", /* unused bits */
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==",
		"example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", /* type 2 */
		"example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	};
	struct note_key key = { .id = 9 };
	struct note_signer signer;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(note_key_parse(view_str(bad[i]), &key), FG_EFORMAT);
	assert_int_equal(key.id, 9);
	assert_int_equal(note_signer_parse(view_str(PETER_VKEY), &signer), FG_EFORMAT);
	assert_int_equal(note_signer_parse(view_str("PRIVATE+KEY+" PETER_VKEY), &signer), FG_EFORMAT);
	assert_int_equal(note_signer_parse(view_str(PETER_SKEY "\n\n"), &signer), FG_EFORMAT);

	uint8_t neutral[32] = { 1 };
	assert_int_equal(note_key_make("x", NOTE_TYPE_ED25519, neutral, &key), FG_EINVAL);
	assert_int_equal(note_signer_generate("two words", NOTE_TYPE_ED25519, &signer), FG_EINVAL);
	assert_int_equal(note_signer_generate("x", NOTE_TYPE_NONE, &signer), FG_EINVAL);
	assert_int_equal(note_signer_generate("x", (enum note_type)2, &signer), FG_EINVAL);
}

static void
test_names(void **state)
{
	(void)state;
	char longest[NOTE_NAME_MAX + 2];
	memset(longest, 'a', sizeof longest);
	assert_true(note_name_is_valid(view_str("gw-7f3a.example/fotagate/audit")));
	assert_true(note_name_is_valid(view_str("b\xc3\xbc" "cher.example")));
	assert_true(note_name_is_valid(view_of(longest, NOTE_NAME_MAX)));
	assert_false(note_name_is_valid(view_of(longest, NOTE_NAME_MAX + 1)));
	static const char *const bad[] = { "", "a b", "a+b", "a\tb", "a\nb", "a\xc2\xa0" "b",
		"a\xe2\x80\xa8" "b", "a\xe3\x80\x80" "b", "a\xe1\x9a\x80" "b", "a\xc2\x85" "b",
		"a\x01" "b", "a\xff" "b", "a\xc3", "\xed\xa0\x80", "\xc0\xaf" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(note_name_is_valid(view_str(bad[i])));
	assert_false(note_name_is_valid(view_of("a\0b", 3)));
}

static void
test_malformed_notes(void **state)
{
	(void)state;
	struct note_key key = key_of(FOO_VKEY);
	static const char *const bad[] = {
		"", "\n", "\n\n", FOO_TEXT, FOO_TEXT "\n", FOO_LINE, "\n" FOO_LINE,
		FOO_TEXT FOO_LINE,                    /* no empty line */
		FOO_TEXT "\n" FOO_LINE "\n",          /* the last empty line has nothing after it */
		FOO_TEXT "\n" FOO_LINE "trailing\n",
		FOO_TEXT "\n" FOO_LINE "trailing",
		FOO_TEXT "\n- example.com/foo Uw2QOkn8srU=\n",
		FOO_TEXT "\n\xe2\x80\x94 example.com/foo\n",
		FOO_TEXT "\n\xe2\x80\x94 example.com/foo \n",
		FOO_TEXT "\n\xe2\x80\x94  Uw2QOkn8srU=\n",
		FOO_TEXT "\n\xe2\x80\x94 a+b Uw2QOkn8srU=\n",
		FOO_TEXT "\n\xe2\x80\x94 a Uw2QOg==\n", /* a key id and no signature */
		FOO_TEXT "\n\xe2\x80\x94 a Uw2Q\n",
		FOO_TEXT "\n\xe2\x80\x94 a Uw2QOkn8srU\n",
		FOO_TEXT "\n\xe2\x80\x94 a Uw2QOkn8srU= \n",
		FOO_TEXT "\n\xe2\x80\x94 a  Uw2QOkn8srU=\n",
		FOO_TEXT "\n\xe2\x80\x94 a Uw2QOkn8srU=\r\n",
		"a\tb\n\n" FOO_LINE, "a\x1b" "b\n\n" FOO_LINE, "a\xff" "b\n\n" FOO_LINE, "a\r\n\n" FOO_LINE,
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (open_with(view_str(bad[i]), &key, 1) != NOTE_MALFORMED)
			fail_msg("case %zu: %s", i, bad[i]);
	}
	/* Without its last line end the whole is none, whoever signed. */
	struct view good = view_str(FOO_TEXT "\n" FOO_LINE);
	assert_int_equal(open_with(view_of(good.p, good.n - 1), &key, 1), NOTE_MALFORMED);
	assert_int_equal(open_with(view_of(FOO_TEXT "\0\n\n" FOO_LINE, good.n + 2), &key, 1), NOTE_MALFORMED);
}

static void
test_verifier_rules(void **state)
{
	(void)state;
	struct note_key foo = key_of(FOO_VKEY), peter = key_of(PETER_VKEY);
	struct note_key both[2] = { foo, peter };
	struct note_signer other, namesake;
	struct note_opened o;
	struct writer w;

	/* None known: refused, and so is a note nobody is asked about. */
	assert_int_equal(open_with(view_str(FOO_TEXT "\n" FOO_LINE), &peter, 1), NOTE_NO_KNOWN_KEY);
	assert_int_equal(open_with(view_str(FOO_TEXT "\n" FOO_LINE), NULL, 0), NOTE_NO_KNOWN_KEY);

	/* A known key's bad signature spoils a note that another known key signed well. */
	writer_init(&w, 65536);
	writer_text(&w, FOO_TEXT "\n" FOO_LINE PETER_LINE);
	assert_int_equal(open_with(writer_view(&w), both, 2), NOTE_BAD_SIGNATURE);
	/* Unknown, it is ignored. */
	assert_int_equal(note_open(writer_view(&w), &foo, 1, &o), 0);
	assert_int_equal(o.outcome, NOTE_VERIFIED);
	assert_int_equal(o.unknown, 1);

	/* Same name, other id: unknown, hence ignored. */
	assert_int_equal(note_signer_generate("example.com/foo", NOTE_TYPE_ED25519, &namesake), 0);
	assert_int_equal(note_signer_generate("other", NOTE_TYPE_ED25519, &other), 0);
	writer_reset(&w);
	assert_int_equal(note_sign(view_str(FOO_TEXT), &namesake, &w), 0);
	assert_int_equal(open_with(writer_view(&w), &foo, 1), NOTE_NO_KNOWN_KEY);
	assert_int_equal(open_with(writer_view(&w), &namesake.key, 1), NOTE_VERIFIED);
	writer_text(&w, FOO_LINE);
	assert_int_equal(open_with(writer_view(&w), &foo, 1), NOTE_VERIFIED);

	/* Two lines of one key: both have to hold. */
	writer_text(&w, FOO_LINE);
	assert_int_equal(open_with(writer_view(&w), &foo, 1), NOTE_VERIFIED);
	assert_true(w.p[w.n - 3] == 'M');
	w.p[w.n - 4] = 'A'; /* a good line is followed by a bad one of the same key */
	assert_int_equal(open_with(writer_view(&w), &foo, 1), NOTE_BAD_SIGNATURE);

	/* Two given keys that a line could not tell apart are the caller's mistake. */
	both[1] = foo;
	both[1].key[0] ^= 1;
	assert_int_equal(note_open(writer_view(&w), both, 2, &o), FG_EINVAL);
	writer_free(&w);
}

static void
test_every_flipped_bit(void **state)
{
	(void)state;
	struct note_key key = key_of(FOO_VKEY);
	char note[] = FOO_TEXT "\n" FOO_LINE;
	for (size_t i = 0; i < (sizeof note - 1) * 8; i++) {
		note[i / 8] ^= (char)(1u << i % 8);
		assert_int_not_equal(open_with(view_of(note, sizeof note - 1), &key, 1), NOTE_VERIFIED);
		note[i / 8] ^= (char)(1u << i % 8);
	}
	assert_int_equal(open_with(view_of(note, sizeof note - 1), &key, 1), NOTE_VERIFIED);
}

static void
test_counts_and_sizes(void **state)
{
	(void)state;
	struct note_key key = key_of(FOO_VKEY);
	struct writer w;
	writer_init(&w, 2 * NOTE_SIZE_MAX);
	for (unsigned lines = 15; lines <= NOTE_SIGS_MAX; lines++) {
		writer_reset(&w);
		writer_text(&w, FOO_TEXT "\n");
		for (unsigned i = 0; i + 1 < lines; i++)
			writer_textf(&w, "\xe2\x80\x94 witness%u.example Uw2QOkn8srU=\n", i);
		writer_text(&w, FOO_LINE);
		bool fits = lines <= NOTE_SIGS_MAX;
		assert_int_equal(open_with(writer_view(&w), &key, 1), fits ? NOTE_VERIFIED : NOTE_MALFORMED);
	}
	writer_text(&w, FOO_LINE);
	assert_int_equal(open_with(writer_view(&w), &key, 1), NOTE_MALFORMED);

	struct note_signer signer;
	struct note_opened o;
	assert_int_equal(note_signer_generate("big", NOTE_TYPE_ED25519, &signer), 0);
	writer_reset(&w);
	for (unsigned i = 0; i < NOTE_SIZE_MAX - 1000; i++)
		writer_u8(&w, i % 80 == 79 ? '\n' : 'x');
	writer_text(&w, "\n");
	uint8_t *text = NULL;
	size_t n;
	text = writer_take(&w, &n);
	writer_init(&w, 2 * NOTE_SIZE_MAX);
	assert_int_equal(note_sign(view_of(text, n), &signer, &w), 0);
	assert_int_equal(note_open(writer_view(&w), &signer.key, 1, &o), 0);
	assert_int_equal(o.outcome, NOTE_VERIFIED);
	assert_int_equal(o.text.n, n);
	while (w.n <= NOTE_SIZE_MAX)
		writer_text(&w, "\xe2\x80\x94 witness.example Uw2QOkn8srU=\n");
	assert_int_equal(open_with(writer_view(&w), &signer.key, 1), NOTE_MALFORMED);
	free(text);
	writer_free(&w);
}

/* The text may hold empty lines; the last one divides. */
static void
test_empty_lines(void **state)
{
	(void)state;
	static const char *const texts[] = { "\n", "\n\n", "a\n\n\nb\n", "a\n\n" };
	struct note_signer signer;
	assert_int_equal(note_signer_generate("x", NOTE_TYPE_ED25519, &signer), 0);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct writer w;
		struct note_opened o;
		writer_init(&w, 4096);
		assert_int_equal(note_sign(view_str(texts[i]), &signer, &w), 0);
		assert_int_equal(note_open(writer_view(&w), &signer.key, 1, &o), 0);
		assert_int_equal(o.outcome, NOTE_VERIFIED);
		assert_true(view_is(o.text, texts[i]));
		writer_free(&w);
	}
	struct writer w;
	writer_init(&w, 4096);
	assert_int_equal(note_sign(view_str(""), &signer, &w), FG_EINVAL);
	assert_int_equal(note_sign(view_str("no line end"), &signer, &w), FG_EINVAL);
	assert_int_equal(note_sign(view_str("tab\t\n"), &signer, &w), FG_EINVAL);
	assert_int_equal(note_sign(view_str("latin \xe9\n"), &signer, &w), FG_EINVAL);
	assert_int_equal(w.n, 0);
	writer_free(&w);
}

static void
test_cosignatures(void **state)
{
	(void)state;
	const char text[] = "gw.example/log\n1\nlAqkv4uGlAqkv4uGlAqkv4uGlAqkv4uGlAqkv4uGlAo=\n";
	struct note_signer log, witness;
	struct note_opened o;
	struct writer w;
	assert_int_equal(note_signer_generate("gw.example/log", NOTE_TYPE_ED25519, &log), 0);
	assert_int_equal(note_signer_generate("witness.example", NOTE_TYPE_COSIGNATURE, &witness), 0);
	writer_init(&w, 8192);
	note_cosignature_message(view_str(text), 1767225600, &w);
	assert_true(w.n == 31 + strlen(text));
	assert_memory_equal(w.p, "cosignature/v1\ntime 1767225600\ngw.example/log\n1\n", 48);
	writer_reset(&w);

	assert_int_equal(note_sign(view_str(text), &witness, &w), FG_EINVAL);
	assert_int_equal(note_cosign(view_str(text), &log, 1, &w), FG_EINVAL);
	assert_int_equal(note_sign(view_str(text), &log, &w), 0);
	assert_int_equal(note_cosign(view_str(text), &witness, 1767225600, &w), 0);
	assert_int_equal(note_cosign(view_str(text), &witness, 1767229200, &w), 0);
	struct note_key keys[2] = { log.key, witness.key };
	assert_int_equal(note_open(writer_view(&w), keys, 2, &o), 0);
	assert_int_equal(o.outcome, NOTE_VERIFIED);
	assert_true(o.signed_by[0] && o.signed_by[1]);
	assert_int_equal(o.signed_at[0], 0);
	assert_int_equal(o.signed_at[1], 1767229200);

	/* The time is signed: another one is a bad signature. Byte 4 of the blob is its top. */
	writer_reset(&w);
	assert_int_equal(note_sign(view_str(text), &log, &w), 0);
	size_t at = w.n + strlen("\xe2\x80\x94 witness.example ") + 10;
	assert_int_equal(note_cosign(view_str(text), &witness, 1767225600, &w), 0);
	w.p[at] = w.p[at] == 'A' ? 'B' : 'A';
	assert_int_equal(open_with(writer_view(&w), keys, 2), NOTE_BAD_SIGNATURE);

	/* One key of both types has two ids, and neither signature passes for the other. */
	struct note_key plain;
	assert_int_equal(note_key_make("witness.example", NOTE_TYPE_ED25519, witness.key.key, &plain), 0);
	assert_true(plain.id != witness.key.id);
	struct writer v;
	writer_init(&v, 512);
	note_key_write(&witness.key, &v);
	struct note_key back;
	assert_int_equal(note_key_parse(writer_view(&v), &back), 0);
	assert_true(note_key_equal(&back, &witness.key));
	writer_free(&v);
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_examples),
		cmocka_unit_test(test_same_bytes_as_go),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_malformed_notes),
		cmocka_unit_test(test_verifier_rules),
		cmocka_unit_test(test_every_flipped_bit),
		cmocka_unit_test(test_counts_and_sizes),
		cmocka_unit_test(test_empty_lines),
		cmocka_unit_test(test_cosignatures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
