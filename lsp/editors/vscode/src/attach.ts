// Policies in files that are named as any other JSON: they are known by their sections.

import * as vscode from "vscode";
import { looksLikePolicy } from "./sections";

/** Makes a document one of our language. */
export async function attach(document: vscode.TextDocument): Promise<void> {
  await vscode.languages.setTextDocumentLanguage(document, "tailnet-policy");
}

/** Looks at every document of a kind of JSON, once: who takes the language back has the last word. */
export function recogniseOpened(): vscode.Disposable {
  const seen = new Set<string>();
  const look = async (document: vscode.TextDocument): Promise<void> => {
    const json = document.languageId === "json" || document.languageId === "jsonc";
    const wanted = vscode.workspace.getConfiguration("aclc").get("recognise", true);
    const uri = document.uri.toString();
    if (!json || !wanted || document.uri.scheme !== "file" || seen.has(uri)) {
      return;
    }
    seen.add(uri);
    if (looksLikePolicy(document.getText())) {
      await attach(document);
    }
  };
  for (const document of vscode.workspace.textDocuments) {
    void look(document);
  }
  return vscode.workspace.onDidOpenTextDocument(look);
}
