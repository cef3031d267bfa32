/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate exposure: what holding back costs. */
#include <stdio.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

int
cli_exposure(int argc, char **argv)
{
	static const struct cli_column held[] = {
		{ "review", "id", 0 }, { "state", "state", 0 }, { "product", "product", 0 }, { "from", "from", 0 },
		{ "to", "target", 0 }, { "#days", "days", 0 }, { "#modules", "modules", 0 }, { "#of", "product_modules", 0 },
		{ "until", "deadline", 0 },
	};
	static const struct cli_column versions[] = { { "product", "product", 0 }, { "version", "version", 0 },
		{ "#modules", "modules", 0 } };
	static const struct cli_column data[] = { { "review", "review", 0 }, { "release", "release", 0 },
		{ "group", "group", 0 }, { "#modules", "modules", 0 }, { "#bytes", "bytes", 0 } };
	struct cli_args a;
	struct cli_reply reply;
	bool shown, csv = false, by_version = false, by_data = false;
	uint64_t rest = 0;
	const struct cli_opt opts[] = {
		{ "csv", CLI_OPT_FLAG, &csv, 0, 0, 0 },
		{ "data", CLI_OPT_FLAG, &by_data, 0, 0, 0 },
		{ "versions", CLI_OPT_FLAG, &by_version, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	int status = cli_opt_parse(argc, argv, opts, "exposure [--csv [--versions | --data]] [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_form(&a.common, csv))
		return CLI_USAGE;
	if ((by_version || by_data) && !csv)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "All are shown otherwise.", "--%s goes with --csv",
		    by_version ? "versions" : "data");
	if (by_version && by_data)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "", "a table is of versions or of data");
	status = cli_call_once(&a.common, "exposure.list", NULL, NULL, 0, &reply, &shown);
	if (shown && csv && by_data) {
		cli_print_rows_csv(stdout, json_get(json_root(reply.doc), "data"), data, sizeof data / sizeof data[0]);
	} else if (shown && csv) {
		const struct json_value *rows = json_get(json_root(reply.doc), by_version ? "versions" : "held");
		cli_print_rows_csv(stdout, rows, by_version ? versions : held,
		    by_version ? sizeof versions / sizeof versions[0] : sizeof held / sizeof held[0]);
	} else if (shown) {
		const struct json_value *root = json_root(reply.doc);
		cli_print_rows(stdout, json_get(root, "held"), held, sizeof held / sizeof held[0], "No update is held.");
		cli_print_rows(stdout, json_get(root, "versions"), versions, sizeof versions / sizeof versions[0], NULL);
		json_uint(json_get(root, "other_modules"), &rest);
		if (rest)
			printf("and %llu modules of other versions\n", (unsigned long long)rest);
		cli_print_rows(stdout, json_get(root, "data"), data, sizeof data / sizeof data[0], NULL);
	}
	cli_reply_free(&reply);
	return status;
}
