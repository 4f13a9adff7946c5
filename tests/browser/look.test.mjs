// What is seen stays where it is, and says what it means.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cell, cursorBehind, launch, open, serve, settled, small, use } from "./page.mjs";

let browser, server;
before(async () => ([browser, server] = [await launch(), await serve()]));
after(async () => {
  await browser.close();
  await server.stop();
});

test("nothing moves when the text breaks, when a cell is explained or when another tab is chosen", async () => {
  const { context, page } = await open(browser, server.address);
  await use(page, small);
  const seen = cell(page, "group:ops", "tag:web");
  await seen.waitFor();
  await settled(page);
  const places = () => page.evaluate(() => ["table.matrix", ".matrix-scroll", "#tab-map", "#tab-compare", "#panel-matrix .detail"].map((it) => {
    const { x, y, width, height } = document.querySelector(it).getBoundingClientRect();
    return [it, x, y, width, height];
  }));
  const before = await places();
  await seen.click();
  await page.getByText("group:ops reaches tag:web").first().waitFor();
  assert.deepEqual(await places(), before);
  await cursorBehind(page, '"dst": ["tag:web"');
  await page.keyboard.type("x");
  await page.getByText("This is the last good result.").waitFor();
  assert.deepEqual(await places(), before);
  await page.keyboard.press("Backspace");
  await page.getByText("This is the last good result.").waitFor({ state: "hidden" });
  await page.getByRole("tab", { name: "Tests" }).click();
  await page.getByRole("tab", { name: "Who reaches whom" }).click();
  assert.deepEqual(await places(), before);
  await context.close();
});

test("a legend stands in line with its marks", async () => {
  const { context, page } = await open(browser, server.address);
  const apart = await page.locator("#panel-matrix .key").evaluateAll((keys) => keys.map((key) => {
    const range = document.createRange();
    range.selectNodeContents(key.lastChild);
    const [mark, words] = [key.firstChild.getBoundingClientRect(), range.getBoundingClientRect()];
    return Math.abs(mark.y + mark.height / 2 - words.y - words.height / 2);
  }));
  assert.ok(apart.length >= 4 && apart.every((it) => it <= 2), apart.join(" "));
  await context.close();
});

test("the list of keys calls the panes as their tabs do", async () => {
  const { context, page } = await open(browser, server.address);
  await page.keyboard.press("?");
  const keys = page.getByRole("dialog");
  for (const tab of await page.locator(".half.right [role=tab]").allInnerTexts()) await keys.getByText(`“${tab}”`).waitFor();
  await context.close();
});

test("no line of the map passes behind a box that it is not about", async () => {
  const { context, page } = await open(browser, server.address);
  await page.getByLabel("Open a sample").selectOption("company");
  await page.getByText("14 devices").waitFor();
  await page.getByRole("tab", { name: "Map" }).click();
  await page.locator(".edge").first().waitFor({ state: "attached" });
  const behind = await page.evaluate(() => {
    const boxes = [...document.querySelectorAll(".node")].map((it) => ({ id: it.dataset.id, name: it.getAttribute("aria-label"), box: it.querySelector("rect").getBBox(), at: it.transform.baseVal.consolidate().matrix }));
    const found = [];
    for (const edge of document.querySelectorAll(".edge")) {
      for (let at = 0; at <= 200; at++) {
        const { x, y } = edge.getPointAtLength((edge.getTotalLength() * at) / 200);
        for (const { id, name, box, at: { e, f } } of boxes) {
          if (id === edge.dataset.from || id === edge.dataset.to) continue;
          if (x > e && x < e + box.width && y > f && y < f + box.height) found.push(`${edge.textContent} behind ${name}`);
        }
      }
    }
    return { found: [...new Set(found)], edges: document.querySelectorAll(".edge").length };
  });
  assert.ok(behind.edges > 10);
  assert.deepEqual(behind.found, []);
  await context.close();
});
