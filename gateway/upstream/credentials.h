/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials - what one fetch may show: a name and a password to the proxy, others to
 * the vendor's FTP server, a certificate and its key to the vendor's server. One file of the operator's, as
 * fotagate.conf(5) says. Called by upstream; wiped after use.
 */
#ifndef FG_GATEWAY_UPSTREAM_CREDENTIALS_H
#define FG_GATEWAY_UPSTREAM_CREDENTIALS_H

#include "crypto/view.h"

#define CREDENTIALS_BYTES_MAX 65536 /* a chain of ten certificates has 20 KiB */
#define CREDENTIALS_USER_MAX 256    /* name and password; as much as RFC 7617 clients take */

struct credentials {
	char proxy[CREDENTIALS_USER_MAX]; /* "name:password"; "" : none */
	char ftp[CREDENTIALS_USER_MAX];   /* the same, for the vendor's FTP server */
	struct view pem;                  /* the whole file, if it has a certificate and a key; else empty */
	uint8_t *bytes;
	size_t n;
};

/* From a file's start, wherever its descriptor stands (the caller's). 0, FG_EFORMAT, FG_ELIMIT, FG_EIO, FG_ENOMEM. */
int credentials_read(struct credentials *c, int fd);
void credentials_wipe(struct credentials *c);

#endif
