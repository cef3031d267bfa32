// SPDX-License-Identifier: Apache-2.0
// signin - name, password and, where it is due, a code; or a passkey alone; or whom a front before the console names.
import { el, field, problem } from "/dom.js";
import { post } from "/api.js";
import { available, signIn } from "/passkey.js";

export function load(page) {
	page.title("Sign in");
	const q = new URLSearchParams(location.search);
	const told = q.has("over") ? "Your session is over: 15 minutes without use, 8 hours, or somebody ended it." :
		q.has("factor") ? "The second factor is set. Sign in with the next code it shows." :
			q.has("passkey") ? "The passkey is made. Sign in with it: it needs no password." : "";
	page.part("sign-in", 1, () => {
		const user = el("input", { id: "user", name: "user", autocomplete: "username", required: true, maxlength: "64",
			spellcheck: "false" });
		const password = el("input", { id: "password", name: "password", type: "password", autocomplete: "current-password",
			required: true,
			maxlength: "128" });
		const code = el("input", { id: "code", name: "code", inputmode: "numeric", autocomplete: "one-time-code",
			maxlength: "16",
			pattern: "[0-9 ]*" });
		const wrong = el("div", { id: "wrong" });
		const go = el("button", { type: "submit", class: "primary" }, "Sign in");
		async function submit(ev) {
			ev.preventDefault();
			go.disabled = true;
			wrong.replaceChildren();
			const body = { user: user.value, password: password.value };
			if (code.value.trim())
				body.code = code.value.replaceAll(" ", "");
			try {
				await page.signedIn(await post("/session", body));
				return;
			} catch (err) {
				wrong.replaceChildren(problem(err));
				if (err.id === "SECOND-FACTOR")
					code.focus();
				else
					password.select();
			} finally {
				go.disabled = false;
			}
		}
		async function touch() {
			wrong.replaceChildren();
			try {
				await page.signedIn(await signIn());
			} catch (err) {
				wrong.replaceChildren(problem(err));
			}
		}
		const passkey = available() ? el("p", { class: "buttons" }, el("button", { type: "button", id: "passkey", onclick: touch },
			"Sign in with a passkey")) : null;
		return [el("h1", {}, "Sign in"),
			told ? el("p", { class: "hint", role: "status" }, told) : null,
			el("form", { class: "stack", onsubmit: submit }, field("User", user), field("Password", password),
				field("Code of the second factor", code,
					"Six digits of your authenticator; leave it empty if you have none."),
				wrong, el("p", { class: "buttons" }, go)), passkey,
			el("p", {}, "No account on a new gateway? ", el("a", { href: "/setup" }, "Set it up"),
				" with the code from its terminal.")];
	}, "stack");
	page.part("sso", q.has("sso") || null, () => {
		const wrong = el("div");
		const go = () => post("/session/sso").then(page.signedIn, (no) => wrong.replaceChildren(problem(no)));
		return [el("p", { class: "buttons" }, el("button", { type: "button", id: "sso", onclick: go }, "Single sign-on")), wrong];
	}, "stack");
}
