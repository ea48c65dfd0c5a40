/**
 * Three suites: what `npm test` runs, and the two that need something which not everybody has
 * (`--mode captures`: a folder of captured traffic; `--mode freediameter`: another Diameter stack).
 */
import { configDefaults, defineConfig } from 'vitest/config';

const apart = ['captures', 'freediameter'];

export default defineConfig(({ mode }) => ({
  test: {
    include: [apart.includes(mode) ? `test/${mode}/**/*.test.ts` : 'test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      ...apart.filter((name) => name !== mode).map((name) => `test/${name}/**`),
    ],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
}));
