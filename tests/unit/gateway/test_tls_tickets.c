/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets between two engines that share secrets, as two edges do; within one they are in test_tls.c. */
#include "unit/gateway/net_pki.h"

#include "crypto/digest.h"

#define RANGE "GET /f/a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9\r\n\r\n"

struct world {
	struct pki server, ca, client;
	char *crl, *next_crl;
};

/* Secrets by a letter. */
struct secrets {
	uint8_t at[TLS_TICKET_KEYS][TLS_TICKET_SECRET];
};

static struct secrets
secrets(char now, char before)
{
	struct secrets s;
	memset(s.at[0], now, sizeof s.at[0]);
	memset(s.at[1], before, sizeof s.at[1]);
	return s;
}

static int
make_world(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	assert_non_null(w);
	w->server = pki_new("gate.example", false, NULL, NULL, RIG_WALL);
	w->ca = pki_new("CA", false, NULL, NULL, RIG_WALL);
	w->client = pki_new("module 1", false, &w->ca, "clientAuth", RIG_WALL);
	w->crl = pki_crl(&w->ca, NULL, RIG_WALL);
	w->next_crl = pki_crl(&w->ca, &w->client, RIG_WALL);
	*state = w;
	return 0;
}

static int
end_world(void **state)
{
	struct world *w = *state;
	pki_free(&w->server);
	pki_free(&w->ca);
	pki_free(&w->client);
	free(w->crl);
	free(w->next_crl);
	free(w);
	return 0;
}

struct edge {
	struct rig *r;
	struct tls *tls;
};

static struct edge
edge_with(const struct tls_config *config, char now, char before)
{
	struct edge e = { .tls = pki_tls(config) };
	assert_int_equal(tls_tickets_set(e.tls, secrets(now, before).at), FG_OK);
	e.r = rig_new(NULL, e.tls, HTTP_LENIENT);
	return e;
}

static void
edge_end(struct edge *e)
{
	rig_free(e->r);
	tls_free(e->tls);
}

/* The newest ticket a client was given. */
static int
keep(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION **kept = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	SSL_SESSION_free(*kept);
	*kept = session;
	return 1;
}

/* Asks with *kept, if there is one, and keeps what is given. Whether it was resumed. */
static bool
ask(const struct edge *e, const struct world *w, int version, SSL_SESSION **kept)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_SESSION *offered = *kept;
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_use_certificate(ctx, w->client.cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, w->client.key), 1);
	/* In OpenSSL's own store a session ends with its context. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_set_app_data(ctx, kept);
	SSL_CTX_sess_set_new_cb(ctx, keep);
	if (offered)
		SSL_SESSION_up_ref(offered);
	struct rig_client *c = rig_connect(e->r);
	bool resumed = false;
	if (pki_resume(e->r, c, ctx, offered)) {
		rig_send(e->r, c, RANGE);
		struct rig_reply reply;
		resumed = rig_reply_head(e->r, c, &reply) && SSL_session_reused(c->ssl);
		if (resumed && version == TLS1_2_VERSION) /* whose renewed ticket OpenSSL calls nobody back for */
			keep(c->ssl, SSL_get1_session(c->ssl));
	}
	rig_hang_up(c);
	rig_settle(e->r);
	SSL_SESSION_free(offered);
	SSL_CTX_free(ctx);
	return resumed;
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* One gives it, the other takes it; for as long as it knows the secret. */
static void
edges_open_each_others(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = pki_config(&w->server);
	for (size_t i = 0; i < 2; i++) {
		struct edge a = edge_with(&config, 'b', 'a'), b = edge_with(&config, 'b', 'a');
		SSL_SESSION *kept = NULL, *old;
		assert_false(ask(&a, w, versions[i], &kept));
		assert_non_null(kept);
		assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(kept), TLS_TICKET_S);
		assert_true(ask(&b, w, versions[i], &kept));
		assert_true(ask(&a, w, versions[i], &kept));
		/* The next secret: the one before still opens, and what it opens is sealed anew. */
		old = SSL_SESSION_dup(kept);
		assert_int_equal(tls_tickets_set(b.tls, secrets('c', 'b').at), FG_OK);
		assert_true(ask(&b, w, versions[i], &kept));
		assert_int_equal(tls_tickets_set(b.tls, secrets('d', 'c').at), FG_OK);
		assert_true(ask(&b, w, versions[i], &kept));
		assert_false(ask(&b, w, versions[i], &old)); /* two periods old */
		/* Edges with other secrets know nothing of it. */
		struct edge c = edge_with(&config, 'x', 'y');
		assert_false(ask(&c, w, versions[i], &kept));
		SSL_SESSION_free(kept);
		SSL_SESSION_free(old);
		edge_end(&a);
		edge_end(&b);
		edge_end(&c);
	}
}

/* What a reload has replaced opens nothing that its successor seals, nor seals what that opens. */
static void
who_forgot_opens_nothing(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = pki_config(&w->server);
	for (size_t i = 0; i < 2; i++) {
		struct edge a = edge_with(&config, 'b', 'a'), b = edge_with(&config, 'b', 'a');
		SSL_SESSION *kept = NULL;
		assert_false(ask(&a, w, versions[i], &kept));
		assert_int_equal(tls_tickets_forget(b.tls), FG_OK);
		assert_false(ask(&b, w, versions[i], &kept));
		assert_false(ask(&a, w, versions[i], &kept));
		assert_true(ask(&a, w, versions[i], &kept));
		SSL_SESSION_free(kept);
		edge_end(&a);
		edge_end(&b);
	}
}

/* A renewed certificate costs nobody his session. */
static void
another_certificate_is_no_other_listener(void **state)
{
	const struct world *w = *state;
	struct pki next = pki_new("gate.example", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&w->server), renewed = pki_config(&next);
	struct edge a = edge_with(&config, 'b', 'a'), b = edge_with(&renewed, 'b', 'a');
	SSL_SESSION *kept = NULL;
	assert_false(ask(&a, w, TLS1_3_VERSION, &kept));
	assert_true(ask(&b, w, TLS1_3_VERSION, &kept));
	SSL_SESSION_free(kept);
	edge_end(&a);
	edge_end(&b);
	pki_free(&next);
}

/* What a session was agreed under must be so still: it is not verified anew. */
static void
tickets_are_bound_to_what_was_checked(void **state)
{
	const struct world *w = *state;
	struct tls_config base = pki_config(&w->server), other[6];
	base.peer = TLS_PEER_OPTIONAL;
	base.client_ca_pem = view_str(w->ca.cert_pem);
	base.client_crl_pem = view_str(w->crl);
	for (size_t k = 0; k < 6; k++)
		other[k] = base;
	other[0].client_crl_pem = view_str(w->next_crl); /* the client is revoked now */
	other[1].client_crl_pem = view_of(NULL, 0);
	other[2].client_ca_pem = view_str(w->server.cert_pem);
	other[2].client_crl_pem = view_of(NULL, 0);
	other[3].peer = TLS_PEER_REQUIRED;
	other[4].suites = TLS_SUITES_MODERN;
	other[5].security_level = 1;
	for (size_t i = 0; i < 2; i++) {
		struct edge a = edge_with(&base, 'b', 'a'), same = edge_with(&base, 'b', 'a');
		for (size_t k = 0; k < 6; k++) {
			struct edge b = edge_with(&other[k], 'b', 'a');
			SSL_SESSION *kept = NULL;
			assert_false(ask(&a, w, versions[i], &kept));
			assert_non_null(kept);
			assert_false(ask(&b, w, versions[i], &kept));
			SSL_SESSION_free(kept);
			edge_end(&b);
		}
		SSL_SESSION *kept = NULL;
		assert_false(ask(&a, w, versions[i], &kept));
		same.r->has_peer_key = false;
		assert_true(ask(&same, w, versions[i], &kept));
		assert_true(same.r->has_peer_key); /* and the identity comes along */
		SSL_SESSION_free(kept);
		edge_end(&a);
		edge_end(&same);
	}
}

/* A ticket got by a ticket is as old as the handshake that both stand for. */
static void
resumption_does_not_renew_itself(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = pki_config(&w->server);
	for (size_t i = 0; i < 2; i++) {
		struct edge a = edge_with(&config, 'b', 'a');
		SSL_SESSION *kept = NULL;
		assert_false(ask(&a, w, versions[i], &kept));
		for (int step = 0; step < 3; step++) {
			a.r->wall_s += 1000;
			assert_true(ask(&a, w, versions[i], &kept));
		}
		a.r->wall_s = RIG_WALL - 1; /* nor is it of tomorrow */
		SSL_SESSION *other = SSL_SESSION_dup(kept);
		assert_false(ask(&a, w, versions[i], &other));
		a.r->wall_s = RIG_WALL + TLS_TICKET_S;
		assert_false(ask(&a, w, versions[i], &kept));
		/* And the next one counts from here. */
		a.r->wall_s += TLS_TICKET_S - 1;
		assert_true(ask(&a, w, versions[i], &kept));
		SSL_SESSION_free(kept);
		SSL_SESSION_free(other);
		edge_end(&a);
	}
}

/* What has run out since is asked for again, and then refused for what it is. */
static void
a_ticket_ends_with_what_was_verified(void **state)
{
	const struct world *w = *state;
	static const struct {
		int64_t seen, ends;
		enum tls_refusal refusal;
	} cases[] = {
		{ RIG_WALL, RIG_WALL + 3600, TLS_REFUSAL_NO_CRL },
		{ RIG_WALL + 86400 - 100, RIG_WALL + 86401, TLS_REFUSAL_UNTRUSTED }, /* the CA with it */
	};
	for (size_t k = 0; k < 2; k++) {
		struct tls_config config = pki_config(&w->server);
		config.peer = TLS_PEER_REQUIRED;
		config.client_ca_pem = view_str(w->ca.cert_pem);
		char *list = pki_crl(&w->ca, NULL, RIG_WALL - 60);
		if (k == 0)
			config.client_crl_pem = view_str(list);
		for (size_t i = 0; i < 2; i++) {
			struct edge a = edge_with(&config, 'b', 'a');
			SSL_SESSION *kept = NULL;
			a.r->wall_s = cases[k].seen;
			assert_false(ask(&a, w, versions[i], &kept));
			assert_int_equal(a.r->refusal, TLS_REFUSAL_NONE);
			a.r->wall_s += 50;
			assert_true(ask(&a, w, versions[i], &kept));
			a.r->wall_s = cases[k].ends - (k == 0 ? 60 : 0);
			assert_true(a.r->wall_s - cases[k].seen < TLS_TICKET_S);
			assert_false(ask(&a, w, versions[i], &kept));
			assert_int_equal(a.r->refusal, cases[k].refusal);
			SSL_SESSION_free(kept);
			edge_end(&a);
		}
		free(list);
	}
}

/* Every byte of a ticket counts; a bad one means a full handshake, nothing worse. */
static void
a_forged_ticket_is_none(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = pki_config(&w->server);
	struct edge a = edge_with(&config, 'b', 'a');
	SSL_SESSION *kept = NULL;
	const unsigned char *ticket;
	unsigned char *der = NULL;
	size_t n;
	assert_false(ask(&a, w, TLS1_2_VERSION, &kept));
	SSL_SESSION_get0_ticket(kept, &ticket, &n);
	int len = i2d_SSL_SESSION(kept, &der);
	assert_true(len > 0 && n > 48);
	unsigned char *at = memmem(der, (size_t)len, ticket, n);
	assert_non_null(at);
	for (size_t i = 0; i < n; i += 7) {
		at[i] ^= 1;
		const unsigned char *p = der;
		SSL_SESSION *forged = d2i_SSL_SESSION(NULL, &p, len);
		assert_non_null(forged);
		assert_false(ask(&a, w, TLS1_2_VERSION, &forged));
		SSL_SESSION_free(forged);
		at[i] ^= 1;
	}
	assert_true(ask(&a, w, TLS1_2_VERSION, &kept));
	OPENSSL_free(der);
	SSL_SESSION_free(kept);
	edge_end(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_open_each_others),
		cmocka_unit_test(who_forgot_opens_nothing),
		cmocka_unit_test(another_certificate_is_no_other_listener),
		cmocka_unit_test(tickets_are_bound_to_what_was_checked),
		cmocka_unit_test(resumption_does_not_renew_itself),
		cmocka_unit_test(a_ticket_ends_with_what_was_verified),
		cmocka_unit_test(a_forged_ticket_is_none),
	};
	return cmocka_run_group_tests_name("tls_tickets", tests, make_world, end_world);
}
