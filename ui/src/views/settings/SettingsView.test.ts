import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { Client } from "../../lib/api";
import { KINDS } from "../../lib/api/fake-data";
import { Fake, type FakeOptions } from "../../lib/api/fake";
import type { Request } from "../../lib/bindings/Request";
import type { Target } from "../../lib/bindings/Target";
import { Session } from "../../lib/stores/session.svelte";
import { violations } from "../../testing/axe";
import SettingsView from "./SettingsView.svelte";

async function open(options: FakeOptions = {}) {
  const fake = new Fake(options);
  const session = new Session(new Client(fake));
  await session.start();
  const ready = vi.fn();
  const { container } = render(SettingsView, { props: { session, target: { show: "settings" }, onready: ready } });
  await waitFor(() => expect(ready).toHaveBeenCalled());
  return { fake, session, container, user: userEvent.setup() };
}

const last = <D extends Request["do"]>(fake: Fake, what: D) =>
  fake.calls.filter((call): call is Extract<Request, { do: D }> => call.do === what).at(-1);

async function fill(user: ReturnType<typeof userEvent.setup>, url: string, password = "secret") {
  await user.click(screen.getByTestId("add-account"));
  const form = within(screen.getByTestId("account-form"));
  await user.type(form.getByTestId("account-url"), `${url}{Enter}`);
  await user.click(await form.findByTestId("sign-in-basic"));
  await user.type(form.getByTestId("account-user"), "ada");
  await user.type(form.getByTestId("account-secret"), password);
}

describe("adding an account", () => {
  it("goes from a pasted address to an account", async () => {
    const { fake, user } = await open({ scenario: "first" });
    await fill(user, "ntfy.example.org/backups");
    expect(screen.getByTestId("detected").textContent).toBe("An ntfy server answers at ntfy.example.org.");
    expect(screen.getByTestId("topic-chip").textContent).toContain("backups");
    await user.type(screen.getByTestId("account-topics"), "alerts");
    await user.click(screen.getByTestId("account-save"));
    await screen.findByTestId("account-card");
    expect(last(fake, "account_add")).toMatchObject({
      url: "https://ntfy.example.org",
      kind: "ntfy",
      topics: ["backups", "alerts"],
      sign_in: { by: "basic", user: "ada" },
      secret: "secret",
      secrets: "keyring",
      allow_http: false,
    });
    expect(screen.queryByTestId("account-form")).toBeNull();
  });

  it("takes extra headers, whose values nobody reads over a shoulder", async () => {
    const { fake, user } = await open({ scenario: "first" });
    await fill(user, "ntfy.example.org/backups");
    for (const [name, value] of [
      ["X-Proxy", "first secret"],
      ["CF-Access-Client-Id", "second secret"],
      ["X-Not-This", "third"],
    ]) {
      await user.click(screen.getByTestId("header-add"));
      expect(document.activeElement).toBe(screen.getAllByTestId("header-name").at(-1));
      await user.keyboard(name ?? "");
      await user.type(screen.getAllByTestId("header-value").at(-1) as HTMLElement, value ?? "");
    }
    await user.click(screen.getAllByTestId("header-remove").at(-1) as HTMLElement);
    await user.click(screen.getByTestId("header-add"));
    expect(screen.getAllByTestId<HTMLInputElement>("header-value").map((one) => one.type)).toEqual(Array(3).fill("password"));
    await user.click(screen.getByTestId("account-save"));
    await screen.findByTestId("account-card");
    expect(last(fake, "account_add")?.headers).toEqual([
      ["X-Proxy", "first secret"],
      ["CF-Access-Client-Id", "second secret"],
    ]);
  });

  it("does not send a header without a name or a value", async () => {
    const { fake, user } = await open({ scenario: "first" });
    await fill(user, "ntfy.example.org/backups");
    await user.click(screen.getByTestId("header-add"));
    await user.type(screen.getByTestId("header-name"), "X-Proxy");
    await user.click(screen.getByTestId("account-save"));
    expect(last(fake, "account_add")).toBeUndefined();
    await user.type(screen.getByTestId("header-value"), "v");
    await user.clear(screen.getByTestId("header-name"));
    await user.type(screen.getByTestId("header-name"), "X Proxy:");
    await user.click(screen.getByTestId("account-save"));
    expect(last(fake, "account_add")).toBeUndefined();
  });

  it("tests hop by hop and says which one failed", async () => {
    const { user } = await open({ scenario: "first" });
    await fill(user, "ntfy.example.org", "wrong");
    await user.click(screen.getByTestId("account-test"));
    const hops = await screen.findAllByTestId("hop");
    expect(hops.map((hop) => hop.dataset["result"])).toEqual(["ok", "ok", "ok", "ok", "failed"]);
    expect(hops.at(-1)?.textContent).toContain("The server refused the password");
  });

  it("lets a certificate be compared and trusted", async () => {
    const { fake, user } = await open({ scenario: "first" });
    await fill(user, "self-signed.example.org/backups");
    await user.click(screen.getByTestId("account-test"));
    const untrusted = await screen.findByTestId("untrusted");
    expect(untrusted.textContent).toContain("AB:AB:AB");
    await user.click(within(untrusted).getByTestId("trust"));
    await waitFor(() => expect(screen.getByTestId("hops").dataset["ok"]).toBe("true"));
    await user.click(screen.getByTestId("account-save"));
    await waitFor(() => expect(last(fake, "account_add")).toMatchObject({ way: { pin: "ab".repeat(32) } }));
  });

  it("keeps how a server is reached, and no password in sight", async () => {
    const { fake, user } = await open();
    const [first] = screen.getAllByTestId("edit-account");
    if (!first) throw new Error("there is an account");
    await user.click(first);
    const way = await screen.findByTestId("way");
    await user.click(within(way).getByText("Network"));
    await user.type(within(way).getByTestId("way-proxy"), "socks5h://127.0.0.1:1080");
    await user.type(within(way).getByTestId("way-proxy-sign-in"), "me:secret");
    await user.click(within(way).getByTestId("edit-way-save"));
    await waitFor(() => expect(last(fake, "account_edit")?.edit).toMatchObject({ way: { proxy: "socks5h://127.0.0.1:1080" }, proxy_sign_in: "me:secret" }));
    await waitFor(() => expect(within(way).getByTestId<HTMLInputElement>("way-proxy-sign-in").value).toBe(""));
  });

  it("signs in in the browser where the server can", async () => {
    const { fake, user } = await open({ scenario: "first" });
    const [first] = KINDS;
    if (!first) throw new Error("there is a kind");
    const before = first.browser;
    first.browser = true;
    try {
      await user.click(screen.getByTestId("add-account"));
      await user.type(screen.getByTestId("account-url"), "gotify.example.org{Enter}");
      await user.click(await screen.findByTestId("account-browser"));
      await waitFor(() => expect(screen.queryByTestId("account-form")).toBeNull());
      expect(last(fake, "account_add_by_browser")).toMatchObject({ sign_in: { by: "none" }, secret: null });
    } finally {
      first.browser = before;
    }
  });

  it("asks where the password goes when the keyring is locked, and goes on", async () => {
    const { fake, user } = await open({ scenario: "keyring" });
    await fill(user, "ntfy.example.org/backups");
    await user.click(screen.getByTestId("account-save"));
    const choice = await screen.findByTestId("keyring-choice");
    expect(choice.textContent).toContain("The keyring is locked");
    expect(last(fake, "account_add")?.secrets).toBe("keyring");
    await user.click(within(choice).getByTestId("secrets-memory"));
    await waitFor(() => expect(screen.queryByTestId("account-form")).toBeNull());
    expect(last(fake, "account_add")).toMatchObject({ secrets: "memory", secret: "secret" });
  });

  it("says what is wrong with an address, and forgets nothing that was typed", async () => {
    const { user } = await open({ scenario: "first" });
    await user.click(screen.getByTestId("add-account"));
    await user.type(screen.getByTestId("account-url"), "not an address{Enter}");
    expect((await screen.findByTestId("failure")).textContent).toContain("This is not an address");
    expect(screen.getByTestId<HTMLInputElement>("account-url").value).toBe("not an address");
    expect(screen.queryByTestId("account-save")).toBeNull();
  });

  it("lets a server that is away just now be added all the same", async () => {
    const { user } = await open({ scenario: "first" });
    await user.click(screen.getByTestId("add-account"));
    await user.type(screen.getByTestId("account-url"), "unreachable.example.org{Enter}");
    expect((await screen.findByTestId("failure")).dataset["code"]).toBe("network");
    expect(screen.getByTestId("account-save")).toBeTruthy();
  });

  it("warns of cleartext, but not to this machine", async () => {
    const { fake, user } = await open({ scenario: "first" });
    await fill(user, "http://ntfy.lan/backups");
    await user.click(screen.getByTestId("account-allow-http"));
    await user.click(screen.getByTestId("account-save"));
    await waitFor(() => expect(last(fake, "account_add")?.allow_http).toBe(true));
    await fill(user, "http://127.0.0.1:8080/backups");
    expect(screen.queryByTestId("account-allow-http")).toBeNull();
  });
});

describe("an account", () => {
  it("claims no connection while the resident is away", async () => {
    const { fake } = await open();
    const states = () => screen.getAllByTestId("account-card").map((card) => card.dataset["state"]);
    expect(states()).toContain("live");
    fake.link(false);
    await waitFor(() => expect(new Set(states())).toEqual(new Set(["unknown"])));
    expect(screen.getAllByTestId("account-state")[0]?.textContent).toBe("Not known while Tidings is not running");
    fake.link(true);
    await waitFor(() => expect(states()).toContain("live"));
  });

  it("is edited at once, and a failure is shown where it happened", async () => {
    const { fake, user } = await open();
    const [edit] = screen.getAllByTestId("edit-account");
    if (edit) await user.click(edit);
    await user.selectOptions(screen.getByTestId("edit-min-tier"), "critical");
    expect(last(fake, "account_edit")?.edit).toMatchObject({ min_tier: "critical", name: null, secret: null });
    fake.failures.set("account_edit", { code: "storage", message: "The disk is full.", detail: "" });
    const muted = screen.getByTestId<HTMLInputElement>("edit-muted");
    await user.click(muted);
    expect((await screen.findByTestId("failure")).textContent).toContain("The disk is full.");
    expect(muted.checked).toBe(false);
  });

  it("signs in again without the old password being there", async () => {
    const { fake, user } = await open();
    const [edit] = screen.getAllByTestId("edit-account");
    if (edit) await user.click(edit);
    const secret = await screen.findByTestId<HTMLInputElement>("account-secret");
    expect(secret.value).toBe("");
    await user.type(secret, "fresh");
    await user.click(screen.getByTestId("edit-sign-in-save"));
    expect(last(fake, "account_edit")?.edit).toMatchObject({ secret: "fresh", secrets: "keyring" });
    await waitFor(() => expect(secret.value).toBe(""));
  });

  it("takes a topic, and says why not", async () => {
    const { session, user } = await open();
    const [edit] = screen.getAllByTestId("edit-account");
    if (edit) await user.click(edit);
    await user.type(screen.getByTestId("topic-add"), "no spaces{Enter}");
    expect((await screen.findByTestId("failure")).textContent).toContain("letters, digits");
    await user.clear(screen.getByTestId("topic-add"));
    await user.type(screen.getByTestId("topic-add"), "garden{Enter}");
    await waitFor(() => expect(session.accounts?.[0]?.subscriptions.at(-1)?.topic).toBe("garden"));
  });

  it("says which gaps were filled and which were not", async () => {
    const { user } = await open();
    const [edit] = screen.getAllByTestId("edit-account");
    if (edit) await user.click(edit);
    const [backups] = screen.getAllByTestId("subscription-row");
    expect(backups?.textContent).toMatch(/4 notifications fetched afterwards/);
    expect(backups?.textContent).toMatch(/12 notifications fetched afterwards; the server no longer held all of it/);
  });

  it("is removed only after a question", async () => {
    const { fake, user } = await open();
    const [edit] = screen.getAllByTestId("edit-account");
    if (edit) await user.click(edit);
    await user.click(screen.getByTestId("account-remove"));
    expect(last(fake, "account_remove")).toBeUndefined();
    await user.click(screen.getByTestId("account-remove-yes"));
    await waitFor(() => expect(screen.getAllByTestId("account-card").length).toBe(1));
  });
});

describe("a link to a section", () => {
  const open = async (target: Target) => {
    const fake = new Fake({ scenario: "policy" });
    const session = new Session(new Client(fake), "settings");
    await session.start();
    const ready = vi.fn();
    render(SettingsView, { props: { session, target, onready: ready } });
    await waitFor(() => expect(ready).toHaveBeenCalled());
    return fake;
  };
  const current = () => screen.getByRole("button", { current: "page" }).textContent?.trim();

  it("opens there, and goes there when the window is open already", async () => {
    const fake = await open({ show: "section", section: "quiet" });
    expect(current()).toBe("Quiet hours");
    expect(await screen.findByTestId("quiet-state")).toBeTruthy();
    fake.hint({ event: "present", target: { show: "section", section: "sounds" }, token: null });
    expect(await screen.findByTestId("sounds-on")).toBeTruthy();
    // The settings as such stay where they are.
    fake.hint({ event: "present", target: { show: "settings" }, token: null });
    await waitFor(() => expect(current()).toBe("Sounds"));
    fake.hint({ event: "present", target: { show: "import" }, token: null });
    await waitFor(() => expect(current()).toBe("Accounts"));
  });

  it("to one that is not known opens the first", async () => {
    await open({ show: "section", section: "nonsense" });
    expect(current()).toBe("Accounts");
  });
});

describe("settings", () => {
  it("apply at once, and go back if they could not be kept", async () => {
    const { fake, user } = await open();
    await user.click(screen.getByTestId("section-appearance"));
    await user.click(screen.getByTestId("theme-dark"));
    expect(last(fake, "settings_set")?.appearance).toBe("dark");
    await user.click(screen.getByTestId("section-about"));
    fake.failures.set("settings_set", { code: "storage", message: "The settings file is read-only.", detail: "" });
    const box = screen.getByTestId<HTMLInputElement>("letter-shortcuts");
    await user.click(box);
    expect((await screen.findByTestId("failure")).textContent).toContain("read-only");
    expect(box.checked).toBe(true);
  });

  it("refuse a number that makes no sense, in words", async () => {
    const { fake, user } = await open();
    await user.click(screen.getByTestId("section-storage"));
    const field = screen.getByTestId("keep-count");
    await user.clear(field);
    await user.type(field, "5{Tab}");
    expect((await screen.findByTestId("failure")).textContent).toContain("Type a number");
    expect(last(fake, "settings_set")).toBeUndefined();
  });

  it("say whose servers may be asked for pictures, and what follows", async () => {
    const { fake, user } = await open();
    await user.click(screen.getByTestId("section-pictures"));
    const choice = screen.getByTestId("pictures");
    expect(choice).toHaveProperty("value", "own_servers");
    expect(screen.getByText(/nobody else/)).toBeTruthy();
    await user.selectOptions(choice, "everywhere");
    expect(last(fake, "settings_set")?.pictures).toBe("everywhere");
    expect(await screen.findByText(/any server on the internet/)).toBeTruthy();
    fake.failures.set("settings_set", { code: "storage", message: "The disk is full.", detail: "" });
    await user.selectOptions(choice, "never");
    expect((await screen.findByTestId("failure")).textContent).toContain("The disk is full.");
    expect(choice).toHaveProperty("value", "everywhere");
  });

  it("show what pictures take, and empty it", async () => {
    const { fake, user } = await open();
    await user.click(screen.getByTestId("section-storage"));
    expect((await screen.findByTestId("pictures-take")).textContent).toContain("214 files, 18.9 MB");
    const empty = screen.getByTestId("pictures-empty");
    await user.click(empty);
    expect(await screen.findByText("None are kept.")).toBeTruthy();
    expect(empty).toHaveProperty("disabled", true);
    expect(last(fake, "picture_cache_empty")).toBeTruthy();
  });

  it("make connections more patient, and set that back", async () => {
    const { fake, user } = await open();
    await user.click(screen.getByTestId("section-connections"));
    const field = screen.getByTestId("timing-ping_every");
    expect(field).toHaveProperty("value", "20");
    await user.clear(field);
    await user.type(field, "7.5{Tab}");
    expect(last(fake, "settings_set")).toMatchObject({ timings: { ping_every: 7500, connect: 10_000 } });
    await user.clear(field);
    await user.type(field, "0{Tab}");
    expect((await screen.findByTestId("failure")).textContent).toContain("number of seconds");
    await user.click(screen.getByTestId("timings-reset"));
    expect(last(fake, "settings_set")).toMatchObject({ timings: { ping_every: 20_000 } });
  });

  it("pause and resume", async () => {
    const { fake, user } = await open();
    await user.click(screen.getByTestId("section-notifications"));
    await user.click(screen.getByTestId("pause-60"));
    expect(last(fake, "pause")).toMatchObject({ pause: "for", minutes: 60, critical_rings: true });
    await user.click(await screen.findByTestId("resume"));
    expect(await screen.findByTestId("pause-60")).toBeTruthy();
  });

  it("show what works on this desktop, with advice", async () => {
    const { user } = await open();
    await user.click(screen.getByTestId("section-notifications"));
    const items = await screen.findAllByTestId("doctor-item");
    expect(items.map((item) => item.dataset["verdict"])).toContain("bad");
    expect(items.find((item) => item.dataset["verdict"] === "bad")?.textContent).toContain("Install and unlock one");
  });
});

it.each(["accounts", "notifications", "appearance", "privacy", "storage", "connections", "about"])("has nothing that axe objects to: %s", async (section) => {
  const { container, user } = await open();
  await user.click(screen.getByTestId(`section-${section}`));
  if (section === "accounts") {
    const [edit] = screen.getAllByTestId("edit-account");
    if (edit) await user.click(edit);
    await fill(user, "http://ntfy.lan/backups");
    await user.click(screen.getByTestId("account-test"));
    await screen.findAllByTestId("hop");
  }
  expect(await violations(container)).toEqual([]);
});
