/* SPDX-License-Identifier: Apache-2.0 */
/*
 * egress - a report of the operator's own network (policy/egress.h), brought by a person and held against rollouts.
 * Guarantees: all or nothing for a file with a wrong line; a module that the inventory does not know counts for
 * nothing; the report is not kept, the log has its digest.
 */
#ifndef FG_GATEWAY_CONTROL_EGRESS_H
#define FG_GATEWAY_CONTROL_EGRESS_H

#define EGRESS_PROBLEMS_MAX 100 /* beyond it a file is not the file that was meant */

struct call;
struct control;

/* Request egress.import. */
void egress_import(struct control *c, struct call *call);

#endif
