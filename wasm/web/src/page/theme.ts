// Light or dark: as the system wishes, until a person says otherwise.

import { h } from "../dom.ts";

const choices = ["auto", "light", "dark"] as const;
type Choice = (typeof choices)[number];
const words: Record<Choice, string> = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" };

/** A page that may keep nothing still has a switch; it only forgets. */
function kept(): Choice {
  try {
    return choices.find((it) => it === localStorage.getItem("theme")) ?? "auto";
  } catch {
    return "auto";
  }
}

export function themeSwitch(): HTMLElement {
  let now = kept();
  const button = h("button", { type: "button", class: "quiet", onclick: () => next() });
  const show = () => {
    document.documentElement.dataset["theme"] = now;
    button.textContent = words[now];
    button.setAttribute("aria-label", `Colours: ${now}. Change`);
    button.title = "Light, dark, or as the system wishes";
  };
  const next = () => {
    now = choices[(choices.indexOf(now) + 1) % choices.length] ?? "auto";
    try {
      localStorage.setItem("theme", now);
    } catch {
      // See above.
    }
    show();
  };
  show();
  return button;
}
