/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonw.h"
#include "gateway/cmd/cli_file.h"

#define GENESIS "authority/genesis.json"
#define GENESIS_SIG "authority/genesis.sig"

int
cli_seal_read(const struct cli_common *c, const struct cli_place *p, struct genesis *ret, struct view *ret_text)
{
	char path[CLI_OPT_PATH_MAX], why[256] = "";
	uint8_t *text = NULL;
	size_t n = 0;
	if (!cli_place_path(p->data, GENESIS, path))
		return CLI_USAGE;
	int err = cli_file_read(NULL, path, GENESIS_BYTES_MAX, &text, &n);
	if (err)
		return cli_opt_fail(c, CLI_COULD_NOT, "NOT-FOUND",
		    "Make a gateway with fotagate init first, or name its directory.",
		    "%s: %s", path, err_why(err));
	err = genesis_parse(view_of(text, n), ret, why, sizeof why);
	if (!err) {
		*ret_text = view_of(text, n);
		return 0;
	}
	free(text);
	return cli_opt_fail(c, CLI_REFUSED, "GENESIS",
	    "It was changed after fotagate init made it: do not sign it; make a new one.",
	    "%s: %s", path, why[0] ? why : err_name(err));
}

bool
cli_seal_done(const struct cli_place *p)
{
	char path[CLI_OPT_PATH_MAX];
	return cli_place_path(p->data, GENESIS_SIG ".0", path) && access(path, F_OK) == 0;
}

int
cli_seal_trust(const struct genesis *g, struct view text, struct writer *w)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char hex[DIGEST_HEX_LEN + 1];
	int err = digest_sha256(text, digest);
	if (err)
		return err;
	hex_encode(digest, sizeof digest, hex);
	writer_textf(w, "genesis sha256:%s\nlog %s\n", hex, g->log_vkey);
	return writer_err(w);
}

/* Each alone must be a person's, so that a mistake has a name. */
static int
check_each(const struct cli_common *c, const struct genesis *g, struct view text, const struct signers_signature *sigs,
    const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned persons = 0;
		int err = signers_count(&g->set, text, SIGNERS_NAMESPACE, g->set.time, &sigs[i], 1, NULL, 0, &persons, NULL,
		    NULL);
		if (err)
			return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", names[i], err_name(err));
		if (persons != 1)
			return cli_opt_fail(c, CLI_REFUSED, "SIGNATURE",
			    "It must be made over exactly this genesis.json, by a key it lists, with -n " SIGNERS_NAMESPACE ".",
			    "%s: not a good signature by one of the signers", names[i]);
	}
	return 0;
}

static int
store(const struct cli_common *c, struct cli_place *p, const struct signers_signature *sigs, unsigned n)
{
	char name[64], path[CLI_OPT_PATH_MAX];
	/* The daemon reads them from 0 on: with that one made last, a half-made seal is none. */
	for (unsigned i = n; i-- > 0;) {
		snprintf(name, sizeof name, GENESIS_SIG ".%u", i);
		int status = cli_place_path(p->data, name, path) ? cli_place_file(c, p, path, 0644, sigs[i].armour) : CLI_USAGE;
		if (status)
			return status;
	}
	return 0;
}

int
cli_seal_store(const struct cli_common *c, struct cli_place *p, const struct signers_signature *sigs,
    const char *const *names, unsigned n)
{
	struct genesis *g = calloc(1, sizeof *g);
	struct view text = { 0 };
	char why[256] = "";
	if (!g)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	int status = cli_seal_read(c, p, g, &text);
	if (!status && cli_seal_done(p))
		status = cli_opt_fail(c, CLI_REFUSED, "EXISTS", "A seal is never replaced; later signer sets follow it.",
		    "%s is sealed already", g->origin);
	if (!status)
		status = check_each(c, g, text, sigs, names, n);
	if (!status && genesis_check(g, text, sigs, n, g->set.time, why, sizeof why))
		status = cli_opt_fail(c, CLI_REFUSED, "SIGNATURE",
		    "Collect the missing signatures and hand them in together.", "%s",
		    why[0] ? why : "the signatures could not be counted");
	if (!status)
		status = store(c, p, sigs, n);
	free((void *)(uintptr_t)text.p);
	free(g);
	return status;
}

/* ---- the verb ---- */

static void
say_sealed(const struct cli_common *c, const struct cli_place *p)
{
	struct genesis *g = calloc(1, sizeof *g);
	struct view text = { 0 };
	struct writer trust, out;
	struct jsonw j;
	writer_init(&trust, 1024);
	writer_init(&out, 8192);
	if (g && cli_seal_read(c, p, g, &text) == 0 && cli_seal_trust(g, text, &trust) == 0) {
		jsonw_init(&j, &out);
		jsonw_object(&j);
		jsonw_kcstr(&j, "origin", g->origin);
		jsonw_kbool(&j, "sealed", true);
		jsonw_kstring(&j, "trust", writer_view(&trust));
		jsonw_object_end(&j);
		if (c->json)
			printf("%.*s\n", (int)out.n, (const char *)out.p);
		else
			printf("%s is sealed: fotagated -c %s can start.\n\nKeep this outside the machine:\n\n%.*s", g->origin,
			    p->config, (int)trust.n, (const char *)trust.p);
	}
	writer_free(&trust);
	writer_free(&out);
	free((void *)(uintptr_t)text.p);
	free(g);
}

static bool
is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int
cli_seal_run(const struct cli_args *a)
{
	struct signers_signature sigs[SIGNERS_MAX];
	uint8_t *bytes[SIGNERS_MAX] = { 0 };
	struct cli_place p = { 0 };
	unsigned first = a->n && is_folder(a->at[0]) ? 1 : 0, n = 0;
	const char *dir = first ? a->at[0] : a->common.dir;
	if (a->n - first < 1 || a->n - first > SIGNERS_MAX)
		return cli_opt_fail(&a->common, CLI_USAGE, "USAGE", "usage: fotagate init --seal [DIR] SIGNATURE ...",
		    "name the signatures over genesis.json");
	int status = cli_place_find(&a->common, dir, false, &p);
	for (unsigned i = first; !status && i < a->n; i++, n++) {
		size_t length = 0;
		int err = cli_file_read(NULL, a->at[i], SSHSIG_ARMOR_MAX, &bytes[n], &length);
		if (err)
			status = cli_opt_fail(&a->common, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", a->at[i], err_why(err));
		else
			sigs[n].armour = view_of(bytes[n], length);
	}
	if (!status) {
		status = cli_seal_store(&a->common, &p, sigs, (const char *const *)a->at + first, n);
		if (status)
			cli_place_undo(&p);
		else
			say_sealed(&a->common, &p);
	}
	for (unsigned i = 0; i < SIGNERS_MAX; i++)
		free(bytes[i]);
	cli_place_end(&p);
	return status;
}
