/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that modules share with the gateway: which suites, whose they are, and that nobody learns who has one. */
#include "unit/gateway/net_pki.h"

#define RANGE "GET /f/a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9\r\n\r\n"
#define KEY_A "00112233445566778899aabbccddeeff"
#define KEY_B "FFEEDDCCBBAA99887766554433221100FFEEDDCCBBAA99887766554433221100"
#define IDENTITY_A "490154203237518"
#define FILE_TEXT "zebra:" KEY_B "\r\n\n" IDENTITY_A ":" KEY_A "\n49015420323751:" KEY_B "\na:" KEY_B

struct world {
	struct pki server;
};

static int
make_world(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	assert_non_null(w);
	w->server = pki_new("gate.example", true, NULL, NULL, RIG_WALL);
	*state = w;
	return 0;
}

static int
end_world(void **state)
{
	struct world *w = *state;
	pki_free(&w->server);
	free(w);
	return 0;
}

static struct tls_config
config_of(const struct world *w, enum tls_suites suites, const char *file)
{
	struct tls_config config = pki_config(&w->server);
	config.suites = suites;
	config.psk_file = view_str(file);
	return config;
}

static struct rig *
rig_with(const struct world *w, enum tls_suites suites)
{
	struct tls_config config = config_of(w, suites, FILE_TEXT);
	struct tls *tls = pki_tls(&config);
	struct rig *r = rig_new(NULL, tls, HTTP_LENIENT);
	tls_free(tls);
	return r;
}

struct claim {
	const char *identity, *key;
};

static unsigned
client_key(SSL *ssl, const char *hint, char *identity, unsigned max, unsigned char *key, unsigned key_max)
{
	const struct claim *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	long n = 0;
	(void)hint;
	snprintf(identity, max, "%s", c->identity);
	unsigned char *bytes = OPENSSL_hexstr2buf(c->key, &n);
	assert_non_null(bytes);
	assert_true((unsigned)n <= key_max);
	memcpy(key, bytes, (size_t)n);
	OPENSSL_free(bytes);
	return (unsigned)n;
}

/* A client with a key; what its handshake ends in: 0, or the alert it got. */
static int
try_with(struct rig *r, int version, const char *suites, struct claim claim)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply;
	int alert = 0;
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	if (suites)
		assert_int_equal(SSL_CTX_set_cipher_list(ctx, suites), 1);
	SSL_CTX_set_app_data(ctx, &claim);
	SSL_CTX_set_psk_client_callback(ctx, client_key);
	r->psk[0] = '\0';
	if (pki_handshake(r, c, ctx)) {
		rig_send(r, c, RANGE);
		assert_true(rig_reply_head(r, c, &reply));
		assert_int_equal(reply.status, 206);
		/* TLS 1.3 gives tickets late: none may have come with the answer either. */
		assert_false(SSL_SESSION_has_ticket(SSL_get0_session(c->ssl)) && r->psk[0]);
	} else {
		alert = ERR_GET_REASON(ERR_peek_last_error());
		assert_true(alert > 1000); /* SSL_AD_REASON_OFFSET */
	}
	ERR_clear_error();
	rig_hang_up(c);
	rig_settle(r);
	SSL_CTX_free(ctx);
	return alert;
}

static const struct claim right = { IDENTITY_A, KEY_A };

static void
suites_of_modules(void **state)
{
	static const char *const legacy[] = { "PSK-AES128-CBC-SHA", "PSK-AES128-CCM8", "PSK-AES128-GCM-SHA256",
		"PSK-AES256-CBC-SHA", "PSK-AES128-CBC-SHA256", "ECDHE-PSK-AES128-CBC-SHA", "ECDHE-PSK-AES128-CBC-SHA256" };
	const struct world *w = *state;
	struct rig *old = rig_with(w, TLS_SUITES_LEGACY), *modern = rig_with(w, TLS_SUITES_MODERN);
	struct rig *rigs[] = { old, modern };
	for (size_t i = 0; i < sizeof legacy / sizeof legacy[0]; i++) {
		assert_int_equal(try_with(old, TLS1_2_VERSION, legacy[i], right), 0);
		assert_string_equal(old->psk, IDENTITY_A);
		assert_false(old->has_peer_key);
		assert_int_not_equal(try_with(modern, TLS1_2_VERSION, legacy[i], right), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(try_with(rigs[i], TLS1_2_VERSION, "ECDHE-PSK-CHACHA20-POLY1305", right), 0);
		assert_string_equal(rigs[i]->psk, IDENTITY_A);
		assert_int_equal(try_with(rigs[i], TLS1_3_VERSION, NULL, right), 0);
		assert_string_equal(rigs[i]->psk, IDENTITY_A);
		/* Certificates go on beside it, and name nobody. */
		assert_int_equal(try_with(rigs[i], TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", right), 0);
		assert_string_equal(rigs[i]->psk, "");
	}
	rig_free(old);
	rig_free(modern);
}

static void
each_has_a_key_of_its_own(void **state)
{
	static const struct claim good[] = { { "zebra", KEY_B }, { "a", KEY_B }, { "49015420323751", KEY_B }, { IDENTITY_A, KEY_A } };
	static const struct claim bad[] = { { IDENTITY_A, KEY_B }, { "zebra", KEY_A }, { "nobody", KEY_A }, { "4901542032375188", KEY_A },
		{ "", KEY_A }, { "zebr", KEY_B } };
	const struct world *w = *state;
	struct rig *r = rig_with(w, TLS_SUITES_LEGACY);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(try_with(r, TLS1_2_VERSION, "PSK-AES128-CBC-SHA", good[i]), 0);
		assert_string_equal(r->psk, good[i].identity);
		assert_int_equal(try_with(r, TLS1_3_VERSION, NULL, good[i]), 0);
		assert_string_equal(r->psk, good[i].identity);
	}
	r->requests = 0;
	/* Known or not: the same answer. */
	int alert = try_with(r, TLS1_2_VERSION, "PSK-AES128-CBC-SHA", bad[0]);
	assert_int_not_equal(alert, 0);
	for (size_t i = 1; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(try_with(r, TLS1_2_VERSION, "PSK-AES128-CBC-SHA", bad[i]), alert);
	assert_int_equal(r->requests, 0);
	alert = try_with(r, TLS1_3_VERSION, NULL, bad[0]);
	assert_int_not_equal(alert, 0);
	for (size_t i = 1; i < sizeof bad / sizeof bad[0]; i++)
		if (bad[i].identity[0]) /* an empty one is none */
			assert_int_equal(try_with(r, TLS1_3_VERSION, NULL, bad[i]), alert);
	assert_int_equal(r->requests, 0);
	rig_free(r);
}

static void
a_withdrawn_key_is_found(void **state)
{
	const struct world *w = *state;
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct tls_config config = config_of(w, TLS_SUITES_LEGACY, FILE_TEXT);
	struct tls *same = pki_tls(&config);
	config.psk_file = view_str("zebra:" KEY_B "\n");
	struct tls *less = pki_tls(&config);
	config.psk_file = view_of(NULL, 0);
	struct tls *none = pki_tls(&config);
	config.psk_file = view_str(IDENTITY_A ":" KEY_B "\n");
	struct tls *changed = pki_tls(&config);
	config.psk_file = view_str(IDENTITY_A ":00112233445566778899AABBCCDDEEFF\n");
	struct tls *written_otherwise = pki_tls(&config);
	struct rig *r = rig_with(w, TLS_SUITES_LEGACY);
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		struct claim claim = right;
		struct rig_client *c = rig_connect(r);
		assert_int_equal(SSL_CTX_set_max_proto_version(ctx, versions[i]), 1);
		assert_int_equal(SSL_CTX_set_cipher_list(ctx, "PSK-AES128-GCM-SHA256"), 1);
		SSL_CTX_set_app_data(ctx, &claim);
		SSL_CTX_set_psk_client_callback(ctx, client_key);
		assert_true(pki_handshake(r, c, ctx));
		assert_int_equal(rig_ask(r, c, RANGE).status, 206);
		struct conn *conn = conn_find(r->net, r->held);
		assert_non_null(conn);
		assert_string_equal(conn_tls_psk(conn), IDENTITY_A);
		assert_false(conn_tls_revoked(conn, same));
		assert_true(conn_tls_revoked(conn, less));
		assert_true(conn_tls_revoked(conn, none));
		assert_true(conn_tls_revoked(conn, changed));
		assert_false(conn_tls_revoked(conn, written_otherwise));
		rig_hang_up(c);
		SSL_CTX_free(ctx);
	}
	rig_free(r);
	tls_free(same);
	tls_free(less);
	tls_free(none);
	tls_free(changed);
	tls_free(written_otherwise);
}

static void
unusable_files(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "\n\n", "line 0" },
		{ "a:" KEY_A "\nb\n", "line 2" },
		{ "a:" KEY_A "\n\n:" KEY_A "\n", "line 3" },
		{ "a:0011\n", "line 1" },                                        /* too short to be a secret */
		{ "a:" KEY_B KEY_B KEY_A "\n", "line 1" },                       /* too long */
		{ "a:" KEY_A "0\n", "line 1" },
		{ "a:" KEY_A "0g\n", "line 1" },
		{ "a:" KEY_A " \n", "line 1" },
		{ " a:" KEY_A "\n", "line 1" },
		{ "a b:" KEY_A "\n", "line 1" },
		{ "a\xc3\xa4:" KEY_A "\n", "line 1" },
		{ "#6d:" KEY_A "\n", "line 1" },                                 /* psktool's escape */
		{ "a:b:" KEY_A "\n", "line 1" },
		{ "a:" KEY_A "\nb:" KEY_A "\na:" KEY_B "\n", "an identity twice" },
	};
	const struct world *w = *state;
	char longest[TLS_PSK_IDENTITY_MAX + 2 + sizeof KEY_A] = "";
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct tls_config config = config_of(w, TLS_SUITES_MODERN, cases[i].text);
		char why[TLS_WHY_MAX] = "";
		struct tls *tls = NULL;
		assert_int_equal(tls_new(&config, &tls, why), FG_EINVAL);
		assert_null(tls);
		if (!strstr(why, cases[i].says))
			fail_msg("%s: %s", cases[i].text, why);
		assert_null(strstr(why, "0011")); /* no key in a message */
	}
	for (size_t n = TLS_PSK_IDENTITY_MAX; n <= TLS_PSK_IDENTITY_MAX + 1; n++) {
		memset(longest, 'a', n);
		memcpy(longest + n, ":" KEY_A, sizeof KEY_A + 1);
		struct tls_config config = config_of(w, TLS_SUITES_MODERN, longest);
		char why[TLS_WHY_MAX] = "";
		struct tls *tls = NULL;
		assert_int_equal(tls_new(&config, &tls, why), n == TLS_PSK_IDENTITY_MAX ? FG_OK : FG_EINVAL);
		tls_free(tls);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suites_of_modules),
		cmocka_unit_test(each_has_a_key_of_its_own),
		cmocka_unit_test(a_withdrawn_key_is_found),
		cmocka_unit_test(unusable_files),
	};
	return cmocka_run_group_tests_name("tls_psk", tests, make_world, end_world);
}
