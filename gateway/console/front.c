/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/console/front.h"

#include <arpa/inet.h>

static const char *const names[] = { "Issuer", "Subject", "Acr", "Amr", "Address" };
enum { ISSUER, SUBJECT, ACR, AMR, ADDRESS, NAMES };

/* As CGI and its heirs compare names: '-' and '_' are one. */
static bool
begins(struct view name)
{
	static const char prefix[] = FRONT_PREFIX;
	if (name.n < sizeof prefix - 1)
		return false;
	for (size_t i = 0; i < sizeof prefix - 1; i++) {
		uint8_t c = name.p[i] == '_' ? '-' : name.p[i];
		uint8_t want = (uint8_t)prefix[i];
		if (c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (want >= 'a' && want <= 'z')
			want = (uint8_t)(want - 'a' + 'A');
		if (c != want)
			return false;
	}
	return true;
}

static int
which(struct view name)
{
	static const size_t n = sizeof FRONT_PREFIX - 1;
	struct view own = view_of(name.p, n);
	for (int i = 0; i < NAMES; i++)
		if (http_head_is(own, FRONT_PREFIX) && http_head_is(view_of(name.p + n, name.n - n), names[i]))
			return i;
	return -1;
}

/* Blanks may stand in a list of words. */
static bool
is_line(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return false;
	return v.n > 0 && v.n <= VOUCH_WORDS_MAX;
}

static bool
read_address(struct view v, uint8_t ret[NET_ADDR_LEN])
{
	static const uint8_t mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	char text[INET6_ADDRSTRLEN];
	if (v.n >= sizeof text || memchr(v.p, 0, v.n))
		return false;
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	memcpy(ret, mapped, sizeof mapped);
	return inet_pton(AF_INET, text, ret + sizeof mapped) == 1 || inet_pton(AF_INET6, text, ret) == 1;
}

static enum front_said
judge(struct view said[NAMES], struct front_person *ret, const char **why)
{
	struct front_person p = { said[ISSUER], said[SUBJECT], said[ACR], said[AMR], { 0 } };
	bool nobody = view_is(p.issuer, "-") && view_is(p.subject, "-");
	*why = NULL;
	if (!nobody && !vouch_is_issuer(p.issuer))
		*why = FRONT_PREFIX "Issuer is no URL of https";
	else if (!nobody && !vouch_is_subject(p.subject))
		*why = FRONT_PREFIX "Subject is no single word";
	else if (!nobody && view_is(p.subject, "-"))
		*why = FRONT_PREFIX "Subject is not said";
	else if (!is_line(p.acr) || !is_line(p.amr))
		*why = FRONT_PREFIX "Acr or " FRONT_PREFIX "Amr is too long or not text";
	else if (!read_address(said[ADDRESS], p.address))
		*why = FRONT_PREFIX "Address is no address";
	if (*why)
		return FRONT_MALFORMED;
	if (view_is(p.acr, "-"))
		p.acr = view_of(NULL, 0);
	if (view_is(p.amr, "-"))
		p.amr = view_of(NULL, 0);
	*ret = p;
	return nobody ? FRONT_NOBODY : FRONT_PERSON;
}

enum front_said
front_read(const struct http_request *r, struct front_person *ret, const char **ret_why)
{
	struct view said[NAMES] = { 0 };
	unsigned n = 0;
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct http_field *f = &r->fields[i];
		if (!begins(f->name))
			continue;
		int k = which(f->name);
		*ret_why = k < 0 ? "a field below " FRONT_PREFIX " is unknown" :
		    said[k].n    ? "a field below " FRONT_PREFIX " is there twice" :
		    !f->value.n  ? "a field below " FRONT_PREFIX " is empty" : NULL;
		if (*ret_why)
			return FRONT_MALFORMED;
		said[k] = f->value;
		n++;
	}
	if (!n)
		return FRONT_NOTHING;
	*ret_why = "a field below " FRONT_PREFIX " is missing";
	return n == NAMES ? judge(said, ret, ret_why) : FRONT_MALFORMED;
}

void
front_arguments(const struct front_person *p, struct writer *w)
{
	struct jsonw j;
	jsonw_init(&j, w);
	jsonw_object(&j);
	if (p->acr.n)
		jsonw_kstring(&j, "acr", p->acr);
	if (p->amr.n)
		jsonw_kstring(&j, "amr", p->amr);
	jsonw_kstring(&j, "issuer", p->issuer);
	jsonw_kstring(&j, "subject", p->subject);
	jsonw_object_end(&j);
}
