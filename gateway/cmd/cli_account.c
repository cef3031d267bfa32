/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate account: who may sign in to the console. */
#include <stdio.h>

#include "crypto/wipe.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_password.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "account", "account", 0 }, { "name", "display", 0 }, { "person", "principal", 0 }, { "roles", "roles", 0 },
		{ "disabled", "disabled", 0 }, { "password", "password", 0 }, { "code", "totp", 0 }, { "passkeys", "passkeys", 0 },
		{ "password lent until", "lent", 0 },
		{ "created", "created", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "account.list", .rows = "accounts",
	    .usage = "account list [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "There is no account. fotagate console setup-code makes the first one." });
}

static void
show_one(const struct json_value *root)
{
	static const struct cli_label fields[] = {
		{ "account", "account" }, { "name", "display" }, { "person", "principal" }, { "roles", "roles" },
		{ "disabled", "disabled" }, { "password", "password" }, { "code", "totp" },
		{ "passkeys", "passkeys" }, { "lent until", "lent" },
	};
	const struct json_value *sso = json_get(json_get(root, "account"), "sso");
	static const struct cli_label ended[] = { { "sessions", "sessions_ended" }, { "tokens", "tokens_revoked" } };
	cli_print_fields(stdout, json_get(root, "account"), fields, sizeof fields / sizeof fields[0]);
	for (size_t i = 0; i < json_count(sso); i++) {
		cli_print_field(stdout, i ? "" : "single sign-on", json_get(json_at(sso, i), "issuer"));
		cli_print_field(stdout, "", json_get(json_at(sso, i), "subject"));
	}
	uint64_t sessions = 0, tokens = 0;
	(void)json_uint(json_get(root, "sessions_ended"), &sessions);
	(void)json_uint(json_get(root, "tokens_revoked"), &tokens);
	if (sessions || tokens)
		fputs("\nended with it\n", stdout);
	if (sessions || tokens)
		cli_print_fields(stdout, root, ended, 2);
}

static int
ask(const struct cli_common *c, const char *request, struct cli_request *r)
{
	struct cli_reply reply;
	bool shown;
	int status = cli_call_once(c, request, r, NULL, 0, &reply, &shown);
	if (shown)
		show_one(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

static int
add(int argc, char **argv)
{
	struct cli_args a;
	struct cli_opt_list roles = { 0 };
	const char *display = NULL, *principal = NULL, *file = NULL;
	char password[CLI_PASSWORD_CAP];
	const struct cli_opt opts[] = {
		{ "role", CLI_OPT_LIST, &roles, 0, 0, 0 },
		{ "display", CLI_OPT_TEXT, &display, 0, 0, 0 },
		{ "principal", CLI_OPT_TEXT, &principal, 0, 0, 0 },
		{ "password-file", CLI_OPT_TEXT, &file, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	int status = cli_opt_parse(argc, argv, opts, "account add NAME --role ROLE ... [--display TEXT] [--principal PERSON] "
	    "[--password-file FILE] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!roles.n)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "--role viewer, operator, approver, admin or auditor",
		    "an account has a role");
	status = cli_password(&a.common, file, password);
	if (!status) {
		cli_call_begin(&r);
		cli_call_text(&r, "account", a.at[0]);
		cli_call_text(&r, "display", display);
		cli_call_text(&r, "password", password);
		cli_call_text(&r, "principal", principal);
		cli_call_list(&r, "roles", &roles);
		status = ask(&a.common, "account.add", &r);
	}
	wipe(password, sizeof password);
	return status;
}

static int
password(int argc, char **argv)
{
	struct cli_args a;
	const char *file = NULL;
	char text[CLI_PASSWORD_CAP];
	const struct cli_opt opts[] = {
		{ "password-file", CLI_OPT_TEXT, &file, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	int status = cli_opt_parse(argc, argv, opts, "account password NAME [--password-file FILE] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	status = cli_password(&a.common, file, text);
	if (!status) {
		cli_call_begin(&r);
		cli_call_text(&r, "account", a.at[0]);
		cli_call_text(&r, "password", text);
		status = ask(&a.common, "account.password", &r);
	}
	wipe(text, sizeof text);
	return status;
}

static int
roles(int argc, char **argv)
{
	struct cli_args a;
	struct cli_opt_list list_of = { 0 };
	const char *display = NULL, *principal = NULL;
	const struct cli_opt opts[] = {
		{ "role", CLI_OPT_LIST, &list_of, 0, 0, 0 },
		{ "display", CLI_OPT_TEXT, &display, 0, 0, 0 },
		{ "principal", CLI_OPT_TEXT, &principal, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	int status = cli_opt_parse(argc, argv, opts,
	    "account roles NAME --role ROLE ... [--display TEXT] [--principal PERSON] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!list_of.n)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "account disable takes them all",
		    "an account has a role");
	cli_call_begin(&r);
	cli_call_text(&r, "account", a.at[0]);
	cli_call_text(&r, "display", display);
	cli_call_text(&r, "principal", principal);
	cli_call_list(&r, "roles", &list_of);
	return ask(&a.common, "account.roles", &r);
}

/* What an issuer of single sign-on calls somebody. */
static int
identity(int argc, char **argv, const char *request, const char *usage, bool reason)
{
	struct cli_args a;
	const char *issuer = NULL, *subject = NULL, *why = NULL;
	const struct cli_opt opts[] = {
		{ "issuer", CLI_OPT_TEXT, &issuer, 0, 0, 0 },
		{ "subject", CLI_OPT_TEXT, &subject, 0, 0, 0 },
		{ reason ? "reason" : "", reason ? CLI_OPT_TEXT : CLI_OPT_END, reason ? &why : NULL, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	int status = cli_opt_parse(argc, argv, opts, usage, 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!issuer || !subject || (reason && !why))
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", usage, "%s is missing",
		    !issuer ? "--issuer" : !subject ? "--subject" : "--reason");
	cli_call_begin(&r);
	cli_call_text(&r, "account", a.at[0]);
	cli_call_text(&r, "issuer", issuer);
	cli_call_text(&r, "reason", why);
	cli_call_text(&r, "subject", subject);
	return ask(&a.common, request, &r);
}

static int
bind(int argc, char **argv)
{
	return identity(argc, argv, "account.bind", "account bind NAME --issuer URL --subject TEXT [--json]", false);
}

static int
unbind(int argc, char **argv)
{
	return identity(argc, argv, "account.unbind",
	    "account unbind NAME --issuer URL --subject TEXT --reason TEXT [--json]", true);
}

static int
disable(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "account.disable",
	    .usage = "account disable NAME --reason TEXT [--json]", .key = "account", .reason = true, .show = show_one });
}

static int
enable(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "account.enable",
	    .usage = "account enable NAME [--json]", .key = "account", .show = show_one });
}

static int
totp(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "account.totp",
	    .usage = "account totp NAME [--json]", .key = "account", .show = show_one });
}

static void
show_passkeys(const struct json_value *root)
{
	static const struct cli_column columns[] = {
		{ "passkey", "id", 0 }, { "name", "name", 0 }, { "key", "fingerprint", 0 }, { "kept", "backup", 0 },
		{ "counter", "counter", 0 }, { "made", "made", 0 }, { "last used", "last", 0 }, { "suspended", "suspended", 0 },
	};
	cli_print_rows(stdout, json_get(root, "passkeys"), columns, sizeof columns / sizeof columns[0],
	    "It has no passkey: one is made in the console.");
}

static int
passkeys(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "passkey.list",
	    .usage = "account passkeys NAME [--json]", .key = "account", .show = show_passkeys });
}

static int
passkey_remove(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "passkey.remove",
	    .usage = "account passkey-remove PASSKEY [--json]", .key = "passkey", .show = show_one });
}

static int
passkey_only(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "account.passkey_only",
	    .usage = "account passkey-only NAME [--json]", .key = "account", .show = show_one });
}

int
cli_account(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "who may sign in, with which roles" },
		{ "add", add, "one more; the password is read from the terminal, a file or standard input" },
		{ "disable", disable, "end it at once, with its sessions and tokens" },
		{ "enable", enable, "let it sign in again" },
		{ "roles", roles, "other roles, from now on" },
		{ "password", password, "another password, which its owner then changes" },
		{ "bind", bind, "say who that is for an issuer of single sign-on (console.sso)" },
		{ "unbind", unbind, "say so no longer, which ends the sessions that came of it" },
		{ "totp", totp, "take its second factor off, passkeys too, so that its owner makes another one" },
		{ "passkeys", passkeys, "the passkeys it signs in with" },
		{ "passkey-remove", passkey_remove, "take one away" },
		{ "passkey-only", passkey_only, "password and code let it in no more" },
	};
	return cli_opt_sub("account", subs, sizeof subs / sizeof subs[0], argc, argv);
}
