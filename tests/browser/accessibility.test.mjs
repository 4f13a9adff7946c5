// The page without a mouse and without eyes: keys, names, contrast, live messages.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cell, launch, open, serve, settled } from "./page.mjs";

let browser, server;
before(async () => ([browser, server] = [await launch(), await serve()]));
after(async () => {
  await browser.close();
  await server.stop();
});

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TABS = ["Who reaches whom", "Map", "Tables", "Try a packet", "Tests", "Compare"];

/** What the rules of accessibility find in the page as it is. */
async function findings(page) {
  // The tests' own script, past the page's rule that only its own may run.
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  const answer = await session.send("Runtime.evaluate", {
    expression: 'axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }).then((it) => JSON.stringify(it.violations.map((v) => ({ id: v.id, nodes: v.nodes.map((n) => n.target.join(" ") + ": " + n.failureSummary) }))))',
    awaitPromise: true,
  });
  return JSON.parse(answer.result.value);
}

for (const [look, options] of Object.entries({
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 } },
})) {
  test(`every pane keeps the rules of accessibility, ${look}`, async () => {
    const { context, page } = await open(browser, server.address, options);
    await cell(page, "group:admins", "tag:nas").waitFor();
    for (const tab of TABS) {
      await page.getByRole("tab", { name: tab }).click();
      await settled(page);
      assert.deepEqual(await findings(page), [], tab);
    }
    await page.getByRole("button", { name: "Share" }).click();
    await settled(page);
    assert.deepEqual(await findings(page), [], "Share");
    await context.close();
  });
}

test("everything is done by keyboard alone", async () => {
  const { context, page } = await open(browser, server.address);
  const press = async (...keys) => { for (const it of keys) await page.keyboard.press(it); };
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);
  await cell(page, "group:admins", "tag:nas").waitFor();

  await press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await press("Escape");

  // Into the matrix: the first cell, then by arrows.
  await press("Alt+1");
  assert.equal(await focused(), "Who reaches whom");
  for (let at = 0; at < 40 && !/^group:admins reaches group:admins/.test(await focused()); at++) await press("Tab");
  await press("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight");
  assert.match(await focused(), /^group:family reaches tag:nas/);
  await press("Enter");
  await page.getByLabel("Explanation").first().getByText("group:family reaches tag:nas").waitFor();

  // Into the policy, and out of it again with Tab.
  await press("Alt+p");
  assert.equal(await focused(), "Policy");
  await press("Control+Home");
  await page.keyboard.type("x");
  await page.getByLabel("Problems").getByText("x is no value").waitFor();
  await press("Control+z", "Tab");
  assert.notEqual(await focused(), "Policy");

  // The tabs by arrows, the map by arrows and Enter.
  await press("Alt+2", "ArrowRight", "ArrowLeft");
  assert.equal(await focused(), "Map");
  for (let at = 0; at < 12 && !/show its paths/.test(await focused()); at++) await press("Tab");
  await press("ArrowDown", "Enter");
  await page.locator("#panel-map").getByText("is reached by").waitFor();
  await press("Alt+s");
  await page.getByRole("dialog", { name: "Share" }).waitFor();
  await press("Escape");
  await context.close();
});

test("whoever listens is told", async () => {
  const { context, page } = await open(browser, server.address);
  await page.getByLabel("Open a sample").selectOption("company");
  await page.getByRole("status").filter({ hasText: "the sample company is open" }).waitFor();
  await context.close();
});
