// Bundles the extension into one file, and beside it the licences of all that came into it.

import fs from "node:fs";
import path from "node:path";
import { build } from "esbuild";

const { metafile } = await build({
  entryPoints: ["src/extension.ts"],
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["vscode"],
  minify: true,
  legalComments: "none",
  metafile: true,
  outfile: "dist/extension.js",
});

const packages = new Set();
for (const file of Object.keys(metafile.inputs)) {
  const [found] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? [];
  if (found) {
    packages.add(found);
  }
}
const notices = [...packages].sort().map((folder) => {
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = fs.readdirSync(folder).find((it) => /^licen[cs]e/i.test(it));
  if (file === undefined) {
    throw new Error(`${name} has no licence that could be passed on`);
  }
  return `${name} ${version} (${license})\n\n${fs.readFileSync(path.join(folder, file), "utf8").trim()}\n`;
});
fs.writeFileSync("dist/third-party.txt", notices.join(`\n${"-".repeat(80)}\n\n`));
