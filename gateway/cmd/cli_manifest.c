/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/writer.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/file/fdio.h"

#define BLOCK (256u << 10)
#define TEXT_MAX (64u << 20) /* a line of a hundred bytes for each of half a million files */

static int
io(const struct cli_common *c, const char *path)
{
	return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, strerror(errno));
}

/* ---- one file ---- */

/* Hashes in from its start; out -1, or where it goes. 0, FG_EIO with errno, FG_ENOMEM, FG_ECRYPTO. */
static int
pump(int in, int out, uint8_t sha256[DIGEST_SHA256_LEN])
{
	uint8_t *block = malloc(BLOCK);
	struct digest *d = digest_new(DIGEST_SHA256);
	off_t at = 0;
	int err = block && d ? 0 : FG_ENOMEM;
	while (!err) {
		ssize_t n = pread(in, block, BLOCK, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = FG_EIO;
		if (n <= 0)
			break;
		at += n;
		err = digest_update(d, view_of(block, (size_t)n));
		if (!err && out >= 0)
			err = fdio_write(out, view_of(block, (size_t)n));
	}
	if (!err)
		err = digest_final(d, sha256);
	int saved = errno;
	digest_free(d);
	free(block);
	errno = saved;
	return err;
}

static int
own(int fd, const struct stat *st)
{
	if (geteuid() == 0 && fchown(fd, st->st_uid, st->st_gid))
		return -1;
	return fchmod(fd, st->st_mode & 0777);
}

int
cli_manifest_put(const struct cli_common *c, int in, const char *path, const struct stat *st)
{
	uint8_t there[DIGEST_SHA256_LEN], here[DIGEST_SHA256_LEN];
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return io(c, path);
	int err = pump(in, fd, there);
	if (!err && (own(fd, st) || fsync(fd)))
		err = FG_EIO;
	if (!err)
		err = pump(fd, -1, here);
	int status = err ? cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, err_why(err)) : 0;
	close(fd);
	if (!status && memcmp(there, here, sizeof here))
		status = cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", "Look at the disk.", "%s: is not what was written", path);
	return status;
}

/* ---- trees ---- */

/* Every file and folder below root, folders first; each returns 0 to go on. */
struct walk {
	const struct cli_common *c;
	int (*each)(struct walk *w, FTSENT *e, const char *name);
	FTS *fts;
	const char *to;
	cli_manifest_choose choose;
	unsigned *kept;
	struct writer *text;
	uid_t uid;
	gid_t gid;
};

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int
walk(struct walk *w, const char *root)
{
	char *const paths[] = { (char *)(uintptr_t)root, NULL };
	size_t skip = strlen(root);
	int status = 0;
	w->fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	if (!w->fts)
		return io(w->c, root);
	for (FTSENT *e; !status && (e = fts_read(w->fts));) {
		const char *name = e->fts_path + skip;
		name += *name == '/';
		errno = e->fts_errno;
		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || (e->fts_info == FTS_NS && e->fts_errno != ENOENT))
			status = io(w->c, e->fts_path);
		else if (e->fts_info != FTS_DP && e->fts_info != FTS_NS)
			status = w->each(w, e, name);
	}
	fts_close(w->fts);
	return status;
}

static int
copy_folder(const struct walk *w, const FTSENT *e, const char *path)
{
	if (mkdir(path, 0700))
		return errno == EEXIST ? 0 : io(w->c, path); /* somebody's already: owner and mode are theirs */
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int status = fd < 0 || own(fd, e->fts_statp) ? io(w->c, path) : 0;
	if (fd >= 0)
		close(fd);
	return status;
}

static int
copy_file(struct walk *w, const FTSENT *e, const char *path)
{
	struct stat st;
	if (w->kept && lstat(path, &st) == 0) {
		(*w->kept)++;
		return 0;
	}
	int in = open(e->fts_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (in < 0)
		return errno == ENOENT ? 0 : io(w->c, e->fts_path);
	int status = fstat(in, &st) ? io(w->c, e->fts_path) : S_ISREG(st.st_mode) ? cli_manifest_put(w->c, in, path, &st) : 0;
	close(in);
	return status;
}

static int
copy_each(struct walk *w, FTSENT *e, const char *name)
{
	char path[CLI_OPT_PATH_MAX];
	bool folder = e->fts_info == FTS_D;
	if (!folder && e->fts_info != FTS_F && e->fts_info != FTS_SL)
		return 0;
	enum cli_manifest_pick pick = name[0] && w->choose ? w->choose(name, folder) : CLI_MANIFEST_TAKE;
	if (folder && pick != CLI_MANIFEST_TAKE)
		fts_set(w->fts, e, FTS_SKIP);
	if (pick == CLI_MANIFEST_SKIP)
		return 0;
	if (e->fts_info == FTS_SL) {
		fprintf(stderr, "fotagate: %s: is a link and was left out\n", e->fts_path);
		return 0;
	}
	if (!cli_place_path(w->to, name, path))
		return CLI_USAGE;
	return folder ? copy_folder(w, e, name[0] ? path : w->to) : copy_file(w, e, path);
}

int
cli_manifest_copy(const struct cli_common *c, const char *from, const char *to, cli_manifest_choose choose,
    unsigned *ret_kept)
{
	struct walk w = { .c = c, .each = copy_each, .to = to, .choose = choose, .kept = ret_kept };
	return walk(&w, from);
}

static int
own_each(struct walk *w, FTSENT *e, const char *name)
{
	(void)name;
	return lchown(e->fts_path, w->uid, w->gid) ? io(w->c, e->fts_path) : 0;
}

int
cli_manifest_own(const struct cli_common *c, const char *dir, uid_t uid, gid_t gid)
{
	struct walk w = { .c = c, .each = own_each, .uid = uid, .gid = gid };
	return walk(&w, dir);
}

/* ---- MANIFEST ---- */

/* The line of one file; its own name is not in it. */
static int
name_each(struct walk *w, FTSENT *e, const char *name)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	char hex[DIGEST_HEX_LEN + 1];
	if (e->fts_info == FTS_D || strcmp(name, CLI_MANIFEST_FILE) == 0)
		return 0;
	if (e->fts_info != FTS_F || strpbrk(name, "\n\\"))
		return cli_opt_fail(w->c, CLI_REFUSED, "MANIFEST", NULL, "%s: is no file of a backup", e->fts_path);
	int fd = open(e->fts_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int err = fd < 0 ? FG_EIO : pump(fd, -1, sha256);
	int status = err ? io(w->c, e->fts_path) : 0;
	if (fd >= 0)
		close(fd);
	if (status)
		return status;
	hex_encode(sha256, sizeof sha256, hex);
	writer_textf(w->text, "%s  %s\n", hex, name);
	return 0;
}

static int
name_all(const struct cli_common *c, const char *dir, struct writer *text)
{
	struct walk w = { .c = c, .each = name_each, .text = text };
	writer_init(text, TEXT_MAX);
	int status = walk(&w, dir);
	if (!status && writer_err(text))
		status = cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", dir, err_name(writer_err(text)));
	return status;
}

int
cli_manifest_write(const struct cli_common *c, const char *dir)
{
	char path[CLI_OPT_PATH_MAX];
	struct writer text;
	struct cli_place place = { 0 };
	int status = name_all(c, dir, &text);
	if (!status)
		status = cli_place_path(dir, CLI_MANIFEST_FILE, path) ? 0 : CLI_USAGE;
	if (!status)
		status = cli_place_file(c, &place, path, 0600, writer_view(&text));
	cli_place_end(&place);
	writer_free(&text);
	return status;
}

int
cli_manifest_check(const struct cli_common *c, const char *dir)
{
	struct writer text;
	uint8_t *said = NULL;
	size_t n = 0;
	int err = cli_file_read(dir, CLI_MANIFEST_FILE, TEXT_MAX, &said, &n);
	if (err)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", "A backup is a folder that fotagate backup made.", "%s/%s: %s", dir,
		    CLI_MANIFEST_FILE, err_why(err));
	int status = name_all(c, dir, &text);
	/* Both in one order: what is not the same byte for byte is another file, one too many or one too few. */
	if (!status && (n != text.n || memcmp(said, text.p, n)))
		status = cli_opt_fail(c, CLI_REFUSED, "MANIFEST", "Nothing was restored. sha256sum -c MANIFEST tells which file.",
		    "%s: is not what its MANIFEST says", dir);
	writer_free(&text);
	free(said);
	return status;
}

/* ---- the rest ---- */

void
cli_manifest_remove(const char *dir)
{
	char *const paths[] = { (char *)(uintptr_t)dir, NULL };
	FTS *f = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	for (FTSENT *e; f && (e = fts_read(f));) {
		if (e->fts_info == FTS_DP)
			(void)rmdir(e->fts_path);
		else if (e->fts_info != FTS_D)
			(void)unlink(e->fts_path);
	}
	if (f)
		fts_close(f);
}

int
cli_manifest_sync(const struct cli_common *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = fd < 0 || syncfs(fd) ? io(c, path) : 0;
	if (fd >= 0)
		close(fd);
	return status;
}
