// The fake resident, as the address of a plain browser asks for it.

import { Fake, type Scenario } from "./fake";

/** `?fake=offline&view=settings&theme=dark&lively=5000` */
export function fakeFromAddress(search: string): Fake {
  const params = new URLSearchParams(search);
  const view = params.get("view") === "settings" ? "settings" : "inbox";
  const show = Number(params.get("show"));
  const toast = Number(params.get("toast"));
  const theme = params.get("theme");
  const fake = new Fake({
    scenario: (params.get("fake") as Scenario | null) ?? "normal",
    opening: {
      view,
      target: params.has("import")
        ? { show: "import" }
        : params.has("link")
          ? { show: "add_account", url: params.get("link") ?? "" }
          : view === "settings"
            ? params.has("section")
              ? { show: "section", section: params.get("section") ?? "" }
              : { show: "settings" }
            : show
              ? { show: "notification", id: show }
              : toast
                ? { show: "toast", toast }
                : { show: "inbox" },
      rehearses: true,
    },
    settings: {
      ...(theme === "light" || theme === "dark" ? { appearance: theme } : {}),
      close_explained: !params.has("explain"),
    },
    lively: Number(params.get("lively")),
  });
  Object.assign(window, { fake });
  return fake;
}
