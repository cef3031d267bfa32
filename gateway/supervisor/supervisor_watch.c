/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where people sign the policy: what lies in the folder is looked at by time, and not only when somebody reloads. Whatever
 * was changed there without a signature is not followed anyway; that somebody changed it is worth knowing the same hour.
 * Nothing is handed out by this: control is shown the folder, compares, and says once what differs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/role/bundle.h"
#include "gateway/supervisor/confdir.h"
#include "gateway/supervisor/supervisor_internal.h"
#include "gateway/wire/memfd.h"

#define WATCH_MS 10000 /* reading some files, sixteen megabytes at most; a config child only when one has changed */

/* What tells that a file is another one, or has other bytes, without reading it. */
struct trace {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed; /* of its inode: nobody sets that back */
};

struct watch {
	struct event *due;
	int bundle_fd;                       /* as last seen; -1: it could not be read */
	bool seen;                           /* anything was */
	struct trace files[PLAN_FILES_MAX];  /* of the plan in force, in its order */
	int next_fd;                         /* is being checked */
};

static void
trace_of(const struct plan *plan, unsigned i, struct trace *ret)
{
	char path[2 * MSG_PATH_MAX];
	struct stat st;
	const struct msg_plan_file *f = &plan->files[i];
	memset(ret, 0, sizeof *ret); /* also what lies between */
	snprintf(path, sizeof path, "%s/%s", f->kind == MSG_FD_ANCHOR ? plan->main.anchors_dir : plan->main.keys_dir, f->name);
	if (stat(path, &st))
		return;
	ret->dev = st.st_dev;
	ret->ino = st.st_ino;
	ret->size = st.st_size;
	ret->changed = st.st_ctim;
}

static bool
same_bytes(int a, int b)
{
	struct view x, y;
	if (a < 0 || b < 0 || memfd_map(a, BUNDLE_BYTES_MAX, &x))
		return a < 0 && b < 0;
	bool same = memfd_map(b, BUNDLE_BYTES_MAX, &y) == 0;
	if (same) {
		same = view_equal(x, y);
		memfd_unmap(y);
	}
	memfd_unmap(x);
	return same;
}

/* Takes bundle. Whether anything is other than it was seen last. */
static bool
note(struct watch *w, const struct plan *plan, int bundle)
{
	bool same = w->seen && same_bytes(w->bundle_fd, bundle);
	for (unsigned i = 0; i < plan->files_n && i < PLAN_FILES_MAX; i++) {
		struct trace t;
		trace_of(plan, i, &t);
		same = same && memcmp(&t, &w->files[i], sizeof t) == 0;
		w->files[i] = t;
	}
	if (w->bundle_fd >= 0)
		close(w->bundle_fd);
	w->bundle_fd = bundle;
	w->seen = true;
	return !same;
}

static void
say(struct supervisor *s, const char *text)
{
	(void)s;
	oplog(OPLOG_ERR, "the folder: %s", text);
}

static void
say_file(void *ctx, const char *text)
{
	say(ctx, text);
}

static void
broken(struct supervisor *s)
{
	static const char text[] =
	    "what lies in the folder is no configuration any more; the one that people signed stays in force";
	oplog(OPLOG_ERR, "%s", text);
	supervisor_log(s, ENTRY_CONFIG_CHANGED, 4, "failed", "configuration", text);
}

static void
on_plan(struct supervisor *s, struct plan *plan)
{
	int fd = s->watch->next_fd;
	s->watch->next_fd = -1;
	if (plan && plan->end.have_genesis && !s->stopping) {
		supervisor_policy_keep(plan, fd);    /* people may sign it as it lies there */
		supervisor_policy_hold(s, plan, fd); /* where nothing differs control says nothing */
		return;
	}
	if (!s->stopping)
		broken(s);
	free(plan);
	close(fd);
}

static void
on_due(evutil_socket_t sock, short what, void *arg)
{
	struct supervisor *s = arg;
	struct watch *w = s->watch;
	(void)sock;
	(void)what;
	supervisor_role_after(w->due, WATCH_MS);
	/* A reload looks at all of it. */
	if (s->stopping || !s->plan || !s->plan->end.signed_policy || s->planner || s->next_plan || s->reload_again)
		return;
	int bundle = confdir_read(s->opt->config, say_file, s);
	if (!note(w, s->plan, bundle < 0 ? -1 : bundle))
		return;
	int copy = bundle < 0 ? -1 : dup(bundle);
	if (copy < 0) {
		broken(s);
		return;
	}
	w->next_fd = copy;
	supervisor_plan_start(s, copy, say, on_plan);
}

int
supervisor_watch_begin(struct supervisor *s)
{
	struct watch *w = s->watch = calloc(1, sizeof *w);
	if (!w)
		return FG_ENOMEM;
	w->bundle_fd = w->next_fd = -1;
	w->due = evtimer_new(s->base, on_due, s);
	if (!w->due)
		return FG_ENOMEM;
	supervisor_role_after(w->due, WATCH_MS);
	return FG_OK;
}

void
supervisor_watch_end(struct supervisor *s)
{
	struct watch *w = s->watch;
	s->watch = NULL;
	if (!w)
		return;
	if (w->due)
		event_free(w->due);
	if (w->bundle_fd >= 0)
		close(w->bundle_fd);
	if (w->next_fd >= 0)
		close(w->next_fd);
	free(w);
}
