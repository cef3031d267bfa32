/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/approval_over.h"

#include <string.h>

/* What is before the last ": ", of the name's own there may be some; 0: there is none, or nothing before it. */
static size_t
ring_of(const char *word)
{
	size_t n = 0;
	for (const char *p = word; (p = strstr(p, ": ")) != NULL; p++)
		n = (size_t)(p - word);
	return n;
}

/* Decimal, without a sign or a zero in front, of 32 bits. */
static bool
get_number(const char **at, uint64_t *sum)
{
	const char *p = *at;
	uint64_t n = 0;
	while (*p >= '0' && *p <= '9' && n <= UINT32_MAX)
		n = n * 10 + (uint64_t)(*p++ - '0');
	bool good = p > *at && n <= UINT32_MAX && (**at != '0' || p == *at + 1);
	*at = p;
	*sum += n;
	return good;
}

static bool
get_text(const char **at, const char *text)
{
	size_t n = strlen(text);
	if (strncmp(*at, text, n) != 0)
		return false;
	*at += n;
	return true;
}

bool
approval_over_modules(const struct approval_list *over, uint64_t *ret)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < over->n; i++) {
		const char *word = over->word[i], *at = word + ring_of(word);
		size_t ring = (size_t)(at - word);
		if (!ring || !get_text(&at, ": ") || !get_number(&at, &sum) || !get_text(&at, " failed, ") ||
		    !get_number(&at, &sum) || !get_text(&at, " silent") || *at)
			return false;
		for (uint32_t k = 0; k < i; k++)
			if (ring_of(over->word[k]) == ring && !memcmp(over->word[k], word, ring))
				return false;
	}
	*ret = sum;
	return true;
}
