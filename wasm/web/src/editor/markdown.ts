// The little Markdown that hovers, completions and pages of codes are written in, as elements.
// What is not known stays text.

import { h } from "../dom.ts";

/** Paragraphs, lists, headings, tables as text, code blocks; bold and code within them. */
export function markdown(text: string): HTMLElement {
  const root = h("div", { class: "markdown" });
  const lines = text.split("\n");
  let list: HTMLUListElement | null = null;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const item = /^[-*] (.*)$/.exec(line);
    if (!item) list = null;
    if (line.startsWith("```")) {
      const end = lines.findIndex((it, position) => position > at && it.startsWith("```"));
      const stop = end < 0 ? lines.length : end;
      root.append(h("pre", {}, h("code", {}, lines.slice(at + 1, stop).join("\n"))));
      at = stop;
    } else if (item) {
      list ??= root.appendChild(h("ul"));
      list.append(h("li", {}, ...spans(item[1] ?? "")));
    } else if (line.startsWith("#")) {
      root.append(h("h3", {}, ...spans(line.replace(/^#+ /, ""))));
    } else if (line.trim() !== "") {
      const paragraph = [line];
      while (/^[^\s#`*-]/.test(lines[at + 1] ?? "")) paragraph.push(lines[++at] ?? "");
      root.append(h("p", {}, ...spans(paragraph.join(" "))));
    }
  }
  return root;
}

/** Bold, code and links, of which the words are kept and the address is not. */
function spans(text: string): (Node | string)[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]*\))/).map((part) => {
    if (part.length > 2 && part.startsWith("`")) return h("code", {}, part.slice(1, -1));
    if (part.length > 4 && part.startsWith("**")) return h("strong", {}, part.slice(2, -2));
    const link = /^\[([^\]]+)\]\([^)]*\)$/.exec(part);
    return link?.[1] ?? part;
  });
}
