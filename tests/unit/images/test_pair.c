/* SPDX-License-Identifier: Apache-2.0 */
/* What became of what, on the firmware of tests/vectors/pairs.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/pair_rig.h"

static struct pki_blob base, update, tampered;

static int
setup(void **state)
{
	(void)state;
	base = pki_load("pairs/base.sqfs");
	update = pki_load("pairs/update.sqfs");
	tampered = pki_load("pairs/tampered.sqfs");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(base.p);
	free(update.p);
	free(tampered.p);
	return 0;
}

static void
became(const struct pair_rig *r, const char *old, const char *new, enum pair_how how)
{
	uint32_t o = part_rig_find(&r->side[PAIR_OLD], old);
	struct pair_mate m = pair_rig_mate(r, PAIR_NEW, new);
	assert_int_not_equal(o, PART_NONE_INDEX);
	if (m.how != how || m.index != o)
		fail_msg("%s: %s of %u, not %s of %u", new, pair_how_name(m.how), m.index, pair_how_name(how), o);
}

static void
an_update(void **state)
{
	(void)state;
	struct pair_rig r;
	pair_rig_open(&r, pki_view(&base), pki_view(&update));
	became(&r, "", "", PAIR_PATH);
	became(&r, "etc/passwd", "etc/passwd", PAIR_SAME);
	became(&r, "etc/init.d", "etc/init.d", PAIR_SAME);
	became(&r, "bin/sh", "bin/sh", PAIR_SAME);
	became(&r, "usr/share/empty", "usr/share/empty", PAIR_SAME);
	became(&r, "usr/share/doc/readme.txt", "usr/share/doc/MANUAL.txt", PAIR_LIKE);
	became(&r, "usr/lib/libmodem.so", "usr/lib/libmodem.so", PAIR_SAME);
	became(&r, "usr/bin/agent", "usr/bin/agent", PAIR_PATH);
	became(&r, "etc/version", "etc/version", PAIR_PATH);
	assert_int_equal(pair_rig_mate(&r, PAIR_NEW, "usr/share/doc/news.txt").how, PAIR_NONE);
	assert_int_equal(pair_unlooked(r.pair), 0);
	pair_rig_close(&r);
}

static void
tampering(void **state)
{
	(void)state;
	struct pair_rig r;
	pair_rig_open(&r, pki_view(&base), pki_view(&tampered));
	became(&r, "usr/lib/libhelper.so", "usr/lib/libaux.so", PAIR_LIKE);
	became(&r, "usr/lib/modem/update.sh", "usr/lib/modem/update.sh", PAIR_PATH);
	became(&r, "usr/bin/agent", "usr/bin/agent", PAIR_PATH);
	assert_int_equal(pair_rig_mate(&r, PAIR_NEW, "etc/init.d/S99dbg").how, PAIR_NONE);
	assert_int_equal(pair_rig_mate(&r, PAIR_NEW, "etc/ssl/certs/extra.pem").how, PAIR_NONE);
	assert_int_equal(pair_rig_mate(&r, PAIR_OLD, "usr/lib/libhelper.so").how, PAIR_LIKE);
	pair_rig_close(&r);
}

/* One image with itself, and with itself in a stream. */
static void
the_same(void **state)
{
	(void)state;
	struct pair_rig r;
	pair_rig_open(&r, pki_view(&base), pki_view(&base));
	for (uint32_t i = 0; i < parts_count(r.side[PAIR_NEW].tree); i++)
		assert_int_equal(pair_of(r.pair, PAIR_NEW, i).how, PAIR_SAME);
	pair_rig_close(&r);
	struct pki_blob packed = pki_load("pairs/base.cpio.gz");
	pair_rig_open(&r, pki_view(&packed), pki_view(&packed));
	assert_int_equal(pair_of(r.pair, PAIR_NEW, 1).how, PAIR_SAME);
	pair_rig_close(&r);
	free(packed.p);
}

static void
nothing_in_common(void **state)
{
	(void)state;
	struct pair_rig r;
	pair_rig_open(&r, view_of(NULL, 0), pki_view(&base));
	assert_int_equal(pair_of(r.pair, PAIR_NEW, 0).how, PAIR_PATH);
	for (uint32_t i = 1; i < parts_count(r.side[PAIR_NEW].tree); i++)
		assert_int_equal(pair_of(r.pair, PAIR_NEW, i).how, PAIR_NONE);
	pair_rig_close(&r);
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(pair_how_name(PAIR_LIKE), "like");
	assert_string_equal(pair_how_name((enum pair_how)77), "none");
	assert_false(pair_is_same(PAIR_PATH));
	assert_true(pair_is_same(PAIR_COPY));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update), cmocka_unit_test(tampering), cmocka_unit_test(the_same),
		cmocka_unit_test(nothing_in_common), cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
