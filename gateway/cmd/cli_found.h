/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_found - what `fotagate init` makes up and writes: the genesis and its
 * keys, the first configuration. Pure but for random numbers: no file here.
 */
#ifndef FG_GATEWAY_CMD_CLI_FOUND_H
#define FG_GATEWAY_CMD_CLI_FOUND_H

#include "crypto/genesis.h"
#include "crypto/note.h"
#include "gateway/cmd/cli_place.h"

#define CLI_FOUND_EPOCH_LEN 32
#define CLI_FOUND_LISTENERS_MAX CONFIG_LISTENERS_MAX
#define CLI_FOUND_WARDEN "/warden" /* the co-signing key's name is the origin's and this */

struct cli_found_listener {
	char name[PROFILE_WORD_MAX + 1];
	char address[CIDR_TEXT_MAX];
	int64_t port;
	bool tls;
};

/* Secrets: cli_found_wipe. */
struct cli_found {
	struct genesis genesis;
	struct note_signer log, cosign;
	uint8_t epoch[CLI_FOUND_EPOCH_LEN];
};

/*
 * Fills keys, instance and log_vkey of a genesis whose other fields the caller
 * has filled, and appends its canonical text. FG_EINVAL with why (a sentence).
 */
int cli_found_genesis(struct cli_found *f, struct writer *text, char *why, size_t cap);
void cli_found_wipe(struct cli_found *f);

/* "NAME=ADDRESS:PORT" ("[::1]" too), with "/tls" behind it for HTTPS; false for anything else. */
bool cli_found_listener(const char *text, struct cli_found_listener *ret);
/* One signer from "PRINCIPAL[=account]" and the text of a .pub file; valid from the day's beginning. NULL or why not. */
const char *cli_found_signer(const char *who, struct view pub, int64_t now, int64_t days, bool require_uv,
    struct signer *ret);
/*
 * The first fotagate.conf: directories unless they are the system's, listeners,
 * demo, the console: web without an address is one to be filled in, commented out.
 * Appends it; FG_EINVAL after saying on stderr what a listener has wrong.
 */
int cli_found_config(const struct cli_place *p, bool demo, const struct cli_found_listener *listeners, unsigned n,
    const struct cli_found_listener *web, struct writer *w);

#endif
