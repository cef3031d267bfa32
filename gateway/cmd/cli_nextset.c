/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_nextset.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/genesis.h"

#define DAY 86400

static bool __attribute__((format(printf, 2, 3)))
no(char why[CLI_NEXTSET_WHY_MAX], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, CLI_NEXTSET_WHY_MAX, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- the set before ---- */

static int
fetch(const struct cli_common *c, struct cli_call *call, uint32_t number, struct writer *w)
{
	struct cli_request r;
	struct cli_reply reply;
	cli_call_begin(&r);
	cli_call_text(&r, "kind", number ? "signers" : "genesis");
	if (number)
		cli_call_number(&r, "number", number);
	int status = cli_call_do(call, "file.open", &r, NULL, 0, &reply);
	if (status)
		return status;
	if (reply.status != CLI_DONE)
		status = cli_call_refused(c, &reply);
	else if (reply.file < 0 || cli_call_slurp(reply.file, SIGNERS_SET_BYTES_MAX, w))
		status = cli_opt_fail(c, CLI_REFUSED, "SIGNERS", NULL, "signer set %u cannot be read", number);
	cli_reply_free(&reply);
	return status;
}

static int
parse(struct view text, uint32_t number, const char *gateway, struct signers *ret, char *why)
{
	if (number)
		return signers_parse(text, gateway, ret, why, CLI_NEXTSET_WHY_MAX);
	struct genesis *g = calloc(1, sizeof *g);
	int err = g ? genesis_parse(text, g, why, CLI_NEXTSET_WHY_MAX) : FG_ENOMEM;
	if (!err && strcmp(g->origin, gateway) != 0)
		err = FG_EFORMAT;
	if (!err)
		*ret = g->set;
	free(g);
	return err;
}

int
cli_nextset_before(const struct cli_common *c, struct cli_call *call, const struct signers *next, const char *gateway,
    struct signers *ret, char ret_why[CLI_NEXTSET_WHY_MAX])
{
	uint8_t digest[DIGEST_SHA256_LEN];
	struct writer text;
	if (!next->number) {
		no(ret_why, "follows no signer set");
		return FG_EPERM;
	}
	uint32_t number = next->number - 1;
	writer_init(&text, SIGNERS_SET_BYTES_MAX);
	int status = fetch(c, call, number, &text);
	if (!status && digest_sha256(writer_view(&text), digest))
		status = cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	/* First the digest: what only looks like a set is not worth reading. */
	if (!status && memcmp(digest, next->previous, sizeof digest) != 0) {
		no(ret_why, "names another predecessor than the signer set %u that the gateway shows", number);
		status = FG_EPERM;
	}
	if (!status && (parse(writer_view(&text), number, gateway, ret, ret_why) || ret->number != number)) {
		no(ret_why, "names a predecessor that is no signer set %u of this gateway", number);
		status = FG_EPERM;
	}
	writer_free(&text);
	return status;
}

/* ---- what was asked ---- */

struct making {
	const struct cli_nextset_asked *asked;
	struct signers *set;
	bool touched[SIGNERS_MAX]; /* by key of the set: stays although it is suspended */
	int64_t from, until;       /* of new keys */
	cli_nextset_suspended suspended;
	const void *ctx;
};

static struct view
first_word(const struct cli_opt_list *l, unsigned i)
{
	return view_of(l->at[i], strcspn(l->at[i], " "));
}

static bool
is_suspended(const struct making *m, const struct signer *s)
{
	char print[SSHKEY_FINGERPRINT_CAP];
	return sshkey_fingerprint(&s->key, print) == FG_OK && m->suspended(m->ctx, print);
}

static void
give_key(const struct making *m, struct signer *s, const struct sshkey *key)
{
	s->key = *key;
	s->valid_after = m->from;
	s->valid_before = m->until;
	s->require_uv = m->asked->require_uv && sshkey_is_sk(key);
}

static void
restore(struct making *m)
{
	for (unsigned k = 0; k < m->asked->restore.n; k++)
		for (uint32_t i = 0; i < m->set->n; i++)
			m->touched[i] |= signers_named(&m->set->signer[i], first_word(&m->asked->restore, k));
}

static bool
replace(struct making *m)
{
	for (unsigned k = 0; k < m->asked->replace.n; k++) {
		unsigned named = 0;
		uint32_t at = 0;
		for (uint32_t i = 0; i < m->set->n; i++) {
			if (!signers_named(&m->set->signer[i], first_word(&m->asked->replace, k)))
				continue;
			at = i;
			named++;
		}
		if (named != 1)
			return false;
		m->touched[at] = true;
		give_key(m, &m->set->signer[at], &m->asked->put[k]);
	}
	return true;
}

static void
renew(struct making *m)
{
	for (unsigned k = 0; k < m->asked->renew.n; k++) {
		for (uint32_t i = 0; i < m->set->n; i++) {
			struct signer *s = &m->set->signer[i];
			if (!signers_named(s, first_word(&m->asked->renew, k)))
				continue;
			s->valid_before = m->until;
			s->require_uv |= m->asked->require_uv && sshkey_is_sk(&s->key);
		}
	}
}

/* Those who were named, and suspended keys that nobody asked to keep: they leave with the set they were suspended under. */
static void
take_out(struct making *m, bool (*leaves)(const struct making *m, uint32_t i))
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < m->set->n; i++) {
		if (leaves(m, i))
			continue;
		m->touched[kept] = m->touched[i];
		m->set->signer[kept++] = m->set->signer[i];
	}
	m->set->n = kept;
}

static bool
is_removed(const struct making *m, uint32_t i)
{
	for (unsigned k = 0; k < m->asked->remove.n; k++)
		if (signers_named(&m->set->signer[i], first_word(&m->asked->remove, k)))
			return true;
	return false;
}

static bool
is_left(const struct making *m, uint32_t i)
{
	return !m->touched[i] && is_suspended(m, &m->set->signer[i]);
}

/* "PRINCIPAL[=ACCOUNT]"; a second key belongs to the same account as the first. */
static bool
add(struct making *m)
{
	for (unsigned k = 0; k < m->asked->add.n; k++) {
		struct signer s = { .user = "" };
		struct view word = first_word(&m->asked->add, k);
		const char *text = (const char *)word.p, *equals = memchr(text, '=', word.n);
		size_t who = equals ? (size_t)(equals - text) : word.n, account = equals ? word.n - who - 1 : 0;
		if (m->set->n == SIGNERS_MAX || who >= sizeof s.principal || account >= sizeof s.user)
			return false;
		memcpy(s.principal, text, who);
		if (account)
			memcpy(s.user, equals + 1, account);
		for (uint32_t i = 0; !equals && i < m->set->n; i++)
			if (!strcmp(m->set->signer[i].principal, s.principal))
				memcpy(s.user, m->set->signer[i].user, sizeof s.user);
		give_key(m, &s, &m->asked->added[k]);
		m->touched[m->set->n] = true;
		m->set->signer[m->set->n++] = s;
	}
	return true;
}

/* In control's order: who is renewed and removed is removed. False: nothing can come of it, and control said something did. */
static bool
make(struct making *m, int64_t time)
{
	m->from = time - time % DAY;
	m->until = m->from + (m->asked->days >= 0 ? m->asked->days : CLI_NEXTSET_DAYS) * DAY;
	m->set->number++;
	if (m->asked->threshold >= 0)
		m->set->threshold = (uint32_t)m->asked->threshold;
	if (m->asked->console)
		snprintf(m->set->console, sizeof m->set->console, "%s",
		    strcmp(m->asked->console, CLI_NEXTSET_NO_CONSOLE) ? m->asked->console : "");
	restore(m);
	if (!replace(m))
		return false;
	renew(m);
	take_out(m, is_removed);
	if (!add(m))
		return false;
	take_out(m, is_left);
	return true;
}

/* ---- comparing ---- */

const struct signer *
cli_nextset_find(const struct signers *set, const struct sshkey *key)
{
	for (uint32_t i = 0; i < set->n; i++)
		if (sshkey_equal(&set->signer[i].key, key))
			return &set->signer[i];
	return NULL;
}

/* Which field is not as it must be; NULL. */
static const char *
differs(const struct signer *want, const struct signer *have)
{
	if (strcmp(want->principal, have->principal) != 0)
		return "the person";
	if (strcmp(want->user, have->user) != 0)
		return "the account";
	if (want->valid_after != have->valid_after || want->valid_before != have->valid_before)
		return "the dates";
	return want->require_uv != have->require_uv ? "whether a PIN is asked for" : NULL;
}

bool
cli_nextset_same(const struct signer *a, const struct signer *b)
{
	return !differs(a, b);
}

static const char *
print_of(const struct signer *s, char print[SSHKEY_FINGERPRINT_CAP])
{
	if (sshkey_fingerprint(&s->key, print))
		snprintf(print, SSHKEY_FINGERPRINT_CAP, "a key");
	return print;
}

/* One line of the statement. */
static bool
is_wanted(const struct signers *now, const struct signers *want, const struct signer *have, char *why)
{
	char print[SSHKEY_FINGERPRINT_CAP];
	const struct signer *w = cli_nextset_find(want, &have->key);
	const char *field = w ? differs(w, have) : NULL;
	if (!w && cli_nextset_find(now, &have->key))
		return no(why, "keeps %s of %s, a suspended key or one that was to leave, which nobody asked for",
		    print_of(have, print), have->principal);
	if (!w)
		return no(why, "lists %s of %s, a key that nobody asked for", print_of(have, print), have->principal);
	if (field)
		return no(why, "has %s of %s of %s otherwise than anybody asked for: %s, account \"%s\"", field,
		    print_of(have, print), w->principal, have->principal, have->user);
	return true;
}

static bool
compare(const struct signers *now, const struct signers *want, const struct signers *have, char *why)
{
	char print[SSHKEY_FINGERPRINT_CAP];
	if (have->number != want->number)
		return no(why, "is of signer set %u, and %u is next", have->number, want->number);
	if (have->threshold != want->threshold)
		return no(why, "has a threshold of %u, and nobody asked for another than %u", have->threshold, want->threshold);
	if (strcmp(have->console, want->console) != 0)
		return no(why, "lets passkeys sign at %s, and nobody asked for another console than %s",
		    have->console[0] ? have->console : "none", want->console[0] ? want->console : "none");
	for (uint32_t i = 0; i < have->n; i++)
		if (!is_wanted(now, want, &have->signer[i], why))
			return false;
	for (uint32_t i = 0; i < want->n; i++) {
		const struct signer *w = &want->signer[i];
		if (!cli_nextset_find(have, &w->key))
			return no(why, "leaves out %s of %s, a key that %s", print_of(w, print), w->principal,
			    cli_nextset_find(now, &w->key) ? "nobody asked to take out" : "you asked for");
	}
	return true;
}

bool
cli_nextset_is(const struct signers *now, const struct cli_nextset_asked *asked, cli_nextset_suspended suspended,
    const void *ctx, const struct signers *next, char ret_why[CLI_NEXTSET_WHY_MAX])
{
	struct signers *want = malloc(sizeof *want);
	if (!want)
		return no(ret_why, "cannot be compared: no memory");
	*want = *now;
	struct making m = { .asked = asked, .set = want, .suspended = suspended, .ctx = ctx };
	bool good = make(&m, next->time) || no(ret_why, "cannot come of the signer set in force by what you asked for");
	good = good && compare(now, want, next, ret_why);
	free(want);
	return good;
}
