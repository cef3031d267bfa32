/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inforce - the policy that was put in force last, as the warden keeps it in
 * images/approved/policy: number, digest of its statement, digest of its configuration.
 * Callers: the warden, whose memory it is (no authority folder that ends otherwise is
 * believed); the supervisor, which may read and compare what it must not parse.
 */
#ifndef FG_GATEWAY_FILE_INFORCE_H
#define FG_GATEWAY_FILE_INFORCE_H

#include "crypto/digest.h"

#define INFORCE_FILE "policy"

struct inforce {
	uint32_t number;
	uint8_t statement[DIGEST_SHA256_LEN];
	uint8_t config[DIGEST_SHA256_LEN]; /* policyset.config */
};

/* dir is data_dir/images/approved. FG_ENOTFOUND: nothing was kept; FG_EFORMAT: it cannot be read; FG_EIO, FG_ENOMEM. */
int inforce_read(int dir, struct inforce *ret);
/* Durable when 0 is returned. */
int inforce_write(int dir, const struct inforce *in);

#endif
