// What is open and what came of it; panes are told when it changes.

import type { EditorView } from "@codemirror/view";
import type { Compiler } from "./compiler.ts";
import type { End } from "../../pkg/web/aclc.js";
import type { Result, Update } from "./protocol.ts";

/** Which of the two texts. */
export type Side = "policy" | "nodes";

export interface Model {
  compiler: Compiler;
  policy: EditorView;
  nodes: EditorView;
  /** What came of the newest texts. */
  update: Update | null;
  /** The last result there was; older than the texts where `update` has none. */
  result: Result | null;
  /** Counts results, so that a pane knows what it has shown. */
  generation: number;
  /** Shows a place at the left. */
  jump(side: Side, from: number, to?: number): void;
  /** Lights the rules that begin on these lines of the policy; shows the first where somebody asked for it. */
  light(lines: number[], reveal?: boolean): void;
  /** Says something to whoever listens rather than looks. */
  say(text: string): void;
}

/** A pane of the right half. */
export interface Pane {
  /** Short, and unique: it names the pane in the address of elements. */
  id: string;
  title: string;
  root: HTMLElement;
  /** Shows the newest result; called when there is one and the pane is in view. */
  show(): void;
  /** Lights again what it speaks of, when it comes into view. */
  relight?(): void;
}

/** The names that a question may be about: devices first, then whatever the policy names. */
export function knownNames(ends: End[]): string[] {
  const byKind = (device: boolean) => ends.filter((it) => (it.kind === "device") === device).map((it) => it.name);
  return [...new Set([...byKind(true), ...byKind(false)])].filter((it) => !it.includes(" "));
}
