/* SPDX-License-Identifier: Apache-2.0 */
#include "images/elf.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"

/* A text that grows to a limit and says how much did not fit. */
struct list {
	char text[PAGE_EVIDENCE_MAX];
	size_t n;
	unsigned more;
};

static void
put(struct list *l, const char *sign, const char *hostile)
{
	char shown[64];
	visible_cstr(view_str(hostile), shown, sizeof shown);
	size_t need = strlen(sign) + strlen(shown) + (l->n ? 1 : 0);
	if (l->n + need > sizeof l->text - sizeof " and 999999 more") {
		l->more++;
		return;
	}
	l->n += (size_t)snprintf(l->text + l->n, sizeof l->text - l->n, "%s%s%s", l->n ? " " : "", sign, shown);
}

static void
put_end(struct list *l)
{
	if (l->more)
		snprintf(
		    l->text + l->n, sizeof l->text - l->n, " and %u more", l->more < 999999 ? l->more : 999999);
}

/* Of two sorted lists: names of a that b does not have. */
static unsigned
missing(const struct elf_names *a, const struct elf_names *b, const char *sign, struct list *l)
{
	unsigned n = 0;
	for (size_t i = 0; i < a->n; i++) {
		if (elf_names_has(b, a->name[i]))
			continue;
		n++;
		if (l)
			put(l, sign, a->name[i]);
	}
	return n;
}

/* ---- what a program can do ---- */

static const char *const exec_names[] = { "system", "popen", "execve", "execv", "execvp", "execvpe", "execl",
	"execlp", "execle", "execveat", "fexecve", "posix_spawn", "posix_spawnp", "wordexp" };
static const char *const accept_names[] = { "accept", "accept4" };
static const char *const datagram_names[] = { "recvfrom", "recvmsg", "recvmmsg" };

static const char *
any(const struct elf *e, const char *const *names, size_t n)
{
	for (size_t i = 0; e && i < n; i++)
		if (elf_names_has(&e->imports, names[i]))
			return names[i];
	return NULL;
}
#define ANY(e, names) any(e, names, sizeof(names) / sizeof(names)[0])

/* Takes connections, or datagrams that nobody asked for. */
static const char *
listens(const struct elf *e)
{
	if (!e || !elf_names_has(&e->imports, "bind"))
		return NULL;
	if (elf_names_has(&e->imports, "listen") && ANY(e, accept_names))
		return "connections (bind, listen, accept)";
	return ANY(e, datagram_names) ? "datagrams (bind, recvfrom)" : NULL;
}

static int
add(struct page *page, struct page_line *l, const char *path, enum finding_id id, bool added)
{
	l->block = PAGE_RED;
	l->id = id;
	l->sign = added ? PAGE_ADDED : PAGE_CHANGED;
	snprintf(l->path, sizeof l->path, "%s", path);
	return page_add(page, l);
}

static int
abilities(const struct elf *old, const struct elf *new, const char *path, struct page *page)
{
	struct page_line l = { 0 };
	const char *how = listens(new), *starts = ANY(new, exec_names);
	int err = 0;
	if (how && !listens(old)) {
		page_text(&l, "%s takes %s", old ? "now" : "added:", how);
		err = add(page, &l, path, FINDING_CHG_LISTENER, !old);
	}
	if (!err && starts && !ANY(old, exec_names)) {
		l = (struct page_line){ 0 };
		page_text(&l, "%s starts other programs (%s)", old ? "now" : "added:", starts);
		err = add(page, &l, path, FINDING_CHG_EXEC, !old);
	}
	return err;
}

static int
hardening(const struct elf *old, const struct elf *new, const char *path, struct page *page)
{
	struct page_line l = { 0 };
	struct list lost = { "", 0, 0 };
	if (!old->dynamic || !new->dynamic)
		return 0;
	if (old->pie && !new->pie &&new->type == ET_EXEC)
		put(&lost, "", "position-independent code,");
	if (old->relro == ELF_RELRO_FULL && new->relro == ELF_RELRO_PARTIAL)
		put(&lost, "", "full RELRO,");
	if (old->relro && !new->relro)
		put(&lost, "", "RELRO,");
	if (old->nx && !new->nx)
		put(&lost, "", "a stack that nothing runs from,");
	if (old->canary && !new->canary)
		put(&lost, "", "stack protector,");
	if (old->fortified && !new->fortified)
		put(&lost, "", "checked string functions,");
	if (lost.n == 0)
		return 0;
	lost.text[lost.n - 1] = '\0'; /* the last comma */
	page_text(&l, "lost %s", lost.text);
	return add(page, &l, path, FINDING_CHG_HARDENING_LOST, false);
}

/* ---- drift ---- */

/* The section of that name: at the same place in the table, for there may be several of one name, or else the first. */
static const struct elf_section *
section(const struct elf *e, const struct elf_section *like, size_t place)
{
	if (place < e->sections && strcmp(e->section[place].name, like->name) == 0)
		return &e->section[place];
	for (size_t i = 0; i < e->sections; i++)
		if (strcmp(e->section[i].name, like->name) == 0)
			return &e->section[i];
	return NULL;
}

/* How many sections of new are not as in old, whatever kind but meta; those gone count too. */
static unsigned
sections_changed(const struct elf *old, const struct elf *new)
{
	unsigned n = 0;
	for (size_t i = 0; i < new->sections; i++) {
		const struct elf_section *s = &new->section[i], *was = section(old, s, i);
		n += s->kind != ELF_KIND_META &&
		     (!was || was->size != s->size || memcmp(was->sha256, s->sha256, sizeof s->sha256) != 0);
	}
	for (size_t i = 0; i < old->sections; i++)
		n += old->section[i].kind != ELF_KIND_META && !section(new, &old->section[i], i);
	return n;
}

static void
interfaces(const struct elf *old, const struct elf *new, struct list *l)
{
	static const struct elf_names none = { NULL, 0 };
	const struct elf_names *needed = old ? &old->needed : &none;
	missing(&new->needed, needed, "needs +", l);
	if (old) {
		missing(&old->needed, &new->needed, "needs -", l);
		if (strcmp(old->runpath, new->runpath) != 0)
			put(l, "runpath ", new->runpath[0] ? new->runpath : "gone");
		if (strcmp(old->interpreter, new->interpreter) != 0)
			put(l, "interpreter ", new->interpreter[0] ? new->interpreter : "gone");
		missing(&new->imports, &old->imports, "+", l);
		missing(&old->imports, &new->imports, "-", l);
	} else if (new->runpath[0]) {
		put(l, "runpath ", new->runpath);
	}
	put_end(l);
}

static int
drift(const struct elf *old, const struct elf *new, const char *path, struct page *page)
{
	struct page_line l = {
		.block = PAGE_CODE, .id = FINDING_CHG_CODE, .sign = old ? PAGE_CHANGED : PAGE_ADDED
	};
	struct list names = { "", 0, 0 };
	char what[64];
	elf_describe(new, what, sizeof what);
	snprintf(l.path, sizeof l.path, "%s", path);
	if (!old) {
		page_text(&l, "%s, %" PRIu64 " bytes of code, %zu imports, %zu exports%s%s", what, new->code,
		    new->imports.n, new->exports.n, new->why ? ": " : "", new->why ? new->why : "");
	} else {
		char loose[64] = "";
		if (memcmp(old->loose_sha256, new->loose_sha256, sizeof old->loose_sha256) != 0)
			snprintf(loose, sizeof loose, ", %" PRIu64 " bytes outside all sections changed",
			    new->loose);
		page_text(&l,
		    "%s%s: %u sections changed, code %" PRIu64 " -> %" PRIu64
		    ", imports +%u -%u, exports +%u -%u%s%s%s",
		    what,
		    old->machine != new->machine || old->type != new->type ? " (of another kind before)" : "",
		    sections_changed(old, new), old->code, new->code,
		    missing(&new->imports, &old->imports, "", NULL),
		    missing(&old->imports, &new->imports, "", NULL),
		    missing(&new->exports, &old->exports, "", NULL),
		    missing(&old->exports, &new->exports, "", NULL), loose, new->why ? ": " : "",
		    new->why ? new->why : "");
	}
	l.weight = old && old->code > new->code ? old->code - new->code : new->code - (old ? old->code : 0);
	interfaces(old, new, &names);
	snprintf(l.evidence, sizeof l.evidence, "%s", names.text);
	return page_add(page, &l);
}

int
elf_page(const struct elf *old, const struct elf *new, const char *path, struct page *page, bool *ret_folded)
{
	/* A file that could not be read to its end is never folded: what was not read may differ. */
	*ret_folded = old && !old->why &&
		      !new->why &&memcmp(old->loaded_sha256, new->loaded_sha256, sizeof old->loaded_sha256) ==
			  0 &&
		      memcmp(old->loose_sha256, new->loose_sha256, sizeof old->loose_sha256) == 0 &&
		      sections_changed(old, new) == 0;
	if (*ret_folded)
		return 0;
	int err = abilities(old, new, path, page);
	if (!err && old)
		err = hardening(old, new, path, page);
	return err ? err : drift(old, new, path, page);
}
