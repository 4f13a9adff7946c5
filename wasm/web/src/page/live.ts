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
export function follow(take: (live: Live) => void, lost: (why: string | null) => void): void {
  async function load(): Promise<void> {
    try {
      const answer = (await (await fetch("./files.json", { cache: "no-store" })).json()) as Live | { error: string };
      if ("error" in answer) return lost(answer.error);
      lost(null);
      take(answer);
    } catch {
      lost("`aclc preview` has ended");
    }
  }
  const events = new EventSource("./events");
  events.addEventListener("error", () => lost("`aclc preview` has ended"));
  events.addEventListener("change", () => void load());
}
