/** The client of Orderwright in a CRM's own code, over HTTP: no Redis, no BullMQ. */
import { openClient } from "orderwright/client";

const { ORDERWRIGHT_URL: url = "http://127.0.0.1:3100", ORDERWRIGHT_API_KEY: apiKey } = process.env;
const client = openClient(apiKey === undefined ? { url } : { url, apiKey });
const sent = await client.send({
  type: "work.started",
  subject: "ITEM-1",
  source: "crm/acme",
  id: "crm-1-v3",
  data: { providerNotes: "The technician is on site." },
});
console.log(`${sent.id} is in the queue.`);
await client.close();
