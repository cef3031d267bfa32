/* SPDX-License-Identifier: Apache-2.0 */
/* Restrictions on their way to the warden. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/control_rig.h"
#include "unit/gateway/edge_sample.h"

struct warden {
	struct chan *chan;
	int fd;
};

static struct warden
warden_up(struct control *c)
{
	static const struct chan_ops none = { NULL, 0, NULL };
	struct warden w;
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	w.chan = chan_new(c->base, pair[0], &none, c);
	w.fd = pair[1];
	c->warden = w.chan;
	return w;
}

static void
warden_down(struct control *c, struct warden w)
{
	c->warden = NULL;
	chan_free(w.chan);
	close(w.fd);
}

static void
reject(struct control *c, uint8_t image)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	memset(sha256, image, sizeof sha256);
	releases_restrict(c->releases, MSG_RESTRICT_REJECT, sha256, NULL, "alice", "no", 7);
}

/* The next restriction it hears that it has not confirmed yet: of which image; 0: none. The token in *ret when given. */
static unsigned
heard(struct warden w, uint64_t *ret)
{
	struct msg_restrict m;
	struct wire_frame f;
	do {
		if (!loop_next(w.fd, MSG_RESTRICT, &m, &f))
			return 0;
	} while (m.again);
	if (ret)
		*ret = m.token;
	return m.image[0];
}

static void
confirm(struct control *c, uint64_t token, int err)
{
	releases_on_restricted(c->releases, &(struct msg_restricted){ .token = token, .err = err });
}

/* What one warden could not write down the next one must hear of, whatever was written after it. */
static void
test_releases_restriction_not_written_down_is_sent_again(void **state)
{
	struct control_rig *r = control_rig_new();
	struct control *c = &r->c;
	uint64_t first, second, third;
	(void)state;
	struct warden w = warden_up(c);
	reject(c, 1);
	reject(c, 2);
	reject(c, 3);
	assert_int_equal(heard(w, &first), 1);
	assert_int_equal(heard(w, &second), 2);
	assert_int_equal(heard(w, &third), 3);
	confirm(c, first, 0);
	confirm(c, second, FG_EIO);
	confirm(c, third, 0);
	warden_down(c, w);
	w = warden_up(c);
	releases_warden_up(c->releases);
	assert_int_equal(heard(w, &second), 2);
	assert_int_equal(heard(w, &third), 3);
	assert_int_equal(heard(w, NULL), 0);
	confirm(c, second, 0);
	confirm(c, third, 0);
	warden_down(c, w);
	w = warden_up(c);
	releases_warden_up(c->releases);
	assert_int_equal(heard(w, NULL), 0);
	warden_down(c, w);
	control_rig_free(r);
}

struct counted {
	const char *kind;
	unsigned n;
};

static int
count_incident(void *arg, const struct db_incident *i)
{
	struct counted *k = arg;
	k->n += strcmp(i->kind, k->kind) == 0 && strstr(i->detail, "had forgotten") != NULL;
	return 0;
}

static unsigned
see_incident(struct control *c, const char *kind)
{
	struct counted seen = { kind, 0 };
	assert_int_equal(db_incident_list(c->db, 0, 50, count_incident, &seen), 0);
	return seen.n;
}

/* What it has confirmed it hears of again, as the word of then; that it had forgotten one is for people to know. */
static void
test_releases_confirmed_restrictions_are_said_again(void **state)
{
	struct control_rig *r = control_rig_new();
	struct control *c = &r->c;
	struct msg_restrict m;
	struct wire_frame f;
	uint64_t first;
	(void)state;
	struct warden w = warden_up(c);
	reject(c, 1);
	assert_int_equal(heard(w, &first), 1);
	confirm(c, first, 0);
	warden_down(c, w);
	w = warden_up(c);
	releases_warden_up(c->releases);
	assert_true(loop_next(w.fd, MSG_RESTRICT, &m, &f));
	assert_true(m.again && m.image[0] == 1 && m.log_size == 7);
	releases_on_restricted(c->releases, &(struct msg_restricted){ .token = m.token });
	assert_int_equal(see_incident(c, "state"), 0);
	releases_on_restricted(c->releases, &(struct msg_restricted){ .token = m.token, .lost = true });
	assert_int_equal(see_incident(c, "state"), 1);
	/* Whoever says so without end is heard for a while. */
	for (unsigned i = 0; i < 40; i++)
		releases_on_restricted(c->releases, &(struct msg_restricted){ .token = m.token, .lost = true });
	assert_int_equal(see_incident(c, "state"), 16);
	warden_down(c, w);
	control_rig_free(r);
}

/* As the warden counts: all that would get the same image, and no release makes fewer than its own. */
static void
test_releases_of_one_image_add_up(void **state)
{
	static const struct {
		bool other, among;
		uint32_t own, due;
	} rows[] = {
		{ false, false, 5, 105 }, { false, true, 5, 100 }, { false, true, 200, 200 }, { true, false, 5, 5 },
		{ false, false, 0, 0 }, { false, true, 0, 0 }, { false, false, UINT32_MAX - 50, UINT32_MAX },
	};
	struct control_rig *r = control_rig_new();
	struct sample *s = sample_new(64, "EC25", "2.0"); /* for 100 */
	const struct approval_delta whole = { .made = APPROVAL_MADE_WHOLE };
	uint8_t another[DIGEST_SHA256_LEN] = { 1 };
	(void)state;
	r->c.edges = edges_new(&r->c);
	memcpy(s->r.terms.policy, policies_find(r->c.policies, "acme-rtr")->digest, DIGEST_SHA256_LEN);
	sample_seal(s);
	assert_int_equal(releases_take(r->c.releases, s->id, writer_view(&s->record)), 0);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(releases_modules_with(r->c.releases, rows[i].other ? another : s->r.terms.image, &whole,
		    rows[i].own, rows[i].among), rows[i].due);
	edges_free(r->c.edges);
	sample_free(s);
	control_rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_releases_restriction_not_written_down_is_sent_again),
		cmocka_unit_test(test_releases_confirmed_restrictions_are_said_again),
		cmocka_unit_test(test_releases_of_one_image_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
