// `npm run key:first`: creates the secrets of a new deployment and the key of its first administrator. Nothing is
// stored or sent.
import { makeFirstKey, makeHashKey } from "./access-vars.ts";

const given = process.env.ACCESS_HASH_KEY;
const hashKey = given || makeHashKey();
const { key, kept } = makeFirstKey(hashKey);

console.log(`${given ? "" : `ACCESS_HASH_KEY (keep a copy: without it every key is lost)\n  ${hashKey}\n\n`}\
FIRST_ADMINISTRATOR_KEY (what the deployment keeps of the key below)
  ${kept}

The first administrator's key, shown this once
  ${key}

Set the first two as secrets, and repeat that for staging:
  npx wrangler secret put ACCESS_HASH_KEY --env production
  npx wrangler secret put FIRST_ADMINISTRATOR_KEY --env production`);
