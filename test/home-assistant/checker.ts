import facts from "../fixtures/home-assistant-facts.json" with { type: "json" };

type Dict = Readonly<Record<string, unknown>>;

interface PlatformFacts {
  readonly required_in_device_discovery: readonly string[];
  readonly keys: Dict;
}

const platforms = facts.platforms as unknown as Readonly<Record<string, PlatformFacts>>;
const sensorUnits = facts.sensor.device_class_units as Readonly<Record<string, readonly (string | null)[]>>;
const sensorStateClasses = facts.sensor.device_class_state_classes as Readonly<Record<string, readonly string[]>>;

/** What a running Home Assistant would have against a device discovery message; empty when it takes all of it. */
export function objections(topic: string, payload: string): string[] {
  const found: string[] = [];
  const object = (condition: boolean, text: string) => {
    if (!condition) found.push(text);
  };
  object(
    /^homeassistant\/device\/[a-zA-Z0-9_-]+\/[a-zA-Z0-9_-]+\/config$/.test(topic),
    `${topic} is no discovery topic`,
  );
  const message = JSON.parse(payload) as Dict;
  const inherited = message as { components: Dict; device: Dict; origin: Dict; availability: Dict[] };
  found.push(...unknownKeys("root", message, Object.keys(facts.device_discovery_root_keys)));
  found.push(...unknownKeys("device", inherited.device, Object.keys(facts.device_keys)));
  found.push(...unknownKeys("origin", inherited.origin, Object.keys(facts.origin_keys)));
  found.push(...nulls("root", message));
  object(typeof inherited.origin.name === "string", "origin has no name");
  object((inherited.device.identifiers as string[]).length > 0, "device has no identifiers");
  object(facts.availability_modes.includes(message.availability_mode as string), "unknown availability mode");
  for (const item of inherited.availability) {
    found.push(...unknownKeys("availability", item, Object.keys(facts.availability_item_keys)));
  }
  for (const [key, component] of Object.entries(inherited.components)) {
    object(!/\s/.test(key), `${key}: a component key must not have spaces`);
    found.push(...componentObjections(component as Dict, message).map((text) => `${key}: ${text}`));
  }
  return found;
}

function componentObjections(component: Dict, root: Dict): string[] {
  const { platform, ...keys } = component;
  const rules = platforms[String(platform)];
  if (!rules) return [`unknown platform ${platform}`];
  const inherited = facts.device_discovery_inherited_by_components.filter((key) => key in root);
  const missing = rules.required_in_device_discovery.filter((key) => !(key in keys) && !inherited.includes(key));
  return [
    ...unknownKeys("component", keys, platform === "light" ? lightKeys : Object.keys(rules.keys)),
    ...missing.map((key) => `${key} is missing`),
    ...nulls("component", keys),
    // Home Assistant names it after its class; without one, and for an enum, it would be called "MQTT Sensor".
    ...("name" in keys || !["enum", undefined].includes(keys.device_class as string | undefined)
      ? []
      : ["it has no name"]),
    ...(objectionsTo[String(platform)]?.(keys) ?? [`no rules for ${platform}`]),
    ...(new RegExp(`^${platform}\\.[a-z0-9_]+$`).test(String(keys.default_entity_id)) ? [] : ["bad default_entity_id"]),
    ...(keys.entity_category === "config" && facts.entity_category_config_forbidden_for.includes(String(platform))
      ? ["entity_category config is refused"]
      : []),
  ];
}

function sensorObjections(keys: Dict): string[] {
  const { device_class: deviceClass, state_class: stateClass, unit_of_measurement: unit = null } = keys;
  const found: string[] = [];
  if (unit !== null && String(unit) in facts.sensor.ambiguous_units_replaced)
    found.push(`the unit ${unit} is ambiguous`);
  if (stateClass !== undefined && !facts.sensor.state_classes.includes(String(stateClass))) {
    found.push(`unknown state class ${stateClass}`);
  }
  if (deviceClass === undefined) return found;
  if (!facts.sensor.device_classes.includes(String(deviceClass))) return [...found, `unknown class ${deviceClass}`];
  if (deviceClass === "enum") {
    return stateClass === undefined && unit === null && keys.options ? found : [...found, "enum needs options only"];
  }
  const units = sensorUnits[String(deviceClass)];
  if (units && !units.includes(unit as string | null)) found.push(`${deviceClass} does not take the unit ${unit}`);
  const classes = sensorStateClasses[String(deviceClass)];
  if (stateClass !== undefined && classes && !classes.includes(String(stateClass))) {
    found.push(`${deviceClass} does not take the state class ${stateClass}`);
  }
  return found;
}

function binaryObjections({ device_class: deviceClass, state_class, unit_of_measurement }: Dict): string[] {
  const known = deviceClass === undefined || facts.binary_sensor.device_classes.includes(String(deviceClass));
  return [
    ...(known ? [] : [`unknown class ${deviceClass}`]),
    ...(state_class === undefined && unit_of_measurement === undefined ? [] : ["a binary sensor has no unit"]),
  ];
}

function switchObjections({ device_class: deviceClass }: Dict): string[] {
  const known = deviceClass === undefined || facts.switch.device_classes.includes(String(deviceClass));
  return known ? [] : [`unknown class ${deviceClass}`];
}

function eventObjections({
  device_class: deviceClass,
  event_types: types,
  expire_after,
  value_template,
}: Dict): string[] {
  const known = deviceClass === undefined || facts.event.device_classes.includes(String(deviceClass));
  return [
    ...(known ? [] : [`unknown class ${deviceClass}`]),
    ...(Array.isArray(types) && types.length > 0 ? [] : ["an event needs its types"]),
    ...(expire_after === undefined ? [] : ["an event does not expire"]),
    ...(value_template === undefined ? [] : ["an event of ours is the whole payload"]),
  ];
}

function numberObjections({
  min,
  max,
  step,
  mode,
  unit_of_measurement: unit = null,
  device_class: deviceClass,
}: Dict): string[] {
  const units = (facts.number.device_class_units as Readonly<Record<string, readonly (string | null)[]>>)[
    String(deviceClass)
  ];
  return [
    ...(Number(max) > Number(min) ? [] : ["max must be above min"]),
    // NUMBER_MIN_STEP of the platform.
    ...(step === undefined || Number(step) >= 0.001 ? [] : ["the step is too small"]),
    ...(mode === undefined || facts.number.modes.includes(String(mode)) ? [] : [`unknown mode ${mode}`]),
    ...(deviceClass === undefined || units?.includes(unit as string | null) ? [] : [`${deviceClass} in ${unit}`]),
  ];
}

/** The facts have no keys of the basic schema: these are of homeassistant/components/mqtt/light/schema_basic.py. */
const lightKeys = [
  "brightness_command_topic",
  "brightness_scale",
  "brightness_state_topic",
  "brightness_value_template",
  "command_topic",
  "default_entity_id",
  "name",
  "on_command_type",
  "qos",
  "state_value_template",
  "unique_id",
];

function buttonObjections({ device_class: deviceClass }: Dict): string[] {
  const known = deviceClass === undefined || facts.button.device_classes.includes(String(deviceClass));
  return known ? [] : [`unknown class ${deviceClass}`];
}

const objectionsTo: Readonly<Record<string, (keys: Dict) => string[]>> = {
  sensor: sensorObjections,
  binary_sensor: binaryObjections,
  switch: switchObjections,
  event: eventObjections,
  button: buttonObjections,
  update: () => [],
  number: numberObjections,
  light: (keys) => (keys.command_topic === undefined ? ["a light needs a command topic"] : []),
  fan: () => [],
};

function unknownKeys(where: string, object: Dict, known: readonly string[]): string[] {
  return Object.keys(object)
    .filter((key) => !known.includes(key))
    .map((key) => `${where}: unknown key ${key}`);
}

function nulls(where: string, object: Dict): string[] {
  return Object.keys(object)
    .filter((key) => object[key] === null)
    .map((key) => `${where}: ${key} is null`);
}
