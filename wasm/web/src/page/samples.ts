// The samples: the examples of the repository, the homelab within the page, the others fetched.

import homelabNodes from "../../../../examples/homelab/nodes.json?raw";
import homelabPolicy from "../../../../examples/homelab/policy.hujson?raw";

export interface Sample {
  title: string;
  policy: string;
  nodes: string;
  target: string;
}

const files = import.meta.glob<string>(
  ["../../../../examples/*/policy.hujson", "../../../../examples/*/nodes.json", "!../../../../examples/homelab/*"],
  { query: "?raw", import: "default" },
);

export const homelab: Sample = { title: "homelab", policy: homelabPolicy, nodes: homelabNodes, target: "tailscale" };

const folder = (path: string) => path.split("/").at(-2) ?? "";

/** The names of all samples, the one that is open at first first. */
export const sampleNames: string[] = ["homelab", ...new Set(Object.keys(files).map(folder))];

export async function sample(name: string): Promise<Sample> {
  if (name === "homelab") return homelab;
  const load = (file: string) => files[`../../../../examples/${name}/${file}`]?.() ?? Promise.resolve("");
  const [policy, nodes] = await Promise.all([load("policy.hujson"), load("nodes.json")]);
  return { title: name, policy, nodes, target: name === "headscale" ? "headscale" : "tailscale" };
}
