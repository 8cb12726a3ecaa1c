/**
 * The lab's mirror of artifacts, run inside the lab's network namespace:
 * `node mirror.ts ADDRESS PORT IMAGES_FOLDER PATH=FOLDER...`.
 * It serves the files of each FOLDER below PATH, and beside each the `.sha256` that dl.k8s.io has, and images as a
 * registry does, whatever registry's name they bear: containerd tells that name in the query (`?ns=registry.k8s.io`).
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pull
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { manifestType } from "./imageStore.ts";

const [address = "", port = "", images = "", ...served] = process.argv.slice(2);
const folders = served.map((pair) => pair.split("=", 2));
const table = z
  .record(z.string(), z.string())
  .parse(JSON.parse(await readFile(join(images, "references.json"), "utf8")));
const checksums = new Map<string, string>();

createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    process.stderr.write(`${request.url ?? ""}: ${String(error)}\n`);
    response.destroy();
  });
}).listen(Number(port), address);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://mirror");
  const path = decodeURIComponent(url.pathname);
  for (const [prefix = "", folder = ""] of folders) {
    if (!path.startsWith(`${prefix}/`) || path.includes("..")) continue;
    const name = path.slice(prefix.length + 1);
    const sumOf = /^(.*)\.sha256$/.exec(name)?.[1];
    return await serveFile(request, response, join(folder, sumOf ?? name), sumOf !== undefined);
  }
  if (path === "/v2/" || path === "/v2") return sendText(response, 200, "{}");
  const [, repository = "", kind = "", reference = ""] =
    /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
  const digest = reference.startsWith("sha256:")
    ? reference
    : digestOf(repository, reference, url.searchParams.get("ns"));
  if (kind === "" || digest === undefined || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    return sendText(response, 404, '{"errors":[{"code":"NAME_UNKNOWN"}]}');
  }
  response.setHeader("docker-content-digest", digest);
  const type = kind === "manifests" ? manifestType : "application/octet-stream";
  await sendFile(request, response, join(images, "blobs", digest), type);
}

/** A name as containerd asks for it is without its registry, which the query may tell. */
function digestOf(repository: string, tag: string, registry: string | null): string | undefined {
  if (registry !== null) return table[`${registry}/${repository}:${tag}`];
  const found = Object.keys(table).find((name) => name.endsWith(`/${repository}:${tag}`));
  return found === undefined ? undefined : table[found];
}

async function serveFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: string,
  sumOnly: boolean,
): Promise<void> {
  if (!sumOnly) return await sendFile(request, response, file, "application/octet-stream");
  const content = await readFile(file).catch(() => undefined);
  if (content === undefined) return sendText(response, 404, "not found\n");
  const sum = checksums.get(file) ?? createHash("sha256").update(content).digest("hex");
  checksums.set(file, sum);
  sendText(response, 200, sum);
}

async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: string,
  type: string,
): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return sendText(response, 404, "not found\n");
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? "0");
  const partial = from > 0 && from < found.size;
  response.writeHead(partial ? 206 : 200, {
    "content-type": type,
    "content-length": partial ? found.size - from : found.size,
    ...(partial
      ? { "content-range": `bytes ${String(from)}-${String(found.size - 1)}/${String(found.size)}` }
      : {}),
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  await pipeline(createReadStream(file, partial ? { start: from } : {}), response);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(text);
}
