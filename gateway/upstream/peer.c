/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/peer.h"

#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

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

void
peer_note(struct provenance_hop *h, CURL *e)
{
	curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &h->status);
	note_address(h, e);
	note_certificates(h, e);
}
