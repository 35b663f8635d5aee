import { expect, test } from "vitest";
import { fingerprint, isUsual, USUAL_WAY } from "./way";

test("the usual way is empty, any part makes it another", () => {
  expect(isUsual(USUAL_WAY)).toBe(true);
  expect(isUsual({ ...USUAL_WAY, pin: "ab" })).toBe(false);
});

test("a fingerprint is shown in pairs", () => {
  expect(fingerprint("0aff12")).toBe("0A:FF:12");
  expect(fingerprint("")).toBe("");
});
