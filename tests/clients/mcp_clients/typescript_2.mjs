// The TypeScript SDK, version 2, with the newest protocol that the server has, or, as by itself, with a session.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { given, serve } from './lines.mjs';

const { url, command, env, newest } = given;
const options = newest ? { versionNegotiation: { mode: 'auto' } } : {};
const client = new Client({ name: 'typescript-2', version: '1' }, options);
await client.connect(
  url
    ? new StreamableHTTPClientTransport(new URL(url))
    : new StdioClientTransport({ command: command[0], args: command.slice(1), env }),
);
await serve(client);
