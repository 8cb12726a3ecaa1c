import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { field } from "./support/field.ts";
import { HaproxyBench } from "./support/haproxyBench.ts";

const [token, another] = ["eyJhbGciOiJSUzI1NiJ9.first-One_.sig", "eyJhbGciOiJSUzI1NiJ9.next.sig"];

/** Servers that answer strangers 401, as k3s's do. */
describe("scripts/haproxy.sh: credential", function () {
  this.timeout(40_000);
  this.slow(5000);
  // What is waited for here takes its time by the clock, however busy the computer is.
  this.retries(2);

  let bench: HaproxyBench;
  beforeEach(async () => {
    bench = new HaproxyBench();
    await bench.start();
    accept(token);
  });
  afterEach(async () => {
    await bench.stop();
  });

  function accept(accepted: string): void {
    for (const api of Object.values(bench.apis)) api.token = accepted;
  }

  const ensure = async (): Promise<unknown> => await bench.succeed("ensure", { CHECK: "token" });
  // As an act gives it, which knows no other variable.
  const variables = (given: string): Record<string, string> => ({
    ...Object.fromEntries(Object.keys(bench.variables).map((name) => [name, ""])),
    TOKEN: given,
    CA: bench.apis.a.authority,
    BACKEND_PORT: bench.variables.BACKEND_PORT,
  });
  const credential = async (given = token): Promise<unknown> =>
    await bench.succeed("credential", variables(given));

  it("writes the whole configuration, for the real HAProxy to accept and for nobody else to read", async () => {
    await ensure();
    await credential();
    const golden = new URL("./golden/haproxy-credential.cfg", import.meta.url);
    if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(golden, bench.configuration());
    assert.equal(bench.configuration(), readFileSync(golden, "utf8"));
    const files = ["haproxy.cfg", "triad-readiness.ca", "triad-readiness.token"];
    assert.deepEqual(readdirSync(bench.root.at("etc/haproxy")), files);
    for (const file of files) {
      assert.equal(statSync(bench.root.at(`etc/haproxy/${file}`)).mode & 0o777, 0o640);
    }
  });

  it("before it has come, lets everyone in who runs; then only who is ready", async () => {
    bench.apis.b.ready = false;
    await bench.apis.b.start();
    await ensure();
    await bench.succeed("enable", { SERVER: "b" });
    assert.equal(await bench.answering(), "ab");
    await credential();
    await bench.settle("a ready UP, b ready DOWN, c disabled DOWN");
    assert.equal(await bench.answering(), "a");
    bench.apis.b.ready = true;
    assert.equal(field(await bench.succeed("enable", { SERVER: "b" }), "state"), "UP");
    assert.equal(await bench.answering(), "ab");
  });

  it("comes without a failed question, and everybody stays in use", async () => {
    await bench.apis.b.start();
    await ensure();
    const failures = await bench.failuresDuring(async () => {
      await credential();
      assert.equal(await bench.states(), "a ready UP, b ready UP, c disabled DOWN");
      await new Promise((resolve) => setTimeout(resolve, 2000));
    });
    assert.deepEqual(failures, []);
    assert.doesNotMatch(bench.log(), /is DOWN, reason/);
    assert.equal(bench.reloads(), 1);
  });

  it("changes nothing when it comes again, nor when the list is ensured; a new one reloads", async () => {
    await ensure();
    assert.deepEqual(await credential(), { changed: true });
    assert.deepEqual(await credential(), { changed: false });
    assert.deepEqual(await ensure(), { changed: false });
    assert.equal(field(await bench.succeed("check", { CHECK: "token" }), "current"), true);
    assert.equal(bench.reloads(), 1);
    accept(another);
    assert.deepEqual(await credential(another), { changed: true });
    assert.equal(bench.reloads(), 2);
    // Health lags behind by two questions at most.
    await bench.settle("a ready UP, b disabled DOWN, c disabled DOWN");
    assert.deepEqual(await ensure(), { changed: false });
  });

  it("is refused, and nothing changed, when no server accepts it", async () => {
    await ensure();
    await credential();
    const before = bench.configuration();
    const { exitCode, stderr } = await bench.script("credential", variables(another));
    assert.equal(exitCode, 1);
    assert.match(stderr, /no server accepts the token: a answers 401/);
    assert.doesNotMatch(stderr, /eyJ/);
    assert.equal(bench.configuration(), before);
    assert.equal(bench.root.read("etc/haproxy/triad-readiness.token"), `${token}\n`);
    const odd = await bench.script("credential", variables('x" \n    server evil 1.2.3.4:1'));
    assert.match(odd.stderr, /TOKEN is not a bearer token/);
  });

  it("is of no use where strangers may ask", async () => {
    await bench.succeed("ensure");
    const { exitCode, stderr } = await bench.script("credential", variables(token));
    assert.equal(exitCode, 1);
    assert.match(stderr, /asks servers without a token/);
  });

  it("is shown to no other process, no log and no server with a stranger's certificate", async () => {
    const commands = ["awk", "base64", "curl", "haproxy", "install", "sed", "sha256sum", "socat"];
    for (const command of [...commands, "cat", "cmp", "mv", "grep"]) {
      bench.root.recorded(command, `PATH=/usr/sbin:/usr/bin:/sbin:/bin exec ${command} "$@"`);
    }
    bench.apis.b.owner = "somebody-else";
    bench.apis.b.token = undefined;
    await bench.apis.b.start();
    await ensure();
    await bench.succeed("enable", { SERVER: "b" });
    const run = await bench.script("credential", variables(token));
    assert.equal(run.exitCode, 0, run.stderr);
    await bench.settle("a ready UP, b ready DOWN, c disabled DOWN");
    const asked = await bench.script("enable", { SERVER: "b", READY_SECONDS: "1" });
    assert.match(asked.stderr, /\/readyz: 000 .*certificate/);
    assert.deepEqual([...bench.apis.b.authorizations], []);
    assert.deepEqual([...bench.apis.a.authorizations], [`Bearer ${token}`]);
    const noted = readdirSync(bench.root.at("calls"));
    assert.ok(noted.includes("curl") && noted.includes("haproxy"));
    const calls = noted.flatMap((command) => bench.root.calls(command));
    const seen = [run.stdout, run.stderr, asked.stderr, bench.log(), ...calls].join("\n");
    assert.doesNotMatch(seen, /eyJ/);
  });

  it("that is no longer accepted leaves nobody without a server, and a new one heals", async () => {
    await bench.apis.b.start();
    await ensure();
    await credential();
    accept(another);
    await bench.settle("a ready DOWN, b ready DOWN, c disabled DOWN");
    assert.equal(await bench.answering(), "ab");
    await credential(another);
    await bench.settle("a ready UP, b ready UP, c disabled DOWN");
  });

  it("goes with HAProxy, and when strangers may ask again", async () => {
    await ensure();
    await credential();
    const kept = (): boolean =>
      ["token", "ca"].some((end) =>
        existsSync(bench.root.at(`etc/haproxy/triad-readiness.${end}`)),
      );
    await bench.succeed("ensure", { CHECK: "anonymous" });
    assert.equal(kept(), false);
    await ensure();
    await credential();
    assert.equal(kept(), true);
    await bench.succeed("remove");
    assert.deepEqual([kept(), existsSync(bench.root.at("etc/haproxy"))], [false, false]);
  });

  it("refuses to drain the last server, with a token and without", async () => {
    await ensure();
    for (const before of [true, false]) {
      const { stderr } = await bench.script("drain", { SERVER: "a" });
      assert.match(stderr, /a is the only server that takes connections here/);
      if (before) await credential();
    }
  });
});
