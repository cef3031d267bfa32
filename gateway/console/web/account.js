// SPDX-License-Identifier: Apache-2.0
// account - the one who is signed in: password and second factor of their own.
import { el, field, facts, problem, time, question, copier, newPassword } from "/dom.js";
import { get, post, seg } from "/api.js";

// The secret is shown once, as text: whoever cannot point a camera at a screen types it.
function enrolling(page, s, doc) {
	const code = el("input", { id: "totp-code", required: true, inputmode: "numeric", autocomplete: "one-time-code",
		maxlength: "8" });
	const wrong = el("div", {});
	page.part("enrol", doc, () => [el("h2", {}, "Your second factor"),
		el("p", {}, "Give this to an authenticator now. It is not shown again."),
		facts(["Secret (base32)", [el("code", { id: "totp-secret" }, doc.secret.replace(/(.{4})(?=.)/g, "$1 ")), " ",
			copier(doc.secret, "Copy")]], ["Address", [el("code", { id: "totp-uri" }, doc.uri), " ",
				copier(doc.uri, "Copy")]]),
		el("form", { class: "stack", onsubmit: async (ev) => {
			ev.preventDefault();
			try {
				await post(`/accounts/${seg(s.user)}/totp`, { code: code.value.replaceAll(" ", "") });
				page.signedOut("factor");
			} catch (err) {
				wrong.replaceChildren(problem(err));
			}
		} }, field("The code it shows now", code, "Your sessions end; sign in with the code that comes after it."), wrong,
		el("p", { class: "buttons" }, el("button", { type: "submit", class: "primary" }, "Use it from now on")))]);
	code.focus();
}

function passwording(page, s) {
	return page.act(question({ title: "Change your password", button: "Change it", text: ["Your other sessions end."],
		fields: [field("Password so far", el("input", { name: "old", id: "old", type: "password", required: true,
			maxlength: "128",
			autocomplete: "current-password" })), newPassword()],
		ask: (v) => post(`/accounts/${seg(s.user)}/password`, { old: v.get("old"), password: v.get("password") }) }),
			"Changed.");
}

export async function load(page) {
	page.title("Your account");
	const s = (await get("/session")).session, must = s.must || [];
	page.part("head", s, () => [el("h1", {}, "Your account"),
		must.length ? el("p", { class: "hint", role: "status" }, "Before anything else: ", must.includes("password") ?
			"choose a password that only you know" : "set up a second factor", ". Until then you have no role.") : null,
		facts(["User", s.user], ["Signs as", s.principal || "nobody of the signer set"],
			["Roles", (s.roles || []).join(", ") || "none"],
			["Session ends", [time(s.until, ""), `, or after ${Math.round(s.idle_seconds / 60)} minutes without use`]]),
		el("p", { class: "buttons" }, el("button", { type: "button", id: "enrol", onclick: () =>
			post(`/accounts/${seg(s.user)}/totp`, {}).then((doc) => enrolling(page, s, doc), (err) => page.wrong(err)) },
		"Set up a second factor\u2026"),
		el("button", { type: "button", id: "change", onclick: () => passwording(page, s) },
			"Change your password\u2026"))]);
}
