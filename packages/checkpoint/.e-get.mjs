import { openCheckpoint } from '@tfparity/checkpoint';
import {readFileSync} from 'node:fs'; const cpu=()=>Number(readFileSync('/proc/self/task/'+process.pid+'/schedstat','utf8').split(' ')[0])/1e6;
async function getEach(prefix) { const c = await openCheckpoint(prefix); for (const { name } of c.entries) await c.get(name); await c.close(); }
async function readAll(prefix) { let bytes=0; for await (const { data } of (await openCheckpoint(prefix)).tensors()) bytes += data.byteLength; return bytes; }
const [,,path,mode,n=7]=process.argv; let w=1e9,c=1e9; for(let i=0;i<n;i++){globalThis.gc?.();const s=performance.now(),u=cpu(); await (mode==='get'?getEach:readAll)(path); w=Math.min(w,performance.now()-s);c=Math.min(c,cpu()-u);} console.log(path,mode,'wall',w.toFixed(0),'main cpu',c.toFixed(0));
