// The commands of the palette and of the menus: each asks the server about the policy in front.

import * as vscode from "vscode";
import { attach } from "./attach";
import type { Previews } from "./preview";
import type { Server } from "./server";

export function registerCommands(context: vscode.ExtensionContext, server: Server, previews: Previews): void {
  const commands: Record<string, (editor: vscode.TextEditor) => Promise<void>> = {
    "aclc.showTables": (editor) => showTables(server, editor),
    "aclc.showWhoCan": (editor) => server.ask("aclc.whoCan", here(editor)),
    "aclc.showDiff": (editor) => server.ask("aclc.diff", { uri: uriOf(editor) }),
    "aclc.openPreview": (editor) => previews.open(editor.document),
    "aclc.attach": (editor) => attach(editor.document),
  };
  for (const [name, run] of Object.entries(commands)) {
    const command = async () => {
      const editor = vscode.window.activeTextEditor;
      if (editor === undefined) {
        void vscode.window.showInformationMessage("Open a tailnet policy first.");
        return;
      }
      await run(editor);
    };
    context.subscriptions.push(vscode.commands.registerCommand(name, command));
  }
  context.subscriptions.push(
    vscode.commands.registerCommand("aclc.restart", () => server.restart()),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("aclc.server.path") || event.affectsConfiguration("aclc.path")) {
        await server.restart();
      }
    }),
  );
}

async function showTables(server: Server, editor: vscode.TextEditor): Promise<void> {
  const node = await vscode.window.showInputBox({
    title: "Show Tables for Device",
    prompt: "The name of a device; empty: what the cursor stands on, or else all devices",
    placeHolder: "db-1",
  });
  // Nothing was entered, and nothing is wanted, where the box was closed.
  if (node !== undefined) {
    await server.ask("aclc.tables", { ...here(editor), ...(node.trim() && { node: node.trim() }) });
  }
}

function here(editor: vscode.TextEditor): { uri: string; position: vscode.Position } {
  return { uri: uriOf(editor), position: editor.selection.active };
}

function uriOf(editor: vscode.TextEditor): string {
  return editor.document.uri.toString();
}
