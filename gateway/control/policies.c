/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/role/bundle.h"
#include "gateway/state/files.h"
#include "images/aids.h"
#include "images/trustset.h"
#include "policy/hook.h"

struct handed { /* one file of the boot dialogue or of a reload */
	uint8_t kind;
	char name[MSG_FILE_MAX];
	int fd;              /* until read */
	uint8_t *bytes;
	size_t n;
};

struct handed_list {
	struct handed *at;
	size_t n;
};

struct policies {
	struct bundle *texts; /* of config */
	struct config *config;
	struct policy *list; /* one for each profile, in their order */
	size_t n;
	struct view rules; /* in now; empty: none */
	uint8_t rules_sha256[DIGEST_SHA256_LEN];
	struct view hook; /* likewise; its digest is config's */
	struct handed_list next; /* handed in since the last load */
	struct handed_list now;  /* what the list rests on */
	bool pinned;
	struct policies_pins pins;
	struct policy_bundle *bundle, *handed; /* with pins */
	char lacks[POLICIES_LACKS_MAX];        /* why there is no handed */
};

static void
handed_free(struct handed_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->at[i].fd >= 0)
			close(l->at[i].fd);
		free(l->at[i].bytes);
	}
	free(l->at);
	*l = (struct handed_list){ 0 };
}

static void
list_free(struct policy *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((void *)(uintptr_t)list[i].text.p);
		free((void *)(uintptr_t)list[i].trust.p);
	}
	free(list);
}

struct policies *
policies_new(void)
{
	return calloc(1, sizeof(struct policies));
}

void
policies_free(struct policies *p)
{
	if (!p)
		return;
	list_free(p->list, p->n);
	config_free(p->config);
	bundle_free(p->texts);
	handed_free(&p->next);
	handed_free(&p->now);
	policy_bundle_free(p->bundle);
	policy_bundle_free(p->handed);
	free(p);
}

int
policies_file(struct policies *p, const struct msg_boot_fd *what, int fd)
{
	struct handed *more = NULL;
	if (p->next.n < POLICIES_FILES_MAX)
		more = reallocarray(p->next.at, p->next.n + 1, sizeof *more);
	if (!more) {
		close(fd);
		return p->next.n < POLICIES_FILES_MAX ? FG_ENOMEM : FG_ELIMIT;
	}
	p->next.at = more;
	struct handed *h = &p->next.at[p->next.n++];
	*h = (struct handed){ .kind = what->kind, .fd = fd };
	snprintf(h->name, sizeof h->name, "%s", what->name);
	return FG_OK;
}

static size_t
most(uint8_t kind)
{
	switch (kind) {
	case MSG_FD_CA:
		return POLICIES_CA_MAX;
	case MSG_FD_RULES:
		return AIDS_RULES_MAX;
	case MSG_FD_HOOK:
		return HOOK_PROGRAM_MAX;
	default:
		return TRUST_FILE_MAX;
	}
}

static int
read_handed(struct handed_list *l, char *why, size_t cap)
{
	for (size_t i = 0; i < l->n; i++) {
		struct handed *h = &l->at[i];
		struct writer w;
		/* Secrets of the fetcher's are passed on, not read: what is not here cannot be told from here. */
		if (h->fd < 0 || h->kind == MSG_FD_CREDENTIALS)
			continue;
		writer_init(&w, most(h->kind));
		int err = files_read(h->fd, w.max, &w);
		if (!err)
			h->bytes = writer_take(&w, &h->n);
		writer_free(&w);
		if (err || !h->bytes) {
			snprintf(why, cap, "%s: %s", h->name, err_name(err ? err : FG_ENOMEM));
			return err ? err : FG_ENOMEM;
		}
		close(h->fd);
		h->fd = -1;
	}
	return FG_OK;
}

static const struct handed *
find_handed(const struct handed_list *l, uint8_t kind, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].kind == kind && strcmp(l->at[i].name, name) == 0)
			return &l->at[i];
	return NULL;
}

static bool
taken(struct writer *w, struct view *ret)
{
	size_t n = 0;
	uint8_t *p = writer_take(w, &n);
	writer_free(w);
	*ret = view_of(p, n);
	return p != NULL;
}

static int
resolve(const struct config *c, const struct profile *p, const struct handed_list *files, struct policy *ret, char *why,
    size_t cap)
{
	struct profile_anchor anchors[PROFILE_ANCHORS_MAX];
	struct writer trust, text;
	int err = FG_OK;
	ret->profile = p;
	writer_init(&trust, TRUSTSET_MAX);
	writer_init(&text, FILES_DOC_MAX);
	trustset_begin(&trust);
	for (unsigned i = 0; !err && i < p->signature.anchors_n; i++) {
		const struct handed *h = find_handed(files, MSG_FD_ANCHOR, p->signature.anchors[i]);
		if (!h) {
			snprintf(why, cap, "profile %s: the anchor %s was not handed over", p->name, p->signature.anchors[i]);
			err = FG_ENOTFOUND;
			break;
		}
		anchors[i].name = h->name;
		err = digest_sha256(view_of(h->bytes, h->n), anchors[i].sha256);
		trustset_add(&trust, h->name, profile_trust_scheme(p), view_of(h->bytes, h->n));
	}
	trustset_end(&trust);
	const struct handed *ca = find_handed(files, MSG_FD_CA, p->upstream_options.ca_file);
	if (!err && p->upstream_options.ca_file[0] && !ca) {
		snprintf(why, cap, "profile %s: the CA file %s was not handed over", p->name, p->upstream_options.ca_file);
		err = FG_ENOTFOUND;
	}
	const struct handed *secret = find_handed(files, MSG_FD_CREDENTIALS, p->upstream_options.credentials_file);
	if (!err && p->upstream_options.credentials_file[0] && !secret) {
		snprintf(why, cap, "profile %s: the credentials %s were not handed over", p->name,
		    p->upstream_options.credentials_file);
		err = FG_ENOTFOUND;
	}
	ret->credentials_fd = secret ? secret->fd : -1;
	if (!err)
		err = profile_canonical(p, c, anchors, p->signature.anchors_n, &text);
	if (!err)
		err = digest_sha256(writer_view(&text), ret->digest);
	if (!err && !taken(&text, &ret->text))
		err = FG_ENOMEM;
	if (!err && p->signature.anchors_n && !taken(&trust, &ret->trust))
		err = FG_ELIMIT;
	if (ca)
		ret->ca = view_of(ca->bytes, ca->n);
	writer_free(&trust);
	writer_free(&text);
	if (err && !why[0])
		snprintf(why, cap, "profile %s: %s", p->name, err_name(err));
	return err;
}

static int
parse_files(const struct config_file *files, size_t n, struct config **ret, char *why, size_t cap)
{
	struct config_problems *problems = calloc(1, sizeof *problems);
	int err = problems ? config_parse(files, n, ret, problems) : FG_ENOMEM;
	if (err && problems && problems->n)
		snprintf(why, cap, "%s:%u: %s", problems->at[0].file, problems->at[0].line, problems->at[0].text);
	else if (err)
		snprintf(why, cap, "%s", err_name(err));
	free(problems);
	return err;
}

/* Room for one more than the bundle has; NULL without memory. */
static struct config_file *
files_of(const struct bundle *b, unsigned *ret_n)
{
	const struct bundle_file *files = bundle_files(b, ret_n);
	struct config_file *in = calloc(*ret_n + 1, sizeof *in);
	for (unsigned i = 0; in && i < *ret_n; i++)
		in[i] = (struct config_file){ files[i].name, files[i].text };
	return in;
}

static int
parse(int bundle_fd, struct bundle **ret_bundle, struct config **ret, char *why, size_t cap)
{
	unsigned n = 0;
	int err = bundle_open(bundle_fd, ret_bundle);
	if (err) {
		snprintf(why, cap, "the bundle: %s", err_name(err));
		return err;
	}
	struct config_file *in = files_of(*ret_bundle, &n);
	err = in ? parse_files(in, n, ret, why, cap) : FG_ENOMEM;
	free(in);
	return err;
}

/* What they say is the inspector's to read. */
static int
find_rules(const struct config *c, const struct handed_list *files, struct view *ret,
    uint8_t sha256[DIGEST_SHA256_LEN], char *why, size_t cap)
{
	const struct handed *h = find_handed(files, MSG_FD_RULES, c->inspect.yara_rules);
	*ret = view_of(NULL, 0);
	if (!c->inspect.yara_rules[0])
		return FG_OK;
	if (!h || h->n == 0) {
		snprintf(why, cap, "inspect.yara_rules: %s %s", c->inspect.yara_rules, h ? "is empty" : "was not handed over");
		return FG_ENOTFOUND;
	}
	*ret = view_of(h->bytes, h->n);
	return digest_sha256(*ret, sha256);
}

/* Nothing runs it here. Its digest is part of every policy, so it comes before those. */
static int
find_hook(struct config *c, const struct handed_list *files, struct view *ret, char *why, size_t cap)
{
	const struct handed *h = find_handed(files, MSG_FD_HOOK, c->hook.program);
	*ret = view_of(NULL, 0);
	if (!c->hook.program[0])
		return FG_OK;
	if (!h || h->n == 0) {
		snprintf(why, cap, "hook.program: %s %s", c->hook.program, h ? "is empty" : "was not handed over");
		return FG_ENOTFOUND;
	}
	*ret = view_of(h->bytes, h->n);
	return digest_sha256(*ret, c->hook.sha256);
}

/* ---- where people sign it ---- */

int
policies_pin(struct policies *p, const struct policies_pins *pins)
{
	p->pinned = true;
	p->pins = *pins;
	return FG_OK;
}

static enum policy_bundle_kind
kind_of(uint8_t handed)
{
	return handed == MSG_FD_ANCHOR ? POLICY_BUNDLE_ANCHOR : handed == MSG_FD_CA ? POLICY_BUNDLE_CA :
	    handed == MSG_FD_RULES ? POLICY_BUNDLE_YARA : handed == MSG_FD_HOOK ? POLICY_BUNDLE_HOOK : POLICY_BUNDLE_NONE;
}

/* What the configuration comes to with these files; each is kept under its digest. */
static int
bundle_of(const struct policies *p, struct config *c, const struct handed_list *l, struct policy_bundle **ret, char *why,
    size_t cap)
{
	struct policy_bundle_item *items = calloc(l->n ? l->n : 1, sizeof *items);
	struct view hook;
	int err = items ? find_hook(c, l, &hook, why, cap) : FG_ENOMEM;
	size_t n = 0;
	for (size_t i = 0; !err && i < l->n; i++) {
		struct view bytes = view_of(l->at[i].bytes, l->at[i].n);
		items[n].kind = kind_of(l->at[i].kind);
		if (!items[n].kind)
			continue;
		snprintf(items[n].name, sizeof items[n].name, "%s", l->at[i].name);
		err = digest_sha256(bytes, items[n].sha256);
		if (!err)
			p->pins.keep(p->pins.ctx, items[n++].sha256, bytes);
	}
	if (!err)
		err = policy_bundle_make(c, items, n, ret, why, cap);
	free(items);
	return err;
}

/* A file that came, or did not, and is not the one that people signed: the one that is takes its place. */
static int
pin_one(const struct policies *p, struct handed_list *l, uint8_t kind, const struct policy_bundle_item *item)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	struct handed *h = NULL;
	struct writer w;
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].kind == kind && strcmp(l->at[i].name, item->name) == 0)
			h = &l->at[i];
	int err = h ? digest_sha256(view_of(h->bytes, h->n), sha256) : FG_OK;
	if (err || (h && !memcmp(sha256, item->sha256, sizeof sha256)))
		return err;
	if (!h) {
		struct handed *more = reallocarray(l->at, l->n + 1, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		l->at = more;
		h = &l->at[l->n++];
		*h = (struct handed){ .kind = kind, .fd = -1 };
		snprintf(h->name, sizeof h->name, "%s", item->name);
	}
	writer_init(&w, FILES_DOC_MAX);
	err = p->pins.get(p->pins.ctx, item->sha256, &w);
	if (!err) {
		free(h->bytes);
		h->bytes = writer_take(&w, &h->n);
		err = h->bytes ? FG_OK : FG_ENOMEM;
	}
	writer_free(&w);
	return err == FG_ENOMEM ? err : FG_OK; /* one that cannot be had makes another bundle, which is seen */
}

static int
pin_files(const struct policies *p, struct handed_list *l)
{
	static const uint8_t kinds[] = { MSG_FD_ANCHOR, MSG_FD_CA, MSG_FD_RULES, MSG_FD_HOOK };
	const struct policy_bundle *b = p->pins.bundle;
	int err = FG_OK;
	for (size_t i = 0; b && !err && i < b->n; i++)
		for (size_t k = 0; !err && k < sizeof kinds; k++)
			if (b->at[i].kind == kind_of(kinds[k]))
				err = pin_one(p, l, kinds[k], &b->at[i]);
	return err;
}

/* Both bundles of what is being loaded; what lies on disk may lack a file that was signed, which ret_lacks then names. */
static int
pin(const struct policies *p, struct config *c, struct handed_list *l, struct policy_bundle **ret,
    struct policy_bundle **ret_handed, char ret_lacks[POLICIES_LACKS_MAX], char *why, size_t cap)
{
	int err = bundle_of(p, c, l, ret_handed, why, cap);
	if (err && err != FG_ENOTFOUND)
		return err;
	snprintf(ret_lacks, POLICIES_LACKS_MAX, "%s", err ? why : "");
	why[0] = '\0';
	err = pin_files(p, l);
	return err ? err : bundle_of(p, c, l, ret, why, cap);
}

int
policies_consider(struct policies *p, int bundle_fd, struct policy_bundle **ret, char *ret_why, size_t cap)
{
	struct bundle *texts = NULL;
	struct config *c = NULL;
	int err = parse(bundle_fd, &texts, &c, ret_why, cap);
	if (!err)
		err = read_handed(&p->next, ret_why, cap);
	if (!err)
		err = bundle_of(p, c, &p->next, ret, ret_why, cap);
	if (err && !ret_why[0])
		snprintf(ret_why, cap, "%s", err_name(err));
	handed_free(&p->next);
	config_free(c);
	bundle_free(texts);
	return err;
}

const struct policy_bundle *
policies_bundle(const struct policies *p)
{
	return p->bundle;
}

const struct policy_bundle *
policies_handed(const struct policies *p)
{
	return p->handed;
}

const char *
policies_lacks(const struct policies *p)
{
	return p->lacks;
}

int
policies_load(struct policies *p, int bundle_fd, char *ret_why, size_t cap)
{
	struct bundle *b = NULL;
	struct config *c = NULL;
	struct policy *list = NULL;
	struct policy_bundle *comes_to = NULL, *as_handed = NULL;
	struct view rules, hook;
	uint8_t sha256[DIGEST_SHA256_LEN] = { 0 };
	char lacks[POLICIES_LACKS_MAX] = "";
	size_t n = 0;
	ret_why[0] = '\0';
	/*
	 * A reload of a configuration without files hands none: then the old ones do, as nobody names them. Where files
	 * are pinned none of the old ones stands in for one that is gone, or nobody would be told.
	 */
	struct handed_list *files = p->next.n || p->pinned ? &p->next : &p->now;
	int err = parse(bundle_fd, &b, &c, ret_why, cap);
	if (!err)
		err = read_handed(files, ret_why, cap);
	if (!err && p->pinned)
		err = pin(p, c, files, &comes_to, &as_handed, lacks, ret_why, cap);
	if (!err) {
		n = c->profiles_n;
		list = calloc(n ? n : 1, sizeof *list);
		err = list ? FG_OK : FG_ENOMEM;
	}
	if (!err)
		err = find_hook(c, files, &hook, ret_why, cap);
	for (size_t i = 0; !err && i < n; i++)
		err = resolve(c, &c->profiles[i], files, &list[i], ret_why, cap);
	if (!err)
		err = find_rules(c, files, &rules, sha256, ret_why, cap);
	if (err) {
		if (!ret_why[0])
			snprintf(ret_why, cap, "%s", err_name(err));
		if (list)
			list_free(list, n);
		policy_bundle_free(comes_to);
		policy_bundle_free(as_handed);
		config_free(c);
		bundle_free(b);
		handed_free(&p->next);
		return err;
	}
	list_free(p->list, p->n);
	config_free(p->config);
	bundle_free(p->texts);
	if (files == &p->next) {
		handed_free(&p->now);
		p->now = p->next;
		p->next = (struct handed_list){ 0 };
	}
	policy_bundle_free(p->bundle);
	policy_bundle_free(p->handed);
	p->bundle = comes_to;
	p->handed = as_handed;
	memcpy(p->lacks, lacks, sizeof p->lacks);
	p->list = list;
	p->n = n;
	p->config = c;
	p->texts = b;
	p->rules = rules;
	p->hook = hook;
	memcpy(p->rules_sha256, sha256, sizeof sha256);
	return FG_OK;
}

bool
policies_rules(const struct policies *p, struct view *ret, uint8_t ret_sha256[DIGEST_SHA256_LEN])
{
	*ret = p->rules;
	memcpy(ret_sha256, p->rules_sha256, DIGEST_SHA256_LEN);
	return p->rules.n > 0;
}

bool
policies_hook(const struct policies *p, struct view *ret, uint8_t ret_sha256[DIGEST_SHA256_LEN])
{
	*ret = p->hook;
	if (p->hook.n > 0)
		memcpy(ret_sha256, p->config->hook.sha256, DIGEST_SHA256_LEN);
	return p->hook.n > 0;
}

const struct config *
policies_config(const struct policies *p)
{
	return p->config;
}

/* Of the folders that a bundle is made of: what the daemon would read. */
static bool
is_name(const char *name)
{
	static const char *const parts[] = { "lists.d/", "profiles.d/" };
	size_t n = strlen(name);
	if (strcmp(name, "fotagate.conf") == 0)
		return true;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		size_t part = strlen(parts[i]);
		if (strncmp(name, parts[i], part) == 0)
			return n > part + 5 && n <= CONFIG_FILE_NAME_MAX && !strchr(name + part, '/') &&
			    strcmp(name + n - 5, ".conf") == 0;
	}
	return false;
}

int
policies_try(const struct policies *p, const char *name, struct view text, struct config **ret, char *ret_why, size_t cap)
{
	unsigned n = 0, at = 0;
	ret_why[0] = '\0';
	if (!p->texts || !is_name(name))
		return FG_EINVAL;
	struct config_file *in = files_of(p->texts, &n);
	if (!in)
		return FG_ENOMEM;
	/* The first is fotagate.conf, the others follow in the order of their names. */
	while (at < n && (at ? strcmp(in[at].name, name) < 0 : strcmp(name, in[0].name) != 0))
		at++;
	if (at == n || strcmp(in[at].name, name) != 0) {
		for (unsigned i = n++; i > at; i--)
			in[i] = in[i - 1];
	}
	in[at] = (struct config_file){ name, text };
	int err = n > CONFIG_FILES_MAX ? FG_ELIMIT : parse_files(in, n, ret, ret_why, cap);
	free(in);
	return err;
}

size_t
policies_count(const struct policies *p)
{
	return p->n;
}

const struct policy *
policies_at(const struct policies *p, size_t i)
{
	return i < p->n ? &p->list[i] : NULL;
}

const struct policy *
policies_find(const struct policies *p, const char *profile)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->list[i].profile->name, profile) == 0)
			return &p->list[i];
	return NULL;
}
