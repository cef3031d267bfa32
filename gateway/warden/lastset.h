/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lastset - the newest signer set that was put in force, as number and digest of its
 * statement, in images/approved/signers: no authority folder that ends otherwise is
 * believed. The warden's memory; a repair of the log may only move it along the chain.
 */
#ifndef FG_GATEWAY_WARDEN_LASTSET_H
#define FG_GATEWAY_WARDEN_LASTSET_H

#include "crypto/digest.h"

/* dir is data_dir/images/approved. FG_ENOTFOUND: nothing was kept; FG_EFORMAT: it cannot be read; FG_EIO, FG_ENOMEM. */
int lastset_read(int dir, uint32_t *ret_number, uint8_t ret_sha256[DIGEST_SHA256_LEN]);
/* Durable when 0 is returned. */
int lastset_write(int dir, uint32_t number, const uint8_t sha256[DIGEST_SHA256_LEN]);

#endif
