/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/utf8.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/wire/memfd.h"

#define SOCKET_NAME "control.sock"
#define DOC_MAX JSON_TEXT_MAX

struct cli_call {
	const struct cli_common *common;
	int sock;
	uint64_t token;
	uint8_t *buf;
};

/* ---- connection ---- */

static int
no_daemon(const struct cli_common *c, const char *path, int why)
{
	if (why == EACCES || why == EPERM)
		return cli_opt_fail(c, CLI_COULD_NOT, "NO-ACCESS",
		    "Ask to be put into one of the groups that fotagate.conf names under roles, or use sudo.",
		    "%s: you may not speak to this gateway", path);
	if (why == ENAMETOOLONG)
		return cli_opt_fail(c, CLI_COULD_NOT, "NO-DAEMON", "Use an installation with a shorter path.",
		    "%s: longer than the name of a socket can be", path);
	return cli_opt_fail(c, CLI_COULD_NOT, "NO-DAEMON",
	    "Start it (systemctl start fotagate, or fotagated -c FILE), or say where it is (--dir, --run-dir).",
	    "no daemon at %s: is fotagated running? (%s)", path, strerror(why));
}

static int
connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (snprintf(a.sun_path, sizeof a.sun_path, "%s", path) >= (int)sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* Connecting waits while the gateway is busy; everything after it is under a deadline. */
	if (fd >= 0 && (connect(fd, (const struct sockaddr *)&a, sizeof a) || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK))) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int
cli_call_open(const struct cli_common *c, struct cli_call **ret)
{
	char path[CLI_OPT_PATH_MAX];
	if (!cli_opt_run_path(c, SOCKET_NAME, path))
		return CLI_USAGE;
	int fd = connect_to(path);
	if (fd < 0)
		return no_daemon(c, path, errno);
	struct cli_call *call = calloc(1, sizeof *call);
	uint8_t *buf = malloc(WIRE_FRAME_MAX);
	if (!call || !buf) {
		free(call);
		free(buf);
		close(fd);
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	}
	*call = (struct cli_call){ .common = c, .sock = fd, .buf = buf };
	*ret = call;
	return 0;
}

void
cli_call_close(struct cli_call *call)
{
	if (!call)
		return;
	close(call->sock);
	free(call->buf);
	free(call);
}

/* ---- messages ---- */

static int64_t
now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* False when the deadline has passed. */
static bool
wait_for(int sock, short events, int64_t deadline)
{
	struct pollfd p = { .fd = sock, .events = events };
	for (;;) {
		int64_t left = deadline - now_ms();
		if (left <= 0)
			return false;
		int n = poll(&p, 1, (int)left);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static int
send_call(struct cli_call *call, const struct msg_call *m, const int *fds, int64_t deadline)
{
	for (;;) {
		int err = msg_send(call->sock, MSG_CALL, m, fds, m->fds);
		if (err != FG_EAGAIN || !wait_for(call->sock, POLLOUT, deadline))
			return err;
	}
}

static int
recv_frame(struct cli_call *call, struct wire_frame *f, int64_t deadline)
{
	for (;;) {
		int err = wire_recv(call->sock, call->buf, f);
		if (err != FG_EAGAIN || !wait_for(call->sock, POLLIN, deadline))
			return err;
	}
}

static int
take_text(const struct msg_reply *m, struct wire_frame *f, struct cli_reply *ret)
{
	struct view text = m->json, map = { 0 };
	int err = m->big ? memfd_map(f->fds[0], DOC_MAX, &map) : 0;
	if (err)
		return err == FG_ELIMIT ? FG_EPEER : err;
	if (m->big)
		text = map;
	uint8_t *copy = malloc(text.n + 1);
	err = copy ? json_parse(text, &ret->doc, NULL) : FG_ENOMEM;
	if (copy && text.n)
		memcpy(copy, text.p, text.n);
	if (m->big)
		memfd_unmap(map);
	if (!err && json_type(json_root(ret->doc)) != JSON_OBJECT)
		err = FG_EPEER;
	ret->text = view_of(copy, copy ? text.n : 0);
	return err == FG_EFORMAT || err == FG_ELIMIT ? FG_EPEER : err;
}

static int
take_reply(struct cli_call *call, struct wire_frame *f, struct cli_reply *ret)
{
	struct msg_reply m;
	struct stat st;
	if (f->type != MSG_REPLY || msg_decode(f, &m, sizeof m))
		return FG_EPEER;
	if (m.token != call->token)
		return FG_EAGAIN; /* of a call we gave up */
	if (m.status > CLI_COULD_NOT)
		return FG_EPEER;
	ret->status = m.status;
	int err = take_text(&m, f, ret);
	if (err || !m.file)
		return err;
	ret->file = wire_take_fd(f, f->fds_n - 1);
	int flags = fcntl(ret->file, F_GETFL);
	/* What may still be written by whoever sent it is not what we looked at. */
	bool fixed = flags >= 0 && ((flags & O_ACCMODE) == O_RDONLY || memfd_is_sealed(ret->file));
	return fixed && fstat(ret->file, &st) == 0 && S_ISREG(st.st_mode) ? 0 : FG_EPEER;
}

static int
failed(const struct cli_call *call, const char *request, int err)
{
	const struct cli_common *c = call->common;
	if (err == FG_EAGAIN)
		return cli_opt_fail(c, CLI_COULD_NOT, "TIMEOUT", "Look at fotagate status and the journal, then ask again.",
		    "%s: no answer within %d seconds", request, CLI_CALL_WAIT_MS / 1000);
	if (err == FG_EPEER)
		return cli_opt_fail(c, CLI_COULD_NOT, "PROTOCOL", "Use the fotagate of the same version as fotagated.",
		    "%s: the answer is not one this program understands", request);
	if (err == FG_ENOTFOUND || err == FG_EIO)
		return cli_opt_fail(c, CLI_COULD_NOT, "NO-DAEMON",
		    "You may not be in a group it listens to (fotagate.conf, roles), or it is being restarted: see its journal.",
		    "%s: the gateway hung up", request);
	if (err == FG_EINVAL || err == FG_ELIMIT)
		return cli_opt_fail(c, CLI_USAGE, "USAGE", "Arguments are text in UTF-8, 48 KiB in all.", "%s: %s", request,
		    err_name(err));
	return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", request, err_name(err));
}

void
cli_call_begin(struct cli_request *r)
{
	writer_init(&r->w, MSG_JSON_MAX);
	jsonw_init(&r->j, &r->w);
	jsonw_object(&r->j);
}

static void
put(struct cli_request *r, const char *text)
{
	bool good = utf8_is_text(view_str(text));
	jsonw_cstr(&r->j, good ? text : "");
	if (!good && !r->w.err)
		r->w.err = FG_EINVAL;
}

void
cli_call_text(struct cli_request *r, const char *key, const char *text)
{
	if (!text)
		return;
	jsonw_key(&r->j, key);
	put(r, text);
}

void
cli_call_list(struct cli_request *r, const char *key, const struct cli_opt_list *list)
{
	if (!list->n)
		return;
	jsonw_key(&r->j, key);
	jsonw_array(&r->j);
	for (unsigned i = 0; i < list->n; i++)
		put(r, list->at[i]);
	jsonw_array_end(&r->j);
}

void
cli_call_number(struct cli_request *r, const char *key, int64_t n)
{
	if (n < 0)
		return;
	jsonw_key(&r->j, key);
	jsonw_int(&r->j, n);
}

int
cli_call_do(struct cli_call *call, const char *request, struct cli_request *r, const int *fds, unsigned n,
    struct cli_reply *ret)
{
	struct msg_call m = { .token = ++call->token, .fds = n, .json = view_str("{}") };
	struct wire_frame f;
	int64_t deadline = now_ms() + CLI_CALL_WAIT_MS;
	*ret = (struct cli_reply){ .file = -1 };
	snprintf(m.request, sizeof m.request, "%s", request);
	int err = 0;
	if (r) {
		jsonw_object_end(&r->j);
		err = writer_err(&r->w);
		m.json = writer_view(&r->w);
	}
	if (!err)
		err = send_call(call, &m, fds, deadline);
	while (!err) {
		err = recv_frame(call, &f, deadline);
		if (err)
			break;
		err = take_reply(call, &f, ret);
		wire_close_fds(&f);
		if (err != FG_EAGAIN)
			break;
		err = 0;
	}
	if (r)
		writer_free(&r->w);
	if (!err)
		return 0;
	cli_reply_free(ret);
	return failed(call, request, err);
}

void
cli_reply_free(struct cli_reply *r)
{
	json_free(r->doc);
	free((void *)(uintptr_t)r->text.p);
	if (r->file >= 0)
		close(r->file);
	*r = (struct cli_reply){ .file = -1 };
}

/* ---- what most verbs do ---- */

static const char *
error_text(const struct cli_reply *r, const char *key, char *dst, size_t cap)
{
	if (!json_cstr(json_get(json_get(json_root(r->doc), "error"), key), dst, cap))
		dst[0] = '\0';
	return dst;
}

bool
cli_call_is(const struct cli_reply *r, const char *id)
{
	char text[64];
	return r->status != CLI_DONE && strcmp(error_text(r, "id", text, sizeof text), id) == 0;
}

int
cli_call_refused(const struct cli_common *c, const struct cli_reply *r)
{
	char said[2048], id[64];
	char *text = cli_print_plain(error_text(r, "text", said, sizeof said));
	char *cure = cli_print_plain(error_text(r, "cure", said, sizeof said));
	int status = cli_opt_fail(c, (enum cli_exit)r->status, error_text(r, "id", id, sizeof id), cure, "%s",
	    text && text[0] ? text : "refused, and no reason was given");
	free(text);
	free(cure);
	return status;
}

int
cli_call_once(const struct cli_common *c, const char *request, struct cli_request *r, const int *fds, unsigned n,
    struct cli_reply *ret, bool *ret_show)
{
	struct cli_call *call = NULL;
	*ret_show = false;
	*ret = (struct cli_reply){ .file = -1 };
	int status = cli_call_open(c, &call);
	if (status) {
		if (r)
			writer_free(&r->w);
		return status;
	}
	status = cli_call_do(call, request, r, fds, n, ret);
	cli_call_close(call);
	if (status)
		return status;
	bool error = json_get(json_root(ret->doc), "error") != NULL;
	if (c->json)
		cli_print_json(stdout, ret->text);
	else if (error)
		cli_call_refused(c, ret);
	*ret_show = !c->json && !error;
	return (int)ret->status;
}

int
cli_call_file(const struct cli_common *c, const char *path)
{
	struct stat st;
	/* A FIFO must not hold us, and a terminal must not become ours. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, fd < 0 ? strerror(errno) : "not a regular file");
	if (fd >= 0)
		close(fd);
	return -1;
}

int
cli_call_slurp(int fd, size_t max, struct writer *w)
{
	uint8_t chunk[16384];
	for (off_t at = 0;;) {
		ssize_t n = pread(fd, chunk, sizeof chunk, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FG_EIO;
		if (n == 0)
			return writer_err(w);
		if ((uint64_t)at + (uint64_t)n > max)
			return FG_ELIMIT;
		writer_bytes(w, view_of(chunk, (size_t)n));
		at += n;
	}
}
