/* SPDX-License-Identifier: Apache-2.0 */
/* tls_runout - what of a struct tls has an end, and when that is. */
#include <openssl/err.h>

#include "crypto/certinfo.h"
#include "gateway/net/tls_private.h"

/* The one that ends first stays. A list without an end has none. */
static void
keep(struct tls_span *span, const ASN1_TIME *from, const ASN1_TIME *until)
{
	int64_t begin, end;
	if (!until || certinfo_time(from, &begin) || certinfo_time(until, &end) || (span->until && span->until <= end))
		return;
	*span = (struct tls_span){ begin, end };
}

static void
keep_cert(struct tls_span *span, const X509 *x)
{
	if (x)
		keep(span, X509_get0_notBefore(x), X509_get0_notAfter(x));
}

void
tls_runouts(const struct tls *tls, struct tls_span ret[TLS_RUNOUTS])
{
	memset(ret, 0, TLS_RUNOUTS * sizeof ret[0]);
	for (long at = SSL_CERT_SET_FIRST; SSL_CTX_set_current_cert(tls->ctx, at) == 1; at = SSL_CERT_SET_NEXT)
		keep_cert(&ret[TLS_RUNOUT_CERT], SSL_CTX_get0_certificate(tls->ctx));
	STACK_OF(X509_OBJECT) *anchors = X509_STORE_get0_objects(SSL_CTX_get_cert_store(tls->ctx));
	for (int i = 0; i < sk_X509_OBJECT_num(anchors); i++)
		keep_cert(&ret[TLS_RUNOUT_CLIENT_CA], X509_OBJECT_get0_X509(sk_X509_OBJECT_value(anchors, i)));
	for (int i = 0; i < sk_X509_CRL_num(tls->crls); i++) {
		const X509_CRL *crl = sk_X509_CRL_value(tls->crls, i);
		keep(&ret[TLS_RUNOUT_CRL], X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl));
	}
	ERR_clear_error();
}
