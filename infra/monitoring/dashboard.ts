import { longBorrowMicroseconds, slowMilliseconds, waitingSeconds } from "./alarms";
import { connectionsOf, type Metric, metricsOf, type Watched } from "./metrics";

export interface DashboardArgs {
  readonly region: string;
  readonly stack: string;
  readonly logGroupName: string;
  readonly watched: Watched;
  readonly alarmArns: readonly string[];
}

/** The grid is 24 wide: three graphs in a row. */
const width = 8;
const height = 6;

/**
 * The body of the CloudWatch dashboard, one row each: the alarms' states, confirmations (with a buffer), registrations,
 * the queue (with a buffer), the database, the proxy (if there is one), and the image API. Pure, so that a test can
 * read what is drawn.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
export function dashboardBody({ region, stack, logGroupName, watched, alarmArns }: DashboardArgs) {
  const states = {
    ...{ type: "alarm", x: 0, y: 0, width: 24, height: 3 },
    properties: {
      title: `ecommerce, stack ${stack}: docs/runbook.md has a section for each`,
      alarms: alarmArns,
    },
  };
  const rows = [
    confirmationsRow(watched),
    registrationsRow(watched),
    queueRow(watched),
    databaseRow(watched),
    proxyRow(watched),
    apiRow(watched, logGroupName),
  ].filter((row) => row.length > 0);
  const placed = rows.flatMap((row, down) =>
    row.map(({ type, properties }, across) => ({
      ...{ type, x: across * width, y: states.height + down * height, width, height },
      properties: { ...properties, region },
    })),
  );
  return { widgets: [states, ...placed] };
}

/** Metrics of the buffer's function, for which people wait. Empty without a buffer. */
function confirmationsRow(watched: Watched): Widget[] {
  const { queueingFunctionName } = watched;
  if (queueingFunctionName === undefined) return [];
  return [
    callsOf(watched, "Confirmations", queueingFunctionName),
    durationsOf(watched, "How long confirmations took (ms)", queueingFunctionName, tooSlow),
  ];
}

function registrationsRow(watched: Watched): Widget[] {
  const { counted, queue } = metricsOf(watched);
  const { functionName, queueingFunctionName, deadLetterQueueName } = watched;
  return [
    callsOf(watched, "Registrations", functionName),
    graph("What became of them", [
      sum("turned away", counted("RegistrationFailures")),
      sum("crashed", counted("RegistrationCrashes")),
      sum("conflicts", counted("EmailConflicts")),
      sum("made late", counted("LateRegistrations")),
      sum("not seen or made", counted("LateRegistrationFailures")),
      ...(deadLetterQueueName === undefined
        ? []
        : [line("dead letters", queue(deadLetterQueueName, "ApproximateNumberOfMessagesVisible"), "Maximum")]),
    ]),
    // With a buffer no person waits for this function, so the graph has no limit.
    durationsOf(
      watched,
      "How long they took (ms)",
      functionName,
      queueingFunctionName === undefined ? tooSlow : undefined,
    ),
  ];
}

/** Empty without a buffer. */
function queueRow(watched: Watched): Widget[] {
  const { queue } = metricsOf(watched);
  const { queueName } = watched;
  if (queueName === undefined) return [];
  return [
    graph("Queue: messages", [
      line("waiting", queue(queueName, "ApproximateNumberOfMessagesVisible"), "Maximum"),
      line("being tried", queue(queueName, "ApproximateNumberOfMessagesNotVisible"), "Maximum"),
    ]),
    graph(
      "Queue: how long the oldest waits (s)",
      [line("untried", queue(queueName, "ApproximateAgeOfOldestMessage"), "Maximum")],
      { label: "nobody takes it", value: waitingSeconds },
    ),
  ];
}

function databaseRow(watched: Watched): Widget[] {
  const { lambda, rds } = metricsOf(watched);
  const limit = connectionsOf(watched);
  return [
    graph(
      "Database: connections",
      [
        line("connections", rds("DatabaseConnections"), "Maximum"),
        line("functions running", lambda("ConcurrentExecutions"), "Maximum"),
      ],
      limit === undefined ? undefined : { label: "limit, about", value: limit },
    ),
    watched.database.kind === "aurora"
      ? graph("Database: capacity in use (%)", [line("of the largest", rds("ACUUtilization"), "Maximum")])
      : graph("Database: free storage (bytes)", [line("free", rds("FreeStorageSpace"), "Minimum")]),
    graph("Database: CPU (%)", [line("CPU", rds("CPUUtilization"), "Average")]),
  ];
}

/** Empty without a proxy. */
function proxyRow(watched: Watched): Widget[] {
  const { proxy } = metricsOf(watched);
  const { proxyName } = watched;
  if (proxyName === undefined) return [];
  return [
    graph(
      "Proxy: how long a connection was waited for (µs)",
      [line("the longest", proxy(proxyName, "DatabaseConnectionsBorrowLatency"), "Maximum")],
      { label: "too long", value: longBorrowMicroseconds },
    ),
  ];
}

/** The image API, and the codes in the registration function's log. */
function apiRow(watched: Watched, logGroupName: string): Widget[] {
  const { api } = metricsOf(watched);
  return [
    graph("Image API: calls", [sum("calls", api("Count")), sum("4xx", api("4XXError")), sum("5xx", api("5XXError"))]),
    graph("Image API: how long they took (ms)", [
      line("half of them", api("Latency"), "p50"),
      line("99 in 100", api("Latency"), "p99"),
    ]),
    {
      type: "log",
      properties: {
        title: "What the function said",
        query: `SOURCE '${logGroupName}' | filter ispresent(message.code) and not ispresent(message.errorType)
| stats count(*) as times, latest(@timestamp) as last by message.code, level | sort times desc`,
        view: "table",
      },
    },
  ];
}

function callsOf(watched: Watched, title: string, functionName: string): Widget {
  const { lambda } = metricsOf(watched);
  return graph(title, [
    sum("invocations", lambda("Invocations", functionName)),
    sum("errors", lambda("Errors", functionName)),
    sum("throttles", lambda("Throttles", functionName)),
  ]);
}

function durationsOf(watched: Watched, title: string, functionName: string, mark?: Mark): Widget {
  const { lambda } = metricsOf(watched);
  return graph(
    title,
    [
      line("half of them", lambda("Duration", functionName), "p50"),
      line("99 in 100", lambda("Duration", functionName), "p99"),
      line("the longest", lambda("Duration", functionName), "Maximum"),
    ],
    mark,
  );
}

const tooSlow: Mark = { label: "too slow", value: slowMilliseconds };

interface Widget {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A metric in the dashboard's format: namespace, name, each dimension and its value, label and statistic. */
function line(label: string, { namespace, name, dimensions }: Metric, stat: string): unknown[] {
  return [namespace, name, ...Object.entries(dimensions).flat(), { label, stat }];
}

const sum = (label: string, metric: Metric) => line(label, metric, "Sum");

/** A line across a graph. */
interface Mark {
  readonly label: string;
  readonly value: number;
}

function graph(title: string, metrics: unknown[][], mark?: Mark): Widget {
  const annotations = mark ? { annotations: { horizontal: [mark] } } : {};
  const properties = { title, view: "timeSeries", period: 300, yAxis: { left: { min: 0 } }, metrics, ...annotations };
  return { type: "metric", properties };
}
