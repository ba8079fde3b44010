import { appendFile, open, truncate } from 'node:fs/promises';
import type { TrainingLog } from './training-log.js';

/**
 * A log in a file (Node.js), one JSON line for each step, read and written piece by piece.
 *
 * A process that dies while it writes leaves at most its last line cut off, which the next run removes and computes again.
 */
export function fileLog(path: string): TrainingLog {
  return {
    async *lines() {
      const file = await open(path, 'a+');
      let whole = 0;
      let rest = Buffer.alloc(0);
      try {
        for (let at = 0; ; ) {
          const piece = Buffer.alloc(1 << 16);
          const { bytesRead } = await file.read(piece, 0, piece.length, at);
          if (bytesRead === 0) break;
          at += bytesRead;
          rest = Buffer.concat([rest, piece.subarray(0, bytesRead)]);
          for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
            const line = rest.toString('utf8', 0, end);
            whole += end + 1;
            rest = rest.subarray(end + 1);
            yield line;
          }
        }
      } finally {
        await file.close();
      }
      if (rest.length > 0) await truncate(path, whole);
    },
    async append(line) {
      await appendFile(path, `${line}\n`);
    },
  };
}
