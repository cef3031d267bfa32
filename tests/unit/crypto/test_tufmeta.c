/* SPDX-License-Identifier: Apache-2.0 */
/* One metadata file: its form, and the threshold. What files do together is in test_tufproof.c. */
#include "unit/crypto/pki.h"

#include "crypto/err.h"
#include "crypto/tufmeta.h"

#define HEAD "{\"signatures\":[],\"signed\":{\"spec_version\":\"1.0\",\"version\":1,\"expires\":\"2049-12-31T00:00:00Z\","

static int
open_text(const char *text, enum tufmeta_type type)
{
	struct tufmeta *m = NULL;
	char why[SIG_TEXT_MAX] = "";
	int err = tufmeta_open(view_str(text), type, &m, why, sizeof why);
	assert_int_equal(err == FG_EFORMAT, why[0] != '\0');
	assert_int_equal(err == 0, m != NULL);
	tufmeta_free(m);
	return err;
}

static struct tufmeta *
load(const char *name, enum tufmeta_type type)
{
	char path[64], why[SIG_TEXT_MAX] = "";
	struct tufmeta *m = NULL;
	snprintf(path, sizeof path, "tuf/%s", name);
	struct pki_blob b = pki_load(path);
	if (tufmeta_open(pki_view(&b), type, &m, why, sizeof why))
		fail_msg("%s: %s", name, why);
	free(b.p);
	return m;
}

static void
forms(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum tufmeta_type type;
		bool good;
	} rows[] = {
		{ HEAD "\"_type\":\"targets\",\"targets\":{}}}", TUFMETA_TARGETS, true },
		{ HEAD "\"_type\":\"targets\",\"targets\":{}}}", TUFMETA_NONE, true },
		{ HEAD "\"_type\":\"targets\",\"targets\":{}}}", TUFMETA_ROOT, false },
		{ HEAD "\"_type\":\"targets\",\"targets\":[]}}", TUFMETA_TARGETS, false },
		{ HEAD "\"_type\":\"mirrors\"}}", TUFMETA_NONE, false },
		{ HEAD "\"_type\":\"timestamp\",\"meta\":{\"snapshot.json\":{}}}}", TUFMETA_TIMESTAMP, true },
		{ HEAD "\"_type\":\"timestamp\",\"meta\":{\"snapshot.json\":{},\"x\":{}}}}", TUFMETA_TIMESTAMP, false },
		{ HEAD "\"_type\":\"timestamp\",\"meta\":{}}}", TUFMETA_TIMESTAMP, false },
		{ HEAD "\"_type\":\"snapshot\",\"meta\":{\"targets.json\":{}}}}", TUFMETA_SNAPSHOT, true },
		{ HEAD "\"_type\":\"snapshot\",\"meta\":{\"root.json\":{}}}}", TUFMETA_SNAPSHOT, false },
		{ HEAD "\"_type\":\"root\",\"keys\":{},\"roles\":{}}}", TUFMETA_ROOT, false },
		{ "{\"signatures\":[],\"signed\":7}", TUFMETA_NONE, false },
		{ "{\"signed\":{}}", TUFMETA_NONE, false },
		{ "[]", TUFMETA_NONE, false },
		{ "", TUFMETA_NONE, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (open_text(rows[i].text, rows[i].type) != (rows[i].good ? 0 : FG_EFORMAT))
			fail_msg("%s", rows[i].text);
}

static void
roles(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "{\"keyids\":[\"a\",\"b\"],\"threshold\":2}", true },
		{ "{\"keyids\":[],\"threshold\":1}", true }, /* nobody can, which is no error of form */
		{ "{\"keyids\":[\"a\",\"b\",\"a\"],\"threshold\":2}", false },
		{ "{\"keyids\":[\"a\"],\"threshold\":0}", false },
		{ "{\"keyids\":[\"a\"],\"threshold\":-1}", false },
		{ "{\"keyids\":[\"a\"],\"threshold\":\"1\"}", false },
		{ "{\"keyids\":[\"a\"]}", false },
		{ "{\"keyids\":[7],\"threshold\":1}", false },
		{ "{\"keyids\":[\"\"],\"threshold\":1}", false },
		{ "{\"keyids\":\"a\",\"threshold\":1}", false },
		{ "[]", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json *doc = NULL;
		assert_int_equal(json_parse(view_str(rows[i].text), &doc, NULL), 0);
		if (tufmeta_is_role(json_root(doc)) != rows[i].good)
			fail_msg("%s", rows[i].text);
		json_free(doc);
	}
}

static void
thresholds(void **state)
{
	(void)state;
	struct tufmeta *root = load("anchor/root.json", TUFMETA_ROOT), *targets = load("metadata/targets.json", TUFMETA_TARGETS);
	struct tufmeta_count c;
	char text[SIG_TEXT_MAX];
	assert_int_equal(tufmeta_count(root, tufmeta_keys(root), tufmeta_role(root, TUFMETA_ROOT), 0, &c), 0);
	assert_true(tufmeta_met(&c));
	assert_int_equal(c.n, 3);
	assert_int_equal(c.threshold, 2);
	/* Another role's keys did not sign it. */
	assert_int_equal(tufmeta_count(root, tufmeta_keys(root), tufmeta_role(root, TUFMETA_TARGETS), 0, &c), 0);
	assert_false(tufmeta_met(&c));
	assert_int_equal(tufmeta_count(targets, tufmeta_keys(root), tufmeta_role(root, TUFMETA_TARGETS), 0, &c), 0);
	assert_true(tufmeta_met(&c));
	assert_int_equal(c.n, 2);
	/* One byte of what is signed. */
	targets->tbs.p[targets->tbs.n / 2] ^= 1;
	assert_int_equal(tufmeta_count(targets, tufmeta_keys(root), tufmeta_role(root, TUFMETA_TARGETS), 0, &c), 0);
	assert_int_equal(c.n, 0);
	assert_int_equal(c.broken, 2);
	tufmeta_explain(&c, text, sizeof text);
	assert_string_equal(text, "0 of 2 keys that are needed signed it; signatures that do not fit: 2");
	tufmeta_free(root);
	tufmeta_free(targets);
	static const struct tufmeta_count none = { .n = 0 };
	assert_false(tufmeta_met(&none)); /* a threshold that nobody filled in */
}

/* An RSA key (PSS) shorter than is asked for does not count. */
static void
short_keys_do_not_count(void **state)
{
	(void)state;
	struct tufmeta *above = load("rsa/targets.json", TUFMETA_TARGETS), *below = load("rsa/spare.json", TUFMETA_TARGETS);
	const struct json_value *d = json_get(above->said, "delegations");
	const struct json_value *role = json_at(json_get(d, "roles"), 0);
	struct tufmeta_count c;
	assert_int_equal(tufmeta_count(below, json_get(d, "keys"), role, 0, &c), 0);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.signer[0].key_type, "rsa-2048");
	assert_int_equal(tufmeta_count(below, json_get(d, "keys"), role, 3072, &c), 0);
	assert_int_equal(c.n, 0);
	assert_int_equal(c.unusable, 1);
	tufmeta_free(above);
	tufmeta_free(below);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(roles),
		cmocka_unit_test(thresholds),
		cmocka_unit_test(short_keys_do_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
