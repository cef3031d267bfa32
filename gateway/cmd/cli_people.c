/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate people: who may sign, how that changes, and how one person takes a key out of the count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/signers.h"
#include "crypto/stamp.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_keygen.h"
#include "gateway/cmd/cli_nextset.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_statement.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

#define DAYS_MAX 3650 /* as control has it */

/* ---- list ---- */

static void
show_keys(const struct json_value *people)
{
	static const char *const heads[] = { "person", "account", "key", "from", "until", "pin", "state", NULL };
	static const char *const keys[] = { "fingerprint", "valid_after", "valid_before", "require_uv", "state" };
	struct cli_table t;
	cli_table_init(&t, heads);
	for (size_t i = 0; i < json_count(people); i++) {
		const struct json_value *p = json_at(people, i), *all = json_get(p, "keys");
		for (size_t k = 0; k < json_count(all); k++) {
			cli_table_value(&t, json_get(p, "principal"));
			cli_table_value(&t, json_get(p, "user"));
			for (size_t n = 0; n < sizeof keys / sizeof keys[0]; n++)
				cli_table_value(&t, json_get(json_at(all, k), keys[n]));
		}
	}
	cli_table_print(&t, stdout, "Nobody: there is no genesis yet.");
}

static void
show_suspended(const struct json_value *people)
{
	for (size_t i = 0; i < json_count(people); i++) {
		const struct json_value *all = json_get(json_at(people, i), "keys");
		for (size_t k = 0; k < json_count(all); k++) {
			const struct json_value *s = json_get(json_at(all, k), "suspended");
			if (json_type(s) != JSON_OBJECT)
				continue;
			cli_print_field(stdout, "suspended", json_get(json_at(all, k), "fingerprint"));
			cli_print_field(stdout, "", json_get(s, "at"));
			cli_print_field(stdout, "by", json_get(s, "by"));
			cli_print_field(stdout, "because", json_get(s, "reason"));
		}
	}
}

static void
show_people(const struct json_value *root)
{
	static const struct cli_column proposals[] = {
		{ "#set", "number", 0 }, { "proposal", "sha256", 0 }, { "#have", "have", 0 }, { "#need", "need", 0 },
		{ "#have new", "have_new", 0 }, { "#need new", "need_new", 0 }, { "signed by", "signed_by", 0 },
		{ "until", "until", 0 }, { "text", "text", 0 },
	};
	static const struct cli_column sets[] = {
		{ "#set", "number", 0 }, { "time", "time", 0 }, { "#persons", "persons", 0 }, { "#keys", "keys", 0 },
		{ "#threshold", "threshold", 0 }, { "statement", "sha256", 0 },
	};
	const struct json_value *floors = json_get(root, "floors"), *warnings = json_get(root, "warnings");
	int64_t canary = 0, limit = 0, production = 0;
	struct view console;
	for (size_t i = 0; i < json_count(warnings); i++)
		cli_print_field(stdout, "!", json_get(json_at(warnings, i), "text"));
	show_keys(json_get(root, "people"));
	json_int(json_get(floors, "canary"), &canary);
	json_int(json_get(floors, "canary_max"), &limit);
	json_int(json_get(floors, "production"), &production);
	fputc('\n', stdout);
	show_suspended(json_get(root, "people"));
	cli_print_field(stdout, "signer set", json_get(root, "number"));
	cli_print_field(stdout, "threshold", json_get(root, "threshold"));
	cli_print_field(stdout, "can sign", json_get(root, "can_sign"));
	if (json_string(json_get(root, "console"), &console) && console.n)
		cli_print_field(stdout, "passkeys of", json_get(root, "console"));
	cli_print_line(stdout, "quorum floors", "%lld for up to %lld modules, %lld for more", (long long)canary, (long long)limit,
	    (long long)production);
	cli_print_rows(stdout, json_get(root, "proposals"), proposals, sizeof proposals / sizeof proposals[0], NULL);
	cli_print_rows(stdout, json_get(root, "sets"), sets, sizeof sets / sizeof sets[0], NULL);
}

static int
list(int argc, char **argv)
{
	struct cli_args a;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, NULL, "people list [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	status = cli_call_once(&a.common, "people.list", NULL, NULL, 0, &reply, &shown);
	if (shown)
		show_people(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

/* ---- propose ---- */

struct proposing {
	struct cli_common c;
	struct cli_call *call;
	struct cli_nextset_asked asked;
	const char *proposal, *out, *sign;
	struct cli_reply people; /* of which only what is suspended is believed */
	struct signers now, set; /* the set that the statement follows, and the one it is */
	struct view text;
};

/* "WHO KEYLINE" for each pair of a list, the key read from its file. 0 or an exit status after saying why. */
static int
put_keys(struct proposing *p, struct cli_request *r, const char *name, const struct cli_opt_list *pairs,
    struct sshkey *keys)
{
	if (!pairs->n)
		return 0;
	jsonw_key(&r->j, name);
	jsonw_array(&r->j);
	for (unsigned i = 0; i < pairs->n; i++) {
		const char *why = "cannot be read";
		struct writer w;
		uint8_t *bytes = NULL;
		size_t n = 0, who = strcspn(pairs->at[i], " ");
		int err = cli_file_read(NULL, pairs->with[i], SSHKEY_LINE_MAX, &bytes, &n);
		if (!err)
			err = sshkey_parse_line(view_of(bytes, n), &keys[i], NULL, 0, &why);
		free(bytes);
		if (err)
			return cli_opt_fail(&p->c, CLI_USAGE, "SIGNER",
			    "Approvers need ssh-ed25519, sk-ssh-ed25519 or sk-ecdsa-sha2-nistp256 keys (ssh-keygen -t ed25519-sk).",
			    "%s: %s", pairs->with[i], why);
		writer_init(&w, SSHKEY_LINE_MAX + 256);
		writer_bytes(&w, view_of(pairs->at[i], who));
		writer_u8(&w, ' ');
		sshkey_write_line(&keys[i], &w);
		jsonw_string(&r->j, writer_view(&w));
		writer_free(&w);
	}
	jsonw_array_end(&r->j);
	return 0;
}

static int
ask(struct proposing *p, struct cli_reply *ret)
{
	struct cli_nextset_asked *a = &p->asked;
	struct cli_request r;
	cli_call_begin(&r);
	int status = put_keys(p, &r, "add", &a->add, a->added);
	cli_call_text(&r, "console", a->console);
	cli_call_number(&r, "days", a->days);
	cli_call_text(&r, "proposal", p->proposal);
	cli_call_list(&r, "remove", &a->remove);
	cli_call_list(&r, "renew", &a->renew);
	if (!status)
		status = put_keys(p, &r, "replace", &a->replace, a->put);
	if (a->require_uv)
		jsonw_kbool(&r.j, "require_uv", true);
	cli_call_list(&r, "restore", &a->restore);
	cli_call_number(&r, "threshold", a->threshold);
	if (status) {
		writer_free(&r.w);
		return status;
	}
	status = cli_call_do(p->call, "people.propose", &r, NULL, 0, ret);
	return status ? status : ret->status == CLI_DONE ? 0 : cli_call_refused(&p->c, ret);
}

static int
wrong(const struct proposing *p, const char *what)
{
	return cli_opt_fail(&p->c, CLI_REFUSED, "STATEMENT", "Do not sign it; ask the gateway's administrators.",
	    "the statement that the gateway proposes %s", what);
}

/* As the gateway tells; what only counts for less on its word. */
static bool
is_suspended(const void *ctx, const char *print)
{
	const struct proposing *p = ctx;
	const struct json_value *people = json_get(json_root(p->people.doc), "people");
	char one[SSHKEY_FINGERPRINT_CAP];
	for (size_t i = 0; i < json_count(people); i++) {
		const struct json_value *keys = json_get(json_at(people, i), "keys");
		for (size_t k = 0; k < json_count(keys); k++) {
			const struct json_value *key = json_at(keys, k);
			if (json_cstr(json_get(key, "fingerprint"), one, sizeof one) && strcmp(one, print) == 0)
				return json_type(json_get(key, "suspended")) == JSON_OBJECT;
		}
	}
	return false;
}

/* A proposal that is known already is only shown: it must be the one of that digest. */
static int
check(struct proposing *p, const char *gateway)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char why[CLI_NEXTSET_WHY_MAX] = "", hex[2 * DIGEST_SHA256_LEN + 1];
	int status = cli_nextset_before(&p->c, p->call, &p->set, gateway, &p->now, why);
	if (status)
		return status < 0 ? wrong(p, why) : status;
	if (!p->proposal)
		return cli_nextset_is(&p->now, &p->asked, is_suspended, p, &p->set, why) ? 0 : wrong(p, why);
	if (digest_sha256(p->text, digest))
		return cli_opt_fail(&p->c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	hex_encode(digest, sizeof digest, hex);
	return strcmp(hex, p->proposal) == 0 ? 0 : wrong(p, "is another one than you asked for");
}

static void
tell_time(int64_t t, char dst[STAMP_CAP])
{
	if (stamp_format(t, dst))
		snprintf(dst, STAMP_CAP, "?");
}

static void
tell_line(struct cli_table *t, const char *mark, const struct signer *s)
{
	char print[SSHKEY_FINGERPRINT_CAP] = "?", from[STAMP_CAP], until[STAMP_CAP];
	(void)sshkey_fingerprint(&s->key, print);
	tell_time(s->valid_after, from);
	tell_time(s->valid_before, until);
	cli_table_cell(t, "%s", mark);
	cli_table_cell(t, "%s", s->principal);
	cli_table_cell(t, "%s", s->user);
	cli_table_cell(t, "%s", print);
	cli_table_cell(t, "%s", from);
	cli_table_cell(t, "%s", until);
	cli_table_cell(t, "%s", s->require_uv ? "yes" : "no");
}

static bool
counts_no_more(const struct proposing *p, const struct signer *s)
{
	char print[SSHKEY_FINGERPRINT_CAP];
	return sshkey_fingerprint(&s->key, print) == FG_OK && is_suspended(p, print);
}

/* What changed is shown with what it was. */
static void
tell_key(const struct proposing *p, struct cli_table *t, const struct signer *s)
{
	const struct signer *was = cli_nextset_find(&p->now, &s->key);
	bool changed = was && !cli_nextset_same(was, s);
	tell_line(t, !was ? "new" : counts_no_more(p, s) ? "back" : changed ? "changed" : "", s);
	if (changed)
		tell_line(t, "was", was);
}

/* What leaves is shown as well: nobody misses a line that is not there. */
static void
tell_gone(const struct proposing *p, struct cli_table *t)
{
	for (uint32_t i = 0; i < p->now.n; i++)
		if (!cli_nextset_find(&p->set, &p->now.signer[i].key))
			tell_line(t, counts_no_more(p, &p->now.signer[i]) ? "suspended" : "out", &p->now.signer[i]);
}

static void
tell(const struct proposing *p, const char *gateway)
{
	static const char *const heads[] = { "", "person", "account", "key", "from", "until", "pin", NULL };
	struct cli_table t;
	cli_print_line(stderr, "You decide", "who may sign for %s from now on: signer set %u,", gateway, p->set.number);
	cli_print_line(stderr, "", "of %u persons, of whom %u have to sign the one after it.", signers_persons(&p->set),
	    p->set.threshold);
	if (p->set.threshold != p->now.threshold)
		cli_print_line(stderr, "", "The threshold changes: it was %u.", p->now.threshold);
	if (strcmp(p->set.console, p->now.console) != 0)
		cli_print_line(stderr, "", "Passkeys may sign approvals at %s; it was %s.",
		    p->set.console[0] ? p->set.console : "no console", p->now.console[0] ? p->now.console : "no console");
	cli_table_init(&t, heads);
	for (uint32_t i = 0; i < p->set.n; i++)
		tell_key(p, &t, &p->set.signer[i]);
	tell_gone(p, &t);
	fputc('\n', stderr);
	cli_table_print(&t, stderr, "");
	fputc('\n', stderr);
}

static int
sign(const struct proposing *p)
{
	struct writer armour;
	writer_init(&armour, SSHSIG_ARMOR_MAX);
	int status = cli_keygen_sign(p->sign, SIGNERS_NAMESPACE, p->text, false, &armour) ?
	    cli_opt_fail(&p->c, CLI_COULD_NOT, "LOCAL", "ssh-keygen says above why; nothing was handed in.", "%s: could not sign",
		p->sign) :
	    cli_statement_hand_in(&p->c, p->call, "people.submit", p->text, writer_view(&armour));
	writer_free(&armour);
	return status;
}

static int
finish(const struct proposing *p, const struct cli_reply *reply)
{
	char name[80] = "";
	struct cli_place place = { 0 };
	json_cstr(json_get(json_root(reply->doc), "name"), name, sizeof name);
	if (p->sign && !p->out)
		return sign(p);
	if (!p->out && !cli_statement_name(name))
		return wrong(p, "comes with a name no file should have");
	const char *path = p->out ? p->out : name;
	int status = cli_place_file(&p->c, &place, path, 0644, p->text);
	cli_place_end(&place);
	if (status)
		return status;
	if (p->sign)
		return sign(p);
	if (p->c.json)
		cli_print_json(stdout, reply->text);
	else
		printf("Written to %s. Whoever agrees signs this very file, and each signature is handed in:\n\n"
		       "  ssh-keygen -Y sign -n " SIGNERS_NAMESPACE " -f KEY %s\n  fotagate people submit %s %s.sig\n", path, path,
		    path, path);
	return CLI_DONE;
}

static int
run_propose(struct proposing *p)
{
	struct cli_reply reply = { .file = -1 };
	char gateway[SIGNERS_ORIGIN_MAX] = "", why[256] = "";
	int status = cli_call_do(p->call, "people.list", NULL, NULL, 0, &p->people);
	if (!status && p->people.status != CLI_DONE)
		status = cli_call_refused(&p->c, &p->people);
	if (!status)
		status = ask(p, &reply);
	if (!status && (!json_string(json_get(json_root(reply.doc), "statement"), &p->text) ||
	    !json_cstr(json_get(json_root(reply.doc), "gateway"), gateway, sizeof gateway) ||
	    signers_parse(p->text, gateway, &p->set, why, sizeof why)))
		status = wrong(p, "is not one in the form that people sign");
	if (!status)
		status = check(p, gateway);
	if (!status) {
		tell(p, gateway);
		status = finish(p, &reply);
	}
	cli_reply_free(&reply);
	return status;
}

static int
propose(int argc, char **argv)
{
	struct cli_args a;
	struct proposing *p = calloc(1, sizeof *p);
	if (!p)
		return CLI_COULD_NOT;
	p->asked.threshold = p->asked.days = -1;
	p->people.file = -1;
	const struct cli_opt opts[] = {
		{ "add", CLI_OPT_PAIRS, &p->asked.add, 0, 0, 0 },
		{ "remove", CLI_OPT_LIST, &p->asked.remove, 0, 0, 0 },
		{ "replace", CLI_OPT_PAIRS, &p->asked.replace, 0, 0, 0 },
		{ "renew", CLI_OPT_LIST, &p->asked.renew, 0, 0, 0 },
		{ "restore", CLI_OPT_LIST, &p->asked.restore, 0, 0, 0 },
		{ "threshold", CLI_OPT_NUMBER, &p->asked.threshold, 1, SIGNERS_MAX, 0 },
		{ "console", CLI_OPT_TEXT, &p->asked.console, 0, 0, 0 },
		{ "valid-days", CLI_OPT_NUMBER, &p->asked.days, 1, DAYS_MAX, 0 },
		{ "require-uv", CLI_OPT_FLAG, &p->asked.require_uv, 0, 0, 0 },
		{ "proposal", CLI_OPT_TEXT, &p->proposal, 0, 0, 0 },
		{ "output", CLI_OPT_TEXT, &p->out, 0, 0, 'o' },
		{ "sign", CLI_OPT_TEXT, &p->sign, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	int status = cli_opt_parse(argc, argv, opts,
	    "people propose [--add 'PRINCIPAL[=ACCOUNT] KEY.pub' ...] [--remove WHO ...] [--replace 'WHO KEY.pub' ...]\n"
	    "       [--renew WHO ...] [--restore WHO ...] [--threshold K] [--console ORIGIN|none]\n"
	    "       [--valid-days N] [--require-uv] [-o FILE] [--sign KEYFILE] [--json]\n"
	    "       fotagate people propose --proposal DIGEST [-o FILE] [--sign KEYFILE] [--json]", 0, 0, &a);
	if (status) {
		free(p);
		return cli_opt_end(status);
	}
	p->c = a.common;
	status = cli_call_open(&p->c, &p->call);
	if (!status)
		status = run_propose(p);
	cli_reply_free(&p->people);
	cli_call_close(p->call);
	free(p);
	return status;
}

/* ---- submit ---- */

static int
read_file(const struct cli_common *c, const char *path, size_t max, uint8_t **ret, struct view *ret_view)
{
	size_t n = 0;
	int err = cli_file_read(NULL, path, max, ret, &n);
	*ret_view = view_of(*ret, n);
	return err ? cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, err_why(err)) : 0;
}

static int
submit(int argc, char **argv)
{
	struct cli_args a;
	struct cli_call *call = NULL;
	uint8_t *statement = NULL;
	struct view text = { 0 };
	int status = cli_opt_parse(argc, argv, NULL, "people submit STATEMENT SIGNATURE ... [--json]", 2, 1 + SIGNERS_MAX, &a);
	if (status)
		return cli_opt_end(status);
	status = read_file(&a.common, a.at[0], SIGNERS_SET_BYTES_MAX, &statement, &text);
	if (!status)
		status = cli_call_open(&a.common, &call);
	/* One after the other: each is judged, and shown, for itself. */
	for (unsigned i = 1; i < a.n && !status; i++) {
		uint8_t *bytes = NULL;
		struct view armour = { 0 };
		status = read_file(&a.common, a.at[i], SSHSIG_ARMOR_MAX, &bytes, &armour);
		if (!status)
			status = cli_statement_hand_in(&a.common, call, "people.submit", text, armour);
		if (status && a.n > 2 && !a.common.json)
			fprintf(stderr, "          That was %s; what stands behind it was not handed in.\n", a.at[i]);
		free(bytes);
	}
	cli_call_close(call);
	free(statement);
	return status;
}

/* ---- suspend ---- */

static int
suspend(int argc, char **argv)
{
	struct cli_args a;
	const char *reason = NULL;
	bool final = false, shown;
	const struct cli_opt opts[] = {
		{ "reason", CLI_OPT_TEXT, &reason, 0, 0, 0 },
		{ "final", CLI_OPT_FLAG, &final, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	int status = cli_opt_parse(argc, argv, opts, "people suspend WHO --reason TEXT [--final] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_reason(&a.common, reason))
		return CLI_USAGE;
	cli_call_begin(&r);
	if (final)
		jsonw_kbool(&r.j, "final", true);
	cli_call_text(&r, "reason", reason);
	cli_call_text(&r, "who", a.at[0]);
	status = cli_call_once(&a.common, "people.suspend", &r, NULL, 0, &reply, &shown);
	if (shown) {
		const struct json_value *root = json_root(reply.doc);
		bool warden = false;
		json_bool(json_get(root, "warden"), &warden);
		cli_print_field(stdout, "result", json_get(root, "text"));
		cli_print_field(stdout, "keys", json_get(root, "keys"));
		cli_print_field(stdout, "can sign", json_get(root, "left"));
		if (!warden)
			cli_print_line(stdout, "warden", "away: it is told as soon as it is back, before it permits anything");
	}
	cli_reply_free(&reply);
	return status;
}

int
cli_people(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "who may sign, with which keys, until when; what is proposed" },
		{ "propose", propose, "the statement of the next signer set, to sign (and with --sign, sign it)" },
		{ "submit", submit, "hand in signatures for it" },
		{ "suspend", suspend, "a key counts no more; one person is enough" },
	};
	return cli_opt_sub("people", subs, sizeof subs / sizeof subs[0], argc, argv);
}
