import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { field } from "./support/field.ts";
import { FakeRoot } from "./support/fakeRoot.ts";
import type { Run } from "./support/runScript.ts";
import { runScript } from "./support/runScript.ts";

/** The real BIND 9 as a plain process on a high port of loopback. */
describe("scripts/dns-record.sh", function () {
  this.timeout(30_000);
  this.slow(3000);

  // BIND listens on addresses of interfaces only; an own port, so that two runs do not meet.
  const server = "127.0.0.1";
  const port = String(20_000 + Math.floor(Math.random() * 10_000));
  const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";
  const name = "k8s-apiserver.homelab.test";
  const variables = {
    DNS_SERVER: server,
    DNS_PORT: port,
    ZONE: "homelab.test",
    NAME: name,
    ADDRESS: "10.0.20.99",
    TTL: "60",
    TSIG_NAME: "triad",
    TSIG_ALGORITHM: "hmac-sha256",
    TSIG_SECRET: secret,
  };
  let bind: FakeRoot;
  let named: ChildProcess;
  let root: FakeRoot;

  before(async () => {
    bind = new FakeRoot();
    bind.write(
      "named.conf",
      `options { directory "${bind.root}"; listen-on port ${port} { ${server}; }; listen-on-v6 { none; };
        pid-file "${bind.root}/named.pid"; session-keyfile "${bind.root}/session.key"; recursion no; dnssec-validation no; };
      controls { };
      key "triad" { algorithm hmac-sha256; secret "${secret}"; };
      key "stranger" { algorithm hmac-sha256; secret "${secret}"; };
      zone "homelab.test" { type primary; file "${bind.root}/zone"; update-policy { grant triad zonesub ANY; }; };
      zone "readonly.test" { type primary; file "${bind.root}/readonly"; };`,
    );
    const zone = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 10.0.20.53\n";
    bind.write("zone", zone);
    bind.write("readonly", zone);
    named = spawn("named", ["-f", "-L", bind.at("log"), "-c", bind.at("named.conf")], {
      stdio: "ignore",
    });
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (dig("SOA", "homelab.test") !== "") return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail(`named does not answer: ${bind.read("log")}`);
  });
  after(async () => {
    if (named.exitCode === null) {
      const ended = new Promise((resolve) => named.on("exit", resolve));
      named.kill("SIGKILL");
      await ended;
    }
    bind.remove();
  });

  beforeEach(() => {
    root = new FakeRoot();
    nsupdate(`update delete ${name}.`);
  });
  afterEach(() => {
    root.remove();
  });

  function dig(type: string, question = name): string {
    const { stdout } = spawnSync(
      "dig",
      [
        `@${server}`,
        "-p",
        port,
        "+norecurse",
        "+noall",
        "+answer",
        "+time=1",
        "+tries=1",
        question,
        type,
      ],
      { encoding: "utf8" },
    );
    return stdout
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith(";"))
      .map((line) => line.split(/\s+/).slice(1).join(" "))
      .sort()
      .join(", ");
  }

  function nsupdate(...statements: string[]): void {
    const input = [
      `server ${server} ${port}`,
      "zone homelab.test.",
      `key hmac-sha256:triad ${secret}`,
      ...statements,
      "send",
      "",
    ].join("\n");
    execFileSync("nsupdate", { input });
  }

  async function script(verb: string, changes: Record<string, string> = {}): Promise<Run> {
    return await runScript("dns-record.sh", verb, { ...variables, ...changes }, root);
  }

  async function succeed(verb: string, changes: Record<string, string> = {}): Promise<unknown> {
    const run = await script(verb, changes);
    assert.equal(run.exitCode, 0, run.stderr);
    return run.result;
  }

  it("sets the record, and leaves it alone when it is right", async () => {
    assert.deepEqual(await succeed("ensure"), { changed: true, address: "10.0.20.99" });
    assert.equal(dig("A"), "60 IN A 10.0.20.99");
    const serial = dig("SOA", "homelab.test");
    assert.deepEqual(await succeed("ensure"), { changed: false, address: "10.0.20.99" });
    assert.equal(dig("SOA", "homelab.test"), serial);
    assert.deepEqual(await succeed("check"), {
      changed: false,
      correct: true,
      answer: "60 A 10.0.20.99",
    });
  });

  for (const [what, statement] of [
    ["an old address", `update add ${name}. 300 A 10.0.20.100`],
    [
      "a second address",
      `update add ${name}. 60 A 10.0.20.99\nupdate add ${name}. 60 A 10.0.20.100`,
    ],
    ["an AAAA record", `update add ${name}. 60 A 10.0.20.99\nupdate add ${name}. 60 AAAA fd00::1`],
    ["a CNAME", `update add ${name}. 300 CNAME ns.homelab.test.`],
    ["another TTL", `update add ${name}. 300 A 10.0.20.99`],
  ] as const) {
    it(`replaces ${what} of the same name`, async () => {
      nsupdate(statement, `update add neighbour.homelab.test. 60 A 10.0.20.7`);
      assert.equal(field(await succeed("check"), "correct"), false);
      assert.deepEqual(await succeed("ensure"), { changed: true, address: "10.0.20.99" });
      assert.equal(dig("A"), "60 IN A 10.0.20.99");
      assert.equal(dig("AAAA"), "");
      assert.equal(dig("CNAME"), "");
      assert.equal(dig("A", "neighbour.homelab.test"), "60 IN A 10.0.20.7");
    });
  }

  it("leaves other records of the name alone", async () => {
    nsupdate(`update add ${name}. 60 TXT "kept"`);
    await succeed("ensure");
    assert.equal(dig("TXT"), '60 IN TXT "kept"');
  });

  it("stays, unless all is wiped: then it takes away its own record, and only that", async () => {
    await succeed("ensure");
    for (const ON_DESTROY of ["", "leave", "forget"]) {
      assert.deepEqual(await succeed("remove", { ON_DESTROY }), { changed: false, kept: true });
    }
    assert.notEqual(dig("A"), "");
    const wipe = { ON_DESTROY: "wipe" };
    assert.deepEqual(await succeed("remove", wipe), { changed: true });
    assert.equal(dig("A"), "");
    assert.deepEqual(await succeed("remove", wipe), { changed: false });
    nsupdate(`update add ${name}. 60 A 10.0.20.100`);
    assert.deepEqual(await succeed("remove", wipe), { changed: false });
    assert.equal(dig("A"), "60 IN A 10.0.20.100");
  });

  it("says what is wrong with the key, without telling it", async () => {
    for (const [changes, complaint] of [
      [{ TSIG_SECRET: "d3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmc=" }, /refused the update .*BADSIG/],
      [{ TSIG_NAME: "nobody" }, /refused the update .*BADKEY/],
      [{ TSIG_NAME: "stranger" }, /refused the update .*REFUSED/],
      [{ ZONE: "readonly.test", NAME: "x.readonly.test" }, /refused the update .*REFUSED/],
    ] as const) {
      const { exitCode, stderr } = await script("ensure", changes);
      assert.equal(exitCode, 1);
      assert.match(stderr, complaint);
      assert.doesNotMatch(stderr, /c2VjcmV0|d3Jvbmc/);
    }
    assert.equal(dig("A"), "");
  });

  it("keeps the key out of every command line", async () => {
    for (const command of ["nsupdate", "dig"])
      root.recorded(command, `exec /usr/bin/${command} "$@"`);
    await succeed("ensure");
    assert.ok(root.calls("nsupdate").length > 0 && root.calls("dig").length > 0);
    assert.doesNotMatch([...root.calls("nsupdate"), ...root.calls("dig")].join("\n"), /c2VjcmV0/);
  });

  it("ends with a reason when the server is silent or refuses, or the values make no sense", async () => {
    for (const [changes, complaint] of [
      [{ DNS_PORT: "19" }, /does not answer for/],
      [
        { ZONE: "elsewhere.test", NAME: "x.elsewhere.test" },
        /does not answer for x\.elsewhere\.test: .*REFUSED/,
      ],
      [{ NAME: "x.other.test" }, /x\.other\.test is not in the zone homelab\.test/],
      [{ TTL: "60\nupdate delete ns.homelab.test." }, /a character that none may hold/],
    ] as const) {
      const { exitCode, stderr } = await script("ensure", changes);
      assert.equal(exitCode, 1, JSON.stringify(changes));
      assert.match(stderr, complaint);
    }
  });
});
