/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/crc32c.h"

#define CRC32C_POLY 0x82f63b78u /* reflected */

/* Four bits at a time: a 64-byte table that needs no set-up and no state. */
static const uint32_t nibble[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};
_Static_assert(CRC32C_POLY == 0x82f63b78u, "the table belongs to this polynomial");

uint32_t
crc32c_add(uint32_t crc, struct view v)
{
	crc = ~crc;
	for (size_t i = 0; i < v.n; i++) {
		crc ^= v.p[i];
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}
