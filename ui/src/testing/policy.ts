// Opens a page of the policy's settings.

import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { vi } from "vitest";
import { Client } from "../lib/api";
import { Fake, type FakeOptions } from "../lib/api/fake";
import type { ErrorView } from "../lib/bindings/ErrorView";
import type { Request } from "../lib/bindings/Request";
import { clock } from "../lib/stores/clock.svelte";
import { Session } from "../lib/stores/session.svelte";
import SettingsView from "../views/settings/SettingsView.svelte";
import { hourglass } from "./later";

export const FULL: ErrorView = { code: "storage", message: "The disk is full.", detail: "" };

export async function openPage(section: string, options: FakeOptions = { scenario: "policy" }, prepare: (fake: Fake) => void = () => undefined) {
  const fake = new Fake(options);
  prepare(fake);
  const session = new Session(new Client(fake), "settings");
  await session.start();
  clock.now = fake.now;
  const ready = vi.fn();
  const glass = hourglass();
  const { container } = render(SettingsView, { props: { session, target: { show: "settings" }, onready: ready, later: glass.later } });
  await waitFor(() => ready.mock.calls.length > 0 || Promise.reject(new Error("not ready")));
  const user = userEvent.setup();
  await user.click(screen.getByTestId(`section-${section}`));
  await screen.findByTestId("simulator");
  return { fake, session, container, user, glass };
}

/** The last request of a kind. */
export const last = <D extends Request["do"]>(fake: Fake, what: D) =>
  fake.calls.filter((call): call is Extract<Request, { do: D }> => call.do === what).at(-1);
