/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/group.h"

#include <string.h>

#include "policy/tags.h"

static bool
begins(const struct group_rule *r, struct view imei)
{
	for (unsigned i = 0; i < r->imei_n; i++) {
		size_t n = strlen(r->imei[i]);
		if (n > 0 && imei.n >= n && memcmp(imei.p, r->imei[i], n) == 0)
			return true;
	}
	return r->imei_n == 0;
}

const char *
group_by_rule(const struct group_rule *rules, unsigned n, const char *profile, const char *product, const char *tags,
    struct view imei)
{
	for (unsigned i = 0; i < n; i++) {
		const struct group_rule *r = &rules[i];
		if ((r->profile[0] == '\0' || strcmp(r->profile, profile) == 0) &&
		    (r->product[0] == '\0' || strcmp(r->product, product) == 0) &&
		    (r->tag[0] == '\0' || tags_has(tags, r->tag)) && begins(r, imei))
			return r->name;
	}
	return "";
}
