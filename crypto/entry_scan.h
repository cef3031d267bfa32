/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry_scan - reads a log entry in the one form entry_encode gives it, in a
 * single pass and without allocating: for whoever reads a million of them.
 * Role: fotagate-verify. Guarantees: input is untrusted; what it recognises,
 * entry_parse accepts with the same fields (a fuzz target compares the two).
 * What it does not recognise is no finding: it may use an escape or a key
 * of a later version, and entry_parse decides.
 */
#ifndef FG_CRYPTO_ENTRY_SCAN_H
#define FG_CRYPTO_ENTRY_SCAN_H

#include "crypto/entry.h"

/* True with *ret borrowing from line (no line end); false, *ret undefined, for any other form. */
bool entry_scan(struct view line, struct entry *ret);

#endif
