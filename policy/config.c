/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that sees libconfig. */
#include "policy/config.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "policy/config_check.h"
#include "policy/config_scan.h"
#include "policy/config_schema.h"
#include "policy/profile_check.h"
#include "policy/rules_check.h"

#define WHERE_MAX 256 /* "profile.networks[255].module" and a hostile key's first bytes */

struct load {
	const char *file;
	struct config_problems *problems;
	unsigned scan_from, scan_to; /* problems the scan of this file added */
};

static unsigned
line_of(const config_setting_t *s)
{
	return s ? (unsigned)config_setting_source_line(s) : 0;
}

/* A line the scan already complained about holds a value that is not what was written. */
static bool
usable(const struct load *l, const config_setting_t *s)
{
	return !config_problem_on(l->problems, l->scan_from, l->scan_to, line_of(s));
}

/* "is text; write integer, 1 to 64" */
static void
mistyped(
    const struct load *l, const struct config_key *k, const config_setting_t *s, const char *where)
{
	static const char *const names[] = {
		[CONFIG_TYPE_NONE] = "nothing",
		[CONFIG_TYPE_GROUP] = "a group",
		[CONFIG_TYPE_INT] = "an integer",
		[CONFIG_TYPE_INT64] = "an integer",
		[CONFIG_TYPE_FLOAT] = "a fraction",
		[CONFIG_TYPE_STRING] = "text",
		[CONFIG_TYPE_BOOL] = "a boolean",
		[CONFIG_TYPE_ARRAY] = "an array",
		[CONFIG_TYPE_LIST] = "a list",
	};
	char type[CONFIG_SCHEMA_TYPE_MAX];
	int t = config_setting_type(s);
	config_schema_type(k, type);
	config_problem_add(l->problems, l->file, line_of(s), "%s is %s; write %s", where,
	    t >= 0 && t <= CONFIG_TYPE_LIST ? names[t] : "unreadable", type);
}

static void
put_int(void *base, const struct config_key *k, int64_t v)
{
	memcpy((char *)base + k->offset, &v, sizeof v);
}

static void
put_count(void *base, const struct config_key *k, unsigned n)
{
	memcpy((char *)base + k->count_offset, &n, sizeof n);
}

static bool
get_integer(const config_setting_t *s, int64_t *ret)
{
	int t = config_setting_type(s);
	if (t == CONFIG_TYPE_INT)
		*ret = config_setting_get_int(s);
	else if (t == CONFIG_TYPE_INT64)
		*ret = config_setting_get_int64(s);
	else
		return false;
	return true;
}

static const char *
get_text(const config_setting_t *s)
{
	return config_setting_type(s) == CONFIG_TYPE_STRING ? config_setting_get_string(s) : NULL;
}

/* Integer, size and duration. */
static void
load_number(const struct load *l, const struct config_key *k, const config_setting_t *s,
    const char *where, void *base)
{
	int64_t v = 0;
	const char *text = get_text(s);
	bool ok = k->type == CONFIG_KEY_INT  ? get_integer(s, &v)
	    : k->type == CONFIG_KEY_DURATION ? text && config_form_duration(text, &v)
	    : text			     ? config_form_size(text, &v)
					     : get_integer(s, &v);
	if (!ok) {
		if (text && k->type != CONFIG_KEY_INT)
			config_problem_add(l->problems, l->file, line_of(s),
			    "%s: \"%.40s\" is not a %s; write %s", where, text,
			    k->type == CONFIG_KEY_SIZE ? "size" : "duration",
			    k->type == CONFIG_KEY_SIZE ? "\"64 KiB\" or a number of bytes"
						       : "\"90s\", \"15m\", \"2h\" or \"30d\"");
		else
			mistyped(l, k, s, where);
		return;
	}
	if (v < k->min || v > k->max) {
		char type[CONFIG_SCHEMA_TYPE_MAX];
		config_schema_type(k, type);
		config_problem_add(
		    l->problems, l->file, line_of(s), "%s is out of range; write %s", where, type);
		return;
	}
	put_int(base, k, v);
}

static void
load_enum(const struct load *l, const struct config_key *k, const config_setting_t *s,
    const char *where, void *base)
{
	const char *text = get_text(s);
	char type[CONFIG_SCHEMA_TYPE_MAX];
	if (!text) {
		mistyped(l, k, s, where);
		return;
	}
	int v = config_schema_word(k->words, text);
	if (v < 0) {
		config_schema_type(k, type);
		config_problem_add(l->problems, l->file, line_of(s), "%s is \"%.40s\"; write %s",
		    where, text, type);
		return;
	}
	memcpy((char *)base + k->offset, &v, sizeof v);
}

/* Checks and copies one text of key k to dst, stride bytes. */
static void
load_text(const struct load *l, const struct config_key *k, const config_setting_t *s,
    const char *where, char *dst)
{
	const char *text = get_text(s);
	if (!text) {
		if (k->type == CONFIG_KEY_TEXT)
			mistyped(l, k, s, where);
		else
			config_problem_add(l->problems, l->file, line_of(s),
			    "%s is no text; put it in \"\"", where);
		return;
	}
	if (text[0] == '\0') {
		/* Where empty is the default, one may also write it. */
		if (k->type != CONFIG_KEY_TEXT || !k->def || k->def[0] != '\0')
			if (!(k->form == CONFIG_FORM_USER && !strncmp(k->path, "roles.", 6)))
				config_problem_add(
				    l->problems, l->file, line_of(s), "%s is empty", where);
		dst[0] = '\0';
		return;
	}
	if (strlen(text) >= k->stride) {
		config_problem_add(l->problems, l->file, line_of(s),
		    "%s is longer than %zu bytes; shorten it", where, k->stride - 1);
		return;
	}
	const char *cure = config_form_check(k->form, text);
	if (cure) {
		config_problem_add(
		    l->problems, l->file, line_of(s), "%s is \"%.60s\"; %s", where, text, cure);
		return;
	}
	snprintf(dst, k->stride, "%s", text);
}

static bool
count_fits(const struct load *l, const struct config_key *k, const config_setting_t *s,
    const char *where, int n)
{
	if (n >= k->min && n <= k->max)
		return true;
	config_problem_add(l->problems, l->file, line_of(s),
	    "%s has %d entries; write %lld to %lld", where, n, (long long)k->min,
	    (long long)k->max);
	return false;
}

static void
load_texts(const struct load *l, const struct config_key *k, const config_setting_t *s,
    const char *where, void *base)
{
	char each[WHERE_MAX];
	if (!config_setting_is_array(s) && !config_setting_is_list(s)) {
		mistyped(l, k, s, where);
		return;
	}
	int n = config_setting_length(s);
	if (!count_fits(l, k, s, where, n))
		return;
	for (int i = 0; i < n; i++) {
		snprintf(each, sizeof each, "%.160s[%d]", where, i);
		load_text(l, k, config_setting_get_elem(s, (unsigned)i), each,
		    (char *)base + k->offset + (size_t)i * k->stride);
	}
	put_count(base, k, (unsigned)n);
}

static void load_group(const struct load *l, const config_setting_t *s, unsigned line,
    const char *schema, const char *where, void *base);

static void
load_list(const struct load *l, const struct config_key *k, const config_setting_t *s,
    const char *where, void *base)
{
	char each[WHERE_MAX], inside[CONFIG_SCHEMA_PATH_MAX];
	if (!config_setting_is_list(s)) {
		mistyped(l, k, s, where);
		return;
	}
	int n = config_setting_length(s);
	if (!count_fits(l, k, s, where, n))
		return;
	config_schema_inside(k, inside);
	for (int i = 0; i < n; i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		snprintf(each, sizeof each, "%.160s[%d]", where, i);
		if (!config_setting_is_group(e)) {
			config_problem_add(l->problems, l->file, line_of(e),
			    "%s is no group; write { ... }", each);
			continue;
		}
		load_group(l, e, line_of(e), inside, each,
		    (char *)base + k->offset + (size_t)i * k->stride);
	}
	put_count(base, k, (unsigned)n);
}

static void
load_named(const struct load *l, const struct config_key *k, const config_setting_t *s,
    const char *where, void *base)
{
	char each[WHERE_MAX], inside[CONFIG_SCHEMA_PATH_MAX];
	if (!config_setting_is_group(s)) {
		mistyped(l, k, s, where);
		return;
	}
	int n = config_setting_length(s);
	if (!count_fits(l, k, s, where, n))
		return;
	config_schema_inside(k, inside);
	for (int i = 0; i < n; i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		const char *name = config_setting_name(e);
		char *dst = (char *)base + k->offset + (size_t)i * k->stride;
		snprintf(each, sizeof each, "%.160s.%.64s", where, name);
		if (strlen(name) > PROFILE_WORD_MAX ||
		    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0') {
			config_problem_add(l->problems, l->file, line_of(e),
			    "%s: a name here has a-z, 0-9 and \"_\" only, at most %d bytes", each,
			    PROFILE_WORD_MAX);
			continue;
		}
		if (!config_setting_is_group(e)) {
			config_problem_add(l->problems, l->file, line_of(e),
			    "%s is no group; write { ... }", each);
			continue;
		}
		snprintf(dst, PROFILE_WORD_MAX + 1, "%s", name);
		load_group(l, e, line_of(e), inside, each, dst);
	}
	put_count(base, k, (unsigned)n);
}

static void
load_value(const struct load *l, const struct config_key *k, const config_setting_t *s,
    const char *where, void *base)
{
	char inside[CONFIG_SCHEMA_PATH_MAX];
	bool v;
	switch (k->type) {
	case CONFIG_KEY_BOOL:
		if (config_setting_type(s) != CONFIG_TYPE_BOOL) {
			mistyped(l, k, s, where);
			return;
		}
		v = config_setting_get_bool(s) != 0;
		memcpy((char *)base + k->offset, &v, sizeof v);
		return;
	case CONFIG_KEY_INT:
	case CONFIG_KEY_SIZE:
	case CONFIG_KEY_DURATION:
		load_number(l, k, s, where, base);
		return;
	case CONFIG_KEY_ENUM:
		load_enum(l, k, s, where, base);
		return;
	case CONFIG_KEY_TEXT:
		load_text(l, k, s, where, (char *)base + k->offset);
		return;
	case CONFIG_KEY_TEXTS:
		load_texts(l, k, s, where, base);
		return;
	case CONFIG_KEY_LIST:
		load_list(l, k, s, where, base);
		return;
	case CONFIG_KEY_NAMED:
		load_named(l, k, s, where, base);
		return;
	case CONFIG_KEY_GROUP:
		if (!config_setting_is_group(s)) {
			mistyped(l, k, s, where);
			return;
		}
		config_schema_inside(k, inside);
		load_group(l, s, line_of(s), inside, where, base);
		return;
	case CONFIG_KEY_NONE:
		break;
	}
	abort();
}

/* The table's own defaults go the way a file's values go, so a wrong one cannot hide. */
static void
load_default(
    const struct load *l, const struct config_key *k, unsigned line, const char *where, void *base)
{
	char inside[CONFIG_SCHEMA_PATH_MAX];
	int64_t v = 0;
	int word;
	switch (k->type) {
	case CONFIG_KEY_BOOL: {
		bool b = !strcmp(k->def, "true");
		memcpy((char *)base + k->offset, &b, sizeof b);
		return;
	}
	case CONFIG_KEY_INT:
	case CONFIG_KEY_SIZE:
		if (!config_form_size(k->def, &v))
			abort();
		put_int(base, k, v);
		return;
	case CONFIG_KEY_DURATION:
		if (!config_form_duration(k->def, &v))
			abort();
		put_int(base, k, v);
		return;
	case CONFIG_KEY_ENUM:
		word = config_schema_word(k->words, k->def);
		if (word < 0)
			abort();
		memcpy((char *)base + k->offset, &word, sizeof word);
		return;
	case CONFIG_KEY_TEXT:
		snprintf((char *)base + k->offset, k->stride, "%s", k->def);
		return;
	case CONFIG_KEY_GROUP:
		config_schema_inside(k, inside);
		load_group(l, NULL, line, inside, where, base);
		return;
	case CONFIG_KEY_TEXTS:
	case CONFIG_KEY_LIST:
	case CONFIG_KEY_NAMED:
		put_count(base, k, 0);
		return;
	case CONFIG_KEY_NONE:
		break;
	}
	abort();
}

static void
join(char out[WHERE_MAX], const char *where, const char *leaf)
{
	snprintf(out, WHERE_MAX, "%.160s%s%.64s", where, where[0] ? "." : "", leaf);
}

/* Groups that files of their own folder hold one each of. */
static bool
has_own_file(const char *name)
{
	return strcmp(name, "profile") == 0 || strcmp(name, "list") == 0;
}

/* Everything in the file must be in the table. */
static void
check_unknown(
    const struct load *l, const config_setting_t *s, const char *schema, const char *where)
{
	char path[WHERE_MAX], full[WHERE_MAX];
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		const char *name = config_setting_name(e);
		join(path, schema, name);
		join(full, where, name);
		bool other = schema[0] == '\0' && has_own_file(name);
		if (!other && config_schema_find(path))
			continue;
		const char *near = config_schema_nearest(schema, name);
		if (other)
			config_problem_add(l->problems, l->file, line_of(e),
			    "a %s stands in its own file; move it to %ss.d", name, name);
		else if (near)
			config_problem_add(l->problems, l->file, line_of(e),
			    "%s is unknown; did you mean %s?", full, near);
		else
			config_problem_add(l->problems, l->file, line_of(e),
			    "%s is unknown; see fotagate.conf(5)", full);
	}
}

/* s may be NULL: nothing is set, line is where its absence is reported. */
static void
load_group(const struct load *l, const config_setting_t *s, unsigned line, const char *schema,
    const char *where, void *base)
{
	char full[WHERE_MAX];
	if (s)
		check_unknown(l, s, schema, where);
	for (size_t i = 0; i < config_schema_count(); i++) {
		const struct config_key *k = config_schema_at(i);
		const char *leaf = config_schema_leaf(k, schema);
		if (!leaf || (schema[0] == '\0' && has_own_file(leaf)))
			continue;
		const config_setting_t *member = s ? config_setting_get_member(s, leaf) : NULL;
		join(full, where, leaf);
		if (member && usable(l, member))
			load_value(l, k, member, full, base);
		else if (!member && k->def)
			load_default(l, k, line, full, base);
		else if (!member) {
			char type[CONFIG_SCHEMA_TYPE_MAX];
			config_schema_type(k, type);
			config_problem_add(
			    l->problems, l->file, line, "%s is missing; add it (%s)", full, type);
		}
	}
}

/* ---- files ---- */

/* Of a key below the setting that arg is, "" for itself; 0 when it is not there. */
static unsigned
line_below(void *arg, const char *key)
{
	return line_of(key[0] != '\0' ? config_setting_lookup(arg, key) : arg);
}

/* The group that a file of a folder is to hold, and that nothing stands beside it; NULL when it is not there. */
static config_setting_t *
only_group(const struct load *l, const config_setting_t *root, const char *group)
{
	config_setting_t *s = config_setting_get_member(root, group);
	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *e = config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(e);
		if (strcmp(name, group) == 0)
			continue;
		if (has_own_file(name) || !config_schema_find(name))
			config_problem_add(l->problems, l->file, line_of(e),
			    "%.64s: unknown; a file of %ss.d holds one group named %s", name, group, group);
		else
			config_problem_add(
			    l->problems, l->file, line_of(e), "%.64s: belongs into fotagate.conf; move it there", name);
	}
	if (s && config_setting_is_group(s))
		return s;
	config_problem_add(l->problems, l->file, line_of(s), "no group named %s; write %s = { ... };", group, group);
	return NULL;
}

static void
load_main(const struct load *l, config_setting_t *root, struct config *c)
{
	const struct config_check check = { l->file, l->problems, line_below, root };
	load_group(l, root, 1, "", "", c);
	config_check_main(&check, c);
	rules_check(c, l->file, l->problems);
	config_check_windows(&check, c);
}

static int
load_list_file(const struct load *l, const struct config_file *f, const config_setting_t *root, struct config *c)
{
	config_setting_t *s = only_group(l, root, "list");
	struct config_list *list = &c->lists[c->lists_n];
	int64_t day;
	if (!s)
		return FG_OK;
	load_group(l, s, line_of(s), "list", "list", list);
	config_check_list(&(struct config_check){ l->file, l->problems, line_below, s }, c);
	if (zone_date_parse(view_str(list->date), &day))
		list->dated = day * ZONE_DAY;
	c->lists_n++;
	return digest_sha256(f->text, list->sha256);
}

static void
load_profile(const struct load *l, const config_setting_t *root, struct config *c, bool cross)
{
	config_setting_t *s = only_group(l, root, "profile");
	if (!s)
		return;
	struct profile *p = &c->profiles[c->profiles_n];
	load_group(l, s, line_of(s), "profile", "profile", p);
	struct profile_check check = { .config = c,
		.file = l->file,
		.problems = l->problems,
		.line = line_below,
		.arg = s,
		.cross = cross };
	profile_check(&check, p);
	if (p->name[0] != '\0' && config_profile(c, view_str(p->name)))
		config_problem_add(l->problems, l->file, line_below(s, "name"),
		    "profile.name \"%s\" is already another file's; choose another", p->name);
	c->profiles_n++;
}

static bool
file_named_well(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= CONFIG_FILE_NAME_MAX &&
	    name[strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+@~")] == '\0';
}

static bool
is_list(const struct config_file *f)
{
	return strncmp(f->name, "lists.d/", 8) == 0;
}

/* *ret_read says whether the file could be read at all. */
static int
load_file(const struct config_file *f, bool first, bool cross, struct config *c,
    struct config_problems *problems, bool *ret_read)
{
	struct load l = { file_named_well(f->name) ? f->name : "(file)", problems, problems->n,
		problems->n };
	char *text = NULL;
	*ret_read = false;
	if (!file_named_well(f->name)) {
		config_problem_add(problems, l.file, 0,
		    "file name has other bytes than letters, digits and . _ - + @ ~ /, or is too long");
		return 0;
	}
	if (f->text.n > CONFIG_FILE_MAX) {
		config_problem_add(problems, l.file, 0, "larger than %u bytes", CONFIG_FILE_MAX);
		return 0;
	}
	int err = config_scan(l.file, f->text, problems, &text);
	l.scan_to = problems->n;
	if (err || !text)
		return err;
	config_t tree;
	config_init(&tree);
	if (config_read_string(&tree, text) != CONFIG_TRUE) {
		/* The scan accepts a subset, so no known input gets here (fuzz_config looks for one). */
		config_problem_add(problems, l.file, (unsigned)config_error_line(&tree),
		    "libconfig says: %s",
		    config_error_text(&tree) ? config_error_text(&tree) : "unreadable");
	} else {
		*ret_read = true;
		if (first) {
			load_main(&l, config_root_setting(&tree), c);
		} else if (is_list(f)) {
			err = load_list_file(&l, f, config_root_setting(&tree), c);
		} else {
			load_profile(&l, config_root_setting(&tree), c, cross);
		}
	}
	config_destroy(&tree);
	free(text);
	return err;
}

/* Room for all of them at once: profiles point into themselves, and must not move. */
static int
make_room(const struct config_file *files, size_t n, struct config *c, struct config_problems *problems)
{
	size_t lists = 0;
	for (size_t i = 1; i < n; i++)
		lists += is_list(&files[i]);
	if (lists > CONFIG_LISTS_MAX || n - 1 - lists > CONFIG_PROFILES_MAX) {
		config_problem_add(problems, "fotagate.conf", 0, "more than %d profiles or %d lists", CONFIG_PROFILES_MAX,
		    CONFIG_LISTS_MAX);
		return FG_EFORMAT;
	}
	c->profiles = calloc(n, sizeof *c->profiles);
	if (lists > 0) /* each is large, and empty pages cost nothing */
		c->lists = calloc(lists, sizeof *c->lists);
	return c->profiles && (c->lists || lists == 0) ? FG_OK : FG_ENOMEM;
}

static void
check_order(const struct config_file *files, size_t n, struct config_problems *problems)
{
	for (size_t i = 2; i < n; i++)
		if (strcmp(files[i - 1].name, files[i].name) >= 0)
			config_problem_add(problems, files[i].name, 0,
			    "comes after %.100s, which is not in name order", files[i - 1].name);
}

int
config_parse(const struct config_file *files, size_t n, struct config **ret,
    struct config_problems *problems)
{
	bool readable = false, ignored;
	problems->n = 0;
	problems->more = 0;
	if (n == 0 || n > CONFIG_FILES_MAX) {
		config_problem_add(problems, "fotagate.conf", 0,
		    n ? "more files than profiles and lists there may be" : "no configuration");
		return FG_EFORMAT;
	}
	struct config *c = calloc(1, sizeof *c);
	int err = c ? 0 : FG_ENOMEM;
	if (!err)
		err = make_room(files, n, c, problems);
	for (size_t i = 0; i < n && !err; i++)
		err = load_file(
		    &files[i], i == 0, readable, c, problems, i == 0 ? &readable : &ignored);
	if (!err)
		check_order(files, n, problems);
	/* Of what is whole only: a profile that could not be read has no quorum to compare with. */
	if (!err && problems->n == 0)
		rules_check_order(c, files[0].name, problems);
	if (!err && problems->n > 0) {
		config_problem_sort(problems);
		err = FG_EFORMAT;
	}
	if (err) {
		config_free(c);
		return err;
	}
	*ret = c;
	return 0;
}

void
config_free(struct config *c)
{
	if (!c)
		return;
	free(c->profiles);
	free(c->lists);
	free(c);
}

const struct config_listener *
config_listener(const struct config *c, struct view name)
{
	for (unsigned i = 0; i < c->listeners_n; i++)
		if (view_is(name, c->listeners[i].name))
			return &c->listeners[i];
	return NULL;
}

const struct config_supplier *
config_supplier(const struct config *c, struct view name)
{
	for (unsigned i = 0; i < c->suppliers_n; i++)
		if (view_is(name, c->suppliers[i].name))
			return &c->suppliers[i];
	return NULL;
}

const struct window *
config_window(const struct config *c, struct view name)
{
	for (unsigned i = 0; i < c->windows_n; i++)
		if (view_is(name, c->windows[i].name))
			return &c->windows[i];
	return NULL;
}

const struct window_blackout *
config_blackout(const struct config *c, struct view name)
{
	for (unsigned i = 0; i < c->blackouts_n; i++)
		if (view_is(name, c->blackouts[i].name))
			return &c->blackouts[i];
	return NULL;
}

const struct rollout_plan *
config_rollout_plan(const struct config *c, struct view name)
{
	for (unsigned i = 0; i < c->rollout_plans_n; i++)
		if (view_is(name, c->rollout_plans[i].name))
			return &c->rollout_plans[i];
	return NULL;
}

const struct profile *
config_profile(const struct config *c, struct view name)
{
	for (size_t i = 0; i < c->profiles_n; i++)
		if (view_is(name, c->profiles[i].name))
			return &c->profiles[i];
	return NULL;
}
