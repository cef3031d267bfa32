/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/link.h"

/* No i, l, o, u: such URLs are read out and typed into AT commands. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

_Static_assert(sizeof alphabet - 1 == 32, "five bits of each random byte, all values alike");

bool
link_parse(struct view path, struct view *ret_token)
{
	const size_t prefix = sizeof LINK_PREFIX - 1;
	if (path.n != prefix + LINK_TOKEN_LEN || memcmp(path.p, LINK_PREFIX, prefix) != 0)
		return false;
	for (size_t i = prefix; i < path.n; i++)
		if (path.p[i] == '\0' || !strchr(alphabet, path.p[i]))
			return false;
	if (ret_token)
		*ret_token = view_of(path.p + prefix, LINK_TOKEN_LEN);
	return true;
}

void
link_path(const uint8_t random[LINK_TOKEN_LEN], char out[LINK_PATH_CAP])
{
	const size_t prefix = sizeof LINK_PREFIX - 1;
	memcpy(out, LINK_PREFIX, prefix);
	for (size_t i = 0; i < LINK_TOKEN_LEN; i++)
		out[prefix + i] = alphabet[random[i] % 32];
	out[prefix + LINK_TOKEN_LEN] = '\0';
}

int
link_digest(struct view token, uint8_t out[DIGEST_SHA256_LEN])
{
	return digest_sha256(token, out);
}
