/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/legacy.h"

#include <stdio.h>

static void
add(char out[LEGACY_TEXT_MAX], const char *what)
{
	size_t n = strlen(out);
	snprintf(out + n, LEGACY_TEXT_MAX - n, "%s%s", n ? ", " : "", what);
}

bool
legacy_listener(const struct config_listener *l, char out[LEGACY_TEXT_MAX])
{
	char level[32];
	out[0] = '\0';
	if (!l->tls)
		return false;
	if (l->suites == CONFIG_SUITES_LEGACY)
		add(out, "suites with CBC and SHA-1 or without forward secrecy");
	if (l->suites == CONFIG_SUITES_LEGACY && l->psk[0])
		add(out, "PSK without forward secrecy");
	if (l->security_level < LEGACY_LEVEL) {
		snprintf(level, sizeof level, "security level %d", (int)l->security_level);
		add(out, level);
	}
	return out[0] != '\0';
}
