/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_verbs - the nouns and verbs that speak with a running gateway, each in
 * the file cli_<noun>.c. All: argv[0] is the word itself; they return the exit
 * status (ARCHITECTURE.md section 5) and answer --json with control's document.
 */
#ifndef FG_GATEWAY_CMD_CLI_VERBS_H
#define FG_GATEWAY_CMD_CLI_VERBS_H

int cli_status(int argc, char **argv);
int cli_reload(int argc, char **argv);
int cli_halt(int argc, char **argv);
int cli_resume(int argc, char **argv);
int cli_image(int argc, char **argv);
int cli_group(int argc, char **argv);
int cli_incident(int argc, char **argv);
int cli_supplier(int argc, char **argv);
int cli_vendor(int argc, char **argv); /* profile list, draft, check, unknown */
int cli_review(int argc, char **argv);
int cli_exposure(int argc, char **argv);
int cli_fetch(int argc, char **argv);
int cli_base(int argc, char **argv);
int cli_import(int argc, char **argv);
int cli_sighting(int argc, char **argv);
int cli_module(int argc, char **argv);
int cli_egress(int argc, char **argv);
int cli_policy(int argc, char **argv);
int cli_privacy(int argc, char **argv);
int cli_refusal(int argc, char **argv);
int cli_waiver(int argc, char **argv);
int cli_breakglass(int argc, char **argv);
int cli_standing(int argc, char **argv);
int cli_release(int argc, char **argv);
int cli_rollout(int argc, char **argv);
int cli_replay(int argc, char **argv);
int cli_revoke(int argc, char **argv);
int cli_people(int argc, char **argv);
int cli_account(int argc, char **argv);
int cli_session(int argc, char **argv);
int cli_token(int argc, char **argv);
int cli_console(int argc, char **argv);
int cli_audit(int argc, char **argv);
int cli_backup(int argc, char **argv);
int cli_restore(int argc, char **argv);

#endif
