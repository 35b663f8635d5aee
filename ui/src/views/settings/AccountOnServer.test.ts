import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { Client } from "../../lib/api";
import { Fake } from "../../lib/api/fake";
import { Session } from "../../lib/stores/session.svelte";
import { violations } from "../../testing/axe";
import SettingsView from "./SettingsView.svelte";

async function open(change: (fake: Fake) => void) {
  const fake = new Fake();
  change(fake);
  const session = new Session(new Client(fake));
  await session.start();
  const ready = vi.fn();
  const { container } = render(SettingsView, { props: { session, target: { show: "settings" }, onready: ready } });
  await waitFor(() => expect(ready).toHaveBeenCalled());
  return { fake, container, user: userEvent.setup() };
}

describe("the account on the server", () => {
  it("says how much it allows, and since when that is known", async () => {
    const { container } = await open((fake) => {
      const [first] = fake.accounts;
      if (!first) throw new Error("there is an account");
      first.connection.quota = {
        as_of: first.connection.since,
        tier: "",
        messages: 250,
        messages_left: 240,
        reservations: null,
        reservations_left: null,
        file_size: 15_000_000,
        files_size: null,
        files_left: null,
        resets_at: null,
        says: "240 of 250 messages left until midnight UTC; attachments of up to 15 MB.",
      };
    });
    const shown = screen.getAllByTestId("account-quota");
    expect(shown).toHaveLength(1);
    expect(shown[0]?.textContent).toContain("240 of 250 messages left until midnight UTC");
    expect(shown[0]?.textContent).toContain("as of");
    expect(await violations(container)).toEqual([]);
  });

  it("shows what was removed elsewhere, and takes it back", async () => {
    const { fake, user } = await open((it) => {
      const subscription = it.accounts[0]?.subscriptions[0];
      if (!subscription) throw new Error("there is a subscription");
      Object.assign(subscription, { off: true, problem: "It was removed from your account on the server." });
    });
    const topic = fake.accounts[0]?.subscriptions[0]?.topic ?? "";
    await user.click(screen.getAllByTestId("edit-account")[0] as HTMLElement);
    const again = await screen.findByTestId("topic-again");
    const row = again.closest("li") as HTMLElement;
    expect(within(row).getByText("It was removed from your account on the server.")).toBeTruthy();
    await user.click(again);
    await waitFor(() => expect(screen.queryByTestId("topic-again")).toBeNull());
    expect(fake.calls.filter((call) => call.do === "subscription_add")).toEqual([
      { do: "subscription_add", account: fake.accounts[0]?.id, topic },
    ]);
  });

  it("lets the user keep the subscriptions of an account apart", async () => {
    const { fake, user } = await open(() => undefined);
    await user.click(screen.getAllByTestId("edit-account")[0] as HTMLElement);
    const choice = await screen.findByTestId<HTMLSelectElement>("option-subscriptions");
    expect(choice.value).toBe("in_step");
    await user.selectOptions(choice, "apart");
    await user.click(screen.getByTestId("edit-options-save"));
    await waitFor(() => {
      const edits = fake.calls.flatMap((call) => (call.do === "account_edit" ? [call.edit] : []));
      expect(edits.at(-1)).toMatchObject({ options: '{"subscriptions":"apart"}' });
    });
  });
});
