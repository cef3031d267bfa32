/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>

#include "gateway/state/grant.h"
#include "gateway/state/module.h"
#include "unit/gateway/state_rig.h"

static struct db_module
module_of(uint8_t n)
{
	struct db_module m = { .profile = "quectel", .group = "canary", .product = "EC25", .version = "A08",
		.version_cls = 4, .sure = "A07", .tags = "roof site-7", .listed = true, .held = true, .first_seen = 5, .last_seen = 9,
		.placed = 7, .placed_in = "the default",
		.last_answer = 13, .have_last_resource = true, .idents_n = 2 };
	memset(m.pseudonym, n, sizeof m.pseudonym);
	memset(m.last_resource, 3, sizeof m.last_resource);
	m.ident[0].kind = 1;
	m.ident[0].cls = 4;
	snprintf(m.ident[0].text, sizeof m.ident[0].text, "%015u", n);
	m.ident[1].kind = 6;
	m.ident[1].cls = 4;
	snprintf(m.ident[1].text, sizeof m.ident[1].text, "serial-%u", n);
	return m;
}

static void
test_module_round_trip(void **state)
{
	struct rig *rig = *state;
	struct db_module m = module_of(1), got;
	assert_int_equal(db_module_put(rig->db, &m), 0);
	rig_again(rig);
	memset(&got, 0xff, sizeof got);
	assert_int_equal(db_module_get(rig->db, m.pseudonym, &got), 0);
	assert_memory_equal(got.pseudonym, m.pseudonym, sizeof m.pseudonym);
	assert_string_equal(got.profile, "quectel");
	assert_string_equal(got.group, "canary");
	assert_string_equal(got.product, "EC25");
	assert_string_equal(got.version, "A08");
	assert_string_equal(got.sure, "A07");
	assert_string_equal(got.tags, "roof site-7");
	assert_int_equal(got.version_cls, 4);
	assert_true(got.listed);
	assert_true(got.held);
	assert_int_equal(got.first_seen, 5);
	assert_int_equal(got.last_seen, 9);
	assert_int_equal(got.placed, 7);
	assert_string_equal(got.placed_in, "the default");
	assert_int_equal(got.last_answer, 13);
	assert_true(got.have_last_resource);
	assert_memory_equal(got.last_resource, m.last_resource, sizeof m.last_resource);
	assert_int_equal(got.idents_n, 2);
	assert_string_equal(got.ident[1].text, "serial-1");
	assert_int_equal(got.ident[1].kind, 6);
	assert_int_equal(db_module_find(rig->db, 6, "serial-1", &got), 0);
	assert_int_equal(got.idents_n, 2);
	assert_int_equal(db_module_find(rig->db, 1, "serial-1", &got), FG_ENOTFOUND);
	/* Put again replaces, identities too. */
	m.idents_n = 1;
	m.held = m.have_last_resource = false;
	assert_int_equal(db_module_put(rig->db, &m), 0);
	assert_int_equal(db_module_get(rig->db, m.pseudonym, &got), 0);
	assert_int_equal(got.idents_n, 1);
	assert_false(got.held);
	assert_false(got.have_last_resource);
	assert_int_equal(db_module_find(rig->db, 6, "serial-1", &got), FG_ENOTFOUND);
}

static void
test_module_identity_belongs_to_one(void **state)
{
	struct rig *rig = *state;
	struct db_module a = module_of(1), b = module_of(2), got;
	assert_int_equal(db_module_put(rig->db, &a), 0);
	snprintf(b.ident[1].text, sizeof b.ident[1].text, "serial-1");
	assert_int_equal(db_module_put(rig->db, &b), FG_EEXIST);
	assert_int_equal(db_module_get(rig->db, b.pseudonym, &got), FG_ENOTFOUND); /* nothing of it */
	assert_int_equal(db_module_find(rig->db, 6, "serial-1", &got), 0);
	assert_memory_equal(got.pseudonym, a.pseudonym, sizeof a.pseudonym);
	b.idents_n = DB_IDENTS_MAX + 1;
	assert_int_equal(db_module_put(rig->db, &b), FG_ELIMIT);
}

struct found {
	unsigned n, stop_at, idents;
	uint8_t id[64];
};

static int
note(void *arg, const struct db_module *m)
{
	struct found *f = arg;
	f->id[f->n++] = m->pseudonym[0];
	f->idents += m->idents_n;
	return f->n == f->stop_at ? 7 : 0;
}

static void
test_module_list(void **state)
{
	struct rig *rig = *state;
	struct found f = { 0 };
	uint8_t after[DB_ID];
	uint64_t n = 0;
	for (uint8_t k = 20; k > 0; k--) {
		struct db_module m = module_of(k);
		m.idents_n = k % 3;
		assert_int_equal(db_module_put(rig->db, &m), 0);
	}
	assert_int_equal(db_module_list(rig->db, NULL, 0, note, &f), 0);
	assert_int_equal(f.n, 20);
	assert_int_equal(f.idents, 21);
	for (unsigned k = 0; k < 20; k++)
		assert_int_equal(f.id[k], k + 1);
	f = (struct found){ 0 };
	memset(after, 7, sizeof after);
	assert_int_equal(db_module_list(rig->db, after, 3, note, &f), 0);
	assert_int_equal(f.n, 3);
	assert_int_equal(f.id[0], 8);
	assert_int_equal(f.id[2], 10);
	f = (struct found){ .stop_at = 2 };
	assert_int_equal(db_module_list(rig->db, NULL, 0, note, &f), 7);
	assert_int_equal(f.n, 2);
	f = (struct found){ .stop_at = 20 };
	assert_int_equal(db_module_list(rig->db, NULL, 0, note, &f), 7); /* the last one's answer counts too */
	assert_int_equal(db_module_count(rig->db, &n), 0);
	assert_int_equal(n, 20);
}

static struct db_grant
grant_of(uint8_t module, uint8_t release)
{
	struct db_grant g = { .at = 100 };
	memset(g.module, module, sizeof g.module);
	memset(g.release, release, sizeof g.release);
	return g;
}

static int
count(void *arg, const struct db_grant *g)
{
	(void)g;
	++*(unsigned *)arg;
	return 0;
}

static void
test_grants(void **state)
{
	struct rig *rig = *state;
	struct db_grant g = grant_of(1, 1), got;
	uint64_t granted, completed;
	unsigned n = 0;
	assert_int_equal(db_grant_put(rig->db, &g), 0);
	g.at = 200; /* a replay does not move the first time */
	g.bytes = 10;
	g.completed = 150;
	assert_int_equal(db_grant_put(rig->db, &g), 0);
	rig_again(rig);
	assert_int_equal(db_grant_get(rig->db, g.module, g.release, &got), 0);
	assert_int_equal(got.at, 100);
	assert_int_equal(got.completed, 150);
	assert_int_equal(got.bytes, 10);
	for (uint8_t k = 2; k < 6; k++) {
		g = grant_of(k, 1);
		assert_int_equal(db_grant_put(rig->db, &g), 0);
	}
	g = grant_of(5, 2);
	assert_int_equal(db_grant_put(rig->db, &g), 0);
	assert_int_equal(db_grant_count(rig->db, got.release, &granted, &completed), 0);
	assert_int_equal(granted, 5);
	assert_int_equal(completed, 1);
	assert_int_equal(db_grant_list(rig->db, NULL, NULL, count, &n), 0);
	assert_int_equal(n, 6);
	n = 0;
	assert_int_equal(db_grant_list(rig->db, got.release, NULL, count, &n), 0);
	assert_int_equal(n, 5);
	n = 0;
	assert_int_equal(db_grant_list(rig->db, NULL, g.module, count, &n), 0);
	assert_int_equal(n, 2);
	n = 0;
	assert_int_equal(db_grant_list(rig->db, g.release, got.module, count, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(db_grant_get(rig->db, got.module, g.release, &got), FG_ENOTFOUND);
}

/* Whether any file of the database holds the text: erasing means the bytes too. */
static bool
on_disk(const struct rig *rig, const char *text)
{
	char name[128];
	const char *const suffix[] = { "", "-wal" };
	bool found = false;
	for (unsigned i = 0; i < 2; i++) {
		snprintf(name, sizeof name, "%s%s", rig->path, suffix[i]);
		int fd = open(name, O_RDONLY);
		struct stat st;
		if (fd < 0 || fstat(fd, &st))
			continue;
		char *p = calloc(1, (size_t)st.st_size + 1);
		assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
		found |= memmem(p, (size_t)st.st_size, text, strlen(text)) != NULL;
		free(p);
		close(fd);
	}
	return found;
}

static void
test_module_erase(void **state)
{
	struct rig *rig = *state;
	struct db_module m = module_of(1), got;
	struct db_grant g = grant_of(1, 1);
	uint64_t granted, completed;
	snprintf(m.ident[0].text, sizeof m.ident[0].text, "490154203237518");
	assert_int_equal(db_module_put(rig->db, &m), 0);
	assert_int_equal(db_grant_put(rig->db, &g), 0);
	assert_true(on_disk(rig, "490154203237518"));
	assert_int_equal(db_module_erase(rig->db, m.pseudonym), 0);
	assert_int_equal(db_module_erase(rig->db, m.pseudonym), FG_ENOTFOUND);
	assert_int_equal(db_module_get(rig->db, m.pseudonym, &got), FG_ENOTFOUND);
	assert_int_equal(db_module_find(rig->db, 1, "490154203237518", &got), FG_ENOTFOUND);
	assert_int_equal(db_grant_count(rig->db, g.release, &granted, &completed), 0);
	assert_int_equal(granted, 0);
	assert_false(on_disk(rig, "490154203237518"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_module_round_trip),
		T(test_module_identity_belongs_to_one),
		T(test_module_list),
		T(test_grants),
		T(test_module_erase),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
