/* SPDX-License-Identifier: Apache-2.0 */
#include "images/swdesc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "images/swdesc_internal.h"

/* Sections of SWUpdate's parser in which a handler may stand (its registration mask). */
enum { IN_IMAGES = 1, IN_FILES = 2, IN_SCRIPTS = 4, IN_BOOTENV = 8, IN_PARTITIONS = 16 };

static const struct handler {
	const char *name;
	unsigned in;
	bool no_data; /* SWUpdate asks for no digest, since there need not be a file */
	bool delta;   /* what it writes depends on what is there, or is fetched from elsewhere */
} handlers[] = {
	{ "archive", IN_IMAGES | IN_FILES, false, false },
	{ "bootloader", IN_IMAGES | IN_BOOTENV, false, false },
	{ "btrfs", IN_PARTITIONS, true, false },
	{ "copy", IN_SCRIPTS, true, false },
	{ "delta", IN_IMAGES | IN_FILES, false, true },
	{ "diskformat", IN_PARTITIONS, true, false },
	{ "diskpart", IN_PARTITIONS, true, false },
	{ "dummy", IN_IMAGES | IN_FILES | IN_SCRIPTS | IN_PARTITIONS, false, false },
	{ "emmc_boot", IN_SCRIPTS, true, false },
	{ "emmc_boot_toggle", IN_SCRIPTS, true, false },
	{ "flash", IN_IMAGES | IN_FILES, false, false },
	{ "flash-hamming1", IN_IMAGES | IN_FILES, false, false },
	{ "gptpart", IN_IMAGES, false, false },
	{ "gptswap", IN_SCRIPTS, true, false },
	{ "lua", IN_SCRIPTS, false, false },
	{ "postinstall", IN_SCRIPTS, false, false },
	{ "preinstall", IN_SCRIPTS, false, false },
	{ "raw", IN_IMAGES, false, false },
	{ "rawcopy", IN_SCRIPTS, true, false },
	{ "rawfile", IN_FILES, false, false },
	{ "rdiff_file", IN_FILES, false, true },
	{ "rdiff_image", IN_IMAGES, false, true },
	{ "readback", IN_SCRIPTS, true, false },
	{ "remote", IN_IMAGES, false, false },
	{ "shellscript", IN_SCRIPTS, false, false },
	{ "ssblswitch", IN_SCRIPTS, true, false },
	{ "swuforward", IN_IMAGES, false, false },
	{ "tar", IN_IMAGES | IN_FILES, false, false },
	{ "toggleboot", IN_SCRIPTS, true, false },
	{ "ubipartition", IN_PARTITIONS, true, false },
	{ "ubiswap", IN_SCRIPTS, true, false },
	{ "ubivol", IN_IMAGES, false, false },
	{ "uboot", IN_IMAGES | IN_BOOTENV, false, false },
	{ "ucfw", IN_IMAGES, false, false },
	{ "uniqueuuid", IN_PARTITIONS, true, false },
};

/* What a list is called there, which handler an entry without one gets, and what kind of handler may. */
static const struct {
	const char *name;
	const char *other; /* an older name, asked for second */
	const char *handler;
	unsigned in;
} lists[SWDESC_LISTS] = {
	[SWDESC_IMAGES] = { "images", NULL, "", IN_IMAGES | IN_FILES },
	[SWDESC_FILES] = { "files", NULL, "rawfile", IN_IMAGES | IN_FILES },
	[SWDESC_SCRIPTS] = { "scripts", NULL, "lua", IN_SCRIPTS },
	[SWDESC_PARTITIONS] = { "partitions", NULL, "ubipartition", IN_PARTITIONS },
	[SWDESC_BOOTENV] = { "bootenv", "uboot", "", IN_BOOTENV },
};

const char *
swdesc_list_name(enum swdesc_list list)
{
	return (unsigned)list < SWDESC_LISTS ? lists[list].name : "none";
}

const char *
swdesc_list_word(enum swdesc_list list, unsigned i)
{
	return i == 0 ? lists[list].name : i == 1 ? lists[list].other : NULL;
}

void
swdesc_wrong(struct swdesc_reading *d, const char *fmt, ...)
{
	char text[SIG_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	d->wrong = true;
	walk_raise(d->w, FINDING_FMT_MALFORMED, &d->at, "sw-description: %s", text);
}

void
swdesc_full(struct swdesc_reading *d, const char *what)
{
	d->full = true;
	walk_raise(d->w, FINDING_FMT_WALK_LIMIT, &d->at,
	    "sw-description: %s and what follows: more than %u things to install", what,
	    SWDESC_ENTRIES_MAX);
}

/* "images[2] of software.stable.copy1", for sentences about an entry. */
struct place {
	char text[CONTENTS_VALUE_MAX + 32];
};

/* An attribute that is text; empty when it is not there or unusable, which is told. */
static struct view
text_of(struct swdesc_reading *d, const struct conf_node *e, const char *name, size_t max,
    const struct place *p)
{
	const struct conf_node *n = conf_get(d->c, e, view_str(name));
	if (!n)
		return view_of(NULL, 0);
	if (n->type != CONF_STRING)
		swdesc_wrong(d, "%s: %s is not text", p->text, name);
	else if (n->string.n > max || (n->string.n && memchr(n->string.p, 0, n->string.n)))
		swdesc_wrong(d, "%s: %s is longer than an updater keeps, or holds a NUL", p->text,
		    name);
	else
		return n->string;
	return view_of(NULL, 0);
}

static bool
flag_of(struct swdesc_reading *d, const struct conf_node *e, const char *name,
    const struct place *p)
{
	const struct conf_node *n = conf_get(d->c, e, view_str(name));
	if (n && n->type != CONF_BOOL)
		swdesc_wrong(d, "%s: %s is neither true nor false", p->text, name);
	return n && n->type == CONF_BOOL && n->number != 0;
}

/* An integer, or decimal or 0x digits with K, M or G behind, as SWUpdate's ustrtoull() takes them. */
static bool
is_size(struct view v)
{
	size_t i = 0, digits;
	bool hex = v.n > 2 && v.p[0] == '0' && (v.p[1] | 0x20) == 'x';
	i += hex ? 2 : 0;
	for (digits = 0; i < v.n; i++, digits++) {
		uint8_t c = v.p[i];
		if (!(c >= '0' && c <= '9') && !(hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f'))
			break;
	}
	if (digits == 0 || digits > (hex ? 12u : 15u) ||
	    (!hex && digits > 1 && v.p[0] == '0')) /* octal: nobody means it */
		return false;
	if (i < v.n && memchr("kKMG", v.p[i], 4)) {
		i++;
		i += i < v.n && v.p[i] == 'i';
		i += i < v.n && v.p[i] == 'B';
	}
	return i == v.n;
}

static void
check_offset(struct swdesc_reading *d, const struct conf_node *e, const struct place *p)
{
	const struct conf_node *n = conf_get(d->c, e, view_str("offset"));
	if (!n || (n->type == CONF_INT && n->number >= 0) ||
	    (n->type == CONF_STRING && is_size(n->string)))
		return;
	swdesc_wrong(d, "%s: offset is no place to write to", p->text);
}

static void
read_packing(struct swdesc_reading *d, const struct conf_node *e, struct swdesc_entry *out,
    const struct place *p)
{
	const struct conf_node *n = conf_get(d->c, e, view_str("compressed"));
	if (!n || (n->type == CONF_BOOL && !n->number))
		return;
	if (n->type == CONF_BOOL || (n->type == CONF_STRING && view_is(n->string, "zlib")))
		out->packing = SWDESC_GZIP;
	else if (n->type == CONF_STRING && view_is(n->string, "zstd"))
		out->packing = SWDESC_ZSTD;
	else
		swdesc_wrong(d, "%s: compressed is neither zlib nor zstd", p->text);
}

/* Capitals are taken, as the updater does; 32 zeros are what it takes for no digest. */
static bool
read_sha256(struct view text, uint8_t ret[DIGEST_SHA256_LEN])
{
	static const uint8_t none[DIGEST_SHA256_LEN] = { 0 };
	uint8_t low[DIGEST_HEX_LEN];
	if (text.n != sizeof low)
		return false;
	for (size_t i = 0; i < sizeof low; i++)
		low[i] = text.p[i] >= 'A' && text.p[i] <= 'F' ? text.p[i] | 0x20 : text.p[i];
	return hex_decode(view_of(low, sizeof low), ret, DIGEST_SHA256_LEN) &&
	       memcmp(ret, none, sizeof none) != 0;
}

/* A name that the updater appends to its folder's: the archive has no folders (CVE-2023-7216). */
static void
check_filename(struct swdesc_reading *d, struct view name, const struct place *p)
{
	if ((name.n && memchr(name.p, '/', name.n)) || view_is(name, ".") || view_is(name, "..")) {
		d->wrong = true;
		walk_raise(d->w, FINDING_MEMBER_UNSAFE_NAME, &d->at,
		    "sw-description: %s: a filename with a folder in it", p->text);
	}
}

static const struct handler *
handler_of(struct swdesc_reading *d, const struct swdesc_entry *e, const struct place *p)
{
	char type[CONTENTS_VALUE_MAX];
	visible_cstr(e->type, type, sizeof type);
	for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
		if (!view_is(e->type, handlers[i].name))
			continue;
		if (!(handlers[i].in & lists[e->list].in)) {
			swdesc_wrong(d, "%s: the handler %s has no business in %s", p->text, type,
			    lists[e->list].name);
			return NULL;
		}
		return &handlers[i];
	}
	if (e->type.n == 0)
		swdesc_wrong(d, "%s: no handler is named or follows from the rest", p->text);
	else
		walk_raise(d->w, FINDING_FMT_UNKNOWN_PART, &d->at,
		    "sw-description: %s: the handler %s is not one of SWUpdate's own", p->text, type);
	return NULL;
}

/* What it does without a member, told for a person. */
static void
tell_runs(struct swdesc_reading *d, const struct swdesc_entry *e, const struct place *p)
{
	char type[CONTENTS_VALUE_MAX];
	visible_cstr(e->type, type, sizeof type);
	walk_raise(d->w, FINDING_MEMBER_RUNS, &d->at, "sw-description: %s: handler %s%s", p->text,
	    type, e->filename.n ? "" : ", without a file");
}

static void
judge_entry(struct swdesc_reading *d, struct swdesc_entry *e, const struct place *p)
{
	const struct handler *h = handler_of(d, e, p);
	e->runs = e->list == SWDESC_SCRIPTS || e->list == SWDESC_PARTITIONS ||
	          e->list == SWDESC_BOOTENV;
	if (e->runs && (e->filename.n == 0 || e->list != SWDESC_SCRIPTS))
		tell_runs(d, e, p);
	if (e->encrypted)
		walk_raise(d->w, FINDING_FMT_ENCRYPTED, &d->at, "sw-description: %s", p->text);
	if (h && h->delta)
		walk_raise(d->w, FINDING_FMT_DELTA, &d->at, "sw-description: %s: handler %s",
		    p->text, h->name);
	bool needs = e->filename.n > 0 || !h || !h->no_data;
	if (needs && !e->have_sha256)
		walk_raise(d->w, FINDING_MEMBER_NO_DIGEST, &d->at,
		    "sw-description: %s has no usable sha256", p->text);
}

static void
note_version(struct swdesc_reading *d, const struct conf_node *e, struct view name,
    struct view version, const struct place *p)
{
	char text[CONTENTS_VALUE_MAX], shown_name[48], shown_version[48];
	bool different = flag_of(d, e, "install-if-different", p);
	bool higher = flag_of(d, e, "install-if-higher", p);
	if (name.n == 0 || version.n == 0)
		return;
	visible_cstr(name, shown_name, sizeof shown_name);
	visible_cstr(version, shown_version, sizeof shown_version);
	snprintf(text, sizeof text, "%s %s%s", shown_name, shown_version,
	    higher ? " (only if higher)" : different ? " (only if different)" : "");
	swdesc_fact(d, CONTENTS_FACT_NOTE, text);
}

/* name and value of the bootloader's environment: set by the updater itself. */
static bool
is_variable(struct swdesc_reading *d, const struct conf_node *e, const struct place *p)
{
	if (!conf_get(d->c, e, view_str("name")))
		return false;
	char name[64];
	visible_cstr(text_of(d, e, "name", SWDESC_TEXT_MAX, p), name, sizeof name);
	(void)text_of(d, e, "value", SWDESC_TEXT_MAX, p);
	d->installable = true;
	walk_raise(d->w, FINDING_MEMBER_RUNS, &d->at,
	    "sw-description: %s sets %s in the bootloader's environment", p->text, name);
	return true;
}

static void
check_partition(struct swdesc_reading *d, const struct swdesc_entry *e,
    const struct conf_node *node, const struct place *p)
{
	struct view name = text_of(d, node, "name", SWDESC_TEXT_MAX, p);
	if (text_of(d, node, "device", SWDESC_TEXT_MAX, p).n == 0 ||
	    (name.n == 0 && view_is(e->type, "ubipartition")))
		swdesc_wrong(d, "%s: a partition without its device or volume", p->text);
}

void
swdesc_entry_read(struct swdesc_reading *d, enum swdesc_list list, const struct conf_node *node,
    size_t index)
{
	struct swdesc_entry e = { .list = list, .selection = d->out->selections_n };
	struct place p;
	snprintf(p.text, sizeof p.text, "%s[%zu] of %s", lists[list].name, index, d->selection);
	if (list == SWDESC_BOOTENV && is_variable(d, node, &p))
		return;
	bool named = conf_get(d->c, node, view_str("filename")) != NULL;
	e.filename = text_of(d, node, "filename", SWDESC_FILENAME_MAX, &p);
	if (named && e.filename.n == 0)
		swdesc_wrong(d, "%s: an empty filename", p.text);
	if (!named && list != SWDESC_SCRIPTS && list != SWDESC_PARTITIONS) {
		walk_raise(d->w, FINDING_FMT_UNKNOWN_PART, &d->at,
		    "sw-description: %s has no filename: SWUpdate passes over it", p.text);
		return;
	}
	if (d->out->n == SWDESC_ENTRIES_MAX) {
		swdesc_full(d, p.text);
		return;
	}
	struct view sha256 = text_of(d, node, "sha256", SWDESC_TEXT_MAX, &p);
	struct view name = text_of(d, node, "name", SWDESC_TEXT_MAX, &p);
	struct view version = text_of(d, node, "version", SWDESC_TEXT_MAX, &p);
	struct view device = text_of(d, node, "device", SWDESC_TEXT_MAX, &p);
	struct view volume = text_of(d, node, "volume", SWDESC_TEXT_MAX, &p);
	e.type = text_of(d, node, "type", SWDESC_TEXT_MAX, &p);
	if (e.type.n == 0)
		e.type = view_str(list != SWDESC_IMAGES ? lists[list].handler
		                  : volume.n            ? "ubivol"
		                  : device.n            ? "raw"
		                                        : "");
	e.have_sha256 = read_sha256(sha256, e.sha256);
	e.encrypted = flag_of(d, node, "encrypted", &p);
	e.direct = flag_of(d, node, "installed-directly", &p);
	(void)flag_of(d, node, "preserve-attributes", &p);
	read_packing(d, node, &e, &p);
	check_offset(d, node, &p);
	check_filename(d, e.filename, &p);
	note_version(d, node, name, version, &p);
	if (list == SWDESC_PARTITIONS)
		check_partition(d, &e, node, &p);
	judge_entry(d, &e, &p);
	d->installable = d->installable || list != SWDESC_BOOTENV;
	d->out->entry[d->out->n++] = e;
}
