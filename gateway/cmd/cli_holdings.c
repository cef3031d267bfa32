/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate image, group, incident: what the gateway holds beside reviews and modules. */
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

/* ---- image ---- */

static int
image_list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "image", "image", 0 }, { "#bytes", "size", 0 }, { "arrived", "arrived", 0 },
		{ "in quarantine", "in_quarantine", 0 }, { "#reviews", "reviews", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "image.list", .rows = "images",
	    .usage = "image list [--after SHA256] [--limit N] [--csv] [--json]", .columns = columns,
	    .n = sizeof columns / sizeof columns[0], .empty = "No image yet: see fotagate review list.",
	    .page = CLI_PAGE_TEXT });
}

static void
show_image(const struct json_value *o)
{
	static const struct cli_label fields[] = {
		{ "bytes", "size" }, { "arrived", "arrived" }, { "in quarantine", "in_quarantine" }, { "released", "released" },
	};
	static const struct cli_column columns[] = {
		{ "review", "review", 0 }, { "state", "state", 0 }, { "profile", "profile", 0 }, { "product", "product", 0 },
		{ "from", "from", 0 }, { "target", "target", 0 }, { "release", "release", 12 }, { "report", "report", 12 },
	};
	cli_print_field(stdout, "image", json_get(o, "image"));
	cli_print_fields(stdout, json_get(o, "stored"), fields, sizeof fields / sizeof fields[0]);
	cli_print_rows(stdout, json_get(o, "reviews"), columns, sizeof columns / sizeof columns[0], NULL);
}

static int
image_show(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "image.show", .key = "image",
	    .usage = "image show SHA256 [--json]", .show = show_image });
}

int
cli_image(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", image_list, "images that reviews are about, by SHA-256" },
		{ "show", image_show, "one of them, and what was made of it" },
	};
	return cli_opt_sub("image", subs, sizeof subs / sizeof subs[0], argc, argv);
}

/* ---- group ---- */

static int
group_list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "group", "name", 0 }, { "profile", "profile", 0 }, { "product", "product", 0 }, { "tag", "tag", 0 },
		{ "IMEI begins with", "imei", 0 }, { "default", "default", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "group.list", .rows = "groups",
	    .usage = "group list [--csv] [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "No group: no profile is configured." });
}

int
cli_group(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", group_list, "the rules by which a module is in a group, the first that fits" },
	};
	return cli_opt_sub("group", subs, sizeof subs / sizeof subs[0], argc, argv);
}

/* ---- incident ---- */

static int
incident_list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "#", "id", 0 }, { "at", "at", 0 }, { "kind", "kind", 0 }, { "profile", "profile", 0 },
		{ "product", "product", 0 }, { "what", "detail", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "incident.list", .rows = "incidents",
	    .usage = "incident list [--after N] [--limit N] [--csv] [--json]", .columns = columns,
	    .n = sizeof columns / sizeof columns[0], .empty = "No incident.", .page = CLI_PAGE_NUMBER });
}

static void
show_incident(const struct json_value *o)
{
	static const struct cli_label fields[] = {
		{ "incident", "id" }, { "at", "at" }, { "kind", "kind" }, { "what", "detail" }, { "profile", "profile" },
		{ "product", "product" }, { "resource", "resource" }, { "reviews", "reviews" },
	};
	cli_print_fields(stdout, o, fields, sizeof fields / sizeof fields[0]);
}

static int
incident_show(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "incident.show", .key = "incident",
	    .usage = "incident show N [--json]", .show = show_incident });
}

int
cli_incident(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", incident_list, "the youngest first; the log has them all" },
		{ "show", incident_show, "one of them, with the reviews of what it is about" },
	};
	return cli_opt_sub("incident", subs, sizeof subs / sizeof subs[0], argc, argv);
}
