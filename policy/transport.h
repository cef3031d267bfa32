/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport - what a URL's scheme says of how a file is fetched. Called by profile for what a
 * configuration may name, by upstream for what is fetched.
 * Guarantees: pure; a scheme that is not one of these is none of them.
 */
#ifndef FG_POLICY_TRANSPORT_H
#define FG_POLICY_TRANSPORT_H

#include "crypto/view.h"

enum transport {
	TRANSPORT_NONE = 0,
	TRANSPORT_HTTP,  /* RFC 9110 4.2.1 */
	TRANSPORT_HTTPS,
	TRANSPORT_FTP,   /* RFC 959, in the clear */
	TRANSPORT_FTPES, /* RFC 4217: FTP that begins TLS by AUTH. No registered scheme; FileZilla and WinSCP call it so */
	TRANSPORT_FTPS,  /* FTP inside TLS from the first byte, on a port of its own */
};

/* By what stands before "://", in whatever case. *ret_n: bytes up to and with "://"; 0 for none. */
enum transport transport_of(struct view url, size_t *ret_n);
/* The scheme, lower case; "" for none. */
const char *transport_name(enum transport t);
/* Of URLs that name none; 0 for none. */
uint16_t transport_port(enum transport t);
/* The server has to show a certificate, and nothing else of it is believed. */
bool transport_tls(enum transport t);
bool transport_ftp(enum transport t);

#endif
