/*
 * vled: the green LED of a Pi, /sys/devices/platform/leds/leds/ACT as its device tree makes it.
 */
#include <linux/module.h>
#include <linux/leds.h>
#include <linux/platform_device.h>

static void show(struct led_classdev *led, enum led_brightness brightness)
{
}

static struct led_classdev act = { .name = "ACT", .max_brightness = 255, .brightness_set = show };
static struct platform_device *leds;

static int __init vled_init(void)
{
	int err;

	leds = platform_device_register_simple("leds", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(leds))
		return PTR_ERR(leds);
	err = led_classdev_register(&leds->dev, &act);
	if (err)
		platform_device_unregister(leds);
	return err;
}

static void __exit vled_exit(void)
{
	led_classdev_unregister(&act);
	platform_device_unregister(leds);
}

module_init(vled_init);
module_exit(vled_exit);
MODULE_DESCRIPTION("A board's LED");
MODULE_LICENSE("GPL");
