/* SPDX-License-Identifier: Apache-2.0 */
#include "images/story.h"

#include <stdlib.h>

static const char *const class_names[STORY_CLASSES] = {
	[STORY_CODE] = "code",
	[STORY_KERNEL] = "kernel",
	[STORY_SCRIPT] = "script",
	[STORY_CONFIG] = "config",
	[STORY_KEYS] = "keys",
	[STORY_WEB] = "web",
	[STORY_DOC] = "doc",
	[STORY_SPECIAL] = "special",
	[STORY_DATA] = "data",
};

struct story *
story_new(void)
{
	struct story *s = calloc(1, sizeof *s);
	if (s && !(s->page = page_new())) {
		free(s);
		return NULL;
	}
	return s;
}

void
story_free(struct story *s)
{
	if (!s)
		return;
	page_free(s->page);
	free(s);
}

const char *
story_class_name(enum story_class c)
{
	if ((unsigned)c >= STORY_CLASSES)
		abort();
	return class_names[c];
}

/* ---- classes ---- */

struct hint {
	const char *word;
	enum story_class class;
};

static const struct hint suffixes[] = {
	{ ".ko", STORY_KERNEL }, { ".dtb", STORY_KERNEL }, { ".itb", STORY_KERNEL },
	{ ".sh", STORY_SCRIPT }, { ".py", STORY_SCRIPT }, { ".pl", STORY_SCRIPT }, { ".lua", STORY_SCRIPT },
	{ ".conf", STORY_CONFIG }, { ".cfg", STORY_CONFIG }, { ".ini", STORY_CONFIG }, { ".json", STORY_CONFIG },
	{ ".xml", STORY_CONFIG }, { ".yaml", STORY_CONFIG }, { ".yml", STORY_CONFIG }, { ".service", STORY_CONFIG },
	{ ".rules", STORY_CONFIG },
	{ ".pem", STORY_KEYS }, { ".crt", STORY_KEYS }, { ".cer", STORY_KEYS }, { ".der", STORY_KEYS },
	{ ".key", STORY_KEYS }, { ".pub", STORY_KEYS }, { ".p12", STORY_KEYS }, { ".crl", STORY_KEYS },
	{ ".html", STORY_WEB }, { ".htm", STORY_WEB }, { ".js", STORY_WEB }, { ".css", STORY_WEB },
	{ ".png", STORY_WEB }, { ".svg", STORY_WEB }, { ".gif", STORY_WEB }, { ".jpg", STORY_WEB },
	{ ".mo", STORY_DOC }, { ".md", STORY_DOC },
};

static const struct hint folders[] = {
	{ "lib/modules/", STORY_KERNEL }, { "boot/", STORY_KERNEL },
	{ "usr/share/doc/", STORY_DOC }, { "usr/share/man/", STORY_DOC }, { "usr/share/locale/", STORY_DOC },
	{ "usr/share/info/", STORY_DOC }, { "usr/share/licenses/", STORY_DOC },
	{ "etc/ssl/", STORY_KEYS }, { "etc/init.d/", STORY_SCRIPT }, { "etc/rc", STORY_SCRIPT },
	{ "etc/", STORY_CONFIG },
	{ "www/", STORY_WEB },
};

static bool
ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);
	return n > m && strcmp(name + n - m, with) == 0;
}

/* The folder lies at the front of name, or behind a slash. */
static bool
within(const char *name, const char *folder)
{
	for (const char *at = name; (at = strstr(at, folder)); at++)
		if (at == name || at[-1] == '/')
			return true;
	return false;
}

static bool
begins(struct view head, const char *with)
{
	size_t n = strlen(with);
	return head.n >= n && memcmp(head.p, with, n) == 0;
}

enum story_class
story_class_of(const struct part *p, struct view head)
{
	bool module = ends(p->name, ".ko");
	if (p->kind == PART_LINK || p->kind == PART_DEVICE || p->kind == PART_FIFO)
		return STORY_SPECIAL;
	if (p->format == FORMAT_ELF)
		return module ? STORY_KERNEL : STORY_CODE;
	if (p->format == FORMAT_UIMAGE || p->format == FORMAT_FIT || p->format == FORMAT_FDT ||
	    p->format == FORMAT_ANDROID_BOOT)
		return STORY_KERNEL;
	if (begins(head, "#!"))
		return STORY_SCRIPT;
	if (begins(head, "-----BEGIN "))
		return STORY_KEYS;
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (ends(p->name, suffixes[i].word))
			return suffixes[i].class;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if (within(p->name, folders[i].word))
			return folders[i].class;
	return STORY_DATA;
}
