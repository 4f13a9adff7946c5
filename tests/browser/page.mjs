// What all tests of the page share: a file server on loopback, a browser, and a page that is watched:
// no message on its console and no request but for its own files may go unseen.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = fileURLToPath(new URL("../../", import.meta.url));

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml", ".json": "application/json" };

/** Serves the built page as the plainest server would, below a path. */
export async function serve(below = "/some/path/") {
  const folder = path.join(root, "target/preview");
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const name = pathname === below ? "index.html" : pathname.slice(below.length);
    readFile(path.join(folder, path.normalize(`/${name}`))).then(
      (bytes) => response.writeHead(200, { "content-type": TYPES[path.extname(name)] ?? "application/octet-stream" }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}${below}`;
  return { address, stop: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }) };
}

export function launch() {
  // As root, which is how pipelines run, Chromium starts without its sandbox only.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
}

/** A fresh profile with the page open and compiled; `seen` has what it said and asked for. */
export async function open(browser, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: "block", ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const seen = { said: [], asked: [] };
  page.on("console", (it) => {
    if (!it.text().includes("Service Worker registration blocked")) seen.said.push(`${it.type()}: ${it.text()}`);
  });
  page.on("pageerror", (it) => seen.said.push(`thrown: ${it.message}`));
  page.on("request", (it) => seen.asked.push(it.url()));
  await page.goto(address);
  await page.waitForFunction(() => document.querySelector("footer")?.textContent.includes(" ms"));
  return { context, page, seen };
}

/** Puts a text into one of the editors, as a person does who pastes. */
export async function paste(page, label, text) {
  const editor = page.getByRole("textbox", { name: label, exact: true });
  await editor.focus();
  await page.keyboard.press("Control+a");
  await editor.evaluate((element, it) => {
    const data = new DataTransfer();
    data.setData("text/plain", it);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
}

/** Puts the cursor of the policy's editor behind the first place where a text stands. */
export async function cursorBehind(page, text) {
  const line = page.locator("#panel-policy .cm-line", { hasText: text }).first();
  await line.click();
  await page.keyboard.press("Home");
  await page.keyboard.press("Home");
  const before = (await line.innerText()).indexOf(text) + text.length;
  for (let at = 0; at < before; at++) await page.keyboard.press("ArrowRight");
}

/** A row or column of the matrix to another. */
export function cell(page, from, to) {
  return page.getByRole("gridcell", { name: new RegExp(`^${from} (reaches|does not reach) ${to}(:|$)`) });
}

/** Waits until the result of the newest text is shown. */
export async function settled(page) {
  await page.waitForFunction(() => {
    const [now, before] = [document.querySelector("footer")?.textContent, window.seenBefore];
    window.seenBefore = now;
    return now === before;
  }, undefined, { polling: 120 });
}

/** A small policy and its devices. */
export const small = {
  policy: `{
  "groups": {"group:ops": ["ada@example.com"]},
  "tagOwners": {"tag:web": ["group:ops"], "tag:db": ["group:ops"]},
  "grants": [
    {"src": ["group:ops"], "dst": ["tag:web"], "ip": ["tcp:443"]},
    {"src": ["tag:web"], "dst": ["tag:db"], "ip": ["tcp:5432"]},
  ],
  "tests": [{"src": "ada@example.com", "accept": ["tag:web:443"], "deny": ["tag:db:5432"]}],
}
`,
  nodes: `{
  "users": [{"name": "ada", "email": "ada@example.com"}],
  "nodes": [
    {"name": "laptop", "user": "ada", "ipv4": "100.64.0.1"},
    {"name": "web-1", "tags": ["tag:web"], "ipv4": "100.64.0.2"},
    {"name": "db-1", "tags": ["tag:db"], "ipv4": "100.64.0.3"}
  ]
}
`,
};

/** Opens a policy and devices of one's own. */
export async function use(page, { policy, nodes }) {
  await page.getByRole("tab", { name: "Devices" }).click();
  await paste(page, "Devices", nodes);
  await page.getByRole("tab", { name: "Policy" }).click();
  await paste(page, "Policy", policy);
}
