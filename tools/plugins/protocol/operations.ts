/** Keeps the signals of the operations under way, so that they can all be ended at once. */
export class Operations {
  readonly #running = new Set<AbortController>();
  #closed = false;

  /** Runs `work` with a signal that is aborted by {@link cancelAll} or after the limit (seconds; 0 means none). */
  async run<T>(limitSeconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    if (this.#closed) controller.abort(new Error("context canceled"));
    const timer =
      limitSeconds > 0
        ? setTimeout(
            () => controller.abort(new Error("context deadline exceeded")),
            limitSeconds * 1000,
          )
        : undefined;
    this.#running.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      clearTimeout(timer);
      this.#running.delete(controller);
    }
  }

  /** Ends what runs, and whatever would start afterwards. */
  cancelAll(): void {
    this.#closed = true;
    for (const controller of this.#running) controller.abort(new Error("context canceled"));
  }

  /** How many are under way. */
  get count(): number {
    return this.#running.size;
  }
}
