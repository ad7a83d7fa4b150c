// A language model for scripts/openclaw that always says "ok": the part of the
// completions interface that OpenClaw asks for.  node model.mjs PORT
import http from 'node:http';

http.createServer((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    const stream = body.includes('"stream":true');
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const base = { id: 'c1', created: 1, model: 'mock-1' };
    if (!stream) {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...base, object: 'chat.completion', usage,
        choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }] }));
      return;
    }
    response.setHeader('content-type', 'text/event-stream');
    const send = (choice, more) => response.write(`data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }], ...more })}\n\n`);
    send({ delta: { role: 'assistant', content: 'ok' }, finish_reason: null });
    send({ delta: {}, finish_reason: 'stop' }, { usage });
    response.end('data: [DONE]\n\n');
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
