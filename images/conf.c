/* SPDX-License-Identifier: Apache-2.0 */
#include "images/conf.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/json.h"
#include "crypto/visible.h"
#include "images/conf_scan.h"

struct conf {
	config_t libconfig;
	struct json *json; /* NULL: the text was libconfig's */
	struct conf_node *node;
	size_t n, cap;
};

/* What a node was made from, so that its children can be found; beside the tree while it grows. */
union origin {
	const config_setting_t *setting;
	const struct json_value *value;
};

struct growing {
	struct conf *c;
	union origin *origin; /* as long as c->node */
};

static int
add(struct growing *g, struct conf_node node, union origin origin)
{
	struct conf *c = g->c;
	if (c->n == CONF_NODES_MAX)
		return FG_ELIMIT;
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		void *nodes = realloc(c->node, cap * sizeof *c->node);
		if (!nodes)
			return FG_ENOMEM;
		c->node = nodes;
		void *origins = realloc(g->origin, cap * sizeof *g->origin);
		if (!origins)
			return FG_ENOMEM;
		g->origin = origins;
		c->cap = cap;
	}
	g->origin[c->n] = origin;
	c->node[c->n++] = node;
	return 0;
}

static int
add_setting(struct growing *g, const config_setting_t *s)
{
	const char *name = config_setting_name(s);
	struct conf_node node = { .type = CONF_OTHER, .name = view_str(name) };
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_GROUP:
		node.type = CONF_GROUP;
		break;
	case CONFIG_TYPE_LIST:
	case CONFIG_TYPE_ARRAY:
		node.type = CONF_LIST;
		break;
	case CONFIG_TYPE_STRING:
		node.type = CONF_STRING;
		node.string = view_str(config_setting_get_string(s));
		break;
	case CONFIG_TYPE_INT:
		node.type = CONF_INT;
		node.number = config_setting_get_int(s);
		break;
	case CONFIG_TYPE_INT64:
		node.type = CONF_INT;
		node.number = config_setting_get_int64(s);
		break;
	case CONFIG_TYPE_BOOL:
		node.type = CONF_BOOL;
		node.number = config_setting_get_bool(s) != 0;
		break;
	default:
		break;
	}
	return add(g, node, (union origin){ .setting = s });
}

static int
add_value(struct growing *g, struct view name, const struct json_value *v)
{
	struct conf_node node = { .type = CONF_OTHER, .name = name };
	bool yes = false;
	switch (json_type(v)) {
	case JSON_OBJECT:
		node.type = CONF_GROUP;
		break;
	case JSON_ARRAY:
		node.type = CONF_LIST;
		break;
	case JSON_STRING:
		node.type = CONF_STRING;
		(void)json_string(v, &node.string);
		break;
	case JSON_INT:
		node.type = CONF_INT;
		(void)json_int(v, &node.number);
		break;
	case JSON_BOOL:
		node.type = CONF_BOOL;
		(void)json_bool(v, &yes);
		node.number = yes;
		break;
	default:
		break;
	}
	return add(g, node, (union origin){ .value = v });
}

/* Appends the children of node i, so that they stand together. */
static int
add_children(struct growing *g, size_t i)
{
	struct conf *c = g->c;
	union origin from = g->origin[i];
	int err = 0;
	if (c->node[i].type != CONF_GROUP && c->node[i].type != CONF_LIST)
		return 0;
	size_t n = c->json ? json_count(from.value) : (size_t)config_setting_length(from.setting);
	c->node[i].first = c->n;
	c->node[i].count = n;
	for (size_t k = 0; k < n && !err; k++) {
		if (c->json)
			err = add_value(g, json_key_at(from.value, k), json_at(from.value, k));
		else
			err = add_setting(g, config_setting_get_elem(from.setting, (unsigned)k));
	}
	return err;
}

static int
grow(struct conf *c, struct conf_fault *fault)
{
	struct growing g = { .c = c };
	int err = c->json ? add_value(&g, view_str(NULL), json_root(c->json))
	                  : add_setting(&g, config_root_setting(&c->libconfig));
	for (size_t i = 0; i < c->n && !err; i++)
		err = add_children(&g, i);
	free(g.origin);
	if (err == FG_ELIMIT)
		snprintf(fault->what, sizeof fault->what, "more elements than are looked at");
	return err;
}

static int
read_libconfig(struct conf *c, struct view text, struct conf_fault *fault)
{
	int err = conf_scan(text, fault);
	if (err)
		return err;
	char *copy = malloc(text.n + 1);
	if (!copy)
		return FG_ENOMEM;
	if (text.n)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (config_read_string(&c->libconfig, copy) != CONFIG_TRUE) {
		const char *what = config_error_text(&c->libconfig);
		fault->line = (unsigned)config_error_line(&c->libconfig);
		visible_cstr(view_str(what ? what : "not libconfig's syntax"), fault->what,
		    sizeof fault->what);
		err = FG_EFORMAT;
	}
	free(copy);
	return err;
}

static int
read_json(struct conf *c, struct view text, struct conf_fault *fault)
{
	struct json_error why = { .what = "" };
	if (text.n > CONF_TEXT_MAX) {
		snprintf(fault->what, sizeof fault->what, "longer than 1 MiB");
		return FG_ELIMIT;
	}
	int err = json_parse(text, &c->json, &why);
	if (err == FG_EFORMAT || err == FG_ELIMIT) {
		fault->line = 1;
		for (size_t i = 0; i < why.offset && i < text.n; i++)
			fault->line += text.p[i] == '\n';
		snprintf(fault->what, sizeof fault->what, "as JSON: %s", why.what);
	}
	return err;
}

int
conf_parse(struct view text, struct conf **ret, struct conf_fault *ret_fault)
{
	struct conf *c = calloc(1, sizeof *c);
	size_t i = 0;
	*ret_fault = (struct conf_fault){ .line = 0 };
	if (!c)
		return FG_ENOMEM;
	config_init(&c->libconfig);
	while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\t' || text.p[i] == '\r' ||
	                         text.p[i] == '\n'))
		i++;
	int err = i < text.n && text.p[i] == '{' ? read_json(c, text, ret_fault)
	                                         : read_libconfig(c, text, ret_fault);
	if (!err)
		err = grow(c, ret_fault);
	if (err) {
		conf_free(c);
		return err;
	}
	*ret = c;
	return 0;
}

void
conf_free(struct conf *c)
{
	if (!c)
		return;
	config_destroy(&c->libconfig);
	json_free(c->json);
	free(c->node);
	free(c);
}

const struct conf_node *
conf_root(const struct conf *c)
{
	return &c->node[0];
}

const struct conf_node *
conf_child(const struct conf *c, const struct conf_node *parent, size_t i)
{
	return parent && i < parent->count ? &c->node[parent->first + i] : NULL;
}

const struct conf_node *
conf_get(const struct conf *c, const struct conf_node *parent, struct view name)
{
	if (!parent || parent->type != CONF_GROUP)
		return NULL;
	for (size_t i = 0; i < parent->count; i++)
		if (view_equal(c->node[parent->first + i].name, name))
			return &c->node[parent->first + i];
	return NULL;
}
