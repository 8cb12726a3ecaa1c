import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readSamples } from "../../lab/measure/sample.ts";
import type { Sample } from "../../lab/measure/sample.ts";
import { makeCertificates, serve } from "./tlsServer.ts";

const measure = join(import.meta.dirname, "../../lab/measure");

describe("probe and writer", function () {
  this.timeout(20_000);
  const { folder, kubeconfig } = makeCertificates("127.0.0.1");
  after(() => rmSync(folder, { recursive: true }));

  /** Runs a program until its samples are `enough`; a busy computer may take its time. */
  const run = async (
    program: string,
    server: string,
    endpoint: string,
    enough: (samples: Sample[]) => boolean,
  ): Promise<Sample[]> => {
    const out = join(folder, `${program}-${Date.now()}.jsonl`);
    const options = { kubeconfig, server, endpoint, out };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const child = spawn(process.execPath, [join(measure, `${program}.ts`), ...args], {
      stdio: ["pipe", "inherit", "inherit"],
    });
    const exited = once(child, "exit");
    while (!existsSync(out) || !enough(readSamples(out))) await sleep(20);
    child.stdin.end();
    assert.deepEqual(await exited, [0, null]);
    return readSamples(out);
  };

  it("asks ten times a second, each time anew, and moves to the endpoint for good once it answers", async () => {
    const connections = new Set<number | undefined>();
    let endpointIsUp = false;
    let endpointAnswers = 200;
    const server = await serve(folder, "127.0.0.1", (request, response) => {
      connections.add(request.socket.remotePort);
      response.end("ok");
    });
    const endpoint = await serve(folder, "127.0.0.1", (_, response) => {
      response.writeHead(endpointIsUp ? endpointAnswers : 503).end();
    });
    const samples = await run("probe", server.address, endpoint.address, (seen) => {
      if (seen.length > 5) endpointIsUp = true;
      const there = seen.filter(({ target }) => target === endpoint.address);
      if (there.length > 5) endpointAnswers = 500;
      return there.at(-1)?.ok === false;
    });
    server.close();
    endpoint.close();
    const toServer = samples.filter(({ target }) => target === server.address);
    const toEndpoint = samples.filter(({ target }) => target === endpoint.address);
    assert.ok(toServer.length > 5 && toServer.every(({ ok }) => ok));
    assert.equal(connections.size, toServer.length);
    assert.ok(toEndpoint.length > 5 && toEndpoint.some(({ ok }) => ok));
    assert.equal(toEndpoint.at(-1)?.problem, "status 500");
    assert.deepEqual(samples, [...toServer, ...toEndpoint]);
    // A busy computer notes a start late, so that the next one seems early: the pace holds over all of them.
    const tookMs = (samples.at(-1)?.startMs ?? 0) - (samples[0]?.startMs ?? 0);
    assert.ok(tookMs >= 95 * (samples.length - 1));
  });

  it("counts as failed what takes over a second, and what is not the cluster's", async () => {
    const silent = await serve(folder, "127.0.0.1", () => undefined);
    const stranger = makeCertificates("127.0.0.1");
    const impostor = await serve(
      stranger.folder,
      "127.0.0.1",
      (_, response) => void response.end(),
    );
    const slow = await run("probe", silent.address, "127.0.0.1:1", (seen) => seen.length > 1);
    const wrong = await run("probe", impostor.address, "127.0.0.1:1", (seen) => seen.length > 2);
    silent.close();
    impostor.close();
    rmSync(stranger.folder, { recursive: true });
    for (const { ok, startMs, endMs } of slow) {
      assert.ok(!ok && endMs - startMs >= 990);
    }
    assert.ok(wrong.every(({ ok }) => !ok));
  });

  it("writes at least five objects a second and remembers those acknowledged", async () => {
    const names: unknown[] = [];
    const server = await serve(folder, "127.0.0.1", async (request, response) => {
      const chunks = await request.toArray();
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      const refused = names.length === 4;
      names.push(body);
      response.writeHead(refused ? 500 : 201).end("{}");
    });
    const writes = await run("writer", server.address, "127.0.0.1:1", (seen) => {
      return seen.length > 15;
    });
    server.close();
    assert.equal(writes.length, names.length - 1);
    assert.equal(writes.filter(({ ok }) => !ok).length, 1);
    assert.equal(new Set(writes.map(({ name }) => name)).size, writes.length);
    // More than five a second: usually the next begins as soon as its turn has come.
    const late = writes.slice(1).map(({ startMs }, index) => {
      const last = writes[index];
      return startMs - Math.max((last?.startMs ?? 0) + 125, last?.endMs ?? 0);
    });
    assert.ok((late.toSorted((one, other) => one - other)[7] ?? 0) < 75);
  });
});
