/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/signers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/approval.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/intoto.h"
#include "crypto/jsonf.h"
#include "crypto/visible.h"

#define SIGNERS_PREDICATE "urn:fotagate:signers:v1"
#define CONSOLE_SCHEME "https://"

static int
no(char *ret_why, size_t cap, int err, const char *why)
{
	if (cap)
		snprintf(ret_why, cap, "%s", why);
	return err;
}

static bool
same_person(const struct signer *a, const struct signer *b)
{
	return strcmp(a->principal, b->principal) == 0;
}

uint32_t
signers_persons(const struct signers *s)
{
	uint32_t persons = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t k = 0;
		while (k < i && !same_person(&s->signer[i], &s->signer[k]))
			k++;
		persons += k == i;
	}
	return persons;
}

uint32_t
signers_persons_at(const struct signers *s, int64_t now)
{
	uint32_t persons = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		bool counted = false, valid = now >= s->signer[i].valid_after && now < s->signer[i].valid_before;
		for (uint32_t k = 0; k < i; k++)
			counted |= same_person(&s->signer[i], &s->signer[k]) && now >= s->signer[k].valid_after &&
			    now < s->signer[k].valid_before;
		persons += valid && !counted;
	}
	return persons;
}

bool
signers_suspension_holds(const struct signers *set, uint32_t number, int64_t at)
{
	return number >= set->number || at >= set->time;
}

int
signers_without(const struct signers *set, const struct signers_suspended *gone, unsigned n, struct signers *ret)
{
	uint32_t kept = 0;
	*ret = *set;
	for (uint32_t i = 0; n && i < set->n; i++) {
		uint8_t key[DIGEST_SHA256_LEN];
		unsigned k = 0;
		int err = sshkey_digest(&set->signer[i].key, key);
		if (err)
			return err;
		while (k < n && memcmp(gone[k].key, key, sizeof key) != 0)
			k++;
		if (k == n)
			ret->signer[kept++] = set->signer[i];
	}
	if (n)
		ret->n = kept;
	return FG_OK;
}

/* ---- where passkeys may sign ---- */

/* Where the host begins and how long it is; 0 if there is none to speak of. */
static size_t
console_host(const char *origin, const char **ret_at)
{
	size_t scheme = sizeof CONSOLE_SCHEME - 1;
	if (strncmp(origin, CONSOLE_SCHEME, scheme) != 0)
		return 0;
	*ret_at = origin + scheme;
	return strcspn(*ret_at, ":");
}

bool
signers_console_host(const struct signers *s, char ret[SSHKEY_APPLICATION_MAX + 1])
{
	const char *host = "";
	size_t n = console_host(s->console, &host);
	if (!n || n > SSHKEY_APPLICATION_MAX)
		return false;
	memcpy(ret, host, n);
	ret[n] = '\0';
	return true;
}

/* The port as a browser writes it: no zero in front, and never the one it leaves out. */
static bool
is_console_port(const char *p)
{
	unsigned long port = 0;
	size_t n = strlen(p);
	if (n < 1 || n > 5 || p[0] == '0')
		return false;
	for (; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		port = port * 10 + (unsigned long)(*p - '0');
	}
	return port <= UINT16_MAX && port != 443;
}

bool
signers_console_ok(const char *origin)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz", inside[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	const char *host = NULL;
	size_t n = console_host(origin, &host), last = 0;
	if (!n || n > SSHKEY_APPLICATION_MAX || strlen(origin) >= SIGNERS_CONSOLE_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool edge = i == 0 || host[i - 1] == '.' || i + 1 == n || host[i + 1] == '.';
		if (!host[i] || !strchr(inside, host[i]) || (edge && host[i] == '-'))
			return false;
		if (host[i] == '.' && (i == 0 || i + 1 == n || host[i - 1] == '.'))
			return false;
		if (host[i] == '.')
			last = i + 1;
	}
	/* An address is no relying party: WebAuthn 5.1.3 wants a domain. */
	if (!strchr(letters, host[last]))
		return false;
	return !host[n] || is_console_port(host + n + 1);
}

/* One exact name: what stock ssh-keygen would read as a pattern or a list is refused. */
static bool
exact_principal(const char *p)
{
	if (!p[0] || p[0] == '#' || p[0] == '!')
		return false;
	for (; *p; p++) {
		if (*p <= 0x20 || *p > 0x7e || strchr("*?,!\"'\\", *p))
			return false;
	}
	return true;
}

static const char *
bad_signer(const struct signers *s, uint32_t i)
{
	const struct signer *one = &s->signer[i];
	if (!exact_principal(one->principal))
		return "a principal is empty, holds a wildcard, a comma, a quote or white space";
	if (!visible_is_plain(view_str(one->user)))
		return "a unix account name holds characters outside printable ASCII";
	/* Who may do anything on the machine must not also be a voice among those who watch over it. */
	if (!strcmp(one->user, "root") || !strcmp(one->user, "0") || !strcmp(one->user, "uid:0"))
		return "the unix account root belongs to no signer";
	if (one->key.type == SSHKEY_NONE)
		return "a signer has no key";
	if (!jsonf_is_time(one->valid_after) || !jsonf_is_time(one->valid_before) ||
	    one->valid_after >= one->valid_before)
		return "a key's validity is empty or backwards";
	if (one->require_uv && !sshkey_is_sk(&one->key))
		return "user verification is asked of a key that is no security key";
	for (uint32_t k = 0; k < i; k++) {
		/* The same point under another type or application is still one key. */
		if (sshkey_same_point(&one->key, &s->signer[k].key))
			return "a key is listed twice";
		if (one->user[0] && !strcmp(one->user, s->signer[k].user) && !same_person(one, &s->signer[k]))
			return "one unix account belongs to two persons";
	}
	return NULL;
}

int
signers_check(const struct signers *s, char *ret_why, size_t cap)
{
	if (!s->n || s->n > SIGNERS_MAX)
		return no(ret_why, cap, FG_EINVAL, "a signer set needs 1 to 64 keys");
	for (uint32_t i = 0; i < s->n; i++) {
		const char *bad = bad_signer(s, i);
		if (bad)
			return no(ret_why, cap, FG_EINVAL, bad);
	}
	if (s->console[0] && !signers_console_ok(s->console))
		return no(ret_why, cap, FG_EINVAL,
		    "the console's origin is not https:// and a host name in lower case, with a port unless it is 443");
	if (!s->threshold || s->threshold > signers_persons(s))
		return no(ret_why, cap, FG_EINVAL, "threshold is zero or more than there are persons");
	if (!jsonf_is_time(s->time) || !s->time)
		return no(ret_why, cap, FG_EINVAL, "time is missing");
	static const uint8_t none[DIGEST_SHA256_LEN];
	if ((s->number == 0) != (memcmp(s->previous, none, sizeof none) == 0))
		return no(ret_why, cap, FG_EINVAL, "only set 0 has no predecessor");
	return FG_OK;
}

/* ---- writing ---- */

static void
put_key(struct jsonw *j, const struct sshkey *key)
{
	struct writer line;
	writer_init(&line, SSHKEY_LINE_MAX);
	sshkey_write_line(key, &line);
	if (writer_err(&line))
		j->out->err = writer_err(&line);
	jsonw_kstring(j, "key", writer_view(&line));
	writer_free(&line);
}

static void
put_signer(struct jsonw *j, const struct signer *s)
{
	jsonw_object(j);
	put_key(j, &s->key);
	jsonw_kcstr(j, "principal", s->principal);
	jsonw_kbool(j, "require_uv", s->require_uv);
	jsonw_kcstr(j, "user", s->user);
	jsonf_put_time(j, "valid_after", s->valid_after);
	jsonf_put_time(j, "valid_before", s->valid_before);
	jsonw_object_end(j);
}

void
signers_put(struct jsonw *j, const struct signers *s)
{
	jsonw_object(j);
	if (s->console[0]) /* sets from before there was one keep their bytes */
		jsonw_kcstr(j, "console", s->console);
	jsonw_kuint(j, "number", s->number);
	jsonw_khex(j, "previous", s->previous, sizeof s->previous);
	jsonw_key(j, "signers");
	jsonw_array(j);
	for (uint32_t i = 0; i < s->n; i++)
		put_signer(j, &s->signer[i]);
	jsonw_array_end(j);
	jsonw_kuint(j, "threshold", s->threshold);
	jsonf_put_time(j, "time", s->time);
	jsonw_object_end(j);
}

/* in-toto wants a digest: that of the set itself, which names what is agreed to. */
static int
set_digest(const struct signers *s, uint8_t out[DIGEST_SHA256_LEN])
{
	struct writer w;
	struct jsonw j;
	writer_init(&w, SIGNERS_SET_BYTES_MAX);
	jsonw_init(&j, &w);
	signers_put(&j, s);
	int err = writer_err(&w);
	if (!err)
		err = digest_sha256(writer_view(&w), out);
	writer_free(&w);
	return err;
}

int
signers_encode(const struct signers *s, const char *origin, struct writer *w)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	int err = signers_check(s, NULL, 0);
	if (!err)
		err = set_digest(s, digest);
	if (err)
		return err;
	struct jsonw j;
	intoto_begin(&j, w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "gateway", origin);
	jsonw_key(&j, "set");
	signers_put(&j, s);
	jsonw_object_end(&j);
	intoto_end(&j, SIGNERS_PREDICATE, "signers", digest);
	return writer_err(w);
}

/* ---- reading ---- */

static bool
get_signer(const struct json_value *v, struct signer *ret)
{
	struct view key;
	return json_string(json_get(v, "key"), &key) && !sshkey_parse_line(key, &ret->key, NULL, 0, NULL) &&
	    json_cstr(json_get(v, "principal"), ret->principal, sizeof ret->principal) &&
	    json_cstr(json_get(v, "user"), ret->user, sizeof ret->user) &&
	    json_bool(json_get(v, "require_uv"), &ret->require_uv) &&
	    jsonf_time(json_get(v, "valid_after"), &ret->valid_after) &&
	    jsonf_time(json_get(v, "valid_before"), &ret->valid_before);
}

bool
signers_get(const struct json_value *v, struct signers *ret)
{
	const struct json_value *list = json_get(v, "signers");
	size_t n = json_count(list);
	if (json_type(list) != JSON_ARRAY || n > SIGNERS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!get_signer(json_at(list, i), &ret->signer[i]))
			return false;
	}
	ret->n = (uint32_t)n;
	const struct json_value *console = json_get(v, "console");
	ret->console[0] = '\0';
	if (console && (!json_cstr(console, ret->console, sizeof ret->console) || !ret->console[0]))
		return false;
	return jsonf_u32(json_get(v, "number"), &ret->number) &&
	    jsonf_hex(json_get(v, "previous"), ret->previous, sizeof ret->previous) &&
	    jsonf_u32(json_get(v, "threshold"), &ret->threshold) && jsonf_time(json_get(v, "time"), &ret->time);
}

int
signers_parse(struct view text, const char *origin, struct signers *ret, char *ret_why, size_t cap)
{
	struct json *doc = NULL;
	if (text.n > SIGNERS_SET_BYTES_MAX)
		return no(ret_why, cap, FG_EFORMAT, "signer set is larger than 32 KiB");
	int err = json_parse(text, &doc, NULL);
	if (err == FG_ENOMEM)
		return err;
	if (err)
		return no(ret_why, cap, FG_EFORMAT, "signer set is not strict JSON");
	const struct json_value *predicate = json_get(json_root(doc), "predicate");
	struct signers *s = calloc(1, sizeof *s);
	struct writer again;
	writer_init(&again, SIGNERS_SET_BYTES_MAX);
	if (!s)
		err = FG_ENOMEM;
	else if (!signers_get(json_get(predicate, "set"), s))
		err = no(ret_why, cap, FG_EFORMAT, "signer set lacks a field or holds a key of an unknown type");
	else if (signers_check(s, ret_why, cap))
		err = FG_EFORMAT;
	else if (signers_encode(s, origin, &again) || !view_equal(writer_view(&again), text))
		err = no(ret_why, cap, FG_EFORMAT, "signer set is not canonical or belongs to another gateway");
	else
		*ret = *s;
	writer_free(&again);
	free(s);
	json_free(doc);
	return err;
}

/* ---- counting ---- */

static bool
is_excluded(const char *principal, const char *const *excluded, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(principal, excluded[i]) == 0)
			return true;
	}
	return false;
}

/* Index of the signer whose key made a good signature, or -1. Local failure in *ret_err. */
static int
signer_of(const struct signers *set, struct view message, const char *namespace_, int64_t now,
    struct view armour, int *ret_err)
{
	struct sshsig_evidence who;
	struct sshsig_rules rules = { .namespace_ = namespace_ };
	char rp_id[SSHKEY_APPLICATION_MAX + 1];
	if (strcmp(namespace_, APPROVAL_NAMESPACE) == 0 && signers_console_host(set, rp_id)) {
		rules.rp_id = rp_id;
		rules.origin = set->console;
	}
	int err = sshsig_verify_armored(armour, message, &rules, &who, NULL);
	if (err == FG_ENOMEM || err == FG_ECRYPTO)
		*ret_err = err;
	if (err || who.outcome != SSHSIG_VERIFIED)
		return -1;
	for (uint32_t i = 0; i < set->n; i++) {
		const struct signer *s = &set->signer[i];
		if (!sshkey_equal(&s->key, &who.key))
			continue;
		bool current = now >= s->valid_after && now < s->valid_before;
		/* Whoever finds a browser open must not be able to sign by touching what is plugged in. */
		bool verified = who.verified_user || (!s->require_uv && who.scheme != SSHSIG_SCHEME_WEBAUTHN);
		return current && verified ? (int)i : -1;
	}
	return -1;
}

int
signers_count(const struct signers *set, struct view message, const char *namespace_, int64_t now,
    const struct signers_signature *sigs, unsigned sigs_n, const char *const *excluded, unsigned excluded_n,
    unsigned *ret_persons, unsigned ret_who[SIGNERS_MAX], unsigned *ret_n)
{
	unsigned who[SIGNERS_MAX];
	unsigned n = 0;
	for (unsigned i = 0; i < sigs_n; i++) {
		int err = FG_OK;
		int found = signer_of(set, message, namespace_, now, sigs[i].armour, &err);
		if (err)
			return err;
		if (found < 0 || is_excluded(set->signer[found].principal, excluded, excluded_n))
			continue;
		unsigned k = 0;
		while (k < n && !same_person(&set->signer[who[k]], &set->signer[found]))
			k++;
		if (k == n && n < SIGNERS_MAX)
			who[n++] = (unsigned)found;
	}
	*ret_persons = n;
	if (ret_who)
		memcpy(ret_who, who, n * sizeof who[0]);
	if (ret_n)
		*ret_n = n;
	return FG_OK;
}

int
signers_is_passkey(struct view armour, bool *ret)
{
	struct writer blob;
	struct sshsig sig;
	*ret = false;
	writer_init(&blob, SSHSIG_BLOB_MAX);
	int err = sshsig_dearmor(armour, &blob, NULL);
	if (!err && !sshsig_parse(writer_view(&blob), &sig, NULL))
		*ret = sig.scheme == SSHSIG_SCHEME_WEBAUTHN;
	writer_free(&blob);
	return err == FG_ENOMEM ? err : FG_OK;
}

int
signers_check_next(const struct signers *old, struct view old_text, const struct signers *next,
    struct view next_text, const struct signers_signature *sigs, unsigned n, int64_t now, char *ret_why, size_t cap)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	int err = digest_sha256(old_text, digest);
	if (err)
		return err;
	if (old->number == UINT32_MAX || next->number != old->number + 1)
		return no(ret_why, cap, FG_EPERM, "signer set does not carry the next number");
	if (memcmp(next->previous, digest, sizeof digest))
		return no(ret_why, cap, FG_EPERM, "signer set does not name its predecessor");
	if (next->time < old->time)
		return no(ret_why, cap, FG_EPERM, "signer set is older than its predecessor");
	unsigned by_old = 0, by_new = 0;
	err = signers_count(old, next_text, SIGNERS_NAMESPACE, now, sigs, n, NULL, 0, &by_old, NULL, NULL);
	if (!err)
		err = signers_count(next, next_text, SIGNERS_NAMESPACE, now, sigs, n, NULL, 0, &by_new, NULL, NULL);
	if (err)
		return err;
	if (by_old < old->threshold)
		return no(ret_why, cap, FG_EPERM, "too few persons of the old set have signed the new one");
	if (by_new < next->threshold)
		return no(ret_why, cap, FG_EPERM, "too few persons of the new set have signed it");
	return FG_OK;
}

int
signers_allowed(const struct signers *set, const char *namespace_, struct writer *w)
{
	for (uint32_t i = 0; i < set->n; i++) {
		const struct signer *s = &set->signer[i];
		int err = sshkey_write_allowed(&s->key, s->principal, namespace_, s->valid_after, s->valid_before, w);
		if (err)
			return err;
	}
	return writer_err(w);
}

bool
signers_named(const struct signer *s, struct view word)
{
	uint8_t key[DIGEST_SHA256_LEN];
	char print[SSHKEY_FINGERPRINT_CAP], hex[2 * DIGEST_SHA256_LEN + 1];
	if (view_equal(word, view_str(s->principal)))
		return true;
	if (!sshkey_fingerprint(&s->key, print) && view_equal(word, view_str(print)))
		return true;
	if (sshkey_digest(&s->key, key))
		return false;
	hex_encode(key, sizeof key, hex);
	return view_equal(word, view_str(hex));
}

const char *
signers_principal_of_user(const struct signers *set, const char *user)
{
	for (uint32_t i = 0; user[0] && i < set->n; i++) {
		if (strcmp(set->signer[i].user, user) == 0)
			return set->signer[i].principal;
	}
	return NULL;
}
