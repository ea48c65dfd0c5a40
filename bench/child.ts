/** A process that a benchmark starts and asks, one question at a time. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export class Child<Question, Reply> {
  readonly #process: ChildProcess;

  /** `file` is beside this one. Its stdout goes to our stderr: stdout is for figures. */
  constructor(file: string, execArgv: readonly string[] = []) {
    this.#process = fork(new URL(file, import.meta.url), {
      stdio: ['ignore', 2, 'inherit', 'ipc'],
      execArgv: [...execArgv],
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Rejects when the process ends or fails instead of replying. */
  async ask(question: Question): Promise<Reply> {
    const child = this.#process;
    const settled = new AbortController();
    const { signal } = settled;
    try {
      child.send(question as object);
      const [reply] = (await Promise.race([
        once(child, 'message', { signal }),
        once(child, 'exit', { signal }).then(([code]) => {
          throw new Error(`a process of the benchmark ended with ${code}`);
        }),
      ])) as [{ reply: Reply } | { error: string }];
      if ('error' in reply) throw new Error(reply.error);
      return reply.reply;
    } finally {
      settled.abort();
    }
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
  }
}

/** In the child: answers the parent's questions, and ends with it. */
export function answerParent<Question, Reply>(answer: (question: Question) => Promise<Reply>) {
  process.on('message', (question: Question) => {
    answer(question).then(
      (reply) => process.send?.({ reply }),
      (error: Error) => process.send?.({ error: error.stack }),
    );
  });
  process.on('disconnect', () => process.exit());
}

/** CPU time of this process so far, user and system, in us. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
