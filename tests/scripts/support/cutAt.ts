import assert from "node:assert/strict";
import { composeScript } from "../../../scripts/composeScript.ts";
import { type Place, runBash } from "./runScript.ts";

/** Runs a script's `ensure`, and kills it in the moment before the command of which the condition, in bash, holds. */
export async function cutAt(
  script: string,
  variables: Readonly<Record<string, string>>,
  condition: string,
  place: Place,
): Promise<void> {
  const text = composeScript(script, variables).replace(
    'main "$@" </dev/null',
    () => `is_moment() { ${condition}; }
      set -T
      trap '((BASH_SUBSHELL == 0)) && is_moment && kill -KILL -- -$$' DEBUG
      main "$@" </dev/null`,
  );
  const { exitCode, stderr } = await runBash(text, "ensure", {
    ...place,
    wrapper: ["setsid", "--wait"],
  });
  assert.equal(exitCode, null, `it was not cut: ${stderr}`);
}
