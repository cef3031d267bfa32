/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page - what a person decides on: what changes between two images, as lines in
 * blocks of a fixed order (SIGNATURES_DELTAS_DIFF 3.2).
 * Role: analysers of the explain stage add lines; the report carries them; text
 * and HTML are made from the report. Guarantees: no line is dropped without
 * being counted; the mildest blocks give way first, and a page on which RED or
 * CONTACT did not fit says so (page_cut()), which is a block; the order of adding
 * does not matter: lines are sorted and equal ones are one. A line says what was
 * found, never that something is harmless.
 */
#ifndef FG_IMAGES_PAGE_H
#define FG_IMAGES_PAGE_H

#include "images/finding.h"

#define PAGE_LINES_MAX 4096   /* of 600 bytes: 2.5 MiB; nobody reads more */
#define PAGE_PATH_MAX 192
#define PAGE_TEXT_MAX 200     /* what, in words and numbers */
#define PAGE_EVIDENCE_MAX 160 /* excerpt, escaped */

enum page_block { /* in the order of the page; zero is none */
	PAGE_NONE = 0,
	PAGE_RED,     /* rights, init, users, listeners, exec, CAs, private keys, lost hardening, YARA */
	PAGE_CONTACT, /* URL, host, address, phone, e-mail, APN, MQTT/CoAP/LwM2M endpoint: new in the whole image */
	PAGE_MODEM,   /* AT commands, diag/adb, silent SMS, SUPL/XTRA, resolvers */
	PAGE_DOORS,   /* one-way doors: anti-rollback, keys, fuses */
	PAGE_IDENT,   /* tables of identifiers */
	PAGE_CODE,    /* drift per ELF, kernels, banners */
	PAGE_FILES,   /* added, gone, renamed, changed that are in no block above; biggest first */
	PAGE_SBOM,
	PAGE_ENTROPY,
	PAGE_UNSEEN,  /* what was not looked at, and its size */
	PAGE_BLOCK_LIMIT,
};

enum page_sign { PAGE_CHANGED = 0, PAGE_ADDED, PAGE_GONE, PAGE_MOVED, PAGE_SIGN_LIMIT };

struct page_line {
	enum page_block block;
	enum finding_id id; /* CHG-...: the table says severity and what clears it */
	enum finding_severity severity;
	enum page_sign sign;
	char path[PAGE_PATH_MAX]; /* visible form, as parts_path() writes it; "" for the whole image */
	bool have_offset;
	uint64_t offset; /* in the file that path names, new image (old one's when gone) */
	uint64_t weight; /* bytes the line is about, where that orders a block: the biggest first */
	char text[PAGE_TEXT_MAX];         /* set by page_text() */
	char evidence[PAGE_EVIDENCE_MAX]; /* set by page_evidence() */
	uint64_t times; /* set by page_add(): how often it was added */
};

struct page;

struct page *page_new(void); /* NULL without memory */
void page_free(struct page *p);

/* What happened, in plain ASCII of ours: hostile words belong into the evidence or go through visible_cstr() before. */
void page_text(struct page_line *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An excerpt as it is: made visible, cut where it is too long. */
void page_evidence(struct page_line *line, struct view hostile);
/*
 * Copies a line. severity FINDING_NONE means the table's. Path, text and evidence are
 * in visible form; what is not is escaped, so nothing else gets onto the page.
 * Beyond PAGE_LINES_MAX the last of the page's order goes and is counted.
 * 0 or FG_ENOMEM. Aborts on a block that is none or a severity that the table forbids.
 */
int page_add(struct page *p, const struct page_line *line);
/* ---- of a page that was written down: as above, but for ---- */
/* a line that was added line->times times; */
int page_put(struct page *p, const struct page_line *line);
/* lines of a block that were lost already. */
void page_lose(struct page *p, enum page_block block, uint64_t times);

/* Lines in order: by block, severity (worst first), weight (biggest first), path, offset, then the rest. */
size_t page_count(const struct page *p);
/* Borrowed until the next page_add(); aborts past the end. */
const struct page_line *page_at(const struct page *p, size_t i);
/* Lines of a block that did not fit, equal ones counted as often as they were added. */
uint64_t page_lost(const struct page *p, enum page_block block);
/* Something that is never cut did not fit: nobody can approve what was not shown. */
bool page_cut(const struct page *p);

/* "red", "contact", ...; "none" for anything else. */
const char *page_block_name(enum page_block block);
/* PAGE_NONE for an unknown word. */
enum page_block page_block_parse(struct view word);
/* "changed", "added", "gone", "moved"; aborts on anything else. */
const char *page_sign_name(enum page_sign sign);
/* PAGE_SIGN_LIMIT for an unknown word. */
enum page_sign page_sign_parse(struct view word);

#endif
