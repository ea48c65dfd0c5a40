/**
 * What `npm test` runs; two suites that need something which not everybody has (`--mode captures`: a
 * folder of captured traffic; `--mode freediameter`: another Diameter stack); and one that takes
 * its time (`--mode day`: a day of an MVNE in full length).
 */
import { configDefaults, defineConfig } from 'vitest/config';

const apart = ['captures', 'freediameter'];
const modes = [...apart, 'day'];

export default defineConfig(({ mode }) => ({
  test: {
    include: [modes.includes(mode) ? `test/${mode}/**/*.test.ts` : 'test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      ...apart.filter((name) => name !== mode).map((name) => `test/${name}/**`),
    ],
    pool: 'forks',
    env: { DAY: mode === 'day' ? 'long' : 'short' },
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
}));
