// A stand-in for the editor: the part of VS Code's interface that an extension with a language client
// makes use of. Documents are texts in memory; what the editor would show is kept for the test to see.

import fs from "node:fs";
import path from "node:path";
import { TextDocument } from "vscode-languageserver-textdocument";
import { values } from "./values.mjs";

const { Disposable, EventEmitter, Position, Range, Selection, Uri, ViewColumn } = values;

/** An editor with one folder open; `settings` by their full names, `answers` what people enter. */
export function createHost({ folder, settings, version, languageOf }) {
  const events = new Map();
  const documents = new Map();
  const providers = new Map();
  const commands = new Map();
  const contents = new Map();
  const diagnostics = new Map();
  const tabs = [];
  const host = { settings, answers: [], shown: [], messages: [], panels: [], log: [], providers, diagnostics };

  const emitter = (name) => events.get(name) ?? events.set(name, new EventEmitter()).get(name);
  const changed = new EventEmitter();

  /** The value once it is one; everything that happens in the editor is a reason to look again. */
  host.until = (look, what) => {
    const before = look();
    if (before) {
      return Promise.resolve(before);
    }
    return new Promise((resolve, reject) => {
      const complaint = () => reject(new Error(`waited in vain for ${what}\n${host.messages.join("\n")}\n${host.log.join("\n")}`));
      const timeout = setTimeout(complaint, 30_000);
      const registration = changed.event(() => {
        const found = look();
        if (found) {
          clearTimeout(timeout);
          registration.dispose();
          resolve(found);
        }
      });
    });
  };

  function makeDocument(uri, languageId, text, isUntitled = false) {
    let inner = TextDocument.create(uri.toString(), languageId, 1, text);
    const place = (it) => new Position(it.line, it.character);
    const document = {
      uri,
      languageId,
      fileName: uri.fsPath,
      isUntitled,
      isDirty: isUntitled,
      isClosed: false,
      eol: 1,
      get version() {
        return inner.version;
      },
      get lineCount() {
        return inner.lineCount;
      },
      getText: (range) => inner.getText(range),
      offsetAt: (position) => inner.offsetAt(position),
      positionAt: (offset) => place(inner.positionAt(offset)),
      lineAt: (line) => {
        const number = typeof line === "number" ? line : line.line;
        const text = inner.getText(new Range(number, 0, number + 1, 0)).replace(/\r?\n$/, "");
        return { text, range: new Range(number, 0, number, text.length) };
      },
      save: async () => {
        fs.writeFileSync(uri.fsPath, inner.getText());
        document.isDirty = false;
        emitter("onDidSaveTextDocument").fire(document);
        return true;
      },
      replace(edits) {
        const contentChanges = edits
          .map((it) => ({
            range: it.range,
            rangeOffset: inner.offsetAt(it.range.start),
            rangeLength: inner.offsetAt(it.range.end) - inner.offsetAt(it.range.start),
            text: it.newText,
          }))
          .sort((a, b) => b.rangeOffset - a.rangeOffset);
        inner = TextDocument.update(inner, contentChanges, inner.version + 1);
        document.isDirty = true;
        emitter("onDidChangeTextDocument").fire({ document, contentChanges, reason: undefined });
        changed.fire();
      },
    };
    documents.set(uri.toString(), document);
    return document;
  }

  const opened = (document) => {
    emitter("onDidOpenTextDocument").fire(document);
    changed.fire();
    return document;
  };

  /** Opens a file in front, as a click on its name does: the tab is there before the document. */
  host.open = async (file) => {
    const uri = Uri.file(file);
    const tab = { label: path.basename(file), input: new values.TabInputText(uri), isActive: true };
    tabs.splice(0, tabs.length, tab);
    emitter("tabs").fire({ opened: [tab], closed: [], changed: [] });
    const document = await workspace.openTextDocument(uri);
    inFront(document, new Position(0, 0));
    return document;
  };

  function inFront(document, at) {
    window.activeTextEditor = { document, selection: new Selection(at, at) };
    window.visibleTextEditors = [window.activeTextEditor];
    emitter("onDidChangeActiveTextEditor").fire(window.activeTextEditor);
  }

  /** Puts the cursor behind the first place of a piece of text. */
  host.putCursor = (document, text) => {
    const at = document.positionAt(document.getText().indexOf(text) + text.length);
    inFront(document, at);
    return at;
  };

  host.set = (name, value) => {
    settings[name] = value;
    const affectsConfiguration = (it) => name === it || name.startsWith(`${it}.`);
    return Promise.all(emitter("onDidChangeConfiguration").fire({ affectsConfiguration }));
  };

  const matches = (selector, document) => {
    const filters = [selector].flat().map((it) => (typeof it === "string" ? { language: it } : it));
    const fits = (it) =>
      (it.language === undefined || it.language === document.languageId) &&
      (it.scheme === undefined || it.scheme === document.uri.scheme);
    return filters.some(fits) ? 10 : 0;
  };

  const workspace = {
    workspaceFolders: [{ uri: Uri.file(folder), name: path.basename(folder), index: 0 }],
    notebookDocuments: [],
    get textDocuments() {
      return [...documents.values()];
    },
    getWorkspaceFolder: (uri) => (uri.fsPath.startsWith(folder) ? workspace.workspaceFolders[0] : undefined),
    getConfiguration: (section) => ({
      get: (name, missing) => settings[[section, name].filter(Boolean).join(".")] ?? missing,
      inspect: () => undefined,
    }),
    openTextDocument: async (what) => {
      const uri = typeof what === "string" ? Uri.file(what) : what;
      const open = documents.get(uri.toString());
      if (open) {
        return open;
      }
      const provider = contents.get(uri.scheme);
      const text = provider ? await provider.provideTextDocumentContent(uri) : fs.readFileSync(uri.fsPath, "utf8");
      return opened(makeDocument(uri, provider ? "plaintext" : languageOf(uri.fsPath), text));
    },
    registerTextDocumentContentProvider: (scheme, provider) => {
      contents.set(scheme, provider);
      provider.onDidChange?.(async (uri) => {
        const document = documents.get(uri.toString());
        const end = document?.positionAt(document.getText().length);
        const newText = await provider.provideTextDocumentContent(uri);
        document?.replace([{ range: new Range(new Position(0, 0), end), newText }]);
      });
      return new Disposable(() => contents.delete(scheme));
    },
    createFileSystemWatcher: () => {
      const [create, change, remove] = [1, 2, 3].map(() => new EventEmitter());
      host.watchers ??= [];
      host.watchers.push({ create, change, remove });
      return { onDidCreate: create.event, onDidChange: change.event, onDidDelete: remove.event, dispose() {} };
    },
    applyEdit: async (edit) => {
      for (const [uri, edits] of edit.texts) {
        documents.get(uri).replace(edits);
      }
      return true;
    },
    fs: { stat: async (uri) => ({ type: fs.statSync(uri.fsPath).isDirectory() ? 2 : 1 }) },
  };

  const say = (kind) => async (message) => {
    host.messages.push(`${kind}: ${message}`);
    changed.fire();
  };
  const window = {
    activeTextEditor: undefined,
    visibleTextEditors: [],
    tabGroups: {
      all: [{ tabs, isActive: true }],
      onDidChangeTabs: emitter("tabs").event,
      onDidChangeTabGroups: emitter("tabGroups").event,
    },
    showInformationMessage: say("information"),
    showWarningMessage: say("warning"),
    showErrorMessage: say("error"),
    showInputBox: async () => host.answers.shift(),
    showTextDocument: async (document, options) => {
      host.shown.push({ title: path.basename(document.uri.path), language: document.languageId, document, options });
      changed.fire();
    },
    withProgress: (_, task) => task({ report() {} }, new values.CancellationTokenSource().token),
    createOutputChannel: (name) => {
      const write = (...it) => host.log.push(it.join(" "));
      const levels = { trace: write, debug: write, info: write, warn: write, error: write };
      const channel = { append: write, appendLine: write, replace: write, clear() {}, show() {}, hide() {}, dispose() {} };
      return { name, logLevel: 3, onDidChangeLogLevel: emitter("logLevel").event, ...levels, ...channel };
    },
    createWebviewPanel: (type, title, column, options) => {
      const closed = new EventEmitter();
      const dispose = () => closed.fire();
      const panel = { type, title, column, options, webview: { html: "" }, onDidDispose: closed.event, reveal() {}, dispose };
      host.panels.push(panel);
      changed.fire();
      return panel;
    },
  };

  const languages = {
    match: matches,
    getLanguages: async () => ["tailnet-policy", "json", "jsonc", "markdown", "diff", "plaintext"],
    setTextDocumentLanguage: async (document, language) => {
      emitter("onDidCloseTextDocument").fire(document);
      document.languageId = language;
      return opened(document);
    },
    createDiagnosticCollection: () => ({
      set: (uri, found) => {
        diagnostics.set(uri.toString(), found ?? []);
        changed.fire();
      },
      delete: (uri) => diagnostics.delete(uri.toString()),
      get: (uri) => diagnostics.get(uri.toString()),
      has: (uri) => diagnostics.has(uri.toString()),
      clear: () => diagnostics.clear(),
      dispose: () => diagnostics.clear(),
    }),
  };

  const commandsApi = {
    registerCommand: (name, run, self) => {
      if (commands.has(name)) {
        throw new Error(`command '${name}' already exists`);
      }
      commands.set(name, run.bind(self));
      return new Disposable(() => commands.delete(name));
    },
    executeCommand: async (name, ...given) => {
      if (!commands.has(name)) {
        throw new Error(`command '${name}' not found`);
      }
      return commands.get(name)(...given);
    },
  };

  /** Events are made when somebody listens; what is registered for a language is kept by its kind. */
  const whole = (own) =>
    new Proxy(own, {
      get: (target, name) => {
        if (name in target || typeof name !== "string") {
          return target[name];
        }
        if (/^on(Did|Will)/.test(name)) {
          return emitter(name).event;
        }
        const kind = /^register(\w+)Provider$/.exec(name)?.[1];
        return kind && ((selector, provider) => {
          providers.set(kind, provider);
          changed.fire();
          return new Disposable(() => providers.get(kind) === provider && providers.delete(kind));
        });
      },
    });

  host.commands = commandsApi;
  host.vscode = {
    ...values,
    version,
    ViewColumn,
    workspace: whole(workspace),
    window: whole(window),
    languages: whole(languages),
    commands: commandsApi,
    env: { language: "en", appName: "stand-in", openExternal: async () => true, asExternalUri: async (it) => it },
    extensions: { getExtension: () => undefined, all: [] },
  };
  return host;
}
