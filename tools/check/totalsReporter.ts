import { writeFileSync } from "node:fs";

import Mocha from "mocha";

/** Mocha's usual report, and beside it the totals as JSON in the file that TRIAD_TOTALS names. */
class TotalsReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.once("end", () => {
      const file = process.env["TRIAD_TOTALS"];
      const { passes: passed, failures: failed } = this.stats;
      if (file !== undefined) writeFileSync(file, JSON.stringify({ passed, failed }));
    });
  }
}

// Mocha loads reporters with require().
export { TotalsReporter as "module.exports" };
