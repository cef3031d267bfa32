/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers hold nothing of what was said, where that is asked for. */
#include "unit/gateway/net_pki.h"

#include "gateway/net/net_private.h"

#define SECRET "correct horse"

static bool
holds(const uint8_t *bytes, size_t n)
{
	return memmem(bytes, n, SECRET, strlen(SECRET)) != NULL;
}

/* Whether anything that the engine keeps for the next connection tells of this one. */
static bool
remembers(const struct net *net)
{
	bool found = holds(net->record, sizeof net->record);
	unsigned n = 0;
	for (const struct net_in *in = net->spare_in; in; in = in->next, n++)
		found |= holds(in->bytes, in->cap);
	assert_true(n > 0);
	for (const struct net_out *out = net->spare_out; out; out = out->next)
		found |= holds(out->bytes, sizeof out->bytes);
	return found;
}

/* Two requests behind each other, of which the first has a password, and answers with a secret. */
static bool
talk(struct tls *tls, bool wiping)
{
	static const char asked[] = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 13\r\n\r\n" SECRET
	    "GET /b HTTP/1.1\r\nHost: h\r\nCookie: " SECRET "\r\n\r\n";
	struct rig *r = rig_new(NULL, tls, HTTP_STRICT);
	struct rig_client *c = rig_connect(r);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	if (wiping)
		net_set_wiping(r->net);
	r->mode = RIG_HOLD;
	assert_true(pki_handshake(r, c, ctx));
	SSL_CTX_free(ctx);
	rig_send(r, c, asked);
	for (int i = 0; i < 2; i++) {
		const struct http_reply head = { .status = 200, .extra = view_str("X-Secret: " SECRET "\r\n") };
		const struct conn_body body = { .memory = view_str(SECRET) };
		rig_settle(r);
		assert_int_equal(r->requests, i + 1);
		assert_int_equal(conn_reply(conn_find(r->net, r->held), &head, &body), FG_OK);
	}
	rig_settle(r);
	bool found = remembers(r->net);
	rig_hang_up(c);
	rig_settle(r);
	rig_free(r);
	return found;
}

static void
test_wipes(void **state)
{
	struct pki p = pki_new("gate", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&p);
	struct tls *tls = pki_tls(&config);
	(void)state;
	assert_true(talk(tls, false)); /* or this test sees nothing */
	assert_false(talk(tls, true));
	tls_free(tls);
	pki_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_wipes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
