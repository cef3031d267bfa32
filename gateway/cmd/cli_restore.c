/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_restore - a backup put in place, offline. The log is made from the export in it by
 * the code that repairs one; which machine it belongs to is not in a backup.
 */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_backup.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_manifest.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_profile.h"
#include "gateway/cmd/cli_repair.h"
#include "gateway/cmd/cli_verbs.h"

#define LEFT_MAX 65536 /* as cli_backup writes it */
#define NAME_BYTES 256

struct restore {
	const struct cli_common *c;
	struct cli_place place;
	const char *dir;
	unsigned kept;    /* configuration and keys that were there */
	unsigned lacking; /* keys that are in neither */
	struct rebuild log;
};

/* ---- before ---- */

/* Folders that an earlier step made are no data. */
static int
check_empty(const struct restore *r)
{
	struct cli_file_names names = { 0 };
	int err = cli_file_list(r->place.data, &names);
	bool empty = err ? errno == ENOENT : names.n == 0;
	cli_file_names_free(&names);
	return empty ? 0 : cli_opt_fail(r->c, CLI_REFUSED, "EXISTS", "Nothing is overwritten: move it away first.",
	    "%s: is not empty", r->place.data);
}

static int
check(const struct restore *r)
{
	if (cli_place_is_running(&r->place))
		return cli_opt_fail(r->c, CLI_REFUSED, "RUNNING", "Stop it first.", "the gateway is running");
	int status = check_empty(r);
	return status ? status : cli_manifest_check(r->c, r->dir);
}

/* ---- in place ---- */

static int
put_tree(struct restore *r, const char *name, const char *to, bool keep)
{
	char from[CLI_OPT_PATH_MAX];
	if (!cli_place_path(r->dir, name, from))
		return CLI_USAGE;
	return cli_manifest_copy(r->c, from, to, NULL, keep ? &r->kept : NULL);
}

/* The backup has numbers, which are other users' on another machine: names win where there are such. */
static int
own_tree(const struct restore *r, const char *name, const char *user)
{
	char path[CLI_OPT_PATH_MAX];
	const struct passwd *pw = user[0] ? getpwnam(user) : NULL;
	if (geteuid() != 0 || !pw || pw->pw_uid == 0)
		return 0;
	if (!cli_place_path(r->place.data, name, path))
		return CLI_USAGE;
	return cli_manifest_own(r->c, path, pw->pw_uid, pw->pw_gid);
}

static int
own_all(const struct restore *r, const struct config_users *users)
{
	const struct {
		const char *name, *user;
	} trees[] = {
		{ "state", users->control },
		{ "images/quarantine", users->control },
		{ "reports", users->control },
		{ "statements", users->control },
		{ "images/approved", users->warden },
		{ "authority", users->warden },
		{ "audit", users->audit },
	};
	int status = 0;
	for (size_t i = 0; i < sizeof trees / sizeof trees[0] && !status; i++)
		status = own_tree(r, trees[i].name, trees[i].user);
	return status;
}

/* What the configuration says now counts: it may be another than the one in the backup. */
static int
settle(struct restore *r)
{
	struct config *conf = NULL;
	if (cli_profile_config(r->place.config, &conf))
		return cli_opt_fail(r->c, CLI_COULD_NOT, "CONFIG", "Mend what is named above, and begin anew.",
		    "%s: cannot be used", r->place.config);
	int status = own_all(r, &conf->users);
	if (strcmp(conf->data_dir, r->place.data) != 0 || strcmp(conf->keys_dir, r->place.keys) != 0)
		fprintf(stderr, "fotagate: %s: names other places than %s and %s: change that before the first start\n",
		    r->place.config, r->place.data, r->place.keys);
	config_free(conf);
	return status;
}

static int
put_log(struct restore *r)
{
	char from[CLI_OPT_PATH_MAX];
	if (!cli_place_path(r->dir, "log", from))
		return CLI_USAGE;
	return cli_repair_log(r->c, r->place.data, from, "restored from a backup", &r->log);
}

static int
restore(struct restore *r)
{
	int status = put_tree(r, "data", r->place.data, false);
	if (!status)
		status = put_tree(r, "conf", r->place.root, true);
	if (!status)
		status = put_tree(r, "keys", r->place.keys, true);
	if (!status)
		status = settle(r);
	if (!status)
		status = put_log(r);
	return status ? status : cli_manifest_sync(r->c, r->place.data);
}

/* ---- after ---- */

static int
name_lacking(struct restore *r)
{
	char path[CLI_OPT_PATH_MAX];
	uint8_t *bytes = NULL;
	size_t n = 0;
	int err = cli_file_read(r->dir, CLI_BACKUP_LEFT_OUT, LEFT_MAX, &bytes, &n);
	if (err == FG_EIO && errno == ENOENT)
		return 0; /* all of them are in it */
	if (err)
		return cli_opt_fail(r->c, CLI_COULD_NOT, "LOCAL", NULL, "%s/%s: cannot be read", r->dir, CLI_BACKUP_LEFT_OUT);
	for (size_t at = 0, end; at < n; at = end + 1) {
		const uint8_t *nl = memchr(bytes + at, '\n', n - at);
		end = nl ? (size_t)(nl - bytes) : n;
		char name[NAME_BYTES];
		snprintf(name, sizeof name, "%.*s", end - at < sizeof name ? (int)(end - at) : 0, (const char *)bytes + at);
		for (char *p = name; *p; p++)
			*p = *p == '/' || *p < 0x20 || *p > 0x7e ? '?' : *p; /* a backup is input like any other */
		if (!name[0] || !cli_place_path(r->place.keys, name, path) || access(path, F_OK) == 0)
			continue;
		fprintf(stderr, "fotagate: %s: is not in the backup: put it back before the first start\n", path);
		r->lacking++;
	}
	free(bytes);
	return 0;
}

static void
show(const struct restore *r)
{
	if (r->c->json) {
		printf("{\"kept\":%u,\"lacking\":%u,\"size\":%" PRIu64 "}\n", r->kept, r->lacking, r->log.size);
		return;
	}
	printf("Restored: the log has %" PRIu64 " signed entries.\n", r->log.size);
	if (r->kept)
		printf("Files of the configuration and keys that were there and are as they were: %u.\n", r->kept);
	printf("\nIf anything happened since this backup, a log that goes on from here is a fork, and others will say\n"
	       "so. Take the newest export there is and run, before the first start:\n\n"
	       "    fotagate audit repair --from EXPORT\n");
}

int
cli_restore(int argc, char **argv)
{
	struct cli_args a;
	struct restore r = { 0 };
	const char *to = NULL;
	const struct cli_opt opts[] = {
		{ "to", CLI_OPT_TEXT, &to, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	int status = cli_opt_parse(argc, argv, opts, "restore DIR [--to ROOT] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	r.c = &a.common;
	r.dir = a.at[0];
	to = to ? to : a.common.dir;
	status = cli_place_find(&a.common, to, to != NULL, &r.place);
	if (!status)
		status = check(&r);
	if (!status)
		status = restore(&r);
	if (!status)
		status = name_lacking(&r);
	if (!status)
		show(&r);
	else
		cli_place_undo(&r.place); /* a root that nothing was put into */
	cli_place_end(&r.place);
	return status;
}
