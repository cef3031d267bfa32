/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_policy_bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_profile.h"

#define FILE_BYTES_MAX (4u << 20) /* as gateway/control/policies.h takes CA files; anchors are smaller */

struct reading {
	struct config *c;
	struct policy_bundle_item item[POLICY_BUNDLE_FILES_MAX];
	size_t n;
};

static int
add(struct reading *r, enum policy_bundle_kind kind, const char *name)
{
	char dir[CONFIG_DIR_MAX + sizeof "/anchors"];
	uint8_t *bytes = NULL;
	size_t n = 0;
	bool known = !name[0];
	for (size_t i = 0; !known && i < r->n; i++)
		known = r->item[i].kind == kind && strcmp(r->item[i].name, name) == 0;
	if (known)
		return FG_OK;
	if (r->n == POLICY_BUNDLE_FILES_MAX)
		return FG_ELIMIT;
	struct policy_bundle_item *one = &r->item[r->n];
	*one = (struct policy_bundle_item){ .kind = kind };
	snprintf(one->name, sizeof one->name, "%s", name);
	snprintf(dir, sizeof dir, "%s%s", r->c->keys_dir, kind == POLICY_BUNDLE_ANCHOR ? "/anchors" : "");
	int err = cli_file_read(dir, name, FILE_BYTES_MAX, &bytes, &n);
	if (err)
		fprintf(stderr, "fotagate: %s/%s: %s\n", dir, name, err_why(err));
	else
		err = digest_sha256(view_of(bytes, n), one->sha256);
	free(bytes);
	r->n += !err;
	return err;
}

static int
read_files(struct reading *r)
{
	int err = add(r, POLICY_BUNDLE_YARA, r->c->inspect.yara_rules);
	if (!err && r->c->hook.program[0])
		err = add(r, POLICY_BUNDLE_HOOK, r->c->hook.program);
	if (!err && r->c->hook.program[0])
		memcpy(r->c->hook.sha256, r->item[r->n - 1].sha256, sizeof r->c->hook.sha256);
	for (size_t i = 0; !err && i < r->c->profiles_n; i++) {
		const struct profile *p = &r->c->profiles[i];
		err = add(r, POLICY_BUNDLE_CA, p->upstream_options.ca_file);
		for (unsigned k = 0; !err && k < p->signature.anchors_n; k++)
			err = add(r, POLICY_BUNDLE_ANCHOR, p->signature.anchors[k]);
	}
	return err;
}

int
cli_policy_bundle(const char *path, struct policy_bundle **ret, struct config **ret_config)
{
	struct config *c = NULL;
	char why[256] = "";
	struct reading *r = calloc(1, sizeof *r);
	int err = r ? cli_profile_config(path, &c) : FG_ENOMEM;
	if (!err) {
		r->c = c;
		err = read_files(r);
	}
	if (!err)
		err = policy_bundle_make(c, r->item, r->n, ret, why, sizeof why);
	if (why[0])
		fprintf(stderr, "fotagate: %s\n", why);
	if (!err && ret_config)
		*ret_config = c;
	else
		config_free(c);
	free(r);
	return err;
}
