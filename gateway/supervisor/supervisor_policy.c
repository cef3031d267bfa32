/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where genesis says that people sign the policy: which configuration is handed out. Nothing is
 * parsed here. The config child says, as a digest, what policy a configuration comes to; the warden's
 * own file says which one is in force; these are compared. A configuration is kept in data_dir/config under
 * that digest, and the one whose policy is in force takes the place of one that is not, at the start
 * and whenever the warden says that another is in force. Control is shown what was not followed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/file/inforce.h"
#include "gateway/file/wholefile.h"
#include "gateway/role/bundle.h"
#include "gateway/supervisor/supervisor_internal.h"
#include "gateway/wire/memfd.h"

#define KEPT_DIR "config"
#define KEPT_NAME_CAP (sizeof KEPT_DIR + DIGEST_HEX_LEN + sizeof ".bundle")

static int
open_below(const struct plan *plan, const char *name)
{
	char path[MSG_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", plan->main.data_dir, name);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* Genesis' before the warden has kept any. FG_EIO, FG_EFORMAT: nobody can say. */
static int
in_force(const struct plan *plan, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct inforce in;
	int dir = open_below(plan, "images/approved");
	int err = dir < 0 ? (errno == ENOENT ? FG_ENOTFOUND : FG_EIO) : inforce_read(dir, &in);
	if (dir >= 0)
		close(dir);
	if (err == FG_ENOTFOUND)
		memcpy(ret, plan->end.first, DIGEST_SHA256_LEN);
	else if (!err)
		memcpy(ret, in.config, DIGEST_SHA256_LEN);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

bool
supervisor_policy_is_in_force(const struct plan *plan)
{
	uint8_t now[DIGEST_SHA256_LEN];
	return !plan->end.signed_policy || (in_force(plan, now) == FG_OK && memcmp(now, plan->end.policy, sizeof now) == 0);
}

static void
kept_name(const uint8_t digest[DIGEST_SHA256_LEN], char dst[KEPT_NAME_CAP])
{
	char hex[DIGEST_HEX_LEN + 1];
	hex_encode(digest, DIGEST_SHA256_LEN, hex);
	snprintf(dst, KEPT_NAME_CAP, "%s.bundle", hex);
}

/* Two lie there at most: what is in force, and what people may sign next. */
static void
drop_others(int dir, const char *keep, const char *also)
{
	DIR *d = fdopendir(dup(dir));
	const struct dirent *e;
	while (d && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && strcmp(e->d_name, keep) != 0 && strcmp(e->d_name, also) != 0)
			unlinkat(dir, e->d_name, 0);
	if (d)
		closedir(d);
}

void
supervisor_policy_keep(const struct plan *plan, int bundle_fd)
{
	char name[KEPT_NAME_CAP], also[KEPT_NAME_CAP];
	uint8_t now[DIGEST_SHA256_LEN];
	struct view bytes;
	if (!plan->end.signed_policy || in_force(plan, now))
		return;
	int dir = open_below(plan, KEPT_DIR);
	kept_name(plan->end.policy, name);
	kept_name(now, also);
	int err = dir < 0 ? FG_EIO : memfd_map(bundle_fd, BUNDLE_BYTES_MAX, &bytes);
	if (!err) {
		err = wholefile_replace(dir, name, bytes, 0400);
		memfd_unmap(bytes);
	}
	if (!err)
		drop_others(dir, name, also);
	else
		oplog(OPLOG_WARNING, "the configuration could not be kept: %s", err_why(err));
	if (dir >= 0)
		close(dir);
}

int
supervisor_policy_kept(const struct plan *plan)
{
	char name[KEPT_NAME_CAP];
	uint8_t now[DIGEST_SHA256_LEN], *bytes = NULL;
	size_t n = 0;
	int err = in_force(plan, now);
	int dir = err ? -1 : open_below(plan, KEPT_DIR);
	if (dir < 0)
		return FG_ENOTFOUND;
	kept_name(now, name);
	err = wholefile_read(dir, name, BUNDLE_BYTES_MAX, &bytes, &n);
	close(dir);
	int fd = err ? err : memfd_sealed("fotagate-bundle", view_of(bytes, n));
	free(bytes);
	return fd;
}

void
supervisor_policy_hold(struct supervisor *s, struct plan *plan, int bundle_fd)
{
	free(s->held_plan);
	if (s->held_fd >= 0)
		close(s->held_fd);
	s->held_plan = plan;
	s->held_fd = bundle_fd;
	if (plan)
		supervisor_policy_show(supervisor_role_find(s, MSG_ROLE_CONTROL, 0));
}

void
supervisor_policy_show(struct instance *control)
{
	const struct msg_reload m = { .held = true };
	if (!control || !control->chan || control->state != INSTANCE_READY || !control->s->held_plan)
		return;
	(void)supervisor_boot_files(control->s, control, control->s->held_plan); /* what is missing control says */
	(void)chan_send(control->chan, MSG_RELOAD, &m, &control->s->held_fd, 1);
}
