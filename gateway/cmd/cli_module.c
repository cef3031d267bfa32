/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate module and fotagate sighting: who is out there, what they ask for, and why they get what they get. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

#define PAGE 500 /* the most control gives at once */
#define NEXT_MAX 64
#define LISTING_MAX (1u << 30) /* two million modules */

/* ---- list ---- */

static void
add_row(struct cli_table *t, const struct json_value *m)
{
	const struct json_value *identities = json_get(m, "identities");
	cli_table_value(t, json_get(m, "id"));
	cli_table_value(t, json_get(m, "group"));
	cli_table_value(t, json_get(m, "listed"));
	cli_table_value(t, json_get(m, "held"));
	cli_table_value(t, json_get(m, "product"));
	cli_table_value(t, json_get(m, "version"));
	cli_table_value(t, json_get(m, "tags"));
	cli_table_value(t, json_get(m, "last_seen"));
	cli_table_value(t, json_get(json_at(identities, 0), "text"));
}

/* Both ways to show it at once; the one that is not wanted stays empty. */
struct listing {
	struct cli_table table;
	struct writer w;
	struct jsonw j;
};

/* Which modules are wanted; NULL and false: no matter. */
struct filter {
	const char *group, *profile, *product, *tag, *version;
	bool absent, held, unlisted;
};

/* One page; *next is where the following begins, "" at the end. */
static int
page(const struct cli_common *c, struct cli_call *call, const struct filter *f, char next[NEXT_MAX], struct listing *l)
{
	struct cli_request r;
	struct cli_reply reply;
	cli_call_begin(&r);
	if (f->absent)
		jsonw_kbool(&r.j, "absent", true);
	cli_call_text(&r, "after", next[0] ? next : NULL);
	cli_call_text(&r, "group", f->group);
	if (f->held)
		jsonw_kbool(&r.j, "held", true);
	cli_call_number(&r, "limit", PAGE);
	cli_call_text(&r, "product", f->product);
	cli_call_text(&r, "profile", f->profile);
	cli_call_text(&r, "tag", f->tag);
	if (f->unlisted)
		jsonw_kbool(&r.j, "unlisted", true);
	cli_call_text(&r, "version", f->version);
	int status = cli_call_do(call, "module.list", &r, NULL, 0, &reply);
	if (status)
		return status;
	char then[NEXT_MAX] = "";
	const struct json_value *root = json_root(reply.doc), *all = json_get(root, "modules");
	if (reply.status != CLI_DONE)
		status = cli_call_refused(c, &reply);
	for (size_t i = 0; !status && i < json_count(all); i++) {
		if (c->json)
			jsonw_value(&l->j, json_at(all, i));
		else
			add_row(&l->table, json_at(all, i));
	}
	/* A page of which the filter left nothing has more behind it. They come in order: one that does not goes on for ever. */
	if (!status && json_cstr(json_get(root, "next"), then, sizeof then) && strcmp(then, next) <= 0)
		status = cli_opt_fail(c, CLI_COULD_NOT, "PROTOCOL", "", "the pages of the list do not come in order");
	snprintf(next, NEXT_MAX, "%s", then);
	cli_reply_free(&reply);
	return status;
}

static int
list(int argc, char **argv)
{
	static const char *const heads[] = { "module", "group", "listed", "held", "product", "version", "tags", "last seen",
		"identity", NULL };
	struct cli_args a;
	struct filter f = { 0 };
	bool csv = false;
	const struct cli_opt opts[] = {
		{ "csv", CLI_OPT_FLAG, &csv, 0, 0, 0 },
		{ "group", CLI_OPT_TEXT, &f.group, 0, 0, 0 },
		{ "profile", CLI_OPT_TEXT, &f.profile, 0, 0, 0 },
		{ "product", CLI_OPT_TEXT, &f.product, 0, 0, 0 },
		{ "tag", CLI_OPT_TEXT, &f.tag, 0, 0, 0 },
		{ "version", CLI_OPT_TEXT, &f.version, 0, 0, 0 },
		{ "absent", CLI_OPT_FLAG, &f.absent, 0, 0, 0 },
		{ "held", CLI_OPT_FLAG, &f.held, 0, 0, 0 },
		{ "unlisted", CLI_OPT_FLAG, &f.unlisted, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_call *call = NULL;
	struct listing l;
	char next[NEXT_MAX] = "";
	int status = cli_opt_parse(argc, argv, opts, "module list [--group NAME] [--profile NAME] [--product NAME] "
	    "[--tag NAME] [--version TEXT] [--absent] [--held] [--unlisted] [--csv] [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_form(&a.common, csv))
		return CLI_USAGE;
	cli_table_init(&l.table, heads);
	if (csv)
		cli_table_csv(&l.table);
	writer_init(&l.w, LISTING_MAX);
	jsonw_init(&l.j, &l.w);
	jsonw_object(&l.j);
	jsonw_key(&l.j, "modules");
	jsonw_array(&l.j);
	status = cli_call_open(&a.common, &call);
	if (!status)
		do
			status = page(&a.common, call, &f, next, &l);
		while (!status && next[0]);
	cli_call_close(call);
	jsonw_array_end(&l.j);
	jsonw_object_end(&l.j);
	if (!status && writer_err(&l.w))
		status = cli_opt_fail(&a.common, CLI_COULD_NOT, "LOCAL", "List them by --group.",
		    "too many modules for one answer");
	else if (!status && a.common.json)
		cli_print_json(stdout, writer_view(&l.w));
	else if (!status)
		cli_table_print(&l.table, stdout, "No module yet. fotagate module import FILE lists yours.");
	cli_table_drop(&l.table);
	writer_free(&l.w);
	return status;
}

/* ---- show, hold, unhold ---- */

static void
show_module(const struct json_value *m)
{
	static const struct cli_label fields[] = {
		{ "module", "id" }, { "group", "group" }, { "listed", "listed" }, { "held", "held" }, { "product", "product" },
		{ "version", "version" }, { "tags", "tags" }, { "first seen", "first_seen" }, { "last seen", "last_seen" },
	};
	cli_print_fields(stdout, m, fields, sizeof fields / sizeof fields[0]);
	const struct json_value *all = json_get(m, "identities");
	for (size_t i = 0; i < json_count(all); i++) {
		char kind[32] = "?", class[8] = "?", text[160] = "?";
		json_cstr(json_get(json_at(all, i), "kind"), kind, sizeof kind);
		json_cstr(json_get(json_at(all, i), "class"), class, sizeof class);
		json_cstr(json_get(json_at(all, i), "text"), text, sizeof text);
		cli_print_line(stdout, i ? "" : "known by", "%s %s (class %s)", kind, text, class);
	}
	static const struct cli_column grants[] = {
		{ "release", "release", 0 }, { "version", "target", 0 }, { "granted", "granted", 0 }, { "#bytes", "bytes", 0 },
		{ "complete", "completed", 0 }, { "#asked again", "again", 0 }, { "version said", "word", 0 },
		{ "at", "word_at", 0 }, { "outcome", "outcome", 0 },
	};
	cli_print_rows(stdout, json_get(m, "grants"), grants, sizeof grants / sizeof grants[0], NULL);
}

static int
one(int argc, char **argv, const char *request, const char *usage, bool reason)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = request, .usage = usage, .key = "module",
	    .reason = reason, .show = show_module });
}

static int
show(int argc, char **argv)
{
	return one(argc, argv, "module.show", "module show MODULE [--json]", false);
}

static int
hold(int argc, char **argv)
{
	return one(argc, argv, "module.hold", "module hold MODULE --reason TEXT [--json]", true);
}

static int
unhold(int argc, char **argv)
{
	return one(argc, argv, "module.unhold", "module unhold MODULE --reason TEXT [--json]", true);
}

static int
reveal(int argc, char **argv)
{
	return one(argc, argv, "module.reveal", "module reveal MODULE --reason TEXT [--json]", true);
}

/* ---- explain ---- */

/* Link by link: what each was asked of, and whether it lets the module pass. */
static void
show_chain(const struct json_value *chain)
{
	for (size_t i = 0; i < json_count(chain); i++) {
		const struct json_value *link = json_at(chain, i);
		char name[32] = "?", said[1024] = "?";
		bool ok = false;
		json_cstr(json_get(link, "link"), name, sizeof name);
		json_cstr(json_get(link, "said"), said, sizeof said);
		json_bool(json_get(link, "ok"), &ok);
		cli_print_line(stdout, name, "%s%s", ok ? "" : "NO: ", said);
	}
}

static void
show_answers(const struct json_value *root)
{
	const struct json_value *all = json_get(root, "answers");
	cli_print_field(stdout, "module", json_get(root, "module"));
	cli_print_field(stdout, "heard of last", json_get(root, "last_seen"));
	cli_print_field(stdout, "and told", json_get(root, "last_answer"));
	for (size_t i = 0; i < json_count(all); i++) {
		const struct json_value *one_answer = json_at(all, i);
		fputc('\n', stdout);
		cli_print_field(stdout, "product", json_get(one_answer, "product"));
		cli_print_field(stdout, "version", json_get(one_answer, "target"));
		cli_print_field(stdout, "profile", json_get(one_answer, "profile"));
		cli_print_field(stdout, "answer", json_get(one_answer, "answer"));
		cli_print_field(stdout, "", json_get(one_answer, "text"));
		struct view missing;
		if (json_string(json_get(one_answer, "missing"), &missing) && missing.n)
			cli_print_field(stdout, "missing", json_get(one_answer, "missing"));
		struct view ring;
		if (json_string(json_get(one_answer, "ring"), &ring) && ring.n)
			cli_print_field(stdout, "ring", json_get(one_answer, "ring"));
		if (json_type(json_get(one_answer, "release")) == JSON_STRING)
			cli_print_field(stdout, "of release", json_get(one_answer, "release"));
		show_chain(json_get(one_answer, "chain"));
	}
	if (!json_count(all))
		cli_print_line(stdout, "", "It has not asked for anything yet.");
}

static int
explain(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "module.explain", .key = "module",
	    .show = show_answers, .usage = "module explain MODULE [--json]" });
}

/* ---- import ---- */

static void
show_import(const struct json_value *root)
{
	const struct json_value *errors = json_get(root, "errors");
	bool dry = false;
	json_bool(json_get(root, "dry_run"), &dry);
	cli_print_lines(errors);
	if (dry)
		cli_print_line(stdout, "", "Nothing was changed; this is what would be.");
	cli_print_field(stdout, "added", json_get(root, "added"));
	cli_print_field(stdout, "changed", json_get(root, "changed"));
	cli_print_field(stdout, "unchanged", json_get(root, "unchanged"));
}

static int
import(int argc, char **argv)
{
	struct cli_args a;
	bool dry = false, shown;
	const char *profile = NULL;
	const struct cli_opt opts[] = {
		{ "profile", CLI_OPT_TEXT, &profile, 0, 0, 0 },
		{ "dry-run", CLI_OPT_FLAG, &dry, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	int status = cli_opt_parse(argc, argv, opts, "module import FILE [--profile NAME] [--dry-run] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	int fd = cli_call_file(&a.common, a.at[0]);
	if (fd < 0)
		return CLI_COULD_NOT;
	cli_call_begin(&r);
	if (dry)
		jsonw_kbool(&r.j, "dry_run", true);
	cli_call_text(&r, "profile", profile);
	status = cli_call_once(&a.common, "module.import", &r, &fd, 1, &reply, &shown);
	close(fd);
	if (shown)
		show_import(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

/* ---- url ---- */

static int
url(int argc, char **argv)
{
	struct cli_args a;
	int64_t days = 0;
	const char *base = NULL;
	const struct cli_opt opts[] = {
		{ "days", CLI_OPT_NUMBER, &days, 1, 30, 0 },
		{ "base", CLI_OPT_TEXT, &base, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts, "module url MODULE RELEASE [--days N] [--base URL] [--json]", 2, 2, &a);
	if (status)
		return cli_opt_end(status);
	cli_call_begin(&r);
	if (days)
		cli_call_number(&r, "days", (uint64_t)days);
	cli_call_text(&r, "module", a.at[0]);
	cli_call_text(&r, "release", a.at[1]);
	status = cli_call_once(&a.common, "module.url", &r, NULL, 0, &reply, &shown);
	if (shown) {
		const struct json_value *root = json_root(reply.doc);
		char path[64] = "";
		json_cstr(json_get(root, "path"), path, sizeof path);
		/* The host is whatever modules reach the gateway by, which it does not know. */
		size_t n = base ? strlen(base) : 0;
		cli_print_line(stdout, "url", "%.*s%s", (int)(n && base[n - 1] == '/' ? n - 1 : n), base ? base : "", path);
		cli_print_field(stdout, "module", json_get(root, "module"));
		cli_print_field(stdout, "release", json_get(root, "release"));
		cli_print_field(stdout, "until", json_get(root, "not_after"));
	}
	cli_reply_free(&reply);
	return status;
}

int
cli_module(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "modules that are listed or have asked" },
		{ "show", show, "one of them" },
		{ "reveal", reveal, "who it is, in clear; the log keeps who asked and why" },
		{ "explain", explain, "why it gets what it gets, in a sentence" },
		{ "import", import, "your inventory, from a file of CSV or of JSON lines" },
		{ "hold", hold, "give it nothing" },
		{ "url", url, "a short URL by which it gets one release" },
		{ "unhold", unhold, "treat it like the others again" },
	};
	return cli_opt_sub("module", subs, sizeof subs / sizeof subs[0], argc, argv);
}

/* ---- sightings ---- */

static int
sightings(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "resource", "resource", 0 }, { "profile", "profile", 0 }, { "product", "product", 0 }, { "version", "target", 0 },
		{ "#count", "count", 0 }, { "#modules", "modules", 0 }, { "last", "last", 0 }, { "review", "review", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "sighting.list", .rows = "sightings",
	    .filter = "profile", .usage = "sighting list [--after ID] [--limit N] [--profile NAME] [--csv] [--json]",
	    .page = CLI_PAGE_TEXT, .columns = columns,
	    .n = sizeof columns / sizeof columns[0], .empty = "No module has asked for anything that a profile knows." });
}

int
cli_sighting(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", sightings, "what modules ask for" },
	};
	return cli_opt_sub("sighting", subs, sizeof subs / sizeof subs[0], argc, argv);
}
