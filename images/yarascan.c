/* SPDX-License-Identifier: Apache-2.0 */
#include "images/yarascan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yara.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "images/aids.h"
#include "images/yarascan_text.h"

#define RULE_NAME_MAX 96
#define RULE_MEANS_MAX 160
#define SHIPPED "shipped"
#define OWN "own"

_Static_assert(AIDS_RULES_MAX == YARASCAN_TEXT_MAX, "rules that may be sent may be read");

struct rule { /* in the order of the compiled ones */
	char name[RULE_NAME_MAX];
	char means[RULE_MEANS_MAX];
	bool mild;
};

struct yarascan {
	bool open; /* libyara is */
	YR_RULES *rules;
	YR_SCANNER *scanner;
	struct rule *rule;
	unsigned rules_n;
	uint8_t *block;
	size_t block_n;
	/* the part that is being scanned */
	const struct source *source;
	YR_MEMORY_BLOCK now;
	bool many;
	int err; /* of reading, or of fn */
	yarascan_fn *fn;
	void *arg;
};

/* ---- rules ---- */

struct complaint {
	struct yarascan_refusal *why;
	bool own, said;
	unsigned lines; /* of the operator's text */
};

static void __attribute__((format(printf, 3, 4)))
refuse(struct complaint *c, unsigned line, const char *fmt, ...)
{
	char raw[512];
	va_list ap;
	if (!c->why || c->said)
		return;
	c->said = true;
	va_start(ap, fmt);
	int n = vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	c->why->line = line;
	visible_cstr(view_str(n < 0 ? "" : raw), c->why->text, sizeof c->why->text);
}

/* Warnings tell of slow rules; time is bounded anyway. Where the text ends too early libyara names
 * no line. */
static void
on_compiled(int level, const char *file, int line, const YR_RULE *rule, const char *message,
	    void *arg)
{
	struct complaint *c = arg;
	(void)file;
	(void)rule;
	if (level == YARA_ERROR_LEVEL_ERROR && c->own)
		refuse(c, line > 0 ? (unsigned)line : c->lines, "%s", message);
	else if (level == YARA_ERROR_LEVEL_ERROR)
		refuse(c, 0, "shipped rules: %s", message);
}

/* Of what the rules import: names a module that is not to be had, or nothing. */
struct imports {
	char refused[32];
};

static int
on_import(YR_SCAN_CONTEXT *context, int message, void *data, void *arg)
{
	static const char *const known[] = {"elf", "hash", "math"};
	struct imports *i = arg;
	(void)context;
	if (message != CALLBACK_MSG_IMPORT_MODULE)
		return CALLBACK_CONTINUE;
	const YR_MODULE_IMPORT *m = data;
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
		if (strcmp(m->module_name, known[k]) == 0)
			return CALLBACK_CONTINUE;
	snprintf(i->refused, sizeof i->refused, "%s", m->module_name);
	return CALLBACK_ERROR;
}

/* The line of text that imports it; 0: not found. */
static unsigned
line_of(const char *text, const char *module)
{
	char quoted[40];
	unsigned line = 1;
	snprintf(quoted, sizeof quoted, "\"%s\"", module);
	for (const char *end; *text; text = *end ? end + 1 : end, line++) {
		end = text + strcspn(text, "\n");
		const char *import = strstr(text, "import"), *name = strstr(text, quoted);
		if (import && name && import < end && name < end)
			return line;
	}
	return 0;
}

/* Importing is only noticed when rules are run: over nothing, once. */
static int
check_imports(struct yarascan *y, const char *own, struct complaint *c)
{
	struct imports i = {""};
	int r = yr_rules_scan_mem(y->rules, (const uint8_t *)"", 0, SCAN_FLAGS_NO_TRYCATCH,
				  on_import, &i, YARASCAN_SECONDS);
	if (i.refused[0]) {
		refuse(c, line_of(own, i.refused),
		       "module \"%s\" is not available: elf, hash and math are", i.refused);
		return FG_EFORMAT;
	}
	if (r == ERROR_SUCCESS || r == ERROR_INSUFFICIENT_MEMORY)
		return r == ERROR_SUCCESS ? 0 : FG_ENOMEM;
	refuse(c, 0, "cannot be run: libyara's error %d", r);
	return FG_EFORMAT;
}

static int
compile_text(YR_COMPILER *compiler, const char *text, struct complaint *c)
{
	yr_compiler_set_callback(compiler, on_compiled, c);
	return yr_compiler_add_string(compiler, text, c->own ? OWN : SHIPPED) == 0 ? 0 : FG_EFORMAT;
}

static int
compile(struct yarascan *y, const char *own, struct complaint *c)
{
	YR_COMPILER *compiler = NULL;
	if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
		return FG_ENOMEM;
	yr_compiler_set_include_callback(compiler, NULL, NULL, NULL);
	static const char *const words[] = {"filename", "filepath", "extension"};
	int err = 0;
	for (size_t i = 0; i < sizeof words / sizeof words[0] && !err; i++)
		err = yr_compiler_define_string_variable(compiler, words[i], "") == ERROR_SUCCESS
			  ? 0
			  : FG_ENOMEM;
	if (!err)
		err = compile_text(compiler, (const char *)yarascan_text, c);
	c->own = true;
	if (!err)
		err = compile_text(compiler, own, c);
	if (!err)
		err = yr_compiler_get_rules(compiler, &y->rules) == ERROR_SUCCESS ? 0 : FG_ENOMEM;
	yr_compiler_destroy(compiler);
	if (err == FG_EFORMAT)
		refuse(c, 0, "cannot be compiled"); /* where libyara had no words for it */
	return err ? err : check_imports(y, own, c);
}

static void
describe(const YR_RULE *rule, struct rule *ret)
{
	const YR_META *m;
	char name[RULE_NAME_MAX - 12];
	visible_cstr(view_str(rule->identifier), name, sizeof name);
	snprintf(ret->name, sizeof ret->name, "%s%s", name,
		 strcmp(rule->ns->name, SHIPPED) == 0 ? " (shipped)" : "");
	yr_rule_metas_foreach(rule, m)
	{
		if (m->type != META_TYPE_STRING)
			continue;
		if (strcmp(m->identifier, "description") == 0)
			visible_cstr(view_str(m->string), ret->means, sizeof ret->means);
		if (strcmp(m->identifier, "severity") == 0)
			ret->mild = strcmp(m->string, "notice") == 0;
	}
}

static int
list(struct yarascan *y, struct complaint *c)
{
	YR_RULE *r;
	unsigned n = 0;
	yr_rules_foreach(y->rules, r) n++;
	if (n > YARASCAN_RULES_MAX) {
		refuse(c, 0, "more than %u rules", YARASCAN_RULES_MAX);
		return FG_EFORMAT;
	}
	y->rule = calloc(n + 1, sizeof *y->rule);
	if (!y->rule)
		return FG_ENOMEM;
	yr_rules_foreach(y->rules, r) describe(r, &y->rule[y->rules_n++]);
	return 0;
}

/* As a C string; *ret is owned. */
static int
text_of(struct view own, struct complaint *c, char **ret)
{
	if (own.n > YARASCAN_TEXT_MAX) {
		refuse(c, 0, "longer than %u bytes", YARASCAN_TEXT_MAX);
		return FG_EFORMAT;
	}
	unsigned line = 1;
	for (size_t i = 0; i < own.n; i++) {
		if (own.p[i] == '\0') {
			refuse(c, line, "a NUL byte");
			return FG_EFORMAT;
		}
		line += own.p[i] == '\n';
	}
	c->lines = line;
	char *text = malloc(own.n + 1);
	if (!text)
		return FG_ENOMEM;
	if (own.n)
		memcpy(text, own.p, own.n);
	text[own.n] = '\0';
	*ret = text;
	return 0;
}

int
yarascan_new(struct view own, struct yarascan **ret, struct yarascan_refusal *ret_why)
{
	struct complaint c = {.why = ret_why};
	uint32_t no_data = 0;
	char *text = NULL;
	struct yarascan *y = calloc(1, sizeof *y);
	int err = y ? text_of(own, &c, &text) : FG_ENOMEM;
	if (!err) {
		y->open = yr_initialize() == ERROR_SUCCESS;
		err = y->open ? 0 : FG_ENOMEM;
	}
	/* Matches are shown from the part itself. */
	if (!err && yr_set_configuration(YR_CONFIG_MAX_MATCH_DATA, &no_data) != ERROR_SUCCESS)
		err = FG_ENOMEM;
	if (!err)
		err = compile(y, text, &c);
	if (!err)
		err = list(y, &c);
	if (!err && yr_scanner_create(y->rules, &y->scanner) != ERROR_SUCCESS)
		err = FG_ENOMEM;
	free(text);
	if (err)
		yarascan_free(y);
	else
		*ret = y;
	return err;
}

void
yarascan_free(struct yarascan *y)
{
	if (!y)
		return;
	if (y->scanner)
		yr_scanner_destroy(y->scanner);
	if (y->rules)
		yr_rules_destroy(y->rules);
	if (y->open)
		yr_finalize();
	free(y->rule);
	free(y->block);
	free(y);
}

unsigned
yarascan_count(const struct yarascan *y)
{
	return y->rules_n;
}

const char *
yarascan_name(const struct yarascan *y, unsigned rule)
{
	return y->rule[rule].name;
}

const char *
yarascan_means(const struct yarascan *y, unsigned rule)
{
	return y->rule[rule].means;
}

bool
yarascan_is_mild(const struct yarascan *y, unsigned rule)
{
	return y->rule[rule].mild;
}

void
yarascan_only(struct yarascan *y, const bool *wanted)
{
	YR_RULE *r;
	unsigned i = 0;
	yr_rules_foreach(y->rules, r)
	{
		if (!wanted || wanted[i])
			yr_rule_enable(r);
		else
			yr_rule_disable(r);
		i++;
	}
}

/* ---- one part, block by block ---- */

/* Reads the block that was asked for; NULL ends the scan. */
static const uint8_t *
fetch(YR_MEMORY_BLOCK *b)
{
	struct yarascan *y = b->context;
	int err = source_read(y->source, b->base, y->block, b->size);
	if (err) {
		y->err = err;
		memset(y->block, 0, b->size);
	}
	return y->block;
}

static YR_MEMORY_BLOCK *
at(struct yarascan *y, uint64_t base)
{
	uint64_t left = y->source->size - base;
	y->now.base = base;
	y->now.size = left < YARASCAN_BLOCK ? (size_t)left : YARASCAN_BLOCK;
	return &y->now;
}

static YR_MEMORY_BLOCK *
first(YR_MEMORY_BLOCK_ITERATOR *i)
{
	i->last_error = ERROR_SUCCESS;
	return at(i->context, 0);
}

static YR_MEMORY_BLOCK *
next(YR_MEMORY_BLOCK_ITERATOR *i)
{
	struct yarascan *y = i->context;
	i->last_error = ERROR_SUCCESS;
	if (y->err || y->now.base + y->now.size >= y->source->size)
		return NULL;
	return at(y, y->now.base + y->now.size - YARASCAN_OVERLAP);
}

static uint64_t
size(YR_MEMORY_BLOCK_ITERATOR *i)
{
	return ((struct yarascan *)i->context)->source->size;
}

static int
on_rule(YR_SCAN_CONTEXT *context, int message, void *data, void *arg)
{
	struct yarascan *y = arg;
	if (message == CALLBACK_MSG_TOO_MANY_MATCHES)
		y->many = true;
	if (message != CALLBACK_MSG_RULE_MATCHING)
		return CALLBACK_CONTINUE;
	YR_RULE *rule = data;
	struct yarascan_hit hit = {.rule = (unsigned)(rule - y->rules->rules_table)};
	YR_STRING *string;
	YR_MATCH *match;
	yr_rule_strings_foreach(rule, string)
	{
		yr_string_matches_foreach(context, string, match)
		{
			uint64_t where = (uint64_t)(match->base + match->offset);
			if (!hit.have_where || where < hit.where) {
				hit.have_where = true;
				hit.where = where;
				hit.length =
				    match->match_length > 0 ? (uint64_t)match->match_length : 0;
			}
		}
	}
	y->err = y->fn(y->arg, &hit);
	return y->err ? CALLBACK_ABORT : CALLBACK_CONTINUE;
}

static int
variables(struct yarascan *y, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path,
		   *dot = strrchr(name, '.');
	return yr_scanner_define_string_variable(y->scanner, "filename", name) == ERROR_SUCCESS &&
		       yr_scanner_define_string_variable(y->scanner, "filepath", path) ==
			   ERROR_SUCCESS &&
		       yr_scanner_define_string_variable(y->scanner, "extension", dot ? dot : "") ==
			   ERROR_SUCCESS
		   ? 0
		   : FG_ENOMEM;
}

static int
room(struct yarascan *y, const struct source *s)
{
	size_t n = s->size < YARASCAN_BLOCK ? (size_t)s->size : YARASCAN_BLOCK;
	if (n <= y->block_n)
		return 0;
	uint8_t *more = realloc(y->block, n);
	if (!more)
		return FG_ENOMEM;
	y->block = more;
	y->block_n = n;
	return 0;
}

int
yarascan_run(struct yarascan *y, const char *path, const struct source *s, yarascan_fn *fn,
	     void *arg, enum yarascan_end *ret_end)
{
	YR_MEMORY_BLOCK_ITERATOR blocks = {
	    .context = y, .first = first, .next = next, .file_size = size};
	*ret_end = YARASCAN_DONE;
	if (s->size == 0)
		return 0;
	int err = room(y, s);
	if (!err)
		err = variables(y, path);
	if (err)
		return err;
	y->source = s;
	y->now = (YR_MEMORY_BLOCK){.context = y, .fetch_data = fetch};
	y->many = false;
	y->err = 0;
	y->fn = fn;
	y->arg = arg;
	yr_scanner_set_callback(y->scanner, on_rule, y);
	/* Of most strings one place is enough; no signal handlers: these bytes cannot go away. */
	yr_scanner_set_flags(y->scanner, SCAN_FLAGS_FAST_MODE | SCAN_FLAGS_NO_TRYCATCH |
					     SCAN_FLAGS_REPORT_RULES_MATCHING);
	yr_scanner_set_timeout(y->scanner, YARASCAN_SECONDS);
	int r = yr_scanner_scan_mem_blocks(y->scanner, &blocks);
	if (y->err)
		return y->err;
	if (r == ERROR_SCAN_TIMEOUT)
		*ret_end = YARASCAN_SLOW;
	else if (r != ERROR_SUCCESS)
		*ret_end = YARASCAN_NOT_DONE;
	else if (y->many)
		*ret_end = YARASCAN_MANY;
	return 0;
}
