/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/console/answers.h"

#include <stdlib.h>
#include <string.h>

#define KEY_MAX 32
#define DEPTH_MAX 8

/* Rows that several documents have, by name in the order of bytes. */
static const struct {
	const char *name, *says;
} named[] = {
	{ "Account", "{account:s,created:t,disabled:b,display:s,lent:t,passkeys:n,password:b,principal:s,roles:[s],"
	    "sso:[{by:s,issuer:s,made:t,subject:s}],totp:b}" },
	{ "Attest", "{after:s,at:t,before:s,flash:d?,who:s}" },
	{ "Facts",
	    "{age:n?,attested:n,complete:b,country:s?,delta:s,direction:s,findings:[s],format:s?,groups:[s]?,"
	    "product:s?,profile:s?,security:s?,severity:s,signature:s,signer:s,size:n,supplier:s?,"
	    "supplier_words:[s],unexplained:n,unreviewable:n,unsigned:n,vendor_age:n?,version:s?}" },
	{ "Incident", "{at:t,detail:s,id:n,kind:s,product:s,profile:s,resource:d?}" },
	{ "Module",
	    "{first_seen:t,grants~:[{again:n,bytes:n,completed:t,granted:t,outcome:s,release:d,target:s,word:s,"
	    "word_at:t}],group:s,held:b,id:d,identities:[{class:s,kind:s,text:s}],last_seen:t,listed:b,"
	    "product:s,profile:s,tags:[s],version:s}" },
	{ "Offered", "{release:d,target:s}" },
	{ "Refusal", "{at:t,by:s,id:d,kind:s,over:b,reason:s,until:t,value:s}" },
	{ "Remark", "{at:t,file:d?,name:s,size:n,text:s,who:s}" },
	{ "Ring",
	    "{failure:n,granted:n,held:b,human:b,name:s,open:b,over_failure:n,over_silent:n,silent:n,success:n,"
	    "watched:n}" },
	/* One that is over says less, and one whose release is lost less still. */
	{ "Rollout",
	    "{by~:s,bytes~:n,failure~:n,granted~:n,id:d,next~:s,plan~:s,reason~:s,review~:s,ring~:s,rings~:[Ring],"
	    "silent~:n,since~:t,state:s,success~:n}" },
	{ "Severities", "{block:n,info:n,notice:n,warning:n}" },
	{ "Standing",
	    "{deltas:s,findings:[s],from:[s],groups:[s],have:n,id:s,in_force:n,key:d,max_devices:n,"
	    "max_releases:n,need:n,policy:d,product:s,profile:s,reason:s,signers:[d],state:s,until:t,who:s}" },
	{ "Token",
	    "{account:s,by:s,expires:t,id:d,last:t,made:t,name:s,revoked:t,scopes:[s],state:s,token~:s}" },
	{ "Waiver",
	    "{at:t,finding:s,id:d,image:d?,over:b,owner:s,part:s,product:s,profile:s,reason:s,until:t}" },
};

#define CHANGED_ACCOUNT "{account:Account,sessions_ended:n,tokens_revoked:n}"
#define SESSION "{session:{id:d?,idle_seconds:n,means~:s,must:[s],principal~:s?,roles:[s],until:t,user:s}}"

/* By request. What is a file has no document of ours. */
static const struct {
	const char *request, *says;
} table[] = {
	{ "status",
	    "{alerts:[{id:s,text:s}],certificates:[{kind:s,listener:s,soon:b,until:t}],clock:s,"
	    "clock_hold:{at:t,text:s}?,console:b?,"
	    "demo:b,edges:[{accept_pauses:n,connections:n,"
	    "generation:n,index:n,owed_bytes:n,refused_module:n,refused_source:n,up:b,waiting:n}],"
	    "genesis:{digest:d,instance:d,origin:s},halt:{at:t,by_uid:n}?,jobs:{running:n,waiting:n},"
	    "log:{disk_used:n,remote:n,remotes:n,root:d,size:n,state:s,witnessed:n},modules:n,permitting:b,"
	    "policy_signed:b,profiles:n,releases:n,reviews:{*:n},roles:[{index:n,restarts:n,role:s,status:n}],"
	    "signers:{number:n,persons:n,threshold:n},table:{generation:n},time:t,version:s,warden:b,"
	    "witnesses:[{answer:s,answered:t,claimed:n,cosigned:t,lag:n,name:s,size:n}]}" },
	{ "session.open", SESSION },
	{ "session.show", SESSION },
	{ "session.sso", SESSION },
	{ "setup.open", SESSION },
	{ "session.close", "{ended:d}" },
	{ "session.end", "{ended:d}" },
	{ "session.list", "{sessions:[{account:s,by:s,factors:n,id:d,last:t,made:t,own:b,peer:s,sso:b,until:t}]}" },
	{ "session.challenge", "{challenge:d,rp_id:s,seconds:n}" },
	{ "session.passkey", SESSION },
	{ "passkey.challenge", "{challenge:d,credentials:[s],handle:d?,rp_id:s,seconds:n}" },
	{ "passkey.add", CHANGED_ACCOUNT },
	{ "passkey.fresh", "{code:s,until:t}" },
	{ "passkey.list", "{passkeys:[{backup:s,counter:n,fingerprint:s,id:d,last:t,made:t,name:s,suspended:t}]}" },
	{ "passkey.remove", CHANGED_ACCOUNT },
	{ "account.passkey_only", CHANGED_ACCOUNT },
	{ "account.list", "{accounts:[Account]}" },
	{ "account.add", CHANGED_ACCOUNT },
	{ "account.bind", CHANGED_ACCOUNT },
	{ "account.disable", CHANGED_ACCOUNT },
	{ "account.enable", CHANGED_ACCOUNT },
	{ "account.roles", CHANGED_ACCOUNT },
	{ "account.unbind", CHANGED_ACCOUNT },
	{ "token.list", "{tokens:[Token]}" },
	{ "token.create", "{token:Token}" },
	{ "people.list",
	    "{can_sign:n,console:s,floors:{canary:n,canary_max:n,production:n},number:n,"
	    "people:[{keys:[{fingerprint:s,key:d,line:s?,require_uv:b,state:s,suspended:{at:t,by:s,reason:s}?,"
	    "valid_after:t,valid_before:t}],principal:s,user:s}],proposals:[{have:n,have_new:n,need:n,"
	    "need_new:n,number:n,sha256:d,signed_by:[s],text:s,time:t,until:t}],sets:[{keys:n,number:n,"
	    "persons:n,sha256:d,threshold:n,time:t}],threshold:n,warnings:[{id:s,text:s}]}" },
	{ "policy.explain",
	    "{at:t,clock_sure:b,decision:s,earliest:t,earliest_why:s,facts:Facts,fixed:{reasons:[{id:s,"
	    "sentence:s}],verdict:s},floor:n,have:n,"
	    "hook:{answer:d?,outcome:s,program:d,quorum:n,reasons:[s]}?,"
	    "id:s,image:d?,judged_policy:d?,kind:s,need:n?,outcome:s,"
	    "policy:d,profile:s,quorum:n,raise:n,raised_by:s,report:d,rule:s,rules:[{decides:b,matches:b,"
	    "misses:[{key:s,words:s}],name:s,says:s}],says:s,scope:{from:[s],groups:[s],max_devices:n}?,"
	    "state:s,time_lock:n,update:{arrived:t,attested:n,from:s,full_held:b,only_one:b,product:s,"
	    "refused:s?,target:s}}" },
	{ "policy.show",
	    "{bundle:d,differs:[{change:s,kind:s,name:s}],disk:d?,gateway:s,items:[{kind:s,name:s,sha256:d}]?,"
	    "lacks:s?,lost:b,need:n,number:n,sha256:d,signers:n,statement:s,time:t}" },
	{ "profile.list",
	    "{profiles:[{canary_quorum:n,fetches:b,hosts:[s],name:s,path:s,policy:d,quorum:n,supplier:s}]}" },
	{ "profile.unknown", "{unknown:[{agent:s,count:n,first:t,host:s,id:n,last:t,listener:s,path:s}]}" },
	{ "profile.draft", "{text:s}" },
	{ "sighting.list",
	    "{next:d?,sightings:[{count:n,first:t,from:s,last:t,product:s,profile:s,resource:d,review:s?,state:s,"
	    "target:s,url:s}]}" },
	{ "review.list",
	    "{next:s?,reviews:[{asked:n,breakglass:b,deadline:t,have:n,held:b,id:s,image:d?,need:n,needs_me:b,"
	    "offered_now:Offered?,opened:t,product:s,profile:s,report:d?,security:s?,severities:Severities?,"
	    "size:n,source:s,state:s,target:s,text:s,verdict:s?}]}" },
	{ "review.show",
	    "{asked:n,asked_by:[s],attested:[Attest],breakglass:b,checklist:[s],deadline:t,delta:{applier:s,base:d,"
	    "checked:b,full:d?,outcome:s,patch:d,target:d?,target_report:d?,text:s}?,findings:[{clears:s,"
	    "count:n,id:s,means:s,severity:s,waived:b}],from:s,have:n,held:b,id:s,image:d?,need:n,needs_me:b,"
	    "offered_now:Offered?,opened:t,other_images:[{asked:n,asked_by:d?,freezes:b,granted:[d],image:d,"
	    "modules:n,review:s,state:s}],policy:d?,product:s,profile:s,provenance:d?,reasons:[{id:s,"
	    "sentence:s}],release:d?,remarks:[Remark],report:d?,resource:d,rule:s,rules:[{decides:b,name:s,"
	    "says:s}],security:s?,severities:Severities?,signature:d?,size:n,source:s,standing:s?,state:s,"
	    "statements:[{approver:s,backup:s?,breakglass:b,current:b,groups:[s],max_devices:n,not_after:t,reason:s,signature:d,"
	    "statement:d,time:t}],supersedes:[s],target:s,text:s,url:s,verdict:s?,waivers:[Waiver],way_back:s}" },
	{ "review.comment", "{remark:Remark,review:s}" },
	{ "review.attest", "{attested:[Attest],image:d}" },
	{ "fetch.retry", "{review:s,state:s}" },
	{ "exposure.list",
	    "{data:[{bytes:n,group:s,modules:n,release:d,review:s}],data_other:n,held:[{days:n,deadline:t,"
	    "from:s,id:s,modules:n,product:s,product_modules:n,since:t,state:s,"
	    "target:s}],other_modules:n,versions:[{modules:n,product:s,version:s}]}" },
	{ "refusal.list", "{refusals:[Refusal]}" },
	{ "waiver.list", "{waivers:[Waiver]}" },
	{ "waiver.add", "{waiver:Waiver}" },
	{ "breakglass.show", "{allowed:b,delay:n,max_devices:n,owed:{have:n,image:d,need:n,release:d}?,why_not:s}" },
	{ "standing.list", "{standing:[Standing]}" },
	{ "standing.propose", "{standing:Standing}" },
	{ "standing.revoke", "{standing:Standing}" },
	{ "base.list",
	    "{bases:[{held:b,image:d,product:s,profile:s,since:t,size:n,source:s,version:s,who:s}]}" },
	{ "release.list",
	    "{next:d?,releases:[{breakglass:b,from:[s],granted:n,groups:[s],id:d,image:d,in_force:b,issued:t,max_devices:n,"
	    "not_after:t,not_before:t,product:s,profile:s,review:s,served:n,signed_by:[s],signers_gone:[s],"
	    "size:n,state:s,target:s,withheld:s}]}" },
	{ "rollout.list", "{next:d?,rollouts:[Rollout]}" },
	{ "rollout.show", "Rollout" },
	{ "module.list", "{modules:[Module],next:d?}" },
	{ "module.show", "Module" },
	{ "module.reveal", "Module" },
	{ "module.explain",
	    "{answers:[{answer:s,chain:[{link:s,ok:b,said:s}],missing:s,product:s,profile:s,release:d?,"
	    "resource:d,ring:s,target:s,text:s}],last_answer:s,last_seen:t,module:d}" },
	{ "image.list", "{images:[{arrived:t,image:d,in_quarantine:b,reviews:n,size:n}],next:d?}" },
	{ "image.show",
	    "{image:d,reviews:[{from:s,product:s,profile:s,provenance:d?,release:d?,report:d?,review:s,state:s,target:s}],"
	    "stored:{arrived:t,in_quarantine:b,released:b,size:n}}" },
	{ "group.list", "{groups:[{default:b,imei:[s],name:s,product:s,profile:s,tag:s}]}" },
	{ "incident.list", "{incidents:[Incident],next:s?}" },
	{ "incident.show", "{at:t,detail:s,id:n,kind:s,product:s,profile:s,resource:d?,reviews:[s]}" },
	{ "supplier.list",
	    "{suppliers:[{country:s,hosting:[s],legal_entity:s,name:s,support:s,support_until:s,words:[s]}]}" },
	{ "supplier.show",
	    "{country:s,hosting:[s],keys:[{anchor:s,note:s,since:s,until:s}],legal_entity:s,lists:[{age_days:n,"
	    "by:s,complete:b,date:s,name:s,note:s,old:b,says:s,sha256:d,source:s,title:s}],name:s,"
	    "profiles:[{anchors:[s],name:s,policy:d}],support:s,support_until:s,words:[s]}" },
	{ "audit.head", "{checkpoint:s,published:n,root:d,size:n,state:s}" },
	{ "audit.proof", "{entry:s,receipt:s}" },
};

/* ---- reading what is written above ---- */

/* Behind one thing, without its "?". */
static const char *
behind(const char *p)
{
	unsigned depth = 0;
	if (*p >= 'A' && *p <= 'Z') {
		while ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'))
			p++;
		return p;
	}
	do {
		if (!*p)
			abort();
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		p++;
	} while (depth);
	return p;
}

/* A key and its ":"; what it is begins there. */
static const char *
key_of(const char *p, char key[KEY_MAX], bool *required)
{
	size_t n = strcspn(p, ":~");
	if (n == 0 || n >= KEY_MAX)
		abort();
	memcpy(key, p, n);
	key[n] = '\0';
	p += n;
	*required = *p != '~';
	p += *p == '~';
	if (*p++ != ':')
		abort();
	return p;
}

/* ---- writing schemas: keys in the order of bytes ---- */

static void
type_is(struct jsonw *j, const char *type, bool null)
{
	jsonw_key(j, "type");
	if (!null) {
		jsonw_cstr(j, type);
		return;
	}
	jsonw_array(j);
	jsonw_cstr(j, type);
	jsonw_cstr(j, "null");
	jsonw_array_end(j);
}

static void
put_reference(struct jsonw *j, const char *name, size_t n)
{
	char where[64] = "#/components/schemas/";
	if (strlen(where) + n >= sizeof where)
		abort();
	strncat(where, name, n);
	jsonw_kcstr(j, "$ref", where);
}

static void
put_name(struct jsonw *j, const char *name, size_t n, bool null)
{
	if (!null) {
		put_reference(j, name, n);
		return;
	}
	jsonw_key(j, "anyOf");
	jsonw_array(j);
	jsonw_object(j);
	put_reference(j, name, n);
	jsonw_object_end(j);
	jsonw_object(j);
	jsonw_kcstr(j, "type", "null");
	jsonw_object_end(j);
	jsonw_array_end(j);
}

static const char *put(struct jsonw *j, const char *p, unsigned depth);

/* p is behind the brace. */
static void
put_members(struct jsonw *j, const char *p, unsigned depth)
{
	char key[KEY_MAX];
	const char *first = p;
	bool required;
	jsonw_kbool(j, "additionalProperties", false);
	jsonw_key(j, "properties");
	jsonw_object(j);
	while (*p != '}') {
		p = key_of(p, key, &required);
		jsonw_key(j, key);
		p = put(j, p, depth);
		p += *p == ',';
	}
	jsonw_object_end(j);
	jsonw_key(j, "required");
	jsonw_array(j);
	for (p = first; *p != '}'; p += *p == ',') {
		p = key_of(p, key, &required);
		if (required)
			jsonw_cstr(j, key);
		p = behind(p);
		p += *p == '?';
	}
	jsonw_array_end(j);
}

/* One schema; behind it and its "?". */
static const char *
put(struct jsonw *j, const char *p, unsigned depth)
{
	const char *end = behind(p);
	bool null = *end == '?';
	if (depth > DEPTH_MAX)
		abort();
	jsonw_object(j);
	switch (*p) {
	case '*':
		break;
	case 's':
		type_is(j, "string", null);
		break;
	case 'n':
		type_is(j, "integer", null);
		break;
	case 'b':
		type_is(j, "boolean", null);
		break;
	case 't': /* null is never, or not yet */
		jsonw_kcstr(j, "format", "date-time");
		type_is(j, "string", true);
		break;
	case 'd':
		jsonw_kcstr(j, "pattern", "^([0-9a-f]{2})+$");
		type_is(j, "string", null);
		break;
	case '[':
		jsonw_key(j, "items");
		if (*put(j, p + 1, depth + 1) != ']')
			abort();
		type_is(j, "array", null);
		break;
	case '{':
		if (p[1] == '*' && p[2] == ':') {
			jsonw_key(j, "additionalProperties");
			(void)put(j, p + 3, depth + 1);
		} else {
			put_members(j, p + 1, depth + 1);
		}
		type_is(j, "object", null);
		break;
	default:
		if (*p < 'A' || *p > 'Z')
			abort();
		put_name(j, p, (size_t)(end - p), null);
		break;
	}
	jsonw_object_end(j);
	return end + null;
}

static const char *
find(const char *request)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i].request, request) == 0)
			return table[i].says;
	return NULL;
}

bool
answers_has(const char *request)
{
	return find(request) != NULL;
}

void
answers_put(struct jsonw *j, const char *request)
{
	const char *says = find(request);
	if (says) {
		(void)put(j, says, 0);
		return;
	}
	jsonw_object(j);
	jsonw_kcstr(j, "type", "object");
	jsonw_object_end(j);
}

void
answers_put_named(struct jsonw *j, const char *after, const char *before)
{
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
		if ((after && strcmp(named[i].name, after) <= 0) || (before && strcmp(named[i].name, before) >= 0))
			continue;
		jsonw_key(j, named[i].name);
		(void)put(j, named[i].says, 0);
	}
}
