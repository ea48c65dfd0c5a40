/**
 * The responder half of the peer state machine, RFC 6733 5.6, for one connection. Pure: an event and
 * the time go in, the next state and the actions for the owner of the socket come out. We only
 * listen, so the I- rows and the election (5.6.4) have no branch here.
 *
 * The RFC's `Closing` is spelled out in four states, because what is awaited differs:
 *
 *     wait-cer --CER--> open --Stop, R-Snd-DPR--> wait-dpa --DPA--> finishing --idle--> disconnecting
 *                       open --R-Rcv-DPR--> answering --idle, R-Snd-DPA--> wait-disconnect
 */

/** How long each wait may last, in milliseconds. */
export interface PeerTimeouts {
  /** From the accepted connection to its CER (5.6.1). */
  cerMs: number;
  /** From our DPR to the DPA. */
  dpaMs: number;
  /** For requests in flight to be answered once the peer or we asked for the end. */
  answeringMs: number;
  /** From our DPA, or our own FIN, until the peer has closed as well. */
  disconnectMs: number;
}

export type PeerState =
  /** `Closed` with a transport: accepted, no CER yet. */
  | { name: 'wait-cer'; deadlineAt: number }
  /** `R-Open`. */
  | { name: 'open' }
  /** `Closing`: the peer's DPR is here; its requests in flight are answered before our DPA. */
  | { name: 'answering'; deadlineAt: number }
  /** `Closing`: our DPA is out; who receives a DPA closes (5.4). */
  | { name: 'wait-disconnect'; deadlineAt: number }
  /** `Closing`: our DPR is out. */
  | { name: 'wait-dpa'; deadlineAt: number }
  /** `Closing`: the DPA is here; requests in flight are answered before we close. */
  | { name: 'finishing'; deadlineAt: number }
  /** Our side is closed after everything queued; the peer's side is awaited. */
  | { name: 'disconnecting'; deadlineAt: number }
  | { name: 'closed' };

export type PeerEvent =
  /** R-Conn-CER, judged: `reject` says that the peer is open on another connection and may be only once. */
  | { kind: 'cer'; verdict: 'accept' | 'refuse' | 'reject' }
  /** Any request besides CER, DWR and DPR, or any answer besides DPA. */
  | { kind: 'message' }
  | { kind: 'dwr' }
  /** `flawed`: it cannot be obeyed, for instance because Disconnect-Cause is missing. */
  | { kind: 'dpr'; flawed: boolean; inFlight: number }
  | { kind: 'dpa'; inFlight: number }
  /** The last request in flight was answered. */
  | { kind: 'idle' }
  /** The owner wants this connection to end in order. */
  | { kind: 'stop' }
  /** The owner wants it gone: the watchdog's second expiry, or a queue beyond its limit. */
  | { kind: 'give-up' }
  /**
   * Bytes that are no Diameter: the stream cannot be resynchronised (2.1). `answerable`: they still
   * show a request that can be told so.
   */
  | { kind: 'violation'; answerable: boolean }
  /** The peer closed its side. */
  | { kind: 'peer-disc' }
  /** The transport is no more. */
  | { kind: 'gone' }
  | { kind: 'timeout' };

export type PeerAction =
  | 'send-cea'
  /** Tell the owner that the peer may be used. */
  | 'open'
  /** Answer a CER on an open connection with 5012. */
  | 'refuse-cer'
  | 'process'
  | 'send-dwa'
  | 'send-dpr'
  | 'send-dpa'
  /** Answer the request that broke the stream. */
  | 'send-failure'
  /** Send what is queued, then close in order. */
  | 'disconnect'
  /** Close at once with a reset; what is queued is lost. */
  | 'abort';

export interface PeerTransition {
  state: PeerState;
  actions: readonly PeerAction[];
}

const OPEN: PeerState = { name: 'open' };
const CLOSED: PeerState = { name: 'closed' };
const NOTHING: readonly PeerAction[] = [];
const PROCESS: readonly PeerAction[] = ['process'];
const SEND_DWA: readonly PeerAction[] = ['send-dwa'];
const SEND_DPA: readonly PeerAction[] = ['send-dpa'];
const ABORT: PeerTransition = { state: CLOSED, actions: ['abort'] };
/** The hot path: one row, no allocation. */
const PROCESS_IN_OPEN: PeerTransition = { state: OPEN, actions: PROCESS };

/** The state of a connection that was just accepted. */
export function accepted(now: number, timeouts: PeerTimeouts): PeerState {
  return { name: 'wait-cer', deadlineAt: now + timeouts.cerMs };
}

/** When `timeout` is due in this state, or undefined. */
export function deadlineOf(state: PeerState): number | undefined {
  return 'deadlineAt' in state ? state.deadlineAt : undefined;
}

export function step(
  state: PeerState,
  event: PeerEvent,
  now: number,
  timeouts: PeerTimeouts,
): PeerTransition {
  if (state.name === 'closed') return { state, actions: NOTHING };
  switch (event.kind) {
    //  R-Open           R-Peer-Disc      R-Disc           Closed
    //  Closing          R-Peer-Disc      R-Disc           Closed
    case 'peer-disc':
      return state.name === 'disconnecting'
        ? { state, actions: NOTHING }
        : disconnecting(['disconnect'], now, timeouts);
    case 'gone':
      return { state: CLOSED, actions: NOTHING };
    // 2.1: bytes that cannot be parsed end the connection with a reset.
    case 'violation':
      return event.answerable && state.name !== 'wait-cer' && state.name !== 'disconnecting'
        ? disconnecting(['send-failure', 'disconnect'], now, timeouts)
        : ABORT;
    case 'give-up':
      return ABORT;
  }
  switch (state.name) {
    case 'wait-cer':
      return inWaitCER(state, event, now, timeouts);
    case 'open':
      return inOpen(state, event, now, timeouts);
    case 'disconnecting':
      return event.kind === 'timeout' ? ABORT : { state, actions: NOTHING };
    default:
      return inClosing(state, event, now, timeouts);
  }
}

/** The logic that RFC 6733 5.6.1 puts before the machine: the peer is not known yet. */
function inWaitCER(
  state: PeerState,
  event: PeerEvent,
  now: number,
  timeouts: PeerTimeouts,
): PeerTransition {
  switch (event.kind) {
    case 'cer':
      switch (event.verdict) {
        //  Closed           R-Conn-CER       R-Accept,        R-Open
        //                                    Process-CER,
        //                                    R-Snd-CEA
        case 'accept':
          return { state: OPEN, actions: ['send-cea', 'open'] };
        // 5.3: a CEA with the reason, then the transport is closed.
        case 'refuse':
          return disconnecting(['send-cea', 'disconnect'], now, timeouts);
        //  R-Open           R-Conn-CER       R-Reject         R-Open
        // This is the new transport of that row: the one that is disconnected.
        case 'reject':
          return disconnecting(['disconnect'], now, timeouts);
      }
      break;
    case 'stop':
      return disconnecting(['disconnect'], now, timeouts);
    // 5.6.1: any other message, and no CER in time, close and discard the connection.
    case 'message':
    case 'dwr':
    case 'dpr':
    case 'dpa':
    case 'timeout':
      return ABORT;
  }
  return { state, actions: NOTHING };
}

function inOpen(
  state: PeerState,
  event: PeerEvent,
  now: number,
  timeouts: PeerTimeouts,
): PeerTransition {
  switch (event.kind) {
    //  R-Open           R-Rcv-Message    Process          R-Open
    case 'message':
      return PROCESS_IN_OPEN;
    //  R-Open           R-Rcv-DWR        Process-DWR,     R-Open
    //                                    R-Snd-DWA
    case 'dwr':
      return { state, actions: SEND_DWA };
    // No row: a second CER on the same connection. Nothing is negotiated anew (1.1.3).
    case 'cer':
      return { state, actions: ['refuse-cer'] };
    //  R-Open           Stop             R-Snd-DPR        Closing
    case 'stop':
      return {
        state: { name: 'wait-dpa', deadlineAt: now + timeouts.dpaMs },
        actions: ['send-dpr'],
      };
    //  R-Open           R-Rcv-DPR        R-Snd-DPA        Closing
    case 'dpr':
      if (event.flawed) return { state, actions: SEND_DPA };
      // The peer closes when it has the DPA, so what it still waits for goes first.
      if (event.inFlight > 0) {
        return {
          state: { name: 'answering', deadlineAt: now + timeouts.answeringMs },
          actions: NOTHING,
        };
      }
      return waitDisconnect(now, timeouts);
    // A DPA that nobody asked for is an answer with an unknown identifier: discarded.
    default:
      return { state, actions: NOTHING };
  }
}

/** `Closing` in its forms: requests are served for as long as the transport lasts. */
function inClosing(
  state: PeerState,
  event: PeerEvent,
  now: number,
  timeouts: PeerTimeouts,
): PeerTransition {
  switch (event.kind) {
    case 'message':
      return { state, actions: PROCESS };
    case 'dwr':
      return { state, actions: SEND_DWA };
    case 'cer':
      return { state, actions: ['refuse-cer'] };
    // Both sides asked for the end at once, or the peer asks again: each DPR has its DPA.
    case 'dpr':
      return state.name === 'answering'
        ? { state, actions: NOTHING }
        : { state, actions: SEND_DPA };
    //  Closing          R-Rcv-DPA        R-Disc           Closed
    case 'dpa':
      if (state.name !== 'wait-dpa') return { state, actions: NOTHING };
      if (event.inFlight > 0) {
        return {
          state: { name: 'finishing', deadlineAt: now + timeouts.answeringMs },
          actions: NOTHING,
        };
      }
      return disconnecting(['disconnect'], now, timeouts);
    case 'idle':
      if (state.name === 'answering') return waitDisconnect(now, timeouts);
      if (state.name === 'finishing') return disconnecting(['disconnect'], now, timeouts);
      return { state, actions: NOTHING };
    //  Closing          Timeout          Error            Closed
    case 'timeout':
      if (state.name === 'answering') return waitDisconnect(now, timeouts);
      if (state.name === 'wait-disconnect') return ABORT;
      return disconnecting(['disconnect'], now, timeouts);
    default:
      return { state, actions: NOTHING };
  }
}

function waitDisconnect(now: number, timeouts: PeerTimeouts): PeerTransition {
  return {
    state: { name: 'wait-disconnect', deadlineAt: now + timeouts.disconnectMs },
    actions: SEND_DPA,
  };
}

function disconnecting(
  actions: readonly PeerAction[],
  now: number,
  timeouts: PeerTimeouts,
): PeerTransition {
  return { state: { name: 'disconnecting', deadlineAt: now + timeouts.disconnectMs }, actions };
}
