import { type ByteSource, BytesSource, type FileSet } from './byte-source.js';
import { CheckpointError, corrupt } from './errors.js';

type Fetch = typeof fetch;

async function request(get: Fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await get(url, init);
  } catch (cause) {
    throw new CheckpointError(
      'Io',
      `the server cannot be reached: ${(cause as Error).message}`,
      { file: url },
      {},
      { cause },
    );
  }
}

const isGone = (response: Response): boolean => response.status === 404 || response.status === 410;

function refused(response: Response, url: string, offset?: number): CheckpointError {
  const status = `${response.status} ${response.statusText}`.trim();
  const code = isGone(response) ? 'NotFound' : 'Io';
  return new CheckpointError(code, `the server answers ${status}`, { file: url, offset }, { status: response.status });
}

/** A body's bytes, no more of them than `limit`: a server may send whatever it likes. */
async function bodyBytes(response: Response, limit: number, url: string, offset: number): Promise<Uint8Array> {
  const target = new Uint8Array(limit);
  let filled = 0;
  const reader = response.body?.getReader();
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      if (filled + part.value.length > limit) {
        throw corrupt(`the server sent more than the ${limit} bytes that were asked for`, { file: url, offset });
      }
      target.set(part.value, filled);
      filled += part.value.length;
    }
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    throw new CheckpointError('Io', 'the connection broke off', { file: url, offset }, { received: filled }, { cause });
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
  return target.subarray(0, filled);
}

/** A URL that is read by ranges; where the server has none, the whole file is fetched once. */
export class UrlSource implements ByteSource {
  private whole: Promise<BytesSource> | undefined;

  private constructor(
    readonly name: string,
    readonly size: number,
    private readonly tag: string | null,
    private readonly get: Fetch,
  ) {}

  /**
   * The file at a URL, or `undefined` where there is none.
   *
   * @throws {CheckpointError} `Io` where the server cannot be reached, or refuses
   */
  static async open(url: string, get: Fetch): Promise<UrlSource | undefined> {
    const head = await request(get, url, { method: 'HEAD' });
    if (isGone(head)) return undefined;
    const length = head.headers.get('content-length');
    // The length of a compressed answer is not the file's.
    if (head.ok && length !== null && /^\d+$/.test(length) && !head.headers.get('content-encoding')) {
      return new UrlSource(url, Number(length), head.headers.get('etag'), get);
    }
    const probe = await request(get, url, { headers: { range: 'bytes=0-0' } });
    if (isGone(probe)) return undefined;
    const total = /^bytes \d+-\d+\/(\d+)$/.exec(probe.headers.get('content-range') ?? '')?.[1];
    if (probe.status === 206 && total !== undefined) {
      await probe.body?.cancel();
      return new UrlSource(url, Number(total), probe.headers.get('etag'), get);
    }
    if (!probe.ok) throw refused(probe, url);
    const bytes = new Uint8Array(await probe.arrayBuffer());
    const source = new UrlSource(url, bytes.length, null, get);
    source.whole = Promise.resolve(new BytesSource(bytes, url));
    return source;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (this.whole) return (await this.whole).read(offset, length);
    const range = `bytes=${offset}-${offset + length - 1}`;
    const response = await request(this.get, this.name, { headers: { range } });
    const tag = response.headers.get('etag');
    if (tag !== null && this.tag !== null && tag !== this.tag) {
      await response.body?.cancel();
      throw new CheckpointError('Io', 'the file was replaced since it was opened: open the checkpoint again', {
        file: this.name,
        offset,
      });
    }
    if (response.status === 200) {
      this.whole ??= bodyBytes(response, this.size, this.name, 0).then((bytes) => {
        if (bytes.length !== this.size)
          throw corrupt(`${bytes.length} of ${this.size} bytes came`, { file: this.name });
        return new BytesSource(bytes, this.name);
      });
      return (await this.whole).read(offset, length);
    }
    if (response.status !== 206) throw refused(response, this.name, offset);
    const from = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? `bytes ${offset}-`)?.[1];
    if (Number(from) !== offset) {
      await response.body?.cancel();
      throw corrupt(`bytes from ${offset} were asked for, those from ${from} came`, { file: this.name, offset });
    }
    return bodyBytes(response, length, this.name, offset);
  }
}

/** The files at the start of a URL; a query (an access token) goes along with each. */
class UrlFolder implements FileSet {
  readonly name: string;

  constructor(
    private readonly folder: URL,
    private readonly get: Fetch,
  ) {
    this.name = folder.origin + folder.pathname;
  }

  open(name: string): Promise<ByteSource | undefined> {
    const url = new URL(this.folder);
    url.pathname += name.split('/').map(encodeURIComponent).join('/');
    return UrlSource.open(url.href, this.get);
  }
}

function decoded(url: URL): string {
  const last = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(last);
  } catch (cause) {
    throw new CheckpointError('InvalidArgument', `${last} is not an encoded name`, { file: url.href }, {}, { cause });
  }
}

/** A URL as the folder it lies in and the name there (empty where it ends with a slash). */
export async function openUrl(url: URL, get: Fetch): Promise<{ files: FileSet; base: string }> {
  if (url.protocol === 'blob:' || url.protocol === 'data:') {
    const source = await UrlSource.open(url.href, get);
    const single: FileSet = { name: '', open: async (name) => (name === 'url' ? source : undefined) };
    return { files: single, base: 'url' };
  }
  const folder = new URL('.', url);
  folder.search = url.search;
  const base = decoded(url);
  return { files: new UrlFolder(folder, get), base };
}
