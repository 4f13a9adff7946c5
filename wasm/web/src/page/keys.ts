// Every action by keyboard, and a list of the keys.

import { h } from "../dom.ts";
import { dialog } from "./dialog.ts";

export interface Key {
  key: string;
  words: string;
  run: () => void;
}

/** Keys that other programs leave free; letters only where nobody is writing. */
export function listenForKeys(keys: Key[]): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const writes = (event.target as HTMLElement).closest("input, select, textarea, [contenteditable]");
    const name = event.altKey ? `Alt+${event.code.replace(/^(Digit|Key)/, "")}` : event.key;
    const found = keys.find((it) => it.key === name);
    if (!found || (writes && !event.altKey)) return;
    event.preventDefault();
    found.run();
  });
}

const EDITOR: [string, string][] = [
  ["Ctrl+Space", "complete"],
  ["F8", "next problem"],
  ["Ctrl+F", "find"],
  ["Ctrl+Z", "undo"],
  ["Tab", "leave the editor"],
  ["Ctrl+] and Ctrl+[", "indent more, less"],
];

export function showKeys(keys: Key[]): void {
  const row = ([key, words]: [string, string]) => h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key)), h("td", {}, words));
  const table = (rows: [string, string][]) => h("table", { class: "keys" }, h("tbody", {}, ...rows.map(row)));
  dialog(
    "Keys",
    table(keys.map((it): [string, string] => [it.key, it.words])),
    h("h3", {}, "In the editor"),
    table(EDITOR),
    h("h3", {}, "In the matrix and on the map"),
    table([["Arrows", "move"], ["Enter", "explain"]]),
  );
}
