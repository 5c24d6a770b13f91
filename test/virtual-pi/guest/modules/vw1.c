/*
 * vw1: a 1-Wire master with virtual DS18B20s, modelled bit by bit.
 *
 * /sys/module/vw1/parameters/: temp (milli-degrees Celsius of each sensor), present and badcrc (bit masks of sensors).
 */
#include <linux/module.h>
#include <linux/w1.h>
#include <linux/jiffies.h>

#define NDS 4

static int temp[NDS] = { 21500, -5250, 85000, 0 };
static int ntemp = NDS;
module_param_array(temp, int, &ntemp, 0644);
static unsigned int count = 2, present = ~0u, badcrc;
module_param(count, uint, 0444);
module_param(present, uint, 0644);
module_param(badcrc, uint, 0644);

static struct ds {
	u64 rom;
	u8 pad[9], st, bit, phase, acc;
	unsigned long busy;
} ds[NDS];

enum { DEAF, ROMCMD, SEARCH, MATCH, FUNC, RDPAD, WRPAD, CONV, ROMOUT };

static void convert(struct ds *d)
{
	int t = temp[d - ds] * 16 / 1000;

	d->pad[0] = t;
	d->pad[1] = t >> 8;
	d->busy = jiffies + msecs_to_jiffies(750 >> (3 - ((d->pad[4] >> 5) & 3)));
}

static void command(struct ds *d, u8 c)
{
	d->bit = 0;
	d->phase = 0;
	if (d->st == ROMCMD) {
		d->st = c == 0xF0 ? SEARCH : c == 0x55 ? MATCH : c == 0xCC ? FUNC : c == 0x33 ? ROMOUT : DEAF;
		return;
	}
	switch (c) {
	case 0x44:
		convert(d);
		d->st = CONV;
		break;
	case 0xBE:
		d->pad[8] = w1_calc_crc8(d->pad, 8);
		if (badcrc & BIT(d - ds))
			d->pad[8] ^= 0x5a;
		d->st = RDPAD;
		break;
	case 0x4E:
		d->st = WRPAD;
		break;
	default:
		/* Copy, recall, power supply: the bus stays high, which reads as done and externally powered. */
		d->st = DEAF;
	}
}

/* One time slot: what this sensor leaves on the wire. */
static int slot(struct ds *d, int b)
{
	int out = 1, r = (d->rom >> (d->bit & 63)) & 1;

	switch (d->st) {
	case ROMCMD:
	case FUNC:
		d->acc = (d->acc >> 1) | (b ? 0x80 : 0);
		if (++d->bit == 8)
			command(d, d->acc);
		break;
	case SEARCH:
		if (d->phase == 0)
			out = r;
		else if (d->phase == 1)
			out = !r;
		else if (b != r)
			d->st = DEAF;
		else if (++d->bit == 64)
			d->st = DEAF;
		d->phase = (d->phase + 1) % 3;
		break;
	case MATCH:
		if (b != r)
			d->st = DEAF;
		else if (++d->bit == 64) {
			d->st = FUNC;
			d->bit = 0;
		}
		break;
	case ROMOUT:
		out = r;
		if (++d->bit == 64) {
			d->st = FUNC;
			d->bit = 0;
		}
		break;
	case RDPAD:
		if (d->bit < 72) {
			out = (d->pad[d->bit / 8] >> (d->bit % 8)) & 1;
			d->bit++;
		}
		break;
	case WRPAD:
		if (d->bit < 24) {
			u8 *p = &d->pad[2 + d->bit / 8];
			*p = (*p >> 1) | (b ? 0x80 : 0);
			if (++d->bit == 24) {
				d->pad[4] = (d->pad[4] & 0x60) | 0x1f;
				d->st = DEAF;
			}
		}
		break;
	case CONV:
		out = time_after_eq(jiffies, d->busy);
		break;
	}
	return out;
}

static u8 vw1_touch_bit(void *x, u8 b)
{
	int i, wire = !!b;

	for (i = 0; i < count; i++)
		if (present & BIT(i))
			wire &= slot(&ds[i], !!b);
	return wire;
}

static u8 vw1_reset(void *x)
{
	int i, none = 1;

	for (i = 0; i < count; i++)
		if (present & BIT(i)) {
			ds[i].st = ROMCMD;
			ds[i].bit = 0;
			none = 0;
		}
	return none;
}

static struct w1_bus_master bm = {
	.touch_bit = vw1_touch_bit,
	.reset_bus = vw1_reset,
};

static int __init vw1_init(void)
{
	/* 85 degrees, 12 bit */
	static const u8 power_on[8] = { 0x50, 0x05, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10 };
	int i;

	count = min_t(unsigned int, count, NDS);
	for (i = 0; i < NDS; i++) {
		u8 id[8] = { 0x28, 0x01 + i, 0x00, 0x00, 0x5e, 0x15, 0x00, 0 };

		id[7] = w1_calc_crc8(id, 7);
		memcpy(&ds[i].rom, id, 8);
		memcpy(ds[i].pad, power_on, 8);
	}
	return w1_add_master_device(&bm);
}

static void __exit vw1_exit(void)
{
	w1_remove_master_device(&bm);
}

module_init(vw1_init);
module_exit(vw1_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("1-Wire master with virtual DS18B20 sensors");
