/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/peer.h"

#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto/err.h"

/* Of several addresses the socket callback saw the last one tried; this is the one that answered. */
static void
note_address(struct provenance_hop *h, CURL *e)
{
	char *ip = NULL;
	long port = 0;
	if (curl_easy_getinfo(e, CURLINFO_PRIMARY_IP, &ip) != CURLE_OK || !ip || !ip[0] ||
	    curl_easy_getinfo(e, CURLINFO_PRIMARY_PORT, &port) != CURLE_OK)
		return;
	snprintf(h->peer, sizeof h->peer, "%.46s port %ld", ip, port);
}

static void
note_certificates(struct provenance_hop *h, CURL *e)
{
	struct curl_certinfo *info = NULL;
	if (curl_easy_getinfo(e, CURLINFO_CERTINFO, &info) != CURLE_OK || !info)
		return;
	/* The whole chain, in place of the leaf that was caught. */
	if (info->num_of_certs)
		h->certs_n = 0;
	for (int i = 0; i < info->num_of_certs && h->certs_n < PROVENANCE_CERTS_MAX; i++) {
		for (const struct curl_slist *s = info->certinfo[i]; s; s = s->next) {
			if (strncmp(s->data, "Cert:", 5))
				continue;
			BIO *bio = BIO_new_mem_buf(s->data + 5, -1);
			X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
			unsigned n = 0;
			if (x && X509_digest(x, EVP_sha256(), h->cert[h->certs_n], &n) && n == DIGEST_SHA256_LEN)
				h->certs_n++;
			X509_free(x);
			BIO_free(bio);
			break;
		}
	}
}

/* Called for each certificate of the chain, and again for errors; the verdict stays OpenSSL's. */
static int
on_certificate(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct provenance_hop *h = ssl ? SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)) : NULL;
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	uint8_t *spki = NULL, key[DIGEST_SHA256_LEN];
	unsigned n = 0;
	if (!h || !leaf)
		return good;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
	bool have = len > 0 && digest_sha256(view_of(spki, (size_t)len), key) == FG_OK;
	OPENSSL_free(spki);
	if (h->have_key) {
		h->other_key = h->other_key || !have || memcmp(h->key, key, sizeof key) != 0;
		return good;
	}
	if (have) {
		memcpy(h->key, key, sizeof key);
		h->have_key = true;
	}
	if (!h->certs_n && X509_digest(leaf, EVP_sha256(), h->cert[0], &n) && n == DIGEST_SHA256_LEN)
		h->certs_n = 1;
	return good;
}

void
peer_watch(struct provenance_hop *h, SSL_CTX *ctx)
{
	SSL_CTX_set_app_data(ctx, h);
	SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), on_certificate);
}

void
peer_note(struct provenance_hop *h, CURL *e)
{
	curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &h->status);
	note_address(h, e);
	note_certificates(h, e);
}
