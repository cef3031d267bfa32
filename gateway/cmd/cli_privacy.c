/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate privacy: forgetting who stands behind a pseudonym, and the key with which that could be tried out. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/pseudonym.h"
#include "crypto/wipe.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verbs.h"
#include "gateway/file/fdio.h"
#include "gateway/file/wholefile.h"

#define KEY "epoch.key"
#define KEY_LEN 32
#define KEY_MAX 4096 /* what a person may have put there */

/* ---- erase ---- */

static int
erase(int argc, char **argv)
{
	struct cli_args a;
	const char *module = NULL, *reason = NULL;
	int64_t before = -1;
	const struct cli_opt opts[] = {
		{ "module", CLI_OPT_TEXT, &module, 0, 0, 0 },
		{ "before", CLI_OPT_NUMBER, &before, 2000, 9999, 0 },
		{ "reason", CLI_OPT_TEXT, &reason, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts, "privacy erase --module MODULE | --before YEAR --reason TEXT [--json]", 0,
	    0, &a);
	if (status)
		return cli_opt_end(status);
	if (!reason || !module == (before < 0))
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "Say with --reason why; it stays in the log.",
		    "it takes --module or --before, and a reason");
	cli_call_begin(&r);
	cli_call_number(&r, "before", before);
	cli_call_text(&r, "module", module);
	cli_call_text(&r, "reason", reason);
	status = cli_call_once(&a.common, "privacy.erase", &r, NULL, 0, &reply, &shown);
	if (shown) {
		cli_print_field(stdout, "erased", json_get(json_root(reply.doc), "erased"));
		cli_print_field(stdout, "note", json_get(json_root(reply.doc), "note"));
	}
	cli_reply_free(&reply);
	return status;
}

/* ---- rotate ---- */

static bool
write_synced(int fd, struct view v)
{
	return fdio_write(fd, v) == 0 && fsync(fd) == 0;
}

/* The new one beside the old, under its mode and owner. */
static bool
put_aside(const char *aside, int old)
{
	uint8_t key[KEY_LEN];
	struct stat st;
	int fd = fstat(old, &st) ? -1 : open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool good = fd >= 0 && fchmod(fd, st.st_mode & 0777) == 0 &&
	    ((st.st_uid == geteuid() && st.st_gid == getegid()) || fchown(fd, st.st_uid, st.st_gid) == 0) &&
	    RAND_bytes(key, sizeof key) == 1 && write_synced(fd, view_of(key, sizeof key));
	wipe(key, sizeof key);
	if (fd >= 0 && close(fd))
		good = false;
	return good;
}

/* What it can do: the blocks that the file system still has under the old name are overwritten. */
static bool
overwrite(int fd)
{
	static const uint8_t zeros[KEY_MAX];
	struct stat st;
	return fstat(fd, &st) == 0 && st.st_size >= 0 && st.st_size <= KEY_MAX && lseek(fd, 0, SEEK_SET) == 0 &&
	    write_synced(fd, view_of(zeros, (size_t)st.st_size));
}

static int
replace(const struct cli_common *c, const struct cli_place *p)
{
	char path[CLI_OPT_PATH_MAX], aside[CLI_OPT_PATH_MAX];
	if (!cli_place_path(p->keys, KEY, path) || !cli_place_path(p->keys, KEY ".new", aside))
		return CLI_USAGE;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, strerror(errno));
	/* A try that was cut short: whatever lies there was never in use. */
	(void)unlink(aside);
	bool good = put_aside(aside, fd) && rename(aside, path) == 0 && wholefile_sync_folder(AT_FDCWD, path) == 0 && overwrite(fd);
	int err = errno;
	close(fd);
	if (!good)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, strerror(err));
	if (c->json)
		printf("{\"rotated\":true}\n");
	else
		printf("%s is new and the old key is gone. Modules that are known keep their pseudonyms;\n"
		       "of those that were erased nobody can find out any more, not even by trying. Copies and\n"
		       "backups of the old key are yours to destroy.\n", path);
	return 0;
}

static int
rotate(int argc, char **argv)
{
	struct cli_args a;
	struct cli_place place = { 0 };
	int status = cli_opt_parse(argc, argv, NULL, "privacy rotate [--dir DIR] [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	status = cli_place_find(&a.common, a.common.dir, false, &place);
	/* A running control holds the key and would go on using it. */
	if (!status && cli_place_is_running(&place))
		status = cli_opt_fail(&a.common, CLI_REFUSED, "RUNNING", "Stop it first.",
		    "the gateway is running, and holds the key that is to go");
	if (!status)
		status = replace(&a.common, &place);
	cli_place_end(&place);
	return status;
}

int
cli_privacy(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "erase", erase, "forget who a module is, or all not heard of since before a year" },
		{ "rotate", rotate, "a new key for pseudonyms; the old one is destroyed" },
	};
	return cli_opt_sub("privacy", subs, sizeof subs / sizeof subs[0], argc, argv);
}
