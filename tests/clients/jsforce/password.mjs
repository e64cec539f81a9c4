// Sign in with a name and a password, look who that is, and sign out; then the session is over.
import jsforce from 'jsforce';
import { given, refusal, say } from './connection.mjs';

const connect = () => new jsforce.Connection({ loginUrl: given.url, version: '63.0', logLevel: 'FATAL' });

const stranger = connect();
const refused = await refusal(stranger.login(given.username, 'guess'));

const connection = connect();
const { id, organizationId } = await connection.login(given.username, given.password);
const { username } = await connection.identity();
const { accessToken, instanceUrl } = connection;
await connection.logout();

const late = new jsforce.Connection({ accessToken, instanceUrl, version: '63.0' });

say({ refused, id, organizationId, username, afterwards: await refusal(late.limits()) });
