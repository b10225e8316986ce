// What the pages do beyond plain HTML: lists by keyboard, scanning, and saying when the network is gone.
"use strict";

document.documentElement.classList.add("js");

/* ---------- network ---------- */
function showNetwork() {
  const bar = document.querySelector("[data-offline]");
  if (bar) bar.hidden = navigator.onLine;
}
addEventListener("offline", showNetwork);
addEventListener("online", showNetwork);
document.addEventListener("htmx:sendError", () => {
  const bar = document.querySelector("[data-offline]");
  if (bar) bar.hidden = false;
});
document.addEventListener("htmx:afterOnLoad", showNetwork);

/* ---------- parts of a page: an answer that is none is said, a new list is told to who cannot see it ---------- */
function showFailure(failed) {
  const bar = document.querySelector("[data-failed]");
  if (bar) bar.hidden = !failed;
}
document.addEventListener("htmx:beforeSwap", (event) => {
  // Signed out meanwhile: the page to sign in is no part of this one.
  const address = event.detail.xhr.responseURL;
  if (!address || new URL(address).pathname !== document.body.dataset.login) return;
  event.detail.shouldSwap = false;
  location.reload();
});
document.addEventListener("htmx:responseError", () => showFailure(true));
document.addEventListener("htmx:afterSwap", () => showFailure(false));
document.addEventListener("htmx:afterSettle", (event) => {
  const list = event.target;
  const place = document.querySelector("[data-listed]");
  if (!place || !list.matches?.("#list, #items")) return;
  const rows = list.querySelectorAll("tbody tr").length;
  place.textContent = rows ? `列出 ${rows} 行` : list.querySelector(".empty strong")?.textContent || "没有内容";
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-later]")) return;  // these keep what was scanned
  if (!navigator.onLine) { event.preventDefault(); showNetwork(); scrollTo({ top: 0 }); }
}, true);

/* ---------- on a phone the row of places is wider than the window: the one that is open is shown ---------- */
document.querySelector(".places [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

/* ---------- what was refused is brought before the eye ---------- */
document.querySelector("main [data-fault], main [aria-invalid=true]")?.scrollIntoView({ block: "nearest" });
document.querySelector("main [aria-invalid=true]")?.focus({ preventScroll: true });

/* ---------- one click, one effect ---------- */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.matches("[data-tray]") || form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  // What opens in another window leaves this one as it is; otherwise the next page comes, however slowly.
  setTimeout(() => { delete form.dataset.sent; }, form.target ? 4000 : 30000);
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

/* ---------- hand-overs scanned while the network is away: kept here, delivered in order, counted once by the server ---------- */
const KEPT = "tongban.kept-scans";
const WHO = "tongban.who"; // the number of the account that signed in here last; gone when it signs out
const later = document.querySelector("form[data-later]");
const withoutNetwork = later !== null && later.matches("[data-without-network]"); // opened from what the browser keeps

function who() {
  return withoutNetwork ? localStorage.getItem(WHO) || "" : later.dataset.who;
}

function kept() {
  try { return JSON.parse(localStorage.getItem(KEPT)) || []; } catch { return []; }
}

function keep(scans) {
  localStorage.setItem(KEPT, JSON.stringify(scans));
  const place = document.querySelector("[data-kept]");
  place.hidden = !scans.length;
  place.querySelector("[data-kept-count]").textContent = `${scans.length} 件`;
  place.querySelector("[data-kept-list]").replaceChildren(...scans.map((scan) => {
    const row = document.createElement("li");
    row.innerHTML = "<span class=\"code\"></span><small></small>";
    const known = document.querySelector(`[data-code="${CSS.escape(scan.code)}"] a`);
    row.children[0].textContent = known ? known.textContent : `二维码尾号 ${scan.code.slice(-6)}`;
    row.children[1].textContent = `${new Date(scan.at).toLocaleString("zh-CN")} 扫码${scan.said ? `：${scan.said}` : scan.who === who() ? "" : "，等扫码人登录后送出"}`;
    if (!scan.refused) return row;
    row.className = "late";
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "slim quiet";
    drop.textContent = "知道了，移除";
    drop.addEventListener("click", () => keep(kept().filter((one) => one.code !== scan.code)));
    row.appendChild(document.createElement("div")).append(drop);
    return row;
  }));
}

async function reachable() {
  if (!navigator.onLine) return false;
  const answer = await fetch(later.dataset.later, { method: "HEAD", cache: "no-store" }).catch(() => null);
  return answer !== null && answer.status < 500;
}

let delivering = false;
async function deliver() {
  if (delivering || !navigator.onLine) return;
  delivering = true;
  if (withoutNetwork) {
    if (await reachable()) location.reload(); // the real page delivers
    delivering = false;
    return;
  }
  let counted = 0;
  for (const scan of kept().filter((one) => !one.refused && one.who === who())) {
    const body = new FormData(later);
    body.set("code", scan.code);
    body.set("at", scan.at);
    const answer = await fetch(later.dataset.later, { method: "POST", body }).catch(() => null);
    // Signed out, or no network after all: everything stays where it is.
    if (!answer || ![200, 409].includes(answer.status) || !answer.headers.get("content-type").includes("json")) break;
    const { said } = await answer.json();
    if (answer.status === 200) { counted += 1; keep(kept().filter((one) => one.code !== scan.code)); }
    else keep(kept().map((one) => (one.code === scan.code ? { ...one, refused: true, said } : one)));
  }
  delivering = false;
  if (counted) location.reload();
}

if (later) {
  if (!withoutNetwork) localStorage.setItem(WHO, who());
  // Without HTTPS there is no worker: then the page has to be open already when the network drops.
  if (later.dataset.worker && "serviceWorker" in navigator) navigator.serviceWorker.register(later.dataset.worker).catch(console.warn);
  keep(kept());
  later.addEventListener("submit", async (event) => {
    event.preventDefault();
    const box = later.querySelector("[data-scan]");
    const code = box.value.trim();
    const at = new Date().toISOString();
    if (withoutNetwork) {
      document.querySelector("[data-nobody]").hidden = Boolean(who());
      if (!code || !who()) return;
    } else if (!code || await reachable()) { later.submit(); return; }
    if (!kept().some((one) => one.code === code)) keep([...kept(), { code, at, who: who() }]);
    box.value = "";
    box.focus();
    showNetwork();
  });
  addEventListener("online", deliver);
  setInterval(deliver, withoutNetwork ? 5000 : 15000);
  deliver();
}

/* ---------- signing out takes along what lets the hand-over page open without network; kept scans stay ---------- */
async function forget() {
  localStorage.removeItem(WHO);
  if (!("caches" in window)) return;
  const names = (await caches.keys()).filter((name) => name.startsWith("tongban-"));
  await Promise.all(names.map((name) => caches.delete(name)));
  const workers = await navigator.serviceWorker.getRegistrations();
  await Promise.all(workers.map((worker) => worker.unregister()));
}
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-logout]") || event.defaultPrevented) return;
  event.preventDefault();
  forget().catch(console.warn).finally(() => form.submit());
});

/* ---------- keyboard: j k Enter in lists, / to the search box ---------- */
function isTyping(target) {
  return target.matches("input:not([type=checkbox], [type=radio]), textarea, select") || target.isContentEditable;
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const rows = [...document.querySelectorAll("[data-keys] tbody tr")];
  const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  if (event.key === "j" || event.key === "k") {
    if (!rows.length) return;
    const next = at < 0 ? 0 : Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), rows.length - 1);
    rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === next)));
    rows[next].scrollIntoView({ block: "nearest" });
    event.preventDefault();
  } else if (event.key === "Enter" && at >= 0 && event.target === document.body) {
    rows[at].querySelector("a")?.click();
  } else if (event.key === "/") {
    document.querySelector("[data-finder]")?.focus();
    event.preventDefault();
  }
});

/* ---------- Enter in the box above a list: the only row is opened, of several the first is marked, for j k Enter ---------- */
const opens = document.querySelector("[data-opens]");
if (opens) {
  const box = opens.querySelector("input");
  const choose = () => {
    const rows = document.querySelectorAll(`${opens.dataset.opens} tbody tr`);
    if (rows.length === 1) rows[0].querySelector("a").click();
    else if (rows.length) { box.blur(); rows[0].setAttribute("aria-selected", "true"); }
  };
  let entered = false;                        // until something else is typed: the list may come once more
  opens.addEventListener("submit", () => { entered = true; });
  box.addEventListener("input", () => { entered = false; });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (entered && `#${event.target.id}` === opens.dataset.opens) choose();
  });
}

/* ---------- a scan from anywhere goes to the page's scan box, else to the search box ---------- */
let typedFast = "";
let lastKey = 0;
document.addEventListener("keydown", (event) => {
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.timeStamp - lastKey > 60) typedFast = "";
  lastKey = event.timeStamp;
  if (event.key.length === 1) typedFast += event.key;
  else if (event.key === "Enter" && typedFast.length >= 8) {
    const box = document.querySelector("[data-scan]") || document.querySelector("[data-finder]");
    if (box) { box.value = typedFast; box.form.requestSubmit(); event.preventDefault(); }
    typedFast = "";
  }
});

/* ---------- a signature: lines drawn with finger, pen or mouse, sent as numbers ---------- */
for (const pad of document.querySelectorAll("[data-pad]")) {
  const form = pad.closest("form");
  const pen = pad.getContext("2d");
  Object.assign(pen, { lineWidth: 7, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
  let strokes = [];
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    const part = (value, all, units) => Math.round(Math.min(Math.max(value / all, 0), 1) * units);
    return [part(event.clientX - box.left, box.width, pad.width), part(event.clientY - box.top, box.height, pad.height)];
  };
  const draw = (stroke) => {
    pen.beginPath();
    pen.moveTo(...stroke.slice(0, 2));
    for (let at = 0; at < stroke.length; at += 2) pen.lineTo(...stroke.slice(at, at + 2));
    pen.stroke();
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    strokes.push(place(event));
    event.preventDefault();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pad.hasPointerCapture(event.pointerId) || !strokes.length) return;
    const stroke = strokes.at(-1);
    stroke.push(...place(event));
    draw(stroke.slice(-4));
  });
  form.querySelector("[data-pad-clear]").addEventListener("click", () => {
    strokes = [];
    pen.clearRect(0, 0, pad.width, pad.height);
  });
  form.addEventListener("submit", () => { form.querySelector("[data-drawn]").value = JSON.stringify(strokes); });
}

/* ---------- a read line and its place on the page light up together ---------- */
function lightUp(event) {
  const line = event.target.closest?.("[data-line]");
  for (const lit of document.querySelectorAll("[data-line].on")) lit.classList.remove("on");
  if (!line) return;
  for (const both of document.querySelectorAll(`[data-line="${line.dataset.line}"]`)) {
    both.classList.add("on");
    if (both !== line && both.matches("li")) both.scrollIntoView({ block: "nearest" });
  }
}
document.addEventListener("mouseover", lightUp);
document.addEventListener("focusin", lightUp);

/* ---------- tick a whole column ---------- */
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-all]");
  if (!all) return;
  for (const box of all.form.querySelectorAll(`input[name="${all.dataset.all}"]`)) box.checked = all.checked;
});

/* ---------- a table wider than its place is scrolled by keyboard, too ---------- */
function letScroll() {
  for (const table of document.querySelectorAll(".table")) {
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
    else table.removeAttribute("tabindex");
  }
}
letScroll();
addEventListener("resize", letScroll);
document.addEventListener("htmx:afterSettle", letScroll);
