import formBody from "@fastify/formbody";
import multipart from "@fastify/multipart";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import { type Caller, type Need, callerOf, demand, root } from "./access.ts";
import { ApiError, unknownParameter } from "./apiError.ts";
import type { Faults } from "./faults.ts";
import type { ProxmoxOptions } from "./options.ts";
import { type RecordedRequest, keysOf } from "./record.ts";

/** A path of the API with a method: what it accepts, who may use it, and what it does. */
export interface Endpoint<Input extends z.ZodType> {
  readonly input: Input;
  readonly needs?: (input: z.output<Input>) => readonly Need[];
  readonly answer: (input: z.output<Input>, caller: Caller) => unknown;
}

/** Bytes of the largest file that can be uploaded. */
const largestFile = 2 ** 30;

const formSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

type Method = "GET" | "POST" | "PUT" | "DELETE";

const base = "/api2/json";
/** With it a request of {@link Api.byHand} is let in; random, so that nobody else can know it. */
const handHeader = "x-by-hand";

/** The HTTP side: TLS, who asks, parameters, envelopes, errors, and the record of what was asked. */
export class Api {
  /** What clients asked for, in the order in which it was answered. */
  readonly requests: RecordedRequest[] = [];
  readonly #server: FastifyInstance;
  readonly #options: Pick<ProxmoxOptions, "tokens" | "nodes">;
  readonly #faults: Faults;
  readonly #hand = crypto.randomUUID();

  constructor(options: ProxmoxOptions, faults: Faults) {
    this.#options = options;
    this.#faults = faults;
    const server = Fastify({
      https: { ...options.tls, minVersion: "TLSv1.3" },
      // A task's id is long; the provider deletes a VM with a slash at the end.
      routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
      forceCloseConnections: true,
    });
    void server.register(formBody);
    void server.register(multipart, { limits: { fileSize: largestFile } });
    server.setNotFoundHandler((request, reply) => {
      const path = request.url.split("?")[0]?.slice(base.length) ?? "";
      const error = new ApiError(501, `Method '${request.method} ${path}' not implemented`);
      this.#record(request, path, {}, error.status);
      return send(reply, error);
    });
    server.setErrorHandler((error, _request, reply) => send(reply, error));
    this.#server = server;
  }

  /** Adds an endpoint. */
  on<Input extends z.ZodType>(method: Method, path: string, endpoint: Endpoint<Input>): void {
    this.#server.route({
      method,
      url: base + path,
      handler: async (request, reply) => {
        const parameters = await parametersOf(request);
        try {
          const data: unknown = await this.#answer(request, parameters, endpoint);
          this.#record(request, path, parameters, 200);
          return await send(reply, data);
        } catch (error) {
          this.#record(request, path, parameters, statusOf(error));
          throw error;
        }
      },
    });
  }

  /**
   * Asks as an administrator does by hand, without a token and unrecorded.
   * @returns what stands in `data`
   * @throws ApiError as the API would answer
   */
  async byHand(
    method: Method,
    path: string,
    form: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    const query = method === "GET" || method === "DELETE";
    const text = new URLSearchParams(form).toString();
    const response = await this.#server.inject({
      method,
      url: `${base}${path}${query ? `?${text}` : ""}`,
      headers: {
        [handHeader]: this.#hand,
        "content-type": "application/x-www-form-urlencoded",
      },
      ...(query ? {} : { payload: text }),
    });
    if (response.statusCode >= 300) throw new ApiError(response.statusCode, response.statusMessage);
    return z.object({ data: z.unknown() }).parse(response.json()).data;
  }

  /** @returns the address to reach it at. */
  async listen(host: string, port: number): Promise<string> {
    return await this.#server.listen({ host, port });
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  async #answer<Input extends z.ZodType>(
    request: FastifyRequest,
    parameters: Readonly<Record<string, unknown>>,
    endpoint: Endpoint<Input>,
  ): Promise<unknown> {
    const caller = this.#isHand(request)
      ? root
      : callerOf(request.headers.authorization, this.#options.tokens);
    const segments = z.record(z.string(), z.string()).parse(request.params);
    this.#reach(segments["node"]);
    const parsed = endpoint.input.safeParse({ ...parameters, ...segments });
    if (!parsed.success) throw verificationOf(parsed.error);
    demand(caller, endpoint.needs?.(parsed.data) ?? []);
    return endpoint.answer(parsed.data, caller);
  }

  /** A request about another node goes there, which may fail. */
  #reach(node: string | undefined): void {
    if (node === undefined) return;
    if (!this.#options.nodes.some(({ name }) => name === node)) {
      throw new ApiError(500, `hostname lookup '${node}' failed - failed to get address info`);
    }
    if (this.#faults.hitNode(node)) throw new ApiError(595, "No route to host");
  }

  #isHand(request: FastifyRequest): boolean {
    return request.headers[handHeader] === this.#hand;
  }

  #record(
    request: FastifyRequest,
    path: string,
    parameters: Readonly<Record<string, unknown>>,
    status: number,
  ): void {
    if (this.#isHand(request)) return;
    const texts: Record<string, string> = {};
    for (const [key, value] of Object.entries(parameters)) texts[key] = String(value);
    const keys = keysOf(texts);
    this.requests.push({ method: request.method, path, keys, status });
  }
}

/** Parameters come in the address, as a form, or with a file. */
async function parametersOf(request: FastifyRequest): Promise<Record<string, unknown>> {
  const parameters: Record<string, unknown> = z.record(z.string(), z.string()).parse(request.query);
  if (!request.isMultipart()) {
    const form = formSchema.parse(request.body ?? {});
    for (const [key, value] of Object.entries(form)) parameters[key] = String(value);
    return parameters;
  }
  for await (const part of request.parts()) {
    parameters[part.fieldname] =
      part.type === "file" ? { name: part.filename, data: await part.toBuffer() } : part.value;
  }
  return parameters;
}

function verificationOf(error: z.ZodError): ApiError {
  const errors: Record<string, string> = {};
  for (const issue of error.issues) {
    if (issue.code !== "unrecognized_keys") errors[issue.path.join(".")] = issue.message;
    else for (const key of issue.keys) errors[key] = unknownParameter;
  }
  return new ApiError(400, "Parameter verification failed.", errors);
}

function statusOf(error: unknown): number {
  return error instanceof ApiError ? error.status : 500;
}

function send(reply: FastifyReply, answer: unknown): FastifyReply {
  const type = reply.header("content-type", "application/json;charset=UTF-8");
  if (!(answer instanceof Error)) return type.send(JSON.stringify({ data: answer ?? null }));
  const errors = answer instanceof ApiError ? answer.errors : undefined;
  const body = { data: null, message: `${answer.message}\n`, ...(errors && { errors }) };
  // A status line holds one line of plain letters.
  reply.raw.statusMessage = (answer.message.split("\n")[0] ?? "").replace(/[^\x20-\x7e]/g, "?");
  return type.status(statusOf(answer)).send(JSON.stringify(body));
}
