import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";

/** A folder with a throw-away authority, a server's certificate for `address`, and a kubeconfig of its client. */
export function makeCertificates(address: string): { folder: string; kubeconfig: string } {
  const folder = mkdtempSync(join(tmpdir(), "triad-tls-"));
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const pair = (name: string) => [
    "-newkey",
    "ed25519",
    "-nodes",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.crt`,
  ];
  openssl("req", "-x509", ...pair("ca"), "-subj", "/CN=ca", "-days", "1");
  for (const [name, names] of Object.entries({ server: `IP:${address}`, client: "DNS:client" })) {
    const by = ["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", `subjectAltName=${names}`];
    openssl("req", "-x509", ...pair(name), "-subj", `/CN=${name}`, "-days", "1", ...by);
  }
  const data = (file: string) => readFileSync(join(folder, file)).toString("base64");
  const kubeconfig = join(folder, "admin.conf");
  const user = {
    "client-certificate-data": data("client.crt"),
    "client-key-data": data("client.key"),
  };
  const cluster = { "certificate-authority-data": data("ca.crt") };
  writeFileSync(kubeconfig, stringify({ clusters: [{ cluster }], users: [{ user }] }));
  return { folder, kubeconfig };
}

/** Serves `listener` with TLS on a free port of `address`, to clients that show a certificate. */
export async function serve(
  folder: string,
  address: string,
  listener: RequestListener,
): Promise<{ address: string; close: () => void }> {
  const pem = (file: string) => readFileSync(join(folder, file), "utf8");
  const server = createServer(
    {
      key: pem("server.key"),
      cert: pem("server.crt"),
      ca: pem("ca.crt"),
      requestCert: true,
      rejectUnauthorized: true,
    },
    listener,
  );
  server.listen(0, address);
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("not a TCP server");
  return { address: `${address}:${bound.port}`, close: () => server.close() };
}
