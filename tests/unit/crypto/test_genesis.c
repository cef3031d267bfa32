/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/genesis.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/crypto/people.h"

struct fixture {
	struct person alice, bob, carol;
	struct genesis *g;
	struct writer text;
	char why[256];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->alice = people_make("alice@example.com", 1);
	f->bob = people_make("bob@example.com", 2);
	f->carol = people_make("carol@example.com", 3);
	f->g = people_genesis((const struct person *const[]){ &f->alice, &f->bob, &f->carol }, 3, 2);
	writer_init(&f->text, GENESIS_BYTES_MAX);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	writer_free(&f->text);
	free(f->g);
	free(f);
	return 0;
}

static struct view
encoded(struct fixture *f)
{
	writer_reset(&f->text);
	assert_int_equal(genesis_encode(f->g, &f->text), 0);
	return writer_view(&f->text);
}

static void
test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct genesis *back = calloc(1, sizeof *back);
	struct writer again;
	struct view text = encoded(f);
	struct json *doc = NULL;
	assert_int_equal(json_parse(text, &doc, NULL), 0);
	assert_true(json_is_canonical(doc, text));
	json_free(doc);
	assert_int_equal(genesis_parse(text, back, f->why, sizeof f->why), 0);
	assert_string_equal(back->origin, f->g->origin);
	assert_int_equal(back->set.n, 3);
	assert_memory_equal(&back->set.signer[2], &f->g->set.signer[2], sizeof back->set.signer[2]);
	writer_init(&again, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(back, &again), 0);
	assert_true(view_equal(writer_view(&again), text));
	writer_free(&again);
	free(back);
}

/* No byte can be changed, dropped or added and still be read as a genesis with the same bytes. */
static void
test_every_byte(void **state)
{
	struct fixture *f = *state;
	struct view text = encoded(f);
	struct genesis *back = calloc(1, sizeof *back);
	struct writer again;
	uint8_t *copy = malloc(text.n + 1);
	unsigned read = 0;
	writer_init(&again, GENESIS_BYTES_MAX);
	for (size_t i = 0; i < text.n; i++) {
		memcpy(copy, text.p, text.n);
		copy[i] ^= 0x01;
		writer_reset(&again);
		if (genesis_parse(view_of(copy, text.n), back, f->why, sizeof f->why) == 0) {
			/* Another genesis then, in its own one form. */
			read++;
			assert_int_equal(genesis_encode(back, &again), 0);
			assert_true(view_equal(writer_view(&again), view_of(copy, text.n)));
		}
	}
	assert_in_range(read, 1, text.n / 2);
	for (size_t n = 0; n < text.n; n++)
		assert_int_equal(genesis_parse(view_of(text.p, n), back, f->why, sizeof f->why), FG_EFORMAT);
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\n';
	assert_int_equal(genesis_parse(view_of(copy, text.n + 1), back, f->why, sizeof f->why), FG_EFORMAT);
	writer_free(&again);
	free(copy);
	free(back);
}

static void
test_what_no_genesis_is(void **state)
{
	struct fixture *f = *state;
	struct genesis good = *f->g;
#define REFUSED(change)                                                         \
	do {                                                                    \
		*f->g = good;                                                   \
		change;                                                         \
		writer_reset(&f->text);                                         \
		assert_int_equal(genesis_encode(f->g, &f->text), FG_EINVAL);    \
	} while (0)
	REFUSED(f->g->origin[0] = '\0');
	REFUSED(f->g->origin[3] = ' ');
	REFUSED(f->g->origin[3] = '+');
	REFUSED(f->g->origin[3] = '\x80');
	REFUSED(f->g->demo = true); /* its name does not end in .invalid */
	REFUSED(snprintf(f->g->origin, sizeof f->g->origin, "gate.invalid/x")); /* and this one is no demo */
	REFUSED(f->g->floor_canary = 0);
	REFUSED(f->g->floor_production = 0);
	REFUSED(f->g->canary_max = 0);
	REFUSED(f->g->floor_canary = 3); /* above production's */
	REFUSED(f->g->floor_production = 4);
	REFUSED(f->g->log_vkey[0] = '\0');
	REFUSED(f->g->set.number = 1);
	REFUSED(f->g->set.threshold = 4);
	REFUSED(f->g->set.threshold = 0);
	REFUSED(f->g->set.n = 0);
	REFUSED(f->g->set.time = 0);
	REFUSED(memset(f->g->set.previous, 1, 32));
	REFUSED(f->g->set.signer[1].key = f->g->set.signer[0].key);
	REFUSED(snprintf(f->g->set.signer[1].principal, SIGNERS_PRINCIPAL_MAX, "*@example.com"));
	*f->g = good;
	f->g->demo = true;
	snprintf(f->g->origin, sizeof f->g->origin, "gate.demo.invalid/fotagate");
	encoded(f);
}

/* A gate whose policy people sign is one from its beginning: the digests of its first policy are among what they sign. */
static void
test_signed_policy(void **state)
{
	struct fixture *f = *state;
	struct genesis *back = calloc(1, sizeof *back);
	f->g->signed_policy = true;
	writer_reset(&f->text);
	assert_int_equal(genesis_encode(f->g, &f->text), FG_EINVAL); /* without one */
	memset(f->g->policy.bundle, 1, sizeof f->g->policy.bundle);
	memset(f->g->policy.config, 2, sizeof f->g->policy.config);
	f->g->policy.number = 1;
	memset(f->g->policy.previous, 3, sizeof f->g->policy.previous);
	f->g->policy.time = PEOPLE_T0;
	writer_reset(&f->text);
	assert_int_equal(genesis_encode(f->g, &f->text), FG_EINVAL); /* not the first */
	f->g->policy.number = 0;
	memset(f->g->policy.previous, 0, sizeof f->g->policy.previous);
	f->g->policy.time = 0;
	f->g->policy.n = 1;
	snprintf(f->g->policy.profile[0].name, POLICYSET_NAME_MAX, "acme");
	assert_int_equal(genesis_parse(encoded(f), back, f->why, sizeof f->why), 0);
	assert_true(back->signed_policy);
	assert_memory_equal(&back->policy, &f->g->policy, sizeof back->policy);
	test_every_byte(state);
	/* One without says nothing of it, as it did before there was one. */
	f->g->signed_policy = false;
	assert_int_equal(genesis_parse(encoded(f), back, f->why, sizeof f->why), 0);
	assert_false(back->signed_policy);
	assert_null(memmem(f->text.p, f->text.n, "\"policy\"", 8));
	free(back);
}

static int
check(struct fixture *f, const struct person *const *who, unsigned n, const char *ns, int64_t at)
{
	struct writer armour[4];
	struct signers_signature sigs[4];
	struct view text = encoded(f);
	for (unsigned i = 0; i < n; i++) {
		writer_init(&armour[i], SSHSIG_ARMOR_MAX);
		people_sign(who[i], ns, text, &armour[i]);
		sigs[i].armour = writer_view(&armour[i]);
	}
	int err = genesis_check(f->g, text, sigs, n, at, f->why, sizeof f->why);
	for (unsigned i = 0; i < n; i++)
		writer_free(&armour[i]);
	return err;
}

static void
test_its_own_threshold(void **state)
{
	struct fixture *f = *state;
	const struct person *both[] = { &f->alice, &f->carol }, *twice[] = { &f->alice, &f->alice };
	struct person mallory = people_make("alice@example.com", 9);
	const struct person *stranger[] = { &f->alice, &mallory };
	assert_int_equal(check(f, both, 2, SIGNERS_NAMESPACE, PEOPLE_T0), 0);
	assert_int_equal(check(f, both, 1, SIGNERS_NAMESPACE, PEOPLE_T0), FG_EPERM);
	assert_int_equal(check(f, both, 0, SIGNERS_NAMESPACE, PEOPLE_T0), FG_EPERM);
	assert_int_equal(check(f, twice, 2, SIGNERS_NAMESPACE, PEOPLE_T0), FG_EPERM);
	assert_int_equal(check(f, stranger, 2, SIGNERS_NAMESPACE, PEOPLE_T0), FG_EPERM);
	assert_int_equal(check(f, both, 2, APPROVAL_NAMESPACE, PEOPLE_T0), FG_EPERM);
	assert_int_equal(check(f, both, 2, SIGNERS_NAMESPACE, PEOPLE_T0 + 366 * PEOPLE_DAY), FG_EPERM);
}

static void
test_floor(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(genesis_floor(f->g, 10), 1);
	assert_int_equal(genesis_floor(f->g, 11), 2);
	assert_int_equal(genesis_floor(f->g, UINT32_MAX), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_no_genesis_is, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signed_policy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_its_own_threshold, setup, teardown),
		cmocka_unit_test_setup_teardown(test_floor, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
