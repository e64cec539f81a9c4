// Let a user log in and allow access, load with the tokens that come of it, and log out; the pages are filled in without a browser.
import jsforce from 'jsforce';
import { given, refusal, say } from './connection.mjs';

const answerOf = (response) => new URL(response.headers.get('location'), given.url);
const send = (url, fields) =>
  fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' }).then(answerOf);

const oauth2 = new jsforce.OAuth2({ ...given.client, useVerifier: true });
const loginPage = oauth2.getAuthorizationUrl({ scope: 'api refresh_token', state: given.state });
const consentPage = await send(loginPage, given.user);
const callback = await send(consentPage, { save: 'Allow' });

const connection = new jsforce.Connection({ oauth2, version: '63.0' });
await connection.authorize(callback.searchParams.get('code'));
connection.bulk2.pollInterval = 20;
const loaded = await connection.bulk2.loadAndWaitForResults({ ...given.job, input: given.input });

const { refreshToken } = connection;
await connection.logout(true);
say({
  loaded,
  callback: `${callback.origin}${callback.pathname}`,
  state: callback.searchParams.get('state'),
  afterwards: await refusal(oauth2.refreshToken(refreshToken)),
});
