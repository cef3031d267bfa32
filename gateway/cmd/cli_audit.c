/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate audit: looking at the log, and taking away what proves it. */
#include <inttypes.h>
#include <stdio.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "crypto/receipt.h"
#include "gateway/cmd/cli_adopt.h"
#include "gateway/cmd/cli_export.h"
#include "gateway/cmd/cli_forward.h"
#include "gateway/cmd/cli_log.h"
#include "gateway/cmd/cli_notify.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_repair.h"
#include "gateway/cmd/cli_tail.h"
#include "gateway/cmd/cli_verbs.h"
#include "gateway/cmd/cli_witness.h"
#include "gateway/view/rfc5424.h"

/* ---- checkpoint, proof ---- */

/* A text of many lines whose every byte may be shown (a note holds one dash beyond ASCII). */
static void
print_note(const struct json_value *v)
{
	struct view s;
	if (json_string(v, &s))
		fwrite(s.p, 1, s.n, stdout);
}

static bool
is_note(const struct json_value *v)
{
	struct view s;
	if (!json_string(v, &s) || !s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool dash = i + 3 <= s.n && memcmp(s.p + i, "\xe2\x80\x94", 3) == 0;
		if (dash)
			i += 2;
		else if (s.p[i] != '\n' && (s.p[i] < 0x20 || s.p[i] > 0x7e))
			return false;
	}
	return true;
}

static int
checkpoint(int argc, char **argv)
{
	struct cli_args a;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, NULL, "audit checkpoint [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	status = cli_call_once(&a.common, "audit.head", NULL, NULL, 0, &reply, &shown);
	if (shown) {
		const struct json_value *text = json_get(json_root(reply.doc), "checkpoint");
		if (is_note(text))
			print_note(text);
		else
			status = cli_opt_fail(&a.common, CLI_COULD_NOT, "NOT-FOUND",
			    "The first is signed within a minute of the first start.", "there is no checkpoint yet");
	}
	cli_reply_free(&reply);
	return status;
}

/* Does the receipt lead from the entry to the root it carries? Whose signature that root has, fotagate-verify tells. */
static bool
proves(const struct receipt *r, struct view entry)
{
	struct merkle *m = merkle_new();
	struct checkpoint head;
	uint8_t leaf[MERKLE_HASH_LEN];
	bool proven = false;
	if (m && cli_log_parse(r->note, &head) && merkle_leaf(m, entry, leaf) == FG_OK &&
	    merkle_verify_inclusion(m, r->index, head.size, leaf, &r->proof, head.root, &proven) != FG_OK)
		proven = false;
	merkle_free(m);
	return proven;
}

/* The receipt with its entry inside, so that it is one file that speaks for itself. 0 or a negative fg_err. */
static int
complete(const struct json_value *root, uint64_t index, struct writer *w)
{
	struct view text, entry;
	struct writer store;
	struct receipt r;
	writer_init(&store, RECEIPT_EXTRA_MAX);
	int err = FG_EFORMAT;
	if (json_string(json_get(root, "receipt"), &text) && json_string(json_get(root, "entry"), &entry))
		err = receipt_parse(text, &store, &r);
	if (!err && (r.index != index || !proves(&r, entry)))
		err = FG_EFORMAT;
	if (!err) {
		r.extra = entry;
		err = receipt_encode(&r, w);
	}
	writer_free(&store);
	return err;
}

static int
take_proof(const struct cli_common *c, const struct json_value *root, uint64_t index, const char *out)
{
	struct cli_place place = { 0 };
	struct writer w;
	writer_init(&w, RECEIPT_SIZE_MAX);
	int err = complete(root, index, &w), status = 0;
	if (err)
		status = cli_opt_fail(c, CLI_REFUSED, "LOG", "fotagate status tells what is known about the log.",
		    "what the gateway handed out does not prove entry %" PRIu64 ": %s", index, err_name(err));
	else if (out)
		status = cli_place_file(c, &place, out, 0644, writer_view(&w));
	else if (!c->json)
		fwrite(w.p, 1, w.n, stdout); /* a note and base64: receipt_parse let nothing else through */
	cli_place_end(&place);
	writer_free(&w);
	return status;
}

static int
proof(int argc, char **argv)
{
	struct cli_args a;
	const char *out = NULL;
	const struct cli_opt opts[] = {
		{ "output", CLI_OPT_TEXT, &out, 0, 0, 'o' },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	uint64_t index;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts, "audit proof INDEX [-o FILE] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!decimal_parse(view_str(a.at[0]), JSON_INT_MAX - 1, &index))
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "The number that fotagate audit tail shows first.",
		    "%s: not the number of an entry", a.at[0]);
	cli_call_begin(&r);
	jsonw_kuint(&r.j, "index", index);
	status = cli_call_once(&a.common, "audit.proof", &r, NULL, 0, &reply, &shown);
	if (!status)
		status = take_proof(&a.common, json_root(reply.doc), index, out);
	cli_reply_free(&reply);
	return status;
}

/* ---- export ---- */

static int
export(int argc, char **argv)
{
	struct cli_args a;
	const char *authority = NULL, *format = NULL;
	enum formats view;
	int64_t pen = RFC5424_PEN_DOC;
	const struct cli_opt opts[] = {
		{ "authority", CLI_OPT_TEXT, &authority, 0, 0, 0 },
		{ "format", CLI_OPT_TEXT, &format, 0, 0, 0 },
		{ "pen", CLI_OPT_NUMBER, &pen, 1, UINT32_MAX, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	int status = cli_opt_parse(argc, argv, opts, "audit export DIR [--authority FOLDER] [--json]\n"
	    "       fotagate audit export --format FORMAT [--pen N] FILE", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!cli_tail_format(&a.common, format, &view))
		return CLI_USAGE;
	if (view)
		return cli_tail_export(&a.common, view, pen, a.at[0]);
	return cli_export_run(&a.common, a.at[0], authority);
}

int
cli_audit(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "tail", cli_tail, "the latest entries" },
		{ "forward", cli_forward, "every entry and checkpoint to a collector, for as long as it runs" },
		{ "notify", cli_notify, "what people should look at to a webhook or by mail, for as long as it runs" },
		{ "witness", cli_witness, "every checkpoint to witnesses elsewhere, and their signatures back" },
		{ "checkpoint", checkpoint, "the signed head of the log, to be remembered elsewhere" },
		{ "proof", proof, "a receipt: that an entry is in the log" },
		{ "export", export, "everything an auditor needs, in a folder" },
		{ "repair", cli_repair, "with the gateway stopped: a log that is damaged or shorter than it was, from an export" },
		{ "adopt", cli_adopt, "with the gateway stopped: a copied log goes on here, and nowhere else" },
	};
	return cli_opt_sub("audit", subs, sizeof subs / sizeof subs[0], argc, argv);
}
