/** A process that runs a private Redis in the folder it is given, says where, and waits to be killed. */
import { startEmbedded } from '../../src/embedded/redis.ts';

const redis = await startEmbedded({ dataDir: process.argv[2]!, durability: 'fsync' });
process.stdout.write(`${JSON.stringify({ redis: redis.pid, socketPath: redis.socketPath })}\n`);
process.stdin.resume();
