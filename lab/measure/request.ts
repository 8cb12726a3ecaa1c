import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";

/** Who asks, and whom it trusts: PEM texts. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks an API server once, over a connection of its own, and verifies its certificate for the address asked.
 * @throws when no full answer came within `timeoutMs`, connecting included.
 */
export function request(
  target: Target,
  credentials: Credentials,
  timeoutMs: number,
  path: string,
  body?: unknown,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = httpsRequest(
      {
        ...target,
        ...credentials,
        path,
        method: body === undefined ? "GET" : "POST",
        headers: body === undefined ? {} : { "content-type": "application/json" },
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        const status = response.statusCode ?? 0;
        text(response).then((answer) => resolve({ status, body: answer }), reject);
      },
    );
    asking.on("error", reject);
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
