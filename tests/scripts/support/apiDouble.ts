import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createApi } from "node:https";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface KeyPair {
  readonly key: Buffer;
  readonly cert: Buffer;
}

let keyPair: KeyPair | undefined;

function selfSigned(): KeyPair {
  if (keyPair !== undefined) return keyPair;
  const folder = mkdtempSync(join(tmpdir(), "triad-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=kube-apiserver -keyout ${key} -out ${cert}`.split(
      " ",
    ),
    { stdio: "ignore" },
  );
  keyPair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return keyPair;
}

/** Answers /readyz over TLS as an API server does, with its name on any other path. */
export class ApiDouble {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Whether /readyz answers 200; without etcd only when it is excluded from the question. */
  ready = true;
  etcd = true;
  /** How long an answer takes, in ms. */
  delayMs = 0;
  /** How long a client waits for the TLS handshake after its connection was accepted, in ms. */
  handshakeDelayMs = 0;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(name: string, address: string, port: number) {
    this.name = name;
    this.address = address;
    this.port = port;
  }

  async start(): Promise<void> {
    const api = createApi(selfSigned(), (request, response) => {
      const url = request.url ?? "";
      const ok = this.ready && (this.etcd || url.includes("exclude=etcd"));
      const status = url.startsWith("/readyz") && !ok ? 500 : 200;
      setTimeout(() => response.writeHead(status).end(this.name), this.delayMs);
    });
    api.on("tlsClientError", () => undefined);
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
      setTimeout(() => api.emit("connection", socket), this.handshakeDelayMs);
    });
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject);
      server.listen(this.port, this.address, resolve);
    });
    this.#server = server;
  }

  /** Dies at once, as by SIGKILL. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    await new Promise((resolve) => {
      server.close(resolve);
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}
