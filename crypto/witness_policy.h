/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness_policy - which logs and witnesses somebody trusts, and how many of
 * the witnesses must have cosigned (c2sp.org/tlog-policy).
 * Role: the audit role's list of witnesses, the logs of a witness, the trust
 * files of fotagate-verify. Pure. Guarantees: a name means one thing, a key
 * stands once, a group names only what stands above it and each name is a
 * member once, so no witness counts twice; what is not understood is an error
 * with its reason, never skipped. The zero value trusts nobody and is
 * satisfied by nothing.
 *
 * Stricter than the specification in two points: a key may not be both log and
 * witness, because a log that vouches for itself vouches for nothing; and two
 * logs may not share an origin.
 */
#ifndef FG_CRYPTO_WITNESS_POLICY_H
#define FG_CRYPTO_WITNESS_POLICY_H

#include "crypto/note.h"

/* What the specification recommends to support. */
#define WITNESS_POLICY_LOGS_MAX 32
#define WITNESS_POLICY_WITNESSES_MAX 32
#define WITNESS_POLICY_GROUPS_MAX 32
#define WITNESS_POLICY_NAME_MAX 127
#define WITNESS_POLICY_URL_MAX 511
#define WITNESS_POLICY_SIZE_MAX 65536u /* 64 lines of name, key and URL */

enum witness_policy_quorum {
	WITNESS_POLICY_QUORUM_ABSENT = 0, /* no line said it: nothing satisfies */
	WITNESS_POLICY_QUORUM_NONE,       /* "quorum none": the log alone is enough */
	WITNESS_POLICY_QUORUM_NODE,       /* one witness or group */
};

/* Sets of nodes. Bit i: witness i; bit WITNESS_POLICY_WITNESSES_MAX + i: group i. */
struct witness_policy_group {
	char name[WITNESS_POLICY_NAME_MAX + 1];
	unsigned k;                 /* 1 to the number of members */
	uint64_t members; /* witnesses, and groups with a lower index */
};

/* Plain data of about 60 KiB: allocate it. */
struct witness_policy {
	size_t logs, witnesses, groups;
	struct note_key log[WITNESS_POLICY_LOGS_MAX];
	char log_url[WITNESS_POLICY_LOGS_MAX][WITNESS_POLICY_URL_MAX + 1]; /* "": none */
	struct note_key witness[WITNESS_POLICY_WITNESSES_MAX]; /* as checkpoint_open takes them */
	char witness_name[WITNESS_POLICY_WITNESSES_MAX][WITNESS_POLICY_NAME_MAX + 1];
	char witness_url[WITNESS_POLICY_WITNESSES_MAX][WITNESS_POLICY_URL_MAX + 1];
	struct witness_policy_group group[WITNESS_POLICY_GROUPS_MAX];
	uint64_t listed; /* already a member of some group */
	enum witness_policy_quorum quorum;
	unsigned quorum_node; /* QUORUM_NODE: which bit */
};

struct witness_policy_problem {
	unsigned line;   /* from 1; 0: of the file as a whole */
	const char *why; /* static */
};

/*
 * One line, without its "\n", added to what p holds. 0; FG_EFORMAT with
 * *ret_why and p unchanged; FG_ENOTFOUND (with a reason as well, p unchanged)
 * when its first word is none of this format, for readers that know more words;
 * FG_ECRYPTO. Empty lines and comments are fine.
 */
int witness_policy_line(struct witness_policy *p, struct view line, const char **ret_why);
/*
 * A whole file, which must have a quorum line and end in "\n" (a file that was
 * cut off must not pass for a shorter one). *ret is written on success only.
 * 0, FG_EFORMAT with *ret_problem, FG_ENOMEM, FG_ECRYPTO.
 */
int witness_policy_parse(struct view text, struct witness_policy *ret,
    struct witness_policy_problem *ret_problem);

/* Whether those witnesses (by index, p->witnesses of them) are the quorum. */
bool witness_policy_satisfied(const struct witness_policy *p, const bool *witnessed);
/* Index of the log with that origin, of the witness with that name in the file; -1 when there is none. */
int witness_policy_find_log(const struct witness_policy *p, struct view origin);
int witness_policy_find_witness(const struct witness_policy *p, struct view name);

#endif
