/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/console/route.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/jsonw.h"
#include "crypto/utf8.h"

#define MEMBERS_MAX 24 /* of a body: more than any request takes; refused here before they are sorted */
#define KEY_MAX 31

#define TEXT(key) { key, ROUTE_TEXT, true }
#define TEXT_OPT(key) { key, ROUTE_TEXT, false }
#define NUMBER(key) { key, ROUTE_NUMBER, true }
#define NUMBER_OPT(key) { key, ROUTE_NUMBER, false }
#define FLAG_OPT(key) { key, ROUTE_FLAG, false }
#define TEXTS(key) { key, ROUTE_TEXTS, true }
#define TEXTS_OPT(key) { key, ROUTE_TEXTS, false }
#define REASON TEXT("reason")
#define CODE TEXT_OPT("code") /* of the second factor, anew */
#define ASSERTION TEXT("authenticator_data"), TEXT("challenge"), TEXT("client_data"), TEXT("credential"), TEXT("signature")
#define NO_ARGS { { 0 } }

/* By noun, in the order of the document. A literal segment stands before a {name} in the same place. */
static const struct route table[] = {
	{ ROUTE_GET, "/status", "status", ROUTE_PLAIN, "What the gateway does, and what is wrong with it.", NO_ARGS },

	{ ROUTE_POST, "/session", "session.open", ROUTE_OPENS | ROUTE_GUEST,
	    "Signs in: with a password, and a second factor where one is due. The secret goes into the cookie.",
	    { TEXT("user"), TEXT("password"), TEXT_OPT("code") } },
	{ ROUTE_POST, "/session/challenge", "session.challenge", ROUTE_GUEST,
	    "What an authenticator is to sign, so that somebody signs in with a passkey.", NO_ARGS },
	{ ROUTE_POST, "/session/passkey", "session.passkey", ROUTE_OPENS | ROUTE_GUEST,
	    "Signs in with a passkey alone, its person verified. The secret goes into the cookie.", { ASSERTION, TEXT("handle") } },
	{ ROUTE_GET, "/session", "session.show", ROUTE_PLAIN, "Who one is here.", NO_ARGS },
	{ ROUTE_DELETE, "/session", "session.close", ROUTE_CLOSES, "Signs out.", NO_ARGS },
	{ ROUTE_POST, "/session/sso", "session.sso", ROUTE_OPENS | ROUTE_GUEST | ROUTE_FRONT,
	    "Signs in whom a trusted front names, in its fields X-FG-SSO-Issuer, -Subject, -Acr and -Amr.", NO_ARGS },
	{ ROUTE_GET, "/sessions", "session.list", ROUTE_PLAIN, "Who is signed in.", NO_ARGS },
	{ ROUTE_POST, "/sessions/{session}/end", "session.end", ROUTE_PLAIN, "Ends somebody's session.", NO_ARGS },
	{ ROUTE_POST, "/setup", "setup.open", ROUTE_OPENS | ROUTE_GUEST,
	    "First run: the first account, by the code that the terminal showed.",
	    { TEXT("code"), TEXT("user"), TEXT("password") } },

	{ ROUTE_GET, "/accounts", "account.list", ROUTE_PLAIN, "Accounts of the console.", NO_ARGS },
	{ ROUTE_POST, "/accounts", "account.add", ROUTE_PLAIN, "Adds an account, with a password to be replaced by its owner.",
	    { TEXT("account"), CODE, TEXT_OPT("display"), TEXT("password"), TEXT_OPT("principal"), TEXTS("roles") } },
	{ ROUTE_POST, "/accounts/{account}/bind", "account.bind", ROUTE_PLAIN,
	    "Says who that is for an issuer of single sign-on.", { CODE, TEXT("issuer"), TEXT("subject") } },
	{ ROUTE_POST, "/accounts/{account}/unbind", "account.unbind", ROUTE_PLAIN,
	    "Says so no longer, and ends the sessions that came of it.", { REASON, TEXT("issuer"), TEXT("subject") } },
	{ ROUTE_POST, "/accounts/{account}/disable", "account.disable", ROUTE_PLAIN, "Disables it and ends its sessions.",
	    { REASON } },
	{ ROUTE_POST, "/accounts/{account}/enable", "account.enable", ROUTE_PLAIN, "Enables it again.", { CODE } },
	{ ROUTE_POST, "/accounts/{account}/password", "account.password", ROUTE_PLAIN, "Sets its password.",
	    { CODE, TEXT_OPT("old"), TEXT("password") } },
	{ ROUTE_POST, "/accounts/{account}/roles", "account.roles", ROUTE_PLAIN, "Says what it may ask for.",
	    { CODE, TEXT_OPT("display"), TEXT_OPT("principal"), TEXTS("roles") } },
	{ ROUTE_POST, "/accounts/{account}/totp", "account.totp", ROUTE_PLAIN, "Sets up its second factor.", { CODE } },
	{ ROUTE_POST, "/accounts/{account}/passkey-only", "account.passkey_only", ROUTE_PLAIN,
	    "From now on only its passkeys let it in.", { CODE } },
	{ ROUTE_GET, "/accounts/{account}/passkeys", "passkey.list", ROUTE_PLAIN, "The passkeys it signs in with.", NO_ARGS },
	{ ROUTE_POST, "/passkeys", "passkey.add", ROUTE_PLAIN, "One's own: one more to sign in with.",
	    { TEXT("challenge"), TEXT("client_data"), CODE, TEXT("name"), TEXT("object") } },
	{ ROUTE_POST, "/passkeys/challenge", "passkey.challenge", ROUTE_PLAIN,
	    "What one's authenticator is to sign, to make one or to use one.",
	    { FLAG_OPT("add") } },
	{ ROUTE_POST, "/passkeys/fresh", "passkey.fresh", ROUTE_PLAIN,
	    "Shows a passkey once more, for a code that stands where one of the second factor does.", { ASSERTION } },
	{ ROUTE_POST, "/passkeys/{passkey}/remove", "passkey.remove", ROUTE_PLAIN, "Takes it away.", { CODE } },
	{ ROUTE_GET, "/tokens", "token.list", ROUTE_PLAIN, "Tokens of machines.", NO_ARGS },
	{ ROUTE_POST, "/tokens", "token.create", ROUTE_PLAIN, "A new token; its secret is said this once.",
	    { TEXT("account"), CODE, NUMBER_OPT("days"), TEXT("name"), TEXTS("scopes") } },
	{ ROUTE_POST, "/tokens/{token}/revoke", "token.revoke", ROUTE_PLAIN, "Takes it back.", { REASON } },

	{ ROUTE_GET, "/people", "people.list", ROUTE_PLAIN, "Who may sign.", NO_ARGS },
	{ ROUTE_POST, "/people/propose", "people.propose", ROUTE_PLAIN, "The statement of a change of who may sign.",
	    { TEXTS_OPT("add"), TEXT_OPT("console"), NUMBER_OPT("days"), TEXT_OPT("proposal"), TEXTS_OPT("remove"),
		TEXTS_OPT("renew"), TEXTS_OPT("replace"), FLAG_OPT("require_uv"), TEXTS_OPT("restore"), NUMBER_OPT("threshold") } },
	{ ROUTE_POST, "/people/submit", "people.submit", ROUTE_SIGNED, "Hands that statement in, signed.", NO_ARGS },
	{ ROUTE_POST, "/people/{who}/suspend", "people.suspend", ROUTE_PLAIN, "Suspends a person's key.",
	    { FLAG_OPT("final"), REASON } },

	{ ROUTE_GET, "/policy", "policy.show", ROUTE_PLAIN, "The policy that people put in force, and what on disk differs.",
	    NO_ARGS },
	{ ROUTE_POST, "/policy/submit", "policy.submit", ROUTE_SIGNED,
	    "Hands in the statement of the next one, with everybody's signatures.", NO_ARGS },
	{ ROUTE_GET, "/policy/{review}/explain", "policy.explain", ROUTE_PLAIN, "Which rules decided about a review.", NO_ARGS },
	{ ROUTE_POST, "/policy/whatif", "policy.whatif", ROUTE_PLAIN,
	    "What another text of a configuration file would decide; it is kept nowhere.",
	    { NUMBER_OPT("after"), TEXT("file"), TEXT("text") } },
	{ ROUTE_GET, "/profiles", "profile.list", ROUTE_PLAIN, "Profiles of vendors' traffic.", NO_ARGS },
	{ ROUTE_GET, "/profiles/unknown", "profile.unknown", ROUTE_PLAIN, "Requests that no profile fits.", NO_ARGS },
	{ ROUTE_GET, "/profiles/{#id}/draft", "profile.draft", ROUTE_PLAIN, "A profile drafted from such a request.",
	    { TEXT("name") } },
	{ ROUTE_GET, "/sightings", "sighting.list", ROUTE_PAGED, "What modules asked for.",
	    { TEXT_OPT("after"), NUMBER_OPT("limit"), TEXT_OPT("profile") } },

	{ ROUTE_GET, "/reviews", "review.list", ROUTE_PAGED, "Updates that were found, and what became of them.",
	    { NUMBER_OPT("after"), NUMBER_OPT("limit"), FLAG_OPT("needs_me"), TEXT_OPT("product"), TEXT_OPT("profile"),
		TEXT_OPT("state") } },
	{ ROUTE_GET, "/reviews/{review}", "review.show", ROUTE_PLAIN, "All about one.", NO_ARGS },
	{ ROUTE_GET, "/reviews/{review}/report", "review.report", ROUTE_FILE, "Its report, as it is signed for.", NO_ARGS },
	{ ROUTE_POST, "/reviews/{review}/statement", "review.statement", ROUTE_PLAIN, "The statement to sign.",
	    { REASON, TEXT_OPT("approver"), TEXTS_OPT("groups"), TEXTS_OPT("from"), NUMBER_OPT("max_devices"),
		NUMBER_OPT("days"), TEXTS_OPT("ticks"), FLAG_OPT("breakglass"), NUMBER_OPT("hours") } },
	{ ROUTE_POST, "/reviews/{review}/submit", "review.submit", ROUTE_SIGNED, "Hands that statement in, signed.", NO_ARGS },
	{ ROUTE_POST, "/reviews/{review}/reject", "review.reject", ROUTE_PLAIN, "Rejects it.", { REASON, TEXT_OPT("also") } },
	{ ROUTE_POST, "/reviews/{review}/reopen", "review.reopen", ROUTE_PLAIN, "Judges it again.", NO_ARGS },
	{ ROUTE_POST, "/reviews/{review}/attest", "review.attest", ROUTE_PLAIN, "What a module in a laboratory did with it.",
	    { REASON, TEXT("before"), TEXT("after"), TEXT_OPT("flash") } },
	{ ROUTE_POST, "/reviews/{review}/comment", "review.comment", ROUTE_PLAIN, "Says something about it.",
	    { TEXT("text") } },
	{ ROUTE_POST, "/fetches/{review}/retry", "fetch.retry", ROUTE_PLAIN, "Fetches its image again.", NO_ARGS },

	{ ROUTE_GET, "/exposure", "exposure.list", ROUTE_PLAIN, "Modules that run what was revoked or is refused.", NO_ARGS },
	{ ROUTE_GET, "/refusals", "refusal.list", ROUTE_PLAIN, "What is refused whoever signs.", NO_ARGS },
	{ ROUTE_POST, "/refusals", "refusal.add", ROUTE_PLAIN, "Refuses more.",
	    { REASON, TEXT("kind"), TEXT("value"), NUMBER_OPT("days") } },
	{ ROUTE_POST, "/refusals/{refusal}/lift", "refusal.lift", ROUTE_PLAIN, "Refuses it no longer.", { REASON } },
	{ ROUTE_GET, "/waivers", "waiver.list", ROUTE_PLAIN, "Findings that somebody answers for until a day.", NO_ARGS },
	{ ROUTE_POST, "/waivers", "waiver.add", ROUTE_PLAIN, "Waives one, which permits nothing by itself.",
	    { REASON, NUMBER("days"), TEXT("finding"), TEXT("profile"), TEXT_OPT("image"), TEXT_OPT("part"),
		TEXT_OPT("product") } },
	{ ROUTE_POST, "/waivers/{waiver}/lift", "waiver.lift", ROUTE_PLAIN, "Waives it no longer.", { REASON } },
	{ ROUTE_GET, "/breakglass", "breakglass.show", ROUTE_PLAIN,
	    "What one person alone may release, and which after-review is owed.", NO_ARGS },
	{ ROUTE_POST, "/breakglass/statement", "breakglass.statement", ROUTE_PLAIN, "The after-review to sign.",
	    { REASON, TEXT("outcome"), TEXT_OPT("approver") } },
	{ ROUTE_POST, "/breakglass/submit", "breakglass.submit", ROUTE_SIGNED, "Hands that statement in, signed.", NO_ARGS },
	{ ROUTE_GET, "/standing", "standing.list", ROUTE_PLAIN, "Statements under which the gate releases by itself.", NO_ARGS },
	{ ROUTE_POST, "/standing", "standing.propose", ROUTE_PLAIN, "Proposes one, which permits nothing by itself.",
	    { REASON, NUMBER("days"), TEXT_OPT("deltas"), TEXTS_OPT("findings"), TEXTS_OPT("from"), TEXTS_OPT("groups"),
		NUMBER("max_devices"), NUMBER("max_releases"), TEXT("product"), TEXT("profile"), TEXTS_OPT("signers") } },
	{ ROUTE_POST, "/standing/{standing}/statement", "standing.statement", ROUTE_PLAIN, "The statement to sign.",
	    { REASON, TEXT_OPT("approver") } },
	{ ROUTE_POST, "/standing/{standing}/submit", "standing.submit", ROUTE_SIGNED, "Hands that statement in, signed.", NO_ARGS },
	{ ROUTE_POST, "/standing/{standing}/revoke", "standing.revoke", ROUTE_PLAIN, "Takes it back.", { REASON } },
	{ ROUTE_GET, "/bases", "base.list", ROUTE_PLAIN, "Images that deltas are tried on.",
	    { TEXT_OPT("profile"), TEXT_OPT("product") } },
	{ ROUTE_POST, "/bases/drop", "base.drop", ROUTE_PLAIN, "Tries none on it any more.",
	    { TEXT_OPT("image"), TEXT("product"), TEXT("profile"), TEXT("version") } },
	{ ROUTE_GET, "/releases", "release.list", ROUTE_PAGED, "What modules are offered, the youngest first.",
	    { TEXT_OPT("after"), NUMBER_OPT("limit") } },
	{ ROUTE_POST, "/releases/{release}/revoke", "release.revoke", ROUTE_PLAIN, "Takes it back from every edge.", { REASON } },
	{ ROUTE_GET, "/rollouts", "rollout.list", ROUTE_PAGED, "How far releases are; those that are over, page by page.",
	    { TEXT_OPT("after"), NUMBER_OPT("limit") } },
	{ ROUTE_GET, "/rollouts/{release}", "rollout.show", ROUTE_PLAIN, "One, ring by ring.", NO_ARGS },
	{ ROUTE_POST, "/rollouts/{release}/pause", "rollout.pause", ROUTE_PLAIN, "Offers it to nobody new.", { REASON } },
	{ ROUTE_POST, "/rollouts/{release}/abort", "rollout.abort", ROUTE_PLAIN, "Ends it.", { REASON } },
	{ ROUTE_POST, "/rollouts/{release}/hold", "rollout.hold", ROUTE_PLAIN, "Offers it to nobody in one ring.",
	    { REASON, TEXT("ring") } },
	{ ROUTE_POST, "/rollouts/{release}/statement", "rollout.statement", ROUTE_PLAIN,
	    "The statement by which it goes on.", { REASON, TEXT("step"), TEXT_OPT("approver"), TEXT_OPT("ring") } },
	{ ROUTE_POST, "/continue/submit", "rollout.submit", ROUTE_SIGNED, "Hands that statement in, signed.", NO_ARGS },

	{ ROUTE_GET, "/modules", "module.list", ROUTE_PAGED, "Modules, by pseudonym.",
	    { FLAG_OPT("absent"), TEXT_OPT("after"), TEXT_OPT("group"), FLAG_OPT("held"), NUMBER_OPT("limit"), TEXT_OPT("product"),
		TEXT_OPT("profile"), TEXT_OPT("tag"), FLAG_OPT("unlisted"), TEXT_OPT("version") } },
	{ ROUTE_GET, "/modules/{module}", "module.show", ROUTE_PLAIN, "One.", NO_ARGS },
	{ ROUTE_GET, "/modules/{module}/explain", "module.explain", ROUTE_PLAIN,
	    "Why it is offered what it is offered.", NO_ARGS },
	{ ROUTE_POST, "/modules/{module}/reveal", "module.reveal", ROUTE_PLAIN,
	    "Its identities, which the log then knows of.",
	    { REASON } },
	{ ROUTE_POST, "/modules/{module}/hold", "module.hold", ROUTE_PLAIN, "Offers it nothing.", { REASON } },
	{ ROUTE_POST, "/modules/{module}/unhold", "module.unhold", ROUTE_PLAIN,
	    "Offers it again what it is signed for.", { REASON } },
	{ ROUTE_POST, "/modules/{module}/url", "module.url", ROUTE_PLAIN, "A short URL for one release.",
	    { NUMBER_OPT("days"), TEXT("release") } },
	{ ROUTE_POST, "/privacy/erase", "privacy.erase", ROUTE_PLAIN, "Forgets who modules are.",
	    { REASON, TEXT_OPT("module"), NUMBER_OPT("before") } },
	{ ROUTE_GET, "/images", "image.list", ROUTE_PAGED, "Images that reviews are about, by SHA-256.",
	    { TEXT_OPT("after"), NUMBER_OPT("limit") } },
	{ ROUTE_GET, "/images/{image}", "image.show", ROUTE_PLAIN, "One, and what was made of it.", NO_ARGS },
	{ ROUTE_GET, "/groups", "group.list", ROUTE_PLAIN, "Groups that modules are put into, the first rule that fits.", NO_ARGS },
	{ ROUTE_GET, "/incidents", "incident.list", ROUTE_PAGED, "What a person should look at, the youngest first.",
	    { NUMBER_OPT("after"), NUMBER_OPT("limit") } },
	{ ROUTE_GET, "/incidents/{incident}", "incident.show", ROUTE_PLAIN, "One.", NO_ARGS },
	{ ROUTE_GET, "/suppliers", "supplier.list", ROUTE_PLAIN, "Suppliers.", NO_ARGS },
	{ ROUTE_GET, "/suppliers/{supplier}", "supplier.show", ROUTE_PLAIN, "One, as policy reads it.", NO_ARGS },

	{ ROUTE_POST, "/resume/statement", "resume.statement", ROUTE_PLAIN, "The statement that ends a halt.",
	    { REASON, TEXT_OPT("approver") } },
	{ ROUTE_POST, "/resume/submit", "resume.submit", ROUTE_SIGNED, "Hands that statement in, signed.", NO_ARGS },

	{ ROUTE_GET, "/audit/head", "audit.head", ROUTE_PLAIN, "Size, root and checkpoint of the log.", NO_ARGS },
	{ ROUTE_GET, "/audit/files/{+name}", "audit.open", ROUTE_FILE,
	    "One of its files: a tile, a bundle, the checkpoint.", NO_ARGS },
	{ ROUTE_GET, "/audit/proof/{#index}", "audit.proof", ROUTE_PLAIN, "One entry and its proof.", NO_ARGS },
	{ ROUTE_POST, "/audit/export", "audit.export", ROUTE_PLAIN,
	    "Has the log say that it is taken away; its size and checkpoint then.", { TEXTS_OPT("texts") } },
	{ ROUTE_GET, "/files/{kind}", "file.open", ROUTE_FILE, "Evidence beside the log, by its digest.",
	    { TEXT_OPT("digest"), NUMBER_OPT("number") } },
};

size_t
route_count(void)
{
	return sizeof table / sizeof table[0];
}

const struct route *
route_at(size_t i)
{
	return i < route_count() ? &table[i] : NULL;
}

const char *
route_method_name(enum route_method method)
{
	switch (method) {
	case ROUTE_GET:
		return "GET";
	case ROUTE_POST:
		return "POST";
	case ROUTE_DELETE:
		return "DELETE";
	case ROUTE_NONE:
	default:
		return "?";
	}
}

/* ---- reading what was sent ---- */

static int
digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Percent-decoded into dst. False: a wrong escape, too long, a control character
 * or what is no UTF-8. A slash of its own is the caller's to judge.
 */
static bool
decode(struct view v, bool plus, char *dst, size_t cap, size_t *ret_n)
{
	size_t n = 0;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		if (c == '%') {
			int hi = i + 2 < v.n ? digit(v.p[i + 1]) : -1, lo = i + 2 < v.n ? digit(v.p[i + 2]) : -1;
			if (hi < 0 || lo < 0)
				return false;
			c = (uint8_t)(hi << 4 | lo);
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f || n + 1 >= cap)
			return false;
		dst[n++] = (char)c;
	}
	dst[n] = '\0';
	*ret_n = n;
	return utf8_is_text(view_of(dst, n));
}

/* Up to the next separator, which *rest then lies behind; false at the end. */
static bool
next(struct view *rest, char separator, struct view *ret)
{
	if (!rest->p)
		return false;
	const uint8_t *at = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
	size_t n = at ? (size_t)(at - rest->p) : rest->n;
	*ret = view_of(rest->p, n);
	*rest = at ? view_of(at + 1, rest->n - n - 1) : view_of(NULL, 0);
	return true;
}

/* Decimal, without leading zeros, as JSON can say it. */
static bool
number(struct view v, uint64_t *ret)
{
	uint64_t n = 0;
	if (!v.n || v.n > 16 || (v.n > 1 && v.p[0] == '0'))
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
		n = n * 10 + (v.p[i] - '0');
	}
	*ret = n;
	return n < (uint64_t)JSON_INT_MAX;
}

static bool
is_dots(const char *text)
{
	return strcmp(text, ".") == 0 || strcmp(text, "..") == 0;
}

/* ---- finding ---- */

static bool
below(struct view path, const char *prefix, struct view *ret)
{
	size_t n = strlen(prefix);
	if (path.n < n || memcmp(path.p, prefix, n) != 0 || (path.n > n && path.p[n] != '/'))
		return false;
	*ret = view_of(path.p + n, path.n - n);
	return true;
}

bool
route_is_api(struct view path)
{
	struct view rest;
	return below(path, ROUTE_API, &rest);
}

/* Name of the pattern's {name}, and what kind it is: ' ', '#' or '+'. */
static char
placeholder(struct view segment, char key[KEY_MAX + 1])
{
	char kind = ' ';
	if (segment.n < 3 || segment.p[0] != '{')
		return 0;
	segment = view_of(segment.p + 1, segment.n - 2);
	if (segment.p[0] == '#' || segment.p[0] == '+') {
		kind = (char)segment.p[0];
		segment = view_of(segment.p + 1, segment.n - 1);
	}
	if (segment.n > KEY_MAX)
		abort();
	snprintf(key, KEY_MAX + 1, "%.*s", (int)segment.n, (const char *)segment.p);
	return kind;
}

/* All segments of what is left, each of them a plain one. */
static bool
take_rest(struct view all, char *dst, size_t cap, size_t *ret_n)
{
	struct view left = all, segment;
	char one[ROUTE_TEXT_MAX];
	size_t n = 0, len;
	while (next(&left, '/', &segment)) {
		if (!decode(segment, false, one, sizeof one, &len) || !len || is_dots(one) || strchr(one, '/') ||
		    n + len + 2 > cap)
			return false;
		if (n)
			dst[n++] = '/';
		memcpy(dst + n, one, len + 1);
		n += len;
	}
	*ret_n = n;
	return n > 0;
}

enum fit { FIT_NO = 0, FIT_BAD, FIT_YES };

/* One segment of the path, or for a {+name} all of it that is left, against one of the pattern. */
static enum fit
fit_segment(struct view want, struct view got, struct view *left, struct route_match *m)
{
	char key[KEY_MAX + 1];
	char kind = placeholder(want, key);
	uint64_t n;
	if (!kind)
		return view_equal(want, got) ? FIT_YES : FIT_NO;
	if (m->args_n == ROUTE_PATH_ARGS_MAX)
		abort();
	bool good;
	if (kind == '+') {
		struct view all = left->p ? view_of(got.p, got.n + 1 + left->n) : got;
		*left = view_of(NULL, 0);
		good = take_rest(all, m->arg[m->args_n].text, ROUTE_TEXT_MAX, &m->arg[m->args_n].n);
	} else {
		if (!got.n)
			return FIT_NO;
		good = decode(got, false, m->arg[m->args_n].text, ROUTE_TEXT_MAX, &m->arg[m->args_n].n) &&
		    !strchr(m->arg[m->args_n].text, '/') && !is_dots(m->arg[m->args_n].text);
	}
	m->arg[m->args_n].number = kind == '#';
	if (good && kind == '#' && !number(view_of(m->arg[m->args_n].text, m->arg[m->args_n].n), &n))
		return FIT_NO; /* /profiles/unknown is no number, and no fault */
	memcpy(m->arg[m->args_n].key, key, sizeof key);
	m->args_n += good;
	return good ? FIT_YES : FIT_BAD;
}

static enum fit
fits(const struct route *r, struct view path, struct route_match *m)
{
	struct view want = view_of(r->path + 1, strlen(r->path) - 1), segment, got;
	m->args_n = 0;
	while (next(&want, '/', &segment)) {
		if (!next(&path, '/', &got))
			return FIT_NO;
		enum fit f = fit_segment(segment, got, &path, m);
		if (f != FIT_YES)
			return f;
	}
	return path.p ? FIT_NO : FIT_YES;
}

static enum route_method
method_of(struct view name)
{
	for (enum route_method k = ROUTE_GET; k <= ROUTE_DELETE; k++)
		if (view_is(name, route_method_name(k)))
			return k;
	return view_is(name, "HEAD") ? ROUTE_GET : ROUTE_NONE;
}

static void
allow(struct route_match *m, const struct route *r)
{
	const char *name = r->method == ROUTE_GET ? "GET, HEAD" : route_method_name(r->method);
	size_t n = strlen(m->allow);
	snprintf(m->allow + n, sizeof m->allow - n, "%s%s", n ? ", " : "", name);
}

enum route_found
route_find(struct view method, struct view path, struct route_match *m)
{
	enum route_method want = method_of(method);
	enum route_found found = ROUTE_UNKNOWN;
	const struct route *first = NULL;
	struct view rest;
	m->route = NULL;
	m->args_n = 0;
	m->allow[0] = '\0';
	if (!below(path, ROUTE_PREFIX, &rest) || rest.n < 2)
		return ROUTE_UNKNOWN;
	rest = view_of(rest.p + 1, rest.n - 1);
	for (size_t i = 0; i < route_count(); i++) {
		const struct route *r = &table[i];
		/* Of one path's methods only: a literal one was named before a {name} could take its place. */
		if (first && strcmp(first->path, r->path) != 0)
			continue;
		enum fit f = fits(r, rest, m);
		if (f == FIT_BAD)
			return ROUTE_BAD;
		if (f != FIT_YES)
			continue;
		if (r->method == want) {
			m->route = r;
			return ROUTE_FOUND;
		}
		first = r;
		found = ROUTE_METHOD;
		allow(m, r);
	}
	return found;
}

/* ---- arguments ---- */

/* One member of what control is asked. */
struct member {
	char key[KEY_MAX + 1];
	enum { MEMBER_TEXT = 1, MEMBER_NUMBER, MEMBER_FLAG, MEMBER_VALUE } kind;
	struct view text;
	uint64_t number;
	const struct json_value *value;
};

struct members {
	unsigned n;
	struct member at[MEMBERS_MAX];
};

static struct member *
add(struct members *all, struct view key, const char **why)
{
	*why = NULL;
	for (size_t i = 0; i < key.n; i++)
		if (!(key.p[i] >= 'a' && key.p[i] <= 'z') && key.p[i] != '_')
			*why = "a name of an argument has small letters only";
	if (!key.n || key.n > KEY_MAX)
		*why = "a name of an argument is empty or too long";
	if (*why)
		return NULL;
	for (unsigned i = 0; i < all->n; i++)
		if (view_is(key, all->at[i].key)) {
			*why = "an argument is there twice";
			return NULL;
		}
	if (all->n == MEMBERS_MAX) {
		*why = "there are more arguments than any request takes";
		return NULL;
	}
	struct member *m = &all->at[all->n++];
	memset(m, 0, sizeof *m);
	memcpy(m->key, key.p, key.n);
	return m;
}

static const char *
add_path(struct members *all, const struct route_match *m)
{
	const char *why = NULL;
	for (unsigned i = 0; !why && i < m->args_n; i++) {
		struct member *one = add(all, view_str(m->arg[i].key), &why);
		if (!one)
			break;
		one->text = view_of(m->arg[i].text, m->arg[i].n);
		one->kind = m->arg[i].number ? MEMBER_NUMBER : MEMBER_TEXT;
		if (m->arg[i].number)
			(void)number(one->text, &one->number);
	}
	return why;
}

static const struct route_arg *
named(const struct route *r, const char *key)
{
	for (unsigned i = 0; i < ROUTE_ARGS_MAX && r->arg[i].key; i++)
		if (strcmp(r->arg[i].key, key) == 0)
			return &r->arg[i];
	return NULL;
}

/* memory holds the decoded texts. */
static const char *
add_pair(struct members *all, const struct route *r, struct view pair, char **memory, size_t *left)
{
	char key[KEY_MAX + 1];
	struct view name, value;
	size_t n;
	const char *why;
	const uint8_t *eq = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
	if (!eq)
		return "the query is not name=value, joined by &";
	name = view_of(pair.p, (size_t)(eq - pair.p));
	value = view_of(eq + 1, pair.n - name.n - 1);
	if (!decode(name, true, key, sizeof key, &n))
		return "a name in the query is unknown";
	const struct route_arg *a = named(r, key);
	if (!a)
		return "a name in the query is unknown";
	if (*left < 2 || !decode(value, true, *memory, *left < ROUTE_TEXT_MAX ? *left : ROUTE_TEXT_MAX, &n))
		return "a value in the query is too long, or no text";
	struct member *m = add(all, view_of(key, strlen(key)), &why);
	if (!m)
		return why;
	m->text = view_of(*memory, n);
	*memory += n + 1;
	*left -= n + 1;
	switch (a->type) {
	case ROUTE_NUMBER:
		m->kind = MEMBER_NUMBER;
		return number(m->text, &m->number) ? NULL : "a value in the query is no number";
	case ROUTE_FLAG:
		m->kind = MEMBER_FLAG;
		m->number = view_is(m->text, "true");
		return m->number || view_is(m->text, "false") ? NULL : "a value in the query is neither true nor false";
	case ROUTE_TEXT:
	case ROUTE_TEXTS: /* no view takes a list */
	default:
		m->kind = MEMBER_TEXT;
		return NULL;
	}
}

static const char *
add_body(struct members *all, const struct route *r, struct view body, struct json **doc, struct route_signed *s)
{
	bool signs = r->kind & ROUTE_SIGNED;
	const char *why = NULL;
	if (!body.n)
		return signs ? "the body needs statement and signature" : NULL;
	if (json_parse(body, doc, NULL) || json_type(json_root(*doc)) != JSON_OBJECT)
		return "the body is not one strict JSON object";
	const struct json_value *root = json_root(*doc);
	for (size_t i = 0; !why && i < json_count(root); i++) {
		struct view key = json_key_at(root, i);
		struct view *file = !signs ? NULL :
		    view_is(key, "statement")  ? &s->statement :
		    view_is(key, "signature")  ? &s->signature : NULL;
		if (file) {
			if (!json_string(json_at(root, i), file) || !file->n)
				why = "statement and signature are texts";
			continue;
		}
		struct member *m = add(all, key, &why);
		if (m) {
			m->kind = MEMBER_VALUE;
			m->value = json_at(root, i);
		}
	}
	if (!why && signs && (!s->statement.n || !s->signature.n))
		why = "the body needs statement and signature";
	return why;
}

static int
by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	return strcmp(x->key, y->key);
}

static void
write_all(struct members *all, struct writer *w)
{
	struct jsonw j;
	if (all->n)
		qsort(all->at, all->n, sizeof all->at[0], by_key);
	jsonw_init(&j, w);
	jsonw_object(&j);
	for (unsigned i = 0; i < all->n; i++) {
		const struct member *m = &all->at[i];
		jsonw_key(&j, m->key);
		switch (m->kind) {
		case MEMBER_TEXT:
			jsonw_string(&j, m->text);
			break;
		case MEMBER_NUMBER:
			jsonw_uint(&j, m->number);
			break;
		case MEMBER_FLAG:
			jsonw_bool(&j, m->number);
			break;
		case MEMBER_VALUE:
		default:
			jsonw_value(&j, m->value);
			break;
		}
	}
	jsonw_object_end(&j);
}

const char *
route_arguments(const struct route_match *m, struct view query, struct view body, struct writer *w, struct json **doc,
    struct route_signed *signed_)
{
	struct members all = { 0 };
	char texts[4 * ROUTE_TEXT_MAX], *memory = texts; /* a request line has no more */
	size_t left = sizeof texts;
	struct view rest = query.n ? query : view_of(NULL, 0), pair;
	*doc = NULL;
	*signed_ = (struct route_signed){ 0 };
	const char *why = add_path(&all, m);
	if (!why && m->route->method != ROUTE_GET && query.n)
		why = "arguments of what changes something stand in the body";
	if (!why && m->route->method == ROUTE_GET && body.n)
		why = "a view takes no body";
	while (!why && next(&rest, '&', &pair))
		why = add_pair(&all, m->route, pair, &memory, &left);
	if (!why)
		why = add_body(&all, m->route, body, doc, signed_);
	if (!why)
		write_all(&all, w);
	if (!why && writer_err(w))
		why = "the arguments are too long";
	return why;
}
