/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c - Castagnoli CRC (RFC 3720 B.4): finds torn and rotten WAL records; no protection against a person. */
#ifndef FG_GATEWAY_AUDIT_CRC32C_H
#define FG_GATEWAY_AUDIT_CRC32C_H

#include "crypto/view.h"

/* Continues crc (0 to start) over v. */
uint32_t crc32c_add(uint32_t crc, struct view v);
/* The same on every machine; crc32c_add() takes it where there is no instruction. */
uint32_t crc32c_add_by_table(uint32_t crc, struct view v);

#endif
