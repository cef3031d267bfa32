/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privacy - what of a module's identities leaves control, and when it is
 * forgotten. People and the log know a module by its pseudonym; the identity behind it
 * is shown masked, and whole only to whoever asked for it by name and reason, after
 * the log has that. Forgetting removes the only place where both stand side by side.
 */
#ifndef FG_GATEWAY_CONTROL_PRIVACY_H
#define FG_GATEWAY_CONTROL_PRIVACY_H

#include "gateway/control/inventory.h"

struct control;
struct call;

#define PRIVACY_SHOWN 4        /* characters of an identity that are left */
#define PRIVACY_LONG 12        /* a shorter identity would be found by trying: nothing of it is shown */
#define PRIVACY_DIGITS_MIN 14  /* an IMEI without its check digit; ICCIDs have 19 or 20 */
#define PRIVACY_HEX_MIN 16     /* a serial number or token of 64 bits */
#define PRIVACY_MASK_CAP (DB_IDENT_MAX + 1)

/* The last four characters behind stars; "****" for what is short, a token or an address. */
void privacy_mask(unsigned kind, const char *text, char dst[PRIVACY_MASK_CAP]);
/*
 * A text that a request brought (a path, a product): runs of digits that are as long as an
 * identity keep their last four, with hex also those of hexadecimal; 14 digits that begin with 20
 * are a date and a time. dst holds cap, which cuts.
 */
void privacy_mask_text(const char *text, bool hex, char *dst, size_t cap);
/* Does the sentence hold one of the module's identities, however it is grouped? Such a sentence may not reach the log. */
bool privacy_names(const struct inventory_module *m, const char *sentence);

/*
 * Forgets n modules: first the log, then the rows, in one transaction, and the unknown requests
 * that hold their identities. call (NULL: nobody waits) is answered; who and reason are for the log.
 * Takes ids. Held modules are left out by the caller: forgetting a restriction would lift it.
 */
int privacy_forget(struct control *c, struct call *call, uint8_t (*ids)[MSG_ID], size_t n, const char *who,
    const char *reason);
/*
 * Pseudonyms of modules not heard of since before, and not held; *ret is malloc'ed, NULL for
 * none, at most max. FG_ENOMEM.
 */
int privacy_silent(const struct inventory *inv, int64_t before, size_t max, uint8_t (**ret)[MSG_ID], size_t *ret_n);
/*
 * Remembers the pseudonym key by a mark that does not give it away; that it is another one than
 * last time is told to the log by the next privacy_tick.
 */
int privacy_key(struct control *c, struct view key);
/* From the minute's timer: what a reader kept from being erased for good, and once a day what privacy.keep_years says. */
void privacy_tick(struct control *c);

#endif
