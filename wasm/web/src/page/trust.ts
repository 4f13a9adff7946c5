// Under the page's own rule no text becomes markup or a script, with one exception, made here: the
// scripts of the page itself, which its workers are.

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): unknown;
}

export function trustOwnScripts(): void {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  types?.createPolicy("default", {
    createScriptURL(address) {
      if (new URL(address, location.href).origin === location.origin) return address;
      throw new TypeError("only the page's own scripts run here");
    },
  });
}
