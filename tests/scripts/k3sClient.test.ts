import assert from "node:assert/strict";
import { K3sBench } from "./support/k3sBench.ts";

describe("scripts/k3s-client.sh", function () {
  this.timeout(120_000);
  this.slow(4000);

  let bench: K3sBench;
  beforeEach(() => {
    bench = new K3sBench();
    bench.installAgent();
  });
  afterEach(() => {
    bench.stop();
  });

  const unit = "etc/systemd/system/k3s-agent.service";
  const to = (endpoint: string, startedAfter = ""): Record<string, string> => ({
    ENDPOINT: endpoint,
    STARTED_AFTER: startedAfter,
  });
  const places: readonly [string, () => void, string][] = [
    ["its environment", () => undefined, `${unit}.env`],
    [
      "its configuration file",
      () =>
        bench.root.write(
          "etc/rancher/k3s/config.yaml",
          "server: https://192.168.1.5:6443 # first\n",
        ),
      "etc/rancher/k3s/config.yaml",
    ],
    [
      "the last of its files",
      () => {
        bench.root.write("etc/rancher/k3s/config.yaml", "server: https://1.1.1.1:6443\n");
        bench.root.write(
          "etc/rancher/k3s/config.yaml.d/x.yaml",
          '"server": "https://192.168.1.5:6443"\n',
        );
      },
      "etc/rancher/k3s/config.yaml.d/x.yaml",
    ],
    [
      "its command line",
      () => {
        const text = bench.root
          .read(unit)
          .replace(
            "'--node-label",
            "'--server' \\\n\t'https://192.168.1.5:6443' \\\n\t'--node-label",
          );
        bench.root.write(unit, text);
      },
      unit,
    ],
  ];
  for (const [where, prepare, file] of places) {
    it(`moves an agent whose server is said in ${where}, and moves it back`, async () => {
      prepare();
      const before = bench.root.read(file);
      const check = async (): Promise<unknown> => await bench.succeed("k3s-client.sh", "check");
      assert.deepEqual(await check(), { server: "https://192.168.1.5:6443" });
      const variables = to("192.168.1.2:8443");
      assert.deepEqual(await bench.succeed("k3s-client.sh", "ensure", variables), {
        changed: true,
      });
      assert.deepEqual(await check(), { server: "https://192.168.1.2:8443" });
      assert.equal(bench.root.read(file), before.replace("192.168.1.5:6443", "192.168.1.2:8443"));
      assert.deepEqual(bench.did("restart"), ["restart --no-block k3s-agent"]);
      assert.deepEqual(await bench.succeed("k3s-client.sh", "ensure", variables), {
        changed: false,
      });
      assert.equal(bench.did("restart").length, 1);

      assert.deepEqual(await bench.succeed("k3s-client.sh", "restore", variables), {
        changed: true,
      });
      assert.equal(bench.root.read(file), before);
      assert.equal(bench.did("restart").length, 2);
    });
  }

  it("restarts an agent that has started before a point in time, and only that", async () => {
    const before = String(Date.UTC(2025, 11, 31) / 1000);
    const after = String(Date.UTC(2026, 0, 2) / 1000);
    const endpoint = "192.168.1.5:6443";
    const script = async (startedAfter: string): Promise<unknown> =>
      await bench.succeed("k3s-client.sh", "ensure", to(endpoint, startedAfter));
    assert.deepEqual(await script(before), { changed: false });
    assert.deepEqual(bench.did("restart"), []);
    assert.deepEqual(await script(after), { changed: true });
    assert.equal(bench.did("restart").length, 1);
  });

  it("refuses a machine that is no agent", async () => {
    const bare = new K3sBench();
    const run = await bare.script("k3s-client.sh", "ensure", to("192.168.1.2:8443"));
    assert.match(run.stderr, /this machine has no k3s-agent\.service/);
    bare.stop();
  });
});
