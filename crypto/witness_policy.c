/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/witness_policy.h"

#include <stdlib.h>

#include "crypto/decimal.h"
#include "crypto/err.h"

#define NODES_MAX (WITNESS_POLICY_WITNESSES_MAX + WITNESS_POLICY_GROUPS_MAX)
#define BIT(i) (UINT64_C(1) << (i))

_Static_assert(NODES_MAX <= 64, "a set has a bit for each");
_Static_assert(WITNESS_POLICY_WITNESSES_MAX < NOTE_KEYS_MAX, "all of them and the log in one note_open");
_Static_assert(WITNESS_POLICY_LOGS_MAX <= NOTE_KEYS_MAX, "likewise");

static int
bad(const char **ret_why, const char *why)
{
	*ret_why = why;
	return FG_EFORMAT;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Printable ASCII, tab, and bytes above it, which are nobody's business. */
static bool
is_allowed(struct view line)
{
	for (size_t i = 0; i < line.n; i++) {
		uint8_t c = line.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Takes the next word off the line; empty at its end. */
static struct view
next_word(struct view *line)
{
	size_t from = 0, to;
	while (from < line->n && is_blank(line->p[from]))
		from++;
	for (to = from; to < line->n && !is_blank(line->p[to]); to++)
		;
	struct view word = view_of(line->n ? line->p + from : NULL, to - from);
	*line = view_of(line->n ? line->p + to : NULL, line->n - to);
	return word;
}

static void
copy(char *dst, struct view word)
{
	if (word.n)
		memcpy(dst, word.p, word.n);
	dst[word.n] = '\0';
}

/* ---- names ---- */

/* The node of that name; -1 when there is none. */
static int
find_node(const struct witness_policy *p, struct view name)
{
	for (size_t i = 0; i < p->witnesses; i++) {
		if (view_is(name, p->witness_name[i]))
			return (int)i;
	}
	for (size_t i = 0; i < p->groups; i++) {
		if (view_is(name, p->group[i].name))
			return WITNESS_POLICY_WITNESSES_MAX + (int)i;
	}
	return -1;
}

/* NULL, or why no witness or group can be called that. */
static const char *
name_problem(const struct witness_policy *p, struct view name)
{
	if (name.n == 0)
		return "a name is missing";
	if (name.n > WITNESS_POLICY_NAME_MAX)
		return "a name is longer than 127 bytes";
	if (view_is(name, "none"))
		return "\"none\" means no witness and cannot be a name";
	if (find_node(p, name) >= 0)
		return "the name is taken by a witness or group above";
	return NULL;
}

/* ---- lines ---- */

static bool
has_key(const struct note_key *keys, size_t n, const struct note_key *key)
{
	for (size_t i = 0; i < n; i++) {
		if (memcmp(keys[i].key, key->key, sizeof key->key) == 0)
			return true;
	}
	return false;
}

/* `<vkey> [<url>]` and the end of the line, for a key of that type. */
static int
read_key(const struct witness_policy *p, struct view line, enum note_type type, struct note_key *ret,
    struct view *ret_url, const char **ret_why)
{
	struct view vkey = next_word(&line);
	*ret_url = next_word(&line);
	if (vkey.n == 0)
		return bad(ret_why, "a verifier key (name+hash+base64) is missing");
	int rc = note_key_parse(vkey, ret);
	if (rc == FG_EFORMAT)
		return bad(ret_why, "not a verifier key (name+hash+base64) of a kind known here");
	if (rc < 0)
		return rc;
	if (ret->type != type)
		return bad(ret_why, type == NOTE_TYPE_COSIGNATURE ?
		    "a witness needs a key of the cosignature type (4)" :
		    "a log needs a key of the Ed25519 type (1)");
	if (has_key(p->log, p->logs, ret) || has_key(p->witness, p->witnesses, ret))
		return bad(ret_why, "this key stands in a line above already");
	if (ret_url->n > WITNESS_POLICY_URL_MAX)
		return bad(ret_why, "a URL is longer than 511 bytes");
	if (next_word(&line).n)
		return bad(ret_why, "there is something after the URL");
	return 0;
}

static int
read_log(struct witness_policy *p, struct view line, const char **ret_why)
{
	struct note_key key;
	struct view url;
	if (p->logs == WITNESS_POLICY_LOGS_MAX)
		return bad(ret_why, "more than 32 logs");
	int rc = read_key(p, line, NOTE_TYPE_ED25519, &key, &url, ret_why);
	if (rc < 0)
		return rc;
	/* A log is its origin: two keys for one would be two logs that look like one. */
	if (witness_policy_find_log(p, view_str(key.name)) >= 0)
		return bad(ret_why, "a log of this name stands in a line above already");
	p->log[p->logs] = key;
	copy(p->log_url[p->logs++], url);
	return 0;
}

static int
read_witness(struct witness_policy *p, struct view line, const char **ret_why)
{
	struct note_key key;
	struct view url;
	struct view name = next_word(&line);
	if ((*ret_why = name_problem(p, name)))
		return FG_EFORMAT;
	if (p->witnesses == WITNESS_POLICY_WITNESSES_MAX)
		return bad(ret_why, "more than 32 witnesses");
	int rc = read_key(p, line, NOTE_TYPE_COSIGNATURE, &key, &url, ret_why);
	if (rc < 0)
		return rc;
	/* note_open could not say which of two keys a line belongs to. */
	for (size_t i = 0; i < p->witnesses; i++) {
		if (p->witness[i].id == key.id && strcmp(p->witness[i].name, key.name) == 0)
			return bad(ret_why, "another key has this key's name and id");
	}
	p->witness[p->witnesses] = key;
	copy(p->witness_name[p->witnesses], name);
	copy(p->witness_url[p->witnesses++], url);
	return 0;
}

static int
read_members(const struct witness_policy *p, struct view line, struct witness_policy_group *g, unsigned *ret_n,
    const char **ret_why)
{
	*ret_n = 0;
	for (struct view name; (name = next_word(&line)).n; ++*ret_n) {
		int node = find_node(p, name);
		if (node < 0)
			return bad(ret_why, "a member of the group stands in no line above");
		if ((p->listed | g->members) & BIT(node))
			return bad(ret_why, "a member of the group is a member already: it would count twice");
		g->members |= BIT(node);
	}
	return *ret_n ? 0 : bad(ret_why, "a group needs a member");
}

static int
read_group(struct witness_policy *p, struct view line, const char **ret_why)
{
	struct witness_policy_group g = { .k = 0 };
	struct view name = next_word(&line);
	struct view threshold = next_word(&line);
	uint64_t k = 0;
	unsigned n;
	if ((*ret_why = name_problem(p, name)))
		return FG_EFORMAT;
	if (p->groups == WITNESS_POLICY_GROUPS_MAX)
		return bad(ret_why, "more than 32 groups");
	int rc = read_members(p, line, &g, &n, ret_why);
	if (rc < 0)
		return rc;
	if (view_is(threshold, "all"))
		k = n;
	else if (view_is(threshold, "any"))
		k = 1;
	else if (!decimal_parse(threshold, n, &k) || k == 0)
		return bad(ret_why, "a group's threshold is \"all\", \"any\" or a number from 1 to its members");
	g.k = (unsigned)k;
	copy(g.name, name);
	p->listed |= g.members;
	p->group[p->groups++] = g;
	return 0;
}

static int
read_quorum(struct witness_policy *p, struct view line, const char **ret_why)
{
	struct view name = next_word(&line);
	if (p->quorum != WITNESS_POLICY_QUORUM_ABSENT)
		return bad(ret_why, "a second quorum line");
	if (name.n == 0 || next_word(&line).n)
		return bad(ret_why, "quorum wants one name, or none");
	if (view_is(name, "none")) {
		p->quorum = WITNESS_POLICY_QUORUM_NONE;
		return 0;
	}
	int node = find_node(p, name);
	if (node < 0)
		return bad(ret_why, "the quorum stands in no line above");
	p->quorum = WITNESS_POLICY_QUORUM_NODE;
	p->quorum_node = (unsigned)node;
	return 0;
}

int
witness_policy_line(struct witness_policy *p, struct view line, const char **ret_why)
{
	static const struct {
		const char *word;
		int (*read)(struct witness_policy *p, struct view line, const char **ret_why);
	} words[] = {
		{ "log", read_log },
		{ "witness", read_witness },
		{ "group", read_group },
		{ "quorum", read_quorum },
	};
	*ret_why = NULL;
	if (!is_allowed(line))
		return bad(ret_why, "a control character");
	struct view word = next_word(&line);
	if (word.n == 0 || word.p[0] == '#')
		return 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (view_is(word, words[i].word))
			return words[i].read(p, line, ret_why);
	}
	*ret_why = "unknown word: log, witness, group or quorum belongs here";
	return FG_ENOTFOUND;
}

/* All lines into p, which is empty. */
static int
read_lines(struct witness_policy *p, struct view text, struct witness_policy_problem *problem)
{
	problem->line = 0;
	if (text.n > WITNESS_POLICY_SIZE_MAX)
		return bad(&problem->why, "larger than 64 KiB");
	while (text.n) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		problem->line++;
		if (!end)
			return bad(&problem->why, "the last line has no end: the file may have been cut off");
		struct view line = view_of(text.p, (size_t)(end - text.p));
		int rc = witness_policy_line(p, line, &problem->why);
		if (rc == FG_ENOTFOUND)
			rc = FG_EFORMAT;
		if (rc < 0)
			return rc;
		text = view_of(end + 1, text.n - line.n - 1);
	}
	if (p->quorum == WITNESS_POLICY_QUORUM_ABSENT) {
		problem->line = 0;
		return bad(&problem->why, "no quorum line");
	}
	return 0;
}

int
witness_policy_parse(struct view text, struct witness_policy *ret, struct witness_policy_problem *ret_problem)
{
	struct witness_policy *p = calloc(1, sizeof *p);
	struct witness_policy_problem problem = { .why = NULL };
	int rc = p ? read_lines(p, text, &problem) : FG_ENOMEM;
	if (rc == 0)
		*ret = *p;
	else if (rc == FG_EFORMAT)
		*ret_problem = problem;
	free(p);
	return rc;
}

/* ---- questions ---- */

bool
witness_policy_satisfied(const struct witness_policy *p, const bool *witnessed)
{
	uint64_t met = 0;
	if (p->quorum == WITNESS_POLICY_QUORUM_NONE)
		return true;
	if (p->quorum != WITNESS_POLICY_QUORUM_NODE)
		return false;
	for (size_t i = 0; i < p->witnesses; i++) {
		if (witnessed[i])
			met |= BIT(i);
	}
	/* Groups name only what stands above them: one pass settles all. */
	for (size_t i = 0; i < p->groups; i++) {
		if ((unsigned)__builtin_popcountll(met & p->group[i].members) >= p->group[i].k)
			met |= BIT(WITNESS_POLICY_WITNESSES_MAX + i);
	}
	return met & BIT(p->quorum_node);
}

int
witness_policy_find_log(const struct witness_policy *p, struct view origin)
{
	for (size_t i = 0; i < p->logs; i++) {
		if (view_is(origin, p->log[i].name))
			return (int)i;
	}
	return -1;
}

int
witness_policy_find_witness(const struct witness_policy *p, struct view name)
{
	for (size_t i = 0; i < p->witnesses; i++) {
		if (view_is(name, p->witness_name[i]))
			return (int)i;
	}
	return -1;
}
