/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_profile_match - a request in four lines: host, path, query, header value.
 * Whatever matches must expand to a URL on the template's own host, and a draft
 * made from any request must be harmless text.
 */
#include <stdlib.h>

#include "crypto/err.h"
#include "unit/policy/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *
sample(void)
{
	static const char second[] =
	    "profile = { name = \"b\"; supplier = \"acme\"; listeners = [ \"plain\" ]; any_host = true;"
	    "path = \"/d/{from}-{to}/{rest}\"; captures = { from = { class = \"version\"; max = 20; };"
	    "to = { class = \"version\"; max = 20; }; rest = { class = \"path\"; max = 200; }; };"
	    "product = \"header:x-product\"; target_version = \"capture:to\"; current_version = \"capture:from\";"
	    "identity = ( { class = \"C\"; kind = \"address\"; from = \"source_address\"; } );"
	    "networks = ( { cidr = \"10.0.0.0/8\"; } );"
	    "upstream = \"http://vendor.example:81/x/{rest}?{from}={to}\";"
	    "signature = { scheme = \"ed25519\"; anchors = [ \"k\" ]; }; quorum = 1; };";
	static struct config_problems problems;
	struct config_file f[3] = { { "fotagate.conf", view_str(SAMPLE_MAIN) }, { "profiles.d/a.conf", view_str(SAMPLE_PROFILE) },
		{ "profiles.d/b.conf", view_str(second) } };
	struct config *c = NULL;
	if (config_parse(f, 3, &c, &problems))
		abort();
	return c;
}

static struct view
line(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *nl = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
	const uint8_t *stop = nl ? nl : end;
	struct view v = view_of(*at, (size_t)(stop - *at));
	*at = nl ? nl + 1 : end;
	return v;
}

static struct view
header(void *arg, const char *name)
{
	(void)name;
	return *(struct view *)arg;
}

static void
check_hit(const struct profile_hit *hit)
{
	char url[PROFILE_URL_MAX + 1];
	struct profile_url u;
	struct identity id;
	struct cidr_addr a = { .b = { [10] = 0xff, [11] = 0xff, [12] = 10 } };
	const char *host = strcmp(hit->profile->name, "b") ? "up.example" : "vendor.example";
	int err = profile_expand(PROFILE_UPSTREAM, hit, url, sizeof url);
	if (err && err != FG_ELIMIT)
		abort(); /* what matched is what the template may hold */
	if (!err && (!profile_url_parse(view_str(url), &u) || strcmp(u.host, host) != 0))
		abort();
	if (hit->product.n == 0)
		abort();
	if (identity_extract(hit, &(struct identity_peer){ .address = &a }, &id) == 0 && (id.class < IDENTITY_C || id.text[0] == '\0'))
		abort();
}

static void
check_draft(const struct profile_request *r)
{
	struct profile_sighting s = { r->listener, r->host, r->path, r->query };
	struct writer w;
	writer_init(&w, 1 << 16);
	if (profile_draft(&s, "draft", &w) == 0)
		for (size_t i = 0; i < w.n; i++)
			if ((w.p[i] < 0x20 && w.p[i] != '\n' && w.p[i] != '\t') || w.p[i] > 0x7e)
				abort();
	writer_free(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config *c; /* the same for every input; still reachable at exit */
	const uint8_t *at = data, *end = data + size;
	struct profile_hit hit;
	enum profile_miss why = PROFILE_MISS_NONE;
	if (!c)
		c = sample();
	struct profile_request r = { .listener = view_str("plain"), .host = line(&at, end), .path = line(&at, end),
		.query = line(&at, end), .header = header };
	struct view value = line(&at, end);
	r.arg = &value;
	int err = profile_match(c, &r, &hit, &why);
	if (err == 0)
		check_hit(&hit);
	else if (err != FG_ENOTFOUND || why == PROFILE_MISS_NONE)
		abort();
	check_draft(&r);
	return 0;
}
