/* SPDX-License-Identifier: Apache-2.0 */
/* door_place - boot loaders, partition tables and the updater's anchors, by where they lie. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "images/door.h"

/* ---- names ---- */

/* None of these tells capital letters from small ones. */
static bool
begins(const char *s, const char *word)
{
	return strncasecmp(s, word, strlen(word)) == 0;
}

static bool
contains(const char *s, const char *word)
{
	return strcasestr(s, word) != NULL;
}

static bool
ends(const char *s, const char *word)
{
	size_t n = strlen(s), k = strlen(word);
	return n >= k && begins(s + n - k, word);
}

/*
 * Names of what runs before the kernel. A name that goes on with a letter is another
 * ("tzdata"), one that goes on with a digit, a mark or an ending is a slot, a version
 * or a file of it ("sbl1", "u-boot-spl.bin", "xbl_a").
 */
static const char *const boot_names[] = {
    "u-boot",  "uboot",	     "spl",	  "mlo",	  "fsbl",	   "ssbl",	"sbl",
    "xbl",     "abl",	     "aboot",	  "appsboot",	  "emmc_appsboot", "appsbl",	"tz",
    "hyp",     "rpm",	     "devcfg",	  "lk",		  "lk2nd",	   "preloader", "bl1",
    "bl2",     "bl31",	     "bl32",	  "fip",	  "tf-a",	   "tfa",	"optee",
    "barebox", "bootloader", "idbloader", "idblock",	  "trust",	   "mcuboot",	"tiboot3",
    "tispl",   "flash.bin",  "imx-boot",  "bootcode.bin", "fwbl"};

static bool
is_boot(const char *name)
{
	for (size_t i = 0; i < sizeof boot_names / sizeof boot_names[0]; i++) {
		if (begins(name, boot_names[i]) &&
		    !isalpha((unsigned char)name[strlen(boot_names[i])]))
			return true;
	}
	return false;
}

/* Of a file with such a name in a folder of documents, programs or scripts nothing is flashed. */
static bool
is_flashed(const char *path, const char *name)
{
	static const char *const folders[] = {"/bin/", "/sbin/",   "/share/", "/include/",
					      "/doc/", "/init.d/", "/python", "/modules/",
					      "/rpm/", "/man/"};
	static const char *const endings[] = {
	    ".txt", ".md",    ".sh",	  ".py",   ".conf", ".cfg", ".env",  ".h",	".c",
	    ".so",  ".rules", ".service", ".html", ".json", ".xml", ".list", ".md5sums"};
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if (contains(path, folders[i]) || begins(path, folders[i] + 1))
			return false;
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (ends(name, endings[i]))
			return false;
	return true;
}

/* Folders and files in which updaters look for what they trust. */
static const char *const anchor_places[] = {"etc/rauc/",
					    "etc/swupdate/",
					    "etc/mender/",
					    "etc/opkg/keys/",
					    "etc/apk/keys/",
					    "share/apk/keys/",
					    "etc/apt/trusted.gpg",
					    "etc/apt/keyrings/",
					    "share/keyrings/",
					    "etc/pki/rpm-gpg/",
					    "etc/pki/fwupd",
					    "etc/fwupd/",
					    "share/ostree/trusted.gpg.d/",
					    "etc/ostree/trusted.gpg.d/",
					    "systemd/import-pubring.gpg",
					    "etc/uptane/",
					    "etc/security/otacerts",
					    "res/keys",
					    "avb_pkmd.bin"};
static const char *const key_endings[] = {".pem", ".pub", ".crt", ".cer", ".der",
					  ".key", ".gpg", ".asc", ".p7b"};
static const char *const updaters[] = {"update",
				       "fota",
				       "-ota",
				       "ota-",
				       "ota_",
				       "_ota",
				       "otacert",
				       "rauc",
				       "mender",
				       "firmware",
				       "artifact-verify",
				       "release-key",
				       "releasekey",
				       "codesign",
				       "image-sign",
				       "verity_key",
				       "keyring"};

static bool
is_key_file(const char *name)
{
	for (size_t i = 0; i < sizeof key_endings / sizeof key_endings[0]; i++)
		if (ends(name, key_endings[i]))
			return true;
	return false;
}

static bool
is_anchor(const char *path, const char *name)
{
	for (size_t i = 0; i < sizeof anchor_places / sizeof anchor_places[0]; i++) {
		size_t n = strlen(anchor_places[i]);
		if (!contains(path, anchor_places[i]))
			continue;
		/* Settings of an updater lie there, too. */
		if (anchor_places[i][n - 1] != '/' || is_key_file(name) || contains(name, "key") ||
		    contains(name, "root.json"))
			return true;
	}
	for (size_t i = 0; i < sizeof updaters / sizeof updaters[0]; i++)
		if (is_key_file(name) && contains(name, updaters[i]))
			return true;
	return false;
}

enum door_place
door_place_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	if (is_anchor(path, name))
		return DOOR_PLACE_ANCHOR;
	return is_boot(name) && is_flashed(path, name) ? DOOR_PLACE_BOOT : DOOR_PLACE_NONE;
}

/* ---- partition tables ---- */

struct table_diff {
	unsigned came, went, other;
	char first[PAGE_EVIDENCE_MAX]; /* what the first of them was and is */
};

/* Of a partition that bears the name of what lies between them only the other fields are compared.
 */
static bool
is_partition(const struct part *p)
{
	return p->kind == PART_REGION && p->placed && !p->closed && strcmp(p->name, "gap") != 0;
}

/* The table's own bytes, or boot code before it. */
static bool
has_other_bytes(const struct pair *pair, const struct part *table)
{
	for (uint32_t k = 0; k < table->children; k++)
		if (parts_get(pair_tree(pair, PAIR_NEW), table->first + k)->closed &&
		    !pair_is_same(pair_of(pair, PAIR_NEW, table->first + k).how))
			return true;
	return false;
}

/* By name, the n-th of that name: mates by content may have moved to another partition. */
static const struct part *
same_name(const struct parts *t, const struct part *table, const char *name, unsigned n)
{
	for (uint32_t k = 0; k < table->children; k++) {
		const struct part *c = parts_get(t, table->first + k);
		if (is_partition(c) && strcmp(c->name, name) == 0 && n-- == 0)
			return c;
	}
	return NULL;
}

static unsigned
rank(const struct parts *t, const struct part *table, uint32_t k)
{
	unsigned n = 0;
	for (uint32_t j = 0; j < k; j++) {
		const struct part *c = parts_get(t, table->first + j);
		n += is_partition(c) && strcmp(c->name, parts_get(t, table->first + k)->name) == 0;
	}
	return n;
}

static void
remember(struct table_diff *d, const struct part *was, const struct part *is)
{
	char old[48] = "nowhere", new[48] = "nowhere";
	if (d->first[0])
		return;
	if (was)
		snprintf(old, sizeof old, "%#" PRIx64 "+%#" PRIx64, was->at, was->bytes.size);
	if (is)
		snprintf(new, sizeof new, "%#" PRIx64 "+%#" PRIx64, is->at, is->bytes.size);
	snprintf(d->first, sizeof d->first, "%.36s: %s -> %s", is ? is->name : was->name, old, new);
}

int
door_place_table(const struct pair *pair, uint32_t old, uint32_t new, struct page *page)
{
	const struct parts *o = pair_tree(pair, PAIR_OLD), *t = pair_tree(pair, PAIR_NEW);
	const struct part *was = parts_get(o, old), *is = parts_get(t, new);
	struct table_diff d = {0};
	struct page_line l = {
	    .block = PAGE_DOORS, .id = FINDING_CHG_ONE_WAY_DOOR, .sign = PAGE_CHANGED};
	for (uint32_t k = 0; k < is->children; k++) {
		const struct part *c = parts_get(t, is->first + k);
		if (!is_partition(c))
			continue;
		const struct part *b = same_name(o, was, c->name, rank(t, is, k));
		if (b && b->at == c->at && b->bytes.size == c->bytes.size)
			continue;
		d.other += b != NULL;
		d.came += b == NULL;
		remember(&d, b, c);
	}
	for (uint32_t k = 0; k < was->children; k++) {
		const struct part *c = parts_get(o, was->first + k);
		if (is_partition(c) && !same_name(t, is, c->name, rank(o, was, k))) {
			d.went++;
			remember(&d, c, NULL);
		}
	}
	bool moved = d.came + d.went + d.other > 0;
	if (!moved && !has_other_bytes(pair, is))
		return 0;
	if (moved) {
		page_text(&l,
			  "partition table: %u partitions new, %u gone, %u elsewhere or of another "
			  "size; what lay there is lost, "
			  "and a module that loses power meanwhile may never start again",
			  d.came, d.went, d.other);
		page_evidence(&l, view_str(d.first));
	} else {
		l.severity = FINDING_NOTICE;
		page_text(&l, "partition table or boot sector: other ids, types, flags or code, "
			      "partitions where they were");
	}
	parts_path(t, new, l.path, sizeof l.path);
	return page_add(page, &l);
}
