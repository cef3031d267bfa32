/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_aids.h"
#include "gateway/cmd/cli_delta.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_job.h"
#include "gateway/cmd/cli_page.h"
#include "gateway/cmd/cli_profile.h"
#include "gateway/cmd/cli_trust.h"
#include "gateway/file/wholefile.h"
#include "gateway/wire/memfd.h"
#include "images/inspect.h"
#include "images/sheet.h"
#include "images/source.h"
#include "images/trustset.h"

enum exit { EXIT_ACCEPTABLE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_COULD_NOT = 3 };

#define DEFAULT_CONFIG "/etc/fotagate/fotagate.conf"

struct options {
	const char *file, *against, *base, *trust, *signature, *profile, *config;
	/* Of a delta: what its target should be, the signature of that, where it and its report are put. */
	const char *target, *target_signature, *output_target, *target_report;
	struct cli_aids_asked aids;
	const char *notes; /* the vendor's */
	const char *html; /* where the page for people is put */
	enum format_id format;
	const char *history[CONTINUITY_PAST_MAX];
	unsigned history_n;
	bool first; /* there is no release before it */
	bool json, all;
	int64_t at;
	unsigned timeout; /* 0: by size */
};

/* An input that is open; fd -1 = not given. */
struct input {
	int fd;
	struct source source;
};

struct inspection {
	struct options opt;
	struct input image, old, signature, base, full, full_signature;
	int trust_fd, aids_fd;
	struct notes notes;
	struct msg_inspect m;
	struct report_asked asked;
};

static int
usage(void)
{
	fputs(
	    "usage: fotagate inspect [--json | --all] [--html FILE] [--against OLD] [--trust DIR]\n"
	    "           [--signature SIG] [--profile NAME [-c FILE]] [--history REPORT]... [--first]\n"
	    "           [--base BASE [--format FORMAT] [--target FULL] [--target-signature SIG]\n"
	    "           [--output-target FILE] [--target-report FILE]]\n"
	    "           [--notes TEXT] [--yara RULES] [--own LIST] [--at TIME] [--timeout SECONDS] FILE\n",
	    stderr);
	return EXIT_USAGE;
}

static int
complain(const char *what, const char *why)
{
	fprintf(stderr, "fotagate: %s: %s\n", what, why);
	return EXIT_USAGE;
}

/* A whole decimal number of at most max. */
static bool
number(const char *s, int64_t max, int64_t *ret)
{
	char *end;
	errno = 0;
	long long v = strtoll(s, &end, 10);
	if (errno || end == s || *end || v < 0 || v > max || *s < '0' || *s > '9')
		return false;
	*ret = v;
	return true;
}

/* RFC 3339 in UTC, or seconds since 1970. */
static bool
instant(const char *s, int64_t *ret)
{
	return report_time_parse(view_str(s), ret) ||
	       number(s, INT64_C(253402300799), ret); /* end of year 9999 */
}

enum option_id {
	OPT_AGAINST = 256,
	OPT_BASE,
	OPT_TRUST,
	OPT_SIGNATURE,
	OPT_PROFILE,
	OPT_AT,
	OPT_TIMEOUT,
	OPT_JSON,
	OPT_ALL,
	OPT_HTML,
	OPT_HISTORY,
	OPT_FIRST,
	OPT_FORMAT,
	OPT_TARGET,
	OPT_TARGET_SIGNATURE,
	OPT_OUTPUT_TARGET,
	OPT_TARGET_REPORT,
	OPT_YARA,
	OPT_OWN,
	OPT_NOTES
};

/* Where the word of that option goes; NULL: it is none that takes a word as it is. */
static const char **
word_of(struct options *o, int option)
{
	switch (option) {
	case OPT_AGAINST:
		return &o->against;
	case OPT_BASE:
		return &o->base;
	case OPT_TRUST:
		return &o->trust;
	case OPT_SIGNATURE:
		return &o->signature;
	case OPT_PROFILE:
		return &o->profile;
	case OPT_HTML:
		return &o->html;
	case OPT_TARGET:
		return &o->target;
	case OPT_TARGET_SIGNATURE:
		return &o->target_signature;
	case OPT_OUTPUT_TARGET:
		return &o->output_target;
	case OPT_TARGET_REPORT:
		return &o->target_report;
	case OPT_OWN:
		return &o->aids.own;
	case OPT_YARA:
		return &o->aids.rules;
	case OPT_NOTES:
		return &o->notes;
	case 'c':
		return &o->config;
	default:
		return NULL;
	}
}

/* Options that contradict each other. */
static int
check(const struct options *o)
{
	if (o->profile && o->trust)
		return complain("--trust", "a profile names its own anchors; use one of the two");
	if (o->first && o->history_n)
		return complain("--first", "says that there is no earlier release; leave out --history");
	if (o->config && !o->profile)
		return complain("-c", "only of use with --profile");
	if (!o->base &&
	    (o->format || o->target || o->target_signature || o->output_target || o->target_report))
		return complain("--base", "needed to say what a delta makes");
	if ((o->aids.rules || o->aids.own) && !o->against && !o->base)
		return complain(o->aids.rules ? "--yara" : "--own",
		    "looks at what is new: name the old image with --against, or a delta's with --base");
	return 0;
}

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "against", required_argument, NULL, OPT_AGAINST },
		{ "base", required_argument, NULL, OPT_BASE },
		{ "trust", required_argument, NULL, OPT_TRUST },
		{ "signature", required_argument, NULL, OPT_SIGNATURE },
		{ "profile", required_argument, NULL, OPT_PROFILE },
		{ "at", required_argument, NULL, OPT_AT },
		{ "timeout", required_argument, NULL, OPT_TIMEOUT },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "all", no_argument, NULL, OPT_ALL },
		{ "html", required_argument, NULL, OPT_HTML },
		{ "history", required_argument, NULL, OPT_HISTORY },
		{ "first", no_argument, NULL, OPT_FIRST },
		{ "format", required_argument, NULL, OPT_FORMAT },
		{ "target", required_argument, NULL, OPT_TARGET },
		{ "target-signature", required_argument, NULL, OPT_TARGET_SIGNATURE },
		{ "output-target", required_argument, NULL, OPT_OUTPUT_TARGET },
		{ "target-report", required_argument, NULL, OPT_TARGET_REPORT },
		{ "own", required_argument, NULL, OPT_OWN },
		{ "yara", required_argument, NULL, OPT_YARA },
		{ "notes", required_argument, NULL, OPT_NOTES },
		{ NULL, 0, NULL, 0 },
	};
	int64_t seconds;
	*o = (struct options){ .at = (int64_t)time(NULL) };
	optind = 1;
	for (int c; (c = getopt_long(argc, argv, "c:", longs, NULL)) != -1;) {
		const char **word = word_of(o, c);
		if (word) {
			*word = optarg;
			continue;
		}
		switch (c) {
		case OPT_AT:
			if (!instant(optarg, &o->at))
				return complain(optarg,
				    "not a time like 2026-01-01T10:00:00Z, nor seconds since 1970");
			break;
		case OPT_TIMEOUT:
			if (!number(optarg, CLI_JOB_WALL_MAX, &seconds) || seconds == 0)
				return complain(optarg, "not a number of seconds up to a day");
			o->timeout = (unsigned)seconds;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_ALL:
			o->all = true;
			break;
		case OPT_HISTORY:
			if (o->history_n == CONTINUITY_PAST_MAX)
				return complain(optarg, "no more than eight earlier reports are compared with");
			o->history[o->history_n++] = optarg;
			break;
		case OPT_FIRST:
			o->first = true;
			break;
		case OPT_FORMAT:
			o->format = format_find(view_str(optarg));
			if (format_kind(o->format) != FORMAT_KIND_DELTA)
				return complain(optarg, "not a format of deltas");
			break;
		default:
			return usage();
		}
	}
	if (optind + 1 != argc)
		return usage();
	o->file = argv[optind];
	return check(o);
}

/* ---- inputs ---- */

static int
open_input(const char *path, struct input *ret)
{
	if (!path)
		return 0;
	/* A FIFO must not hold us, and a terminal must not become ours. */
	ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (ret->fd < 0) {
		complain(path, strerror(errno));
		return EXIT_COULD_NOT;
	}
	int err = source_open(&ret->source, ret->fd);
	if (!err)
		return 0;
	complain(path, err == FG_EINVAL ? "not a regular file" : err_name(err));
	return EXIT_COULD_NOT;
}

static int
open_base(struct inspection *in)
{
	int status = open_input(in->opt.base, &in->base);
	if (in->base.fd < 0)
		return status;
	int err = cli_delta_digest(in->base.fd, in->asked.base);
	in->asked.have_base = !err;
	if (!err)
		return 0;
	complain(in->opt.base, err_name(err));
	return EXIT_COULD_NOT;
}

/* The reports of the releases before it, as they were printed with --json. */
static int
load_history(struct inspection *in)
{
	struct report_asked *a = &in->asked;
	a->have_history = in->opt.history_n > 0 || in->opt.first;
	for (unsigned i = 0; i < in->opt.history_n; i++) {
		struct report_refusal why = { .text = "" };
		uint8_t digest[DIGEST_SHA256_LEN];
		uint8_t *text = NULL;
		size_t n = 0;
		struct report *r = report_new(REPORT_WHOLE);
		int err = r ? cli_file_read(NULL, in->opt.history[i], REPORT_MAX, &text, &n) : FG_ENOMEM;
		if (!err)
			err = report_parse(view_of(text, n), REPORT_WHOLE, r, &why);
		if (!err)
			err = report_digest(view_of(text, n), digest);
		if (!err)
			continuity_mark(r, digest, &a->past[a->past_n++]);
		free(text);
		report_free(r);
		if (err) {
			complain(in->opt.history[i], why.text[0] ? why.text : err_name(err));
			return EXIT_COULD_NOT;
		}
	}
	return 0;
}

/* What to trust, and how, from the profile or from the folder; without either, nobody. */
static int
load_trust(struct inspection *in)
{
	struct inspect_job defaults;
	struct writer w;
	int err = 0;
	inspect_defaults(&defaults);
	in->m.scheme = (uint8_t)defaults.scheme;
	in->m.purpose = (uint8_t)defaults.policy.purpose;
	in->m.allow_leaf_anchor = defaults.policy.allow_leaf_anchor;
	if (!in->opt.profile && !in->opt.trust)
		return 0;
	writer_init(&w, TRUSTSET_MAX);
	if (in->opt.profile)
		err = cli_profile_load(in->opt.config ? in->opt.config : DEFAULT_CONFIG,
		    in->opt.profile, &in->m, &in->asked.proof_signs, &w);
	else
		err = cli_trust_folder(in->opt.trust, NULL, 0, TRUST_SCHEME_NONE, &w);
	if (!err) {
		in->trust_fd = memfd_sealed("trust", writer_view(&w));
		err = in->trust_fd < 0 ? in->trust_fd : 0;
	}
	writer_free(&w);
	in->m.have_trust = !err;
	if (err == FG_EINVAL)
		return EXIT_USAGE;
	return err ? EXIT_COULD_NOT : 0;
}

/* A short text and nothing but shown: it needs no stage of its own. */
static int
load_notes(struct inspection *in)
{
	uint8_t *text = NULL;
	size_t n = 0;
	if (!in->opt.notes)
		return 0;
	int err = cli_file_read(NULL, in->opt.notes, NOTES_FILE_MAX, &text, &n);
	if (!err)
		err = notes_take(view_of(text, n), &in->notes);
	free(text);
	if (!err) {
		in->asked.notes = &in->notes;
		return 0;
	}
	complain(in->opt.notes, err == FG_EINVAL ? "an empty text" : err_name(err));
	return err == FG_EINVAL || err == FG_ELIMIT ? EXIT_USAGE : EXIT_COULD_NOT;
}

static int
open_all(struct inspection *in)
{
	int status = open_input(in->opt.file, &in->image);
	if (!status)
		status = open_input(in->opt.against, &in->old);
	if (!status)
		status = open_input(in->opt.signature, &in->signature);
	if (!status)
		status = open_input(in->opt.target, &in->full);
	if (!status)
		status = open_input(in->opt.target_signature, &in->full_signature);
	if (!status)
		status = open_base(in);
	if (!status)
		status = load_history(in);
	if (!status)
		status = load_notes(in);
	if (!status)
		status = load_trust(in);
	if (!status)
		status = cli_aids_load(&in->opt.aids, &in->aids_fd, &in->asked);
	return status;
}

static void
close_all(struct inspection *in)
{
	const int fds[] = { in->image.fd, in->old.fd, in->signature.fd, in->trust_fd, in->base.fd, in->full.fd,
		in->full_signature.fd, in->aids_fd };
	for (unsigned i = 0; i < sizeof fds / sizeof fds[0]; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* ---- stages ---- */

static unsigned
wall(const struct inspection *in)
{
	return cli_job_wall(in->opt.timeout,
	    in->image.source.size + (in->opt.against ? in->old.source.size : 0));
}

static int
run_verify(struct inspection *in, struct cli_job *ret)
{
	int fds[WIRE_FDS_MAX];
	unsigned n = 0;
	in->m.job = 1;
	in->m.stage = MSG_STAGE_VERIFY;
	in->m.have_signature = in->signature.fd >= 0;
	fds[n++] = in->image.fd;
	if (in->m.have_signature)
		fds[n++] = in->signature.fd;
	if (in->m.have_trust)
		fds[n++] = in->trust_fd;
	return cli_job_run(&in->m, fds, n, wall(in), ret);
}

static void
fill_asked(struct inspection *in)
{
	struct report_asked *a = &in->asked;
	a->at = in->m.at;
	_Static_assert(sizeof a->profile >= sizeof in->m.profile, "names fit");
	memcpy(a->profile, in->m.profile, sizeof in->m.profile);
	memcpy(a->profile_sha256, in->m.profile_digest, sizeof a->profile_sha256);
	a->image_size = in->image.source.size;
	a->have_signature = in->signature.fd >= 0;
	a->have_trust = in->m.have_trust;
	a->require_signature = in->m.require_signature;
	a->have_old = in->old.fd >= 0;
}

static int
run_delta(const struct inspection *in, struct cli_delta *ret)
{
	const struct cli_delta_asked q = { .verify = &in->m,
		.asked = &in->asked,
		.patch_fd = in->image.fd,
		.base_fd = in->base.fd,
		.trust_fd = in->trust_fd,
		.signature_fd = in->full_signature.fd,
		.full_fd = in->full.fd,
		.format = in->opt.format,
		.aids_fd = in->aids_fd,
		.timeout = in->opt.timeout };
	return cli_delta_run(&q, ret);
}

/* As the gateway does: a delta of which nobody saw what it makes is taken apart by itself, beside an empty file. */
static int
open_unseen(struct inspection *in, const struct cli_job *verify, const struct cli_delta *delta)
{
	struct report_refusal why;
	if (in->asked.have_old || delta->target || verify->reply.end != REPORT_END_REPLIED)
		return 0;
	struct report *part = report_new(REPORT_VERIFY);
	if (!part)
		return FG_ENOMEM;
	bool is = report_parse(verify->reply.text, REPORT_VERIFY, part, &why) == 0 && report_is_delta(part);
	report_free(part);
	if (!is && !in->opt.format)
		return 0;
	in->old.fd = memfd_sealed("nothing", view_of(NULL, 0));
	in->asked.have_old = in->old.fd >= 0;
	return in->asked.have_old ? 0 : in->old.fd;
}

static int
run(struct inspection *in, struct cli_delta *delta, struct report *ret)
{
	struct cli_job verify = { 0 }, explain = { 0 };
	in->m.at = in->opt.at;
	fill_asked(in);
	int err = run_verify(in, &verify);
	if (!err && in->asked.have_base)
		err = run_delta(in, delta);
	if (!err)
		err = open_unseen(in, &verify, delta);
	if (!err && in->asked.have_old)
		err = cli_job_explain(2, in->image.fd, in->old.fd, in->aids_fd, in->opt.at, in->opt.timeout, &explain);
	if (err)
		complain("fotagate-inspect",
		    err == FG_ENOTFOUND ? "not beside this program" : err_name(err));
	else
		err = report_merge(&in->asked, &verify.reply, &explain.reply,
		    in->asked.have_base ? &delta->applied : NULL, ret);
	cli_job_end(&verify);
	cli_job_end(&explain);
	return err ? EXIT_COULD_NOT : 0;
}

/* What was asked to be kept of a target; nothing is written of one that was not made. */
static int
keep(const struct options *o, const struct cli_delta *delta)
{
	struct view target;
	if (!delta->target)
		return 0;
	int err = o->target_report
	            ? wholefile_replace(AT_FDCWD, o->target_report, writer_view(&delta->text), 0644)
	            : 0;
	if (err) {
		complain(o->target_report, strerror(errno));
		return EXIT_COULD_NOT;
	}
	if (!o->output_target)
		return 0;
	err = memfd_map(delta->fd, DELTA_TARGET_MAX, &target);
	if (!err) {
		err = wholefile_replace(AT_FDCWD, o->output_target, target, 0644);
		memfd_unmap(target);
	}
	if (!err)
		return 0;
	complain(o->output_target, err == FG_EIO ? strerror(errno) : "the target is empty");
	return EXIT_COULD_NOT;
}

static int
put_html(const char *path, const struct report *r, const uint8_t digest[DIGEST_SHA256_LEN])
{
	struct writer w;
	writer_init(&w, SHEET_MAX);
	sheet_html(r, digest, &w);
	int err = writer_err(&w);
	bool local = !err && (err = wholefile_replace(AT_FDCWD, path, writer_view(&w), 0644)) == FG_EIO;
	writer_free(&w);
	if (err)
		complain(path, local ? strerror(errno) : err_name(err));
	return err;
}

static int
print(const struct options *o, const struct report *r, const struct cli_delta *delta)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	struct writer text;
	writer_init(&text, REPORT_MAX);
	int err = report_encode(r, REPORT_MAX, &text);
	if (!err)
		err = report_digest(writer_view(&text), digest);
	if (!err && o->json) {
		/* Exactly the canonical bytes: `| sha256sum` names the report. A person gets a line end. */
		fwrite(writer_view(&text).p, 1, writer_view(&text).n, stdout);
		if (isatty(STDOUT_FILENO))
			putchar('\n');
	} else if (!err) {
		cli_page_print(stdout, r, digest, o->all);
		if (delta->target) {
			fputs("\nWhat the delta makes, as a full image\n\n", stdout);
			cli_page_print(stdout, delta->target, delta->applied.target_report, o->all);
		}
	}
	writer_free(&text);
	if (!err && o->html && put_html(o->html, r, digest))
		return EXIT_COULD_NOT;
	if (err || fflush(stdout) || ferror(stdout)) {
		complain("report", err ? err_name(err) : strerror(errno));
		return EXIT_COULD_NOT;
	}
	return report_verdict(r) == REPORT_ACCEPTABLE ? EXIT_ACCEPTABLE : EXIT_REFUSED;
}

int
cli_inspect(int argc, char **argv)
{
	struct inspection in = { .image.fd = -1, .old.fd = -1, .signature.fd = -1, .trust_fd = -1, .aids_fd = -1, .base.fd = -1,
		.full.fd = -1, .full_signature.fd = -1 };
	struct cli_delta delta = { .fd = -1 };
	int status = parse(argc, argv, &in.opt);
	if (status)
		return status;
	struct report *r = report_new(REPORT_WHOLE);
	status = r ? open_all(&in) : EXIT_COULD_NOT;
	if (!status)
		status = run(&in, &delta, r);
	if (!status)
		status = keep(&in.opt, &delta);
	if (!status)
		status = print(&in.opt, r, &delta);
	cli_delta_end(&delta);
	close_all(&in);
	report_free(r);
	return status;
}
