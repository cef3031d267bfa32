/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_child - the one-shot role "config": a process with the configuration's
 * bytes and nothing else, which parses them and answers with the fixed messages
 * of plan.h. Called from cmd/ only; the supervisor starts it and never calls it.
 *
 * Dialogue on descriptor 3: BOOT, BOOT_FD(bundle) ->; PLAN, PLAN_LISTENER...,
 * PLAN_FILE... <-; [BOOT_FD(genesis),] START ->; PLAN_END <-. With problems:
 * PLAN_ERROR... and PLAN_END at once.
 */
#ifndef FG_GATEWAY_SUPERVISOR_CONFIG_CHILD_H
#define FG_GATEWAY_SUPERVISOR_CONFIG_CHILD_H

/* The process's exit status. */
int config_child_main(void);

#endif
