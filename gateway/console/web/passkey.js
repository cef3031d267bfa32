// SPDX-License-Identifier: Apache-2.0
// passkey - a person's signature made by the browser's authenticator, in the form that ssh-keygen -Y verify reads.
// What is signed is what ssh-keygen -Y sign would sign (PROTOCOL.sshsig); the authenticator signs it inside WebAuthn's
// client data, which travels in the signature (PROTOCOL.u2f, webauthn-sk-ecdsa-sha2-nistp256@openssh.com).
// Nothing here is trusted by the gateway: the warden counts the signature, or does not.
// And signing in with one, for which control asks with 32 random bytes: no statement's, whatever it sends.
import { el, field, problem } from "/dom.js";
import { post } from "/api.js";

const NAMESPACE = "fotagate-approval@v1";
const KEY_TYPE = "sk-ecdsa-sha2-nistp256@openssh.com";
const SIGNATURE_TYPE = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";
const CURVE = "nistp256";
const ES256 = -7;            // COSE's number for ECDSA on P-256 with SHA-256: the one kind OpenSSH has a form for
const SPKI_P256_HEAD = 26;   // bytes of a P-256 SubjectPublicKeyInfo before its point
const POINT = 65;            // uncompressed
const EDDSA = -8;            // Ed25519: signs in, and nothing else here
const CHALLENGE = 32;        // bytes
const EXTENSIONS = 0x80;     // ED of the authenticator's flags
const AUTH_HEAD = 37;        // SHA-256 of the relying party, flags, counter
const ARMOUR_LINE = 70;      // digits in a line, as ssh-keygen writes them

const utf8 = new TextEncoder();

export class PasskeyError extends Error {}

export function available() {
	return Boolean(window.isSecureContext && navigator.credentials && window.PublicKeyCredential);
}

// ---- SSH's wire form ----

function concat(...parts) {
	const bytes = parts.map((p) => (typeof p === "string" ? utf8.encode(p) : p));
	const out = new Uint8Array(bytes.reduce((n, b) => n + b.length, 0));
	let at = 0;
	for (const b of bytes) {
		out.set(b, at);
		at += b.length;
	}
	return out;
}

function u32(n) {
	return Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
}

function blob(...parts) {
	const body = concat(...parts);
	return concat(u32(body.length), body);
}

// An unsigned integer as RFC 4251 has it: no needless zeros, one where it would look negative.
function mpint(bytes) {
	let at = 0;
	while (at < bytes.length && bytes[at] === 0)
		at++;
	const rest = bytes.subarray(at);
	return blob(rest.length && rest[0] & 0x80 ? Uint8Array.of(0) : "", rest);
}

function base64(bytes) {
	let text = "";
	for (const b of bytes)
		text += String.fromCharCode(b);
	return btoa(text);
}

function fromBase64(text) {
	return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

function same(a, b) {
	return a.length === b.length && a.every((v, i) => v === b[i]);
}

// Takes one length-prefixed part off; {part, rest}.
function takeBlob(bytes) {
	if (bytes.length < 4)
		throw new PasskeyError("a key is cut short");
	const n = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
	if (n > bytes.length - 4)
		throw new PasskeyError("a key is cut short");
	return { part: bytes.subarray(4, 4 + n), rest: bytes.subarray(4 + n) };
}

// ---- keys ----

function keyBlob(point, rpId) {
	return concat(blob(KEY_TYPE), blob(CURVE), blob(point), blob(rpId));
}

// The point of a line that belongs to that relying party; null for every other key.
function pointOf(line, rpId) {
	const [type, text] = line.split(" ");
	if (type !== KEY_TYPE)
		return null;
	let left = fromBase64(text);
	const parts = [];
	while (left.length) {
		const { part, rest } = takeBlob(left);
		parts.push(part);
		left = rest;
	}
	return parts.length === 4 && parts[2].length === POINT && same(parts[3], utf8.encode(rpId)) ? parts[2] : null;
}

// Makes a passkey and gives its public key as OpenSSH's line, for `fotagate people propose --add`. It permits nothing
// before a quorum has signed a set of people that lists it.
export async function register(principal, rpId) {
	const made = await navigator.credentials.create({
		publicKey: {
			rp: { id: rpId, name: "fotagate" },
			user: { id: crypto.getRandomValues(new Uint8Array(16)), name: principal, displayName: principal },
			challenge: crypto.getRandomValues(new Uint8Array(32)), // nobody checks an attestation: people check the key
			pubKeyCredParams: [{ type: "public-key", alg: ES256 }],
			authenticatorSelection: { residentKey: "required", userVerification: "required" },
			attestation: "none",
		},
	});
	const spki = made.response.getPublicKey && made.response.getPublicKey();
	if (!spki || made.response.getPublicKeyAlgorithm() !== ES256 || spki.byteLength !== SPKI_P256_HEAD + POINT)
		throw new PasskeyError("the authenticator made a key of another kind than P-256");
	return `${KEY_TYPE} ${base64(keyBlob(new Uint8Array(spki, SPKI_P256_HEAD), rpId))} ${principal}`;
}

// ---- signing ----

async function toBeSigned(statement) {
	const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", utf8.encode(statement)));
	return concat("SSHSIG", blob(NAMESPACE), blob(""), blob("sha512"), blob(digest));
}

// One INTEGER of the DER sequence an authenticator answers with; {value, rest}.
function derInteger(bytes) {
	if (bytes[0] !== 2 || bytes[1] > 33 || bytes[1] + 2 > bytes.length)
		throw new PasskeyError("the authenticator's signature has no form that is known");
	return { value: bytes.subarray(2, 2 + bytes[1]), rest: bytes.subarray(2 + bytes[1]) };
}

function derPair(der) {
	if (der[0] !== 0x30 || der[1] !== der.length - 2)
		throw new PasskeyError("the authenticator's signature has no form that is known");
	const r = derInteger(der.subarray(2));
	const s = derInteger(r.rest);
	return [r.value, s.value];
}

// 32 bytes each, as WebCrypto has them.
function fixed(bytes) {
	const out = new Uint8Array(32);
	const value = bytes.length > 32 ? bytes.subarray(bytes.length - 32) : bytes;
	out.set(value, 32 - value.length);
	return out;
}

async function verifies(point, message, [r, s]) {
	const key = await crypto.subtle.importKey("raw", point, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
	return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, concat(fixed(r), fixed(s)), message);
}

function armour(bytes) {
	const lines = base64(bytes).match(new RegExp(`.{1,${ARMOUR_LINE}}`, "g"));
	return `-----BEGIN SSH SIGNATURE-----\n${lines.join("\n")}\n-----END SSH SIGNATURE-----\n`;
}

// Signs the exact bytes of a statement. lines are the public keys of the person it names; the one that made the signature
// is found among them, since an authenticator does not say which it used. Returns the armour, or throws.
export async function sign(statement, lines, rpId) {
	const points = lines.map((line) => pointOf(line, rpId)).filter(Boolean);
	if (!points.length)
		throw new PasskeyError(`no passkey of this person belongs to ${rpId}: sign with the command instead`);
	const tbs = await toBeSigned(statement);
	const got = await navigator.credentials.get({
		publicKey: { challenge: tbs, rpId, userVerification: "required", allowCredentials: [] },
	});
	const auth = new Uint8Array(got.response.authenticatorData);
	const client = new Uint8Array(got.response.clientDataJSON);
	const pair = derPair(new Uint8Array(got.response.signature));
	const message = concat(auth, new Uint8Array(await crypto.subtle.digest("SHA-256", client)));
	for (const point of points) {
		if (!await verifies(point, message, pair))
			continue;
		const flags = auth.subarray(32, 33);
		const extensions = flags[0] & EXTENSIONS ? auth.subarray(AUTH_HEAD) : new Uint8Array();
		const signature = concat(blob(SIGNATURE_TYPE), blob(mpint(pair[0]), mpint(pair[1])), flags, auth.subarray(33, AUTH_HEAD),
			blob(window.location.origin), blob(client), blob(extensions));
		return armour(concat("SSHSIG", u32(1), blob(keyBlob(point, rpId)), blob(NAMESPACE), blob(""), blob("sha512"),
			blob(signature)));
	}
	throw new PasskeyError("the passkey that answered is not one of this person's keys");
}

// ---- signing in ----

const unhex = (hex) => Uint8Array.from(hex.match(/../g), (x) => parseInt(x, 16));

// Whatever was to be signed for a statement is longer, and is not signed here.
function challenge(doc) {
	const bytes = unhex(doc.challenge);
	if (bytes.length !== CHALLENGE)
		throw new PasskeyError("the gateway asked for something else than a sign-in");
	return bytes;
}

const text = (buffer) => base64(new Uint8Array(buffer));
const listed = (doc) => (doc.credentials || []).map((id) => ({ type: "public-key", id: fromBase64(id) }));

async function shown(doc) {
	const got = await navigator.credentials.get({ publicKey: { challenge: challenge(doc), rpId: doc.rp_id,
		timeout: doc.seconds * 1000, userVerification: "required", allowCredentials: listed(doc) } });
	const r = got.response;
	return [r, { challenge: doc.challenge, authenticator_data: text(r.authenticatorData), client_data: text(r.clientDataJSON),
		credential: text(got.rawId), signature: text(r.signature) }];
}

// The session, of whoever the authenticator knows.
export async function signIn() {
	const [r, body] = await shown(await post("/session/challenge"));
	body.handle = [...new Uint8Array(r.userHandle || [])].map((b) => b.toString(16).padStart(2, "0")).join("");
	return post("/session/passkey", body);
}

// A code that stands once where one of the second factor does.
export async function fresh() {
	const doc = await post("/passkeys/challenge");
	if (!doc.credentials.length)
		throw new PasskeyError("you have no passkey to sign in with: see Your account");
	return (await post("/passkeys/fresh", (await shown(doc))[1])).code;
}

export async function enrol(user, name, code) {
	const doc = await post("/passkeys/challenge", { add: true });
	const made = await navigator.credentials.create({ publicKey: {
		rp: { id: doc.rp_id, name: "fotagate" },
		user: { id: unhex(doc.handle), name: `${user} (sign-in)`, displayName: user },
		challenge: challenge(doc), timeout: doc.seconds * 1000, excludeCredentials: listed(doc), attestation: "none",
		pubKeyCredParams: [ES256, EDDSA].map((alg) => ({ type: "public-key", alg })),
		authenticatorSelection: { residentKey: "required", userVerification: "required" } } });
	return post("/passkeys", { challenge: doc.challenge, client_data: text(made.response.clientDataJSON), name,
		object: text(made.response.attestationObject), ...(code ? { code } : {}) });
}

// The field for a code of one's second factor, fresh: nobody who finds the browser open does with it what asks for one.
export function stepUp() {
	const code = el("input", { name: "code", id: "step-up", required: true, autocomplete: "one-time-code", maxlength: "15" });
	const wrong = el("div", {});
	return [field("Code of your second factor", code), available() ? el("p", { class: "buttons" }, el("button", { type: "button",
		id: "touch", onclick: () => fresh().then((c) => { code.value = c; wrong.replaceChildren("The passkey stands for it."); },
			(err) => wrong.replaceChildren(problem(err))) }, "Use a passkey instead")) : null, wrong];
}
