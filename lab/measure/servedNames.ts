/**
 * Prints, as JSON, the alternative names of the certificates that are served now at the addresses given as
 * HOST:PORT. Runs inside the lab's network namespace.
 */
import { once } from "node:events";
import { connect } from "node:tls";

const names: Record<string, string> = {};
for (const address of process.argv.slice(2)) {
  const { hostname: host, port } = new URL(`https://${address}`);
  // Looking at a certificate is all that is done here; whether clients trust it, the probe shows.
  const options = { host, port: Number(port), rejectUnauthorized: false, timeout: 5000 };
  const socket = connect(options);
  socket.on("timeout", () => socket.destroy(new Error(`${address} is silent`)));
  await once(socket, "secureConnect");
  names[address] = socket.getPeerCertificate().subjectaltname ?? "";
  socket.destroy();
}
console.log(JSON.stringify(names));
