# shellcheck shell=bash
# The emulator: starting it, pulling its plug, its uplink cable. Sourced by virtual-pi.

# Our emulator's pid: the one we recorded, if it still is an emulator running in this guest's directory.
pid() {
  local p
  p=$(cat "$VM/pid" 2>/dev/null) || return 1
  [ "$(readlink "/proc/$p/cwd")" = "$VM" ] && grep -qa '^qemu-system' "/proc/$p/cmdline" && echo "$p"
}

up() { pid >/dev/null || die "guest is not running (virtual-pi boot)"; }

free_port() {
  local port
  while
    port=$((20000 + RANDOM % 30000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
  do :; done
  echo "$port"
}

boot() {
  local fresh=${1:-}
  if pid >/dev/null; then
    [ "$fresh" = --fresh ] || { say "already running"; return; }
    power_cut
  fi
  [ -f "$CACHE/image.stamp" ] || locked_build
  mkdir -p "$VM"
  cd "$VM"
  if [ "$fresh" = --fresh ] || [ ! -f disk.img ]; then
    cp --reflink=auto --sparse=always "$CACHE/base.img" disk.img
  fi
  rm -f ssh.sock mon.in mon.out serial.sock
  mkfifo mon.in mon.out
  : > serial.log
  free_port > port
  emulate
  wait_until_up
}

# eth0 is for management, cut off from everything but the forwards; eth1 is the cable that `link` unplugs.
emulate() {
  local forwards="" reachable="" share=() f kernel_args
  for f in ${VPI_FWD:-}; do forwards+=",hostfwd=tcp:127.0.0.1:${f%%:*}-:${f##*:}"; done
  for f in ${VPI_HOST_PORTS:-}; do reachable+=",guestfwd=tcp:10.0.3.100:$f-cmd:socat STDIO TCP4:127.0.0.1:$f"; done
  if [ -n "${VPI_SHARE:-}" ]; then
    share=(-virtfs "local,path=$VPI_SHARE,mount_tag=host,security_model=none,readonly=on")
  fi
  kernel_args="console=ttyS0 quiet loglevel=4 net.ifnames=0 panic=-1 systemd.show_status=0 mitigations=off nokaslr audit=0"
  kernel_args+=" apparmor=0 rcupdate.rcu_expedited=1 random.trust_cpu=on ${VPI_APPEND:-}"
  setsid qemu-system-x86_64 -name virtual-pi -accel tcg,thread=multi -cpu max -M q35 \
    -smp "${VPI_SMP:-2}" -m "${VPI_MEM:-1024}" -nodefaults -no-user-config -display none \
    -kernel "$CACHE/vmlinux" -initrd "$CACHE/initrd" -append "$kernel_args" \
    -drive "file=disk.img,if=none,id=d,format=raw,cache=${VPI_CACHEMODE:-writeback},discard=unmap" \
    -device virtio-blk-pci,drive=d \
    -netdev "user,id=mgmt,restrict=on,hostfwd=tcp:127.0.0.1:$(cat port)-:22$forwards" \
    -device virtio-net-pci,netdev=mgmt,romfile= \
    -netdev "user,id=uplink,net=10.0.3.0/24,restrict=on$reachable" \
    -device virtio-net-pci,netdev=uplink,id=cable,romfile= \
    -device virtio-rng-pci -device i6300esb -action watchdog=reset ${VPI_RTC:+-rtc "base=$VPI_RTC"} \
    -chardev socket,id=ser,path=serial.sock,server=on,wait=off,logfile=serial.log -serial chardev:ser \
    -chardev pipe,id=mon,path=mon -mon chardev=mon,mode=readline "${share[@]}" < /dev/null > qemu.log 2>&1 &
  echo $! > pid
  disown $!
}

wait_until_up() {
  local q started=$SECONDS
  q=$(cat pid)
  until grep -q VPI-READY serial.log; do
    kill -0 "$q" 2>/dev/null || { rm -f pid; tail -n 20 qemu.log serial.log >&2; die "the emulator ended"; }
    [ $((SECONDS - started)) -lt "${VPI_BOOT_TIMEOUT:-240}" ] ||
      die "no VPI-READY after $((SECONDS - started)) s; see $VM/serial.log"
    sleep 0.2
  done
  if [ -n "${VPI_SHARE:-}" ]; then
    guest 'modprobe 9pnet_virtio; mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=524288 host /host'
  fi
  guest true
  say "up after $((SECONDS - started)) s; ssh on 127.0.0.1:$(cat port)"
}

# Waits up to this many tenths of a second for a process to be gone.
gone() {
  local p=$1 tenths=$2
  while kill -0 "$p" 2>/dev/null && [ "$tenths" -gt 0 ]; do
    sleep 0.1
    tenths=$((tenths - 1))
  done
  ! kill -0 "$p" 2>/dev/null
}

power_cut() {
  local p
  p=$(pid) || die "not running"
  kill -KILL "$p"
  gone "$p" 100 || true
  rm -f "$VM/pid"
  drop_ssh
  say "power cut"
}

halt() {
  local p
  p=$(pid) || { say "not running"; return; }
  guest 'systemctl poweroff' 2>/dev/null || true
  gone "$p" 600 || { say "no clean shutdown in 60 s"; kill -KILL "$p"; }
  rm -f "$VM/pid"
  drop_ssh
  say halted
}

link() {
  local state
  up
  case ${1:-} in
    up) state=on ;;
    down) state=off ;;
    *) die "link up|down" ;;
  esac
  echo "set_link cable $state" > "$VM/mon.in"
}
