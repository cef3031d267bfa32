/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/wiring.h"

#define BIT(n) (1u << (n))

/* The log first: whoever starts later can write to it. */
const enum msg_role wiring_start_order[WIRING_ROLES] = {
	MSG_ROLE_AUDIT, MSG_ROLE_WARDEN, MSG_ROLE_CONTROL, MSG_ROLE_EDGE, MSG_ROLE_CONSOLE,
};

/* People first: nothing new is set in motion. Edges end their transfers while grants still work; the log closes last. */
const enum msg_role wiring_stop_order[WIRING_ROLES] = {
	MSG_ROLE_CONSOLE, MSG_ROLE_EDGE, MSG_ROLE_CONTROL, MSG_ROLE_WARDEN, MSG_ROLE_AUDIT,
};

static const unsigned char joined[][2] = {
	{ MSG_ROLE_EDGE, MSG_ROLE_CONTROL },
	{ MSG_ROLE_EDGE, MSG_ROLE_AUDIT },
	{ MSG_ROLE_EDGE, MSG_ROLE_WARDEN },
	{ MSG_ROLE_CONTROL, MSG_ROLE_AUDIT },
	{ MSG_ROLE_CONTROL, MSG_ROLE_WARDEN },
	{ MSG_ROLE_WARDEN, MSG_ROLE_AUDIT },
	{ MSG_ROLE_CONSOLE, MSG_ROLE_CONTROL },
};

/* Each secret goes to one role; nobody but an edge holds a listener of modules, nobody but the console that of people. */
static const unsigned handed[MSG_ROLE_LIMIT] = {
	[MSG_ROLE_EDGE] = BIT(MSG_FD_BUNDLE) | BIT(MSG_FD_LISTENER) | BIT(MSG_FD_TLS_CERT) |
	    BIT(MSG_FD_TLS_KEY) | BIT(MSG_FD_CLIENT_CA) | BIT(MSG_FD_CLIENT_CRL) | BIT(MSG_FD_TICKETS) | BIT(MSG_FD_PSK),
	[MSG_ROLE_CONTROL] = BIT(MSG_FD_BUNDLE) | BIT(MSG_FD_EPOCH_KEY) | BIT(MSG_FD_GENESIS) |
	    BIT(MSG_FD_CONTROL_SOCK) | BIT(MSG_FD_ANCHOR) | BIT(MSG_FD_CA) |
	    BIT(MSG_FD_CREDENTIALS) | BIT(MSG_FD_RULES) | BIT(MSG_FD_HOOK),
	[MSG_ROLE_WARDEN] = BIT(MSG_FD_COSIGN_KEY) | BIT(MSG_FD_GENESIS) | BIT(MSG_FD_GENESIS_SIG),
	[MSG_ROLE_AUDIT] = BIT(MSG_FD_LOG_KEY) | BIT(MSG_FD_GENESIS) | BIT(MSG_FD_GENESIS_SIG),
	[MSG_ROLE_CONSOLE] = BIT(MSG_FD_WEB_LISTENER) | BIT(MSG_FD_WEB_CERT) | BIT(MSG_FD_WEB_KEY) |
	    BIT(MSG_FD_WEB_FRONT) | BIT(MSG_FD_WEB_CA),
	[MSG_ROLE_CONFIG] = BIT(MSG_FD_BUNDLE) | BIT(MSG_FD_GENESIS),
};

bool
wiring_joined(enum msg_role a, enum msg_role b)
{
	for (unsigned i = 0; i < sizeof joined / sizeof joined[0]; i++)
		if ((joined[i][0] == a && joined[i][1] == b) ||
		    (joined[i][0] == b && joined[i][1] == a))
			return true;
	return false;
}

bool
wiring_gets(enum msg_role role, enum msg_boot_kind kind)
{
	return role < MSG_ROLE_LIMIT && kind > MSG_FD_NONE && kind < MSG_FD_LIMIT &&
	    (handed[role] & BIT(kind));
}

bool
wiring_hears_halt(enum msg_role role)
{
	/* Not the warden: a halt takes no right from it, and only it can undo one. */
	return role == MSG_ROLE_EDGE || role == MSG_ROLE_CONTROL || role == MSG_ROLE_AUDIT;
}

bool
wiring_reloads(enum msg_role role)
{
	/* The console is handed its certificate anew; of the configuration it reads nothing. */
	return role == MSG_ROLE_EDGE || role == MSG_ROLE_CONTROL || role == MSG_ROLE_CONSOLE;
}
