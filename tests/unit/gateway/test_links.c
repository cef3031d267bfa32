/* SPDX-License-Identifier: Apache-2.0 */
/* Short URLs as control keeps them, and their rows (state/link.h). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/inventory.h"
#include "gateway/control/links.h"
#include "policy/identity.h"
#include "unit/gateway/state_rig.h"

#define NOW INT64_C(2000000000)

struct fixture {
	struct rig *r;
	struct inventory *inv;
	struct links *links;
	uint8_t module[3][MSG_ID];
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct inventory_import *i = calloc(1, sizeof *i);
	static const char *const serials[] = { "a", "b", "c" };
	rig_setup((void **)&f->r);
	assert_int_equal(inventory_new(f->r->db, view_str("an epoch key of thirty-two bytes"), &f->inv), 0);
	assert_int_equal(inventory_import(f->inv, view_str("kind,identity,group,product,version\n"
	    "serial,a,,,\nserial,b,,,\nserial,c,,,\n"), "p", false, i), 0);
	free(i);
	for (unsigned k = 0; k < 3; k++)
		memcpy(f->module[k], inventory_by_identity(f->inv, IDENTITY_SERIAL, view_str(serials[k]))->pseudonym, MSG_ID);
	assert_int_equal(links_new(f->r->db, &f->links), 0);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	links_free(f->links);
	inventory_free(f->inv);
	rig_teardown((void **)&f->r);
	free(f);
	return 0;
}

static struct db_link
link_of(const struct fixture *f, unsigned module, uint8_t digest, int64_t not_after)
{
	struct db_link l = { .profile = "p", .created = NOW - 10, .not_after = not_after };
	memset(l.digest, digest, sizeof l.digest);
	memset(l.release, digest + 1, sizeof l.release);
	memcpy(l.module, f->module[module], sizeof l.module);
	return l;
}

static void
add(struct fixture *f, unsigned module, uint8_t digest, int64_t not_after)
{
	struct db_link l = link_of(f, module, digest, not_after);
	assert_int_equal(links_add(f->links, &l), 0);
}

/* All of them, in order of module, with every field. */
static void
are(struct fixture *f, size_t n)
{
	const struct db_link *l, *before = NULL;
	size_t i = 0;
	for (; (l = links_at(f->links, i)); i++, before = l) {
		if (before)
			assert_true(memcmp(before->module, l->module, sizeof l->module) <= 0);
		assert_int_equal(l->release[0], l->digest[0] + 1);
		assert_string_equal(l->profile, "p");
		assert_int_equal(l->created, NOW - 10);
		bool whose = false;
		for (unsigned k = 0; k < 3; k++)
			whose |= !memcmp(l->module, f->module[k], sizeof l->module);
		assert_true(whose);
	}
	assert_int_equal(i, n);
	assert_int_equal(links_count(f->links), n);
}

/* The database has the same. */
static void
survive(struct fixture *f, size_t n)
{
	links_free(f->links);
	f->links = NULL;
	assert_int_equal(links_new(f->r->db, &f->links), 0);
	are(f, n);
}

static void
many_of_several_modules(void **state)
{
	struct fixture *f = *state;
	are(f, 0);
	for (uint8_t i = 0; i < 200; i++)
		add(f, i * 7 % 3, i, NOW + i);
	are(f, 200);
	survive(f, 200);
	struct db_link twice = link_of(f, 1, 199, NOW);
	assert_int_equal(links_add(f->links, &twice), FG_EEXIST);
	are(f, 200);
}

static void
a_module_that_is_not_there_has_none(void **state)
{
	struct fixture *f = *state;
	struct db_link l = link_of(f, 0, 1, NOW);
	memset(l.module, 0, sizeof l.module);
	assert_true(links_add(f->links, &l) < 0);
	are(f, 0);
	survive(f, 0);
}

static void
ended_ones_are_forgotten_in_time(void **state)
{
	struct fixture *f = *state;
	add(f, 0, 1, NOW - LINKS_KEEP_S - 1);
	add(f, 1, 2, NOW - LINKS_KEEP_S);
	add(f, 2, 3, NOW + 1);
	links_prune(f->links, f->inv, NOW);
	are(f, 2);
	survive(f, 2);
	links_prune(f->links, f->inv, NOW + 1);
	survive(f, 1);
	assert_int_equal(links_at(f->links, 0)->digest[0], 3);
}

static void
an_erased_module_takes_its_own_along(void **state)
{
	struct fixture *f = *state;
	add(f, 0, 1, NOW);
	add(f, 0, 2, NOW);
	add(f, 1, 3, NOW);
	assert_int_equal(inventory_erase(f->inv, f->module[0]), 0);
	links_prune(f->links, f->inv, NOW);
	are(f, 1);
	survive(f, 1);
	/* It may come back under the same pseudonym: without them. */
	struct inventory_import *i = calloc(1, sizeof *i);
	assert_int_equal(inventory_import(f->inv, view_str("kind,identity,group,product,version\nserial,a,,,\n"), "p", false, i), 0);
	free(i);
	assert_non_null(inventory_by_pseudonym(f->inv, f->module[0]));
	survive(f, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_of_several_modules, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_module_that_is_not_there_has_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ended_ones_are_forgotten_in_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_erased_module_takes_its_own_along, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
