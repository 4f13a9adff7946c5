// What the page and its worker say to each other.

import type { Device, End, Findings, Workspace } from "../../pkg/web/aclc.js";

/** Questions that the worker passes to the module as they are. */
export type Method =
  | "compile" | "cells" | "sentences" | "why" | "whoCan" | "whatCan" | "diff" | "tests"
  | "completions" | "hover" | "actions" | "fixAll" | "neutral";

/** What a method answers. */
export type Answer<M extends Method> = ReturnType<Workspace[M]>;
/** What a method is asked with. */
export type Questions<M extends Method> = Parameters<Workspace[M]>;

/** Everything that is shown after an edit. */
export interface Update {
  findings: Findings;
  /** Nothing where the policy or the inventory has errors. */
  result: Result | null;
  /** How long the module took. */
  milliseconds: number;
}

/** What a policy without errors gives. */
export interface Result {
  devices: Device[];
  /** The rows and columns of the matrix; what stands between them is asked for what is in view. */
  ends: End[];
}

/** What the policy is compiled as. */
export interface Inputs {
  policy?: string;
  nodes?: string;
  target?: string;
  today?: string;
}

export type Request =
  | { id: number; kind: "set"; inputs: Inputs }
  | { id: number; kind: "update" }
  | { id: number; kind: "format"; text: string }
  | { id: number; kind: "ask"; method: Method; questions: unknown[] };

export type Response =
  | { id: number; value: unknown }
  | { id: number; error: string; bug: boolean };
