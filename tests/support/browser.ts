/** An installed Chromium, and helpers for tests: pictures to upload, screenshots, a slow network. */
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { projectRoot } from "./native";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The program that CHROMIUM names, else the first on the PATH; undefined if there is none. */
export const installedChromium: string | undefined = [
  ...(process.env.CHROMIUM ? [process.env.CHROMIUM] : []),
  ...(process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))),
].find((file) => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

export const howToGetChromium = "needs Chromium: apt-get install chromium, or CHROMIUM=/path/to/it";

const flags = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  // The browser sends requests to this machine only.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Opens a browser with its own profile; closing it removes the profile. */
export async function openBrowser(options: BrowserContextOptions = {}): Promise<{
  context: BrowserContext;
  close(): Promise<void>;
}> {
  const profile = mkdtempSync(join(tmpdir(), "ecommerce-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: installedChromium,
    // Chromium's sandbox refuses to run as root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: flags,
    locale: "en-GB",
    timezoneId: "UTC",
    ...options,
  });
  context.setDefaultTimeout(60_000);
  return {
    context,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/**
 * Limits how many bytes a second the page sends: at this machine's full speed an upload's progress would not be
 * visible.
 *
 * @returns a function that removes the limit, also for running uploads
 */
export async function throttled(page: Page, bytesPerSecond: number): Promise<() => Promise<void>> {
  const network = await page.context().newCDPSession(page);
  const send = (uploadThroughput: number) =>
    network.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput,
    });
  await network.send("Network.enable");
  await send(bytesPerSecond);
  return async () => {
    await send(-1);
    await network.detach();
  };
}

/** Saves a screenshot of the page in test-results/. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = join(projectRoot, "test-results");
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

export type Motif = "lamp" | "vase" | "stool";

/**
 * A picture of a product, drawn and encoded by the browser.
 *
 * @param grain strength of the noise, 0 to 1: noise cannot be compressed, so it makes the file large
 */
export async function drawPicture(page: Page, type: "image/jpeg" | "image/png", motif: Motif, grain = 0) {
  const base64 = await page.evaluate(draw, { type, motif, grain });
  return Buffer.from(base64, "base64");
}

/** The browser's global; this project is compiled without the DOM types. */
declare const document: any;

/** Runs in the page. */
function draw({ type, motif, grain }: { type: string; motif: Motif; grain: number }): string {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 480];
  const pen = canvas.getContext("2d");
  const fill = (style: unknown, ...points: [number, number][]) => {
    pen.fillStyle = style;
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.fill();
  };
  const [wall, floor, main, dark] = {
    lamp: ["#f6d8a8", "#d9a66b", "#2f4b7c", "#1d2f50"],
    vase: ["#cfe3df", "#9dbdb5", "#c8553d", "#8f3626"],
    stool: ["#e5dcf0", "#bba8cf", "#b7793f", "#7d4f25"],
  }[motif] as [string, string, string, string];
  const light = pen.createLinearGradient(0, 0, 640, 360);
  light.addColorStop(0, "#ffffff");
  light.addColorStop(1, wall);
  fill(light, [0, 0], [640, 0], [640, 360], [0, 360]);
  fill(floor, [0, 360], [640, 360], [640, 480], [0, 480]);
  pen.fillStyle = "rgb(0 0 0 / 18%)";
  pen.beginPath();
  pen.ellipse(330, 418, 130, 18, 0, 0, 2 * Math.PI);
  pen.fill();
  const body = pen.createLinearGradient(230, 0, 410, 0);
  body.addColorStop(0, main);
  body.addColorStop(1, dark);
  if (motif === "lamp") {
    fill(dark, [313, 230], [327, 230], [327, 405], [313, 405]);
    fill(body, [250, 405], [390, 405], [375, 420], [265, 420]);
    fill(body, [265, 90], [375, 90], [425, 235], [215, 235]);
  } else if (motif === "vase") {
    pen.fillStyle = body;
    pen.beginPath();
    pen.moveTo(285, 150);
    pen.bezierCurveTo(310, 220, 190, 260, 270, 420);
    pen.lineTo(370, 420);
    pen.bezierCurveTo(450, 260, 330, 220, 355, 150);
    pen.fill();
    pen.strokeStyle = "#4c7a4f";
    pen.lineWidth = 7;
    for (const x of [250, 318, 400]) {
      pen.beginPath();
      pen.moveTo(320, 160);
      pen.quadraticCurveTo(320, 90, x, 50);
      pen.stroke();
    }
  } else {
    for (const [top, foot] of [
      [250, 220],
      [390, 420],
      [320, 320],
    ] as const) {
      fill(dark, [top - 9, 230], [top + 9, 230], [foot + 7, 425], [foot - 7, 425]);
    }
    fill(body, [205, 205], [435, 205], [425, 235], [215, 235]);
  }
  if (grain > 0) {
    const image = pen.getImageData(0, 0, 640, 480);
    for (let i = 0; i < image.data.length; i++) {
      if (i % 4 !== 3) image.data[i] += (Math.random() - 0.5) * 255 * grain;
    }
    pen.putImageData(image, 0, 0);
  }
  return canvas.toDataURL(type, 0.9).split(",")[1]!;
}
