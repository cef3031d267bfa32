/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_genesis - genesis or its signatures, lost or damaged, put back by fotagate audit repair, before anything that
 * rests on them is looked at. Offline; hostile input is the folder that somebody hands over.
 *
 * Guarantees: what is put there is, to the byte, what the first entry of the log that is here has, in a tree that the key
 * it names has signed here; and those whom it names have signed it. Whoever makes another genesis, with
 * people and keys of his own, has no such log. Nothing else is believed, the warden's memory neither.
 */
#ifndef FG_GATEWAY_CMD_CLI_GENESIS_H
#define FG_GATEWAY_CMD_CLI_GENESIS_H

#include "gateway/cmd/cli_opt.h"

/*
 * data is the gateway's data_dir, from an export. *ret_put: it was put back. 0 also where the one that is here holds, or
 * where there is no such gateway, which who comes next says; an exit status after saying what is lost and how it comes back.
 */
int cli_genesis_mend(const struct cli_common *c, const char *data, const char *from, bool *ret_put);

#endif
