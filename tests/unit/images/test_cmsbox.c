/* SPDX-License-Identifier: Apache-2.0 */
/* Attached CMS by openssl: what is in it is walked, and no byte of it is anybody's to change. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/images/walk_rig.h"

static struct view
vendor(void)
{
	struct view pems[] = { rig_made("cert", "root.pem"), { 0 } }, trust = rig_trust(pems);
	rig_drop(pems[0]);
	return trust;
}

static void
objects_of_openssl(void **state)
{
	(void)state;
	static const struct {
		const char *name, *signatures, *findings;
	} table[] = {
		{ "attached", "cms-attached verified", "" },
		{ "attached-noattr", "cms-attached verified", "" },
		{ "attached-stream", "cms-attached verified", "" }, /* BER of indefinite length */
		{ "attached-two", "cms-attached verified, cms-attached verified", "" },
		/* The stranger's signature is anybody's, whatever the other is. */
		{ "attached-two-one-unknown", "cms-attached untrusted, cms-attached verified",
		    "COV-UNSIGNED-BYTES SIG-UNTRUSTED" },
		{ "code", "cms-attached invalid", "COV-UNSIGNED-BYTES SIG-INVALID!" }, /* detached: nothing is in it */
	};
	struct view trust = vendor();
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char file[40], is[RIG_TEXT_MAX], told[RIG_TEXT_MAX];
		snprintf(file, sizeof file, "%s.der", table[i].name);
		struct view img = rig_made("cms", file);
		struct report *r = rig_verify(img, trust);
		rig_signatures(r, is);
		rig_findings(r, told);
		if (strcmp(is, table[i].signatures) != 0 || strcmp(told, table[i].findings) != 0)
			fail_msg("%s: [%s] [%s]", table[i].name, is, told);
		report_free(r);
		rig_drop(img);
	}
	rig_drop(trust);
}

static void
no_byte_may_change(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t step;
	} table[] = { { "attached.der", 1 }, { "attached-noattr.der", 7 }, { "attached-stream.der", 7 } };
	struct view trust = vendor();
	for (size_t i = 0; i < 3; i++) {
		struct view img = rig_made("cms", table[i].name);
		rig_flip_every_byte(img, trust, table[i].step);
		rig_cut_everywhere(img, trust, 13);
		rig_drop(img);
	}
	rig_drop(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_of_openssl),
		cmocka_unit_test(no_byte_may_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
