/* SPDX-License-Identifier: Apache-2.0 */
#include "images/door.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"

#define PATH_CAP 1024

static bool
has_table(const struct part *p)
{
	return p->form && (strcmp(p->form, "gpt") == 0 || strcmp(p->form, "mbr") == 0);
}

static int
place_line(enum door_place place, enum page_sign sign, const char *path, uint64_t size,
	   struct page *page)
{
	static const char *const signs[PAGE_SIGN_LIMIT] = {[PAGE_CHANGED] = "changed",
							   [PAGE_ADDED] = "new",
							   [PAGE_GONE] = "gone",
							   [PAGE_MOVED] = "elsewhere"};
	struct page_line l = {
	    .block = PAGE_DOORS, .id = FINDING_CHG_ONE_WAY_DOOR, .sign = sign, .weight = size};
	/* A boot loader can be put back as long as it starts; a key of the updater decides who may
	 * put it back. */
	if (place == DOOR_PLACE_BOOT)
		l.severity = FINDING_NOTICE;
	snprintf(l.path, sizeof l.path, "%.*s", (int)sizeof l.path - 1, path);
	if (place == DOOR_PLACE_BOOT)
		page_text(&l,
			  "boot chain, by its name: %s; a module that loses power while it is "
			  "written may never start again",
			  signs[sign]);
	else
		page_text(&l,
			  "what updates are checked with, by its place: %s; from now on others may "
			  "sign updates, or those who did may not",
			  signs[sign]);
	return page_add(page, &l);
}

/* Whatever encloses it in the tree and bears such a name has told of it already. */
static bool
is_inside_told(const struct parts *t, uint32_t i)
{
	char path[PATH_CAP];
	for (uint32_t up = parts_get(t, i)->parent; up != PART_NONE_INDEX && up != 0;
	     up = parts_get(t, up)->parent) {
		parts_path(t, up, path, sizeof path);
		if (door_place_of(path) != DOOR_PLACE_NONE)
			return true;
	}
	return false;
}

static bool
is_file(const struct part *p)
{
	return (p->bytes.size > 0 && p->look != PART_LOOK_ERASED && !p->again) ||
	       p->kind == PART_LINK;
}

static int
new_part(const struct pair *pair, uint32_t i, struct page *page)
{
	const struct parts *t = pair_tree(pair, PAIR_NEW), *o = pair_tree(pair, PAIR_OLD);
	const struct part *p = parts_get(t, i);
	struct pair_mate mate = pair_of(pair, PAIR_NEW, i);
	struct door_count was = {0}, is = {0};
	char path[PATH_CAP], before[PATH_CAP] = "";
	bool have_old = mate.index != PART_NONE_INDEX;
	if (!is_file(p) || mate.how == PAIR_SAME)
		return 0;
	parts_path(t, i, path, sizeof path);
	if (have_old)
		parts_path(o, mate.index, before, sizeof before);
	enum door_place place = door_place_of(path);
	int err = 0;
	/* The same bytes at another place say nothing new of themselves; as an anchor they do. */
	if (place != DOOR_PLACE_NONE && !is_inside_told(t, i) &&
	    !(have_old && pair_is_same(mate.how) && door_place_of(before) == place))
		err = place_line(place,
				 have_old && strcmp(path, before) == 0 ? PAGE_CHANGED : PAGE_ADDED,
				 path, p->bytes.size, page);
	if (err || pair_is_same(mate.how))
		return err;
	err = door_count_read(t, i, path, &is);
	if (!err && have_old)
		err = door_count_read(o, mate.index, before, &was);
	if (!err)
		err = door_count_page(have_old ? &was : NULL, &is, path, page);
	if (!err && have_old && has_table(p) && has_table(parts_get(o, mate.index)))
		err = door_place_table(pair, mate.index, i, page);
	return err;
}

static int
old_part(const struct pair *pair, uint32_t i, struct page *page)
{
	const struct parts *t = pair_tree(pair, PAIR_OLD);
	const struct part *p = parts_get(t, i);
	struct pair_mate mate = pair_of(pair, PAIR_OLD, i);
	char path[PATH_CAP], after[PATH_CAP];
	if (!is_file(p) || mate.how == PAIR_SAME || mate.how == PAIR_PATH)
		return 0;
	parts_path(t, i, path, sizeof path);
	enum door_place place = door_place_of(path);
	if (place == DOOR_PLACE_NONE || is_inside_told(t, i))
		return 0;
	if (mate.index != PART_NONE_INDEX && pair_is_same(mate.how)) {
		parts_path(pair_tree(pair, PAIR_NEW), mate.index, after, sizeof after);
		if (door_place_of(after) == place)
			return 0;
	}
	return place_line(place, PAGE_GONE, path, p->bytes.size, page);
}

int
door_page(const struct pair *pair, struct page *page)
{
	int err = 0;
	for (uint32_t i = 0; !err && i < parts_count(pair_tree(pair, PAIR_NEW)); i++)
		err = new_part(pair, i, page);
	for (uint32_t i = 0; !err && i < parts_count(pair_tree(pair, PAIR_OLD)); i++)
		err = old_part(pair, i, page);
	return err;
}
