/* SPDX-License-Identifier: Apache-2.0 */
/* state - what the warden holds in memory; shared by warden.c, issue.c and stored.c, nobody else. */
#ifndef FG_GATEWAY_WARDEN_STATE_H
#define FG_GATEWAY_WARDEN_STATE_H

#include "crypto/enact.h"
#include "gateway/jail/jail.h"
#include "gateway/warden/authority.h"
#include "gateway/warden/cosign.h"
#include "gateway/warden/glass.h"
#include "gateway/warden/hold.h"
#include "gateway/warden/intake.h"
#include "gateway/warden/judge.h"
#include "gateway/warden/peers.h"
#include "gateway/warden/policychain.h"
#include "gateway/warden/spent.h"
#include "gateway/warden/successor.h"
#include "gateway/warden/suspensions.h"
#include "gateway/warden/vault.h"
#include "gateway/warden/warden.h"

#define STATE_QUEUE_MAX 16            /* requests waiting while one is worked on */
#define STATE_HOT_MAX (256ull << 20)  /* one image kept in memory; larger ones are sent from the file */
#define STATE_ANSWER_S 10             /* audit answers within this or the request is refused */
#define STATE_RECOVER_S 1             /* between two questions whether a signer set or policy is in the log */
#define STATE_OWED_HEAD (1u << JUDGE_STATEMENTS_MAX) /* bit i: the root of statement i */

struct released { /* one release in force */
	uint8_t id[RELEASE_ID];
	struct release *record; /* owned */
	struct view text;       /* canonical bytes, owned (free the pointer) */
	struct intake_result image; /* descriptors owned */
	bool off_console;       /* one at least of those who signed did so elsewhere than in a browser */
	bool waits;             /* break-glass: no edge has it before its veto delay is over */
};

enum request_kind {
	REQUEST_NONE = 0,
	REQUEST_ISSUE,
	REQUEST_RESUME,
	REQUEST_SIGNERS,
	REQUEST_POLICY,
	REQUEST_RECOVER,
	REQUEST_POLICY_RECOVER,
	REQUEST_CONTINUE,
	REQUEST_ISSUE_STANDING,
	REQUEST_AFTERREVIEW,
	REQUEST_LIMIT,
};

struct request { /* what control asked, being worked on or waiting */
	enum request_kind kind;
	struct msg_issue issue;
	struct msg_resume resume;
	struct msg_signers signers;
	struct msg_continue go_on;
	struct msg_policy policy;
	struct msg_afterreview after;
	int image_fd;           /* -1 if none */
	int bundle_fd;
};

enum step { STEP_IDLE = 0, STEP_ROOTS, STEP_COPY, STEP_SCAN, STEP_LOG };

struct heir { /* the next signer set: judged, or found on disk at the start */
	struct succession_bundle bundle; /* the signatures that count; borrows */
	struct succession_answer answer;
	struct successor found;
};

struct edict { /* the next policy, in the same way */
	struct succession_bundle bundle;
	struct enact_answer answer;
	struct successor found;
};

struct job { /* the one request being worked on */
	enum step step;
	struct request request;
	int64_t deadline;       /* monotonic seconds; answer from audit */
	struct view bundle_bytes; /* mapped */
	struct judge_bundle bundle;
	uint64_t sizes[JUDGE_STATEMENTS_MAX];
	uint8_t roots[JUDGE_STATEMENTS_MAX][DIGEST_SHA256_LEN];
	bool have_root[JUDGE_STATEMENTS_MAX];
	unsigned owed;          /* answers of audit, as bits */
	uint64_t log_size;      /* of the log when judged */
	struct judge_answer answer;
	struct intake *intake;
	char copy_name[96];
	struct released made;   /* finished, waiting for the log */
	bool have_made;
	bool kept;              /* its image has its name in the vault */
	struct heir *heir;      /* the next signer set; owned */
	struct edict *edict;    /* the next policy; owned */
	bool clock;             /* a resume that was judged for the hold of the clock, else for a halt */
	uint64_t scan;          /* entry of the log asked for, looking for it */
};

struct warden {
	struct warden_clock clock;
	struct msg_boot boot;
	bool booted, jailed, started, stopping;
	bool orphan; /* the supervisor is gone */
	struct jail_status jail;
	struct authority *authority;
	int authority_dir;
	struct suspensions *suspensions;
	struct spent *spent; /* statements that were used, ever */
	struct glass *glass; /* NULL: genesis has no break-glass */
	/*
	 * The next set may be in the log without being in force: nothing else is permitted until
	 * that is known. Asked again at recover_at, not while audit owes the answer of late_token.
	 */
	bool unsettled;
	uint64_t late_token;
	int64_t recover_at;
	uint64_t scanned; /* entries below this were read already and are not that set */
	struct policychain *policy;
	bool policy_unsettled; /* the same of the next policy, and the entries that are not it */
	uint64_t policy_scanned;
	struct cosign *cosign;
	struct vault *vault;
	struct peers *peers;
	struct released *list[VAULT_RELEASES_MAX];
	unsigned list_n;
	uint64_t hot_bytes, hot_budget;
	struct request queue[STATE_QUEUE_MAX];
	unsigned queue_n;
	struct job job;
	uint64_t token; /* of questions to audit */
	/* That a resume had no effect, of a halt and of the clock: owned, said again until the log has it. */
	struct msg_append *denied[2];
	uint64_t denials;
	int64_t denied_again;
	struct hold hold;  /* whether the clock can be believed */
	uint64_t log_seen; /* largest size of the log that audit has told of */
};

#endif
