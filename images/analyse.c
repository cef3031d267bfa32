/* SPDX-License-Identifier: Apache-2.0 */
#include "images/analyse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "images/cert.h"
#include "images/door.h"
#include "images/elf.h"
#include "images/lines.h"
#include "images/rights.h"
#include "images/sbom.h"

#define PATH_CAP 1024 /* a path is asked for its role before the page cuts it */

struct analysis {
	const struct pair *pair;
	struct account *account; /* or NULL */
	struct page *page;
	struct token_set *tokens[PAIR_SIDES];
	struct cert_set *certs[PAIR_SIDES];
	struct sbom *sbom[PAIR_SIDES];
	uint64_t folded, folded_bytes; /* ELF files with other metadata only */
	bool *read; /* of the new parts: a text of which each changed line was added to the page whole */
};

/* A part as a leaf; its words live in it. */
struct seen {
	struct leaf leaf;
	char path[PATH_CAP];
	char link[PAGE_TEXT_MAX / 3];
};

static void
see(const struct parts *t, uint32_t i, struct seen *ret)
{
	static const enum leaf_kind kinds[] = { [PART_REGION] = LEAF_FILE,
		[PART_STREAM] = LEAF_FILE,
		[PART_FILE] = LEAF_FILE,
		[PART_FOLDER] = LEAF_FOLDER,
		[PART_LINK] = LEAF_LINK,
		[PART_DEVICE] = LEAF_DEVICE,
		[PART_FIFO] = LEAF_FIFO,
		[PART_SECTION] = LEAF_FILE };
	const struct part *p = parts_get(t, i);
	parts_path(t, i, ret->path, sizeof ret->path);
	ret->link[0] = '\0';
	if (p->link)
		visible_cstr(view_str(p->link), ret->link, sizeof ret->link);
	ret->leaf = (struct leaf){ .kind = (unsigned)p->kind < sizeof kinds / sizeof kinds[0] ? kinds[p->kind]
											      : LEAF_NONE,
		.path = ret->path,
		.link = p->link ? ret->link : NULL,
		.hard = p->hard,
		.bytes = p->bytes,
		.have_mode = p->have_mode,
		.mode = p->mode | (p->kind != PART_DEVICE ? 0u : p->block ? S_IFBLK : S_IFCHR),
		.uid = p->uid,
		.gid = p->gid,
		.rdev = p->rdev,
		.have_caps = p->have_caps };
}

/* A program is looked at as one, by elf.h, whatever it was opened into. */
static bool
is_whole(const struct part *p)
{
	return p->children == 0 || p->format == FORMAT_ELF;
}

/* A section of a program that holds nothing more: part of what elf.h looks at. */
static bool
is_piece(const struct parts *t, const struct part *p)
{
	return p->parent != PART_NONE_INDEX && p->children == 0 &&
	       parts_get(t, p->parent)->format == FORMAT_ELF;
}

bool
analyse_is_leaf(const struct parts *t, uint32_t i)
{
	const struct part *p = parts_get(t, i);
	return is_whole(p) && !is_piece(t, p) && p->bytes.size > 0 && !p->again && p->look != PART_LOOK_ERASED;
}

/* ---- sets ---- */

static int
collect(struct analysis *a, enum pair_side side)
{
	const struct parts *t = pair_tree(a->pair, side);
	struct seen *s = malloc(sizeof *s);
	int err = s ? 0 : FG_ENOMEM;
	for (uint32_t i = 0; i < parts_count(t) && !err; i++) {
		const struct part *p = parts_get(t, i);
		if (!analyse_is_leaf(t, i))
			continue;
		see(t, i, s);
		err = cert_set_scan(a->certs[side], s->path, &p->bytes);
		if (err)
			break;
		bool both = pair_is_same(pair_of(a->pair, side, i).how);
		if (side == PAIR_OLD && both)
			err = token_set_scan_both(a->tokens[side], s->path, &p->bytes);
		else if (!both) /* what the new image shares with the old one is known already */
			err = token_set_scan(a->tokens[side], s->path, &p->bytes);
		if (!err && !both) /* what both say is no difference */
			err = sbom_scan(a->sbom[side], &s->leaf);
	}
	free(s);
	return err;
}

/* ---- single files ---- */

static int
files_line(struct analysis *a, const char *path, enum page_sign sign, uint64_t weight, struct page_line *l)
{
	l->block = PAGE_FILES;
	l->id = FINDING_CHG_FILES;
	l->sign = sign;
	l->weight = weight;
	snprintf(l->path, sizeof l->path, "%s", path);
	return page_add(a->page, l);
}

static int
explain(struct analysis *a, enum pair_side side, uint32_t i, uint64_t at, uint64_t n)
{
	int err = a->account ? account_explained(a->account, side, i, at, n) : 0;
	return err == FG_ELIMIT ? 0 : err; /* it stays unexplained */
}

/* Code and data are not explained by telling their size, nor is what only bears the name of a table. */
static bool
is_told(const struct elf *e, uint64_t at, uint64_t n)
{
	for (size_t k = 0; k < e->sections; k++)
		if (e->section[k].at == at && e->section[k].size == n && e->section[k].told)
			return true;
	return false;
}

static int
explain_elf(struct analysis *a, enum pair_side side, uint32_t i, const struct elf *e)
{
	const struct parts *t = pair_tree(a->pair, side);
	const struct part *p = parts_get(t, i);
	int err = 0;
	if (e->why) /* what could not be read to its end is not explained */
		return 0;
	for (uint32_t k = 0; k < p->children && !err; k++) {
		const struct part *piece = parts_get(t, p->first + k);
		if (piece->placed && is_told(e, piece->at, piece->bytes.size))
			err = explain(a, side, p->first + k, 0, piece->bytes.size);
	}
	for (size_t k = 0; k < e->sections && !err && p->children == 0; k++)
		if (is_told(e, e->section[k].at, e->section[k].size))
			err = explain(a, side, i, e->section[k].at, e->section[k].size);
	return err;
}

/* *ret_told: it was an ELF file, and is on the page or counted. */
static int
programs(struct analysis *a, uint32_t i, uint32_t mate, const struct seen *new, bool *ret_told)
{
	const struct part *p = parts_get(pair_tree(a->pair, PAIR_NEW), i);
	const struct part *was = mate == PART_NONE_INDEX ? NULL : parts_get(pair_tree(a->pair, PAIR_OLD), mate);
	struct elf old = { 0 }, is = { 0 };
	bool folded = false, have_old = false;
	*ret_told = false;
	if (p->bytes.size < 52) /* the shortest header */
		return 0;
	int err = elf_read(&p->bytes, &is);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	if (was) {
		err = elf_read(&was->bytes, &old);
		have_old = err == 0;
		err = err == FG_EFORMAT ? 0 : err;
	}
	if (!err)
		err = elf_page(have_old ? &old : NULL, &is, new->path, a->page, &folded);
	a->folded += folded;
	a->folded_bytes += folded ? p->bytes.size : 0;
	if (!err)
		err = explain_elf(a, PAIR_NEW, i, &is);
	if (!err && have_old)
		err = explain_elf(a, PAIR_OLD, mate, &old);
	*ret_told = !err;
	elf_free(&is);
	elf_free(&old);
	return err;
}

/* Other bytes, or none before. */
static int
changed(struct analysis *a, uint32_t i, uint32_t mate, const struct seen *new, const struct seen *old)
{
	struct page_line l = { 0 };
	const struct part *p = parts_get(pair_tree(a->pair, PAIR_NEW), i);
	enum lines_told lines = LINES_NONE;
	bool told = false;
	int err = 0;
	if (is_whole(p) && new->leaf.kind == LEAF_FILE)
		err = programs(a, i, mate, new, &told);
	if (!err && !told && p->children == 0)
		err = lines_page(old ? &old->leaf : NULL, &new->leaf, a->page, &lines);
	a->read[i] = lines == LINES_ALL && old;
	/* What is inside a container has lines of its own; folders come with what is in them. */
	bool renamed = old && strcmp(old->path, new->path) != 0;
	if (err || !is_whole(p) || new->leaf.kind == LEAF_FOLDER ||
	    (old && !renamed && (told || lines != LINES_NONE)))
		return err;
	if (p->again)
		page_text(&l, "%s", p->why);
	else if (new->leaf.kind == LEAF_LINK)
		page_text(&l, "%slink to %s%s", new->leaf.hard ? "hard " : "", new->link,
		    old && old->leaf.kind == LEAF_LINK && old->leaf.hard != new->leaf.hard
			? new->leaf.hard ? ", symbolic before" : ", hard before"
			: "");
	else if (old)
		page_text(&l, "%s, %" PRIu64 " -> %" PRIu64 " bytes", format_name(p->format),
		    old->leaf.bytes.size, p->bytes.size);
	else if (new->leaf.kind == LEAF_FILE)
		page_text(&l, "%s, %" PRIu64 " bytes", format_name(p->format), p->bytes.size);
	else
		return 0; /* devices and pipes: rights.h */
	if (renamed)
		snprintf(l.evidence, sizeof l.evidence, "renamed, before %.*s", (int)sizeof l.evidence - 17,
		    old->path);
	return files_line(a, new->path, old ? PAGE_CHANGED : PAGE_ADDED, p->bytes.size, &l);
}

/* Same bytes: nothing to compare but rights, and what another place makes of them. */
static int
same(struct analysis *a, enum pair_how how, const struct seen *new, const struct seen *old)
{
	struct page_line l = { 0 };
	enum leaf_role role = leaf_role(new->path);
	enum lines_told lines;
	char from[PAGE_EVIDENCE_MAX];
	if (how == PAIR_SAME)
		return 0;
	int err = 0;
	if (role != LEAF_ROLE_NONE && (how == PAIR_COPY || leaf_role(old->path) != role))
		err = lines_page(NULL, &new->leaf, a->page, &lines);
	if (err || new->leaf.kind == LEAF_FOLDER)
		return err;
	const char *what = how == PAIR_COPY ? "one more copy" : "moved or renamed";
	if (new->leaf.kind == LEAF_LINK) /* an empty file or a link may be a switch, wherever it lies */
		page_text(&l, "%s, link to %s as before", what, new->link);
	else
		page_text(&l, "%s, %" PRIu64 " bytes as they were", what, new->leaf.bytes.size);
	snprintf(from, sizeof from, "%.*s", (int)sizeof from - 1, old->path);
	snprintf(l.evidence, sizeof l.evidence, "%s", from);
	return files_line(a, new->path, how == PAIR_COPY ? PAGE_ADDED : PAGE_MOVED, new->leaf.bytes.size, &l);
}

static int
new_part(struct analysis *a, uint32_t i, struct seen *new, struct seen *old)
{
	const struct parts *t = pair_tree(a->pair, PAIR_NEW);
	struct pair_mate mate = pair_of(a->pair, PAIR_NEW, i);
	bool have_old = mate.how != PAIR_NONE && mate.index != PART_NONE_INDEX;
	if (is_piece(t, parts_get(t, i)))
		return 0;
	see(t, i, new);
	if (have_old)
		see(pair_tree(a->pair, PAIR_OLD), mate.index, old);
	/* A copy is a file of its own, with rights of its own. */
	int err = rights_page(have_old && mate.how != PAIR_COPY ? &old->leaf : NULL, &new->leaf, a->page);
	if (err)
		return err;
	if (have_old && pair_is_same(mate.how))
		return same(a, mate.how, new, old);
	return changed(a, i, have_old ? mate.index : PART_NONE_INDEX, new, have_old ? old : NULL);
}

static int
old_part(struct analysis *a, uint32_t i, struct seen *old)
{
	struct page_line l = { 0 };
	const struct part *p = parts_get(pair_tree(a->pair, PAIR_OLD), i);
	struct pair_mate mate = pair_of(a->pair, PAIR_OLD, i);
	if ((mate.how != PAIR_NONE && mate.how != PAIR_COPY) || !is_whole(p) || p->kind == PART_FOLDER ||
	    is_piece(pair_tree(a->pair, PAIR_OLD), p))
		return 0;
	see(pair_tree(a->pair, PAIR_OLD), i, old);
	enum leaf_role role = leaf_role(old->path);
	page_text(&l, "%s, %" PRIu64 " bytes%s", format_name(p->format), p->bytes.size,
	    mate.how == PAIR_COPY ? "; the same bytes are elsewhere still" : "");
	if (role == LEAF_ROLE_NONE)
		return files_line(a, old->path, PAGE_GONE, p->bytes.size, &l);
	l.block = PAGE_RED;
	l.id = role == LEAF_ROLE_INIT ? FINDING_CHG_INIT : FINDING_CHG_USER;
	l.sign = PAGE_GONE;
	snprintf(l.path, sizeof l.path, "%.*s", (int)sizeof l.path - 1, old->path);
	return page_add(a->page, &l);
}

static int
parts_in_turn(struct analysis *a)
{
	struct seen *new = malloc(sizeof *new), *old = malloc(sizeof *old);
	int err = new &&old ? 0 : FG_ENOMEM;
	for (uint32_t i = 0; !err && i < parts_count(pair_tree(a->pair, PAIR_NEW)); i++)
		err = new_part(a, i, new, old);
	for (uint32_t i = 0; !err && i < parts_count(pair_tree(a->pair, PAIR_OLD)); i++)
		err = old_part(a, i, old);
	free(new);
	free(old);
	return err;
}

static int
folded(struct analysis *a)
{
	struct page_line l = { .block = PAGE_CODE, .id = FINDING_CHG_CODE, .sign = PAGE_CHANGED };
	if (a->folded == 0)
		return 0;
	page_text(&l,
	    "%" PRIu64 " programs and libraries differ in build id, debug data or symbol names only (%" PRIu64
	    " bytes)",
	    a->folded, a->folded_bytes);
	return page_add(a->page, &l);
}

/*
 * Texts are explained by their changed lines, when all of them are on the page: only at
 * the end is it known which of its lines gave way. Of one that did not fit nobody knows
 * whose it was, so then none of its block explains anything.
 */
static int
explain_texts(struct analysis *a)
{
	int err = 0;
	if (page_lost(a->page, PAGE_RED) > 0 || page_lost(a->page, PAGE_FILES) > 0)
		return 0;
	for (uint32_t i = 0; !err && i < parts_count(pair_tree(a->pair, PAIR_NEW)); i++) {
		uint32_t mate = pair_of(a->pair, PAIR_NEW, i).index;
		if (!a->read[i])
			continue;
		err = explain(a, PAIR_NEW, i, 0, parts_get(pair_tree(a->pair, PAIR_NEW), i)->bytes.size);
		if (!err)
			err = explain(a, PAIR_OLD, mate, 0, parts_get(pair_tree(a->pair, PAIR_OLD), mate)->bytes.size);
	}
	return err;
}

int
analyse_run(const struct pair *pair, const struct token_own *own, struct account *account, struct page *page)
{
	struct analysis a = { .pair = pair, .account = account, .page = page };
	a.tokens[PAIR_OLD] = token_set_new(NULL, NULL);
	a.tokens[PAIR_NEW] = a.tokens[PAIR_OLD] ? token_set_new(a.tokens[PAIR_OLD], own) : NULL;
	a.certs[PAIR_OLD] = cert_set_new();
	a.certs[PAIR_NEW] = cert_set_new();
	a.sbom[PAIR_OLD] = sbom_new();
	a.sbom[PAIR_NEW] = sbom_new();
	a.read = calloc((size_t)parts_count(pair_tree(pair, PAIR_NEW)) + 1, sizeof *a.read);
	int err = a.tokens[PAIR_NEW] && a.certs[PAIR_OLD] && a.certs[PAIR_NEW] && a.sbom[PAIR_OLD] &&
			  a.sbom[PAIR_NEW] && a.read
		      ? 0
		      : FG_ENOMEM;
	if (!err)
		err = collect(&a, PAIR_OLD);
	if (!err)
		err = collect(&a, PAIR_NEW);
	if (!err)
		err = token_page(a.tokens[PAIR_OLD], a.tokens[PAIR_NEW], page);
	if (!err)
		err = cert_page(a.certs[PAIR_OLD], a.certs[PAIR_NEW], page);
	if (!err)
		err = sbom_page(a.sbom[PAIR_OLD], a.sbom[PAIR_NEW], page);
	if (!err)
		err = door_page(pair, page);
	if (!err)
		err = parts_in_turn(&a);
	if (!err)
		err = folded(&a);
	if (!err)
		err = explain_texts(&a);
	free(a.read);
	for (unsigned side = PAIR_OLD; side < PAIR_SIDES; side++) {
		token_set_free(a.tokens[side]);
		cert_set_free(a.certs[side]);
		sbom_free(a.sbom[side]);
	}
	return err;
}
