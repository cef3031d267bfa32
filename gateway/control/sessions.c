/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/sessions.h"

#include <stdio.h>

/* There are no accounts and no tokens: but for guests nobody is anybody. */
bool
sessions_identify(struct sessions *s, enum callers_means means, const uint8_t secret[32], const uint8_t peer[16],
    struct caller *ret)
{
	(void)s;
	(void)secret;
	(void)peer;
	if (means != CALLERS_MEANS_GUEST)
		return false;
	*ret = (struct caller){ .means = means, .uid = (uid_t)-1, .roles = CALLERS_GUEST };
	snprintf(ret->user, sizeof ret->user, "guest");
	return true;
}
