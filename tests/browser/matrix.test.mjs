// Who reaches whom, in the page as it is first seen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cell, launch, open, serve } from "./page.mjs";

let browser, server;
before(async () => [browser, server] = [await launch(), await serve()]);
after(async () => {
  await browser.close();
  await server.stop();
});

test("the first sight is a compiled sample, and no request leaves the page's own files", async () => {
  const { context, page, seen } = await open(browser, server.address);
  await cell(page, "group:admins", "tag:nas").waitFor();
  assert.match(await cell(page, "group:admins", "tag:nas").getAttribute("aria-label"), /every port/);
  assert.match(await cell(page, "tag:media", "tag:nas").getAttribute("aria-label"), /tcp 2049/);
  assert.match(await cell(page, "tag:printer", "tag:nas").getAttribute("aria-label"), /does not reach/);
  assert.match(await page.locator("footer").innerText(), /1 problem · 7 devices · 4 rules · \d+ ms/);
  assert.deepEqual(seen.said, []);
  assert.deepEqual(seen.asked.filter((it) => !it.startsWith(server.address)), []);
  await context.close();
});

test("a cell explains itself, and the lines of its rules are lit", async () => {
  const { context, page } = await open(browser, server.address);
  await cell(page, "tag:media", "tag:nas").click();
  await page.getByLabel("Explanation").first().getByText("tag:media reaches tag:nas").waitFor();
  await page.locator(".cm-lit").first().waitFor();
  await page.getByLabel("Rules").getByRole("button", { name: "line 35" }).waitFor();
  await context.close();
});

test("a row opens to its members", async () => {
  const { context, page } = await open(browser, server.address);
  await page.locator("tbody th").getByRole("button", { name: "group:family" }).click();
  await page.locator("tbody th").getByRole("button", { name: "jonas@example.com" }).click();
  assert.match(await cell(page, "jonas-tablet", "tag:nas").getAttribute("aria-label"), /ports 443, 445$/);
  await context.close();
});
