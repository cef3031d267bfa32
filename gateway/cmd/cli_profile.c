/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_trust.h"
#include "images/trustset.h"
#include "policy/config.h"
#include "policy/hook.h"

#define PATH_CAP 4096

/* The configuration's bytes and their names. */
struct files {
	struct config_file at[CONFIG_FILES_MAX];
	char *name[CONFIG_FILES_MAX];
	uint8_t *text[CONFIG_FILES_MAX];
	size_t n;
};

static void
files_free(struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->name[i]);
		free(f->text[i]);
	}
}

static int
complain(const char *what, int err)
{
	fprintf(stderr, "fotagate: %s: %s\n", what, err_why(err));
	return err;
}

static int
files_add(struct files *f, const char *path, const char *name)
{
	size_t n = 0;
	if (f->n == CONFIG_FILES_MAX)
		return complain(path, FG_ELIMIT);
	int err = cli_file_read(NULL, path, CONFIG_FILE_MAX, &f->text[f->n], &n);
	if (err)
		return complain(path, err);
	f->name[f->n] = strdup(name);
	if (!f->name[f->n]) {
		free(f->text[f->n]);
		return FG_ENOMEM;
	}
	f->at[f->n] = (struct config_file){ f->name[f->n], view_of(f->text[f->n], n) };
	f->n++;
	return 0;
}

/* part: "lists.d" or "profiles.d", beside path. */
static int
files_part(struct files *f, const char *path, const char *part)
{
	char dir[PATH_CAP], one[2 * PATH_CAP], name[CONFIG_FILE_NAME_MAX + 1];
	struct cli_file_names leaves = { 0 };
	const char *slash = strrchr(path, '/');
	if (snprintf(dir, sizeof dir, "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, part) >= (int)sizeof dir)
		return complain(path, FG_ELIMIT);
	int err = cli_file_list(dir, &leaves);
	if (err == FG_EIO && errno == ENOENT)
		return 0;
	if (err)
		return complain(dir, err);
	for (size_t i = 0; i < leaves.n && !err; i++) {
		size_t n = strlen(leaves.name[i]);
		if (n < 6 || strcmp(leaves.name[i] + n - 5, ".conf") != 0)
			continue;
		snprintf(one, sizeof one, "%s/%s", dir, leaves.name[i]);
		if (snprintf(name, sizeof name, "%s/%s", part, leaves.name[i]) >=
		    (int)sizeof name)
			err = complain(one, FG_ELIMIT);
		else
			err = files_add(f, one, name);
	}
	cli_file_names_free(&leaves);
	return err;
}

/* fotagate.conf, lists.d/NAME.conf, profiles.d/NAME.conf, each in ascending order, as config_parse wants them. */
static int
files_read(struct files *f, const char *path)
{
	int err = files_add(f, path, "fotagate.conf");
	if (!err)
		err = files_part(f, path, "lists.d");
	return err ? err : files_part(f, path, "profiles.d");
}

static int
parse(const struct files *f, struct config **ret)
{
	struct config_problems *problems = calloc(1, sizeof *problems);
	if (!problems)
		return FG_ENOMEM;
	int err = config_parse(f->at, f->n, ret, problems);
	for (unsigned i = 0; err && i < problems->n; i++)
		fprintf(stderr, "fotagate: %s:%u: %s\n", problems->at[i].file, problems->at[i].line,
		    problems->at[i].text);
	if (err && problems->more)
		fprintf(stderr, "fotagate: and %u problems more\n", problems->more);
	free(problems);
	return err == FG_EFORMAT ? FG_EINVAL : err;
}

/* The policy's canonical form names it by what is in it. */
static int
hook(struct config *c)
{
	uint8_t *bytes = NULL;
	size_t n = 0;
	if (!c->hook.program[0])
		return 0;
	int err = cli_file_read(c->keys_dir, c->hook.program, HOOK_PROGRAM_MAX, &bytes, &n);
	if (err) {
		fprintf(stderr, "fotagate: the decision hook %s/%s:\n", c->keys_dir, c->hook.program);
		return complain(c->hook.program, err);
	}
	err = digest_sha256(view_of(bytes, n), c->hook.sha256);
	free(bytes);
	return err;
}

/* The anchors' bundle and the digests that the policy's canonical form names. */
static int
anchors(const struct config *c, const struct profile *p, struct writer *w,
    uint8_t digest[DIGEST_SHA256_LEN])
{
	struct profile_anchor anchor[PROFILE_ANCHORS_MAX];
	const char *names[PROFILE_ANCHORS_MAX];
	char dir[CONFIG_DIR_MAX + sizeof "/anchors"];
	int err = 0;
	snprintf(dir, sizeof dir, "%s/anchors", c->keys_dir);
	for (unsigned i = 0; i < p->signature.anchors_n && !err; i++) {
		uint8_t *bytes = NULL;
		size_t n = 0;
		names[i] = anchor[i].name = p->signature.anchors[i];
		err = cli_file_read(dir, names[i], TRUST_FILE_MAX, &bytes, &n);
		if (err) {
			fprintf(stderr, "fotagate: profile %s, anchor %s/%s:\n", p->name, dir,
			    names[i]);
			return complain(names[i], err);
		}
		err = digest_sha256(view_of(bytes, n), anchor[i].sha256);
		free(bytes);
	}
	if (!err)
		err = cli_trust_folder(dir, names, p->signature.anchors_n, profile_trust_scheme(p),
		    w);
	return err ? err : profile_digest(p, c, anchor, p->signature.anchors_n, digest);
}

static int
fill(const struct config *c, const char *name, struct msg_inspect *m, bool *ret_proof_signs, struct writer *w)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	const struct profile *p = config_profile(c, view_str(name));
	if (!p) {
		fprintf(stderr, "fotagate: no profile is named %s\n", name);
		return FG_EINVAL;
	}
	int err = anchors(c, p, w, digest);
	if (err)
		return err;
	struct trust_policy policy = profile_trust_policy(p);
	_Static_assert(sizeof m->profile > PROFILE_WORD_MAX, "a profile's name fits");
	snprintf(m->profile, sizeof m->profile, "%s", p->name);
	memcpy(m->profile_digest, digest, sizeof m->profile_digest);
	m->scheme = (uint8_t)profile_inspect_scheme(p);
	/* A profile without a scheme has no purpose either: as without a profile, then. */
	m->purpose = (uint8_t)(policy.purpose ? policy.purpose : TRUST_PURPOSE_FIRMWARE);
	m->allow_leaf_anchor = policy.allow_leaf_anchor;
	m->require_revocation = policy.require_revocation;
	m->pinned_ignores_expiry = policy.pinned_ignores_expiry;
	m->rsa_bits_min = policy.rsa_bits_min;
	m->require_signature = p->signature.require;
	if (ret_proof_signs)
		*ret_proof_signs = p->deltas.proof_signs;
	return 0;
}

int
cli_profile_load(const char *path, const char *name, struct msg_inspect *m, bool *ret_proof_signs, struct writer *w)
{
	struct config *c = NULL;
	struct files *f = calloc(1, sizeof *f);
	if (!f)
		return FG_ENOMEM;
	int err = files_read(f, path);
	if (!err)
		err = parse(f, &c);
	if (!err)
		err = hook(c);
	if (!err)
		err = fill(c, name, m, ret_proof_signs, w);
	config_free(c);
	files_free(f);
	free(f);
	return err == FG_ELIMIT ? FG_EINVAL : err;
}

int
cli_profile_config(const char *path, struct config **ret)
{
	struct files *f = calloc(1, sizeof *f);
	if (!f)
		return FG_ENOMEM;
	int err = files_read(f, path);
	if (!err)
		err = parse(f, ret);
	files_free(f);
	free(f);
	return err == FG_ELIMIT ? FG_EINVAL : err;
}
