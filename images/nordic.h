/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nordic - full firmware of nRF91 modems, as a module's fmfu library takes it
 * from a flash device: a COSE_Sign1 whose payload is a manifest, and the
 * segments behind it, one after the other.
 * Form (nRF Connect SDK, subsys/dfu/fmfu_fdev/cddl/modem_update.cddl): tag 18,
 * [ protected {1: -37}, unprotected {}, payload, signature of 256 bytes ]; the
 * payload is [ version, compat, SHA-256 of all segments, [ +(address, length) ] ].
 * -37 is RSASSA-PSS with SHA-256; the signature is over COSE's Sig_structure.
 * The maker's key is in the modem and published nowhere: whoever has it from the
 * maker enrols it, for everybody else the signature is that of a stranger. The
 * maker's deltas ("meDu") have no public form at all and stay opaque.
 */
#ifndef FG_IMAGES_NORDIC_H
#define FG_IMAGES_NORDIC_H

#include "images/walk.h"

#define NORDIC_WRAPPER_MAX 1024 /* the library's own limit for the COSE_Sign1 */
#define NORDIC_SEGMENTS_MAX 128 /* likewise */

/* A walk_fn (walk.h). */
int nordic_walk(struct walk *w);

#endif
