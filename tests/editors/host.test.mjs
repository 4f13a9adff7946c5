// The extension out of its package, in a stand-in for VS Code, with the built server: what a person
// does in the editor, and what they then see.

import assert from "node:assert/strict";
import fs from "node:fs";
import Module, { createRequire } from "node:module";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createHost } from "./host/vscode.mjs";
import { built } from "./places.mjs";
import { MISTAKE, aclc, server, workspace } from "./policies.mjs";
import { packageExtension, unpacked } from "./vsix.mjs";

packageExtension();
const main = path.join(unpacked(), "dist/extension.js");
const manifest = JSON.parse(fs.readFileSync(path.join(path.dirname(main), "../package.json"), "utf8"));
const require = createRequire(import.meta.url);

/** The extension started in an editor that has a folder open. */
async function start(t, folder, settings = {}) {
  const host = createHost({
    folder,
    settings: { "aclc.server.path": server, "aclc.recognise": true, ...settings },
    version: manifest.engines.vscode.replace("^", ""),
    languageOf: (file) => (file.endsWith(".hujson") ? "tailnet-policy" : path.extname(file).slice(1)),
  });
  const load = Module._load;
  Module._load = (name, ...rest) => (name === "vscode" ? host.vscode : load(name, ...rest));
  delete require.cache[main];
  const extension = require(main);
  Module._load = load;
  const context = { subscriptions: [] };
  await extension.activate(context);
  t.after(async () => {
    await extension.deactivate();
    context.subscriptions.forEach((it) => it.dispose());
  });
  host.policy = path.join(folder, "policy.hujson");
  host.codes = (document) => (host.diagnostics.get(document.uri.toString()) ?? []).map(codeOf);
  return host;
}

const codeOf = (diagnostic) => diagnostic.code?.value ?? diagnostic.code;
const errors = (host, document) =>
  (host.diagnostics.get(document.uri.toString()) ?? []).filter((it) => it.severity === 0);
const token = { isCancellationRequested: false, onCancellationRequested: () => ({ dispose() {} }) };

test("a mistake is shown at its place, and a quick fix takes it away", async (t) => {
  const host = await start(t, workspace(MISTAKE));
  const document = await host.open(host.policy);
  const [found] = await host.until(() => errors(host, document).length && errors(host, document), "an error");
  assert.equal(codeOf(found), "acl/E0301");
  assert.equal(document.getText(found.range), "tag:nsa");
  assert.match(found.message, /did you mean `tag:nas`/);

  const context = { diagnostics: [found], triggerKind: 1, only: undefined };
  const actions = await host.providers.get("CodeActions").provideCodeActions(document, found.range, context, token);
  const fix = actions.find((it) => it.kind?.value === "quickfix");
  assert.match(fix.title, /tag:nas/);
  await host.vscode.workspace.applyEdit(fix.edit);
  await host.until(() => errors(host, document).length === 0, "no error");
  assert.equal(document.getText(), fs.readFileSync(host.policy, "utf8").replace("tag:nsa", "tag:nas"));
});

test("a begun tag is completed, and a group is renamed", async (t) => {
  const host = await start(t, workspace());
  const document = await host.open(host.policy);
  await host.until(() => host.providers.get("CompletionItem"), "completion");
  const at = host.putCursor(document, '"dst":    ["tag:na');
  const given = await host.providers.get("CompletionItem").provideCompletionItems(document, at, token, { triggerKind: 0 });
  const labels = (given.items ?? given).map((it) => it.label.label ?? it.label);
  assert.ok(labels.some((it) => it.startsWith("tag:nas")), labels.join(" "));
  assert.ok(!labels.some((it) => it.startsWith("posture:")), labels.join(" "));

  const before = document.getText();
  const name = host.putCursor(document, '"group:fam');
  await host.vscode.workspace.applyEdit(
    await host.providers.get("Rename").provideRenameEdits(document, name, "group:household", token),
  );
  assert.equal(document.getText(), before.replaceAll("group:family", "group:household"));
});

test("commands show what the server answers, beside the policy", async (t) => {
  const host = await start(t, workspace(), { "aclc.nodes": "nodes.json" });
  const document = await host.open(host.policy);
  const shown = () => host.shown.splice(0);

  host.putCursor(document, '"tag:nas');
  await host.commands.executeCommand("aclc.showWhoCan");
  const [whoCan] = shown();
  assert.match(whoCan.document.getText(), /mira/);
  assert.equal(whoCan.options.viewColumn, host.vscode.ViewColumn.Beside);
  assert.equal(whoCan.options.preserveFocus, true);

  const { nodes } = JSON.parse(fs.readFileSync(path.join(path.dirname(host.policy), "nodes.json"), "utf8"));
  host.answers.push(nodes[0].name);
  await host.commands.executeCommand("aclc.showTables");
  const [tables] = shown();
  assert.ok(tables.title.includes(nodes[0].name), tables.title);
  assert.match(tables.document.getText(), /SrcIPs|100\./);

  // Nothing entered, nothing asked.
  host.answers.push(undefined);
  await host.commands.executeCommand("aclc.showTables");
  assert.deepEqual(shown(), []);

  host.answers.push("nobody-has-this-name");
  await host.commands.executeCommand("aclc.showTables");
  assert.match(host.messages.splice(0).join(), /error: Tailnet Policy: .*nobody-has-this-name/);
});

test("answers in Markdown are rendered where VS Code can, all in one panel that takes no focus", async (t) => {
  const host = await start(t, workspace(), { "aclc.nodes": "nodes.json" });
  host.commands.registerCommand("markdown.api.render", async (text) => `<pre>${text}</pre>`);
  const document = await host.open(host.policy);
  for (const place of ['"tag:nas', '"tag:media']) {
    host.putCursor(document, place);
    await host.commands.executeCommand("aclc.showWhoCan");
    assert.match(host.panels[0].title, new RegExp(place.slice(1)));
  }
  const [panel] = host.panels;
  assert.equal(host.panels.length, 1);
  assert.equal(host.shown.length, 0);
  assert.equal(panel.column.preserveFocus, true);
  assert.ok(!panel.options.enableScripts);
  assert.match(panel.webview.html, /default-src 'none'[^]*mira/);

  panel.dispose();
  await host.commands.executeCommand("aclc.showWhoCan");
  assert.equal(host.panels.length, 2);
});

test("what an edit changes is shown, and shown anew", async (t) => {
  const host = await start(t, workspace(), { "aclc.nodes": "nodes.json" });
  const document = await host.open(host.policy);
  const at = document.positionAt(document.getText().indexOf('"tag:printer:631"'));
  const newText = '"tag:nas:22", ';
  document.replace([{ range: new host.vscode.Range(at, at), newText }]);
  await host.commands.executeCommand("aclc.showDiff");
  const text = host.shown.at(-1).document.getText();
  assert.match(text, /22/);

  const end = at.character + newText.length;
  document.replace([{ range: new host.vscode.Range(at.line, at.character, at.line, end), newText: "" }]);
  await host.commands.executeCommand("aclc.showDiff");
  assert.notEqual(host.shown.at(-1).document.getText(), text);
  assert.equal(host.shown.at(-1).document, host.shown.at(-2).document);
});

test("the lens above a test runs it and shows the verdict", async (t) => {
  const host = await start(t, workspace(), { "aclc.nodes": "nodes.json" });
  const document = await host.open(host.policy);
  const provider = await host.until(() => host.providers.get("CodeLens"), "lenses");
  const lenses = await provider.provideCodeLenses(document, token);
  const resolved = [];
  for (const lens of lenses) {
    resolved.push(lens.command ? lens : ((await provider.resolveCodeLens?.(lens, token)) ?? lens));
  }
  const { command } = resolved.find((it) => it.command?.command === "aclc.runTest");
  await host.commands.executeCommand(command.command, ...command.arguments);
  assert.equal(host.shown.length, 1);
  assert.match(host.shown[0].document.getText(), /jonas|tag:nas/);
});

test("settings of the editor reach the server, and so do changes of them", async (t) => {
  // Headscale has no postures: what Tailscale takes is refused there.
  const folder = workspace(['"hosts": {', '"postures": {"posture:mac": ["node:os == \'macos\'"]},\n\t"hosts": {']);
  const host = await start(t, folder, { "aclc.target": "headscale" });
  const document = await host.open(host.policy);
  await host.until(() => errors(host, document).length > 0, "what headscale refuses");
  await host.set("aclc.target", "tailscale");
  await host.until(() => errors(host, document).length === 0, "what Tailscale takes");
  const [level] = await host.until(() => host.codes(document).length && host.codes(document), "a warning");
  await host.set("aclc.levels", { [level.replace("acl/", "")]: "off" });
  await host.until(() => !host.codes(document).includes(level), `no ${level}`);
});

/** The command with a page beside it, as it is installed; the page itself has its own tests. */
function installed(page) {
  const folder = fs.mkdtempSync(path.join(built, "program-"));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.linkSync(aclc, path.join(folder, "aclc"));
  if (page !== undefined) {
    fs.mkdirSync(path.join(folder, "preview"));
    fs.writeFileSync(path.join(folder, "preview/index.html"), page);
  }
  return path.join(folder, "aclc");
}

test("the preview is served while its panel is open", async (t) => {
  const program = installed("<html><head></head><body>the page</body></html>");
  const host = await start(t, workspace(), { "aclc.path": program });
  await host.open(host.policy);
  await host.commands.executeCommand("aclc.openPreview");
  const [panel] = host.panels;
  const address = /<iframe[^>]* src="([^"]+)"/.exec(panel.webview.html)[1];
  assert.match(panel.webview.html, new RegExp(`frame-src ${new URL(address).origin};`));
  assert.match(await (await fetch(address)).text(), /the page/);
  const files = JSON.stringify(await (await fetch(`${address}files.json`)).json());
  assert.ok(files.includes("group:family") && files.includes("mira-laptop"));

  // Asked for again, the same one comes to the front.
  await host.commands.executeCommand("aclc.openPreview");
  assert.equal(host.panels.length, 1);
  panel.dispose();
  await assert.rejects(async () => {
    for (;;) {
      await fetch(address);
    }
  });
  await host.commands.executeCommand("aclc.openPreview");
  assert.equal(host.panels.length, 2);
});

test("the preview has the inventory that `aclc.toml` names, and not the one beside the policy", async (t) => {
  const folder = workspace();
  const nodes = fs.readFileSync(path.join(folder, "nodes.json"), "utf8");
  fs.writeFileSync(path.join(folder, "others.json"), nodes.replaceAll("mira-laptop", "another"));
  fs.writeFileSync(path.join(folder, "aclc.toml"), 'nodes = "others.json"\n');
  const host = await start(t, folder, { "aclc.path": installed("<html><head></head></html>") });
  await host.open(host.policy);
  await host.commands.executeCommand("aclc.openPreview");
  const address = /<iframe[^>]* src="([^"]+)"/.exec(host.panels[0].webview.html)[1];
  const files = JSON.stringify(await (await fetch(`${address}files.json`)).json());
  assert.ok(files.includes("another") && !files.includes("mira-laptop"));
});

test("a preview that cannot be served, or not be reached, says why", async (t) => {
  const host = await start(t, workspace(), { "aclc.path": installed() });
  await host.open(host.policy);
  await host.commands.executeCommand("aclc.openPreview");
  assert.deepEqual(host.panels, []);
  assert.match(host.messages.join("\n"), /error: Tailnet Policy: no preview: .*there is no page beside the program/);

  host.settings["aclc.path"] = installed("<html><head></head></html>");
  host.vscode.env.asExternalUri = async (it) => it.with({ authority: "code.example.com" });
  await host.commands.executeCommand("aclc.openPreview");
  assert.deepEqual(host.panels, []);
  assert.match(host.messages.at(-1), /`code.example.com`/);
});

test("a JSON file with the sections of a policy is one, once", async (t) => {
  const folder = workspace(MISTAKE);
  const host = await start(t, folder);
  fs.renameSync(host.policy, path.join(folder, "acl.json"));
  const document = await host.open(path.join(folder, "acl.json"));
  await host.until(() => document.languageId === "tailnet-policy", "the language");
  await host.until(() => errors(host, document).length > 0, "its error");

  await host.vscode.languages.setTextDocumentLanguage(document, "json");
  assert.equal(document.languageId, "json");

  fs.writeFileSync(path.join(folder, "package.json"), '{"name": "acls", "groups": {"acls": []}, "hosts": {}}');
  const other = await host.open(path.join(folder, "package.json"));
  assert.equal(other.languageId, "json");
  await host.commands.executeCommand("aclc.attach");
  assert.equal(other.languageId, "tailnet-policy");
});

test("a server that is not there, or that is none, is said, and can be started later", async (t) => {
  const folder = workspace(MISTAKE);
  const host = await start(t, folder, { "aclc.server.path": path.join(folder, "nothing") });
  const document = await host.open(host.policy);
  await host.commands.executeCommand("aclc.showWhoCan");
  assert.match(host.messages.join("\n"), /error: Tailnet Policy: .*settings/);
  host.set("aclc.server.path", server);
  await host.until(() => errors(host, document).length > 0, "an error of the policy");
});

test("the server ends with the editor", async (t) => {
  const folder = workspace();
  const host = await start(t, folder);
  await host.open(host.policy);
  await host.until(() => host.providers.get("Hover"), "a server");
  const children = () =>
    fs.readdirSync("/proc").filter((it) => /^\d+$/.test(it)).filter((it) => {
      try {
        const [, parent] = /\) \S (\d+)/.exec(fs.readFileSync(`/proc/${it}/stat`, "utf8")) ?? [];
        return Number(parent) === process.pid && fs.readlinkSync(`/proc/${it}/exe`) === fs.realpathSync(server);
      } catch {
        return false;
      }
    });
  assert.equal(children().length, 1);
  await require(main).deactivate();
  const end = Date.now() + 30_000;
  while (children().length > 0 && Date.now() < end) {
    await setTimeout(20);
  }
  assert.equal(children().length, 0);
});

test("without the server a person is told what to do, and what else there is goes on", async (t) => {
  const { PATH } = process.env;
  t.after(() => (process.env.PATH = PATH));
  process.env.PATH = "";
  const host = await start(t, workspace(), { "aclc.server.path": "", "aclc.path": "" });
  const [said] = await host.until(() => host.messages.length && host.messages, "a message");
  assert.match(said, /^error: Tailnet Policy: the language server `aclc-lsp` is not on the path\. Install it, or say in the settings where it is\.$/);
  // A command says the same rather than nothing.
  await host.open(host.policy);
  await host.commands.executeCommand("aclc.showWhoCan");
  assert.match(host.messages.at(-1), /the language server does not run\. Install it/);
});

test("a server that the settings name and that is not there is named", async (t) => {
  const host = await start(t, workspace(), { "aclc.server.path": "/no/such/aclc-lsp" });
  const said = await host.until(() => host.messages.find((it) => it.includes("does not start")), "a message");
  assert.match(said, /^error: Tailnet Policy: the language server does not start: .*\/no\/such\/aclc-lsp.*say in the settings where it is/s);
});
