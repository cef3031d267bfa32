/* SPDX-License-Identifier: Apache-2.0 */
/*
 * story - what the explain stage has to tell of two images beyond their bytes:
 * the account of every byte, the layout, counts of files by class, maps to look
 * at, and the lines of the page.
 * Role: filled by explain.h, carried in the report under "changes" as "page",
 * shown by sheet.h. Guarantees: same two images, same story; bounded; the account
 * adds up for both images, or the story says that it does not (holds).
 */
#ifndef FG_IMAGES_STORY_H
#define FG_IMAGES_STORY_H

#include "crypto/jsonw.h"
#include "images/account.h"
#include "images/page.h"

#define STORY_CELLS 256    /* of a map: one for each of so many equal stretches of the image */
#define STORY_ROWS_MAX 64  /* of the layout; all are counted */
#define STORY_NAME_MAX 96

/* What a file is to somebody who decides (SIGNATURES_DELTAS_DIFF 3.2). */
enum story_class {
	STORY_CODE = 0, /* ELF files */
	STORY_KERNEL,   /* kernels, boot loaders, modules */
	STORY_SCRIPT,
	STORY_CONFIG,
	STORY_KEYS,     /* certificates and keys */
	STORY_WEB,
	STORY_DOC,      /* documentation, translations, licences */
	STORY_SPECIAL,  /* links, devices, pipes */
	STORY_DATA,     /* all else */
	STORY_CLASSES,
};

struct story_count {
	uint64_t added, changed, gone, moved, same; /* moved: the same bytes elsewhere, or once more */
};

/* A piece of the image by place. */
struct story_row {
	enum pair_how how; /* of its bytes */
	enum pair_side side; /* PAIR_OLD: it is gone */
	bool inside;       /* within the row before it that is not */
	enum format_id format;
	enum part_look look;
	uint64_t at, size;
	char name[STORY_NAME_MAX]; /* visible form */
};

struct story {
	bool holds; /* the sums are what they have to be: zero trusts none of them */
	struct account_sum image[PAIR_SIDES], expanded[PAIR_SIDES];
	/*
	 * One letter a cell: '=' identical, 'e' explained, 'u' unexplained, 'n' not
	 * reviewable, '.' the format's own. "" of an empty image.
	 */
	char map[PAIR_SIDES][STORY_CELLS + 1];
	char strip[PAIR_SIDES][STORY_CELLS + 1]; /* entropy, '0' to '8': whole bits a byte */
	struct story_count count[STORY_CLASSES];
	uint64_t rows_total;
	unsigned rows_n;
	struct story_row row[STORY_ROWS_MAX];
	struct page *page; /* owned; never NULL */
};

struct story *story_new(void); /* NULL without memory */
void story_free(struct story *s);

/* "code", "kernel", ...; aborts on anything else. */
const char *story_class_name(enum story_class c);
/* What a part of a file system or archive is, by its kind, format, name and first bytes. head may be empty. */
enum story_class story_class_of(const struct part *p, struct view head);

/*
 * ---- in the report ----
 * Writes the value of "page". Lines below warning outside of RED and CONTACT are
 * left out with brief, and evidence too with bare; what is left out is counted as
 * lost.
 */
void story_write(struct jsonw *j, const struct story *s, bool brief, bool bare);
struct json_value;
/* Reads what story_write() wrote; images' sizes are known. NULL, and *ret_err FG_EFORMAT or FG_ENOMEM. */
struct story *story_read(const struct json_value *v, uint64_t old_size, uint64_t new_size, int *ret_err);

#endif
