// An identity provider (npm oidc-provider) that gives JWT access tokens for the resources that it is told.
//
// Called with one argument, JSON: {port, keys, resources, machine: {id, secret}}. Prints a line once it listens.
import Provider from "oidc-provider";

const { port, keys, resources, machine } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const everyScope = "bulk:read bulk:write other";

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: machine.id,
      client_secret: machine.secret,
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
    },
  ],
  jwks: { keys },
  scopes: ["openid", "offline_access", ...everyScope.split(" ")],
  cookies: { keys: ["of no use elsewhere"] },
  features: {
    clientCredentials: { enabled: true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (context, resource) => {
        if (!resources.includes(resource)) throw new Error(`no such resource: ${resource}`);
        return { scope: everyScope, audience: resource, accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } };
      },
      useGrantedResource: () => true,
    },
  },
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});

provider.listen(port, "127.0.0.1", () => console.log("listens"));
