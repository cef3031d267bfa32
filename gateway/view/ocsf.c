/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/view/ocsf.h"

#include "crypto/jsonw.h"
#include "crypto/stamp.h"
#include "gateway/view/kinds.h"

#define SCHEMA "1.5.0"

/* severity_id: 1 informational .. 5 critical, 6 fatal. */
static unsigned
severity(unsigned sev)
{
	static const unsigned ocsf[8] = { 6, 5, 5, 4, 3, 2, 1, 1 };
	return ocsf[sev & 7];
}

/* status_id: 1 success, 2 failure, 99 other. */
static unsigned
status(struct view out)
{
	if (!out.n)
		return 0;
	if (view_is(out, "ok"))
		return 1;
	return view_is(out, "failed") || view_is(out, "denied") ? 2 : 99;
}

/* What is never empty where the schema requires something. */
static struct view
or_dash(struct view v)
{
	return v.n ? v : view_str("-");
}

static void
put_named(struct jsonw *j, const char *key, struct view name)
{
	jsonw_key(j, key);
	jsonw_object(j);
	jsonw_kstring(j, "name", or_dash(name));
	jsonw_object_end(j);
}

static void
put_user(struct jsonw *j, const char *key, struct view name)
{
	jsonw_key(j, key);
	jsonw_object(j);
	put_named(j, "user", name);
	jsonw_object_end(j);
}

/* The gateway itself, or the module that the entry is about. */
static void
put_device(struct jsonw *j, const struct record *r)
{
	jsonw_key(j, "device");
	jsonw_object(j);
	if (!r->e.have_dev)
		jsonw_kstring(j, "hostname", or_dash(record_host(r)));
	jsonw_kcstr(j, "type", r->e.have_dev ? "IOT" : "Server");
	jsonw_kuint(j, "type_id", r->e.have_dev ? 7 : 1);
	if (r->e.have_dev)
		jsonw_khex(j, "uid", r->e.dev, sizeof r->e.dev);
	jsonw_object_end(j);
}

static void
put_product(struct jsonw *j, const char *key, struct view name)
{
	jsonw_key(j, key);
	jsonw_object(j);
	jsonw_kstring(j, "name", or_dash(name));
	jsonw_kcstr(j, "vendor_name", "fotagate");
	jsonw_kcstr(j, "version", FG_VERSION);
	jsonw_object_end(j);
}

static void
put_metadata(struct jsonw *j, const struct record *r)
{
	char stamp[STAMP_US_CAP];
	jsonw_key(j, "metadata");
	jsonw_object(j);
	jsonw_kstring(j, "event_code", record_event(r));
	jsonw_kcstr(j, "log_name", "fotagate audit");
	if (r->known && !stamp_format_us(r->e.t_us, stamp))
		jsonw_kcstr(j, "original_time", stamp);
	put_product(j, "product", view_str("fotagate"));
	jsonw_kuint(j, "sequence", r->index);
	jsonw_khex(j, "uid", r->leaf, sizeof r->leaf);
	jsonw_kcstr(j, "version", SCHEMA);
	jsonw_object_end(j);
}

static void
put_unmapped(struct jsonw *j, const struct record *r)
{
	const struct entry *e = &r->e;
	jsonw_key(j, "unmapped");
	jsonw_object(j);
	jsonw_kcstr(j, "clock", entry_clk_name(e->clk));
	if (e->have_dev)
		jsonw_khex(j, "dev", e->dev, sizeof e->dev);
	if (r->have_doc)
		jsonw_khex(j, "doc_sha256", r->doc_sha256, sizeof r->doc_sha256);
	if (e->obj.n)
		jsonw_kstring(j, "obj", e->obj);
	if (e->refs) {
		jsonw_key(j, "ref");
		jsonw_array(j); /* keys of a document need not be in our writer's order */
		for (unsigned i = 0; i < e->refs; i++) {
			jsonw_object(j);
			jsonw_kstring(j, "name", e->ref[i].key);
			if (e->ref[i].is_number)
				jsonw_kuint(j, "value", e->ref[i].number);
			else
				jsonw_kstring(j, "value", e->ref[i].text);
			jsonw_object_end(j);
		}
		jsonw_array_end(j);
	}
	jsonw_kstring(j, "src", e->src);
	jsonw_object_end(j);
}

/* Members that a class has beside the common ones, between which they stand by order of key. */
static void
put_first(struct jsonw *j, const struct record *r, const struct kinds *k)
{
	if (r->e.act.n || k->cls == KINDS_API)
		put_user(j, "actor", r->e.act);
	if (k->cls == KINDS_API) {
		jsonw_key(j, "api");
		jsonw_object(j);
		jsonw_kstring(j, "operation", or_dash(r->e.obj));
		jsonw_object_end(j);
	}
	if (k->cls == KINDS_APPLICATION)
		put_product(j, "app", r->e.obj);
}

static void
put_entity(struct jsonw *j, const struct record *r)
{
	struct view image = record_image(r);
	jsonw_key(j, "entity");
	jsonw_object(j);
	jsonw_kstring(j, "name", or_dash(r->e.obj));
	jsonw_kstring(j, "type", r->e.cat);
	if (image.n)
		jsonw_kstring(j, "uid", image);
	jsonw_object_end(j);
}

static void
put_middle(struct jsonw *j, const struct record *r, const struct kinds *k)
{
	if (r->e.have_dev || k->cls == KINDS_DEVICE_CONFIG || k->cls == KINDS_EVENT_LOG)
		put_device(j, r);
	if (k->cls == KINDS_ENTITY)
		put_entity(j, r);
	if (k->cls == KINDS_DETECTION) {
		jsonw_key(j, "finding_info");
		jsonw_object(j);
		jsonw_kcstr(j, "title", k->title);
		jsonw_khex(j, "uid", r->leaf, sizeof r->leaf);
		jsonw_object_end(j);
	}
	if (k->cls == KINDS_EVENT_LOG)
		jsonw_kcstr(j, "log_name", "fotagate audit");
}

static void
put_last(struct jsonw *j, const struct record *r, const struct kinds *k)
{
	if (k->cls == KINDS_SCAN) {
		jsonw_key(j, "scan");
		jsonw_object(j);
		jsonw_kstring(j, "name", or_dash(r->e.obj));
		jsonw_kuint(j, "type_id", KINDS_OTHER);
		jsonw_object_end(j);
	}
	jsonw_kuint(j, "severity_id", r->known ? severity(r->e.sev) : 0);
	if (k->cls == KINDS_API)
		put_named(j, "src_endpoint", record_host(r));
	if (r->e.out.n)
		jsonw_kstring(j, "status", r->e.out);
	jsonw_kuint(j, "status_id", status(r->e.out));
	jsonw_kuint(j, "time", r->known && r->e.t_us > 0 ? (uint64_t)r->e.t_us / 1000 : 0);
	jsonw_kuint(j, "type_uid", (uint64_t)k->cls * 100 + k->activity);
	if (r->known)
		put_unmapped(j, r);
	if (k->cls == KINDS_AUTHENTICATION)
		put_named(j, "user", r->e.act);
}

int
ocsf_put(const struct record *r, struct writer *w)
{
	const struct kinds *k = kinds_of(r->e.ev);
	struct jsonw j;
	jsonw_init(&j, w);
	jsonw_object(&j);
	jsonw_kuint(&j, "activity_id", k->activity);
	jsonw_kcstr(&j, "activity_name", k->name);
	put_first(&j, r, k);
	jsonw_kuint(&j, "category_uid", k->cls / 1000);
	jsonw_kcstr(&j, "class_name", kinds_class_name(k->cls));
	jsonw_kuint(&j, "class_uid", k->cls);
	put_middle(&j, r, k);
	if (r->e.msg.n)
		jsonw_kstring(&j, "message", r->e.msg);
	else
		jsonw_kcstr(&j, "message", k->title);
	put_metadata(&j, r);
	put_last(&j, r, k);
	jsonw_object_end(&j);
	return writer_err(w);
}
