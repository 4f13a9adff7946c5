// Files of a person: chosen, or dropped. They are read here and sent nowhere.

import { h } from "../dom.ts";

export interface Read {
  name: string;
  text: string;
}

/** Larger than any policy or inventory that the module takes. */
const MAX_BYTES = 64 << 20;

/** Lets a person choose a file; nothing where they do not. */
export function readFile(): Promise<Read | null> {
  return new Promise((resolve) => {
    const input = h("input", { type: "file", accept: ".hujson,.json,.json5,.jsonc,.txt" });
    input.addEventListener("cancel", () => resolve(null));
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      void (file ? read(file) : Promise.resolve(null)).then(resolve);
    });
    input.click();
  });
}

async function read(file: File): Promise<Read | null> {
  if (file.size > MAX_BYTES) return null;
  return { name: file.name, text: await file.text() };
}

/** Takes files that are dropped on an element. */
export function takesDrops(element: HTMLElement, take: (name: string, text: string) => void): void {
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  element.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    element.classList.add("dropping");
  });
  element.addEventListener("dragleave", () => element.classList.remove("dropping"));
  element.addEventListener("drop", (event) => {
    element.classList.remove("dropping");
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    for (const file of event.dataTransfer?.files ?? []) {
      void read(file).then((it) => it && take(it.name, it.text));
    }
  }, { capture: true });
}

/** Which of the two a text is: an inventory says so at its top. */
export function isInventory(text: string): boolean {
  const top = text.slice(0, 200_000).replace(/\/\/.*$/gm, "").trimStart();
  if (top.startsWith("[")) return true;
  return /"(nodes|devices|Peer|Self|machines)"\s*:/.test(top) && !/"(acls|grants|tagOwners|groups|ssh)"\s*:/i.test(top);
}
