/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit role as a whole, killed or failed at every change it makes; its peers
 * remember what it said. Held: whatever was acknowledged to anyone is in the log
 * under that index, also after a cut of power at that moment; a grant is one entry,
 * however often it is asked for again; checkpoints of one size never differ; and the
 * role starts again and goes on.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>

#include "crypto/checkpoint.h"
#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/receipt.h"
#include "crypto/witness.h"
#include "gateway/audit/audit.h"
#include "gateway/audit/hostbind.h"
#include "gateway/audit/ledger.h"
#include "unit/crypto/people.h"
#include "unit/gateway/role_rig.h"
#include "unit/gateway/scratch.h"
#include "fault/role.h"

#define MEMORY_MAX 256

struct grant {
	uint8_t module, release;
	uint64_t index;
};

struct memory { /* what peers were told */
	struct {
		uint64_t index;
		enum entry_event ev;
		char msg[48];
	} entry[MEMORY_MAX];
	unsigned entries;
	struct grant grant[MEMORY_MAX];
	unsigned grants;
	struct {
		uint64_t size;
		uint8_t root[32];
	} seen[MEMORY_MAX];
	unsigned seen_n;
	char last[2048]; /* the largest checkpoint: what the warden remembers */
	uint64_t last_size;
};

struct judging {
	const struct memory *m;
	struct merkle_range range;
	unsigned granted[256]; /* by module: how often */
};

struct fixture {
	struct role_case c;
	struct memory memory;
	char genesis[GENESIS_BYTES_MAX];
	size_t genesis_n;
	int edge, control, warden;
	uint64_t token;
};

static struct note_signer key;
static struct merkle *merkle;

static int
life(void *ctx)
{
	struct clock_source clock = clock_system();
	(void)ctx;
	return audit_main(&clock);
}

/* ---- what peers remember ---- */

static void
saw(struct memory *m, struct view note)
{
	struct checkpoint_opened c;
	if (!note.n || !fault_check(checkpoint_open(note, NULL, &key.key, NULL, 0, 0, &c) == 0 &&
			       c.outcome == CHECKPOINT_VERIFIED,
			   "a checkpoint is not signed by the log"))
		return;
	for (unsigned i = 0; i < m->seen_n; i++) {
		if (m->seen[i].size != c.head.size)
			continue;
		fault_check(!memcmp(m->seen[i].root, c.head.root, 32), "two checkpoints of size %" PRIu64 " differ", c.head.size);
		return;
	}
	if (m->seen_n == MEMORY_MAX || note.n >= sizeof m->last)
		abort();
	if (c.head.size > m->last_size) {
		m->last_size = c.head.size;
		snprintf(m->last, sizeof m->last, "%.*s", (int)note.n, (const char *)note.p);
	}
	m->seen[m->seen_n].size = c.head.size;
	memcpy(m->seen[m->seen_n++].root, c.head.root, 32);
}

/* Anyone may read the folder at any time. */
static void
look(struct fixture *f)
{
	char path[160];
	size_t n = 0;
	snprintf(path, sizeof path, "%s/audit/log/checkpoint", fault_path("data"));
	uint8_t *note = scratch_read(path, &n);
	if (note)
		saw(&f->memory, view_of(note, n));
	free(note);
}

/* ---- judging a folder ---- */

static void
told(void *ctx, uint64_t index, struct view line)
{
	struct judging *j = ctx;
	uint8_t leaf[32], root[32];
	struct json *doc = NULL;
	struct entry e;
	if (merkle_leaf(merkle, line, leaf) || merkle_range_push(merkle, &j->range, leaf))
		abort();
	for (unsigned i = 0; i < j->m->seen_n; i++) {
		if (j->m->seen[i].size == index + 1 && merkle_range_root(merkle, &j->range, root) == 0)
			fault_check(!memcmp(root, j->m->seen[i].root, 32), "not what the checkpoint of %" PRIu64 " covered", index + 1);
	}
	if (!fault_check(entry_parse(line, &doc, &e, NULL) == 0, "entry %" PRIu64 " does not parse", index))
		return;
	fault_check(e.seq == index, "entry %" PRIu64 " says it is %" PRIu64, index, e.seq);
	for (unsigned i = 0; i < j->m->entries; i++) {
		if (j->m->entry[i].index == index)
			fault_check(e.ev == j->m->entry[i].ev && view_is(e.msg, j->m->entry[i].msg),
			    "entry %" PRIu64 " is another than was acknowledged", index);
	}
	if (e.ev == ENTRY_DEVICE_GRANT)
		j->granted[e.dev[0]]++;
	for (unsigned i = 0; i < j->m->grants; i++) {
		const struct grant *g = &j->m->grant[i];
		if (g->index == index)
			fault_check(e.ev == ENTRY_DEVICE_GRANT && e.dev[0] == g->module, "entry %" PRIu64 " is not the grant it was", index);
	}
	json_free(doc);
}

/* root: the audit folder. */
static void
judge(const struct memory *m, const char *root)
{
	char path[200];
	struct judging j = { .m = m };
	struct ledger *l = NULL;
	struct ledger_opened opened = { 0 };
	uint64_t least = 0;
	fault_case();
	for (unsigned i = 0; i < m->entries; i++)
		least = m->entry[i].index + 1 > least ? m->entry[i].index + 1 : least;
	for (unsigned i = 0; i < m->seen_n; i++)
		least = m->seen[i].size > least ? m->seen[i].size : least;
	for (unsigned i = 0; i < m->grants; i++)
		least = m->grant[i].index + 1 > least ? m->grant[i].index + 1 : least;
	snprintf(path, sizeof path, "%s/wal", root);
	int waldir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof path, "%s/log", root);
	int logdir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (waldir >= 0 && logdir >= 0) {
		int err = ledger_open(waldir, logdir, &key, told, &j, &l, &opened);
		fault_check(err == 0 && opened.state == MSG_LOG_OPEN_OK, "the log is not in order: %s %s", err_name(err), opened.why);
		ledger_close(l);
	}
	fault_check(opened.size >= least, "%" PRIu64 " of %" PRIu64 " entries are there", opened.size, least);
	for (unsigned i = 0; i < 256; i++)
		fault_check(j.granted[i] <= 1, "module %u has %u grants of one release", i, j.granted[i]);
	if (waldir >= 0)
		close(waldir);
	if (logdir >= 0)
		close(logdir);
}

/* ---- a life ---- */

/* The warden is asked: it tells what it remembers, and has no disk to vouch for more. */
static bool
witness(struct fixture *f, bool remembers)
{
	struct msg_cosign_ask ask;
	struct msg_cosigned m = { .err = remembers ? 0 : FG_EIO, .outcome = WITNESS_UNKNOWN };
	if (msg_decode(&f->c.rig.frame, &ask, sizeof ask))
		return fault_check(false, "cosign-ask does not decode");
	m.token = ask.token;
	m.note = view_str(f->memory.last);
	return role_say(f->warden, MSG_COSIGNED, &m, NULL, 0);
}

/* What the warden is told, questions to the witness in it aside. */
static bool
warden_hears(struct fixture *f, unsigned type, void *msg)
{
	for (;;) {
		struct pollfd p = { .fd = f->warden, .events = POLLIN };
		if (!fault_check(poll(&p, 1, RIG_PATIENCE_MS) == 1, "the role says nothing to the warden") ||
		    wire_recv(f->warden, f->c.rig.buf, &f->c.rig.frame))
			return false;
		if (f->c.rig.frame.type == MSG_HEAD && type != MSG_HEAD)
			continue;
		if (f->c.rig.frame.type == type)
			return msg_decode(&f->c.rig.frame, msg, msg_size(type)) == 0;
		if (!fault_check(f->c.rig.frame.type == MSG_COSIGN_ASK, "the warden hears %s", msg_type_name(f->c.rig.frame.type)) ||
		    !witness(f, false))
			return false;
	}
}

/* Nothing is acknowledged before the log was compared with what the warden remembers; the head is told unasked. */
static bool
compared(struct fixture *f)
{
	struct pollfd p = { .fd = f->warden, .events = POLLIN };
	do {
		if (!fault_check(poll(&p, 1, RIG_PATIENCE_MS) == 1, "the warden is not asked") ||
		    wire_recv(f->warden, f->c.rig.buf, &f->c.rig.frame))
			return false;
	} while (f->c.rig.frame.type == MSG_HEAD);
	return fault_check(f->c.rig.frame.type == MSG_COSIGN_ASK, "%s first", msg_type_name(f->c.rig.frame.type)) && witness(f, true);
}

static bool
start(struct fixture *f, const struct disk_plan *plan, unsigned cuts)
{
	struct msg_boot boot = { .role = MSG_ROLE_AUDIT, .unsafe_sandbox = true, .edges = 1 };
	struct writer text;
	struct msg_ready ready;
	snprintf(boot.data_dir, sizeof boot.data_dir, "%s", fault_path("data"));
	memset(boot.instance, 0xab, sizeof boot.instance);
	role_start(&f->c, fault_path("data/audit"), plan, cuts);
	role_say(f->c.rig.sup, MSG_BOOT, &boot, NULL, 0);
	writer_init(&text, 1024);
	note_signer_write(&key, &text);
	role_give(&f->c, MSG_FD_LOG_KEY, writer_view(&text));
	writer_free(&text);
	role_give(&f->c, MSG_FD_GENESIS, view_of(f->genesis, f->genesis_n));
	f->edge = role_wire(&f->c, MSG_ROLE_EDGE, 0);
	f->control = role_wire(&f->c, MSG_ROLE_CONTROL, 0);
	f->warden = role_wire(&f->c, MSG_ROLE_WARDEN, 0);
	role_say(f->c.rig.sup, MSG_START, NULL, NULL, 0);
	return role_hear(&f->c, f->c.rig.sup, MSG_READY, &ready) && compared(f);
}

static bool
append(struct fixture *f, int chan, enum entry_event ev, const char *msg)
{
	struct msg_append m = { .token = ++f->token, .event = (uint16_t)ev, .severity = 6 };
	struct msg_appended done;
	snprintf(m.out, sizeof m.out, "ok");
	snprintf(m.act, sizeof m.act, "alice@example.com");
	snprintf(m.msg, sizeof m.msg, "%s", msg);
	if (!role_say(chan, MSG_APPEND, &m, NULL, 0) ||
	    !(chan == f->warden ? warden_hears(f, MSG_APPENDED, &done) : role_hear(&f->c, chan, MSG_APPENDED, &done)))
		return false;
	look(f);
	if (done.err)
		return false;
	struct memory *k = &f->memory;
	if (k->entries == MEMORY_MAX)
		abort();
	k->entry[k->entries].index = done.index;
	k->entry[k->entries].ev = ev;
	if (snprintf(k->entry[k->entries].msg, sizeof k->entry[0].msg, "%s", msg) >= (int)sizeof k->entry[0].msg)
		abort();
	k->entries++;
	return true;
}

static bool
grant(struct fixture *f, uint8_t module)
{
	struct msg_grant_append m = { .generation = 3, .grants_n = 1, .grants = { { .token = ++f->token } } };
	struct msg_grant_appended done;
	struct memory *k = &f->memory;
	memset(m.grants[0].module, module, MSG_ID);
	memset(m.grants[0].release, 9, MSG_ID);
	if (!role_say(f->edge, MSG_GRANT_APPEND, &m, NULL, 0) || !role_hear(&f->c, f->edge, MSG_GRANT_APPENDED, &done) ||
	    done.granted[0].err)
		return false;
	for (unsigned i = 0; i < k->grants; i++) {
		if (k->grant[i].module == module)
			return fault_check(k->grant[i].index == done.granted[0].index, "a grant was written twice");
	}
	if (k->grants == MEMORY_MAX)
		abort();
	k->grant[k->grants++] = (struct grant){ module, 9, done.granted[0].index };
	return true;
}

static bool
head(struct fixture *f)
{
	struct msg_head h;
	if (!role_say(f->control, MSG_HEAD_ASK, &(struct msg_head_ask){ .token = 1 }, NULL, 0) ||
	    !role_hear(&f->c, f->control, MSG_HEAD, &h) || h.state != MSG_LOG_OPEN_OK)
		return false;
	saw(&f->memory, view_str(h.checkpoint));
	return true;
}

/* A receipt: it makes audit publish. */
static bool
prove(struct fixture *f)
{
	struct memory *k = &f->memory;
	struct msg_proof p;
	struct writer store;
	struct receipt r;
	struct receipt_checked c;
	uint64_t index = k->entry[k->entries - 1].index;
	if (!role_say(f->control, MSG_PROOF_ASK, &(struct msg_proof_ask){ .token = 1, .index = index }, NULL, 0) ||
	    !role_hear(&f->c, f->control, MSG_PROOF, &p) || p.err)
		return false;
	writer_init(&store, RECEIPT_EXTRA_MAX);
	fault_check(receipt_parse(view_str(p.receipt), &store, &r) == 0 &&
		receipt_verify(merkle, &r, p.entry, NULL, &key.key, NULL, 0, &c) == 0 && c.outcome == RECEIPT_VERIFIED,
	    "the receipt of %" PRIu64 " does not verify", index);
	saw(k, r.note);
	writer_free(&store);
	look(f);
	return true;
}

/* True when the life went as it should to its end. */
static bool
tell(struct fixture *f, const struct disk_plan *plan, unsigned cuts)
{
	bool good = start(f, plan, cuts) && append(f, f->control, ENTRY_REVIEW_OPENED, "a review") && grant(f, 1) &&
	    append(f, f->warden, ENTRY_RELEASE_ISSUED, "a release") && grant(f, 1) && prove(f) && grant(f, 2) &&
	    append(f, f->c.rig.sup, ENTRY_SVC_START, "a role") && head(f) &&
	    append(f, f->control, ENTRY_REVIEW_OPENED, "another") &&
	    role_say(f->c.rig.sup, MSG_STOP, &(struct msg_stop){ .grace_ms = 1000 }, NULL, 0);
	int status = good ? rig_wait(&f->c.rig) : 0;
	role_hang_up(&f->edge);
	role_hang_up(&f->control);
	role_hang_up(&f->warden);
	if (!good)
		status = role_end(&f->c);
	role_hang_up(&f->c.rig.sup);
	look(f);
	fault_check(plan || (good && status == 0), "a life without a fault ends with %d", status);
	return good && status == 0;
}

/*
 * After a cut of power the disk is the one it was; what stands here is a copy of it. So a
 * binding that the cut left, which must be whole, is made anew for the copy.
 */
static void
rebind(void)
{
	const struct hostbind_ids nobody = { 0 };
	char told[HOSTBIND_TEXT] = "";
	int dir = open(fault_path("data/audit"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || hostbind_tell(dir, told))
		abort();
	if (strcmp(told, "none") != 0) {
		fault_check(!strncmp(told, "inode ", 6), "the cut left a binding: %s", told);
		if (hostbind_make(dir, &nobody, told) || hostbind_settle(dir))
			abort();
	}
	close(dir);
}

static bool
strike(struct fixture *f, const struct fault_kind *k, uint64_t at)
{
	struct disk_plan plan = k->plan;
	if (plan.mode == DISK_GONE)
		plan.mode = DISK_KILL;
	plan.at = at;
	memset(&f->memory, 0, sizeof f->memory);
	if (mkdir(fault_path("data"), 0755) || mkdir(fault_path("data/audit"), 0755))
		abort();
	fault_where("%s number %" PRIu64, k->name, at);
	tell(f, &plan, k == fault_kinds ? ROLE_CUTS : ROLE_CUTS / 2);
	bool struck = f->c.shared->struck;
	unsigned cuts = f->c.shared->cuts;
	if (struck) {
		judge(&f->memory, fault_path("data/audit"));
		fault_where("%s number %" PRIu64 ", restart", k->name, at);
		struct memory before = f->memory;
		tell(f, NULL, 0);
		judge(&f->memory, fault_path("data/audit"));
		f->memory = before;
	}
	for (unsigned i = 0; i < cuts; i++) {
		fault_where("%s number %" PRIu64 ", power cut %u", k->name, at, i);
		judge(&f->memory, role_cut_path(i));
		/* And the role itself, on one of them. */
		if (i == at % cuts) {
			struct memory before = f->memory;
			fault_remove(fault_path("data/audit"));
			if (rename(role_cut_path(i), fault_path("data/audit")))
				abort();
			rebind();
			tell(f, NULL, 0);
			judge(&f->memory, fault_path("data/audit"));
			f->memory = before;
		}
		fault_remove(role_cut_path(i));
	}
	fault_remove(fault_path("data"));
	return struck;
}

int
main(void)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct person alice = people_make("alice@example.com", 1);
	struct genesis *g = people_genesis((const struct person *const[]){ &alice }, 1, 1);
	struct writer text;
	signal(SIGPIPE, SIG_IGN);
	fault_begin("audit");
	key = people_log_key();
	merkle = merkle_new();
	writer_init(&text, GENESIS_BYTES_MAX);
	if (!f || genesis_encode(g, &text))
		abort();
	memcpy(f->genesis, text.p, text.n);
	f->genesis_n = text.n;
	f->c.main = life;
	f->edge = f->control = f->warden = f->c.rig.sup = -1;
	for (size_t k = 0; k < fault_kinds_n; k++) {
		/* Kills everywhere; errors, of which many are alike, at every second place in a quick run. */
		unsigned step = k && fault_deep() == 1 ? 2 : 1;
		for (uint64_t at = 1 + k % step; strike(f, &fault_kinds[k], at); at += step)
			;
	}
	writer_free(&text);
	free(g);
	free(f);
	merkle_free(merkle);
	return fault_end();
}
