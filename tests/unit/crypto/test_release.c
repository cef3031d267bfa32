/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/release.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/crypto/people.h"

struct fixture {
	struct release *r, *back;
	struct writer w, w2;
	char why[256];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->r = calloc(1, sizeof *f->r);
	f->back = calloc(1, sizeof *f->back);
	*f->r = (struct release){
		.terms = people_terms(PEOPLE_T0, 50), .size = 3 * RELEASE_BLOCK + 1, .block_size = RELEASE_BLOCK, .blocks = 4,
		.quorum = 2, .log_size = 70001, .issued = PEOPLE_T0 + 60, .statements_n = 2,
	};
	for (unsigned i = 0; i < 2; i++) {
		snprintf(f->r->statement[i].approver, SIGNERS_PRINCIPAL_MAX, "p%u@example.com", i);
		memset(f->r->statement[i].statement, 0x50 + (int)i, 32);
		memset(f->r->statement[i].signature, 0x60 + (int)i, 32);
		memset(f->r->statement[i].key, 0x70 + (int)i, 32);
	}
	writer_init(&f->w, RELEASE_RECORD_MAX);
	writer_init(&f->w2, RELEASE_RECORD_MAX);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	writer_free(&f->w);
	writer_free(&f->w2);
	free(f->r);
	free(f->back);
	free(f);
	return 0;
}

static struct view
encoded(struct fixture *f)
{
	writer_reset(&f->w);
	assert_int_equal(release_encode(f->r, &f->w), 0);
	return writer_view(&f->w);
}

static void
test_round_trip(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID], digest[32];
	struct view text = encoded(f);
	struct json *doc = NULL;
	assert_int_equal(json_parse(text, &doc, NULL), 0);
	assert_true(json_is_canonical(doc, text));
	json_free(doc);
	assert_int_equal(release_parse(text, f->back, f->why, sizeof f->why), 0);
	assert_memory_equal(f->back, f->r, sizeof *f->r);
	assert_int_equal(release_id(text, id), 0);
	digest_sha256(text, digest);
	assert_memory_equal(id, digest, RELEASE_ID);
	/* With what records of before do not have. */
	assert_int_equal(approval_list_add(&f->r->terms.checklist, "boots on the bench"), 0);
	assert_int_equal(approval_list_add(&f->r->terms.waived, "URL-NEW 0123456789abcdef0123456789abcdef"), 0);
	assert_int_equal(release_parse(encoded(f), f->back, f->why, sizeof f->why), 0);
	assert_memory_equal(f->back, f->r, sizeof *f->r);
}

static void
test_every_byte(void **state)
{
	struct fixture *f = *state;
	struct view text = encoded(f);
	uint8_t *copy = malloc(text.n + 1), id[RELEASE_ID], other[RELEASE_ID];
	assert_int_equal(release_id(text, id), 0);
	for (size_t i = 0; i < text.n; i++) {
		memcpy(copy, text.p, text.n);
		copy[i] ^= 0x01;
		release_id(view_of(copy, text.n), other);
		assert_memory_not_equal(id, other, RELEASE_ID);
		if (release_parse(view_of(copy, text.n), f->back, f->why, sizeof f->why))
			continue;
		writer_reset(&f->w2);
		assert_int_equal(release_encode(f->back, &f->w2), 0);
		assert_true(view_equal(writer_view(&f->w2), view_of(copy, text.n)));
	}
	memcpy(copy, text.p, text.n);
	copy[text.n] = ' ';
	assert_int_equal(release_parse(view_of(copy, text.n + 1), f->back, f->why, sizeof f->why), FG_EFORMAT);
	for (size_t n = 0; n < text.n; n++)
		assert_int_equal(release_parse(view_of(text.p, n), f->back, f->why, sizeof f->why), FG_EFORMAT);
	free(copy);
}

/* Well-formed, and still nothing a warden would have written. */
static void
test_inconsistent(void **state)
{
	struct fixture *f = *state;
	struct release good = *f->r;
#define REFUSED(change)                                                                                \
	do {                                                                                           \
		*f->r = good;                                                                          \
		change;                                                                                \
		f->why[0] = '\0';                                                                      \
		assert_int_equal(release_parse(encoded(f), f->back, f->why, sizeof f->why), FG_EFORMAT); \
		assert_true(f->why[0] != '\0');                                                        \
	} while (0)
	REFUSED(f->r->block_size = 4096);
	REFUSED(f->r->size = 0; f->r->blocks = 0);
	REFUSED(f->r->blocks = 3);
	REFUSED(f->r->blocks = 5);
	REFUSED(f->r->size--);
	REFUSED(f->r->quorum = 0);
	REFUSED(f->r->quorum = 3);
	REFUSED(f->r->terms.quorum = 3); /* signed for three, released by two */
	REFUSED(f->r->statements_n = 1);
	REFUSED(f->r->issued = 0);
	REFUSED(f->r->terms.not_before = 0);
	REFUSED(f->r->terms.not_after = f->r->terms.not_before);
	REFUSED(f->r->terms.max_devices = 0);
	REFUSED(f->r->terms.groups.n = 0);
	REFUSED(f->r->terms.from_versions.n = 0);
	REFUSED(f->r->terms.profile[0] = '\0');
	REFUSED(memcpy(f->r->statement[1].approver, f->r->statement[0].approver, SIGNERS_PRINCIPAL_MAX));
	*f->r = good;
	f->r->issued = -1;
	assert_int_equal(release_encode(f->r, &f->w), FG_EINVAL);
	*f->r = good;
	f->r->terms.not_after = INT64_MAX;
	assert_int_equal(release_encode(f->r, &f->w), FG_EINVAL);
}

/* One that nobody signed for says by what it stands; one that somebody did has the form it always had. */
static void
test_by_standing(void **state)
{
	struct fixture *f = *state;
	assert_null(memmem(encoded(f).p, encoded(f).n, "standing", 8));
	f->r->by_standing = true;
	memset(f->r->standing, 0x5a, sizeof f->r->standing);
	assert_non_null(memmem(encoded(f).p, encoded(f).n, "\"standing\":\"5a5a", 16));
	assert_int_equal(release_parse(encoded(f), f->back, f->why, sizeof f->why), 0);
	assert_true(f->back->by_standing);
	assert_int_equal(f->back->as_of, 0);
	assert_null(memmem(encoded(f).p, encoded(f).n, "as_of", 5));
	f->r->as_of = f->r->issued;
	assert_non_null(memmem(encoded(f).p, encoded(f).n, "{\"as_of\":\"20", 12));
	assert_int_equal(release_parse(encoded(f), f->back, f->why, sizeof f->why), 0);
	assert_true(f->back->as_of == f->r->issued);
	assert_memory_equal(f->back->standing, f->r->standing, sizeof f->r->standing);
	f->r->terms.have_signer = true;
	memset(f->r->terms.signer, 0x3c, sizeof f->r->terms.signer);
	assert_non_null(memmem(encoded(f).p, encoded(f).n, "\"signer\":\"3c3c", 14));
	assert_int_equal(release_parse(encoded(f), f->back, f->why, sizeof f->why), 0);
	assert_true(f->back->terms.have_signer);
	assert_memory_equal(f->back->terms.signer, f->r->terms.signer, sizeof f->r->terms.signer);
	f->r->by_standing = false;
	f->r->as_of = 0;
	assert_int_equal(release_parse(encoded(f), f->back, f->why, sizeof f->why), FG_EFORMAT);
	f->r->by_standing = true;
	f->r->as_of = f->r->issued + APPROVAL_SKEW + 1;
	assert_int_equal(release_parse(encoded(f), f->back, f->why, sizeof f->why), FG_EFORMAT);
	f->r->terms.have_signer = false;
	f->r->as_of = f->r->issued;
	f->r->by_standing = false; /* what people sign each time is about the modules that are there then */
	assert_int_equal(release_parse(encoded(f), f->back, f->why, sizeof f->why), FG_EFORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_inconsistent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_standing, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
