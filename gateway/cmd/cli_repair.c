/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_repair.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/genesis.h"
#include "crypto/jsonw.h"
#include "gateway/audit/condemned.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_genesis.h"
#include "gateway/cmd/cli_manifest.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_policies.h"
#include "gateway/cmd/cli_sets.h"

/* The log's key, as genesis names it: no secret is needed to repair. 0 or an exit status after saying why. */
static int
log_key(const struct cli_common *c, const char *data, struct note_key *ret)
{
	char path[CLI_OPT_PATH_MAX], why[160] = "";
	uint8_t *bytes = NULL;
	size_t n = 0;
	if (!cli_place_path(data, "authority/genesis.json", path))
		return CLI_USAGE;
	struct genesis *g = calloc(1, sizeof *g);
	int err = g ? cli_file_read(NULL, path, GENESIS_BYTES_MAX, &bytes, &n) : FG_ENOMEM;
	if (!err)
		err = genesis_parse(view_of(bytes, n), g, why, sizeof why);
	if (!err)
		err = note_key_parse(view_str(g->log_vkey), ret);
	free(bytes);
	free(g);
	return err ? cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", "Say with --dir where the gateway lies; root may read all of it.",
	    "%s: %s", path, why[0] ? why : err_why(err)) : 0;
}

static int
open_folder(const struct cli_common *c, const char *path, int *ret)
{
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, strerror(errno)) : 0;
}

static int
failed(const struct cli_common *c, const char *from, int err, const struct rebuild *r)
{
	if (err == FG_EPERM)
		return cli_opt_fail(c, CLI_REFUSED, "LOG",
		    "Nothing was changed. The newest export or copy of the log is the one to take.", "%s: %s", from, r->why);
	if (err == FG_ESTATE)
		return cli_opt_fail(c, CLI_REFUSED, "RUNNING", "Stop fotagated first.", "the log is open: the gateway runs");
	return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", "It can be run again; until it ends well the log stays condemned.",
	    "the log could not be repaired: %s", err_why(err));
}

/* A script that reads no more than whether there is an error must not start a gateway that permits nothing. */
static void
put_lacking(struct jsonw *j, const char *id, const char *cure, const char *folder, const char *what, uint32_t first, uint32_t n)
{
	char text[160];
	int len = snprintf(text, sizeof text, "the log is whole again, and authority/%s lacks %s %u", folder, what, first);
	if (n > 1)
		snprintf(text + len, sizeof text - (size_t)len, " to %u", first + n - 1);
	jsonw_key(j, "error");
	jsonw_object(j);
	jsonw_kcstr(j, "cure", cure);
	jsonw_kcstr(j, "id", id);
	jsonw_kcstr(j, "text", text);
	jsonw_object_end(j);
}

static void
show(const struct cli_common *c, const struct rebuild *r, bool genesis, const struct cli_sets *sets,
    const struct cli_policies *policies)
{
	struct writer w;
	struct jsonw j;
	if (!c->json) {
		printf("The log is whole again: %" PRIu64 " signed entries", r->size);
		if (r->kept)
			printf(", and %" PRIu64 " behind them that were durable here", r->kept);
		printf(".\nWhat was there before is kept as audit/log%s and audit/wal%s.\n", r->aside, r->aside);
		if (genesis)
			printf("The genesis that the log begins with is in place again, with its signatures.\n");
		if (sets->put)
			printf("Signer sets that the log has and authority/signers had not are in place: %u.\n", sets->put);
		if (policies->put)
			printf("Policies that the log has and authority/policy had not are in place: %u.\n", policies->put);
		return;
	}
	writer_init(&w, 1024);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "aside", r->aside);
	if (sets->lacking)
		put_lacking(&j, "SIGNERS", CLI_SETS_CURE, "signers",
		    sets->lacking == 1 ? "signer set" : "signer sets", sets->first, sets->lacking);
	else if (policies->lacking)
		put_lacking(&j, "POLICY", CLI_POLICIES_CURE, "policy",
		    policies->lacking == 1 ? "policy" : "policies", policies->first, policies->lacking);
	jsonw_kbool(&j, "genesis", genesis);
	jsonw_kuint(&j, "kept", r->kept);
	jsonw_kuint(&j, "policies", policies->put);
	jsonw_kuint(&j, "policies_lacking", policies->lacking);
	jsonw_kuint(&j, "sets", sets->put);
	jsonw_kuint(&j, "sets_lacking", sets->lacking);
	jsonw_kuint(&j, "size", r->size);
	jsonw_object_end(&j);
	if (!writer_err(&w))
		printf("%.*s\n", (int)w.n, (const char *)w.p);
	writer_free(&w);
}

/* Of a backup its export is meant. */
static const char *
source_of(const char *from, char path[CLI_OPT_PATH_MAX])
{
	if (!cli_place_path(from, CLI_MANIFEST_FILE, path) || access(path, F_OK) || !cli_place_path(from, "log", path))
		return from;
	return path;
}

int
cli_repair_log(const struct cli_common *c, const char *data, const char *from, const char *how, struct rebuild *ret)
{
	char path[CLI_OPT_PATH_MAX];
	struct note_key key;
	int audit = -1, source = -1;
	int status = cli_place_path(data, "audit", path) ? log_key(c, data, &key) : CLI_USAGE;
	if (!status)
		status = open_folder(c, path, &audit);
	if (!status)
		status = open_folder(c, from, &source);
	if (!status) {
		int err = rebuild_log(audit, source, &key, (int64_t)time(NULL), ret);
		if (!err && how)
			err = condemned_pardon(audit, how);
		status = err ? failed(c, from, err, ret) : 0;
	}
	if (audit >= 0)
		close(audit);
	if (source >= 0)
		close(source);
	return status;
}

int
cli_repair(int argc, char **argv)
{
	struct cli_args a;
	const char *from = NULL;
	struct cli_sets sets;
	struct cli_policies policies = { 0 };
	bool genesis = false;
	const struct cli_opt opts[] = {
		{ "from", CLI_OPT_TEXT, &from, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	char data[CLI_OPT_PATH_MAX], source[CLI_OPT_PATH_MAX];
	struct rebuild r;
	int status = cli_opt_parse(argc, argv, opts, "audit repair --from DIR [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (!from)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE",
		    "An export (fotagate audit export), a backup, or a copy of audit/log.",
		    "--from is missing: what the log is to be repaired with");
	if (!cli_opt_data_path(&a.common, ".", data))
		return CLI_USAGE;
	from = source_of(from, source);
	status = cli_genesis_mend(&a.common, data, from, &genesis);
	if (!status)
		status = cli_repair_log(&a.common, data, from, NULL, &r);
	if (!status)
		status = cli_sets_mend(&a.common, data, from, &r, &sets);
	/* Policies rest on signer sets: without those nobody can say which of them people signed. */
	if (!status && !sets.lacking)
		status = cli_policies_mend(&a.common, data, from, &r, &policies);
	if (status)
		return status;
	show(&a.common, &r, genesis, &sets, &policies);
	return sets.lacking || policies.lacking ? CLI_REFUSED : CLI_DONE;
}
