import { readFileSync, writeFileSync } from "node:fs";
import { editStack, listServers } from "../measure/serverList.ts";
import { stackFileOf } from "../stackFile.ts";
import { expectRefusal, initial, keepLogsOfFailures, servers, shell, topology } from "./support.ts";

const stale = "/var/lib/rancher/k3s/server/db/etcd";

describe("what would lose the data of SQLite is refused before anything is changed", function () {
  this.timeout("5m");
  keepLogsOfFailures();
  let good: string;

  before(() => {
    listServers(topology, servers);
    good = readFileSync(stackFileOf(topology), "utf8");
  });
  afterEach(() => writeFileSync(stackFileOf(topology), good));

  it("a version whose conversion is broken, naming the one to take", async () => {
    editStack(topology, ["triad:version"], "v1.33.1+k3s1");
    await expectRefusal(/v1\.33\.1\+k3s1/, /v1\.33\.2\+k3s1/);
  });

  it("another version than the one that runs, naming both", async () => {
    editStack(topology, ["triad:version"], "v1.34.3+k3s1");
    await expectRefusal(new RegExp(initial.name), /v1\.34\.3\+k3s1/, /v1\.34\.2\+k3s1/);
  });

  it("etcd's files of an earlier attempt, naming them", async () => {
    await shell(initial.name, `mkdir -p ${stale}/member/wal && touch ${stale}/member/wal/0.wal`);
    try {
      await expectRefusal(new RegExp(initial.name), new RegExp(stale));
    } finally {
      await shell(initial.name, `rm -r ${stale}`);
    }
  });
});
