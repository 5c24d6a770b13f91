import { nack, type SimulatedChip, type World } from "../chip.ts";

/** PMSA003I (v2.6): whatever is read begins with the frame; it takes no writes. */
export function pmsa003iChip(world: World): SimulatedChip {
  const frame = () => {
    const pm = world.pm25();
    const masses = [pm * 0.8, pm, pm * 1.3];
    const counts = [pm * 180, pm * 60, pm * 12, pm * 1.2, pm * 0.4, pm * 0.2];
    const words = [...masses, ...masses, ...counts, 0x9700].map(Math.round);
    const bytes = [0x42, 0x4d, 0, 28, ...words.flatMap((word) => [word >> 8, word & 0xff])];
    const sum = bytes.reduce((total, byte) => total + byte, 0);
    return [...bytes, sum >> 8, sum & 0xff];
  };
  return {
    write() {
      throw nack();
    },
    read(length) {
      const bytes = frame();
      return Uint8Array.from({ length }, (_, index) => bytes[index] ?? 0);
    },
  };
}
