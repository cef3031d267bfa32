/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/successor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "gateway/file/wholefile.h"

#define NAME_CAP 32 /* the folder, a number, ".sig.", a number */

static void
pending_name(uint32_t number, char dst[NAME_CAP])
{
	snprintf(dst, NAME_CAP, "%u.pending", number);
}

/* The folder of the sets, synced into its parent when it is new; -1. */
static int
open_sets(int dir, const char *folder)
{
	bool fresh = mkdirat(dir, folder, 0755) == 0;
	if (!fresh && errno != EEXIST)
		return -1;
	int fd = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && fresh && (fchmod(fd, 0755) || fsync(dir))) {
		close(fd);
		return -1;
	}
	return fd;
}

int
successor_write(int dir, const char *folder, uint32_t number, uint64_t log_size, const struct succession_bundle *b)
{
	char name[NAME_CAP];
	struct writer w;
	int sets = open_sets(dir, folder);
	if (sets < 0)
		return FG_EIO;
	writer_init(&w, SUCCESSION_BUNDLE_MAX + 8);
	writer_u64(&w, log_size);
	int err = succession_bundle_write(b, &w);
	pending_name(number, name);
	if (!err)
		err = wholefile_replace(sets, name, writer_view(&w), 0444);
	writer_free(&w);
	close(sets);
	return err;
}

int
successor_read(int dir, const char *folder, uint32_t number, struct successor *ret)
{
	char name[NAME_CAP];
	struct successor s = { 0 };
	struct reader r;
	size_t n = 0;
	snprintf(name, sizeof name, "%s/%u.pending", folder, number);
	int err = wholefile_read(dir, name, SUCCESSION_BUNDLE_MAX + 8, &s.bytes, &n);
	if (err)
		return err == FG_ELIMIT ? FG_EFORMAT : err;
	reader_init(&r, view_of(s.bytes, n));
	s.log_size = reader_u64(&r);
	if (n < 8 || succession_bundle_parse(view_of(s.bytes + 8, n - 8), &s.bundle)) {
		free(s.bytes);
		return FG_EFORMAT;
	}
	*ret = s;
	return FG_OK;
}

void
successor_free(struct successor *s)
{
	free(s->bytes);
	*s = (struct successor){ 0 };
}

int
successor_settle(int dir, const char *folder, uint32_t number, const struct succession_bundle *b)
{
	char name[NAME_CAP];
	int sets = open_sets(dir, folder);
	if (sets < 0)
		return FG_EIO;
	/* Signatures first: a set that is there always has what it rests on, and nothing else beside it. */
	int err = FG_OK;
	for (unsigned i = 0; !err && i < b->n; i++) {
		snprintf(name, sizeof name, "%u.sig.%u", number, i);
		err = wholefile_replace_unsynced(sets, name, b->sig[i].armour, 0444);
	}
	/* Those of another statement that had the number, which nobody reads and every auditor stumbles over. */
	for (unsigned i = b->n; !err && i < SIGNERS_MAX; i++) {
		snprintf(name, sizeof name, "%u.sig.%u", number, i);
		if (unlinkat(sets, name, 0) && errno != ENOENT)
			err = FG_EIO;
	}
	snprintf(name, sizeof name, "%u.json", number);
	if (!err)
		err = wholefile_sync_folder(sets, name);
	if (!err)
		err = wholefile_replace(sets, name, b->text, 0444);
	if (!err) {
		pending_name(number, name);
		unlinkat(sets, name, 0);
	}
	close(sets);
	return err;
}

void
successor_drop(int dir, const char *folder, uint32_t number)
{
	char name[NAME_CAP];
	snprintf(name, sizeof name, "%s/%u.pending", folder, number);
	unlinkat(dir, name, 0);
}
