import { setTimeout as wait } from "node:timers/promises";
import { ApiError } from "./apiError.ts";
import type { Faults } from "./faults.ts";

/** What Proxmox calls the things that take time. */
export type TaskType =
  | "qmcreate"
  | "qmclone"
  | "qmstart"
  | "qmstop"
  | "qmshutdown"
  | "qmreboot"
  | "qmdestroy"
  | "qmmove"
  | "qmsnapshot"
  | "qmdelsnapshot"
  | "qmrollback"
  | "resize"
  | "imgcopy"
  | "imgdel"
  | "download";

/** A task, running or ended. */
export interface Task {
  readonly upid: string;
  readonly node: string;
  readonly type: TaskType;
  /** What it is about, mostly a VM's number. */
  readonly id: string;
  readonly user: string;
  readonly pid: number;
  /** In seconds since 1970. */
  readonly startTime: number;
  endTime: number | undefined;
  /** `OK` or what went wrong, once it has ended. */
  exitStatus: string | undefined;
  readonly log: string[];
}

/** Who begins a task, where, and about what. */
export interface TaskStart {
  readonly node: string;
  readonly id: string | number;
  readonly user: string;
}

/** All tasks. */
export class Tasks {
  readonly #tasks = new Map<string, Task>();
  readonly #running = new Set<Promise<void>>();
  readonly #faults: Faults;
  readonly #taskMs: number;
  #pid = 0x1a2b;

  constructor(faults: Faults, taskMs: number) {
    this.#faults = faults;
    this.#taskMs = taskMs;
  }

  /**
   * Begins a task.
   * @param work is given what lets the task's time pass, which throws where a fault was asked for
   * @returns its UPID
   */
  begin(
    type: TaskType,
    { node, id, user }: TaskStart,
    work: (pass: () => Promise<void>) => Promise<void>,
  ): string {
    const pid = (this.#pid += 1);
    const startTime = Math.floor(Date.now() / 1000);
    const hex = [pid, startTime, startTime].map((one) => one.toString(16).toUpperCase());
    const upid = `UPID:${node}:${hex.join(":")}:${type}:${id}:${user}:`;
    const task: Task = {
      ...{ upid, node, type, user, pid, startTime, id: String(id) },
      endTime: undefined,
      exitStatus: undefined,
      log: [],
    };
    this.#tasks.set(upid, task);
    const running = this.#run(task, work).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return upid;
  }

  /** @throws ApiError 500 as Proxmox does for a task that it does not know. */
  get(upid: string): Task {
    const task = this.#tasks.get(upid);
    if (task === undefined) throw new ApiError(500, `unable to open file - task ${upid} is gone`);
    return task;
  }

  /** Those that began on a node, the newest first. */
  of(node: string): readonly Task[] {
    return [...this.#tasks.values()].filter((task) => task.node === node).reverse();
  }

  /** Waits for all that run now. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #run(task: Task, work: (pass: () => Promise<void>) => Promise<void>): Promise<void> {
    const failure = this.#faults.hitTask(task.type);
    const ms = this.#taskMs + this.#faults.delayOf(task.type);
    try {
      await work(async () => {
        await wait(ms);
        if (failure !== undefined) throw new Error(failure);
      });
      task.exitStatus = "OK";
      task.log.push("TASK OK");
    } catch (error) {
      task.exitStatus = error instanceof Error ? error.message : String(error);
      task.log.push(`TASK ERROR: ${task.exitStatus}`);
    }
    task.endTime = Math.floor(Date.now() / 1000);
  }
}
