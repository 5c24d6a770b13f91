import type { World } from "../chip.ts";
import type { Tree } from "../files.ts";

const TOTAL_KB = 3_884_364;

/** A Raspberry Pi 4 under Linux: /proc and /sys as far as a host's vitals are read from them. */
export function hostTree(world: World): Tree {
  const seconds = () => world.monoMs() / 1000;
  return {
    "/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "/proc/device-tree/serial-number": "10000000c0ffee42\0",
    "/proc/loadavg": () => `${(0.3 + world.temperatureC() / 100).toFixed(2)} 0.41 0.38 1/312 4711\n`,
    "/proc/meminfo": () => {
      const availableKb = Math.round(TOTAL_KB * (0.8 - world.humidityPercent() / 1000));
      return `MemTotal:       ${TOTAL_KB} kB\nMemFree:         211036 kB\nMemAvailable:   ${availableKb} kB\n`;
    },
    "/proc/net/wireless": [
      "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE",
      " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22",
      " wlan0: 0000   58.  -52.  -256        0      0      0      0      0        0\n",
    ].join("\n"),
    "/proc/uptime": () => `${seconds().toFixed(2)} ${(seconds() * 3.6).toFixed(2)}\n`,
    "/sys/class/net/wlan0/wireless/status": "0\n",
    "/sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "/sys/class/thermal/thermal_zone0/temp": () => `${Math.round((world.temperatureC() + 24) * 1000)}\n`,
    "/sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
  };
}
