/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_mkdelta.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonw.h"
#include "crypto/reader.h"
#include "gateway/cmd/cli_applydelta.h"
#include "gateway/cmd/cli_opt.h"
#include "gateway/cmd/cli_tool.h"

#define ASIDE ".making" /* beside the output, until it is proved */
#define PROOF_LEN (3 * DIGEST_SHA256_LEN + 8) /* what fotagate-inspect --prove-delta writes */
#define FDS 3 /* base, target, delta */
#define INSPECT_LIMIT 73    /* fotagate-inspect(8) */
#define INSPECT_NO_PROOF 74

struct proof {
	uint8_t from[DIGEST_SHA256_LEN], to[DIGEST_SHA256_LEN], delta[DIGEST_SHA256_LEN];
	uint64_t from_base;
};

struct making {
	struct cli_args a;
	const char *from, *to, *format, *output;
	char aside[CLI_OPT_PATH_MAX + sizeof ASIDE];
	int fd[FDS]; /* base, target, delta */
};

/* ---- an inspector ---- */

static int
inspect(struct making *k, const char *mode, uint8_t said[PROOF_LEN + 1], size_t *ret_n)
{
	return cli_tool_run(mode, k->format, k->fd, FDS, said, PROOF_LEN + 1, ret_n);
}

static int
stage_failed(struct making *k, const char *what, int rc)
{
	const struct cli_common *c = &k->a.common;
	if (rc == INSPECT_LIMIT)
		return cli_opt_fail(c, CLI_REFUSED, "DELTA-LIMIT", "Make a VCDIFF delta, which takes larger images.",
		    "the images are too large for %s", k->format);
	if (rc == INSPECT_NO_PROOF)
		return cli_opt_fail(c, CLI_COULD_NOT, "DELTA-NO-PROOF", "Try again; if it stays so, this is a fault of ours.",
		    "what was made does not make %s of %s: an image changed meanwhile, or the maker is wrong", k->to, k->from);
	if (rc < 0)
		return cli_opt_fail(c, CLI_COULD_NOT, "DELTA-INSPECTOR", "fotagate-inspect belongs beside fotagate.",
		    "no inspector could be started: %s", err_why(rc));
	return cli_opt_fail(c, CLI_COULD_NOT, "DELTA-INSPECTOR", NULL, "the inspector that %s ended with %d", what, rc);
}

static int
prove(struct making *k, struct proof *ret)
{
	uint8_t said[PROOF_LEN + 1];
	struct reader r;
	size_t n = 0;
	int rc = inspect(k, "--prove-delta", said, &n);
	if (rc != 0)
		return stage_failed(k, "applies the delta back", rc);
	reader_init(&r, view_of(said, n));
	reader_copy(&r, ret->from, sizeof ret->from);
	reader_copy(&r, ret->to, sizeof ret->to);
	reader_copy(&r, ret->delta, sizeof ret->delta);
	ret->from_base = reader_u64(&r);
	return reader_end(&r) ? 0 : stage_failed(k, "applies the delta back", 0);
}

/* ---- files ---- */

static int
open_all(struct making *k)
{
	const struct cli_common *c = &k->a.common;
	const char *const names[2] = { k->from, k->to };
	for (int i = 0; i < 2; i++) {
		k->fd[i] = open(names[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (k->fd[i] < 0)
			return cli_opt_fail(c, CLI_COULD_NOT, "FILE", NULL, "%s: %s", names[i], strerror(errno));
	}
	if (access(k->output, F_OK) == 0)
		return cli_opt_fail(c, CLI_REFUSED, "EXISTS", "Take it away first, or name another.", "%s is there", k->output);
	if (snprintf(k->aside, sizeof k->aside, "%s" ASIDE, k->output) >= (int)sizeof k->aside)
		return cli_opt_fail(c, CLI_USAGE, "USAGE", NULL, "the name of the output is too long");
	k->fd[2] = open(k->aside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (k->fd[2] < 0)
		return cli_opt_fail(c, CLI_COULD_NOT, "FILE",
		    errno == EEXIST ? "It was left by an earlier one; take it away." : NULL, "%s: %s", k->aside,
		    strerror(errno));
	return 0;
}

/* Under its own name, which nobody has taken meanwhile. */
static int
name_it(struct making *k)
{
	if (fsync(k->fd[2]) || link(k->aside, k->output))
		return cli_opt_fail(&k->a.common, CLI_COULD_NOT, "FILE", NULL, "%s: %s", k->output, strerror(errno));
	return 0;
}

static uint64_t
size_of(int fd)
{
	off_t n = lseek(fd, 0, SEEK_END);
	return n < 0 ? 0 : (uint64_t)n;
}

/* ---- the answer ---- */

static void
print_json(const struct making *k, const struct proof *p)
{
	static const char *const names[FDS] = { "base", "target", "delta" };
	const uint8_t *const sums[FDS] = { p->from, p->to, p->delta };
	static const int order[FDS] = { 0, 2, 1 };
	struct writer w;
	struct jsonw j;
	writer_init(&w, 4096);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	for (int i = 0; i < FDS; i++) {
		if (i == 2) {
			jsonw_kcstr(&j, "format", k->format);
			jsonw_kuint(&j, "from_base", p->from_base);
		}
		jsonw_key(&j, names[order[i]]);
		jsonw_object(&j);
		jsonw_khex(&j, "sha256", sums[order[i]], DIGEST_SHA256_LEN);
		jsonw_kuint(&j, "size", size_of(k->fd[order[i]]));
		jsonw_object_end(&j);
	}
	jsonw_object_end(&j);
	printf("%.*s\n", (int)w.n, (const char *)w.p);
	writer_free(&w);
}

static void
print_line(const char *what, int fd, const uint8_t sum[DIGEST_SHA256_LEN])
{
	char hex[DIGEST_HEX_LEN + 1];
	hex_encode(sum, DIGEST_SHA256_LEN, hex);
	hex[DIGEST_HEX_LEN] = '\0';
	printf("%-8s sha256:%s %" PRIu64 " bytes\n", what, hex, size_of(fd));
}

static void
print(const struct making *k, const struct proof *p)
{
	if (k->a.common.json) {
		print_json(k, p);
		return;
	}
	print_line("base", k->fd[0], p->from);
	print_line("target", k->fd[1], p->to);
	print_line("delta", k->fd[2], p->delta);
	printf("Applied back by another process, it makes the target; %" PRIu64 " bytes of that are the base's, unchanged.\n",
	    p->from_base);
}

/* ---- make ---- */

static int
make(int argc, char **argv)
{
	struct making k = { .fd = { -1, -1, -1 } };
	const struct cli_opt opts[] = {
		{ "from", CLI_OPT_TEXT, &k.from, 0, 0, 0 },
		{ "to", CLI_OPT_TEXT, &k.to, 0, 0, 0 },
		{ "format", CLI_OPT_TEXT, &k.format, 0, 0, 0 },
		{ "output", CLI_OPT_TEXT, &k.output, 0, 0, 'o' },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct proof p = { .from_base = 0 };
	uint8_t said[PROOF_LEN + 1];
	size_t n = 0;
	int status = cli_opt_parse(argc, argv, opts,
	    "delta make --from OLD --to NEW --format bsdiff40|vcdiff --output FILE [--json]", 0, 0, &k.a);
	if (status)
		return cli_opt_end(status);
	if (!k.from || !k.to || !k.output || !k.format ||
	    (strcmp(k.format, "bsdiff40") != 0 && strcmp(k.format, "vcdiff") != 0))
		return cli_opt_fail(&k.a.common, CLI_USAGE, "USAGE", "fotagate delta make --help says how.",
		    "it takes --from, --to, --output, and --format bsdiff40 or vcdiff");
	status = open_all(&k);
	if (!status) {
		int rc = inspect(&k, "--make-delta", said, &n);
		status = rc == 0 ? 0 : stage_failed(&k, "makes the delta", rc);
	}
	if (!status)
		status = prove(&k, &p);
	if (!status)
		status = name_it(&k);
	if (!status)
		print(&k, &p);
	if (k.fd[2] >= 0)
		unlink(k.aside);
	for (int i = 0; i < FDS; i++)
		if (k.fd[i] >= 0)
			close(k.fd[i]);
	return status;
}

int
cli_mkdelta(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "apply", cli_applydelta, "what a delta makes of a base, by the code that judges deltas" },
		{ "make", make, "a delta out of two full images, applied back before it is kept" },
	};
	return cli_opt_sub("delta", subs, sizeof subs / sizeof subs[0], argc, argv);
}
