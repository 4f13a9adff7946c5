// The other panes: map, tables, packets, tests, comparison.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cell, cursorBehind, launch, open, serve, small, use } from "./page.mjs";

let browser, server;
before(async () => ([browser, server] = [await launch(), await serve()]));
after(async () => {
  await browser.close();
  await server.stop();
});

test("a packet is tried, and the answer says by which rule or what is missing", async () => {
  const { context, page } = await open(browser, server.address);
  await use(page, small);
  await page.getByRole("tab", { name: "Try a packet" }).click();
  const answer = page.getByLabel("Answer");
  const ask = async (src, dst, port) => {
    await page.getByLabel("From").fill(src);
    await page.getByLabel("To", { exact: true }).fill(dst);
    await page.getByLabel("Port").fill(port);
    await page.getByRole("button", { name: "Try", exact: true }).click();
  };
  await ask("laptop", "web-1", "443");
  await answer.getByText("laptop can reach web-1").waitFor();
  await answer.getByRole("button", { name: "line 5" }).waitFor();
  await page.locator("#panel-policy .cm-lit", { hasText: "tcp:443" }).waitFor();
  await ask("laptop", "web-1", "22");
  await answer.getByText("laptop cannot reach web-1").waitFor();
  await answer.getByText(/443.*not.*22|22.*443/).first().waitFor();
  await ask("lapdog", "web-1", "22");
  await answer.getByText(/did you mean/).waitFor();
  await context.close();
});

test("the table of a device reads as sentences, and as what is sent", async () => {
  const { context, page } = await open(browser, server.address);
  await use(page, small);
  await page.getByRole("tab", { name: "Tables" }).click();
  await page.getByLabel("Device", { exact: true }).selectOption("db-1");
  const body = page.getByLabel("Table of the device");
  await body.getByRole("row", { name: /web-1.*tcp port 5432/ }).waitFor();
  await page.getByLabel("Form of the table").selectOption("json");
  await body.getByText('"SrcIPs"').waitFor();
  const table = JSON.parse(await body.innerText());
  assert.deepEqual(table.filterRules[0].SrcIPs, ["100.64.0.2"]);
  await context.close();
});

test("the tests have their verdicts, and the margin marks what none makes use of", async () => {
  const { context, page } = await open(browser, server.address);
  await use(page, small);
  await page.getByRole("tab", { name: "Tests" }).click();
  const pane = page.locator("#panel-tests");
  await pane.getByText("2 tests, all hold").waitFor();
  await page.locator("#panel-policy .cm-unused", { hasText: "○" }).first().waitFor();
  await cursorBehind(page, '"accept": ["tag:web:44');
  await page.keyboard.type("4");
  await pane.getByRole("row", { name: /fails/ }).waitFor();
  await context.close();
});

test("two policies are compared: what is gained and lost, with its lines lit", async () => {
  const { context, page } = await open(browser, server.address);
  await use(page, small);
  await page.getByRole("tab", { name: "Compare" }).click();
  await page.getByRole("button", { name: "Take the policy as it is now" }).click();
  await page.getByText("Access does not change.").waitFor();
  await cursorBehind(page, '"ip": ["tcp:443');
  await page.keyboard.type('0');
  const changes = page.getByLabel("Changes");
  await changes.getByRole("row", { name: /gained.*laptop.*web-1.*tcp 4430/ }).waitFor();
  await changes.getByRole("row", { name: /lost.*laptop.*web-1.*tcp 443/ }).first().waitFor();
  await page.locator("#panel-policy .cm-lit", { hasText: "tcp:4430" }).waitFor();
  await context.close();
});

test("the map has ends and paths; an end lights its own", async () => {
  const { context, page } = await open(browser, server.address);
  await use(page, small);
  await cell(page, "group:ops", "tag:web").waitFor();
  await page.getByRole("tab", { name: "Map" }).click();
  await page.getByRole("button", { name: "tag:web: show its paths" }).click();
  await page.locator("#panel-map").getByText("is reached by").waitFor();
  assert.equal(await page.locator(".edge.lit").count(), 2);
  const node = page.getByRole("button", { name: "tag:db: show its paths" });
  const before = await node.getAttribute("transform");
  const box = await node.boundingBox();
  await page.mouse.move(box.x + 10, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + 60, box.y + 60, { steps: 4 });
  await page.mouse.up();
  assert.notEqual(await node.getAttribute("transform"), before);
  await page.getByRole("button", { name: "Nearer" }).click();
  await page.locator("#panel-map").getByLabel("Show only names with this text").fill("tag:db");
  await page.getByRole("button", { name: "group:ops: show its paths" }).waitFor({ state: "detached" });
  await context.close();
});
