// SPDX-License-Identifier: Apache-2.0
// people - who may sign with which keys, who may sign in, and who is signed in.
import { el, table, facts, digest, time, badge, question, field, reason, count, command } from "/dom.js";
import { get, maybe, post, seg } from "/api.js";
import { may, ACT, ROLES } from "/words.js";

function suspending(page, who) {
	return page.act(question({ title: "Suspend keys", danger: true, button: "Suspend", text: [
		`No signature by a key of ${who} counts from now on, also those on releases that are offered. One person is enough.`],
	fields: [reason()], ask: (v) => post("/people/suspend", { who, reason: v.get("reason").trim() }) }), "Suspended.");
}

function acting(page, a, verb, title, text, fields = []) {
	return page.act(question({ title, button: title, danger: verb === "disable", text: [text], fields, ask: (v) => {
		const body = {};
		if (verb === "roles")
			body.roles = v.getAll("roles");
		if (v.get("password"))
			body.password = v.get("password");
		return post(`/accounts/${seg(a.user)}/${verb}`, body);
	} }), "Done.");
}

function roleTicks(has) {
	return el("fieldset", {}, el("legend", {}, "Roles"), ROLES.map((r) => el("label", { class: "tick" },
		el("input", { type: "checkbox", name: "roles", value: r, checked: has.includes(r) }), r)));
}

const password = () => field("Password", el("input", { name: "password", id: "new-password", type: "password",
	minlength: "12", maxlength: "128",
	autocomplete: "new-password", required: true }), "12 characters at least.");

function adding(page) {
	return page.act(question({ title: "Add an account", button: "Add it",
		text: ["It may view and do what its roles say. It never permits: signatures do."],
		fields: [field("User", el("input", { name: "user", id: "new-user", required: true, maxlength: "64",
			autocomplete: "off" })), password(), roleTicks(["viewer"])],
		ask: (v) => post("/accounts", { user: v.get("user"), password: v.get("password"), roles: v.getAll("roles") }) }),
			"Added.");
}

function accounts(page, list) {
	const admin = may(page.session, "admin");
	const button = (a, verb, label, ...rest) => el("button", { type: "button", disabled: !admin,
		"aria-label": `${label} ${a.user}`,
		onclick: () => acting(page, a, verb, label, ...rest) }, label);
	return [table("Accounts", ["User", "Roles", "State", "Second factor", "Change"], list.map((a) => {
		const off = a.disabled || a.state === "disabled";
		const factor = [a.second_factor, a.totp, a.factor].some(Boolean);
		return [a.user, (a.roles || []).join(", "), off ? badge("off", "disabled") : badge("good", "may sign in"),
			factor ? badge("good", "set") : badge("warning", "none"), el("p", { class: "buttons" },
				off ? button(a, "enable", "Enable", `${a.user} may sign in again.`) : button(a, "disable", "Disable",
					`Sessions of ${a.user} end at once.`),
				button(a, "roles", "Roles", `What ${a.user} may do.`, roleTicks(a.roles || [])),
				button(a, "password", "Password", `A new one for ${a.user}; sessions end.`, password()))];
	}), "None."), admin ? el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => adding(page) },
		"Add an account\u2026")) : null];
}

export async function load(page) {
	page.title("People");
	const [p, acc, sessions] = await Promise.all([get("/people"), maybe("/accounts"), maybe("/sessions")]);
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
	page.part("proposals", p.proposals, () => [el("h2", {}, "Proposed sets"), p.proposals.length ?
		el("ul", { class: "plain" }, p.proposals.map((x) =>
		el("li", {}, digest(x.sha256), " ", x.state || "", x.have === undefined ? "" : ` ${x.have} of ${x.need}`,
			command(`fotagate people propose --proposal ${x.sha256} --sign ~/.ssh/id_ed25519`)))) :
		[el("p", { class: "empty" }, "None. Signers change by signatures of those there are:"),
			command("fotagate people propose --add 'NAME KEY.pub' --sign ~/.ssh/id_ed25519")]]);
	page.part("sets", p.sets, () => [el("h2", {}, "Sets so far"), table("Signer sets", ["Set", "Since", "Persons", "Keys",
		"Takes", "Digest"], p.sets.map((s) =>
		[String(s.number), time(s.time), s.persons, s.keys, s.threshold, digest(s.sha256)]))]);
	const list = acc && (acc.accounts || []);
	page.part("accounts", list || null, () => [el("h2", {}, "Accounts of this console"), accounts(page, list)]);
	const open = sessions && (sessions.sessions || []);
	page.part("sessions", open || null, () => [el("h2", {}, "Open sessions"), table("Sessions", ["User", "From", "Since",
		"Until", "End it"], open.map((s) => [
		[s.user, s.id === page.session.id ? [" ", badge("notice", "this one")] : null], s.peer || "",
			time(s.opened || s.since, ""), time(s.until, ""),
		el("button", { type: "button", class: "danger", "aria-label": `End the session of ${s.user}`, onclick: () =>
			page.act(post(`/sessions/${seg(s.id)}/end`, {}), "It is ended.").catch((err) => page.wrong(err)) }, "End")]),
				"None.")]);
}
