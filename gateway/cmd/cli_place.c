/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_place.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_profile.h"
#include "gateway/file/fdio.h"
#include "gateway/file/wholefile.h"
#include "policy/config_form.h"

#define SYSTEM_ROOT "/etc/fotagate"

static int
io(const struct cli_common *c, const char *path)
{
	return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, strerror(errno));
}

bool
cli_place_path(const char *dir, const char *name, char dst[CLI_OPT_PATH_MAX])
{
	if (snprintf(dst, CLI_OPT_PATH_MAX, "%s/%s", dir, name) < CLI_OPT_PATH_MAX)
		return true;
	fprintf(stderr, "fotagate: %s/%s: a path cannot be that long\n", dir, name);
	return false;
}

/* ---- finding ---- */

/* The name the kernel knows dir by: absolute, without links and dots. */
static int
absolute(const struct cli_common *c, const char *dir, char dst[CONFIG_DIR_MAX + 1])
{
	char link[64], path[CLI_OPT_PATH_MAX];
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return io(c, dir);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	close(fd);
	if (n < 0)
		return io(c, link);
	path[n] = '\0';
	/* "/authority/signers" and the like must still fit where the configuration puts its directories. */
	if (n > CONFIG_DIR_MAX - 8 || config_form_check(CONFIG_FORM_DIR, path) || strpbrk(path, "\"\\"))
		return cli_opt_fail(c, CLI_USAGE, "USAGE", "Choose a shorter path of printable ASCII without quotes.",
		    "%s: cannot be written into a configuration", dir);
	snprintf(dst, CONFIG_DIR_MAX + 1, "%.*s", (int)n, path);
	return 0;
}

static void
below(const char *root, const char *name, char dst[CONFIG_DIR_MAX + 1])
{
	snprintf(dst, CONFIG_DIR_MAX + 1, "%.*s/%s", CONFIG_DIR_MAX - 8, root, name);
}

/* A configuration that is there already says where things are. */
static int
ask_config(const struct cli_common *c, struct cli_place *p)
{
	struct config *conf = NULL;
	if (access(p->config, F_OK))
		return errno == ENOENT ? 0 : io(c, p->config);
	int err = cli_profile_config(p->config, &conf);
	if (err)
		return cli_opt_fail(c, CLI_COULD_NOT, "CONFIG", "Mend what is named above; fotagate profile check shows it again.",
		    "%s: cannot be used", p->config);
	p->have_config = true;
	p->config_demo = conf->demo;
	snprintf(p->data, sizeof p->data, "%s", conf->data_dir);
	snprintf(p->keys, sizeof p->keys, "%s", conf->keys_dir);
	snprintf(p->run, sizeof p->run, "%s", conf->run_dir);
	config_free(conf);
	return 0;
}

static int
find_below(const struct cli_common *c, const char *dir, bool create, struct cli_place *p)
{
	/* Roles started by root have users of their own, who must be able to pass. */
	mode_t mode = geteuid() == 0 ? 0755 : 0700;
	int status = create ? cli_place_folder(c, p, dir, mode, NULL) : 0;
	if (!status)
		status = absolute(c, dir, p->root);
	if (status)
		return status;
	below(p->root, "data", p->data);
	below(p->root, "keys", p->keys);
	below(p->root, "run", p->run);
	return cli_place_path(p->root, "fotagate.conf", p->config) ? 0 : CLI_USAGE;
}

int
cli_place_find(const struct cli_common *c, const char *dir, bool create, struct cli_place *ret)
{
	*ret = (struct cli_place){ .system = !dir };
	int status = 0;
	if (dir) {
		status = find_below(c, dir, create, ret);
	} else {
		snprintf(ret->root, sizeof ret->root, "%s", SYSTEM_ROOT);
		snprintf(ret->data, sizeof ret->data, "%s", "/var/lib/fotagate");
		snprintf(ret->keys, sizeof ret->keys, "%s", SYSTEM_ROOT "/keys");
		snprintf(ret->run, sizeof ret->run, "%s", "/run/fotagate");
		snprintf(ret->config, sizeof ret->config, "%s", SYSTEM_ROOT "/fotagate.conf");
	}
	if (!status)
		status = ask_config(c, ret);
	/* Else files of one gateway are changed, or lie in a backup, that meant another. */
	if (!status && !dir && c->run_dir && strcmp(c->run_dir, ret->run) != 0)
		status = cli_opt_fail(c, CLI_USAGE, "USAGE", "Say with --dir where all of the gateway lies.",
		    "%s: is not the run_dir of %s", c->run_dir, ret->config);
	return status;
}

bool
cli_place_is_running(const struct cli_place *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true;
	bool fits = (size_t)snprintf(a.sun_path, sizeof a.sun_path, "%s/control.sock", p->run) < sizeof a.sun_path;
	bool answers = !fits || connect(fd, (const struct sockaddr *)&a, sizeof a) == 0 ||
	    (errno != ENOENT && errno != ECONNREFUSED && errno != ENOTDIR);
	close(fd);
	return answers;
}

/* ---- making ---- */

void
cli_place_note(struct cli_place *p, const char *path)
{
	char *copy = p->made_n < CLI_PLACE_MADE_MAX ? strdup(path) : NULL;
	if (copy)
		p->made[p->made_n++] = copy;
}

void
cli_place_undo(struct cli_place *p)
{
	while (p->made_n) {
		char *path = p->made[--p->made_n];
		if (unlink(path))
			rmdir(path); /* a folder; with something else in it, it stays */
		free(path);
	}
}

void
cli_place_end(struct cli_place *p)
{
	while (p->made_n)
		free(p->made[--p->made_n]);
}

int
cli_place_folder(const struct cli_common *c, struct cli_place *p, const char *path, mode_t mode, const char *user)
{
	if (mkdir(path, mode)) {
		struct stat st;
		if (errno != EEXIST || stat(path, &st) || !S_ISDIR(st.st_mode))
			return io(c, path);
		return 0; /* somebody's already: owner and mode are theirs */
	}
	cli_place_note(p, path);
	const struct passwd *pw = user && geteuid() == 0 ? getpwnam(user) : NULL;
	/* The umask may have taken something away. */
	if (chmod(path, mode) || (pw && chown(path, pw->pw_uid, pw->pw_gid)))
		return io(c, path);
	return 0;
}

int
cli_place_file(const struct cli_common *c, struct cli_place *p, const char *path, mode_t mode, struct view bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0 && errno == EEXIST)
		return cli_opt_fail(c, CLI_REFUSED, "EXISTS", "Nothing is overwritten: move it away, or choose another place.",
		    "%s: is there already", path);
	if (fd < 0)
		return io(c, path);
	cli_place_note(p, path);
	bool good = fchmod(fd, mode) == 0 && fdio_write(fd, bytes) == 0 && fsync(fd) == 0;
	int saved = errno;
	close(fd);
	errno = saved;
	if (!good || wholefile_sync_folder(AT_FDCWD, path))
		return io(c, path);
	return 0;
}

/* As gateway/supervisor/dirs.c makes them; here so that an auditor can look before the first start. */
static const struct {
	const char *name, *user;
	mode_t mode;
} folders[] = {
	{ "", NULL, 0755 },
	{ "config", NULL, 0700 },
	{ "state", "fotagate-control", 0700 },
	{ "images", NULL, 0755 },
	{ "images/quarantine", "fotagate-control", 0700 },
	{ "images/approved", "fotagate-warden", 0700 },
	{ "reports", "fotagate-control", 0700 },
	{ "statements", "fotagate-control", 0700 },
	{ "audit", "fotagate-audit", 0755 },
	{ "authority", "fotagate-warden", 0755 },
	{ "authority/policy", "fotagate-warden", 0755 },
	{ "authority/signers", "fotagate-warden", 0755 },
};

int
cli_place_folders(const struct cli_common *c, struct cli_place *p)
{
	char path[CLI_OPT_PATH_MAX];
	int status = p->system ? cli_place_folder(c, p, p->root, 0755, NULL) : 0;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !status; i++) {
		snprintf(path, sizeof path, "%s%s%s", p->data, folders[i].name[0] ? "/" : "", folders[i].name);
		status = cli_place_folder(c, p, path, folders[i].mode, folders[i].user);
	}
	if (!status)
		status = cli_place_folder(c, p, p->keys, 0700, NULL);
	if (!status && cli_place_path(p->keys, "anchors", path))
		status = cli_place_folder(c, p, path, 0700, NULL);
	return status ? status : cli_place_folder(c, p, p->run, 0755, NULL);
}
