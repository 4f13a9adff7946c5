// The npm package as Node installs it, and the tables of the command out of it.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { root, small } from "./page.mjs";

const program = process.env.ACLC ?? path.join(root, "target/debug/aclc");
let folder, aclc;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "aclc-package-"));
  await writeFile(path.join(folder, "package.json"), '{ "type": "module", "private": true }');
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder, path.join(root, "wasm")], { encoding: "utf8" });
  execFileSync("npm", ["install", "--silent", "--offline", "--no-audit", "--no-fund", `./${packed.trim()}`], { cwd: folder });
  aclc = await import(pathToFileURL(path.join(folder, "node_modules/aclc/pkg/node/aclc.js")).href);
});
after(() => rm(folder, { recursive: true }));

test("a program imports it by its name", async () => {
  await writeFile(path.join(folder, "use.mjs"), `
    import { Workspace, format, version } from "aclc";
    const workspace = new Workspace();
    workspace.setPolicy(${JSON.stringify(small.policy)});
    workspace.setNodes(${JSON.stringify(small.nodes)});
    console.log(JSON.stringify([
      version(), workspace.check().summary.compiled, workspace.why("laptop", "web-1:443").verdict,
      workspace.whoCan("tag:db").sources[0].device, workspace.whatCan("laptop").destinations[0].device,
      workspace.hover(20).markdown.length > 0, workspace.completions(3).items.length > 0, typeof format("{}"),
    ]));`);
  const said = JSON.parse(execFileSync(process.execPath, ["use.mjs"], { cwd: folder, encoding: "utf8" }));
  assert.deepEqual(said, ["0.1.0", true, "allowed", "web-1", "web-1", true, true, "string"]);
});

test("its types are part of it", async () => {
  await writeFile(path.join(folder, "use.ts"), `
    import { Workspace, type Why } from "aclc";
    const why: Why = new Workspace().why("a", "b:1");
    const verdict: "allowed" | "denied" | "depends" = why.verdict;
    // @ts-expect-error there is no such verdict
    const wrong: "maybe" = why.verdict;
    export { verdict, wrong };`);
  const tsc = path.join(root, "wasm/web/node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom,esnext.disposable", "use.ts"], { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

test("a wrong question is an Error with a sentence, and hurts nothing", () => {
  const workspace = new aclc.Workspace();
  assert.throws(() => workspace.why("a", "b:1"), /give an inventory without errors/);
  workspace.setNodes(small.nodes);
  workspace.setPolicy(small.policy);
  assert.throws(() => workspace.why("lapdog", "web-1:1"), /unknown device, user or name `lapdog`: did you mean `laptop`\?/);
  assert.throws(() => workspace.why("laptop", "web-1"), /names no port/);
  assert.throws(() => workspace.setTarget("elsewhere"), /`tailscale` or `headscale`/);
  assert.equal(workspace.why("laptop", "web-1:443").verdict, "allowed");
});

test("places count as strings of JavaScript do", () => {
  const workspace = new aclc.Workspace();
  const text = '{"groups": {"group:🦀é": ["x"]}, "acls": [{"action": "accept", "src": ["tag:nö"], "dst": ["*:*"]}]}';
  workspace.setPolicy(text);
  const found = workspace.check().policy.find((it) => it.message.includes("tag:nö"));
  assert.equal(text.slice(found.place.from, found.place.to), "tag:nö");
});

/** Every case with a policy and an inventory: our own, and golden ones where a checkout has them. */
function cases() {
  const own = readdirSync(path.join(root, "tests/tables")).map((name) => path.join(root, "tests/tables", name));
  const found = own
    .filter((it) => existsSync(path.join(it, "tailnet.json")))
    .map((it) => ({ name: it, policy: readFileSync(path.join(it, "policy.hujson"), "utf8"), nodes: readFileSync(path.join(it, "tailnet.json"), "utf8") }));
  const named = process.env.ACLC_SHARED;
  const shared = path.join(path.resolve(root, named ?? "../shared"), "conformance");
  if (!existsSync(shared)) {
    assert.equal(named, undefined, `there are no golden cases in ${shared}`);
    console.log("golden cases: not here");
    return found;
  }
  for (const category of readdirSync(shared, { withFileTypes: true }).filter((it) => it.isDirectory())) {
    for (const file of readdirSync(path.join(shared, category.name)).filter((it) => it.endsWith(".json"))) {
      const { id, policy, inventory } = JSON.parse(readFileSync(path.join(shared, category.name, file), "utf8"));
      found.push({ name: id, policy, nodes: JSON.stringify(inventory) });
    }
  }
  return found;
}

test("its tables are those of the command, byte for byte", async () => {
  const nodes = path.join(folder, "nodes.json");
  const workspace = new aclc.Workspace();
  let compared = 0;
  let refused = 0;
  for (const it of cases()) {
    await writeFile(nodes, it.nodes);
    const { stdout } = spawnSync(program, ["compile", "-", "--nodes", nodes, "--fields", "all"], { input: it.policy, encoding: "utf8", maxBuffer: 1 << 28 });
    workspace.setPolicy(it.policy);
    workspace.setNodes(it.nodes);
    if (stdout === "") {
      assert.throws(() => workspace.compile(undefined, "all"), Error, it.name);
      refused++;
    } else {
      assert.equal(workspace.compile(undefined, "all"), stdout, it.name);
      compared++;
    }
  }
  console.log(`${compared} tables alike, ${refused} policies refused by both`);
  assert.ok(compared > 40);
});
