// What the user has set, in the words of `aclc.toml`; and where the programs are.

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";

/** What the server is told. What is not set is not there, so that `aclc.toml` counts. */
export interface Settings {
  nodes?: string;
  target?: string;
  levels?: Record<string, string>;
  pages?: string;
}

export function settings(scope?: vscode.Uri): Settings {
  const section = vscode.workspace.getConfiguration("aclc", scope);
  const nodes = section.get<string>("nodes", "").trim();
  const target = section.get<string>("target", "");
  const pages = section.get<string>("pages", "").trim();
  const levels = section.get<Record<string, string>>("levels", {});
  return {
    ...(nodes && { nodes }),
    ...(target && { target }),
    ...(pages && { pages }),
    ...(Object.keys(levels).length > 0 && { levels: { ...levels } }),
  };
}

/** A program and its arguments. */
export interface Program {
  command: string;
  args: string[];
}

/** The language server: the one of the settings, else `aclc-lsp`, else `aclc lsp`. */
export function languageServer(): Program | undefined {
  const chosen = configured("server.path");
  if (chosen) {
    return { command: chosen, args: [] };
  }
  const own = onPath("aclc-lsp");
  const command = own ?? aclc();
  return command === undefined ? undefined : { command, args: own ? [] : ["lsp"] };
}

/** The command `aclc`: the one of the settings, else that of the path. */
export function aclc(): string | undefined {
  return configured("path") ?? onPath("aclc");
}

/** A path of the settings; `~` is the home folder, and relative ones begin in the workspace. */
function configured(setting: string): string | undefined {
  const written = vscode.workspace.getConfiguration("aclc").get<string>(setting, "").trim();
  if (!written) {
    return undefined;
  }
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  return path.resolve(folder, written.replace(/^~(?=[\\/])/, os.homedir()));
}

/** A program on the path. */
function onPath(name: string): string | undefined {
  const file = process.platform === "win32" ? `${name}.exe` : name;
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((it) => it !== "");
  return folders.map((it) => path.join(it, file)).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
