/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_keygen.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/sshsig.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/wire/memfd.h"

#define ARGS_MAX 12

/* argv is not changed by anybody; C has no way to say so. in and out may be -1: ours. */
static int
run(const char *const *args, int in, int out)
{
	char *argv[ARGS_MAX + 1] = { 0 };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status, err = 0;
	for (unsigned i = 0; args[i] && i < ARGS_MAX; i++)
		argv[i] = (char *)(uintptr_t)args[i];
	if (posix_spawn_file_actions_init(&actions))
		return FG_ENOMEM;
	if ((in >= 0 && posix_spawn_file_actions_adddup2(&actions, in, 0)) ||
	    (out >= 0 && posix_spawn_file_actions_adddup2(&actions, out, 1)))
		err = FG_ENOMEM;
	int why = err ? 0 : posix_spawn(&pid, CLI_KEYGEN, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (why) {
		fprintf(stderr, "fotagate: " CLI_KEYGEN ": %s\n", strerror(why));
		return FG_EIO;
	}
	if (err)
		return err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return FG_EIO;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : FG_EIO;
}

int
cli_keygen_make(const char *path, const char *comment)
{
	const char *const args[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path, NULL };
	return run(args, -1, -1);
}

int
cli_keygen_sign(const char *key, const char *namespace_, struct view text, bool quiet, struct writer *armour)
{
	/* From standard input to standard output: no file of ours lies about, none is asked to be overwritten. */
	const char *const args[] = {
		"ssh-keygen", "-Y", "sign", "-n", namespace_, "-f", key, quiet ? "-q" : NULL, NULL,
	};
	int in = memfd_sealed("statement", text), out = memfd_open("signature");
	int err = in < 0 ? in : out < 0 ? out : lseek(in, 0, SEEK_SET) < 0 ? FG_EIO : 0;
	if (!err)
		err = run(args, in, out);
	if (!err)
		err = cli_call_slurp(out, SSHSIG_ARMOR_MAX, armour);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return err;
}
