/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/writer.h"
#include "images/fdtree.h"

/* A blob under construction: tokens, then header and names around them. */
struct maker {
	struct writer w;
	char names[256];
	uint32_t names_n;
};

static void
start(struct maker *m)
{
	writer_init(&m->w, 4u << 20);
	m->names_n = 0;
}

static void
pad(struct maker *m)
{
	while (writer_view(&m->w).n % 4)
		writer_u8(&m->w, 0);
}

static void
node(struct maker *m, const char *name)
{
	writer_u32(&m->w, 1);
	writer_bytes(&m->w, view_of(name, strlen(name) + 1));
	pad(m);
}

static void
end(struct maker *m)
{
	writer_u32(&m->w, 2);
}

static void
prop(struct maker *m, const char *name, const char *value)
{
	writer_u32(&m->w, 3);
	writer_u32(&m->w, (uint32_t)strlen(value) + 1);
	writer_u32(&m->w, m->names_n);
	memcpy(m->names + m->names_n, name, strlen(name) + 1);
	m->names_n += (uint32_t)strlen(name) + 1;
	writer_bytes(&m->w, view_of(value, strlen(value) + 1));
	pad(m);
}

/* malloc'ed; exact, so that ASan sees a read past the end. */
static struct view
finish(struct maker *m)
{
	struct writer out;
	size_t n;
	writer_u32(&m->w, 9);
	struct view body = writer_view(&m->w);
	uint32_t structure = 56, names = structure + (uint32_t)body.n;
	const uint32_t head[10] = { 0xd00dfeed, names + m->names_n, structure, names, 40, 17, 16, 0, m->names_n,
		(uint32_t)body.n };
	writer_init(&out, 4u << 20);
	for (unsigned i = 0; i < 10; i++)
		writer_u32(&out, head[i]);
	for (unsigned i = 0; i < 4; i++)
		writer_u32(&out, 0);
	writer_bytes(&out, view_of(body.p, body.n));
	writer_bytes(&out, view_of(m->names, m->names_n));
	assert_int_equal(writer_err(&out) + writer_err(&m->w), 0);
	writer_free(&m->w);
	uint8_t *p = writer_take(&out, &n);
	return view_of(realloc(p, n), n);
}

static struct view
small(void)
{
	struct maker m;
	start(&m);
	node(&m, "");
	prop(&m, "description", "a tree");
	node(&m, "images");
	node(&m, "kernel");
	prop(&m, "data", "12345");
	end(&m);
	node(&m, "fdt");
	end(&m);
	end(&m);
	node(&m, "configurations");
	end(&m);
	end(&m);
	return finish(&m);
}

static void
drop(struct view v)
{
	free((void *)(uintptr_t)v.p);
}

/* The reading of it; and nothing is read beyond a cut. */
static struct fdtree
read_all(struct view v)
{
	struct source s;
	struct fdtree t;
	source_memory(&s, v);
	assert_int_equal(fdtree_read(&s, &t), 0);
	return t;
}

static void
tables_of_a_tree(void **state)
{
	struct view v = small();
	struct fdtree t = read_all(v);
	(void)state;
	assert_false(t.bad || t.hidden);
	assert_int_equal(t.nodes, 5);
	assert_int_equal(t.props, 2);
	unsigned images = fdtree_child(&t, 0, view_str("images"));
	unsigned kernel = fdtree_child(&t, images, view_str("kernel"));
	assert_string_equal(t.node[kernel].name, "kernel");
	assert_int_equal(t.node[kernel].parent, images);
	assert_int_equal(fdtree_child(&t, images, view_str("kern")), FDTREE_NONE);
	assert_int_equal(fdtree_child(&t, 0, view_str("kernel")), FDTREE_NONE);
	const struct fdtree_prop *p = fdtree_prop(&t, kernel, "data");
	assert_non_null(p);
	assert_int_equal(p->value.length, 6);
	assert_memory_equal(v.p + p->value.offset, "12345", 6);
	assert_int_equal(p->token.length, 12 + 8);
	assert_true(p->clean);
	assert_null(fdtree_prop(&t, kernel, "description"));
	assert_int_equal(t.end_token.offset + t.end_token.length, t.strings.offset);
	assert_int_equal(t.strings.offset + t.strings.length, v.n);
	fdtree_drop(&t);
	drop(v);
}

static void
cut_or_changed(void **state)
{
	struct view v = small();
	(void)state;
	for (size_t n = 0; n < v.n; n++) {
		uint8_t *p = malloc(n ? n : 1);
		memcpy(p, v.p, n);
		struct fdtree t = read_all(view_of(p, n));
		assert_true(t.bad && t.nodes == 0);
		fdtree_drop(&t);
		free(p);
	}
	for (size_t i = 0; i < v.n * 8; i++) { /* nothing of it reads past the end */
		uint8_t *b = (uint8_t *)(uintptr_t)v.p;
		b[i / 8] ^= (uint8_t)(1u << i % 8);
		struct fdtree t = read_all(v);
		fdtree_drop(&t);
		b[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	drop(v);
}

static void
expect(struct view v, enum finding_id finding)
{
	struct fdtree t = read_all(v);
	if (!t.bad || t.finding != finding)
		fail_msg("%s: %s", t.bad ? finding_get(t.finding)->id : "sound", t.why);
	fdtree_drop(&t);
	drop(v);
}

static void
bounds(void **state)
{
	struct maker m;
	char name[200];
	(void)state;
	start(&m);
	for (unsigned i = 0; i <= FDTREE_DEPTH_MAX; i++)
		node(&m, i ? "x" : "");
	for (unsigned i = 0; i <= FDTREE_DEPTH_MAX; i++)
		end(&m);
	expect(finish(&m), FINDING_FMT_WALK_LIMIT);

	start(&m);
	node(&m, "");
	for (unsigned i = 0; i < FDTREE_NODES_MAX; i++) {
		snprintf(name, sizeof name, "n%u", i);
		node(&m, name);
		end(&m);
	}
	end(&m);
	expect(finish(&m), FINDING_FMT_WALK_LIMIT);

	start(&m);
	node(&m, "");
	memset(name, 'x', sizeof name);
	name[FDTREE_NAME_MAX] = '\0';
	node(&m, name);
	end(&m);
	end(&m);
	expect(finish(&m), FINDING_FMT_WALK_LIMIT);
}

static void
trees_that_readers_see_differently(void **state)
{
	struct maker m;
	(void)state;
	start(&m);
	node(&m, "");
	node(&m, "a");
	end(&m);
	node(&m, "a");
	end(&m);
	end(&m);
	expect(finish(&m), FINDING_FMT_DUPLICATE);
	start(&m);
	node(&m, "");
	prop(&m, "p", "1");
	prop(&m, "p", "2");
	end(&m);
	expect(finish(&m), FINDING_FMT_DUPLICATE);
	start(&m);
	node(&m, "");
	node(&m, "a");
	end(&m);
	prop(&m, "p", "1");
	end(&m);
	expect(finish(&m), FINDING_FMT_MALFORMED);
	start(&m);
	node(&m, "");
	writer_u32(&m.w, 4);
	end(&m);
	expect(finish(&m), FINDING_FMT_MALFORMED);
	start(&m);
	node(&m, "root");
	end(&m);
	expect(finish(&m), FINDING_FMT_MALFORMED);
}

/* The header is under no signature: each of its fields must follow from what lies behind it. */
static void
fields_of_the_header(void **state)
{
	(void)state;
	for (unsigned field = 0; field < 10; field++)
		for (unsigned bit = 0; bit < 32; bit++) {
			struct view v = small();
			((uint8_t *)(uintptr_t)v.p)[field * 4 + 3 - bit / 8] ^= (uint8_t)(1u << bit % 8);
			struct fdtree t = read_all(v);
			if (!t.bad && !t.hidden && t.gap[0].length)
				fail_msg("bit %u of field %u", bit, field);
			fdtree_drop(&t);
			drop(v);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_of_a_tree),
		cmocka_unit_test(cut_or_changed),
		cmocka_unit_test(bounds),
		cmocka_unit_test(trees_that_readers_see_differently),
		cmocka_unit_test(fields_of_the_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
