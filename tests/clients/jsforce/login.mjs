// Sign in as an app does, load, and say who that was; with a wrong secret, say how it is refused.
import jsforce from 'jsforce';
import { given, refusal, say } from './connection.mjs';

const credentials = { grant_type: 'client_credentials' };

const stranger = new jsforce.Connection({ oauth2: { ...given.client, clientSecret: 'guess' }, version: '63.0' });
const refused = await refusal(stranger.authorize(credentials));

const connection = new jsforce.Connection({
  oauth2: given.client,
  version: '63.0',
  refreshFn: async (refreshed, done) => {
    const token = await refreshed.oauth2.requestToken(credentials);
    done(null, token.access_token, token);
  },
});
await connection.authorize(credentials);
connection.bulk2.pollInterval = 20;
const loaded = await connection.bulk2.loadAndWaitForResults({ ...given.job, input: given.input });
const { username, organization_id, user_id } = await connection.identity();

say({ refused, loaded, identity: { username, organization_id, user_id } });
