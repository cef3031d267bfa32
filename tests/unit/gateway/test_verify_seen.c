/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an auditor brings along: remembered states, receipts, witnesses, and the
 * question about one module. A gateway that tells two people two stories is
 * convicted by its own key.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/verify_rig.h"

#define WORDS_MAX 16
#define MODULE_1 "01010101010101010101010101010101"

/* The program over e/ with the trust file and these words; whole output in out. */
static int
verify(struct fixture *f, char *out, size_t cap, const char *const *words)
{
	const char *all[WORDS_MAX] = { 0 };
	char dir[128], trust[128];
	unsigned n = 3;
	snprintf(dir, sizeof dir, "%s", at(f, "e"));
	snprintf(trust, sizeof trust, "%s", at(f, "trust"));
	all[0] = dir;
	all[1] = "--trust";
	all[2] = trust;
	while (*words)
		all[n++] = *words++;
	return run(f, all, out, cap);
}

#define EXPECT(f, status, word, ...)                                                              \
	do {                                                                                      \
		char out_[65536];                                                                 \
		int got_ = verify(f, out_, sizeof out_, (const char *const[]){ __VA_ARGS__, NULL }); \
		if (got_ != (status) || !strstr(out_, word))                                      \
			fail_msg("status %d for %d, and \"%s\" in:\n%s", got_, status, word, out_); \
	} while (0)

/* A release, granted to module 1 and served; then n entries that differ by word. */
static void
tell(struct fixture *f, unsigned n, const char *word)
{
	make_release(f);
	log_release(f);
	put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj);
	put_module(f, ENTRY_DEVICE_SERVED, 1, f->obj);
	for (unsigned i = 0; i < n; i++)
		put_event(f, ENTRY_AUTH_OK, word);
}

/* The checkpoint as it is now, signed, under that name. */
static void
remember(struct fixture *f, const char *name)
{
	size_t n = 0;
	assert_int_equal(ledger_publish(f->l), 0);
	uint8_t *p = scratch_read(at(f, "e/checkpoint"), &n);
	assert_non_null(p);
	scratch_write(at(f, name), p, n);
	free(p);
}

static void
paths(const struct fixture *f, char (*ret)[300], const char *const *names)
{
	for (; *names; names++)
		snprintf(*ret++, sizeof *ret, "%s", at(f, *names));
}

static void
test_earlier_states(void **state)
{
	struct fixture *f = *state;
	char p[3][300];
	need_program(f);
	remember(f, "early");
	tell(f, 5, "x");
	remember(f, "later");
	put_event(f, ENTRY_AUTH_OK, "y");
	end(f);
	paths(f, p, (const char *const[]){ "early", "later", "e", NULL });
	EXPECT(f, 0, "a beginning of this log, 3 entries", "--seen", p[0], "--seen", p[1], "--seen", p[2]);
	assert_true(scratch_flip(p[0], 30, 1));
	EXPECT(f, 1, "no checkpoint of this log", "--seen", p[0]);
	EXPECT(f, 1, "not found", "--seen", "/nonexistent/checkpoint");
}

/* Another gateway of the same keys, which told something else. */
static struct fixture *
another(void)
{
	void *state = NULL;
	assert_int_equal(setup(&state), 0);
	return state;
}

static void
test_two_trees_of_one_size(void **state)
{
	struct fixture *f = *state, *g = another();
	char p[2][300], path[400];
	size_t n = 0;
	need_program(f);
	tell(f, 5, "x");
	tell(g, 5, "y");
	end(f);
	end(g);
	snprintf(p[0], sizeof p[0], "%s", at(g, "e/checkpoint"));
	snprintf(p[1], sizeof p[1], "%s", at(f, "evidence"));
	EXPECT(f, 1, "FORK: the log's key signed two trees of size 11", "--seen", p[0], "--evidence", p[1]);
	for (unsigned i = 0; i < 2; i++) { /* both notes are there, as they were signed */
		size_t m = 0;
		snprintf(path, sizeof path, "%s/fork-1.%s.note", p[1], i ? "second" : "first");
		uint8_t *kept = scratch_read(path, &n), *was = scratch_read(at(i ? f : g, "e/checkpoint"), &m);
		assert_true(kept && was && n == m && !memcmp(kept, was, n));
		free(kept);
		free(was);
	}
	EXPECT(f, 1, "\"forks\":1", "--seen", p[0], "--json");
	teardown((void **)&(void *){ g });
}

/* The one remembered is shorter: this log does not begin with it. */
static void
test_a_branch(void **state)
{
	struct fixture *f = *state, *g = another();
	char p[2][300], path[400];
	size_t n = 0;
	need_program(f);
	tell(f, 5, "x");
	tell(g, 3, "y");
	end(f);
	end(g);
	snprintf(p[0], sizeof p[0], "%s", at(g, "e"));
	snprintf(p[1], sizeof p[1], "%s", at(f, "evidence"));
	EXPECT(f, 1, "FORK: the log's key signed two trees of size 9", "--seen", p[0], "--evidence", p[1]);
	snprintf(path, sizeof path, "%s/fork-1.txt", p[1]);
	uint8_t *text = scratch_read(path, &n);
	assert_non_null(text);
	text[n] = '\0';
	assert_non_null(strstr((char *)text, "consistency proof"));
	free(text);
	/* And the other way round: what is remembered is longer. */
	snprintf(p[0], sizeof p[0], "%s", at(f, "e"));
	EXPECT(g, 1, "ROLLED BACK or cut", "--seen", p[0]);
	teardown((void **)&(void *){ g });
}

/* Two memories convict a gateway whose export is shorter than both. */
static void
test_two_memories(void **state)
{
	struct fixture *f = *state, *g = another(), *h = another();
	char p[2][300];
	need_program(f);
	tell(g, 9, "x");
	tell(h, 9, "y");
	end(f);
	end(g);
	end(h);
	snprintf(p[0], sizeof p[0], "%s", at(g, "e"));
	snprintf(p[1], sizeof p[1], "%s", at(h, "e"));
	EXPECT(f, 1, "FORK: the log's key signed two trees of size 15", "--seen", p[0], "--seen", p[1]);
	teardown((void **)&(void *){ g });
	teardown((void **)&(void *){ h });
}

static void
put_receipt(struct fixture *f, uint64_t index, const char *name)
{
	struct writer text, line, with, store;
	struct receipt r;
	writer_init(&text, RECEIPT_SIZE_MAX);
	writer_init(&line, ENTRY_MAX);
	writer_init(&with, RECEIPT_SIZE_MAX);
	writer_init(&store, RECEIPT_EXTRA_MAX);
	assert_int_equal(ledger_publish(f->l), 0);
	assert_int_equal(ledger_receipt(f->l, index, &text, &line), 0);
	assert_int_equal(receipt_parse(writer_view(&text), &store, &r), 0);
	r.extra = writer_view(&line);
	assert_int_equal(receipt_encode(&r, &with), 0);
	scratch_write(at(f, name), with.p, with.n);
	writer_free(&text);
	writer_free(&line);
	writer_free(&with);
	writer_free(&store);
}

static void
test_receipts(void **state)
{
	struct fixture *f = *state, *g = another();
	char p[2][300];
	need_program(f);
	tell(f, 2, "x");
	put_receipt(f, 4, "grant");
	put_event(f, ENTRY_AUTH_OK, "more");
	put_event(g, ENTRY_AUTH_OK, "lie");
	put_receipt(g, 3, "lie");
	end(f);
	end(g);
	snprintf(p[0], sizeof p[0], "%s", at(f, "grant"));
	snprintf(p[1], sizeof p[1], "%s", at(g, "lie"));
	EXPECT(f, 0, "entry 4 of this log", "--receipt", p[0], "--module", MODULE_1);
	EXPECT(f, 1, "entry 4 grants or serves nothing to that module", "--receipt", p[0], "--module",
	    "03030303030303030303030303030303");
	EXPECT(f, 1, "no receipt", "--receipt", at(f, "e/checkpoint"));
	EXPECT(f, 1, "entry 3 of this log is another one", "--receipt", p[1]);
	EXPECT(f, 1, "FORK", "--receipt", p[1]);
	for (off_t i = 0; i < 600; i += 37) {
		assert_true(scratch_flip(p[0], i, 1));
		EXPECT(f, 1, "not ok", "--receipt", p[0]);
		assert_true(scratch_flip(p[0], i, 1));
	}
	teardown((void **)&(void *){ g });
}

/* A statement that alice kept; and one that lies in the export unused. */
static void
test_signers_remember(void **state)
{
	struct fixture *f = *state;
	struct release_statement st = { 0 };
	char hex[DIGEST_HEX_LEN + 1], name[160], kept[300];
	need_program(f);
	tell(f, 2, "x");
	state_it(f, &f->alice, &f->alice, &st);
	end(f);
	hex_encode(st.statement, 32, hex);
	snprintf(name, sizeof name, "e/statements/%s.json", hex);
	snprintf(kept, sizeof kept, "%s", at(f, name));
	EXPECT(f, 0, "a beginning of this log, 8 entries", "--seen", kept);
	write_statement(f, people_statement(&f->alice, &f->terms, f->now, 0x55, 7, (const uint8_t[32]){ 7 }), &f->alice, &st);
	hex_encode(st.statement, 32, hex);
	snprintf(name, sizeof name, "e/statements/%s.json", hex);
	snprintf(kept, sizeof kept, "%s", at(f, name));
	EXPECT(f, 1, "FORK: alice@example.com signed over another log of 7 entries", "--json");
	EXPECT(f, 1, "was signed over another log of 7 entries", "--seen", kept);
	assert_int_equal(unlink(kept), 0);
	EXPECT(f, 1, "no good signature", "--json");
	snprintf(name, sizeof name, "e/statements/%s.sig", hex);
	assert_int_equal(unlink(at(f, name)), 0);
	write_statement(f, people_statement(&f->alice, &f->terms, f->now, 0x56, 700, (const uint8_t[32]){ 7 }), &f->alice, &st);
	EXPECT(f, 1, "ROLLED BACK or cut: alice@example.com saw a log of 700 entries", "--json");
}

/* ---- witnesses ---- */

static void
cosign(const struct fixture *f, const struct note_signer *w, uint64_t time)
{
	struct writer out;
	size_t n = 0;
	uint8_t *p = scratch_read(at(f, "e/checkpoint"), &n), *end = memmem(p, n, "\n\n", 2);
	writer_init(&out, NOTE_SIZE_MAX);
	writer_bytes(&out, view_of(p, n));
	assert_int_equal(note_cosign(view_of(p, (size_t)(end - p) + 1), w, time, &out), 0);
	scratch_write(at(f, "e/checkpoint"), out.p, out.n);
	writer_free(&out);
	free(p);
}

/* The trust file with these lines more. */
static void
trust_also(const struct fixture *f, const char *lines)
{
	uint8_t digest[32];
	char hex[DIGEST_HEX_LEN + 1], text[2048];
	digest_sha256(writer_view(&f->genesis), digest);
	hex_encode(digest, 32, hex);
	snprintf(text, sizeof text, "genesis sha256:%s\nlog %s\n%s", hex, f->g->log_vkey, lines);
	scratch_write(at(f, "trust"), text, strlen(text));
}

static void
test_witnesses(void **state)
{
	struct fixture *f = *state;
	struct note_signer one, two;
	struct writer k1, k2;
	char lines[1200], more[300];
	need_program(f);
	tell(f, 2, "x");
	end(f);
	assert_int_equal(note_signer_generate("w1.example", NOTE_TYPE_COSIGNATURE, &one), 0);
	assert_int_equal(note_signer_generate("w2.example", NOTE_TYPE_COSIGNATURE, &two), 0);
	writer_init(&k1, NOTE_VKEY_MAX);
	writer_init(&k2, NOTE_VKEY_MAX);
	note_key_write(&one.key, &k1);
	note_key_write(&two.key, &k2);
	snprintf(lines, sizeof lines, "witness w1 %.*s\nwitness w2 %.*s\n", (int)k1.n, (const char *)k1.p, (int)k2.n,
	    (const char *)k2.p);
	trust_also(f, lines);
	EXPECT(f, 1, "signed by 0 of your 2 witnesses", "--json");
	cosign(f, &one, 1767261600);
	EXPECT(f, 1, "signed by 1 of your 2 witnesses", "--json");
	snprintf(more, sizeof more, "%s", at(f, "policy"));
	scratch_write(more, "group g 1 w1 w2\nquorum g\n", 25);
	EXPECT(f, 0, "witnessed    by 1 of 2", "--trust", more);
	scratch_write(more, "quorum w2\n", 10);
	EXPECT(f, 1, "fewer than you demand", "--trust", more);
	scratch_write(more, "quorum none\n", 12);
	EXPECT(f, 0, "\nok\n", "--trust", more);
	scratch_write(more, "quorum w3\n", 10);
	EXPECT(f, 3, "policy:1", "--trust", more);
	scratch_write(more, "quorums w2\n", 11);
	EXPECT(f, 3, "unknown word", "--trust", more);
	cosign(f, &two, 1767261601);
	EXPECT(f, 0, "witnessed    by 2 of 2", "--evidence", "/nonexistent");
	/* Every byte of a named witness's line counts. */
	size_t n = 0;
	uint8_t *p = scratch_read(at(f, "e/checkpoint"), &n);
	free(p);
	for (size_t i = 1; i < 120; i++) {
		char path[300];
		snprintf(path, sizeof path, "%s", at(f, "e/checkpoint"));
		assert_true(scratch_flip(path, (off_t)(n - i), 1));
		EXPECT(f, 1, "checkpoint", "--json");
		assert_true(scratch_flip(path, (off_t)(n - i), 1));
	}
	writer_free(&k1);
	writer_free(&k2);
}

/* ---- one module ---- */

static void
test_one_module(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	tell(f, 2, "x");
	put_module(f, ENTRY_DEVICE_GRANT, 2, f->obj);
	put_module(f, ENTRY_DEVICE_FAILED, 2, f->obj);
	end(f);
	EXPECT(f, 0, "module " MODULE_1 " was granted 1 release, which was signed for; it was logged as served to the end 1 time "
	    "and broken off 0 times", "--module", MODULE_1);
	EXPECT(f, 0, "in entries 0 to 9 without a gap", "--module", MODULE_1);
	EXPECT(f, 0, "signed by alice@example.com, bob@example.com", "--module", MODULE_1);
	EXPECT(f, 0, "broken off 1 time", "--module", "02020202020202020202020202020202");
	EXPECT(f, 0, "was granted 0 releases; nothing was logged as served to it", "--module", "03030303030303030303030303030303");
	EXPECT(f, 0, "\"conclusion\":\"module " MODULE_1, "--module", MODULE_1, "--json");
	EXPECT(f, 2, "32 hex digits", "--module", "490154203237518");
}

/* What the log only counted is said where a conclusion is drawn. */
static void
test_counted_only(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	tell(f, 2, "x");
	struct entry e = { .ev = ENTRY_LOG_FLOOD, .obj = view_str("source:edge0"), .refs = 2 };
	e.ref[0] = (struct entry_ref){ view_str("count"), true, 17, { 0 } };
	e.ref[1] = (struct entry_ref){ view_str("event"), false, 0, view_str("device.served") };
	put(f, e);
	e.ref[1].text = view_str("device.seen");
	put(f, e);
	end(f);
	EXPECT(f, 0, "the ends of 17 downloads were only counted", "--module", MODULE_1);
	EXPECT(f, 0, "and 17 ends of downloads", "--trust", at(f, "trust"));
}

static void
test_no_conclusion_from_a_broken_story(void **state)
{
	struct fixture *f = *state;
	char out[65536];
	need_program(f);
	tell(f, 2, "x");
	put_module(f, ENTRY_DEVICE_SERVED, 9, f->obj);
	end(f);
	assert_int_equal(verify(f, out, sizeof out, (const char *const[]){ "--module", MODULE_1, NULL }), 1);
	assert_null(strstr(out, "without a gap"));
	assert_non_null(strstr(out, "served without a grant"));
}

/* ---- the folder ---- */

static void
test_texts_the_log_names(void **state)
{
	struct fixture *f = *state;
	uint8_t digest[32];
	char text[80] = "sha256:";
	need_program(f);
	digest_sha256(view_str("read me"), digest);
	hex_encode(digest, 32, text + 7);
	struct entry e = { .ev = ENTRY_LOG_EXPORTED, .obj = view_str("log"), .refs = 1 };
	e.ref[0] = (struct entry_ref){ view_str("text.0"), false, 0, view_str(text) };
	put(f, e);
	end(f);
	EXPECT(f, 0, "\nok\n", "--trust", at(f, "trust"));
	scratch_write(at(f, "e/VERIFY.md"), "read me", 7);
	EXPECT(f, 0, "\nok\n", "--trust", at(f, "trust"));
	scratch_write(at(f, "e/VERIFY.md"), "Read me", 7);
	EXPECT(f, 1, "VERIFY.md: nothing covers this file", "--json");
	scratch_write(at(f, "e/VERIFY.md"), "read me", 7);
	static const char *const strays[] = { "e/x", "e/tile/0/001", "e/tile/x", "e/signers/1.json", "e/signers/genesis.sig.3",
		"e/signers/x", "e/statements/x", "e/.hidden" };
	for (size_t i = 0; i < sizeof strays / sizeof strays[0]; i++) {
		scratch_write(at(f, strays[i]), "x", 1);
		EXPECT(f, 1, "not ok", "--trust", at(f, "trust"));
		assert_int_equal(unlink(at(f, strays[i])), 0);
	}
	assert_int_equal(symlink("checkpoint", at(f, "e/link")), 0);
	EXPECT(f, 1, "neither file nor folder", "--json");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_earlier_states), TEST(test_two_trees_of_one_size), TEST(test_a_branch), TEST(test_two_memories),
		TEST(test_receipts), TEST(test_signers_remember), TEST(test_witnesses), TEST(test_one_module),
		TEST(test_counted_only), TEST(test_no_conclusion_from_a_broken_story), TEST(test_texts_the_log_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
