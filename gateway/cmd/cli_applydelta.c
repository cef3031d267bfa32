/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_applydelta.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonw.h"
#include "crypto/reader.h"
#include "crypto/visible.h"
#include "gateway/cmd/cli_opt.h"
#include "gateway/cmd/cli_tool.h"
#include "images/format.h"

#define ASIDE ".making" /* beside the output, until it is whole */
#define MADE_LEN (DIGEST_SHA256_LEN + 8 + 8 + 1) /* what fotagate-inspect --apply-delta writes */
#define WHY_MAX 400
#define INSPECT_REFUSED 76 /* fotagate-inspect(8) */

enum file { BASE = 0, TARGET, PATCH, BONUS, FILES };

struct applying {
	struct cli_args a;
	const char *base, *format, *bonus, *output;
	char aside[CLI_OPT_PATH_MAX + sizeof ASIDE];
	int fd[FILES];
	uint8_t target[DIGEST_SHA256_LEN];
	uint64_t size, from_base;
	bool checked;
};

static int
open_all(struct applying *k)
{
	const struct cli_common *c = &k->a.common;
	const char *const names[FILES] = { [BASE] = k->base, [PATCH] = k->a.at[0], [BONUS] = k->bonus };
	for (int i = 0; i < FILES; i++) {
		if (!names[i])
			continue;
		k->fd[i] = open(names[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (k->fd[i] < 0)
			return cli_opt_fail(c, CLI_COULD_NOT, "FILE", NULL, "%s: %s", names[i], strerror(errno));
	}
	if (access(k->output, F_OK) == 0)
		return cli_opt_fail(c, CLI_REFUSED, "EXISTS", "Take it away first, or name another.", "%s is there", k->output);
	if (snprintf(k->aside, sizeof k->aside, "%s" ASIDE, k->output) >= (int)sizeof k->aside)
		return cli_opt_fail(c, CLI_USAGE, "USAGE", NULL, "the name of the output is too long");
	k->fd[TARGET] = open(k->aside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (k->fd[TARGET] < 0)
		return cli_opt_fail(c, CLI_COULD_NOT, "FILE",
		    errno == EEXIST ? "It was left by an earlier one; take it away." : NULL, "%s: %s", k->aside, strerror(errno));
	return 0;
}

static int
apply(struct applying *k)
{
	const struct cli_common *c = &k->a.common;
	uint8_t said[WHY_MAX];
	char why[WHY_MAX];
	struct reader r;
	size_t n = 0;
	int rc = cli_tool_run("--apply-delta", k->format ? k->format : "auto", k->fd, k->bonus ? FILES : BONUS, said, sizeof said,
	    &n);
	if (rc == INSPECT_REFUSED) {
		visible_cstr(view_of(said, n), why, sizeof why);
		return cli_opt_fail(c, CLI_REFUSED, "DELTA", "fotagate inspect --base says more.", "%s", why);
	}
	reader_init(&r, view_of(said, n));
	reader_copy(&r, k->target, sizeof k->target);
	k->size = reader_u64(&r);
	k->from_base = reader_u64(&r);
	k->checked = reader_u8(&r) != 0;
	if (rc == 0 && reader_end(&r) && n == MADE_LEN)
		return 0;
	return cli_opt_fail(c, CLI_COULD_NOT, "DELTA-INSPECTOR", "fotagate-inspect belongs beside fotagate.",
	    rc < 0 ? "no inspector could be started: %s" : "the inspector that applies the delta ended otherwise than it should%s",
	    rc < 0 ? err_why(rc) : "");
}

/* Under its own name, which nobody has taken meanwhile. */
static int
name_it(struct applying *k)
{
	if (fsync(k->fd[TARGET]) || link(k->aside, k->output))
		return cli_opt_fail(&k->a.common, CLI_COULD_NOT, "FILE", NULL, "%s: %s", k->output, strerror(errno));
	return 0;
}

static void
print(const struct applying *k)
{
	char hex[DIGEST_HEX_LEN + 1];
	struct writer w;
	struct jsonw j;
	hex_encode(k->target, sizeof k->target, hex);
	hex[DIGEST_HEX_LEN] = '\0';
	if (!k->a.common.json) {
		printf("target   sha256:%s %" PRIu64 " bytes, of which %" PRIu64 " are the base's, unchanged\n", hex, k->size,
		    k->from_base);
		puts(k->checked ? "A checksum that the delta carries fits."
		                : "The delta carries no checksum: another base of the same size makes something else.");
		return;
	}
	writer_init(&w, 1024);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kbool(&j, "checked", k->checked);
	jsonw_kuint(&j, "from_base", k->from_base);
	jsonw_kcstr(&j, "sha256", hex);
	jsonw_kuint(&j, "size", k->size);
	jsonw_object_end(&j);
	printf("%.*s\n", (int)w.n, (const char *)w.p);
	writer_free(&w);
}

int
cli_applydelta(int argc, char **argv)
{
	struct applying k = { .fd = { -1, -1, -1, -1 } };
	const struct cli_opt opts[] = {
		{ "base", CLI_OPT_TEXT, &k.base, 0, 0, 0 },
		{ "format", CLI_OPT_TEXT, &k.format, 0, 0, 0 },
		{ "bonus", CLI_OPT_TEXT, &k.bonus, 0, 0, 0 },
		{ "output", CLI_OPT_TEXT, &k.output, 0, 0, 'o' },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	int status = cli_opt_parse(argc, argv, opts,
	    "delta apply PATCH --base BASE --output FILE [--format FORMAT] [--bonus FILE] [--json]", 1, 1, &k.a);
	if (status)
		return cli_opt_end(status);
	if (!k.base || !k.output)
		return cli_opt_fail(&k.a.common, CLI_USAGE, "USAGE", "fotagate delta apply --help says how.",
		    "it takes --base and --output");
	if (k.format && format_kind(format_find(view_str(k.format))) != FORMAT_KIND_DELTA)
		return cli_opt_fail(&k.a.common, CLI_USAGE, "USAGE", "See fotagate-report(5) for their names.",
		    "%s is no format of deltas", k.format);
	status = open_all(&k);
	if (!status)
		status = apply(&k);
	if (!status)
		status = name_it(&k);
	if (!status)
		print(&k);
	if (k.fd[TARGET] >= 0)
		unlink(k.aside);
	for (int i = 0; i < FILES; i++)
		if (k.fd[i] >= 0)
			close(k.fd[i]);
	return status;
}
