import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

export const TOKEN = "a-long-lived-token";

interface Statistic {
  readonly unit: string | null;
  readonly has_sum: boolean;
  readonly unit_class?: string;
  /** By the hour's beginning in ISO 8601. */
  readonly rows: Map<string, Record<string, unknown>>;
}

/**
 * The part of Home Assistant's WebSocket API that fills gaps, with its rules: what it requires of metadata and hours, and
 * that the same hour once more replaces it. (Observed on 2026.2; it checks neither units nor whether the entity exists.)
 */
export class FakeHomeAssistant implements AsyncDisposable {
  /** unique_id -> entity_id */
  readonly entities = new Map<string, string>();
  readonly statistics = new Map<string, Statistic>();
  readonly heard: string[] = [];
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket) => this.#connected(socket));
  }

  static async start(port = 0): Promise<FakeHomeAssistant> {
    const server = new WebSocketServer({ port, host: "127.0.0.1", path: "/api/websocket" });
    await once(server, "listening");
    return new FakeHomeAssistant(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  keep(uniqueId: string, entityId: string, statistic: Partial<Statistic> = {}): Map<string, Record<string, unknown>> {
    const rows = statistic.rows ?? new Map();
    this.entities.set(uniqueId, entityId);
    this.statistics.set(entityId, { unit: "°C", has_sum: false, unit_class: "temperature", ...statistic, rows });
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connected(socket: WebSocket): void {
    const send = (message: object) => socket.send(JSON.stringify(message));
    send({ type: "auth_required", ha_version: "2026.2.0" });
    let isIn = false;
    socket.on("message", (data) => {
      const { id, type, ...rest } = JSON.parse(String(data));
      this.heard.push(type);
      if (!isIn) {
        isIn = type === "auth" && rest.access_token === TOKEN;
        send(isIn ? { type: "auth_ok" } : { type: "auth_invalid", message: "Invalid access token or password" });
        if (!isIn) socket.close();
        return;
      }
      try {
        send({ id, type: "result", success: true, result: this.#answer(type, rest) });
      } catch (error) {
        send({ id, type: "result", success: false, error: { code: "invalid_format", message: String(error) } });
      }
    });
  }

  #answer(type: string, asked: Record<string, unknown>): unknown {
    switch (type) {
      case "config/entity_registry/list":
        return [...this.entities].map(([unique_id, entity_id]) => ({ unique_id, entity_id, platform: "mqtt" }));
      case "recorder/get_statistics_metadata":
        return (asked.statistic_ids as string[]).flatMap((id) => this.#metadata(id));
      case "recorder/statistics_during_period":
        return this.#during(asked);
      case "recorder/import_statistics":
        return this.#import(asked);
      default:
        throw new Error(`unknown command ${type}`);
    }
  }

  #metadata(id: string): object[] {
    const statistic = this.statistics.get(id);
    if (statistic === undefined) return [];
    const { unit, has_sum, unit_class = null } = statistic;
    const mean_type = has_sum ? 0 : 1;
    return [{ statistic_id: id, has_sum, mean_type, name: null, unit_class, statistics_unit_of_measurement: unit }];
  }

  #during({ statistic_ids: ids, start_time, end_time }: Record<string, unknown>): unknown {
    const within = (start: string) => start >= String(start_time) && start < String(end_time);
    return Object.fromEntries(
      (ids as string[]).map((id) => {
        const rows = [...(this.statistics.get(id)?.rows ?? [])].filter(([start]) => within(start));
        return [id, rows.map(([start, row]) => ({ ...row, start: Date.parse(start) }))];
      }),
    );
  }

  #import({ metadata, stats }: Record<string, unknown>): null {
    const known = metadata as Record<string, unknown>;
    for (const key of ["has_sum", "name", "source", "statistic_id", "unit_of_measurement", "mean_type", "unit_class"])
      if (!(key in known)) throw new Error(`required key not provided: ${key}`);
    if (known.source !== "recorder") throw new Error("Invalid source");
    for (const row of stats as Record<string, unknown>[]) {
      const start = String(row.start);
      if (!/T\d\d:00:00(\+00:00|Z)$/.test(start)) throw new Error(`Invalid timestamp ${start}`);
      const { start: _, ...values } = row;
      this.statistics.get(String(known.statistic_id))?.rows.set(start.replace("+00:00", ".000Z"), values);
    }
    return null;
  }
}
