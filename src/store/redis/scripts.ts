/** Every script of the store, with its keys, arguments and replies by name. */
import { loadScript } from './script.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

export const scripts = {
  commit: loadScript(lua('commit'), {
    keys: ['account', 'outbox', 'subject'],
    optional: ['timers', 'sessions', 'index', 'spent'],
    args: [
      'epoch',
      'version',
      'expected',
      'value',
      'ttl',
      'timer',
      'place',
      'member',
      'subscriber',
      'notAfter',
      'record',
    ],
    rest: ['field', 'delta', 'min', 'max'],
    reply: [
      'duplicate stored',
      'conflict last session account counters',
      'stale-epoch',
      'moved',
      'late',
      'insufficient {counter}',
      'out-of-range which',
      'committed id {counter}',
    ],
  }),
  load: loadScript(lua('load'), {
    keys: ['account', 'partition'],
    optional: ['session'],
    args: ['known'],
    reply: 'epoch session account counters',
  }),
  claim: loadScript(lua('claim'), {
    keys: ['timers'],
    args: ['leaseMs', 'limit'],
    reply: 'now {member}',
  }),
  rearm: loadScript(lua('rearm'), {
    keys: ['session', 'timers'],
    args: ['version', 'at', 'member'],
    reply: ['rearmed', 'moved-on'],
  }),
  dropTimer: loadScript(lua('drop-timer'), {
    keys: ['session', 'timers'],
    args: ['member'],
    reply: ['dropped', 'kept'],
  }),
  keepBinding: loadScript(lua('keep-binding'), {
    keys: ['binding'],
    args: ['account', 'ttl'],
    reply: ['kept', 'elsewhere'],
  }),
  moveBinding: loadScript(lua('move-binding'), {
    keys: ['binding'],
    args: ['from', 'to', 'ttl'],
    reply: 'binding',
  }),
  noteSubSession: loadScript(lua('note-sub-session'), {
    keys: ['subSessions'],
    args: ['subSession', 'ttl', 'lengthen'],
    reply: ['noted'],
  }),
  createAccount: loadScript(lua('create-account'), {
    keys: ['account', 'outbox', 'accounts'],
    args: ['epoch', 'record', 'name'],
    rest: ['field', 'value'],
    reply: ['created', 'exists', 'stale-epoch'],
  }),
  changeAccount: loadScript(lua('change-account'), {
    keys: ['account', 'outbox'],
    args: ['expected', 'epoch', 'record', 'pairs_to_hold', 'pairs_to_set', 'pairs_to_add'],
    rest: ['field'],
    reply: ['changed', 'conflict', 'out-of-range', 'stale-epoch'],
  }),
  holdSubscriber: loadScript(lua('hold-subscriber'), {
    keys: ['move'],
    args: ['token', 'leaseMs'],
    rest: ['account'],
    reply: ['held until {account}', 'taken until'],
  }),
  releaseSubscriber: loadScript(lua('release-subscriber'), {
    keys: ['move'],
    args: ['token', 'outcome'],
    reply: ['released', 'taken'],
  }),
  addSubscriber: loadScript(lua('add-subscriber'), {
    keys: ['account'],
    args: ['field', 'from', 'notAfter'],
    reply: ['absent', 'late', 'added', 'present'],
  }),
  arriveSubscriber: loadScript(lua('arrive-subscriber'), {
    keys: ['account'],
    args: ['field', 'from'],
    reply: ['arrived', 'elsewhere'],
  }),
  removeSubscriber: loadScript(lua('remove-subscriber'), {
    keys: ['account'],
    args: ['field', 'notAfter'],
    reply: ['late', 'limited', 'free'],
  }),
  point: loadScript(lua('point'), {
    keys: ['pointer'],
    args: ['from', 'to', 'notAfter'],
    reply: ['late', 'pointed', 'elsewhere'],
  }),
  writeConfiguration: loadScript(lua('write-configuration'), {
    keys: ['configuration'],
    args: ['expected', 'document', 'pairs_to_set'],
    rest: ['field'],
    reply: ['written', 'conflict'],
  }),
  raiseEpoch: loadScript(lua('raise-epoch'), {
    keys: ['partition', 'outbox'],
    args: ['seen', 'runId', 'replicationId', 'record'],
    reply: 'epoch',
  }),
  announce: loadScript(lua('announce'), {
    keys: ['workers'],
    args: ['worker', 'leaseMs'],
    reply: '{worker}',
  }),
  holdPeer: loadScript(lua('hold-peer'), {
    keys: ['peer'],
    args: ['worker', 'leaseMs'],
    reply: ['held', 'given-up'],
  }),
  post: loadScript(lua('post'), {
    keys: ['inbox'],
    args: ['message', 'limit', 'ttl'],
    reply: ['posted', 'full'],
  }),
};
