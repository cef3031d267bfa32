/* SPDX-License-Identifier: Apache-2.0 */
/* SSH signatures and keys: armour, blob, verification, public key lines. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sshsig.h"

/* What the seeds sign. */
#define NAMESPACE "fotagate-approval@v1"
#define MESSAGE "{\"_type\":\"https://in-toto.io/Statement/v1\"}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
blobs(struct view in)
{
	struct sshsig sig;
	struct sshsig_evidence e;
	const char *why = NULL;
	if (sshsig_parse(in, &sig, &why) != 0) {
		must(why != NULL);
		return;
	}
	const struct sshsig_rules rules = { .namespace_ = NAMESPACE, .rp_id = "gate.example",
		.origin = "https://gate.example" };
	must(sshsig_verify(&sig, view_str(MESSAGE), &rules, &e) == 0);
	must(e.outcome != SSHSIG_UNKNOWN);
	must(e.outcome != SSHSIG_VERIFIED || strcmp(e.namespace_, NAMESPACE) == 0);
	must(e.outcome != SSHSIG_VERIFIED || !sshkey_is_sk(&e.key) || e.present);
}

static void
armours(struct view in)
{
	struct writer blob, again, armor;
	writer_init(&blob, SSHSIG_ARMOR_MAX);
	writer_init(&again, SSHSIG_ARMOR_MAX);
	writer_init(&armor, 2 * SSHSIG_ARMOR_MAX);
	if (sshsig_dearmor(in, &blob, NULL) == 0) {
		blobs(writer_view(&blob));
		sshsig_armor(writer_view(&blob), &armor);
		if (writer_err(&armor) == 0 && armor.n <= SSHSIG_ARMOR_MAX) {
			must(sshsig_dearmor(writer_view(&armor), &again, NULL) == 0);
			must(view_equal(writer_view(&again), writer_view(&blob)));
		}
	}
	writer_free(&blob);
	writer_free(&again);
	writer_free(&armor);
}

static void
keys(struct view in)
{
	struct sshkey key, back;
	struct writer w;
	char comment[SSHKEY_COMMENT_MAX];
	writer_init(&w, SSHKEY_LINE_MAX);
	if (sshkey_parse_blob(in, &key, NULL) == 0) {
		sshkey_write_blob(&key, &w);
		must(view_equal(writer_view(&w), in));
	}
	writer_reset(&w);
	if (sshkey_parse_line(in, &key, comment, sizeof comment, NULL) == 0) {
		sshkey_write_line(&key, &w);
		must(sshkey_parse_line(writer_view(&w), &back, NULL, 0, NULL) == 0);
		must(sshkey_equal(&key, &back));
		must(memcmp(&key, &back, sizeof key) == 0);
	}
	writer_free(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size);
	blobs(in);
	armours(in);
	keys(in);
	return 0;
}
