import { startRedis } from "/work/main/bench/redis-process.ts";
import { openStore, closeStore } from "/work/main/src/store/store.ts";
import { itemPrefix } from "/work/main/src/store/keys.ts";
import { registerMachines } from "/work/main/src/core/machine.ts";
import { definitions } from "/work/main/machines/registry.ts";
import { decideEvent } from "/work/main/src/core/decide.ts";
import { birthEvents, measuredEvents } from "/work/main/bench/workload.ts";
import { measureFulfilment } from "/work/main/src/engine/measure-fulfilment.ts";
const machines = registerMachines(definitions());
const limits={parkedForMs:1e9,unknownItemForMs:1e9,parkedMax:9,journalMax:99,timersPerDecision:9};
const redis = await startRedis("everysec");
const store = await openStore(redis.url,{prefix:"ow",shards:8});
const N=Number(process.argv[2]);
const id0="item-000001"; let actor:any; const entries:string[]=[];
for (const e of [...birthEvents([id0]),...measuredEvents([id0])]) { const {decision}=decideEvent({machines,limits,now:Date.now()},actor,e as any); actor=decision.actor; for(const x of decision.entries){entries.push(JSON.stringify(x)); for(const f of (x as any).change?.effects??[]) entries.push(JSON.stringify({kind:"delivery",at:Date.now(),effect:f.id,name:f.name,outcome:"delivered",attempt:1,status:"x",answer:"status 200",tookMs:3}));} }
console.log(entries.length, entries.join("").length);
for (let i=0;i<N;i+=1000){ const p:Promise<unknown>[]=[]; for(let k=i;k<Math.min(i+1000,N);k++){const id=`item-${k}`; const pre=itemPrefix(store.layout,id); p.push(store.redis.rpush(`${pre}j:${id}`,...entries)); p.push(store.redis.zadd(`${pre}status:active`,1e12+k*7,id));} await Promise.all(p);}
for (const by of [[],["account","day"]] as any) { const t=performance.now(); const r=await measureFulfilment({store,machines},{window:{since:-Infinity,until:Infinity},by,zone:"UTC"},{now:Date.now}); const ms=performance.now()-t; console.log(by, r.total.acceptance.accepted, r.total.completion.completed, (N/ms*1000).toFixed(0)+" items/s", (process.memoryUsage().rss/1e6).toFixed(0)+" MB rss"); }
await closeStore(store); await redis.stop();
