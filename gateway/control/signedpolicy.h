/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signedpolicy - which policy people have put in force, as control sees it, where genesis says that they
 * sign it: follows authority/policy, keeps every bundle and its files under their digests among control's
 * documents, says what lies in the folder and was not signed, and hands the next statement to the warden.
 * Guarantees: a file that a profile names counts as it was signed, whatever lies on disk; a configuration
 * that does not come to the policy in force grants nothing. What permits is the warden's own reading.
 * Where policy is not signed all of these do nothing.
 */
#ifndef FG_GATEWAY_CONTROL_SIGNEDPOLICY_H
#define FG_GATEWAY_CONTROL_SIGNEDPOLICY_H

#include <stdbool.h>

#include "crypto/jsonw.h"
#include "gateway/wire/msg.h"

struct call;
struct control;
struct signedpolicy;

/*
 * Once people and files are there, before the configuration is read; policies_load() pins files from then on.
 * FG_EFORMAT for a folder that holds what is no policy; FG_ENOMEM, FG_EIO.
 */
int signedpolicy_new(struct control *c, struct signedpolicy **ret);
void signedpolicy_free(struct signedpolicy *p);
/* A configuration was read: compares, keeps, tells. Before there is a logbook nothing is told: say it again then. */
void signedpolicy_look(struct signedpolicy *p);
/* One that the supervisor does not hand out because nobody signed it. Takes fd. */
void signedpolicy_held(struct signedpolicy *p, int bundle_fd);
/* The configuration that was read is not the one in force, or nobody can say. */
bool signedpolicy_is_lost(const struct signedpolicy *p);

/* Requests policy.show, policy.submit. */
void signedpolicy_show(struct signedpolicy *p, struct call *call);
void signedpolicy_submit(struct signedpolicy *p, struct call *call);

/* The warden. */
void signedpolicy_on_taken(struct signedpolicy *p, const struct msg_policy_taken *m);
void signedpolicy_warden_down(struct signedpolicy *p);
void signedpolicy_alerts(struct signedpolicy *p, void (*say)(struct jsonw *j, const char *id, const char *text), struct jsonw *j);

#endif
