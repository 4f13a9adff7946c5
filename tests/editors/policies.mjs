// Policies to work on: copies of an example, each with its mistake, in a folder that goes away.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { root } from "./places.mjs";

const example = path.join(root, "examples/homelab");

/** The programs under test; a build elsewhere is named by the environment. */
export const server = process.env.ACLC_LSP ?? path.join(root, "target/debug/aclc-lsp");
export const aclc = process.env.ACLC ?? path.join(root, "target/debug/aclc");

/** A folder with `policy.hujson`, changed as the pairs of texts say, and `nodes.json`. */
export function workspace(...changes) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "aclc-editors-")));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  let text = fs.readFileSync(path.join(example, "policy.hujson"), "utf8");
  for (const [before, behind] of changes) {
    if (!text.includes(before)) {
      throw new Error(`the example has no ${before}`);
    }
    text = text.replace(before, behind);
  }
  fs.writeFileSync(path.join(folder, "policy.hujson"), text);
  fs.copyFileSync(path.join(example, "nodes.json"), path.join(folder, "nodes.json"));
  return folder;
}

/** A tag that nobody defined, one letter from one that somebody did. */
export const MISTAKE = ['"tag:nas:2049"],\n\t\t\t"proto"', '"tag:nsa:2049"],\n\t\t\t"proto"'];
