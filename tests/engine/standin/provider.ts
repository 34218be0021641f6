/**
 * The interface of a stand-in provider, and the plugin server that the Pulumi engine calls.
 *
 * `@pulumi/pulumi/provider` has a server for providers in TypeScript, but it does not support previews: the engine
 * would treat every output as unknown in each preview, and show changes that a real provider does not. This server
 * distinguishes previews from deployments and compares inputs with inputs, as the real providers do.
 */
import { createRequire } from "node:module";
import type * as Grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb";
import services from "@pulumi/pulumi/proto/provider_grpc_pb";
import messages from "@pulumi/pulumi/proto/provider_pb";
import empty from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

export type Properties = Record<string, any>;

/** The resource that the engine asks about. */
export interface Subject {
  /** Type token, for example `aws:rds/instance:Instance`. */
  readonly type: string;
  /** Logical name in the program. */
  readonly name: string;
}

export interface Difference {
  /** Inputs that changed. */
  readonly changed: readonly string[];
  /** Those of them that only a new resource can have. */
  readonly replaces: readonly string[];
  /** The old one must be deleted first: both would have the same name. */
  readonly deleteFirst: boolean;
}

export interface Provider {
  readonly version: string;
  configure(settings: Readonly<Record<string, string>>): void;
  /** Fills in what the provider adds to inputs. */
  check(subject: Subject, inputs: Properties, old: Properties, seed: string): Properties;
  diff(subject: Subject, oldInputs: Properties, inputs: Properties): Difference;
  create(subject: Subject, inputs: Properties, preview: boolean): Promise<{ id: string; outputs: Properties }>;
  update(
    subject: Subject,
    id: string,
    old: { inputs: Properties; outputs: Properties },
    inputs: Properties,
    preview: boolean,
  ): Promise<Properties>;
  /** The outputs as they are now; undefined if the resource does not exist. Without outputs it is an import. */
  read(subject: Subject, id: string, outputs: Properties): Promise<Properties | undefined>;
  /** Type → inputs that a refresh does not change, since the stand-in could not apply them exactly. @default none */
  readonly unappliedInputs?: Readonly<Record<string, readonly string[]>>;
  /** For an import: the inputs with which a program would have created the resource. */
  inputsOf(subject: Subject, id: string, outputs: Properties): Properties;
  delete(subject: Subject, id: string, outputs: Properties): Promise<void>;
  /** A function such as `aws:index/getAvailabilityZones:getAvailabilityZones`. */
  invoke(token: string, inputs: Properties): Properties;
}

/** The engine's placeholder for a value that is not known yet. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Serves the engine until the engine ends this process. */
export function serve(provider: Provider): void {
  // The same copy of gRPC that Pulumi's generated messages use.
  const grpc: typeof Grpc = createRequire(require.resolve("@pulumi/pulumi"))("@grpc/grpc-js");
  const answer =
    (work: (request: any) => unknown) =>
    async (call: { request: any }, done: (error: unknown, answer?: unknown) => void) => {
      try {
        done(null, await work(call.request));
      } catch (error) {
        done({ code: grpc.status.UNKNOWN, message: (error as Error).message });
      }
    };
  const unimplemented = (_: unknown, done: (error: unknown) => void) => done({ code: grpc.status.UNIMPLEMENTED });
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(services.ResourceProviderService, {
    ...Object.fromEntries(Object.keys(services.ResourceProviderService).map((method) => [method, unimplemented])),
    getPluginInfo: answer(() => {
      const info = new plugin.PluginInfo();
      info.setVersion(provider.version);
      return info;
    }),
    attach: answer(() => new empty.Empty()),
    cancel: answer(() => new empty.Empty()),
    checkConfig: answer((request) => checked(request.getNews())),
    diffConfig: answer((request) => difference(changedKeys(plain(request.getOldInputs()), plain(request.getNews())))),
    configure: answer((request) => {
      provider.configure(Object.fromEntries(request.getVariablesMap().toObject()));
      const response = new messages.ConfigureResponse();
      response.setSupportspreview(true);
      return response;
    }),
    check: answer((request) => {
      const seed = Buffer.from(request.getRandomseed_asU8()).toString("hex");
      const inputs = provider.check(subjectOf(request), plain(request.getNews()), plain(request.getOlds()), seed);
      return checked(Struct.fromJavaScript(inputs));
    }),
    diff: answer((request) => {
      const { changed, ...how } = provider.diff(
        subjectOf(request),
        plain(request.getOldInputs()),
        plain(request.getNews()),
      );
      return difference(changed, how);
    }),
    create: answer(async (request) => {
      const { id, outputs } = await provider.create(
        subjectOf(request),
        plain(request.getProperties()),
        request.getPreview(),
      );
      const response = new messages.CreateResponse();
      response.setId(id);
      response.setProperties(Struct.fromJavaScript(outputs));
      return response;
    }),
    update: answer(async (request) => {
      const old = { inputs: plain(request.getOldInputs()), outputs: plain(request.getOlds()) };
      const inputs = plain(request.getNews());
      const outputs = await provider.update(subjectOf(request), request.getId(), old, inputs, request.getPreview());
      const response = new messages.UpdateResponse();
      response.setProperties(Struct.fromJavaScript(outputs));
      return response;
    }),
    read: answer(async (request) => {
      const outputs = await provider.read(subjectOf(request), request.getId(), plain(request.getProperties()));
      const response = new messages.ReadResponse();
      if (outputs === undefined) return response;
      response.setId(request.getId());
      response.setProperties(Struct.fromJavaScript(outputs));
      // The real providers update the inputs too, so that the next update sees manual changes. An import has no inputs
      // yet.
      const known = plain(request.getInputs());
      const imported = Object.keys(known).length === 0;
      const kept = provider.unappliedInputs?.[subjectOf(request).type] ?? [];
      const current = (key: string) => [key, key in outputs && !kept.includes(key) ? outputs[key] : known[key]];
      const inputs = imported
        ? provider.inputsOf(subjectOf(request), request.getId(), outputs)
        : Object.fromEntries(Object.keys(known).map(current));
      response.setInputs(Struct.fromJavaScript(inputs));
      return response;
    }),
    delete: answer(async (request) => {
      await provider.delete(subjectOf(request), request.getId(), plain(request.getProperties()));
      return new empty.Empty();
    }),
    invoke: answer((request) => {
      const response = new messages.InvokeResponse();
      response.setReturn(Struct.fromJavaScript(provider.invoke(request.getTok(), plain(request.getArgs()))));
      return response;
    }),
  } as any);
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    // The engine reads the port from the first line.
    console.log(String(port));
  });
}

/** The keys whose values differ. Two archives or assets are equal if their hashes are. */
export function changedKeys(old: Properties, desired: Properties): string[] {
  const keys = new Set([...Object.keys(old), ...Object.keys(desired)]);
  return [...keys].filter((key) => !key.startsWith("__") && canonical(old[key]) !== canonical(desired[key]));
}

function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, item) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    if (typeof item.hash === "string") return item.hash;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const plain = (struct: Struct | undefined): Properties => struct?.toJavaScript() ?? {};

/** `urn:pulumi:stack::project::parent$type::name` */
function subjectOf(request: { getUrn(): string }): Subject {
  const [, , types = "", name = ""] = request.getUrn().split("::");
  return { type: types.slice(types.lastIndexOf("$") + 1), name };
}

function checked(inputs: Struct) {
  const response = new messages.CheckResponse();
  response.setInputs(inputs);
  return response;
}

function difference(changed: readonly string[], how: Partial<Difference> = {}) {
  const replaces = how.replaces ?? [];
  const { DiffChanges } = messages.DiffResponse;
  const { Kind } = messages.PropertyDiff;
  const response = new messages.DiffResponse();
  response.setChanges(changed.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE);
  response.setDiffsList([...changed]);
  response.setReplacesList([...replaces]);
  response.setDeletebeforereplace(how.deleteFirst ?? false);
  response.setHasdetaileddiff(true);
  for (const key of changed) {
    const property = new messages.PropertyDiff();
    property.setKind(replaces.includes(key) ? Kind.UPDATE_REPLACE : Kind.UPDATE);
    property.setInputdiff(true);
    response.getDetaileddiffMap().set(key, property);
  }
  return response;
}
