/* SPDX-License-Identifier: Apache-2.0 */
/* verify_one - a single receipt or a single approval, without an export. */
#ifndef FG_GATEWAY_CMD_VERIFY_ONE_H
#define FG_GATEWAY_CMD_VERIFY_ONE_H

#include "gateway/cmd/verify_say.h"
#include "gateway/cmd/verify_trust.h"

enum verify_one { VERIFY_ONE_OK, VERIFY_ONE_BAD, VERIFY_ONE_USAGE, VERIFY_ONE_COULD_NOT }; /* exit statuses */

/* A receipt that carries its entry, by a log that is trusted and its witnesses. */
enum verify_one verify_one_receipt(const char *path, const struct verify_trust *t, struct verify_say *say);
/*
 * A statement for the gateway of that genesis, judged at the time it was written by its
 * signer set, and by those that follow from it in an export (its folder, or NULL).
 */
enum verify_one verify_one_approval(const char *statement, const char *signature, const char *genesis, const char *export,
    struct verify_say *say);

#endif
