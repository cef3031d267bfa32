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
	struct bundle *bundle; /* the text of config */
	struct config *config;
	struct policy *list; /* one for each profile, in their order */
	size_t n;
	struct view rules; /* in now; empty: none */
	uint8_t rules_sha256[DIGEST_SHA256_LEN];
	struct handed_list next; /* handed in since the last load */
	struct handed_list now;  /* what the list rests on */
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
	bundle_free(p->bundle);
	handed_free(&p->next);
	handed_free(&p->now);
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
	return kind == MSG_FD_CA ? POLICIES_CA_MAX : kind == MSG_FD_RULES ? AIDS_RULES_MAX : TRUST_FILE_MAX;
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

int
policies_load(struct policies *p, int bundle_fd, char *ret_why, size_t cap)
{
	struct bundle *b = NULL;
	struct config *c = NULL;
	struct policy *list = NULL;
	struct view rules;
	uint8_t sha256[DIGEST_SHA256_LEN] = { 0 };
	size_t n = 0;
	ret_why[0] = '\0';
	/* A reload of a configuration without files hands none: then the old ones do, as nobody names them. */
	struct handed_list *files = p->next.n ? &p->next : &p->now;
	int err = parse(bundle_fd, &b, &c, ret_why, cap);
	if (!err)
		err = read_handed(files, ret_why, cap);
	if (!err) {
		n = c->profiles_n;
		list = calloc(n ? n : 1, sizeof *list);
		err = list ? FG_OK : FG_ENOMEM;
	}
	for (size_t i = 0; !err && i < n; i++)
		err = resolve(c, &c->profiles[i], files, &list[i], ret_why, cap);
	if (!err)
		err = find_rules(c, files, &rules, sha256, ret_why, cap);
	if (err) {
		if (!ret_why[0])
			snprintf(ret_why, cap, "%s", err_name(err));
		if (list)
			list_free(list, n);
		config_free(c);
		bundle_free(b);
		handed_free(&p->next);
		return err;
	}
	list_free(p->list, p->n);
	config_free(p->config);
	bundle_free(p->bundle);
	if (files == &p->next) {
		handed_free(&p->now);
		p->now = p->next;
		p->next = (struct handed_list){ 0 };
	}
	p->list = list;
	p->n = n;
	p->config = c;
	p->bundle = b;
	p->rules = rules;
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
	if (!p->bundle || !is_name(name))
		return FG_EINVAL;
	struct config_file *in = files_of(p->bundle, &n);
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
