/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fotagate-inspect - one image, one stage, one report, then exit; or one delta, made, proved or applied.
 * Descriptor 3 is a channel to whoever wants to know: one MSG_INSPECT comes in,
 * one MSG_INSPECTED goes out. The jail is closed before the first byte is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/file/fdio.h"
#include "gateway/jail/jail.h"
#include "gateway/wire/memfd.h"
#include "gateway/wire/msg.h"
#include "images/aids.h"
#include "images/explain.h"
#include "images/inspect.h"
#include "images/mkdelta.h"
#include "images/own.h"
#include "images/trustset.h"
#include "images/yarascan.h"

#define CHANNEL 3
#define EXIT_USAGE 2
#define EXIT_CONTRACT 70 /* the question was not one */
#define EXIT_SANDBOX 71
#define EXIT_FAILED 72 /* could not read, could not allocate, could not answer */
#define FILE_MAX ((uint64_t)64 << 20) /* a reply of at most 2 MiB, scratch memfds */
#define EXIT_LIMIT 73
#define EXIT_NO_PROOF 74
#define EXIT_NO_RULES 75
#define CHECK_SECONDS 60 /* to compile rules: a thousandth of it is usual */
#define EXIT_REFUSED 76
#define DELTA_FROM 3 /* descriptors of --make-delta, --prove-delta and --apply-delta */
#define DELTA_TO 4
#define DELTA_FILE 5
#define DELTA_BONUS 6 /* of --apply-delta, and need not be there */
#define DELTA_ROOM (UINT64_C(1) << 20) /* what a delta may be longer than twice its target */

/* What came with the question; sources borrow the descriptors of the frame. */
struct question {
	struct msg_inspect m;
	struct wire_frame frame;
	struct source image, signature, old, base;
	int target;
	struct view trust, aids_map; /* mapped */
	struct aids aids;
	struct own *own;
};

static int
failed(const char *what, int err)
{
	fprintf(stderr, "fotagate-inspect: %s: %s\n", what, err_name(err));
	return err == FG_EPEER ? EXIT_CONTRACT : EXIT_FAILED;
}

static int
receive(uint8_t *buf, struct question *q)
{
	struct pollfd p = { .fd = CHANNEL, .events = POLLIN };
	int err;
	do {
		if (poll(&p, 1, -1) < 0)
			return FG_EIO;
		err = wire_recv(CHANNEL, buf, &q->frame);
	} while (err == FG_EAGAIN);
	if (!err && q->frame.type != MSG_INSPECT)
		return FG_EPEER;
	return err ? err : msg_decode(&q->frame, &q->m, sizeof q->m);
}

/* Opens the descriptors in the order of the message's flags. */
static int
open_all(struct question *q)
{
	unsigned next = 0, line;
	int err = source_open(&q->image, q->frame.fds[next++]);
	if (!err && q->m.have_signature)
		err = source_open(&q->signature, q->frame.fds[next++]);
	if (!err && q->m.have_trust)
		err = memfd_map(q->frame.fds[next++], TRUSTSET_MAX, &q->trust);
	if (!err && q->m.have_old)
		err = source_open(&q->old, q->frame.fds[next++]);
	if (!err && q->m.have_base)
		err = source_open(&q->base, q->frame.fds[next++]);
	q->target = !err && q->m.have_target ? q->frame.fds[next++] : -1;
	if (!err && q->m.have_aids)
		err = memfd_map(q->frame.fds[next++], AIDS_MAX, &q->aids_map);
	if (!err && q->m.have_aids)
		err = aids_read(q->aids_map, &q->aids);
	if (!err && q->aids.own.n)
		err = own_parse(q->aids.own, &q->own, &line);
	return err;
}

/*
 * Before a byte of the image is read: how long a file may become. What runs into
 * it gets EFBIG and fails; the signal would look like a crash.
 */
static int
bound_files(const struct question *q)
{
	uint64_t max = q->m.have_target && q->m.target_max > FILE_MAX ? q->m.target_max : FILE_MAX;
	struct rlimit l;
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || getrlimit(RLIMIT_FSIZE, &l))
		return FG_EIO;
	if (l.rlim_max < max)
		max = l.rlim_max;
	l.rlim_cur = l.rlim_max = max;
	return setrlimit(RLIMIT_FSIZE, &l) ? FG_EIO : 0;
}

static int
verify(const struct question *q, struct report *r)
{
	struct inspect_job job = {
		.image = &q->image,
		.signature = q->m.have_signature ? &q->signature : NULL,
		.have_trust = q->m.have_trust,
		.trust = q->trust,
		.at = q->m.at,
		.scheme = (enum inspect_scheme)q->m.scheme,
		.policy = {
			.purpose = (enum trust_purpose)q->m.purpose,
			.allow_leaf_anchor = q->m.allow_leaf_anchor,
			.require_revocation = q->m.require_revocation,
			.pinned_ignores_expiry = q->m.pinned_ignores_expiry,
			.rsa_bits_min = q->m.rsa_bits_min,
		},
		.require_signature = q->m.require_signature,
	};
	_Static_assert(sizeof job.profile >= MSG_NAME_MAX, "names fit");
	memcpy(job.profile, q->m.profile, sizeof q->m.profile);
	memcpy(job.profile_sha256, q->m.profile_digest, sizeof job.profile_sha256);
	if (job.policy.purpose > TRUST_PURPOSE_EMAIL)
		return FG_EPEER;
	return inspect_verify(&job, r);
}

static int
run_stage(const struct question *q, struct report *r)
{
	if (q->m.stage == MSG_STAGE_VERIFY)
		return verify(q, r);
	if (q->m.stage == MSG_STAGE_EXPLAIN && q->m.have_old)
		return inspect_explain(
		    &(struct explain_job){
			.old = &q->old, .new = &q->image, .scratch = q->target, .own = q->own, .rules = q->aids.rules },
		    r);
	if (q->m.stage == MSG_STAGE_DELTA && q->m.have_base && q->target >= 0 && q->m.format < FORMAT_LIMIT) {
		const struct inspect_delta delta = { .patch = &q->image,
			.base = &q->base,
			.format = (enum format_id)q->m.format,
			.out = q->target,
			.target_max = q->m.target_max };
		return inspect_delta(&delta, r);
	}
	return FG_EPEER;
}

static int
answer(const struct question *q, const struct report *r)
{
	struct msg_inspected m = { .job = q->m.job, .stage = q->m.stage };
	struct writer text;
	writer_init(&text, REPORT_MAX);
	int err = report_encode(r, REPORT_MAX, &text);
	int fd = err ? err : memfd_sealed("report", writer_view(&text));
	writer_free(&text);
	if (fd < 0)
		return fd;
	err = msg_send(CHANNEL, MSG_INSPECTED, &m, &fd, 1);
	close(fd);
	return err;
}

static int
job(bool unsafe)
{
	static uint8_t buf[WIRE_FRAME_MAX];
	struct jail_options opt = { .unsafe_allowed = unsafe };
	struct question q = { .target = -1 };
	char why[256];
	if (jail_enter(JAIL_INSPECT, NULL, &opt, NULL, why, sizeof why)) {
		fprintf(stderr, "fotagate-inspect: %s\n", why);
		return EXIT_SANDBOX;
	}
	int err = receive(buf, &q);
	if (err)
		return failed("question", err);
	err = open_all(&q);
	if (!err)
		err = bound_files(&q);
	if (err)
		return failed("descriptors", err);
	struct report *r = report_new(REPORT_VERIFY);
	err = r ? run_stage(&q, r) : FG_ENOMEM;
	if (!err)
		err = answer(&q, r);
	report_free(r);
	memfd_unmap(q.trust);
	memfd_unmap(q.aids_map);
	own_free(q.own);
	wire_close_fds(&q.frame);
	return err ? failed("inspection", err) : 0;
}

/* ---- deltas of our own ---- */

static int
prove_delta(enum format_id format, const struct source *from, const struct source *to)
{
	struct source delta;
	struct mkdelta_proof proof;
	struct writer w;
	int err = source_open(&delta, DELTA_FILE);
	if (!err)
		err = mkdelta_prove(format, from, to, &delta, &proof);
	if (err)
		return err;
	writer_init(&w, sizeof proof);
	writer_bytes(&w, view_of(proof.from_sha256, sizeof proof.from_sha256));
	writer_bytes(&w, view_of(proof.to_sha256, sizeof proof.to_sha256));
	writer_bytes(&w, view_of(proof.delta_sha256, sizeof proof.delta_sha256));
	writer_u64(&w, proof.from_base);
	err = writer_err(&w);
	if (!err)
		err = fdio_write(1, writer_view(&w));
	writer_free(&w);
	return err;
}

/* Base, target and delta are descriptors 3 to 5; the proof, three digests and a number, goes to standard output. */
static int
delta(const char *word, bool make)
{
	enum format_id format = strcmp(word, "bsdiff40") == 0 ? FORMAT_BSDIFF : FORMAT_VCDIFF;
	struct jail_options opt = { .max_file = DELTA_ROOM };
	struct source from, to;
	struct stat st;
	char why[256];
	if (fstat(DELTA_TO, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size <= SOURCE_SIZE_MAX)
		opt.max_file += 2 * (uint64_t)st.st_size;
	if (jail_enter(JAIL_INSPECT, NULL, &opt, NULL, why, sizeof why)) {
		fprintf(stderr, "fotagate-inspect: %s\n", why);
		return EXIT_SANDBOX;
	}
	int err = source_open(&from, DELTA_FROM);
	if (!err)
		err = source_open(&to, DELTA_TO);
	if (!err)
		err = make ? mkdelta_make(format, &from, &to, DELTA_FILE) : prove_delta(format, &from, &to);
	if (err == FG_ELIMIT || err == FG_ESTATE)
		return err == FG_ELIMIT ? EXIT_LIMIT : EXIT_NO_PROOF;
	return err ? failed("delta", err) : 0;
}

static int
say_made(const struct delta_result *d)
{
	struct writer w;
	char why[2 * SIG_TEXT_MAX];
	if (d->outcome != DELTA_APPLIED) {
		int n = snprintf(why, sizeof why, "%s: %s%s%s", delta_outcome_name(d->outcome), d->detail,
		    d->wants[0] ? "; it wants " : "", d->wants);
		int err = fdio_write(1, view_of(why, (size_t)n < sizeof why ? (size_t)n : sizeof why - 1));
		return err ? failed("delta", err) : EXIT_REFUSED;
	}
	writer_init(&w, 64);
	writer_bytes(&w, view_of(d->target_sha256, sizeof d->target_sha256));
	writer_u64(&w, d->target_size);
	writer_u64(&w, d->from_base);
	writer_u8(&w, d->checked);
	int err = writer_err(&w);
	if (!err)
		err = fdio_write(1, writer_view(&w));
	writer_free(&w);
	return err ? failed("delta", err) : 0;
}

/* Base, target, delta and bonus are descriptors 3 to 6; what was made, or why not, goes to standard output. */
static int
apply_delta(const char *word)
{
	struct jail_options opt = { 0 };
	struct source base, patch, bonus;
	struct stat st[2];
	struct format_result found = { .format = format_find(view_str(word)) };
	struct delta_result d = { .outcome = DELTA_OPAQUE };
	bool more = fcntl(DELTA_BONUS, F_GETFD) >= 0;
	char why[256];
	/* As much as the gateway would let it have; a patch of a few bytes fills no disk. */
	bool sized = fstat(DELTA_FROM, &st[0]) == 0 && fstat(DELTA_FILE, &st[1]) == 0 && st[0].st_size >= 0 && st[1].st_size >= 0;
	opt.max_file = sized ? delta_most((uint64_t)st[1].st_size, (uint64_t)st[0].st_size) : FILE_MAX;
	if (jail_enter(JAIL_INSPECT, NULL, &opt, NULL, why, sizeof why)) {
		fprintf(stderr, "fotagate-inspect: %s\n", why);
		return EXIT_SANDBOX;
	}
	int err = source_open(&base, DELTA_FROM);
	if (!err)
		err = source_open(&patch, DELTA_FILE);
	if (!err && more)
		err = source_open(&bonus, DELTA_BONUS);
	if (!err && strcmp(word, "auto") == 0)
		err = format_recognise(&patch, &found);
	if (!err && !delta_of(found.format))
		snprintf(d.detail, sizeof d.detail, "format %s has no applier", format_name(found.format));
	else if (!err)
		err = delta_apply_bonus(found.format, &patch, &base, more ? &bonus : NULL, DELTA_TO, &d);
	if (err == FG_EIO && errno == EFBIG) {
		d = (struct delta_result){ .outcome = DELTA_LIMIT };
		snprintf(d.detail, sizeof d.detail, "it makes more of this base than a delta may");
		err = 0;
	}
	return err ? failed("delta", err) : say_made(&d);
}

/* ---- rules ---- */

/* Descriptor 3 is their text; on standard output, where they are none, the line and why. */
static int
check_rules(void)
{
	struct jail_options opt = { .cpu_seconds = CHECK_SECONDS };
	struct yarascan_refusal refusal = { 0 };
	struct yarascan *y = NULL;
	struct view text;
	char why[256], said[256];
	if (jail_enter(JAIL_INSPECT, NULL, &opt, NULL, why, sizeof why)) {
		fprintf(stderr, "fotagate-inspect: %s\n", why);
		return EXIT_SANDBOX;
	}
	int err = memfd_map(CHANNEL, AIDS_RULES_MAX, &text);
	if (!err) {
		err = yarascan_new(text, &y, &refusal);
		memfd_unmap(text);
	}
	yarascan_free(y);
	if (err != FG_EFORMAT)
		return err ? failed("rules", err) : 0;
	int n = snprintf(said, sizeof said, "%u %s", refusal.line, refusal.text);
	err = fdio_write(1, view_of(said, (size_t)n));
	return err ? failed("rules", err) : EXIT_NO_RULES;
}

int
main(int argc, char **argv)
{
	prctl(PR_SET_NAME, "inspect"); /* started by descriptor, it would be called by a number */
	bool unsafe = argc == 3 && strcmp(argv[2], "--allow-running-without-sandbox") == 0;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("fotagate-inspect " FG_VERSION);
		return 0;
	}
	if (argc == 3 && (strcmp(argv[2], "bsdiff40") == 0 || strcmp(argv[2], "vcdiff") == 0) && fcntl(DELTA_FILE, F_GETFD) >= 0) {
		bool make = strcmp(argv[1], "--make-delta") == 0;
		if (make || strcmp(argv[1], "--prove-delta") == 0)
			return delta(argv[2], make);
	}
	if (argc == 3 && strcmp(argv[1], "--apply-delta") == 0 && fcntl(DELTA_FILE, F_GETFD) >= 0)
		return apply_delta(argv[2]);
	if (argc == 2 && strcmp(argv[1], "--check-rules") == 0 && fcntl(CHANNEL, F_GETFD) >= 0)
		return check_rules();
	if (argc < 2 || strcmp(argv[1], "--job") != 0 || argc > 2 + unsafe ||
	    fcntl(CHANNEL, F_GETFD) < 0) {
		fputs("fotagate-inspect is started by fotagated(8) and fotagate(1)\n", stderr);
		return EXIT_USAGE;
	}
	return job(unsafe);
}
