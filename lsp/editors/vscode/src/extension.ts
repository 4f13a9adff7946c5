// The start and the end of the extension: what stands in the other files is put together here.

import * as vscode from "vscode";
import { Answers } from "./answers";
import { recogniseOpened } from "./attach";
import { registerCommands } from "./commands";
import { Previews } from "./preview";
import { Server } from "./server";

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const answers = new Answers();
  const previews = new Previews();
  server = new Server(answers);
  context.subscriptions.push(answers, previews, recogniseOpened());
  registerCommands(context, server, previews);
  await server.start();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
