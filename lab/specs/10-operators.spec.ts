import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { upBeforeState } from "../lab.ts";
import { readEtcd } from "../measure/clusterState.ts";
import { pulumi } from "../measure/pulumi.ts";
import { runningSince } from "../measure/runningSince.ts";
import { editStack, listServers } from "../measure/serverList.ts";
import { initial, isK3s, keepLogsOfFailures, servers, shell, topology } from "./support.ts";

const [, second = "", third = ""] = servers;
const up = ["up", "--yes", "--skip-preview"];

describe("two operators who promote at once", function () {
  this.timeout("15m");
  keepLogsOfFailures();
  const folder = mkdtempSync(join(tmpdir(), "triad-operator-"));
  /** Each with a state of his own; both adopted the cluster before. */
  const operators = [{}, { PULUMI_BACKEND_URL: `file://${folder}` }];

  before(async () => {
    await upBeforeState(topology);
    listServers(topology, [initial.name]);
    await mustPulumi("operator-2-init", ["stack", "init", topology.stack], operators[1]);
    for (const [index, env] of operators.entries())
      await mustPulumi(`operator-${String(index + 1)}-adopts`, up, env);
    listServers(topology, servers);
    editStack(topology, ["triad:pauseAfter"], second);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("do it one after the other", async () => {
    const said = await Promise.all(
      operators.map((env, index) => mustPulumi(`operator-${String(index + 1)}-grows`, up, env)),
    );
    const times = (pattern: RegExp): number => said.join("\n").match(pattern)?.length ?? 0;
    assert.equal(times(/which copies SQLite to etcd/g), isK3s ? 1 : 0);
    assert.equal(times(/joining as a server/g), 1);
    assert.ok(times(/waiting for \S+@/g) > 0, "neither waited for the other");
  });

  it("and both stop after the machine that pauseAfter names, with two voters", async () => {
    for (const server of [initial.name, second])
      assert.deepEqual(await readEtcd(topology, server), { voters: 2, learners: 0 });
    const asBefore = isK3s
      ? "systemctl is-active k3s-agent && ! test -e /var/lib/rancher/k3s/server"
      : "! test -e /etc/kubernetes/kubelet.conf";
    await shell(third, asBefore);
    const before = await runningSince(topology);
    const said = await mustPulumi("paused", up);
    assert.match(said, /pauseAfter/);
    assert.deepEqual(await runningSince(topology), before);
  });
});

async function mustPulumi(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { exitCode, output } = await pulumi(topology, name, args, env);
  assert.equal(exitCode, 0, output);
  return output;
}
