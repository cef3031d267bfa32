/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/config_check.h"

#include <stddef.h>
#include <stdio.h>

#include "policy/config_schema.h"

static unsigned
line_at(const struct config_check *k, const char *list, unsigned i)
{
	char key[CONFIG_SCHEMA_PATH_MAX];
	snprintf(key, sizeof key, "%s.[%u]", list, i);
	return k->line(k->arg, key);
}

/* ---- names ---- */

/* The names of an array of structs that have a char name[]. */
struct names {
	const char *first;
	size_t stride;
};

#define NAMES_OF(type, array) ((struct names){ (const char *)(array) + offsetof(type, name), sizeof(type) })

/* From j on the next before the i-th that has its name, or i. A name that was refused is empty, and has no other. */
static unsigned
namesake(struct names of, unsigned j, unsigned i)
{
	const char *name = of.first + i * of.stride;
	while (j < i && (name[0] == '\0' || strcmp(name, of.first + j * of.stride) != 0))
		j++;
	return j;
}

static void
check_name(const struct config_check *k, const char *list, struct names of, unsigned i)
{
	for (unsigned j = namesake(of, 0, i); j < i; j = namesake(of, j + 1, i))
		config_problem_add(
		    k->problems, k->file, line_at(k, list, i), "%s[%u] has the name of %s[%u]", list, i, list, j);
}

/* ---- fotagate.conf ---- */

static bool
is_loopback(const char *address)
{
	struct cidr_addr a;
	struct cidr v4, v6;
	return cidr_parse(view_str("127.0.0.0/8"), &v4) && cidr_parse(view_str("::1"), &v6) &&
	    cidr_addr_parse(view_str(address), &a) && (cidr_match(&v4, &a) || cidr_match(&v6, &a));
}

static bool
has_tls_settings(const struct config_listener *l)
{
	return l->cert[0] || l->key[0] || l->second_cert[0] || l->second_key[0] || l->client_ca[0] || l->client_crl[0] ||
	    l->psk[0] || l->suites != CONFIG_SUITES_MODERN;
}

static void
check_listener(const struct config_check *k, const struct config *c, unsigned i)
{
	const struct config_listener *a = &c->listeners[i];
	unsigned line = line_at(k, "listeners", i);
	if (a->tls && (a->cert[0] == '\0' || a->key[0] == '\0'))
		config_problem_add(k->problems, k->file, line,
		    "listeners[%u] speaks TLS; give it cert and key", i);
	if (!a->tls && has_tls_settings(a))
		config_problem_add(k->problems, k->file, line,
		    "listeners[%u] has settings of TLS but does not speak TLS; say tls = true or remove them", i);
	if ((a->second_cert[0] == '\0') != (a->second_key[0] == '\0'))
		config_problem_add(k->problems, k->file, line,
		    "listeners[%u]: second_cert and second_key go together; give both or none", i);
	if (a->client_crl[0] != '\0' && a->client_ca[0] == '\0')
		config_problem_add(k->problems, k->file, line,
		    "listeners[%u] has client_crl, but nobody's certificates are asked for; give it client_ca", i);
	if (c->demo && !is_loopback(a->address))
		config_problem_add(k->problems, k->file, line,
		    "listeners[%u]: a demonstration listens on loopback only; write 127.0.0.1", i);
	check_name(k, "listeners", NAMES_OF(struct config_listener, c->listeners), i);
	for (unsigned j = 0; j < i; j++) {
		const struct config_listener *b = &c->listeners[j];
		if (a->port != 0 && a->port == b->port && strcmp(a->address, b->address) == 0)
			config_problem_add(k->problems, k->file, line,
			    "listeners[%u] has the address and port of listeners[%u]", i, j);
	}
}

/* Whom the front names is taken for that person: so it is said who the front is, and how well it must have looked. */
static void
check_sso(const struct config_check *k, const struct config *c)
{
	const struct config_sso *s = &c->console.sso;
	unsigned line = k->line(k->arg, "console.sso");
	bool socket = s->socket[0], key = s->client_ca[0];
	if (!socket && !key && !s->user[0] && !s->group[0] && !s->client_keys_n && !s->acr_n && !s->amr_n)
		return;
	if (!c->console.address[0])
		config_problem_add(k->problems, k->file, line, "console.sso: there is no console; give it an address");
	if (!socket && !key)
		config_problem_add(k->problems, k->file, line,
		    "console.sso does not say who the front is; give it socket or client_ca");
	if (socket != (s->user[0] != '\0') || socket != (s->group[0] != '\0'))
		config_problem_add(k->problems, k->file, line, "console.sso: socket, user and group go together; give all or none");
	if (socket && (strcmp(s->socket, "control.sock") == 0 || strcmp(s->socket, "halt.sock") == 0))
		config_problem_add(k->problems, k->file, line, "console.sso: %s is the gateway's own socket; choose another name",
		    s->socket);
	if (key != (s->client_keys_n > 0))
		config_problem_add(k->problems, k->file, line,
		    "console.sso: client_ca and client_keys go together; give both or none");
	if (!s->acr_n && !s->amr_n)
		config_problem_add(k->problems, k->file, line,
		    "console.sso: how people must have shown who they are is not said; give it acr or amr, as amr = [\"mfa\"]");
}

static void
check_console(const struct config_check *k, const struct config *c)
{
	const struct config_console *a = &c->console;
	unsigned line = k->line(k->arg, "console");
	if (!a->address[0]) {
		if (a->cert[0] || a->key[0])
			config_problem_add(k->problems, k->file, line,
			    "console has cert or key and nowhere to listen; give it an address, or remove it");
		return;
	}
	if (!a->cert[0] || !a->key[0])
		config_problem_add(k->problems, k->file, line, "console speaks TLS only; give it cert and key");
	if (c->demo && !is_loopback(a->address))
		config_problem_add(k->problems, k->file, line,
		    "console: a demonstration listens on loopback only; write 127.0.0.1");
	for (unsigned i = 0; i < c->listeners_n; i++)
		if (a->port != 0 && a->port == c->listeners[i].port && strcmp(a->address, c->listeners[i].address) == 0)
			config_problem_add(k->problems, k->file, line, "console has the address and port of listeners[%u]", i);
}

static void
check_rate(const struct config_check *k, const char *key, int64_t rate)
{
	if (rate > 0 && rate < CONFIG_RATE_MIN)
		config_problem_add(k->problems, k->file, k->line(k->arg, key),
		    "%s is less than %d bytes a second; write more, or 0 for no limit", key, CONFIG_RATE_MIN);
}

/* The last ring is everybody: that needs no saying. */
static void
check_rollout_plan(const struct config_check *k, struct config *c, unsigned i)
{
	struct rollout_plan *p = &c->rollout_plans[i];
	char why[160];
	if (p->rings_n > 0 && p->rings[p->rings_n - 1].groups_n == 0 && p->rings[p->rings_n - 1].share == 0)
		p->rings[p->rings_n - 1].share = ROLLOUT_PERMILLE;
	if (p->rings_n > 0 && p->name[0] != '\0' && rollout_plan_flaw(p, why))
		config_problem_add(
		    k->problems, k->file, line_at(k, "rollout_plans", i), "rollout_plans[%u]: %s", i, why);
	check_name(k, "rollout_plans", NAMES_OF(struct rollout_plan, c->rollout_plans), i);
}

void
config_check_main(const struct config_check *k, struct config *c)
{
	check_rate(k, "limits.bytes_per_second", c->limits.bytes_per_second);
	check_rate(k, "limits.group_bytes_per_second", c->limits.group_bytes_per_second);
	check_rate(k, "limits.module_bytes_per_second", c->limits.module_bytes_per_second);
	for (unsigned i = 0; i < c->listeners_n; i++)
		check_listener(k, c, i);
	check_console(k, c);
	check_sso(k, c);
	for (unsigned i = 0; i < c->suppliers_n; i++)
		check_name(k, "suppliers", NAMES_OF(struct config_supplier, c->suppliers), i);
	for (unsigned i = 0; i < c->rules_n; i++)
		c->rules[i].line = line_at(k, "rules", i);
	for (unsigned i = 0; i < c->security_updates_n; i++)
		c->security_updates[i].line = line_at(k, "security_updates", i);
	for (unsigned i = 0; i < c->rollout_plans_n; i++)
		check_rollout_plan(k, c, i);
}

/* Texts whose form is wrong were reported, and leave their field empty. */
static bool
is_whole(const struct window *w)
{
	bool days = w->day_n > 0;
	for (unsigned i = 0; i < w->day_n; i++)
		days &= w->day[i][0] != '\0';
	return days && w->zone_text[0] && w->from_text[0] && w->to_text[0];
}

void
config_check_windows(const struct config_check *k, struct config *c)
{
	for (unsigned i = 0; i < c->windows_n; i++) {
		struct window *w = &c->windows[i];
		unsigned line = line_at(k, "windows", i);
		if (namesake(NAMES_OF(struct window, c->windows), 0, i) < i)
			config_problem_add(k->problems, k->file, line, "windows[%u] has the name of another one", i);
		if (!window_resolve(w) && is_whole(w))
			config_problem_add(k->problems, k->file, line,
			    "windows[%u] ends as it begins; for whole days write from \"00:00\" to \"24:00\"", i);
	}
	for (unsigned i = 0; i < c->blackouts_n; i++) {
		struct window_blackout *b = &c->blackouts[i];
		unsigned line = line_at(k, "blackouts", i);
		if (namesake(NAMES_OF(struct window_blackout, c->blackouts), 0, i) < i)
			config_problem_add(k->problems, k->file, line, "blackouts[%u] has the name of another one", i);
		if (!window_blackout_resolve(b) && b->zone_text[0] && b->first_text[0] && b->last_text[0])
			config_problem_add(k->problems, k->file, line,
			    "blackouts[%u] is over before it begins; change its days", i);
	}
}

/* ---- lists ---- */

/* Names are compared by letters and digits only (supplier.c): with none before its *, a pattern fits every name. */
static bool
is_everybody(const char *entity)
{
	size_t skipped = strcspn(entity, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	bool bare = skipped > 0 && entity[skipped] == '\0' && entity[skipped - 1] == '*';
	return bare || entity[0] == '*';
}

static void
check_entity(const struct config_check *k, const struct config_list_entity *e, unsigned i)
{
	if (!e->legal_entity[0] && !e->country[0] && !e->supplier[0])
		config_problem_add(k->problems, k->file, k->line(k->arg, ""),
		    "list.entities[%u] names nobody; write legal_entity, country or supplier", i);
	if (is_everybody(e->legal_entity))
		config_problem_add(k->problems, k->file, k->line(k->arg, ""),
		    "list.entities[%u] would name everybody; write the beginning of a name before the *", i);
}

void
config_check_list(const struct config_check *k, const struct config *c)
{
	unsigned n = (unsigned)c->lists_n;
	const struct config_list *list = &c->lists[n];
	const struct names names = NAMES_OF(struct config_list, c->lists);
	for (unsigned i = 0; i < list->entities_n; i++)
		check_entity(k, &list->entities[i], i);
	for (unsigned j = namesake(names, 0, n); j < n; j = namesake(names, j + 1, n))
		config_problem_add(k->problems, k->file, k->line(k->arg, ""),
		    "list.name \"%s\" is already another file's; choose another", list->name);
}
