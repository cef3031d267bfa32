/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_delta.h"

#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/wire/memfd.h"
#include "images/inspect.h"
#include "images/source.h"

/* Numbers of the jobs, behind those of the delta's own stages. */
enum job { JOB_DELTA = 3, JOB_VERIFY, JOB_EXPLAIN, JOB_BASE };

int
cli_delta_digest(int fd, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct source s;
	int err = source_open(&s, fd);
	return err ? err : source_digest(&s, ret);
}

static uint64_t
size_of(int fd)
{
	struct source s;
	return source_open(&s, fd) ? 0 : s.size;
}

static int
apply(const struct cli_delta_asked *q, struct cli_delta *ret)
{
	/* In memory, for only a memfd can be sealed. */
	uint64_t patch = size_of(q->patch_fd), base = size_of(q->base_fd), most = delta_most(patch, base);
	const struct msg_inspect m = { .job = JOB_DELTA,
		.stage = MSG_STAGE_DELTA,
		.have_base = true,
		.have_target = true,
		.at = q->verify->at,
		.format = q->format,
		.target_max = most };
	ret->fd = memfd_open("target");
	if (ret->fd < 0)
		return ret->fd;
	const int fds[] = { q->patch_fd, q->base_fd, ret->fd };
	/* What it makes of how many bytes is not known before: the largest target has its time. */
	int err = cli_job_run(&m, fds, 3, cli_job_wall(q->timeout, patch + base + most), &ret->stage);
	ret->applied.stage = ret->stage.reply;
	return err;
}

/* A full image in the way of the delta's profile; what is signed beside the delta does not count for it. */
static int
verify(const struct cli_delta_asked *q, enum job job, int image_fd, int signature_fd, struct cli_job *ret)
{
	struct msg_inspect m = *q->verify;
	int fds[3];
	unsigned n = 0;
	m.job = job;
	m.stage = MSG_STAGE_VERIFY;
	m.scheme = INSPECT_AUTO; /* the profile's is that of what is delivered, the delta */
	m.require_signature = false;
	m.have_signature = signature_fd >= 0;
	fds[n++] = image_fd;
	if (m.have_signature)
		fds[n++] = signature_fd;
	if (m.have_trust)
		fds[n++] = q->trust_fd;
	return cli_job_run(&m, fds, n, cli_job_wall(q->timeout, size_of(image_fd)), ret);
}

/* What the base says of itself, so that a target that goes back is seen. One that cannot be read hides that, which is told. */
static int
hold_against_base(const struct cli_delta_asked *q, struct report *target)
{
	struct cli_job job = { 0 };
	struct report_refusal why;
	struct report *base = report_new(REPORT_VERIFY);
	int err = base ? verify(q, JOB_BASE, q->base_fd, -1, &job) : FG_ENOMEM;
	if (!err && job.reply.end != REPORT_END_REPLIED) {
		report_raise(target, FINDING_INSPECT_FAILED, FINDING_NONE, NULL,
		    "the base could not be inspected, so nothing says whether this goes back: %s", job.reply.detail);
	} else if (!err) {
		err = report_parse(job.reply.text, REPORT_VERIFY, base, &why);
		if (err == FG_EFORMAT) {
			report_raise(target, why.finding, FINDING_NONE, NULL, "the base: %s", why.text);
			err = 0;
		} else if (!err) {
			continuity_base(target, base);
		}
	}
	cli_job_end(&job);
	report_free(base);
	return err;
}

static int
judge(const struct cli_delta_asked *q, const struct report_delta *made, struct cli_delta *ret)
{
	struct cli_job verified = { 0 }, explained = { 0 };
	struct report_asked a = *q->asked;
	a.image_size = made->result.target_size;
	a.have_signature = q->signature_fd >= 0;
	a.require_signature = false;
	a.have_base = false;
	a.have_old = a.have_old_sha256 = true;
	memcpy(a.old_sha256, q->asked->base, sizeof a.old_sha256);
	int err = verify(q, JOB_VERIFY, ret->fd, q->signature_fd, &verified);
	if (!err)
		err = cli_job_explain(JOB_EXPLAIN, ret->fd, q->base_fd, q->aids_fd, q->verify->at, q->timeout, &explained);
	if (!err) {
		ret->target = report_new(REPORT_WHOLE);
		err = ret->target ? report_merge(&a, &verified.reply, &explained.reply, NULL, ret->target) : FG_ENOMEM;
	}
	if (!err)
		err = hold_against_base(q, ret->target);
	if (!err)
		err = report_encode(ret->target, REPORT_MAX, &ret->text);
	if (!err)
		err = report_digest(writer_view(&ret->text), ret->applied.target_report);
	ret->applied.target = err ? NULL : ret->target;
	cli_job_end(&verified);
	cli_job_end(&explained);
	return err;
}

int
cli_delta_run(const struct cli_delta_asked *q, struct cli_delta *ret)
{
	struct report_delta made;
	*ret = (struct cli_delta){ .fd = -1 };
	writer_init(&ret->text, REPORT_MAX);
	int err = apply(q, ret);
	if (!err && !report_delta_made(&ret->applied.stage, &made)) {
		close(ret->fd);
		ret->fd = -1;
		return 0;
	}
	/* Its writer is gone; from here on nobody can change a byte. */
	if (!err)
		err = memfd_seal(ret->fd);
	if (!err && q->full_fd >= 0) {
		err = cli_delta_digest(q->full_fd, ret->applied.full_sha256);
		ret->applied.have_full = !err;
	}
	return err ? err : judge(q, &made, ret);
}

void
cli_delta_end(struct cli_delta *d)
{
	if (d->fd >= 0)
		close(d->fd);
	writer_free(&d->text);
	report_free(d->target);
	cli_job_end(&d->stage);
	*d = (struct cli_delta){ .fd = -1 };
}
