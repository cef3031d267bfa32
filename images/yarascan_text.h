/* SPDX-License-Identifier: Apache-2.0 */
/* yarascan_text - the shipped rules, inside the program: embed.cmake makes it of yarascan.yar, for yarascan.c alone. */
#ifndef FG_IMAGES_YARASCAN_TEXT_H
#define FG_IMAGES_YARASCAN_TEXT_H

#include <stdint.h>

extern const uint8_t yarascan_text[]; /* a NUL stands behind it */

#endif
