import http from "node:http";

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  text: string;
}

/** One HTTP exchange with the path exactly as given: `fetch` would normalise dots and escapes. */
export function exchange(
  base: string,
  path: string,
  options: { method?: string; headers?: http.OutgoingHttpHeaders; body?: Buffer | string; agent?: http.Agent } = {},
): Promise<Reply> {
  const { hostname, port } = new URL(base);
  const { method = "GET", body, agent } = options;
  // Node sends the body of a DELETE without a length if none is set.
  const chunked = options.headers?.["transfer-encoding"] !== undefined;
  const length = body === undefined || chunked ? {} : { "content-length": Buffer.byteLength(body) };
  const headers = { ...length, ...options.headers };
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, method, path, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const whole = Buffer.concat(chunks);
        resolve({ status: response.statusCode!, headers: response.headers, body: whole, text: whole.toString() });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
