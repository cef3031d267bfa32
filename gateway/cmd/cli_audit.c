/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate audit: looking at the log, and taking away what proves it. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "crypto/decimal.h"
#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/receipt.h"
#include "crypto/stamp.h"
#include "gateway/cmd/cli_export.h"
#include "gateway/cmd/cli_log.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verbs.h"

#define TAIL_LINES 20
#define RETRIES 10     /* times the log may grow under our hands before we say so */
#define LOOK_S 1

/* ---- tail ---- */

static void
print_view(const char *before, struct view v)
{
	if (v.n && cli_print_is_plain(v))
		printf("%s%.*s", before, (int)v.n, (const char *)v.p);
}

static void
print_entry(const struct cli_common *c, struct view line)
{
	struct json *doc = NULL;
	struct entry e;
	char at[STAMP_US_CAP] = "?";
	if (!cli_print_is_plain(line))
		return; /* no entry of ours */
	if (c->json || entry_parse(line, &doc, &e, NULL)) {
		printf("%.*s\n", (int)line.n, (const char *)line.p);
		return;
	}
	if (stamp_format_us(e.t_us, at))
		at[0] = '\0';
	printf("%6" PRIu64 "  %.23sZ  ", e.seq, at);
	printf("%-20.*s", (int)e.ev_text.n, (const char *)e.ev_text.p);
	printf(" %-7.*s", (int)e.out.n, e.out.n ? (const char *)e.out.p : "");
	print_view(" ", e.act);
	print_view(" -> ", e.obj);
	print_view(": ", e.msg);
	putchar('\n');
	json_free(doc);
}

/* Entries from `from` up to the head; *ret_next is where to go on. 0, FG_ENOTFOUND to ask again, or an error. */
static int
print_from(struct cli_log *l, uint64_t from, uint64_t *ret_next)
{
	struct writer w;
	struct tile_bundle b;
	struct view line;
	unsigned width = 0;
	int err = 0;
	writer_init(&w, TILE_BUNDLE_MAX);
	while (!err && from < l->head.size) {
		uint64_t at = from / TILE_WIDTH * TILE_WIDTH;
		err = cli_log_bundle(l, from / TILE_WIDTH, &w, &width);
		if (err)
			break;
		tile_bundle_begin(&b, writer_view(&w), width);
		int more;
		for (; (more = tile_bundle_next(&b, &line)) > 0; at++) {
			if (at < from)
				continue;
			print_entry(l->common, line);
			from = at + 1;
		}
		err = more < 0 ? more : 0;
		*ret_next = from;
	}
	writer_free(&w);
	fflush(stdout);
	return err;
}

static int
tail_once(struct cli_log *l, uint64_t *next)
{
	for (unsigned tries = 0;; tries++) {
		int status = cli_log_head(l);
		if (status)
			return status;
		int err = print_from(l, *next, next);
		if (!err)
			return 0;
		if (err != FG_ENOTFOUND)
			return CLI_COULD_NOT;
		if (tries == RETRIES)
			return cli_opt_fail(l->common, CLI_COULD_NOT, "LOG", "fotagate status tells what is known about the log.",
			    "tiles of the published log are missing");
	}
}

static int
tail(int argc, char **argv)
{
	struct cli_args a;
	int64_t lines = TAIL_LINES;
	bool follow = false;
	const struct cli_opt opts[] = {
		{ "lines", CLI_OPT_NUMBER, &lines, 0, 1000000000, 'n' },
		{ "follow", CLI_OPT_FLAG, &follow, 0, 0, 'f' },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	const struct timespec nap = { .tv_sec = LOOK_S };
	struct cli_call *call = NULL;
	struct cli_log l;
	int status = cli_opt_parse(argc, argv, opts, "audit tail [-n LINES] [-f] [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	status = cli_call_open(&a.common, &call);
	if (status)
		return status;
	cli_log_init(&l, &a.common, call);
	status = cli_log_head(&l);
	if (!status) {
		uint64_t next = l.head.size > (uint64_t)lines ? l.head.size - (uint64_t)lines : 0;
		status = tail_once(&l, &next);
		while (!status && follow) {
			nanosleep(&nap, NULL);
			status = tail_once(&l, &next);
		}
	}
	cli_log_end(&l);
	cli_call_close(call);
	return status;
}

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
	const char *authority = NULL;
	const struct cli_opt opts[] = {
		{ "authority", CLI_OPT_TEXT, &authority, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	int status = cli_opt_parse(argc, argv, opts, "audit export DIR [--authority FOLDER] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	return cli_export_run(&a.common, a.at[0], authority);
}

int
cli_audit(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "tail", tail, "the latest entries" },
		{ "checkpoint", checkpoint, "the signed head of the log, to be remembered elsewhere" },
		{ "proof", proof, "a receipt: that an entry is in the log" },
		{ "export", export, "everything an auditor needs, in a folder" },
	};
	return cli_opt_sub("audit", subs, sizeof subs / sizeof subs[0], argc, argv);
}
