/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate - the command line of operators and auditors: a table of verbs. */
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cli_init.h"
#include "gateway/cmd/cli_inspect.h"
#include "gateway/cmd/cli_mkdelta.h"
#include "gateway/cmd/cli_opt.h"
#include "gateway/cmd/cli_verbs.h"

#define EXIT_USAGE 2

struct verb {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the verb; returns the exit status */
	const char *help; /* one line */
};

static const struct verb verbs[] = {
	{ "init", cli_init, "make a gateway: its keys, its people, its first configuration" },
	{ "status", cli_status, "how the gateway is" },
	{ "reload", cli_reload, "have it read its configuration again" },
	{ "halt", cli_halt, "serve nothing, from this second on" },
	{ "resume", cli_resume, "end a halt: statement, submit" },
	{ "inspect", cli_inspect, "judge an image: signatures, coverage, what changed" },
	{ "delta", cli_mkdelta, "deltas of our own: make" },
	{ "profile", cli_vendor, "vendor profiles: list, unknown, draft, check" },
	{ "image", cli_image, "images that reviews are about: list, show" },
	{ "group", cli_group, "groups that modules are put into: list" },
	{ "incident", cli_incident, "what a person should look at: list, show" },
	{ "supplier", cli_supplier, "who makes the firmware, and what lists say of them: list, show" },
	{ "policy", cli_policy, "the operator's rules: check, test, explain, whatif" },
	{ "replay", cli_replay, "make a past decision again, and say what comes out otherwise" },
	{ "review", cli_review, "decide: list, show, report, statement, submit, comment, attach, attachment, reject, reopen" },
	{ "fetch", cli_fetch, "fetches: retry" },
	{ "base", cli_base, "full images that deltas are for: list, add" },
	{ "import", cli_import, "bring an image that was not fetched" },
	{ "sighting", cli_sighting, "what modules ask for: list" },
	{ "module", cli_module, "modules: list, show, reveal, explain, import, hold, unhold" },
	{ "egress", cli_egress, "where modules connect to, as your network saw it: import" },
	{ "privacy", cli_privacy, "forget who modules are: erase, rotate" },
	{ "exposure", cli_exposure, "what holding back costs: days, and modules on old versions" },
	{ "refusal", cli_refusal, "refuse beforehand: list, add, lift" },
	{ "waiver", cli_waiver, "answer for a finding until a day: list, add, lift" },
	{ "breakglass", cli_breakglass, "what one person alone may release, and looking at it afterwards" },
	{ "standing", cli_standing, "let the gate release by itself, within bounds: list, propose, statement, submit, revoke" },
	{ "release", cli_release, "what is let through: list, revoke" },
	{ "rollout", cli_rollout, "releases on their way over rings: list, show, pause, abort" },
	{ "revoke", cli_revoke, "end a release at once" },
	{ "people", cli_people, "who may sign: list, propose, submit, suspend" },
	{ "console", cli_console, "the console's first administrator: setup-code" },
	{ "account", cli_account, "who may sign in there: list, add, disable, enable, roles, password, totp" },
	{ "session", cli_session, "who is signed in: list, end" },
	{ "token", cli_token, "secrets for machines: create, list, revoke" },
	{ "audit", cli_audit, "the log: tail, forward, notify, witness, checkpoint, proof, export, repair, adopt" },
	{ "backup", cli_backup, "everything the gateway is, in a folder, while it runs" },
	{ "restore", cli_restore, "with the gateway stopped: a backup put in place" },
};

static void
help(FILE *out)
{
	fputs("usage: fotagate [-C DIR | --dir DIR] VERB ...\n\n", out);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].help);
	fputs("\nfotagate(1) describes them all.\n", out);
}

int
main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		puts("fotagate " FG_VERSION);
		return 0;
	}
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		help(stdout);
		return 0;
	}
	cli_opt_verb_first(argc, argv);
	for (size_t i = 0; argc >= 2 && i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	if (argc >= 2)
		fprintf(stderr, "fotagate: no verb \"%s\"\n", argv[1]);
	help(stderr);
	return EXIT_USAGE;
}
