// The grammars, tried with the editor's own tokenizer: `grammar/NAME.hujson` is a text, `NAME.scopes`
// beside it says how each piece is coloured. `BLESS=1` writes it. What is only punctuation is left out.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";
import { expectText, extension, here, root } from "./places.mjs";

const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
const onigLib = oniguruma.loadWASM(fs.readFileSync(wasm).buffer).then(() => ({
  createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
  createOnigString: (text) => new oniguruma.OnigString(text),
}));
const { contributes } = JSON.parse(fs.readFileSync(path.join(extension, "package.json"), "utf8"));
const registry = new textmate.Registry({
  onigLib,
  loadGrammar: async (scope) => {
    const file = path.join(extension, contributes.grammars.find((it) => it.scopeName === scope).path);
    return textmate.parseRawGrammar(fs.readFileSync(file, "utf8"), file);
  },
});

/** The grammar that VS Code takes for a file of this name. */
function grammarOf(file) {
  const language = contributes.languages.find((it) => it.extensions.includes(path.extname(file)));
  return registry.loadGrammar(contributes.grammars.find((it) => it.language === language.id).scopeName);
}

/** Every line of a text, and below it its pieces with their scopes, the innermost last. */
async function scopes(file) {
  const grammar = await grammarOf(file);
  let state = textmate.INITIAL;
  let out = "";
  for (const line of fs.readFileSync(file, "utf8").replace(/\n$/, "").split("\n")) {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
    state = ruleStack;
    out += `${line}\n`;
    for (const { startIndex, endIndex, scopes } of tokens) {
      const text = line.slice(startIndex, endIndex);
      const own = scopes.slice(1).map((it) => it.replace(/\.tailnet-(policy|invariants)$/, ""));
      if (text.trim() !== "" && !own.at(-1)?.startsWith("punctuation.")) {
        out += `    ${text.trim().padEnd(24)} ${own.join(" > ") || "(none)"}\n`;
      }
    }
  }
  return out;
}

const folder = path.join(here, "grammar");
for (const name of fs.readdirSync(folder).filter((it) => !it.endsWith(".scopes")).sort()) {
  test(`colours of ${name}`, async () => {
    const file = path.join(folder, name);
    expectText(file.replace(/\.[^.]*$/, ".scopes"), await scopes(file));
  });
}

const examples = path.join(root, "examples");
for (const name of fs.readdirSync(examples).sort()) {
  test(`nothing is marked as wrong in the example ${name}`, async () => {
    const marked = (await scopes(path.join(examples, name, "policy.hujson"))).split("\n");
    assert.deepEqual(marked.filter((it) => it.includes("invalid.illegal")), []);
  });
}
