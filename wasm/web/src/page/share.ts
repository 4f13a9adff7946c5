// A link that carries the policy: compressed into the part of the address that browsers send to
// nobody. What comes in by a link is data: bounded, checked, and shown as text alone.

import { h } from "../dom.ts";
import type { Model } from "../model.ts";
import { dialog } from "./dialog.ts";

export interface Shared {
  policy: string;
  nodes: string;
  target: string;
}

/** Browsers take two million characters at most; no link of ours comes near. */
const MAX_LINK = 1_500_000;
/** What a link may unpack to: as much as a policy and an inventory of thousands of devices. */
const MAX_TEXT = 16 << 20;

async function pump(bytes: Uint8Array<ArrayBuffer>, through: CompressionStream | DecompressionStream, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const writer = through.writable.getWriter();
  // What goes wrong is heard at the reading end.
  void writer.write(bytes).catch(() => {});
  void writer.close().catch(() => {});
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = through.readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > most) {
      await reader.cancel();
      throw new Error("it unpacks to more than a link may carry");
    }
    parts.push(value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** The fragment for a link. */
export async function pack(shared: Shared): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify({ version: 1, ...shared }));
  const packed = await pump(bytes, new CompressionStream("deflate-raw"), Infinity);
  let binary = "";
  for (let at = 0; at < packed.length; at += 0x8000) binary += String.fromCharCode(...packed.subarray(at, at + 0x8000));
  return `#1=${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/**
 * What a fragment carries; nothing where it is no link of ours.
 *
 * Errors: it looks like one and cannot be read.
 */
export async function unpack(fragment: string): Promise<Shared | null> {
  if (!fragment.startsWith("#1=")) return null;
  if (fragment.length > MAX_LINK) throw new Error("it is too long");
  const text = fragment.slice(3);
  if (!/^[\w-]+$/.test(text)) throw new Error("it has characters that no link has");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (it) => it.charCodeAt(0));
  const unpacked = await pump(bytes, new DecompressionStream("deflate-raw"), MAX_TEXT).catch((error: unknown) => {
    throw new Error(error instanceof Error && error.message.startsWith("it unpacks") ? error.message : "it is damaged");
  });
  return checked(new TextDecoder("utf-8", { fatal: true }).decode(unpacked));
}

function checked(text: string): Shared {
  const { version, policy, nodes, target } = JSON.parse(text) as Record<string, unknown>;
  if (version !== 1 || typeof policy !== "string" || typeof nodes !== "string") throw new Error("it is of another kind");
  return { policy, nodes, target: target === "headscale" ? "headscale" : "tailscale" };
}

/** Opens the dialog that makes a link. */
export function shareDialog(model: Model, target: string): void {
  const link = h("input", { type: "text", readonly: true, "aria-label": "The link", class: "link", onfocus: () => link.select() });
  const said = h("p", { class: "dim", role: "status" });
  const neutral = h("input", { type: "checkbox", id: "neutral", onchange: () => void make() });
  const copy = h("button", { type: "button", class: "main", onclick: () => void navigator.clipboard.writeText(link.value).then(() => (said.textContent = "Copied.")) }, "Copy the link");

  // Another for each link, so that two links cannot be laid side by side.
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

  async function make(): Promise<void> {
    try {
      const shared = neutral.checked
        ? { ...(await model.compiler.ask("neutral", seed)), target }
        : { policy: model.policy.state.doc.toString(), nodes: model.nodes.state.doc.toString(), target };
      link.value = new URL(await pack(shared), location.href.split("#")[0]).href;
      const long = link.value.length;
      said.textContent = long > 30_000
        ? `${long.toLocaleString("en")} characters: many programs cut such a link short.`
        : `${long.toLocaleString("en")} characters.`;
    } catch (error) {
      link.value = "";
      said.textContent = (error as Error).message;
    }
  }

  dialog(
    "Share",
    h("p", {}, h("strong", {}, "The link contains the whole policy and the devices. "), "Whoever has it can read them. It is made here; nothing is uploaded, and what stands behind # in an address is sent to no server."),
    h("p", {}, neutral, " ", h("label", { for: "neutral" }, "Replace names: users, groups, tags, devices, hosts and addresses become neutral ones, and comments are left out. Who reaches whom stays the same. Capabilities, attributes and users of hosts stay as they are.")),
    h("div", { class: "bar" }, link, copy),
    said,
  );
  void make();
}
