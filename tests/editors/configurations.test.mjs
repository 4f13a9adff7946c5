// The configurations of Helix and Zed: each is read as its editor reads it, as far as can be
// without the editor. Queries are compiled against the very grammar that Zed is told to take.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { parse } from "smol-toml";
import { Language, Parser, Query } from "web-tree-sitter";
import { editors, extension } from "./places.mjs";

const resolve = createRequire(import.meta.url).resolve;
const read = (name) => fs.readFileSync(path.join(editors, name), "utf8");

await Parser.init();
const json = await Language.load(resolve("tree-sitter-json/tree-sitter-json.wasm"));
const parser = new Parser();
parser.setLanguage(json);

/** The last capture of each piece of a text, as an editor colours it. */
function captures(query, text) {
  const found = new Map();
  for (const { name, node } of new Query(json, query).captures(parser.parse(text).rootNode)) {
    found.set(node.text, name);
  }
  return found;
}

const sample = '{"acls": [{"dst": ["tag:db:22", "plain"]}]} // aclc: allow(W0224)';

test("Helix: the server and the language know each other", () => {
  const settings = parse(read("helix/languages.toml"));
  const [language] = settings.language;
  assert.deepEqual(language["language-servers"], Object.keys(settings["language-server"]));
  assert.equal(settings["language-server"].aclc.command, "aclc-lsp");
  assert.equal(language["language-id"], "tailnet-policy");
  assert.ok(fs.existsSync(path.join(editors, "helix/queries", language.name, "highlights.scm")));
});

test("Helix: its queries fit the grammar", () => {
  const colours = captures(read("helix/queries/hujson/highlights.scm"), sample);
  assert.equal(colours.get("acls"), "keyword");
  assert.equal(colours.get("tag:db:22"), "type");
  assert.equal(colours.get("plain"), undefined);
  assert.equal(colours.get("// aclc: allow(W0224)"), "keyword.directive");
  new Query(json, read("helix/queries/hujson/indents.scm"));
});

test("Zed: server, language and grammar know each other", () => {
  const manifest = parse(read("zed/extension.toml"));
  const language = parse(read("zed/languages/tailnet-policy/config.toml"));
  assert.deepEqual(manifest.language_servers.aclc.languages, [language.name]);
  assert.equal(manifest.language_servers.aclc.language_ids[language.name], "tailnet-policy");
  assert.deepEqual(Object.keys(manifest.grammars), [language.grammar]);
  assert.match(manifest.grammars.json.rev, /^[0-9a-f]{40}$/);
  assert.ok(language.path_suffixes.includes("hujson"));
  assert.equal(parse(read("zed/Cargo.toml")).package.version, manifest.version);
});

test("Zed: its queries fit the grammar", () => {
  const folder = "zed/languages/tailnet-policy";
  for (const name of fs.readdirSync(path.join(editors, folder)).filter((it) => it.endsWith(".scm"))) {
    assert.ok(new Query(json, read(`${folder}/${name}`)).patternCount() > 0, name);
  }
  const colours = captures(read(`${folder}/highlights.scm`), sample);
  assert.equal(colours.get('"acls"'), "keyword");
  assert.equal(colours.get('"dst"'), "property");
  assert.equal(colours.get('"tag:db:22"'), "type");
  assert.equal(colours.get('"plain"'), "string");
  assert.equal(colours.get("// aclc: allow(W0224)"), "comment.doc");
});

test("Zed: the settings shown are settings", () => {
  const settings = JSON.parse(read("zed/settings.json").replace(/^\s*\/\/.*$/gm, ""));
  const language = parse(read("zed/languages/tailnet-policy/config.toml"));
  assert.ok(settings.file_types[language.name]);
  assert.ok(settings.lsp[Object.keys(parse(read("zed/extension.toml")).language_servers)[0]]);
});

test("VS Code, Neovim and Helix know the same names of files", () => {
  const { contributes } = JSON.parse(fs.readFileSync(path.join(extension, "package.json"), "utf8"));
  const globs = contributes.languages[0].filenamePatterns.join(" ");
  for (const name of ["tailscale", "headscale", "tailnet", "acls", "policy"]) {
    for (const text of [globs, read("nvim/ftdetect/hujson.vim"), read("helix/languages.toml")]) {
      assert.ok(text.includes(name), name);
    }
  }
});
