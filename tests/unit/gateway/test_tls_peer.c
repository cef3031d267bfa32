/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of clients against revocation lists; the plain cases are in test_tls.c. */
#include "unit/gateway/net_pki.h"

#include "crypto/digest.h"

#define HOUR 3600

struct world {
	struct pki server, root, sub, other, good, bad, deep;
};

static int
make_world(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	assert_non_null(w);
	w->server = pki_new("gate.example", false, NULL, NULL, RIG_WALL);
	w->root = pki_new("root", false, NULL, NULL, RIG_WALL);
	w->other = pki_new("root", false, NULL, NULL, RIG_WALL); /* the same name, another key */
	w->sub = pki_make("sub", false, &w->root, true, NULL, 0, RIG_WALL);
	w->good = pki_new("module 1", false, &w->root, "clientAuth", RIG_WALL);
	w->bad = pki_new("module 2", false, &w->root, "clientAuth", RIG_WALL);
	w->deep = pki_new("module 3", false, &w->sub, "clientAuth", RIG_WALL);
	*state = w;
	return 0;
}

static int
end_world(void **state)
{
	struct world *w = *state;
	struct pki *all[] = { &w->server, &w->root, &w->sub, &w->other, &w->good, &w->bad, &w->deep };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		pki_free(all[i]);
	free(w);
	return 0;
}

static char *
joined(char *a, char *b)
{
	char *both = calloc(1, strlen(a) + strlen(b) + 1);
	assert_non_null(both);
	strcat(strcat(both, a), b);
	free(a);
	free(b);
	return both;
}

static struct tls *
tls_with(const struct world *w, const struct pki *anchor, const char *crls)
{
	struct tls_config config = pki_config(&w->server);
	config.peer = TLS_PEER_OPTIONAL;
	config.client_ca_pem = view_str(anchor->cert_pem);
	config.client_crl_pem = view_str(crls);
	return pki_tls(&config);
}

static struct rig *
rig_with(const struct world *w, const struct pki *anchor, const char *crls)
{
	struct tls *tls = tls_with(w, anchor, crls);
	struct rig *r = rig_new(NULL, tls, HTTP_LENIENT);
	tls_free(tls);
	return r;
}

/* What becomes of a client with that certificate (and that intermediate). */
static enum tls_refusal
try_as(struct rig *r, const struct pki *who, const struct pki *chain)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	enum tls_refusal got[2];
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		struct rig_client *c = rig_connect(r);
		assert_int_equal(SSL_CTX_set_min_proto_version(ctx, versions[i]), 1);
		assert_int_equal(SSL_CTX_set_max_proto_version(ctx, versions[i]), 1);
		assert_int_equal(SSL_CTX_use_certificate(ctx, who->cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, who->key), 1);
		if (chain)
			assert_int_equal(SSL_CTX_add1_chain_cert(ctx, chain->cert), 1);
		unsigned requests = r->requests;
		if (pki_handshake(r, c, ctx))
			rig_send(r, c, "GET /f/a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9\r\n\r\n");
		rig_settle(r);
		rig_hang_up(c);
		rig_settle(r);
		got[i] = r->refusal;
		assert_int_equal(r->requests - requests, got[i] == TLS_REFUSAL_NONE);
		if (got[i] == TLS_REFUSAL_NONE)
			assert_true(r->has_peer_key);
		SSL_CTX_free(ctx);
	}
	assert_int_equal(got[0], got[1]);
	return got[0];
}

static void
revoked_ones_are_refused(void **state)
{
	const struct world *w = *state;
	uint8_t key[TLS_SPKI_LEN];
	unsigned char *der = NULL;
	char *crl = pki_crl(&w->root, &w->bad, RIG_WALL);
	struct rig *r = rig_with(w, &w->root, crl);
	assert_int_equal(try_as(r, &w->good, NULL), TLS_REFUSAL_NONE);
	assert_int_equal(try_as(r, &w->bad, NULL), TLS_REFUSAL_REVOKED);
	/* And it is known who that was. */
	int n = i2d_PUBKEY(w->bad.key, &der);
	assert_int_equal(digest_sha256(view_of(der, (size_t)n), key), FG_OK);
	assert_memory_equal(r->refused_key, key, sizeof key);
	OPENSSL_free(der);
	/* A list that has run out is none; nor is one of tomorrow. */
	r->wall_s = RIG_WALL + 2 * HOUR;
	assert_int_equal(try_as(r, &w->good, NULL), TLS_REFUSAL_NO_CRL);
	assert_int_equal(try_as(r, &w->bad, NULL), TLS_REFUSAL_REVOKED);
	r->wall_s = RIG_WALL - 2 * HOUR;
	assert_int_equal(try_as(r, &w->good, NULL), TLS_REFUSAL_NO_CRL);
	r->wall_s = RIG_WALL + 48 * HOUR; /* the CA's time is over too */
	assert_int_equal(try_as(r, &w->good, NULL), TLS_REFUSAL_UNTRUSTED);
	rig_free(r);
	free(crl);
}

/* Names and number of a revoked certificate on somebody's own key say nothing about whom they were taken from. */
static void
forgeries_are_not_called_revoked(void **state)
{
	const struct world *w = *state;
	char *crl = pki_crl(&w->root, &w->bad, RIG_WALL);
	struct rig *r = rig_with(w, &w->root, crl);
	struct pki forged = pki_make("module 2", false, &w->other, false, "clientAuth",
	    ASN1_INTEGER_get(X509_get0_serialNumber(w->bad.cert)), RIG_WALL);
	assert_int_equal(try_as(r, &forged, NULL), TLS_REFUSAL_UNTRUSTED);
	rig_free(r);
	pki_free(&forged);
	free(crl);
}

/* Nor does the end of a CA say anything about them. */
static void
dates_are_said_of_the_own_certificate(void **state)
{
	const struct world *w = *state;
	struct pki old = pki_new("old", false, NULL, NULL, RIG_WALL - 30 * 24 * HOUR);
	struct pki other = pki_new("old", false, NULL, NULL, RIG_WALL);
	struct pki forged = pki_make("module 2", false, &other, false, "clientAuth", 0, RIG_WALL);
	struct pki late = pki_make("module 2", false, &w->root, false, "clientAuth", 0, RIG_WALL - 30 * 24 * HOUR);
	struct tls_config config = pki_config(&w->server);
	config.peer = TLS_PEER_OPTIONAL;
	const struct pki *anchors[] = { &old, &w->root }, *who[] = { &forged, &late };
	for (size_t i = 0; i < 2; i++) {
		config.client_ca_pem = view_str(anchors[i]->cert_pem);
		struct tls *tls = pki_tls(&config);
		struct rig *r = rig_new(NULL, tls, HTTP_LENIENT);
		assert_int_equal(try_as(r, who[i], NULL), i ? TLS_REFUSAL_DATES : TLS_REFUSAL_UNTRUSTED);
		rig_free(r);
		tls_free(tls);
	}
	struct pki *all[] = { &old, &other, &forged, &late };
	for (size_t i = 0; i < 4; i++)
		pki_free(all[i]);
}

static void
every_ca_of_the_chain_needs_a_list(void **state)
{
	const struct world *w = *state;
	char *roots = pki_crl(&w->root, NULL, RIG_WALL);
	struct rig *r = rig_with(w, &w->root, roots);
	assert_int_equal(try_as(r, &w->deep, &w->sub), TLS_REFUSAL_NO_CRL);
	rig_free(r);
	char *both = joined(roots, pki_crl(&w->sub, NULL, RIG_WALL));
	r = rig_with(w, &w->root, both);
	assert_int_equal(try_as(r, &w->deep, &w->sub), TLS_REFUSAL_NONE);
	rig_free(r);
	free(both);
	/* A CA that was revoked takes its modules along. */
	both = joined(pki_crl(&w->root, &w->sub, RIG_WALL), pki_crl(&w->sub, NULL, RIG_WALL));
	r = rig_with(w, &w->root, both);
	assert_int_equal(try_as(r, &w->deep, &w->sub), TLS_REFUSAL_REVOKED);
	rig_free(r);
	free(both);
	/* An anchor below the root is vouched for by being listed: its own list is enough. */
	char *subs = pki_crl(&w->sub, NULL, RIG_WALL);
	r = rig_with(w, &w->sub, subs);
	assert_int_equal(try_as(r, &w->deep, NULL), TLS_REFUSAL_NONE);
	rig_free(r);
	free(subs);
	/* Somebody else's list under the right name is none. */
	char *others = pki_crl(&w->other, NULL, RIG_WALL);
	r = rig_with(w, &w->root, others);
	assert_int_not_equal(try_as(r, &w->good, NULL), TLS_REFUSAL_NONE);
	rig_free(r);
	free(others);
}

static void
who_is_connected_is_found(void **state)
{
	const struct world *w = *state;
	char *none = pki_crl(&w->root, NULL, RIG_WALL), *one = pki_crl(&w->root, &w->bad, RIG_WALL);
	struct rig *r = rig_with(w, &w->root, none);
	struct tls *before = tls_with(w, &w->root, none), *after = tls_with(w, &w->root, one);
	const struct pki *who[] = { &w->good, &w->bad };
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		struct rig_client *c = rig_connect(r);
		assert_int_equal(SSL_CTX_use_certificate(ctx, who[i]->cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, who[i]->key), 1);
		assert_true(pki_handshake(r, c, ctx));
		assert_int_equal(rig_ask(r, c, "GET /f/a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9\r\n\r\n").status, 206);
		struct conn *conn = conn_find(r->net, r->held);
		assert_non_null(conn);
		assert_false(conn_tls_revoked(conn, before));
		assert_int_equal(conn_tls_revoked(conn, after), who[i] == &w->bad);
		rig_hang_up(c);
		SSL_CTX_free(ctx);
	}
	tls_free(before);
	tls_free(after);
	rig_free(r);
	free(none);
	free(one);
}

struct look {
	const struct tls *tls;
	unsigned n, revoked;
};

static void
look_at(void *ctx, struct conn *conn)
{
	struct look *l = ctx;
	l->n++;
	l->revoked += conn_tls_revoked(conn, l->tls);
}

/* Who says hello before a list comes and the rest after it would be judged by the list before. */
static void
a_handshake_does_not_outlive_its_lists(void **state)
{
	const struct world *w = *state;
	char *none = pki_crl(&w->root, NULL, RIG_WALL), *one = pki_crl(&w->root, &w->bad, RIG_WALL);
	const struct tls_config open = pki_config(&w->server);
	struct tls *before = tls_with(w, &w->root, none), *after = tls_with(w, &w->root, one), *nobody = pki_tls(&open);
	struct tls *const began[] = { before, nobody };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	for (size_t i = 0; i < 2; i++) {
		struct rig *r = rig_new(NULL, began[i], HTTP_LENIENT);
		struct rig_client *c = rig_connect(r);
		struct look same = { .tls = began[i] }, next = { .tls = after };
		c->ssl = SSL_new(ctx);
		assert_int_equal(SSL_set_fd(c->ssl, c->fd), 1);
		assert_int_equal(SSL_connect(c->ssl), -1);
		rig_settle(r);
		net_each(r->net, look_at, &same);
		net_each(r->net, look_at, &next);
		assert_int_equal(same.n, 1);
		assert_int_equal(same.revoked, 0);
		assert_int_equal(next.revoked, began[i] == before); /* where nobody is identified there is nothing to lose */
		rig_hang_up(c);
		rig_free(r);
	}
	SSL_CTX_free(ctx);
	tls_free(before);
	tls_free(after);
	tls_free(nobody);
	free(none);
	free(one);
}

static void
unusable_lists(void **state)
{
	const struct world *w = *state;
	struct tls_config config = pki_config(&w->server);
	char *crl = pki_crl(&w->root, NULL, RIG_WALL), *cut = strdup(crl);
	char *tail = joined(strdup(crl), strdup("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"));
	const char *bad[] = { "nothing", w->root.cert_pem, cut, tail };
	cut[strlen(cut) - 40] = '\0';
	config.peer = TLS_PEER_REQUIRED;
	config.client_ca_pem = view_str(w->root.cert_pem);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char why[TLS_WHY_MAX] = "";
		struct tls *tls = NULL;
		config.client_crl_pem = view_str(bad[i]);
		assert_int_equal(tls_new(&config, &tls, why), FG_EINVAL);
		assert_non_null(strstr(why, "revocation lists"));
	}
	free(crl);
	free(cut);
	free(tail);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(revoked_ones_are_refused),
		cmocka_unit_test(forgeries_are_not_called_revoked),
		cmocka_unit_test(dates_are_said_of_the_own_certificate),
		cmocka_unit_test(every_ca_of_the_chain_needs_a_list),
		cmocka_unit_test(who_is_connected_is_found),
		cmocka_unit_test(a_handshake_does_not_outlive_its_lists),
		cmocka_unit_test(unusable_lists),
	};
	return cmocka_run_group_tests_name("tls_peer", tests, make_world, end_world);
}
