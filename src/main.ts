#!/usr/bin/env node
/** The command line: `tollkeeper COMMAND`, one file a command in cli/. */
import { runCommandLine } from './cli/run.ts';

// `tollkeeper ... | head` closes our stdout while we still write: that is the reader's right.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// Not process.exit(): what was written to a pipe may not have left yet.
process.exitCode = await runCommandLine({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
});
