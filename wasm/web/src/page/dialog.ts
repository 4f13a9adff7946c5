// A dialog of the browser's own: it keeps the focus, closes on Escape, and gives the focus back.

import { h } from "../dom.ts";

type Child = HTMLElement | null;

/** Shows a dialog; gives what closes it. */
export function dialog(title: string, ...children: Child[]): () => void {
  const close = h("button", { type: "button", class: "quiet close", "aria-label": "Close", onclick: () => box.close() }, "✕");
  const heading = h("h2", { id: "dialog-title" }, title);
  const box = h("dialog", { "aria-labelledby": "dialog-title" }, h("header", {}, heading, close), h("div", { class: "dialog-body", tabindex: "-1" }, ...children));
  const before = document.activeElement;
  box.addEventListener("close", () => {
    box.remove();
    if (before instanceof HTMLElement) before.focus();
  });
  box.addEventListener("click", (event) => {
    if (event.target === box) box.close();
  });
  document.body.append(box);
  box.showModal();
  return () => box.close();
}
