// Inputs that nobody means well with: nothing crashes, nothing becomes a script, nothing stands still.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, serve, settled, small, use } from "./page.mjs";

let browser, server;
before(async () => ([browser, server] = [await launch(), await serve()]));
after(async () => {
  await browser.close();
  await server.stop();
});

const MARKUP = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';

test("a policy full of markup stays text everywhere", async () => {
  const { context, page, seen } = await open(browser, server.address);
  const name = JSON.stringify(`group:${MARKUP}`);
  const escaped = JSON.stringify(MARKUP);
  const policy = `// ${MARKUP}
{
  "groups": {${name}: ["ada@example.com"]},
  "tagOwners": {"tag:web": [${name}]},
  "hosts": {${escaped}: "10.0.0.1"},
  "grants": [{"src": ["ada@example.com"], "dst": ["tag:web"], "ip": ["*"], "app": {${escaped}: [{}]}}],
  ${escaped}: [${escaped}],
  "tests": [{"src": ${escaped}, "accept": [${escaped}]}],
}`;
  const nodes = small.nodes.replace('"laptop"', escaped).replace("ada@example.com", "ada@example.com");
  await use(page, { policy, nodes });
  for (const tab of ["Map", "Tables", "Try a packet", "Tests", "Compare", "Who reaches whom"]) {
    await page.getByRole("tab", { name: tab }).click();
    await settled(page);
  }
  await use(page, { policy: small.policy, nodes });
  for (const tab of ["Map", "Tables", "Try a packet", "Tests", "Compare", "Who reaches whom"]) {
    await page.getByRole("tab", { name: tab }).click();
    await settled(page);
  }
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.equal(await page.locator("img").count(), 0);
  assert.deepEqual(seen.said, []);
  await context.close();
});

test("a hundred thousand brackets are refused in words", async () => {
  const { context, page, seen } = await open(browser, server.address);
  await use(page, { ...small, policy: "[".repeat(100_000) });
  await page.getByLabel("Problems").getByText(/nest|deep/).first().waitFor();
  assert.deepEqual(seen.said, []);
  await context.close();
});

test("a policy of five megabytes is read, and can be edited", async () => {
  const { context, page, seen } = await open(browser, server.address);
  const rules = Array.from({ length: 66_000 }, (_, at) => `    {"src": ["group:ops"], "dst": ["tag:web"], "ip": ["tcp:${at % 60000 + 1}"]},`);
  const policy = small.policy.replace('  "grants": [', `  "grants": [\n${rules.join("\n")}`);
  assert.ok(policy.length > 4_500_000);
  await use(page, { ...small, policy });
  await page.waitForFunction(() => document.querySelector("footer").textContent.includes("66,002 rules"), undefined, { timeout: 60_000 });
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("// still alive\n");
  await page.locator("#panel-policy .cm-line", { hasText: "still alive" }).waitFor();
  assert.deepEqual(seen.said, []);
  await context.close();
});

test("twenty thousand devices are read", async () => {
  const { context, page, seen } = await open(browser, server.address);
  const nodes = Array.from({ length: 20_000 }, (_, at) => `{"name": "n${at}", "${at % 2 ? "tags" : "user"}": ${at % 2 ? '["tag:web"]' : '"ada"'}, "ipv4": "100.${64 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}"}`);
  await use(page, { ...small, nodes: `{"users": [{"name": "ada", "email": "ada@example.com"}], "nodes": [\n${nodes.join(",\n")}\n]}` });
  await page.waitForFunction(() => document.querySelector("footer").textContent.includes("20,000 devices"), undefined, { timeout: 60_000 });
  for (const tab of ["Map", "Tables", "Try a packet", "Tests"]) {
    await page.getByRole("tab", { name: tab }).click();
    await settled(page);
  }
  assert.deepEqual(seen.said, []);
  await context.close();
});
