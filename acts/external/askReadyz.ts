import { get } from "node:https";
import { TLSSocket } from "node:tls";
import { reasonOf } from "../reasonOf.ts";

/** What came back on one new connection. */
export interface Answer {
  /** SHA-256 of the certificate that was shown. Each of kubeadm's servers has a certificate of its own. */
  readonly fingerprint: string;
  /** The names and addresses in it. */
  readonly names: readonly string[];
  /** Who signed it, as one line. */
  readonly issuer: string;
  /** HTTP status of `/readyz`, which kubeadm's servers tell anybody. */
  readonly status: number;
}

const limitMs = 3_000;

/**
 * Asks `/readyz` on a connection of its own, so that a balancer chooses anew. No secret is sent, so whoever answers may:
 * who it was is told by the certificate.
 *
 * @throws Error with the reason when nobody answers within 3 s
 */
export async function askReadyz(address: string, port: number): Promise<Answer> {
  try {
    return await ask(address, port);
  } catch (error) {
    throw isTimeUp(error) ? new Error(`no answer within ${limitMs / 1_000} s`) : error;
  }
}

function ask(host: string, port: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(limitMs);
    const options = {
      host,
      port,
      path: "/readyz",
      agent: false,
      rejectUnauthorized: false,
      signal,
    };
    const request = get(options, (response) => {
      const { socket, statusCode = 0 } = response;
      const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
      response.resume();
      if (shown === undefined) return reject(new Error("it showed no certificate"));
      resolve({
        fingerprint: shown.fingerprint256,
        names: namesIn(shown.subjectAltName ?? ""),
        issuer: shown.issuer.replaceAll("\n", ", "),
        status: statusCode,
      });
    });
    request.on("error", (error) => reject(new Error(reasonOf(error), { cause: error })));
  });
}

/** As Node writes them: `DNS:kubernetes, IP Address:10.0.20.100`. */
function namesIn(text: string): string[] {
  return text.split(", ").flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? []);
}

function isTimeUp(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && ["AbortError", "TimeoutError"].includes(cause.name);
}
