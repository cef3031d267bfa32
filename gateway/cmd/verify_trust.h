/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_trust - what the auditor brought along: a text file kept outside the
 * gateway. Lines: "genesis <64 hex>", "log <vkey>", "witness <name> <vkey>",
 * "#" comments. Without it nothing can be more than self-consistent.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_TRUST_H
#define FG_GATEWAY_CMD_VERIFY_TRUST_H

#include "crypto/digest.h"
#include "crypto/note.h"

#define VERIFY_TRUST_WITNESSES 16

struct verify_trust {
	bool have_genesis, have_log;
	uint8_t genesis[DIGEST_SHA256_LEN];
	struct note_key log;
	struct note_key witness[VERIFY_TRUST_WITNESSES];
	unsigned witnesses;
};

/* 0, or an error after saying on stderr which line is unusable and why. */
int verify_trust_read(const char *path, struct verify_trust *ret);

#endif
