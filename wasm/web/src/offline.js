// The service worker: after the first visit the page works without a network. It serves its own
// files and nothing else; a new build is taken at the next visit.

const files = __FILES__;
const cacheName = "aclc-preview-__VERSION__";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(files)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((it) => it.startsWith("aclc-preview-") && it !== cacheName);
  event.waitUntil(
    caches.keys().then((names) => Promise.all(old(names).map((it) => caches.delete(it)))).then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== self.location.origin) return;
  const kept = caches.open(cacheName).then((cache) => cache.match(event.request, { ignoreSearch: true }));
  event.respondWith(kept.then((answer) => answer ?? fetch(event.request)));
});
