/* SPDX-License-Identifier: Apache-2.0 */
#include "images/retain.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "images/avb.h"
#include "images/ext4_find.h"
#include "images/keyfile.h"

/* Where RAUC looks for its settings; of /run nothing is in an image. */
static const char *const places[] = { "etc/rauc/system.conf", "usr/lib/rauc/system.conf" };
#define PLACES (sizeof places / sizeof places[0])

/* ---- Android ---- */

static int
vbmeta(struct walk *w)
{
	struct avb avb;
	uint64_t at, length;
	bool is;
	int err = avb_read(w->image, 0, &avb, &is);
	if (!err && !is) {
		err = avb_footer(w->image, &at, &length, &is);
		if (!err && is)
			err = avb_read(w->image, at, &avb, &is);
	}
	if (!err && is && avb.is_signed)
		walk_fact_uint(w, CONTENTS_FACT_ROLLBACK_INDEX, (struct walk_signed){ 0 }, avb.rollback_index);
	return err;
}

/* ---- RAUC ---- */

/* The last one counts, as GKeyFile has it; what RAUC could not read keeps it from starting, and is no limit. */
static bool
least_version(struct view text, struct view *ret)
{
	struct keyfile kf;
	struct keyfile_line line = { .opens_group = false };
	bool found = false;
	int r;
	keyfile_begin(&kf, text);
	while ((r = keyfile_next(&kf, &line)) > 0) {
		if (line.opens_group || !view_is(line.group, "system") || !view_is(line.key, "min-bundle-version"))
			continue;
		*ret = line.value;
		found = true;
	}
	return r == 0 && found;
}

static void
settings(struct walk *w, struct view text)
{
	struct view value;
	if (least_version(text, &value))
		walk_fact(w, CONTENTS_FACT_LEAST_VERSION, (struct walk_signed){ 0 }, value);
}

static bool
is_settings(struct view name)
{
	if (name.n > 2 && memcmp(name.p, "./", 2) == 0)
		name = view_of(name.p + 2, name.n - 2);
	for (size_t i = 0; i < PLACES; i++)
		if (view_is(name, places[i]))
			return true;
	return false;
}

static int
settings_file(struct walk *w)
{
	uint8_t *text;
	int err = walk_load(w, (struct sig_range){ 0, w->image->size }, RETAIN_SETTINGS_MAX, &text);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	settings(w, view_of(text, (size_t)w->image->size));
	free(text);
	return 0;
}

/* A root file system that nothing walks. RAUC's usual one. */
static int
settings_ext4(struct walk *w)
{
	struct ext4 fs;
	const char *why;
	int got = ext4_open(w->image, walk_work(w), &fs, &why), err = got < 0 ? got : 0;
	for (size_t i = 0; got > 0 && !err && i < PLACES; i++) {
		uint8_t *text = NULL;
		size_t n = 0;
		err = ext4_find_load(&fs, places[i], RETAIN_SETTINGS_MAX, &text, &n);
		if (err || !text)
			continue;
		settings(w, view_of(text, n));
		free(text);
		break; /* RAUC reads the first that is there */
	}
	return err == FG_ELIMIT ? 0 : err;
}

/* ---- who is asked ---- */

bool
retain_wants(enum format_id container, enum format_id format)
{
	return format == FORMAT_ANDROID_BOOT || (container == FORMAT_RAUC_BUNDLE && format == FORMAT_EXT4);
}

int
retain_tell(struct walk *w, enum format_id container, struct view name)
{
	int err = w->image->size >= AVB_HEAD ? vbmeta(w) : 0;
	if (err)
		return err;
	if (is_settings(name))
		return settings_file(w);
	return container == FORMAT_RAUC_BUNDLE && w->format == FORMAT_EXT4 ? settings_ext4(w) : 0;
}
