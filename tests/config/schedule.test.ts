import assert from "node:assert/strict";
import fc from "fast-check";
import { judgeSchedule } from "../../config/values/schedule.ts";

describe("a schedule", () => {
  const taken = [
    "0 2 * * *",
    "0 */12 * * *",
    "30 1-5/2 1,15 * *",
    "0 2 * * SUN",
    "0 2 * jan-mar mon-fri",
    "0 2 29 2 *",
    "*/5 * * * *",
    "@daily",
    "@hourly",
  ];
  for (const text of taken) {
    it(`is taken: ${text}`, () => {
      assert.equal(judgeSchedule(text), undefined);
    });
  }

  const refused: [text: string, why: RegExp][] = [
    ["", /is not a schedule/],
    ["daily", /is not a schedule/],
    ["@every 12h", /is not a schedule/],
    ["0 0 2 * * *", /is not a schedule/],
    ["0 2 * *", /is not a schedule/],
    ["60 2 * * *", /is not a schedule/],
    ["0 24 * * *", /is not a schedule/],
    ["0 2 0 * *", /is not a schedule/],
    ["0 2 * 13 *", /is not a schedule/],
    ["0 2 L * *", /is not a schedule/],
    ["0 2 15W * *", /is not a schedule/],
    ["0 2 * * MON#2", /is not a schedule/],
    ["0 2 * * abc", /is not a schedule/],
    ["CRON_TZ=UTC 0 2 * * *", /is not a schedule/],
    ["0 2 * * 7", /has a weekday 7/],
    ["0 2 * * 5-7", /has a weekday 7/],
    ["0 2 30 2 *", /never comes/],
    ["0 2 31 4,6 *", /never comes/],
  ];
  for (const [text, why] of refused) {
    it(`is refused: ${text}`, () => {
      assert.match(judgeSchedule(text)?.problem ?? "", why);
    });
  }

  it("of any minute, hour and weekday is taken", () => {
    const time = fc.record({
      minute: fc.integer({ min: 0, max: 59 }),
      hour: fc.integer({ min: 0, max: 23 }),
      weekday: fc.integer({ min: 0, max: 6 }),
    });
    fc.assert(
      fc.property(time, ({ minute, hour, weekday }) => {
        assert.equal(judgeSchedule(`${minute} ${hour} * * ${weekday}`), undefined);
      }),
    );
  });
});
