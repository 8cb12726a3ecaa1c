import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";

import { openEngineLog } from "./engineLog.ts";
import { Operations } from "./operations.ts";
import type { Plugin } from "./plugin.ts";
import { resourceService } from "./resourceService.ts";

/** How often the plugin looks whether the engine is still there, in ms. */
const parentWatch = 500;

/**
 * Serves a plugin to the engine that started this process: prints the port as its first line, which
 * is the whole handshake, and ends with the engine, cancelling what runs, as the real plugins do.
 * @param args the process's own arguments; the first that is not a flag is the engine's address.
 */
export async function servePlugin(plugin: Plugin, args: readonly string[]): Promise<void> {
  const operations = new Operations();
  const server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 1024 * 1024 });
  server.addService(
    ResourceProviderService,
    resourceService(plugin, operations, openEngineLog(engineAddress(args))),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  endWithParent(operations);
  process.stdout.write(`${port}\n`);
}

function engineAddress(args: readonly string[]): string | undefined {
  return args.find((arg, index) => !arg.startsWith("-") && args[index - 1] !== "--tracing");
}

function endWithParent(operations: Operations): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid === parent) return;
    operations.cancelAll();
    if (operations.count === 0) process.exit(0);
  }, parentWatch);
}
