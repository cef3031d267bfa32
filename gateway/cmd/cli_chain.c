/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/audit/tilestore.h"
#include "gateway/file/wholefile.h"

#define STEM_MAX 32

/* ---- the log ---- */

static int
take_line(struct view line, int (*take)(void *ctx, const struct entry *e), void *ctx)
{
	struct json *doc = NULL;
	struct entry e;
	int err = entry_parse(line, &doc, &e, NULL);
	if (err)
		return err == FG_ENOMEM ? err : FG_OK; /* one that means nothing to this version */
	err = take(ctx, &e);
	json_free(doc);
	return err;
}

static int
read_entries(int log, uint64_t size, int (*take)(void *ctx, const struct entry *e), void *ctx)
{
	struct merkle *hash = merkle_new();
	struct tilestore *t = NULL;
	struct writer w;
	int err = hash ? tilestore_open(log, hash, size, &t) : FG_ENOMEM;
	writer_init(&w, TILE_BUNDLE_MAX);
	for (uint64_t i = 0; !err && i * TILE_WIDTH < size; i++) {
		struct tile_bundle b;
		struct view line;
		unsigned width;
		int more = 0;
		writer_reset(&w);
		err = tilestore_bundle(t, i, &w, &width);
		if (!err)
			tile_bundle_begin(&b, writer_view(&w), width);
		while (!err && (more = tile_bundle_next(&b, &line)) > 0)
			err = take_line(line, take, ctx);
		if (!err && more < 0)
			err = more;
	}
	writer_free(&w);
	tilestore_close(t);
	merkle_free(hash);
	return err;
}

int
cli_chain_entries(int audit, uint64_t size, int (*take)(void *ctx, const struct entry *e), void *ctx)
{
	int log = openat(audit, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int err = log < 0 ? FG_EIO : read_entries(log, size, take, ctx);
	if (log >= 0)
		close(log);
	return err;
}

/* ---- an export ---- */

int
cli_parcel_read(int folder, const char *stem, size_t most, struct cli_parcel *ret)
{
	char name[STEM_MAX + 16];
	size_t n = 0;
	*ret = (struct cli_parcel){ .b = { .n = 0 } };
	if (folder < 0)
		return FG_ENOTFOUND;
	snprintf(name, sizeof name, "%s.json", stem);
	int err = wholefile_read(folder, name, most, &ret->own[0], &n);
	ret->b.text = view_of(ret->own[0], n);
	for (unsigned i = 0; !err && i < SIGNERS_MAX; i++) {
		snprintf(name, sizeof name, "%s.sig.%u", stem, i);
		err = wholefile_read(folder, name, SSHSIG_ARMOR_MAX, &ret->own[1 + i], &n);
		if (!err)
			ret->b.sig[ret->b.n++].armour = view_of(ret->own[1 + i], n);
		else if (err == FG_ENOTFOUND)
			return FG_OK; /* the last one was before */
	}
	return err;
}

void
cli_parcel_free(struct cli_parcel *p)
{
	for (size_t i = 0; i < sizeof p->own / sizeof p->own[0]; i++)
		free(p->own[i]);
}

/* ---- what is written ---- */

int
cli_chain_as_owner(int folder, int (*write)(void *ctx), void *ctx)
{
	struct stat owner;
	bool root = geteuid() == 0;
	if (fstat(folder, &owner))
		return FG_EIO;
	int err = root && (setegid(owner.st_gid) || seteuid(owner.st_uid)) ? FG_EIO : write(ctx);
	int saved = errno;
	if (root && (seteuid(0) || setegid(getgid())))
		return FG_EIO;
	errno = saved;
	return err;
}
