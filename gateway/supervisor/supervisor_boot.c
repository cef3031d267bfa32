/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each role is handed before it starts. Files are opened anew for every
 * start, so that two processes never share an offset and a renewed certificate
 * is found; wiring.c says which role may have which.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/supervisor/keyfile.h"
#include "gateway/supervisor/supervisor_internal.h"

#define MACHINE_LINE_MAX 64 /* of a machine-id or UUID; they are half as long */
#define SIGS_MAX 64 /* genesis.sig.N; a board of people (crypto/signers.h) */
#define PATH_BYTES (MSG_PATH_MAX + MSG_FILE_MAX + 32)
/*
 * Users of a demo started by root, where nobody has made any: a number of its
 * own for each role, out of the range that systemd gives to services for the
 * time they run (61184 to 65519), so that a try leaves no account behind.
 */
#define DEMO_UID 61900

/* ---- who runs as whom ---- */

static bool
one_identity(struct supervisor *s, enum msg_role role, supervisor_plan_say say)
{
	const char *user = plan_user(s->plan, role);
	char text[MSG_TEXT_MAX];
	if (!s->drop) {
		s->id[role] = (struct identity){ geteuid(), getegid() };
		return true;
	}
	const struct passwd *pw = user[0] ? getpwnam(user) : NULL;
	if (pw && pw->pw_uid != 0) {
		s->id[role] = (struct identity){ pw->pw_uid, pw->pw_gid };
		return true;
	}
	if (!pw && s->plan->main.demo) {
		s->id[role] = (struct identity){ DEMO_UID + (uid_t)role, DEMO_UID + (gid_t)role };
		return true;
	}
	snprintf(text, sizeof text,
		 "users.%s: %s%s%s; started by root, each role needs a user of its own "
		 "(systemd-sysusers makes them)",
		 msg_role_name(role), user[0] ? "the user \"" : "empty", user,
		 !user[0] ? ""
		 : pw	  ? "\" is root"
			  : "\" does not exist");
	say(s, text);
	return false;
}

int
supervisor_boot_identities(struct supervisor *s, supervisor_plan_say say)
{
	static const enum msg_role roles[] = {
	    MSG_ROLE_CONFIG,  MSG_ROLE_EDGE,   MSG_ROLE_UPSTREAM, MSG_ROLE_INSPECT,
	    MSG_ROLE_CONTROL, MSG_ROLE_WARDEN, MSG_ROLE_AUDIT,
	};
	bool good = !s->plan->main.console_address[0] || one_identity(s, MSG_ROLE_CONSOLE, say);
	if (plan_has_hook(s->plan))
		good &= one_identity(s, MSG_ROLE_HOOK, say);
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		good &= one_identity(s, roles[i], say);
	const char *group = s->plan->main.group_operators;
	const struct group *gr = s->drop && group[0] ? getgrnam(group) : NULL;
	s->operators = gr ? gr->gr_gid : (gid_t)-1;
	if (s->drop && group[0] && !gr)
		oplog(OPLOG_WARNING,
		      "roles.operator: the group \"%s\" does not exist; only root may halt", group);
	return good ? 0 : FG_EINVAL;
}

/* ---- files ---- */

struct handing {
	struct supervisor *s;
	struct chan *chan;        /* NULL: only try whether it could be opened */
	enum msg_role role;
	unsigned index;           /* among several of that role */
	supervisor_plan_say say;  /* with chan NULL */
	unsigned problems;
	int missing;              /* first file that could not be opened; the others are sent */
	int err;                  /* first failure of sending: there is nobody to send to */
};

/* Takes fd. */
static void
hand(struct handing *h, enum msg_boot_kind kind, unsigned ordinal, unsigned part, const char *name,
     int fd)
{
	struct msg_boot_fd m = {
	    .kind = (uint8_t)kind, .ordinal = (uint16_t)ordinal, .part = (uint16_t)part};
	snprintf(m.name, sizeof m.name, "%s", name);
	if (h->chan && !h->err)
		h->err = chan_send(h->chan, MSG_BOOT_FD, &m, &fd, 1);
	close(fd);
}

static void
hand_file(struct handing *h, enum msg_boot_kind kind, unsigned ordinal, unsigned part,
	  const char *name, const char *path)
{
	bool secret = kind == MSG_FD_TLS_KEY || kind == MSG_FD_WEB_KEY || kind == MSG_FD_LOG_KEY ||
		      kind == MSG_FD_COSIGN_KEY || kind == MSG_FD_EPOCH_KEY || kind == MSG_FD_PSK ||
		      kind == MSG_FD_CREDENTIALS;
	bool paper = kind == MSG_FD_GENESIS || kind == MSG_FD_GENESIS_SIG; /* in the warden's folder */
	char why[MSG_TEXT_MAX];
	if (!wiring_gets(h->role, kind))
		return;
	int fd = keyfile_open(path, secret ? KEYFILE_SECRET : paper ? KEYFILE_PAPER : KEYFILE_PUBLIC, why,
	    sizeof why);
	if (fd >= 0) {
		hand(h, kind, ordinal, part, name, fd);
		return;
	}
	h->problems++;
	if (!h->missing)
		h->missing = fd;
	if (h->chan)
		oplog(OPLOG_ERR, "for %s: %s", msg_role_name(h->role), why);
	else
		h->say(h->s, why);
}

static void
hand_key(struct handing *h, enum msg_boot_kind kind, const char *name)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "%s/%s", h->s->plan->main.keys_dir, name);
	hand_file(h, kind, 0, 0, name, path);
}

/* May be absent: the warden then remembers the log without signing for it. */
static void
hand_cosign_key(struct handing *h)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "%s/cosign.key", h->s->plan->main.keys_dir);
	if (access(path, F_OK) == 0 || errno != ENOENT)
		hand_key(h, MSG_FD_COSIGN_KEY, "cosign.key");
}

static void
hand_listener_files(struct handing *h, const struct plan *plan, unsigned i)
{
	const struct msg_plan_listener *l = &plan->listeners[i];
	for (unsigned part = 0; part < 2; part++) {
		if (!l->cert[part][0])
			continue;
		hand_file(h, MSG_FD_TLS_CERT, i, part, l->name, l->cert[part]);
		hand_file(h, MSG_FD_TLS_KEY, i, part, l->name, l->key[part]);
	}
	if (l->client_ca[0])
		hand_file(h, MSG_FD_CLIENT_CA, i, 0, l->name, l->client_ca);
	if (l->client_crl[0])
		hand_file(h, MSG_FD_CLIENT_CRL, i, 0, l->name, l->client_crl);
	if (l->psk[0])
		hand_file(h, MSG_FD_PSK, i, 0, l->name, l->psk);
}

static void
hand_console_files(struct handing *h, const struct plan *plan)
{
	if (!plan->main.console_address[0])
		return;
	hand_file(h, MSG_FD_WEB_CERT, 0, 0, "console", plan->main.console_cert);
	hand_file(h, MSG_FD_WEB_KEY, 0, 0, "console", plan->main.console_key);
	if (plan->main.front_ca[0])
		hand_file(h, MSG_FD_WEB_CA, 0, 0, "console", plan->main.front_ca);
}

/* A copy of one of our listening sockets. */
static void
hand_socket(struct handing *h, unsigned ordinal, unsigned part, const char *name, int own)
{
	int fd = dup(own);
	if (fd < 0)
		h->err = h->err ? h->err : FG_EIO;
	else
		hand(h, MSG_FD_LISTENER, ordinal, part, name, fd);
}

static void
hand_listener(struct handing *h, unsigned i)
{
	const struct msg_plan_listener *l = &h->s->plan->listeners[i];
	hand_listener_files(h, h->s->plan, i);
	if (!wiring_gets(h->role, MSG_FD_LISTENER) || !h->chan)
		return;
	const int *all = h->s->listeners[i];
	unsigned edges = h->s->plan->main.edges;
	bool spread = all[1] >= 0;
	hand_socket(h, i, 0, l->name, all[spread ? h->index : 0]);
	/* While the next edge is away, its queue is this one's to look after: part 1. */
	if (spread)
		hand_socket(h, i, 1, l->name, all[(h->index + 1) % edges]);
}

static void
hand_files(struct handing *h, const struct plan *plan)
{
	char path[PATH_BYTES];
	for (unsigned i = 0; i < plan->files_n; i++) {
		const struct msg_plan_file *f = &plan->files[i];
		snprintf(path, sizeof path, "%s/%s",
			 f->kind == MSG_FD_ANCHOR ? plan->main.anchors_dir : plan->main.keys_dir,
			 f->name);
		hand_file(h, f->kind, i, 0, f->name, path);
	}
}

static void
hand_genesis(struct handing *h)
{
	char path[PATH_BYTES], name[32];
	const char *dir = h->s->plan->main.data_dir;
	snprintf(path, sizeof path, "%s/authority/genesis.json", dir);
	hand_file(h, MSG_FD_GENESIS, 0, 0, "genesis.json", path);
	for (unsigned i = 0; i < SIGS_MAX; i++) {
		snprintf(name, sizeof name, "genesis.sig.%u", i);
		snprintf(path, sizeof path, "%s/authority/%s", dir, name);
		if (access(path, F_OK))
			break;
		hand_file(h, MSG_FD_GENESIS_SIG, i, 0, name, path);
	}
}

/* An open descriptor of ours that the role gets a copy of. */
static void
hand_own(struct handing *h, enum msg_boot_kind kind, const char *name, int own)
{
	if (!wiring_gets(h->role, kind) || !h->chan || own < 0)
		return;
	int fd = dup(own);
	if (fd < 0)
		h->err = h->err ? h->err : FG_EIO;
	else
		hand(h, kind, 0, 0, name, fd);
}

static void
hand_tickets(struct handing *h)
{
	if (!wiring_gets(h->role, MSG_FD_TICKETS) || !h->chan)
		return;
	int fd = tickets_file(&h->s->tickets);
	if (fd < 0)
		h->err = h->err ? h->err : fd;
	else
		hand(h, MSG_FD_TICKETS, 0, 0, "tickets", fd);
}

static void
hand_all(struct handing *h)
{
	hand_tickets(h);
	hand_own(h, MSG_FD_BUNDLE, "bundle", h->s->bundle_fd);
	hand_genesis(h);
	hand_key(h, MSG_FD_LOG_KEY, "log.key");
	hand_cosign_key(h);
	hand_key(h, MSG_FD_EPOCH_KEY, "epoch.key");
	hand_own(h, MSG_FD_CONTROL_SOCK, "control.sock", h->s->control_sock);
	hand_files(h, h->s->plan);
	for (unsigned i = 0; i < h->s->plan->listeners_n; i++)
		hand_listener(h, i);
	hand_console_files(h, h->s->plan);
	hand_own(h, MSG_FD_WEB_LISTENER, "console", h->s->web_listener);
	hand_own(h, MSG_FD_WEB_FRONT, "console", h->s->front_listener);
}

unsigned
supervisor_boot_check(struct supervisor *s, supervisor_plan_say say)
{
	unsigned problems = 0;
	for (unsigned i = 0; i < WIRING_ROLES; i++) {
		struct handing h = { .s = s, .role = wiring_start_order[i], .say = say };
		hand_all(&h);
		problems += h.problems;
	}
	return problems;
}

/* The first line, hashed, never parsed; none, and the word of an image that has not been started yet, are no identity. */
static void
fingerprint(const char *path, uint8_t ret[DIGEST_SHA256_LEN])
{
	uint8_t line[MACHINE_LINE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line);
	if (fd >= 0)
		close(fd);
	const uint8_t *end = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;
	struct view v = view_of(line, end ? (size_t)(end - line) : n > 0 ? (size_t)n : 0);
	if (!v.n || view_is(v, "uninitialized") || digest_sha256(v, ret))
		memset(ret, 0, DIGEST_SHA256_LEN);
}

void
supervisor_boot_machine(struct supervisor *s)
{
	fingerprint("/etc/machine-id", s->machine);
	fingerprint("/sys/class/dmi/id/product_uuid", s->product); /* root may read it, and not every machine has it */
}

void
supervisor_boot_message(const struct supervisor *s, enum msg_role role, unsigned index,
			struct msg_boot *ret)
{
	const struct msg_plan *p = &s->plan->main;
	*ret = (struct msg_boot){
		.role = (uint8_t)role,
		.index = (uint16_t)index,
		.uid = s->id[role].uid,
		.gid = s->id[role].gid,
		.drop = s->drop,
		.unsafe_sandbox = p->unsafe_sandbox,
		.demo = p->demo,
		.edges = p->edges,
	};
	memcpy(ret->instance, s->plan->end.instance, sizeof ret->instance);
	if (role == MSG_ROLE_AUDIT) {
		memcpy(ret->machine, s->machine, sizeof ret->machine);
		memcpy(ret->product, s->product, sizeof ret->product);
	}
	snprintf(ret->origin, sizeof ret->origin, "%s", s->plan->end.origin);
	snprintf(ret->data_dir, sizeof ret->data_dir, "%s", p->data_dir);
	snprintf(ret->run_dir, sizeof ret->run_dir, "%s", p->run_dir);
}

int
supervisor_boot_send(struct supervisor *s, struct instance *i)
{
	struct msg_boot boot;
	supervisor_boot_message(s, i->role, i->index, &boot);
	int r = chan_send(i->chan, MSG_BOOT, &boot, NULL, 0);
	if (r)
		return r;
	struct handing h = { .s = s, .chan = i->chan, .role = i->role, .index = i->index };
	hand_all(&h);
	return h.err ? h.err : h.missing;
}

int
supervisor_boot_files(struct supervisor *s, struct instance *i, const struct plan *plan)
{
	struct handing h = { .s = s, .chan = i->chan, .role = i->role };
	hand_files(&h, plan);
	for (unsigned n = 0; n < plan->listeners_n; n++)
		hand_listener_files(&h, plan, n);
	hand_console_files(&h, plan);
	return h.err ? h.err : h.missing;
}

int
supervisor_boot_try(struct supervisor *s, struct chan *chan, enum msg_role role)
{
	struct handing h = { .s = s, .chan = chan, .role = role };
	struct msg_boot boot;
	supervisor_boot_message(s, role, 0, &boot);
	int r = chan_send(chan, MSG_BOOT, &boot, NULL, 0);
	if (r)
		return r;
	hand_own(&h, MSG_FD_BUNDLE, "bundle", s->bundle_fd);
	for (unsigned i = 0; i < s->plan->listeners_n; i++)
		hand_listener_files(&h, s->plan, i);
	hand_console_files(&h, s->plan);
	if (h.err || h.missing)
		return h.err ? h.err : h.missing;
	return chan_send(chan, MSG_START, NULL, NULL, 0);
}

void
supervisor_boot_tickets(struct supervisor *s, bool all)
{
	if (all ? tickets_make(&s->tickets) : tickets_roll(&s->tickets)) {
		oplog(OPLOG_ERR, "session tickets keep their key: no random numbers");
		return;
	}
	for (unsigned n = 0; n < s->instances_n; n++) {
		struct instance *i = &s->instances[n];
		struct handing h = { .s = s, .chan = i->chan, .role = i->role };
		hand_tickets(&h);
		if (h.err)
			oplog(OPLOG_WARNING, "%s[%u] keeps its key of session tickets: %s", msg_role_name(i->role), i->index,
			    err_name(h.err));
	}
}
