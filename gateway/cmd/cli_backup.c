/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_backup - everything a gateway is, in a folder, while it runs. The database and the
 * warden's folder first and the log last, so that the log is never behind what else is in it.
 */
#include "gateway/cmd/cli_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/writer.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_export.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_manifest.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_verbs.h"

#define PART ".part"
#define LEFT_MAX 65536 /* names of files in keys_dir */

struct backup {
	const struct cli_common *c;
	struct cli_place place;
	const char *dir;
	char part[CLI_OPT_PATH_MAX];
	bool with_keys;
	unsigned missing; /* papers that the log names and nobody has any more */
};

static int
io(const struct backup *b, const char *path)
{
	return cli_opt_fail(b->c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, strerror(errno));
}

static int
make_part(struct backup *b)
{
	struct stat st;
	if (snprintf(b->part, sizeof b->part, "%s" PART, b->dir) >= (int)sizeof b->part)
		return cli_opt_fail(b->c, CLI_USAGE, "USAGE", NULL, "%s: a path cannot be that long", b->dir);
	if (lstat(b->dir, &st) == 0)
		return cli_opt_fail(b->c, CLI_REFUSED, "EXISTS", "Nothing is overwritten: name a new folder.",
		    "%s: is there already", b->dir);
	if (mkdir(b->part, 0700) == 0)
		return 0;
	return errno != EEXIST ? io(b, b->part) : cli_opt_fail(b->c, CLI_REFUSED, "EXISTS",
	    "It is of a backup that runs, or was cut short; then remove it.", "%s: is there already", b->part);
}

/* ---- data_dir ---- */

/* As a file without a name, from control: nobody else may open the database. */
static int
take_state(const struct backup *b)
{
	char path[CLI_OPT_PATH_MAX];
	struct cli_call *call = NULL;
	struct cli_reply reply = { .file = -1 };
	struct stat st;
	int status = cli_call_open(b->c, &call);
	if (!status)
		status = cli_call_do(call, "backup.state", NULL, NULL, 0, &reply);
	if (!status && reply.status != CLI_DONE)
		status = cli_call_refused(b->c, &reply);
	if (!status && (reply.file < 0 || fstat(reply.file, &st)))
		status = cli_opt_fail(b->c, CLI_COULD_NOT, "LOCAL", NULL, "no copy of the database was handed out");
	if (!status)
		status = cli_place_path(b->part, "data/state/state.db", path) ? 0 : CLI_USAGE;
	if (!status) {
		st.st_mode = 0600;
		status = cli_manifest_put(b->c, reply.file, path, &st);
	}
	cli_reply_free(&reply);
	cli_call_close(call);
	return status;
}

static bool
ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	return n >= m && strcmp(name + n - m, end) == 0;
}

/* The database comes from control, the log, the signer sets and the policies it names as an export. */
static enum cli_manifest_pick
choose_data(const char *name, bool folder)
{
	static const char *const empty[] = { "audit", "state", "authority/policy", "authority/signers" };
	for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
		if (folder && strcmp(name, empty[i]) == 0)
			return CLI_MANIFEST_EMPTY;
	/* The warden's memory of the newest of them: the log's copy may name a newer one, and after a restore it decides. */
	if (strcmp(name, "images/approved/signers") == 0 || strcmp(name, "images/approved/policy") == 0)
		return CLI_MANIFEST_SKIP;
	/* What is only being written has no name yet. */
	return ends_in(name, ".part") || ends_in(name, ".new") ? CLI_MANIFEST_SKIP : CLI_MANIFEST_TAKE;
}

static enum cli_manifest_pick
only_folders(const char *name, bool folder)
{
	return folder ? choose_data(name, folder) : CLI_MANIFEST_SKIP;
}

static int
take_data(const struct backup *b)
{
	char path[CLI_OPT_PATH_MAX];
	if (!cli_place_path(b->part, "data", path))
		return CLI_USAGE;
	int status = cli_manifest_copy(b->c, b->place.data, path, only_folders, NULL);
	if (!status)
		status = take_state(b);
	return status ? status : cli_manifest_copy(b->c, b->place.data, path, choose_data, NULL);
}

/* ---- the log ---- */

/* "7.json", "7.sig.0" with prefix in front: not genesis, which data/authority has. */
static int
take_papers(const struct backup *b, const char *prefix, const char *folder)
{
	char from[CLI_OPT_PATH_MAX], to[CLI_OPT_PATH_MAX], old[CLI_OPT_PATH_MAX], new[CLI_OPT_PATH_MAX];
	struct cli_file_names names = { 0 };
	struct stat st;
	size_t skip = strlen(prefix);
	if (!cli_place_path(b->part, "log/signers", from) || !cli_place_path(b->part, folder, to))
		return CLI_USAGE;
	if (cli_file_list(from, &names) || stat(to, &st))
		return io(b, from);
	int status = 0;
	st.st_mode = 0444;
	for (size_t i = 0; i < names.n && !status; i++) {
		const char *name = names.name[i] + skip;
		if (strncmp(names.name[i], prefix, skip) || name[0] < '0' || name[0] > '9')
			continue;
		int fd = -1;
		if (!cli_place_path(from, names.name[i], old) || !cli_place_path(to, name, new))
			status = CLI_USAGE;
		else if ((fd = open(old, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
			status = io(b, old);
		else
			status = cli_manifest_put(b->c, fd, new, &st);
		if (fd >= 0)
			close(fd);
	}
	cli_file_names_free(&names);
	return status;
}

static int
take_log(struct backup *b)
{
	char log[CLI_OPT_PATH_MAX], authority[CLI_OPT_PATH_MAX];
	if (!cli_place_path(b->part, "log", log) || !cli_place_path(b->place.data, "authority", authority))
		return CLI_USAGE;
	int status = cli_export_part(b->c, log, authority, &b->missing);
	if (!status)
		status = take_papers(b, "", "data/authority/signers");
	return status ? status : take_papers(b, "policy-", "data/authority/policy");
}

/* ---- configuration and keys ---- */

/* The configuration's folder may hold more, keys_dir first of all. */
/* The folder itself, or what lies in it. */
static bool
in_folder(const char *name, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(name, folder, n) == 0 && (name[n] == '\0' || name[n] == '/');
}

static enum cli_manifest_pick
choose_conf(const char *name, bool folder)
{
	if (strcmp(name, "fotagate.conf") == 0 && !folder)
		return CLI_MANIFEST_TAKE;
	return in_folder(name, "lists.d") || in_folder(name, "profiles.d") ? CLI_MANIFEST_TAKE : CLI_MANIFEST_SKIP;
}

static enum cli_manifest_pick
choose_anchors(const char *name, bool folder)
{
	(void)folder;
	return strcmp(name, "anchors") == 0 || strncmp(name, "anchors/", 8) == 0 ? CLI_MANIFEST_TAKE : CLI_MANIFEST_SKIP;
}

/* So that a restore can name what has to be put back first. */
static int
say_left_out(const struct backup *b)
{
	char path[CLI_OPT_PATH_MAX];
	struct cli_file_names names = { 0 };
	struct cli_place place = { 0 };
	struct writer w;
	if (cli_file_list(b->place.keys, &names))
		return io(b, b->place.keys);
	writer_init(&w, LEFT_MAX);
	for (size_t i = 0; i < names.n; i++)
		if (strcmp(names.name[i], "anchors") != 0 && !strchr(names.name[i], '\n'))
			writer_textf(&w, "%s\n", names.name[i]);
	int status = cli_place_path(b->part, CLI_BACKUP_LEFT_OUT, path) ? 0 : CLI_USAGE;
	if (!status && writer_err(&w))
		status = cli_opt_fail(b->c, CLI_COULD_NOT, "LOCAL", NULL, "%s: holds too much", b->place.keys);
	if (!status)
		status = cli_place_file(b->c, &place, path, 0600, writer_view(&w));
	cli_place_end(&place);
	writer_free(&w);
	cli_file_names_free(&names);
	return status;
}

static int
take_conf(const struct backup *b)
{
	char path[CLI_OPT_PATH_MAX];
	int status = cli_place_path(b->part, "conf", path) ? 0 : CLI_USAGE;
	if (!status)
		status = cli_manifest_copy(b->c, b->place.root, path, choose_conf, NULL);
	if (!status)
		status = cli_place_path(b->part, "keys", path) ? 0 : CLI_USAGE;
	if (!status)
		status = cli_manifest_copy(b->c, b->place.keys, path, b->with_keys ? NULL : choose_anchors, NULL);
	return status || b->with_keys ? status : say_left_out(b);
}

/* ---- all of it ---- */

static int
finish(const struct backup *b)
{
	char parent[CLI_OPT_PATH_MAX];
	const char *slash = strrchr(b->dir, '/');
	snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - b->dir) + 1 : 1, slash ? b->dir : ".");
	int status = cli_manifest_write(b->c, b->part);
	if (!status)
		status = cli_manifest_check(b->c, b->part);
	if (!status)
		status = cli_manifest_sync(b->c, b->part);
	if (!status && rename(b->part, b->dir))
		status = io(b, b->dir);
	return status ? status : cli_manifest_sync(b->c, parent);
}

static void
show(const struct backup *b)
{
	if (b->c->json) {
		printf("{\"keys\":%s,\"missing\":%u}\n", b->with_keys ? "true" : "false", b->missing);
		return;
	}
	printf("The backup is whole, and its log reaches past everything else in it.\n");
	if (b->with_keys)
		printf("The gateway's keys are in it, in clear: whoever has it can sign a log in this gateway's name\n"
		       "and find out who a module is. Lock it away.\n");
	else
		printf("The gateway's keys are not in it: keep a copy of %s apart from it.\n", b->place.keys);
	printf("It holds who every module is. A copy of the log's newest checkpoint elsewhere tells whether a\n"
	       "restored log is shorter than it was.\n");
}

int
cli_backup(int argc, char **argv)
{
	struct cli_args a;
	struct backup b = { 0 };
	const struct cli_opt opts[] = {
		{ "with-keys", CLI_OPT_FLAG, &b.with_keys, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	int status = cli_opt_parse(argc, argv, opts, "backup DIR [--with-keys] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	b.c = &a.common;
	b.dir = a.at[0];
	status = cli_place_find(&a.common, a.common.dir, false, &b.place);
	if (!status)
		status = make_part(&b);
	if (!status) {
		status = take_data(&b);
		if (!status)
			status = take_conf(&b);
		if (!status)
			status = take_log(&b);
		if (!status)
			status = finish(&b);
		if (status)
			cli_manifest_remove(b.part);
	}
	if (!status)
		show(&b);
	cli_place_end(&b.place);
	return status;
}
