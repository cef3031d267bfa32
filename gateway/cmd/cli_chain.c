/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "gateway/audit/condemned.h"
#include "gateway/audit/tilestore.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/file/wholefile.h"

#define STEM_MAX 32

/* ---- the folders ---- */

int
cli_chain_local(const struct cli_chain *h, const char *path, int err)
{
	char cure[160];
	snprintf(cure, sizeof cure, "The log itself is whole, the %s may not be: run it again before the next start.", h->nouns);
	return cli_opt_fail(h->c, CLI_COULD_NOT, "LOCAL", cure, "%s: %s", path, err_why(err));
}

static int
open_below(const struct cli_chain *h, const char *data, const char *name, int *ret)
{
	char path[CLI_OPT_PATH_MAX];
	if (!cli_place_path(data, name, path))
		return CLI_USAGE;
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret < 0 ? cli_chain_local(h, path, FG_EIO) : 0;
}

int
cli_chain_open(struct cli_chain *h, const struct cli_common *c, const char *noun, const char *nouns, const char *data,
    const char *from)
{
	char path[CLI_OPT_PATH_MAX];
	*h = (struct cli_chain){ .c = c, .noun = noun, .nouns = nouns, .authority = -1, .approved = -1, .audit = -1, .papers = -1 };
	if (!cli_place_path(data, "authority", h->authority_path) || !cli_place_path(from, "signers", h->there) ||
	    !cli_place_path(data, "images/approved", path))
		return CLI_USAGE;
	int status = open_below(h, data, "audit", &h->audit);
	if (!status)
		status = open_below(h, data, "authority", &h->authority);
	/* Of a gateway that never started there is none. */
	if (!status && access(path, F_OK) == 0)
		status = open_below(h, data, "images/approved", &h->approved);
	h->papers = status ? -1 : open(h->there, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return status;
}

void
cli_chain_close(struct cli_chain *h)
{
	const int fds[] = { h->authority, h->approved, h->audit, h->papers };
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	authority_free(h->a);
}

static int
give(struct cli_chain *h, const char *name, int (*take)(struct authority *a, int fd))
{
	int fd = openat(h->authority, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? FG_ENOTFOUND : FG_EIO;
	int err = take(h->a, fd);
	close(fd);
	return err;
}

int
cli_chain_genesis(struct cli_chain *h)
{
	char name[STEM_MAX];
	authority_free(h->a);
	h->a = authority_new();
	int err = h->a ? give(h, "genesis.json", authority_genesis) : FG_ENOMEM;
	if (err)
		return err;
	for (unsigned i = 0; !err && i < AUTHORITY_SIGS_MAX; i++) {
		snprintf(name, sizeof name, "genesis.sig.%u", i);
		err = give(h, name, authority_genesis_sig);
	}
	return err == FG_ENOTFOUND ? FG_OK : err;
}

int
cli_chain_refuse(const struct cli_chain *h, uint64_t size, uint32_t known)
{
	struct condemned c = { .state = MSG_LOG_ROLLED_BACK, .known = size + 1, .since = (int64_t)time(NULL) };
	snprintf(c.why, sizeof c.why, "%s %u was put in force here, and the log ends before it", h->noun, known);
	int err = condemned_write(h->audit, &c);
	return err ? cli_chain_local(h, "audit/" CONDEMNED_FILE, err) :
	    cli_opt_fail(h->c, CLI_REFUSED, "LOG", "The log stays condemned. Repair it with a newer export.", "%s", c.why);
}

/* ---- the log ---- */

uint32_t
cli_chain_number(const struct entry *e, const char *prefix, uint32_t max)
{
	uint64_t number;
	size_t n = strlen(prefix);
	if (e->obj.n <= n || memcmp(e->obj.p, prefix, n) != 0 ||
	    !decimal_parse(view_of(e->obj.p + n, e->obj.n - n), max, &number))
		return 0;
	return (uint32_t)number;
}

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
