/** An item of a person who cannot be mistaken for anything else: whoever shows them shows personal data. */
import type { JsonObject } from "../../src/core/event.ts";

/** In every personal text of the item, and in nothing else. */
export const CANARY = "Qwyxilba";

/** As a number, for systems that keep phones as such. */
export const CANARY_NUMBER = 49_151_777_123;

export const CANARIES = new RegExp(`${CANARY}|${CANARY_NUMBER}`, "i");

export const NOTE = `${CANARY} will be called within 24 hours, and hears of the date then.`;

export const PERSON: JsonObject = {
  customerInfo: {
    fullName: `${CANARY} Winter`,
    email: `${CANARY.toLowerCase()}@example.com`,
    phone: String(CANARY_NUMBER),
  },
  serviceAddress: {
    street: `1 ${CANARY} Street`,
    city: `${CANARY}town`,
    state: "CA",
    zipCode: "94000",
    country: "US",
  },
  notes: `Ask for ${CANARY}.`,
  metadata: { contact: { name: CANARY, phone: CANARY_NUMBER } },
};
