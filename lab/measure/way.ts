import { request } from "./request.ts";
import type { Answer, Credentials, Target } from "./request.ts";

/**
 * The way to the API while an endpoint is being born. A cluster that has none yet is reached at its one
 * server; from the first moment a fully verified `/readyz` came through the endpoint everything goes there,
 * for good, however badly it does afterwards. The looks ahead that find this moment are no attempts of the
 * measurement: while they fail, the server's own address is what a user has.
 */
export class Way {
  readonly #server: Target;
  readonly #endpoint: Target;
  readonly #credentials: Credentials;
  #viaEndpoint = false;

  constructor(server: Target, endpoint: Target, credentials: Credentials) {
    this.#server = server;
    this.#endpoint = endpoint;
    this.#credentials = credentials;
  }

  get target(): Target {
    return this.#viaEndpoint ? this.#endpoint : this.#server;
  }

  /** Asks where the way leads now. @throws as {@link request} */
  ask(timeoutMs: number, path: string, body?: unknown): Promise<Answer> {
    return request(this.target, this.#credentials, timeoutMs, path, body);
  }

  /** Looks once whether the endpoint answers yet. */
  async lookAhead(timeoutMs: number): Promise<void> {
    if (this.#viaEndpoint) return;
    const answer = request(this.#endpoint, this.#credentials, timeoutMs, "/readyz");
    this.#viaEndpoint = await answer.then(
      ({ status }) => status === 200,
      () => false,
    );
  }
}
