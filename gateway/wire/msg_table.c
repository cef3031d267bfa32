/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/wire/msg_table.h"

#include "crypto/approval.h"
#include "gateway/wire/msg.h"

/*
 * MEMBER is the size of a struct's member; EXACT additionally stops the build
 * when the member is not as wide as the field kind says.
 */
#define MEMBER(s, m) sizeof(((struct s *)0)->m)
#define EXACT(s, m, n) (offsetof(struct s, m) + 0 * sizeof(char[MEMBER(s, m) == (n) ? 1 : -1]))

#define U8(s, m) { .kind = MSG_KIND_U8, .offset = EXACT(s, m, 1) }
#define U16(s, m) { .kind = MSG_KIND_U16, .offset = EXACT(s, m, 2) }
#define U32(s, m) { .kind = MSG_KIND_U32, .offset = EXACT(s, m, 4) }
#define U32_MAX(s, m, most) { .kind = MSG_KIND_U32, .offset = EXACT(s, m, 4), .limit = (most) }
#define U64(s, m) { .kind = MSG_KIND_U64, .offset = EXACT(s, m, 8) }
#define I32(s, m) { .kind = MSG_KIND_I32, .offset = EXACT(s, m, 4) }
#define I64(s, m) { .kind = MSG_KIND_I64, .offset = EXACT(s, m, 8) }
#define BOOL(s, m) { .kind = MSG_KIND_BOOL, .offset = EXACT(s, m, sizeof(bool)) }
#define ENUM(s, m, below) { .kind = MSG_KIND_ENUM, .offset = EXACT(s, m, 1), .limit = (below) }
#define TEXT(s, m) { .kind = MSG_KIND_TEXT, .offset = offsetof(struct s, m), .size = MEMBER(s, m) }
#define BYTES(s, m) { .kind = MSG_KIND_BYTES, .offset = offsetof(struct s, m), .size = MEMBER(s, m) }
#define VIEW(s, m, most)                                                                           \
	{ .kind = MSG_KIND_VIEW, .offset = EXACT(s, m, sizeof(struct view)), .limit = (most) }
#define ARRAY(s, m, n, fields)                                                                     \
	{ .kind = MSG_KIND_ARRAY, .offset = offsetof(struct s, m), .size = MEMBER(s, m[0]),        \
	  .limit = MEMBER(s, m) / MEMBER(s, m[0]), .count = EXACT(s, n, 4), .sub = (fields) }
#define END { .kind = MSG_KIND_END }

/* ---- supervisor ---- */

static const struct msg_field boot[] = {
	ENUM(msg_boot, role, MSG_ROLE_LIMIT), U16(msg_boot, index), U32(msg_boot, uid),
	U32(msg_boot, gid), BOOL(msg_boot, drop), BOOL(msg_boot, unsafe_sandbox),
	BOOL(msg_boot, demo), BYTES(msg_boot, instance), BYTES(msg_boot, machine),
	BYTES(msg_boot, product), TEXT(msg_boot, origin),
	TEXT(msg_boot, data_dir), TEXT(msg_boot, run_dir), U32(msg_boot, edges), END,
};
static const struct msg_field boot_fd[] = {
	ENUM(msg_boot_fd, kind, MSG_FD_LIMIT), U16(msg_boot_fd, ordinal), U16(msg_boot_fd, part),
	TEXT(msg_boot_fd, name), END,
};
static const struct msg_field peer[] = {
	ENUM(msg_peer, role, MSG_ROLE_LIMIT), U16(msg_peer, index), END,
};
static const struct msg_field ready[] = {
	U32(msg_ready, landlock_abi), BOOL(msg_ready, seccomp), BOOL(msg_ready, netns),
	TEXT(msg_ready, jail), END,
};
static const struct msg_field reload[] = { U64(msg_reload, generation), BOOL(msg_reload, held), END };
static const struct msg_field reloaded[] = {
	U64(msg_reloaded, generation), BOOL(msg_reloaded, ok), TEXT(msg_reloaded, why), END,
};
static const struct msg_field stop[] = { U32(msg_stop, grace_ms), END };
static const struct msg_field halt[] = { I64(msg_halt, at), U32(msg_halt, by_uid), END };
static const struct msg_field unhalt[] = { I64(msg_unhalt, at), END };
static const struct msg_field spawn[] = {
	U64(msg_spawn, job), ENUM(msg_spawn, kind, MSG_JOB_LIMIT), U32(msg_spawn, wall_ms), END,
};
static const struct msg_field kill_job[] = { U64(msg_kill, job), END };
static const struct msg_field job_exit[] = {
	U64(msg_job_exit, job), BOOL(msg_job_exit, started), BOOL(msg_job_exit, timed_out),
	I32(msg_job_exit, status), END,
};
static const struct msg_field role_exit[] = {
	ENUM(msg_role_exit, role, MSG_ROLE_LIMIT), U16(msg_role_exit, index),
	I32(msg_role_exit, status), U32(msg_role_exit, restarts), END,
};

/* ---- configuration plan ---- */

static const struct msg_field plan[] = {
	TEXT(msg_plan, data_dir), TEXT(msg_plan, keys_dir), TEXT(msg_plan, run_dir),
	TEXT(msg_plan, anchors_dir), TEXT(msg_plan, user_edge), TEXT(msg_plan, user_upstream),
	TEXT(msg_plan, user_inspect), TEXT(msg_plan, user_control), TEXT(msg_plan, user_warden),
	TEXT(msg_plan, user_audit), TEXT(msg_plan, user_config), TEXT(msg_plan, user_console), TEXT(msg_plan, user_hook),
	TEXT(msg_plan, group_operators), U32(msg_plan, edges),
	U32(msg_plan, stop_ms), BOOL(msg_plan, demo), BOOL(msg_plan, unsafe_sandbox),
	U32_MAX(msg_plan, listeners_n, MSG_LISTENERS_MAX),
	TEXT(msg_plan, console_address), U16(msg_plan, console_port), TEXT(msg_plan, console_cert),
	TEXT(msg_plan, console_key), TEXT(msg_plan, front_socket), TEXT(msg_plan, front_group),
	TEXT(msg_plan, front_ca), END,
};
static const struct msg_field plan_listener[] = {
	U16(msg_plan_listener, ordinal), TEXT(msg_plan_listener, name),
	TEXT(msg_plan_listener, address), U16(msg_plan_listener, port),
	BOOL(msg_plan_listener, tls), TEXT(msg_plan_listener, cert[0]),
	TEXT(msg_plan_listener, cert[1]), TEXT(msg_plan_listener, key[0]),
	TEXT(msg_plan_listener, key[1]), TEXT(msg_plan_listener, client_ca),
	TEXT(msg_plan_listener, client_crl), TEXT(msg_plan_listener, psk), END,
};
static const struct msg_field plan_file[] = {
	ENUM(msg_plan_file, kind, MSG_FD_LIMIT), TEXT(msg_plan_file, name), END,
};
static const struct msg_field plan_error[] = { TEXT(msg_plan_error, text), END };
static const struct msg_field plan_end[] = {
	BOOL(msg_plan_end, ok), U32(msg_plan_end, problems), BOOL(msg_plan_end, have_genesis),
	BYTES(msg_plan_end, instance), TEXT(msg_plan_end, origin), BOOL(msg_plan_end, signed_policy),
	BYTES(msg_plan_end, policy), BYTES(msg_plan_end, first), END,
};

/* ---- audit ---- */

static const struct msg_field ref[] = {
	TEXT(msg_ref, key), BOOL(msg_ref, is_number), U64(msg_ref, number), TEXT(msg_ref, text),
	END,
};
static const struct msg_field append[] = {
	U64(msg_append, token), U16(msg_append, event), ENUM(msg_append, severity, 8),
	TEXT(msg_append, out), TEXT(msg_append, act), TEXT(msg_append, obj),
	BOOL(msg_append, have_dev), BYTES(msg_append, dev), ARRAY(msg_append, refs, refs_n, ref),
	TEXT(msg_append, msg), VIEW(msg_append, doc, MSG_DOC_MAX), END,
};
static const struct msg_field appended[] = {
	U64(msg_appended, token), I32(msg_appended, err), U64(msg_appended, index), END,
};
static const struct msg_field grant[] = {
	U64(msg_grant, token), BYTES(msg_grant, module), BYTES(msg_grant, release), END,
};
static const struct msg_field grant_append[] = {
	U64(msg_grant_append, generation), ARRAY(msg_grant_append, grants, grants_n, grant), END,
};
static const struct msg_field granted[] = {
	U64(msg_granted, token), I32(msg_granted, err), U64(msg_granted, index), END,
};
static const struct msg_field grant_appended[] = {
	ARRAY(msg_grant_appended, granted, granted_n, granted), END,
};
static const struct msg_field head_ask[] = { U64(msg_head_ask, token), END };
static const struct msg_field head[] = {
	U64(msg_head, token), ENUM(msg_head, state, MSG_LOG_LIMIT), U64(msg_head, size),
	BYTES(msg_head, root), U8(msg_head, used_pct), U64(msg_head, published),
	U64(msg_head, witnessed), I64(msg_head, last_us), U8(msg_head, remotes), U64(msg_head, remote_size),
	TEXT(msg_head, checkpoint), END,
};
static const struct msg_field root_ask[] = {
	U64(msg_root_ask, token), U64(msg_root_ask, size), END,
};
static const struct msg_field root[] = {
	U64(msg_root, token), I32(msg_root, err), U64(msg_root, size), BYTES(msg_root, root), END,
};
static const struct msg_field log_open[] = {
	U64(msg_log_open, token), TEXT(msg_log_open, name), END,
};
static const struct msg_field log_opened[] = {
	U64(msg_log_opened, token), I32(msg_log_opened, err), END,
};
static const struct msg_field proof_ask[] = {
	U64(msg_proof_ask, token), U64(msg_proof_ask, index), END,
};
static const struct msg_field cosign_ask[] = {
	U64(msg_cosign_ask, token), VIEW(msg_cosign_ask, request, MSG_COSIGN_MAX), END,
};
static const struct msg_field cosigned[] = {
	U64(msg_cosigned, token), I32(msg_cosigned, err), U8(msg_cosigned, outcome),
	VIEW(msg_cosigned, note, MSG_CHECKPOINT_MAX), TEXT(msg_cosigned, line), END,
};
static const struct msg_field witness_said[] = {
	U64(msg_witness_said, token), TEXT(msg_witness_said, name), TEXT(msg_witness_said, line), END,
};
static const struct msg_field witness_taken[] = {
	U64(msg_witness_taken, token), I32(msg_witness_taken, err), U64(msg_witness_taken, size),
	U64(msg_witness_taken, time), END,
};
static const struct msg_field proof[] = {
	U64(msg_proof, token), I32(msg_proof, err), TEXT(msg_proof, receipt),
	VIEW(msg_proof, entry, MSG_ENTRY_MAX), END,
};

/* ---- edge and control ---- */

static const struct msg_field table[] = { U64(msg_table, generation), END };
static const struct msg_field table_taken[] = {
	U64(msg_table_taken, generation), I32(msg_table_taken, err), END,
};
static const struct msg_field ident[] = {
	U8(msg_ident, kind), U8(msg_ident, cls), TEXT(msg_ident, text), END,
};
static const struct msg_field sighting[] = {
	TEXT(msg_sighting, profile), TEXT(msg_sighting, listener), TEXT(msg_sighting, peer),
	TEXT(msg_sighting, host), TEXT(msg_sighting, path), TEXT(msg_sighting, agent),
	BOOL(msg_sighting, fetchable), TEXT(msg_sighting, url), TEXT(msg_sighting, signature_url),
	BYTES(msg_sighting, resource), TEXT(msg_sighting, product), TEXT(msg_sighting, target),
	TEXT(msg_sighting, from), TEXT(msg_sighting, current),
	ARRAY(msg_sighting, idents, idents_n, ident), U8(msg_sighting, answer),
	U32(msg_sighting, repeats), END,
};
static const struct msg_field ask[] = {
	U64(msg_ask, token), BYTES(msg_ask, module), BYTES(msg_ask, release), END,
};
static const struct msg_field grant_ask[] = {
	U64(msg_grant_ask, generation), ARRAY(msg_grant_ask, asks, asks_n, ask), END,
};
static const struct msg_field say[] = {
	U64(msg_say, token), BOOL(msg_say, yes), U8(msg_say, reason), U32(msg_say, lease_s), END,
};
static const struct msg_field grant_say[] = { ARRAY(msg_grant_say, says, says_n, say), END };
static const struct msg_field revoke[] = {
	BYTES(msg_revoke, release), U64(msg_revoke, generation), BOOL(msg_revoke, withheld), END,
};
static const struct msg_field revoked[] = {
	BYTES(msg_revoked, release), U32(msg_revoked, reset), END,
};
static const struct msg_field served[] = {
	BYTES(msg_served, module), BYTES(msg_served, release), U64(msg_served, offset),
	U64(msg_served, sent), U64(msg_served, size), BOOL(msg_served, complete), END,
};
static const struct msg_field runout[] = {
	U16(msg_runout, listener), ENUM(msg_runout, kind, MSG_RUNOUT_LIMIT), I64(msg_runout, from), I64(msg_runout, until), END,
};
static const struct msg_field runouts[] = { ARRAY(msg_runouts, rows, rows_n, runout), END };
static const struct msg_field load[] = {
	U64(msg_load, connections), U64(msg_load, waiting), U64(msg_load, owed), U64(msg_load, pauses),
	U64(msg_load, refused_source), U64(msg_load, refused_module), END,
};

/* ---- warden ---- */

static const struct msg_field release[] = {
	BYTES(msg_release, release), BYTES(msg_release, image), U64(msg_release, size),
	U32(msg_release, block_size), BOOL(msg_release, hot),
	VIEW(msg_release, record, MSG_RECORD_MAX), END,
};
static const struct msg_field release_taken[] = {
	BYTES(msg_release_taken, release), I32(msg_release_taken, err), END,
};
static const struct msg_field withdraw[] = { BYTES(msg_withdraw, release), END };
static const struct msg_field name[] = { TEXT(msg_name, text), END };
static const struct msg_field issue[] = {
	U64(msg_issue, token), TEXT(msg_issue, review), BYTES(msg_issue, image),
	BYTES(msg_issue, report), BYTES(msg_issue, policy), BYTES(msg_issue, resource),
	TEXT(msg_issue, subject), TEXT(msg_issue, profile), TEXT(msg_issue, product),
	TEXT(msg_issue, target), ARRAY(msg_issue, from, from_n, name),
	ARRAY(msg_issue, groups, groups_n, name), U32(msg_issue, max_devices),
	I64(msg_issue, not_before), I64(msg_issue, not_after),
	ARRAY(msg_issue, findings, findings_n, name), ARRAY(msg_issue, checklist, checklist_n, name),
	ARRAY(msg_issue, waived, waived_n, name),
	ARRAY(msg_issue, requesters, requesters_n, name), U32(msg_issue, quorum),
	U32(msg_issue, terms_quorum), BOOL(msg_issue, have_plan), BYTES(msg_issue, plan),
	ENUM(msg_issue, made, APPROVAL_MADE_LIMIT), TEXT(msg_issue, applier), BYTES(msg_issue, base),
	BYTES(msg_issue, target_image), BOOL(msg_issue, have_signer), BYTES(msg_issue, signer),
	U64(msg_issue, opened_at), I64(msg_issue, now), END,
};
static const struct msg_field issued[] = {
	U64(msg_issued, token), BOOL(msg_issued, ok), TEXT(msg_issued, why),
	U32(msg_issued, counted), U32(msg_issued, needed), BYTES(msg_issued, release),
	VIEW(msg_issued, record, MSG_RECORD_MAX), END,
};
static const struct msg_field restrict_[] = {
	U64(msg_restrict, token), ENUM(msg_restrict, kind, MSG_RESTRICT_LIMIT),
	BYTES(msg_restrict, image), BYTES(msg_restrict, release), U64(msg_restrict, log_size),
	BOOL(msg_restrict, again), END,
};
static const struct msg_field restricted[] = {
	U64(msg_restricted, token), I32(msg_restricted, err), U32(msg_restricted, withdrawn),
	BOOL(msg_restricted, lost), END,
};
static const struct msg_field resume[] = {
	U64(msg_resume, token), I64(msg_resume, halted_at), I64(msg_resume, now), END,
};
static const struct msg_field resumed[] = {
	U64(msg_resumed, token), BOOL(msg_resumed, ok), TEXT(msg_resumed, why), END,
};
static const struct msg_field continue_[] = {
	U64(msg_continue, token), BYTES(msg_continue, release), ENUM(msg_continue, step, APPROVAL_STEP_LIMIT),
	TEXT(msg_continue, ring), I64(msg_continue, since), ARRAY(msg_continue, over, over_n, name), END,
};
static const struct msg_field continued[] = {
	U64(msg_continued, token), BOOL(msg_continued, ok), TEXT(msg_continued, why), END,
};
static const struct msg_field afterreview[] = {
	U64(msg_afterreview, token), BYTES(msg_afterreview, release), ENUM(msg_afterreview, outcome, APPROVAL_OUTCOME_LIMIT), END,
};
static const struct msg_field glass[] = {
	U64(msg_glass, token), BOOL(msg_glass, ok), TEXT(msg_glass, why), BOOL(msg_glass, owed), BYTES(msg_glass, release),
	BYTES(msg_glass, image), U32(msg_glass, need), END,
};
static const struct msg_field warden_state[] = {
	BYTES(msg_warden_state, release), VIEW(msg_warden_state, record, MSG_RECORD_MAX),
	BOOL(msg_warden_state, last), END,
};
static const struct msg_field signers[] = { U64(msg_signers, token), END };
static const struct msg_field policy[] = { U64(msg_policy, token), END };
static const struct msg_field policy_taken[] = {
	U64(msg_policy_taken, token), BOOL(msg_policy_taken, ok), TEXT(msg_policy_taken, why),
	U32(msg_policy_taken, number), END,
};
static const struct msg_field signers_taken[] = {
	U64(msg_signers_taken, token), BOOL(msg_signers_taken, ok), TEXT(msg_signers_taken, why),
	U32(msg_signers_taken, number), END,
};
static const struct msg_field suspend[] = {
	U64(msg_suspend, token), BYTES(msg_suspend, key), BOOL(msg_suspend, again),
	U32(msg_suspend, number), I64(msg_suspend, at), END,
};
static const struct msg_field suspended[] = {
	U64(msg_suspended, token), I32(msg_suspended, err), BYTES(msg_suspended, key),
	U32(msg_suspended, number), I64(msg_suspended, at), END,
};
static const struct msg_field clock_[] = {
	ENUM(msg_clock, state, MSG_CLOCK_LIMIT), I64(msg_clock, base_wall), I64(msg_clock, base_boot),
	I64(msg_clock, forgiven), I64(msg_clock, name), I64(msg_clock, step), END,
};

/* ---- jobs ---- */

static const struct msg_field pin[] = {
	{ .kind = MSG_KIND_BYTES, .offset = 0, .size = MEMBER(msg_fetch, pins[0].spki) }, END,
};
static const struct msg_field cidr[] = {
	BYTES(msg_cidr, addr), ENUM(msg_cidr, bits, 129), BOOL(msg_cidr, v6), END,
};
static const struct msg_field kept[] = {
	U64(msg_kept, bytes), U64(msg_kept, total), BYTES(msg_kept, sha256), TEXT(msg_kept, validator), END,
};
static const struct msg_field fetch[] = {
	U64(msg_fetch, job), TEXT(msg_fetch, url), TEXT(msg_fetch, signature_url), TEXT(msg_fetch, home),
	U64(msg_fetch, max_bytes), U32(msg_fetch, max_seconds), U32(msg_fetch, min_speed),
	U32(msg_fetch, max_redirects), U32(msg_fetch, tries), BOOL(msg_fetch, have_ca),
	BOOL(msg_fetch, have_credentials), TEXT(msg_fetch, proxy),
	ARRAY(msg_fetch, kept, kept_n, kept), ARRAY(msg_fetch, pins, pins_n, pin),
	ARRAY(msg_fetch, private_ok, private_n, cidr), TEXT(msg_fetch, first_asked_by), END,
};
static const struct msg_field shown[] = {
	ENUM(msg_shown, kind, MSG_SHOWN_LIMIT), TEXT(msg_shown, place), TEXT(msg_shown, value), END,
};
static const struct msg_field fetch_progress[] = {
	U64(msg_fetch_progress, job), U64(msg_fetch_progress, bytes),
	U64(msg_fetch_progress, total), ARRAY(msg_fetch_progress, kept, kept_n, kept),
	ARRAY(msg_fetch_progress, shown, shown_n, shown), BOOL(msg_fetch_progress, shown_more), END,
};
static const struct msg_field fetch_done[] = {
	U64(msg_fetch_done, job), ENUM(msg_fetch_done, outcome, MSG_FETCH_LIMIT_),
	ENUM(msg_fetch_done, finding, MSG_FINDING_LIMIT_),
	U32(msg_fetch_done, http_status), U64(msg_fetch_done, bytes),
	U64(msg_fetch_done, signature_bytes), ARRAY(msg_fetch_done, kept, kept_n, kept),
	ARRAY(msg_fetch_done, shown, shown_n, shown), BOOL(msg_fetch_done, shown_more),
	TEXT(msg_fetch_done, detail), END,
};
static const struct msg_field inspect[] = {
	U64(msg_inspect, job), ENUM(msg_inspect, stage, MSG_STAGE_LIMIT),
	BOOL(msg_inspect, have_signature), BOOL(msg_inspect, have_trust),
	BOOL(msg_inspect, have_old), BOOL(msg_inspect, have_base), BOOL(msg_inspect, have_target), BOOL(msg_inspect, have_aids),
	I64(msg_inspect, at), TEXT(msg_inspect, profile),
	BYTES(msg_inspect, profile_digest), U8(msg_inspect, scheme), U8(msg_inspect, purpose),
	BOOL(msg_inspect, allow_leaf_anchor), BOOL(msg_inspect, require_revocation),
	BOOL(msg_inspect, pinned_ignores_expiry), BOOL(msg_inspect, require_signature),
	U32(msg_inspect, rsa_bits_min), U32(msg_inspect, format), U64(msg_inspect, target_max), END,
};
static const struct msg_field inspected[] = {
	U64(msg_inspected, job), ENUM(msg_inspected, stage, MSG_STAGE_LIMIT), END,
};

static const struct msg_field hook[] = {
	U64(msg_hook, job), U32(msg_hook, seconds), U32(msg_hook, memory_mib), END,
};
static const struct msg_field hooked[] = {
	U64(msg_hooked, job), ENUM(msg_hooked, outcome, MSG_HOOK_LIMIT_), I32(msg_hooked, status),
	BOOL(msg_hooked, have_answer), TEXT(msg_hooked, said), END,
};

/* ---- command line ---- */

static const struct msg_field call[] = {
	U64(msg_call, token), TEXT(msg_call, request), U32_MAX(msg_call, fds, 2),
	VIEW(msg_call, json, MSG_JSON_MAX), END,
};
static const struct msg_field reply[] = {
	U64(msg_reply, token), ENUM(msg_reply, status, 4), BOOL(msg_reply, big),
	BOOL(msg_reply, file), VIEW(msg_reply, json, MSG_JSON_MAX), END,
};

/* ---- console ---- */

static const struct msg_field web_call[] = {
	U64(msg_web_call, token), ENUM(msg_web_call, means, MSG_WEB_LIMIT), BOOL(msg_web_call, background),
	BYTES(msg_web_call, secret), BYTES(msg_web_call, peer), BYTES(msg_web_call, key), BYTES(msg_web_call, asked),
	ENUM(msg_web_call, via, MSG_VIA_LIMIT), U32(msg_web_call, via_uid), BYTES(msg_web_call, via_key),
	BYTES(msg_web_call, person),
	TEXT(msg_web_call, request), U32_MAX(msg_web_call, fds, 2), VIEW(msg_web_call, json, MSG_JSON_MAX), END,
};
static const struct msg_field web_stray[] = {
	U32(msg_web_stray, count), BYTES(msg_web_stray, peer), TEXT(msg_web_stray, what), END,
};
static const struct msg_field web_log[] = { U64(msg_web_log, size), END };

/* ---- the index ---- */

#define NO_VARIABLE_FDS .number = MSG_NOWHERE, .unless = MSG_NOWHERE
#define BODY(label, s, table_) .name = label, .size = sizeof(struct s), .fields = table_
/* A message with always the same number of descriptors. */
#define PLAIN(label, s, table_, n) { BODY(label, s, table_), .fds = { .always = (n), NO_VARIABLE_FDS } }

static const struct msg_layout layouts[MSG_TYPE_LIMIT] = {
	[MSG_BOOT] = PLAIN("boot", msg_boot, boot, 0),
	[MSG_BOOT_FD] = PLAIN("boot-fd", msg_boot_fd, boot_fd, 1),
	[MSG_PEER] = PLAIN("peer", msg_peer, peer, 1),
	[MSG_START] = { .name = "start", .fds = { NO_VARIABLE_FDS } },
	[MSG_READY] = PLAIN("ready", msg_ready, ready, 0),
	[MSG_RELOAD] = PLAIN("reload", msg_reload, reload, 1),
	[MSG_RELOADED] = PLAIN("reloaded", msg_reloaded, reloaded, 0),
	[MSG_STOP] = PLAIN("stop", msg_stop, stop, 0),
	[MSG_HALT] = PLAIN("halt", msg_halt, halt, 0),
	[MSG_UNHALT] = PLAIN("unhalt", msg_unhalt, unhalt, 0),
	[MSG_SPAWN] = PLAIN("spawn", msg_spawn, spawn, 1),
	[MSG_KILL] = PLAIN("kill", msg_kill, kill_job, 0),
	[MSG_JOB_EXIT] = PLAIN("job-exit", msg_job_exit, job_exit, 0),
	[MSG_ROLE_EXIT] = PLAIN("role-exit", msg_role_exit, role_exit, 0),

	[MSG_PLAN] = PLAIN("plan", msg_plan, plan, 0),
	[MSG_PLAN_LISTENER] = PLAIN("plan-listener", msg_plan_listener, plan_listener, 0),
	[MSG_PLAN_END] = PLAIN("plan-end", msg_plan_end, plan_end, 0),
	[MSG_PLAN_ERROR] = PLAIN("plan-error", msg_plan_error, plan_error, 0),
	[MSG_PLAN_FILE] = PLAIN("plan-file", msg_plan_file, plan_file, 0),

	[MSG_APPEND] = PLAIN("append", msg_append, append, 0),
	[MSG_APPENDED] = PLAIN("appended", msg_appended, appended, 0),
	[MSG_GRANT_APPEND] = PLAIN("grant-append", msg_grant_append, grant_append, 0),
	[MSG_GRANT_APPENDED] = PLAIN("grant-appended", msg_grant_appended, grant_appended, 0),
	[MSG_HEAD_ASK] = PLAIN("head-ask", msg_head_ask, head_ask, 0),
	[MSG_HEAD] = PLAIN("head", msg_head, head, 0),
	[MSG_ROOT_ASK] = PLAIN("root-ask", msg_root_ask, root_ask, 0),
	[MSG_ROOT] = PLAIN("root", msg_root, root, 0),
	[MSG_LOG_OPEN] = PLAIN("log-open", msg_log_open, log_open, 0),
	[MSG_LOG_OPENED] = { BODY("log-opened", msg_log_opened, log_opened),
	    .fds = { .number = MSG_NOWHERE, .unless = EXACT(msg_log_opened, err, 4) } },
	[MSG_PROOF_ASK] = PLAIN("proof-ask", msg_proof_ask, proof_ask, 0),
	[MSG_PROOF] = PLAIN("proof", msg_proof, proof, 0),
	[MSG_COSIGN_ASK] = PLAIN("cosign-ask", msg_cosign_ask, cosign_ask, 0),
	[MSG_COSIGNED] = PLAIN("cosigned", msg_cosigned, cosigned, 0),
	[MSG_WITNESS_SAID] = PLAIN("witness-said", msg_witness_said, witness_said, 0),
	[MSG_WITNESS_TAKEN] = PLAIN("witness-taken", msg_witness_taken, witness_taken, 0),

	[MSG_TABLE] = PLAIN("table", msg_table, table, 1),
	[MSG_TABLE_TAKEN] = PLAIN("table-taken", msg_table_taken, table_taken, 0),
	[MSG_SIGHTING] = PLAIN("sighting", msg_sighting, sighting, 0),
	[MSG_GRANT_ASK] = PLAIN("grant-ask", msg_grant_ask, grant_ask, 0),
	[MSG_GRANT_SAY] = PLAIN("grant-say", msg_grant_say, grant_say, 0),
	[MSG_REVOKE] = PLAIN("revoke", msg_revoke, revoke, 0),
	[MSG_REVOKED] = PLAIN("revoked", msg_revoked, revoked, 0),
	[MSG_SERVED] = PLAIN("served", msg_served, served, 0),
	[MSG_LOAD] = PLAIN("load", msg_load, load, 0),
	[MSG_RUNOUTS] = PLAIN("runouts", msg_runouts, runouts, 0),

	[MSG_WEB_CALL] = { BODY("web-call", msg_web_call, web_call),
	    .fds = { .number = EXACT(msg_web_call, fds, 4), .unless = MSG_NOWHERE } },
	[MSG_WEB_STRAY] = PLAIN("web-stray", msg_web_stray, web_stray, 0),
	[MSG_WEB_LOG] = PLAIN("web-log", msg_web_log, web_log, 0),

	[MSG_ISSUE_STANDING] = PLAIN("issue-standing", msg_issue, issue, 2),

	[MSG_RELEASE] = PLAIN("release", msg_release, release, 2),
	[MSG_RELEASE_TAKEN] = PLAIN("release-taken", msg_release_taken, release_taken, 0),
	[MSG_WITHDRAW] = PLAIN("withdraw", msg_withdraw, withdraw, 0),

	[MSG_ISSUE] = PLAIN("issue", msg_issue, issue, 2),
	[MSG_ISSUED] = PLAIN("issued", msg_issued, issued, 0),
	[MSG_RESTRICT] = PLAIN("restrict", msg_restrict, restrict_, 0),
	[MSG_RESTRICTED] = PLAIN("restricted", msg_restricted, restricted, 0),
	[MSG_RESUME] = PLAIN("resume", msg_resume, resume, 1),
	[MSG_RESUMED] = PLAIN("resumed", msg_resumed, resumed, 0),
	[MSG_WARDEN_STATE] = PLAIN("warden-state", msg_warden_state, warden_state, 0),
	[MSG_POLICY] = PLAIN("policy", msg_policy, policy, 1),
	[MSG_POLICY_TAKEN] = PLAIN("policy-taken", msg_policy_taken, policy_taken, 0),
	[MSG_SIGNERS] = PLAIN("signers", msg_signers, signers, 1),
	[MSG_SIGNERS_TAKEN] = PLAIN("signers-taken", msg_signers_taken, signers_taken, 0),
	[MSG_SUSPEND] = PLAIN("suspend", msg_suspend, suspend, 0),
	[MSG_SUSPENDED] = PLAIN("suspended", msg_suspended, suspended, 0),
	[MSG_CLOCK] = PLAIN("clock", msg_clock, clock_, 0),
	[MSG_CONTINUE] = PLAIN("continue", msg_continue, continue_, 1),
	[MSG_CONTINUED] = PLAIN("continued", msg_continued, continued, 0),
	[MSG_AFTERREVIEW] = PLAIN("afterreview", msg_afterreview, afterreview, 1),
	[MSG_GLASS] = PLAIN("glass", msg_glass, glass, 0),

	[MSG_FETCH] = { BODY("fetch", msg_fetch, fetch),
	    .fds = { .always = 2, .flags_n = 2,
		.flags = { EXACT(msg_fetch, have_ca, 1), EXACT(msg_fetch, have_credentials, 1) },
		NO_VARIABLE_FDS } },
	[MSG_FETCH_PROGRESS] = PLAIN("fetch-progress", msg_fetch_progress, fetch_progress, 0),
	[MSG_FETCH_DONE] = PLAIN("fetch-done", msg_fetch_done, fetch_done, 1),
	[MSG_INSPECT] = { BODY("inspect", msg_inspect, inspect),
	    .fds = { .always = 1, .flags_n = 6,
		.flags = { EXACT(msg_inspect, have_signature, 1),
		    EXACT(msg_inspect, have_trust, 1), EXACT(msg_inspect, have_old, 1),
		    EXACT(msg_inspect, have_base, 1), EXACT(msg_inspect, have_target, 1),
		    EXACT(msg_inspect, have_aids, 1) },
		NO_VARIABLE_FDS } },
	[MSG_INSPECTED] = PLAIN("inspected", msg_inspected, inspected, 1),
	[MSG_HOOK] = PLAIN("hook", msg_hook, hook, 2),
	[MSG_HOOKED] = { BODY("hooked", msg_hooked, hooked),
	    .fds = { .flags_n = 1, .flags = { EXACT(msg_hooked, have_answer, 1) }, NO_VARIABLE_FDS } },

	[MSG_CALL] = { BODY("call", msg_call, call),
	    .fds = { .number = EXACT(msg_call, fds, 4), .unless = MSG_NOWHERE } },
	[MSG_REPLY] = { BODY("reply", msg_reply, reply),
	    .fds = { .flags_n = 2,
		.flags = { EXACT(msg_reply, big, 1), EXACT(msg_reply, file, 1) },
		NO_VARIABLE_FDS } },
};

const struct msg_layout *
msg_table_layout(unsigned type)
{
	return type < MSG_TYPE_LIMIT && layouts[type].name ? &layouts[type] : NULL;
}
