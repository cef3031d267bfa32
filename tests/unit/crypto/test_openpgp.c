/* SPDX-License-Identifier: Apache-2.0 */
/* Every case of tests/vectors/openpgp.py; gpgv judges the same files in tests/integration/test_openpgp.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/openpgp.h"
#include "crypto/pgpcert.h"
#include "crypto/writer.h"
#include "unit/crypto/pki.h"

#define AT INT64_C(1750000000) /* of openpgp.py */

static struct pki_blob
made(const char *name, const char *suffix)
{
	char path[128];
	snprintf(path, sizeof path, "openpgp/%s%s%s", name, suffix[0] ? "." : "", suffix);
	return pki_load(path);
}

static int
enrol(struct trust *t, const char *name, struct view key, char why[SIG_TEXT_MAX])
{
	why[0] = '\0';
	assert_true(key.n == 0 || pgpcert_recognise(key));
	return trust_add_pem(t, name, key, TRUST_SCHEME_NONE, why, SIG_TEXT_MAX);
}

/* Judges over doc; false: not even read, and why says so. */
static bool
judge(struct view sig, const struct trust *t, struct view doc, int64_t at, struct sig_set *ret, char why[SIG_TEXT_MAX])
{
	enum digest_alg algs[DIGEST_LIMIT];
	struct digest *running[DIGEST_LIMIT] = { NULL };
	struct openpgp *o;
	int err = openpgp_open(sig, &o, why, SIG_TEXT_MAX);
	*ret = (struct sig_set){ .n = 0 };
	if (err) {
		assert_int_equal(err, FG_EFORMAT);
		return false;
	}
	unsigned n = openpgp_digests(o, algs);
	for (unsigned i = 0; i < n; i++) {
		running[algs[i]] = digest_new(algs[i]);
		assert_non_null(running[algs[i]]);
		assert_int_equal(digest_update(running[algs[i]], doc), 0);
	}
	assert_int_equal(openpgp_judge(o, t, 0, at, running, ret), 0);
	for (unsigned i = 0; i < n; i++)
		digest_free(running[algs[i]]);
	openpgp_free(o);
	return true;
}

/* In one word, as the story's judge reads it off a report. */
static const char *
answer(struct view key, struct view sig, struct view doc, char why[SIG_TEXT_MAX])
{
	static struct sig_set set;
	struct trust *t = trust_new();
	const char *word = "refused";
	int err = enrol(t, "vendor", key, why);
	if (!err && !openpgp_recognise(sig))
		word = sig.n ? "raw" : "invalid";
	else if (!err && !judge(sig, t, doc, AT, &set, why))
		word = "invalid";
	else if (!err) {
		assert_int_equal(set.n, 1);
		word = sig_outcome_name(set.result[0].outcome);
		snprintf(why, SIG_TEXT_MAX, "%s", set.result[0].detail);
		assert_string_equal(set.result[0].scheme, "openpgp");
		assert_true(set.result[0].outcome != SIG_VERIFIED || set.result[0].signer.have_spki);
		assert_true(set.result[0].outcome != SIG_WEAK || set.result[0].reasons & SIG_REASON_WEAK_DIGEST);
	}
	trust_free(t);
	return word;
}

static void
every_case_is_answered_as_expected(void **state)
{
	struct pki_blob doc = made("doc", ""), list = made("cases", "");
	unsigned n = 0;
	char *text = strndup((char *)list.p, list.n), *rest = text;
	(void)state;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *word = line, *name = strsep(&word, " "), *ours = word ? strsep(&word, " ") : NULL, why[SIG_TEXT_MAX];
		if (!ours || line[0] == '#')
			continue;
		struct pki_blob key = made(name, "key"), sig = made(name, "sig");
		const char *is = answer(pki_view(&key), pki_view(&sig), pki_view(&doc), why);
		if (strcmp(is, strcmp(ours, "opaque") == 0 ? "raw" : ours) != 0)
			fail_msg("%s: %s, not %s: %s", name, is, ours, why);
		free(key.p);
		free(sig.p);
		n++;
	}
	assert_true(n > 90);
	free(text);
	free(list.p);
	free(doc.p);
}

static struct trust *
trusting(const char *name)
{
	struct pki_blob key = made(name, "key");
	char why[SIG_TEXT_MAX];
	struct trust *t = trust_new();
	if (enrol(t, name, pki_view(&key), why))
		fail_msg("%s: %s", name, why);
	free(key.p);
	return t;
}

/* How much of it is anybody's to choose. */
static const char *
openness(struct view sig)
{
	char why[SIG_TEXT_MAX];
	struct openpgp *o;
	if (openpgp_open(sig, &o, why, sizeof why))
		return "unread";
	const char *word = openpgp_is_closed(o) ? "closed" : openpgp_is_lean(o) ? "lean" : "loose";
	assert_true(openpgp_is_lean(o) || !openpgp_is_closed(o));
	openpgp_free(o);
	return word;
}

/* Of the document no byte may change; of the signature only what nobody signed: its heads and the other area. */
static void
no_changed_byte_verifies(void **state)
{
	struct pki_blob doc = made("doc", ""), sig = made("plain", "sig");
	struct trust *t = trusting("plain");
	struct sig_set *set = calloc(1, sizeof *set);
	char why[SIG_TEXT_MAX];
	size_t free_bytes = 0;
	(void)state;
	for (size_t i = 0; i < doc.n; i += 97) {
		doc.p[i] ^= 1;
		assert_true(judge(pki_view(&sig), t, pki_view(&doc), AT, set, why));
		assert_int_equal(set->result[0].outcome, SIG_INVALID);
		doc.p[i] ^= 1;
	}
	for (size_t i = 0; i < sig.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			sig.p[i] ^= (uint8_t)(1 << bit);
			bool verified = judge(pki_view(&sig), t, pki_view(&doc), AT, set, why) &&
			                set->result[0].outcome == SIG_VERIFIED;
			free_bytes += verified;
			if (verified)
				assert_string_equal(openness(pki_view(&sig)), "loose");
			sig.p[i] ^= (uint8_t)(1 << bit);
		}
	/* Of the issuer's subpacket its type, seven bits of which can be another harmless one's. */
	assert_in_range(free_bytes, 0, 8);
	for (size_t n = 0; n < sig.n; n++)
		assert_false(judge(view_of(sig.p, n), t, pki_view(&doc), AT, set, why) && set->result[0].outcome == SIG_VERIFIED);
	free(set);
	free(doc.p);
	free(sig.p);
	trust_free(t);
}

#define AREA 6 /* of a packet by openpgp.py: its head; then version, type, algorithms, and the hashed area */

/* The signature of "plain" with others' words in the area that nobody signs. */
static void
with_area(struct writer *w, struct view sig, struct view area)
{
	size_t at = AREA + 6 + ((size_t)sig.p[AREA + 4] << 8 | sig.p[AREA + 5]);
	size_t old = (size_t)sig.p[at] << 8 | sig.p[at + 1], body = sig.n - AREA - old + area.n;
	writer_init(w, OPENPGP_FILE_MAX);
	writer_bytes(w, view_of(sig.p, 2));
	writer_u32(w, (uint32_t)body);
	writer_bytes(w, view_of(sig.p + AREA, at - AREA));
	writer_u16(w, (uint16_t)area.n);
	writer_bytes(w, area);
	writer_bytes(w, view_of(sig.p + at + 2 + old, sig.n - at - 2 - old));
}

/* They verify as before; but only the signer's own name, once in each form, leaves nobody a choice. */
static void
words_that_nobody_signed_are_seen(void **state)
{
	static const struct {
		const char *area, *openness; /* i, f: the issuer's ID and fingerprint; other: see below */
		bool verified;
	} table[] = {
		{ "i", "closed", true },
		{ "f", "closed", true },
		{ "if", "closed", true },
		{ "fi", "closed", true },
		{ "ii", "loose", true },
		{ "iff", "loose", true },
		{ "I", "loose", true },  /* critical */
		{ "i5", "loose", true }, /* fingerprint of a key of another version: not read */
		{ "i6", "loose", true }, /* the same, and long */
		{ "in", "loose", true }, /* a notation */
		{ "ie", "loose", true }, /* an embedded signature */
		{ "xi", "loose", true }, /* the last name counts, and another stands before it */
		{ "ix", "loose", false },
	};
	struct pki_blob doc = made("doc", ""), sig = made("plain", "sig"), key = made("plain", "key");
	struct view v = pki_view(&sig);
	struct trust *t = trusting("plain");
	struct sig_set *set = calloc(1, sizeof *set);
	uint8_t fpr[DIGEST_LEN_MAX], head[3] = { 0x99, key.p[4], key.p[5] };
	size_t body = (size_t)key.p[4] << 8 | key.p[5];
	struct digest *d = digest_new(DIGEST_SHA1);
	(void)state;
	assert_int_equal(digest_update(d, view_of(head, sizeof head)), 0);
	assert_int_equal(digest_update(d, view_of(key.p + AREA, body)), 0);
	assert_int_equal(digest_final(d, fpr), 0);
	digest_free(d);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		static const uint8_t noise[300];
		char why[SIG_TEXT_MAX];
		struct writer area, w;
		writer_init(&area, 4096);
		for (const char *c = table[i].area; *c; c++) {
			bool fingerprint = *c == 'f' || *c == '5', name = *c == 'i' || *c == 'I' || *c == 'x';
			writer_u8(&area, name ? 9 : fingerprint ? 22 : 255);
			if (!name && !fingerprint)
				writer_u32(&area, 1 + sizeof noise);
			writer_u8(&area, *c == 'I' ? 16 | 0x80 : name ? 16 : *c == 'n' ? 20 : *c == 'e' ? 32 : 33);
			if (fingerprint)
				writer_u8(&area, *c == '5' ? 5 : 4);
			writer_bytes(&area, *c == 'x'     ? view_of(noise, 8)
			                        : name        ? view_of(fpr + 12, 8)
			                        : fingerprint ? view_of(fpr, 20)
			                                      : view_of(noise, sizeof noise));
		}
		with_area(&w, v, writer_view(&area));
		assert_true(judge(writer_view(&w), t, pki_view(&doc), AT, set, why));
		assert_int_equal(set->n, 1);
		if ((set->result[0].outcome == SIG_VERIFIED) != table[i].verified ||
		    strcmp(openness(writer_view(&w)), table[i].openness) != 0)
			fail_msg("%s: %s, %s", table[i].area, set->result[0].detail, openness(writer_view(&w)));
		writer_free(&area);
		writer_free(&w);
	}
	free(set);
	trust_free(t);
	free(doc.p);
	free(sig.p);
	free(key.p);
}

/* n digits a line, with others' words behind the first line and at the end. */
static void
armoured(struct writer *w, struct view packets, size_t n, const char *head, const char *eol, const char *end)
{
	struct writer digits;
	writer_init(&digits, OPENPGP_FILE_MAX);
	base64_encode(packets, &digits);
	struct view rest = writer_view(&digits);
	writer_init(w, OPENPGP_FILE_MAX);
	writer_bytes(w, view_str("-----BEGIN PGP SIGNATURE-----\n"));
	writer_bytes(w, view_str(head));
	writer_bytes(w, view_str("\n"));
	for (size_t k; rest.n > 0; rest = view_of(rest.p + k, rest.n - k)) {
		k = rest.n < n ? rest.n : n;
		writer_bytes(w, view_of(rest.p, k));
		writer_bytes(w, view_str(eol));
	}
	writer_bytes(w, view_str("-----END PGP SIGNATURE-----\n"));
	writer_bytes(w, view_str(end));
	writer_free(&digits);
}

static void
and_so_are_those_of_an_armour(void **state)
{
	static const char marker[] = "\xca\x03PGP", other[] = "\xca\x03PGQ";
	char spaces[66];
	struct pki_blob sig = made("plain", "sig");
	struct writer w, more;
	(void)state;
	memset(spaces, ' ', 65);
	spaces[65] = '\0';
	const struct {
		const char *head, *eol, *end, *openness;
		size_t n;
	} table[] = {
		{ "", "\n", "", "closed", 64 },
		{ "", "\n", "", "closed", 76 },
		{ "", "\r\n", "", "closed", 64 },
		{ "", " \n", "", "lean", 64 },
		{ "", "\n", " ", "lean", 64 },
		{ "", "\n", spaces, "loose", 64 },
		{ "Version: GnuPG v1\n", "\n", "", "lean", 64 },
		{ "Comment: 0123456789012345678901234567890123456789012345678901234567890123456789\n", "\n", "", "loose", 64 },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		armoured(&w, pki_view(&sig), table[i].n, table[i].head, table[i].eol, table[i].end);
		if (strcmp(openness(writer_view(&w)), table[i].openness) != 0)
			fail_msg("%zu: %s", i, openness(writer_view(&w)));
		writer_free(&w);
	}
	/* Where lines end could say something, too: the second four digits shorter, the third as much longer. */
	armoured(&w, pki_view(&sig), 64, "", "\n", "");
	struct view text = writer_view(&w);
	size_t first = strlen("-----BEGIN PGP SIGNATURE-----\n\n"); /* digits */
	uint8_t *at = memcpy(malloc(text.n), text.p, text.n);
	memmove(at + first + 65 + 61, text.p + first + 65 + 60, 4);
	at[first + 65 + 60] = '\n';
	assert_string_equal(openness(view_of(at, text.n)), "lean");
	free(at);
	writer_free(&w);
	for (unsigned k = 0; k < 2; k++) {
		writer_init(&more, OPENPGP_FILE_MAX);
		writer_bytes(&more, view_of((const uint8_t *)(k ? other : marker), 5));
		writer_bytes(&more, pki_view(&sig));
		armoured(&w, writer_view(&more), 64, "", "\n", "");
		assert_string_equal(openness(writer_view(&w)), k ? "unread" : "loose");
		writer_free(&w);
		writer_free(&more);
	}
	free(sig.p);
}

static void
several_signatures_have_a_result_each(void **state)
{
	struct pki_blob doc = made("doc", ""), a = made("plain", "sig"), b = made("digest-sha1", "sig"), c = made("text", "sig");
	struct trust *t = trusting("plain");
	struct sig_set *set = calloc(1, sizeof *set);
	char why[SIG_TEXT_MAX];
	struct writer w;
	(void)state;
	writer_init(&w, OPENPGP_FILE_MAX);
	writer_bytes(&w, pki_view(&b));
	writer_bytes(&w, pki_view(&a));
	writer_bytes(&w, pki_view(&c));
	assert_true(judge(writer_view(&w), t, pki_view(&doc), AT, set, why));
	assert_int_equal(set->n, 3);
	assert_int_equal(set->result[0].outcome, SIG_UNTRUSTED);
	assert_int_equal(set->result[1].outcome, SIG_VERIFIED);
	assert_int_equal(set->result[2].outcome, SIG_INVALID);
	assert_false(set->overflow);
	while (writer_view(&w).n < 17 * a.n + 1000)
		writer_bytes(&w, pki_view(&a));
	assert_true(judge(writer_view(&w), t, pki_view(&doc), AT, set, why));
	assert_int_equal(set->n, SIG_SIGNERS_MAX);
	assert_true(set->overflow);
	writer_free(&w);
	free(set);
	free(a.p);
	free(b.p);
	free(c.p);
	free(doc.p);
	trust_free(t);
}

/* A second file with the same key: what its owner said last counts, and a revocation wherever it is. */
static void
the_last_word_of_an_owner_counts(void **state)
{
	static const struct {
		const char *first, *second;
		enum sig_outcome outcome;
	} table[] = {
		{ "plain", "revoked", SIG_REVOKED }, { "revoked", "plain", SIG_REVOKED },
		{ "plain", "key-cut-short", SIG_EXPIRED }, { "key-cut-short", "plain", SIG_EXPIRED },
		{ "key-ran-out", "key-renewed", SIG_VERIFIED }, { "key-renewed", "key-ran-out", SIG_VERIFIED },
	};
	struct pki_blob doc = made("doc", ""), sig = made("plain", "sig");
	struct sig_set *set = calloc(1, sizeof *set);
	char why[SIG_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct trust *t = trusting(table[i].first);
		struct pki_blob key = made(table[i].second, "key");
		assert_int_equal(enrol(t, "second", pki_view(&key), why), 0);
		assert_int_equal(trust_keys(t), 2);
		assert_int_equal(enrol(t, "third", pki_view(&key), why), 0); /* the same again */
		assert_int_equal(trust_keys(t), 2);
		assert_true(judge(pki_view(&sig), t, pki_view(&doc), AT, set, why));
		if (set->result[0].outcome != table[i].outcome)
			fail_msg("%s, %s: %s", table[i].first, table[i].second, set->result[0].detail);
		free(key.p);
		trust_free(t);
	}
	free(set);
	free(doc.p);
	free(sig.p);
}

static void
such_a_key_counts_in_its_own_form_only(void **state)
{
	struct trust *t = trusting("plain");
	const struct trust_key *key = trust_key_at(t, 0);
	(void)state;
	assert_int_equal(trust_keys(t), 1);
	assert_int_equal(key->tool, TRUST_TOOL_OPENPGP);
	assert_false(trust_key_for(key, TRUST_TOOL_ANY));
	assert_false(trust_key_for(key, TRUST_TOOL_MINISIGN));
	assert_false(trust_key_for(key, TRUST_TOOL_OPENSSH));
	trust_free(t);
}

static void
a_refusal_says_why(void **state)
{
	static const struct {
		const char *name, *word;
	} table[] = {
		{ "private-key", "private key" }, { "dsa", "not supported" }, { "rsa1024", "1024" },
		{ "certified-with-sha1", "weak digest" }, { "bare-key", "nothing that the key says" },
		{ "subkey-not-signed-back", "no key in it may sign" }, { "version-3-key", "version 3" },
		{ "revoked-by-another", "revocation" },
	};
	char why[SIG_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct pki_blob key = made(table[i].name, "key");
		struct trust *t = trust_new();
		assert_int_equal(enrol(t, "x", pki_view(&key), why), FG_EINVAL);
		if (!strstr(why, table[i].word))
			fail_msg("%s: %s", table[i].name, why);
		assert_int_equal(trust_keys(t), 0);
		/* Nor in any cut of it, nor with anything behind it. */
		for (size_t n = 0; n < key.n; n += 7)
			assert_int_not_equal(trust_add_pem(t, "x", view_of(key.p, n), TRUST_SCHEME_NONE, why, sizeof why), 0);
		trust_free(t);
		free(key.p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_answered_as_expected),
		cmocka_unit_test(no_changed_byte_verifies),
		cmocka_unit_test(words_that_nobody_signed_are_seen),
		cmocka_unit_test(and_so_are_those_of_an_armour),
		cmocka_unit_test(several_signatures_have_a_result_each),
		cmocka_unit_test(the_last_word_of_an_owner_counts),
		cmocka_unit_test(such_a_key_counts_in_its_own_form_only),
		cmocka_unit_test(a_refusal_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
