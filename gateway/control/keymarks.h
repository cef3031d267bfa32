/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keymarks - what an authenticator says beside its signature under a statement: how often it signed, and whether its key
 * can be, or is, on other devices. For the log, for reviewers, and for a configuration that takes none that can
 * be copied. Callers: whatever takes statements in. A mark makes nothing count that would not.
 */
#ifndef FG_GATEWAY_CONTROL_KEYMARKS_H
#define FG_GATEWAY_CONTROL_KEYMARKS_H

#include "crypto/approval.h"
#include "crypto/sshsig.h"

struct control;
struct msg_append;

/* False: the key of a file, or no signature at all. key is the one it names, good or not. */
bool keymarks_read(struct view armour, struct sshsig_evidence *ret);
/*
 * Adds to the entry of a statement that counts what its authenticator said, and "warning" where the counter went back:
 * there may be a copy of the key, or this was signed before another that came earlier. No refusal: statements are
 * handed in in any order.
 */
void keymarks_ref(struct control *c, struct msg_append *e, struct view armour);
/* NULL, or why a passkey that can be copied does not count for that, as the configuration has it (synced_passkeys). */
const char *keymarks_refused(const struct control *c, const struct approval_terms *t, struct view armour);
/* Adds "backup" to an object: what sshsig_backup_name() says, or null of the key of a file. */
void keymarks_put(struct jsonw *j, struct view armour);

#endif
