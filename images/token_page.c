/* SPDX-License-Identifier: Apache-2.0 */
#include "images/token_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"

#define PLACE_GAP 4096 /* bytes between identities that still lie in one place */
#define PLACE_MIN 3    /* as many in one place are a list, not an example */
#define URLS_SHOWN 6   /* of one host; the others are counted: it is the host that learns of a module */
#define EXAMPLES 4     /* named of what is gone */

struct kind {
	enum page_block block;
	enum finding_id id;
};

static const struct kind kinds[TOKEN_CLASS_LIMIT] = {
	[TOKEN_URL] = { PAGE_CONTACT, FINDING_CHG_CONTACT_URL },
	[TOKEN_HOST] = { PAGE_CONTACT, FINDING_CHG_CONTACT_HOST },
	[TOKEN_IPV4] = { PAGE_CONTACT, FINDING_CHG_CONTACT_ADDRESS },
	[TOKEN_IPV6] = { PAGE_CONTACT, FINDING_CHG_CONTACT_ADDRESS },
	[TOKEN_PHONE] = { PAGE_CONTACT, FINDING_CHG_CONTACT_PHONE },
	[TOKEN_MAIL] = { PAGE_CONTACT, FINDING_CHG_CONTACT_MAIL },
	[TOKEN_APN] = { PAGE_CONTACT, FINDING_CHG_CONTACT_APN },
	[TOKEN_ENDPOINT] = { PAGE_CONTACT, FINDING_CHG_CONTACT_ENDPOINT },
	[TOKEN_AT] = { PAGE_MODEM, FINDING_CHG_MODEM_AT },
	[TOKEN_DIAG] = { PAGE_MODEM, FINDING_CHG_MODEM_DIAG },
	[TOKEN_SMS] = { PAGE_MODEM, FINDING_CHG_MODEM_SMS },
	[TOKEN_LOCATION] = { PAGE_MODEM, FINDING_CHG_MODEM_LOCATION },
	[TOKEN_RESOLVER] = { PAGE_MODEM, FINDING_CHG_MODEM_RESOLVER },
	[TOKEN_SHELL] = { PAGE_RED, FINDING_CHG_SHELL },
	[TOKEN_LISTEN] = { PAGE_RED, FINDING_CHG_LISTENER },
	[TOKEN_FUSE] = { PAGE_DOORS, FINDING_CHG_ONE_WAY_DOOR },
	[TOKEN_IMEI] = { PAGE_IDENT, FINDING_CHG_IDENTIFIERS },
	[TOKEN_IMSI] = { PAGE_IDENT, FINDING_CHG_IDENTIFIERS },
	[TOKEN_ICCID] = { PAGE_IDENT, FINDING_CHG_IDENTIFIERS },
	[TOKEN_MAC] = { PAGE_IDENT, FINDING_CHG_IDENTIFIERS },
};

static const enum token_class host_classes[] = { TOKEN_HOST, TOKEN_IPV4, TOKEN_IPV6, TOKEN_LOCATION,
	TOKEN_RESOLVER };

static void
begin(struct page_line *l, const struct token *k)
{
	*l = (struct page_line){ .block = kinds[k->class].block,
		.id = kinds[k->class].id,
		.sign = PAGE_ADDED,
		.have_offset = true,
		.offset = k->offset };
	snprintf(l->path, sizeof l->path, "%s", k->path);
	page_evidence(l, k->around.n ? k->around : k->text);
}

/* Did the old image hold the host of this URL, in whatever class? */
static bool
host_is_known(const struct token_set *old, struct view url)
{
	struct view host = token_url_host(url);
	for (size_t i = 0; i < sizeof host_classes / sizeof host_classes[0]; i++)
		if (token_set_has(old, host_classes[i], host))
			return true;
	return false;
}

/* Hosts that stand in a line of a URL need none of their own: the offset of such a host lies in the URL's. */
static bool
is_in_url(const struct token_set *new, size_t i, const struct token *host)
{
	struct token before;
	if (i == 0)
		return false;
	/* A URL and its host are found one after the other. */
	token_set_get(new, i - 1, &before);
	return (before.class == TOKEN_URL || before.class == TOKEN_ENDPOINT) && before.path == host->path &&
	       host->offset > before.offset && view_equal(token_url_host(before.text), host->text);
}

static int
contact(const struct token_set *new, size_t i, struct page *page)
{
	struct token k;
	struct page_line l;
	char shown[PAGE_TEXT_MAX - 60];
	token_set_get(new, i, &k);
	if (k.class == TOKEN_HOST && is_in_url(new, i, &k))
		return 0;
	begin(&l, &k);
	visible_cstr(k.text, shown, sizeof shown);
	page_text(&l, "%s %s", token_class_name(k.class), shown);
	return page_add(page, &l);
}

/* ---- URLs: a few of each host, and how many more ---- */

static int
by_host(const void *a, const void *b)
{
	const struct token *x = a, *y = b;
	struct view p = token_url_host(x->text), q = token_url_host(y->text);
	size_t n = p.n < q.n ? p.n : q.n;
	int c = n ? memcmp(p.p, q.p, n) : 0;
	if (c == 0)
		c = (p.n > q.n) - (p.n < q.n);
	if (c)
		return c;
	n = x->text.n < y->text.n ? x->text.n : y->text.n;
	c = memcmp(x->text.p, y->text.p, n);
	return c ? c : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

/* n URLs of one host. */
static int
host_urls(const struct token_set *old, const struct token *list, size_t n, struct page *page)
{
	bool known = host_is_known(old, list[0].text);
	const char *what = known ? "of a host that the old image names too" : "host new too";
	char shown[PAGE_TEXT_MAX - 60];
	struct page_line l;
	int err = 0;
	for (size_t i = 0; i < n && i < URLS_SHOWN && !err; i++) {
		begin(&l, &list[i]);
		l.severity = known ? FINDING_NOTICE : FINDING_WARNING;
		visible_cstr(list[i].text, shown, sizeof shown);
		page_text(&l, "URL %s (%s)", shown, what);
		err = page_add(page, &l);
	}
	if (err || n <= URLS_SHOWN)
		return err;
	begin(&l, &list[URLS_SHOWN]);
	l.severity = known ? FINDING_NOTICE : FINDING_WARNING;
	visible_cstr(token_url_host(list[0].text), shown, sizeof shown);
	page_text(&l, "%zu more URLs of %s (%s)", n - URLS_SHOWN, shown, what);
	return page_add(page, &l);
}

static int
urls(const struct token_set *old, const struct token_set *new, struct page *page)
{
	size_t n = 0, all = token_set_count(new);
	struct token *list = calloc(all + 1, sizeof *list);
	int err = list ? 0 : FG_ENOMEM;
	for (size_t i = 0; i < all && !err; i++) {
		token_set_get(new, i, &list[n]);
		n += list[n].class == TOKEN_URL;
	}
	if (!err && n)
		qsort(list, n, sizeof *list, by_host);
	for (size_t i = 0, k; i < n && !err; i = k) {
		struct view host = token_url_host(list[i].text);
		for (k = i + 1; k < n && view_equal(token_url_host(list[k].text), host);)
			k++;
		err = host_urls(old, list + i, k - i, page);
	}
	free(list);
	return err;
}

/* ---- identities ---- */

struct place {
	struct token first;
	const char *path;
	uint64_t last;
	uint64_t n;
	bool packed, mixed;
};

static int
place_end(struct place *p, struct page *page)
{
	struct page_line l;
	char shown[32];
	if (p->n == 0)
		return 0;
	begin(&l, &p->first);
	visible_cstr(p->first.text, shown, sizeof shown);
	l.severity = p->n >= PLACE_MIN ? FINDING_WARNING : FINDING_NOTICE;
	l.weight = p->n;
	page_text(&l, "%" PRIu64 " of the shape of an %s%s%s%s, the first %s", p->n,
	    token_class_name(p->first.class), p->mixed ? " or alike" : "", p->n > 1 ? " in one place" : "",
	    p->packed ? ", in packed decimals" : "", shown);
	*p = (struct place){ 0 };
	return page_add(page, &l);
}

static int
by_place(const void *a, const void *b)
{
	const struct token *x = a, *y = b;
	int c = strcmp(x->path, y->path);
	if (c == 0)
		c = (x->class == TOKEN_MAC) - (y->class == TOKEN_MAC);
	return c ? c : (x->offset > y->offset) - (x->offset < y->offset);
}

static int
identities(const struct token_set *new, struct page *page)
{
	struct token *list = NULL, k;
	size_t n = 0, all = token_set_count(new);
	struct place p = { 0 };
	struct page_line l;
	int err = 0;
	for (size_t i = 0; i < all; i++) {
		token_set_get(new, i, &k);
		n += kinds[k.class].block == PAGE_IDENT;
	}
	if (n == 0)
		return 0;
	list = calloc(n, sizeof *list);
	if (!list)
		return FG_ENOMEM;
	n = 0;
	for (size_t i = 0; i < all; i++) {
		token_set_get(new, i, &k);
		if (kinds[k.class].block == PAGE_IDENT)
			list[n++] = k;
	}
	qsort(list, n, sizeof *list, by_place);
	for (size_t i = 0; i < n && !err; i++) {
		const struct token *t = &list[i];
		if (p.n &&
		    (strcmp(p.path, t->path) != 0 || (p.first.class == TOKEN_MAC) != (t->class == TOKEN_MAC) ||
			t->offset - p.last > PLACE_GAP))
			err = place_end(&p, page);
		if (p.n == 0)
			p = (struct place){ .first = *t, .path = t->path };
		p.n++;
		p.last = t->offset;
		p.packed = p.packed || t->packed;
		p.mixed = p.mixed || t->class != p.first.class;
		if (!err && t->own) {
			begin(&l, t);
			l.id = FINDING_CHG_IDENTIFIERS_OWN;
			page_text(&l, "the %s of a module of this fleet", token_class_name(t->class));
			err = page_add(page, &l);
		}
	}
	if (!err)
		err = place_end(&p, page);
	free(list);
	return err;
}

/* ---- what is gone, and what was not seen ---- */

static int
gone(
    const struct token_set *old, enum page_block block, enum finding_id id, const char *what, struct page *page)
{
	struct page_line l = { .block = block, .id = id, .sign = PAGE_GONE };
	char text[PAGE_EVIDENCE_MAX] = "";
	uint64_t n = 0;
	size_t used = 0;
	for (size_t i = 0; i < token_set_count(old); i++) {
		struct token k;
		token_set_get(old, i, &k);
		if (k.met || kinds[k.class].block != block)
			continue;
		if (n++ < EXAMPLES && used + 2 + k.text.n < sizeof text) {
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used ? ", " : "",
			    (int)k.text.n, (const char *)k.text.p);
		}
	}
	if (n == 0)
		return 0;
	page_text(&l, "%" PRIu64 " %s of the old image nowhere in the new one", n, what);
	page_evidence(&l, view_str(text));
	return page_add(page, &l);
}

static int
lost(const struct token_set *t, const char *which, struct page *page)
{
	struct page_line l = { .block = PAGE_RED, .id = FINDING_CHG_INCOMPLETE };
	if (token_set_lost(t) == 0)
		return 0;
	page_text(&l,
	    "the %s image holds more contact points, commands and identities than are remembered: %" PRIu64
	    " were not compared",
	    which, token_set_lost(t));
	return page_add(page, &l);
}

int
token_page(const struct token_set *old, const struct token_set *new, struct page *page)
{
	int err = 0;
	for (size_t i = 0; i < token_set_count(new) && !err; i++) {
		struct token k;
		token_set_get(new, i, &k);
		if (kinds[k.class].block != PAGE_IDENT && k.class != TOKEN_URL)
			err = contact(new, i, page);
	}
	if (!err)
		err = urls(old, new, page);
	if (!err)
		err = identities(new, page);
	if (!err)
		err = gone(old, PAGE_CONTACT, FINDING_CHG_CONTACT_GONE, "contact points", page);
	if (!err)
		err = gone(old, PAGE_MODEM, FINDING_CHG_MODEM_GONE, "commands and servers of the modem", page);
	if (!err)
		err = lost(old, "old", page);
	return err ? err : lost(new, "new", page);
}
