import { setTimeout as sleep } from "node:timers/promises";

import ssh2 from "ssh2";
import type { Client, ConnectConfig } from "ssh2";

import type { Operation } from "../protocol/plugin.ts";
import type { Properties } from "../protocol/values.ts";
import { connectionSettings } from "./connectionSettings.ts";

/** Pause after the first failed dial, in ms; each is half as long again, up to the limit. */
const firstPause = 100;
const longestPause = 5_000;

/**
 * Connects to a machine, trying again after any failure, a refused host key included, as the real
 * plugin does.
 * @throws Error after `dialErrorLimit` failures, or when the operation is cancelled or out of time.
 */
export async function dial(inputs: Properties, operation: Operation): Promise<Client> {
  const { config, dialErrorLimit } = connectionSettings(inputs);
  let pause = firstPause;
  for (let failures = 1; ; failures += 1) {
    try {
      return await connect(config, operation.signal);
    } catch (error) {
      operation.signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      if (dialErrorLimit >= 0 && failures > dialErrorLimit) {
        throw new Error(`after ${dialErrorLimit} failed attempts: ${reason}`, { cause: error });
      }
      const limit = dialErrorLimit < 0 ? "inf" : dialErrorLimit;
      operation.log.status(`Dial ${failures}/${limit} failed: retrying`);
    }
    await sleep(pause, undefined, { signal: operation.signal }).catch(() =>
      operation.signal.throwIfAborted(),
    );
    pause = Math.min(pause * 1.5, longestPause);
  }
}

function connect(config: ConnectConfig, signal: AbortSignal): Promise<Client> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    const settle = (error?: Error): void => {
      signal.removeEventListener("abort", abort);
      if (error === undefined) {
        resolve(client);
      } else {
        client.end();
        reject(describe(error, config));
      }
    };
    const abort = (): void => settle(new Error("context canceled"));
    signal.addEventListener("abort", abort);
    client.on("ready", () => settle());
    client.on("error", (error) => settle(error));
    client.on("close", () => settle(new Error("connection closed")));
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) =>
      answer(prompts.map(() => config.password ?? "")),
    );
    client.connect(config);
  });
}

function describe(error: Error, config: ConnectConfig): Error {
  const message = /host denied|no matching host key/i.test(error.message)
    ? "ssh: handshake failed: ssh: host key mismatch"
    : error.message;
  return new Error(`${config.username}@${config.host}:${config.port}: ${message}`, {
    cause: error,
  });
}
