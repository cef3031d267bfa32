/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_config - a bundle: fotagate.conf, then profiles, each after a line "%%".
 * Whatever is accepted must give a policy, and the same one twice; and what our
 * own scan lets through must be what libconfig reads: no text may mean one thing
 * to the one and another to the other.
 */
#include <stdlib.h>

#include "policy/config.h"

#define FILES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_policy(const struct config *c, const struct profile *p)
{
	struct profile_anchor anchors[PROFILE_ANCHORS_MAX];
	uint8_t a[DIGEST_SHA256_LEN], b[DIGEST_SHA256_LEN];
	for (unsigned i = 0; i < p->signature.anchors_n; i++)
		anchors[i] = (struct profile_anchor){ p->signature.anchors[i], { 0 } };
	if (profile_digest(p, c, anchors, p->signature.anchors_n, a) || profile_digest(p, c, anchors, p->signature.anchors_n, b) ||
	    memcmp(a, b, sizeof a) != 0 || p->quorum < 1 || p->path_pattern.n == 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[FILES] = { "fotagate.conf", "profiles.d/a.conf", "profiles.d/b.conf", "profiles.d/c.conf" };
	static struct config_problems problems;
	struct config_file files[FILES];
	size_t n = 0;
	struct config *c = NULL;
	for (size_t at = 0; n < FILES && at <= size; n++) {
		const uint8_t *cut = n + 1 < FILES && at < size ? memmem(data + at, size - at, "\n%%\n", 4) : NULL;
		size_t end = cut ? (size_t)(cut - data) + 1 : size;
		files[n] = (struct config_file){ names[n], view_of(data + at, end - at) };
		at = cut ? end + 3 : size + 1;
	}
	int err = config_parse(files, n, &c, &problems);
	if ((err == 0) != (c != NULL) || (err != 0) != (problems.n > 0))
		abort();
	for (unsigned i = 0; i < problems.n; i++)
		if (!strncmp(problems.at[i].text, "libconfig says", 14))
			abort();
	for (size_t i = 0; c && i < c->profiles_n; i++)
		check_policy(c, &c->profiles[i]);
	config_free(c);
	return 0;
}
