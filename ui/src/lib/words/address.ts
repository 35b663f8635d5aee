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
