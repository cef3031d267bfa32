/* SPDX-License-Identifier: Apache-2.0 */
/* proposals_change - people.propose: the set in force and what shall change make the statement of the next set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/proposals_private.h"

#define DAY 86400

struct change {
	struct control *c;
	struct call *call;
	struct signers set; /* the next one, as far as it is */
	bool touched[SIGNERS_MAX]; /* by key of the set: stays though it was suspended, or is new */
	bool left_out;             /* a suspended key was taken out */
	int64_t from, until; /* validity of new keys */
	bool require_uv, changed;
};

static bool
usage(const struct change *g, const char *word, const char *why)
{
	char seen[200];
	visible_cstr(view_of(word, strnlen(word, 90)), seen, sizeof seen);
	call_fail(g->call, CALL_USAGE, "USAGE", "see fotagate people list", "%s: %s", seen, why);
	return false;
}

static bool
line(const struct json_value *list, size_t i, char dst[PROPOSALS_LINE_MAX + 1])
{
	return json_cstr(json_at(list, i), dst, PROPOSALS_LINE_MAX + 1);
}

static bool
is_suspended(const struct change *g, const struct signer *s)
{
	return people_suspended_at(g->c->people, &s->key) != 0;
}

/* Number of keys the word names; the last of them in *ret. */
static unsigned
find(const struct change *g, const char *word, uint32_t *ret)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < g->set.n; i++) {
		if (signers_named(&g->set.signer[i], view_str(word))) {
			*ret = i;
			n++;
		}
	}
	return n;
}

static void
take_out(struct change *g, uint32_t i)
{
	g->set.n--;
	memmove(&g->set.signer[i], &g->set.signer[i + 1], (g->set.n - i) * sizeof g->set.signer[0]);
	memmove(&g->touched[i], &g->touched[i + 1], (g->set.n - i) * sizeof g->touched[0]);
	g->changed = true;
}

static bool
give_key(struct change *g, struct signer *s, const char *word, const char *text)
{
	const char *why = "is not one line of an OpenSSH public key";
	if (sshkey_parse_line(view_str(text), &s->key, NULL, 0, &why))
		return usage(g, word, why);
	s->valid_after = g->from;
	s->valid_before = g->until;
	s->require_uv = g->require_uv && sshkey_is_sk(&s->key);
	return true;
}

/* "WHO KEYLINE": cuts the first word off. */
static char *
split(char *text)
{
	char *blank = strchr(text, ' ');
	if (!blank)
		return NULL;
	*blank = '\0';
	return blank + 1;
}

/* "PRINCIPAL[=ACCOUNT] KEYLINE" */
static bool
add(struct change *g, char *text)
{
	char *key = split(text), *account = strchr(text, '=');
	struct signer s = { .user = "" };
	if (!key)
		return usage(g, text, "a new signer is a name and a public key");
	if (account)
		*account++ = '\0';
	if (strlen(text) >= sizeof s.principal || (account && strlen(account) >= sizeof s.user))
		return usage(g, text, "the name or the account is too long");
	snprintf(s.principal, sizeof s.principal, "%s", text);
	snprintf(s.user, sizeof s.user, "%s", account ? account : "");
	for (uint32_t i = 0; !account && i < g->set.n; i++) /* a second key belongs to the same account */
		if (!strcmp(g->set.signer[i].principal, s.principal))
			snprintf(s.user, sizeof s.user, "%s", g->set.signer[i].user);
	if (!give_key(g, &s, text, key))
		return false;
	if (g->set.n == SIGNERS_MAX)
		return usage(g, text, "a signer set has at most 64 keys");
	g->touched[g->set.n] = true;
	g->set.signer[g->set.n++] = s;
	g->changed = true;
	return true;
}

static bool
replace(struct change *g, char *text)
{
	uint32_t i = 0;
	char *key = split(text);
	unsigned n = key ? find(g, text, &i) : 0;
	if (n != 1)
		return usage(g, text, n ? "names several keys: say which by its fingerprint" : "names no key of the set in force");
	g->touched[i] = g->changed = true;
	return give_key(g, &g->set.signer[i], text, key);
}

static bool
remove_all(struct change *g, char *text)
{
	uint32_t i = 0;
	if (!find(g, text, &i))
		return usage(g, text, "names nobody of the set in force");
	while (find(g, text, &i))
		take_out(g, i);
	return true;
}

static bool
renew(struct change *g, char *text)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < g->set.n; i++) {
		struct signer *s = &g->set.signer[i];
		if (!signers_named(s, view_str(text)))
			continue;
		n++;
		s->valid_before = g->until;
		s->require_uv |= g->require_uv && sshkey_is_sk(&s->key);
		g->changed = true;
	}
	return n || usage(g, text, "names nobody of the set in force");
}

static bool
restore(struct change *g, char *text)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < g->set.n; i++) {
		if (!signers_named(&g->set.signer[i], view_str(text)) || !is_suspended(g, &g->set.signer[i]))
			continue;
		g->touched[i] = g->changed = true;
		n++;
	}
	return n || usage(g, text, "names no suspended key");
}

static bool
each(struct change *g, const char *key, bool (*what)(struct change *g, char *text))
{
	const struct json_value *list = call_arg(g->call, key);
	char text[PROPOSALS_LINE_MAX + 1];
	for (size_t i = 0; i < json_count(list); i++) {
		if (!line(list, i, text))
			return usage(g, key, "is too long");
		if (!what(g, text))
			return false;
	}
	return true;
}

/* Suspended keys leave with the set under which they were suspended, unless people say otherwise. */
static void
leave_suspended(struct change *g)
{
	for (uint32_t i = g->set.n; i-- > 0;)
		if (!g->touched[i] && is_suspended(g, &g->set.signer[i])) {
			take_out(g, i);
			g->left_out = true;
		}
}

/* Where passkeys may sign from now on; "none" takes it away. */
static bool
give_console(struct change *g)
{
	char origin[SIGNERS_CONSOLE_MAX];
	if (!call_arg(g->call, "console"))
		return true;
	(void)call_text(g->call, "console", origin, sizeof origin);
	if (!strcmp(origin, PROPOSALS_NO_CONSOLE))
		origin[0] = '\0';
	else if (!signers_console_ok(origin))
		return usage(g, origin,
		    "is no console's origin: https:// and a host name in lower case, with a port unless it is 443");
	g->changed |= strcmp(origin, g->set.console) != 0;
	snprintf(g->set.console, sizeof g->set.console, "%s", origin);
	return true;
}

static bool
apply(struct change *g)
{
	uint64_t days = call_number(g->call, "days", PROPOSALS_DAYS_DEFAULT);
	uint64_t threshold = call_number(g->call, "threshold", g->set.threshold);
	int64_t now = control_now(g->c);
	if (!days || days > PROPOSALS_DAYS_MAX || !threshold || threshold > SIGNERS_MAX) {
		call_fail(g->call, CALL_USAGE, "USAGE", "", "days must be from 1 to %d, threshold from 1 to %d", PROPOSALS_DAYS_MAX,
		    SIGNERS_MAX);
		return false;
	}
	g->set.time = now;
	g->from = now - now % DAY; /* of the very day that the statement was written, as whoever reads it works out again */
	g->until = g->from + (int64_t)days * DAY;
	g->require_uv = call_flag(g->call, "require_uv");
	g->changed = threshold != g->set.threshold;
	g->set.threshold = (uint32_t)threshold;
	if (!give_console(g))
		return false;
	if (!each(g, "restore", restore) || !each(g, "replace", replace) || !each(g, "renew", renew) ||
	    !each(g, "remove", remove_all) || !each(g, "add", add))
		return false;
	leave_suspended(g);
	if (!g->changed)
		call_fail(g->call, CALL_USAGE, "USAGE",
		    "say --add, --remove, --replace, --renew, --restore, --threshold or --console",
		    "nothing would change");
	return g->changed;
}

static void
answer(struct control *c, struct call *call, struct view text, const struct succession_answer *a)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char name[48];
	struct call_doc d;
	if (digest_sha256(text, digest)) {
		call_fail_err(call, FG_ECRYPTO);
		return;
	}
	snprintf(name, sizeof name, "signers.%u.json", a->next.number);
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "gateway", people_genesis(c->people)->origin);
	jsonw_kcstr(&d.j, "name", name);
	jsonw_kuint(&d.j, "need", a->need_old);
	jsonw_kuint(&d.j, "need_new", a->need_new);
	jsonw_kuint(&d.j, "number", a->next.number);
	jsonw_khex(&d.j, "sha256", digest, sizeof digest);
	jsonw_kstring(&d.j, "statement", text);
	call_doc_end(call, &d, CALL_DONE);
}

/* Says early what the warden would say late. */
static void
show(struct control *c, struct call *call, struct view text)
{
	const struct succession_case k = proposals_case(c);
	const struct succession_bundle b = { .text = text };
	struct succession_answer *a = calloc(1, sizeof *a);
	int err = a ? succession_judge(&k, &b, a) : FG_ENOMEM;
	if (err)
		call_fail_err(call, err);
	else if (!a->proper)
		call_fail(call, CALL_REFUSED, "REFUSED", "", "such a signer set could never take effect: %s", a->why);
	else
		answer(c, call, text, a);
	free(a);
}

static void
open_one(struct control *c, struct call *call, const char *hex)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	struct writer text;
	writer_init(&text, SIGNERS_SET_BYTES_MAX);
	int err = hex_decode(view_str(hex), sha256, sizeof sha256) ? proposals_text(c, sha256, &text) : FG_ENOTFOUND;
	if (err == FG_ENOTFOUND)
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate people list", "there is no open proposal of that digest");
	else if (err)
		call_fail_err(call, err);
	else
		show(c, call, writer_view(&text));
	writer_free(&text);
}

void
proposals_propose(struct proposals *p, struct call *call)
{
	struct control *c = p->c;
	char hex[2 * DIGEST_SHA256_LEN + 1], why[200] = "";
	struct writer text;
	(void)call_text(call, "proposal", hex, sizeof hex);
	if (call_arg(call, "proposal")) {
		open_one(c, call, hex);
		return;
	}
	struct change *g = calloc(1, sizeof *g);
	if (!g) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	g->c = c;
	g->call = call;
	g->set = *people_set(c->people);
	if (!apply(g)) {
		free(g);
		return;
	}
	g->set.number++;
	writer_init(&text, SIGNERS_SET_BYTES_MAX);
	int err = digest_sha256(people_set_text(c->people), g->set.previous);
	if (!err && signers_check(&g->set, why, sizeof why))
		call_fail(call, CALL_REFUSED, "REFUSED",
		    g->left_out ? "keys that are suspended leave the set; --restore keeps them" : "see fotagate people list",
		    "that cannot be a signer set: %s", why);
	else if (err || (err = signers_encode(&g->set, people_genesis(c->people)->origin, &text)))
		call_fail_err(call, err);
	else
		show(c, call, writer_view(&text));
	writer_free(&text);
	free(g);
}
