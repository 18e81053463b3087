// Makes a page that is whole without it live: it shows times in the reader's own zone, copies texts, and takes over what the service says
// has changed. It loads nothing from elsewhere, and puts nothing into the page but markup that the service made.
"use strict";
(() => {
  const policy = window.trustedTypes ? trustedTypes.createPolicy("console", { createHTML: text => text }) : { createHTML: text => text };
  const short = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

  function localise(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (isNaN(at)) continue;
      const today = at.toDateString() === new Date().toDateString();
      const text = (today ? short : day).format(at);
      if (time.textContent !== text) time.textContent = text;
      time.title = `${full.format(at)} (${time.dateTime})`;
    }
  }

  // What is the same stays the same node, so that focus, what is typed, what is selected and what is unfolded stay.
  function morph(from, to) {
    if (from.nodeType === Node.TEXT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.nodeType !== Node.ELEMENT_NODE) return;
    const keeps = from.localName === "details" ? "open" : "";
    for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && name !== keeps) from.removeAttribute(name);
    for (const { name, value } of [...to.attributes]) if (name !== keeps && from.getAttribute(name) !== value) from.setAttribute(name, value);
    const named = new Map();
    for (const child of from.children) if (child.id) named.set(child.id, child);
    let at = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      const known = wanted.id && named.get(wanted.id);
      if (known && known !== at) from.insertBefore(known, at), at = known;
      if (at && at.nodeType === wanted.nodeType && at.nodeName === wanted.nodeName && (at.id || "") === (wanted.id || "")) {
        morph(at, wanted);
        at = at.nextSibling;
      } else from.insertBefore(wanted, at);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  document.addEventListener("click", event => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy);
    const said = button.textContent;
    const done = () => { button.textContent = "Copied"; setTimeout(() => button.textContent = said, 1500); };
    const select = () => { const range = document.createRange(); range.selectNodeContents(text); getSelection().removeAllRanges(); getSelection().addRange(range); };
    if (navigator.clipboard) navigator.clipboard.writeText(text.textContent).then(done, select); else select();
  });

  // Values that were encrypted to a public key are read here, with a key file that never leaves this page: it stands in no form, and the
  // page's policy lets nothing be sent but to the service itself.
  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const tell = (sealed, text) => { sealed.querySelector("[role=status]").textContent = text; };

  function element(name, kind, ...children) {
    const one = document.createElement(name);
    if (kind) one.className = kind;
    one.append(...children);
    return one;
  }

  const shown = value => value === undefined ? element("span", "none", "absent") : element("bdi", "", typeof value === "string" ? value : JSON.stringify(value));

  // Both answers as a tree: what differs is marked, what is equal is folded.
  function aligned(name, control, candidate, depth) {
    const same = JSON.stringify(control) === JSON.stringify(candidate);
    const inner = value => value !== null && typeof value === "object";
    if (!inner(control) || !inner(candidate) || depth > 24) {
      const kind = same ? "" : element("span", "kind", "differs");
      return element("div", same ? "leaf" : "leaf differs", element("span", "name", name, " ", kind), element("span", "side control", shown(control)),
        element("span", "side candidate", shown(candidate)));
    }
    const part = element("details", "", element("summary", "", name));
    part.open = !same;
    const names = [...new Set([...Object.keys(control), ...Object.keys(candidate)])];
    part.append(...names.map(one => aligned(Array.isArray(control) ? `[${one}]` : one, control[one], candidate[one], depth + 1)));
    return part;
  }

  async function unseal(sealed, key) {
    const place = sealed.querySelector("[data-opened]"), about = new TextEncoder().encode(sealed.dataset.operation);
    place.replaceChildren();
    for (const one of sealed.querySelectorAll("[data-text]")) {
      const once = await crypto.subtle.decrypt({ name: "RSA-OAEP" }, key, bytes(one.dataset.key));
      const cipher = await crypto.subtle.importKey("raw", once, "AES-GCM", false, ["decrypt"]);
      const plain = await crypto.subtle.decrypt(
        { name: "AES-GCM", iv: bytes(one.dataset.nonce), additionalData: about }, cipher, bytes(one.dataset.text));
      const sample = JSON.parse(new TextDecoder().decode(plain));
      const read = text => { try { return JSON.parse(text); } catch { return text; } };
      place.append(element("h3", "", one.textContent.trim()), element("pre", "", sample.request),
        element("div", "tree", aligned("the answer", read(sample.control), read(sample.candidate), 0)));
    }
  }

  for (const sealed of document.querySelectorAll(".sealed")) {
    if (!window.crypto?.subtle) tell(sealed, "This browser decrypts only on pages that came over TLS.");
    sealed.querySelector("input[type=file]").addEventListener("change", async event => {
      const [file] = event.target.files;
      if (!file) return;
      try {
        const pem = await file.text();
        if (!pem.includes("BEGIN PRIVATE KEY")) throw new Error("It takes a private key in PKCS #8: openssl pkcs8 -topk8 -nocrypt -in KEY.");
        const der = bytes(pem.replace(/-----[^-]+-----|\s/g, ""));
        await unseal(sealed, await crypto.subtle.importKey("pkcs8", der, { name: "RSA-OAEP", hash: "SHA-256" }, false, ["decrypt"]));
        tell(sealed, "Decrypted in this browser; the key was sent nowhere.");
      } catch (failure) {
        tell(sealed, failure.message || "This key does not open them.");
      }
    });
  }

  localise(document);
  if (!document.body.hasAttribute("data-live")) return;

  const main = document.getElementById("main"), contact = document.getElementById("contact");
  let heard = Date.now(), source = null, over = false;

  function listen() {
    source = new EventSource(location.href.split("#")[0]);
    source.addEventListener("beat", () => heard = Date.now());
    source.addEventListener("main", event => {
      heard = Date.now();
      const fresh = document.createElement("main");
      for (const { name, value } of main.attributes) fresh.setAttribute(name, value);
      fresh.innerHTML = policy.createHTML(event.data);
      localise(fresh);
      morph(main, fresh);
    });
    source.onerror = async () => {
      if (source.readyState !== EventSource.CLOSED) return;
      // Refused, as after a session's end; or something that is no stream. Who is signed out is told; else it is tried again.
      try {
        const answer = await fetch(location.href.split("#")[0], { redirect: "manual", headers: { "Accept": "text/event-stream" } });
        if (answer.body) answer.body.cancel();
        over = answer.status === 401;
      } catch { over = false; }
      if (!over) setTimeout(listen, 1000);
    };
  }

  function look() {
    const old = Date.now() - heard > 5000;
    const text = over ? "Your session has ended: what you see is old. " : old
      ? `No contact with the service since ${short.format(heard)}: what you see is old. It is tried again.` : "";
    if (contact.dataset.text === text) return;
    contact.dataset.text = text;
    contact.textContent = text;
    if (over) {
      const link = document.createElement("a");
      link.href = location.href;
      link.textContent = "Sign in again";
      contact.append(link);
    }
    contact.hidden = !text;
    document.body.classList.toggle("old", !!text);
  }

  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", event => { if (event.persisted) listen(); });
  setInterval(look, 500);
  listen();
})();
