import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it, vi } from "vitest";
import type { Fake } from "../../../lib/api/fake";
import type { UserRule } from "../../../lib/bindings/UserRule";
import { FULL, last, openPage } from "../../../testing/policy";

const rule = (name: string): UserRule => ({ name, text: { how: "literal", text: name, case: false }, then: { what: "mute" } });
const three = (fake: Fake) => (fake.policy.document = { ...fake.policy.document, rules: [rule("one"), rule("two"), rule("three")] });
const names = () => screen.getAllByTestId("rule").map((one) => one.querySelector("strong")?.textContent);
const kept = (fake: Fake) => fake.policy.document.rules.map((one) => one.name);

describe("rules", () => {
  it("are told in words, with what is wrong at each", async () => {
    await openPage("rules");
    const [nightly, onCall] = screen.getAllByTestId("rule");
    expect(nightly?.textContent).toContain("type is like (* and ?) “backup.*”");
    expect(nightly?.textContent).toContain("Tell it in a digest");
    expect(within(nightly as HTMLElement).queryByTestId("problems")).toBeNull();
    expect(within(onCall as HTMLElement).getByTestId("problems").textContent).toContain("regular expression is not complete");
    expect(screen.getAllByTestId("problems")).toHaveLength(1);
  });

  it("are mended where the problem is shown", async () => {
    const { fake, user } = await openPage("rules");
    await user.click(screen.getAllByTestId("rule-edit")[1] as HTMLElement);
    const text = screen.getByTestId("rule-text-text");
    expect(text.getAttribute("aria-invalid")).toBe("true");
    expect(document.getElementById(text.getAttribute("aria-describedby") ?? "")?.textContent).toContain("not complete");
    await user.clear(text);
    await user.type(text, "(prod|database){Tab}");
    await waitFor(() => expect(screen.queryByTestId("problems")).toBeNull());
    expect(fake.policy.document.rules[1]?.text).toEqual({ how: "regex", text: "(prod|database)", case: false });
  });

  it("are moved by buttons and by Alt with the arrows, and the focus stays with them", async () => {
    const { fake, user } = await openPage("rules", { scenario: "policy" }, three);
    await user.click(screen.getAllByTestId("rule-down")[0] as HTMLElement);
    await waitFor(() => expect(kept(fake)).toEqual(["two", "one", "three"]));
    expect(document.activeElement).toBe(screen.getAllByTestId("rule-down")[1]);
    (screen.getAllByTestId("rule-grip")[2] as HTMLElement).focus();
    await user.keyboard("{Alt>}{ArrowUp}{/Alt}");
    await waitFor(() => expect(kept(fake)).toEqual(["two", "three", "one"]));
    expect(document.activeElement).toBe(screen.getAllByTestId("rule-grip")[1]);
    expect(screen.getByTestId("policy-says").textContent).toBe("three is now number 2");
    await user.keyboard("{Alt>}{ArrowUp}{ArrowUp}{ArrowUp}{/Alt}");
    await waitFor(() => expect(kept(fake)).toEqual(["three", "two", "one"]));
    await user.click(screen.getByTestId("policy-undo"));
    await waitFor(() => expect(names()).toEqual(["two", "three", "one"]));
  });

  it("are dragged, and let go where they are shown", async () => {
    const { fake } = await openPage("rules", { scenario: "policy" }, three);
    vi.spyOn(Element.prototype, "getBoundingClientRect").mockImplementation(function (this: Element) {
      const top = [...document.querySelectorAll("[data-rule]")].indexOf(this) * 60;
      return { x: 0, y: top, top, left: 0, right: 300, bottom: top + 60, width: 300, height: 60, toJSON: () => "" };
    });
    await fireEvent(screen.getAllByTestId("rule-grip")[0] as Element, new MouseEvent("pointerdown", { bubbles: true, button: 0, clientY: 30 }));
    await fireEvent(window, new MouseEvent("pointermove", { clientY: 170 }));
    expect(names()).toEqual(["two", "three", "one"]);
    expect(fake.calls.some((call) => call.do === "preferences_set")).toBe(false);
    await fireEvent(window, new MouseEvent("pointerup", { clientY: 170 }));
    await waitFor(() => expect(kept(fake)).toEqual(["two", "three", "one"]));
  });

  it("are added only with a condition", async () => {
    const { fake, user } = await openPage("rules", { scenario: "policy" }, three);
    await user.click(screen.getByTestId("rule-add"));
    const dialog = within(screen.getByRole("dialog"));
    await user.type(dialog.getByTestId("rule-name"), "Quiet builds{Tab}");
    await user.click(dialog.getByTestId("rule-add-yes"));
    expect(dialog.getByRole("alert").textContent).toContain("at least one condition");
    expect(kept(fake)).toHaveLength(3);
    await user.selectOptions(dialog.getByTestId("rule-where"), "s4");
    await user.selectOptions(dialog.getByTestId("rule-kind-how"), "glob");
    await user.type(dialog.getByTestId("rule-kind-text"), "build.*{Tab}");
    await user.type(dialog.getByTestId("rule-tags"), "ci, main , ci{Tab}");
    await user.selectOptions(dialog.getByTestId("rule-then"), "informational");
    await user.selectOptions(dialog.getByTestId("until"), "tomorrow");
    await user.click(dialog.getByTestId("rule-add-yes"));
    await waitFor(() => expect(kept(fake)).toHaveLength(4));
    expect(fake.policy.document.rules[3]).toEqual({
      name: "Quiet builds",
      account: 2,
      subscription: 4,
      kind: { how: "glob", text: "build.*", case: false },
      tags: ["ci", "main"],
      then: { what: "tier", tier: "informational" },
      until: expect.any(String),
    });
  });

  it("are switched off and on, and removed", async () => {
    const { fake, user } = await openPage("rules", { scenario: "policy" }, three);
    await user.click(screen.getAllByTestId("rule-on")[1] as HTMLElement);
    await waitFor(() => expect(fake.policy.document.rules[1]?.off).toBe(true));
    await user.click(screen.getAllByTestId("rule-on")[1] as HTMLElement);
    await waitFor(() => expect(fake.policy.document.rules[1]).toEqual(rule("two")));
    await user.click(screen.getAllByTestId("rule-edit")[1] as HTMLElement);
    await user.click(screen.getByTestId("rule-remove"));
    await waitFor(() => expect(kept(fake)).toEqual(["one", "three"]));
  });

  it("go back to what is kept if a change could not be", async () => {
    const { fake, user } = await openPage("rules", { scenario: "policy" }, three);
    fake.failures.set("preferences_set", FULL);
    await user.click(screen.getAllByTestId("rule-down")[0] as HTMLElement);
    expect((await screen.findByTestId("failure")).textContent).toContain("The disk is full.");
    expect(names()).toEqual(["one", "two", "three"]);
    expect(last(fake, "preferences_set")?.rules.map((one) => one.name)).toEqual(["two", "one", "three"]);
  });
});
