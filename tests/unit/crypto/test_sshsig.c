/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/crypto/sshtool.h"
#include "unit/crypto/token.h"

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/sshsig.h"

#define NS "fotagate-approval@v1"
#define MESSAGE "{\"_type\":\"https://in-toto.io/Statement/v1\"}"
#define RP_ID TOKEN_RP_ID
#define SITE TOKEN_SITE

static const struct sshsig_rules RULES = { .namespace_ = NS };
static const struct sshsig_rules PASSKEY_RULES = { .namespace_ = NS, .rp_id = RP_ID, .origin = SITE };

/* Outcome of a blob over MESSAGE, or -1 if it does not even parse. */
static int
judge(struct view blob, const struct sshsig_rules *rules)
{
	struct sshsig sig;
	struct sshsig_evidence e;
	if (sshsig_parse(blob, &sig, NULL) != 0)
		return -1;
	assert_int_equal(sshsig_verify(&sig, view_str(MESSAGE), rules, &e), 0);
	assert_true(e.outcome != SSHSIG_UNKNOWN);
	assert_true(sshkey_equal(&e.key, &sig.key));
	return (int)e.outcome;
}

static int
judge_made(const struct token *t, struct token_choice c, const struct sshsig_rules *rules)
{
	struct writer blob;
	writer_init(&blob, SSHSIG_BLOB_MAX);
	token_blob(t, &c, view_str(MESSAGE), &blob);
	int outcome = judge(writer_view(&blob), rules);
	writer_free(&blob);
	return outcome;
}

/* What ssh-keygen -Y verify says of a blob by t over MESSAGE: exit status. */
static int
ssh_keygen_says(const struct sshtool *tool, const struct token *t, struct view blob, const char *options)
{
	char words[512];
	struct writer w;
	writer_init(&w, 65536);
	assert_int_equal(sshkey_write_allowed(&t->key, "alice@fleet.example", NS, 1767225600, 1798761600, &w), 0);
	sshtool_put(tool, "allowed", writer_view(&w));
	writer_reset(&w);
	sshsig_armor(blob, &w);
	sshtool_put(tool, "stmt.sig", writer_view(&w));
	sshtool_put(tool, "stmt", view_str(MESSAGE));
	writer_free(&w);
	snprintf(words, sizeof words, "-Y verify -f allowed -I alice@fleet.example -n %s -s stmt.sig %s", NS, options);
	return sshtool_run(tool, "stmt", words);
}

/* ---- tests ---- */

#define IN_2026 "-O verify-time=20260601"

/* ssh-keygen signs with a file key, we verify; both hashes. */
static void
test_ssh_keygen_signs(void **state)
{
	struct sshtool *tool = *state;
	if (!tool->have)
		skip();
	assert_int_equal(sshtool_run(tool, NULL, "-q -t ed25519 -N '' -C x -f id"), 0);
	struct sshkey key;
	assert_int_equal(sshkey_parse_line(sshtool_get(tool, "id.pub"), &key, NULL, 0, NULL), 0);
	static const char *const options[] = { "", "-O hashalg=sha256", "-O hashalg=sha512" };
	for (unsigned i = 0; i < 3; i++) {
		char words[256];
		struct sshsig_evidence e;
		struct writer blob, again;
		const char *why = "";
		sshtool_put(tool, "stmt", view_str(MESSAGE));
		(void)remove(sshtool_path(tool, "stmt.sig"));
		snprintf(words, sizeof words, "-Y sign -f id -n " NS " %s stmt", options[i]);
		assert_int_equal(sshtool_run(tool, NULL, words), 0);
		struct view armor = sshtool_get(tool, "stmt.sig");
		if (sshsig_verify_armored(armor, view_str(MESSAGE), &RULES, &e, &why) != 0)
			fail_msg("%s", why);
		assert_int_equal(e.outcome, SSHSIG_VERIFIED);
		assert_true(sshkey_equal(&e.key, &key));
		assert_int_equal(e.scheme, SSHSIG_SCHEME_ED25519);
		assert_int_equal(e.hash, i == 1 ? DIGEST_SHA256 : DIGEST_SHA512);
		assert_string_equal(e.namespace_, NS);
		assert_false(e.present || e.verified_user || e.counter);
		assert_int_equal(sshsig_verify_armored(armor, view_str(MESSAGE " "), &RULES, &e, NULL), 0);
		assert_int_equal(e.outcome, SSHSIG_BAD_SIGNATURE);
		struct sshsig_rules other = { .namespace_ = "fotagate-policy@v1" };
		assert_int_equal(sshsig_verify_armored(armor, view_str(MESSAGE), &other, &e, NULL), 0);
		assert_int_equal(e.outcome, SSHSIG_WRONG_NAMESPACE);
		/* Our armour of that blob is ssh-keygen's, byte for byte. */
		writer_init(&blob, SSHSIG_BLOB_MAX);
		writer_init(&again, SSHSIG_ARMOR_MAX);
		assert_int_equal(sshsig_dearmor(armor, &blob, NULL), 0);
		sshsig_armor(writer_view(&blob), &again);
		assert_true(view_equal(writer_view(&again), armor));
		writer_free(&blob);
		writer_free(&again);
	}
}

/* We sign and write allowed_signers, ssh-keygen verifies, within the dates only. */
static void
test_ssh_keygen_verifies(void **state)
{
	struct sshtool *tool = *state;
	if (!tool->have)
		skip();
	static const enum digest_alg hashes[] = { DIGEST_SHA256, DIGEST_SHA512 };
	struct token t = token_new(SSHKEY_ED25519, "");
	for (unsigned i = 0; i < 2; i++) {
		struct writer tbs, blob;
		uint8_t sig[64];
		writer_init(&tbs, 4096);
		writer_init(&blob, SSHSIG_BLOB_MAX);
		assert_int_equal(sshsig_tbs(NS, hashes[i], view_str(MESSAGE), &tbs), 0);
		assert_int_equal(ed25519_sign(t.seed, writer_view(&tbs), sig), 0);
		assert_int_equal(sshsig_write_ed25519(&t.key, NS, hashes[i], sig, &blob), 0);
		assert_int_equal(judge(writer_view(&blob), &RULES), SSHSIG_VERIFIED);
		assert_int_equal(ssh_keygen_says(tool, &t, writer_view(&blob), IN_2026), 0);
		assert_int_not_equal(ssh_keygen_says(tool, &t, writer_view(&blob), "-O verify-time=20251231"), 0);
		assert_int_not_equal(ssh_keygen_says(tool, &t, writer_view(&blob), "-O verify-time=20270102"), 0);
		blob.p[blob.n - 1] ^= 1;
		assert_int_equal(judge(writer_view(&blob), &RULES), SSHSIG_BAD_SIGNATURE);
		assert_int_not_equal(ssh_keygen_says(tool, &t, writer_view(&blob), IN_2026), 0);
		writer_free(&tbs);
		writer_free(&blob);
	}
	struct writer w;
	writer_init(&w, 4096);
	assert_int_equal(sshsig_tbs("", DIGEST_SHA512, view_str(""), &w), FG_EINVAL);
	assert_int_equal(sshsig_tbs("x", DIGEST_SHA1, view_str(""), &w), FG_EINVAL);
	assert_int_equal(w.n, 0);
	writer_free(&w);
}

/* Security keys: same verdict as ssh-keygen, except that we ask for the touch. */
static void
test_security_keys(void **state)
{
	struct sshtool *tool = *state;
	static const struct {
		enum sshkey_type type;
		const char *name;
	} kinds[] = {
		{ SSHKEY_SK_ED25519, "sk-ssh-ed25519@openssh.com" },
		{ SSHKEY_SK_ECDSA, "sk-ecdsa-sha2-nistp256@openssh.com" },
	};
	struct sshsig_rules uv = RULES, lax = RULES;
	uv.verification_required = true;
	lax.presence_not_required = true;
	for (unsigned i = 0; i < 2; i++) {
		struct token t = token_new(kinds[i].type, "ssh:");
		struct token_choice c = { .type = kinds[i].name, .flags = SSHSIG_FLAG_UP };
		assert_int_equal(judge_made(&t, c, &RULES), SSHSIG_VERIFIED);
		assert_int_equal(judge_made(&t, c, &uv), SSHSIG_NO_VERIFICATION);
		c.flags = SSHSIG_FLAG_UP | SSHSIG_FLAG_UV | SSHSIG_FLAG_BE | SSHSIG_FLAG_BS;
		assert_int_equal(judge_made(&t, c, &uv), SSHSIG_VERIFIED);
		c.flags = SSHSIG_FLAG_UV;
		assert_int_equal(judge_made(&t, c, &uv), SSHSIG_NO_PRESENCE);
		c.flags = 0;
		assert_int_equal(judge_made(&t, c, &RULES), SSHSIG_NO_PRESENCE);
		assert_int_equal(judge_made(&t, c, &lax), SSHSIG_VERIFIED);
		c.flags = SSHSIG_FLAG_UP | SSHSIG_FLAG_AT;
		assert_int_equal(judge_made(&t, c, &RULES), -1);
		c.flags = SSHSIG_FLAG_UP | SSHSIG_FLAG_ED;
		assert_int_equal(judge_made(&t, c, &RULES), -1);
		if (tool->have) {
			struct writer blob;
			writer_init(&blob, SSHSIG_BLOB_MAX);
			c.flags = SSHSIG_FLAG_UP;
			token_blob(&t, &c, view_str(MESSAGE), &blob);
			assert_int_equal(ssh_keygen_says(tool, &t, writer_view(&blob), IN_2026), 0);
			/* The trap of AUDIT_AND_APPROVAL.md: stock verification does not ask for the touch. */
			writer_reset(&blob);
			c.flags = 0;
			token_blob(&t, &c, view_str(MESSAGE), &blob);
			assert_int_equal(ssh_keygen_says(tool, &t, writer_view(&blob), IN_2026), 0);
			writer_free(&blob);
		}
		EVP_PKEY_free(t.p256);
	}
}

/* Integers vary in length: many signatures, all of them good, and r spelled longer refused. */
static void
test_ecdsa_integers(void **state)
{
	(void)state;
	struct token t = token_new(SSHKEY_SK_ECDSA, "ssh:");
	struct token_choice c = { .type = "sk-ecdsa-sha2-nistp256@openssh.com", .flags = SSHSIG_FLAG_UP };
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(judge_made(&t, c, &RULES), SSHSIG_VERIFIED);
	c.padded_r = true;
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(judge_made(&t, c, &RULES), -1);
	EVP_PKEY_free(t.p256);
}

#define WEBAUTHN "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"

static void
test_passkeys(void **state)
{
	struct sshtool *tool = *state;
	struct token t = token_new(SSHKEY_SK_ECDSA, RP_ID);
	struct token_choice good = { .type = WEBAUTHN, .flags = SSHSIG_FLAG_UP | SSHSIG_FLAG_UV }, c;
	assert_int_equal(judge_made(&t, good, &PASSKEY_RULES), SSHSIG_VERIFIED);
	assert_int_equal(judge_made(&t, good, &RULES), SSHSIG_WEBAUTHN_REFUSED);
	if (tool->have) {
		struct writer blob;
		writer_init(&blob, SSHSIG_BLOB_MAX);
		token_blob(&t, &good, view_str(MESSAGE), &blob);
		assert_int_equal(ssh_keygen_says(tool, &t, writer_view(&blob), IN_2026), 0);
		writer_free(&blob);
	}
	struct sshsig_rules other = PASSKEY_RULES;
	other.rp_id = "example";
	assert_int_equal(judge_made(&t, good, &other), SSHSIG_WRONG_ORIGIN);
	other = PASSKEY_RULES;
	other.origin = "https://gate.example:8443";
	assert_int_equal(judge_made(&t, good, &other), SSHSIG_WRONG_ORIGIN);
	c = good, c.flags = SSHSIG_FLAG_UV;
	assert_int_equal(judge_made(&t, c, &PASSKEY_RULES), SSHSIG_NO_PRESENCE);
	c = good, c.flags |= SSHSIG_FLAG_AT;
	assert_int_equal(judge_made(&t, c, &PASSKEY_RULES), -1);
	c = good, c.extensions = "\xa0";
	assert_int_equal(judge_made(&t, c, &PASSKEY_RULES), -1);
	c.flags |= SSHSIG_FLAG_ED;
	assert_int_equal(judge_made(&t, c, &PASSKEY_RULES), SSHSIG_VERIFIED);
	c.extensions = "";
	assert_int_equal(judge_made(&t, c, &PASSKEY_RULES), -1);
	EVP_PKEY_free(t.p256);
}

static void
test_client_data(void **state)
{
	(void)state;
	struct token t = token_new(SSHKEY_SK_ECDSA, RP_ID);
	struct token_choice c = { .type = WEBAUTHN, .flags = SSHSIG_FLAG_UP };
	static const char *const good[] = {
		"\",\"origin\":\"" SITE "\"}",
		"\",\"origin\":\"" SITE "\",\"crossOrigin\":false,\"other_keys_can_be_added_here\":\"do not compare\"}",
	};
	static const char *const bad[] = {
		"\",\"origin\":\"" SITE "\",\"crossOrigin\":true}", /* in a frame of another site */
		"\",\"origin\":\"" SITE "\"",
		"\",\"origin\":\"" SITE "\",\"crossOrigin\":false",
		"\",\"origin\":\"" SITE "\",\"crossOrigin\":false}}",
		"\",\"origin\":\"" SITE "\"}x",
		"\",\"origin\":\"" SITE ".evil.example\"}",
		"\",\"origin\":\"https://evil.example\"}",
		"\",\"origin\": \"" SITE "\"}",
		"x\",\"origin\":\"" SITE "\"}", /* a longer challenge */
		"\",\"other\":1,\"origin\":\"" SITE "\"}",
		"",
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		c.client = good[i];
		assert_int_equal(judge_made(&t, c, &PASSKEY_RULES), SSHSIG_VERIFIED);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		c.client = bad[i];
		if (judge_made(&t, c, &PASSKEY_RULES) != SSHSIG_BAD_CLIENT_DATA)
			fail_msg("%s", bad[i]);
	}
	c.client = NULL;
	c.origin = SITE "\",\"x\":\""; /* an origin that would write its own client data */
	assert_int_equal(judge_made(&t, c, &PASSKEY_RULES), -1);
	c.origin = "https://evil.example";
	assert_int_equal(judge_made(&t, c, &PASSKEY_RULES), SSHSIG_WRONG_ORIGIN);
	EVP_PKEY_free(t.p256);
}

/* A signature of one kind cannot pass as another, whoever made it. */
static void
test_kinds_do_not_mix(void **state)
{
	(void)state;
	struct token ed = token_new(SSHKEY_ED25519, ""), sk = token_new(SSHKEY_SK_ED25519, "ssh:"),
		ec = token_new(SSHKEY_SK_ECDSA, RP_ID);
	struct token_choice c = { .type = "sk-ssh-ed25519@openssh.com", .flags = SSHSIG_FLAG_UP };
	assert_int_equal(judge_made(&ed, c, &PASSKEY_RULES), -1);
	assert_int_equal(judge_made(&ec, c, &PASSKEY_RULES), -1);
	c.type = "ssh-ed25519";
	assert_int_equal(judge_made(&ed, c, &PASSKEY_RULES), SSHSIG_VERIFIED);
	assert_int_equal(judge_made(&sk, c, &PASSKEY_RULES), -1);
	c.type = WEBAUTHN;
	assert_int_equal(judge_made(&sk, c, &PASSKEY_RULES), -1);
	c.type = "rsa-sha2-512";
	assert_int_equal(judge_made(&ec, c, &PASSKEY_RULES), -1);
	EVP_PKEY_free(ec.p256);
}

static void
test_malformed_blobs(void **state)
{
	(void)state;
	struct token t = token_new(SSHKEY_SK_ED25519, "ssh:");
	struct token_choice good = { .type = "sk-ssh-ed25519@openssh.com", .flags = SSHSIG_FLAG_UP }, c;
	struct writer blob;
	struct sshsig sig;
	assert_int_equal(judge_made(&t, good, &RULES), SSHSIG_VERIFIED);
	c = good, c.version = 2;
	assert_int_equal(judge_made(&t, c, &RULES), -1);
	c = good, c.reserved = "x"; /* ssh-keygen skips it; it is not what was signed */
	assert_int_equal(judge_made(&t, c, &RULES), -1);
	c = good, c.hash = "sha1";
	assert_int_equal(judge_made(&t, c, &RULES), -1);
	c.hash = "SHA512";
	assert_int_equal(judge_made(&t, c, &RULES), -1);
	c = good, c.namespace_ = "";
	assert_int_equal(judge_made(&t, c, &RULES), -1);
	c.namespace_ = "two words";
	assert_int_equal(judge_made(&t, c, &RULES), -1);
	c.namespace_ = NS "x";
	assert_int_equal(judge_made(&t, c, &RULES), SSHSIG_WRONG_NAMESPACE);

	writer_init(&blob, SSHSIG_BLOB_MAX + 1);
	token_blob(&t, &good, view_str(MESSAGE), &blob);
	for (size_t n = 0; n < blob.n; n++)
		assert_int_equal(sshsig_parse(view_of(blob.p, n), &sig, NULL), FG_EFORMAT);
	/* No byte can change without the verdict changing. */
	for (size_t i = 0; i < blob.n; i++) {
		for (unsigned bit = 1; bit < 256; bit <<= 1) {
			blob.p[i] ^= (uint8_t)bit;
			assert_int_not_equal(judge(writer_view(&blob), &RULES), SSHSIG_VERIFIED);
			blob.p[i] ^= (uint8_t)bit;
		}
	}
	writer_u8(&blob, 0);
	assert_int_equal(sshsig_parse(writer_view(&blob), &sig, NULL), FG_EFORMAT);
	writer_free(&blob);
}

#define BEGIN "-----BEGIN SSH SIGNATURE-----"
#define END "-----END SSH SIGNATURE-----"

static void
test_armour(void **state)
{
	(void)state;
	static const char *const good[] = {
		BEGIN "\nU1NI\nU0lH\n" END "\n", BEGIN "\nU1NIU0lH\n" END, BEGIN "\r\nU1NI\r\nU0lH\r\n" END "\r\n",
		BEGIN "\nU\n1\nN\nI\nU0lH\n" END "\n",
	};
	static const char *const bad[] = {
		"", "U1NIU0lH", BEGIN, BEGIN "\n", BEGIN "\nU1NIU0lH", BEGIN "\nU1NIU0lH\n", BEGIN "\nU1NIU0lH" END "\n",
		" " BEGIN "\nU1NIU0lH\n" END "\n", "\n" BEGIN "\nU1NIU0lH\n" END "\n", "x\n" BEGIN "\nU1NIU0lH\n" END "\n",
		BEGIN " \nU1NIU0lH\n" END "\n", BEGIN "\nU1NIU0lH\n" END " \n", BEGIN "\nU1NIU0lH\n" END "\n\n",
		BEGIN "\nU1NIU0lH\n" END "\nx", BEGIN "\n\nU1NIU0lH\n" END "\n", BEGIN "\nU1NIU0lH\n\n" END "\n",
		BEGIN "\nU1NI U0lH\n" END "\n", BEGIN "\nU1NIU0l\n" END "\n", BEGIN "\nU1NIU0l*\n" END "\n",
		BEGIN "\nU1NIU0==\nU0lH\n" END "\n", BEGIN "\nU1NIU0lH\n" BEGIN "\nU1NIU0lH\n" END "\n",
		"-----BEGIN SSH SIGNATURE----\nU1NIU0lH\n" END "\n",
	};
	struct writer w;
	writer_init(&w, SSHSIG_ARMOR_MAX);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		writer_reset(&w);
		assert_int_equal(sshsig_dearmor(view_str(good[i]), &w, NULL), 0);
		assert_true(view_is(writer_view(&w), "SSHSIG"));
	}
	writer_reset(&w);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *why = NULL;
		if (sshsig_dearmor(view_str(bad[i]), &w, &why) != FG_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(why);
		assert_int_equal(w.n, 0);
	}
	static char big[SSHSIG_ARMOR_MAX + 1];
	memset(big, 'A', sizeof big);
	assert_int_equal(sshsig_dearmor(view_of(big, sizeof big), &w, NULL), FG_ELIMIT);
	writer_free(&w);
}

static void
test_outcome_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= SSHSIG_BAD_SIGNATURE; i++)
		assert_true(strlen(sshsig_outcome_name((enum sshsig_outcome)i)) > 3);
	assert_string_equal(sshsig_outcome_name((enum sshsig_outcome)99), "unknown");
}

/* ---- OpenSSH's own vectors ---- */

static bool
load(const char *name, struct writer *w)
{
	char path[4096], buf[8192];
	const char *shared = getenv("FG_SHARED");
	snprintf(path, sizeof path, "%s/vectors/sshsig/%s", shared ? shared : "/nonexistent", name);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	writer_reset(w);
	writer_bytes(w, view_of(buf, fread(buf, 1, sizeof buf, f)));
	fclose(f);
	return true;
}

static void
test_openssh_vectors(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum sshsig_scheme scheme;
	} vectors[] = {
		{ "ed25519", SSHSIG_SCHEME_ED25519 },
		{ "ed25519_sk", SSHSIG_SCHEME_SK_ED25519 },
		{ "ecdsa_sk", SSHSIG_SCHEME_SK_ECDSA },
		{ "ecdsa_sk_webauthn", SSHSIG_SCHEME_WEBAUTHN },
	};
	const struct sshsig_rules rules = { .namespace_ = "unittest", .rp_id = "mindrot.org",
		.origin = "https://www.mindrot.org" };
	struct writer data, sig, pub;
	struct sshsig_evidence e;
	const char *why = "";
	writer_init(&data, 65536);
	writer_init(&sig, 65536);
	writer_init(&pub, 65536);
	if (!load("signed-data", &data)) {
		print_message("vectors/sshsig: not there\n");
		skip();
	}
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		char name[64];
		struct sshkey key;
		snprintf(name, sizeof name, "%s.sig", vectors[i].name);
		assert_true(load(name, &sig));
		snprintf(name, sizeof name, "%s.pub", vectors[i].name);
		assert_true(load(name, &pub));
		assert_int_equal(sshkey_parse_line(writer_view(&pub), &key, NULL, 0, NULL), 0);
		if (sshsig_verify_armored(writer_view(&sig), writer_view(&data), &rules, &e, &why) != 0)
			fail_msg("%s: %s", vectors[i].name, why);
		assert_int_equal(e.outcome, SSHSIG_VERIFIED);
		assert_int_equal(e.scheme, vectors[i].scheme);
		assert_true(sshkey_equal(&e.key, &key));
		assert_int_equal(e.present, i > 0);
		if (i == 1 || i == 2)
			assert_int_equal(e.counter, 0x12345678);
		data.p[0] ^= 1;
		assert_int_equal(sshsig_verify_armored(writer_view(&sig), writer_view(&data), &rules, &e, NULL), 0);
		assert_int_equal(e.outcome, i == 3 ? SSHSIG_BAD_CLIENT_DATA : SSHSIG_BAD_SIGNATURE);
		data.p[0] ^= 1;
	}
	assert_true(load("rsa.sig", &sig));
	assert_int_equal(sshsig_verify_armored(writer_view(&sig), writer_view(&data), &rules, &e, &why), FG_EFORMAT);
	assert_non_null(strstr(why, "RSA"));
	assert_int_equal(e.outcome, SSHSIG_UNKNOWN);
	writer_free(&data);
	writer_free(&sig);
	writer_free(&pub);
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
		cmocka_unit_test(test_ssh_keygen_signs),
		cmocka_unit_test(test_ssh_keygen_verifies),
		cmocka_unit_test(test_security_keys),
		cmocka_unit_test(test_ecdsa_integers),
		cmocka_unit_test(test_passkeys),
		cmocka_unit_test(test_client_data),
		cmocka_unit_test(test_kinds_do_not_mix),
		cmocka_unit_test(test_malformed_blobs),
		cmocka_unit_test(test_armour),
		cmocka_unit_test(test_outcome_names),
		cmocka_unit_test(test_openssh_vectors),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
