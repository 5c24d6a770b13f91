/*
 * vi2c: an I2C adapter (plain I2C and SMBus emulation, like the Pi's) whose slaves live in user space.
 *
 * The server reads one line per transfer from /dev/vi2c:  <seq> <addr>w=<hex> <addr>r=<len> ...
 * and answers  <seq> ok <hex of all bytes read>  or  <seq> err <errno>.  No answer in 1 s is -ETIMEDOUT.
 */
#include <linux/module.h>
#include <linux/i2c.h>
#include <linux/miscdevice.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#define BUF 32768

static int nr = 1;
module_param(nr, int, 0444);
MODULE_PARM_DESC(nr, "number of the bus");

static DEFINE_MUTEX(lock);
static DECLARE_WAIT_QUEUE_HEAD(wq);

/* The transfer in hand; guarded by lock. */
static struct i2c_msg *msgs;
static int nmsgs, result, servers;
static unsigned int seq;
static enum { IDLE, QUEUED, TAKEN, DONE } state;
static char *rbuf, *wbuf;
static size_t rpos, rlen;

static int vi2c_xfer(struct i2c_adapter *a, struct i2c_msg *m, int n)
{
	int ret;

	mutex_lock(&lock);
	if (!servers) {
		mutex_unlock(&lock);
		return -EREMOTEIO;
	}
	msgs = m;
	nmsgs = n;
	seq++;
	state = QUEUED;
	mutex_unlock(&lock);
	wake_up_all(&wq);
	wait_event_timeout(wq, READ_ONCE(state) == DONE, a->timeout);
	mutex_lock(&lock);
	ret = state == DONE ? (result ? -result : n) : -ETIMEDOUT;
	state = IDLE;
	mutex_unlock(&lock);
	return ret;
}

static u32 vi2c_func(struct i2c_adapter *a)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static const struct i2c_algorithm algo = {
	.master_xfer = vi2c_xfer,
	.functionality = vi2c_func,
};

static struct i2c_adapter adap = {
	.owner = THIS_MODULE,
	.algo = &algo,
	.timeout = HZ,
	.name = "vi2c (bcm2835 look-alike)",
};

static void write_request(void)
{
	int i, j;

	rpos = 0;
	rlen = scnprintf(rbuf, BUF, "%u", seq);
	for (i = 0; i < nmsgs; i++) {
		struct i2c_msg *m = &msgs[i];

		if (m->flags & I2C_M_RD) {
			rlen += scnprintf(rbuf + rlen, BUF - rlen, " %02xr=%u", m->addr, m->len);
			continue;
		}
		rlen += scnprintf(rbuf + rlen, BUF - rlen, " %02xw=", m->addr);
		for (j = 0; j < m->len; j++)
			rlen += scnprintf(rbuf + rlen, BUF - rlen, "%02x", m->buf[j]);
	}
	rlen += scnprintf(rbuf + rlen, BUF - rlen, "\n");
}

static ssize_t vi2c_read(struct file *f, char __user *u, size_t n, loff_t *o)
{
	int ret = wait_event_interruptible(wq, READ_ONCE(state) == QUEUED || READ_ONCE(rpos) < READ_ONCE(rlen));

	if (ret)
		return ret;
	mutex_lock(&lock);
	if (rpos >= rlen && state == QUEUED) {
		write_request();
		state = TAKEN;
	}
	n = min(n, rlen - rpos);
	if (copy_to_user(u, rbuf + rpos, n)) {
		mutex_unlock(&lock);
		return -EFAULT;
	}
	rpos += n;
	mutex_unlock(&lock);
	return n;
}

/* Hands the bytes of an "ok" answer to the messages that read; 0 or an errno. */
static int take_answer(const char *hex)
{
	int i;

	for (i = 0; i < nmsgs; i++) {
		if (!(msgs[i].flags & I2C_M_RD))
			continue;
		if (strlen(hex) < 2 * msgs[i].len || hex2bin(msgs[i].buf, hex, msgs[i].len))
			return EIO;
		hex += 2 * msgs[i].len;
	}
	return 0;
}

static ssize_t vi2c_write(struct file *f, const char __user *u, size_t n, loff_t *o)
{
	unsigned int s;
	int pos = 0;
	char word[8];

	if (n >= BUF)
		return -EMSGSIZE;
	mutex_lock(&lock);
	if (copy_from_user(wbuf, u, n)) {
		mutex_unlock(&lock);
		return -EFAULT;
	}
	wbuf[n] = 0;
	if (sscanf(wbuf, "%u %7s %n", &s, word, &pos) < 2) {
		mutex_unlock(&lock);
		return -EINVAL;
	}
	/* Any other is a late answer to a transfer that timed out. */
	if (state == TAKEN && s == seq) {
		if (!strcmp(word, "ok"))
			result = take_answer(wbuf + pos);
		else if (sscanf(wbuf + pos, "%d", &result) != 1 || result <= 0)
			result = EREMOTEIO;
		state = DONE;
		wake_up_all(&wq);
	}
	mutex_unlock(&lock);
	return n;
}

static int vi2c_open(struct inode *i, struct file *f)
{
	int ret = 0;

	mutex_lock(&lock);
	if (servers)
		ret = -EBUSY;
	else {
		servers = 1;
		rpos = rlen = 0;
	}
	mutex_unlock(&lock);
	return ret;
}

static int vi2c_release(struct inode *i, struct file *f)
{
	mutex_lock(&lock);
	servers = 0;
	if (state == QUEUED || state == TAKEN) {
		result = EREMOTEIO;
		state = DONE;
		wake_up_all(&wq);
	}
	mutex_unlock(&lock);
	return 0;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = vi2c_open,
	.release = vi2c_release,
	.read = vi2c_read,
	.write = vi2c_write,
};

static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vi2c",
	.fops = &fops,
	.mode = 0600,
};

static int __init vi2c_init(void)
{
	int ret;

	rbuf = kmalloc(BUF, GFP_KERNEL);
	wbuf = kmalloc(BUF, GFP_KERNEL);
	if (!rbuf || !wbuf) {
		ret = -ENOMEM;
		goto free;
	}
	adap.nr = nr;
	ret = i2c_add_numbered_adapter(&adap);
	if (ret)
		goto free;
	ret = misc_register(&misc);
	if (!ret)
		return 0;
	i2c_del_adapter(&adap);
free:
	kfree(rbuf);
	kfree(wbuf);
	return ret;
}

static void __exit vi2c_exit(void)
{
	misc_deregister(&misc);
	i2c_del_adapter(&adap);
	kfree(rbuf);
	kfree(wbuf);
}

module_init(vi2c_init);
module_exit(vi2c_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("I2C adapter with slaves in user space");
