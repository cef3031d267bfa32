/* SPDX-License-Identifier: Apache-2.0 */
/*
 * genesis - where all authority of one gateway starts: its name, its first set
 * of signers, and the floors no later file can lower.
 * Role: made by `fotagate init`, signed by at least its own threshold, log
 * entry 0; read by the warden, control, fotagate-verify. Its digest is printed
 * to be kept outside the box. A demo genesis can never become another.
 */
#ifndef FG_CRYPTO_GENESIS_H
#define FG_CRYPTO_GENESIS_H

#include "crypto/policyset.h"
#include "crypto/signers.h"

#define GENESIS_BYTES_MAX SIGNERS_SET_BYTES_MAX
#define GENESIS_VKEY_MAX 256
#define GENESIS_DEMO_SUFFIX ".invalid" /* RFC 6761: names that never resolve */

/*
 * Bounds of break-glass: the wait is long enough for a person who was woken, and leaves half of the 24 hours that such a
 * release lasts at most. In a demonstration, which reaches no further than its own machine, any wait will do.
 */
#define GENESIS_GLASS_DELAY_MIN 300
#define GENESIS_GLASS_DELAY_MAX 43200

struct genesis_glass {
	uint32_t delay;       /* seconds between its entry in the log and the first module; 0: there is no break-glass */
	uint32_t max_devices; /* modules that one person alone may let in; 0: only where an image was released before */
};

struct genesis {
	char origin[SIGNERS_ORIGIN_MAX];       /* log origin; ends in ".invalid" for a demo */
	uint8_t instance[16];                  /* random */
	bool demo;                             /* loopback only, never production */
	uint32_t floor_canary;                 /* persons for a scope of at most canary_max modules */
	uint32_t floor_production;
	uint32_t canary_max;
	char log_vkey[GENESIS_VKEY_MAX];                    /* note verifier key of the log */
	struct signers set;                    /* set 0 */
	/*
	 * Policy is in force only when people signed it (crypto/enact.h). Decided here and for good: what could be
	 * switched off later would be switched off by whoever wants another policy.
	 */
	bool signed_policy;
	struct policyset policy;               /* number 0, with signed_policy */
	struct genesis_glass glass;            /* decided here and for good, for the same reason */
};

/* Canonical statement (in-toto, predicateType urn:fotagate:genesis:v1). */
int genesis_encode(const struct genesis *g, struct writer *w);
/* FG_EFORMAT with ret_why when not canonical, incomplete, inconsistent (threshold over persons,
 * demo without .invalid, floors of zero, duplicate keys, wildcard principal, RSA key). */
int genesis_parse(struct view text, struct genesis *ret, char *ret_why, size_t cap);
/* Genesis is signed by at least its own threshold. 0, or FG_EPERM with ret_why. */
int genesis_check(const struct genesis *g, struct view text, const struct signers_signature *sigs, unsigned n,
    int64_t now, char *ret_why, size_t cap);
/* Persons a scope of max_devices modules needs whatever a profile says. */
uint32_t genesis_floor(const struct genesis *g, uint32_t max_devices);
/* Whether so many persons reach that floor, one of them off the console where it is more than a canary's. */
bool genesis_permits(const struct genesis *g, uint64_t modules, uint32_t persons, bool off_console);

#endif
