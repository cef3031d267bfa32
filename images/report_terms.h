/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_terms - what of a report people sign in so many words, beside its digest.
 * Role: control writes it into the statement it proposes, and the command line
 * holds that statement against the report with the same function. Pure.
 */
#ifndef FG_IMAGES_REPORT_TERMS_H
#define FG_IMAGES_REPORT_TERMS_H

#include "crypto/approval.h"
#include "images/report.h"

/* What is known of a delta, by a whole report; zero for what is none. */
void report_terms_delta(const struct report *r, struct approval_delta *ret);

#endif
