// Where things are: the repository, the extension, what is built, and expectations as text files.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, "../..");
export const editors = path.join(root, "lsp/editors");
export const extension = path.join(editors, "vscode");

/** What is built for the tests, and made by them, lies below `target`. */
export const built = path.join(root, "target/editors");

/** Compares with a file of the repository; `BLESS=1` writes it. */
export function expectText(file, actual) {
  const name = path.relative(here, file);
  if (process.env.BLESS === "1") {
    fs.writeFileSync(file, actual);
    return;
  }
  const expected = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  assert.equal(actual, expected, `${name} differs; BLESS=1 writes it anew, then read it`);
}
