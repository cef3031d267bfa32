/* SPDX-License-Identifier: Apache-2.0 */
/* The audit role in a child of its own: this test is its supervisor, an edge or two, control and the warden. */
#include "gateway/audit/audit.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <sys/mount.h>

#include "crypto/entry.h"
#include "crypto/err.h"
#include "crypto/receipt.h"
#include "crypto/witness.h"
#include "gateway/audit/condemned.h"
#include "gateway/role/role.h"
#include "unit/crypto/people.h"
#include "unit/gateway/role_rig.h"
#include "unit/gateway/scratch.h"

struct fixture {
	struct rig rig;
	struct scratch tmp;
	struct note_signer key;
	struct merkle *m;
	struct writer genesis;
	int edge[2], control, warden;
	uint64_t token;
	uint8_t machine; /* every byte of what identifies it; 0: unknown */
};

/* How far the child's wall clock is from the machine's; shared with it. */
static volatile int64_t *shift_us;

static int64_t
shifted_wall(void *ctx)
{
	const struct clock_source *machine = ctx;
	return machine->wall_us(NULL) + *shift_us;
}

static int64_t
machine_mono(void *ctx)
{
	const struct clock_source *machine = ctx;
	return machine->mono_ms(NULL);
}

static int
run(void *ctx)
{
	struct clock_source machine = clock_system();
	struct clock_source clock = { shifted_wall, machine_mono, &machine };
	(void)ctx;
	return audit_main(&clock);
}

static void
cut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
hang_up(struct fixture *f)
{
	cut(&f->edge[0]);
	cut(&f->edge[1]);
	cut(&f->control);
	cut(&f->warden);
}

/* A whole start up to READY; the peers come before START, as the supervisor wires them. */
static void
start_with(struct fixture *f, struct view log_key, struct view genesis)
{
	struct msg_boot boot = { .role = MSG_ROLE_AUDIT, .unsafe_sandbox = true, .edges = 2 };
	rig_kill(&f->rig);
	hang_up(f);
	snprintf(boot.data_dir, sizeof boot.data_dir, "%s", f->tmp.dir);
	memset(boot.instance, 0xab, sizeof boot.instance);
	memset(boot.machine, f->machine, sizeof boot.machine);
	rig_start(&f->rig, run, NULL);
	rig_say(f->rig.sup, MSG_BOOT, &boot);
	if (log_key.n)
		rig_give(&f->rig, MSG_FD_LOG_KEY, log_key);
	if (genesis.n)
		rig_give(&f->rig, MSG_FD_GENESIS, genesis);
	f->edge[0] = rig_peer(&f->rig, MSG_ROLE_EDGE, 0);
	f->edge[1] = rig_peer(&f->rig, MSG_ROLE_EDGE, 1);
	f->control = rig_peer(&f->rig, MSG_ROLE_CONTROL, 0);
	f->warden = rig_peer(&f->rig, MSG_ROLE_WARDEN, 0);
	rig_say(f->rig.sup, MSG_START, NULL);
}

static struct msg_head
head(struct fixture *f, int chan)
{
	struct msg_head h;
	rig_say(chan, MSG_HEAD_ASK, &(struct msg_head_ask){ .token = 5 });
	rig_hear(&f->rig, chan, MSG_HEAD, &h);
	assert_int_equal(h.token, 5);
	return h;
}

/* The warden's answer to one question. */
static void
cosigned(struct fixture *f, uint64_t token, int32_t err, enum witness_outcome outcome, struct view note, const char *line)
{
	struct msg_cosigned m = { .token = token, .err = err, .outcome = (uint8_t)outcome, .note = note };
	snprintf(m.line, sizeof m.line, "%s", line);
	rig_say(f->warden, MSG_COSIGNED, &m);
}

/*
 * At start audit asks what the warden remembers. Then it shows it its checkpoint;
 * a warden that cannot write is not asked again (quiet: it is left unanswered).
 */
static void
compare(struct fixture *f, struct view note, bool leave)
{
	struct msg_cosign_ask ask;
	struct msg_head floor; /* unasked, when the warden comes */
	rig_hear(&f->rig, f->warden, MSG_HEAD, &floor);
	assert_int_equal(floor.token, 0);
	rig_hear(&f->rig, f->warden, MSG_COSIGN_ASK, &ask);
	assert_int_equal(ask.request.n, 0);
	cosigned(f, ask.token, 0, WITNESS_UNKNOWN, note, "");
	if (leave)
		return;
	uint8_t log_state = head(f, f->control).state;
	if (log_state != MSG_LOG_OPEN_OK && log_state != MSG_LOG_FULL)
		return;
	rig_hear(&f->rig, f->warden, MSG_COSIGN_ASK, &ask);
	assert_true(ask.request.n > 0);
	cosigned(f, ask.token, FG_EIO, WITNESS_UNKNOWN, note, "");
}

static void
start(struct fixture *f)
{
	struct msg_ready ready;
	struct writer key;
	writer_init(&key, 1024);
	note_signer_write(&f->key, &key);
	start_with(f, writer_view(&key), writer_view(&f->genesis));
	writer_free(&key);
	rig_hear(&f->rig, f->rig.sup, MSG_READY, &ready);
	compare(f, view_of(NULL, 0), false);
}

static void
stop(struct fixture *f)
{
	rig_say(f->rig.sup, MSG_STOP, &(struct msg_stop){ .grace_ms = 1000 });
	assert_int_equal(rig_wait(&f->rig), 0);
	rig_kill(&f->rig);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct person alice = people_make("alice@example.com", 1);
	struct genesis *g = people_genesis((const struct person *const[]){ &alice }, 1, 1);
	shift_us = mmap(NULL, sizeof *shift_us, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shift_us != MAP_FAILED);
	f->rig.sup = -1;
	f->edge[0] = f->edge[1] = f->control = f->warden = -1;
	scratch_open(&f->tmp);
	close(scratch_dir(&f->tmp, "audit"));
	f->key = people_log_key();
	f->m = merkle_new();
	writer_init(&f->genesis, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(g, &f->genesis), 0);
	free(g);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	rig_kill(&f->rig);
	hang_up(f);
	munmap((void *)(uintptr_t)shift_us, sizeof *shift_us);
	merkle_free(f->m);
	writer_free(&f->genesis);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

/* ---- speaking ---- */

static struct msg_append
an(enum entry_event ev, const char *msg)
{
	struct msg_append m = { .event = (uint16_t)ev, .severity = 6 };
	snprintf(m.out, sizeof m.out, "ok");
	snprintf(m.act, sizeof m.act, "alice@example.com");
	snprintf(m.obj, sizeof m.obj, "R-12");
	snprintf(m.msg, sizeof m.msg, "%s", msg);
	return m;
}

/* Appends and waits; its index, or the error. */
static int64_t
append(struct fixture *f, int chan, enum entry_event ev, const char *msg)
{
	struct msg_append m = an(ev, msg);
	struct msg_appended done;
	m.token = ++f->token;
	rig_say(chan, MSG_APPEND, &m);
	rig_hear(&f->rig, chan, MSG_APPENDED, &done);
	assert_int_equal(done.token, m.token);
	return done.err ? done.err : (int64_t)done.index;
}

/* The entry with a proof that holds against a checkpoint of this log's key. */
static void
proven(struct fixture *f, uint64_t index, struct writer *line)
{
	struct msg_proof *p = calloc(1, sizeof *p);
	struct writer store;
	struct receipt r;
	struct receipt_checked c;
	writer_init(&store, RECEIPT_EXTRA_MAX);
	rig_say(f->control, MSG_PROOF_ASK, &(struct msg_proof_ask){ .token = 9, .index = index });
	rig_hear(&f->rig, f->control, MSG_PROOF, p);
	assert_int_equal(p->err, 0);
	assert_int_equal(receipt_parse(view_str(p->receipt), &store, &r), 0);
	assert_int_equal(receipt_verify(f->m, &r, p->entry, NULL, &f->key.key, NULL, 0, &c), 0);
	assert_int_equal(c.outcome, RECEIPT_VERIFIED);
	assert_int_equal(r.index, index);
	writer_reset(line);
	writer_bytes(line, p->entry);
	writer_free(&store);
	free(p);
}

/* How many entries from that one on hold that text. */
static unsigned
holds_since(struct fixture *f, uint64_t from, const char *text)
{
	struct writer line;
	unsigned n = 0;
	uint64_t size = head(f, f->control).size;
	writer_init(&line, ENTRY_MAX);
	for (uint64_t i = from; i < size; i++) {
		proven(f, i, &line);
		n += memmem(line.p, line.n, text, strlen(text)) != NULL;
	}
	writer_free(&line);
	return n;
}

static struct msg_granted
grant(struct fixture *f, unsigned edge, uint8_t module, uint8_t release)
{
	struct msg_grant_append m = { .generation = 3, .grants_n = 1 };
	struct msg_grant_appended done;
	m.grants[0].token = ++f->token;
	memset(m.grants[0].module, module, MSG_ID);
	memset(m.grants[0].release, release, MSG_ID);
	rig_say(f->edge[edge], MSG_GRANT_APPEND, &m);
	rig_hear(&f->rig, f->edge[edge], MSG_GRANT_APPENDED, &done);
	assert_int_equal(done.granted_n, 1);
	assert_int_equal(done.granted[0].token, f->token);
	return done.granted[0];
}

/* ---- tests ---- */

static void
test_opens_with_genesis(void **state)
{
	struct fixture *f = *state;
	struct writer line;
	struct json *doc;
	struct entry e;
	writer_init(&line, ENTRY_MAX);
	start(f);
	struct msg_head h = head(f, f->warden);
	assert_int_equal(h.state, MSG_LOG_OPEN_OK);
	assert_int_equal(h.size, 2);
	assert_int_equal(h.published, 2);
	assert_true(h.checkpoint[0] != '\0');
	proven(f, 0, &line);
	assert_int_equal(entry_parse(writer_view(&line), &doc, &e, NULL), 0);
	assert_int_equal(e.ev, ENTRY_AUTHORITY_GENESIS);
	assert_true(view_equal(e.doc, writer_view(&f->genesis)));
	assert_true(view_is(e.src, "gw-abababab/audit"));
	json_free(doc);
	proven(f, 1, &line);
	assert_int_equal(entry_parse(writer_view(&line), &doc, &e, NULL), 0);
	assert_int_equal(e.ev, ENTRY_LOG_OPENED);
	json_free(doc);
	stop(f);
	start(f); /* genesis is written once */
	assert_int_equal(head(f, f->warden).size, 3);
	stop(f);
	writer_free(&line);
}

static void
test_acknowledged_is_durable(void **state)
{
	struct fixture *f = *state;
	struct writer line;
	struct json *doc;
	struct entry e;
	writer_init(&line, ENTRY_MAX);
	start(f);
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "first"), 2);
	assert_int_equal(append(f, f->warden, ENTRY_RELEASE_ISSUED, "second"), 3);
	assert_int_equal(append(f, f->edge[1], ENTRY_DEVICE_SERVED, "third"), 4);
	assert_int_equal(append(f, f->rig.sup, ENTRY_SVC_START, "fourth"), 5);
	kill(f->rig.pid, SIGKILL); /* no chance to tidy up */
	rig_wait(&f->rig);
	start(f);
	assert_int_equal(head(f, f->control).size, 7); /* and log.opened */
	static const struct {
		uint64_t at;
		const char *src, *msg;
	} want[] = { { 2, "gw-abababab/control", "first" }, { 3, "gw-abababab/warden", "second" },
		{ 4, "gw-abababab/edge1", "third" }, { 5, "gw-abababab/supervisor", "fourth" } };
	for (size_t i = 0; i < 4; i++) {
		proven(f, want[i].at, &line);
		assert_int_equal(entry_parse(writer_view(&line), &doc, &e, NULL), 0);
		assert_true(view_is(e.src, want[i].src)); /* by the channel, whatever the message says */
		assert_true(view_is(e.msg, want[i].msg));
		assert_int_equal(e.seq, want[i].at);
		json_free(doc);
	}
	writer_free(&line);
}

static void
test_rights(void **state)
{
	struct fixture *f = *state;
	start(f);
	assert_int_equal(append(f, f->control, ENTRY_RELEASE_ISSUED, "no"), FG_EPERM);
	assert_int_equal(append(f, f->control, ENTRY_DEVICE_GRANT, "no"), FG_EPERM);
	assert_int_equal(append(f, f->control, ENTRY_RESTRICT_RESUME, "no"), FG_EPERM);
	assert_int_equal(append(f, f->edge[0], ENTRY_APPROVAL_SIGNED, "no"), FG_EPERM);
	assert_int_equal(append(f, f->edge[0], ENTRY_DEVICE_GRANT, "no"), FG_EPERM);
	assert_int_equal(append(f, f->warden, ENTRY_AUTHORITY_GENESIS, "no"), FG_EPERM);
	assert_int_equal(append(f, f->rig.sup, ENTRY_LOG_OPENED, "no"), FG_EPERM);
	assert_int_equal(append(f, f->control, (enum entry_event)9999, "no"), FG_EPERM);
	assert_int_equal(append(f, f->control, ENTRY_EV_UNKNOWN, "no"), FG_EPERM);
	/* Only edges grant, only control reads: the wrong message ends the channel, not the log. */
	rig_say(f->control, MSG_GRANT_APPEND, &(struct msg_grant_append){ .grants_n = 0 });
	assert_false(rig_frame(&f->rig, f->control));
	rig_say(f->edge[0], MSG_HEAD_ASK, &(struct msg_head_ask){ .token = 1 });
	assert_false(rig_frame(&f->rig, f->edge[0]));
	assert_int_equal(head(f, f->warden).size, 2);
	/* What no entry may hold is refused, and the log goes on. */
	assert_int_equal(append(f, f->warden, ENTRY_RELEASE_ISSUED, "\x1b[2J"), FG_EINVAL);
	assert_int_equal(append(f, f->warden, ENTRY_RELEASE_ISSUED, "fine"), 2);
	stop(f);
}

static void
test_grants(void **state)
{
	struct fixture *f = *state;
	struct writer line;
	struct json *doc;
	struct entry e;
	writer_init(&line, ENTRY_MAX);
	start(f);
	struct msg_granted one = grant(f, 0, 1, 2);
	assert_int_equal(one.err, 0);
	assert_int_equal(one.index, 2);
	assert_int_equal(grant(f, 0, 1, 2).index, 2); /* again: the same entry */
	assert_int_equal(grant(f, 1, 1, 2).index, 2); /* through another edge too */
	assert_int_equal(grant(f, 1, 1, 3).index, 3);
	assert_int_equal(grant(f, 0, 2, 2).index, 4);
	assert_int_equal(head(f, f->control).size, 5);
	proven(f, 2, &line);
	assert_int_equal(entry_parse(writer_view(&line), &doc, &e, NULL), 0);
	assert_int_equal(e.ev, ENTRY_DEVICE_GRANT);
	assert_true(view_is(e.obj, "release:02020202020202020202020202020202"));
	assert_true(view_is(e.src, "gw-abababab/edge0"));
	assert_int_equal(e.dev[15], 1);
	json_free(doc);
	kill(f->rig.pid, SIGKILL);
	rig_wait(&f->rig);
	start(f);
	assert_int_equal(grant(f, 0, 1, 2).index, 2); /* remembered from the log */
	assert_int_equal(grant(f, 0, 1, 3).index, 3);
	assert_int_equal(grant(f, 0, 9, 9).index, 6);
	stop(f);
	start(f); /* and from the bundles */
	assert_int_equal(grant(f, 1, 9, 9).index, 6);
	assert_int_equal(grant(f, 1, 2, 2).index, 4);
	writer_free(&line);
}

/* Many in flight from two edges, the same pairs from both: each pair is one entry, each token one answer. */
static void
test_grants_in_crowds(void **state)
{
	struct fixture *f = *state;
	enum { MESSAGES = 313, ALL = MESSAGES * MSG_GRANTS_MAX }; /* 10,016 modules */
	static uint64_t index[2][ALL];
	static bool seen[ALL + 16];
	start(f);
	for (unsigned i = 0; i < MESSAGES; i++) {
		struct msg_grant_append m = { .generation = 1, .grants_n = MSG_GRANTS_MAX };
		for (unsigned e = 0; e < 2; e++) {
			for (unsigned k = 0; k < MSG_GRANTS_MAX; k++) {
				uint32_t n = i * MSG_GRANTS_MAX + k;
				m.grants[k].token = n + 1;
				memcpy(m.grants[k].module, &n, sizeof n);
			}
			struct pollfd p = { .fd = f->edge[e], .events = POLLOUT };
			assert_int_equal(poll(&p, 1, RIG_PATIENCE_MS), 1);
			rig_say(f->edge[e], MSG_GRANT_APPEND, &m);
		}
	}
	memset(index, 0, sizeof index);
	memset(seen, 0, sizeof seen);
	for (unsigned e = 0; e < 2; e++) {
		for (unsigned got = 0; got < ALL;) {
			struct msg_grant_appended done;
			rig_hear(&f->rig, f->edge[e], MSG_GRANT_APPENDED, &done);
			for (unsigned k = 0; k < done.granted_n; k++, got++) {
				const struct msg_granted *g = &done.granted[k];
				assert_int_equal(g->err, 0);
				assert_in_range(g->token, 1, ALL);
				assert_int_equal(index[e][g->token - 1], 0);
				index[e][g->token - 1] = g->index;
			}
		}
	}
	for (unsigned i = 0; i < ALL; i++) {
		assert_int_equal(index[0][i], index[1][i]);
		assert_in_range(index[0][i], 2, ALL + 1);
		assert_false(seen[index[0][i]]);
		seen[index[0][i]] = true;
	}
	assert_int_equal(head(f, f->warden).size, ALL + 2);
	stop(f);
}

/* More than a batch holds, large ones among them; an edge that goes away while answers are owed. */
static void
test_full_batches(void **state)
{
	struct fixture *f = *state;
	static char doc[40000];
	memset(doc, 'x', sizeof doc);
	start(f);
	struct msg_append m = an(ENTRY_REVIEW_OPENED, "many");
	uint64_t sent = 0, got = 0;
	m.doc = view_of(doc, sizeof doc);
	while (got < 200) {
		struct pollfd p = { .fd = f->control, .events = POLLIN };
		m.token = sent + 1;
		if (sent < 200 && msg_send(f->control, MSG_APPEND, &m, NULL, 0) == 0)
			sent++;
		else
			assert_int_equal(poll(&p, 1, RIG_PATIENCE_MS), 1);
		while (poll(&p, 1, 0) == 1) {
			struct msg_appended done;
			rig_hear(&f->rig, f->control, MSG_APPENDED, &done);
			assert_int_equal(done.err, 0);
			assert_int_equal(done.token, ++got);
			assert_int_equal(done.index, got + 1);
		}
	}
	struct msg_grant_append g = { .grants_n = MSG_GRANTS_MAX };
	for (unsigned i = 0; i < MSG_GRANTS_MAX; i++)
		g.grants[i].module[0] = (uint8_t)i;
	rig_say(f->edge[0], MSG_GRANT_APPEND, &g);
	cut(&f->edge[0]);
	assert_int_equal(append(f, f->warden, ENTRY_RELEASE_ISSUED, "still here") >= 202, 1);
	stop(f);
	start(f);
	assert_true(head(f, f->control).size >= 203);
}

static void
test_reading(void **state)
{
	struct fixture *f = *state;
	struct msg_root root;
	struct msg_log_opened opened;
	struct msg_proof *p = calloc(1, sizeof *p);
	start(f);
	append(f, f->control, ENTRY_REVIEW_OPENED, "one");
	struct msg_head h = head(f, f->control);
	rig_say(f->warden, MSG_ROOT_ASK, &(struct msg_root_ask){ .token = 8, .size = h.size });
	rig_hear(&f->rig, f->warden, MSG_ROOT, &root);
	assert_int_equal(root.err, 0);
	assert_memory_equal(root.root, h.root, 32);
	rig_say(f->warden, MSG_ROOT_ASK, &(struct msg_root_ask){ .token = 8, .size = h.size + 1 });
	rig_hear(&f->rig, f->warden, MSG_ROOT, &root);
	assert_int_equal(root.err, FG_ENOTFOUND);
	rig_say(f->control, MSG_PROOF_ASK, &(struct msg_proof_ask){ .token = 8, .index = h.size });
	rig_hear(&f->rig, f->control, MSG_PROOF, p);
	assert_int_equal(p->err, FG_ENOTFOUND);
	struct msg_log_open o = { .token = 4, .name = "checkpoint" };
	rig_say(f->control, MSG_LOG_OPEN, &o);
	rig_hear(&f->rig, f->control, MSG_LOG_OPENED, &opened);
	assert_int_equal(opened.err, 0);
	assert_int_equal(f->rig.frame.fds_n, 1);
	assert_int_equal(fcntl(f->rig.frame.fds[0], F_GETFL) & O_ACCMODE, O_RDONLY);
	wire_close_fds(&f->rig.frame);
	static const char *const bad[] = { "../wal/00000000000000000000.seg", "/etc/passwd", "" };
	for (size_t i = 0; i < 3; i++) {
		snprintf(o.name, sizeof o.name, "%s", bad[i]);
		rig_say(f->control, MSG_LOG_OPEN, &o);
		rig_hear(&f->rig, f->control, MSG_LOG_OPENED, &opened);
		assert_int_equal(opened.err, FG_EINVAL);
		assert_int_equal(f->rig.frame.fds_n, 0);
	}
	/* A note without token is written and not answered. */
	struct msg_append m = an(ENTRY_REVIEW_OPENED, "silent");
	rig_say(f->control, MSG_APPEND, &m);
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "loud"), (int64_t)h.size + 1);
	free(p);
}

/* Another genesis beside the old log, with the same key and lower floors: nothing is permitted under it. */
static void
test_another_genesis(void **state)
{
	struct fixture *f = *state;
	struct person alice = people_make("alice@example.com", 1);
	struct genesis *g = people_genesis((const struct person *const[]){ &alice }, 1, 1);
	start(f);
	assert_true(append(f, f->control, ENTRY_REVIEW_OPENED, "one") > 0);
	stop(f);
	start(f);
	assert_int_equal(head(f, f->control).state, MSG_LOG_OPEN_OK);
	stop(f);
	g->canary_max = 1000000;
	writer_reset(&f->genesis);
	assert_int_equal(genesis_encode(g, &f->genesis), 0);
	free(g);
	start(f);
	assert_int_equal(head(f, f->control).state, MSG_LOG_TAMPERED);
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "two"), FG_EIO);
	assert_int_equal(grant(f, 0, 1, 1).err, FG_EIO);
	stop(f);
}

/* A log that does not hold: shown, and nothing is permitted; the role lives on to say so. */
static void
test_tampered(void **state)
{
	struct fixture *f = *state;
	start(f);
	append(f, f->control, ENTRY_REVIEW_OPENED, "one");
	assert_int_equal(grant(f, 0, 1, 1).err, 0);
	stop(f);
	assert_true(scratch_flip(scratch_path(&f->tmp, "audit/log/tile/entries/000.p/4"), 100, 1));
	start(f);
	assert_int_equal(head(f, f->control).state, MSG_LOG_TAMPERED);
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "two"), FG_EIO);
	assert_int_equal(grant(f, 0, 5, 5).err, FG_EIO);
	assert_int_equal(grant(f, 0, 1, 1).err, FG_EIO); /* the old one, too */
	assert_int_equal(append(f, f->rig.sup, ENTRY_SVC_START, "x"), FG_EIO);
	assert_int_equal(head(f, f->warden).state, MSG_LOG_TAMPERED);
	stop(f);
	/* Once condemned it stays so, also when the bytes are what they were. */
	assert_true(scratch_flip(scratch_path(&f->tmp, "audit/log/tile/entries/000.p/4"), 100, 1));
	start(f);
	assert_int_equal(head(f, f->control).state, MSG_LOG_TAMPERED);
	stop(f);
}

/*
 * A taken-over edge floods: what it tells is counted, what it waits for waits, and
 * everybody else is served meanwhile.
 */
static void
test_flood(void **state)
{
	enum { BURST = 20000, MANY = 30000 };
	struct fixture *f = *state;
	struct msg_append m = an(ENTRY_DEVICE_SERVED, "again");
	start(f);
	uint64_t before = head(f, f->control).size;
	for (unsigned i = 0; i < MANY; i++) {
		struct pollfd p = { .fd = f->edge[0], .events = POLLOUT };
		while (msg_send(f->edge[0], MSG_APPEND, &m, NULL, 0))
			assert_int_equal(poll(&p, 1, RIG_PATIENCE_MS), 1);
	}
	assert_true(append(f, f->control, ENTRY_REVIEW_OPENED, "in between") > 0);
	m.token = 1; /* to know that all were read */
	struct msg_appended done;
	rig_say(f->edge[0], MSG_APPEND, &m);
	rig_hear(&f->rig, f->edge[0], MSG_APPENDED, &done);
	uint64_t size = head(f, f->control).size;
	assert_true(size >= before + BURST && size < before + BURST + MANY / 4);
	assert_int_equal(append(f, f->edge[1], ENTRY_DEVICE_SERVED, "mine"), (int64_t)size);
	/* With documents, and waited for: the channel comes to rest, and only that one. */
	static char doc[40000];
	memset(doc, 'x', sizeof doc);
	m.doc = view_of(doc, sizeof doc);
	unsigned taken = 0;
	for (unsigned full = 0; full < 20;) {
		struct pollfd p = { .fd = f->edge[0], .events = POLLIN };
		if (msg_send(f->edge[0], MSG_APPEND, &m, NULL, 0)) {
			full++;
			poll(&p, 1, 10);
		}
		while (poll(&p, 1, 0) == 1 && rig_frame(&f->rig, f->edge[0]))
			taken++;
	}
	assert_true(taken <= 2 * BURST / 79); /* 79 tokens each */
	assert_true(append(f, f->warden, ENTRY_RELEASE_ISSUED, "not starved") > 0);
	assert_int_equal(grant(f, 1, 7, 7).err, 0);
	/* The count is written at the end at the latest. */
	stop(f);
	start(f);
	assert_int_equal(holds_since(f, size, "\"log.flood\""), 1);
	assert_int_equal(holds_since(f, size, "\"event\":\"device.served\""), 1);
	stop(f);
}

/* ---- the warden as witness ---- */

/* Starts up to where the warden is asked what it remembers; nobody else is listened to until it has answered. */
static uint64_t
start_held(struct fixture *f)
{
	struct msg_ready ready;
	struct msg_cosign_ask ask;
	struct writer key;
	writer_init(&key, 1024);
	note_signer_write(&f->key, &key);
	start_with(f, writer_view(&key), writer_view(&f->genesis));
	writer_free(&key);
	struct msg_head floor;
	rig_hear(&f->rig, f->rig.sup, MSG_READY, &ready);
	rig_hear(&f->rig, f->warden, MSG_HEAD, &floor); /* unasked */
	rig_hear(&f->rig, f->warden, MSG_COSIGN_ASK, &ask);
	assert_int_equal(ask.request.n, 0);
	return ask.token;
}

static uint8_t *
checkpoint_file(const struct fixture *f, size_t *ret_n)
{
	uint8_t *p = scratch_read(scratch_path(&f->tmp, "audit/log/checkpoint"), ret_n);
	assert_non_null(p);
	return p;
}

/* Control asks how far it can read: what is durable, once it is a moment old. At most one of three has a tick to thank. */
static void
test_a_reader_waits_for_no_tick(void **state)
{
	struct fixture *f = *state;
	const struct timespec moment = { .tv_nsec = 250000000 };
	start(f);
	for (unsigned i = 0; i < 3; i++) {
		append(f, f->control, ENTRY_REVIEW_OPENED, "to be read");
		nanosleep(&moment, NULL);
		struct msg_head h = head(f, f->control);
		assert_int_equal(h.published, h.size);
	}
}

static void
test_nothing_before_the_comparison(void **state)
{
	struct fixture *f = *state;
	struct msg_append m = an(ENTRY_REVIEW_OPENED, "early");
	struct msg_appended done;
	struct msg_grant_appended granted;
	struct msg_append sup = an(ENTRY_SVC_START, "supervisor's");
	uint64_t token = start_held(f);
	m.token = 71;
	sup.token = 72;
	rig_say(f->control, MSG_APPEND, &m);
	rig_say(f->rig.sup, MSG_APPEND, &sup);
	rig_say(f->edge[0], MSG_GRANT_APPEND,
	    &(struct msg_grant_append){ .grants_n = 1, .grants = { { 73, { 1 }, { 2 } } } });
	assert_true(rig_silent(f->control)); /* a moment for all three */
	struct pollfd others[2] = { { .fd = f->edge[0], .events = POLLIN }, { .fd = f->rig.sup, .events = POLLIN } };
	assert_int_equal(poll(others, 2, 0), 0);
	size_t n;
	assert_null(scratch_read(scratch_path(&f->tmp, "audit/log/checkpoint"), &n)); /* nothing was signed */
	assert_int_equal(head(f, f->warden).state, MSG_LOG_UNKNOWN);
	assert_int_equal(append(f, f->warden, ENTRY_RELEASE_ISSUED, "early"), FG_EIO);
	cosigned(f, token, 0, WITNESS_UNKNOWN, view_of(NULL, 0), "");
	/* All of it happens now, behind the log's own first lines. */
	rig_hear(&f->rig, f->rig.sup, MSG_APPENDED, &done);
	assert_true(done.token == 72 && done.err == 0 && done.index == 2);
	rig_hear(&f->rig, f->control, MSG_APPENDED, &done);
	assert_true(done.token == 71 && done.err == 0 && done.index > 2);
	rig_hear(&f->rig, f->edge[0], MSG_GRANT_APPENDED, &granted);
	assert_true(granted.granted[0].err == 0 && granted.granted[0].index > 2);
}

static void
test_rolled_back_behind_the_warden(void **state)
{
	struct fixture *f = *state;
	size_t n;
	start(f);
	append(f, f->control, ENTRY_REVIEW_OPENED, "one");
	stop(f);
	scratch_copy(scratch_path(&f->tmp, "audit"), scratch_path(&f->tmp, "copy"));
	start(f);
	append(f, f->control, ENTRY_REVIEW_OPENED, "two");
	append(f, f->control, ENTRY_REVIEW_OPENED, "three");
	stop(f);
	uint8_t *note = checkpoint_file(f, &n);
	/* The disk as it was before. */
	assert_int_equal(rename(scratch_path(&f->tmp, "audit"), scratch_path(&f->tmp, "later")), 0);
	assert_int_equal(rename(scratch_path(&f->tmp, "copy"), scratch_path(&f->tmp, "audit")), 0);
	uint64_t token = start_held(f);
	cosigned(f, token, 0, WITNESS_UNKNOWN, view_of(note, n), "");
	struct msg_head h = head(f, f->control);
	assert_int_equal(h.state, MSG_LOG_ROLLED_BACK);
	assert_int_equal(h.size, 3); /* not even log.opened */
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "no"), FG_EIO);
	assert_int_equal(grant(f, 0, 5, 5).err, FG_EIO);
	stop(f);
	start(f); /* and it stays so, whatever the warden says then */
	assert_int_equal(head(f, f->control).state, MSG_LOG_ROLLED_BACK);
	stop(f);
	free(note);
}

static void
test_another_tree(void **state)
{
	struct fixture *f = *state;
	struct checkpoint c = { .size = 2 };
	struct writer note;
	start(f);
	append(f, f->control, ENTRY_REVIEW_OPENED, "one");
	stop(f);
	writer_init(&note, NOTE_SIZE_MAX);
	snprintf(c.origin, sizeof c.origin, "%s", f->key.key.name);
	memset(c.root, 0x77, sizeof c.root);
	assert_int_equal(checkpoint_sign(&c, &f->key, &note), 0);
	/* Signed by somebody else: no proof of anything, and no comparison. */
	struct note_signer other;
	struct writer foreign;
	writer_init(&foreign, NOTE_SIZE_MAX);
	assert_int_equal(note_signer_generate(c.origin, NOTE_TYPE_ED25519, &other), 0);
	assert_int_equal(checkpoint_sign(&c, &other, &foreign), 0);
	uint64_t token = start_held(f);
	cosigned(f, token, 0, WITNESS_UNKNOWN, writer_view(&foreign), "");
	assert_int_equal(head(f, f->warden).state, MSG_LOG_UNKNOWN);
	token = start_held(f);
	cosigned(f, token, FG_EIO, WITNESS_UNKNOWN, view_of(NULL, 0), "");
	assert_int_equal(head(f, f->warden).state, MSG_LOG_UNKNOWN);
	/* A warden that comes again is asked again. */
	cut(&f->warden);
	f->warden = rig_peer(&f->rig, MSG_ROLE_WARDEN, 0);
	compare(f, writer_view(&note), true);
	assert_int_equal(head(f, f->control).state, MSG_LOG_TAMPERED);
	assert_int_equal(head(f, f->control).size, 3);
	stop(f);
	/* Condemned already; a repair has to reach as far as the warden remembers all the same. */
	struct condemned marker;
	int dir = scratch_dir(&f->tmp, "audit");
	c.size = 90;
	writer_reset(&note);
	assert_int_equal(checkpoint_sign(&c, &f->key, &note), 0);
	token = start_held(f);
	cosigned(f, token, 0, WITNESS_UNKNOWN, writer_view(&note), "");
	assert_int_equal(head(f, f->control).state, MSG_LOG_TAMPERED);
	assert_int_equal(condemned_read(dir, &marker), 0);
	assert_int_equal(marker.state, MSG_LOG_TAMPERED);
	assert_int_equal(marker.known, 90);
	close(dir);
	stop(f);
	writer_free(&note);
	writer_free(&foreign);
}

/* The line under a checkpoint is the warden's over just that checkpoint; a new one begins without. */
static void
test_lines(void **state)
{
	struct fixture *f = *state;
	struct note_signer w;
	struct msg_cosign_ask ask;
	struct witness_request r;
	struct witness_memory memory = { 0 };
	struct checkpoint_opened o;
	assert_int_equal(note_signer_generate("gw/warden", NOTE_TYPE_COSIGNATURE, &w), 0);
	uint64_t token = start_held(f);
	cosigned(f, token, 0, WITNESS_UNKNOWN, view_of(NULL, 0), "");
	for (unsigned i = 0; i < 2; i++) { /* the first of all, and one that extends it */
		struct witness_verdict v;
		struct writer line;
		uint8_t body[MSG_COSIGN_MAX]; /* the next message overwrites the one asked with */
		rig_hear(&f->rig, f->warden, MSG_COSIGN_ASK, &ask);
		memcpy(body, ask.request.p, ask.request.n);
		assert_int_equal(witness_request_parse(view_of(body, ask.request.n), &r), 0);
		assert_int_equal(r.old, memory.size);
		assert_int_equal(witness_judge(f->m, &r, &f->key.key, &memory, &v), 0);
		assert_int_equal(v.outcome, WITNESS_COSIGN);
		memory.size = v.head.size;
		memcpy(memory.root, v.head.root, sizeof memory.root);
		struct msg_head h = head(f, f->control);
		assert_int_equal(checkpoint_open(view_str(h.checkpoint), NULL, &f->key.key, &w.key, 1, 0, &o), 0);
		assert_int_equal(o.outcome, CHECKPOINT_VERIFIED);
		assert_false(o.witnessed[0]);
		writer_init(&line, 512);
		assert_int_equal(note_cosign(v.text, &w, 1767225600 + i, &line), 0);
		writer_u8(&line, 0);
		cosigned(f, ask.token, 0, WITNESS_COSIGN, view_of(NULL, 0), (const char *)line.p);
		writer_free(&line);
		h = head(f, f->warden); /* behind the answer on that channel */
		assert_int_equal(h.witnessed, memory.size);
		assert_int_equal(checkpoint_open(view_str(h.checkpoint), NULL, &f->key.key, &w.key, 1, 0, &o), 0);
		assert_int_equal(o.outcome, CHECKPOINT_VERIFIED);
		assert_true(o.witnessed[0] && o.witnessed_at[0] == 1767225600 + i);
		size_t n;
		uint8_t *file = checkpoint_file(f, &n);
		assert_true(view_is(view_of(file, n), h.checkpoint));
		free(file);
		assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "more"), 2 + i);
	}
	/* A warden that forgot, and says so with a checkpoint that fits, is asked from there. */
	rig_hear(&f->rig, f->warden, MSG_COSIGN_ASK, &ask);
	assert_int_equal(witness_request_parse(ask.request, &r), 0);
	struct view whole = r.checkpoint;
	uint8_t *copy = malloc(whole.n);
	memcpy(copy, whole.p, whole.n);
	cosigned(f, ask.token, 0, WITNESS_CONFLICT, view_of(copy, whole.n), "");
	rig_hear(&f->rig, f->warden, MSG_COSIGN_ASK, &ask);
	assert_int_equal(witness_request_parse(ask.request, &r), 0);
	assert_int_equal(r.old, memory.size + 1);
	cosigned(f, ask.token, 0, WITNESS_BAD_PROOF, view_of(copy, whole.n), ""); /* no to what fits: not asked for ever */
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "goes on"), 4);
	assert_int_equal(head(f, f->warden).state, MSG_LOG_OPEN_OK);
	free(copy);
}

/* What cannot be a witness's line, or would take the log's own signature away, is not put there. */
static void
test_lines_that_are_none(void **state)
{
	struct fixture *f = *state;
	struct msg_cosign_ask ask;
	struct checkpoint_opened o;
	char name[NOTE_NAME_MAX + 1], rows[6][512];
	snprintf(name, sizeof name, "%s", f->key.key.name);
	const char *good = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	snprintf(rows[0], sizeof rows[0], "\xe2\x80\x94 %s %s\n", name, good);
	snprintf(rows[1], sizeof rows[1], "\xe2\x80\x94 gw/warden %s", good);
	snprintf(rows[2], sizeof rows[2], "\xe2\x80\x94 gw/warden %s\n\xe2\x80\x94 more %s\n", good, good);
	snprintf(rows[3], sizeof rows[3], "x gw/warden %s\n", good);
	snprintf(rows[4], sizeof rows[4], "\xe2\x80\x94 gw/warden not-base64\n");
	snprintf(rows[5], sizeof rows[5], "\xe2\x80\x94 gw/warden %s\n", good);
	for (unsigned i = 0; i < 6; i++) {
		/* Each start writes a line of its own, publishes and asks: the next tick need not be waited for. */
		uint64_t token = start_held(f);
		cosigned(f, token, 0, WITNESS_UNKNOWN, view_of(NULL, 0), "");
		rig_hear(&f->rig, f->warden, MSG_COSIGN_ASK, &ask);
		struct msg_head before = head(f, f->control);
		char was[MSG_CHECKPOINT_MAX];
		snprintf(was, sizeof was, "%s", before.checkpoint);
		cosigned(f, ask.token, 0, WITNESS_COSIGN, view_of(NULL, 0), rows[i]);
		struct msg_head h = head(f, f->warden);
		assert_int_equal(checkpoint_open(view_str(h.checkpoint), NULL, &f->key.key, NULL, 0, 0, &o), 0);
		assert_int_equal(o.outcome, CHECKPOINT_VERIFIED);
		if ((strcmp(h.checkpoint, was) == 0) != (i < 5))
			fail_msg("line %u", i);
		assert_true(append(f, f->control, ENTRY_REVIEW_OPENED, "more") > 0);
		stop(f);
	}
	start(f);
	assert_int_equal(head(f, f->control).state, MSG_LOG_OPEN_OK);
}

/* ---- witnesses elsewhere ---- */

static void
write_policy(struct fixture *f, const char *text)
{
	close(scratch_dir(&f->tmp, "authority"));
	FILE *file = fopen(scratch_path(&f->tmp, "authority/witnesses"), "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
quorum_of_two(struct fixture *f, const struct note_signer w[3])
{
	char text[4096], log[256], vkey[3][256];
	struct writer out;
	for (unsigned i = 0; i < 4; i++) {
		writer_init(&out, sizeof log);
		note_key_write(i < 3 ? &w[i].key : &f->key.key, &out);
		snprintf(i < 3 ? vkey[i] : log, sizeof log, "%.*s", (int)out.n, (const char *)out.p);
		writer_free(&out);
	}
	snprintf(text, sizeof text, "log %s\nwitness a %s\nwitness b %s\nwitness c %s\ngroup g 2 a b c\nquorum g\n", log,
	    vkey[0], vkey[1], vkey[2]);
	write_policy(f, text);
}

/* What audit says to that line of a witness; over its checkpoint, or another text. */
static int
said(struct fixture *f, const char *name, const struct note_signer *w, uint64_t time, const char *text)
{
	struct msg_witness_said m = { .token = ++f->token };
	struct msg_witness_taken taken;
	struct writer line;
	struct msg_head h = head(f, f->control);
	const char *end = strstr(h.checkpoint, "\n\n");
	assert_non_null(end);
	writer_init(&line, sizeof m.line - 1);
	assert_int_equal(note_cosign(text ? view_str(text) : view_of(h.checkpoint, (size_t)(end + 1 - h.checkpoint)), w, time,
	    &line), 0);
	snprintf(m.name, sizeof m.name, "%s", name);
	snprintf(m.line, sizeof m.line, "%.*s", (int)line.n, (const char *)line.p);
	writer_free(&line);
	rig_say(f->control, MSG_WITNESS_SAID, &m);
	rig_hear(&f->rig, f->control, MSG_WITNESS_TAKEN, &taken);
	assert_int_equal(taken.token, m.token);
	assert_true(taken.err || taken.size);
	return taken.err;
}

static void
test_waits_for_the_quorum(void **state)
{
	struct fixture *f = *state;
	struct note_signer w[3], stranger;
	struct msg_append sup = an(ENTRY_SVC_START, "supervisor's");
	struct msg_appended done;
	struct msg_root root;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(note_signer_generate((const char *[]){ "w.a", "w.b", "w.c" }[i], NOTE_TYPE_COSIGNATURE, &w[i]), 0);
	assert_int_equal(note_signer_generate("w.a", NOTE_TYPE_COSIGNATURE, &stranger), 0);
	quorum_of_two(f, w);
	start(f); /* a new log waits for nobody */
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "one"), 2);
	uint64_t now = (uint64_t)time(NULL);
	assert_int_equal(said(f, "a", &w[0], now - 1000, NULL), 0);
	assert_int_equal(head(f, f->control).remote_size, 0);
	stop(f);
	size_t n, again_n;
	uint8_t *note = checkpoint_file(f, &n);

	start(f);
	struct msg_head h = head(f, f->control);
	assert_int_equal(h.state, MSG_LOG_WAITING);
	assert_int_equal(h.remotes, 3);
	uint64_t size = h.size;
	/* Nothing is appended, granted or signed; what is there can be read. */
	sup.token = 72;
	rig_say(f->rig.sup, MSG_APPEND, &sup);
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "no"), FG_EAGAIN);
	assert_int_equal(append(f, f->warden, ENTRY_RELEASE_ISSUED, "no"), FG_EAGAIN);
	assert_int_equal(grant(f, 0, 5, 5).err, FG_EIO);
	rig_say(f->control, MSG_ROOT_ASK, &(struct msg_root_ask){ .token = 3, .size = 2 });
	rig_hear(&f->rig, f->control, MSG_ROOT, &root);
	assert_int_equal(root.err, 0);
	/* None of these is a comparison made now. */
	now = (uint64_t)time(NULL);
	assert_int_equal(said(f, "a", &w[0], now - 600, NULL), FG_ESTATE);  /* a line kept from another day */
	assert_int_equal(said(f, "a", &w[0], now + 6000, NULL), FG_ESTATE); /* or made to be kept */
	assert_int_equal(said(f, "a", &stranger, now, NULL), FG_EPERM);
	assert_int_equal(said(f, "a", &w[1], now, NULL), FG_EPERM);
	assert_int_equal(said(f, "d", &w[0], now, NULL), FG_ENOTFOUND);
	assert_int_equal(said(f, "a", &w[0], now, "another.example\n3\nAAAA\n"), FG_EPERM);
	uint8_t *again = checkpoint_file(f, &again_n);
	assert_true(view_equal(view_of(note, n), view_of(again, again_n)));
	free(again);
	/* One of two, twice: still one. */
	assert_int_equal(said(f, "a", &w[0], now + 1, NULL), 0);
	assert_int_equal(said(f, "a", &w[0], now + 2, NULL), 0);
	assert_int_equal(head(f, f->control).state, MSG_LOG_WAITING);
	assert_true(rig_silent(f->rig.sup));
	assert_int_equal(head(f, f->control).size, size);
	assert_int_equal(said(f, "c", &w[2], now + 1, NULL), 0);
	h = head(f, f->control);
	assert_int_equal(h.state, MSG_LOG_OPEN_OK);
	assert_int_equal(h.remote_size, size);
	rig_hear(&f->rig, f->rig.sup, MSG_APPENDED, &done);
	assert_true(done.token == 72 && done.err == 0 && done.index > size);
	assert_true(append(f, f->control, ENTRY_REVIEW_OPENED, "yes") > 0);
	assert_int_equal(holds_since(f, size, "\"log.witnessed\""), 2);
	assert_int_equal(said(f, "b", &w[1], now, NULL), 0);
	assert_int_equal(said(f, "a", &w[0], now + 3, NULL), 0);
	assert_int_equal(holds_since(f, size, "\"log.witnessed\""), 3); /* once, not at every line */
	stop(f);
	free(note);
}

static void
test_policies_that_stop_a_start(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = { "", "quorum none\n", "quorum w\n", "nonsense\n" };
	struct writer key;
	writer_init(&key, 1024);
	note_signer_write(&f->key, &key);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		write_policy(f, bad[i]);
		start_with(f, writer_view(&key), writer_view(&f->genesis));
		assert_int_equal(rig_wait(&f->rig), ROLE_EXIT_FAILED);
	}
	assert_int_equal(unlink(scratch_path(&f->tmp, "authority/witnesses")), 0);
	/* What can be no file of words is no policy either. */
	assert_int_equal(symlink("nowhere", scratch_path(&f->tmp, "authority/witnesses")), 0);
	start_with(f, writer_view(&key), writer_view(&f->genesis));
	assert_int_equal(rig_wait(&f->rig), ROLE_EXIT_FAILED);
	assert_int_equal(unlink(scratch_path(&f->tmp, "authority/witnesses")), 0);
	assert_int_equal(access(scratch_path(&f->tmp, "audit/log/checkpoint"), F_OK), -1);
	start(f);
	assert_int_equal(head(f, f->control).remotes, 0);
	stop(f);
	writer_free(&key);
}

/* Condemned from outside the log: it can be read, and nothing is written or signed any more. */
static void
test_condemned(void **state)
{
	static const struct {
		enum msg_log_state state;
		const char *text;
	} rows[] = {
		{ MSG_LOG_CLONED, "fotagate-condemned 1\nstate cloned\nknown 0\nsince 1\nwhy two of them\n" },
		{ MSG_LOG_ROLLED_BACK, "fotagate-condemned 1\nstate rolled-back\nknown 90\nsince 1\nwhy shorter\n" },
		{ MSG_LOG_TAMPERED, "scribble" },
	};
	struct fixture *f = *state;
	struct writer line;
	writer_init(&line, ENTRY_MAX);
	start(f);
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "one"), 2);
	kill(f->rig.pid, SIGKILL); /* durable, and not yet signed */
	rig_wait(&f->rig);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *marker = scratch_path(&f->tmp, "audit/condemned");
		scratch_write(marker, rows[i].text, strlen(rows[i].text));
		start(f);
		struct msg_head h = head(f, f->warden);
		assert_int_equal(h.state, rows[i].state);
		assert_int_equal(h.size, 3);
		assert_int_equal(h.published, 2);
		assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "two"), FG_EIO);
		assert_int_equal(grant(f, 0, 5, 5).err, FG_EIO);
		proven(f, 0, &line);
		/* Neither a question nor the end of the process makes it sign. */
		struct msg_proof p;
		rig_say(f->control, MSG_PROOF_ASK, &(struct msg_proof_ask){ .token = 9, .index = 2 });
		rig_hear(&f->rig, f->control, MSG_PROOF, &p);
		assert_int_equal(p.err, FG_EIO);
		stop(f);
		start(f);
		assert_int_equal(head(f, f->control).published, 2);
		stop(f);
	}
	assert_int_equal(unlink(scratch_path(&f->tmp, "audit/condemned")), 0);
	start(f);
	assert_int_equal(head(f, f->control).state, MSG_LOG_OPEN_OK);
	assert_int_equal(head(f, f->control).published, 4);
	stop(f);
	writer_free(&line);
}

/* On other files or another machine nothing is appended or signed; what belongs here goes on. */
static void
test_cloned(void **state)
{
	struct fixture *f = *state;
	f->machine = 0x11;
	start(f);
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "one"), 2);
	stop(f);
	scratch_copy(scratch_path(&f->tmp, "audit"), scratch_path(&f->tmp, "copy"));
	start(f);
	assert_int_equal(head(f, f->control).state, MSG_LOG_OPEN_OK);
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "two"), 4);
	assert_int_equal(holds_since(f, 0, "log.recovered"), 0); /* a new log is bound without a word */
	stop(f);
	for (unsigned files = 0; files < 2; files++) {
		if (files) {
			assert_int_equal(rename(scratch_path(&f->tmp, "audit"), scratch_path(&f->tmp, "original")), 0);
			assert_int_equal(rename(scratch_path(&f->tmp, "copy"), scratch_path(&f->tmp, "audit")), 0);
		}
		f->machine = files ? 0x11 : 0x22;
		for (unsigned i = 0; i < 2; i++) {
			start(f);
			struct msg_head h = head(f, f->control);
			assert_int_equal(h.state, MSG_LOG_CLONED);
			assert_int_equal(h.size, files ? 3 : 5);
			assert_int_equal(h.published, h.size);
			assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "no"), FG_EIO);
			assert_int_equal(grant(f, 0, 5, 5).err, FG_EIO);
			stop(f);
			f->machine = 0x11; /* once seen, it stays */
		}
		assert_int_equal(unlink(scratch_path(&f->tmp, "audit/condemned")), 0);
	}
}

/* A log from before there were bindings gets one, once, and says so. */
static void
test_bound_late(void **state)
{
	struct fixture *f = *state;
	start(f);
	stop(f);
	assert_int_equal(unlink(scratch_path(&f->tmp, "audit/host")), 0);
	f->machine = 0x11;
	start(f);
	assert_int_equal(holds_since(f, 2, "machine-id 11111111"), 1);
	stop(f);
	start(f);
	assert_int_equal(holds_since(f, 2, "machine-id 11111111"), 1);
	stop(f);
}

static void
test_torn_tail_is_logged(void **state)
{
	struct fixture *f = *state;
	struct writer line;
	struct json *doc;
	struct entry e;
	start(f);
	append(f, f->control, ENTRY_REVIEW_OPENED, "one");
	stop(f);
	const char *segment = scratch_path(&f->tmp, "audit/wal/00000000000000000000.seg");
	size_t n = 0, used;
	uint8_t *p = scratch_read(segment, &n);
	for (used = n; !p[used - 1]; used--)
		;
	used = (used + 7) & ~(size_t)7;
	memcpy(p + used, "\x80\x00\x01\x00half a record", 17);
	scratch_write(segment, p, n);
	free(p);
	start(f);
	writer_init(&line, ENTRY_MAX);
	proven(f, 3, &line);
	assert_int_equal(entry_parse(writer_view(&line), &doc, &e, NULL), 0);
	assert_int_equal(e.ev, ENTRY_LOG_RECOVERED);
	json_free(doc);
	writer_free(&line);
}

static void
test_does_not_start(void **state)
{
	struct fixture *f = *state;
	struct note_signer other;
	struct writer key, own;
	writer_init(&key, 1024);
	writer_init(&own, 1024);
	assert_int_equal(note_signer_generate(PEOPLE_ORIGIN, NOTE_TYPE_ED25519, &other), 0);
	note_signer_write(&other, &key);
	note_signer_write(&f->key, &own);
	start_with(f, writer_view(&key), writer_view(&f->genesis)); /* genesis names another key */
	assert_int_equal(rig_wait(&f->rig), ROLE_EXIT_FAILED);
	start_with(f, view_of(NULL, 0), writer_view(&f->genesis));
	assert_int_equal(rig_wait(&f->rig), ROLE_EXIT_FAILED);
	start_with(f, writer_view(&own), view_of(NULL, 0));
	assert_int_equal(rig_wait(&f->rig), ROLE_EXIT_FAILED);
	start_with(f, writer_view(&own), view_str("{}"));
	assert_int_equal(rig_wait(&f->rig), ROLE_EXIT_FAILED);
	assert_int_equal(access(scratch_path(&f->tmp, "audit/log/checkpoint"), F_OK), -1);
	/* Two processes never have one log. */
	start(f);
	struct rig first = f->rig;
	f->rig.pid = 0;
	f->rig.sup = -1;
	start_with(f, writer_view(&own), writer_view(&f->genesis));
	assert_int_equal(rig_wait(&f->rig), ROLE_EXIT_FAILED);
	rig_kill(&first);
	writer_free(&key);
	writer_free(&own);
}

/* The head, if the role still lives to say it. */
static struct msg_head
head_or_end(struct fixture *f)
{
	struct msg_head h = { 0 };
	const struct msg_head_ask ask = { .token = 5 };
	if (msg_send(f->control, MSG_HEAD_ASK, &ask, NULL, 0) || !rig_frame(&f->rig, f->control))
		return h;
	assert_int_equal(msg_decode(&f->rig.frame, &h, sizeof h), 0);
	return h;
}

/* The disk is full in the middle of the work: what was acknowledged stays, what permits is refused. */
static void
test_full_disk(void **state)
{
	struct fixture *f = *state;
	if (mount("tmpfs", scratch_path(&f->tmp, "audit"), "tmpfs", 0, "size=18m"))
		skip();
	static char doc[3000]; /* a bundle of 256 has to fit the reserve */
	memset(doc, 'x', sizeof doc);
	start(f);
	assert_int_equal(grant(f, 0, 1, 1).err, 0);
	struct msg_append m = an(ENTRY_CONFIG_CHANGED, "many"); /* the supervisor has no quota */
	uint64_t acknowledged = 0;
	m.doc = view_of(doc, sizeof doc);
	for (;;) {
		struct msg_appended done;
		m.token++;
		if (msg_send(f->rig.sup, MSG_APPEND, &m, NULL, 0) || !rig_frame(&f->rig, f->rig.sup))
			break;
		assert_int_equal(msg_decode(&f->rig.frame, &done, sizeof done), 0);
		if (done.err) {
			assert_true(done.err == FG_EAGAIN || done.err == FG_EIO);
			break;
		}
		acknowledged = done.index;
	}
	/* It saw it coming, or a write failed and the process ends: then the next one knows. */
	if (head_or_end(f).state != MSG_LOG_FULL)
		assert_int_equal(rig_wait(&f->rig), ROLE_EXIT_FAILED);
	rig_kill(&f->rig);
	assert_true(acknowledged > 20);
	start(f);
	struct msg_head h = head(f, f->control);
	assert_int_equal(h.state, MSG_LOG_FULL);
	assert_true(h.size > acknowledged);
	/* What permits or only tells is not taken; what restricts is, from the reserve. */
	assert_int_equal(append(f, f->control, ENTRY_REVIEW_OPENED, "no"), FG_EAGAIN);
	assert_int_equal(append(f, f->warden, ENTRY_RELEASE_ISSUED, "no"), FG_EAGAIN);
	assert_int_equal(grant(f, 0, 5, 5).err, FG_EAGAIN);
	assert_int_equal(grant(f, 0, 1, 1).err, 0); /* an old one needs no room */
	for (unsigned i = 0; i < 100; i++) {
		assert_true(append(f, f->rig.sup, ENTRY_RESTRICT_HALT, "stop") > 0);
		assert_true(append(f, f->warden, ENTRY_RELEASE_REFUSED, "refused") > 0);
	}
	assert_true(append(f, f->control, ENTRY_APPROVAL_REVOKED, "revoked") > 0);
	stop(f);
	assert_int_equal(mount("tmpfs", scratch_path(&f->tmp, "audit"), "tmpfs", MS_REMOUNT, "size=60m"), 0);
	start(f);
	assert_int_equal(head(f, f->control).state, MSG_LOG_OPEN_OK);
	assert_true(append(f, f->control, ENTRY_REVIEW_OPENED, "yes") > 0);
	assert_true(holds_since(f, acknowledged, "\"disk.full\"") > 0);
	stop(f);
	hang_up(f);
	assert_int_equal(umount(scratch_path(&f->tmp, "audit")), 0);
}

/* A step of the clock does not carry the times of the log away, and nothing brings them back. */
static void
test_times_stay_and_never_go_back(void **state)
{
	const int64_t second = 1000000, year = 31536000 * second;
	struct fixture *f = *state;
	struct clock_source machine = clock_system();
	start(f);
	assert_true(append(f, f->control, ENTRY_REVIEW_OPENED, "before") > 0);
	int64_t t = head(f, f->control).last_us;
	assert_true(t <= clock_wall_us(&machine) && t > clock_wall_us(&machine) - 60 * second);
	*shift_us = year;
	assert_true(append(f, f->control, ENTRY_REVIEW_OPENED, "a step nobody has confirmed") > 0);
	int64_t stepped = head(f, f->control).last_us;
	assert_true(stepped >= t && stepped < t + 60 * second);
	/* The warden tells the base that people confirmed. */
	struct msg_clock m = { .state = MSG_CLOCK_SURE, .base_wall = clock_wall_us(&machine) + year,
		.base_boot = clock_mono_ms(&machine) * 1000 };
	rig_say(f->warden, MSG_CLOCK, &m);
	assert_true(head(f, f->warden).last_us == stepped); /* heard before the next one */
	assert_true(append(f, f->control, ENTRY_REVIEW_OPENED, "a year on") > 0);
	int64_t later = head(f, f->control).last_us;
	assert_true(later > t + year - 60 * second);
	*shift_us = 0;
	m.base_wall -= year;
	rig_say(f->warden, MSG_CLOCK, &m);
	assert_true(head(f, f->warden).last_us == later);
	assert_true(append(f, f->control, ENTRY_REVIEW_OPENED, "and back") > 0);
	assert_true(head(f, f->control).last_us == later);
	stop(f);
	start(f); /* the floor is read from the log */
	assert_true(head(f, f->control).last_us >= later);
	stop(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_opens_with_genesis, setup, teardown),
		cmocka_unit_test_setup_teardown(test_acknowledged_is_durable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times_stay_and_never_go_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grants, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grants_in_crowds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reading, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tampered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_reader_waits_for_no_tick, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_before_the_comparison, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rolled_back_behind_the_warden, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines_that_are_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_the_quorum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policies_that_stop_a_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_genesis, setup, teardown),
		cmocka_unit_test_setup_teardown(test_condemned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cloned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bound_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_tail_is_logged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_does_not_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
