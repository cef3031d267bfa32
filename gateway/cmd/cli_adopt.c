/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/jsonw.h"
#include "crypto/visible.h"
#include "gateway/audit/condemned.h"
#include "gateway/audit/hostbind.h"
#include "gateway/cmd/cli_opt.h"

#define REASON_MAX 240
#define WORD "adopted by uid " /* in a line of ours */

struct adopt {
	const struct cli_common *c;
	int audit, wal;
	bool done; /* by an earlier run */
	struct condemned was;
	char bound[HOSTBIND_TEXT];
};

static int
local(const struct adopt *a, const char *what)
{
	return cli_opt_fail(a->c, CLI_COULD_NOT, "LOCAL", "Root may, and the user that owns data_dir/audit.", "%s: %s", what,
	    strerror(errno));
}

/* Nobody else has the log open, now and until this ends. */
static int
lock(struct adopt *a, const char *path)
{
	struct stat st;
	a->audit = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->audit < 0 || fstat(a->audit, &st))
		return local(a, path);
	if (geteuid() != 0 && geteuid() != st.st_uid) {
		errno = EPERM;
		return local(a, path);
	}
	a->wal = openat(a->audit, "wal", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (a->wal < 0)
		return local(a, "there is no log: audit/wal");
	if (flock(a->wal, LOCK_EX | LOCK_NB))
		return cli_opt_fail(a->c, CLI_REFUSED, "RUNNING", "Stop fotagated first.", "the log is open: the gateway runs");
	return 0;
}

static int
look(struct adopt *a)
{
	if (condemned_read(a->audit, &a->was) || hostbind_tell(a->audit, a->bound))
		return local(a, "the log's state cannot be read");
	if (a->was.state != MSG_LOG_UNKNOWN && a->was.state != MSG_LOG_CLONED)
		return cli_opt_fail(a->c, CLI_REFUSED, "LOG", "First fotagate audit repair.", "the log is %s: %s",
		    msg_log_state_name(a->was.state), a->was.why);
	return 0;
}

/*
 * The line for the log first: whatever stops us after it, the log is bound to what it was,
 * and this can be run again. A repair's line that still waits is kept before ours. Where a run has done
 * all of it, its line stays: what the log was bound to stands there alone.
 */
static int
release(struct adopt *a, const char *reason)
{
	char how[CONDEMNED_HOW], before[CONDEMNED_HOW] = "", said[REASON_MAX + 1];
	int waits = condemned_pardoned(a->audit, before);
	if (waits < 0)
		return local(a, "audit/pardoned");
	char *ours = strstr(before, WORD);
	a->done = ours && strcmp(a->bound, "none") == 0;
	if (a->done)
		return 0;
	if (ours && ours >= before + 2)
		ours[-2] = '\0'; /* "; " */
	bool keep = waits && ours != before;
	visible_cstr(view_str(reason), said, sizeof said);
	snprintf(how, sizeof how, "%.250s%s" WORD "%u, who says that the other is stopped: %s; it was bound to %s",
	    keep ? before : "", keep ? "; " : "", (unsigned)getuid(), said, a->bound);
	if (condemned_pardon(a->audit, how) || hostbind_release(a->audit))
		return local(a, "the log could not be adopted");
	return 0;
}

static void
show(const struct adopt *a)
{
	struct writer w;
	struct jsonw j;
	if (!a->c->json) {
		if (a->done)
			printf("That was done before, and stays: the log goes on here from the next start.\n");
		else
			printf("The log goes on here from the next start. It was bound to %s.\n", a->bound);
		return;
	}
	writer_init(&w, 1024);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "bound", a->bound);
	jsonw_object_end(&j);
	if (!writer_err(&w))
		printf("%.*s\n", (int)w.n, (const char *)w.p);
	writer_free(&w);
}

int
cli_adopt(int argc, char **argv)
{
	struct cli_args args;
	struct adopt a = { .audit = -1, .wal = -1 };
	const char *reason = NULL;
	bool stopped = false;
	const struct cli_opt opts[] = {
		{ "i-have-stopped-the-other", CLI_OPT_FLAG, &stopped, 0, 0, 0 },
		{ "reason", CLI_OPT_TEXT, &reason, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	char path[CLI_OPT_PATH_MAX];
	int status = cli_opt_parse(argc, argv, opts, "audit adopt --i-have-stopped-the-other --reason TEXT [--json]", 0, 0, &args);
	if (status)
		return cli_opt_end(status);
	a.c = &args.common;
	if (!stopped || !reason || !reason[0] || strlen(reason) > REASON_MAX)
		return cli_opt_fail(a.c, CLI_USAGE, "USAGE",
		    "Two of one log that both run sign two histories under one name: stop the other for good first.",
		    "it takes --i-have-stopped-the-other, and --reason of at most %d characters", REASON_MAX);
	if (!cli_opt_data_path(a.c, "audit", path))
		return CLI_USAGE;
	status = lock(&a, path);
	if (!status)
		status = look(&a);
	if (!status)
		status = release(&a, reason);
	if (!status)
		show(&a);
	if (a.wal >= 0)
		close(a.wal);
	if (a.audit >= 0)
		close(a.audit);
	return status;
}
