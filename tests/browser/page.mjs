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

/** Puts a text into one of the editors as a person does who pastes. */
export async function paste(page, label, text) {
  const editor = page.getByRole("textbox", { name: label, exact: true });
  await editor.focus();
  await page.keyboard.press("Control+a");
  await page.evaluate((it) => navigator.clipboard.writeText(it), text);
  await page.keyboard.press("Control+v");
}

/** The text of one of the editors. */
export async function written(page, label) {
  return page.getByRole("textbox", { name: label, exact: true }).evaluate((it) => it.cmTile?.view?.state.doc.toString() ?? it.cmView?.view.state.doc.toString());
}
