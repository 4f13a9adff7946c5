/** Where something stands: UTF-16 units from 0, the end not included; line and column from 1. */
export interface Place { from: number; to: number; line: number; column: number }
/** A replacement of a part of a text. */
export interface Edit { from: number; to: number; text: string }

export interface Fix { title: string; safe: boolean; edits: Edit[] }
export interface Finding {
  code: string;
  severity: "error" | "warning" | "note";
  message: string;
  place: Place;
  help: string | null;
  label: string | null;
  related: { message: string; place: Place }[];
  fixes: Fix[];
  /** What Tailscale's API answers because of it. */
  api: string | null;
}
export interface Summary {
  errors: number;
  warnings: number;
  notes: number;
  devices: number;
  rules: number;
  /** Whether there are tables: a policy without an error, and an inventory. */
  compiled: boolean;
  /** Whether the control plane takes the policy; null where facts decide that were not given. */
  accepted: boolean | null;
  api: string | null;
}
/** What is found in the policy and in the inventory; at most a thousand of each. */
export interface Findings { policy: Finding[]; nodes: Finding[]; summary: Summary }

export interface Device {
  name: string;
  user: string | null;
  tags: string[];
  addresses: string[];
  routes: string[];
  exit: boolean;
}
/** What one line of a table says: who may do what, and where else than on the device itself. */
export interface Sentence {
  kind: "network" | "app" | "ssh";
  who: string[];
  what: string;
  at: string[];
  lines: number[];
}

/** A row and a column of the matrix: a device, or what opens to devices. */
export interface End {
  id: number;
  name: string;
  kind: "user" | "group" | "tag" | "subnet" | "internet" | "device";
  /** The ids of what it opens to. */
  members: number[];
  /** Whether it stands at the top. */
  top: boolean;
  /** How many devices and networks it is. */
  size: number;
}
/** What one end may do to another. */
export interface Cell {
  from: number;
  to: number;
  /** `all`: every member reaches every member on every port. */
  kind: "all" | "some" | "conditional";
  /** "every port", "ports 443, 8096", "tcp 2049, from 2 of 5" */
  summary: string;
  /** The lines of the rules, from 1. */
  lines: number[];
}

export interface RuleAt { file: string; line: number }
/** As `aclc why --format json`. */
export interface Why {
  version: 1;
  verdict: "allowed" | "denied" | "depends";
  rules: (RuleAt & { text: string })[];
  depends: string[];
  nearest: (RuleAt & { fails: string[]; sentence: string })[];
  beyond: { kind: string; sentence: string }[];
  pairs: number;
  allowed: number;
}
export interface Reached {
  device?: string;
  addresses?: string;
  user?: string;
  tags?: string[];
  protocols: string;
  ports: string;
  rules: RuleAt[];
}
export interface Sources { version: 1; sources: Reached[] }
export interface Destinations { version: 1; destinations: Reached[] }

export interface Access {
  kind: "network" | "app" | "ssh" | "ssh-check";
  name: string | null;
  src: string[];
  dst: string[];
  protocol: string;
  ports: string;
  via: string[];
  posture: string[];
  rules: RuleAt[];
  witness: { src: string; dst: string; protocol: number; port: number } | null;
}
/** As `aclc diff --format json`. */
export interface Changes { version: 1; gained: Access[]; lost: Access[] }

export interface Tests {
  assertions: { name: string; place: Place; holds: boolean | null; message: string | null }[];
  coverage: { rules: number; rulesUsed: number; destinations: number; destinationsUsed: number } | null;
  /** Rules and destinations that no assertion makes use of. */
  unused: { place: Place; message: string; help: string | null }[];
}

export interface Completion {
  label: string;
  kind: "property" | "text" | "variable" | "class" | "keyword" | "constant";
  detail: string | null;
  documentation: string | null;
  from: number;
  to: number;
  text: string;
  /** Where in `text` the cursor is to stand. */
  caret: number;
  filter: string;
  goesOn: boolean;
}
export interface Completions { items: Completion[]; incomplete: boolean }
export interface Hover { from: number; to: number; markdown: string }
export interface Action { title: string; preferred: boolean; edits: Edit[] }
/** A policy and an inventory. */
export interface Texts { policy: string; nodes: string }
