/* SPDX-License-Identifier: Apache-2.0 */
#include "images/squashfs_walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"

#define SET_ID 06000u /* set-user-id, set-group-id */

static long
read_file(void *arg, void *buf, size_t n)
{
	return squashfs_read((struct squashfs *)arg, buf, n);
}

static int
again(void *arg)
{
	squashfs_again((struct squashfs *)arg);
	return 0;
}

void
squashfs_walk_member(struct squashfs *fs, const struct squashfs_entry *e, struct walk_member *m)
{
	m->name = e->path;
	m->at = e->stored;
	m->read = read_file;
	m->again = again;
	m->arg = fs;
	m->size = e->size;
}

static const char *
type_name(enum squashfs_type type)
{
	switch (type) {
	case SQUASHFS_LINK:
		return "a symbolic link";
	case SQUASHFS_BLOCK_DEVICE:
		return "a block device";
	case SQUASHFS_CHAR_DEVICE:
		return "a character device";
	case SQUASHFS_FIFO:
		return "a pipe";
	case SQUASHFS_SOCKET:
		return "a socket";
	default:
		return "no file";
	}
}

static void
tell_special(struct walk *w, const struct squashfs_entry *e, enum finding_severity severity)
{
	const char *path = (const char *)e->path.p;
	if (e->type == SQUASHFS_LINK && severity > FINDING_NOTICE)
		walk_raise_as(w, FINDING_MEMBER_SPECIAL, severity, NULL, "%s: a symbolic link to %.*s",
		    path, (int)e->target.n, (const char *)e->target.p);
	else if (e->type > SQUASHFS_LINK)
		walk_raise_as(w, FINDING_MEMBER_SPECIAL, severity, NULL, "%s: %s (%u:%u)", path,
		    type_name(e->type), e->device >> 8 & 0xfffu,
		    (e->device & 0xffu) | (e->device >> 12 & 0xfff00u));
}

void
squashfs_walk_tell(struct walk *w, const struct squashfs_entry *e, enum finding_severity special)
{
	const char *path = (const char *)e->path.p;
	if (e->repeated)
		walk_raise(w, FINDING_FMT_DUPLICATE, NULL, "%s: its folder lists it twice", path);
	if (e->unsorted)
		walk_raise(w, FINDING_FMT_MALFORMED, NULL,
		    "%s: its folder is not in order, so that a module may not find it", path);
	if (e->type == SQUASHFS_FILE && (e->mode & SET_ID || e->caps.n > 0))
		walk_raise(w, FINDING_MEMBER_PRIVILEGED, NULL, "%s: mode %04o, user %" PRIu32
		    ", group %" PRIu32 "%s", path, e->mode, e->uid, e->gid,
		    e->caps.n > 0 ? ", with file capabilities" : "");
	tell_special(w, e, special);
}

int
squashfs_walk_failed(struct walk *w, int err, const char *why)
{
	if (err != FG_EFORMAT && err != FG_ELIMIT)
		return err;
	walk_raise(w, err == FG_EFORMAT ? FINDING_FMT_MALFORMED : FINDING_FMT_WALK_LIMIT, NULL,
	    "the file system was not read to its end: %s", why);
	return 0;
}

/* All of the range is 0x00, or all of it 0xff as flash is when nothing was written. */
static int
is_blank(const struct walk *w, uint64_t from, uint64_t to, bool *ret)
{
	uint8_t *chunk = malloc(SOURCE_CHUNK);
	int err = chunk ? 0 : FG_ENOMEM;
	bool blank = true, first = true;
	uint8_t fill = 0;
	for (uint64_t at = from; at < to && blank && !err;) {
		size_t n = to - at < SOURCE_CHUNK ? (size_t)(to - at) : SOURCE_CHUNK;
		err = source_read(w->image, at, chunk, n);
		if (err)
			break;
		fill = first ? chunk[0] : fill;
		first = false;
		blank = (fill == 0x00 || fill == 0xff) && chunk[0] == fill &&
		        memcmp(chunk, chunk + 1, n - 1) == 0;
		at += n;
	}
	free(chunk);
	*ret = blank;
	return err;
}

int
squashfs_walk_padding(struct walk *w, const struct squashfs *fs, uint64_t end)
{
	uint64_t from = squashfs_size(fs);
	bool blank = true;
	if (from >= end)
		return 0;
	int err = is_blank(w, from, end, &blank);
	if (err)
		return err;
	if (blank)
		walk_structure(w, from, end - from);
	else
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &from,
		    "%" PRIu64 " bytes follow the file system, and are not blank", end - from);
	return 0;
}

static int
each(struct walk *w, struct squashfs *fs)
{
	struct squashfs_entry e;
	int err;
	while ((err = squashfs_next(fs, &e)) > 0) {
		squashfs_walk_tell(w, &e, FINDING_NOTICE);
		if (e.type != SQUASHFS_FILE)
			continue;
		struct walk_member m = { .alg = DIGEST_NONE };
		squashfs_walk_member(fs, &e, &m);
		err = walk_member(w, &m, NULL);
		if (err)
			return err;
	}
	return squashfs_walk_failed(w, err, squashfs_why(fs));
}

int
squashfs_walk(struct walk *w)
{
	char why[SIG_TEXT_MAX] = "";
	struct squashfs *fs = NULL;
	int err = squashfs_open(w->image, walk_work(w), &fs, why, sizeof why);
	if (err)
		return squashfs_walk_failed(w, err, why);
	if (squashfs_made(fs) != 0)
		walk_fact_uint(w, CONTENTS_FACT_TIMESTAMP, (struct walk_signed){ 0 },
		    squashfs_made(fs));
	err = each(w, fs);
	if (!err)
		err = squashfs_walk_padding(w, fs, w->image->size);
	squashfs_free(fs);
	return err;
}
