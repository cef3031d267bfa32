/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/signers.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "crypto/policyset.h"
#include "unit/crypto/people.h"
#include "unit/crypto/sshtool.h"
#include "unit/crypto/token.h"

#define NS SIGNERS_NAMESPACE
#define HELLO "the message"

struct fixture {
	struct person alice, alice2, bob, carol, sk;
	struct signers set;
	char why[256];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->alice = people_make("alice@example.com", 1);
	f->alice2 = people_make("alice@example.com", 11);
	f->bob = people_make("bob@example.com", 2);
	f->carol = people_make("carol@example.com", 3);
	f->sk = people_sk("sven@example.com", 4);
	people_add(&f->set, &f->alice);
	people_add(&f->set, &f->alice2);
	people_add(&f->set, &f->bob);
	people_add(&f->set, &f->sk);
	f->set.threshold = 2;
	f->set.time = PEOPLE_T0;
	assert_int_equal(signers_check(&f->set, f->why, sizeof f->why), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

struct sigs {
	struct writer armour[8];
	struct signers_signature s[8];
	unsigned n;
};

static void
add(struct sigs *s, const struct person *p, const char *ns, struct view text, uint8_t flags)
{
	writer_init(&s->armour[s->n], SSHSIG_ARMOR_MAX);
	people_sign_with(p, ns, text, flags, &s->armour[s->n]);
	s->s[s->n].armour = writer_view(&s->armour[s->n]);
	s->n++;
}

static void
drop(struct sigs *s)
{
	for (unsigned i = 0; i < s->n; i++)
		writer_free(&s->armour[i]);
	*s = (struct sigs){ 0 };
}

static unsigned
count(struct fixture *f, const struct sigs *s, const char *text, int64_t now, const char *excluded)
{
	unsigned persons = 99, who[SIGNERS_MAX], n = 0;
	assert_int_equal(signers_count(&f->set, view_str(text), NS, now, s->s, s->n, &excluded, excluded ? 1 : 0, &persons,
	                     who, &n),
	    0);
	assert_int_equal(persons, n);
	return persons;
}

static void
test_persons(void **state)
{
	struct fixture *f = *state;
	struct sigs s = { 0 };
	assert_int_equal(signers_persons(&f->set), 3);
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 0);
	add(&s, &f->alice, NS, view_str(HELLO), 1);
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 1);
	add(&s, &f->alice, NS, view_str(HELLO), 1); /* the same signature again */
	add(&s, &f->alice2, NS, view_str(HELLO), 1); /* the same person with another key */
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 1);
	add(&s, &f->bob, NS, view_str(HELLO), 1);
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 2);
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, "alice@example.com"), 1);
	assert_int_equal(count(f, &s, "another message", PEOPLE_T0, NULL), 0);
	assert_int_equal(count(f, &s, "", PEOPLE_T0, NULL), 0);
	drop(&s);
}

static void
test_validity(void **state)
{
	struct fixture *f = *state;
	struct sigs s = { 0 };
	add(&s, &f->bob, NS, view_str(HELLO), 1);
	const struct signer *bob = &f->set.signer[2];
	assert_int_equal(count(f, &s, HELLO, bob->valid_after, NULL), 1);
	assert_int_equal(count(f, &s, HELLO, bob->valid_after - 1, NULL), 0);
	assert_int_equal(count(f, &s, HELLO, bob->valid_before - 1, NULL), 1);
	assert_int_equal(count(f, &s, HELLO, bob->valid_before, NULL), 0);
	drop(&s);
}

static void
test_presence(void **state)
{
	struct fixture *f = *state;
	struct sigs s = { 0 };
	add(&s, &f->sk, NS, view_str(HELLO), 0x00); /* nobody touched it: arithmetic holds all the same */
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 0);
	drop(&s);
	add(&s, &f->sk, NS, view_str(HELLO), 0x01);
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 1);
	f->set.signer[3].require_uv = true;
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 0);
	drop(&s);
	add(&s, &f->sk, NS, view_str(HELLO), 0x05);
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 1);
	drop(&s);
	/* The same point as a file key is another key: a set that lists the authenticator does not know it. */
	struct person plain = f->sk;
	plain.key.type = SSHKEY_ED25519;
	plain.key.application[0] = '\0';
	add(&s, &plain, NS, view_str(HELLO), 1);
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 0);
	drop(&s);
}

static void
test_namespace_and_junk(void **state)
{
	struct fixture *f = *state;
	struct sigs s = { 0 };
	add(&s, &f->bob, APPROVAL_NAMESPACE, view_str(HELLO), 1);
	add(&s, &f->carol, NS, view_str(HELLO), 1); /* not in the set */
	s.s[s.n++].armour = view_str("");
	s.s[s.n++].armour = view_str("-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n");
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 0);
	s.n -= 2;
	drop(&s);
	/* Every byte of an armour flipped: never counted for this message. */
	add(&s, &f->bob, NS, view_str(HELLO), 1);
	for (size_t i = 0; i < s.armour[0].n; i++) {
		s.armour[0].p[i] ^= 0x04;
		assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 0);
		s.armour[0].p[i] ^= 0x04;
	}
	drop(&s);
}

static void
test_sets_nobody_may_use(void **state)
{
	struct fixture *f = *state;
	struct signers good = f->set;
	struct signer *s = f->set.signer;
#define REFUSED(change)                                                                        \
	do {                                                                                   \
		f->set = good;                                                                 \
		change;                                                                        \
		f->why[0] = '\0';                                                              \
		assert_int_equal(signers_check(&f->set, f->why, sizeof f->why), FG_EINVAL);    \
		assert_true(f->why[0] != '\0');                                                \
	} while (0)
	static const char *const names[] = { "", "*", "*@example.com", "a?b", "a,b", "!a", "#a", "a b", "a\tb", "a\"b", "a'b",
		"a\\b", "a\x7f", "\xc3\xa9" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		REFUSED(snprintf(s[0].principal, sizeof s[0].principal, "%s", names[i]));
	REFUSED(s[2].key = s[0].key);
	REFUSED(memcpy(s[3].key.point, s[0].key.point, 32)); /* the same point behind another type */
	REFUSED(s[0].key.type = SSHKEY_NONE);
	REFUSED(s[0].valid_before = s[0].valid_after);
	REFUSED(s[0].valid_after = -1);
	REFUSED(s[0].valid_before = INT64_MAX);
	REFUSED(s[0].require_uv = true); /* of a file key */
	REFUSED(f->set.threshold = 4); /* three persons, four keys */
	REFUSED(f->set.threshold = 0);
	REFUSED(f->set.n = 0);
	REFUSED(f->set.n = SIGNERS_MAX + 1);
	REFUSED(f->set.time = 0);
	REFUSED(f->set.number = 1);
	REFUSED(snprintf(s[0].user, sizeof s[0].user, "op\n"));
	REFUSED(snprintf(s[0].user, sizeof s[0].user, "ops"); snprintf(s[2].user, sizeof s[2].user, "ops"));
	f->set = good;
	snprintf(s[0].user, sizeof s[0].user, "ops");
	snprintf(s[1].user, sizeof s[1].user, "ops"); /* one person's account on both keys */
	assert_int_equal(signers_check(&f->set, f->why, sizeof f->why), 0);
	assert_string_equal(signers_principal_of_user(&f->set, "ops"), "alice@example.com");
	assert_null(signers_principal_of_user(&f->set, ""));
	assert_null(signers_principal_of_user(&f->set, "nobody"));
}

static struct view
encode(const struct signers *s, struct writer *w)
{
	writer_reset(w);
	assert_int_equal(signers_encode(s, PEOPLE_ORIGIN, w), 0);
	return writer_view(w);
}

static int
parse(struct fixture *f, const char *text, size_t n)
{
	struct signers *out = calloc(1, sizeof *out);
	int err = signers_parse(view_of(text, n), PEOPLE_ORIGIN, out, f->why, sizeof f->why);
	free(out);
	return err;
}

static char *
replaced(struct view text, const char *from, const char *to)
{
	char *at = memmem(text.p, text.n, from, strlen(from)), *out = malloc(text.n + strlen(to) + 1);
	assert_non_null(at);
	size_t before = (size_t)(at - (const char *)text.p);
	memcpy(out, text.p, before);
	memcpy(out + before, to, strlen(to));
	memcpy(out + before + strlen(to), at + strlen(from), text.n - before - strlen(from));
	out[text.n - strlen(from) + strlen(to)] = '\0';
	return out;
}

static void
test_one_form(void **state)
{
	struct fixture *f = *state;
	struct writer w;
	struct signers *back = calloc(1, sizeof *back);
	writer_init(&w, SIGNERS_SET_BYTES_MAX);
	struct view text = encode(&f->set, &w);
	assert_int_equal(signers_parse(text, PEOPLE_ORIGIN, back, f->why, sizeof f->why), 0);
	assert_int_equal(back->n, 4);
	assert_memory_equal(back->signer, f->set.signer, 4 * sizeof back->signer[0]);
	assert_int_equal(signers_parse(text, "other.example.com/fotagate", back, f->why, sizeof f->why), FG_EFORMAT);
	static const char *const edits[][2] = {
		{ "{\"_type\"", "{ \"_type\"" },
		{ "\"threshold\":2", "\"threshold\":02" },
		{ "\"threshold\":2", "\"threshold\":2.0" },
		{ "\"threshold\":2", "\"threshold\":2,\"threshold\":2" },
		{ "\"number\":0", "\"number\":0,\"note\":1" },
		{ "\"threshold\":2", "\"threshold\":9" },
		{ "alice@example.com", "*@example.com" },
		{ "alice@example.com", "\\u0061lice@example.com" },
		{ "ssh-ed25519 ", "ssh-rsa " },
		{ "2026-01-01T10:00:00Z", "2026-01-01T10:00:00z" },
		{ "\"require_uv\":false", "\"require_uv\":0" },
		{ "urn:fotagate:signers:v1", "urn:fotagate:signers:v2" },
		{ "\"name\":\"signers\"", "\"name\":\"Signers\"" },
	};
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		char *changed = replaced(text, edits[i][0], edits[i][1]);
		assert_int_equal(parse(f, changed, strlen(changed)), FG_EFORMAT);
		free(changed);
	}
	/* Two members in another order. */
	char *moved = replaced(text, "\"principal\":\"alice@example.com\",\"require_uv\":false",
	    "\"require_uv\":false,\"principal\":\"alice@example.com\"");
	assert_int_equal(parse(f, moved, strlen(moved)), FG_EFORMAT);
	free(moved);
	/* A key of small order: anybody could sign under it. */
	char *low = malloc(text.n + 1), *key;
	memcpy(low, text.p, text.n);
	low[text.n] = '\0';
	key = strstr(low, "AAAAC3NzaC1lZDI1NTE5AAAAI");
	assert_non_null(key);
	memcpy(key, "AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 68);
	assert_int_equal(parse(f, low, text.n), FG_EFORMAT);
	free(low);
	free(back);
	writer_free(&w);
}

static void
test_next_set(void **state)
{
	struct fixture *f = *state;
	struct writer w, wn;
	struct sigs s = { 0 };
	struct signers *next = calloc(1, sizeof *next);
	writer_init(&w, SIGNERS_SET_BYTES_MAX);
	writer_init(&wn, SIGNERS_SET_BYTES_MAX);
	struct view old = encode(&f->set, &w);
	next->number = 1;
	next->threshold = 2;
	next->time = PEOPLE_T0 + 60;
	people_add(next, &f->bob);
	people_add(next, &f->carol);
	digest_sha256(old, next->previous);
	struct view text = encode(next, &wn);
#define NEXT() signers_check_next(&f->set, old, next, text, s.s, s.n, next->time, f->why, sizeof f->why)
	assert_int_equal(NEXT(), FG_EPERM);
	add(&s, &f->alice, NS, text, 1);
	add(&s, &f->bob, NS, text, 1);
	assert_int_equal(NEXT(), FG_EPERM); /* enough of the old, one of the new */
	add(&s, &f->carol, NS, text, 1);
	assert_int_equal(NEXT(), 0);
	struct sigs only = { .n = 2 };
	only.s[0] = s.s[1];
	only.s[1] = s.s[2];
	assert_int_equal(signers_check_next(&f->set, old, next, text, only.s, 2, next->time, f->why, sizeof f->why),
	    FG_EPERM); /* enough of the new, one of the old */
	next->number = 2;
	assert_int_equal(NEXT(), FG_EPERM);
	next->number = 1;
	next->previous[0] ^= 1;
	assert_int_equal(NEXT(), FG_EPERM);
	next->previous[0] ^= 1;
	next->time = PEOPLE_T0 - 1;
	assert_int_equal(NEXT(), FG_EPERM);
	next->time = PEOPLE_T0 + 60;
	f->set.number = UINT32_MAX;
	assert_int_equal(NEXT(), FG_EPERM);
	drop(&s);
	free(next);
	writer_free(&w);
	writer_free(&wn);
}

/* Stock ssh-keygen makes a signature that we count, and accepts ours with the lines we export. */
static void
test_ssh_keygen(void **state)
{
	struct fixture *f = *state;
	struct sshtool t;
	struct sigs s = { 0 };
	struct writer allowed;
	struct person tool = people_make("tool@example.com", 1);
	sshtool_open(&t);
	if (!t.have) {
		sshtool_close(&t);
		skip();
	}
	assert_int_equal(sshtool_run(&t, NULL, "-q -t ed25519 -N '' -f key"), 0);
	sshtool_put(&t, "msg", view_str(HELLO));
	assert_int_equal(sshtool_run(&t, NULL, "-Y sign -f key -n " NS " msg"), 0);
	assert_int_equal(sshkey_parse_line(sshtool_get(&t, "key.pub"), &tool.key, NULL, 0, NULL), 0);
	people_add(&f->set, &tool);
	s.s[s.n++].armour = sshtool_get(&t, "msg.sig");
	assert_int_equal(count(f, &s, HELLO, PEOPLE_T0, NULL), 1);
	assert_int_equal(count(f, &s, "no", PEOPLE_T0, NULL), 0);
	s.n = 0;
	writer_init(&allowed, 65536);
	assert_int_equal(signers_allowed(&f->set, NS, &allowed), 0);
	sshtool_put(&t, "allowed", writer_view(&allowed));
	add(&s, &f->bob, NS, view_str(HELLO), 1);
	sshtool_put(&t, "bob.sig", s.s[0].armour);
	assert_int_equal(sshtool_run(&t, "msg", "-Y verify -f allowed -I bob@example.com -n " NS
	                                        " -s bob.sig -Overify-time=20260201000000Z"), 0);
	assert_int_not_equal(sshtool_run(&t, "msg", "-Y verify -f allowed -I alice@example.com -n " NS
	                                            " -s bob.sig -Overify-time=20260201000000Z"), 0);
	assert_int_not_equal(sshtool_run(&t, "msg", "-Y verify -f allowed -I bob@example.com -n " NS
	                                            " -s bob.sig -Overify-time=20280201000000Z"), 0);
	writer_free(&allowed);
	drop(&s);
	sshtool_close(&t);
}

static void
test_which_sets_a_suspension_holds_under(void **state)
{
	struct fixture *f = *state;
	f->set.number = 6;
	assert_true(signers_suspension_holds(&f->set, 6, 0));
	assert_true(signers_suspension_holds(&f->set, 7, 0));
	assert_false(signers_suspension_holds(&f->set, 5, f->set.time - 1)); /* written by people who could know of it */
	assert_true(signers_suspension_holds(&f->set, 5, f->set.time));
	assert_true(signers_suspension_holds(&f->set, 5, f->set.time + 1));
}

/* Persons that a signature by t over HELLO counts for, made with those choices. */
static unsigned
passkey_counts(struct fixture *f, const struct token *t, const char *ns, struct token_choice c)
{
	struct writer blob, armour;
	struct signers_signature sig;
	unsigned persons = 99;
	bool passkey;
	c.type = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";
	c.namespace_ = ns;
	writer_init(&blob, SSHSIG_BLOB_MAX);
	writer_init(&armour, SSHSIG_ARMOR_MAX);
	token_blob(t, &c, view_str(HELLO), &blob);
	sshsig_armor(writer_view(&blob), &armour);
	sig.armour = writer_view(&armour);
	assert_int_equal(signers_is_passkey(sig.armour, &passkey), 0);
	assert_true(passkey);
	assert_int_equal(signers_count(&f->set, view_str(HELLO), ns, PEOPLE_T0, &sig, 1, NULL, 0, &persons, NULL, NULL), 0);
	writer_free(&armour);
	writer_free(&blob);
	return persons;
}

static void
test_passkeys(void **state)
{
	struct fixture *f = *state;
	struct token t = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID);
	const struct token_choice good = { .flags = SSHSIG_FLAG_UP | SSHSIG_FLAG_UV }, touched = { .flags = SSHSIG_FLAG_UP };
	struct person paula = f->bob;
	bool passkey = true;
	paula.key = t.key;
	snprintf(paula.name, sizeof paula.name, "paula@example.com");
	people_add(&f->set, &paula);
	assert_int_equal(passkey_counts(f, &t, APPROVAL_NAMESPACE, good), 0); /* no console */
	snprintf(f->set.console, sizeof f->set.console, "%s", TOKEN_SITE);
	assert_int_equal(passkey_counts(f, &t, APPROVAL_NAMESPACE, good), 1);
	assert_int_equal(passkey_counts(f, &t, APPROVAL_NAMESPACE, touched), 0);
	assert_int_equal(passkey_counts(f, &t, SIGNERS_NAMESPACE, good), 0);
	assert_int_equal(passkey_counts(f, &t, POLICYSET_NAMESPACE, good), 0);
	snprintf(f->set.console, sizeof f->set.console, "%s:8443", TOKEN_SITE);
	assert_int_equal(passkey_counts(f, &t, APPROVAL_NAMESPACE, good), 0);
	snprintf(f->set.console, sizeof f->set.console, "https://other.example");
	assert_int_equal(passkey_counts(f, &t, APPROVAL_NAMESPACE, good), 0);
	assert_int_equal(signers_is_passkey(view_str("no armour"), &passkey), 0);
	assert_false(passkey);
	EVP_PKEY_free(t.p256);
}

static void
test_origins_of_a_console(void **state)
{
	static const char *const good[] = { "https://gate.example", "https://gate.example:8443", "https://localhost:8443",
		"https://g", "https://10.gate", "https://a-b.c1" };
	static const char *const bad[] = { "", "https://", "http://gate.example", "https://Gate.example", "https://gate.example/",
		"https://gate.example:443", "https://gate.example:", "https://gate.example:0", "https://gate.example:08443",
		"https://gate.example:65536", "https://gate.example:8443x", "https://192.0.2.1", "https://[::1]:8443", "https://.gate",
		"https://gate.", "https://a..b", "https://-a.b", "https://a-.b", "https://a b", "https://a\"b", "https://u@gate.example" };
	char lengthy[SIGNERS_CONSOLE_MAX + 8] = "https://";
	struct fixture *f = *state;
	struct writer w;
	struct signers *again = calloc(1, sizeof *again);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!signers_console_ok(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (signers_console_ok(bad[i]))
			fail_msg("%s", bad[i]);
	memset(lengthy + 8, 'a', SSHKEY_APPLICATION_MAX);
	assert_true(signers_console_ok(lengthy));
	lengthy[8 + SSHKEY_APPLICATION_MAX] = 'a';
	assert_false(signers_console_ok(lengthy));
	/* A set with one comes back with it; what is empty is not written, and not read. */
	writer_init(&w, SIGNERS_SET_BYTES_MAX);
	assert_int_equal(signers_encode(&f->set, "o", &w), 0);
	assert_null(memmem(w.p, w.n, "console", 7));
	writer_reset(&w);
	snprintf(f->set.console, sizeof f->set.console, "%s", good[1]);
	assert_int_equal(signers_encode(&f->set, "o", &w), 0);
	assert_int_equal(signers_parse(writer_view(&w), "o", again, f->why, sizeof f->why), 0);
	assert_string_equal(again->console, good[1]);
	snprintf(f->set.console, sizeof f->set.console, "%s", bad[2]);
	assert_int_equal(signers_check(&f->set, f->why, sizeof f->why), FG_EINVAL);
	writer_free(&w);
	free(again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_persons, setup, teardown),
		cmocka_unit_test_setup_teardown(test_which_sets_a_suspension_holds_under, setup, teardown),
		cmocka_unit_test_setup_teardown(test_passkeys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_origins_of_a_console, setup, teardown),
		cmocka_unit_test_setup_teardown(test_validity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_presence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_namespace_and_junk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sets_nobody_may_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_next_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ssh_keygen, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
