/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/policyset.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/crypto/people.h"

struct fixture {
	struct policyset set, back;
	struct writer text, again;
	char why[160];
};

static void
add(struct policyset *s, const char *name, uint8_t fill)
{
	struct policyset_profile *p = &s->profile[s->n++];
	snprintf(p->name, sizeof p->name, "%s", name);
	memset(p->sha256, fill, sizeof p->sha256);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->set = (struct policyset){ .number = 3, .signers = 1, .time = PEOPLE_T0 };
	memset(f->set.previous, 0x11, sizeof f->set.previous);
	memset(f->set.bundle, 0x22, sizeof f->set.bundle);
	memset(f->set.config, 0x33, sizeof f->set.config);
	add(&f->set, "acme", 0x44);
	add(&f->set, "quectel", 0x55);
	writer_init(&f->text, POLICYSET_BYTES_MAX);
	writer_init(&f->again, POLICYSET_BYTES_MAX);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	writer_free(&f->text);
	writer_free(&f->again);
	free(f);
	return 0;
}

static struct view
encoded(struct fixture *f)
{
	writer_reset(&f->text);
	assert_int_equal(policyset_encode(&f->set, PEOPLE_ORIGIN, &f->text), 0);
	return writer_view(&f->text);
}

static int
parse(struct fixture *f, struct view text)
{
	return policyset_parse(text, PEOPLE_ORIGIN, &f->back, f->why, sizeof f->why);
}

static void
test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct view text = encoded(f);
	struct json *doc = NULL;
	assert_int_equal(json_parse(text, &doc, NULL), 0);
	assert_true(json_is_canonical(doc, text));
	json_free(doc);
	assert_int_equal(parse(f, text), 0);
	assert_memory_equal(&f->back, &f->set, sizeof f->back);
	assert_true(policyset_has(&f->back, "quectel", f->set.profile[1].sha256));
	assert_false(policyset_has(&f->back, "acme", f->set.profile[1].sha256));
	assert_false(policyset_has(&f->back, "acm", f->set.profile[0].sha256));
	/* No profile at all is a policy too: nothing may be released under it. */
	f->set.n = 0;
	assert_int_equal(parse(f, encoded(f)), 0);
	assert_int_equal(policyset_parse(encoded(f), "other.example.com/fotagate", &f->back, f->why, sizeof f->why), FG_EFORMAT);
}

/* No byte can be changed, dropped or added and still say the same, or be read from two spellings. */
static void
test_every_byte(void **state)
{
	struct fixture *f = *state;
	struct view text = encoded(f);
	uint8_t *copy = malloc(text.n + 1);
	for (size_t i = 0; i < text.n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(copy, text.p, text.n);
			copy[i] ^= (uint8_t)(1u << bit);
			if (parse(f, view_of(copy, text.n)))
				continue;
			assert_memory_not_equal(&f->back, &f->set, sizeof f->set);
			writer_reset(&f->again);
			assert_int_equal(policyset_encode(&f->back, PEOPLE_ORIGIN, &f->again), 0);
			assert_true(view_equal(writer_view(&f->again), view_of(copy, text.n)));
		}
	}
	for (size_t n = 0; n < text.n; n++)
		assert_int_equal(parse(f, view_of(text.p, n)), FG_EFORMAT);
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\n';
	assert_int_equal(parse(f, view_of(copy, text.n + 1)), FG_EFORMAT);
	free(copy);
}

static void
test_what_nobody_signs(void **state)
{
	struct fixture *f = *state;
	const struct policyset good = f->set;
#define REFUSED(change)                                                                      \
	do {                                                                                 \
		f->set = good;                                                               \
		change;                                                                      \
		writer_reset(&f->text);                                                      \
		assert_int_equal(policyset_encode(&f->set, PEOPLE_ORIGIN, &f->text), FG_EINVAL); \
	} while (0)
	REFUSED(f->set.number = 0);
	REFUSED(memset(f->set.previous, 0, sizeof f->set.previous));
	REFUSED(memset(f->set.bundle, 0, sizeof f->set.bundle));
	REFUSED(memset(f->set.config, 0, sizeof f->set.config));
	REFUSED(f->set.time = 0);
	REFUSED(f->set.time = -1);
	REFUSED(f->set.n = POLICYSET_PROFILES_MAX + 1);
	REFUSED(f->set.profile[0].name[0] = '\0');
	REFUSED(f->set.profile[0].name[1] = '"');
	REFUSED(f->set.profile[0].name[1] = '\x80');
	REFUSED(snprintf(f->set.profile[0].name, POLICYSET_NAME_MAX, "zeta")); /* out of order */
	REFUSED(snprintf(f->set.profile[0].name, POLICYSET_NAME_MAX, "quectel")); /* twice */
}

/* As many profiles as there can be, with the longest names and origin, still fit. */
static void
test_largest(void **state)
{
	struct fixture *f = *state;
	char origin[SIGNERS_ORIGIN_MAX];
	memset(origin, 'o', sizeof origin - 1);
	origin[sizeof origin - 1] = '\0';
	f->set.n = 0;
	f->set.number = POLICYSET_CHAIN_MAX;
	f->set.signers = SIGNERS_CHAIN_MAX;
	for (unsigned i = 0; i < POLICYSET_PROFILES_MAX; i++) {
		char name[POLICYSET_NAME_MAX];
		snprintf(name, sizeof name, "%03u-%.*s", i, POLICYSET_NAME_MAX - 5, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
		assert_int_equal(strlen(name), POLICYSET_NAME_MAX - 1);
		add(&f->set, name, (uint8_t)(i + 1));
	}
	writer_reset(&f->text);
	assert_int_equal(policyset_encode(&f->set, origin, &f->text), 0);
	assert_int_equal(policyset_parse(writer_view(&f->text), origin, &f->back, f->why, sizeof f->why), 0);
	assert_memory_equal(&f->back, &f->set, sizeof f->back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_nobody_signs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_largest, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
