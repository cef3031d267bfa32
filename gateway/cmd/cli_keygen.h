/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_keygen - the operator's own ssh-keygen, run without a shell: people's
 * keys stay with it, their agent or their security key. Always
 * /usr/bin/ssh-keygen: whoever sets PATH must not choose what signs.
 */
#ifndef FG_GATEWAY_CMD_CLI_KEYGEN_H
#define FG_GATEWAY_CMD_CLI_KEYGEN_H

#include "crypto/writer.h"

#define CLI_KEYGEN "/usr/bin/ssh-keygen"

/* A new Ed25519 key without passphrase in path and path.pub, for demonstrations. 0 or FG_EIO (ssh-keygen has said why). */
int cli_keygen_make(const char *path, const char *comment);
/*
 * `ssh-keygen -Y sign` over text with the key in that file (or its .pub, with an
 * agent); it may ask for a passphrase or a touch on the terminal. Appends the
 * armour. 0, FG_EIO, FG_ENOMEM, FG_ELIMIT.
 */
int cli_keygen_sign(const char *key, const char *namespace_, struct view text, bool quiet, struct writer *armour);

#endif
