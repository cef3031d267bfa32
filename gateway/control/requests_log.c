/* SPDX-License-Identifier: Apache-2.0 */
/* requests_log - the log and the evidence beside it, for reading. */
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/requests_private.h"
#include "gateway/wire/memfd.h"

struct asking { /* a call that waits for audit */
	struct control *c;
	struct call *call;
};

static struct asking *
asking_new(struct control *c, struct call *call)
{
	struct asking *a = calloc(1, sizeof *a);
	if (a)
		*a = (struct asking){ c, call };
	else
		call_fail_err(call, FG_ENOMEM);
	return a;
}

/* err of the question itself: the callback will not run. */
static void
unasked(struct asking *a, int err)
{
	if (!err)
		return;
	call_fail(a->call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status",
	    "the audit log is %s", logbook_state(a->c->logbook));
	free(a);
}

static void
on_head(void *ctx, int err, const struct msg_head *m)
{
	struct asking *a = ctx;
	struct call_doc d;
	if (err) {
		unasked(a, err);
		return;
	}
	call_doc_begin(&d);
	jsonw_kcstr(&d.j, "checkpoint", m->checkpoint);
	jsonw_kuint(&d.j, "published", m->published);
	jsonw_khex(&d.j, "root", m->root, sizeof m->root);
	jsonw_kuint(&d.j, "size", m->size);
	jsonw_kcstr(&d.j, "state", logbook_state(a->c->logbook));
	call_doc_end(a->call, &d, CALL_DONE);
	free(a);
}

void
requests_log_head(struct control *c, struct call *call)
{
	struct asking *a = asking_new(c, call);
	if (a)
		unasked(a, logbook_ask_head(c->logbook, on_head, a));
}

static void
on_noted(void *ctx, int err, uint64_t index)
{
	struct asking *a = ctx;
	(void)index;
	unasked(a, err ? err : logbook_ask_head(a->c->logbook, on_head, a));
}

/* Texts that go along for readers (VERIFY.md, scripts): from here on the log vouches for their bytes. */
static bool
note_texts(struct msg_append *e, const struct json_value *texts)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char key[16];
	struct view hex;
	for (size_t i = 0; i < json_count(texts); i++) {
		if (!json_string(json_at(texts, i), &hex) || !hex_decode(hex, digest, sizeof digest))
			return false;
		snprintf(key, sizeof key, "text.%zu", i);
		logbook_ref_sha256(e, key, digest);
	}
	return true;
}

void
requests_log_export(struct control *c, struct call *call)
{
	struct msg_append *e = logbook_entry(ENTRY_LOG_EXPORTED, "ok", requests_actor(c, call), "log");
	if (e && !note_texts(e, call_arg(call, "texts"))) {
		call_fail(call, CALL_USAGE, "USAGE", "", "audit.export: texts are SHA-256 digests");
		free(e);
		return;
	}
	struct asking *a = e ? asking_new(c, call) : NULL;
	if (a)
		unasked(a, logbook_append(c->logbook, e, on_noted, a));
	else if (!e)
		call_fail_err(call, FG_ENOMEM);
	free(e);
}

static void
answer_file(struct call *call, int fd, const uint8_t *sha256)
{
	struct writer w;
	struct jsonw j;
	writer_init(&w, CALL_DOC_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	if (sha256)
		jsonw_khex(&j, "sha256", sha256, DIGEST_SHA256_LEN);
	jsonw_object_end(&j);
	call_answer_file(call, &w, fd);
}

static void
on_opened(void *ctx, int err, int fd)
{
	struct asking *a = ctx;
	if (err == FG_EAGAIN)
		call_fail(a->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log went away");
	else if (err)
		call_fail_err(a->call, err);
	else
		answer_file(a->call, fd, NULL);
	free(a);
}

/* ---- backup.state ---- */

static void
on_backup_noted(void *ctx, int err, uint64_t index)
{
	struct asking *a = ctx;
	int fd = -1;
	(void)index;
	if (err) {
		unasked(a, err);
		return;
	}
	err = db_copy(a->c->db, &fd);
	if (err == FG_ENOMEM)
		call_fail_err(a->call, err);
	else if (err)
		call_fail(a->call, CALL_COULD_NOT, "LOCAL", "it takes as much room again beside the database",
		    "the database could not be copied: %s", db_why(a->c->db));
	else
		answer_file(a->call, fd, NULL);
	free(a);
}

/* It holds who every module is: nothing is handed out before the log says to whom. */
void
requests_backup_state(struct control *c, struct call *call)
{
	struct msg_append *e = logbook_entry(ENTRY_LOG_EXPORTED, "ok", requests_actor(c, call), "state");
	struct asking *a = e ? asking_new(c, call) : NULL;
	if (e)
		logbook_say(e, "a backup: a copy of the database, identities of modules with it");
	if (a)
		unasked(a, logbook_append(c->logbook, e, on_backup_noted, a));
	else if (!e)
		call_fail_err(call, FG_ENOMEM);
	free(e);
}

void
requests_log_open(struct control *c, struct call *call)
{
	char name[MSG_PATH_MAX];
	if (!call_text(call, "name", name, sizeof name) || !name[0]) {
		call_fail(call, CALL_USAGE, "USAGE", "", "a name like checkpoint or tile/0/000");
		return;
	}
	struct asking *a = asking_new(c, call);
	if (a)
		unasked(a, logbook_open(c->logbook, name, on_opened, a));
}

static void
on_proof(void *ctx, int err, const struct msg_proof *m)
{
	struct asking *a = ctx;
	struct call_doc d;
	if (err == FG_EAGAIN) {
		call_fail(a->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log went away");
	} else if (err) {
		call_fail(a->call, CALL_REFUSED, "NOT-FOUND", "the log may not have published it yet",
		    "there is no published entry of that index");
	} else {
		call_doc_begin(&d);
		jsonw_kstring(&d.j, "entry", m->entry);
		jsonw_kcstr(&d.j, "receipt", m->receipt);
		call_doc_end(a->call, &d, CALL_DONE);
	}
	free(a);
}

void
requests_log_proof(struct control *c, struct call *call)
{
	struct asking *a = asking_new(c, call);
	if (a)
		unasked(a, logbook_ask_proof(c->logbook, call_number(call, "index", 0), on_proof, a));
}

/* ---- file.open ---- */

/* Kinds that are files by digest. */
static int
open_document(struct control *c, const char *kind, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	static const struct {
		const char *kind;
		enum files_doc doc;
	} docs[] = {
		{ "report", FILES_REPORT },
		{ "provenance", FILES_PROVENANCE },
		{ "policy", FILES_POLICY },
		{ "hook", FILES_HOOK },
		{ "attachment", FILES_ATTACHMENT },
		{ "statement", FILES_STATEMENT },
		{ "signature", FILES_STATEMENT_SIG },
	};
	if (strcmp(kind, "vendor-signature") == 0)
		return files_image_open(c->files, FILES_SIGNATURE, sha256);
	for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++)
		if (strcmp(kind, docs[i].kind) == 0)
			return files_doc_open(c->files, docs[i].doc, sha256);
	return FG_EINVAL;
}

/* Papers of the authority's chains, by number; its folder is the warden's, and everybody may check it. */
static const struct {
	const char *kind;
	const char *folder;
	bool signatures;
} chains[] = {
	{ "signers", "signers/", false },
	{ "signers-signatures", "signers/", true },
	{ "policy-set", "policy/", false },
	{ "policy-set-signatures", "policy/", true },
};
#define CHAINS (sizeof chains / sizeof chains[0])

static int
open_authority(struct control *c, const char *name)
{
	char path[MSG_PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/authority/%s", c->data_dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? FG_ENOTFOUND : fd;
}

/* Every signature under it, one after the other, as policy.submit takes them. */
static int
open_signatures(struct control *c, const char *name)
{
	char one[64];
	struct writer all, w;
	int err = FG_OK;
	writer_init(&all, SIGNERS_MAX * SSHSIG_ARMOR_MAX);
	for (unsigned i = 0; !err && i < SIGNERS_MAX; i++) {
		snprintf(one, sizeof one, "%s.sig.%u", name, i);
		int fd = open_authority(c, one);
		if (fd < 0)
			break;
		writer_init(&w, SSHSIG_ARMOR_MAX);
		err = files_read(fd, SSHSIG_ARMOR_MAX, &w);
		close(fd);
		if (!err)
			writer_bytes(&all, writer_view(&w));
		writer_free(&w);
	}
	if (!err)
		err = writer_err(&all);
	int fd = err ? err : !all.n ? FG_ENOTFOUND : memfd_sealed("fotagate-signatures", writer_view(&all));
	writer_free(&all);
	return fd;
}

static int
open_chain(struct control *c, size_t i, uint64_t number)
{
	char name[40], file[48];
	bool genesis = number == 0;
	if (number > UINT32_MAX || (genesis && strcmp(chains[i].kind, "signers-signatures") != 0))
		return FG_ENOTFOUND;
	if (genesis)
		snprintf(name, sizeof name, "genesis");
	else
		snprintf(name, sizeof name, "%s%u", chains[i].folder, (unsigned)number);
	if (chains[i].signatures)
		return open_signatures(c, name);
	snprintf(file, sizeof file, "%s.json", name);
	return open_authority(c, file);
}

static size_t
chain_of(const char *kind)
{
	size_t i = 0;
	while (i < CHAINS && strcmp(kind, chains[i].kind) != 0)
		i++;
	return i;
}

void
requests_file_open(struct control *c, struct call *call)
{
	char kind[33], hex[2 * DIGEST_SHA256_LEN + 1];
	uint8_t sha256[DIGEST_SHA256_LEN];
	const uint8_t *named = NULL;
	int fd;
	(void)call_text(call, "kind", kind, sizeof kind);
	(void)call_text(call, "digest", hex, sizeof hex);
	if (strcmp(kind, "genesis") == 0) {
		fd = memfd_sealed("fotagate-genesis", people_genesis_text(c->people));
		named = people_genesis_digest(c->people);
	} else if (chain_of(kind) < CHAINS) {
		fd = open_chain(c, chain_of(kind), call_number(call, "number", UINT64_MAX));
	} else if (!hex_decode(view_str(hex), sha256, sizeof sha256)) {
		call_fail(call, CALL_USAGE, "USAGE", "", "file.open needs a digest of 64 hex digits");
		return;
	} else {
		fd = open_document(c, kind, sha256);
		/* A signature lies under its statement's name, not its own. */
		named = strcmp(kind, "signature") == 0 ? NULL : sha256;
	}
	if (fd == FG_EINVAL)
		call_fail(call, CALL_USAGE, "USAGE", "", "there is no kind of file called %s", kind);
	else if (fd < 0)
		call_fail_err(call, fd);
	else
		answer_file(call, fd, named);
}
