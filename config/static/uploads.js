// The upload trays: files go in pieces (tus 1.0.0), so that a lost network or a closed page costs the piece on its way and no more.
"use strict";

const PIECE = 1 << 20;                        // bytes; what reverse proxies let through without being told
const UPLOADS = document.querySelector("[data-uploads]")?.dataset.uploads;
const UNFINISHED = "tongban.unfinished-uploads";
const KEEP_MS = 24 * 60 * 60 * 1000;          // the server forgets them, too
const MOST_TRIES = 6;                         // at one piece while the network is there
const LABELS = {
  sending: "上传中", checking: "检查中", lost: "网络中断，恢复后自动继续", failed: "上传失败，请重试",
  unread: "读不出这个文件，请核对后再选一次", empty: "文件夹里没有可以上传的文件",
  signedOut: "登录已失效，请重新登录后再选一次这个文件，会从断开处继续",
};

/* ---------- what is on its way, kept over a reload: a mark that tells nothing of the file, and its address ---------- */
function fingerprint(...parts) {
  // FNV-1a over 64 bits: without https the browser has no better one, and nothing here is a secret.
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(parts.join("\n"))) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16);
}

function placeOf(tray) {
  return fingerprint(tray.dataset.who, tray.action, new FormData(tray).get("material") || "");
}

function markOf(tray, file) {
  return fingerprint(placeOf(tray), file.name, file.size, file.lastModified);
}

function unfinished() {
  try {
    const kept = Object.entries(JSON.parse(localStorage.getItem(UNFINISHED)) || {});
    return Object.fromEntries(kept.filter(([, one]) => Date.now() - one.at < KEEP_MS));
  } catch { return {}; }
}

function remember(mark, entry) {
  const kept = unfinished();
  if (entry) kept[mark] = { ...entry, at: Date.now() };
  else delete kept[mark];
  try { localStorage.setItem(UNFINISHED, JSON.stringify(kept)); } catch { /* a browser that keeps nothing resumes until it is closed */ }
}

/* ---------- one request ---------- */
class Lost extends Error {}                   // may succeed later: no network, or the server is busy
class Gone extends Error {}                   // the server does not know the upload any more
class Final extends Error {}                  // says in words why it ends here
class NoPieces extends Error {}               // something on the way lets no uploads in pieces through

function ask(method, address, headers, body, progress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const answer = () => resolve(request);
    request.addEventListener("load", answer);
    request.addEventListener("error", answer);
    request.addEventListener("timeout", answer);
    if (progress) request.upload.addEventListener("progress", (event) => progress(event.loaded, event.total));
    request.open(method, address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body);
  });
}

async function speak(tray, method, address, headers = {}, body = null, progress = null) {
  // The tus protocol, signed in as this page is. Answers what the server granted.
  const token = tray.querySelector("[name=csrfmiddlewaretoken]").value;
  const spoken = { "Tus-Resumable": "1.0.0", "X-CSRFToken": token, ...headers };
  const answer = await ask(method, address, spoken, body, progress);
  if (answer.status >= 200 && answer.status < 300) return answer;
  if (answer.status === 405 || answer.status === 501) throw new NoPieces();
  if (answer.status === 0 || answer.status === 409 || answer.status === 460 || answer.status >= 500) throw new Lost();
  if (answer.status === 404 || answer.status === 410) throw new Gone();
  if (answer.status === 401 || answer.status === 403) throw new Final(LABELS.signedOut);
  let said;
  try { said = JSON.parse(answer.responseText).message; } catch { said = ""; }
  throw new Final(said || LABELS.failed);
}

/* ---------- one upload ---------- */
async function begin(tray, file) {
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const headers = { "Upload-Length": String(file.size), "Upload-Metadata": `filename ${name}` };
  try {
    return (await speak(tray, "POST", UPLOADS, headers)).getResponseHeader("Location");
  } catch (fault) { throw fault instanceof Gone ? new NoPieces() : fault; }
}

async function received(tray, address) {
  return Number((await speak(tray, "HEAD", address)).getResponseHeader("Upload-Offset"));
}

async function checksum(piece) {
  if (!crypto.subtle) return {};              // only over https and on this machine
  const digest = await crypto.subtle.digest("SHA-256", await piece.arrayBuffer());
  return { "Upload-Checksum": `sha256 ${btoa(String.fromCharCode(...new Uint8Array(digest)))}` };
}

async function sendPiece(tray, file, address, offset, progress) {
  const piece = file.slice(offset, offset + PIECE);
  const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset), ...await checksum(piece) };
  let answer;
  try {
    answer = await speak(tray, "PATCH", address, headers, piece, progress);
  } catch (fault) {
    if (!(fault instanceof NoPieces)) throw fault;
    answer = await speak(tray, "POST", address, { ...headers, "X-HTTP-Method-Override": "PATCH" }, piece, progress);
  }
  return Number(answer.getResponseHeader("Upload-Offset"));
}

function networkBack(tries) {
  return new Promise((resolve) => {
    const wait = Math.min(1000 * 2 ** tries, 15000);
    const done = () => { clearTimeout(timer); removeEventListener("online", done); resolve(); };
    const timer = setTimeout(done, wait);
    addEventListener("online", done);
  });
}

async function persist(item, act) {
  // Until it is done: waits for the network as long as it takes, and a little for a server that stumbles.
  for (let tries = 0; ;) {
    try { return await act(() => { tries = 0; }); } catch (fault) {
      if (!(fault instanceof Lost) || (navigator.onLine && tries >= MOST_TRIES)) throw fault;
      say(item, LABELS.lost);
      await networkBack(tries);
      if (navigator.onLine) tries += 1;
    }
  }
}

async function bring(tray, file, item) {
  // Every byte to the server, from where it stopped. Answers the address of the whole.
  const mark = markOf(tray, file);
  let { address } = unfinished()[mark] || {};
  return persist(item, async (moving) => {
    try {
      let offset = address ? await received(tray, address) : 0;
      if (offset) say(item, `已传 ${percent(offset, file)}%，继续上传`, percent(offset, file));
      if (!address) address = await begin(tray, file);
      remember(mark, { address, place: placeOf(tray) });
      while (offset < file.size) {
        const before = offset;
        offset = await sendPiece(tray, file, address, offset, (loaded) => {
          const share = percent(Math.min(before + loaded, file.size), file);
          say(item, `${share}%`, share);
        });
        if (offset <= before) throw new Lost();
        moving();
      }
      return address;
    } catch (fault) {
      if (!(fault instanceof Gone)) throw fault;
      address = "";                           // begun anew
      throw new Lost();
    }
  });
}

function percent(bytes, file) { return Math.floor((100 * bytes) / Math.max(file.size, 1)); }

async function handIn(tray, item, part) {
  // The form as it stands with `part` instead of its files: the call of a plain upload, answered by a line of the tray.
  const body = new FormData(tray);
  body.delete("files");
  body.append(...part);
  const answer = await ask("POST", tray.action, { "X-Requested-With": "tray" }, body, (loaded, total) => {
    if (loaded === total) say(item, LABELS.checking, 100);
    else say(item, `${Math.floor((100 * loaded) / total)}%`, (100 * loaded) / total);
  });
  if (answer.status === 0 || answer.status >= 500) throw new Lost();
  if (answer.responseURL && new URL(answer.responseURL).pathname !== new URL(tray.action).pathname) throw new Final(LABELS.signedOut);
  if (answer.status !== 200 && answer.status !== 409) throw new Final(LABELS.failed);
  return answer;
}

async function send(tray, file, item) {
  const name = file.name;
  try {
    let answer;
    try {
      const address = await bring(tray, file, item);
      say(item, LABELS.checking, 100);
      answer = await persist(item, () => handIn(tray, item, ["arrived", address.replace(/\/$/, "").split("/").pop()]));
    } catch (fault) {
      if (!(fault instanceof NoPieces)) throw fault;
      answer = await handIn(tray, item, ["files", file, name]);
    }
    if (answer.status === 200) remember(markOf(tray, file), null);
    const holder = document.createElement("ul");
    holder.innerHTML = answer.responseText;
    const told = holder.firstElementChild;
    const named = told.querySelector("[data-name]");
    if (named) named.textContent = name;
    item.replaceWith(told);
  } catch (fault) {
    fail(item, fault instanceof Final ? fault.message : LABELS.failed);
    // A DOMException: the file is not there any more. What nobody foresaw is told, and the other files have their turn.
    if (!(fault instanceof Lost || fault instanceof Final || fault instanceof DOMException)) reportError(fault);
  }
}

/* ---------- the tray ---------- */
function line(file) {
  const item = document.createElement("li");
  item.innerHTML = '<span></span><span></span><span class="number"></span><progress max="100" value="0"></progress>';
  item.children[1].textContent = file.name;
  item.children[2].textContent = LABELS.sending;
  return item;
}

function say(item, words, share) {
  item.children[2].textContent = words;
  if (share !== undefined) item.querySelector("progress").value = share;
}

function fail(item, words) {
  item.className = "late";
  item.children[2].textContent = words;
  item.querySelector("progress")?.remove();
}

function recall(tray) {
  // Which file it was is not kept; that there was one is.
  const place = placeOf(tray);
  const count = Object.values(unfinished()).filter((one) => one.place === place).length;
  const words = tray.querySelector("[data-unfinished]");
  words.hidden = !count;
  if (count) words.querySelector("b").textContent = count;
}

const LITTER = /^(\.|thumbs\.db$|desktop\.ini$)/i; // what systems leave in folders

async function take(tray, files) {
  const list = tray.querySelector(".tray-files");
  const chosen = [...files].filter((file) => !LITTER.test(file.name));
  const waiting = chosen.map((file) => [file, list.appendChild(line(file))]);
  tray.classList.add("busy");
  for (const [file, item] of waiting) await send(tray, file, item);
  wait = FIRST_LOOK_MS;
  tray.classList.remove("busy");
  recall(tray);
  for (const input of tray.querySelectorAll("input[type=file]")) input.value = "";
  if (!document.querySelector("[data-tray].busy")) refreshChecklist();
}

async function refreshChecklist(gently = false) {
  // The pages that just arrived appear above their tray; what the tray said stays where it is. Gently: and what is in use.
  const answer = await fetch(document.body.dataset.here, { headers: { "X-Requested-With": "refresh" } }).catch(() => null);
  if (!answer || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const row of document.querySelectorAll("[data-refresh]")) {
    const other = fresh.getElementById(row.id);
    if (other && !(gently && inUse(row))) row.replaceChildren(...other.childNodes);
  }
  watchAwaited();
}

function inUse(place) {
  // Somebody is about to answer there: an open part, the focus, or a tick that was changed.
  return place.contains(document.activeElement) || place.querySelector("details[open]") !== null
    || [...place.querySelectorAll("input")].some((input) => input.checked !== input.defaultChecked);
}

/* ---------- while pages are being read or a card is waited for, what they say appears by itself ---------- */
const FIRST_LOOK_MS = 3000;
const LAST_LOOK_MS = 60_000;                  // where nobody reads, the page stops asking
let look = 0;
let wait = FIRST_LOOK_MS;

function watchAwaited() {
  clearTimeout(look);
  if (!document.querySelector("[data-awaited]") || wait > LAST_LOOK_MS) return;
  look = setTimeout(() => {
    wait *= 1.2;
    if (document.hidden || document.querySelector("[data-tray].busy")) watchAwaited();
    else refreshChecklist(true);
  }, wait);
}
watchAwaited();

async function dropped(transfer) {
  // Entries have to be asked for at once: they are gone after the first wait.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = { files: [], unread: [], empty: [] };
  if (!entries.some((entry) => entry.isDirectory)) return { ...found, files: [...transfer.files] };
  for (const entry of entries) {
    const before = found.files.length + found.unread.length;
    await gather(entry, found);
    if (entry.isDirectory && found.files.length + found.unread.length === before) found.empty.push(entry.name);
  }
  return found;
}

async function gather(entry, found) {
  // What cannot be read is named, and keeps nothing beside it from going in.
  try {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      if (!LITTER.test(file.name)) found.files.push(file);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const inner of some) await gather(inner, found);
    }
  } catch { found.unread.push(entry.name); }
}

function prepareTrays(root) {
  for (const tray of root.querySelectorAll("[data-tray]")) {
    const inputs = [...tray.querySelectorAll("input[type=file]")];
    recall(tray);
    const plain = tray.querySelector("[data-plain]");
    if (plain) plain.hidden = true;
    for (const input of inputs) input.addEventListener("change", () => { if (input.files.length) take(tray, [...input.files]); });
    tray.addEventListener("submit", (event) => { event.preventDefault(); take(tray, inputs.flatMap((input) => [...input.files])); });
    const drop = tray.querySelector(".tray-drop");
    drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      dropped(event.dataTransfer).then(({ files, unread, empty }) => {
        const list = tray.querySelector(".tray-files");
        for (const name of unread) fail(list.appendChild(line({ name })), LABELS.unread);
        for (const name of empty) fail(list.appendChild(line({ name })), LABELS.empty);
        if (files.length) take(tray, files);
      });
    });
  }
}
prepareTrays(document);
addEventListener("beforeunload", (event) => { if (document.querySelector("[data-tray].busy")) event.preventDefault(); });
