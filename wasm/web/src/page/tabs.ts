// Tabs as browsers have none: one stop for Tab, arrows between them.

import { h } from "../dom.ts";

export interface Tab {
  id: string;
  title: string;
  root: HTMLElement;
}

export interface Tabs<T extends Tab> {
  bar: HTMLElement;
  body: HTMLElement;
  current(): T;
  select(id: string, focus?: boolean): void;
}

export function tabs<T extends Tab>(label: string, all: [T, ...T[]], selected: (tab: T) => void): Tabs<T> {
  let now = all[0];
  const buttons = all.map((it) =>
    h("button", { type: "button", role: "tab", id: `tab-${it.id}`, "aria-controls": `panel-${it.id}`, "data-title": it.title, onclick: () => select(it.id) }, it.title));
  const panels = all.map((it) => h("div", { role: "tabpanel", id: `panel-${it.id}`, "aria-labelledby": `tab-${it.id}`, class: "panel" }, it.root));
  const bar = h("div", { role: "tablist", "aria-label": label, class: "tabs" }, ...buttons);

  function select(id: string, focus = false): void {
    now = all.find((it) => it.id === id) ?? now;
    all.forEach((it, at) => {
      const [button, panel] = [buttons[at] as HTMLElement, panels[at] as HTMLElement];
      const here = it === now;
      button.setAttribute("aria-selected", String(here));
      button.tabIndex = here ? 0 : -1;
      panel.hidden = !here;
      if (here && focus) button.focus();
      if (here) button.scrollIntoView?.({ block: "nearest", inline: "nearest" });
    });
    selected(now);
  }

  bar.addEventListener("keydown", (event) => {
    const at = all.indexOf(now);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    select((all[(to + all.length) % all.length] as T).id, true);
  });

  return { bar, body: h("div", { class: "panels" }, ...panels), current: () => now, select };
}
