/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate import: an image that came by other ways than a fetch goes the same way from here on. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_delta.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verbs.h"

#define WAIT_S 3600        /* an image of many gigabytes is read several times */
#define LOOK_MS 250

struct import {
	struct cli_args args;
	const char *signature, *notes, *profile, *product, *version, *from, *resource, *url;
	bool no_wait, held;
	int64_t wait;
	char review[64], state[64], verdict[32], text[1024];
};

/* Before the image, which is then judged once, with them in its report. */
static int
bring_notes(struct import *in, struct cli_call *call)
{
	struct cli_request r;
	struct cli_reply reply;
	uint8_t sum[DIGEST_SHA256_LEN];
	char hex[DIGEST_HEX_LEN + 1];
	int image = cli_call_file(&in->args.common, in->args.at[0]);
	int fd = image < 0 ? -1 : cli_call_file(&in->args.common, in->notes);
	int err = fd < 0 ? FG_OK : cli_delta_digest(image, sum);
	if (image >= 0)
		close(image);
	if (fd < 0)
		return CLI_COULD_NOT;
	hex_encode(sum, sizeof sum, hex);
	hex[DIGEST_HEX_LEN] = '\0';
	cli_call_begin(&r);
	cli_call_text(&r, "image", hex);
	int status = err ? cli_opt_fail(&in->args.common, CLI_COULD_NOT, "FILE", NULL, "%s: %s", in->args.at[0], err_name(err)) :
	    cli_call_do(call, "notes.add", &r, &fd, 1, &reply);
	close(fd);
	if (status)
		return status;
	status = reply.status == CLI_DONE ? CLI_DONE : cli_call_refused(&in->args.common, &reply);
	cli_reply_free(&reply);
	return status;
}

static int
order(struct import *in, struct cli_call *call)
{
	struct cli_request r;
	struct cli_reply reply;
	int fds[2] = { cli_call_file(&in->args.common, in->args.at[0]), -1 };
	if (fds[0] < 0)
		return CLI_COULD_NOT;
	if (in->signature && (fds[1] = cli_call_file(&in->args.common, in->signature)) < 0) {
		close(fds[0]);
		return CLI_COULD_NOT;
	}
	cli_call_begin(&r);
	cli_call_text(&r, "from", in->from);
	cli_call_text(&r, "product", in->product);
	cli_call_text(&r, "profile", in->profile);
	cli_call_text(&r, "resource", in->resource);
	cli_call_text(&r, "url", in->url);
	cli_call_text(&r, "version", in->version);
	int status = cli_call_do(call, "import", &r, fds, fds[1] < 0 ? 1 : 2, &reply);
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	if (status)
		return status;
	if (reply.status != CLI_DONE) {
		status = cli_call_refused(&in->args.common, &reply);
	} else {
		json_cstr(json_get(json_root(reply.doc), "review"), in->review, sizeof in->review);
		json_cstr(json_get(json_root(reply.doc), "state"), in->state, sizeof in->state);
		if (in->args.common.json && in->no_wait)
			cli_print_json(stdout, reply.text);
		else if (!in->args.common.json)
			cli_print_field(stdout, "image", json_get(json_root(reply.doc), "sha256"));
	}
	cli_reply_free(&reply);
	return status;
}

/* 0 and state filled; with --json the last answer is printed when it is the last. */
static int
look(struct import *in, struct cli_call *call, bool *ret_judged)
{
	struct cli_request r;
	struct cli_reply reply;
	cli_call_begin(&r);
	cli_call_text(&r, "review", in->review);
	int status = cli_call_do(call, "review.show", &r, NULL, 0, &reply);
	if (status)
		return status;
	const struct json_value *root = json_root(reply.doc);
	if (reply.status != CLI_DONE) {
		status = cli_call_refused(&in->args.common, &reply);
	} else {
		json_cstr(json_get(root, "state"), in->state, sizeof in->state);
		json_cstr(json_get(root, "verdict"), in->verdict, sizeof in->verdict);
		json_cstr(json_get(root, "text"), in->text, sizeof in->text);
		json_bool(json_get(root, "held"), &in->held);
		*ret_judged = strcmp(in->state, "judging") != 0 || in->held;
		if (*ret_judged && in->args.common.json)
			cli_print_json(stdout, reply.text);
	}
	cli_reply_free(&reply);
	return status;
}

static int
wait_judged(struct import *in, struct cli_call *call)
{
	const struct timespec nap = { .tv_nsec = LOOK_MS * 1000000L };
	bool judged = false;
	int64_t looks = in->wait * 1000 / LOOK_MS;
	for (int status = 0; !judged; nanosleep(&nap, NULL)) {
		status = look(in, call, &judged);
		if (status)
			return status;
		if (!judged && looks-- <= 0)
			return cli_opt_fail(&in->args.common, CLI_COULD_NOT, "TIMEOUT", "It goes on: fotagate review show tells.",
			    "%s is still being judged", in->review);
		if (judged)
			break;
	}
	return in->held || strcmp(in->state, "blocked") == 0 || strcmp(in->state, "incident") == 0 ? CLI_REFUSED : CLI_DONE;
}

int
cli_import(int argc, char **argv)
{
	struct import in = { .wait = WAIT_S };
	const struct cli_opt opts[] = {
		{ "signature", CLI_OPT_TEXT, &in.signature, 0, 0, 0 },
		{ "notes", CLI_OPT_TEXT, &in.notes, 0, 0, 0 },
		{ "profile", CLI_OPT_TEXT, &in.profile, 0, 0, 0 },
		{ "product", CLI_OPT_TEXT, &in.product, 0, 0, 0 },
		{ "version", CLI_OPT_TEXT, &in.version, 0, 0, 0 },
		{ "from", CLI_OPT_TEXT, &in.from, 0, 0, 0 },
		{ "resource", CLI_OPT_TEXT, &in.resource, 0, 0, 0 },
		{ "url", CLI_OPT_TEXT, &in.url, 0, 0, 0 },
		{ "wait", CLI_OPT_NUMBER, &in.wait, 1, 86400, 0 },
		{ "no-wait", CLI_OPT_FLAG, &in.no_wait, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_call *call = NULL;
	int status = cli_opt_parse(argc, argv, opts,
	    "import FILE --profile NAME --product NAME --version VERSION [--signature FILE] [--notes FILE]\n"
	    "       [--from VERSION] [--resource ID | --url URL] [--wait SECONDS | --no-wait] [--json]", 1, 1, &in.args);
	if (status)
		return cli_opt_end(status);
	if (!in.profile || !in.product || !in.version)
		return cli_opt_fail(&in.args.common, CLI_USAGE, "USAGE",
		    "fotagate profile list and fotagate sighting list show the names.",
		    "an import needs --profile, --product and --version");
	status = cli_call_open(&in.args.common, &call);
	if (!status && in.notes)
		status = bring_notes(&in, call);
	if (!status)
		status = order(&in, call);
	if (!status && !in.no_wait)
		status = wait_judged(&in, call);
	cli_call_close(call);
	if (in.review[0] && !in.args.common.json) {
		cli_print_line(stdout, "review", "%s", in.review);
		cli_print_line(stdout, "state", "%s", in.state);
		if (in.text[0])
			cli_print_line(stdout, "", "%s", in.text);
		if (in.verdict[0])
			cli_print_line(stdout, "report says", "%s", in.verdict);
	}
	return status;
}
