/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sshtool - runs the system's ssh-keygen in a scratch folder, so that tests are
 * judged by a tool that is not ours. Include after cmocka.h.
 */
#ifndef FG_TESTS_UNIT_CRYPTO_SSHTOOL_H
#define FG_TESTS_UNIT_CRYPTO_SSHTOOL_H

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/view.h"

#define SSHTOOL_ARGS_MAX 32
#define SSHTOOL_FILE_MAX 65536

extern char **environ;

struct sshtool {
	char dir[64];
	bool have; /* ssh-keygen is installed */
};

/* "<dir>/<name>" in a static buffer that lives until the fourth call after. */
static inline char *
sshtool_path(const struct sshtool *t, const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];
	snprintf(p, 256, "%s/%s", t->dir, name);
	return p;
}

static inline void
sshtool_put(const struct sshtool *t, const char *name, struct view v)
{
	FILE *f = fopen(sshtool_path(t, name), "we");
	if (!f || (v.n && fwrite(v.p, 1, v.n, f) != v.n) || fclose(f) != 0)
		abort();
}

/* A file's content in a static buffer, terminated; empty if there is none. */
static inline struct view
sshtool_get(const struct sshtool *t, const char *name)
{
	static char text[SSHTOOL_FILE_MAX];
	FILE *f = fopen(sshtool_path(t, name), "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = '\0';
	return view_of(text, n);
}

/*
 * Runs ssh-keygen with a command line of words separated by single spaces,
 * inside the folder, stdin from a file there, both outputs to "out". Returns
 * its exit status.
 */
static inline int
sshtool_run(const struct sshtool *t, const char *in, const char *words)
{
	char line[1024];
	char *argv[SSHTOOL_ARGS_MAX];
	char *save = NULL;
	unsigned n = 0;
	pid_t pid;
	int status;
	posix_spawn_file_actions_t fa;
	snprintf(line, sizeof line, "ssh-keygen %s", words);
	for (char *w = strtok_r(line, " ", &save); w && n + 1 < SSHTOOL_ARGS_MAX; w = strtok_r(NULL, " ", &save)) {
		argv[n] = w;
		if (strcmp(w, "''") == 0)
			w[0] = '\0';
		n++;
	}
	argv[n] = NULL;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addchdir_np(&fa, t->dir);
	posix_spawn_file_actions_addopen(&fa, 0, in ? in : "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&fa, 1, 2);
	int rc = posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	if (rc != 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void
sshtool_open(struct sshtool *t)
{
	memset(t, 0, sizeof *t);
	snprintf(t->dir, sizeof t->dir, "/tmp/fg-ssh-XXXXXX");
	if (!mkdtemp(t->dir))
		abort();
	t->have = access("/usr/bin/ssh-keygen", X_OK) == 0;
	if (!t->have)
		print_message("ssh-keygen: not there\n");
}

static inline int
sshtool_unlink(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void
sshtool_close(struct sshtool *t)
{
	nftw(t->dir, sshtool_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
