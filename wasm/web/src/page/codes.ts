// The page of a code, in a dialog. All pages are one file of this page, fetched when first asked for.

import { dialog } from "./dialog.ts";
import { h } from "../dom.ts";
import { markdown } from "../editor/markdown.ts";

let pages: Promise<Record<string, string>> | undefined;

export async function explainCode(code: string): Promise<void> {
  pages ??= fetch("./codes.json").then((it) => it.json() as Promise<Record<string, string>>);
  try {
    const page = (await pages)[code];
    dialog(code, page ? markdown(page) : h("p", {}, "There is no page about this code."));
  } catch {
    pages = undefined;
    dialog(code, h("p", {}, "Its page could not be loaded."));
  }
}
