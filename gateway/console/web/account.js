// SPDX-License-Identifier: Apache-2.0
// account - the one who is signed in: password, second factor and passkeys of their own.
import { el, field, facts, problem, time, question, copier, newPassword, table, badge } from "/dom.js";
import { get, post, seg } from "/api.js";
import { available, enrol, fresh, stepUp } from "/passkey.js";
import { KEPT } from "/words.js";

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

// first: in place of a code, by who has shown a password only.
function making(page, s, first) {
	return page.act(question({ title: "Make a passkey", button: "Make it", text: ["It signs you in here, without a password. " +
		"It signs no approval.", first ? "Your password then lets nobody in." : ""],
	fields: [field("Name", el("input", { name: "name", id: "key-name", required: true, maxlength: "60", autocomplete: "off" }),
		"The device it is on."), first ? null : stepUp()],
	ask: async (v) => {
		await enrol(s.user, v.get("name").trim(), v.get("code"));
		if (first)
			page.signedOut("passkey");
		return true;
	} }), "Made.").catch((err) => page.wrong(err));
}

function asking(page, path, title, text) {
	return page.act(question({ title, button: title, danger: true, text: [text], fields: [stepUp()], ask: (v) =>
		post(path, { code: v.get("code").trim() }) }), "Done.");
}

function passkeys(page, s, keys) {
	return [el("h2", {}, "Passkeys to sign in with"), table("Passkeys", ["Name", "Made", "Last used", "Kept", "Remove"],
		keys.map((k) => [[k.name, k.suspended ? [" ", badge("block", "suspended: there may be a copy")] : null], time(k.made),
			time(k.last), KEPT[k.backup] || k.backup,
			el("button", { type: "button", class: "danger", "aria-label": `Remove ${k.name}`, onclick: () => asking(page,
				`/passkeys/${seg(k.id)}/remove`, "Remove", `${k.name} signs nobody in any more.`) }, "Remove\u2026")]), "None."),
	el("p", { class: "buttons" }, available() ? el("button", { type: "button", id: "make-key", onclick: () =>
		making(page, s, false) }, "Make a passkey\u2026") : null, keys.some((k) => k.last && !k.suspended) ? el("button", {
		type: "button", id: "passkey-only", onclick: () => asking(page, `/accounts/${seg(s.user)}/passkey-only`, "Passkeys only",
			"Password and code let you in no more. Without a passkey an administrator has to.") }, "Passkeys only\u2026") : null)];
}

export async function load(page) {
	page.title("Your account");
	const s = (await get("/session")).session, must = s.must || [];
	const keys = must.length ? null : (await get(`/accounts/${seg(s.user)}/passkeys`)).passkeys;
	const totp = (body) => post(`/accounts/${seg(s.user)}/totp`, body);
	page.part("head", s, () => [el("h1", {}, "Your account"),
		must.length ? el("p", { class: "hint", role: "status" }, "Before anything else: ", must.includes("password") ?
			"choose a password that only you know" : "set up a second factor", ". Until then you have no role.") : null,
		facts(["User", s.user], ["Signs as", s.principal || "nobody of the signer set"],
			["Roles", (s.roles || []).join(", ") || "none"],
			["Session ends", [time(s.until, ""), `, or after ${Math.round(s.idle_seconds / 60)} minutes without use`]]),
		el("p", { class: "buttons" }, el("button", { type: "button", id: "enrol", onclick: () =>
			totp({}).catch(async (err) => {
				if (err.id !== "SECOND-FACTOR")
					throw err;
				return totp({ code: await fresh() });
			}).then((doc) => enrolling(page, s, doc), (err) => page.wrong(err)) }, "Set up a second factor\u2026"),
		must.includes("totp") && !must.includes("password") && available() ? el("button", { type: "button", id: "make-key",
			onclick: () => making(page, s, true) }, "Use a passkey instead\u2026") : null,
		el("button", { type: "button", id: "change", onclick: () => passwording(page, s) },
			"Change your password\u2026"))]);
	page.part("keys", keys, () => passkeys(page, s, keys));
}
