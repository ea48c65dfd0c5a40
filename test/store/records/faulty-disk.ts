/**
 * A disk that counts what is done to it and fails at a chosen operation: before it, after it, or,
 * for a write, in the middle. What was done before stays, as it does when a process is killed.
 */
import * as nodeFiles from 'node:fs/promises';
import type { Disk } from '../../../src/store/records/file-sink.ts';

export type Fault = 'before' | 'after' | 'torn';

export class DiskFault extends Error {
  constructor() {
    super('the disk failed, as it was told to');
    this.name = 'DiskFault';
  }
}

export class FaultyDisk implements Disk {
  operations = 0;
  /** The operation that fails, from 1; Infinity: none. */
  failAt = Infinity;
  fault: Fault = 'before';
  /** Whether everything after the first fault fails, too: the process is gone. */
  fatal = false;
  failed = false;
  /** What failing is: an error, unless a test wants something worse. */
  fail: () => Promise<never> = async () => {
    throw new DiskFault();
  };
  /** Names of the operations in order, for messages. */
  readonly done: string[] = [];

  constructor(options: Partial<Pick<FaultyDisk, 'failAt' | 'fault' | 'fatal' | 'fail'>> = {}) {
    Object.assign(this, options);
  }

  mkdir = ((...args: Parameters<typeof nodeFiles.mkdir>) =>
    this.#run('mkdir', () => nodeFiles.mkdir(...args))) as Disk['mkdir'];
  readdir = ((path: string) =>
    this.#run('readdir', () => nodeFiles.readdir(path))) as unknown as Disk['readdir'];
  rename: Disk['rename'] = (...args) => this.#run('rename', () => nodeFiles.rename(...args));
  unlink: Disk['unlink'] = (...args) => this.#run('unlink', () => nodeFiles.unlink(...args));
  open: Disk['open'] = async (...args) => {
    const handle = await this.#run('open', () => nodeFiles.open(...args));
    return this.#watched(handle);
  };

  /** Counts one more operation that is not the disk's, such as an acknowledgement. */
  async step<Value>(name: string, run: () => Promise<Value>): Promise<Value> {
    return this.#run(name, run);
  }

  #watched(handle: nodeFiles.FileHandle): nodeFiles.FileHandle {
    const own: Record<string, (...args: never[]) => Promise<unknown>> = {
      read: (...args: [Buffer, number, number, number]) => handle.read(...args),
      write: (bytes: Buffer, offset: number, length: number, position: number) =>
        this.#run(
          'write',
          () => handle.write(bytes, offset, length, position),
          () => handle.write(bytes, offset, length >> 1, position),
        ),
      truncate: (length: number) => this.#run('truncate', () => handle.truncate(length)),
      datasync: () => this.#run('datasync', () => handle.datasync()),
      sync: () => this.#run('sync', () => handle.sync()),
      // Never fails: a killed process's files are closed as well.
      close: () => handle.close(),
    };
    return own as unknown as nodeFiles.FileHandle;
  }

  async #run<Value>(
    name: string,
    run: () => Promise<Value>,
    half?: () => Promise<unknown>,
  ): Promise<Value> {
    if (this.fatal && this.failed) throw new DiskFault();
    this.operations++;
    this.done.push(name);
    if (this.operations !== this.failAt) return run();
    this.failed = true;
    if (this.fault === 'torn') await half?.();
    if (this.fault === 'after') {
      const opened = await run();
      if (name === 'open') await (opened as nodeFiles.FileHandle).close();
    }
    return this.fail();
  }
}
