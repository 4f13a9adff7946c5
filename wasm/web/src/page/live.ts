// The page as `aclc preview` serves it: the files come from there, and come again when they change.

export interface Live {
  policy: { name: string; text: string };
  nodes: { name: string; text: string } | null;
  target: string;
}

/** Whether a preview serves the page; a file server leaves the mark as it is. */
export function isLive(): boolean {
  return document.querySelector('meta[name="aclc-preview"]') !== null;
}

/** Calls `take` with the files, now and whenever they change. */
export function follow(take: (live: Live) => void, lost: (lost: boolean) => void): void {
  const load = async () => take((await (await fetch("./files.json", { cache: "no-store" })).json()) as Live);
  const events = new EventSource("./events");
  events.addEventListener("open", () => lost(false));
  events.addEventListener("error", () => lost(true));
  events.addEventListener("change", () => void load());
}
