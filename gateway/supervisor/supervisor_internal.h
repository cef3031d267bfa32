/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor_internal - what the files of the supervisor share. Private to the
 * folder.
 *
 *   supervisor.c        start, signals, the loop
 *   supervisor_plan.c   the config child: bundle in, plan out
 *   supervisor_role.c   one role's life: spawn, wire, watch, restart, stop
 *   supervisor_boot.c   what a role is handed before it starts
 *   supervisor_halt.c   halt.sock, halting and its undoing
 *   supervisor_job.c    fetches and inspections
 *   supervisor_reload.c SIGHUP
 *   supervisor_watch.c  the folder of a policy that people sign, by time
 *   supervisor_try.c    what an edge thinks of its files: fotagated -n
 *   supervisor_log.c    audit entries of our own
 */
#ifndef FG_GATEWAY_SUPERVISOR_SUPERVISOR_INTERNAL_H
#define FG_GATEWAY_SUPERVISOR_SUPERVISOR_INTERNAL_H

#include <sys/queue.h>
#include <sys/types.h>

#include <event2/event.h>

#include "crypto/entry.h"
#include "gateway/role/role.h"
#include "gateway/supervisor/backoff.h"
#include "gateway/supervisor/haltflag.h"
#include "gateway/supervisor/notify.h"
#include "gateway/supervisor/plan.h"
#include "gateway/supervisor/supervisor.h"
#include "gateway/supervisor/tickets.h"
#include "gateway/supervisor/wiring.h"

#define SUPERVISOR_BOOT_MS 30000    /* spawn to READY; audit may check a long log */
#define SUPERVISOR_LINGER_MS 2000   /* channel closed to exit */
#define SUPERVISOR_HALT_ACK_MS 1000 /* ARCHITECTURE.md section 3, step 10: within a second */
#define SUPERVISOR_STOP_MS 5000     /* for roles without transfers */
#define SUPERVISOR_RELOAD_MS 30000  /* RELOAD to RELOADED */
#define SUPERVISOR_PLAN_MS 30000    /* config child; its CPU limit is 20 s */
#define SUPERVISOR_JOBS_MAX 32      /* fetches and inspections at once */
#define SUPERVISOR_JOB_WALL_MAX_MS (24u * 3600 * 1000)
#define SUPERVISOR_LOG_QUEUE_MAX 64 /* entries kept until audit has them */
#define SUPERVISOR_CONFIG_USER "fotagate-config" /* before the configuration can say another */

struct supervisor;

enum instance_state {
	INSTANCE_DOWN = 0, /* not running; restart may be due */
	INSTANCE_BOOTING,
	INSTANCE_READY,
	INSTANCE_STOPPING, /* told to stop */
};

/* One long-lived role process and the place it is restarted in. */
struct instance {
	struct supervisor *s;
	enum msg_role role;
	unsigned index;
	enum instance_state state;
	pid_t pid; /* 0: none; not reaped yet, so safe to signal */
	struct chan *chan;
	struct backoff backoff;
	unsigned restarts;
	struct event *restart;
	struct event *deadline;      /* boot, linger, stop: then SIGKILL */
	struct event *halt_deadline; /* likewise */
	bool broke_contract;         /* killed for it */
	bool halt_pending;           /* was told, has not confirmed */
	bool reload_pending;
};

struct job {
	LIST_ENTRY(job) link;
	struct supervisor *s;
	uint64_t id;
	enum msg_job_kind kind;
	pid_t pid;
	struct event *wall;
	bool timed_out;
};
LIST_HEAD(job_list, job);

struct queued_entry {
	STAILQ_ENTRY(queued_entry) link;
	bool sent; /* to the audit process that runs now; stays until that says durable */
	struct msg_append m;
};
STAILQ_HEAD(entry_list, queued_entry);

struct halt_client {
	LIST_ENTRY(halt_client) link;
	struct supervisor *s;
	struct chan *chan;
	struct event *deadline;
	uid_t uid;
	bool waiting; /* asked; to be answered when every edge has confirmed or is dead */
};
LIST_HEAD(halt_clients, halt_client);

struct identity {
	uid_t uid;
	gid_t gid;
};

struct planner;
struct watch;

struct supervisor {
	const struct supervisor_options *opt;
	struct event_base *base;
	struct event *signals[4];
	struct event *watchdog;
	struct tickets tickets;
	struct event *tickets_due;
	struct notify notify;
	int status;

	struct plan *plan;  /* in force; NULL before the first */
	int bundle_fd;      /* the bytes it was made of */
	uint64_t generation;
	struct planner *planner; /* a config child at work, or NULL */
	bool planned;            /* the first one has answered */
	bool reload_again;       /* SIGHUP came meanwhile */
	struct plan *held_plan;  /* a configuration that is not followed: people have not signed its policy */
	int held_fd;
	bool reload_kept;        /* the one being checked is the one that was kept, not the folder's */
	struct plan *next_plan;  /* sent out, not confirmed yet */
	int next_bundle_fd;
	struct event *reload_deadline;
	struct watch *watch;     /* owned by supervisor_watch.c */

	bool drop; /* started as root */
	struct identity id[MSG_ROLE_LIMIT];
	gid_t operators; /* (gid_t)-1: none */
	/* One socket for each edge; all -1 but the first where a service manager gave us that one. */
	int listeners[MSG_LISTENERS_MAX][PLAN_EDGES_MAX];
	int web_listener; /* the console's; -1: none */
	int front_listener; /* its unix socket for a front; -1: none */
	int control_sock;
	int halt_sock;
	/* What identifies this machine, for the log's binding; zero: it does not say. */
	uint8_t machine[DIGEST_SHA256_LEN];
	uint8_t product[DIGEST_SHA256_LEN];

	unsigned instances_n;
	struct instance *instances;
	bool served_once; /* every role was ready at the same time */
	bool stopping;
	unsigned stop_stage; /* index into wiring_stop_order */

	struct haltflag halt;
	pid_t halt_writer;    /* child that writes the flag file of data_dir; 0: none */
	bool halt_write_again;
	int64_t halt_undo_at; /* resume that waits for the writer; 0: none */
	struct event *halt_event;
	struct halt_clients halt_clients;
	unsigned halt_clients_n;

	struct job_list jobs;
	unsigned jobs_n;

	struct entry_list log;
	unsigned log_n;
	unsigned log_lost;
	uint64_t log_token;
};

/* ---- supervisor_plan.c ---- */

/* Every problem, one sentence with its place. */
typedef void (*supervisor_plan_say)(struct supervisor *s, const char *text);
/* The child is through; plan is taken by the callee: NULL when it was refused, after at least one say(). */
typedef void (*supervisor_plan_done)(struct supervisor *s, struct plan *plan);
/* Starts a config child on bundle (borrowed until done). done may be called before this returns. */
void supervisor_plan_start(struct supervisor *s, int bundle, supervisor_plan_say say,
    supervisor_plan_done done);
void supervisor_plan_reap(struct supervisor *s);
void supervisor_plan_free(struct supervisor *s);

/* ---- supervisor_boot.c ---- */

/* Reads users and groups of the plan. FG_EINVAL after at least one say(). */
int supervisor_boot_identities(struct supervisor *s, supervisor_plan_say say);
/* Everything the roles will be handed can be opened. Number of problems said. */
unsigned supervisor_boot_check(struct supervisor *s, supervisor_plan_say say);
/* Reads what identifies the machine, once: a process lives on one. */
void supervisor_boot_machine(struct supervisor *s);
/* BOOT and every descriptor for the instance. 0 or negative fg_err, said in the log. */
int supervisor_boot_send(struct supervisor *s, struct instance *i);
/* The BOOT message of any role. */
void supervisor_boot_message(const struct supervisor *s, enum msg_role role, unsigned index,
    struct msg_boot *ret);
/* The files that the plan names, as far as they are the role's: before a reload. What is missing is said in the log. */
int supervisor_boot_files(struct supervisor *s, struct instance *i, const struct plan *plan);
/*
 * To an edge, or the console, that only tries them: BOOT, configuration and files of its listeners as far as they
 * are that role's, START. 0 or negative fg_err.
 */
int supervisor_boot_try(struct supervisor *s, struct chan *chan, enum msg_role role);
/* A new secret for session tickets, to all edges. all: and what the one before sealed is worth nothing from now on. */
void supervisor_boot_tickets(struct supervisor *s, bool all);

/* ---- supervisor_role.c ---- */

int supervisor_role_make(struct supervisor *s);
void supervisor_role_start_all(struct supervisor *s);
void supervisor_role_reap(struct supervisor *s);
/* Ours; edges have copies. */
void supervisor_role_close_listeners(struct supervisor *s);
void supervisor_role_stop_all(struct supervisor *s);
void supervisor_role_kill_all(struct supervisor *s);
void supervisor_role_free(struct supervisor *s);
/* The instance while its channel stands; NULL else. */
struct instance *supervisor_role_find(struct supervisor *s, enum msg_role role, unsigned index);
void supervisor_role_kill(struct instance *i);
void supervisor_role_status(struct supervisor *s);
/* Arms ev for ms from now. */
void supervisor_role_after(struct event *ev, int64_t ms);

/* ---- supervisor_halt.c ---- */

int supervisor_halt_open(struct supervisor *s);
/* Tells every role that hears of it; edges must confirm. */
void supervisor_halt(struct supervisor *s, uid_t by);
/* HALT in a boot dialogue. 0 or negative fg_err. */
int supervisor_halt_boot(struct instance *i);
void supervisor_halt_confirmed(struct instance *i);
void supervisor_halt_undo(struct supervisor *s, const struct msg_unhalt *m);
void supervisor_halt_reap(struct supervisor *s);
void supervisor_halt_close(struct supervisor *s);

/* ---- supervisor_job.c ---- */

/* Takes fd. */
void supervisor_job_spawn(struct supervisor *s, const struct msg_spawn *m, int fd);
void supervisor_job_kill(struct supervisor *s, uint64_t id);
void supervisor_job_kill_all(struct supervisor *s);
void supervisor_job_reap(struct supervisor *s);
void supervisor_job_free(struct supervisor *s);

/* ---- supervisor_policy.c ---- */
/* True where policy is not signed; false when nobody can say. */
bool supervisor_policy_is_in_force(const struct plan *plan);
/* Keeps a configuration, beside the one whose policy is in force; where policy is not signed nothing. */
void supervisor_policy_keep(const struct plan *plan, int bundle_fd);
/* The one that was kept of the policy in force, as a bundle. Descriptor (the caller's), or a negative fg_err. */
int supervisor_policy_kept(const struct plan *plan);
/* Takes over what is not followed and shows it to control; NULL and -1: nothing is held any more. */
void supervisor_policy_hold(struct supervisor *s, struct plan *plan, int bundle_fd);
/* Control is there (again). */
void supervisor_policy_show(struct instance *control);

/* ---- supervisor_reload.c ---- */

void supervisor_reload(struct supervisor *s);
/* What an instance answered; NULL m: it died before it could. */
void supervisor_reload_answer(struct instance *i, const struct msg_reloaded *m);
void supervisor_reload_free(struct supervisor *s);

/* ---- supervisor_watch.c ---- */

/* 0 or FG_ENOMEM; to be ended in either case, before the plan goes and after any config child is gone. */
int supervisor_watch_begin(struct supervisor *s);
void supervisor_watch_end(struct supervisor *s);

/* ---- supervisor_try.c ---- */

/*
 * Whether an edge, and the console, could use the files of their listeners. 0, or negative fg_err after they or
 * say() have said why not.
 */
int supervisor_try_files(struct supervisor *s, supervisor_plan_say say);

/* ---- supervisor_log.c ---- */

/* An entry by "supervisor" about obj; kept until audit says it is durable. */
void supervisor_log(struct supervisor *s, enum entry_event event, unsigned severity,
		    const char *out, const char *obj, const char *text);
/* A person has halted everything; at is the halt's name, by which it is ended. */
void supervisor_log_halt(struct supervisor *s, const char *act, int64_t at);
/* A new audit process is ready: what no earlier one confirmed goes out again. */
void supervisor_log_resend(struct supervisor *s);
void supervisor_log_appended(struct supervisor *s, const struct msg_appended *m);
void supervisor_log_free(struct supervisor *s);

#endif
