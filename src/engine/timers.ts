/**
 * Wakes sessions whose timers came due. Any worker may claim from any partition: a claim is a
 * lease, what it does is a commit like any other, so a timer is delivered at least once and takes
 * effect exactly once. Live workers share the partitions by rendezvous hashing, which keeps them
 * from all asking for everything and decides nothing.
 */
import type { AccountRef } from '../charging/account.ts';
import { sessionKey } from '../charging/request.ts';
import type { Session } from '../charging/session.ts';
import { stepTimer } from '../charging/timer.ts';
import { type DueSession, StoreUnavailable } from '../store/store.ts';
import { bindingMs } from './decide.ts';
import {
  commitChange,
  type OpenSession,
  readOpen,
  type SessionChangeOptions,
} from './session-change.ts';

/** Due sessions taken from one partition at a time. */
const BATCH = 64;
/** Commits tried for one due session before its lease is left to run out. */
const TRIES = 4;

export interface TimerOptions extends SessionChangeOptions {
  leaseMs: number;
  /** Whether this worker looks after a partition. */
  mine(partition: number): boolean;
  /** Asks the session's client what is pending; false: the session has moved on. */
  initiate(open: OpenSession): Promise<boolean>;
  events: {
    /** A timer took effect `lateMs` after it was due. */
    fired(kind: 'supervision' | 'validity' | 'initiated', lateMs: number): void;
    failed(error: unknown): void;
  };
}

export class Timers {
  readonly #options: TimerOptions;

  constructor(options: TimerOptions) {
    this.#options = options;
  }

  /** Claims and handles what is due in this worker's partitions; returns how many there were. */
  async pass(): Promise<number> {
    const { store, mine, events } = this.#options;
    let handled = 0;
    for (let partition = 0; partition < store.partitions; partition++) {
      if (!mine(partition)) continue;
      try {
        handled += await this.#partition(partition);
      } catch (error) {
        // The leases run out and the next pass, of whichever worker, finds the same sessions.
        events.failed(error);
        if (error instanceof StoreUnavailable) return handled;
      }
    }
    return handled;
  }

  async #partition(partition: number): Promise<number> {
    const { store, leaseMs, events } = this.#options;
    let handled = 0;
    for (;;) {
      const { now, due } = await store.claimDue(partition, { limit: BATCH, leaseMs });
      // All at once: when a gateway is lost, its sessions come due by the thousand.
      const woken = due.map((one) =>
        this.#wake(partition, one, now).catch((error: unknown) => {
          if (error instanceof StoreUnavailable) return error;
          // One session's trouble is not the others': its own lease runs out, theirs are used.
          events.failed(error);
          return undefined;
        }),
      );
      const away = (await Promise.all(woken)).find((error) => error !== undefined);
      if (away !== undefined) throw away;
      handled += due.length;
      if (due.length < BATCH) return handled;
    }
  }

  async #wake(partition: number, due: DueSession, now: number): Promise<void> {
    const { store } = this.#options;
    if (due.stored === undefined || due.stored.session.state !== 'open') {
      await store.dropTimer(partition, due.member);
      return;
    }
    const { account } = due.stored.session;
    const key = sessionKey(due.stored.session);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const open = await readOpen(this.#options, { ref: account, key });
      if (open === undefined) return;
      const { session } = open;
      // Before anything sets the next wake-up: if this fails, the lease brings the session back.
      await this.#renew(key, account, session, now);
      const decision = stepTimer(session, { ...open.known, now });
      if (decision.kind === 'rearm') {
        const version = open.snapshot.session?.version ?? 0;
        await store.rearm(account, due.member, version, decision.at);
        return;
      }
      const done =
        decision.kind === 'initiate'
          ? await this.#options.initiate({ ...open, known: { ...open.known, now } })
          : await commitChange(this.#options, open, decision);
      if (!done) continue;
      const kind = decision.kind === 'initiate' ? 'initiated' : decision.record.kind;
      const dueAt = kind === 'supervision' ? session.superviseAt : session.armedAt;
      this.#options.events.fired(kind as 'supervision' | 'validity', Math.max(0, now - dueAt));
      return;
    }
  }

  /**
   * The first wake-up of a session confirms its binding, and every later one keeps it alive, for as
   * long as the session or its tombstone may need it.
   */
  async #renew(key: string, account: AccountRef, session: Session, now: number): Promise<void> {
    const { store, settings } = this.#options;
    const { duplicateHorizonMs, abandonedMs } = settings;
    const ttlMs = Math.max(bindingMs(session, now, duplicateHorizonMs), abandonedMs);
    await store.keepBinding(key, account, ttlMs);
  }
}
