// Writing: a mistake is underlined, completion and fixes mend it, the old result stays in view meanwhile.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cell, cursorBehind, launch, open, serve, small, use } from "./page.mjs";

let browser, server;
before(async () => ([browser, server] = [await launch(), await serve()]));
after(async () => {
  await browser.close();
  await server.stop();
});

test("a mistake is underlined and listed, and the last good result is marked as old", async () => {
  const { context, page, seen } = await open(browser, server.address);
  await use(page, small);
  await cell(page, "group:ops", "tag:web").waitFor();
  await cursorBehind(page, '"dst": ["tag:web');
  await page.keyboard.type("x");
  await page.keyboard.press("Escape");
  await page.locator(".cm-lintRange-error", { hasText: "tag:webx" }).waitFor();
  await page.getByLabel("Problems").getByText("unknown tag tag:webx").waitFor();
  await page.getByText("This is the last good result.").waitFor();
  await cell(page, "group:ops", "tag:web").waitFor();
  assert.match(await page.locator("footer").innerText(), /Tailscale would refuse this policy/);

  await page.getByLabel("Problems").getByRole("button", { name: /tag:web$/ }).click();
  await page.getByText("This is the last good result.").waitFor({ state: "hidden" });
  assert.equal(await page.locator(".cm-lintRange-error").count(), 0);
  assert.deepEqual(seen.said, []);
  await context.close();
});

test("completion offers what may stand there, and takes it", async () => {
  const { context, page, seen } = await open(browser, server.address);
  await use(page, small);
  await cursorBehind(page, '"dst": ["tag:web"');
  await page.keyboard.type(', "tag:d');
  const offered = page.locator(".cm-tooltip-autocomplete").getByRole("option", { name: /tag:db/ });
  await offered.waitFor();
  await page.waitForTimeout(100);
  await page.keyboard.press("Enter");
  await cell(page, "group:ops", "tag:db").and(page.locator(".some")).waitFor();
  assert.deepEqual(seen.said, []);
  await context.close();
});

test("hover tells what a name stands for", async () => {
  const { context, page } = await open(browser, server.address);
  await use(page, small);
  await page.locator("#panel-policy .tok-string", { hasText: '"group:ops"' }).last().hover();
  await page.locator(".cm-tooltip-hover", { hasText: "laptop" }).waitFor();
  await context.close();
});

test("a code explains itself, and the policy can be laid out", async () => {
  const { context, page, seen } = await open(browser, server.address);
  await page.getByLabel("Problems").getByRole("button", { name: "W0411" }).click();
  await page.getByRole("dialog").getByText("Prefer").waitFor();
  await page.keyboard.press("Escape");
  await use(page, { ...small, policy: '{"grants":[{"src":["*"],"dst":["*"],"ip":["*"]}]}' });
  await page.getByRole("button", { name: "Format" }).click();
  await page.locator("#panel-policy .cm-line", { hasText: '"grants": [' }).waitFor();
  assert.deepEqual(seen.asked.filter((it) => !it.startsWith(server.address)), []);
  await context.close();
});

test("a file that is dropped opens as what it is", async () => {
  const { context, page } = await open(browser, server.address);
  const drop = (name, text) =>
    page.evaluate(([name, text]) => {
      const data = new DataTransfer();
      data.items.add(new File([text], name));
      document.querySelector("main").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }, [name, text]);
  await drop("devices.json", small.nodes);
  await page.locator("#panel-nodes .cm-line", { hasText: "db-1" }).waitFor();
  await drop("policy.hujson", small.policy);
  await cell(page, "tag:web", "tag:db").waitFor();
  await context.close();
});
