/* SPDX-License-Identifier: Apache-2.0 */
/*
 * callers - who is at the other end of the control socket, and what that
 * person may ask. Unix groups name roles; a role may view, restrict and set in
 * motion, and none of them is a vote.
 * The kernel says who called (SO_PEERCRED, SO_PEERGROUPS); names come from the
 * machine's own files, read without NSS: its modules have no place in the jail.
 * Whoever comes over the network is told apart by the same struct: sessions.h fills it.
 */
#ifndef FG_GATEWAY_CONTROL_CALLERS_H
#define FG_GATEWAY_CONTROL_CALLERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "crypto/signers.h"
#include "policy/config.h"

#define CALLERS_USERS_MAX 8192 /* accounts of one machine that can be named */

/* Bits. */
enum callers_role {
	CALLERS_NOBODY = 0,
	CALLERS_VIEWER = 1,
	CALLERS_OPERATOR = 2,
	CALLERS_APPROVER = 4,
	CALLERS_ADMIN = 8,
	CALLERS_AUDITOR = 16,
	CALLERS_ANY = 31,
	/* No roles of anybody's: what is left to those who have none yet. Only the rows that are for them name these. */
	CALLERS_GUEST = 32, /* nobody so far: may sign in */
	CALLERS_ENROL = 64, /* signed in, and has a password or a second factor of one's own yet to make */
};

/* How a caller is known. None of them is a signature; zero may nothing. */
enum callers_means {
	CALLERS_MEANS_NONE = 0,
	CALLERS_MEANS_UID,     /* the kernel's word: an account of this machine */
	CALLERS_MEANS_ROOT,    /* uid 0: may ask for everything, is named so in the log, is nobody's vote */
	CALLERS_MEANS_SESSION, /* a person logged in over the network */
	CALLERS_MEANS_TOKEN,   /* a machine with a secret */
	CALLERS_MEANS_GUEST,   /* somebody over the network */
	CALLERS_MEANS_SSO,     /* a person whom a trusted front has logged in; less than a session: no account changes by it */
	CALLERS_MEANS_LIMIT,
};

#define CALLERS_UID_NONE ((uid_t)-1) /* over the network there is none; zero would be root */
#define CALLERS_ACCOUNT_CAP 25      /* DB_ACCOUNT_NAME_CAP */
#define CALLERS_ID 16
#define CALLERS_PERSON 32

struct caller {
	enum callers_means means;
	uid_t uid;
	unsigned roles;
	char user[CONFIG_USER_MAX + 1]; /* "uid:1000" for one without a name here; "account:alice", "token:alice", "guest" */
	/* Of sessions and tokens; empty for people of this machine. */
	char account[CALLERS_ACCOUNT_CAP];
	char principal[SIGNERS_PRINCIPAL_MAX]; /* who that is in the signer set, as an administrator says */
	uint8_t session[CALLERS_ID];           /* name of the session, or of the token */
	uint8_t peer[CALLERS_ID];              /* address of the browser, IPv6 or mapped into it */
	uint8_t person[CALLERS_PERSON];        /* vouch_identity() of whom a trusted front names at this call; zero: nobody */
	char front[24];                        /* and which front: "uid:33", "key:<digits>" */
};

struct callers;

/* Opens the account files: before the jail, which has no place for all of them. Parses nothing yet. */
struct callers *callers_new(void);
void callers_free(struct callers *c);
/* Reads the names and resolves the groups of the configuration; a group that does not exist is nobody. */
int callers_load(struct callers *c, const struct config_roles *roles, uid_t own);
/* The peer of a connected unix socket. 0 or FG_EIO. */
int callers_identify(const struct callers *c, int sock, struct caller *ret);
/* That user id is the account of that name. */
bool callers_is(const struct callers *c, uid_t uid, const char *name);
/* "operator"; "" for what is no single role of CALLERS_ANY. */
const char *callers_role_name(unsigned role);
/* 0 for a word that is none. */
unsigned callers_role_parse(struct view word);
/* "operator, approver" for messages; at least "nobody". dst holds 64. */
void callers_roles_text(unsigned roles, char dst[64]);

#endif
