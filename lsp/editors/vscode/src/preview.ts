// The preview beside the editor: `aclc preview` serves it on this machine, a panel shows it, and
// both end together.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import * as path from "node:path";
import * as readline from "node:readline";
import * as vscode from "vscode";
import { aclc, settings } from "./settings";

/** A server and the panel that shows its page. */
interface Preview {
  panel: vscode.WebviewPanel;
  process: ChildProcessWithoutNullStreams;
}

export class Previews implements vscode.Disposable {
  private readonly running = new Map<string, Preview>();

  async open(document: vscode.TextDocument): Promise<void> {
    const file = document.uri.fsPath;
    const shown = this.running.get(file);
    if (shown) {
      shown.panel.reveal(undefined, true);
      return;
    }
    // The page shows the file as it is on disk.
    if (document.uri.scheme !== "file" || (document.isDirty && !(await document.save()))) {
      void vscode.window.showErrorMessage("Tailnet Policy: save the policy first; the preview reads the file.");
      return;
    }
    const command = aclc();
    if (command === undefined) {
      void vscode.window.showErrorMessage(
        "Tailnet Policy: the command `aclc` is not on the path. Install it, or set `aclc.path`.",
      );
      return;
    }
    try {
      const process = spawn(command, argumentsFor(document.uri), { cwd: path.dirname(file) });
      const address = await vscode.env.asExternalUri(vscode.Uri.parse(await addressOf(process)));
      this.show(file, process, address);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      void vscode.window.showErrorMessage(`Tailnet Policy: no preview: ${reason}`);
    }
  }

  dispose(): void {
    for (const { panel, process } of this.running.values()) {
      process.kill();
      panel.dispose();
    }
  }

  private show(file: string, process: ChildProcessWithoutNullStreams, address: vscode.Uri): void {
    const panel = vscode.window.createWebviewPanel(
      "aclc.preview",
      `Preview ${path.basename(file)}`,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, retainContextWhenHidden: true },
    );
    panel.webview.html = page(address.toString(true));
    this.running.set(file, { panel, process });
    panel.onDidDispose(() => {
      this.running.delete(file);
      process.kill();
    });
    process.on("exit", () => this.running.get(file)?.panel.dispose());
  }
}

/** `preview FILE`, with the inventory of the settings, whose path begins in the workspace. */
function argumentsFor(policy: vscode.Uri): string[] {
  const { nodes, target } = settings(policy);
  const folder = vscode.workspace.getWorkspaceFolder(policy)?.uri.fsPath ?? path.dirname(policy.fsPath);
  return [
    "preview",
    policy.fsPath,
    ...(nodes ? ["--nodes", path.resolve(folder, nodes)] : []),
    ...(target ? ["--target", target] : []),
  ];
}

/** The address on the first line that the server prints; what it complains of where it prints none. */
function addressOf(process: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolve, reject) => {
    let complaint = "";
    process.stderr.on("data", (it: Buffer) => (complaint += it.toString()));
    process.on("error", reject);
    process.on("close", (code) => reject(new Error(complaint.trim() || `it ended with ${code}`)));
    readline.createInterface(process.stdout).once("line", (line) => {
      const address = /https?:\/\/\S+/.exec(line)?.[0];
      if (address) {
        resolve(address);
      } else {
        process.kill();
        reject(new Error(`it gave no address but \`${line}\``));
      }
    });
  });
}

/** A page that is nothing but the other one: that one runs as it does in a browser. */
function page(address: string): string {
  const origin = new URL(address).origin;
  const source = address.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; frame-src ${origin}; style-src 'unsafe-inline'">
<style>html, body, iframe { margin: 0; padding: 0; border: 0; width: 100%; height: 100%; display: block; }</style>
</head>
<body><iframe title="Preview of the policy" src="${source}" allow="clipboard-read; clipboard-write"></iframe></body>
</html>`;
}
