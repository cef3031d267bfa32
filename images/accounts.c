/* SPDX-License-Identifier: Apache-2.0 */
#include "images/accounts.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"

enum { NAME, PASSWORD, UID, GID, COMMENT, HOME, SHELL, FIELDS };

struct account {
	struct view line;
	struct view field[FIELDS];
	size_t offset;
	bool met;
};

struct list {
	struct account *account;
	size_t n;
	bool more;
};

static void
parse(struct view line, struct account *ret)
{
	size_t at = 0;
	ret->line = line;
	for (unsigned i = 0; i < FIELDS && at <= line.n; i++) {
		size_t n = 0;
		while (at + n < line.n && line.p[at + n] != ':')
			n++;
		ret->field[i] = view_of(line.p + at, n);
		at += n + 1;
	}
}

static int
read_all(struct view text, struct list *ret)
{
	ret->account = calloc(ACCOUNTS_MAX, sizeof ret->account[0]);
	if (!ret->account)
		return FG_ENOMEM;
	for (size_t at = 0; at < text.n;) {
		const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
		size_t n = end ? (size_t)(end - (text.p + at)) : text.n - at;
		struct view line = view_of(text.p + at, n);
		if (line.n && line.p[0] != '#') {
			if (ret->n == ACCOUNTS_MAX) {
				ret->more = true;
				break;
			}
			parse(line, &ret->account[ret->n]);
			ret->account[ret->n++].offset = at;
		}
		at += n + 1;
	}
	return 0;
}

struct words {
	const char *path;
	struct page *page;
	bool shadow;
};

static int
add(const struct words *w, const struct account *a, enum finding_id id, enum page_sign sign,
    struct page_line *l)
{
	l->block = PAGE_RED;
	l->id = id;
	l->sign = sign;
	l->have_offset = true;
	l->offset = a->offset;
	snprintf(l->path, sizeof l->path, "%s", w->path);
	page_evidence(l, a->line);
	return page_add(w->page, l);
}

/* No password is asked for; one that fits nothing; one that is asked for. */
static const char *
password(const struct words *w, struct view p)
{
	if (p.n == 0)
		return "none asked for";
	if (p.p[0] == '!' || p.p[0] == '*' || (!w->shadow && view_is(p, "x")))
		return w->shadow ? "locked" : "in the shadow file";
	return "set";
}

static int
new_account(const struct words *w, const struct account *a)
{
	struct page_line l = { 0 };
	char name[48], uid[16], shell[48];
	visible_cstr(a->field[NAME], name, sizeof name);
	visible_cstr(a->field[UID], uid, sizeof uid);
	visible_cstr(a->field[SHELL], shell, sizeof shell);
	if (w->shadow) {
		page_text(&l, "password of %s: %s (not there before)", name, password(w, a->field[PASSWORD]));
		return add(w, a, FINDING_CHG_PASSWORD, PAGE_ADDED, &l);
	}
	page_text(&l, "account %s added: user id %s, shell %s, password %s", name, uid,
	    shell[0] ? shell : "the usual", password(w, a->field[PASSWORD]));
	return add(w, a, FINDING_CHG_USER, PAGE_ADDED, &l);
}

static int
changed(const struct words *w, const struct account *was, const struct account *is)
{
	static const char *const names[FIELDS] = {
		[UID] = "user id", [GID] = "group", [HOME] = "home", [SHELL] = "shell"
	};
	struct page_line l = { 0 };
	char name[48];
	int err = 0;
	visible_cstr(is->field[NAME], name, sizeof name);
	if (!view_equal(was->field[PASSWORD], is->field[PASSWORD])) {
		page_text(&l, "password of %s: %s, before %s", name, password(w, is->field[PASSWORD]),
		    password(w, was->field[PASSWORD]));
		err = add(w, is, FINDING_CHG_PASSWORD, PAGE_CHANGED, &l);
	}
	for (unsigned i = UID; i < FIELDS && !err && !w->shadow; i++) {
		char a[48], b[48];
		if (!names[i] || view_equal(was->field[i], is->field[i]))
			continue;
		l = (struct page_line){ 0 };
		visible_cstr(was->field[i], a, sizeof a);
		visible_cstr(is->field[i], b, sizeof b);
		page_text(&l, "%s of %s: %s, before %s", names[i], name, b, a);
		err = add(w, is, FINDING_CHG_USER, PAGE_CHANGED, &l);
	}
	return err;
}

static int
gone(const struct words *w, const struct account *a)
{
	struct page_line l = { 0 };
	char name[48];
	visible_cstr(a->field[NAME], name, sizeof name);
	page_text(&l, "%s %s removed", w->shadow ? "password of" : "account", name);
	return add(w, a, w->shadow ? FINDING_CHG_PASSWORD : FINDING_CHG_USER, PAGE_GONE, &l);
}

int
accounts_page(struct view old, struct view new, bool shadow, const char *path, struct page *page)
{
	struct words w = { path, page, shadow };
	struct list a = { 0 }, b = { 0 };
	int err = read_all(old, &a);
	if (!err)
		err = read_all(new, &b);
	for (size_t i = 0; i < b.n && !err; i++) {
		struct account *was = NULL;
		/* The first of a name counts (getpwnam); a second one is an account of its own, and told as new. */
		for (size_t k = 0; k < a.n && !was; k++)
			if (!a.account[k].met && view_equal(a.account[k].field[NAME], b.account[i].field[NAME]))
				was = &a.account[k];
		if (was)
			was->met = true;
		err = was ? changed(&w, was, &b.account[i]) : new_account(&w, &b.account[i]);
	}
	for (size_t k = 0; k < a.n && !err; k++)
		if (!a.account[k].met)
			err = gone(&w, &a.account[k]);
	if (!err && (a.more || b.more)) {
		struct page_line l = { .block = PAGE_RED, .id = FINDING_CHG_INCOMPLETE };
		snprintf(l.path, sizeof l.path, "%s", path);
		page_text(&l, "more accounts than are compared");
		err = page_add(page, &l);
	}
	free(a.account);
	free(b.account);
	return err;
}
