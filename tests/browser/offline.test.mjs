// After the first visit the page works without a network.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cell, launch, open, serve } from "./page.mjs";

let browser, server;
before(async () => ([browser, server] = [await launch(), await serve()]));
after(async () => {
  await browser.close();
  await server.stop();
});

test("the second visit needs no server", async () => {
  const { context, page } = await open(browser, server.address, { serviceWorkers: "allow" });
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
    }
  });
  await context.setOffline(true);
  await page.reload();
  await cell(page, "group:admins", "tag:nas").waitFor();
  await page.getByLabel("Open a sample").selectOption("company");
  await page.locator("#panel-policy .cm-line", { hasText: "group:sre" }).first().waitFor();
  await page.getByLabel("Problems").locator("button.code").first().click();
  await page.getByRole("dialog").getByText("Prefer").waitFor();
  await context.close();
});
