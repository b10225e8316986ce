// The hand-over page without network: its empty shell and the files that it is made of, nothing that is about anybody.
"use strict";

const FAMILY = "tongban-hand-over-";
const KEPT = `${FAMILY}{{ version }}`;
const PAGE = "{{ page }}";
const OFFLINE = "{{ offline }}";
const FILES = {{ files|safe }};
const AWAY = [502, 503, 504]; // said by a proxy in front of a server that is down

addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll([OFFLINE, ...FILES])).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith(FAMILY) && name !== KEPT);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))).then(() => clients.claim()));
});

async function fresh(request, kept) {
  const answer = await fetch(request).catch(() => null);
  if (answer && !AWAY.includes(answer.status)) return answer;
  return (await caches.match(kept, { cacheName: KEPT, ignoreVary: true })) || answer || Response.error();
}

addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (event.request.mode === "navigate" && pathname === PAGE) event.respondWith(fresh(event.request, OFFLINE));
  else if (FILES.includes(pathname)) event.respondWith(fresh(event.request, pathname));
});
