/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verbs.h"

static void
show_alerts(const struct json_value *root)
{
	const struct json_value *alerts = json_get(root, "alerts");
	for (size_t i = 0; i < json_count(alerts); i++) {
		fputs("! ", stdout);
		cli_print_string(stdout, json_get(json_at(alerts, i), "id"));
		fputs(": ", stdout);
		cli_print_string(stdout, json_get(json_at(alerts, i), "text"));
		fputc('\n', stdout);
	}
	if (json_count(alerts))
		fputc('\n', stdout);
}

static void
show_halt(const struct json_value *halt)
{
	int64_t uid = -1;
	char at[64] = "?";
	if (json_type(halt) != JSON_OBJECT)
		return;
	json_int(json_get(halt, "by_uid"), &uid);
	json_cstr(json_get(halt, "at"), at, sizeof at);
	cli_print_line(stdout, "HALTED", "since %s by uid %lld; nothing is served. fotagate resume ends it.", at,
	    (long long)uid);
}

static void
show_clock_hold(const struct json_value *hold)
{
	char at[64] = "?";
	if (json_type(hold) != JSON_OBJECT)
		return;
	json_cstr(json_get(hold, "at"), at, sizeof at);
	cli_print_line(stdout, "HELD", "its clock, since %s; nothing new is permitted. fotagate resume ends it.", at);
}

/* What of each listener ends first; what ends soon is an alert as well. */
static void
show_certificates(const struct json_value *list)
{
	for (size_t i = 0; i < json_count(list); i++) {
		char listener[64] = "?", kind[32] = "?", until[64] = "?";
		bool soon = false;
		json_cstr(json_get(json_at(list, i), "listener"), listener, sizeof listener);
		json_cstr(json_get(json_at(list, i), "kind"), kind, sizeof kind);
		json_cstr(json_get(json_at(list, i), "until"), until, sizeof until);
		json_bool(json_get(json_at(list, i), "soon"), &soon);
		cli_print_line(stdout, i ? "" : "ends", "%s: %s at %s%s", listener, kind, until, soon ? ", soon" : "");
	}
}

static void
show_log(const struct json_value *log)
{
	char state[32] = "?", root[80] = "?";
	uint64_t size = 0, used = 0, witnessed = 0;
	json_cstr(json_get(log, "state"), state, sizeof state);
	json_cstr(json_get(log, "root"), root, sizeof root);
	json_uint(json_get(log, "size"), &size);
	json_uint(json_get(log, "disk_used"), &used);
	json_uint(json_get(log, "witnessed"), &witnessed);
	cli_print_line(stdout, "log", "%s, %llu entries, %llu vouched for, root %.16s..., disk %llu %% used", state,
	    (unsigned long long)size, (unsigned long long)witnessed, root, (unsigned long long)used);
}

static void
show_witnesses(const struct json_value *root)
{
	const struct json_value *list = json_get(root, "witnesses");
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json_value *w = json_at(list, i);
		char name[128] = "?", answer[32] = "?", at[64] = "never";
		uint64_t size = 0, lag = 0;
		json_cstr(json_get(w, "name"), name, sizeof name);
		json_cstr(json_get(w, "answer"), answer, sizeof answer);
		json_cstr(json_get(w, "cosigned"), at, sizeof at);
		json_uint(json_get(w, "size"), &size);
		json_uint(json_get(w, "lag"), &lag);
		cli_print_line(stdout, i ? "" : "witnesses", "%s: %llu entries at %s, %llu behind; last answer: %s", name,
		    (unsigned long long)size, at, (unsigned long long)lag, answer);
	}
}

/* Of one thing, over all edges. */
static uint64_t
sum_of(const struct json_value *edges, const char *key)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < json_count(edges); i++) {
		uint64_t n = 0;
		json_uint(json_get(json_at(edges, i), key), &n);
		sum += n;
	}
	return sum;
}

static void
show_load(const struct json_value *edges)
{
	unsigned long long module = sum_of(edges, "refused_module"), source = sum_of(edges, "refused_source"),
	                   pauses = sum_of(edges, "accept_pauses"), owed = sum_of(edges, "owed_bytes");
	cli_print_line(stdout, "connected", "%llu connections, %llu of them wait for bandwidth, %llu KiB owed to slow ones",
	    (unsigned long long)sum_of(edges, "connections"), (unsigned long long)sum_of(edges, "waiting"),
	    (owed + 1023) / 1024);
	if (module || source || pauses)
		cli_print_line(stdout, "refused", "%llu requests of modules and %llu connections of addresses that had too "
		    "many connections; nobody was accepted %llu times", module, source, pauses);
}

static void
show_edges(const struct json_value *root)
{
	const struct json_value *edges = json_get(root, "edges");
	uint64_t generation = 0;
	size_t up = 0;
	for (size_t i = 0; i < json_count(edges); i++) {
		bool yes = false;
		json_bool(json_get(json_at(edges, i), "up"), &yes);
		up += yes;
	}
	json_uint(json_get(json_get(root, "table"), "generation"), &generation);
	cli_print_line(stdout, "edges", "%zu of %zu up, decision table %llu", up, json_count(edges),
	    (unsigned long long)generation);
	show_load(edges);
}

static void
show_roles(const struct json_value *roles)
{
	for (size_t i = 0; i < json_count(roles); i++) {
		const struct json_value *r = json_at(roles, i);
		char name[32] = "?";
		int64_t index = 0, status = 0, restarts = 0;
		json_cstr(json_get(r, "role"), name, sizeof name);
		json_int(json_get(r, "index"), &index);
		json_int(json_get(r, "status"), &status);
		json_int(json_get(r, "restarts"), &restarts);
		cli_print_line(stdout, i ? "" : "died", "%s %lld, last with status %lld, restarted %lld times", name,
		    (long long)index, (long long)status, (long long)restarts);
	}
}

static void
show_reviews(const struct json_value *reviews)
{
	struct writer w;
	writer_init(&w, 4096);
	for (size_t i = 0; i < json_count(reviews); i++) {
		struct view state = json_key_at(reviews, i);
		int64_t n = 0;
		if (!cli_print_is_plain(state) || !json_int(json_at(reviews, i), &n) || n == 0)
			continue;
		writer_textf(&w, "%s%lld %.*s", w.n ? ", " : "", (long long)n, (int)state.n, (const char *)state.p);
	}
	if (w.n)
		cli_print_line(stdout, "reviews", "%.*s", (int)w.n, (const char *)w.p);
	else
		cli_print_line(stdout, "reviews", "none");
	writer_free(&w);
}

static void
show(const struct json_value *root)
{
	const struct json_value *genesis = json_get(root, "genesis"), *signers = json_get(root, "signers");
	bool demo = false, warden = false, permitting = false, console = false, policy_signed = false;
	int64_t number = 0, persons = 0, threshold = 0;
	json_bool(json_get(root, "demo"), &demo);
	json_bool(json_get(root, "warden"), &warden);
	json_bool(json_get(root, "permitting"), &permitting);
	json_int(json_get(signers, "number"), &number);
	json_int(json_get(signers, "persons"), &persons);
	json_int(json_get(signers, "threshold"), &threshold);
	show_alerts(root);
	show_halt(json_get(root, "halt"));
	show_clock_hold(json_get(root, "clock_hold"));
	cli_print_field(stdout, "gateway", json_get(genesis, "origin"));
	if (demo)
		cli_print_line(stdout, "", "a demonstration: never a production gateway");
	cli_print_field(stdout, "version", json_get(root, "version"));
	cli_print_field(stdout, "time", json_get(root, "time"));
	cli_print_field(stdout, "clock", json_get(root, "clock"));
	cli_print_field(stdout, "genesis", json_get(genesis, "digest"));
	cli_print_line(stdout, "signers", "set %lld: %lld persons, %lld of them change it", (long long)number,
	    (long long)persons, (long long)threshold);
	if (json_bool(json_get(root, "policy_signed"), &policy_signed))
		cli_print_line(stdout, "policy", "%s", policy_signed ? "in force as people signed it: fotagate policy show" :
		    "NOT SIGNED: whoever can write the configuration decides what people are asked (init --unsigned-policy)");
	show_log(json_get(root, "log"));
	show_witnesses(root);
	cli_print_line(stdout, "permitting", "%s", permitting ? "yes" : "no: approvals wait");
	cli_print_line(stdout, "warden", "%s", warden ? "up" : "away");
	if (json_bool(json_get(root, "console"), &console)) /* there is to be one */
		cli_print_line(stdout, "console", "%s", console ? "up" : "away");
	show_certificates(json_get(root, "certificates"));
	show_edges(root);
	show_roles(json_get(root, "roles"));
	cli_print_field(stdout, "profiles", json_get(root, "profiles"));
	cli_print_field(stdout, "modules", json_get(root, "modules"));
	cli_print_field(stdout, "releases", json_get(root, "releases"));
	show_reviews(json_get(root, "reviews"));
}

int
cli_status(int argc, char **argv)
{
	struct cli_args a;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, NULL, "status [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	status = cli_call_once(&a.common, "status", NULL, NULL, 0, &reply, &shown);
	if (shown)
		show(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}
