// What every script here shares: it is given one JSON text and says one.
import jsforce from 'jsforce';

export const given = JSON.parse(process.argv[2]);

// A version of null is jsforce's default.
const { version = '63.0' } = given;

export const connection = new jsforce.Connection({
  instanceUrl: given.url,
  accessToken: given.token,
  ...(version === null ? {} : { version }),
});
connection.bulk2.pollInterval = 20;

export const say = (value) => process.stdout.write(JSON.stringify(value));

export const refusal = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return { name: error.name, message: error.message };
  }
  throw new Error('it was not refused');
};
