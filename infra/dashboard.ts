import { longBorrowMicroseconds, slowMilliseconds, waitingSeconds } from "./alarms";
import { connectionsOf, type Metric, metricsOf, type Watched } from "./watched";

export interface DashboardArgs {
  readonly region: string;
  readonly stack: string;
  readonly logGroupName: string;
  readonly watched: Watched;
  readonly alarmArns: readonly string[];
}

/** The grid is 24 wide: three graphs stand side by side. */
const width = 8;
const height = 6;

/**
 * The body of the CloudWatch dashboard: the alarms' states first, then confirmations and the queue where there is a
 * buffer, registrations, the database, the proxy where there is one, and the image API, a row each. Pure, so that what is drawn can be read in a test.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
export function dashboardBody(args: DashboardArgs) {
  const { counted, lambda, rds, proxy, api, queue } = metricsOf(args.watched);
  const { database, proxyName, queueName, deadLetterQueueName, functionName, queueingFunctionName } = args.watched;
  const limit = connectionsOf(args.watched);
  const sum = (label: string, metric: Metric) => line(label, metric, "Sum");
  const tooSlow = { label: "too slow", value: slowMilliseconds };
  const calls = (title: string, name: string) =>
    graph(title, [
      sum("invocations", lambda("Invocations", name)),
      sum("errors", lambda("Errors", name)),
      sum("throttles", lambda("Throttles", name)),
    ]);
  const durations = (title: string, name: string, mark?: Mark) =>
    graph(
      title,
      [
        line("half of them", lambda("Duration", name), "p50"),
        line("99 in 100", lambda("Duration", name), "p99"),
        line("the longest", lambda("Duration", name), "Maximum"),
      ],
      mark,
    );

  const rows: Widget[][] = [
    [
      calls("Registrations", functionName),
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
      // Nobody waits for the batches that it takes from a queue.
      durations("How long they took (ms)", functionName, queueingFunctionName === undefined ? tooSlow : undefined),
    ],
    [
      graph(
        "Database: connections",
        [
          line("connections", rds("DatabaseConnections"), "Maximum"),
          line("functions running", lambda("ConcurrentExecutions"), "Maximum"),
        ],
        limit === undefined ? undefined : { label: "limit, about", value: limit },
      ),
      database.kind === "aurora"
        ? graph("Database: capacity in use (%)", [line("of the largest", rds("ACUUtilization"), "Maximum")])
        : graph("Database: free storage (bytes)", [line("free", rds("FreeStorageSpace"), "Minimum")]),
      graph("Database: CPU (%)", [line("CPU", rds("CPUUtilization"), "Average")]),
    ],
    ...(proxyName === undefined
      ? []
      : [
          [
            graph(
              "Proxy: how long a connection was waited for (µs)",
              [line("the longest", proxy(proxyName, "DatabaseConnectionsBorrowLatency"), "Maximum")],
              { label: "too long", value: longBorrowMicroseconds },
            ),
          ],
        ]),
    [
      graph("Image API: calls", [sum("calls", api("Count")), sum("4xx", api("4XXError")), sum("5xx", api("5XXError"))]),
      graph("Image API: how long they took (ms)", [
        line("half of them", api("Latency"), "p50"),
        line("99 in 100", api("Latency"), "p99"),
      ]),
      {
        type: "log",
        properties: {
          title: "What the function said",
          query: `SOURCE '${args.logGroupName}' | filter ispresent(message.code) and not ispresent(message.errorType)
| stats count(*) as times, latest(@timestamp) as last by message.code, level | sort times desc`,
          view: "table",
        },
      },
    ],
  ];
  if (queueName !== undefined) {
    rows.splice(1, 0, [
      graph("Queue: messages", [
        line("waiting", queue(queueName, "ApproximateNumberOfMessagesVisible"), "Maximum"),
        line("being tried", queue(queueName, "ApproximateNumberOfMessagesNotVisible"), "Maximum"),
      ]),
      graph(
        "Queue: how long the oldest waits (s)",
        [line("untried", queue(queueName, "ApproximateAgeOfOldestMessage"), "Maximum")],
        { label: "nobody takes it", value: waitingSeconds },
      ),
    ]);
  }
  if (queueingFunctionName !== undefined) {
    rows.unshift([
      calls("Confirmations", queueingFunctionName),
      durations("How long confirmations took (ms)", queueingFunctionName, tooSlow),
    ]);
  }
  const states = {
    ...{ type: "alarm", x: 0, y: 0, width: 24, height: 3 },
    properties: {
      title: `ecommerce, stack ${args.stack}: docs/runbook.md has a section for each`,
      alarms: args.alarmArns,
    },
  };
  const placed = rows.flatMap((row, down) =>
    row.map(({ type, properties }, across) => ({
      ...{ type, x: across * width, y: states.height + down * height, width, height },
      properties: { ...properties, region: args.region },
    })),
  );
  return { widgets: [states, ...placed] };
}

interface Widget {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A metric as a dashboard names it: namespace, name, each dimension and its value, and how it is drawn. */
function line(label: string, { namespace, name, dimensions }: Metric, stat: string): unknown[] {
  return [namespace, name, ...Object.entries(dimensions).flat(), { label, stat }];
}

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
