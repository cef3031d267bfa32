/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fotagate policy show, propose, sign, submit: how people put a policy in force. The statement is made
 * and checked here, from the files on this machine; of control's word only this is taken: which policy is in force,
 * and that is bound by its digest, which the statement names and the warden compares.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/genesis.h"
#include "crypto/sshsig.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_keygen.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_policy.h"
#include "gateway/cmd/cli_policy_bundle.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_statement.h"
#include "gateway/cmd/cli_whatif.h"

struct work {
	struct cli_common c;
	struct cli_call *call;
	struct cli_reply shown;        /* policy.show */
	char gateway[SIGNERS_ORIGIN_MAX];
	struct view text;              /* the statement in force, or genesis.json; of shown */
	struct policyset now;
	struct policy_bundle *was;     /* in force; NULL: the gateway has not got it */
	struct policy_bundle *disk;
	struct config *config;         /* that disk is of */
	uint32_t signers, need;
};

static void
work_end(struct work *w)
{
	policy_bundle_free(w->was);
	policy_bundle_free(w->disk);
	config_free(w->config);
	cli_reply_free(&w->shown);
	cli_call_close(w->call);
}

static int
local(const struct work *w, int err)
{
	return cli_opt_fail(&w->c, CLI_COULD_NOT, "LOCAL", NULL, "%s", err_why(err));
}

/* ---- what is in force ---- */

static int
ask(struct work *w)
{
	w->shown.file = -1;
	int status = cli_call_open(&w->c, &w->call);
	if (!status)
		status = cli_call_do(w->call, "policy.show", NULL, NULL, 0, &w->shown);
	if (!status && w->shown.status != CLI_DONE)
		status = cli_call_refused(&w->c, &w->shown);
	return status;
}

static int
parse_now(struct work *w, char *why, size_t cap)
{
	uint64_t number = 0, need = 0, signers = 0;
	const struct json_value *root = json_root(w->shown.doc);
	if (!json_cstr(json_get(root, "gateway"), w->gateway, sizeof w->gateway) ||
	    !json_string(json_get(root, "statement"), &w->text) || !json_uint(json_get(root, "number"), &number) ||
	    !json_uint(json_get(root, "need"), &need) || !json_uint(json_get(root, "signers"), &signers))
		return FG_EFORMAT;
	w->need = (uint32_t)need;
	w->signers = (uint32_t)signers;
	if (number)
		return policyset_parse(w->text, w->gateway, &w->now, why, cap);
	struct genesis *g = calloc(1, sizeof *g);
	int err = g ? genesis_parse(w->text, g, why, cap) : FG_ENOMEM;
	if (!err && (!g->signed_policy || strcmp(g->origin, w->gateway) != 0))
		err = FG_EFORMAT;
	if (!err)
		w->now = g->policy;
	free(g);
	return err;
}

/* The bundle that the statement in force names: by its digest, whoever hands it out. */
static int
fetch_bundle(struct work *w)
{
	struct cli_request r;
	struct cli_reply reply;
	struct writer text;
	uint8_t digest[DIGEST_SHA256_LEN];
	cli_call_begin(&r);
	jsonw_khex(&r.j, "digest", w->now.bundle, sizeof w->now.bundle);
	cli_call_text(&r, "kind", "policy");
	int status = cli_call_do(w->call, "file.open", &r, NULL, 0, &reply);
	if (status)
		return status;
	writer_init(&text, POLICY_BUNDLE_TEXT_MAX);
	int err = reply.status != CLI_DONE || reply.file < 0 ? FG_ENOTFOUND : cli_call_slurp(reply.file, text.max, &text);
	if (!err)
		err = digest_sha256(writer_view(&text), digest);
	if (!err && memcmp(digest, w->now.bundle, sizeof digest) != 0)
		err = FG_EFORMAT;
	if (!err)
		err = policy_bundle_read(writer_view(&text), &w->was);
	writer_free(&text);
	cli_reply_free(&reply);
	if (!err || err == FG_ENOTFOUND)
		return 0;
	return cli_opt_fail(&w->c, CLI_REFUSED, "POLICY", "Do not sign anything; ask the gateway's administrators.",
	    "the policy in force that the gateway shows is not the one that was signed");
}

/* All that is to be known before anybody signs: what is in force and what lies here. */
static int
begin(struct work *w)
{
	char path[CLI_OPT_PATH_MAX], why[256] = "";
	if (!cli_opt_config_path(&w->c, path))
		return CLI_USAGE;
	int status = ask(w);
	if (!status && parse_now(w, why, sizeof why))
		status = cli_opt_fail(&w->c, CLI_REFUSED, "POLICY", "Do not sign anything; ask the gateway's administrators.",
		    "the policy in force that the gateway shows is none: %s", why);
	if (!status)
		status = fetch_bundle(w);
	if (status)
		return status;
	int err = cli_policy_bundle(path, &w->disk, &w->config);
	return err ? cli_opt_fail(&w->c, err == FG_EINVAL ? CLI_REFUSED : CLI_COULD_NOT, "CONFIG", NULL,
	    "%s: the daemon would refuse this configuration", path) : 0;
}

/* ---- telling ---- */

static void
tell_one(void *ctx, const struct policy_bundle_item *item, enum policy_bundle_change change)
{
	unsigned *n = ctx;
	static const char *const words[] = { "", "new", "changed", "gone" };
	if (item->kind == POLICY_BUNDLE_POLICY)
		return; /* it differs because of what it is made of, which is told */
	++*n;
	fprintf(stderr, "  %-8s %-12s %s\n", words[change], policy_bundle_kind_name(item->kind), item->name);
}

static void
tell_changes(const struct work *w)
{
	unsigned n = 0;
	cli_print_line(stderr, "You decide", "the policy of %s from now on, after number %u.", w->gateway, w->now.number);
	if (w->was)
		policy_bundle_compare(w->was, w->disk, tell_one, &n);
	else
		fprintf(stderr, "  The gateway has not got what is in force now, so all of it is named:\n");
	for (size_t i = 0; !w->was && i < w->disk->n; i++)
		tell_one(&n, &w->disk->at[i], POLICY_BUNDLE_NEW);
	if (!n)
		fprintf(stderr, "  Nothing but the order of things.\n");
}

/* What it changes, and what that comes to: on stderr, before anything is written. 0 or an exit status. */
static int
tell(const struct work *w, bool no_whatif)
{
	tell_changes(w);
	fprintf(stderr, "\nWhat it would decide over what is stored%s\n", no_whatif ? " was not tried (--no-whatif).\n" : ":");
	int status = no_whatif ? 0 : cli_whatif(&w->c, w->call, w->config, false, stderr);
	if (!status)
		fprintf(stderr, "\n");
	return status;
}

/* ---- show ---- */

int
cli_policy_show(int argc, char **argv)
{
	static const struct cli_column columns[] = { { "differs", "change", 0 }, { "what", "kind", 0 }, { "name", "name", 0 } };
	struct cli_args a;
	struct cli_reply reply;
	bool shown, lost = false;
	int status = cli_opt_parse(argc, argv, NULL, "policy show [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	status = cli_call_once(&a.common, "policy.show", NULL, NULL, 0, &reply, &shown);
	if (shown) {
		const struct json_value *root = json_root(reply.doc);
		json_bool(json_get(root, "lost"), &lost);
		cli_print_field(stdout, "policy", json_get(root, "number"));
		cli_print_field(stdout, "signed", json_get(root, "time"));
		cli_print_field(stdout, "bundle", json_get(root, "bundle"));
		cli_print_field(stdout, "statement", json_get(root, "sha256"));
		cli_print_field(stdout, "persons needed", json_get(root, "need"));
		cli_print_line(stdout, "on disk", "%s", lost ? "what was signed is not here: nothing is granted" :
		    json_type(json_get(root, "disk")) == JSON_STRING ? "something else, which is not followed" :
		    json_type(json_get(root, "lacks")) == JSON_STRING ? "not all of a policy, which is not followed" : "the same");
		if (json_type(json_get(root, "lacks")) == JSON_STRING)
			cli_print_field(stdout, "lacking", json_get(root, "lacks"));
		if (json_count(json_get(root, "differs")))
			cli_print_rows(stdout, json_get(root, "differs"), columns, sizeof columns / sizeof columns[0], NULL);
	}
	cli_reply_free(&reply);
	return status;
}

/* ---- propose ---- */

static int
sign(const struct work *w, const char *key, const char *path, struct view text)
{
	struct cli_place place = { 0 };
	struct writer armour;
	writer_init(&armour, SSHSIG_ARMOR_MAX);
	int status = cli_keygen_sign(key, POLICYSET_NAMESPACE, text, false, &armour) ?
	    cli_opt_fail(&w->c, CLI_COULD_NOT, "LOCAL", "ssh-keygen says above why.", "%s: could not sign", key) :
	    cli_place_file(&w->c, &place, path, 0644, writer_view(&armour));
	cli_place_end(&place);
	writer_free(&armour);
	if (!status && !w->c.json)
		printf("Signed: %s\n", path);
	return status;
}

static int
make(const struct work *w, struct policyset *s, struct writer *text)
{
	*s = (struct policyset){ .number = w->now.number + 1, .signers = w->signers, .time = (int64_t)time(NULL) };
	int err = digest_sha256(w->text, s->previous);
	policy_bundle_put(w->disk, s);
	return err ? err : policyset_encode(s, w->gateway, text);
}

static int
run_propose(struct work *w, const char *out, const char *key, bool no_whatif)
{
	char name[64], sig[CLI_OPT_PATH_MAX];
	struct cli_place place = { 0 };
	struct writer text;
	int status = begin(w);
	if (status)
		return status;
	if (memcmp(w->disk->sha256, w->now.bundle, sizeof w->now.bundle) == 0)
		return cli_opt_fail(&w->c, CLI_REFUSED, "SAME", NULL,
		    "what lies on disk is the policy in force: there is nothing to sign");
	struct policyset *s = calloc(1, sizeof *s);
	writer_init(&text, POLICYSET_BYTES_MAX);
	int err = s ? make(w, s, &text) : FG_ENOMEM;
	snprintf(name, sizeof name, "policy-%u.json", w->now.number + 1);
	const char *path = out ? out : name;
	status = err ? local(w, err) : tell(w, no_whatif);
	if (!status)
		status = cli_place_file(&w->c, &place, path, 0644, writer_view(&text));
	cli_place_end(&place);
	if (!status && key && snprintf(sig, sizeof sig, "%s.sig", path) >= (int)sizeof sig)
		status = CLI_USAGE;
	if (!status && key)
		status = sign(w, key, sig, writer_view(&text));
	if (!status && !w->c.json)
		printf("Written to %s. %u persons have to sign this very file, each over the files it is of; then all is "
		       "handed in:\n\n"
		       "  fotagate policy sign %s --key KEY -o NAME.sig\n  fotagate policy submit %s NAME.sig ...\n", path, w->need,
		    path, path);
	writer_free(&text);
	free(s);
	return status;
}

int
cli_policy_propose(int argc, char **argv)
{
	const char *out = NULL, *key = NULL;
	bool no_whatif = false;
	struct cli_args a;
	const struct cli_opt opts[] = {
		{ "no-whatif", CLI_OPT_FLAG, &no_whatif, 0, 0, 0 },
		{ "output", CLI_OPT_TEXT, &out, 0, 0, 'o' },
		{ "sign", CLI_OPT_TEXT, &key, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	int status = cli_opt_parse(argc, argv, opts, "policy propose [-c FILE] [-o FILE] [--sign KEYFILE] [--no-whatif] [--json]",
	    0, 0, &a);
	if (status)
		return cli_opt_end(status);
	struct work *w = calloc(1, sizeof *w);
	if (!w)
		return CLI_COULD_NOT;
	w->c = a.common;
	status = run_propose(w, out, key, no_whatif);
	work_end(w);
	free(w);
	return status;
}

/* ---- sign ---- */

/* It must be what this machine's own files come to, after what is in force. */
static int
check(struct work *w, struct view text)
{
	char why[256] = "";
	uint8_t digest[DIGEST_SHA256_LEN];
	struct policyset *s = calloc(1, sizeof *s), *want = calloc(1, sizeof *want);
	int err = s && want ? policyset_parse(text, w->gateway, s, why, sizeof why) : FG_ENOMEM;
	if (!err)
		err = digest_sha256(w->text, digest);
	if (!err) {
		*want = *s;
		want->number = w->now.number + 1;
		want->signers = w->signers;
		memcpy(want->previous, digest, sizeof digest);
		memset(want->profile, 0, sizeof want->profile);
		policy_bundle_put(w->disk, want);
		if (memcmp(want, s, sizeof *s) != 0)
			err = FG_EPERM;
	}
	free(want);
	free(s);
	if (err == FG_ENOMEM || err == FG_ECRYPTO)
		return local(w, err);
	return !err ? 0 : cli_opt_fail(&w->c, CLI_REFUSED, "STATEMENT",
	    "Do not sign it; fotagate policy propose writes what is here.", "%s", why[0] ? why :
	    "it is of other files than those on this machine, or does not follow the policy in force");
}

int
cli_policy_sign(int argc, char **argv)
{
	const char *out = NULL, *key = NULL;
	char path[CLI_OPT_PATH_MAX];
	bool no_whatif = false;
	struct cli_args a;
	const struct cli_opt opts[] = {
		{ "key", CLI_OPT_TEXT, &key, 0, 0, 0 },
		{ "no-whatif", CLI_OPT_FLAG, &no_whatif, 0, 0, 0 },
		{ "output", CLI_OPT_TEXT, &out, 0, 0, 'o' },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	static const char usage[] = "policy sign STATEMENT --key KEYFILE [-c FILE] [-o SIGNATURE] [--no-whatif] [--json]";
	int status = cli_opt_parse(argc, argv, opts, usage, 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!key)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", NULL, "usage: fotagate %s", usage);
	struct work *w = calloc(1, sizeof *w);
	uint8_t *text = NULL;
	size_t n = 0;
	if (!w)
		return CLI_COULD_NOT;
	w->c = a.common;
	int err = cli_file_read(NULL, a.at[0], POLICYSET_BYTES_MAX, &text, &n);
	status = err ? cli_opt_fail(&w->c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", a.at[0], err_why(err)) : begin(w);
	if (!status)
		status = check(w, view_of(text, n));
	if (!status && snprintf(path, sizeof path, "%s%s", out ? out : a.at[0], out ? "" : ".sig") >= (int)sizeof path)
		status = CLI_USAGE;
	if (!status)
		status = tell(w, no_whatif);
	if (!status)
		status = sign(w, key, path, view_of(text, n));
	free(text);
	work_end(w);
	free(w);
	return status;
}

/* ---- submit ---- */

int
cli_policy_submit(int argc, char **argv)
{
	struct cli_args a;
	struct cli_call *call = NULL;
	uint8_t *text = NULL;
	size_t n = 0;
	struct writer all;
	int status = cli_opt_parse(argc, argv, NULL, "policy submit STATEMENT SIGNATURE ... [--json]", 2, 1 + SIGNERS_MAX, &a);
	if (status)
		return cli_opt_end(status);
	writer_init(&all, SIGNERS_MAX * SSHSIG_ARMOR_MAX);
	int err = cli_file_read(NULL, a.at[0], POLICYSET_BYTES_MAX, &text, &n);
	const char *at = a.at[0];
	for (unsigned i = 1; !err && i < a.n; i++) {
		uint8_t *bytes = NULL;
		size_t length = 0;
		at = a.at[i];
		err = cli_file_read(NULL, at, SSHSIG_ARMOR_MAX, &bytes, &length);
		writer_bytes(&all, view_of(bytes, err ? 0 : length));
		free(bytes);
	}
	if (err || writer_err(&all))
		status = cli_opt_fail(&a.common, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", at, err_why(err ? err : writer_err(&all)));
	if (!status)
		status = cli_call_open(&a.common, &call);
	if (!status)
		status = cli_statement_hand_in(&a.common, call, "policy.submit", view_of(text, n), writer_view(&all));
	cli_call_close(call);
	writer_free(&all);
	free(text);
	return status;
}
