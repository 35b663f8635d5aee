import { describe, expect, it, vi } from "vitest";
import { hourglass } from "../../testing/later";
import { Client } from "../api";
import { Fake, type FakeOptions } from "../api/fake";
import type { ErrorView } from "../bindings/ErrorView";
import type { Simulation } from "../bindings/Simulation";
import { defaultPreferences } from "../policy/defaults";
import { Policy } from "./policy.svelte";
import { Session } from "./session.svelte";
import { Simulator } from "./simulator.svelte";

const FULL: ErrorView = { code: "storage", message: "The disk is full.", detail: "" };

async function open(options: FakeOptions = { scenario: "policy" }) {
  const fake = new Fake(options);
  const session = new Session(new Client(fake), "settings");
  await session.start();
  const glass = hourglass();
  const policy = new Policy(session, glass.later);
  await policy.enter();
  return { fake, session, policy, glass };
}

const simulations = (fake: Fake) => fake.calls.filter((call) => call.do === "simulate");

describe("the simulator", () => {
  it("asks once when changing rests", async () => {
    const { fake, policy, glass } = await open();
    glass.pass();
    await vi.waitFor(() => expect(policy.simulator.busy).toBe(false));
    for (const seconds of [60, 120, 180]) await policy.change("digest", (draft) => (draft.digest.seconds = seconds));
    expect(simulations(fake)).toHaveLength(1);
    expect(glass.pass()).toBe(1);
    await vi.waitFor(() => expect(policy.simulator.busy).toBe(false));
    expect(simulations(fake)).toHaveLength(2);
    // Compared with how it was at the beginning of the visit, not with the step before.
    expect(simulations(fake).at(-1)).toMatchObject({ preferences: { digest: { seconds: 300 } }, days: 7 });
  });

  it("takes no late answer for the latest", async () => {
    const answers: ((value: Simulation) => void)[] = [];
    const client = new Client(new Fake());
    client.simulate = () => new Promise((resolve) => answers.push(resolve));
    const glass = hourglass();
    const simulator = new Simulator(client, glass.later);
    simulator.compare(null);
    glass.pass();
    simulator.compare(defaultPreferences());
    glass.pass();
    const answer = (different: number): Simulation => ({ days: 7, from: "2026-11-16T00:00:00Z", notifications: 1, now: nothing, then: nothing, differences: [], different, problems: [] });
    const nothing = { toasts: 0, digests: 0, held: 0, silent: 0, hours: [] };
    answers[1]?.(answer(2));
    await vi.waitFor(() => expect(simulator.result?.different).toBe(2));
    answers[0]?.(answer(1));
    await Promise.resolve();
    expect(simulator.result?.different).toBe(2);
    expect(simulator.busy).toBe(false);
  });

  it("asks nothing more when nobody looks", async () => {
    const { fake, policy, glass } = await open();
    await policy.change("digest", (draft) => (draft.digest.seconds = 60));
    policy.exit();
    expect(glass.pass()).toBe(0);
    expect(simulations(fake)).toHaveLength(0);
  });

  it("says why it could not look", async () => {
    const { fake, policy, glass } = await open();
    fake.failures.set("simulate", FULL);
    glass.pass();
    await vi.waitFor(() => expect(policy.simulator.failure?.message).toBe("The disk is full."));
    expect(policy.simulator.busy).toBe(false);
  });
});

describe("a change", () => {
  it("is on screen at once, and taken back one by one", async () => {
    const { fake, policy } = await open();
    const first = policy.change("one", (draft) => (draft.limits.overall = 3));
    expect(policy.document?.limits.overall).toBe(3);
    await first;
    await policy.setCells("two", { account: 1, subscription: 1, kind: null }, { mute: true });
    expect(fake.policy.document.rows).toContainEqual({ account: 1, subscription: 1, mute: true });
    expect(policy.grid.find((row) => row.subscription === 1 && row.kind === null)?.mute.from).toBe("here");
    await policy.undo();
    expect(fake.policy.document.rows).not.toContainEqual({ account: 1, subscription: 1, mute: true });
    expect(fake.policy.document.limits.overall).toBe(3);
    expect(policy.says).toBe("Undone: two");
    await policy.undo();
    expect(fake.policy.document.limits.overall).toBe(12);
    expect(policy.undoable).toBe(false);
  });

  it("that cannot be kept leaves nothing on screen, and says why", async () => {
    const { fake, policy } = await open();
    fake.failures.set("preferences_set", FULL);
    const failed = await policy.change("one", (draft) => (draft.limits.overall = 3));
    expect(failed).toEqual(FULL);
    expect(policy.failure).toEqual(FULL);
    expect(policy.document?.limits.overall).toBe(12);
    expect(policy.undoable).toBe(false);
  });

  it("that fails takes nothing with it of what was asked for right after it", async () => {
    const { fake, policy } = await open();
    fake.failures.set("preferences_set", FULL);
    const first = policy.change("one", (draft) => (draft.limits.overall = 3));
    const second = policy.setCells("two", { account: 2, subscription: null, kind: null }, { badge: "off" });
    const third = policy.change("three", (draft) => (draft.limits.critical = 4));
    expect(await first).toEqual(FULL);
    fake.failures.clear();
    expect([await second, await third]).toEqual([null, null]);
    expect(fake.policy.document.limits).toMatchObject({ overall: 12, critical: 4 });
    expect(policy.document).toEqual(fake.policy.document);
  });

  it("several at once all come through, in their order", async () => {
    const { fake, policy } = await open();
    await Promise.all([
      policy.change("one", (draft) => (draft.limits.overall = 3)),
      policy.change("two", (draft) => (draft.limits.critical = 4)),
      policy.setCells("three", { account: 2, subscription: null, kind: null }, { badge: "off" }),
    ]);
    expect(fake.policy.document.limits).toMatchObject({ overall: 3, critical: 4 });
    expect(fake.policy.document.rows).toContainEqual({ account: 2, badge: "off" });
    expect(policy.document).toEqual(fake.policy.document);
  });

  it("of somebody else is shown, and no way back goes past it", async () => {
    const { fake, policy } = await open();
    await policy.change("mine", (draft) => (draft.limits.overall = 3));
    fake.policy.document = { ...fake.policy.document, digest: { seconds: 60 } };
    fake.hint({ event: "preferences" });
    await vi.waitFor(() => expect(policy.document?.digest.seconds).toBe(60));
    expect(policy.undoable).toBe(false);
  });

  it("to leave a topic can be taken back, with what was set for it", async () => {
    const { fake, session, policy } = await open();
    await policy.setCells("mute", { account: 1, subscription: 6, kind: null }, { mute: true });
    const account = session.accounts?.find((one) => one.id === 1);
    if (!account) throw new Error("there is an account");
    await policy.leave(account, 6);
    expect(policy.grid.some((row) => row.subscription === 6)).toBe(false);
    await policy.undo();
    const fresh = fake.accounts[0]?.subscriptions.find((one) => one.topic === "printer");
    expect(fresh).toBeDefined();
    expect(fake.policy.document.rows).toContainEqual({ account: 1, subscription: fresh?.id, mute: true });
  });
});

it("reads again what could not be read", async () => {
  const fake = new Fake();
  const session = new Session(new Client(fake), "settings");
  await session.start();
  fake.failures.set("preferences", FULL);
  const policy = new Policy(session, hourglass().later);
  await policy.load();
  expect(policy.unread).toEqual(FULL);
  fake.failures.clear();
  await policy.load();
  expect(policy.unread).toBeNull();
  expect(policy.document?.version).toBe(1);
});
