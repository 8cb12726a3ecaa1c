import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import type { LogSeverity } from "@pulumi/pulumi/proto/engine_pb.js";

/** Says something to the operator, beside a resource. */
export interface EngineLog {
  /** A line that passes by while the resource is worked on (the engine does not keep it). */
  status(message: string): void;
  warn(message: string): void;
  /** Ends when everything said before has been delivered. */
  delivered(): Promise<void>;
}

/** Opens the engine's log; without an engine (a plugin started by hand) lines go to standard error. */
export function openEngineLog(address: string | undefined): (urn: string) => EngineLog {
  const client =
    address === undefined
      ? undefined
      : new EngineClient(address, grpc.credentials.createInsecure(), {
          "grpc.max_receive_message_length": 400 * 1024 * 1024,
        });

  return (urn) => {
    let last = Promise.resolve();
    const send = (severity: LogSeverity, message: string, ephemeral: boolean): void => {
      if (client === undefined) {
        console.error(message);
        return;
      }
      const request = new engine.LogRequest();
      request.setSeverity(severity);
      request.setMessage(message);
      request.setUrn(urn);
      request.setEphemeral(ephemeral);
      // One after the other, or lines of one command could overtake each other. A lost line is no failure.
      last = last.then(() => new Promise((done) => client.log(request, () => done())));
    };
    return {
      status: (message) => send(engine.LogSeverity.INFO, message, true),
      warn: (message) => send(engine.LogSeverity.WARNING, message, false),
      delivered: () => last,
    };
  };
}
