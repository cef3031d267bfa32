// SPDX-License-Identifier: Apache-2.0
// people - who may sign with which keys, who may sign in, and who is signed in.
import { el, table, facts, digest, time, badge, question, field, reason, said, count, command, copier,
	newPassword } from "/dom.js";
import { get, maybe, post, seg } from "/api.js";
import { may, ACT, ROLES } from "/words.js";
import { available, register, stepUp as code } from "/passkey.js";
import { proposals } from "/proposal.js";

function suspending(page, who) {
	return page.act(question({ title: "Suspend keys", danger: true, button: "Suspend", text: [
		`No signature by a key of ${who} counts from now on. One person is enough.`,
		"What was released stays, with their signatures under it: where it should not, revoke it on the page of releases."],
	fields: [reason()], ask: (v) => post(`/people/${seg(who)}/suspend`, { reason: said(v) }) }), "Suspended.");
}

// Members of a form that control takes: lists of ticks, and no empty words.
function body(v) {
	const out = {};
	for (const key of new Set(v.keys()))
		if (["roles", "scopes"].includes(key))
			out[key] = v.getAll(key);
		else if (v.get(key).trim() || key === "principal") // which may be taken away
			out[key] = key === "days" ? Number(v.get(key)) : key === "password" ? v.get(key) :
				key === "reason" ? said(v) : v.get(key).trim();
	return out;
}

function acting(page, path, title, text, fields, danger = false) {
	return page.act(question({ title, button: title, danger, text: [text], fields, ask: (v) => post(path, body(v)) }),
		"Done.");
}

function ticks(name, words, has) {
	return el("fieldset", {}, el("legend", {}, name), words.map((r) => el("label", { class: "tick" },
		el("input", { type: "checkbox", name: name.toLowerCase(), value: r, checked: has.includes(r) }), r)));
}

function word(name, label, value = "", hint = "") {
	return field(label, el("input", { name, id: "new-" + name, value, maxlength: "100", autocomplete: "off",
		spellcheck: "false",
		required: name === "account" || name === "name" }), hint);
}

const signsAs = (value) => word("principal", "Signs as", value, "A person of the signer set; empty: nobody.");

function accounts(page, list) {
	const admin = may(page.session, "admin");
	const button = (a, verb, label, ...rest) => el("button", { type: "button", disabled: !admin,
		"aria-label": `${label} ${a.account}`,
		onclick: () => acting(page, `/accounts/${seg(a.account)}/${verb}`, label, ...rest) }, label);
	return [table("Accounts", ["Account", "Roles", "Signs as", "State", "Second factor", "Change"], list.map((a) => [
		[a.account, a.display ? el("small", {}, a.display) : null], a.roles.join(", "), a.principal || "nobody",
		a.disabled ? badge("off", "disabled") : a.lent ? badge("wait", "password not yet their own") :
			badge("good", "may sign in"),
		a.totp || a.passkeys ? badge("good", [a.totp ? "code" : "", a.passkeys ? "passkey" : ""].filter(Boolean).join(", ")) :
			badge("warning", "none"), el("p", { class: "buttons" },
			a.disabled ? button(a, "enable", "Enable", `${a.account} may sign in again.`, code()) :
				button(a, "disable", "Disable", `Sessions and tokens of ${a.account} end at once.`, reason(), true),
			button(a, "roles", "Roles", `What ${a.account} may do. Nobody is administrator and approver.`,
				[ticks("Roles", ROLES, a.roles),
				signsAs(a.principal), code()]),
			button(a, "password", "Password", `One for ${a.account} to sign in with once and change.`,
				[newPassword(), code()]),
			button(a, "totp", "Reset second factor", `Takes codes and passkeys off ${a.account}, who has to make new ones.`,
				code(), true), a.passkeys && a.password ? button(a, "passkey-only", "Passkeys only",
				`Password and code let ${a.account} in no more.`, code()) : null)]),
				"None."),
	admin ? el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => acting(page, "/accounts",
		"Add an account",
		"It may view and do what its roles say. It never permits: signatures do.", [word("account", "Account"),
			word("display", "Name"), newPassword(), ticks("Roles", ROLES, ["viewer"]), signsAs(""), code()]) },
				"Add an account\u2026")) : null];
}

function tokens(page, list) {
	const admin = may(page.session, "admin");
	return [table("Tokens", ["Name", "Account", "Scopes", "State", "Until", "Last used", "End it"], list.map((t) => [
		t.name, t.account, t.scopes.join(", "), badge(t.state === "valid" ? "good" : "off", t.state), time(t.expires),
			time(t.last),
		el("button", { type: "button", class: "danger", disabled: !admin || t.state !== "valid",
			"aria-label": `Revoke ${t.name}`,
			onclick: () => acting(page, `/tokens/${seg(t.id)}/revoke`, "Revoke", `${t.name} ends at once.`, reason(),
				true) },
		"Revoke\u2026")]), "None."),
	admin ? el("p", { class: "buttons" }, el("button", { type: "button", onclick: async () => {
		const doc = await acting(page, "/tokens", "Make a token",
			"A program with it does what its scopes say. It never approves.",
			[word("name", "Name"), word("account", "Account", page.session.user),
				ticks("Scopes", ["view", "operate", "audit"], ["view"]),
				field("Days", el("input", { name: "days", id: "days", type: "number", min: "1", max: "400", value: "30" })),
					code()]);
		if (doc)
			page.part("token", doc.token.token, () => [el("h2", {}, "The new token"),
				el("p", {}, "Shown once: ", el("code", {}, doc.token.token), " ", copier(doc.token.token, "Copy"))]);
	} }, "Make a token\u2026")) : null];
}

// A new passkey counts for nothing before the people there are have signed a set that lists it.
function passkeys(page, p) {
	const at = window.location, me = page.session.principal;
	const out = el("div", { id: "new-passkey" });
	const make = async () => {
		try {
			const line = await register(me, at.hostname);
			out.replaceChildren(el("p", {}, "Its public key. Save it as a file, and have the people who sign take it in:"),
				command(line), command(`fotagate people propose --add '${me} passkey.pub' --sign ~/.ssh/id_ed25519`));
		} catch (err) {
			out.replaceChildren(el("p", { class: "stop", role: "alert" }, err.message));
		}
	};
	return [el("h2", {}, "Passkeys"), p.console === at.origin ?
		el("p", {}, "Passkeys may sign approvals here. For more modules than a canary's, one of those who sign uses the command.") :
		[el("p", {}, p.console ? `Passkeys may sign approvals at ${p.console}, not here.` : "Passkeys may not sign approvals."),
			el("p", {}, "To let them, the people there are sign for it:"),
			command(`fotagate people propose --console ${at.origin} --sign ~/.ssh/id_ed25519`)],
	me && available() ? el("p", { class: "buttons" }, el("button", { type: "button", id: "make-passkey", onclick: make },
		"Make a passkey\u2026")) : el("p", { class: "dim" }, me ? "This browser has no passkeys here." :
		"This account signs as nobody, so that it makes none."), out];
}

export async function load(page) {
	page.title("People");
	const watch = may(page.session, "admin", "auditor");
	const [p, status, acc, toks, sessions] = await Promise.all([get("/people"), maybe("/status"),
		watch ? maybe("/accounts") : undefined,
		watch ? maybe("/tokens") : undefined, maybe("/sessions")]);
	const can = may(page.session, ...ACT);
	page.part("head", p.warnings, () => [el("h1", {}, "People"), p.warnings.map((w) => el("p", { class: "stop" },
		badge("warning", w.id), " ", w.text))], "plain");
	page.part("signers", p, () => [el("h2", {}, "Who may sign"), facts(["Signer set", `number ${p.number}`],
		["Can sign now", count(p.can_sign, "person", "people")],
		["A new set takes", count(p.threshold, "signature")],
		["A release takes at least",
			`${p.floors.production}, or ${p.floors.canary} for up to ${p.floors.canary_max} modules`]),
	table("Signers and their keys", ["Person", "Unix account", "Keys", "Suspend"],
		p.people.map((x) => [x.principal, x.user || "none", el("ul", { class: "plain" },
		x.keys.map((k) => el("li", {}, el("code", {}, k.fingerprint), " ", badge(k.state === "counts" ? "good" : "warning",
			k.state),
			k.require_uv ? [" ", badge("notice", "asks for PIN")] : null, el("small", {}, time(k.valid_after), " to ",
				time(k.valid_before)),
			k.suspended ? el("small", {}, "suspended ", time(k.suspended.at), " by ", k.suspended.by, ": ",
				k.suspended.reason) : null))),
	el("button", { type: "button", class: "danger", disabled: !can, "aria-label": `Suspend keys of ${x.principal}`,
		onclick: () =>
		suspending(page, x.principal) }, "Suspend\u2026")]))]);
	page.part("passkeys", p.console, () => passkeys(page, p));
	page.part("proposals", [p.proposals, p.number], () => proposals(page, p, status ? status.genesis.origin : null));
	page.part("sets", p.sets, () => [el("h2", {}, "Sets so far"), table("Signer sets", ["Set", "Since", "Persons", "Keys",
		"Takes", "Digest"], p.sets.map((s) =>
		[String(s.number), time(s.time), s.persons, s.keys, s.threshold, digest(s.sha256)]))]);
	page.part("accounts", acc ? acc.accounts : null, () => [el("h2", {}, "Accounts of this console"),
		accounts(page, acc.accounts)]);
	page.part("tokens", toks ? toks.tokens : null, () => [el("h2", {}, "Tokens for programs"), tokens(page, toks.tokens)]);
	page.part("sessions", sessions ? sessions.sessions : null, () => [el("h2", {}, "Open sessions"), table("Sessions",
		["Account", "From", "Since", "Until", "End it"], sessions.sessions.map((s) => [
			[s.account, s.own ? [" ", badge("notice", "this one")] : null], s.peer, time(s.made), time(s.until),
			el("button", { type: "button", class: "danger", "aria-label": `End the session of ${s.account}`, onclick: () =>
				page.act(post(`/sessions/${seg(s.id)}/end`, {}), "It is ended.").catch((err) => page.wrong(err)) },
					"End")]), "None.")]);
}
