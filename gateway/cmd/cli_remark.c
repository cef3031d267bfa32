/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_remark.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_update.h"
#include "gateway/control/remarks.h"

static int
say(const struct cli_common *c, const char *request, struct cli_request *r, const int *fds, unsigned n)
{
	static const struct cli_label fields[] = { { "text", "text" }, { "file", "name" }, { "sha256", "file" }, { "by", "who" } };
	struct cli_reply reply;
	bool shown;
	int status = cli_call_once(c, request, r, fds, n, &reply, &shown);
	if (shown)
		cli_print_fields(stdout, json_get(json_root(reply.doc), "remark"), fields, sizeof fields / sizeof fields[0]);
	cli_reply_free(&reply);
	return status;
}

int
cli_remark_comment(int argc, char **argv)
{
	struct cli_args a;
	struct cli_request r;
	int status = cli_opt_parse(argc, argv, NULL, "review comment REVIEW TEXT [--json]", 2, 2, &a);
	if (status)
		return cli_opt_end(status);
	cli_call_begin(&r);
	cli_call_text(&r, "review", a.at[0]);
	cli_call_text(&r, "text", a.at[1]);
	return say(&a.common, "review.comment", &r, NULL, 0);
}

int
cli_remark_attach(int argc, char **argv)
{
	struct cli_args a;
	const char *text = NULL;
	const struct cli_opt opts[] = {
		{ "text", CLI_OPT_TEXT, &text, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	int status = cli_opt_parse(argc, argv, opts, "review attach REVIEW FILE [--text TEXT] [--json]", 2, 2, &a);
	if (status)
		return cli_opt_end(status);
	const char *slash = strrchr(a.at[1], '/');
	int fd = cli_call_file(&a.common, a.at[1]);
	if (fd < 0)
		return CLI_COULD_NOT;
	cli_call_begin(&r);
	cli_call_text(&r, "name", slash ? slash + 1 : a.at[1]);
	cli_call_text(&r, "review", a.at[0]);
	cli_call_text(&r, "text", text);
	status = say(&a.common, "review.attach", &r, &fd, 1);
	close(fd);
	return status;
}

int
cli_remark_attachment(int argc, char **argv)
{
	struct cli_args a;
	const char *out = NULL;
	const struct cli_opt opts[] = {
		{ "output", CLI_OPT_TEXT, &out, 0, 0, 'o' },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_call *call = NULL;
	struct cli_place place = { 0 };
	struct writer w;
	int status = cli_opt_parse(argc, argv, opts, "review attachment SHA256 -o FILE", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!out)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", NULL, "say with -o where to write it");
	writer_init(&w, REMARKS_FILE_MAX);
	status = cli_call_open(&a.common, &call);
	int err = status ? FG_OK : cli_update_document(call, "attachment", a.at[0], REMARKS_FILE_MAX, &w);
	if (err == FG_ENOTFOUND)
		status = cli_opt_fail(&a.common, CLI_REFUSED, "NOT-FOUND", "fotagate review show names them.",
		    "there is no such file");
	else if (err == FG_EIO)
		status = CLI_COULD_NOT; /* which was said */
	else if (err)
		status = cli_opt_fail(&a.common, CLI_COULD_NOT, "LOCAL", "Ask the gateway's administrators.",
		    "what came is another file than was asked for: %s", err_why(err));
	if (!status)
		status = cli_place_file(&a.common, &place, out, 0644, writer_view(&w));
	cli_place_end(&place);
	cli_call_close(call);
	writer_free(&w);
	return status;
}
