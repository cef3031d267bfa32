/* SPDX-License-Identifier: Apache-2.0 */
/*
 * releases - control's mirror of what the warden has released, and the way out:
 * revoke and expiry. The warden's list wins: what the database has and the
 * warden has not is not offered; what was revoked here and is still there is
 * revoked there again. Nothing is offered before the warden has spoken.
 * Restricting takes effect first (edges, then warden, then table), is written
 * and logged after, and works with warden, log or disk away.
 */
#ifndef FG_GATEWAY_CONTROL_RELEASES_H
#define FG_GATEWAY_CONTROL_RELEASES_H

#include "crypto/release.h"
#include "gateway/control/tables.h"
#include "gateway/wire/msg.h"

#define RELEASES_MAX 1024          /* the warden's own limit */
#define RELEASES_ANSWER_MS 1500    /* edges reset transfers within a second */

struct call;
struct control;
struct db_candidate;
struct releases;

struct releases *releases_new(struct control *c);
void releases_free(struct releases *r);

/* ---- the warden ---- */

void releases_on_listed(struct releases *r, const struct msg_warden_state *m);
void releases_on_restricted(struct releases *r, const struct msg_restricted *m);
/* Its channel is up: restrictions it has not confirmed are sent again. */
void releases_warden_up(struct releases *r);
/* Issued just now, for that candidate: mirrored and offered. */
int releases_take(struct releases *r, const uint8_t id[RELEASE_ID], struct view record);

/* ---- what is offered ---- */

size_t releases_count(const struct releases *r);
/* All of them for a table; borrowed until the next change. */
const struct tables_release *releases_all(const struct releases *r, size_t *ret_n);
/* The rollout has come so far (rollouts.h alone); at once, or with the next table. */
void releases_let_in(struct releases *r, const uint8_t id[RELEASE_ID], const struct rollout_open *open, bool now);
bool releases_offers(const struct releases *r, const uint8_t id[RELEASE_ID]);
/* NULL when it is not offered. */
const struct release *releases_record(const struct releases *r, const uint8_t id[RELEASE_ID]);
/*
 * Modules that a release for own of them makes with all others of that image, or with its result (d: what is known
 * of it as a delta): the persons needed follow from it, and the warden counts the same way. among: it is one
 * of them already. 0 for one that is for nobody.
 */
uint32_t releases_modules_with(const struct releases *r, const uint8_t image[DIGEST_SHA256_LEN],
    const struct approval_delta *d, uint32_t own, bool among);
/* After a reload: profiles may say otherwise about groups and strangers, and rules about what was released. */
void releases_policy_changed(struct releases *r);
/*
 * It is offered to nobody, and its transfers are reset, for the policy in force does not let it pass: at once, and
 * as often as it is said. why NULL: it is offered again. Nothing is logged. No-op for what is not there.
 */
void releases_withhold(struct releases *r, const uint8_t id[RELEASE_ID], const char *why);
/* Why it is withheld; NULL: it is not, or not there. */
const char *releases_withheld(const struct releases *r, const uint8_t id[RELEASE_ID]);

/* ---- taking back ---- */

/*
 * Revokes one release and answers the call (NULL: nobody asks) when the edges have
 * said what they reset, or after RELEASES_ANSWER_MS.
 */
void releases_revoke(struct releases *r, const uint8_t id[RELEASE_ID], const char *by, const char *reason,
    struct call *call);
/* The same, but its review may be opened again, and people may sign for the image anew. */
void releases_retire(struct releases *r, const uint8_t id[RELEASE_ID], const char *by, const char *reason,
    struct call *call);
/* No statement about that image that is as old as now has effect any more. */
void releases_restrict(struct releases *r, enum msg_restrict_kind kind, const uint8_t image[DIGEST_SHA256_LEN],
    const uint8_t *id, const char *by, const char *reason, uint64_t log_size);
/* Logs that; once it is in the log, what is as old as its entry has no effect either. Takes e. */
void releases_tell_restriction(struct releases *r, enum msg_restrict_kind kind, const uint8_t image[DIGEST_SHA256_LEN],
    const uint8_t *id, const char *by, struct msg_append *e);
/* It was revoked or retired, as the log has it: taken from the edges, the warden and the database; nothing is logged. */
void releases_gone(struct releases *r, const uint8_t id[RELEASE_ID], bool for_good, uint64_t log_size);
void releases_on_revoked(struct releases *r, const struct msg_revoked *m);
/* Every second. */
void releases_expire(struct releases *r);

#endif
