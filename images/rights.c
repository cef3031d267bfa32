/* SPDX-License-Identifier: Apache-2.0 */
#include "images/rights.h"

#include <stdio.h>
#include <sys/stat.h>

static int
add(const struct leaf *old, const struct leaf *new, enum finding_id id, struct page_line *l, struct page *page)
{
	l->block = PAGE_RED;
	l->id = id;
	l->sign = old ? PAGE_CHANGED : PAGE_ADDED;
	snprintf(l->path, sizeof l->path, "%s", new->path);
	return page_add(page, l);
}

/* "0755 0:0 before", "added", "rights before unknown". */
static void
before(const struct leaf *old, char dst[48])
{
	if (!old)
		snprintf(dst, 48, "added");
	else if (!old->have_mode)
		snprintf(dst, 48, "rights before unknown");
	else
		snprintf(dst, 48, "%04o %u:%u before", (unsigned)(old->mode & 07777), old->uid, old->gid);
}

/* Set-user-id, and set-group-id where the group may run it: without that, the bit once meant locking. */
static bool
lends_user(const struct leaf *l)
{
	return l && l->have_mode && l->kind == LEAF_FILE && (l->mode & S_ISUID);
}

static bool
lends_group(const struct leaf *l)
{
	return l && l->have_mode && l->kind == LEAF_FILE && (l->mode & S_ISGID) && (l->mode & S_IXGRP);
}

static int
lent(const struct leaf *old, const struct leaf *new, struct page *page)
{
	struct page_line l = { 0 };
	char was[48];
	bool user = lends_user(new) && (!lends_user(old) || old->uid != new->uid);
	bool group = lends_group(new) && (!lends_group(old) || old->gid != new->gid);
	if (!user && !group)
		return 0;
	before(old, was);
	page_text(&l, "runs as %s %u%s, mode %04o (%s)", user ? "user" : "group", user ? new->uid : new->gid,
	    user && group ? " and as its group" : "", (unsigned)(new->mode & 07777), was);
	return add(old, new, FINDING_CHG_SETUID, &l, page);
}

static bool
is_open(const struct leaf *l)
{
	if (!l || !l->have_mode || !(l->mode & S_IWOTH))
		return false;
	/* In a folder with the sticky bit nobody touches what others wrote. */
	return l->kind == LEAF_FILE || l->kind == LEAF_FIFO || (l->kind == LEAF_FOLDER && !(l->mode & S_ISVTX));
}

/* Of characters, where the format does not say which: devices whose number says enough (Documentation/admin-guide/devices.txt). */
static const char *
device_name(const struct leaf *l)
{
	static const struct {
		unsigned major, minor;
		const char *name;
	} known[] = { { 1, 1, "all of memory" }, { 1, 2, "memory of the kernel" }, { 1, 3, "null" },
		{ 1, 4, "I/O ports" }, { 1, 5, "zero" }, { 1, 8, "random" }, { 1, 9, "urandom" },
		{ 1, 11, "the kernel's messages" }, { 5, 0, "terminal" }, { 5, 1, "console" },
		{ 10, 200, "tunnel" } };
	uint64_t major = l->rdev >> 32, minor = l->rdev & UINT32_MAX;
	if (S_ISBLK(l->mode))
		return "a block device";
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].major == major && known[i].minor == minor)
			return known[i].name;
	return major == 90 ? "flash memory" : "a device";
}

/*
 * Any other change of owner or mode: a script that root runs and somebody else may write now is in none of the lines
 * above. What a link has means nothing, and another name of a file is told with the file.
 */
static int
changed(const struct leaf *old, const struct leaf *new, struct page *page)
{
	struct page_line l = { .block = PAGE_FILES, .id = FINDING_CHG_FILES, .sign = PAGE_CHANGED };
	if (!old || !old->have_mode || !new->have_mode || old->kind != new->kind || new->kind == LEAF_LINK ||
	    (((old->mode ^ new->mode) & 07777) == 0 && old->uid == new->uid && old->gid == new->gid))
		return 0;
	page_text(&l, "mode %04o of %u:%u -> %04o of %u:%u", (unsigned)(old->mode & 07777), old->uid, old->gid,
	    (unsigned)(new->mode & 07777), new->uid, new->gid);
	snprintf(l.path, sizeof l.path, "%s", new->path);
	return page_add(page, &l);
}

int
rights_page(const struct leaf *old, const struct leaf *new, struct page *page)
{
	struct page_line l = { 0 };
	char was[48];
	size_t lines = page_count(page);
	int err = lent(old, new, page);
	before(old, was);
	if (!err && new->have_caps && !(old && old->have_caps)) {
		page_text(&l, "has capabilities of its own (%s)", old ? "none before" : "added");
		err = add(old, new, FINDING_CHG_CAPABILITY, &l, page);
	}
	if (!err && is_open(new) && !is_open(old)) {
		l = (struct page_line){ 0 };
		page_text(&l, "%s that anybody may write, mode %04o (%s)",
		    new->kind == LEAF_FOLDER ? "a folder" : "a file", (unsigned)(new->mode & 07777), was);
		err = add(old, new, FINDING_CHG_WORLD_WRITABLE, &l, page);
	}
	if (!err && new->kind == LEAF_DEVICE &&
	    (!old || old->kind != LEAF_DEVICE || old->rdev != new->rdev ||
		S_ISBLK(old->mode) != S_ISBLK(new->mode))) {
		l = (struct page_line){ 0 };
		page_text(&l, "device %u:%u, %s (%s)", (unsigned)(new->rdev >> 32), (unsigned)(new->rdev & UINT32_MAX),
		    device_name(new), old && old->kind == LEAF_DEVICE ? "another one before" : "added");
		err = add(old, new, FINDING_CHG_DEVICE, &l, page);
	}
	/* A mode that is in one of these lines need not be in one more. */
	bool told = page_count(page) > lines && old && old->uid == new->uid && old->gid == new->gid;
	return err || told ? err : changed(old, new, page);
}
