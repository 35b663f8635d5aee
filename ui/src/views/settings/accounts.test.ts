// What comes into the accounts from elsewhere: other clients' files, links, an application's settings.

import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { Client } from "../../lib/api";
import { account } from "../../lib/api/fake-data";
import { Fake, type FakeOptions } from "../../lib/api/fake";
import type { Request } from "../../lib/bindings/Request";
import type { Target } from "../../lib/bindings/Target";
import { Session } from "../../lib/stores/session.svelte";
import { withoutNotifications } from "../../lib/words/backup";
import { violations } from "../../testing/axe";
import SettingsView from "./SettingsView.svelte";
import { waysOf } from "./SignInFields.svelte";

async function open(target: Target, options: FakeOptions = {}, prepare?: (fake: Fake) => void) {
  const fake = new Fake(options);
  prepare?.(fake);
  const session = new Session(new Client(fake), "settings");
  await session.start();
  const ready = vi.fn();
  const { container } = render(SettingsView, { props: { session, target, onready: ready } });
  await waitFor(() => expect(ready).toHaveBeenCalled());
  return { fake, session, container, user: userEvent.setup() };
}

const all = <D extends Request["do"]>(fake: Fake, what: D) =>
  fake.calls.filter((call): call is Extract<Request, { do: D }> => call.do === what);

const file = (text: string, name = "client.yml") => new File([text], name, { type: "text/plain" });

describe("importing", () => {
  it("shows what would come of a file, and does it only then", async () => {
    const { fake, container, user } = await open({ show: "settings" });
    await user.click(screen.getByTestId("import"));
    await user.upload(screen.getByTestId("import-file"), file("subscribe:\n - topic: a"));
    const accounts = await screen.findAllByTestId("imported");
    expect(accounts.map((one) => one.dataset["result"])).toEqual(["added", "extended"]);
    expect(accounts[0]?.textContent).toContain("Alerts");
    expect(accounts[1]?.textContent).toContain("there already");
    expect(screen.getByTestId("left-out").textContent).toContain("runs no programs");
    expect(all(fake, "import").map((one) => one.dry_run)).toEqual([true]);
    expect(await violations(container)).toEqual([]);
    await user.click(screen.getByTestId("import-save"));
    await waitFor(() => expect(screen.getByTestId("import-status").textContent).toContain("This came of it"));
    expect(all(fake, "import").at(-1)).toMatchObject({ dry_run: false, secrets: "keyring", from: null });
    await waitFor(() => expect(screen.getAllByTestId("account-card").length).toBe(3));
    await user.click(screen.getByTestId("import-close"));
    expect(screen.queryByTestId("import-form")).toBeNull();
  });

  it("says what is wrong with a file", async () => {
    const { user } = await open({ show: "import" }, { scenario: "first" });
    await user.upload(screen.getByTestId("import-file"), file("hello"));
    expect((await screen.findByTestId("failure")).textContent).toContain("no file that Tidings can read");
    expect(screen.queryByTestId("import-save")).toBeNull();
  });

  it("leaves what is long and never taken over at home", () => {
    const backup = JSON.stringify({ magic: "ntfy2586", notifications: Array(3).fill({ message: "x".repeat(300_000) }) });
    expect(JSON.parse(withoutNotifications(backup))).toEqual({ magic: "ntfy2586", notifications: 3 });
    const broken = backup.slice(0, -1);
    expect(withoutNotifications(broken)).toBe(broken);
    expect(withoutNotifications("short")).toBe("short");
  });
});

describe("a link", () => {
  const url = "ntfy://ntfy.example.org/disk?display=Disk";

  it("fills the form in, and nobody is asked before the user goes on", async () => {
    const { fake, user } = await open({ show: "add_account", url }, { scenario: "first" });
    expect(screen.getByTestId<HTMLInputElement>("account-url").value).toBe(url);
    expect(screen.getByTestId("from-link").textContent).toContain("a link to ntfy.example.org. Nothing was asked");
    expect(all(fake, "detect")).toEqual([]);
    await user.click(screen.getByTestId("account-detect"));
    await screen.findByTestId("account-save");
    expect(all(fake, "detect").map((one) => one.url)).toEqual([url]);
    expect(all(fake, "account_add")).toEqual([]);
  });

  it("is heard while the window is open, whichever page it shows", async () => {
    const { fake, user } = await open({ show: "settings" });
    await user.click(screen.getByTestId("section-about"));
    fake.hint({ event: "present", target: { show: "add_account", url }, token: null });
    expect((await screen.findByTestId<HTMLInputElement>("account-url")).value).toBe(url);
    await user.click(screen.getByTestId("account-cancel"));
    fake.hint({ event: "present", target: { show: "add_account", url }, token: null });
    expect((await screen.findByTestId<HTMLInputElement>("account-url")).value).toBe(url);
  });
});

it("takes an application's settings where an address is pasted, and shows no secret", async () => {
  const { fake, user } = await open({ show: "settings" }, { scenario: "first" });
  await user.click(screen.getByTestId("add-account"));
  const field = screen.getByTestId<HTMLInputElement>("account-url");
  const lines = "PUSHER_APP_KEY=k1\nPUSHER_APP_SECRET=marker-secret\nPUSHER_APP_CLUSTER=eu\n";
  await fireEvent.paste(field, { clipboardData: { getData: () => lines } });
  await screen.findByTestId("account-save");
  expect(all(fake, "detect").map((one) => one.url)).toEqual([lines]);
  expect(field.value).toBe("https://ws-eu.pusher.com/app/k1/");
  expect(document.body.textContent).not.toContain("marker-secret");
});

it("asks which kind of server it is where the next address does not answer", async () => {
  const { user } = await open({ show: "settings" }, { scenario: "first" });
  await user.click(screen.getByTestId("add-account"));
  const field = screen.getByTestId("account-url");
  await user.type(field, "https://ntfy.example.org/disk");
  await user.click(screen.getByTestId("account-detect"));
  await screen.findByText(/An ntfy server answers/);
  expect(screen.queryByTestId("account-kind")).toBeNull();
  await user.clear(field);
  await user.type(field, "https://unreachable.example.org");
  await user.click(screen.getByTestId("account-detect"));
  const kind = await screen.findByTestId<HTMLSelectElement>("account-kind");
  expect(kind.value).toBe("ntfy");
  // A choice can be changed, and is not asked for anew with the next address.
  await user.selectOptions(kind, "custom");
  await user.type(screen.getByTestId("option-profile"), "kind");
  await user.selectOptions(kind, "ntfy");
  await user.selectOptions(kind, "custom");
  expect(screen.getByTestId<HTMLTextAreaElement>("option-profile").value).toBe("");
  await user.click(screen.getByTestId("account-detect"));
  await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("account-detect").disabled).toBe(false));
  expect(screen.getByTestId<HTMLSelectElement>("account-kind").value).toBe("custom");
});

it("offers no way without a sign-in where there is none", () => {
  const field = (name: string) => ({ name, label: name, hint: "", kind: "text" as const, choices: [] });
  const kind = { name: "", transports: [], browser: true, mirrors: false, sends: false, fields: ["user", "secret", "token"].map(field) };
  expect(waysOf({ ...kind, kind: "gotify" })).toEqual(["basic", "token"]);
  expect(waysOf({ ...kind, kind: "mercure" })).toEqual(["none", "basic", "token"]);
});

it("changes extra headers, and keeps the values that nobody typed", async () => {
  const { fake, user } = await open({ show: "settings" });
  const edits = screen.getAllByTestId("edit-account");
  await user.click(edits[1] as HTMLElement);
  const form = within(await screen.findByTestId("edit-headers"));
  expect(form.getByTestId<HTMLInputElement>("header-name").value).toBe("CF-Access-Client-Id");
  expect(form.getByTestId<HTMLInputElement>("header-value").value).toBe("");
  await user.click(form.getByTestId("header-add"));
  await user.keyboard("X-Proxy");
  await user.type(form.getAllByTestId("header-value")[1] as HTMLElement, "fresh");
  await user.click(form.getByTestId("edit-headers-save"));
  await waitFor(() =>
    expect(all(fake, "account_edit").at(-1)?.edit.headers).toEqual([
      ["CF-Access-Client-Id", null],
      ["X-Proxy", "fresh"],
    ]),
  );
  await waitFor(() => expect(form.getAllByTestId<HTMLInputElement>("header-value").map((one) => one.value)).toEqual(["", ""]));
});

it("shows the page of a sign-in for where no browser opens", async () => {
  const { fake, user } = await open({ show: "settings" }, { scenario: "first" });
  let answer: () => void = () => undefined;
  const call = fake.call.bind(fake);
  fake.call = async (request) => {
    if (request.do === "account_add_by_browser") await new Promise<void>((resolve) => (answer = resolve));
    const reply = await call(request);
    return reply.is === "kinds" ? { ...reply, value: reply.value.map((one) => ({ ...one, browser: true })) } : reply;
  };
  await user.click(screen.getByTestId("add-account"));
  await user.type(screen.getByTestId("account-url"), "gotify.example.org{Enter}");
  await user.click(await screen.findByTestId("account-browser"));
  await screen.findByTestId("browser-page");
  fake.hint({ event: "browse", url: "https://id.example.org/authorize?state=s" });
  await waitFor(() => expect(screen.getByTestId("browser-page").textContent).toContain("https://id.example.org/authorize?state=s"));
  answer();
  await waitFor(() => expect(screen.queryByTestId("account-form")).toBeNull());
});

describe("a profile", () => {
  async function editor(options: string) {
    const one = await open({ show: "settings" }, {}, (fake) => {
      fake.accounts = [{ ...account(7, "own", "https://own.example.org", fake.now), kind: "custom", options }];
    });
    await one.user.click(screen.getByTestId("edit-account"));
    await screen.findByTestId("profile-preview");
    return one;
  }

  it("shows what becomes of the last event, and where each part came from", async () => {
    const { fake, container, user } = await editor('{"profile":"[map]"}');
    await screen.findByTestId("profile-shown");
    expect(all(fake, "preview").at(-1)).toMatchObject({ account: 7, sample: "", options: '{"profile":"[map]"}' });
    const profile = screen.getByTestId("option-profile");
    await user.click(profile);
    await user.keyboard("{Enter}title = \"/what\"");
    await waitFor(() => expect(screen.getByTestId("profile-shown").textContent).toContain("Build failed"));
    const parts = screen.getAllByTestId("profile-part").map((part) => part.textContent);
    expect(parts[0]).toContain("/what");
    expect(parts[2]).toContain("not in the event");
    expect(await violations(container)).toEqual([]);
  });

  it("says which line is wrong, and goes there", async () => {
    const { user } = await editor('{"profile":"[map]\\nnonsense = 5"}');
    const fault = await screen.findByTestId("profile-fault");
    expect(fault.dataset["line"]).toBe("2");
    expect(fault.textContent).toContain("nonsense = 5");
    await user.click(within(fault).getByRole("button"));
    const field = screen.getByTestId<HTMLTextAreaElement>("option-profile");
    expect(field.value.slice(field.selectionStart, field.selectionEnd)).toBe("nonsense = 5");
  });

  it("begins with a copy of a preset, or with a file", async () => {
    const { user } = await editor('{"preset":"mastodon"}');
    await screen.findByTestId("profile-shown");
    await user.click(screen.getByTestId("profile-copy"));
    const field = screen.getByTestId<HTMLTextAreaElement>("option-profile");
    expect(field.value).toContain("# Mastodon");
    await user.upload(screen.getByTestId("profile-file"), file('[map]\ntitle = "/body"', "own.toml"));
    await waitFor(() => expect(field.value).toContain("/body"));
    await user.type(screen.getByTestId("profile-sample"), "{{\"body\":\"typed\"}");
    await waitFor(() => expect(screen.getByTestId("profile-shown").textContent).toContain("typed"));
  });
});
