// The extension as it is installed: packaged once by the tool that people use, and unpacked.

import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { built, extension } from "./places.mjs";

export const vsix = path.join(built, "tailnet-policy.vsix");

/** Type-checks, bundles and packages the extension; what `vsce` said. */
export function packageExtension() {
  fs.mkdirSync(built, { recursive: true });
  fs.rmSync(vsix, { force: true });
  const run = spawnSync("npm", ["run", "--silent", "package", "--", "--out", vsix], {
    cwd: extension,
    encoding: "utf8",
  });
  return `${run.stdout}${run.stderr}`;
}

/** The folder of the unpacked extension, as an editor loads it. */
export function unpacked() {
  const folder = path.join(built, "vsix");
  fs.rmSync(folder, { recursive: true, force: true });
  execFileSync("python3", ["-m", "zipfile", "-e", vsix, folder]);
  return path.join(folder, "extension");
}
