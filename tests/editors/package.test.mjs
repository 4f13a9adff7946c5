// The packaged extension: what is in it, and that what its manifest names is there.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { expectText, here } from "./places.mjs";
import { packageExtension, unpacked, vsix } from "./vsix.mjs";

const said = packageExtension();
assert.ok(fs.existsSync(vsix), said);
const folder = unpacked();
const manifest = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
const { contributes } = manifest;

test("the package has these files and no others", () => {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
  const names = files.map((it) => path.relative(folder, path.join(it.parentPath, it.name))).sort();
  expectText(path.join(here, "package.txt"), names.map((it) => `${it}\n`).join(""));
});

test("every file that the manifest names is in the package", () => {
  const named = [manifest.main, ...contributes.languages.map((it) => it.configuration)];
  named.push(...contributes.grammars.map((it) => it.path), ...contributes.snippets.map((it) => it.path));
  for (const name of named) {
    const text = fs.readFileSync(path.join(folder, name), "utf8");
    if (name.endsWith(".json")) {
      assert.doesNotThrow(() => JSON.parse(text), name);
    }
  }
});

test("every command of a menu is a command, and every one has a line in the README", () => {
  const commands = contributes.commands.map((it) => it.command);
  const inMenus = Object.values(contributes.menus).flat().map((it) => it.command);
  assert.deepEqual(inMenus.filter((it) => !commands.includes(it)), []);
  const page = fs.readFileSync(path.join(folder, "readme.md"), "utf8");
  const missing = contributes.commands.filter((it) => !page.includes(`*${it.title}*`));
  assert.deepEqual(missing.map((it) => it.title), []);
  const settings = Object.keys(contributes.configuration.properties);
  assert.deepEqual(settings.filter((it) => !page.includes(`\`${it}\``)), []);
});

test("the licences of all that is bundled are in the package", () => {
  const notices = fs.readFileSync(path.join(folder, "dist/third-party.txt"), "utf8");
  for (const name of ["vscode-languageclient", "vscode-jsonrpc", "semver", "minimatch"]) {
    assert.match(notices, new RegExp(`^${name} [0-9.]+ \\(`, "m"));
  }
});

test("each file is of the language that its name says", () => {
  const [policy] = contributes.languages;
  const patterns = policy.filenamePatterns.map((it) => new RegExp(`(^|/)${glob(it.replace("**/", ""))}$`));
  const ours = (name) =>
    policy.extensions.includes(path.extname(name)) || patterns.some((it) => it.test(name));
  for (const name of ["policy.hujson", "acl.hujson", "tailscale-acl.json", "infra/headscale/policy.json", "tailnet_policy.jsonc"]) {
    assert.ok(ours(name), name);
  }
  for (const name of ["tsconfig.json", "policy.json", "acl.json", "tailscale-status.json"]) {
    assert.ok(!ours(name), name);
  }
  const first = new RegExp(policy.firstLine);
  assert.ok(first.test("// The tailnet policy of example.com"));
  assert.ok(!first.test('{"name": "tailscale"}'));
});

/** A pattern of the manifest as a regular expression. */
function glob(pattern) {
  const parts = { "{": "(?:", "}": ")", ",": "|", ".": "\\.", "*": "[^/]*" };
  return pattern.replace(/[{},.*]/g, (it) => parts[it]);
}
