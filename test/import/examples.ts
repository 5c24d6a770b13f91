/**
 * Configurations of mqtt-io's own documentation (flyte/mqtt-io: README.md of 2.6.0, config.schema.yml,
 * config.bme680.yaml and the docstrings of its modules).
 */
export const examples: Readonly<Record<string, string>> = {
  "the first example of its README": `
mqtt:
  host: localhost
  topic_prefix: home

# GPIO
gpio_modules:
  # Use the Raspberry Pi built-in GPIO
  - name: rpi
    module: raspberrypi

digital_inputs:
  # Pin 0 is an input connected to a doorbell button
  - name: doorbell
    module: rpi
    pin: 0

digital_outputs:
  # Pin 1 is an output connected to a light
  - name: porch_light
    module: rpi
    pin: 1

# Sensors
sensor_modules:
  # An LM75 sensor attached to the I2C bus
  - name: lm75_sensor
    module: lm75
    i2c_bus_num: 1
    chip_addr: 0x48

sensor_inputs:
  # The configuration of the specific sensor value to use (LM75 only has temperature)
  - name: porch_temperature
    module: lm75_sensor

# Streams
stream_modules:
  # A serial port to communicate with the house alarm system
  - name: alarm_system
    module: serial
    device: /dev/ttyUSB0
    baud: 9600
`,
  "the connection of its schema": `
mqtt:
  host: test.mosquitto.org
  port: 8883
  topic_prefix: mqtt_io
  ha_discovery:
    enabled: yes
  tls:
    enabled: yes
    ca_certs: mosquitto.org.crt
    certfile: client.crt
    keyfile: client.key
`,
  "the sensors of its schema": `
mqtt: { host: localhost }
sensor_modules:
  - name: dht
    module: dht22
    type: AM2302
    pin: 4

  - name: ds
    module: ds18b
    type: DS18S20
    address: 000803702e49
sensor_inputs:
  - name: workshop_temp
    module: dht
    type: temperature
    interval: 30
    ha_discovery:
      name: Workshop Temperature
      device_class: temperature

  - name: workshop_humidity
    module: dht
    type: humidity
    interval: 60
    ha_discovery:
      name: Workshop Humidity
      device_class: humidity
  - name: boiler
    module: ds
    digits: 2
`,
  "its BME680": `
mqtt:
  host: mosquitto
  port: 1883
  user: ""
  password: ""
  topic_prefix: livingroom
  ha_discovery:
    enabled: yes
  status_payload_running: available
  status_payload_stopped: unavailable
  status_payload_dead: unavailable

sensor_modules:
  - name: bme680
    module: bme680
    i2c_bus_num: 0
    chip_addr: 0x77
    filter_size: 3

sensor_inputs:
  - name: temperature
    module: bme680
    type: temperature
    oversampling: 8x
    interval: 60
    ha_discovery:
      name: Living Room Temperature
      device_class: temperature
      unit_of_measurement: '°C'
  - name: humidity
    module: bme680
    type: humidity
    oversampling: 2x
    interval: 120
    ha_discovery:
      name: Living Room Humidity
      device_class: humidity
      unit_of_measurement: '%'
  - name: pressure
    module: bme680
    type: pressure
    oversampling: 4x
    interval: 300
    ha_discovery:
      name: Living Room Air Pressure
      device_class: atmospheric_pressure
      unit_of_measurement: 'hPa'
  - name: gas
    module: bme680
    type: gas
    interval: 300
    ha_discovery:
      name: Living Room Gas Resistance
      device_class: atmospheric_pressure
      unit_of_measurement: 'Ohms'
  - name: air_quality
    module: bme680
    type: air_quality
    interval: 300
    ha_discovery:
      name: Living Room Air Quality
      device_class: aqi
`,
  "a flow sensor, an ENS160 and a lightning detector of its modules": `
mqtt: { host: localhost }
sensor_modules:
  - name: yfs201
    module: flowsensor
  - name: ens160
    module: ens160
    chip_addr: 0x53
    temperature_compensation: 25
    humidity_compensation: 50
  - name: AS3935_Sensor
    module: as3935
    pin: 17
    auto_filter: True
    indoor: True
sensor_inputs:
  - name: flow_rate1
    module: yfs201
    pin: 0
    digits: 0
    interval: 10
    factor: 0.2
  - name: air_quality
    module: ens160
    interval: 10
    digits: 0
    type: aqi
  - name: volatile_organic_compounds
    module: ens160
    interval: 10
    digits: 0
    type: tvoc
  - name: eco2
    module: ens160
    interval: 10
    digits: 0
    type: eco2
  - name: distance
    module: AS3935_Sensor
    digits: 4
    interval: 5
    type: distance
`,
  "a file of pi-mqtt-gpio, its first version": `
mqtt: { host: test.mosquitto.org, user: myuser, password: mypassword }
gpio_modules:
  raspberrypi: { module: raspberrypi }
digital_inputs:
  button: { module: raspberrypi, pin: 21, on_payload: "ON", pulldown: yes }
analog_inputs:
  light_sensor: { module: raspberrypi, pin: 22, poll_interval: 5, normalized: yes }
`,
};
