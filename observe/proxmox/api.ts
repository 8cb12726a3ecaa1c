import { readFileSync } from "node:fs";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { rootCertificates } from "node:tls";
import * as z from "zod";

/** Where the API is, and as whom it is asked. */
export interface ProxmoxAccess {
  /** https URL without a path. */
  readonly endpoint: string;
  /** Whether to take any certificate. */
  readonly insecure: boolean;
  /** `user@realm!name=secret`. Never told. */
  readonly token: string;
}

/** Why the API gave no answer; `kind` lets a caller tell an API that is off from one that refuses. */
export class ProxmoxError extends Error {
  readonly kind: "unreachable" | "credentials" | "refused";

  constructor(kind: ProxmoxError["kind"], message: string) {
    super(message);
    this.name = "ProxmoxError";
    this.kind = kind;
  }
}

const requestLimitMs = 10_000;

const answer = z.object({ data: z.unknown() });

/**
 * Asks Proxmox's API for something, and changes nothing. By node's own client, since the one on npm takes no authority of
 * one's own and no token that is not a UUID.
 *
 * @param path below `/api2/json`, each of its parts encoded
 * @throws ProxmoxError
 * @see https://pve.proxmox.com/pve-docs/api-viewer/
 */
export async function ask<Answer>(
  { endpoint, insecure, token }: ProxmoxAccess,
  path: string,
  type: z.ZodType<Answer>,
): Promise<Answer> {
  const { body, reason, status } = await get(`${endpoint}/api2/json${path}`, {
    rejectUnauthorized: !insecure,
    headers: { authorization: `PVEAPIToken=${token}` },
    ...authorities(),
  });
  if (status === 401) {
    const said = "does not know the token; see `pveum user token list`, and set triad:proxmoxToken";
    throw new ProxmoxError("credentials", `${endpoint} ${said} as user@realm!name=secret`);
  }
  if (status !== 200) {
    throw new ProxmoxError(
      "refused",
      `${endpoint} answers GET ${path}: ${status} ${reason}`.trim(),
    );
  }
  const parsed = z
    .pipe(
      answer,
      z.transform(({ data }) => data),
    )
    .safeParse(json(body));
  const data = type.safeParse(parsed.data);
  if (data.success) return data.data;
  const what = z.prettifyError(data.error);
  throw new ProxmoxError("refused", `${endpoint} answers GET ${path} in another form: ${what}`);
}

interface Reply {
  readonly status: number;
  /** Proxmox tells there what is wrong. */
  readonly reason: string;
  readonly body: string;
}

async function get(url: string, options: Parameters<typeof request>[1]): Promise<Reply> {
  try {
    return await new Promise<Reply>((resolve, reject) => {
      const signal = AbortSignal.timeout(requestLimitMs);
      const sent = request(url, { ...options, signal, agent: false }, (response) => {
        text(response).then((body) => {
          const { statusCode = 0, statusMessage = "" } = response;
          resolve({ status: statusCode, reason: statusMessage, body });
        }, reject);
      });
      sent.on("error", reject);
      sent.end();
    });
  } catch (error) {
    throw explained(new URL(url).origin, error);
  }
}

function explained(origin: string, error: unknown): ProxmoxError {
  const { code = "", message, name } = error instanceof Error ? readable(error) : unknown;
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME|VERIFY/.test(code)) {
    // The provider would not trust it either.
    const cure = "name your authority's file by SSL_CERT_FILE, or set proxmox.insecure";
    return new ProxmoxError(
      "refused",
      `${origin} shows a certificate that is not trusted (${code}); ${cure}`,
    );
  }
  const isLate = name === "AbortError" || name === "TimeoutError";
  const why = isLate ? `within ${requestLimitMs / 1_000} s` : `(${message})`;
  return new ProxmoxError("unreachable", `${origin} does not answer ${why}`);
}

const unknown = { code: "", message: "no reason given", name: "" };

function readable(error: Error): { code?: string; message: string; name: string } {
  const code: unknown = Reflect.get(error, "code");
  const { message, name } = error;
  return { ...(typeof code === "string" ? { code } : {}), message, name };
}

/** As the provider's program does it, by the same variable; there the file takes the place of the system's own. */
function authorities(): { ca?: string[] } {
  const file = process.env["SSL_CERT_FILE"];
  return file ? { ca: [...rootCertificates, readFileSync(file, "utf8")] } : {};
}

function json(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body);
    return value;
  } catch {
    return undefined;
  }
}
