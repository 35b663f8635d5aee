import { render, screen, waitFor } from "@testing-library/svelte";
import { expect, it, vi } from "vitest";
import { Client } from "../../lib/api";
import { Fake } from "../../lib/api/fake";
import { Session } from "../../lib/stores/session.svelte";
import userEvent from "@testing-library/user-event";
import { violations } from "../../testing/axe";
import ConfigDocument from "./ConfigDocument.svelte";

async function open() {
  const fake = new Fake({ scenario: "policy" });
  const session = new Session(new Client(fake), "settings");
  await session.start();
  const { container } = render(ConfigDocument, { props: { session } });
  return { fake, container, user: userEvent.setup() };
}

const file = (document: unknown) => new File([typeof document === "string" ? document : JSON.stringify(document)], "preferences.json");

it("copies all that is set as a document that can be taken over again", async () => {
  const { fake, user, container } = await open();
  const write = vi.spyOn(navigator.clipboard, "writeText");
  await user.click(screen.getByTestId("document-copy"));
  await waitFor(() => expect(screen.getByTestId("document-says").textContent).toContain("on the clipboard"));
  const text = write.mock.calls[0]?.[0] ?? "";
  expect(JSON.parse(text)).toMatchObject({ version: 1, rules: fake.policy.document.rules, app: { keep_days: 90 } });
  await user.upload(screen.getByTestId("document-file"), file(text));
  await waitFor(() => expect(screen.getByTestId("document-says").textContent).toContain("so already"));
  expect(screen.getByTestId("document-take").hasAttribute("disabled")).toBe(true);
  expect(await violations(container)).toEqual([]);
});

it("shows what would change, and takes it over only then", async () => {
  const { fake, user, container } = await open();
  const before = fake.policy.document;
  const document = { ...before, digest: { seconds: 60 }, app: { ...fake.settings, keep_days: 7 } };
  await user.upload(screen.getByTestId("document-file"), file(document));
  const changes = await screen.findByTestId("document-changes");
  expect(changes.textContent).toContain('digest {"seconds":300} → {"seconds":60}');
  expect(fake.policy.document).toEqual(before);
  expect(await violations(container)).toEqual([]);
  await user.click(screen.getByTestId("document-take"));
  await waitFor(() => expect(fake.policy.document.digest.seconds).toBe(60));
  expect(fake.settings.keep_days).toBe(7);
  await waitFor(() => expect(screen.getByTestId("document-says").textContent).toContain("2 values changed"));
});

it("says what would be lost, and that a file is none", async () => {
  const { fake, user } = await open();
  await user.upload(screen.getByTestId("document-file"), file({ ...fake.policy.document, colour: "red", digest: { seconds: 60 } }));
  expect((await screen.findByTestId("problems")).textContent).toContain("colour is nothing that Tidings knows");
  expect(screen.getByTestId("document-take").textContent).toContain("what can be read");
  await user.click(screen.getByTestId("document-leave"));
  expect(screen.queryByTestId("document-take")).toBeNull();
  await user.upload(screen.getByTestId("document-file"), file("nonsense"));
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("This is not JSON"));
  expect(fake.policy.document.digest.seconds).toBe(300);
});
