import assert from "node:assert/strict";
import { cutEverywhere } from "./support/cutRuns.ts";
import { KubeadmBench } from "./support/kubeadmBench.ts";

describe("scripts/kubeadm-leave.sh, killed", function () {
  this.timeout(300_000);
  this.slow(120_000);

  for (const BECOMES of ["", "worker"]) {
    it(`before any of its steps, ends the same when it is run again, ${BECOMES || "cleaned"}`, async () => {
      const cuts = await cutEverywhere({
        async make() {
          const bench = new KubeadmBench();
          bench.makeServer();
          await bench.succeed("kubeadm-leave.sh", "retire");
          const variables = { BECOMES, ENDPOINT: "https://api.home.test:6443" };
          return {
            root: bench.root,
            stop: () => {
              bench.stop();
            },
            run: async () => await bench.script("kubeadm-leave.sh", "ensure", variables),
          };
        },
      });
      assert.ok(cuts > 15, `${cuts} cuts`);
    });
  }
});
