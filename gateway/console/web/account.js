// SPDX-License-Identifier: Apache-2.0
// account - the one who is signed in: second factor, password, tokens for programs.
import { el, field, facts, problem, table, time, badge, question, copier, digest } from "/dom.js";
import { get, maybe, post, seg } from "/api.js";
import { state } from "/words.js";

// The secret is shown once, as text: whoever cannot point a camera at a screen types it.
function enrolling(page, doc) {
	const code = el("input", { id: "totp-code", required: true, inputmode: "numeric", autocomplete: "one-time-code",
		maxlength: "8" }), wrong = el("div", {});
	page.part("enrol", doc, () => [el("h2", {}, "Your second factor"),
		el("p", {}, "Give this to an authenticator now. It is not shown again."),
		facts(["Secret (base32)", [el("code", { id: "totp-secret" }, doc.secret.replace(/(.{4})(?=.)/g, "$1 ")), " ",
			copier(doc.secret, "Copy")]],
			["Address", [el("code", { id: "totp-uri" }, doc.uri), " ", copier(doc.uri, "Copy")]]),
		el("form", { class: "stack", onsubmit: async (ev) => {
			ev.preventDefault();
			try {
				await post(`/accounts/${seg(page.session.user)}/totp`, { code: code.value.replaceAll(" ", "") });
				page.part("enrol", null, () => []);
				await page.reload();
			} catch (err) {
				wrong.replaceChildren(problem(err));
			}
		} }, field("The code it shows now", code), wrong, el("p", { class: "buttons" },
			el("button", { type: "submit", class: "primary" }, "Use it from now on")))]);
	document.getElementById("part-enrol").scrollIntoView({ block: "start" });
}

function passwording(page) {
	const input = (name, label, how, hint) => field(label, el("input", { name, id: name, type: "password", required: true,
		maxlength: "128",
		minlength: how === "new-password" ? "12" : null, autocomplete: how }), hint);
	return page.act(question({ title: "Change your password", button: "Change it", text: ["Your other sessions end."],
		fields: [input("old", "Password so far", "current-password"), input("password", "New password", "new-password",
			"12 characters at least.")],
		ask: (v) => post(`/accounts/${seg(page.session.user)}/password`, { old: v.get("old"),
			password: v.get("password") }) }), "Changed.");
}

function token(page) {
	return question({ title: "Make a token", button: "Make it",
		text: ["A program with it may do what its scopes say, until it ends. A token never approves."],
		fields: [field("Name", el("input", { name: "name", id: "token-name", required: true, maxlength: "60" })),
			el("fieldset", {}, el("legend", {}, "Scopes"), ["view", "operate"].map((s) => el("label", { class: "tick" },
				el("input", { type: "checkbox", name: "scopes", value: s, checked: s === "view" }), s))),
			field("Days", el("input", { name: "days", id: "token-days", type: "number", min: "1", max: "365", value: "30",
				required: true }))],
		ask: (v) => post("/tokens", { name: v.get("name"), scopes: v.getAll("scopes"),
			days: Number(v.get("days")) }) }).then((doc) => {
		const secret = doc && (doc.secret || (typeof doc.token === "string" ? doc.token : doc.token && doc.token.secret));
		if (secret)
			page.part("token", secret, () => [el("h2", {}, "The new token"), el("p", {}, "Shown once: ",
				el("code", {}, secret), " ", copier(secret, "Copy"))]);
		return doc && page.reload();
	});
}

export async function load(page) {
	page.title("Your account");
	const [who, tokens] = await Promise.all([get("/session"), maybe("/tokens")]), s = { ...(who.session || {}), ...who };
	page.part("head", s, () => [el("h1", {}, "Your account"), facts(["User", s.user],
		["Signs as", s.principal || "nobody of the signer set"],
		["Roles", (s.roles || []).join(", ")], ["Session ends", [time(s.until, ""), s.idle_seconds ?
			`, or after ${Math.round(s.idle_seconds / 60)} minutes without use` : ""]]),
	el("p", { class: "buttons" }, el("button", { type: "button", id: "enrol",
		onclick: () => post(`/accounts/${seg(s.user)}/totp`, {})
		.then((doc) => enrolling(page, doc), (err) => page.wrong(err)) }, "Set up a second factor\u2026"),
	el("button", { type: "button", onclick: () => passwording(page) }, "Change your password\u2026"))]);
	const list = tokens && (tokens.tokens || []);
	page.part("tokens", list || null, () => [el("h2", {}, "Tokens for programs"),
		table("Tokens", ["Name", "Scopes", "Until", "Last used", "State", "End it"],
		list.map((t) => [t.name || digest(t.id), (t.scopes || []).join(", "), time(t.until, ""),
			time(t.used || t.last_used), t.revoked ? state("revoked") :
			badge("good", "valid"), el("button", { type: "button", class: "danger",
				"aria-label": `Revoke ${t.name || t.id}`, onclick: () =>
			page.act(post(`/tokens/${seg(t.id)}/revoke`, {}), "It is revoked.").catch((err) => page.wrong(err)) },
				"Revoke")]), "None."),
	el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => token(page) }, "Make a token\u2026"))]);
}
