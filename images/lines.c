/* SPDX-License-Identifier: Apache-2.0 */
#include "images/lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "images/accounts.h"
#include "images/textdiff.h"
#include "images/token.h"

struct lines {
	const struct leaf *new;
	struct page *page;
	enum page_block block;
	enum finding_id id;
	enum finding_severity severity;
	unsigned many; /* told one by one */
	bool acts;     /* its words are commands or switches */
	uint64_t added, gone, told;
	uint64_t whole; /* of those told: with all their bytes */
	int err;
	/* the line that is looked at */
	struct view line;
	size_t offset;
	unsigned number;
};

static int
put(struct lines *c, enum page_block block, enum finding_id id, enum page_sign sign, bool at_line,
    struct page_line *l)
{
	l->block = block;
	l->id = id;
	l->sign = sign;
	l->have_offset = at_line;
	l->offset = c->offset;
	snprintf(l->path, sizeof l->path, "%s", c->new->path);
	return page_add(c->page, l);
}

/* Commands in a new line. */
static int
on_token(void *arg, enum token_class class, struct view token, size_t at)
{
	struct lines *c = arg;
	struct page_line l = { 0 };
	(void)token;
	(void)at;
	if (class != TOKEN_LISTEN && class != TOKEN_SHELL)
		return 0;
	page_text(&l, "line %u, new: %s", c->number,
	    class == TOKEN_LISTEN ? "starts something that lets others in"
				  : "fetches and runs, or hands out a shell");
	page_evidence(&l, c->line);
	return put(c, PAGE_RED, class == TOKEN_LISTEN ? FINDING_CHG_LISTENER : FINDING_CHG_SHELL, PAGE_ADDED,
	    true, &l);
}

/* What a person reads of it is all of it. Twice the room, so that what is cut there is longer, mark and all. */
static bool
fits(struct view line)
{
	char all[2 * PAGE_EVIDENCE_MAX];
	visible_cstr(line, all, sizeof all);
	return strlen(all) < PAGE_EVIDENCE_MAX;
}

static bool
is_comment(struct view line)
{
	size_t i = 0;
	while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
		i++;
	return i == line.n || line.p[i] == '#';
}

static int
on_line(void *arg, bool added, struct view line, size_t offset, unsigned number)
{
	struct lines *c = arg;
	struct page_line l = { .severity = c->severity };
	int err = 0;
	c->line = line;
	c->offset = offset;
	c->number = number;
	*(added ? &c->added : &c->gone) += 1;
	if (added && c->acts && !is_comment(line))
		err = token_classify(line, on_token, c);
	if (err || c->told == c->many)
		return err;
	c->told++;
	c->whole += fits(line);
	page_text(&l, "line %u %s", number, added ? "new" : "gone");
	page_evidence(&l, line);
	/* A remark in what is run does nothing; in sudoers "#include" does, and "#!" names who reads the rest. */
	if (c->id == FINDING_CHG_INIT && is_comment(line) && !(line.n > 1 && line.p[1] == '!')) {
		l.severity = FINDING_NOTICE;
		return put(c, PAGE_FILES, FINDING_CHG_TEXT, added ? PAGE_ADDED : PAGE_GONE, added, &l);
	}
	return put(c, c->block, c->id, added ? PAGE_ADDED : PAGE_GONE, added, &l);
}

/* How much is on the page and how much is not. */
static int
summary(struct lines *c, bool exact)
{
	struct page_line l = { .severity = c->severity, .weight = 1 };
	uint64_t all = c->added + c->gone;
	if (all == 0)
		page_text(
		    &l, "%s", exact ? "only the end of the last line changed" : "lines changed their places");
	else if (all > c->told)
		page_text(&l, "%" PRIu64 " lines new, %" PRIu64 " gone; %" PRIu64 " of them told%s", c->added,
		    c->gone, c->told, exact ? "" : "; others may have moved");
	else if (!exact)
		page_text(&l, "other lines may have moved");
	else
		return 0;
	return put(c, c->block, c->id, PAGE_CHANGED, false, &l);
}

static void
weigh(struct lines *c, enum leaf_role role, bool script)
{
	c->many = LINES_MANY;
	c->acts = true;
	c->severity = FINDING_NONE;
	c->block = PAGE_RED;
	if (role == LEAF_ROLE_INIT) {
		c->id = FINDING_CHG_INIT;
	} else if (role != LEAF_ROLE_NONE) {
		c->id = FINDING_CHG_USER;
	} else {
		c->block = PAGE_FILES;
		c->id = FINDING_CHG_TEXT;
		c->severity = script ? FINDING_WARNING : FINDING_NOTICE;
		c->many = script ? LINES_MANY : LINES_FEW;
	}
}

static bool
is_configuration(const char *path)
{
	static const char *const suffixes[] = { ".conf", ".cfg", ".ini", ".config" };
	size_t n = strlen(path);
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (n > strlen(suffixes[i]) && strcmp(path + n - strlen(suffixes[i]), suffixes[i]) == 0)
			return true;
	return strstr(path, "/etc/") != NULL || strncmp(path, "etc/", 4) == 0;
}

/* What is run, but is a link or no text: that it is there, or another one, is all that can be said. */
static int
untold(struct lines *c, const struct leaf *old, enum leaf_role role)
{
	struct page_line l = { 0 };
	weigh(c, role, false);
	if (c->new->kind == LEAF_LINK) {
		page_text(&l, "%slink to %s%s%s", c->new->hard ? "hard " : "", c->new->link ? c->new->link : "",
		    !old || !old->link ? "" : old->hard ? ", before hard to " : ", before to ",
		    old && old->link ? old->link : "");
	} else if (c->new->kind == LEAF_FILE) {
		page_text(&l, "%s, %" PRIu64 " bytes that are no text, or too long for one",
		    old ? "changed" : "added", c->new->bytes.size);
	} else {
		return 0;
	}
	return put(c, c->block, c->id, old ? PAGE_CHANGED : PAGE_ADDED, false, &l);
}

int
lines_page(const struct leaf *old, const struct leaf *new, struct page *page, enum lines_told *ret_told)
{
	struct lines c = { .new = new, .page = page };
	enum leaf_role role = leaf_role(new->path);
	uint8_t *a = NULL, *b = NULL;
	size_t an = 0, bn = 0;
	bool exact = true;
	*ret_told = LINES_NONE;
	int err = new->kind == LEAF_FILE ? leaf_text(new, &b, &bn) : 0;
	if (!err && old && old->kind == LEAF_FILE)
		err = leaf_text(old, &a, &an);
	/* A text that became empty, or was, is one; what was no text has no lines to compare. */
	bool empty = new->kind == LEAF_FILE &&new->bytes.size == 0,
	     was_empty = !old || (old->kind == LEAF_FILE && old->bytes.size == 0);
	if (!err && ((!b && !empty) || (!a && !was_empty) || (!a && !b))) {
		if (role != LEAF_ROLE_NONE && new->kind != LEAF_FOLDER) {
			err = untold(&c, old, role);
			*ret_told = LINES_SOME;
		}
		goto out;
	}
	if (err)
		goto out;
	struct view was = view_of(a, an), is = view_of(b, bn);
	if (role == LEAF_ROLE_PASSWD || role == LEAF_ROLE_SHADOW) {
		err = accounts_page(was, is, role == LEAF_ROLE_SHADOW, new->path, page);
		*ret_told = LINES_SOME; /* an order, a comment of theirs are not told */
		goto out;
	}
	bool script = leaf_is_script(new->path, is);
	weigh(&c, role, script);
	c.acts = role != LEAF_ROLE_NONE || script || is_configuration(new->path);
	if (!old && role == LEAF_ROLE_NONE)
		c.many = 0; /* that it is new is told elsewhere: of its lines only what must not be missed */
	err = textdiff_run(was, is, on_line, &c, &exact);
	if (!err && !(!old && role == LEAF_ROLE_NONE))
		err = summary(&c, exact);
	*ret_told = exact && c.whole == c.added + c.gone ? LINES_ALL : LINES_SOME;
out:
	free(a);
	free(b);
	return err;
}
