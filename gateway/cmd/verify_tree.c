/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_tree.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "gateway/cmd/verify_file.h"

#define TREE_DEPTH_MAX 10 /* "tile/entries/" and six groups of a tile's number */

struct tree {
	struct verify_log *l;
	const struct verify_signers *signers;
	const struct verify_story *story;
};

/* What verify_papers looks through, file by file. */
static const char *const PAPERS[] = { "statements", "reports", "provenance", "policies", "attachments" };
/* A text for readers: fotagate audit export has the log name the digests of those. */
static int
check_text(struct tree *t, const char *path)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	uint64_t at;
	struct view text;
	int err = verify_file_read(t->l->dir, path, VERIFY_SMALL_MAX, &text);
	if (err) {
		verify_log_problem(t->l, "%s: %s", path, err_why(err));
		return err == FG_ENOMEM ? err : FG_OK;
	}
	err = digest_sha256(text, digest);
	verify_file_free(text);
	if (!err && !verify_index_get(t->story->texts, digest, &at))
		verify_log_problem(t->l, "%s: nothing covers this file, nor does the log name it", path);
	return err;
}

/* "<number>" up to the dot; false for anything else. */
static bool
number_before(const char *name, const char **ret_rest, uint64_t *ret)
{
	size_t n = strcspn(name, ".");
	*ret_rest = name + n;
	return decimal_parse(view_of(name, n), UINT32_MAX, ret);
}

/* "genesis.json", "genesis.sig.0", "1.json", "1.sig.0", ..: those that were read. */
static bool
is_of_signers(const struct tree *t, const char *name)
{
	const char *rest;
	uint64_t set = 0, sig = 0;
	if (!strcmp(name, "allowed_signers"))
		return true;
	if (!strncmp(name, "genesis.", 8))
		rest = name + 7;
	else if (!number_before(name, &rest, &set) || !set || set > t->signers->later_n)
		return false;
	if (!strcmp(rest, ".json"))
		return true;
	return !strncmp(rest, ".sig.", 5) && decimal_parse(view_str(rest + 5), SIGNERS_MAX, &sig) &&
	    sig < verify_signers_signatures(t->signers, (uint32_t)set);
}

/* "policy-1.json", "policy-1.sig.0", ..: those that were read. */
static bool
is_of_policy(const struct tree *t, const char *name)
{
	const char *rest;
	uint64_t number = 0, sig = 0;
	if (strncmp(name, "policy-", 7) || !number_before(name + 7, &rest, &number) || !number ||
	    number > t->story->policy.now.number)
		return false;
	if (!strcmp(rest, ".json"))
		return true;
	return !strncmp(rest, ".sig.", 5) && decimal_parse(view_str(rest + 5), SIGNERS_MAX, &sig) &&
	    sig < verify_policy_signatures(&t->story->policy, (uint32_t)number);
}

static int
check_path(struct tree *t, const char *path)
{
	struct tile tile;
	const char *slash = strchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	bool known = !strcmp(path, "checkpoint") || !strcmp(path, "entries.jsonl");
	if (!slash && !known)
		return check_text(t, path);
	for (size_t i = 0; slash && i < sizeof PAPERS / sizeof PAPERS[0]; i++)
		known |= strlen(PAPERS[i]) == n && !memcmp(path, PAPERS[i], n) && !strchr(slash + 1, '/');
	if (slash && n == 7 && !memcmp(path, "signers", n))
		known |= is_of_signers(t, slash + 1) || is_of_policy(t, slash + 1);
	if (slash && n == 4 && !memcmp(path, "tile", n))
		known |= tile_parse_path(view_str(path), &tile) && tile_width(tile.level, tile.index, t->l->n) == tile.width;
	if (!known)
		verify_log_problem(t->l, "%s: nothing covers this file: it does not belong here", path);
	return FG_OK;
}

static int visit(struct tree *t, const char *path, unsigned depth);

static int
visit_one(struct tree *t, const char *path, const struct dirent *e, unsigned depth)
{
	char sub[VERIFY_FILE_PATH], full[VERIFY_FILE_PATH];
	struct stat st;
	int type = e->d_type;
	if (snprintf(sub, sizeof sub, "%s%s%s", path, *path ? "/" : "", e->d_name) >= (int)sizeof sub ||
	    snprintf(full, sizeof full, "%s/%s", t->l->dir, sub) >= (int)sizeof full) {
		verify_log_problem(t->l, "%s: holds a name that is too long", path);
		return FG_OK;
	}
	if (type == DT_UNKNOWN && lstat(full, &st) == 0)
		type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
	if (type == DT_DIR && depth < TREE_DEPTH_MAX)
		return visit(t, sub, depth + 1);
	if (type == DT_REG)
		return check_path(t, sub);
	verify_log_problem(t->l, "%s: neither file nor folder", sub);
	return FG_OK;
}

static int
visit(struct tree *t, const char *path, unsigned depth)
{
	char full[VERIFY_FILE_PATH];
	if (snprintf(full, sizeof full, "%s/%s", t->l->dir, path) >= (int)sizeof full)
		return FG_ELIMIT;
	DIR *d = opendir(full);
	if (!d) {
		verify_log_problem(t->l, "%s: cannot be read", *path ? path : ".");
		return FG_OK;
	}
	int err = FG_OK;
	for (struct dirent *e; !err && (e = readdir(d));) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			err = visit_one(t, path, e, depth);
	}
	closedir(d);
	return err;
}

int
verify_tree_check(struct verify_log *l, const struct verify_signers *s, const struct verify_story *story)
{
	struct tree t = { l, s, story };
	return visit(&t, "", 0);
}
