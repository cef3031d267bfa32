/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/policy/sample.h"

static struct config_problems problems;

static char *
read_file(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rb");
	char *text = malloc(CONFIG_FILE_MAX);
	assert_non_null(f);
	assert_non_null(text);
	*ret_n = fread(text, 1, CONFIG_FILE_MAX, f);
	fclose(f);
	return text;
}

static void
the_shipped_sample_is_right(void **state)
{
	const char *src = getenv("FG_SRC");
	char path[1024];
	size_t n[2];
	struct config *c = NULL;
	(void)state;
	if (!src)
		skip();
	snprintf(path, sizeof path, "%s/systemd/fotagate.conf", src);
	char *main_text = read_file(path, &n[0]);
	snprintf(path, sizeof path, "%s/systemd/profiles.d/example.conf.sample", src);
	char *profile = read_file(path, &n[1]);
	struct config_file f[2] = {
		{ "fotagate.conf", view_of(main_text, n[0]) },
		{ "profiles.d/example.conf", view_of(profile, n[1]) },
	};
	int err = config_parse(f, 2, &c, &problems);
	for (unsigned i = 0; i < problems.n; i++)
		print_error("%s:%u: %s\n", problems.at[i].file, problems.at[i].line, problems.at[i].text);
	assert_int_equal(err, 0);
	assert_int_equal(c->profiles_n, 1);
	assert_string_equal(c->profiles[0].name, "acme-router");
	config_free(c);
	free(main_text);
	free(profile);
}

static void
values_and_defaults_arrive(void **state)
{
	struct config *c = NULL;
	(void)state;
	assert_int_equal(sample_parse(SAMPLE_MAIN "edges = 7; limits = { head_bytes = \"16 KiB\"; body_bytes = 0; };\n"
						  "quarantine = { keep = \"2h\"; max_bytes = 4294967296L; };\n",
			     SAMPLE_PROFILE, &c, &problems),
	    0);
	assert_int_equal(problems.n, 0);
	assert_int_equal(c->edges, 7);
	assert_int_equal(c->limits.head_bytes, 16384);
	assert_int_equal(c->limits.body_bytes, 0);
	assert_int_equal(c->limits.idle_seconds, 120);
	assert_int_equal(c->limits.connections_per_module, 32);
	assert_int_equal(c->limits.bytes_per_second, 0);
	assert_int_equal(c->quarantine.keep, 7200);
	assert_int_equal(c->quarantine.max_bytes, INT64_C(4294967296));
	assert_int_equal(c->grant_lease, 900);
	assert_string_equal(c->users.warden, "fotagate-warden");
	assert_string_equal(c->data_dir, "/var/lib/fotagate");
	assert_false(c->allow_running_without_sandbox);
	assert_false(c->demo);
	assert_true(c->learn);
	assert_int_equal(c->listeners_n, 2);
	const struct config_listener *l = config_listener(c, view_str("tls"));
	assert_non_null(l);
	assert_true(l->tls);
	assert_int_equal(l->port, 8444);
	assert_int_equal(l->suites, CONFIG_SUITES_MODERN);
	assert_int_equal(l->security_level, 2);
	assert_int_equal(l->send_fragment, 16384);
	assert_null(config_listener(c, view_str("tl")));
	const struct profile *p = config_profile(c, view_str("acme-rtr"));
	assert_non_null(p);
	assert_int_equal(p->quorum, 2);
	assert_int_equal(p->canary_quorum, 0);
	assert_int_equal(p->unlisted, PROFILE_HOLD);
	assert_int_equal(p->unknown_version, PROFILE_HOLD);
	assert_int_equal(p->not_now.status, 404);
	assert_false(p->not_now.post);
	assert_true(p->signature.require);
	assert_int_equal(p->signature.purpose, TRUST_PURPOSE_FIRMWARE);
	assert_int_equal(p->version_order, VERSION_ORDER_DOTTED);
	config_free(c);
}

/* A main text with this appended must be refused with that sentence in that line. */
static void
everything_wrong_in_the_main_file_is_an_error(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "edge = 1;", "edge is unknown; did you mean edges?" },
		{ "frobnicate = 1;", "frobnicate is unknown; see fotagate.conf(5)" },
		{ "edges = \"2\";", "edges is text; write integer, 1 to 64" },
		{ "edges = 0;", "edges is out of range" },
		{ "edges = 65;", "edges is out of range" },
		{ "edges = true;", "edges is a boolean" },
		{ "edges = 4294967298;", "integer beyond 32 bits" },
		{ "edges = 1; edges = 2;", "edges is set again" },
		{ "demo = 1;", "demo is an integer; write boolean" },
		{ "data_dir = \"relative\";", "absolute path" },
		{ "data_dir = \"\";", "data_dir is empty" },
		{ "data_dir = \"/a/../b\";", "absolute path" },
		{ "limits = { head_bytes = \"1 MB\"; };", "is not a size" },
		{ "limits = { head_bytes = \"1 MiB\"; };", "limits.head_bytes is out of range" },
		{ "limits = { bytes_per_second = \"1023 B\"; };", "limits.bytes_per_second is less than 1024 bytes" },
		{ "limits = { group_bytes_per_second = 1; };", "limits.group_bytes_per_second is less than" },
		{ "limits = { module_bytes_per_second = 1023; };", "limits.module_bytes_per_second is less than" },
		{ "limits = { connections_per_module = 0; };", "limits.connections_per_module is out of range" },
		{ "limits = 3;", "limits is an integer; write group" },
		{ "limits = { nope = 1; };", "limits.nope is unknown" },
		{ "quarantine = { keep = 30; };", "quarantine.keep is an integer; write duration" },
		{ "quarantine = { keep = \"30\"; };", "is not a duration" },
		{ "grants = { lease = \"2h\"; };", "grants.lease is out of range" },
		{ "users = { edge = \"Bad Name\"; };", "Unix name" },
		{ "profile = { };", "move it to profiles.d" },
		{ "roles = ( );", "roles is a list; write group" },
		{ "allow_running_without_sandbox = true;", "allow_running_without_sandbox is unknown" },
	};
	char text[2048];
	struct config *c = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "%s%s\n", SAMPLE_MAIN, cases[i].text);
		assert_int_equal(sample_parse(text, NULL, &c, &problems), FG_EFORMAT);
		assert_null(c);
		assert_int_equal(problems.n, 1);
		assert_true(sample_says(&problems, "fotagate.conf", 6, cases[i].says));
	}
}

static void
everything_wrong_in_a_profile_is_an_error(void **state)
{
	static const struct {
		const char *key, *line, *says;
	} cases[] = {
		{ "quorum", "", "profile.quorum is missing" },
		{ "quorum", "quorum = 0;", "profile.quorum is out of range" },
		{ "quorum", "quorum = 1; canary_quorum = 2;", "canary_quorum is higher" },
		{ "name", "name = \"A\";", "profile.name is \"A\"" },
		{ "supplier", "supplier = \"nobody\";", "is not in suppliers" },
		{ "maintenance", "maintenance = [ \"never\" ];", "is not in windows" },
		{ "blackouts", "blackouts = [ \"never\" ];", "is not in blackouts" },
		{ "listeners", "listeners = [ \"nowhere\" ];", "is not in listeners" },
		{ "listeners", "listeners = [ ];", "has 0 entries" },
		{ "hosts", "", "name the hosts" },
		{ "hosts", "hosts = [ \"*\" ];", "write a host" },
		{ "hosts", "hosts = [ \"a\" ]; any_host = true;", "remove one of them" },
		{ "path", "path = \"fw\";", "starts with \"/\"" },
		{ "path", "path = \"/fw/{product}{to}\";", "side by side" },
		{ "path", "path = \"/fw/{product}/{what}\";", "names {what}, which is not declared" },
		{ "path", "path = \"/fw/{product}/x\";", "declares to, which neither path nor query uses" },
		{ "path", "path = \"/%66w/{product}/{to}\";", "can never match" },
		{ "path", "path = \"/a/../{product}/{to}\";", "can never match" },
		{ "query", "query = [ \"imei={imei}\", \"imei={from}\" ];", "names \"imei\" twice" },
		{ "query", "query = [ \"imei={imei}\", \"v={imei}\", \"w={from}\" ];", "uses {imei} twice" },
		{ "query", "query = [ \"imei={imei}\", \"v={from}\", \"p={product}\" ];", "which path has already" },
		{ "query", "query = [ \"imei={imei}\", \"v={from}\", \"p=x{from}\" ];", "is not one text or one declared" },
		{ "captures", "captures = { };", "names {product}, which is not declared" },
		{ "captures", "captures = { Product = { class = \"word\"; max = 1; }; };", "a name here has a-z" },
		{ "captures", "captures = { product = { class = \"any\"; max = 1; }; };", "write one of digits, hex" },
		{ "captures", "captures = { product = { class = \"word\"; }; };", "captures.product.max is missing" },
		{ "product", "product = \"capture:nope\";", "names capture:nope" },
		{ "product", "product = \"client_cert\";", "cannot come from" },
		{ "target_version", "target_version = \"header:X\";", "cannot come from" },
		{ "identity", "identity = ( );", "has 0 entries" },
		{ "identity", "identity = ( { class = \"A\"; kind = \"imei\"; from = \"capture:imei\"; } );", "is class D; write" },
		{ "identity", "identity = ( { class = \"C\"; kind = \"imei\"; from = \"capture:imei\"; } );", "is class D; write" },
		{ "identity", "identity = ( { class = \"B\"; kind = \"imei\"; from = \"capture:imei\"; } );", "is class D; write" },
		{ "identity", "identity = ( { class = \"D\"; kind = \"token\"; from = \"capture:imei\"; } );", "is class B; write" },
		{ "identity", "identity = ( { class = \"D\"; kind = \"cert\"; from = \"capture:imei\"; } );", "kind cert comes from" },
		{ "identity", "identity = ( { class = \"C\"; kind = \"address\"; from = \"source_address\"; } );", "needs networks" },
		{ "identity", "identity = ( { class = \"A\"; kind = \"cert\"; from = \"client_cert\"; } );",
		    "listener \"plain\" asks for no client certificate" },
		{ "identity", "identity = ( { class = \"A\"; kind = \"imei\"; from = \"psk_identity\"; } );",
		    "listener \"plain\" has no shared keys" },
		{ "identity", "identity = ( { class = \"D\"; kind = \"imei\"; from = \"psk_identity\"; } );", "is class A; write" },
		{ "identity", "identity = ( { class = \"A\"; kind = \"token\"; from = \"psk_identity\"; } );", "is a name" },
		{ "identity", "identity = ( { class = \"A\"; kind = \"cert\"; from = \"psk_identity\"; } );", "kind cert comes from" },
		{ "identity", "identity = ( { class = \"D\"; kind = \"serial\"; from = \"capture:imei\"; check = \"luhn\"; } );",
		    "only imei and iccid" },
		{ "networks", "networks = ( { cidr = \"10.0.0.1/8\"; } );", "host bits are zero" },
		{ "networks", "networks = ( { cidr = \"10.0.0.0/8\"; }, { cidr = \"10.0.0.0/8\"; } );", "lists 10.0.0.0/8 twice" },
		{ "upstream", "upstream = \"https://{product}/\";", "takes its host from a request" },
		{ "upstream", "upstream = \"https://x.{product}.example/\";", "takes its host from a request" },
		{ "upstream", "upstream = \"ftp://up.example/\";", "is not a URL" },
		{ "upstream", "upstream = \"ftp://up.example/a?v={to}\";", "is not a URL" },
		{ "upstream", "upstream = \"ftp://up.example/a;type=d\";", "is not a URL" },
		{ "upstream", "upstream = \"ftps://up.example/{imei}\";", "sends the module's identity {imei}" },
		{ "upstream", "upstream = \"https://u:p@up.example/\";", "is not a URL" },
		{ "upstream", "upstream = \"https://up.example/../x\";", "is not a URL" },
		{ "upstream", "upstream = \"https://up.example/#x\";", "is not a URL" },
		{ "upstream", "upstream = \"https://up.example\";", "is not a URL" },
		{ "upstream", "upstream = \"https://up.example/{from}\";", "lets be absent" },
		{ "upstream", "upstream = \"https://up.example/{imei}\";", "sends the module's identity {imei}" },
		{ "upstream", "", "signature_url without upstream" },
		{ "signature_url", "notes_url = \"https://{product}.example/x\";", "takes its host from a request" },
		{ "signature_url", "notes_url = \"https://up.example/{to}\";", "{to}" },
		{ "signature_url", "notes_url = \"https://up.example\";", "is not a URL" },
		{ "upstream", "notes_url = \"https://up.example/x\";", "notes_url without upstream" },
		{ "product", "product = \"capture:imei\"; notes_url = \"https://up.example/{product}\";", "sends the module's identity {imei}" },
		{ "signature", "", "profile.signature is missing" },
		{ "signature", "signature = { };", "profile.signature.scheme is missing" },
		{ "signature", "signature = { scheme = \"none\"; };", "none verifies nothing" },
		{ "signature", "signature = { scheme = \"cms-detached\"; };", "nothing could ever be verified" },
		{ "signature", "signature = { scheme = \"cms-attached\"; anchors = [ \"a\" ]; };", "goes with a detached scheme" },
		{ "signature", "signature = { scheme = \"embedded\"; format = \"swu\"; anchors = [ \"a\" ]; };", "goes with a detached scheme" },
		{ "signature", "signature = { scheme = \"embedded\"; anchors = [ \"a\" ]; };", "must name a format that carries" },
		{ "signature", "signature = { scheme = \"embedded\"; format = \"elf\"; anchors = [ \"a\" ]; };", "must name a format that carries" },
		{ "signature", "signature = { scheme = \"cms-detached\"; format = \"swu\"; anchors = [ \"a\" ]; };", "signature.format" },
		{ "signature", "signature = { scheme = \"ed25519\"; key_scheme = \"ed25519\"; anchors = [ \"a\" ]; };", "signature.key_scheme" },
		{ "signature", "signature = { scheme = \"ed25519\"; anchors = [ \"a\", \"a\" ]; };", "lists a twice" },
		{ "signature", "signature = { scheme = \"uptane\"; anchors = [ \"root.json\" ]; };", "roots of both repositories" },
		{ "signature", "signature = { scheme = \"uptane\"; anchors = [ \"director.json\" ]; };", "roots of both repositories" },
		{ "signature", "signature = { scheme = \"tuf\"; anchors = [ \"director.json\" ]; };", "which goes with uptane" },
		{ "signature", "signature = { scheme = \"ed25519\"; anchors = [ \"../a\" ]; };", "without \"/\"" },
		{ "signature", "signature = { scheme = \"cms-detached\"; anchors = [ \"a\" ]; ignore_expiry_for_pinned = true; };",
		    "needs allow_leaf_anchor" },
		{ "upstream_options", "upstream_options = { proxy = \"proxy.example:3128\"; };", "is no proxy" },
		{ "upstream_options", "upstream_options = { proxy = \"https://proxy.example:3128\"; };", "is no proxy" },
		{ "upstream_options", "upstream_options = { proxy = \"http://a:b@proxy.example:3128\"; };", "is no proxy" },
		{ "upstream_options", "upstream_options = { proxy = \"http://proxy.example/x\"; };", "is no proxy" },
		{ "upstream_options", "upstream_options = { credentials_file = \"../x\"; };", "file name" },
		{ "upstream_options", "upstream_options = { spki_pins = [ \"00\" ]; };", "64 digits" },
		{ "deltas", "deltas = { pins = [ \"00\" ]; unseen = \"pinned\"; };", "64 digits" },
		{ "deltas", "deltas = { format = \"zip\"; };", "a format of deltas" },
		{ "deltas", "deltas = { pins = [ \"0000000000000000000000000000000000000000000000000000000000000000\" ]; };",
		    "goes with unseen" },
		{ "upstream", "upstream = \"ftp://up.example/a\"; upstream_options = { spki_pins = [ \""
		    "0000000000000000000000000000000000000000000000000000000000000000\" ]; };", "for servers that show a key" },
		{ "extra", "extra = 1;", "profile.extra is unknown" },
	};
	struct config *c = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = sample_profile_with(cases[i].key, cases[i].line);
		assert_int_equal(sample_parse(SAMPLE_MAIN, text, &c, &problems), FG_EFORMAT);
		assert_true(sample_says(&problems, "profiles.d/a.conf", 0, cases[i].says));
		free(text);
	}
}

/* MODULE_PROTOCOLS.md section 8: answers that some client takes for firmware or for an error. */
static void
not_now_follows_the_protocol_notes(void **state)
{
	static const struct {
		const char *text, *says; /* NULL: accepted */
	} cases[] = {
		{ "", NULL },
		{ "status = 403;", NULL },
		{ "status = 204;", NULL },
		{ "status = 503; retry_after = \"1h\";", NULL },
		{ "status = 200; body = \"{\\\"status\\\":2101}\"; content_type = \"application/json\";", NULL },
		{ "status = 404; body = \"{\\\"code\\\":27}\"; content_type = \"application/json\";", NULL },
		{ "close = true;", NULL },
		{ "close = true; post = true;", NULL },
		{ "status = 204; post = true;", NULL },
		{ "status = 200;", "200 without a body" },
		{ "status = 206;", "no way to say it" },
		{ "status = 302;", "no way to say it" },
		{ "status = 416;", "no way to say it" },
		{ "status = 500;", "no way to say it" },
		{ "status = 100;", "out of range" },
		{ "status = 401;", "authenticate again" },
		{ "status = 204; body = \"{}\"; content_type = \"application/json\";", "cannot go with status 204" },
		{ "status = 503;", "at most 1h" },
		{ "status = 503; retry_after = \"1d\";", "at most 1h" },
		{ "status = 404; body = \"Not found\"; content_type = \"text/html\";", "into their flash" },
		{ "status = 404; body = \"<html>\"; content_type = \"application/json\";", "into their flash" },
		{ "status = 404; body = \"{}\";", "content_type must be JSON" },
		{ "content_type = \"application/json\";", "without a body" },
		{ "close = true; status = 404;", "closes without an answer" },
		{ "close = true; retry_after = \"1m\";", "closes without an answer" },
		{ "close = true; body = \"{}\";", "closes without an answer" },
	};
	char line[256];
	struct config *c = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(line, sizeof line, "not_now = { %s };", cases[i].text);
		char *text = sample_profile_with("not_now", line);
		int err = sample_parse(SAMPLE_MAIN, text, &c, &problems);
		if (cases[i].says) {
			assert_int_equal(err, FG_EFORMAT);
			assert_true(sample_says(&problems, "profiles.d/a.conf", 0, cases[i].says));
		} else if (err) {
			fail_msg("%s: %s", cases[i].text, problems.at[0].text);
		} else {
			config_free(c);
		}
		free(text);
	}
}

static void
all_problems_are_reported_in_order(void **state)
{
	struct config *c = NULL;
	(void)state;
	assert_int_equal(sample_parse("edges = 0;\nfoo = 1;\nedges = 3;\ngrants = { lease = \"1s\";\n  bar = 1; };\n" SAMPLE_MAIN,
			     "profile = {\n};\nx = 1;\n", &c, &problems),
	    FG_EFORMAT);
	assert_true(sample_says(&problems, "fotagate.conf", 1, "edges is out of range"));
	assert_true(sample_says(&problems, "fotagate.conf", 2, "foo is unknown"));
	assert_true(sample_says(&problems, "fotagate.conf", 3, "set again"));
	assert_true(sample_says(&problems, "fotagate.conf", 4, "grants.lease is out of range"));
	assert_true(sample_says(&problems, "fotagate.conf", 5, "grants.bar is unknown"));
	assert_true(sample_says(&problems, "profiles.d/a.conf", 1, "profile.name is missing"));
	assert_true(sample_says(&problems, "profiles.d/a.conf", 3, "x: unknown"));
	for (unsigned i = 1; i < problems.n; i++)
		if (!strcmp(problems.at[i].file, problems.at[i - 1].file))
			assert_true(problems.at[i].line >= problems.at[i - 1].line);
}

static void
a_hundred_and_then_a_count(void **state)
{
	char text[8192] = "";
	struct config *c = NULL;
	(void)state;
	for (unsigned i = 0; i < 130; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "zz%u = 1;\n", i);
	strcat(text, SAMPLE_MAIN);
	assert_int_equal(sample_parse(text, NULL, &c, &problems), FG_EFORMAT);
	assert_int_equal(problems.n, CONFIG_PROBLEMS_MAX);
	assert_int_equal(problems.more, 30);
}

/* What the scan accepts libconfig must accept: these once differed. */
static void
the_last_line_may_lack_its_break(void **state)
{
	static const char *const ends[] = { "", "# comment", "// comment", "/* comment */", "edges = 3", "edges = 3 # comment" };
	char text[2048];
	struct config *c = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(text, sizeof text, "%s%s", SAMPLE_MAIN, ends[i]);
		if (sample_parse(text, NULL, &c, &problems))
			fail_msg("%s: %s", ends[i], problems.at[0].text);
		config_free(c);
	}
}

static void
bundles_are_bounded_and_ordered(void **state)
{
	struct config *c = NULL;
	char *second = sample_profile_with("name", "name = \"other\";");
	struct config_file f[3] = {
		{ "fotagate.conf", view_str(SAMPLE_MAIN) },
		{ "profiles.d/a.conf", view_str(SAMPLE_PROFILE) },
		{ "profiles.d/b.conf", view_str(second) },
	};
	(void)state;
	assert_int_equal(config_parse(f, 3, &c, &problems), 0);
	assert_int_equal(c->profiles_n, 2);
	config_free(c);
	c = NULL;
	f[2].name = "profiles.d/Z.conf"; /* sorts before a.conf */
	assert_int_equal(config_parse(f, 3, &c, &problems), FG_EFORMAT);
	assert_true(sample_says(&problems, "profiles.d/Z.conf", 0, "not in name order"));
	f[2].name = "profiles.d/b.conf";
	f[2].text = view_str(SAMPLE_PROFILE);
	assert_int_equal(config_parse(f, 3, &c, &problems), FG_EFORMAT);
	assert_true(sample_says(&problems, "profiles.d/b.conf", 2, "is already another file's"));
	f[2].name = "b\n\x1b[31m.conf";
	assert_int_equal(config_parse(f, 3, &c, &problems), FG_EFORMAT);
	for (unsigned i = 0; i < problems.n; i++)
		assert_null(strchr(problems.at[i].file, '\x1b'));
	assert_int_equal(config_parse(f, 0, &c, &problems), FG_EFORMAT);
	assert_int_equal(config_parse(f, CONFIG_FILES_MAX + 1, &c, &problems), FG_EFORMAT);
	static uint8_t big[CONFIG_FILE_MAX + 1];
	memset(big, '\n', sizeof big);
	f[0].text = view_of(big, sizeof big);
	assert_int_equal(config_parse(f, 1, &c, &problems), FG_EFORMAT);
	assert_true(sample_says(&problems, "fotagate.conf", 0, "larger than"));
	assert_null(c);
	free(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_sample_is_right),
		cmocka_unit_test(values_and_defaults_arrive),
		cmocka_unit_test(everything_wrong_in_the_main_file_is_an_error),
		cmocka_unit_test(everything_wrong_in_a_profile_is_an_error),
		cmocka_unit_test(not_now_follows_the_protocol_notes),
		cmocka_unit_test(all_problems_are_reported_in_order),
		cmocka_unit_test(a_hundred_and_then_a_count),
		cmocka_unit_test(the_last_line_may_lack_its_break),
		cmocka_unit_test(bundles_are_bounded_and_ordered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
