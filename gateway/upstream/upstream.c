/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/upstream.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/role/oplog.h"
#include "gateway/upstream/credentials.h"
#include "gateway/upstream/fetch.h"
#include "gateway/upstream/shown.h"
#include "gateway/wire/memfd.h"

#define UPSTREAM_CA_MAX (4u << 20)   /* a whole distribution's bundle is 220 KiB */
#define UPSTREAM_SIGNATURE_MAX 65536 /* as the judge's own cap: more is not a detached signature */
#define UPSTREAM_BOOT_MS 10000       /* control gives the job at once or not at all */
#define UPSTREAM_REPORT_MS 60000     /* control may be busy with its database; not for ever */

struct upstream {
	const struct clock_source *clock;
	struct event_base *base;
	struct msg_fetch job;
	int image_fd, signature_fd;
	struct view ca;
	struct credentials secret;
	struct provenance *prov;
	struct fetch *fetch;
	struct msg_fetch_done done;
	bool on_signature;
	bool have_kept;        /* of the image, whether it came or not */
	struct msg_kept kept;
	struct event *gone;
};

static int
receive_job(struct upstream *u)
{
	uint8_t *buf = malloc(WIRE_FRAME_MAX);
	struct pollfd p = { .fd = UPSTREAM_FD, .events = POLLIN };
	struct wire_frame frame;
	if (!buf)
		return FG_ENOMEM;
	int err = poll(&p, 1, UPSTREAM_BOOT_MS) == 1 ? wire_recv(UPSTREAM_FD, buf, &frame) : FG_ENOTFOUND;
	if (err) {
		free(buf);
		return err;
	}
	err = frame.type == MSG_FETCH ? msg_decode(&frame, &u->job, sizeof u->job) : FG_EPEER;
	if (!err) {
		u->image_fd = wire_take_fd(&frame, 0);
		u->signature_fd = wire_take_fd(&frame, 1);
		if (u->job.have_ca)
			err = memfd_map(frame.fds[2], UPSTREAM_CA_MAX, &u->ca);
		if (!err && u->job.have_credentials)
			err = credentials_read(&u->secret, frame.fds[u->job.have_ca ? 3 : 2]);
	}
	wire_close_fds(&frame);
	free(buf);
	return err;
}

/* Before a byte of the vendor's is read: whoever takes this process over fills no disk with it. */
static int
limit_files(const struct upstream *u)
{
	/* The record is a file too. */
	uint64_t most = u->job.max_bytes > PROVENANCE_MAX ? u->job.max_bytes : PROVENANCE_MAX;
	struct rlimit had, l = { .rlim_cur = most, .rlim_max = most };
	if (getrlimit(RLIMIT_FSIZE, &had))
		return FG_EIO;
	return had.rlim_max <= most || setrlimit(RLIMIT_FSIZE, &l) == 0 ? FG_OK : FG_EIO;
}

/* The last word must arrive: the channel does not block, and progress may have filled it. */
static int
send_done(const struct upstream *u, int provenance_fd)
{
	for (;;) {
		struct pollfd p = { .fd = UPSTREAM_FD, .events = POLLOUT };
		int err = msg_send(UPSTREAM_FD, MSG_FETCH_DONE, &u->done, &provenance_fd, 1);
		if (err != FG_EAGAIN)
			return err;
		if (poll(&p, 1, UPSTREAM_REPORT_MS) == 0)
			return FG_EAGAIN;
	}
}

/* The record travels with the answer; without it there is no answer, and control calls that a failure. */
static void
report(struct upstream *u)
{
	struct writer w;
	u->done.shown_more = !shown_fill(u->prov, u->done.shown, &u->done.shown_n);
	writer_init(&w, PROVENANCE_MAX);
	int err = provenance_encode(u->prov, &u->job, &u->done, &w);
	int fd = err ? err : memfd_sealed("fotagate-provenance", writer_view(&w));
	if (fd >= 0) {
		err = send_done(u, fd);
		close(fd);
	}
	if (err || fd < 0)
		oplog(OPLOG_ERR, "fetch could not be reported: %s", err_name(err ? err : fd));
	writer_free(&w);
}

static void
on_progress(void *ctx, uint64_t bytes, uint64_t total, const struct msg_kept *kept)
{
	struct upstream *u = ctx;
	struct msg_fetch_progress m = { .job = u->job.job, .bytes = bytes, .total = total };
	if (kept) {
		m.kept_n = 1;
		m.kept[0] = *kept;
		m.shown_more = !shown_fill(u->prov, m.shown, &m.shown_n);
	}
	/* Lost progress is no harm; control lost is the end: nobody waits for these bytes any more. */
	if (msg_send(UPSTREAM_FD, MSG_FETCH_PROGRESS, &m, NULL, 0) == FG_EIO)
		event_base_loopbreak(u->base);
}

static void
finish(struct upstream *u)
{
	if (u->done.outcome == MSG_FETCH_OK && (fsync(u->image_fd) || fsync(u->signature_fd))) {
		u->done.outcome = MSG_FETCH_FAILED;
		u->done.finding = MSG_FINDING_DISK;
		snprintf(u->done.detail, sizeof u->done.detail, "quarantine could not be synced");
	}
	if (u->done.outcome != MSG_FETCH_OK && u->have_kept) {
		u->done.kept_n = 1;
		u->done.kept[0] = u->kept;
	}
	event_base_loopbreak(u->base);
}

/* Control says nothing after its question: it is at its end, and nobody waits for these bytes any more. */
static void
on_gone(evutil_socket_t fd, short what, void *ctx)
{
	struct upstream *u = ctx;
	(void)fd;
	(void)what;
	event_base_loopbreak(u->base);
}

static void
on_done(void *ctx, const struct fetch_result *r)
{
	struct upstream *u = ctx;
	if (u->on_signature) {
		/* A vendor without a signature there is a finding, not a failed fetch; anything else is. */
		if (r->outcome == MSG_FETCH_OK)
			u->done.signature_bytes = r->bytes;
		else if (!r->absent) {
			u->done.outcome = (uint8_t)r->outcome;
			u->done.finding = (uint8_t)r->finding;
			u->done.http_status = r->status > 0 ? (uint32_t)r->status : 0;
			/* The image is here, and need not come again because of that. */
			u->have_kept = u->have_kept && (r->outcome != MSG_FETCH_REFUSED || r->finding == MSG_FINDING_SLOW ||
			    r->finding == MSG_FINDING_LONG || r->finding == MSG_FINDING_IDENTITY);
		}
		if (r->outcome != MSG_FETCH_OK)
			snprintf(u->done.detail, sizeof u->done.detail, "signature: %.480s", r->detail);
		finish(u);
		return;
	}
	u->done.outcome = (uint8_t)r->outcome;
	u->done.finding = (uint8_t)r->finding;
	u->done.http_status = r->status > 0 ? (uint32_t)r->status : 0;
	u->done.bytes = r->bytes;
	u->have_kept = r->have_kept;
	u->kept = r->kept;
	snprintf(u->done.detail, sizeof u->done.detail, "%s", r->detail);
	if (r->outcome != MSG_FETCH_OK || !u->job.signature_url[0]) {
		finish(u);
		return;
	}
	u->on_signature = true;
	if (fetch_start(u->fetch, u->job.signature_url, true, u->signature_fd, UPSTREAM_SIGNATURE_MAX, NULL)) {
		u->done.outcome = MSG_FETCH_FAILED;
		u->done.finding = MSG_FINDING_LOCAL;
		finish(u);
	}
}

static int
run(struct upstream *u)
{
	static const struct fetch_ops ops = { on_progress, on_done };
	u->prov = calloc(1, sizeof *u->prov);
	u->base = event_base_new();
	if (u->prov && u->base)
		u->fetch = fetch_new(u->base, u->clock, &u->job, u->ca, &u->secret, u->prov, &ops, u);
	if (u->base)
		u->gone = event_new(u->base, UPSTREAM_FD, EV_READ, on_gone, u);
	if (!u->fetch || !u->gone || event_add(u->gone, NULL))
		return FG_ENOMEM;
	u->done.job = u->job.job;
	int err = fetch_start(u->fetch, u->job.url, false, u->image_fd, u->job.max_bytes,
	    u->job.kept_n ? &u->job.kept[0] : NULL);
	if (!err && event_base_dispatch(u->base) < 0)
		err = FG_EIO;
	if (!err)
		report(u);
	return err;
}

int
upstream_main(const struct jail_options *opt, const struct clock_source *clock)
{
	struct upstream u = { .clock = clock, .image_fd = -1, .signature_fd = -1 };
	struct jail_status status;
	char why[256];
	prctl(PR_SET_NAME, "upstream");
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to the vendor's socket without MSG_NOSIGNAL */
	signal(SIGXFSZ, SIG_IGN); /* the job's file limit is an answer like a full disk */
	int err = fetch_global();
	if (!err && jail_enter(JAIL_UPSTREAM, NULL, opt, &status, why, sizeof why)) {
		oplog(OPLOG_ERR, "the jail could not be entered: %s", why);
		return 71;
	}
	if (!err)
		err = receive_job(&u);
	if (!err)
		err = limit_files(&u);
	if (!err)
		err = run(&u);
	if (err)
		oplog(OPLOG_ERR, "fetch ended: %s", err_name(err));
	fetch_free(u.fetch);
	if (u.gone)
		event_free(u.gone);
	if (u.base)
		event_base_free(u.base);
	free(u.prov);
	memfd_unmap(u.ca);
	credentials_wipe(&u.secret);
	if (u.image_fd >= 0)
		close(u.image_fd);
	if (u.signature_fd >= 0)
		close(u.signature_fd);
	return err ? 72 : 0;
}
