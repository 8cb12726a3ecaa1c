import assert from "node:assert/strict";
import { cutEverywhere } from "./support/cutRuns.ts";
import { K3sBench, version } from "./support/k3sBench.ts";

describe("scripts/k3s-leave.sh, killed", function () {
  this.timeout(300_000);
  this.slow(120_000);

  const lives = [
    { BECOMES: "", wasAgent: false, ends: "cleaned" },
    { BECOMES: "worker", wasAgent: false, ends: "an agent" },
    { BECOMES: "", wasAgent: true, ends: "the agent that it was" },
  ];
  for (const { BECOMES, wasAgent, ends } of lives) {
    it(`before any of its steps, ends the same when it is run again: ${ends}`, async () => {
      const cuts = await cutEverywhere({
        async make() {
          const bench = new K3sBench();
          if (wasAgent) bench.installAgent();
          const variables = {
            CONFIG: "server: x\n",
            TOKEN: "t",
            VERSION: version,
            AUDIT_POLICY: "",
          };
          await bench.succeed("k3s-join.sh", "ensure", variables);
          bench.root.write("var/lib/rancher/k3s/server/token", "K10a::server:b\n");
          bench.root.write("var/lib/triad/conversion/phase", "done\n");
          await bench.succeed("k3s-leave.sh", "retire");
          return {
            root: bench.root,
            stop: () => {
              bench.stop();
            },
            run: async () =>
              await bench.script("k3s-leave.sh", "ensure", { BECOMES, ENDPOINT: "https://v:8443" }),
          };
        },
      });
      assert.ok(cuts > 10, `${cuts} cuts`);
    });
  }
});
