// Addresses as they are typed.

/** Whether an address sends in the clear to another machine than this one. */
export function cleartext(url: string): boolean {
  if (!/^http:\/\//i.test(url.trim())) return false;
  try {
    const { hostname } = new URL(url.trim());
    return !(hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127\./.test(hostname));
  } catch {
    return true;
  }
}

/** The host that an address leads to, with its port; empty where it is none. */
export function host(url: string): string {
  try {
    return new URL(url.trim()).host;
  } catch {
    return "";
  }
}
