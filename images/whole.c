/* SPDX-License-Identifier: Apache-2.0 */
#include "images/whole.h"

#include <stdlib.h>

#include "crypto/err.h"

int
whole_open(struct whole *h, const struct source *image)
{
	*h = (struct whole){ .image = image, .digest = digest_new(DIGEST_SHA256) };
	source_sequential(image);
	return h->digest ? 0 : FG_ECRYPTO;
}

void
whole_close(struct whole *h)
{
	digest_free(h->digest);
	h->digest = NULL;
}

bool
whole_can(const struct whole *h, uint64_t n)
{
	return h->at <= n && n <= h->image->size;
}

int
whole_offer(struct whole *h, uint64_t at, struct view bytes)
{
	if (at != h->at || bytes.n > h->image->size - at)
		return 0;
	int err = digest_update(h->digest, bytes);
	if (!err)
		h->at += bytes.n;
	return err;
}

int
whole_upto(struct whole *h, uint64_t n, uint8_t ret[DIGEST_SHA256_LEN])
{
	if (!whole_can(h, n))
		return FG_ELIMIT;
	size_t chunk_n = source_chunk(n - h->at);
	uint8_t *chunk = malloc(chunk_n);
	int err = chunk ? 0 : FG_ENOMEM;
	while (h->at < n && !err) {
		size_t part = n - h->at < chunk_n ? (size_t)(n - h->at) : chunk_n;
		err = source_read(h->image, h->at, chunk, part);
		if (!err)
			err = digest_update(h->digest, view_of(chunk, part));
		if (!err)
			h->at += part;
	}
	free(chunk);
	return err ? err : digest_peek(h->digest, ret);
}
