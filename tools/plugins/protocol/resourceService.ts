import * as grpc from "@grpc/grpc-js";
import type { IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";

import { diffInputs } from "./diffInputs.ts";
import type { InputChange } from "./diffInputs.ts";
import type { EngineLog } from "./engineLog.ts";
import type { Operations } from "./operations.ts";
import type { Operation, Plugin, ResourceType } from "./plugin.ts";
import { fromStruct, toStruct } from "./structs.ts";
import type { Properties } from "./values.ts";
import { asSecret, revealProperties, unknownValue } from "./values.ts";

/** What the engine may call; the rest answers "unimplemented", which the engine takes as "default". */
export type ResourceService = Pick<
  IResourceProviderServer,
  | "attach"
  | "cancel"
  | "check"
  | "configure"
  | "create"
  | "delete"
  | "diff"
  | "getPluginInfo"
  | "getSchema"
  | "read"
  | "update"
>;

/**
 * Speaks the provider protocol for a {@link Plugin}: secrets stay secrets, previews run nothing,
 * and every operation can be cancelled or run out of time.
 * @see https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto
 */
export function resourceService(
  plugin: Plugin,
  operations: Operations,
  logFor: (urn: string) => EngineLog,
): ResourceService {
  async function operate<T>(
    urn: string,
    limitSeconds: number,
    work: (operation: Operation) => Promise<T>,
  ): Promise<T> {
    const log = logFor(urn);
    try {
      return await operations.run(limitSeconds, (signal) =>
        work({ urn, name: urn.split("::").slice(3).join("::"), signal, log }),
      );
    } finally {
      await log.delivered();
    }
  }

  return {
    attach: unary(async () => new empty.Empty()),
    getSchema: unary(async () => new messages.GetSchemaResponse().setSchema("{}")),
    getPluginInfo: unary(async () => new pluginMessages.PluginInfo().setVersion(plugin.version)),
    configure: unary(async () =>
      new messages.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true),
    ),
    cancel: unary(async () => {
      operations.cancelAll();
      return new empty.Empty();
    }),
    check: unary(async (request) => {
      const type = typeOf(plugin, request.getUrn());
      const inputs = { ...type.defaults, ...fromStruct(request.getNews()) };
      const failures = type.check?.(revealProperties(inputs)) ?? [];
      return new messages.CheckResponse()
        .setInputs(toStruct(inputs))
        .setFailuresList(
          failures.map(({ property, reason }) =>
            new messages.CheckFailure().setProperty(property).setReason(reason),
          ),
        );
    }),
    diff: unary(async (request) => {
      const type = typeOf(plugin, request.getUrn());
      const changes = diffInputs(fromStruct(request.getOldInputs()), fromStruct(request.getNews()));
      return diffResponse(changes, type);
    }),
    create: unary(async (request) => {
      const type = typeOf(plugin, request.getUrn());
      const inputs = fromStruct(request.getProperties());
      const response = new messages.CreateResponse();
      if (request.getPreview()) {
        return response.setProperties(toStruct({ ...inputs, ...unknownOutputs(type) }));
      }
      const { id, outputs } = await operate(request.getUrn(), request.getTimeout(), (operation) =>
        type.create(revealProperties(inputs), operation),
      );
      return response
        .setId(id)
        .setProperties(toStruct({ ...inputs, ...protectOutputs(type, outputs) }));
    }),
    update: unary(async (request) => {
      const type = typeOf(plugin, request.getUrn());
      const inputs = fromStruct(request.getNews());
      const response = new messages.UpdateResponse();
      if (request.getPreview()) {
        return response.setProperties(toStruct({ ...inputs, ...unknownOutputs(type) }));
      }
      const state = revealProperties(fromStruct(request.getOlds()));
      const outputs = await operate(request.getUrn(), request.getTimeout(), async (operation) =>
        type.update?.(state, revealProperties(inputs), operation),
      );
      if (outputs === undefined) throw new Error("this type of resource cannot be updated");
      return response.setProperties(toStruct({ ...inputs, ...protectOutputs(type, outputs) }));
    }),
    delete: unary(async (request) => {
      const type = typeOf(plugin, request.getUrn());
      const state = revealProperties(fromStruct(request.getProperties()));
      await operate(request.getUrn(), request.getTimeout(), async (operation) =>
        type.delete?.(state, operation),
      );
      return new empty.Empty();
    }),
    // There is nothing to look at: a refresh gives back what is remembered.
    read: unary(async (request) =>
      new messages.ReadResponse()
        .setId(request.getId())
        .setProperties(request.getProperties())
        .setInputs(request.getInputs()),
    ),
  };
}

function unary<Request, Response>(
  answer: (request: Request) => Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    answer(call.request).then(
      (response) => callback(null, response),
      (error: unknown) =>
        callback({
          code: grpc.status.UNKNOWN,
          details: error instanceof Error ? error.message : String(error),
        }),
    );
  };
}

function typeOf(plugin: Plugin, urn: string): ResourceType {
  // stack::project::parentType$type::name
  const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const type = plugin.types[token];
  if (type === undefined) {
    const known = Object.keys(plugin.types).join(", ");
    throw new Error(`this stand-in has no resource ${token}; it has ${known}`);
  }
  return type;
}

function unknownOutputs(type: ResourceType): Properties {
  return Object.fromEntries(type.outputs.map((output) => [output, unknownValue]));
}

function protectOutputs(type: ResourceType, outputs: Properties): Properties {
  const secret = new Set(type.secretOutputs);
  return Object.fromEntries(
    Object.entries(outputs).map(([key, value]) => [key, secret.has(key) ? asSecret(value) : value]),
  );
}

function diffResponse(
  changes: readonly InputChange[],
  type: ResourceType,
): InstanceType<typeof messages.DiffResponse> {
  const { DiffResponse, PropertyDiff } = messages;
  const kinds = {
    add: [PropertyDiff.Kind.ADD, PropertyDiff.Kind.ADD_REPLACE],
    delete: [PropertyDiff.Kind.DELETE, PropertyDiff.Kind.DELETE_REPLACE],
    update: [PropertyDiff.Kind.UPDATE, PropertyDiff.Kind.UPDATE_REPLACE],
  } as const;
  const response = new DiffResponse()
    .setChanges(
      changes.length === 0
        ? DiffResponse.DiffChanges.DIFF_NONE
        : DiffResponse.DiffChanges.DIFF_SOME,
    )
    .setHasdetaileddiff(true)
    .setDiffsList(changes.map(({ input }) => input))
    .setReplacesList(changes.map(({ input }) => input).filter((input) => type.replaces(input)));
  for (const { input, kind } of changes) {
    const [update, replace] = kinds[kind];
    const difference = new PropertyDiff()
      .setKind(type.replaces(input) ? replace : update)
      .setInputdiff(true);
    response.getDetaileddiffMap().set(input, difference);
  }
  return response;
}
