import { createRequire } from 'node:module'; const {crc32c}=createRequire(import.meta.url)('@node-rs/crc32');
import {readFileSync} from 'node:fs'; const cpu=()=>Number(readFileSync('/proc/self/task/'+process.pid+'/schedstat','utf8').split(' ')[0])/1e6;
const b=new Uint8Array(1<<26); b.fill(3); let m=1e9; for(let i=0;i<5;i++){const u=cpu(); for(let j=0;j<64;j++)crc32c(b.subarray(j<<20,(j+1)<<20)); m=Math.min(m,cpu()-u);} console.log('crc GB/s',(0.067/m*1000).toFixed(1));
