import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import type { Double } from "./double.ts";

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly type: string;
  readonly body: ReturnType<typeof JSON.parse>;
}

/** Asks the double over TLS, with its token or another. */
export async function ask(
  double: Double,
  method: string,
  path: string,
  form: Readonly<Record<string, string>> = {},
  token = double.token,
  file?: File,
): Promise<Answer> {
  const sent = new Response(file === undefined ? new URLSearchParams(form) : upload(form, file));
  const body = Buffer.from(await sent.arrayBuffer());
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(`${double.url}/api2/json${path}`, {
      method,
      ca: readFileSync(double.authority),
      headers: {
        authorization: `PVEAPIToken=${token}`,
        "content-type": sent.headers.get("content-type") ?? "",
      },
    });
    asked.on("response", resolve).on("error", reject);
    asked.end(body);
  });
  return {
    status: response.statusCode ?? 0,
    reason: response.statusMessage ?? "",
    type: response.headers["content-type"] ?? "",
    body: JSON.parse(await text(response)),
  };
}

/** Asks for something that is done by a task, and waits for its end. @returns its exit status, or why it never began. */
export async function done(
  double: Double,
  method: string,
  path: string,
  form: Readonly<Record<string, string>> = {},
  file?: File,
): Promise<string> {
  const { status, reason, body } = await ask(double, method, path, form, double.token, file);
  if (status !== 200) return reason;
  const task = `/nodes/${body.data.split(":")[1]}/tasks/${encodeURIComponent(body.data)}/status`;
  for (;;) {
    const { data } = (await ask(double, "GET", task)).body;
    if (data.status === "stopped") return data.exitstatus;
    await wait(5);
  }
}

function upload(form: Readonly<Record<string, string>>, file: File): FormData {
  const data = new FormData();
  for (const [key, value] of Object.entries(form)) data.set(key, value);
  data.set("filename", file);
  return data;
}
