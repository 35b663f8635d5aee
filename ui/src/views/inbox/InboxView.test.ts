import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { describe, expect, it, vi } from "vitest";
import { Client } from "../../lib/api";
import { Fake, type FakeOptions } from "../../lib/api/fake";
import type { Target } from "../../lib/bindings/Target";
import { clock } from "../../lib/stores/clock.svelte";
import { Session } from "../../lib/stores/session.svelte";
import { violations } from "../../testing/axe";
import { resizeTo } from "../../testing/setup";
import InboxView from "./InboxView.svelte";

async function open(options: FakeOptions & { unreachable?: boolean } = {}, target: Target = { show: "inbox" }) {
  const fake = new Fake(options);
  if (options.unreachable) fake.reachable(false);
  const session = new Session(new Client(fake));
  await session.start();
  clock.now = Date.now() + 1000;
  const ready = vi.fn();
  const { container } = render(InboxView, { props: { session, target, onready: ready } });
  await waitFor(() => expect(ready).toHaveBeenCalled());
  return { fake, session, container, user: userEvent.setup() };
}

const row = (id: number) => waitFor(() => {
  const found = screen.getAllByTestId("row").find((one) => one.dataset["id"] === String(id));
  if (!found) throw new Error(`row ${id} is not on screen`);
  return found;
});
const requests = (fake: Fake, what: string) => fake.calls.filter((call) => call.do === what);

describe("the list", () => {
  it("names a row by state, tier, title, source and time, in this order", async () => {
    await open();
    const name = (await row(60)).getAttribute("aria-label");
    expect(name).toBe("Unread, critical, Disk full, nas-alerts, home, 2 minutes ago");
  });

  it("is a grid with one tab stop and counted rows", async () => {
    await open();
    const first = await row(60);
    expect(screen.getByRole("grid").getAttribute("aria-rowcount")).toBe("23");
    expect(first.getAttribute("aria-rowindex")).toBe("1");
    const stops = screen.getAllByTestId("row").filter((one) => one.tabIndex === 0);
    expect(stops).toEqual([first]);
  });

  it("is walked with j and k, and opened with Enter, which marks read", async () => {
    const { user } = await open();
    await row(60);
    await user.keyboard("jjk");
    await waitFor(async () => expect(document.activeElement).toBe(await row(60)));
    await user.keyboard("{Enter}");
    expect((await screen.findByTestId("detail-title")).textContent).toContain("Disk full");
    await waitFor(async () => expect((await row(60)).dataset["read"]).toBe("true"));
  });

  it("draws only what is on screen of ten thousand", async () => {
    await open({ scenario: "huge" });
    await row(10_000);
    expect(screen.getAllByTestId("row").length).toBeLessThan(40);
    expect(screen.getByRole("grid").getAttribute("aria-rowcount")).toBe("-1");
  });

  it("does not move under the keyboard when something arrives", async () => {
    const { fake, user } = await open();
    vi.spyOn(document, "hasFocus").mockReturnValue(true);
    await row(60);
    await user.keyboard("j");
    await waitFor(async () => expect(document.activeElement).toBe(await row(60)));
    const arrived = fake.arrive();
    const pill = await screen.findByTestId("new-pill");
    expect(pill.textContent).toContain("1 new");
    expect(document.activeElement).toBe(await row(60));
    await user.click(pill);
    expect((await row(arrived.id)).getAttribute("aria-rowindex")).toBe("1");
  });
});

describe("keys", () => {
  it("e is done, z brings it back", async () => {
    const { user } = await open();
    await row(60);
    await user.keyboard("je");
    expect((await screen.findByTestId("undo")).parentElement?.textContent).toContain("1 notification moved to Done");
    expect(screen.queryAllByTestId("row").some((one) => one.dataset["id"] === "60")).toBe(false);
    await user.keyboard("z");
    expect(await row(60)).toBeTruthy();
  });

  it("are text in the search field, and Escape leaves it", async () => {
    const { fake, user } = await open();
    await row(60);
    await user.keyboard("/");
    const field = screen.getByTestId<HTMLInputElement>("search");
    expect(document.activeElement).toBe(field);
    await user.keyboard("zebra e");
    expect(field.value).toBe("zebra e");
    expect((await screen.findByTestId("empty")).textContent).toContain("zebra");
    expect(requests(fake, "change")).toEqual([]);
    await user.keyboard("{Escape}");
    expect(await row(60)).toBeTruthy();
    expect(document.activeElement).not.toBe(field);
  });

  it("do nothing as single letters when they are switched off", async () => {
    const { fake, user } = await open({ settings: { letter_shortcuts: false } });
    await row(60);
    await user.keyboard("je?");
    expect(requests(fake, "change")).toEqual([]);
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("g then u goes to Unread, ? shows all of them", async () => {
    const { user } = await open();
    await row(60);
    await user.keyboard("gu");
    expect(await screen.findByRole("heading", { name: "Unread" })).toBeTruthy();
    await user.keyboard("?");
    expect(await screen.findByRole("dialog", { name: "Keyboard" })).toBeTruthy();
  });

  it("1 runs the first action, which asks before it sends", async () => {
    const { fake, user } = await open();
    (await row(60)).click();
    await screen.findByTestId("action-1");
    await user.keyboard("1");
    expect((await screen.findByTestId("confirm-says")).textContent).toContain("Sends POST to https://nas.example.org");
    expect(requests(fake, "act")).toEqual([{ do: "act", id: 60, action: 0, confirmed: false }]);
    await user.click(screen.getByTestId("confirm"));
    expect(await screen.findByText("Sent; the server answered 200.")).toBeTruthy();
  });
});

describe("the detail", () => {
  it("opens at the notification the window was opened for", async () => {
    await open({}, { show: "notification", id: 57 });
    expect((await screen.findByTestId("detail-title")).textContent).toContain("Backup finished with 2 warnings");
  });

  it("lets no link in a message navigate, and asks before it opens one", async () => {
    const { fake, user } = await open({}, { show: "notification", id: 57 });
    const link = within(await screen.findByTestId("detail-body")).getByRole("link");
    const click = new MouseEvent("click", { bubbles: true, cancelable: true });
    link.dispatchEvent(click);
    expect(click.defaultPrevented).toBe(true);
    await user.click(link);
    expect((await screen.findByTestId("link-address")).textContent).toBe(link.getAttribute("href"));
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(requests(fake, "open_url")).toEqual([]);
    await user.click(link);
    await user.click(await screen.findByTestId("open-url"));
    expect(await screen.findByText("Opened.")).toBeTruthy();
    expect(requests(fake, "open_url")).toEqual([{ do: "open_url", id: 57, url: link.getAttribute("href") }]);
  });

  it("opens an attachment only after it said where it is", async () => {
    const { fake, user } = await open({}, { show: "notification", id: 58 });
    await user.click(await screen.findByTestId("attachment"));
    const url = "https://ntfy.example.org/file/Xy12.jpg";
    expect((await screen.findByTestId("link-address")).textContent).toBe(url);
    fake.failures.set("open_url", { code: "internal", message: "The desktop could not open it.", detail: "" });
    await user.click(screen.getByTestId("open-url"));
    expect(await screen.findByText("The desktop could not open it.")).toBeTruthy();
    expect(requests(fake, "open_url")).toEqual([{ do: "open_url", id: 58, url }]);
  });

  /** A notification with a picture elsewhere, open. */
  async function withPicture(preview: "none" | "ask" | "gone") {
    const { fake, user, container } = await open({}, { show: "notification", id: 58 });
    const show = fake.call.bind(fake);
    vi.spyOn(fake, "call").mockImplementation(async (request) => {
      const reply = await show(request);
      if (reply.is === "detail" && reply.value.attachment) {
        reply.value.attachment = { ...reply.value.attachment, url: "https://spy.example/p.jpg", preview };
      }
      return reply;
    });
    fake.hint({ event: "changed", ids: [58] });
    await waitFor(() => expect(screen.queryByTestId("picture")).toBeNull());
    return { fake, user, container };
  }

  it("shows the picture of an attachment, by its name, with size and expiry below", async () => {
    await open({}, { show: "notification", id: 58 });
    const picture = await screen.findByAltText("Picture: front-door-1041.jpg");
    expect(picture.getAttribute("src")).toContain("#attachment-58");
    expect(picture.getAttribute("aria-busy")).toBe("true");
    await fireEvent.load(picture);
    expect(picture.getAttribute("aria-busy")).toBe("false");
    const file = screen.getByTestId("attachment").textContent;
    expect(file).toContain("184.3 kB");
    expect(file).toContain("on the server until");
    expect(screen.queryByTestId("load-picture")).toBeNull();
  });

  it("loads a picture from elsewhere only when it is told to, after it said from where", async () => {
    const { user, container } = await withPicture("ask");
    expect((await screen.findByTestId("picture-says")).textContent).toContain("spy.example");
    expect(await violations(container)).toEqual([]);
    await user.click(screen.getByTestId("load-picture"));
    expect((await screen.findByTestId("picture")).getAttribute("src")).toContain("#attachment-58-asked");
  });

  it("says why a picture did not come, and tries again when told to", async () => {
    const { fake, user } = await withPicture("ask");
    fake.failures.set("picture", { code: "network", message: "The picture could not be loaded: it is damaged.", detail: "" });
    await user.click(await screen.findByTestId("load-picture"));
    await fireEvent.error(await screen.findByTestId("picture"));
    await waitFor(() => expect(screen.getByTestId("picture-says").textContent).toContain("it is damaged"));
    expect(screen.queryByTestId("picture")).toBeNull();
    await user.click(screen.getByTestId("load-picture"));
    expect(await screen.findByTestId("picture")).toBeTruthy();
  });

  it.each(["none", "gone"] as const)("offers no picture where there is none to be had: %s", async (preview) => {
    await withPicture(preview);
    expect(await screen.findByTestId("attachment")).toBeTruthy();
    expect(screen.queryByTestId("load-picture")).toBeNull();
  });

  it("shows icons where there are some, and no trace of those that do not come", async () => {
    const { fake, user } = await open();
    const { id } = fake.arrive({ icon: true, title: "With an icon" });
    const plain = fake.arrive({ icon: false, title: "Without" });
    const icon = await within(await row(id)).findByTestId("icon");
    expect(icon.getAttribute("src")).toContain(`#icon-${id}`);
    expect(icon.getAttribute("alt")).toBe("");
    expect(within(await row(plain.id)).queryByTestId("icon")).toBeNull();
    await user.click(await row(id));
    expect(within(await screen.findByTestId("detail")).getByTestId("icon")).toBeTruthy();
    await fireEvent.error(icon);
    expect(within(await row(id)).queryByTestId("icon")).toBeNull();
  });

  it("makes links of addresses in a plain body, and of nothing else", async () => {
    const { fake, user } = await open();
    const preview = "See https://ex.test/a?b=1, <a href=x>or</a> javascript:alert(1).";
    const { id } = fake.arrive({ preview });
    (await row(id)).click();
    const body = await screen.findByTestId("detail-body");
    expect(body.textContent).toBe(preview);
    const link = within(body).getByRole("link");
    expect(link.getAttribute("href")).toBe("https://ex.test/a?b=1");
    await user.click(link);
    expect((await screen.findByTestId("link-address")).textContent).toBe("https://ex.test/a?b=1");
  });

  it("tells why it rang", async () => {
    const { user } = await open({}, { show: "notification", id: 60 });
    await user.click(await screen.findByText("Why did this ring, or not?"));
    expect((await screen.findAllByTestId("ledger-line")).length).toBe(7);
  });

  it("shows a plain body as text, never as markup", async () => {
    const fake = new Fake();
    fake.arrive({ title: "<img src=x>", preview: "<b>bold</b>" });
    const session = new Session(new Client(fake));
    await session.start();
    render(InboxView, { props: { session, target: { show: "notification", id: 100_001 }, onready: () => undefined } });
    const body = await screen.findByTestId("detail-body");
    expect(body.textContent).toBe("<b>bold</b>");
    expect(body.querySelector("img")).toBeNull();
  });

  it("takes the whole window where there is room for one, and gives it back", async () => {
    resizeTo(20);
    const { user } = await open();
    (await row(60)).click();
    await screen.findByTestId("detail-title");
    expect(screen.getByTestId("list").closest("main")?.hidden).toBe(true);
    await user.click(screen.getByTestId("back"));
    await tick();
    expect(screen.getByTestId("list").closest("main")?.hidden).toBe(false);
    expect(screen.queryByTestId("detail")).toBeNull();
  });
});

describe("states", () => {
  it("an account is missing: the way to add one", async () => {
    const { fake, user } = await open({ scenario: "first" });
    await user.click(await screen.findByTestId("add-account"));
    expect(requests(fake, "open_window")).toEqual([{ do: "open_window", target: { show: "settings" }, token: null }]);
  });

  it("nothing came yet: the command with the account's own address", async () => {
    await open({ scenario: "empty" });
    expect((await screen.findByTestId("first-command")).textContent).toBe(
      'curl -u ada -d "Hello from Tidings" https://ntfy.example.org/backups',
    );
  });

  it("offline: since when, when again, and now", async () => {
    const { fake, user } = await open({ scenario: "offline" });
    const [banner] = await screen.findAllByTestId("banner-connection");
    expect(banner?.textContent).toMatch(/home\s+·\s+Offline since .+ · retry in \d+ s/);
    const [retry] = screen.getAllByTestId("retry-now");
    if (retry) await user.click(retry);
    expect(requests(fake, "reconnect")).toEqual([{ do: "reconnect", account: 1 }]);
  });

  it("a refused password: whose, and the way to mend it, no retry", async () => {
    await open({ scenario: "auth" });
    const banner = await screen.findByTestId("banner-connection");
    expect(banner.textContent).toContain("work needs you");
    expect(within(banner).getByTestId("sign-in-again")).toBeTruthy();
    expect(within(banner).queryByTestId("retry-now")).toBeNull();
  });

  it("paused: until when, how many wait, and resume", async () => {
    const { session, user } = await open({ scenario: "paused" });
    expect((await screen.findByTestId("banner-paused")).textContent).toMatch(/Paused until .+ · 3 wait/);
    await user.click(screen.getByTestId("resume"));
    expect(session.status?.pause).toBeNull();
  });

  it("the resident is gone: said so, the list stays", async () => {
    const { fake } = await open();
    await row(60);
    fake.link(false);
    expect((await screen.findByTestId("banner-gone")).textContent).toContain("Tidings is not running.");
    expect(await row(60)).toBeTruthy();
  });

  it("nobody is there from the start: said once, and the list comes when they are", async () => {
    const { fake, session } = await open({ unreachable: true });
    expect(screen.getByTestId("banner-gone")).toBeTruthy();
    expect(screen.queryByTestId("failure")).toBeNull();
    fake.reachable(true);
    fake.link(true);
    expect(await row(60)).toBeTruthy();
    await waitFor(() => expect(session.accounts).not.toBeNull());
    expect(screen.queryByTestId("banner-gone")).toBeNull();
  });

  it("the close card is shown once", async () => {
    const { fake, user } = await open({ settings: { close_explained: false } });
    await user.click(within(await screen.findByTestId("close-explained")).getByRole("button"));
    expect(fake.settings.close_explained).toBe(true);
    expect(screen.queryByTestId("close-explained")).toBeNull();
  });
});

it("tells the resident what is looked at", async () => {
  const { fake } = await open();
  (await row(60)).click();
  await waitFor(() =>
    expect(requests(fake, "looking").at(-1)).toMatchObject({ notification: 60, list: { place: "all" } }),
  );
});

it.each(["normal", "empty", "first", "offline", "auth", "paused", "notices"] as const)(
  "has nothing that axe objects to: %s",
  async (scenario) => {
    const { container } = await open({ scenario });
    if (scenario === "normal") (await row(60)).click();
    await tick();
    expect(await violations(container)).toEqual([]);
  },
);
