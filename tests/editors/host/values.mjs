// The classes of VS Code's interface that do something, as far as a language client makes use of them.

import { URI } from "vscode-uri";
import { declared } from "./declared.mjs";

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
  compareTo(other) {
    return this.line - other.line || this.character - other.character;
  }
  isEqual(other) {
    return this.compareTo(other) === 0;
  }
  isBefore(other) {
    return this.compareTo(other) < 0;
  }
}

class Range {
  constructor(start, end, endLine, endCharacter) {
    this.start = typeof start === "number" ? new Position(start, end) : start;
    this.end = typeof start === "number" ? new Position(endLine, endCharacter) : end;
  }
  get isEmpty() {
    return this.start.isEqual(this.end);
  }
  isEqual(other) {
    return this.start.isEqual(other.start) && this.end.isEqual(other.end);
  }
}

class Selection extends Range {
  constructor(anchor, active) {
    super(anchor, active);
    Object.assign(this, { anchor, active });
  }
}

class Location {
  constructor(uri, place) {
    this.uri = uri;
    this.range = place instanceof Position ? new Range(place, place) : place;
  }
}

class Disposable {
  constructor(dispose) {
    this.dispose = dispose;
  }
  static from(...all) {
    return new Disposable(() => all.forEach((it) => it.dispose()));
  }
}

class EventEmitter {
  listeners = new Set();
  event = (listener, self, disposables) => {
    const bound = self ? listener.bind(self) : listener;
    this.listeners.add(bound);
    const registration = new Disposable(() => this.listeners.delete(bound));
    disposables?.push(registration);
    return registration;
  };
  fire(value) {
    return [...this.listeners].map((it) => it(value));
  }
  dispose() {
    this.listeners.clear();
  }
}

class CancellationTokenSource {
  cancelled = new EventEmitter();
  token = { isCancellationRequested: false, onCancellationRequested: this.cancelled.event };
  cancel() {
    this.token.isCancellationRequested = true;
    this.cancelled.fire();
  }
  dispose() {
    this.cancelled.dispose();
  }
}

class CancellationError extends Error {}

class CodeActionKind {
  constructor(value) {
    this.value = value;
  }
  append(part) {
    return new CodeActionKind(this.value ? `${this.value}.${part}` : part);
  }
  contains(other) {
    return other.value === this.value || other.value.startsWith(`${this.value}.`);
  }
}
const kinds = { Empty: "", QuickFix: "quickfix", Refactor: "refactor", Source: "source", Notebook: "notebook" };
for (const kind of ["Extract", "Inline", "Move", "Rewrite"]) {
  kinds[`Refactor${kind}`] = `refactor.${kind.toLowerCase()}`;
}
Object.assign(kinds, { SourceOrganizeImports: "source.organizeImports", SourceFixAll: "source.fixAll" });
for (const [name, value] of Object.entries(kinds)) {
  CodeActionKind[name] = new CodeActionKind(value);
}

class FoldingRangeKind {
  static Comment = new FoldingRangeKind("comment");
  static Imports = new FoldingRangeKind("imports");
  static Region = new FoldingRangeKind("region");
  constructor(value) {
    this.value = value;
  }
}

class MarkdownString {
  constructor(value = "") {
    this.value = value;
  }
  appendMarkdown(more) {
    this.value += more;
    return this;
  }
  appendCodeblock(code, language = "") {
    return this.appendMarkdown(`\n\`\`\`${language}\n${code}\n\`\`\`\n`);
  }
}

class SnippetString {
  constructor(value = "") {
    this.value = value;
  }
}

class Hover {
  constructor(contents, range) {
    this.contents = Array.isArray(contents) ? contents : [contents];
    this.range = range;
  }
}

class TextEdit {
  static replace = (range, text) => new TextEdit(range, text);
  static insert = (position, text) => new TextEdit(new Range(position, position), text);
  static delete = (range) => new TextEdit(range, "");
  constructor(range, newText) {
    Object.assign(this, { range, newText });
  }
}

class WorkspaceEdit {
  texts = new Map();
  set(uri, edits) {
    this.texts.set(uri.toString(), edits.map((it) => (Array.isArray(it) ? it[0] : it)));
  }
  replace(uri, range, text) {
    const key = uri.toString();
    this.texts.set(key, [...(this.texts.get(key) ?? []), new TextEdit(range, text)]);
  }
}

class RelativePattern {
  constructor(base, pattern) {
    this.baseUri = base.uri ?? base;
    this.pattern = pattern;
  }
}

export const values = {
  ...declared,
  Uri: URI,
  ...{ Position, Range, Selection, Location, Disposable, EventEmitter, CancellationTokenSource, CancellationError },
  ...{ CodeActionKind, FoldingRangeKind, MarkdownString, SnippetString, Hover, TextEdit, WorkspaceEdit, RelativePattern },
};
