import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import { FULL, last, openPage } from "../../../testing/policy";

const row = (id: string) => {
  const found = screen.getAllByTestId("grid-row").find((one) => one.dataset["id"] === id);
  if (!found) throw new Error(`no row ${id}: ${screen.getAllByTestId("grid-row").map((one) => one.dataset["id"]).join(" ")}`);
  return found;
};
const cell = (id: string, column: string) => within(row(id)).getByTestId(`cell-${column}`);
const value = (id: string, column: string) => within(cell(id, column)).getAllByRole("button")[0] as HTMLElement;
const ids = () => screen.getAllByTestId("grid-row").map((one) => one.dataset["id"]);
const focused = () => {
  const at = document.activeElement as HTMLElement;
  return [at.dataset["row"], at.dataset["stop"]];
};

describe("the grid", () => {
  it("shows what each cell has, and where from", async () => {
    await openPage("grid");
    expect(value("1//", "privacy").textContent).toMatch(/^Title only\s*$/);
    expect(cell("1//", "privacy").dataset["origin"]).toBe("here");
    expect(value("1/1/", "privacy").textContent).toMatch(/Title only\s*from home/);
    expect(value("1/1/", "toast").textContent).toMatch(/On\s*from its tier/);
    expect(value("1/1/", "batch").textContent).toMatch(/Each by itself\s*default/);
    expect(value("2/5/", "mute").textContent).toMatch(/Muted\s*until \w{3} /);
  });

  it("is a treegrid with levels and one stop in the tab order", async () => {
    const { user } = await openPage("grid");
    const grid = screen.getByRole("treegrid", { name: "What rings" });
    expect(grid.querySelectorAll("[tabindex='0']")).toHaveLength(1);
    expect(row("1//").getAttribute("aria-level")).toBe("1");
    expect(row("1//").getAttribute("aria-expanded")).toBe("true");
    expect(row("1/2/").getAttribute("aria-expanded")).toBe("false");
    expect(row("1/6/").getAttribute("aria-expanded")).toBeNull();
    expect([row("1/2/").getAttribute("aria-posinset"), row("1/2/").getAttribute("aria-setsize")]).toEqual(["2", "4"]);
    within(row("1//")).getAllByRole("button")[0]?.focus();
    await user.keyboard("{ArrowDown}{ArrowDown}{ArrowRight}");
    expect(ids()).toContain("1/2/=motion");
    await user.keyboard("{ArrowDown}{ArrowRight}{ArrowRight}");
    expect(focused()).toEqual(["1/2/=bell", "mute"]);
    await user.keyboard("{ArrowUp}");
    expect(focused()).toEqual(["1/2/", "mute"]);
    await user.keyboard("{Home}{ArrowLeft}");
    expect(ids()).not.toContain("1/2/=motion");
    await user.keyboard("{ArrowLeft}");
    expect(focused()).toEqual(["1//", "name"]);
    await user.keyboard("{ArrowLeft}");
    expect(ids()).not.toContain("1/2/");
    await user.keyboard("{Control>}{End}{/Control}");
    expect(focused()).toEqual(["2/5/", "name"]);
    expect(grid.querySelectorAll("[tabindex='0']")).toHaveLength(1);
  });

  it("changes a cell with the keyboard, and Delete gives it back", async () => {
    const { fake, user } = await openPage("grid");
    value("1/1/", "toast").focus();
    await user.keyboard("{Enter}");
    const dialog = within(screen.getByRole("dialog"));
    expect(dialog.getByTestId<HTMLInputElement>("inherit").checked).toBe(true);
    expect(dialog.getByText("Inherited: On, from its tier")).toBeTruthy();
    await user.click(dialog.getByLabelText("Digest"));
    expect(last(fake, "cell_set")).toMatchObject({ account: 1, subscription: 1, toast: "digest" });
    await user.click(dialog.getByRole("button", { name: "Close" }));
    expect(document.activeElement).toBe(value("1/1/", "toast"));
    await waitFor(() => expect(cell("1/1/", "toast").dataset["origin"]).toBe("here"));
    await user.keyboard("{Delete}");
    await waitFor(() => expect(cell("1/1/", "toast").dataset["origin"]).toBe("tier"));
    expect(fake.policy.document.rows.some((one) => one.subscription === 1)).toBe(false);
    expect(screen.getByTestId("policy-says").textContent).toBe("Toast of Backups: inherited again");
  });

  it("goes back to what is inherited with one click, and that can be undone", async () => {
    const { fake, user } = await openPage("grid");
    await user.click(within(cell("1//", "privacy")).getByTestId("reset"));
    await waitFor(() => expect(value("1/1/", "privacy").textContent).toMatch(/All of it\s*default/));
    expect(fake.policy.document.rows).toContainEqual({ account: 1, badge: "on" });
    await user.click(screen.getByTestId("policy-undo"));
    await waitFor(() => expect(value("1//", "privacy").textContent).toMatch(/^Title only\s*$/));
  });

  it("mutes for an hour, and says until when", async () => {
    const { fake, user } = await openPage("grid");
    await user.click(value("1/3/", "mute"));
    await user.click(screen.getByLabelText("Muted for 1 hour"));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    const sent = last(fake, "cell_set");
    expect(sent?.mute).toBe(true);
    expect(Date.parse(sent?.until ?? "") - fake.now).toBeGreaterThan(3_500_000);
    expect(value("1/3/", "mute").textContent).toMatch(/Muted\s*until /);
    await user.click(value("1/3/", "mute"));
    await user.click(screen.getByLabelText("Muted for good"));
    await waitFor(() => expect(fake.policy.document.rows.filter((one) => one.subscription === 3)).toEqual([{ account: 1, subscription: 3, mute: true }]));
  });

  it("shows what comes after what, and takes it back one by one", async () => {
    const { fake, user } = await openPage("grid", { scenario: "policy" }, (fake) => {
      fake.policy.document.rows.push({ account: 1, subscription: 3, mute: false });
    });
    await user.click(value("1/3/", "mute"));
    await user.click(screen.getByLabelText("Muted for 1 hour"));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await user.click(value("1/3/", "mute"));
    const lines = () => within(screen.getByTestId("layers")).getAllByRole("listitem").map((one) => one.textContent?.trim());
    expect(lines()).toEqual([expect.stringMatching(/^Muted, until /), "Then: Rings, for good"]);
    await user.click(screen.getByTestId("layer-remove-1"));
    // One alone is what the choices above say.
    await waitFor(() => expect(screen.queryByTestId("layers")).toBeNull());
    expect(fake.policy.document.rows.filter((one) => one.subscription === 3)).toEqual([{ account: 1, subscription: 3, mute: true, until: expect.any(String) }]);
    await user.keyboard("{Escape}");
    await user.click(screen.getByTestId("policy-undo"));
    await waitFor(() => expect(fake.policy.document.rows.filter((one) => one.subscription === 3)).toHaveLength(2));
  });

  it("gives what is set an end", async () => {
    const { fake, user } = await openPage("grid");
    await user.click(value("2/4/", "privacy"));
    const dialog = within(screen.getByRole("dialog"));
    await user.click(dialog.getByLabelText("Only that something came"));
    await user.selectOptions(dialog.getByTestId("until"), "monday");
    await waitFor(() => expect(last(fake, "cell_set")).toMatchObject({ subscription: 4, privacy: "count_only" }));
    const until = new Date(last(fake, "cell_set")?.until ?? "");
    expect([until.getDay(), until.getHours()]).toEqual([1, 8]);
    await user.selectOptions(dialog.getByTestId("until"), "pick");
    await user.type(dialog.getByTestId("until-time"), "2001-01-01T10:00");
    await user.tab();
    expect((await dialog.findByRole("alert")).textContent).toBe("Choose a time that is still to come.");
  });

  it("says why a cell is locked, and leaves sound and privacy free", async () => {
    const { user } = await openPage("grid");
    within(row("1/1/")).getAllByRole("button")[0]?.focus();
    await user.keyboard("{ArrowRight}");
    const toast = cell("1/1/=backup.failed", "toast");
    expect(toast.getAttribute("aria-readonly")).toBe("true");
    expect(cell("1/1/=backup.failed", "sound").getAttribute("aria-readonly")).toBeNull();
    await user.click(value("1/1/=backup.failed", "toast"));
    expect(screen.getByTestId("locked").textContent).toContain("watched by the administrators");
    expect(screen.queryByTestId("inherit")).toBeNull();
  });

  it("advises with one click: a digest for what is never opened, leaving what is silent", async () => {
    const { fake, user } = await openPage("grid", { scenario: "policy" }, (fake) => (fake.policy.document = { ...fake.policy.document, rows: [] }));
    within(row("1/2/")).getAllByRole("button")[0]?.focus();
    await user.keyboard("{ArrowRight}{ArrowDown}{ArrowDown}{ArrowRight}");
    expect(focused()).toEqual(["1/2/=motion", "advice"]);
    await user.keyboard("{Enter}");
    await waitFor(() => expect(fake.policy.document.rows).toEqual([{ account: 1, subscription: 2, kind: "motion", toast: "digest" }]));
    await user.click(within(row("1/6/")).getByTestId("advice"));
    await waitFor(() => expect(ids()).not.toContain("1/6/"));
    expect(last(fake, "subscription_remove")).toMatchObject({ id: 6, forget: false });
    await user.click(screen.getByTestId("policy-undo"));
    await waitFor(() => expect(fake.accounts[0]?.subscriptions.some((one) => one.topic === "printer")).toBe(true));
  });

  it("treats as another tier until a time, and makes mandatory", async () => {
    const { fake, user } = await openPage("grid");
    await user.click(value("2/4/", "more"));
    const dialog = within(screen.getByRole("dialog"));
    await user.selectOptions(dialog.getByTestId("treat-as"), "informational");
    await user.selectOptions(dialog.getByTestId("until"), "tomorrow");
    await waitFor(() => expect(value("2/4/", "more").textContent).toMatch(/Treated as informational until /));
    await user.click(dialog.getByTestId("mandatory"));
    await waitFor(() => expect(cell("2/4/", "toast").getAttribute("aria-readonly")).toBe("true"));
    expect(fake.policy.document.rows).toContainEqual(expect.objectContaining({ subscription: 4, mandatory: true, sound: { play: "named", name: "complete" } }));
    await user.click(dialog.getByTestId("mandatory"));
    await waitFor(() => expect(cell("2/4/", "toast").getAttribute("aria-readonly")).toBeNull());
  });

  it("says what could not be kept, where it was asked", async () => {
    const { fake, user } = await openPage("grid");
    fake.failures.set("cell_set", FULL);
    await user.click(value("1/1/", "badge"));
    const dialog = within(screen.getByRole("dialog"));
    await user.click(dialog.getByLabelText("Does not count"));
    expect((await dialog.findByTestId("failure")).textContent).toContain("The disk is full.");
    await waitFor(() => expect(cell("1/1/", "badge").dataset["origin"]).toBe("account"));
    expect(dialog.getByTestId<HTMLInputElement>("inherit").checked).toBe(true);
  });
});

describe("tiers", () => {
  it("say what holds where no row does", async () => {
    const { fake, user } = await openPage("grid");
    await user.selectOptions(screen.getByTestId("tier-important-toast"), "digest");
    expect(last(fake, "preferences_set")?.tiers.important.toast).toBe("digest");
    await waitFor(() => expect(value("1/1/", "toast").textContent).toMatch(/Digest\s*from its tier/));
  });

  it("of priorities are set by family, and set back", async () => {
    const { fake, user } = await openPage("grid");
    await user.selectOptions(screen.getByTestId("map-ntfy-4"), "critical");
    expect(last(fake, "preferences_set")?.mapping).toEqual([{ backend: "ntfy", tiers: ["informational", "informational", "important", "critical", "critical"] }]);
    await user.click(await screen.findByTestId("family-reset"));
    await waitFor(() => expect(fake.policy.document.mapping).toEqual([]));
  });
});
