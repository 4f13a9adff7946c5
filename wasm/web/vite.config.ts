// How the page is built: plain files with relative addresses, so that any file server can serve them
// at any path, and a service worker that knows their names.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../../target/preview",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
  },
  worker: { format: "es" },
  plugins: [codePages(), offline()],
});

/** The page of every code in one file, which is fetched when the first is asked for. */
function codePages(): Plugin {
  return {
    name: "code-pages",
    generateBundle() {
      const folder = new URL("../../docs/diagnostics/", import.meta.url);
      const pages: Record<string, string> = {};
      for (const name of readdirSync(folder).filter((it) => it.startsWith("acl-")).sort()) {
        pages[name.replace(/^acl-(.*)\.md$/, "acl/$1")] = readFileSync(new URL(name, folder), "utf8");
      }
      this.emitFile({ type: "asset", fileName: "codes.json", source: JSON.stringify(pages) });
    },
  };
}

/** `offline.js`, the service worker, with the names of all files and a version made of them. */
function offline(): Plugin {
  return {
    name: "offline",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const files = [...Object.keys(bundle), "icon.svg", "index.html"].filter((it) => !it.endsWith(".map"));
        const names = [...new Set(files)].sort();
        const version = createHash("sha256").update(names.join("\n"));
        for (const it of Object.values(bundle)) {
          version.update(it.type === "asset" ? it.source : it.code);
        }
        const list = JSON.stringify(["./", ...names.filter((it) => it !== "index.html")]);
        const worker = readFileSync(new URL("src/offline.js", import.meta.url), "utf8")
          .replace("__FILES__", list)
          .replace("__VERSION__", version.digest("hex").slice(0, 16));
        this.emitFile({ type: "asset", fileName: "offline.js", source: worker });
      },
    },
  };
}
