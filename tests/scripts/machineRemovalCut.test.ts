import assert from "node:assert/strict";
import { cutEverywhere } from "./support/cutRuns.ts";
import { MachineBench } from "./support/machineBench.ts";

describe("scripts/machine.sh remove, killed", function () {
  this.timeout(300_000);
  this.slow(120_000);

  it("on its way, makes the machine as it was found when it is run again", async () => {
    const cuts = await cutEverywhere({
      every: Number(process.env["CUT_EVERY"] ?? 9),
      async make() {
        const bench = new MachineBench();
        await bench.start();
        const { root } = bench;
        bench.installPackages("curl", "ca-certificates", "containerd");
        root.write("etc/containerd/config.toml", "# mine\n");
        for (const name of ["on-containerd", "enabled-containerd", "images"]) root.write(name, "");
        bench.executable("usr/local/bin/kubectl", "#!/bin/sh\necho v1.20.0\n");
        await bench.succeed("ensure", { IMAGE_MIRROR: "http://10.0.0.1:5000" });
        return {
          root,
          stop: () => {
            bench.stop();
          },
          run: async () => await bench.script("remove"),
        };
      },
    });
    assert.ok(cuts > 20, `${cuts} cuts`);
  });
});
