import { execFileSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A server with a certificate of its own, which answers `/readyz` with the status that is set. */
export interface ApiDouble {
  readonly name: string;
  readonly address: string;
  status: number;
  /** How late it takes up a connection that was made, in ms, as a busy server does. */
  lateMs: number;
  /** How often it was asked. */
  asked: number;
}

/** Passes connections on as HAProxy does in mode tcp, to its backends in turn. */
export interface BalancerDouble {
  readonly endpoint: { readonly address: string; readonly port: number };
  /** Addresses of machines that get the next connections; with none they are ended at once. */
  backends: readonly string[];
}

/** What runs in a test, and is ended after it. */
export class Scene {
  readonly #folder = mkdtempSync(join(tmpdir(), "triad-endpoint-"));
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #apis = new Map<ApiDouble, Server>();

  /** The port of the API on every machine of the scene, as it is the same on all. */
  apiPort = 0;
  /** Tells `refused` of each connection that is ended at once. */
  readonly refusals = new EventEmitter();

  /** @param names the subject alternative names of its certificate besides the address, as openssl writes them */
  async api(name: string, address: string, ...names: readonly string[]): Promise<ApiDouble> {
    const double: ApiDouble = { name, address, status: 200, lateMs: 0, asked: 0 };
    const pair = this.#pair(name, [`IP:${address}`, ...names]);
    const https = createHttps(pair, (_request, response) => {
      double.asked += 1;
      response.writeHead(double.status).end("ok");
    });
    const door = createServer((socket) => {
      this.#keep(socket);
      setTimeout(() => https.emit("connection", socket), double.lateMs);
    });
    this.apiPort = await this.#listen(door, address, this.apiPort);
    this.#apis.set(double, door);
    return double;
  }

  /** Nobody listens there any more. */
  async stop(api: ApiDouble): Promise<void> {
    const door = this.#apis.get(api);
    if (door === undefined) throw new Error(`${api.name} is not of this scene`);
    const closed = once(door, "close");
    door.close();
    for (const socket of this.#sockets) {
      if (socket.localAddress === api.address) socket.destroy();
    }
    await closed;
  }

  async balancer(backends: readonly string[]): Promise<BalancerDouble> {
    let turn = 0;
    const server = createServer((client) => {
      this.#keep(client);
      const target = double.backends[turn++ % Math.max(1, double.backends.length)];
      if (target === undefined) {
        this.refusals.emit("refused");
        client.destroy();
        return;
      }
      const backend = this.#keep(connect(this.apiPort, target));
      backend.on("close", () => client.destroy());
      client.on("close", () => backend.destroy());
      client.pipe(backend).pipe(client);
    });
    const port = await this.#listen(server, "127.0.0.1");
    const double: BalancerDouble = { endpoint: { address: "127.0.0.1", port }, backends };
    return double;
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
    rmSync(this.#folder, { recursive: true });
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    // Either side may go at any time.
    return socket.on("error", () => undefined);
  }

  async #listen(server: Server, address: string, port = 0): Promise<number> {
    server.listen(port, address);
    await once(server, "listening");
    this.#servers.push(server);
    const bound: AddressInfo | string | null = server.address();
    if (bound === null || typeof bound === "string") throw new Error("not a TCP server");
    return bound.port;
  }

  #pair(name: string, names: readonly string[]): { key: string; cert: string } {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`, "-subj", `/CN=${name}`];
    const of = ["-newkey", "ed25519", "-nodes", "-days", "1"];
    const extension = ["-addext", `subjectAltName=${names.join(",")}`];
    const options = { cwd: this.#folder, stdio: "pipe" } as const;
    execFileSync("openssl", ["req", "-x509", ...of, ...files, ...extension], options);
    const pem = (file: string): string => readFileSync(join(this.#folder, file), "utf8");
    return { key: pem(`${name}.key`), cert: pem(`${name}.crt`) };
  }
}
