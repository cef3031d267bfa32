/* SPDX-License-Identifier: Apache-2.0 */
/*
 * legacy - what of a listener's TLS is older than today's defaults.
 * Role: control shows it in the status and says it in the log; edges in the
 * operational log. Pure. Modules that know nothing newer are a reason to have
 * it, none to forget it.
 */
#ifndef FG_POLICY_LEGACY_H
#define FG_POLICY_LEGACY_H

#include "policy/config.h"

#define LEGACY_LEVEL 2       /* security levels below it are legacy */
#define LEGACY_TEXT_MAX 200

/*
 * True when there is something, and then what, in words for a person, in out
 * ("" otherwise). A listener without TLS is not judged: that it is plain stands
 * in the configuration.
 */
bool legacy_listener(const struct config_listener *l, char out[LEGACY_TEXT_MAX]);

#endif
