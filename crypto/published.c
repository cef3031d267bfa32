/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/published.h"

#include <stdlib.h>

#include "crypto/published_table.h"

static int
by_hash(const void *hash, const void *entry)
{
	const struct published_key *key = entry;
	return memcmp(hash, key->spki_sha256, DIGEST_SHA256_LEN);
}

const struct published_key *
published_find(const uint8_t spki_sha256[DIGEST_SHA256_LEN])
{
	return bsearch(spki_sha256, published_table, published_table_n, sizeof published_table[0],
	    by_hash);
}

size_t
published_count(void)
{
	return published_table_n;
}

const struct published_key *
published_at(size_t i)
{
	return i < published_table_n ? &published_table[i] : NULL;
}
