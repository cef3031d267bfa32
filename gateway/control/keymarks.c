/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/keymarks.h"

#include <inttypes.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/state/passkey.h"

bool
keymarks_read(struct view armour, struct sshsig_evidence *ret)
{
	struct writer blob;
	struct sshsig sig;
	writer_init(&blob, SSHSIG_BLOB_MAX);
	bool is = sshsig_dearmor(armour, &blob, NULL) == 0 && sshsig_parse(writer_view(&blob), &sig, NULL) == 0 &&
	    sshkey_is_sk(&sig.key);
	if (is)
		*ret = (struct sshsig_evidence){ .scheme = sig.scheme, .key = sig.key, .flags = sig.flags, .counter = sig.counter };
	writer_free(&blob);
	return is;
}

void
keymarks_ref(struct control *c, struct msg_append *e, struct view armour)
{
	struct sshsig_evidence of;
	uint8_t key[DIGEST_SHA256_LEN];
	uint32_t before = 0;
	if (!keymarks_read(armour, &of))
		return;
	logbook_ref(e, "backup", sshsig_backup_name(of.flags));
	logbook_ref_number(e, "counter", of.counter);
	/* What nobody can remember is told by each entry; the warning is what is missing then. */
	if (sshkey_digest(&of.key, key) || db_key_counter(c->db, key, of.counter, &before)) {
		oplog(OPLOG_WARNING, "the counter of a key that signed could not be written down: %s", db_why(c->db));
		return;
	}
	if (of.counter >= before)
		return;
	logbook_ref_number(e, "counter.before", before);
	logbook_ref(e, "warning", "the key's counter went back");
	oplog(OPLOG_WARNING, "the counter of a key that signed went from %" PRIu32 " to %" PRIu32
	    ": there may be a copy of it, or the statement was signed before another that came earlier", before, of.counter);
}

/* More than genesis lets a canary's number of persons decide. */
static bool
is_production(const struct control *c, const struct approval_terms *t)
{
	const bool bounded = t->decision == APPROVAL_APPROVE || t->decision == APPROVAL_CONTINUE;
	return !bounded || t->max_devices > people_genesis(c->people)->canary_max;
}

const char *
keymarks_refused(const struct control *c, const struct approval_terms *t, struct view armour)
{
	struct sshsig_evidence of;
	if (policies_config(c->policies)->synced_passkeys || !is_production(c, t) || !keymarks_read(armour, &of))
		return NULL;
	return of.flags & SSHSIG_FLAG_BE ? "its key can be copied to other devices, and for more modules than a canary's the "
					   "configuration takes none of those (synced_passkeys)" : NULL;
}

void
keymarks_put(struct jsonw *j, struct view armour)
{
	struct sshsig_evidence of;
	const bool is = keymarks_read(armour, &of);
	if (is)
		jsonw_kcstr(j, "backup", sshsig_backup_name(of.flags));
	else
		jsonw_knull(j, "backup");
}
