/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_page - a report as a page for a person: what it comes to, what was seen,
 * what would clear each finding.
 */
#ifndef FG_GATEWAY_CMD_CLI_PAGE_H
#define FG_GATEWAY_CMD_CLI_PAGE_H

#include <stdio.h>

#include "images/report.h"

/* digest is the name of the report's canonical text; all: of what changed, mild lines to the last one too. */
void cli_page_print(FILE *out, const struct report *r, const uint8_t digest[DIGEST_SHA256_LEN], bool all);

#endif
