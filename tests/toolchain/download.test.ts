import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { download } from "../../tools/toolchain/download.ts";

describe("a release's download", () => {
  let folder: string;
  let server: Server;
  let origin: string;
  let served: Map<string, Buffer | string>;
  let asked: string[];

  const checksum = (content: Buffer | string): string =>
    createHash("sha256").update(content).digest("hex");

  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      const content = served.get(request.url ?? "");
      response.writeHead(content === undefined ? 404 : 200).end(content);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    origin = `http://127.0.0.1:${address.port}`;
  });
  after(() => server.close());

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "triad-download-"));
    await writeFile(join(folder, "lock.json"), "{}");
    await writeFile(join(folder, "program"), "the program");
    await execa("tar", ["-czf", "tool-v1.tar.gz", "program"], { cwd: folder });
    const archive = await readFile(join(folder, "tool-v1.tar.gz"));
    const list = `${checksum("other")}  other.tar.gz\n${checksum(archive)}  ./tool-v1.tar.gz\n`;
    served = new Map<string, Buffer | string>([
      ["/tool-v1.tar.gz", archive],
      ["/sums", list],
    ]);
    asked = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const fetchTool = (name = "tool", base = origin): ReturnType<typeof download> =>
    download(
      { name, version: "1", url: `${base}/tool-v1.tar.gz`, sums: `${base}/sums` },
      undefined,
      { cache: folder, lockFile: join(folder, "lock.json") },
    );

  it("is unpacked into the cache, and its checksum written into the lock file at first use", async () => {
    const { folder: unpacked } = await fetchTool();
    assert.equal(await readFile(join(unpacked ?? "", "program"), "utf8"), "the program");
    const lock: unknown = JSON.parse(await readFile(join(folder, "lock.json"), "utf8"));
    const sha256 = checksum(served.get("/tool-v1.tar.gz") ?? "");
    assert.deepEqual(lock, { "tool-v1.tar.gz": { sha256, source: `${origin}/sums` } });
  });

  it("asks nobody a second time", async () => {
    await fetchTool();
    asked = [];
    await fetchTool();
    assert.deepEqual(asked, []);
  });

  it("is refused when it differs from the lock file, whatever the release's own list says now", async () => {
    await fetchTool();
    const other = Buffer.from("another archive");
    served.set("/tool-v1.tar.gz", other);
    served.set("/sums", `${checksum(other)}  tool-v1.tar.gz\n`);
    await assert.rejects(fetchTool("again"), /its SHA-256 is .* was expected/);
    await assert.rejects(access(join(folder, "releases/again-1")));
  });

  it("is passed over, with the reason, when the release lists no checksum of it", async () => {
    served.set("/sums", "");
    assert.deepEqual(await fetchTool(), {
      reason: `${origin}/sums has no checksum of tool-v1.tar.gz`,
    });
    assert.equal(await readFile(join(folder, "lock.json"), "utf8"), "{}");
  });

  it("is passed over at once when its host is out of reach", async () => {
    assert.deepEqual(await fetchTool("tool", "http://127.0.0.1:1"), {
      reason: "127.0.0.1:1 is out of reach",
    });
  });
});
