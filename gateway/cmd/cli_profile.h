/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_profile - what a vendor profile of the configuration says about
 * signatures, for `fotagate inspect`.
 */
#ifndef FG_GATEWAY_CMD_CLI_PROFILE_H
#define FG_GATEWAY_CMD_CLI_PROFILE_H

#include "crypto/writer.h"
#include "gateway/wire/msg.h"
#include "policy/config.h"

/*
 * Reads the configuration at path (profiles.d beside it), finds the profile,
 * fills m's profile, scheme and policy fields, says in *ret_proof_signs (NULL is fine)
 * whether the proof of a delta stands for its signature, and writes the trust bundle of
 * the profile's anchors onto w. Problems are said on stderr, each with
 * file:line. 0, FG_EINVAL (configuration, no such profile, unusable anchor),
 * FG_EIO, FG_ENOMEM; m is then as it was.
 */
int cli_profile_load(const char *path, const char *name, struct msg_inspect *m, bool *ret_proof_signs,
    struct writer *w);

/*
 * The configuration at path with the profiles beside it, checked; problems are
 * said on stderr, each with file:line. 0 with *ret (config_free), FG_EINVAL,
 * FG_EIO, FG_ENOMEM.
 */
int cli_profile_config(const char *path, struct config **ret);

#endif
