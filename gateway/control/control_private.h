/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What control holds, for the files of this folder alone. Each noun owns its
 * own memory; they reach each other through here.
 */
#ifndef FG_GATEWAY_CONTROL_CONTROL_PRIVATE_H
#define FG_GATEWAY_CONTROL_CONTROL_PRIVATE_H

#include "gateway/control/accounts.h"
#include "gateway/control/attests.h"
#include "gateway/control/bindings.h"
#include "gateway/control/callers.h"
#include "gateway/control/candidates.h"
#include "gateway/control/desk.h"
#include "gateway/control/edges.h"
#include "gateway/control/fetches.h"
#include "gateway/control/fronts.h"
#include "gateway/control/gists.h"
#include "gateway/control/grants.h"
#include "gateway/control/halts.h"
#include "gateway/control/glass.h"
#include "gateway/control/resumptions.h"
#include "gateway/control/hashing.h"
#include "gateway/control/hooks.h"
#include "gateway/control/imports.h"
#include "gateway/control/inventory.h"
#include "gateway/control/jobs.h"
#include "gateway/control/judging.h"
#include "gateway/control/links.h"
#include "gateway/control/logbook.h"
#include "gateway/control/passkeys.h"
#include "gateway/control/people.h"
#include "gateway/control/policies.h"
#include "gateway/control/proposals.h"
#include "gateway/control/refusals.h"
#include "gateway/control/releases.h"
#include "gateway/control/replay.h"
#include "gateway/control/reviews.h"
#include "gateway/control/rollouts.h"
#include "gateway/control/runouts.h"
#include "gateway/control/sessions.h"
#include "gateway/control/sightings.h"
#include "gateway/control/signedpolicy.h"
#include "gateway/control/signins.h"
#include "gateway/control/timekeep.h"
#include "gateway/control/tokens.h"
#include "gateway/control/mandates.h"
#include "gateway/control/waivers.h"
#include "gateway/control/webdesk.h"
#include "gateway/control/witnesses.h"
#include "gateway/role/role.h"
#include "gateway/state/candidate.h"
#include "gateway/state/db.h"
#include "gateway/state/fetch.h"
#include "gateway/state/files.h"
#include "gateway/state/incident.h"
#include "gateway/state/meta.h"
#include "gateway/state/release.h"
#include "gateway/state/resource.h"
#include "gateway/state/restriction.h"
#include "gateway/state/statement.h"
#include "gateway/state/unknown.h"
#include "policy/lifecycle.h"

#define CONTROL_EXITS_MAX 64 /* roles whose deaths `status` remembers: every one there can be */
#define CONTROL_PLACES 5     /* folders the jail leaves it */
#define CONTROL_EPOCH_MAX 64 /* bytes of the pseudonym key */

struct control {
	struct role *role;
	struct event_base *base;
	const struct clock_source *clock;
	char data_dir[MSG_PATH_MAX];
	char place[CONTROL_PLACES][MSG_PATH_MAX + 32];
	bool demo;

	/* From the boot dialogue, read after the jail is closed. */
	int bundle_fd, genesis_fd, epoch_fd, sock_fd;

	struct callers *callers;
	struct people *people;
	struct policies *policies;
	struct db *db;
	struct files *files;
	struct inventory *inventory;
	struct links *links;
	struct grants *grants;
	struct logbook *logbook;
	struct jobs *jobs;
	struct desk *desk;
	struct sightings *sightings;
	struct fetches *fetches;
	struct notesfetch *notesfetch;
	struct imports *imports;
	struct judging *judging;
	struct hooks *hooks;
	struct attests *attests;
	struct gists *gists;
	struct refusals *refusals;
	struct waivers *waivers;
	struct mandates *mandates;
	struct reviews *reviews;
	struct releases *releases;
	struct rollouts *rollouts;
	struct edges *edges;
	struct runouts runouts;
	struct halts *halts;
	struct resumptions *resumptions;
	struct glass *glass;
	struct proposals *proposals;
	struct signedpolicy *signedpolicy; /* NULL: policy is not signed here */
	struct replay *replay;
	struct witnesses *witnesses;
	struct hashing *hashing;
	struct sessions *sessions;
	struct signins *signins;
	struct accounts *accounts;
	struct tokens *tokens;
	struct bindings *bindings;
	struct fronts *fronts;
	struct passkeys *passkeys;
	struct webdesk *webdesk;

	struct chan *warden;     /* NULL while away */
	bool warden_listed;      /* it has said what is released */
	bool halt_lost;          /* the log has us halted, the flag files are gone */
	bool resumed;            /* a halt was ended in this life */
	bool signers_lost;       /* the folder has other signer sets than the log put in force */
	struct timekeep timekeep;
	struct event *second, *minute;
	struct msg_role_exit exits[CONTROL_EXITS_MAX];
	unsigned exits_n;
	struct { /* refused requests, gathered for the log */
		unsigned count;
		char last[MSG_TEXT_MAX];
	} denied;
	int64_t whatif_paid; /* ms: until then all tries of another configuration are paid for (requests_policy.c) */
	int64_t forgot_at; /* when modules were last looked through for those to forget */
	char key_mark[DB_KEY_MARK_CAP];
	bool key_changed;  /* since the last start; the log does not know it yet */
	bool stopping;
};

/* Opens or closes the way to grants: by halt, clock, state of the log and how much of it was read. */
void control_gate(struct control *c);

/* The log is there, in order, was read, and who may sign is as it has it: signatures can be counted. */
static inline bool
control_counts(const struct control *c)
{
	return logbook_permits(c->logbook) && replay_done(c->replay) && !c->signers_lost;
}

/* And no halt is lost: what people sign may be released. Not asked of what ends a halt. */
static inline bool
control_permits(const struct control *c)
{
	return control_counts(c) && !c->halt_lost;
}

/* Epoch seconds. */
static inline int64_t
control_now(const struct control *c)
{
	return clock_wall_s(c->clock);
}

#endif
