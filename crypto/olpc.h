/* SPDX-License-Identifier: Apache-2.0 */
/*
 * olpc - the canonical JSON that TUF signs (OLPC's, as securesystemslib and the
 * TUF specification, 4.2.1, have it).
 * Role: tufmeta.c; in-house documents are RFC 8785's (json.h). It differs from
 * that one in two things: keys are in the order of their code points, and of a
 * string only the backslash and the quotation mark are escaped, so that what
 * comes out need not be JSON. Input is what json_parse() took: no number with a
 * fraction, no key twice, valid UTF-8.
 */
#ifndef FG_CRYPTO_OLPC_H
#define FG_CRYPTO_OLPC_H

#include "crypto/json.h"

/* Appends the canonical form of v. Errors are the writer's. */
void olpc_write(const struct json_value *v, struct writer *w);

#endif
