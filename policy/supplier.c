/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/supplier.h"

#include <stdio.h>

/* ---- lists ---- */

/* The next letter or digit of *s, a letter as a small one; 0 at the end. */
static char
next_sign(const char **s)
{
	for (; **s != '\0'; (*s)++) {
		char c = **s;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
			(*s)++;
			return c;
		}
		if (c == '*' && (*s)[1] == '\0')
			return '*';
	}
	return '\0';
}

/* Registers, lists and people disagree about commas, dots and capitals. */
static bool
same_entity(const char *name, const char *listed)
{
	for (;;) {
		char want = next_sign(&listed), is = next_sign(&name);
		if (want == '*')
			return true;
		if (want != is)
			return false;
		if (want == '\0')
			return true;
	}
}

static bool
is_unknown(const char *country)
{
	return strcmp(country, "unknown") == 0;
}

static enum supplier_listed
fits(const struct config_supplier *s, const struct config_list_entity *e)
{
	if (e->supplier[0] != '\0' && strcmp(e->supplier, s->name) != 0)
		return SUPPLIER_NOT_LISTED;
	if (e->legal_entity[0] != '\0' && !same_entity(s->legal_entity, e->legal_entity))
		return SUPPLIER_NOT_LISTED;
	if (e->country[0] == '\0' || strcmp(e->country, s->country) == 0)
		return SUPPLIER_LISTED;
	return is_unknown(s->country) || is_unknown(e->country) ? SUPPLIER_LISTED_UNKNOWN : SUPPLIER_NOT_LISTED;
}

enum supplier_listed
supplier_listed(const struct config_supplier *s, const struct config_list *l, const struct config_list_entity **ret_entity)
{
	bool doubt = !l->complete;
	for (unsigned i = 0; i < l->entities_n; i++) {
		enum supplier_listed is = fits(s, &l->entities[i]);
		doubt |= is == SUPPLIER_LISTED_UNKNOWN;
		if (is != SUPPLIER_LISTED)
			continue;
		if (ret_entity)
			*ret_entity = &l->entities[i];
		return SUPPLIER_LISTED;
	}
	return doubt ? SUPPLIER_LISTED_UNKNOWN : SUPPLIER_NOT_LISTED;
}

const char *
supplier_listed_name(enum supplier_listed is)
{
	switch (is) {
	case SUPPLIER_LISTED:
		return "listed";
	case SUPPLIER_NOT_LISTED:
		return "unlisted";
	case SUPPLIER_LISTED_UNKNOWN:
		break;
	}
	return "unknown";
}

bool
supplier_list_is_old(const struct config_list *l, int64_t max_age, int64_t now)
{
	return now > l->dated && now - l->dated > max_age;
}

/* ---- support ---- */

enum supplier_support
supplier_support(const struct config_supplier *s, int64_t now)
{
	int64_t day;
	if (!zone_date_parse(view_str(s->support_until), &day))
		return SUPPLIER_SUPPORT_UNKNOWN;
	return now >= (day + 1) * ZONE_DAY ? SUPPLIER_SUPPORT_OVER : SUPPLIER_SUPPORT_CURRENT;
}

const char *
supplier_support_name(enum supplier_support is)
{
	switch (is) {
	case SUPPLIER_SUPPORT_OVER:
		return "over";
	case SUPPLIER_SUPPORT_CURRENT:
		return "current";
	case SUPPLIER_SUPPORT_UNKNOWN:
		break;
	}
	return "unknown";
}

/* ---- words ---- */

static void
add(struct supplier_words *w, const char *key, const char *value)
{
	snprintf(w->word[w->n++], SUPPLIER_WORD_MAX, "%s:%s", key, value);
}

void
supplier_words(const struct config *c, const struct config_supplier *s, int64_t now, struct supplier_words *ret)
{
	ret->n = 0;
	add(ret, "country", s->country);
	for (unsigned i = 0; i < s->hosting_n; i++)
		add(ret, "hosting", s->hosting[i]);
	if (s->hosting_n == 0)
		add(ret, "hosting", "unknown");
	for (size_t i = 0; i < c->lists_n; i++)
		add(ret, supplier_listed_name(supplier_listed(s, &c->lists[i], NULL)), c->lists[i].name);
	add(ret, "support", supplier_support_name(supplier_support(s, now)));
}
