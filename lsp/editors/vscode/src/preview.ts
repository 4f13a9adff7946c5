// The preview beside the editor: `aclc preview` serves it on this machine, a panel shows it, and
// both end together.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import * as fs from "node:fs";
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
    const process = spawn(command, argumentsFor(document.uri), { cwd: path.dirname(file) });
    try {
      this.show(file, process, await reachable(await addressOf(process)));
    } catch (error) {
      process.kill();
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

  private show(file: string, process: ChildProcessWithoutNullStreams, address: string): void {
    const panel = vscode.window.createWebviewPanel(
      "aclc.preview",
      `Preview ${path.basename(file)}`,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, retainContextWhenHidden: true },
    );
    panel.webview.html = page(address);
    this.running.set(file, { panel, process });
    panel.onDidDispose(() => {
      this.running.delete(file);
      process.kill();
    });
    process.on("exit", () => this.running.get(file)?.panel.dispose());
  }
}

/** `preview FILE`, with what the server is told; the path of an inventory begins in the workspace. */
function argumentsFor(policy: vscode.Uri): string[] {
  const { nodes, target } = settings(policy);
  const beside = path.dirname(policy.fsPath);
  const folder = vscode.workspace.getWorkspaceFolder(policy)?.uri.fsPath ?? beside;
  const inventory = nodes ? path.resolve(folder, nodes) : path.join(beside, "nodes.json");
  return [
    "preview",
    policy.fsPath,
    ...(nodes || (fs.existsSync(inventory) && !namesInventory(beside)) ? ["--nodes", inventory] : []),
    ...(target ? ["--target", target] : []),
  ];
}

/** Whether the nearest `aclc.toml` names an inventory, which counts before one that lies beside the policy. */
function namesInventory(folder: string): boolean {
  const files = ["aclc.toml", "aclc.json5"].map((it) => path.join(folder, it));
  const file = files.find((it) => fs.existsSync(it));
  if (file !== undefined) {
    return /^[\s{,]*["']?nodes["']?\s*[=:]/m.test(fs.readFileSync(file, "utf8"));
  }
  const above = path.dirname(folder);
  return above !== folder && namesInventory(above);
}

/** The address as this editor reaches it, from another machine through a tunnel; the preview answers to no other name. */
async function reachable(address: string): Promise<string> {
  const own = new URL(address);
  const { authority } = await vscode.env.asExternalUri(vscode.Uri.parse(address));
  if (![`127.0.0.1:${own.port}`, `localhost:${own.port}`].includes(authority)) {
    throw new Error(`from here it would be \`${authority}\`, to which it does not answer; run \`aclc preview\` there`);
  }
  own.host = authority;
  return own.toString();
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
