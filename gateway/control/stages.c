/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/stages.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/quarantine.h"
#include "gateway/wire/memfd.h"
#include "images/aids.h"
#include "images/explain.h"

uint64_t
stages_size(int fd)
{
	struct stat st;
	return fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* What the operator gives the comparison, as it is now: a sealed memfd, -1 for nothing (have_rules), or an error. */
static int
aids_of(struct stage *s)
{
	struct aids a = { 0 };
	struct writer w;
	s->have_rules = policies_rules(s->c->policies, &a.rules, s->rules);
	if (!s->have_rules)
		return -1;
	writer_init(&w, AIDS_MAX);
	aids_write(&a, &w);
	int err = writer_err(&w);
	int fd = err ? err : memfd_sealed("fotagate-aids", writer_view(&w));
	writer_free(&w);
	return fd;
}

/* A file without a name, and the rules: both are made when the process is there to take them. */
static int
bring(struct stage *s, int fds[], unsigned *io_n)
{
	struct files_part scratch;
	uint64_t room = quarantine_scratch(s->c);
	int err = room ? files_part_new(s->c->files, &scratch) : FG_ELIMIT;
	if (err)
		return err;
	/* Nobody else finds it, and it is gone when the inspector is. */
	files_part_drop(s->c->files, scratch.name);
	fds[(*io_n)++] = scratch.fd;
	s->m.have_target = true;
	s->m.target_max = room < EXPLAIN_SCRATCH_MAX ? room : EXPLAIN_SCRATCH_MAX;
	int aids = aids_of(s);
	s->m.have_aids = s->have_rules;
	if (!s->have_rules)
		return FG_OK;
	if (aids >= 0)
		fds[(*io_n)++] = aids;
	return aids < 0 ? aids : FG_OK;
}

static int
on_ask(void *ctx, uint64_t job, struct chan *chan)
{
	struct stage *s = ctx;
	int fds[WIRE_FDS_MAX];
	unsigned n = s->n;
	s->m.job = job;
	memcpy(fds, s->fd, n * sizeof fds[0]);
	int err = s->scratch ? bring(s, fds, &n) : FG_OK;
	if (!err)
		err = chan_send(chan, MSG_INSPECT, &s->m, fds, n);
	while (n > s->n)
		close(fds[--n]);
	return err;
}

void
stages_rules(const struct stage *s, struct report_asked *asked)
{
	asked->have_rules = s->have_rules;
	memcpy(asked->rules, s->rules, sizeof asked->rules);
}

static void
on_ended(void *ctx, struct jobs_end *end)
{
	struct stage *s = ctx;
	struct report_reply *r = &s->reply;
	s->job = 0;
	s->started = end->started;
	r->end = end->end;
	snprintf(r->detail, sizeof r->detail, "%s", end->detail);
	if (end->end == REPORT_END_REPLIED) {
		int err = end->reply.inspected.stage == s->m.stage ? memfd_map(end->fd, REPORT_MAX, &s->map) : FG_EPEER;
		if (!err) {
			r->text = s->map;
		} else {
			r->end = err == FG_ELIMIT ? REPORT_END_OVERLONG : REPORT_END_MALFORMED;
			snprintf(r->detail, sizeof r->detail, "%s", err == FG_ELIMIT ? "empty, or longer than 2 MiB" :
			    "the report of another stage, or not in a sealed memfd");
		}
	}
	s->done(s->ctx);
}

static const struct jobs_ops ops = { on_ask, NULL, on_ended };

int
stages_run(struct control *c, struct stage *s, void (*done)(void *ctx), void *ctx)
{
	uint64_t wall = STAGES_WALL_S + s->bytes / STAGES_WALL_BYTES;
	s->c = c;
	s->done = done;
	s->ctx = ctx;
	return jobs_start(c->jobs, MSG_JOB_INSPECT,
	    (uint32_t)(wall < STAGES_WALL_MAX_S ? wall : STAGES_WALL_MAX_S) * 1000u, &ops, s, &s->job);
}

void
stages_end(struct stage *s)
{
	if (s->job)
		jobs_cancel(s->c->jobs, s->job);
	memfd_unmap(s->map);
	*s = (struct stage){ 0 };
}
