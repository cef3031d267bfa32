/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/targets.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"
#include "gateway/control/history.h"
#include "gateway/control/quarantine.h"
#include "gateway/control/stages.h"

/* What is inside both is unpacked and read too: as with most packings, a few times their size. */
#define COMPARE_TIMES 8

struct try { /* one base, and what became of the delta there */
	struct stage stage; /* holds the reply */
	struct bases_one base;
	struct files_part part; /* fd: for the inspector, closed when it is dead */
	int read_fd;            /* the same file */
	bool bounded;           /* the disk had less room than a target may have */
	struct report_delta made;
};

struct targets {
	struct control *c;
	struct db_resource resource;
	struct msg_inspect verify;
	struct report_asked asked; /* of the target */
	enum version_order order;
	enum format_id format;
	int patch_fd, trust_fd, base_fd, signature_fd;
	uint64_t candidate, patch_size;

	struct bases_list bases, full; /* what it may be for; what its target should be */
	unsigned at;
	bool any, made;        /* a try is chosen; and made something */
	struct try now, chosen;
	struct stage target, base, compare;
	struct report *report; /* the target's */
	struct writer text;
	struct targets_result result;
	struct event *turn;    /* an end that needs no process comes from the loop too */
	void (*done)(void *ctx, const struct targets_result *r);
	void *ctx;
};

/* ---- ends ---- */

static void
try_end(struct targets *t, struct try *y)
{
	if (y->part.fd >= 0)
		close(y->part.fd);
	if (y->read_fd >= 0)
		close(y->read_fd);
	if (y->part.name[0])
		files_part_drop(t->c->files, y->part.name);
	stages_end(&y->stage);
	*y = (struct try){ .part.fd = -1, .read_fd = -1 };
}

static void
finish(struct targets *t, enum targets_end end)
{
	t->result.end = end;
	event_active(t->turn, EV_TIMEOUT, 0);
}

static void __attribute__((format(printf, 2, 3)))
hold(struct targets *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(t->result.why, sizeof t->result.why, fmt, ap);
	va_end(ap);
	finish(t, TARGETS_HOLD);
}

static void
on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct targets *t = ctx;
	(void)fd;
	(void)what;
	t->done(t->ctx, &t->result);
}

/* Nothing is said of what was not looked at to the end. */
static bool
unanswered(struct targets *t, const struct stage *s, const char *what)
{
	if (s->reply.end == REPORT_END_REPLIED)
		return false;
	hold(t, "%s: the inspector gave no answer (%s)", what, s->reply.detail);
	return true;
}

/* ---- the target as a full image ---- */

/* Names of versions, in the order of the profile: a raw image says nothing of its own. */
static void
hold_against_name(struct targets *t)
{
	const char *from = t->chosen.base.version, *to = t->resource.target;
	if (version_compare(t->order, view_str(to), view_str(from)) == VERSION_OLDER)
		report_raise(t->report, FINDING_META_DOWNGRADE, FINDING_NONE, NULL, "it leads from version %s to %s", from, to);
}

static int
hold_against_base(struct targets *t)
{
	struct report_refusal why;
	struct report *base = NULL;
	int err = FG_OK;
	if (t->chosen.base.have_report) {
		err = decisions_report(t->c, t->chosen.base.report, &base);
	} else {
		base = report_new(REPORT_VERIFY);
		err = base ? report_parse(t->base.reply.text, REPORT_VERIFY, base, &why) : FG_ENOMEM;
	}
	if (!err)
		continuity_base(t->report, base);
	else if (err == FG_EFORMAT || err == FG_ENOTFOUND)
		report_raise(t->report, FINDING_INSPECT_FAILED, FINDING_NONE, NULL,
		    "the base could not be inspected, so nothing says whether this goes back");
	report_free(base);
	return err == FG_EFORMAT || err == FG_ENOTFOUND ? FG_OK : err;
}

static void
on_compared(void *ctx)
{
	struct targets *t = ctx;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	if (unanswered(t, &t->compare, "comparing what the delta makes with its base")) {
		free(cand);
		return;
	}
	t->report = report_new(REPORT_WHOLE);
	int err = cand && t->report ? db_candidate_get(t->c->db, t->candidate, cand) : FG_ENOMEM;
	if (!err)
		err = history_marks(t->c, cand, HISTORY_RESULTS, t->asked.past, &t->asked.past_n);
	stages_rules(&t->compare, &t->asked);
	if (!err)
		err = report_merge(&t->asked, &t->target.reply, &t->compare.reply, NULL, t->report);
	if (!err)
		err = hold_against_base(t);
	if (!err) {
		hold_against_name(t);
		err = report_encode(t->report, REPORT_MAX, &t->text);
	}
	if (!err)
		err = report_digest(writer_view(&t->text), t->result.applied.target_report);
	free(cand);
	if (err) {
		hold(t, "what the delta makes could not be written down: %s", err_name(err));
		return;
	}
	t->result.applied.target = t->report;
	t->result.text = writer_view(&t->text);
	t->result.part = t->chosen.part.name;
	t->result.size = t->chosen.made.result.target_size;
	finish(t, TARGETS_DONE);
}

static void
compare(struct targets *t)
{
	struct stage *s = &t->compare;
	s->m = (struct msg_inspect){ .stage = MSG_STAGE_EXPLAIN, .have_old = true, .at = t->verify.at };
	s->fd[s->n++] = t->chosen.read_fd;
	s->fd[s->n++] = t->base_fd;
	s->scratch = true;
	s->bytes = COMPARE_TIMES * (t->asked.image_size + stages_size(t->base_fd));
	int err = stages_run(t->c, s, on_compared, t);
	if (err)
		hold(t, "what the delta makes waits to be compared: %s", err_name(err));
}

/* A full image in the way of the profile; what is signed beside the delta does not count for it. */
static int
verify(struct targets *t, struct stage *s, int fd, int signature_fd, void (*done)(void *ctx))
{
	s->m = t->verify;
	s->m.stage = MSG_STAGE_VERIFY;
	s->m.scheme = INSPECT_AUTO; /* the profile's is that of what is delivered, the delta */
	s->m.require_signature = false;
	s->m.have_signature = signature_fd >= 0;
	s->fd[s->n++] = fd;
	if (s->m.have_signature)
		s->fd[s->n++] = signature_fd;
	if (s->m.have_trust)
		s->fd[s->n++] = t->trust_fd;
	s->bytes = stages_size(fd);
	return stages_run(t->c, s, done, t);
}

static void
on_base(void *ctx)
{
	struct targets *t = ctx;
	if (!unanswered(t, &t->base, "reading the base"))
		compare(t);
}

static void
on_target(void *ctx)
{
	struct targets *t = ctx;
	if (unanswered(t, &t->target, "reading what the delta makes"))
		return;
	if (t->chosen.base.have_report) {
		compare(t);
		return;
	}
	int err = verify(t, &t->base, t->base_fd, -1, on_base);
	if (err)
		hold(t, "the base waits to be read: %s", err_name(err));
}

struct equal {
	struct control *c;
	int signature_fd;
};

/* Full images with these very bytes, whatever they were called: their signature is the target's. */
static int
look_for_signature(void *arg, const struct db_candidate *cand)
{
	struct equal *e = arg;
	bool judged = candidates_is(cand, LIFECYCLE_REVIEW) || candidates_is(cand, LIFECYCLE_APPROVED) ||
	    candidates_is(cand, LIFECYCLE_EXPIRED);
	if (e->signature_fd >= 0 || !judged || !cand->have_signature)
		return 0;
	int fd = files_image_open(e->c->files, FILES_SIGNATURE, cand->signature);
	if (fd >= 0)
		e->signature_fd = fd;
	/* One that cannot be opened now is not "there is none": the target would count as unsigned. */
	return fd >= 0 || fd == FG_ENOTFOUND ? FG_OK : fd;
}

static void
judge(struct targets *t)
{
	struct control *c = t->c;
	const struct report_delta *made = &t->chosen.made;
	const uint8_t *sha256 = made->result.target_sha256;
	struct equal e = { .c = c, .signature_fd = -1 };
	const struct db_candidate_filter f = { .profile = t->resource.profile, .image = sha256 };
	int err = db_candidate_list(c->db, &f, look_for_signature, &e);
	t->signature_fd = e.signature_fd;
	for (unsigned i = t->full.n; i-- > 0;) {
		/* Any of them that is the target; else the youngest, which it is not. */
		if (t->result.applied.have_full && !memcmp(t->result.applied.full_sha256, sha256, DIGEST_SHA256_LEN))
			break;
		t->result.applied.have_full = true;
		memcpy(t->result.applied.full_sha256, t->full.one[i].image, DIGEST_SHA256_LEN);
	}
	t->asked.image_size = made->result.target_size;
	t->asked.have_signature = t->signature_fd >= 0;
	memcpy(t->asked.old_sha256, t->chosen.base.image, sizeof t->asked.old_sha256);
	if (t->base_fd >= 0) /* that of the last try */
		close(t->base_fd);
	t->base_fd = files_image_open(c->files, FILES_IMAGE, t->chosen.base.image);
	if (!err && t->base_fd < 0)
		err = t->base_fd;
	if (!err)
		err = verify(t, &t->target, t->chosen.read_fd, t->signature_fd, on_target);
	if (err)
		hold(t, "what the delta makes waits to be read: %s", err_name(err));
}

/* ---- trying bases ---- */

static void
choose(struct targets *t, bool made)
{
	try_end(t, &t->chosen);
	t->chosen = t->now;
	t->now = (struct try){ .part.fd = -1, .read_fd = -1 };
	t->any = true;
	t->made = made;
}

static void
decided(struct targets *t)
{
	t->result.base = t->chosen.base;
	t->result.applied.stage = t->chosen.stage.reply;
	if (t->made)
		judge(t);
	else
		finish(t, TARGETS_DONE);
}

static bool
is_full(const struct targets *t, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	for (unsigned i = 0; i < t->full.n; i++)
		if (!memcmp(t->full.one[i].image, sha256, DIGEST_SHA256_LEN))
			return true;
	return false;
}

static void try_next(struct targets *t);

/* The base of which the delta says most clearly what is wrong is the one to report. */
static bool
says_more(const struct targets *t, enum delta_outcome outcome)
{
	if (!t->any)
		return true;
	return !t->made && outcome == DELTA_WRONG_BASE && t->chosen.made.result.outcome != DELTA_WRONG_BASE;
}

static void
take(struct targets *t, const struct report_delta *d)
{
	struct try *y = &t->now;
	y->made = *d;
	switch (d->result.outcome) {
	case DELTA_APPLIED:
		/* Nothing but a checksum, or the very image, tells a base from one that happens to be as long. */
		if (d->result.checked || is_full(t, d->result.target_sha256)) {
			t->result.applied.others = 0;
			choose(t, true);
			decided(t);
			return;
		}
		if (t->made)
			t->result.applied.others++;
		else
			choose(t, true);
		break;
	case DELTA_UNSUPPORTED:
	case DELTA_OPAQUE:
		/* On no base, then. */
		choose(t, false);
		decided(t);
		return;
	case DELTA_LIMIT:
		if (y->bounded) {
			hold(t, "the disk has no room for what the delta makes");
			return;
		}
		__attribute__((fallthrough));
	case DELTA_MALFORMED:
	case DELTA_WRONG_BASE:
		if (says_more(t, d->result.outcome))
			choose(t, false);
		break;
	}
	try_next(t);
}

static void
on_applied(void *ctx)
{
	struct targets *t = ctx;
	struct try *y = &t->now;
	struct report_refusal why;
	/* Its writer is dead; from here on there is no descriptor that could change a byte. */
	close(y->part.fd);
	y->part.fd = -1;
	if (unanswered(t, &y->stage, "applying the delta"))
		return;
	struct report *part = report_new(REPORT_DELTA);
	int err = part ? report_parse(y->stage.reply.text, REPORT_DELTA, part, &why) : FG_ENOMEM;
	struct report_delta d = { 0 };
	if (!err)
		d = part->delta;
	report_free(part);
	if (err == FG_ENOMEM) {
		hold(t, "the delta was applied, but there is no memory");
	} else if (err) {
		/* No fragment of ours: whoever made it is not to be asked again. The merged report says so. */
		choose(t, false);
		decided(t);
	} else {
		take(t, &d);
	}
}

static void
try_next(struct targets *t)
{
	struct control *c = t->c;
	struct try *y = &t->now;
	try_end(t, y);
	if (t->at == t->bases.n) {
		if (t->any)
			decided(t);
		else
			finish(t, TARGETS_NO_BASE);
		return;
	}
	y->base = t->bases.one[t->at++];
	if (t->base_fd >= 0)
		close(t->base_fd);
	t->base_fd = files_image_open(c->files, FILES_IMAGE, y->base.image);
	uint64_t base_size = stages_size(t->base_fd), most = delta_most(t->patch_size, base_size);
	uint64_t room = quarantine_scratch(c);
	int err = t->base_fd < 0 ? t->base_fd : room ? files_part_new(c->files, &y->part) : FG_ELIMIT;
	if (!err) {
		y->read_fd = files_part_read(c->files, y->part.name);
		err = y->read_fd < 0 ? y->read_fd : FG_OK;
	}
	y->bounded = room < most;
	if (!err) {
		struct stage *s = &y->stage;
		s->m = (struct msg_inspect){ .stage = MSG_STAGE_DELTA, .have_base = true, .have_target = true, .at = t->verify.at,
			.format = t->format, .target_max = y->bounded ? room : most };
		s->fd[s->n++] = t->patch_fd;
		s->fd[s->n++] = t->base_fd;
		s->fd[s->n++] = y->part.fd;
		/* What it makes of how many bytes is not known before: the largest target has its time. */
		s->bytes = t->patch_size + base_size + s->m.target_max;
		err = stages_run(c, s, on_applied, t);
	}
	if (err)
		hold(t, "the delta waits to be applied: %s", err == FG_ELIMIT ? "the disk is nearly full" : err_name(err));
}

/* ---- beginning and end ---- */

int
targets_start(struct control *c, const struct targets_asked *q, void (*done)(void *ctx, const struct targets_result *r),
    void *ctx, struct targets **ret)
{
	const struct db_resource *r = q->resource;
	struct targets *t = calloc(1, sizeof *t);
	if (!t)
		return FG_ENOMEM;
	*t = (struct targets){ .c = c, .resource = *r, .verify = *q->verify, .asked = *q->asked, .order = q->order,
		.format = q->format, .patch_fd = q->patch_fd, .trust_fd = q->trust_fd, .base_fd = -1, .signature_fd = -1,
		.candidate = q->cand->id, .patch_size = stages_size(q->patch_fd), .now = { .part.fd = -1, .read_fd = -1 },
		.chosen = { .part.fd = -1, .read_fd = -1 }, .done = done, .ctx = ctx };
	t->asked.require_signature = t->asked.have_base = false;
	t->asked.have_old = t->asked.have_old_sha256 = t->asked.have_history = true;
	writer_init(&t->text, REPORT_MAX);
	t->turn = event_new(c->base, -1, 0, on_turn, t);
	int err = t->turn ? bases_find(c, r->profile, r->product, r->from, r->target, &t->bases) : FG_ENOMEM;
	if (!err && r->target[0])
		err = bases_find(c, r->profile, r->product, r->target, "", &t->full);
	if (err) {
		targets_free(t);
		return err;
	}
	*ret = t;
	try_next(t);
	return FG_OK;
}

void
targets_part_taken(struct targets *t)
{
	t->chosen.part.name[0] = '\0';
}

void
targets_free(struct targets *t)
{
	if (!t)
		return;
	try_end(t, &t->now);
	try_end(t, &t->chosen);
	stages_end(&t->target);
	stages_end(&t->base);
	stages_end(&t->compare);
	if (t->base_fd >= 0)
		close(t->base_fd);
	if (t->signature_fd >= 0)
		close(t->signature_fd);
	if (t->turn)
		event_free(t->turn);
	writer_free(&t->text);
	report_free(t->report);
	free(t);
}
