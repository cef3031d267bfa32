/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/crypto/sshtool.h"

#include "crypto/base64.h"
#include "crypto/ed25519.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/sshkey.h"

/* OpenSSH's own test keys (regress/unittests/sshsig): public facts. */
#define ED25519_LINE "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIlizSIN3DQV78VPNjVvvwjgf+P5HqbPYCYu3BOMdjAE"
#define SK_ED25519_LINE "sk-ssh-ed25519@openssh.com " \
	"AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJsaDYXQYruc6bilCYDIK4YSOeG+zmrRO2M9t03//7LHAAAABHNzaDo="
#define SK_ECDSA_LINE "sk-ecdsa-sha2-nistp256@openssh.com " \
	"AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBKDVa5jRcT5V7E6ysmwVi7HJWh7p5D+h" \
	"ebLPakQcpnD2ajJZ6G/4WzuhlYWnclWY63JspDp299Rlhq5AT86/g8AAAAAEc3NoOg=="
#define ECDSA_LINE "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA=="

static const char *const LINES[] = { ED25519_LINE, SK_ED25519_LINE, SK_ECDSA_LINE };

static struct sshkey
key_of(const char *line)
{
	struct sshkey key;
	const char *why = "";
	if (sshkey_parse_line(view_str(line), &key, NULL, 0, &why) != 0)
		fail_msg("%s: %s", line, why);
	return key;
}

static void
test_lines(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct sshkey key = key_of(LINES[i]);
		struct writer w;
		assert_int_equal(key.type, i + 1);
		assert_int_equal(sshkey_is_sk(&key), i > 0);
		assert_string_equal(key.application, i ? "ssh:" : "");
		writer_init(&w, 4096);
		sshkey_write_line(&key, &w);
		assert_true(view_is(writer_view(&w), LINES[i]));
		writer_free(&w);
	}
	struct sshkey key;
	char comment[32];
	assert_int_equal(sshkey_parse_line(view_str(ED25519_LINE " alice@desk\n"), &key, comment, sizeof comment, NULL), 0);
	assert_string_equal(comment, "alice@desk");
	assert_int_equal(sshkey_parse_line(view_str(ED25519_LINE "\r\n"), &key, comment, sizeof comment, NULL), 0);
	assert_string_equal(comment, "");
	assert_int_equal(sshkey_parse_line(view_str(ED25519_LINE " \x1b[2J two words"), &key, comment, sizeof comment, NULL), 0);
	assert_string_equal(comment, "<1B>[2J two words");
}

static void
test_refused_lines(void **state)
{
	(void)state;
	static const struct {
		const char *line, *why;
	} bad[] = {
		{ "", "exactly one line" },
		{ "\n", "exactly one line" },
		{ ED25519_LINE "\n" ED25519_LINE "\n", "exactly one line" },
		{ "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==", "RSA" },
		{ "ssh-dss AAAA", "DSA" },
		{ ECDSA_LINE, "ECDSA file keys" },
		{ "ecdsa-sha2-nistp521 AAAA", "ECDSA file keys" },
		{ "ssh-ed25519-cert-v01@openssh.com AAAA", "certificates" },
		{ "sk-ssh-ed25519-cert-v01@openssh.com AAAA", "certificates" },
		{ "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com AAAA", "certificates" },
		{ "webauthn-sk-ecdsa-sha2-nistp256@openssh.com AAAA", "signature, not a key" },
		{ "ssh-ed448 AAAA", "not accepted" },
		{ "no-touch-required " SK_ED25519_LINE, "known key type" },
		{ "alice@desk " ED25519_LINE, "known key type" },
		{ " " ED25519_LINE, "known key type" },
		{ "SSH-ED25519 AAAA", "known key type" },
		{ "ssh-ed25519", "malformed key" },
		{ "ssh-ed25519 ", "malformed key" },
		{ "ssh-ed25519  AAAAC3NzaC1lZDI1NTE5AAAAIIlizSIN3DQV78VPNjVvvwjgf+P5HqbPYCYu3BOMdjAE", "malformed key" },
		{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIlizSIN3DQV78VPNjVvvwjgf+P5HqbPYCYu3BOMdjA", "base64" },
		{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIlizSIN3DQV78VPNjVvvwjgf+P5HqbPYCYu3BOMdjAEAA==", "malformed key" },
		{ "sk-ssh-ed25519@openssh.com AAAAC3NzaC1lZDI1NTE5AAAAIIlizSIN3DQV78VPNjVvvwjgf+P5HqbPYCYu3BOMdjAE",
		    "another type" },
		{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "small order" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sshkey key = { .type = SSHKEY_NONE };
		const char *why = NULL;
		assert_int_equal(sshkey_parse_line(view_str(bad[i].line), &key, NULL, 0, &why), FG_EFORMAT);
		assert_int_equal(key.type, SSHKEY_NONE);
		if (!why || !strstr(why, bad[i].why))
			fail_msg("%s: %s", bad[i].line, why ? why : "no reason");
	}
	/* What is too long to be a key is none. */
	char line[SSHKEY_LINE_MAX + 64];
	struct sshkey key;
	memset(line, 'x', sizeof line);
	memcpy(line, ED25519_LINE " ", sizeof ED25519_LINE);
	assert_int_equal(sshkey_parse_line(view_of(line, SSHKEY_LINE_MAX), &key, NULL, 0, NULL), 0);
	assert_int_equal(sshkey_parse_line(view_of(line, SSHKEY_LINE_MAX + 1), &key, NULL, 0, NULL), FG_EFORMAT);
}

/* Every cut and every extension of a blob is refused; so is a point off the curve. */
static void
test_blobs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct sshkey key = key_of(LINES[i]), back;
		struct writer w;
		writer_init(&w, SSHKEY_BLOB_MAX + 1);
		sshkey_write_blob(&key, &w);
		assert_int_equal(sshkey_parse_blob(writer_view(&w), &back, NULL), 0);
		assert_true(sshkey_equal(&key, &back));
		for (size_t n = 0; n < w.n; n++)
			assert_int_equal(sshkey_parse_blob(view_of(w.p, n), &back, NULL), FG_EFORMAT);
		writer_u8(&w, 0);
		assert_int_equal(sshkey_parse_blob(writer_view(&w), &back, NULL), FG_EFORMAT);
		writer_free(&w);
	}
	struct sshkey key = key_of(SK_ECDSA_LINE), back;
	struct writer w;
	const char *why = "";
	writer_init(&w, SSHKEY_BLOB_MAX);
	key.point[64] ^= 1;
	sshkey_write_blob(&key, &w);
	assert_int_equal(sshkey_parse_blob(writer_view(&w), &back, &why), FG_EFORMAT);
	assert_non_null(strstr(why, "point"));
	key.point[64] ^= 1;
	key.point[0] = 6; /* hybrid form: a second spelling of the point */
	writer_reset(&w);
	sshkey_write_blob(&key, &w);
	assert_int_equal(sshkey_parse_blob(writer_view(&w), &back, NULL), FG_EFORMAT);
	/* An application that could forge a line in a log, or none at all. */
	key.point[0] = 4;
	static const char *const applications[] = { "", "ssh:\n", "ssh: x", "caf\xc3\xa9" };
	for (size_t i = 0; i < 4; i++) {
		memset(key.application, 0, sizeof key.application);
		memcpy(key.application, applications[i], strlen(applications[i]));
		writer_reset(&w);
		sshkey_write_blob(&key, &w);
		assert_int_equal(sshkey_parse_blob(writer_view(&w), &back, NULL), FG_EFORMAT);
	}
	memset(key.application, 'a', SSHKEY_APPLICATION_MAX);
	writer_reset(&w);
	sshkey_write_blob(&key, &w);
	assert_int_equal(sshkey_parse_blob(writer_view(&w), &back, NULL), 0);
	writer_free(&w);
}

static void
test_sameness(void **state)
{
	(void)state;
	struct sshkey a = key_of(ED25519_LINE), b = a, none = { .type = SSHKEY_NONE };
	assert_true(sshkey_equal(&a, &b) && sshkey_same_point(&a, &b));
	assert_false(sshkey_equal(&none, &none) || sshkey_same_point(&none, &none));
	/* The same point enrolled as a security key is another key, but not another holder. */
	b.type = SSHKEY_SK_ED25519;
	memcpy(b.application, "ssh:", 5);
	assert_false(sshkey_equal(&a, &b));
	assert_true(sshkey_same_point(&a, &b));
	struct sshkey c = key_of(SK_ECDSA_LINE), d = c;
	memcpy(d.application, "gate.example", 13);
	assert_false(sshkey_equal(&c, &d));
	assert_true(sshkey_same_point(&c, &d));
	assert_false(sshkey_same_point(&a, &c));
}

/* ssh-keygen prints the fingerprints we compute, for keys of its making and for ours. */
static void
test_fingerprints(void **state)
{
	struct sshtool *t = *state;
	if (!t->have)
		skip();
	assert_int_equal(sshtool_run(t, NULL, "-q -t ed25519 -N '' -C made-here -f fresh"), 0);
	struct view fresh = sshtool_get(t, "fresh.pub");
	char copy[512];
	assert_true(fresh.n < sizeof copy);
	memcpy(copy, fresh.p, fresh.n + 1);
	const char *lines[] = { LINES[0], LINES[1], LINES[2], copy };
	for (unsigned i = 0; i < 4; i++) {
		char fingerprint[SSHKEY_FINGERPRINT_CAP];
		struct sshkey key = key_of(lines[i]);
		assert_int_equal(sshkey_fingerprint(&key, fingerprint), 0);
		assert_int_equal(strlen(fingerprint), 50);
		sshtool_put(t, "key.pub", view_str(lines[i]));
		assert_int_equal(sshtool_run(t, NULL, "-l -f key.pub"), 0);
		struct view out = sshtool_get(t, "out");
		if (!strstr((const char *)out.p, fingerprint))
			fail_msg("%s not in %s", fingerprint, (const char *)out.p);
	}
}

static void
test_refuses_what_ssh_keygen_makes(void **state)
{
	struct sshtool *t = *state;
	if (!t->have)
		skip();
	static const struct {
		const char *make, *file, *why;
	} kinds[] = {
		{ "-q -t rsa -b 2048 -N '' -f rsa", "rsa.pub", "RSA" },
		{ "-q -t ecdsa -b 256 -N '' -f ecdsa", "ecdsa.pub", "ECDSA" },
		{ "-q -t ecdsa -b 384 -N '' -f ecdsa384", "ecdsa384.pub", "ECDSA" },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct sshkey key;
		struct writer blob;
		const char *why = "";
		assert_int_equal(sshtool_run(t, NULL, kinds[i].make), 0);
		struct view line = sshtool_get(t, kinds[i].file);
		assert_true(line.n > 64);
		assert_int_equal(sshkey_parse_line(line, &key, NULL, 0, &why), FG_EFORMAT);
		assert_non_null(strstr(why, kinds[i].why));
		/* The blob alone is refused by the same name. */
		const char *digits = strchr((const char *)line.p, ' ') + 1;
		writer_init(&blob, 4096);
		assert_int_equal(base64_decode(view_of(digits, strcspn(digits, " ")), &blob), 0);
		why = "";
		assert_int_equal(sshkey_parse_blob(writer_view(&blob), &key, &why), FG_EFORMAT);
		assert_non_null(strstr(why, kinds[i].why));
		writer_free(&blob);
	}
}

static void
test_allowed_line(void **state)
{
	(void)state;
	struct sshkey key = key_of(ED25519_LINE);
	struct writer w;
	writer_init(&w, 4096);
	assert_int_equal(sshkey_write_allowed(&key, "alice@fleet.example", "fotagate-approval@v1", 1767225600,
	    1798761599, &w), 0);
	assert_true(view_is(writer_view(&w), "alice@fleet.example namespaces=\"fotagate-approval@v1\","
		"valid-after=\"20260101000000Z\",valid-before=\"20261231235959Z\" " ED25519_LINE "\n"));
	writer_reset(&w);
	static const char *const principals[] = { "", "*", "al?ce", "!alice", "a,b", "a b", "a\"b", "a\\b", "#a", "a\nb",
		"a\tb", "caf\xc3\xa9" };
	for (size_t i = 0; i < sizeof principals / sizeof *principals; i++) {
		assert_int_equal(sshkey_write_allowed(&key, principals[i], "x", 1, 2, &w), FG_EINVAL);
		if (!strchr(principals[i], ','))
			assert_int_equal(sshkey_write_allowed(&key, "x", principals[i], 1, 2, &w), FG_EINVAL);
	}
	assert_int_equal(sshkey_write_allowed(&key, "x", "a,b", 1, 2, &w), 0);
	writer_reset(&w);
	assert_int_equal(sshkey_write_allowed(&key, "x", "a", 0, 2, &w), FG_EINVAL);
	assert_int_equal(sshkey_write_allowed(&key, "x", "a", 2, 2, &w), FG_EINVAL);
	assert_int_equal(sshkey_write_allowed(&key, "x", "a", 1, INT64_C(253402300800), &w), FG_EINVAL);
	assert_int_equal(w.n, 0);
	writer_free(&w);
}

static int
setup(void **state)
{
	static struct sshtool tool;
	sshtool_open(&tool);
	*state = &tool;
	return 0;
}

static int
teardown(void **state)
{
	sshtool_close(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused_lines),
		cmocka_unit_test(test_blobs),
		cmocka_unit_test(test_sameness),
		cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_refuses_what_ssh_keygen_makes),
		cmocka_unit_test(test_allowed_line),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
