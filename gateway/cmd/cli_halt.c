/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fotagate halt and fotagate reload: what goes to the supervisor and not to
 * control. Halting must work with control, the log and the disk dead.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/jsonw.h"
#include "crypto/stamp.h"
#include "gateway/cmd/cli_opt.h"
#include "gateway/cmd/cli_verbs.h"
#include "gateway/wire/msg.h"

#define SOCKET_NAME "halt.sock"
#define ANSWER_MS 10000 /* edges have a second to confirm, and are killed after that */

static int
connect_supervisor(const struct cli_common *c)
{
	char path[CLI_OPT_PATH_MAX];
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (!cli_opt_run_path(c, SOCKET_NAME, path))
		return -1;
	int fd = -1;
	errno = ENAMETOOLONG;
	if (snprintf(a.sun_path, sizeof a.sun_path, "%s", path) < (int)sizeof a.sun_path)
		fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) == 0 && fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0)
		return fd;
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (why == EACCES || why == EPERM)
		cli_opt_fail(c, CLI_COULD_NOT, "NO-ACCESS",
		    "Use sudo, or ask to be put into the group that fotagate.conf names as roles.operator.",
		    "%s: you may not speak to this gateway's supervisor", path);
	else
		cli_opt_fail(c, CLI_COULD_NOT, "NO-DAEMON",
		    "If fotagated is not running, nothing is served. Otherwise say where it is (--dir, --run-dir).",
		    "no supervisor at %s (%s)", path, strerror(why));
	return -1;
}

/* ---- halt ---- */

static int
wait_answer(int sock, struct msg_halt *ret)
{
	uint8_t *buf = malloc(WIRE_FRAME_MAX);
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct wire_frame f;
	int n, err = buf ? FG_EAGAIN : FG_ENOMEM;
	if (buf) {
		while ((n = poll(&p, 1, ANSWER_MS)) < 0 && errno == EINTR)
			;
		if (n > 0)
			err = wire_recv(sock, buf, &f);
	}
	if (!err) {
		err = f.type == MSG_HALT ? msg_decode(&f, ret, sizeof *ret) : FG_EPEER;
		wire_close_fds(&f);
	}
	free(buf);
	return err;
}

static void
say_halted(const struct cli_common *c, const struct msg_halt *m)
{
	char at[STAMP_CAP] = "?";
	if (stamp_format(m->at, at))
		at[0] = '\0';
	if (!c->json) {
		printf("Halted since %s: every transfer is reset and nothing is served.\n"
		       "It stays so over restarts. fotagate resume statement begins its end.\n", at);
		return;
	}
	struct writer w;
	struct jsonw j;
	writer_init(&w, 1024);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "at", at);
	jsonw_kuint(&j, "by_uid", m->by_uid);
	jsonw_kbool(&j, "halted", true);
	jsonw_object_end(&j);
	printf("%.*s\n", (int)w.n, (const char *)w.p);
	writer_free(&w);
}

int
cli_halt(int argc, char **argv)
{
	struct cli_args a;
	int status = cli_opt_parse(argc, argv, NULL, "halt [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	int sock = connect_supervisor(&a.common);
	if (sock < 0)
		return CLI_COULD_NOT;
	/* Who and when is for the supervisor to say: it asks the kernel. */
	struct msg_halt m = { .at = (int64_t)time(NULL), .by_uid = getuid() };
	int err = msg_send(sock, MSG_HALT, &m, NULL, 0);
	if (!err)
		err = wait_answer(sock, &m);
	close(sock);
	if (!err)
		say_halted(&a.common, &m);
	else if (err == FG_ENOTFOUND || err == FG_EIO)
		status = cli_opt_fail(&a.common, CLI_REFUSED, "DENIED",
		    "Root and members of the group roles.operator may halt; sudo fotagate halt.",
		    "the supervisor hung up: you may not halt this gateway");
	else
		status = cli_opt_fail(&a.common, CLI_COULD_NOT, "TIMEOUT",
		    "Stop it: systemctl kill -s KILL fotagate serves nothing either.", "the supervisor did not confirm: %s",
		    err_name(err));
	return status;
}

/* ---- reload ---- */

int
cli_reload(int argc, char **argv)
{
	struct cli_args a;
	struct ucred peer;
	socklen_t n = sizeof peer;
	int status = cli_opt_parse(argc, argv, NULL, "reload [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	int sock = connect_supervisor(&a.common);
	if (sock < 0)
		return CLI_COULD_NOT;
	/* Whoever listens there is the supervisor: the kernel remembers who called listen(2). */
	int r = getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &n);
	close(sock);
	if (r || peer.pid <= 1)
		return cli_opt_fail(&a.common, CLI_COULD_NOT, "LOCAL", "Use systemctl reload fotagate.",
		    "the supervisor's process cannot be told");
	if (kill(peer.pid, SIGHUP))
		return cli_opt_fail(&a.common, errno == EPERM ? CLI_REFUSED : CLI_COULD_NOT, "DENIED",
		    "Use sudo, or systemctl reload fotagate.", "process %d: %s", (int)peer.pid, strerror(errno));
	if (a.common.json)
		printf("{\"asked\":true,\"pid\":%d}\n", (int)peer.pid);
	else
		printf("Asked process %d to read its configuration again. If there is a problem in it, all of it is refused\n"
		       "and the old one stays: fotagate profile check tells beforehand, the journal and the log afterwards.\n"
		       "What is released already and does not pass by it any more is withheld: see fotagate status.\n",
		    (int)peer.pid);
	return CLI_DONE;
}
