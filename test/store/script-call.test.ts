/** Script calls of one turn, in order, each with its own reply. */
import { expect, test } from 'vitest';
import type { Script } from '../../src/store/redis/script.ts';
import type { Arg } from '../../src/store/redis/script-call.ts';
import { useScripts } from './lua/script-rig.ts';

const rig = useScripts();
const source = '#!lua\nreturn { KEYS[1], unpack(ARGV) }';
const echo: Script<'key', never, 'first'> = {
  ...{ name: 'echo', source, sha: '' },
  ...{ keys: ['key'], optional: [], args: ['first'] },
};

/** What arrives, byte by byte. */
const sent = (key: string, first: Arg, rest: readonly Arg[] = []) =>
  rig.run(echo, { key }, { first }, rest);
const latin1 = (arg: Arg): string =>
  Buffer.from(typeof arg === 'object' ? arg : String(arg)).toString('latin1');

test.each<[string, Arg[]]>([
  ['nothing', ['']],
  ['ends of lines', ['a\r\nb', Uint8Array.of(13, 10, 13, 10)]],
  ['every byte', [Uint8Array.from({ length: 256 }, (_, i) => i)]],
  ['no byte', [new Uint8Array()]],
  ['short text that is not ASCII', ['aä€😀', 'ä'.repeat(48)]],
  ['lengths at the edges', [9, 10, 47, 48, 49, 99, 100, 999, 1_000].map((n) => 'x'.repeat(n))],
  ['figures', [0, -1, 1e14, 9_007_199_254_740_991, -9_007_199_254_740_991]],
  ['more than a slab', [new Uint8Array(200_000).fill(200), 'ä'.repeat(70_000), 'end']],
  ['many parts', Array.from({ length: 900 }, (_, i) => `part ${i}`)],
])('%s arrives as it was given', async (_, args) => {
  const [first, ...rest] = args as [Arg, ...Arg[]];
  expect(await sent('kéy', first, rest)).toEqual([latin1('kéy'), ...args.map(latin1)]);
});

test('calls of one turn keep their order and their own replies', async () => {
  const calls = Array.from({ length: 2_000 }, (_, i) => sent('k', i, ['x'.repeat(i % 300)]));
  const replies = await Promise.all(calls);
  replies.forEach((reply, i) => {
    expect(reply).toEqual(['k', String(i), 'x'.repeat(i % 300)]);
  });
});
