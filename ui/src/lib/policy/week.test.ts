import { describe, expect, it } from "vitest";
import type { Quiet } from "../bindings/Quiet";
import type { Schedule } from "../bindings/Schedule";
import { barsOf, dragged, lengthOf, minutesOf, nextQuiet, quietAt } from "./week";
import { civil, moment, WEEK } from "./zone";

const schedule = (part: Partial<Schedule> = {}): Schedule => ({ name: "", days: [...WEEK], from: "22:00", to: "07:00", lets_through: "critical", ...part });

describe("bars", () => {
  it("are one within a day", () => {
    expect(barsOf(schedule({ days: ["tue"], from: "14:00", to: "16:00" }))).toEqual([{ day: "tue", starts: "tue", from: 840, to: 960, continues: false, goesOn: false }]);
  });

  it("are one window in two lines over midnight, and Sunday's goes on on Monday", () => {
    expect(barsOf(schedule({ days: ["sun"] }))).toEqual([
      { day: "sun", starts: "sun", from: 1320, to: 1440, continues: false, goesOn: true },
      { day: "mon", starts: "sun", from: 0, to: 420, continues: true, goesOn: false },
    ]);
  });

  it("are the whole day where it ends when it starts", () => {
    expect(lengthOf({ from: "09:00", to: "09:00" })).toBe(1440);
    expect(barsOf(schedule({ days: ["mon"], from: "00:00", to: "00:00" }))).toEqual([{ day: "mon", starts: "mon", from: 0, to: 1440, continues: false, goesOn: false }]);
  });
});

describe("dragging", () => {
  const night = { from: "22:00", to: "07:00" };

  it.each([
    ["whole", 62, { from: "23:00", to: "08:00" }],
    ["whole", 135, { from: "00:15", to: "09:15" }],
    ["start", -60, { from: "21:00", to: "07:00" }],
    ["start", 180, { from: "01:00", to: "07:00" }],
    ["end", -450, { from: "22:00", to: "23:30" }],
    ["end", 8, { from: "22:00", to: "07:15" }],
    ["end", 7, night],
  ] as const)("%s by %i minutes, in steps of 15", (grip, by, times) => {
    expect(dragged(night, grip, by)).toEqual(times);
  });

  it("neither makes a window vanish nor lap itself, wherever it is dragged to", () => {
    for (let by = -4000; by <= 4000; by += 25) {
      for (const grip of ["start", "end", "whole"] as const) {
        const times = dragged(night, grip, by);
        expect(minutesOf(times.from)).not.toBeNull();
        expect(minutesOf(times.to)).not.toBeNull();
        expect(lengthOf(times)).toBeGreaterThanOrEqual(15);
        if (grip === "whole") expect(lengthOf(times)).toBe(lengthOf(night));
        if (grip === "start") expect(times.to).toBe(night.to);
        if (grip === "end") expect(times.from).toBe(night.from);
      }
    }
  });
});

describe("when it is quiet", () => {
  const berlin = (part: Partial<Schedule> = {}): Quiet => ({ zone: "Europe/Berlin", schedules: [schedule(part)] });
  const at = (iso: string) => Date.parse(iso);
  const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());

  it("goes by the clock of its zone", () => {
    expect(iso(nextQuiet(berlin(), at("2026-11-22T12:00:00Z"))?.from)).toBe("2026-11-22T21:00:00.000Z");
    expect(iso(quietAt(berlin(), at("2026-11-22T22:00:00Z"))?.to)).toBe("2026-11-23T06:00:00.000Z");
  });

  it("belongs to the day on which it began", () => {
    const sunday = berlin({ days: ["sun"] });
    expect(quietAt(sunday, at("2026-11-23T05:59:00Z"))).not.toBeNull();
    expect(quietAt(sunday, at("2026-11-23T06:00:00Z"))).toBeNull();
    expect(iso(nextQuiet(sunday, at("2026-11-23T06:00:00Z"))?.from)).toBe("2026-11-29T21:00:00.000Z");
  });

  it("lasts an hour less or more in the nights that change the clocks", () => {
    const spring = quietAt(berlin(), at("2026-03-28T22:00:00Z"));
    expect([iso(spring?.from), iso(spring?.to)]).toEqual(["2026-03-28T21:00:00.000Z", "2026-03-29T05:00:00.000Z"]);
    const autumn = quietAt(berlin(), at("2026-10-24T21:00:00Z"));
    expect([iso(autumn?.from), iso(autumn?.to)]).toEqual(["2026-10-24T20:00:00.000Z", "2026-10-25T06:00:00.000Z"]);
  });

  it("is not on the evening that is skipped, nor where it is off", () => {
    const noon = at("2026-11-22T12:00:00Z");
    expect(iso(nextQuiet(berlin({ skip: "2026-11-22" }), noon)?.from)).toBe("2026-11-23T21:00:00.000Z");
    expect(nextQuiet(berlin({ off: true }), noon)).toBeNull();
    expect(nextQuiet(berlin({ days: [] }), noon)).toBeNull();
  });

  it("ends last where windows overlap", () => {
    const quiet: Quiet = { zone: "UTC", schedules: [schedule({ name: "long" }), schedule({ name: "short", from: "23:00", to: "01:00" })] };
    expect(quietAt(quiet, at("2026-11-22T23:30:00Z"))?.schedule.name).toBe("long");
  });
});

describe("civil time", () => {
  it("takes the first of two passes, and what comes after a gap", () => {
    expect(moment({ date: "2026-10-25", minutes: 150 }, "Europe/Berlin")).toBe(Date.parse("2026-10-25T00:30:00Z"));
    expect(moment({ date: "2026-03-29", minutes: 150 }, "Europe/Berlin")).toBe(Date.parse("2026-03-29T01:30:00Z"));
  });

  it("comes back from the moment it names, in zones of all kinds", () => {
    for (const zone of ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Tokyo"]) {
      for (const minutes of [0, 15, 419, 720, 1439]) {
        const wall = { date: "2026-07-15", minutes };
        expect(civil(moment(wall, zone), zone)).toEqual(wall);
      }
    }
  });
});
