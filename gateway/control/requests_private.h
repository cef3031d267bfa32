/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of the table in requests.c, by the file they stand in; and what they share. */
#ifndef FG_GATEWAY_CONTROL_REQUESTS_PRIVATE_H
#define FG_GATEWAY_CONTROL_REQUESTS_PRIVATE_H

#include "gateway/control/control_private.h"
#include "gateway/control/requests.h"

/* The person a call comes from as log and rows name them: the principal, or the unix account. */
const char *requests_actor(const struct control *c, const struct call *call);
/* control_counts() or control_permits() says no: answers so, and why. */
void requests_not_now(const struct control *c, struct call *call);
/* Key and RFC 3339 time, or null for 0 and what cannot be written. */
void requests_put_time(struct jsonw *j, const char *key, int64_t t);
/* Key and hex, or null. */
void requests_put_digest(struct jsonw *j, const char *key, bool have, const void *p, size_t n);
/*
 * What people, modules, files or the database wrote, of whatever bytes and cut anywhere: visible, so that
 * it is JSON whatever it was. Made for as long as an URL.
 */
void requests_put_text(struct jsonw *j, const char *key, const char *text);
/* The same as a string of an array. */
void requests_add_text(struct jsonw *j, const char *text);
/* "R-12" under key. */
void requests_put_review(struct jsonw *j, const char *key, uint64_t candidate);

#define REQUESTS_PAGE_MAX 1000 /* rows of one answer of a list that grows */
/* Argument limit, 1 to that; 0: the call is answered. */
unsigned requests_page(struct call *call, unsigned otherwise);
/* Argument after, where rows are named by MSG_ID: *ret_have false when there is none. False: the call is answered. */
bool requests_after(struct call *call, uint8_t ret[MSG_ID], bool *ret_have);
/* Answers that a list cannot go on after what it was asked to: an empty page would say that it is at its end. */
void requests_lost(struct call *call);
/* Answers with what is written, or with why it could not be. */
void requests_finish(struct call *call, struct call_doc *d, int err);

/* requests_status.c */
void requests_status(struct control *c, struct call *call);
void requests_profiles(struct control *c, struct call *call);
void requests_unknown(struct control *c, struct call *call);
void requests_draft(struct control *c, struct call *call);
void requests_sightings(struct control *c, struct call *call);

/* requests_suppliers.c */
void requests_supplier_list(struct control *c, struct call *call);
void requests_supplier_show(struct control *c, struct call *call);
typedef void (*requests_alert)(struct jsonw *j, const char *id, const char *text);
/* One for each imported list that has grown old. */
void requests_supplier_alerts(struct control *c, requests_alert alert, struct jsonw *j);

/* requests_holdings.c */
void requests_image_list(struct control *c, struct call *call);
void requests_image_show(struct control *c, struct call *call);
void requests_group_list(struct control *c, struct call *call);
void requests_incident_list(struct control *c, struct call *call);
void requests_incident_show(struct control *c, struct call *call);

/* requests_people.c */
void requests_people(struct control *c, struct call *call);

/* requests_reviews.c */
void requests_review_list(struct control *c, struct call *call);
void requests_review_show(struct control *c, struct call *call);
void requests_review_report(struct control *c, struct call *call);
void requests_fetch_retry(struct control *c, struct call *call);

/* requests_policy.c */
void requests_policy_explain(struct control *c, struct call *call);
void requests_policy_whatif(struct control *c, struct call *call);

/* requests_releases.c */
/* Named by itself or by its review. False: the call is answered. */
bool requests_release_of(struct control *c, struct call *call, uint8_t id[MSG_ID]);
void requests_release_list(struct control *c, struct call *call);
void requests_release_revoke(struct control *c, struct call *call);

/* requests_rollouts.c */
void requests_rollout_list(struct control *c, struct call *call);
void requests_rollout_show(struct control *c, struct call *call);
void requests_rollout_pause(struct control *c, struct call *call);
void requests_rollout_abort(struct control *c, struct call *call);
void requests_rollout_hold(struct control *c, struct call *call);
void requests_rollout_statement(struct control *c, struct call *call);

/* requests_modules.c */
/* By pseudonym, or by "kind:identity" for those who may ask who a module is. NULL: the call is answered. */
const struct inventory_module *requests_module_of(struct control *c, struct call *call);
/* Answers with all about a module; its identities masked, unless clear. */
void requests_answer_module(struct control *c, struct call *call, const struct inventory_module *m, bool clear);
void requests_module_list(struct control *c, struct call *call);
void requests_module_show(struct control *c, struct call *call);
void requests_module_import(struct control *c, struct call *call);
void requests_module_hold(struct control *c, struct call *call);
void requests_module_unhold(struct control *c, struct call *call);
/* What a module said of itself may be its own number: shown as privacy_mask_text has it, unless clear. */
void requests_put_said(struct jsonw *j, const char *key, const char *text, bool clear);

/* requests_explain.c */
void requests_module_explain(struct control *c, struct call *call);

/* requests_url.c */
void requests_module_url(struct control *c, struct call *call);

/* requests_privacy.c */
void requests_module_reveal(struct control *c, struct call *call);
void requests_privacy_erase(struct control *c, struct call *call);

/* requests_log.c */
void requests_log_head(struct control *c, struct call *call);
void requests_log_open(struct control *c, struct call *call);
void requests_log_proof(struct control *c, struct call *call);
void requests_log_export(struct control *c, struct call *call);
void requests_backup_state(struct control *c, struct call *call);
void requests_file_open(struct control *c, struct call *call);

#endif
