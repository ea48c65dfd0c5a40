/** `tollkeeper session list`: the open sessions of a tenant. */
import { type SessionView, sessionView } from '../http/sessions.ts';
import { integer, word } from '../values.ts';
import { instant, table } from './columns.ts';
import { defineCommand } from './command.ts';
import { chooseTenant, readCurrencies } from './currencies.ts';
import { listAll } from './listing.ts';
import { storeSettings, withStore } from './open-store.ts';

export const command = defineCommand({
  name: 'session list',
  summary: "List a tenant's open sessions, the oldest first",
  usage: '',
  examples: ['session list --tenant mvno-blue', 'session list --tenant mvno-red --limit 10 --json'],
  flags: {
    tenant: {
      kind: word('TENANT'),
      description: 'Whose sessions; needed where there are several.',
    },
    limit: {
      kind: integer({ min: 1, max: 1_000_000 }),
      default: 1_000,
      description: 'The most sessions to list.',
    },
  },
  settings: [...storeSettings, 'provisioningFile'],
  async run(call) {
    const tenants = await readCurrencies(call);
    const { tenant, currency } = chooseTenant(call.flags.tenant, {
      tenants,
      command: 'session list',
      call,
    });
    await withStore(call.settings, (store) =>
      listAll(call, {
        limit: call.flags.limit,
        what: `open sessions of ${tenant}`,
        async page(page) {
          const { sessions, next } = await store.listSessions(tenant, page);
          return { items: sessions.map(({ session }) => sessionView(session, { currency })), next };
        },
        text: sessionsText,
      }),
    );
  },
});

function sessionsText(views: readonly SessionView[]): string {
  const isSub = ({ subSessionId }: SessionView): boolean => subSessionId !== undefined;
  return table(views, [
    { head: 'session', cell: ({ sessionId }) => sessionId },
    ...(views.some(isSub) ? [{ head: 'sub-session', right: true, cell: subSession } as const] : []),
    { head: 'account', cell: ({ account }) => account },
    { head: 'subscriber', cell: ({ subscriber: { kind, id } }) => `${kind} ${id}` },
    { head: 'client', cell: ({ client }) => client.host },
    { head: 'services', right: true, cell: ({ services }) => String(services.length) },
    { head: 'opened', cell: ({ openedAt }) => instant(openedAt) },
    { head: 'changed', cell: ({ changedAt }) => instant(changedAt) },
  ]);
}

const subSession = ({ subSessionId }: SessionView): string => subSessionId ?? '-';
