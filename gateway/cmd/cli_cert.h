/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_cert - a listener's key and a certificate it signs itself, so that HTTPS
 * works from the first minute; a real gateway replaces it by one that its modules
 * trust. RSA-2048: BG9x modules offer no ECDSA suites.
 */
#ifndef FG_GATEWAY_CMD_CLI_CERT_H
#define FG_GATEWAY_CMD_CLI_CERT_H

#include <stdint.h>

#include "crypto/writer.h"

#define CLI_CERT_NAMES_MAX 16

/* A host name or an IP address that a certificate can name. */
bool cli_cert_name(const char *name);
/*
 * names (cli_cert_name) become subject alternative names. Appends PEM; key is a
 * secret. 0, FG_ECRYPTO, FG_ENOMEM, FG_ELIMIT.
 */
int cli_cert_make(const char *const *names, unsigned n, int64_t now, int64_t days, struct writer *cert,
    struct writer *key);

#endif
