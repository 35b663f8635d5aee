// Web addresses in plain text, marked as the resident finds them: it opens no others.

/** A piece of a text. */
export type Part = { text: string; link: boolean };

const ADDRESS = /[Hh][Tt][Tt][Pp][Ss]?:\/\/[^\p{White_Space}<>"`]*/gu;
const LETTER = /[\p{Alphabetic}\p{N}]$/u;
const TAIL = ".,;:!?'*_~…";
const BRACKETS: Record<string, string> = { ")": "(", "]": "[", "}": "{" };
/** The longest address that is opened, bytes. */
const LONGEST = 2048;

/** The text in pieces; those that are addresses are links. Together they are the text. */
export function linked(text: string): Part[] {
  const parts: Part[] = [];
  let shown = 0;
  const address = new RegExp(ADDRESS);
  for (let found = address.exec(text); found; found = address.exec(text)) {
    const at = found.index;
    if (LETTER.test(text.slice(Math.max(0, at - 2), at))) {
      address.lastIndex = at + found[0].indexOf("://") + 3;
      continue;
    }
    const link = withoutTail(found[0]);
    if (!opens(link)) continue;
    if (at > shown) parts.push({ text: text.slice(shown, at), link: false });
    parts.push({ text: link, link: true });
    shown = at + link.length;
  }
  if (shown < text.length) parts.push({ text: text.slice(shown), link: false });
  return parts;
}

/** Punctuation at the end is the sentence's, and so is a bracket that the address did not open. */
function withoutTail(link: string): string {
  let end = link.length;
  for (; end > 0; end -= 1) {
    const last = link.charAt(end - 1);
    const open = BRACKETS[last];
    if (open === undefined ? !TAIL.includes(last) : count(link, last, end) <= count(link, open, end)) break;
  }
  return link.slice(0, end);
}

function count(text: string, wanted: string, end: number): number {
  return text.slice(0, end).split(wanted).length - 1;
}

function opens(link: string): boolean {
  try {
    const url = new URL(link);
    const bytes = (of: string) => new TextEncoder().encode(of).length;
    return url.username === "" && url.password === "" && bytes(link) <= LONGEST && bytes(url.href) <= LONGEST;
  } catch {
    return false;
  }
}
