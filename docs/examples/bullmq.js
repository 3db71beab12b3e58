/** A producer that knows BullMQ and nothing of Orderwright. REDIS_URL says where the queue is. */
import { Queue } from "bullmq";

const queue = new Queue("crm-events", { connection: { url: process.env.REDIS_URL } });
await queue.add("crm", {
  specversion: "1.0",
  id: "crm-2-v1",
  source: "crm/acme",
  type: "order.accepted",
  subject: "ITEM-2",
  data: { providerNotes: "We can serve this address. We will call within 24 hours to set a date." },
});
console.log("Redis has it.");
await queue.close();
