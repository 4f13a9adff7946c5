// Links: made here, opened in a fresh profile, under neutral names; and links that are none.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cell, launch, open, serve, small, use } from "./page.mjs";

let browser, server;
before(async () => ([browser, server] = [await launch(), await serve()]));
after(async () => {
  await browser.close();
  await server.stop();
});

async function link(page) {
  await page.getByRole("button", { name: "Share" }).click();
  const field = page.getByLabel("The link");
  await page.waitForFunction(() => document.querySelector(".link")?.value.includes("#1="));
  return field;
}

test("a link opens in a fresh profile, and sends nothing to the server", async () => {
  const one = await open(browser, server.address);
  await use(one.page, small);
  const field = await link(one.page);
  await one.page.getByText("The link contains the whole policy and the devices.").waitFor();
  const address = await field.inputValue();
  await one.context.close();
  const two = await open(browser, address);
  await cell(two.page, "tag:web", "tag:db").waitFor();
  await two.page.locator("#panel-policy .cm-line", { hasText: "tcp:5432" }).waitFor();
  assert.deepEqual(two.seen.said, []);
  assert.deepEqual(two.seen.asked.filter((it) => !it.startsWith(server.address)), []);
  await two.context.close();
});

test("under neutral names nobody is named, and access is the same", async () => {
  const one = await open(browser, server.address);
  await use(one.page, small);
  const field = await link(one.page);
  const before = await field.inputValue();
  await one.page.getByLabel(/Replace names/).check();
  await one.page.waitForFunction((it) => document.querySelector(".link").value !== it, before);
  const address = await field.inputValue();
  await one.context.close();
  const two = await open(browser, address);
  await cell(two.page, "tag:t1", "tag:t2").waitFor();
  assert.match(await cell(two.page, "tag:t1", "tag:t2").getAttribute("aria-label"), /tcp 5432/);
  const text = await two.page.locator("#panel-policy .cm-content").innerText();
  assert.doesNotMatch(text, /ada|ops|tag:web|tag:db/);
  await two.context.close();
});

for (const [name, fragment] of Object.entries({
  "that is junk": "#1=%%%<script>alert(1)</script>",
  "with letters that mean nothing": "#1=abcdefghijklmnopqrstuvwxyz",
  "that was cut": "#1=q1bKTFGyUqpWSs7PSUktVrJSMDQyNjE1M7ewNFCqBQA".slice(0, 20),
  "that is too long": "#1=" + "A".repeat(1_600_000),
})) {
  test(`a link ${name} is refused in words`, async () => {
    const { context, page, seen } = await open(browser, server.address + fragment);
    await page.getByRole("dialog").getByText("The link that led here is no link of this page").waitFor();
    await page.keyboard.press("Escape");
    await cell(page, "group:admins", "tag:nas").waitFor();
    assert.deepEqual(seen.said, []);
    await context.close();
  });
}

test("a link that would unpack without end is refused", async () => {
  const { context, page } = await open(browser, server.address);
  const fragment = await page.evaluate(async () => {
    const stream = new CompressionStream("deflate-raw");
    const writer = stream.writable.getWriter();
    const answer = new Response(stream.readable).arrayBuffer();
    const piece = new Uint8Array(1 << 20).fill(32);
    for (let at = 0; at < 64; at++) await writer.write(piece);
    await writer.close();
    const bytes = new Uint8Array(await answer);
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return `#1=${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
  });
  await context.close();
  const two = await open(browser, server.address + fragment);
  await two.page.getByRole("dialog").getByText("it unpacks to more than a link may carry").waitFor();
  await two.context.close();
});
