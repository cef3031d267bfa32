/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_trust - a folder of anchors as a trust bundle (images/trustset.h).
 * Every PEM certificate, CRL and public key in it is an anchor; other files are
 * passed over aloud; what may not be an anchor refuses the whole folder.
 */
#ifndef FG_GATEWAY_CMD_CLI_TRUST_H
#define FG_GATEWAY_CMD_CLI_TRUST_H

#include "crypto/trust.h"
#include "crypto/writer.h"

/*
 * Writes the bundle of dir onto w (empty, at least TRUSTSET_MAX). names: only
 * these files, each of which must be there, or NULL for all. Problems are said
 * on stderr. 0, FG_EINVAL (something may not be enrolled), FG_EIO, FG_ENOMEM.
 */
int cli_trust_folder(const char *dir, const char *const *names, size_t names_n,
    enum trust_scheme scheme, struct writer *w);

#endif
