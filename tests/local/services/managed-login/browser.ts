/** A browser without scripts: it keeps cookies, fills in forms, and follows redirects within the pages only. */
export class Browser {
  readonly cookies = new Map<string, string>();
  /** The address and content of the page that is open. */
  url = "";
  status = 0;
  page = "";
  headers = new Headers();
  /** The status of the answer to the last form, before any redirect. */
  answered = 0;

  constructor(readonly home: string) {}

  /** @returns the final address: of a page, or one outside the pages that a redirect named */
  async open(target: string, init: RequestInit = {}): Promise<string> {
    const url = new URL(target, this.home);
    if (url.origin !== this.home) return url.href;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      headers: { cookie, ...(init.headers as object) },
    });
    for (const set of response.headers.getSetCookie()) {
      const [name, value] = set.split(";")[0]!.split("=") as [string, string];
      if (/Max-Age=0/.test(set)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    if (init.method === "POST") this.answered = response.status;
    const location = response.headers.get("location");
    if (location !== null) return this.open(location);
    Object.assign(this, {
      url: url.href,
      status: response.status,
      page: await response.text(),
      headers: response.headers,
    });
    return url.href;
  }

  /** Sends the form that has this action, with its hidden field and the given fields. */
  async submit(
    action: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<string> {
    const form = new RegExp(`<form method="post" action="(${action}\\?[^"]*)"[\\s\\S]*?</form>`).exec(this.page);
    if (!form) throw new Error(`No form for ${action} on ${this.url}:\n${this.page}`);
    const csrf = /name="_csrf" value="([^"]+)"/.exec(form[0])![1]!;
    const body = new URLSearchParams({ _csrf: csrf, ...fields });
    return this.open(form[1]!.replaceAll("&amp;", "&"), { method: "POST", body, headers });
  }

  /** A copy of the browser with the same page and cookies, to send a second click. */
  twin(): Browser {
    const twin = new Browser(this.home);
    for (const [name, value] of this.cookies) twin.cookies.set(name, value);
    return Object.assign(twin, { url: this.url, page: this.page });
  }

  /** The text of the alert or notice on the page. */
  get message(): string | undefined {
    const [, content] = /<p class="(?:alert|notice)"[^>]*>(.*?)<\/p>/s.exec(this.page) ?? [];
    return content?.replace(/<[^>]*>/g, "").trim();
  }

  /** The `input` element with this name. */
  input(name: string): string {
    const tag = new RegExp(`<input [^>]*name="${name}"[^>]*>`).exec(this.page);
    if (!tag) throw new Error(`No field ${name} on ${this.url}:\n${this.page}`);
    return tag[0];
  }

  /** The links of the page: text → address. */
  get links(): Record<string, string> {
    const found = [...this.page.matchAll(/<a href="([^"]*)"[^>]*>([^<]*)<\/a>/g)];
    return Object.fromEntries(found.map(([, href, text]) => [text!, href!.replaceAll("&amp;", "&")]));
  }

  get title(): string | undefined {
    return /<title>([^<]*)</.exec(this.page)?.[1];
  }
}
