/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/vouch.h"

#include <string.h>

#include "crypto/err.h"

static bool
is_word(struct view v, size_t max)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= 0x20 || v.p[i] > 0x7e)
			return false;
	return v.n > 0 && v.n <= max;
}

bool
vouch_is_issuer(struct view v)
{
	static const char scheme[] = "https://";
	return is_word(v, VOUCH_ISSUER_MAX) && v.n > sizeof scheme - 1 && memcmp(v.p, scheme, sizeof scheme - 1) == 0;
}

bool
vouch_is_subject(struct view v)
{
	return is_word(v, VOUCH_SUBJECT_MAX);
}

int
vouch_identity(struct view issuer, struct view subject, uint8_t ret[DIGEST_SHA256_LEN])
{
	if (!vouch_is_issuer(issuer) || !vouch_is_subject(subject))
		return FG_EINVAL;
	struct digest *d = digest_new(DIGEST_SHA256);
	int err = d ? digest_update(d, issuer) : FG_ENOMEM;
	if (!err)
		err = digest_update(d, view_str("\n")); /* neither can hold it */
	if (!err)
		err = digest_update(d, subject);
	if (!err)
		err = digest_final(d, ret);
	digest_free(d);
	return err;
}
