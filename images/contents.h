/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contents - what a container was found to hold: its members, what its own
 * words claim, and the bytes that are nothing but its structure.
 * Role: filled through walk.h by the formats, carried in the report. Members
 * and facts say whether a verified signature stands behind them; nothing here
 * lifts a verdict.
 */
#ifndef FG_IMAGES_CONTENTS_H
#define FG_IMAGES_CONTENTS_H

#include "crypto/sig.h"
#include "images/format.h"

#define CONTENTS_MEMBERS_MAX 512   /* told one by one; all are counted, and all are checked */
#define CONTENTS_FACTS_MAX 128     /* a format has about ten, a phone's package one for each of 40 partitions and more */
#define CONTENTS_STRUCTURE_MAX 512 /* ranges; what does not fit counts as unsigned, which is the safe side */
#define CONTENTS_PATH_MAX 192      /* "zip member/inner member", escaped */
#define CONTENTS_VALUE_MAX 128

/* What stands behind a member's bytes. Zero is the least. */
enum contents_vouch {
	CONTENTS_VOUCH_NONE = 0, /* nothing that was verified */
	CONTENTS_VOUCH_MISMATCH, /* a digest that was said about it does not fit */
	CONTENTS_VOUCH_CHECKED,  /* a digest fits, but nobody trusted said it */
	CONTENTS_VOUCH_INSIDE,   /* its bytes lie under a verified signature */
	CONTENTS_VOUCH_DIGEST,   /* a verified signature is over its digest, which fits */
	CONTENTS_VOUCH_LIMIT,
};

struct contents_member {
	char path[CONTENTS_PATH_MAX];
	enum format_id format;
	uint64_t size; /* as the module gets to see it: expanded, where the container packs it */
	uint8_t sha256[DIGEST_SHA256_LEN];
	bool have_offset; /* stored as it is, in the image itself */
	uint64_t offset;
	enum contents_vouch vouch;
	bool runs;   /* a script, hook or handler: run by the module while it installs */
	bool walked; /* opened in its turn */
};

/* What a container says about itself; policy compares these from release to release. */
enum contents_fact_id {
	CONTENTS_FACT_NONE = 0,
	CONTENTS_FACT_VERSION,          /* of the software, as spelt there */
	CONTENTS_FACT_BUILD,            /* build id, fingerprint, name of the bundle */
	CONTENTS_FACT_COMPATIBLE,       /* device or hardware the container is for, one fact each */
	CONTENTS_FACT_SECURITY_COUNTER, /* decimal; what the module must never see fall */
	CONTENTS_FACT_TIMESTAMP,        /* epoch seconds, decimal: when it says that it was made */
	CONTENTS_FACT_EXPIRES,          /* epoch seconds, decimal */
	CONTENTS_FACT_REQUIRES,         /* version, image or digest that must be there before */
	CONTENTS_FACT_TARGET,           /* a single device, serial or IMEI it is limited to */
	CONTENTS_FACT_TYPE,             /* full, delta, bootloader, ... in the format's own word */
	CONTENTS_FACT_DIGEST,           /* a digest that identifies the payload to the module, hex */
	CONTENTS_FACT_KEY_HINT,         /* what the file says about its key; only a hint (T14) */
	CONTENTS_FACT_NOTE,             /* anything else worth a line */
	CONTENTS_FACT_ROLLBACK_INDEX,   /* decimal; Android's verified boot starts nothing with a lower one */
	CONTENTS_FACT_LEAST_VERSION,    /* of what is installed over it: RAUC refuses lower ones, and those without */
	CONTENTS_FACT_LIMIT,
};

struct contents_fact {
	enum contents_fact_id id;
	char path[CONTENTS_PATH_MAX]; /* container it is said in; "" for the image itself */
	char value[CONTENTS_VALUE_MAX];
	bool sure; /* a verified signature covers these words */
};

struct contents {
	/*
	 * A walker went over the image itself, to its end or to a finding that says where.
	 * Without one there are no members and no structure, but evidence beside the
	 * image may have made claims.
	 */
	bool walked;
	uint64_t members_total;
	unsigned members_n;
	struct contents_member member[CONTENTS_MEMBERS_MAX];
	unsigned facts_n;
	struct contents_fact fact[CONTENTS_FACTS_MAX];
	unsigned structure_n; /* ascending, disjoint, within the image */
	struct sig_range structure[CONTENTS_STRUCTURE_MAX];
};

/* "none", "mismatch", "checked", "inside", "digest"; never NULL. */
const char *contents_vouch_name(enum contents_vouch vouch);
/* CONTENTS_VOUCH_LIMIT for an unknown word. */
enum contents_vouch contents_vouch_parse(struct view word);
/* "version", "security-counter", ...; "none" for anything else. */
const char *contents_fact_name(enum contents_fact_id id);
/* CONTENTS_FACT_NONE for an unknown word. */
enum contents_fact_id contents_fact_parse(struct view word);
/* Adds a range in order; one that meets another is merged with it. FG_ELIMIT when there is no room. */
int contents_add_structure(struct contents *c, struct sig_range range);

#endif
