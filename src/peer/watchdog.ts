/**
 * The watchdog of RFC 3539 3.4.1 for a connection that the peer opened. Pure: the time and the
 * random number are arguments. REOPEN belongs to the side that dials (B-105), so a connection is
 * INITIAL until its capabilities are exchanged, then OKAY, SUSPECT and back, or DOWN for good.
 */

/** The least that Twinit may be, RFC 3539 3.4.1 [1]. */
export const MIN_TWINIT_MS = 6_000;
export const DEFAULT_TWINIT_MS = 30_000;
const JITTER_MS = 2_000;

export interface Watchdog {
  status: 'okay' | 'suspect' | 'down';
  /** A DWR of ours is unanswered; there is never a second one. */
  pending: boolean;
  expiresAt: number;
}

export interface WatchdogSettings {
  /** Milliseconds, 6,000 or more. */
  twinitMs: number;
  /** Uniform in [0, 1). */
  random: () => number;
}

export type WatchdogEvent = 'receive-dwa' | 'receive' | 'timer' | 'probe' | 'connection-down';
export type WatchdogAction = 'send-dwr' | 'failover' | 'failback' | 'close';

export interface WatchdogTransition {
  watchdog: Watchdog;
  action?: WatchdogAction;
}

/** INITIAL          Connection up        SetWatchdog()        OKAY */
export function connectionUp(now: number, settings: WatchdogSettings): Watchdog {
  return { status: 'okay', pending: false, expiresAt: setWatchdog(now, settings) };
}

export function stepWatchdog(
  watchdog: Watchdog,
  event: WatchdogEvent,
  now: number,
  settings: WatchdogSettings,
): WatchdogTransition {
  if (watchdog.status === 'down') return { watchdog };
  const { status } = watchdog;
  // Drawn anew each time it is set, and only then.
  const expiry = () => setWatchdog(now, settings);
  switch (event) {
    // OKAY          Receive DWA          Pending = FALSE, SetWatchdog()              OKAY
    // SUSPECT       Receive DWA          Pending = FALSE, Failback(), SetWatchdog()  OKAY
    case 'receive-dwa':
      return back({ status: 'okay', pending: false, expiresAt: expiry() }, status);
    // OKAY          Receive non-DWA      SetWatchdog()                               OKAY
    // SUSPECT       Receive non-DWA      Failback(), SetWatchdog()                   OKAY
    case 'receive':
      return back({ status: 'okay', pending: watchdog.pending, expiresAt: expiry() }, status);
    case 'timer':
      // Any message since the timer was set has moved the expiry: this one came too early.
      if (now < watchdog.expiresAt) return { watchdog };
      // SUSPECT       Timer expires        CloseConnection()                           DOWN
      if (status === 'suspect') {
        return { watchdog: { ...watchdog, status: 'down' }, action: 'close' };
      }
      // OKAY          Timer expires & Pending   Failover(), SetWatchdog()              SUSPECT
      if (watchdog.pending) {
        return {
          watchdog: { status: 'suspect', pending: true, expiresAt: expiry() },
          action: 'failover',
        };
      }
      // OKAY          Timer expires & !Pending  SendWatchdog(), SetWatchdog(), Pending = TRUE
      return { watchdog: { status, pending: true, expiresAt: expiry() }, action: 'send-dwr' };
    // No row: the owner doubts the connection before Tw has run out, and asks at once.
    case 'probe':
      if (watchdog.pending) return { watchdog };
      return { watchdog: { status, pending: true, expiresAt: expiry() }, action: 'send-dwr' };
    // OKAY          Connection down      CloseConnection(), Failover()               DOWN
    // SUSPECT       Connection down      CloseConnection()                           DOWN
    case 'connection-down': {
      const down: Watchdog = { ...watchdog, status: 'down' };
      return status === 'okay' ? { watchdog: down, action: 'failover' } : { watchdog: down };
    }
  }
}

function back(watchdog: Watchdog, before: Watchdog['status']): WatchdogTransition {
  return before === 'suspect' ? { watchdog, action: 'failback' } : { watchdog };
}

/** Tw = TWINIT - 2.0 + 4.0 * random() */
function setWatchdog(now: number, { twinitMs, random }: WatchdogSettings): number {
  return now + twinitMs - JITTER_MS + 2 * JITTER_MS * random();
}
