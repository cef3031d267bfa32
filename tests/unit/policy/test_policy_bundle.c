/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/policy_bundle.h"
#include "unit/policy/sample.h"

/* Each kind of item, most of them more than once. */
#define GROUP(name, tag) "{ name = \"" name "\"; tag = \"" tag "\"; }"
#define WINDOW(name, to) "{ name = \"" name "\"; days = [ \"mon\" ]; from = \"08:00\"; to = \"" to "\"; }"
#define RULE_BIG "{ name = \"big\"; size_at_least = 5000; outcome = \"deny\"; }"
#define RULE_LATE "{ name = \"late\"; outcome = \"hold\"; quorum = 3; }"
#define REST \
	SAMPLE_MAIN \
	"inspect = { yara_rules = \"own.yar\"; };\n" \
	"groups = ( " GROUP("fleet", "a") ", " GROUP("fleet-2", "b") ", " GROUP("fleet", "c") ", " GROUP("lab", "d") " );\n" \
	"blackouts = ( { name = \"feast\"; first = \"2026-12-24\"; last = \"2026-12-26\"; } );\n" \
	"rollout_plans = ( { name = \"slow\"; rings = ( { name = \"lab\"; groups = [ \"lab\" ]; soak = \"1d\"; reports = 1; " \
	"success = 990; failed = 10; silent = 20; }, { name = \"all\"; human = true; soak = \"2d\"; reports = 5; " \
	"success = 980; failed = 10; silent = 20; } ); } );\n"
#define WINDOWS "windows = ( " WINDOW("day", "18:00") ", " WINDOW("same", "18:00") " );\n"
#define RULES "rules = ( " RULE_BIG ", " RULE_LATE " );\n"
#define ALL REST WINDOWS RULES
#define LIST "list = { name = \"named\"; source = \"us\"; date = \"2026-01-31\"; entities = ( ); };\n"
#define ITEMS 21 /* that this comes to: see what_is_in_it() */

static const struct policy_bundle_item files[] = {
	{ .kind = POLICY_BUNDLE_CA, .name = "up.pem", .sha256 = { 1 } },
	{ .kind = POLICY_BUNDLE_ANCHOR, .name = "ca.pem", .sha256 = { 2 } },
	{ .kind = POLICY_BUNDLE_YARA, .name = "own.yar", .sha256 = { 3 } },
	{ .kind = POLICY_BUNDLE_ANCHOR, .name = "second.pem", .sha256 = { 4 } },
	{ .kind = POLICY_BUNDLE_CA, .name = "ca.pem", .sha256 = { 5 } }, /* nobody names that one, nor the next */
	{ .kind = POLICY_BUNDLE_ANCHOR, .name = "up.pem", .sha256 = { 6 } },
};
#define FILES (sizeof files / sizeof files[0])

/* Two profiles, of which the one that is configured first is the later by name; quorum is the first one's. */
static struct config *
configured(const char *main_text, unsigned quorum)
{
	static struct config_problems problems;
	const char *again = "signature = { scheme = \"cms-detached\"; anchors = [ \"second.pem\", \"ca.pem\" ]; };\n"
	    "upstream_options = { ca_file = \"up.pem\"; };";
	char *other = sample_profile_with("signature", again), line[32];
	snprintf(line, sizeof line, "quorum = %u;", quorum);
	char *one = sample_profile_with("quorum", line);
	char *name = strstr(other, "acme-rtr"), *host = strstr(other, "fota.example"), *cdn = strstr(other, "*.cdn");
	assert_true(name && host && cdn);
	memcpy(name, "aaaa", 4);
	memcpy(host, "aaaa", 4);
	memcpy(cdn, "*.aaa", 5);
	const struct config_file f[] = { { "fotagate.conf", view_str(main_text) }, { "lists.d/a.conf", view_str(LIST) },
		{ "profiles.d/a.conf", view_str(one) }, { "profiles.d/b.conf", view_str(other) } };
	struct config *c = NULL;
	if (config_parse(f, sizeof f / sizeof f[0], &c, &problems))
		fail_msg("%s:%u: %s", problems.at[0].file, problems.at[0].line, problems.at[0].text);
	free(one);
	free(other);
	return c;
}

static struct policy_bundle *
made(const char *main_text, unsigned quorum, const struct policy_bundle_item *of, size_t n)
{
	struct config *c = configured(main_text, quorum);
	struct policy_bundle *b = NULL;
	uint8_t alone[DIGEST_SHA256_LEN];
	char why[160] = "";
	if (policy_bundle_make(c, of, n, &b, why, sizeof why))
		fail_msg("%s", why);
	/* The configuration's part is the same to whoever has no files. */
	assert_int_equal(policy_bundle_config(c, alone), 0);
	assert_memory_equal(alone, b->config, sizeof alone);
	config_free(c);
	return b;
}

static struct view
text_of(const struct policy_bundle *b, struct writer *w)
{
	writer_init(w, POLICY_BUNDLE_TEXT_MAX);
	assert_int_equal(policy_bundle_write(b, w), 0);
	return writer_view(w);
}

static bool
same_items(const struct policy_bundle *a, const struct policy_bundle *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = a->at[i].kind == b->at[i].kind && !strcmp(a->at[i].name, b->at[i].name) &&
		    !memcmp(a->at[i].sha256, b->at[i].sha256, sizeof a->at[i].sha256);
	return same;
}

static bool
same_digests(const struct policy_bundle *a, const struct policy_bundle *b)
{
	return !memcmp(a->sha256, b->sha256, sizeof a->sha256) && !memcmp(a->config, b->config, sizeof a->config);
}

/* ---- what is in it ---- */

static void
what_is_in_it(void **state)
{
	static const char *const want[ITEMS] = { "blackout feast", "group fleet", "group fleet-2", "group fleet (2)", "group lab",
		"list named", "rollout plan slow", "profile acme-rtr", "profile aaaa-rtr", "rule big", "rule late", "settings settings",
		"supplier acme", "window day", "window same", "anchor ca.pem", "anchor second.pem", "CA file up.pem",
		"YARA rules own.yar", "policy acme-rtr", "policy aaaa-rtr" };
	struct policy_bundle *b = made(ALL, 2, files, FILES);
	(void)state;
	assert_int_equal(b->n, ITEMS);
	for (size_t i = 0; i < b->n; i++) {
		char line[200];
		snprintf(line, sizeof line, "%s %s", policy_bundle_kind_name(b->at[i].kind), b->at[i].name);
		assert_string_equal(line, want[i]);
	}
	assert_int_equal(policy_bundle_find(b, POLICY_BUNDLE_ANCHOR, "second.pem")->sha256[0], 4);
	assert_int_equal(policy_bundle_find(b, POLICY_BUNDLE_CA, "up.pem")->sha256[0], 1);
	assert_null(policy_bundle_find(b, POLICY_BUNDLE_CA, "second.pem"));
	assert_null(policy_bundle_find(b, POLICY_BUNDLE_ANCHOR, "second.pe"));
	assert_string_equal(policy_bundle_kind_name(POLICY_BUNDLE_NONE), "");
	assert_string_equal(policy_bundle_kind_name(POLICY_BUNDLE_LIMIT), "");
	assert_string_equal(policy_bundle_kind_name((enum policy_bundle_kind) - 1), "");
	policy_bundle_free(b);
	policy_bundle_free(NULL);
}

/* Files come as a folder lists them. */
static void
files_in_any_order_make_one_bundle(void **state)
{
	struct policy_bundle *b = made(ALL, 2, files, FILES);
	struct policy_bundle_item turned[FILES];
	(void)state;
	for (size_t by = 0; by < 2 * FILES; by++) {
		for (size_t i = 0; i < FILES; i++)
			turned[i] = files[by < FILES ? (i + by) % FILES : (2 * FILES - 1 - i + by) % FILES];
		struct policy_bundle *other = made(ALL, 2, turned, FILES);
		assert_true(same_items(b, other) && same_digests(b, other));
		policy_bundle_free(other);
	}
	/* Those that nobody names change nothing. */
	struct policy_bundle *fewer = made(ALL, 2, files, FILES - 2);
	assert_true(same_items(b, fewer) && same_digests(b, fewer));
	policy_bundle_free(fewer);
	policy_bundle_free(b);
}

static void
a_file_that_is_named_must_be_there(void **state)
{
	static const char *const says[] = { "the CA file up.pem is not there", "the anchor ca.pem is not there",
		"the YARA rules own.yar is not there", "the anchor second.pem is not there" };
	struct config *c = configured(ALL, 2);
	struct policy_bundle *b = NULL;
	(void)state;
	for (size_t out = 0; out < sizeof says / sizeof says[0]; out++) {
		struct policy_bundle_item some[FILES];
		char why[160] = "";
		size_t n = 0;
		for (size_t i = 0; i < FILES; i++)
			if (i != out)
				some[n++] = files[i];
		assert_int_equal(policy_bundle_make(c, some, n, &b, why, sizeof why), FG_ENOTFOUND);
		assert_string_equal(why, says[out]);
		assert_null(b);
	}
	config_free(c);
}

static void
a_statement_has_its_policies_by_name(void **state)
{
	struct policyset s = { .number = 7, .signers = 3, .time = 5, .n = 9 };
	struct policy_bundle *b = made(ALL, 2, files, FILES);
	char why[160] = "";
	(void)state;
	memset(s.previous, 8, sizeof s.previous);
	policy_bundle_put(b, &s);
	assert_int_equal(policyset_check(&s, why, sizeof why), 0);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.profile[0].name, "aaaa-rtr");
	assert_string_equal(s.profile[1].name, "acme-rtr");
	assert_memory_equal(s.bundle, b->sha256, sizeof s.bundle);
	assert_memory_equal(s.config, b->config, sizeof s.config);
	assert_true(s.number == 7 && s.signers == 3 && s.time == 5 && s.previous[0] == 8);
	for (unsigned i = 0; i < 2; i++) {
		const struct policy_bundle_item *p = policy_bundle_find(b, POLICY_BUNDLE_POLICY, s.profile[i].name);
		assert_true(policyset_has(&s, s.profile[i].name, p->sha256));
	}
	policy_bundle_free(b);
}

/* ---- as text ---- */

static void
what_was_written_is_read_as_it_was(void **state)
{
	struct policy_bundle *b = made(ALL, 2, files, FILES), *back = NULL;
	struct writer w, again;
	uint8_t digest[DIGEST_SHA256_LEN];
	(void)state;
	struct view text = text_of(b, &w);
	assert_int_equal(policy_bundle_read(text, &back), 0);
	assert_true(same_items(b, back) && same_digests(b, back));
	assert_true(view_equal(text_of(back, &again), text));
	assert_int_equal(digest_sha256(text, digest), 0);
	assert_memory_equal(digest, b->sha256, sizeof digest);
	writer_free(&again);
	policy_bundle_free(back);
	for (size_t max = 0; max < text.n; max += 97) { /* room for less of it is no room */
		writer_init(&again, max);
		assert_int_equal(policy_bundle_write(b, &again), FG_ELIMIT);
		writer_free(&again);
	}
	policy_bundle_free(b);
	writer_free(&w);
}

static void
no_byte_of_it_can_be_another(void **state)
{
	struct policy_bundle *b = made(ALL, 2, files, FILES), *back = NULL;
	struct writer w;
	unsigned read = 0;
	(void)state;
	text_of(b, &w);
	for (size_t i = 0; i < w.n; i++) {
		uint8_t change = i % 4 ? 0x01 : (uint8_t)(1u << (i / 4 % 8));
		w.p[i] ^= change;
		int err = policy_bundle_read(writer_view(&w), &back);
		w.p[i] ^= change;
		assert_true(err == 0 || err == FG_EFORMAT);
		if (err)
			continue;
		/* A name or a digest of something else: then it is another bundle, which nobody signed. */
		assert_memory_not_equal(back->sha256, b->sha256, sizeof b->sha256);
		assert_false(same_items(back, b));
		policy_bundle_free(back);
		back = NULL;
		read++;
	}
	assert_true(read > ITEMS * DIGEST_SHA256_LEN); /* or this loop looked at nothing */
	policy_bundle_free(b);
	writer_free(&w);
}

static void
cut_or_longer_it_is_none(void **state)
{
	struct policy_bundle *b = made(ALL, 2, files, FILES), *back = NULL;
	struct writer w;
	(void)state;
	struct view text = text_of(b, &w);
	for (size_t n = 0; n < text.n; n++) {
		uint8_t *cut = malloc(n ? n : 1); /* its own allocation: a byte too far is seen */
		assert_non_null(cut);
		memcpy(cut, text.p, n);
		assert_int_equal(policy_bundle_read(view_of(cut, n), &back), FG_EFORMAT);
		free(cut);
	}
	for (const char *more = " \n}0"; *more; more++) {
		struct writer longer;
		writer_init(&longer, POLICY_BUNDLE_TEXT_MAX);
		writer_bytes(&longer, text);
		writer_u8(&longer, (uint8_t)*more);
		assert_int_equal(policy_bundle_read(writer_view(&longer), &back), FG_EFORMAT);
		writer_free(&longer);
	}
	assert_null(back);
	policy_bundle_free(b);
	writer_free(&w);
}

#define X16 "0123456789abcdef"
#define X63 X16 X16 X16 "0123456789abcde"
#define SHA X16 X16 X16 X16
#define ITEM_OF(kind, name, sha) "{\"kind\":\"" kind "\",\"name\":\"" name "\",\"sha256\":\"" sha "\"}"
#define TEXT_OF(config, of_files) "{\"config\":[" config "],\"files\":[" of_files "],\"schema\":\"fotagate-policy-bundle/1\"}"

static void
only_what_could_be_made_is_read(void **state)
{
	static const struct {
		const char *text;
		int err;
	} rows[] = {
		{ TEXT_OF("", ""), 0 },
		{ TEXT_OF(ITEM_OF("rule", "a", SHA) "," ITEM_OF("rule", "b", SHA), ITEM_OF("anchor", "a", SHA)), 0 },
		{ TEXT_OF(ITEM_OF("rule", "b", SHA) "," ITEM_OF("rule", "a", SHA), ""), 0 }, /* the order of rules decides */
		/* Two of one name: which of them would count? */
		{ TEXT_OF(ITEM_OF("rule", "a", SHA) "," ITEM_OF("rule", "a", SHA), ""), FG_EFORMAT },
		{ TEXT_OF(ITEM_OF("rule", "a", SHA) "," ITEM_OF("rule", "b", SHA) "," ITEM_OF("rule", "a", SHA), ""), FG_EFORMAT },
		{ TEXT_OF("", ITEM_OF("policy", "a", SHA) "," ITEM_OF("policy", "a", SHA)), FG_EFORMAT },
		/* Kinds in another order, in the other part, or none. */
		{ TEXT_OF(ITEM_OF("window", "a", SHA) "," ITEM_OF("rule", "a", SHA), ""), FG_EFORMAT },
		{ TEXT_OF("", ITEM_OF("policy", "a", SHA) "," ITEM_OF("anchor", "a", SHA)), FG_EFORMAT },
		{ TEXT_OF(ITEM_OF("anchor", "a", SHA), ""), FG_EFORMAT },
		{ TEXT_OF("", ITEM_OF("rule", "a", SHA)), FG_EFORMAT },
		{ TEXT_OF(ITEM_OF("", "a", SHA), ""), FG_EFORMAT },
		{ TEXT_OF(ITEM_OF("rules", "a", SHA), ""), FG_EFORMAT },
		{ TEXT_OF(ITEM_OF("rollout planning", "a", SHA), ""), FG_EFORMAT }, /* longer than any kind's name */
		/* A policy's name is a profile's, which a statement has room for; a file's may be longer. */
		{ TEXT_OF("", ITEM_OF("policy", X16 X16 X16, SHA)), 0 },
		{ TEXT_OF("", ITEM_OF("policy", X16 X16 X16 "0", SHA)), FG_EFORMAT },
		{ TEXT_OF("", ITEM_OF("anchor", X16 X16 X16 "0", SHA)), 0 },
		/* A digest a digit short, a digit long, of no digits, of large ones. */
		{ TEXT_OF(ITEM_OF("rule", "a", X63), ""), FG_EFORMAT },
		{ TEXT_OF(ITEM_OF("rule", "a", SHA "0"), ""), FG_EFORMAT },
		{ TEXT_OF(ITEM_OF("rule", "a", X63 "g"), ""), FG_EFORMAT },
		{ TEXT_OF(ITEM_OF("rule", "a", X63 "F"), ""), FG_EFORMAT },
		/* Members: one fewer, one more, another order, another type, another schema. */
		{ TEXT_OF("{\"kind\":\"rule\",\"name\":\"a\"}", ""), FG_EFORMAT },
		{ TEXT_OF("{\"kind\":\"rule\",\"sha256\":\"" SHA "\"}", ""), FG_EFORMAT },
		{ TEXT_OF("{\"kind\":\"rule\",\"name\":\"a\",\"note\":\"\",\"sha256\":\"" SHA "\"}", ""), FG_EFORMAT },
		{ TEXT_OF("{\"name\":\"a\",\"kind\":\"rule\",\"sha256\":\"" SHA "\"}", ""), FG_EFORMAT },
		{ TEXT_OF("{\"kind\":\"rule\",\"name\":1,\"sha256\":\"" SHA "\"}", ""), FG_EFORMAT },
		{ TEXT_OF("1", ""), FG_EFORMAT },
		{ TEXT_OF("[]", ""), FG_EFORMAT },
		{ "{\"config\":{},\"files\":[],\"schema\":\"fotagate-policy-bundle/1\"}", FG_EFORMAT },
		{ "{\"config\":[],\"schema\":\"fotagate-policy-bundle/1\"}", FG_EFORMAT },
		{ "{\"files\":[],\"schema\":\"fotagate-policy-bundle/1\"}", FG_EFORMAT },
		{ "{\"config\":[],\"files\":[],\"schema\":\"fotagate-policy-bundle/2\"}", FG_EFORMAT },
		{ "{\"config\":[],\"files\":[]}", FG_EFORMAT },
		{ "[]", FG_EFORMAT },
		{ "null", FG_EFORMAT },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct policy_bundle *b = NULL;
		int err = policy_bundle_read(view_str(rows[i].text), &b);
		if (err != rows[i].err)
			fail_msg("%s: %d", rows[i].text, err);
		assert_true(!b == (err != 0));
		policy_bundle_free(b);
	}
}

/* ---- bounds ---- */

/* The text of n rules with the longest names there may be, but for the last one: of last letters. */
static void
rules_text(struct writer *w, unsigned n, unsigned last)
{
	writer_text(w, "{\"config\":[");
	for (unsigned i = 0; i < n; i++)
		writer_textf(w, "%s{\"kind\":\"rule\",\"name\":\"%04u%0*u\",\"sha256\":\"%s\"}", i ? "," : "", i,
		    (i + 1 < n ? PROFILE_FILE_MAX : (int)last) - 4, 0u, SHA);
	writer_text(w, "],\"files\":[],\"schema\":\"fotagate-policy-bundle/1\"}");
}

static void
a_name_as_long_as_a_name_may_be(void **state)
{
	(void)state;
	for (unsigned n = PROFILE_FILE_MAX - 1; n <= PROFILE_FILE_MAX + 1; n++) {
		struct policy_bundle *b = NULL;
		struct writer w;
		writer_init(&w, 1024);
		rules_text(&w, 1, n);
		assert_int_equal(policy_bundle_read(writer_view(&w), &b), n <= PROFILE_FILE_MAX ? 0 : FG_EFORMAT);
		if (b)
			assert_int_equal(strlen(b->at[0].name), n);
		policy_bundle_free(b);
		writer_free(&w);
	}
}

static void
a_text_as_long_as_a_text_may_be(void **state)
{
	struct writer w;
	(void)state;
	writer_init(&w, POLICY_BUNDLE_TEXT_MAX + 1);
	rules_text(&w, 1, PROFILE_FILE_MAX);
	size_t one = w.n;
	writer_reset(&w);
	rules_text(&w, 2, PROFILE_FILE_MAX);
	size_t each = w.n - one;
	unsigned n = 1 + (unsigned)((POLICY_BUNDLE_TEXT_MAX - one) / each), over = (unsigned)((POLICY_BUNDLE_TEXT_MAX - one) % each);
	for (unsigned more = 0; more < 3; more++) {
		struct policy_bundle *b = NULL;
		writer_reset(&w);
		/* What is missing to the maximum, less one: spread over a shorter name and one item more. */
		unsigned room = over + PROFILE_FILE_MAX - (unsigned)each + more - 1;
		assert_in_range(room, 5, PROFILE_FILE_MAX);
		rules_text(&w, n + 1, room);
		assert_int_equal(w.n, POLICY_BUNDLE_TEXT_MAX - 1 + more);
		assert_int_equal(policy_bundle_read(writer_view(&w), &b), more < 2 ? 0 : FG_EFORMAT);
		if (b)
			assert_int_equal(b->n, n + 1);
		policy_bundle_free(b);
	}
	writer_free(&w);
}

/* A configuration has no more profiles than a statement; a text may. */
static void
a_statement_takes_as_many_as_it_holds(void **state)
{
	struct policyset *s = calloc(1, sizeof *s);
	(void)state;
	assert_non_null(s);
	for (unsigned n = POLICYSET_PROFILES_MAX - 1; n <= POLICYSET_PROFILES_MAX + 1; n++) {
		struct policy_bundle *b = NULL;
		struct writer w;
		writer_init(&w, POLICY_BUNDLE_TEXT_MAX);
		writer_text(&w, "{\"config\":[],\"files\":[");
		for (unsigned i = 0; i < n; i++)
			writer_textf(&w, "%s{\"kind\":\"policy\",\"name\":\"p%03u\",\"sha256\":\"%s\"}", i ? "," : "", n - i, SHA);
		writer_text(&w, "],\"schema\":\"fotagate-policy-bundle/1\"}");
		assert_int_equal(policy_bundle_read(writer_view(&w), &b), 0);
		policy_bundle_put(b, s);
		assert_int_equal(s->n, n < POLICYSET_PROFILES_MAX ? n : POLICYSET_PROFILES_MAX);
		assert_string_equal(s->profile[s->n - 1].name, n == 255 ? "p255" : n == 256 ? "p256" : "p257");
		policy_bundle_free(b);
		writer_free(&w);
	}
	free(s);
}

/* ---- of two ---- */

struct told {
	char text[1024];
};

static void
tell(void *ctx, const struct policy_bundle_item *item, enum policy_bundle_change change)
{
	static const char sign[] = { [POLICY_BUNDLE_NEW] = '+', [POLICY_BUNDLE_CHANGED] = '*', [POLICY_BUNDLE_GONE] = '-' };
	struct told *t = ctx;
	size_t n = strlen(t->text);
	snprintf(t->text + n, sizeof t->text - n, "%c%s %s;", sign[change], policy_bundle_kind_name(item->kind), item->name);
}

static void
what_differs_is_named(void **state)
{
	static const struct policy_bundle_item others[] = {
		{ .kind = POLICY_BUNDLE_CA, .name = "up.pem", .sha256 = { 1 } },
		{ .kind = POLICY_BUNDLE_ANCHOR, .name = "ca.pem", .sha256 = { 2 } },
		{ .kind = POLICY_BUNDLE_YARA, .name = "own.yar", .sha256 = { 3, 1 } },
		{ .kind = POLICY_BUNDLE_ANCHOR, .name = "second.pem", .sha256 = { 4, 1 } },
	};
	static const struct {
		const char *main_text;
		unsigned quorum;
		const struct policy_bundle_item *files;
		bool config, all; /* whether that digest stays */
		const char *there, *back;
	} rows[] = {
		{ ALL, 2, files, true, true, "", "" },
		/* Text that is not policy. */
		{ "# a remark\n" ALL "data_dir = \"/elsewhere\";\n", 2, files, true, true, "", "" },
		/* A rule: of every policy. */
		{ REST WINDOWS "rules = ( " RULE_BIG " );\n", 2, files, false, false,
		    "*policy acme-rtr;*policy aaaa-rtr;-rule late;", "+rule late;*policy acme-rtr;*policy aaaa-rtr;" },
		{ REST WINDOWS "rules = ( " RULE_BIG ", { name = \"late\"; outcome = \"hold\"; quorum = 4; } );\n", 2, files, false, false,
		    "*rule late;*policy acme-rtr;*policy aaaa-rtr;", "*rule late;*policy acme-rtr;*policy aaaa-rtr;" },
		/* One name instead of another, and the same name of another kind. */
		{ REST "windows = ( " WINDOW("day", "18:00") ", " WINDOW("big", "18:00") " );\n" RULES, 2, files, false, false,
		    "+window big;-window same;", "+window same;-window big;" },
		/* Of two windows in another order none differs, and it is another bundle all the same. */
		{ REST "windows = ( " WINDOW("same", "18:00") ", " WINDOW("day", "18:00") " );\n" RULES, 2, files, false, false, "", "" },
		/* One profile of two. */
		{ ALL, 3, files, false, false, "*profile acme-rtr;*policy acme-rtr;", "*profile acme-rtr;*policy acme-rtr;" },
		/* Files alone, and the policy of who names them. */
		{ ALL, 2, others, true, false, "*anchor second.pem;*YARA rules own.yar;*policy aaaa-rtr;",
		    "*anchor second.pem;*YARA rules own.yar;*policy aaaa-rtr;" },
	};
	struct policy_bundle *was = made(ALL, 2, files, FILES);
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct policy_bundle *now = made(rows[i].main_text, rows[i].quorum, rows[i].files, 4);
		struct told there = { "" }, back = { "" };
		policy_bundle_compare(was, now, tell, &there);
		policy_bundle_compare(now, was, tell, &back);
		assert_string_equal(there.text, rows[i].there);
		assert_string_equal(back.text, rows[i].back);
		assert_int_equal(!memcmp(was->config, now->config, sizeof was->config), rows[i].config);
		assert_int_equal(!memcmp(was->sha256, now->sha256, sizeof was->sha256), rows[i].all);
		policy_bundle_free(now);
	}
	policy_bundle_free(was);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_it),
		cmocka_unit_test(files_in_any_order_make_one_bundle),
		cmocka_unit_test(a_file_that_is_named_must_be_there),
		cmocka_unit_test(a_statement_has_its_policies_by_name),
		cmocka_unit_test(what_was_written_is_read_as_it_was),
		cmocka_unit_test(no_byte_of_it_can_be_another),
		cmocka_unit_test(cut_or_longer_it_is_none),
		cmocka_unit_test(only_what_could_be_made_is_read),
		cmocka_unit_test(a_name_as_long_as_a_name_may_be),
		cmocka_unit_test(a_text_as_long_as_a_text_may_be),
		cmocka_unit_test(a_statement_takes_as_many_as_it_holds),
		cmocka_unit_test(what_differs_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
