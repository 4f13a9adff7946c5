// Answers in Markdown as they are meant to look: one panel beside the policy, without the focus,
// because whoever asked is writing. VS Code's own preview takes it.

import * as vscode from "vscode";
import type { Answer } from "./answers";

export class Rendered implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;

  /** False where nobody renders Markdown: that part of VS Code can be switched off. */
  async show(answer: Answer): Promise<boolean> {
    let html: unknown;
    try {
      html = await vscode.commands.executeCommand("markdown.api.render", answer.text);
    } catch {
      return false;
    }
    if (typeof html !== "string") {
      return false;
    }
    const panel = this.panel ?? this.open();
    panel.title = answer.title;
    panel.webview.html = page(html);
    panel.reveal(undefined, true);
    return true;
  }

  dispose(): void {
    this.panel?.dispose();
  }

  private open(): vscode.WebviewPanel {
    const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    const panel = vscode.window.createWebviewPanel("aclc.answer", "", place, { enableFindWidget: true });
    panel.onDidDispose(() => (this.panel = undefined));
    this.panel = panel;
    return panel;
  }
}

/** The names in an answer are those of a policy, so nothing that they contain may run or be fetched. */
function page(html: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { padding: 0 1.5em 1.5em; line-height: 1.5; }
h1 { font-size: 1.4em; font-weight: 600; }
h2 { font-size: 1.15em; font-weight: 600; }
code { font-family: var(--vscode-editor-font-family); }
table { border-collapse: collapse; }
th, td { padding: 4px 16px 4px 0; text-align: left; vertical-align: top; }
tr > * { border-bottom: 1px solid var(--vscode-editorWidget-border, #8884); }
</style>
</head>
<body>${html}</body>
</html>`;
}
