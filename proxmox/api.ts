import { readFileSync } from "node:fs";
import { request, type RequestOptions } from "node:https";
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

/**
 * Why the API gave no answer, or a task (`failed`) did not do what it was to; `kind` lets a caller tell an API that is off
 * from one that refuses.
 */
export class ProxmoxError extends Error {
  readonly kind: "unreachable" | "credentials" | "refused" | "failed";

  constructor(kind: ProxmoxError["kind"], message: string) {
    super(message);
    this.name = "ProxmoxError";
    this.kind = kind;
  }
}

const requestLimitMs = 10_000;
/** What changes something may wait for a lock first, for 10 s at Proxmox. */
const changeLimitMs = 60_000;

const answer = z.object({ data: z.unknown() });
const complaint = z.object({ errors: z.record(z.string(), z.string()) });

/**
 * Asks Proxmox's API for something, and changes nothing.
 *
 * By node's own client and zod. What npm has was weighed: `proxmox-api` takes no authority of one's own, no token that is
 * not a UUID, and is under the GPL; `@corsinvest/cv4pve-api-javascript` takes any certificate, whoever shows it, and would
 * give the token to him.
 *
 * @param path below `/api2/json`, each of its parts encoded
 * @throws ProxmoxError
 * @see https://pve.proxmox.com/pve-docs/api-viewer/
 */
export async function ask<Answer>(
  access: ProxmoxAccess,
  path: string,
  type: z.ZodType<Answer>,
): Promise<Answer> {
  return await exchange(access, { method: "GET", path }, type);
}

/** A change, as a form. */
export interface Change {
  readonly method: "DELETE" | "POST" | "PUT";
  /** Below `/api2/json`, each of its parts encoded. */
  readonly path: string;
  readonly form?: Readonly<Record<string, string>>;
}

/**
 * Tells Proxmox's API to change something.
 * @returns what it answers: mostly the number of a task, which has only begun
 * @throws ProxmoxError
 */
export async function tell<Answer>(
  access: ProxmoxAccess,
  change: Change,
  type: z.ZodType<Answer>,
): Promise<Answer> {
  return await exchange(access, change, type);
}

interface Call extends Omit<Change, "method"> {
  readonly method: "GET" | Change["method"];
}

async function exchange<Answer>(
  { endpoint, insecure, token }: ProxmoxAccess,
  { method, path, form }: Call,
  type: z.ZodType<Answer>,
): Promise<Answer> {
  const { body, reason, status } = await send(
    `${endpoint}/api2/json${path}`,
    {
      method,
      rejectUnauthorized: !insecure,
      headers: {
        authorization: `PVEAPIToken=${token}`,
        ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
      },
      ...authorities(),
    },
    form === undefined ? "" : new URLSearchParams(form).toString(),
  );
  if (status === 401) {
    const said = "does not know the token; see `pveum user token list`, and set triad:proxmoxToken";
    throw new ProxmoxError("credentials", `${endpoint} ${said} as user@realm!name=secret`);
  }
  if (status !== 200) {
    const seen = `${endpoint} answers ${method} ${path}: ${status} ${reason}`.trim();
    throw new ProxmoxError("refused", seen + complaints(body));
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
  throw new ProxmoxError(
    "refused",
    `${endpoint} answers ${method} ${path} in another form: ${what}`,
  );
}

/** What is wrong with which parameter. */
function complaints(body: string): string {
  const { success, data } = complaint.safeParse(json(body));
  if (!success) return "";
  const all = Object.entries(data.errors).map(([key, why]) => `${key}: ${why.trim()}`);
  return all.length === 0 ? "" : ` (${all.join("; ")})`;
}

interface Reply {
  readonly status: number;
  /** Proxmox tells there what is wrong. */
  readonly reason: string;
  readonly body: string;
}

async function send(url: string, options: RequestOptions, form: string): Promise<Reply> {
  const limitMs = options.method === "GET" ? requestLimitMs : changeLimitMs;
  try {
    return await new Promise<Reply>((resolve, reject) => {
      const signal = AbortSignal.timeout(limitMs);
      const sent = request(url, { ...options, signal, agent: false }, (response) => {
        text(response).then((body) => {
          const { statusCode = 0, statusMessage = "" } = response;
          resolve({ status: statusCode, reason: statusMessage, body });
        }, reject);
      });
      sent.on("error", reject);
      sent.end(form);
    });
  } catch (error) {
    throw explained(new URL(url).origin, error, limitMs);
  }
}

function explained(origin: string, error: unknown, limitMs: number): ProxmoxError {
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
  const why = isLate ? `within ${limitMs / 1_000} s` : `(${message})`;
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
