// What both scripts share: calls come in as lines of JSON, and each answer goes out as one line.
import { createInterface } from 'node:readline';

export const given = JSON.parse(process.argv[2]);

export const serve = async (client) => {
  for await (const line of createInterface({ input: process.stdin })) {
    const { tool, arguments: args } = JSON.parse(line);
    const answer = tool ? await called(client, tool, args) : (await client.listTools()).tools.map(({ name }) => name);
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  await client.close();
};

const called = async (client, name, args) => {
  const { isError, structuredContent, content } = await client.callTool({ name, arguments: args });
  return { isError: isError ?? false, structure: structuredContent ?? null, text: content.map(({ text }) => text ?? '').join('') };
};
