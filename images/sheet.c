/* SPDX-License-Identifier: Apache-2.0 */
/* sheet - the words, and the text form. */
#include "images/sheet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const titles[PAGE_BLOCK_LIMIT] = {
	[PAGE_RED] = "Rights, start-up, users, listeners, keys, protections",
	[PAGE_CONTACT] = "New contact points",
	[PAGE_MODEM] = "Modem",
	[PAGE_DOORS] = "One-way doors",
	[PAGE_IDENT] = "Identities in the image",
	[PAGE_CODE] = "Code",
	[PAGE_FILES] = "Files",
	[PAGE_SBOM] = "Components (hints: the image's own words)",
	[PAGE_ENTROPY] = "Entropy",
	[PAGE_UNSEEN] = "Not looked at",
};

const char *
sheet_block_title(enum page_block block)
{
	if (block <= PAGE_NONE || block >= PAGE_BLOCK_LIMIT)
		abort();
	return titles[block];
}

bool
sheet_is_blind(const struct story *s)
{
	const struct account_sum *n = &s->image[PAIR_NEW];
	uint64_t all = account_total(n);
	/* Below 2^53, as all numbers of a report: a thousandfold fits. */
	return !s->holds || n->bytes[ACCOUNT_UNREVIEWABLE] * 1000 > all * SHEET_BLIND;
}

void
sheet_percent(uint64_t part, uint64_t whole, char dst[24])
{
	/* Sizes stay below 2^50 and sums below 2^53: a thousandfold fits. */
	uint64_t permille = whole ? part * 1000 / whole : 0;
	snprintf(dst, 24, "%" PRIu64 ".%u", permille / 10, (unsigned)(permille % 10));
}

void
sheet_opened(const struct story *s, char dst[24])
{
	uint64_t all = account_total(&s->image[PAIR_NEW]);
	sheet_percent(s->holds ? all - s->image[PAIR_NEW].bytes[ACCOUNT_UNREVIEWABLE] : 0, all, dst);
}

/* ---- text ---- */

static void
sums(struct writer *w, const char *what, const struct account_sum *s)
{
	static const char *const words[ACCOUNT_CLASSES] = {
		[ACCOUNT_IDENTICAL] = "as before",
		[ACCOUNT_EXPLAINED] = "changed and explained",
		[ACCOUNT_UNEXPLAINED] = "changed and not explained",
		[ACCOUNT_UNREVIEWABLE] = "not reviewable",
	};
	uint64_t all = account_total(s);
	writer_textf(w, "  %s: %" PRIu64 " bytes", what, all);
	for (unsigned c = ACCOUNT_CLASSES; c-- > 0;) {
		char share[24];
		sheet_percent(s->bytes[c], all, share);
		writer_textf(w, "%s %s %% %s", c == ACCOUNT_CLASSES - 1 ? " =" : ",", share, words[c]);
	}
	writer_text(w, "\n");
}

static void
counts(struct writer *w, const struct story *s)
{
	for (unsigned i = 0; i < STORY_CLASSES; i++) {
		const struct story_count *c = &s->count[i];
		if (c->added + c->changed + c->gone + c->moved == 0)
			continue;
		writer_textf(w, "  %-8s %" PRIu64 " added, %" PRIu64 " gone, %" PRIu64 " changed, %" PRIu64 " moved; %" PRIu64
		    " as before\n", story_class_name((enum story_class)i), c->added, c->gone, c->changed, c->moved, c->same);
	}
}

static void
layout(struct writer *w, const struct story *s)
{
	for (unsigned i = 0; i < s->rows_n; i++) {
		const struct story_row *r = &s->row[i];
		writer_textf(w, "  %s%-8" PRIu64 " %-10" PRIu64 " %-14s %-6s %s\n", r->inside ? "  " : "", r->at, r->size,
		    format_name(r->format), r->side == PAIR_OLD ? "gone" : r->how == PAIR_NONE ? "new" : pair_how_name(r->how),
		    r->name);
	}
	if (s->rows_total > s->rows_n)
		writer_textf(w, "  and %" PRIu64 " more\n", s->rows_total - s->rows_n);
}

static void
line(struct writer *w, const struct page_line *l, const struct notes *notes)
{
	static const char signs[PAGE_SIGN_LIMIT] = {
		[PAGE_CHANGED] = '~', [PAGE_ADDED] = '+', [PAGE_GONE] = '-', [PAGE_MOVED] = '>',
	};
	writer_textf(w, "  %c %c %s%s%s", l->severity >= FINDING_BLOCK ? 'X' : l->severity == FINDING_WARNING ? '!' : ' ',
	    signs[l->sign], l->path, l->path[0] ? ": " : "", l->text);
	if (l->times > 1)
		writer_textf(w, " (%" PRIu64 " times)", l->times);
	if (notes && notes->have && notes_ought(l) && !notes_name(notes, l))
		writer_text(w, " [not in the notes]");
	writer_text(w, "\n");
	if (l->evidence[0])
		writer_textf(w, "        %s\n", l->evidence);
}

static void
block(struct writer *w, const struct page *p, enum page_block b, const struct notes *notes, bool all)
{
	bool whole = all || b == PAGE_RED || b == PAGE_CONTACT;
	uint64_t n = 0, left = page_lost(p, b);
	for (size_t i = 0; i < page_count(p); i++) {
		const struct page_line *l = page_at(p, i);
		if (l->block != b)
			continue;
		if (n == 0)
			writer_textf(w, "\n%s\n", sheet_block_title(b));
		if (n++ < SHEET_LINES || whole || l->severity >= FINDING_WARNING)
			line(w, l, notes);
		else
			left++;
	}
	if (left)
		writer_textf(w, "  and %" PRIu64 " more\n", left);
}

void
sheet_text(const struct story *s, const struct notes *notes, bool all, struct writer *w)
{
	if (sheet_is_blind(s))
		writer_text(w, "  NOT REVIEWABLE: too much of this image could not be looked at\n");
	sums(w, "the image", &s->image[PAIR_NEW]);
	if (account_total(&s->expanded[PAIR_NEW]))
		sums(w, "unpacked", &s->expanded[PAIR_NEW]);
	counts(w, s);
	if (s->rows_n > 1) {
		writer_text(w, "\nLayout (byte, length)\n");
		layout(w, s);
	}
	for (unsigned b = PAGE_NONE + 1; b < PAGE_BLOCK_LIMIT; b++)
		block(w, s->page, (enum page_block)b, notes, all);
}

bool
sheet_notes_named(const struct report *r, char dst[128])
{
	unsigned ought = 0, named = 0;
	for (size_t i = 0; r->story && r->notes.have && i < page_count(r->story->page); i++) {
		const struct page_line *l = page_at(r->story->page, i);
		ought += notes_ought(l);
		named += notes_ought(l) && notes_name(&r->notes, l);
	}
	snprintf(dst, 128, "They name %u of the %u new or changed things in the first blocks below.", named, ought);
	return ought > 0;
}

void
sheet_notes(const struct report *r, struct writer *w)
{
	const struct notes *n = &r->notes;
	char named[128];
	size_t at = 0;
	if (!n->have)
		return;
	writer_text(w, "What the vendor says that changes (words of the vendor's, of which nothing was checked)\n");
	for (unsigned i = 0; i < n->lines_n; i++)
		writer_textf(w, "  | %s\n", notes_next(n, &at));
	if (n->lines_total > n->lines_n)
		writer_textf(w, "  and %" PRIu64 " lines more\n", n->lines_total - n->lines_n);
	if (sheet_notes_named(r, named))
		writer_textf(w, "  %s\n", named);
}
