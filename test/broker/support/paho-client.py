"""Paho's own client does what the interoperation tests ask: paho-client.py KIND PORT CA_FILE {4|5}

Publishes a retained message, subscribes at QoS 2, publishes at every QoS, and prints what it got:
`topic payload qos retain`, a line each.
"""
import ssl
import sys
import threading

import paho.mqtt.client as mqtt

kind, port, ca_file, version = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
subscribed, all_received, connected = threading.Event(), threading.Event(), threading.Event()
received = []


def on_message(_client, _userdata, message):
    received.append(f"{message.topic} {message.payload.decode()} {message.qos} {int(message.retain)}")
    if len(received) == 4:
        all_received.set()


options = {"protocol": mqtt.MQTTv5 if version == 5 else mqtt.MQTTv311}
options["transport"] = "websockets" if kind in ("ws", "wss") else "tcp"
if hasattr(mqtt, "CallbackAPIVersion"):  # Paho 2
    options["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
client = mqtt.Client(client_id="paho", **options)
client.on_message = on_message
client.on_connect = lambda *_: connected.set()
client.on_subscribe = lambda *_: subscribed.set()
if kind in ("mqtts", "wss"):
    client.tls_set(ca_certs=ca_file, tls_version=ssl.PROTOCOL_TLS_CLIENT)
client.connect("localhost" if kind in ("mqtts", "wss") else "127.0.0.1", port)
client.loop_start()


def wait_for(event, what):
    if not event.wait(15):
        sys.exit(f"no {what} in time; received {received}")


wait_for(connected, "connection")
client.publish("a/kept", "retained", qos=1, retain=True).wait_for_publish()
client.subscribe("a/+", qos=2)
wait_for(subscribed, "SUBACK")
for qos in (0, 1, 2):
    client.publish("a/b", f"at {qos}", qos=qos).wait_for_publish()
wait_for(all_received, "message")
client.disconnect()
client.loop_stop()
print("\n".join(received))
