/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/certinfo.h"

#include <stdio.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>

#include "crypto/err.h"
#include "crypto/pubkey.h"
#include "crypto/visible.h"

#define SERIAL_BYTES_MAX 28 /* RFC 5280 allows 20; what is longer is cut when shown */

/*
 * Delimiters are escaped so that "CN=a, O=b" as a value cannot pose as two
 * parts; control and non-ASCII characters come out as UTF-8 for visible_*.
 */
#define NAME_FLAGS                                                                \
	((unsigned long)(ASN1_STRFLGS_ESC_2253 | ASN1_STRFLGS_UTF8_CONVERT |      \
	    XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | XN_FLAG_DUMP_UNKNOWN_FIELDS | \
	    ASN1_STRFLGS_DUMP_UNKNOWN | ASN1_STRFLGS_DUMP_DER))

int
certinfo_name(const X509_NAME *name, char *ret, size_t cap)
{
	char *text = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	if (!bio) {
		ERR_clear_error();
		return FG_ENOMEM;
	}
	/* A name nobody can print is the certificate's fault, not a failure of ours. */
	if (X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) >= 0) {
		long n = BIO_get_mem_data(bio, &text);
		visible_cstr(view_of(text, n > 0 ? (size_t)n : 0), ret, cap);
	} else {
		snprintf(ret, cap, "unreadable name");
	}
	BIO_free(bio);
	ERR_clear_error();
	return 0;
}

int
certinfo_serial(const ASN1_INTEGER *serial, char *ret, size_t cap)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(serial, NULL);
	char *digits = bn ? BN_bn2hex(bn) : NULL;
	int err = digits ? 0 : FG_ENOMEM;

	if (!err) {
		const char *p = digits + (digits[0] == '-');
		while (p[0] == '0' && p[1] != '\0')
			p++;
		snprintf(ret, cap, "%s%.*s%s", digits[0] == '-' ? "-" : "", 2 * SERIAL_BYTES_MAX, p,
		    strlen(p) > (size_t)2 * SERIAL_BYTES_MAX ? "..." : "");
		for (char *c = ret; *c; c++)
			if (*c >= 'A' && *c <= 'F')
				*c = (char)(*c - 'A' + 'a');
	}
	OPENSSL_free(digits);
	BN_free(bn);
	ERR_clear_error();
	return err;
}

int
certinfo_time(const ASN1_TIME *time, int64_t *ret)
{
	struct tm tm;
	if (!time || ASN1_TIME_to_tm(time, &tm) != 1) {
		ERR_clear_error();
		return FG_EFORMAT;
	}
	*ret = (int64_t)timegm(&tm);
	return 0;
}

int
certinfo_describe(const X509 *x509, struct sig_signer *ret)
{
	struct sig_signer s = *ret;
	EVP_PKEY *pkey = X509_get0_pubkey(x509);
	if (!pkey) {
		ERR_clear_error();
		return FG_EFORMAT;
	}
	int err = certinfo_name(X509_get_subject_name(x509), s.subject, sizeof s.subject);
	if (!err)
		err = certinfo_name(X509_get_issuer_name(x509), s.issuer, sizeof s.issuer);
	if (!err)
		err = certinfo_serial(X509_get0_serialNumber(x509), s.serial, sizeof s.serial);
	if (!err)
		err = certinfo_time(X509_get0_notBefore(x509), &s.not_before);
	if (!err)
		err = certinfo_time(X509_get0_notAfter(x509), &s.not_after);
	if (!err)
		err = pubkey_spki_sha256(pkey, s.spki_sha256);
	if (err)
		return err;
	pubkey_type(pkey, s.key_type);
	s.have_spki = true;
	*ret = s;
	return 0;
}
