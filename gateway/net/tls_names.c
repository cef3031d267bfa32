/* SPDX-License-Identifier: Apache-2.0 */
/* tls_names - for which hosts the certificates of our own are. */
#include "gateway/net/tls_private.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

bool
tls_names_host(const struct tls *tls, const char *host)
{
	uint8_t ip[16];
	bool address = inet_pton(AF_INET, host, ip) == 1 || inet_pton(AF_INET6, host, ip) == 1;
	bool found = false;
	for (long at = SSL_CERT_SET_FIRST; !found && host[0] && SSL_CTX_set_current_cert(tls->ctx, at) == 1;
	     at = SSL_CERT_SET_NEXT) {
		X509 *own = SSL_CTX_get0_certificate(tls->ctx);
		found = address ? X509_check_ip_asc(own, host, 0) == 1 :
		    X509_check_host(own, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
	}
	ERR_clear_error();
	return found;
}
