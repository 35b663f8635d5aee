// What jsdom lacks: a layout, media queries, modal dialogs.

import { configure } from "@testing-library/svelte";
import { afterEach, vi } from "vitest";

// What is waited for comes, however busy the machine is.
configure({ asyncUtilTimeout: 15_000 });

/** The height that every scrolling list has in tests, pixels. */
const VIEWPORT = 600;
/** The height of everything else. */
const ITEM = 54;

/** How wide the window is, in em; {@link resizeTo} changes it. */
let width = 80;

export function resizeTo(em: number): void {
  width = em;
}

vi.stubGlobal("matchMedia", (query: string) => {
  const least = /min-width:\s*([\d.]+)em/.exec(query);
  return {
    get matches() {
      return least ? width >= Number(least[1]) : false;
    },
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  };
});

const heightOf = (element: Element) => (element.getAttribute("role") === "grid" ? VIEWPORT : ITEM);

vi.stubGlobal(
  "ResizeObserver",
  class {
    readonly #callback: ResizeObserverCallback;
    constructor(callback: ResizeObserverCallback) {
      this.#callback = callback;
    }
    observe(target: Element) {
      queueMicrotask(() => {
        const entry = { target, contentRect: { width: 400, height: heightOf(target) } };
        this.#callback([entry as unknown as ResizeObserverEntry], this as unknown as ResizeObserver);
      });
    }
    unobserve() {
      // Sizes never change here.
    }
    disconnect() {
      // Sizes never change here.
    }
  },
);

for (const [name, of] of [
  ["offsetHeight", heightOf],
  ["clientHeight", heightOf],
  ["offsetWidth", () => 400],
] as const) {
  Object.defineProperty(HTMLElement.prototype, name, {
    configurable: true,
    get(this: HTMLElement) {
      return of(this);
    },
  });
}
Object.defineProperty(HTMLElement.prototype, "offsetParent", {
  configurable: true,
  get(this: HTMLElement) {
    return this.parentElement;
  },
});
HTMLElement.prototype.scrollTo = function scrollTo(this: HTMLElement, to?: ScrollToOptions | number) {
  this.scrollTop = typeof to === "number" ? to : (to?.top ?? 0);
  this.dispatchEvent(new Event("scroll"));
};

HTMLDialogElement.prototype.showModal = function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close = function close(this: HTMLDialogElement) {
  this.open = false;
};

afterEach(() => {
  width = 80;
});

// jsdom has files, but not how they are read today.
Blob.prototype.text ??= function (this: Blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("unreadable"));
    reader.readAsText(this);
  });
};
