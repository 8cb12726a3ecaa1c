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

const keyPairs = new Map<string, KeyPair>();

/** A certificate that is its own authority, with the name that every API server has; one for each owner. */
function selfSigned(owner: string): KeyPair {
  const known = keyPairs.get(owner);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), "triad-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${owner} -addext subjectAltName=DNS:kubernetes -keyout ${key} -out ${cert}`.split(
      " ",
    ),
    { stdio: "ignore" },
  );
  const made = { key: readFileSync(key), cert: readFileSync(cert) };
  keyPairs.set(owner, made);
  rmSync(folder, { recursive: true });
  return made;
}

/** Answers /readyz over TLS as an API server does, /ping as k3s does, with its name on any other path. */
export class ApiDouble {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Whether /readyz answers 200; without etcd only when it is excluded from the question. */
  ready = true;
  etcd = true;
  /** The only bearer token to which /readyz answers, as on k3s; none if anybody may ask. */
  token: string | undefined;
  /** What came as Authorization. */
  readonly authorizations = new Set<string>();
  /** Whose certificate it shows; the cluster's servers have one authority. */
  owner = "kube-apiserver";
  /** How long an answer takes, in ms. */
  delayMs = 0;
  /** How long a client waits for the TLS handshake after its connection was accepted, in ms. */
  handshakeDelayMs = 0;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  /** As PEM; what shows a certificate of another owner is a stranger. */
  get authority(): string {
    return selfSigned(this.owner).cert.toString().trim();
  }

  constructor(name: string, address: string, port: number) {
    this.name = name;
    this.address = address;
    this.port = port;
  }

  async start(): Promise<void> {
    const api = createApi(selfSigned(this.owner), (request, response) => {
      const { authorization } = request.headers;
      if (authorization !== undefined) this.authorizations.add(authorization);
      const status = this.#status(request.url ?? "", authorization);
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

  #status(url: string, authorization: string | undefined): number {
    if (!url.startsWith("/readyz")) return 200;
    if (this.token !== undefined && authorization !== `Bearer ${this.token}`) return 401;
    return this.ready && (this.etcd || url.includes("exclude=etcd")) ? 200 : 500;
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
