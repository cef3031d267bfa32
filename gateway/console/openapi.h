/* SPDX-License-Identifier: Apache-2.0 */
/* openapi - the OpenAPI 3.1 document of /api/v1, made from the table of routes. Role: the console. Pure. */
#ifndef FG_GATEWAY_CONSOLE_OPENAPI_H
#define FG_GATEWAY_CONSOLE_OPENAPI_H

#include "crypto/writer.h"

#define OPENAPI_MAX (256u << 10) /* 70 routes of less than 2 KiB, and what documents hold */

void openapi_write(struct writer *w);

#endif
