/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate-verify over logs of a gate whose policy people sign: with every lie that a taken-over gateway could tell of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/enact.h"
#include "unit/gateway/verify_rig.h"

static int
setup_signed(void **state)
{
	return setup_board_of(state, false, false, true);
}

/* By fotagate-verify, and by the scripts. */
static void
judged(struct fixture *f, int status, const char *word)
{
	expect(f, status, word);
	expect_foreign(f, status == 0);
}

/* The policy after that text (genesis' for number 1) as it stands now; profile quectel under the rig's policy. */
static struct policyset
policy_after(struct fixture *f, uint32_t number, struct view text)
{
	struct policyset s = { .number = number, .time = f->now, .n = 1 };
	memset(s.bundle, 0x21, sizeof s.bundle);
	memset(s.config, 0x22, sizeof s.config);
	digest_sha256(text, s.previous);
	snprintf(s.profile[0].name, POLICYSET_NAME_MAX, "quectel");
	memcpy(s.profile[0].sha256, f->terms.policy, DIGEST_SHA256_LEN);
	return s;
}

/* Its papers in the export, signed by those; text is given, for the entry and the one after. */
static void
write_policy(struct fixture *f, const struct policyset *s, const struct person *const *who, unsigned n, struct writer *text)
{
	char name[64];
	writer_init(text, POLICYSET_BYTES_MAX);
	assert_int_equal(policyset_encode(s, PEOPLE_ORIGIN, text), 0);
	snprintf(name, sizeof name, "e/signers/policy-%u.json", s->number);
	scratch_write(at(f, name), text->p, text->n);
	for (unsigned i = 0; i < n; i++) {
		struct writer sig;
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign(who[i], POLICYSET_NAMESPACE, writer_view(text), &sig);
		snprintf(name, sizeof name, "e/signers/policy-%u.sig.%u", s->number, i);
		scratch_write(at(f, name), sig.p, sig.n);
		writer_free(&sig);
	}
}

static void
log_policy(struct fixture *f, const struct writer *text)
{
	put(f, (struct entry){ .ev = ENTRY_AUTHORITY_POLICY, .obj = view_str("policy:1"), .doc = writer_view(text) });
}

/* Policy 1 by n of alice, bob, and a release under it. */
static void
story(struct fixture *f, unsigned n)
{
	const struct person *who[] = { &f->alice, &f->bob };
	struct policyset *s = malloc(sizeof *s);
	struct writer text;
	*s = policy_after(f, 1, writer_view(&f->genesis));
	write_policy(f, s, who, n, &text);
	log_policy(f, &text);
	make_release(f);
	log_release(f);
	put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj);
	writer_free(&text);
	free(s);
}

static void
test_good(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	story(f, 2);
	end(f);
	judged(f, 0, "\nok\n");
}

static void
test_too_few(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	story(f, 1);
	end(f);
	judged(f, 1, "signed by 1 persons of signer set 0, of 2");
}

/* Released before people put the policy in force, under another, or after another took its place. */
static void
test_not_in_force(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	make_release(f);
	log_release(f);
	story(f, 2);
	end(f);
	judged(f, 1, "entry 3: released under a policy of quectel that was not in force");
}

static void
test_replaced(void **state)
{
	struct fixture *f = *state;
	const struct person *who[] = { &f->alice, &f->bob };
	struct policyset *s = malloc(sizeof *s);
	struct writer text, second;
	need_program(f);
	*s = policy_after(f, 1, writer_view(&f->genesis));
	write_policy(f, s, who, 2, &text);
	log_policy(f, &text);
	make_release(f);
	log_release(f);
	*s = policy_after(f, 2, writer_view(&text));
	s->profile[0].sha256[0] ^= 1;
	write_policy(f, s, who, 2, &second);
	log_policy(f, &second);
	put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj); /* what was released stands */
	make_release(f);
	log_release(f);
	end(f);
	judged(f, 1, "entry 7: released under a policy of quectel that was not in force");
	writer_free(&second);
	writer_free(&text);
	free(s);
}

/* The log brings an old one back: the same statement once more. */
static void
test_replay(void **state)
{
	struct fixture *f = *state;
	const struct person *who[] = { &f->alice, &f->bob };
	struct policyset *s = malloc(sizeof *s);
	struct writer text, second;
	need_program(f);
	*s = policy_after(f, 1, writer_view(&f->genesis));
	write_policy(f, s, who, 2, &text);
	log_policy(f, &text);
	*s = policy_after(f, 2, writer_view(&text));
	write_policy(f, s, who, 2, &second);
	log_policy(f, &second);
	log_policy(f, &text);
	end(f);
	judged(f, 1, "it is number 1, after 2");
	writer_free(&second);
	writer_free(&text);
	free(s);
}

/* It follows something else than what was in force; nobody's key of it may be suspended; its papers must be there. */
static void
test_chain(void **state)
{
	struct fixture *f = *state;
	const struct person *who[] = { &f->alice, &f->bob };
	struct policyset *s = malloc(sizeof *s);
	struct writer text;
	need_program(f);
	*s = policy_after(f, 1, view_str("another genesis"));
	write_policy(f, s, who, 2, &text);
	log_policy(f, &text);
	end(f);
	judged(f, 1, "it does not follow the policy in force");
	writer_free(&text);
	free(s);
}

static void
test_suspended(void **state)
{
	struct fixture *f = *state;
	uint8_t key[DIGEST_SHA256_LEN];
	char obj[96] = "key:";
	need_program(f);
	assert_int_equal(sshkey_digest(&f->bob.key, key), 0);
	hex_encode(key, sizeof key, obj + 4);
	put_event(f, ENTRY_AUTHZ_KEY_SUSPENDED, obj);
	f->now += 60;
	story(f, 2);
	end(f);
	judged(f, 1, "signed by 1 persons");
}

static void
test_papers(void **state)
{
	struct fixture *f = *state;
	char name[128];
	need_program(f);
	story(f, 2);
	end(f);
	snprintf(name, sizeof name, "%s", at(f, "e/signers/policy-1.sig.2"));
	scratch_write(name, "x", 1);
	judged(f, 1, "policy-1.sig.2: not spelled");
	assert_int_equal(unlink(name), 0);
	snprintf(name, sizeof name, "%s", at(f, "e/signers/policy-2.json"));
	scratch_write(name, "{}", 2);
	judged(f, 1, "policy-2.json: nothing covers this file");
	assert_int_equal(unlink(name), 0);
	judged(f, 0, "\nok\n");
	assert_int_equal(unlink(at(f, "e/signers/policy-1.json")), 0);
	judged(f, 1, "does not hold");
}

/* Where genesis asks for none there is none, and releases are judged as ever. */
static void
test_legacy(void **state)
{
	struct fixture *f = *state;
	need_program(f);
	story(f, 2);
	end(f);
	judged(f, 1, "which genesis lets nobody do");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_too_few, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_not_in_force, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_replaced, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_replay, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_chain, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_suspended, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_papers, setup_signed, teardown),
		cmocka_unit_test_setup_teardown(test_legacy, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
