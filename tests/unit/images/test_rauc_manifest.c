/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests as text; what RAUC itself says of most of these is in test_rauc.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/rauc_manifest.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UPDATE "[update]\ncompatible=c\nversion=1\n"
#define IMAGE "[image.root]\nfilename=r.img\nsha256=" HASH "\nsize=5\n"
#define TREE "[bundle]\nformat=verity\nverity-hash=" HASH "\nverity-salt=" HASH "\nverity-size=4096\n"

struct heard {
	unsigned n;
	enum finding_id first;
	char text[300];
};

static void
hear(void *arg, enum finding_id id, const char *text)
{
	struct heard *h = arg;
	if (h->n++ == 0) {
		h->first = id;
		snprintf(h->text, sizeof h->text, "%s", text);
	}
}

static struct heard
parse(const char *text, bool attached, struct rauc_manifest *m)
{
	struct heard h = { 0 };
	assert_int_equal(rauc_manifest_parse(view_str(text), m, hear, &h), 0);
	rauc_manifest_check(m, attached, hear, &h);
	return h;
}

static void
silent(const char *text, bool attached)
{
	struct rauc_manifest m;
	struct heard h = parse(text, attached, &m);
	if (h.n)
		fail_msg("%s\n%s: %s", text, finding_get(h.first)->id, h.text);
	rauc_manifest_free(&m);
}

static void
told(const char *text, bool attached, enum finding_id id, const char *word)
{
	struct rauc_manifest m;
	struct heard h = parse(text, attached, &m);
	if (h.n != 1 || h.first != id || !strstr(h.text, word))
		fail_msg("%s\n%u: %s: %s", text, h.n, h.n ? finding_get(h.first)->id : "", h.text);
	rauc_manifest_free(&m);
}

static void
everything_that_is_said(void **state)
{
	(void)state;
	struct rauc_manifest m;
	struct heard h = parse(UPDATE "build=b\ndescription=d\\se\n" TREE
	    "[handler]\nfilename=h.sh\nargs=-x\n[hooks]\nfilename=k.sh\nhooks=install-check;\n"
	    "[image.root.big]\nfilename=r.img\nsha256=" HASH "\nsize=5\nhooks=pre-install;install;post-install\n"
	    "adaptive=block-hash-index;\n[meta.x]\nanything=goes\n", true, &m);
	assert_int_equal(h.n, 0);
	assert_true(view_is(m.compatible, "c") && view_is(m.version, "1") && view_is(m.build, "b"));
	assert_true(view_is(m.description, "d e"));
	assert_int_equal(m.format, RAUC_MANIFEST_VERITY);
	assert_true(m.have_root_hash && m.have_salt && m.have_verity_size && !m.have_crypt_key);
	assert_int_equal(m.verity_size, 4096);
	assert_int_equal(m.root_hash[0], 0x01);
	assert_int_equal(m.salt[31], 0xef);
	assert_true(view_is(m.handler, "h.sh") && view_is(m.handler_args, "-x") && view_is(m.hook, "k.sh"));
	assert_true(m.hook_check);
	assert_int_equal(m.images_n, 1);
	assert_true(view_is(m.image[0].slot, "root.big") && view_is(m.image[0].filename, "r.img"));
	assert_true(m.image[0].have_sha256 && m.image[0].have_size && m.image[0].size == 5);
	assert_true(m.image[0].hook_pre && m.image[0].hook_install && m.image[0].hook_post);
	assert_true(view_is(m.image[0].adaptive, "block-hash-index;"));
	rauc_manifest_free(&m);
}

static void
good_and_bad(void **state)
{
	(void)state;
	silent(UPDATE IMAGE, false);
	silent(UPDATE "[bundle]\nformat=plain\n" IMAGE, false);
	silent(UPDATE "[bundle]\nformat=verity\n" IMAGE, false);
	silent(UPDATE TREE IMAGE, true);
	silent(UPDATE "[image.root]\nhooks=install\n[hooks]\nfilename=k\n", false); /* no file, by a hook */
	told("[update]\nversion=1\n", false, FINDING_FMT_MALFORMED, "compatible");
	told(UPDATE "version=2\n", false, FINDING_FMT_DUPLICATE, "version");
	told(UPDATE IMAGE "[update]\n", false, FINDING_FMT_DUPLICATE, "update");
	told(UPDATE IMAGE "size=5\n", false, FINDING_FMT_DUPLICATE, "size");
	told(UPDATE IMAGE "[image.root]\n", false, FINDING_FMT_DUPLICATE, "image.root");
	told(UPDATE "flavour=x\n", false, FINDING_FMT_UNKNOWN_PART, "flavour");
	told(UPDATE "[images]\n", false, FINDING_FMT_UNKNOWN_PART, "images");
	told(UPDATE "[image.]\nfilename=x\n", false, FINDING_FMT_UNKNOWN_PART, "image.");
	told(UPDATE "[bundle]\nformat=extra\n", false, FINDING_FMT_MALFORMED, "extra");
	told(UPDATE "[bundle]\nformat=verity \n", false, FINDING_FMT_MALFORMED, "verity");
	told(UPDATE TREE, false, FINDING_FMT_MALFORMED, "inside");
	told(UPDATE, true, FINDING_FMT_MALFORMED, "verity or crypt");
	told(UPDATE "[bundle]\nformat=verity\nverity-hash=" HASH "\nverity-size=4096\n", true, FINDING_FMT_MALFORMED, "salt");
	told(UPDATE "[bundle]\nformat=verity\nverity-hash=" HASH "\nverity-salt=" HASH "\nverity-size=4097\n", true,
	    FINDING_FMT_MALFORMED, "4097");
	told(UPDATE "[bundle]\nformat=crypt\nverity-hash=" HASH "\nverity-salt=" HASH "\nverity-size=4096\n", true,
	    FINDING_FMT_MALFORMED, "key");
	told(UPDATE "[hooks]\nhooks=install-check\n", false, FINDING_FMT_MALFORMED, "hooks");
	told(UPDATE "[hooks]\nfilename=../k\n", false, FINDING_MEMBER_UNSAFE_NAME, "../k");
	told(UPDATE "[handler]\nfilename=a/../../k\n", false, FINDING_MEMBER_UNSAFE_NAME, "k");
	told(UPDATE "[handler]\nfilename=/bin/sh\n", false, FINDING_MEMBER_UNSAFE_NAME, "/bin/sh");
	told(UPDATE "[image.a]\nfilename=x\nsize=1\n", false, FINDING_MEMBER_NO_DIGEST, "x");
	told(UPDATE "[image.a]\nfilename=x\nsha256=" HASH "\n", false, FINDING_FMT_MALFORMED, "size");
	told(UPDATE "[image.a]\nsha256=" HASH "\nsize=1\n", false, FINDING_FMT_MALFORMED, "no file");
}

static void
too_many(void **state)
{
	(void)state;
	char *text = calloc(1, 100000);
	struct rauc_manifest m;
	size_t at = (size_t)snprintf(text, 100000, UPDATE);
	for (unsigned i = 0; i < RAUC_MANIFEST_IMAGES_MAX + 2; i++)
		at += (size_t)snprintf(text + at, 100000 - at, "[image.s%u]\nfilename=f%u\nsize=1\nsha256=" HASH "\n", i, i);
	struct heard h = parse(text, false, &m);
	assert_int_equal(h.n, 2); /* and the keys of these two are not taken for another's */
	assert_int_equal(m.images_n, RAUC_MANIFEST_IMAGES_MAX);
	rauc_manifest_free(&m);
	at = (size_t)snprintf(text, 100000, UPDATE);
	for (unsigned i = 0; i < RAUC_MANIFEST_GROUPS_MAX + 1; i++)
		at += (size_t)snprintf(text + at, 100000 - at, "[meta.%u]\n", i);
	h = parse(text, false, &m);
	assert_int_equal(h.n, 2);
	rauc_manifest_free(&m);
	free(text);
}

/* Every word that a device acts on, but for the tree. */
static void
differences(void **state)
{
	(void)state;
	static const char *const other[] = {
		"[update]\ncompatible=d\nversion=1\n" IMAGE, "[update]\ncompatible=c\nversion=2\n" IMAGE, UPDATE "build=x\n" IMAGE,
		UPDATE "[handler]\nfilename=h\n" IMAGE, UPDATE "[hooks]\nfilename=h\n" IMAGE, UPDATE IMAGE "hooks=install\n",
		UPDATE, UPDATE IMAGE "[image.b]\nfilename=r.img\n", UPDATE "[bundle]\nformat=verity\n" IMAGE,
		UPDATE "[image.root]\nfilename=r.img\nsha256=" HASH "\nsize=6\n",
		UPDATE "[image.root]\nfilename=s.img\nsha256=" HASH "\nsize=5\n",
		UPDATE "[image.boot]\nfilename=r.img\nsha256=" HASH "\nsize=5\n",
	};
	struct rauc_manifest a, b;
	struct heard h = { 0 };
	assert_int_equal(rauc_manifest_parse(view_str(UPDATE IMAGE), &a, hear, &h), 0);
	assert_null(rauc_manifest_differs(&a, &a));
	for (unsigned i = 0; i < sizeof other / sizeof other[0]; i++) {
		assert_int_equal(rauc_manifest_parse(view_str(other[i]), &b, hear, &h), 0);
		if (!rauc_manifest_differs(&a, &b))
			fail_msg("%s", other[i]);
		rauc_manifest_free(&b);
	}
	rauc_manifest_free(&a);
	assert_int_equal(rauc_manifest_parse(view_str(UPDATE TREE), &a, hear, &h), 0);
	assert_int_equal(rauc_manifest_parse(view_str(UPDATE "[bundle]\nformat=verity\n"), &b, hear, &h), 0);
	assert_null(rauc_manifest_differs(&a, &b));
	rauc_manifest_free(&a);
	rauc_manifest_free(&b);
}

static void
small_answers(void **state)
{
	(void)state;
	struct rauc_manifest m;
	struct heard h = { 0 };
	char *big = malloc(RAUC_MANIFEST_TEXT_MAX + 1);
	memset(big, '\n', RAUC_MANIFEST_TEXT_MAX + 1);
	assert_int_equal(rauc_manifest_parse(view_of(big, RAUC_MANIFEST_TEXT_MAX), &m, hear, &h), 0);
	rauc_manifest_free(&m);
	assert_int_equal(rauc_manifest_parse(view_of(big, RAUC_MANIFEST_TEXT_MAX + 1), &m, hear, &h), FG_EINVAL);
	rauc_manifest_free(&m);
	free(big);
	assert_true(rauc_manifest_is_index(view_str("a.caibx")) && rauc_manifest_is_index(view_str("a.caidx")));
	assert_false(rauc_manifest_is_index(view_str(".caibx")) || rauc_manifest_is_index(view_str("a.caibx.img")));
	assert_string_equal(rauc_manifest_format_name(RAUC_MANIFEST_CRYPT), "crypt");
	assert_string_equal(rauc_manifest_format_name((enum rauc_manifest_format)9), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_is_said), cmocka_unit_test(good_and_bad), cmocka_unit_test(too_many),
		cmocka_unit_test(differences), cmocka_unit_test(small_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
