// Answers of the server as documents that can be read and not changed, beside the policy.

import * as vscode from "vscode";
import { Rendered } from "./rendered";

/** What the server answers to a command. */
export interface Answer {
  /** The name of the tab. */
  title: string;
  /** As VS Code calls it: `json`, `markdown`, `plaintext`. */
  language: string;
  text: string;
}

export function isAnswer(value: unknown): value is Answer {
  const answer = value as Partial<Record<keyof Answer, unknown>> | null | undefined;
  return [answer?.title, answer?.language, answer?.text].every((it) => typeof it === "string");
}

const SCHEME = "aclc-answer";

export class Answers implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registrations: vscode.Disposable[];
  private readonly rendered = new Rendered();
  readonly onDidChange = this.changed.event;

  constructor() {
    this.registrations = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidCloseTextDocument((it) => this.texts.delete(it.uri.toString())),
    ];
  }

  provideTextDocumentContent(uri: vscode.Uri): string | undefined {
    return this.texts.get(uri.toString());
  }

  /** Shows an answer; one with the same title takes the place of the last. */
  async show(answer: Answer): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${answer.title.replaceAll("/", "∕")}` });
    this.texts.set(uri.toString(), answer.text);
    this.changed.fire(uri);
    if (answer.language === "markdown" && (await this.rendered.show(answer))) {
      return;
    }
    let document = await vscode.workspace.openTextDocument(uri);
    if (document.languageId !== answer.language) {
      const known = (await vscode.languages.getLanguages()).includes(answer.language);
      // A change of the language closes the document for a moment, and its text would be forgotten.
      document = await vscode.languages.setTextDocumentLanguage(document, known ? answer.language : "plaintext");
      this.texts.set(uri.toString(), answer.text);
    }
    await vscode.window.showTextDocument(document, {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
      preview: true,
    });
  }

  dispose(): void {
    vscode.Disposable.from(this.changed, this.rendered, ...this.registrations).dispose();
  }
}
