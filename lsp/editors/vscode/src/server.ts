// The language server: started, told the settings, asked, and stopped.

import * as vscode from "vscode";
import {
  DidChangeConfigurationNotification,
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
} from "vscode-languageclient/node";
import { type Answers, isAnswer } from "./answers";
import { languageServer, settings } from "./settings";

/** Where a policy may lie; answers and old versions of a file are not checked. */
const SCHEMES = ["file", "untitled", "vscode-vfs"];

export class Server {
  private client: LanguageClient | undefined;

  constructor(private readonly answers: Answers) {}

  async start(): Promise<void> {
    const program = languageServer();
    if (program === undefined) {
      // Not awaited: the message stays until somebody closes it.
      void this.missing("the language server `aclc-lsp` is not on the path");
      return;
    }
    this.client = new LanguageClient("aclc", "Tailnet Policy", program, this.options());
    try {
      await this.client.start();
    } catch (error) {
      this.client = undefined;
      void this.missing(`the language server does not start: ${text(error)}`);
    }
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    // One that is down already has nothing left to end.
    await client?.dispose().catch(() => undefined);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Runs a command of the server and shows what it answers. */
  async ask(command: string, argument: { uri: string; position?: vscode.Position; node?: string }): Promise<void> {
    if (this.client === undefined) {
      await this.missing("the language server does not run");
      return;
    }
    const position = argument.position && this.client.code2ProtocolConverter.asPosition(argument.position);
    const params = { command, arguments: [{ ...argument, ...(position && { position }) }] };
    try {
      await this.show(await this.client.sendRequest(ExecuteCommandRequest.type, params));
    } catch (error) {
      void vscode.window.showErrorMessage(`Tailnet Policy: ${text(error)}`);
    }
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: SCHEMES.map((scheme) => ({ scheme, language: "tailnet-policy" })),
      initializationOptions: settings(),
      synchronize: { configurationSection: "aclc" },
      // The client asks for findings, and of its own accord not while somebody types.
      diagnosticPullOptions: { onChange: true, onFocus: true },
      middleware: {
        // A code lens runs a command of the server, whose answer would go nowhere.
        executeCommand: async (command, args, next) => {
          const answer: unknown = await next(command, args);
          await this.show(answer);
          return answer;
        },
        workspace: {
          configuration: (params) =>
            params.items.map((it) => settings(it.scopeUri === undefined ? undefined : vscode.Uri.parse(it.scopeUri))),
          didChangeConfiguration: async () => {
            const changed = { settings: { aclc: settings() } };
            await this.client?.sendNotification(DidChangeConfigurationNotification.type, changed);
          },
        },
      },
    };
  }

  private async show(answer: unknown): Promise<void> {
    if (isAnswer(answer)) {
      await this.answers.show(answer);
    }
  }

  private async missing(what: string): Promise<void> {
    const open = "Open Settings";
    const message = `Tailnet Policy: ${what}. Install it, or say in the settings where it is.`;
    if ((await vscode.window.showErrorMessage(message, open)) === open) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "aclc.server.path");
    }
  }
}

/** An error as a sentence. */
export function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
