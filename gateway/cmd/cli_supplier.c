/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate supplier: who makes the firmware, and what imported lists say of them. */
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "name", "name", 0 }, { "country", "country", 0 }, { "hosting", "hosting", 0 },
		{ "support until", "support_until", 0 }, { "legal entity", "legal_entity", 0 }, { "words", "words", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "supplier.list", .rows = "suppliers",
	    .usage = "supplier list [--csv] [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "No supplier yet: fotagate.conf names them." });
}

static void
show_supplier(const struct json_value *s)
{
	static const struct cli_label fields[] = {
		{ "supplier", "name" }, { "legal entity", "legal_entity" }, { "country", "country" }, { "hosting", "hosting" },
		{ "support", "support" }, { "until", "support_until" }, { "words", "words" },
	};
	static const struct cli_column keys[] = {
		{ "key", "anchor", 0 }, { "since", "since", 0 }, { "until", "until", 0 }, { "note", "note", 0 },
	};
	static const struct cli_column profiles[] = {
		{ "profile", "name", 0 }, { "anchors", "anchors", 0 }, { "policy", "policy", 12 },
	};
	static const struct cli_column lists[] = {
		{ "list", "name", 0 }, { "says", "says", 0 }, { "by", "by", 0 }, { "as of", "date", 0 },
		{ "#days ago", "age_days", 0 }, { "complete", "complete", 0 }, { "source", "source", 0 }, { "note", "note", 0 },
	};
	cli_print_fields(stdout, s, fields, sizeof fields / sizeof fields[0]);
	cli_print_rows(stdout, json_get(s, "profiles"), profiles, sizeof profiles / sizeof profiles[0], NULL);
	cli_print_rows(stdout, json_get(s, "keys"), keys, sizeof keys / sizeof keys[0], NULL);
	cli_print_rows(stdout, json_get(s, "lists"), lists, sizeof lists / sizeof lists[0], NULL);
}

static int
show(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "supplier.show", .key = "supplier",
	    .usage = "supplier show NAME [--json]", .show = show_supplier });
}

int
cli_supplier(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "suppliers, with the words that rules may ask for" },
		{ "show", show, "one of them: its keys, its profiles, and which lists name it" },
	};
	return cli_opt_sub("supplier", subs, sizeof subs / sizeof subs[0], argc, argv);
}
