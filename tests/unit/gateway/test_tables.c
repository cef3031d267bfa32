/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/control/inventory.h"
#include "gateway/control/links.h"
#include "gateway/control/tables.h"
#include "gateway/wire/memfd.h"
#include "policy/identity.h"
#include "unit/gateway/state_rig.h"

static const struct view key = { (const uint8_t *)"an epoch key of thirty-two bytes", 32 };

static struct inventory *
fleet(struct rig *r)
{
	struct inventory *inv = NULL;
	struct inventory_import *i = calloc(1, sizeof *i);
	struct inventory_seen seen;
	assert_int_equal(inventory_new(r->db, key, &inv), 0);
	assert_int_equal(inventory_import(inv, view_str("kind,identity,group,product,version\n"
	    "imei,490154203237518,canary,EC25,A07\n"
	    "serial,SN2,field,EC25,\n"), "quectel", false, i), 0);
	assert_int_equal(i->created, 2);
	free(i);
	struct msg_sighting s = { .profile = "quectel", .product = "EC25", .current = "A09", .idents_n = 1 };
	s.idents[0].kind = IDENTITY_IMEI;
	s.idents[0].cls = IDENTITY_D;
	snprintf(s.idents[0].text, sizeof s.idents[0].text, "490154203237518");
	assert_int_equal(inventory_sight(inv, NULL, &s, 5, &seen), 0);
	s.idents[0].kind = IDENTITY_SERIAL;
	snprintf(s.idents[0].text, sizeof s.idents[0].text, "stranger");
	assert_int_equal(inventory_sight(inv, NULL, &s, 5, &seen), 0);
	assert_int_equal(inventory_hold(inv, seen.module->pseudonym, true), 0);
	return inv;
}

static struct release *
release_of(const char *const *from, const char *const *groups)
{
	struct release *r = calloc(1, sizeof *r);
	struct approval_terms *t = &r->terms;
	t->decision = APPROVAL_APPROVE;
	snprintf(t->profile, sizeof t->profile, "quectel");
	snprintf(t->product, sizeof t->product, "EC25");
	snprintf(t->target, sizeof t->target, "A09");
	memset(t->resource, 3, sizeof t->resource);
	memset(t->image, 4, sizeof t->image);
	t->not_before = 100;
	t->not_after = 200;
	r->size = 5000000000;
	r->issued = 90;
	for (; *from; from++)
		assert_int_equal(approval_list_add(&t->from_versions, *from), 0);
	for (; *groups; groups++)
		assert_int_equal(approval_list_add(&t->groups, *groups), 0);
	return r;
}

static struct table *
opened(int fd)
{
	struct table *t = NULL;
	assert_true(fd >= 0);
	assert_true(memfd_is_sealed(fd));
	assert_int_equal(table_open(fd, &t), 0);
	close(fd);
	return t;
}

static void
test_tables_build(void **state)
{
	static const char *const from[] = { "A07", "A08", NULL }, *const groups[] = { "canary", "field", "lab", NULL };
	struct rig *r = *state;
	struct inventory *inv = fleet(r);
	struct release *one = release_of(from, groups);
	struct tables_release list = { .record = one };
	rollout_open_all(&list.open);
	memset(list.id, 7, sizeof list.id);
	struct table *t = opened(tables_build(inv, NULL, &list, 1, 55));
	struct table_row row;
	assert_int_equal(table_generation(t), 55);
	assert_int_equal(table_modules(t), 3);
	assert_true(table_find(t, IDENTITY_IMEI, view_str("490154203237518"), &row));
	assert_string_equal(row.group, "canary");
	assert_string_equal(row.product, "EC25");
	assert_string_equal(row.version, "A07"); /* not the A09 that was only claimed */
	assert_true(row.listed);
	assert_false(row.held);
	assert_memory_equal(row.pseudonym,
	    inventory_by_identity(inv, IDENTITY_IMEI, view_str("490154203237518"))->pseudonym, TABLE_ID);
	assert_true(table_find(t, IDENTITY_SERIAL, view_str("stranger"), &row));
	assert_false(row.listed);
	assert_true(row.held);
	assert_string_equal(row.version, "");
	/* Two versions times three groups, each once, nothing else. */
	unsigned met[2][3] = { { 0 } };
	struct table_decision d;
	uint32_t it = 0;
	while (table_next(t, "quectel", one->terms.resource, &it, &d)) {
		unsigned v = strcmp(d.from, "A07") != 0, g = d.group[0] == 'c' ? 0 : d.group[0] == 'f' ? 1 : 2;
		met[v][g]++;
		assert_string_equal(d.from, from[v]);
		assert_string_equal(d.group, groups[g]);
		assert_string_equal(d.product, "EC25");
		assert_string_equal(d.target, "A09");
		assert_int_equal(d.release[0], 7);
		assert_int_equal(d.image[0], 4);
		assert_int_equal(d.not_before, 100);
		assert_int_equal(d.not_after, 200);
		assert_int_equal(d.size, 5000000000);
		assert_int_equal(d.last_modified, 90);
		assert_true(d.share == ROLLOUT_PLACES && d.known_by == INT64_MAX);
	}
	assert_int_equal(table_decisions(t), 6);
	for (unsigned v = 0; v < 2; v++)
		for (unsigned g = 0; g < 3; g++)
			assert_int_equal(met[v][g], 1);
	assert_int_equal(table_links(t), 0);
	/* Revoked: only the decisions are made anew. */
	assert_int_equal(tables_redecide(t, NULL, 0, 55), FG_ESTATE);
	assert_int_equal(tables_redecide(t, NULL, 0, 54), FG_ESTATE);
	struct table *next = opened(tables_redecide(t, NULL, 0, 56));
	assert_int_equal(table_generation(next), 56);
	assert_int_equal(table_decisions(next), 0);
	assert_int_equal(table_modules(next), 3);
	assert_true(table_find(next, IDENTITY_SERIAL, view_str("SN2"), &row));
	assert_string_equal(row.group, "field");
	table_free(next);
	table_free(t);
	/* Withheld: the modules, and not one decision. */
	list.withheld = true;
	it = 0;
	t = opened(tables_build(inv, NULL, &list, 1, 56));
	assert_int_equal(table_modules(t), 3);
	assert_false(table_next(t, "quectel", one->terms.resource, &it, &d));
	table_free(t);
	free(one);
	inventory_free(inv);
}

static struct table_decision
row_for(const struct table *t, const struct release *one, const char *group)
{
	struct table_decision d;
	uint32_t it = 0;
	while (table_next(t, "quectel", one->terms.resource, &it, &d))
		if (!strcmp(d.group, group))
			return d;
	fail_msg("no row for %s", group);
	return d;
}

/* What is open of a rollout, in rows; and never a group that was not signed for. */
static void
test_tables_rings(void **state)
{
	static const char *const from[] = { "*", NULL }, *const all[] = { "*", NULL }, *const some[] = { "canary", "field", NULL };
	struct rig *r = *state;
	struct inventory *inv = fleet(r);
	struct release *everyone = release_of(from, all), *few = release_of(from, some);
	struct tables_release list = { .record = everyone };
	struct table *t = opened(tables_build(inv, NULL, &list, 1, 1)), *next;
	struct table_decision d = row_for(t, everyone, "*");
	assert_int_equal(table_decisions(t), 1);
	assert_true(d.share == 0 && d.known_by == 90); /* nobody, until something opens it */
	struct table_row row;
	assert_true(table_find(t, IDENTITY_SERIAL, view_str("stranger"), &row));
	assert_int_equal(row.first_seen, 5);
	assert_int_equal(row.placed, 5); /* it came there when it was first seen */
	list.open = (struct rollout_open){ .share = 1000, .groups_n = 2, .group = { "canary", "lab" } };
	next = opened(tables_redecide(t, &list, 1, 2));
	assert_int_equal(table_decisions(next), 3);
	assert_int_equal(row_for(next, everyone, "*").share, 1000);
	assert_true(row_for(next, everyone, "canary").share == ROLLOUT_PLACES);
	d = row_for(next, everyone, "lab");
	assert_true(d.share == ROLLOUT_PLACES && d.known_by == 90);
	assert_true(d.as_of == INT64_MAX); /* people signed for the groups as they are */
	table_free(next);
	everyone->by_standing = true;
	everyone->as_of = 80;
	next = opened(tables_redecide(t, &list, 1, 3));
	assert_int_equal(row_for(next, everyone, "*").as_of, 80);
	table_free(next);
	list.record = few;
	next = opened(tables_redecide(t, &list, 1, 4));
	assert_int_equal(table_decisions(next), 2);
	assert_true(row_for(next, few, "canary").share == ROLLOUT_PLACES);
	assert_int_equal(row_for(next, few, "field").share, 1000);
	table_free(next);
	table_free(t);
	free(everyone);
	free(few);
	inventory_free(inv);
}

/* What no record permits makes no table at all. */
/* Links go with their modules; those of a module that is no more are in no table. */
static void
test_tables_have_short_urls(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = fleet(r);
	struct links *links = NULL;
	struct table_link found;
	struct table_row row, same;
	assert_int_equal(inventory_flush(inv), 0);
	assert_int_equal(links_new(r->db, &links), 0);
	const struct inventory_module *who[2] = {
		inventory_by_identity(inv, IDENTITY_IMEI, view_str("490154203237518")),
		inventory_by_identity(inv, IDENTITY_SERIAL, view_str("stranger")) };
	for (uint8_t i = 0; i < 6; i++) {
		struct db_link l = { .profile = "quectel", .created = i, .not_after = 1000 + i };
		memset(l.digest, (i * 7) % 6, sizeof l.digest);
		memset(l.release, i, sizeof l.release);
		memcpy(l.module, who[i % 2]->pseudonym, sizeof l.module);
		assert_int_equal(links_add(links, &l), 0);
	}
	struct table *t = opened(tables_build(inv, links, NULL, 0, 9));
	assert_int_equal(table_links(t), 6);
	for (uint8_t i = 0; i < 6; i++) {
		uint8_t digest[DIGEST_SHA256_LEN];
		memset(digest, (i * 7) % 6, sizeof digest);
		assert_true(table_find_link(t, digest, &found, &row));
		assert_int_equal(found.release[3], i);
		assert_int_equal(found.not_after, 1000 + i);
		assert_string_equal(found.profile, "quectel");
		assert_memory_equal(row.pseudonym, who[i % 2]->pseudonym, TABLE_ID);
		assert_int_equal(row.ordinal, found.module);
	}
	assert_true(table_find(t, IDENTITY_IMEI, view_str("490154203237518"), &same));
	assert_int_equal(same.ordinal != row.ordinal, 1);
	/* Decisions come and go without them. */
	struct table *next = opened(tables_redecide(t, NULL, 0, 10));
	assert_int_equal(table_links(next), 6);
	table_free(next);
	table_free(t);
	uint8_t gone[MSG_ID];
	memcpy(gone, who[0]->pseudonym, sizeof gone);
	assert_int_equal(inventory_erase(inv, gone), 0);
	t = opened(tables_build(inv, links, NULL, 0, 11));
	assert_int_equal(table_links(t), 3);
	table_free(t);
	links_free(links);
	inventory_free(inv);
}

static void
test_tables_refuse_open_records(void **state)
{
	static const char *const some[] = { "*", NULL }, *const none[] = { NULL };
	struct rig *r = *state;
	struct inventory *inv = fleet(r);
	struct release *bad[3] = { release_of(none, some), release_of(some, none), release_of(some, some) };
	bad[2]->terms.decision = APPROVAL_RESUME;
	for (unsigned i = 0; i < 3; i++) {
		struct tables_release list = { .record = bad[i] };
		assert_int_equal(tables_build(inv, NULL, &list, 1, 55), FG_EINVAL);
		free(bad[i]);
	}
	inventory_free(inv);
}

static void
test_tables_empty(void **state)
{
	struct rig *r = *state;
	struct inventory *inv = NULL;
	assert_int_equal(inventory_new(r->db, key, &inv), 0);
	struct table *t = opened(tables_build(inv, NULL, NULL, 0, 1));
	assert_int_equal(table_modules(t), 0);
	assert_int_equal(table_decisions(t), 0);
	table_free(t);
	inventory_free(inv);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_tables_build),
		T(test_tables_rings),
		T(test_tables_have_short_urls),
		T(test_tables_refuse_open_records),
		T(test_tables_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
