/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/intoto.h"

#define INTOTO_TYPE "https://in-toto.io/Statement/v1"

void
intoto_begin(struct jsonw *j, struct writer *w)
{
	jsonw_init(j, w);
	jsonw_object(j);
	jsonw_kcstr(j, "_type", INTOTO_TYPE);
	jsonw_key(j, "predicate");
}

void
intoto_end(struct jsonw *j, const char *type, const char *subject, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	jsonw_kcstr(j, "predicateType", type);
	jsonw_key(j, "subject");
	jsonw_array(j);
	jsonw_object(j);
	jsonw_key(j, "digest");
	jsonw_object(j);
	jsonw_khex(j, "sha256", sha256, DIGEST_SHA256_LEN);
	jsonw_object_end(j);
	jsonw_kcstr(j, "name", subject);
	jsonw_object_end(j);
	jsonw_array_end(j);
	jsonw_object_end(j);
}
