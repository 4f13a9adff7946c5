// `aclc preview`: the page follows the files, and answers nobody who does not know the address.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cell, launch, open, root, small } from "./page.mjs";

const program = process.env.ACLC ?? path.join(root, "target/debug/aclc");
let browser, folder;
before(async () => {
  browser = await launch();
  folder = await mkdtemp(path.join(tmpdir(), "aclc-preview-"));
  await writeFile(path.join(folder, "policy.hujson"), small.policy);
  await writeFile(path.join(folder, "nodes.json"), small.nodes);
});
after(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

/** Starts it; gives its address, and what ends it. */
async function preview(...more) {
  const child = spawn(program, ["preview", "policy.hujson", "--nodes", "nodes.json", "--page", path.join(root, "target/preview"), ...more], { cwd: folder });
  let complaint = "";
  child.stderr.on("data", (it) => (complaint += it));
  const ended = new Promise((resolve) => child.on("close", (code) => resolve({ code, complaint })));
  const line = new Promise((resolve) => readline.createInterface(child.stdout).once("line", resolve));
  const address = await Promise.race([line, ended]);
  return { address, ended, stop: () => (child.kill(), ended) };
}

/** The status of an answer to a request that no browser would send. */
function status(address, { headers = {}, target, method = "GET" } = {}) {
  const { hostname, port, pathname } = new URL(address);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path: target ?? pathname, headers, method }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("the page has the files, and has them again when they change", async () => {
  const { address, stop } = await preview();
  const { context, page, seen } = await open(browser, address);
  await cell(page, "tag:web", "tag:db").waitFor();
  assert.match(await cell(page, "tag:web", "tag:db").getAttribute("aria-label"), /tcp 5432/);
  await writeFile(path.join(folder, "policy.hujson"), small.policy.replace('"tcp:5432"', '"tcp:6543"'));
  await page.getByRole("gridcell", { name: /^tag:web reaches tag:db: tcp 6543/ }).waitFor();
  assert.deepEqual(seen.said, []);
  assert.deepEqual(seen.asked.filter((it) => !it.startsWith(address)), []);
  await rm(path.join(folder, "policy.hujson"));
  await page.getByRole("alert").getByText(/cannot read/).waitFor();
  await writeFile(path.join(folder, "policy.hujson"), small.policy);
  await page.getByRole("gridcell", { name: /^tag:web reaches tag:db: tcp 5432/ }).waitFor();
  await page.getByRole("alert").waitFor({ state: "hidden" });
  await context.close();
  await stop();
});

test("who does not know the address learns nothing", async () => {
  const { address, stop } = await preview();
  const { port, pathname } = new URL(address);
  assert.match(pathname, /^\/[0-9a-f]{32}\/$/);
  assert.equal(await status(address), 200);
  assert.equal(await status(address, { headers: { host: `localhost:${port}` } }), 200);
  assert.equal(await status(address, { headers: { host: "elsewhere.example" } }), 403);
  assert.equal(await status(address, { target: "/" }), 403);
  assert.equal(await status(address, { target: "/files.json" }), 403);
  assert.equal(await status(address, { target: `/${"0".repeat(32)}/files.json` }), 403);
  assert.equal(await status(address, { target: `${pathname}../../../../etc/passwd` }), 404);
  assert.equal(await status(address, { target: `${pathname}%2e%2e/%2e%2e/etc/passwd` }), 404);
  assert.equal(await status(address, { target: `${pathname}/etc/passwd` }), 404);
  assert.equal(await status(address, { method: "POST" }), 405);
  assert.equal(await status(address, { headers: { filler: "x".repeat(20_000) } }).catch(() => 400), 400);
  await stop();
});

test("a port that is taken is said", async () => {
  const other = createServer();
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  const taken = await preview("--port", String(other.address().port));
  assert.equal(taken.address.code, 2);
  assert.match(taken.address.complaint, /is taken by another program/);
  other.close();
});
