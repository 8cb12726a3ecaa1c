import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readSamples } from "../../lab/measure/sample.ts";
import { makeCertificates, serve } from "./tlsServer.ts";

const measure = join(import.meta.dirname, "../../lab/measure");

describe("probe and writer", function () {
  this.timeout(20_000);
  const { folder, kubeconfig } = makeCertificates("127.0.0.1");
  after(() => rmSync(folder, { recursive: true }));

  const run = async (
    program: string,
    server: string,
    endpoint: string,
    during: () => Promise<void>,
  ) => {
    const out = join(folder, `${program}-${Date.now()}.jsonl`);
    const args = [
      "--kubeconfig",
      kubeconfig,
      "--server",
      server,
      "--endpoint",
      endpoint,
      "--out",
      out,
    ];
    const child = spawn(process.execPath, [join(measure, `${program}.ts`), ...args], {
      stdio: ["pipe", "inherit", "inherit"],
    });
    const exited = once(child, "exit");
    await during();
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
    const samples = await run("probe", server.address, endpoint.address, async () => {
      await sleep(1500);
      endpointIsUp = true;
      await sleep(500);
      endpointAnswers = 500;
      await sleep(500);
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
    for (const [index, { startMs }] of samples.slice(1).entries()) {
      assert.ok(startMs - (samples[index]?.startMs ?? 0) >= 98);
    }
  });

  it("counts as failed what takes over a second, and what is not the cluster's", async () => {
    const silent = await serve(folder, "127.0.0.1", () => undefined);
    const stranger = makeCertificates("127.0.0.1");
    const impostor = await serve(
      stranger.folder,
      "127.0.0.1",
      (_, response) => void response.end(),
    );
    const slow = await run("probe", silent.address, "127.0.0.1:1", () => sleep(1800));
    const wrong = await run("probe", impostor.address, "127.0.0.1:1", () => sleep(800));
    silent.close();
    impostor.close();
    rmSync(stranger.folder, { recursive: true });
    assert.ok(slow.length > 0 && wrong.length > 0);
    for (const { ok, startMs, endMs } of slow) {
      assert.ok(!ok && endMs - startMs >= 990 && endMs - startMs < 1300);
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
    const writes = await run("writer", server.address, "127.0.0.1:1", () => sleep(3000));
    server.close();
    assert.equal(writes.length, names.length - 1);
    assert.equal(writes.filter(({ ok }) => !ok).length, 1);
    assert.equal(new Set(writes.map(({ name }) => name)).size, writes.length);
    const seconds = ((writes.at(-1)?.startMs ?? 0) - (writes[0]?.startMs ?? 0)) / 1000;
    assert.ok(writes.length / seconds > 5);
  });
});
