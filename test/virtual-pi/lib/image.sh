# shellcheck shell=bash
# The base image in three cached steps: user land, kernel with its modules, configuration and disk. Sourced by virtual-pi.

PACKAGES=systemd,systemd-sysv,udev,kmod,dbus,procps,iproute2,i2c-tools,gpiod,mosquitto,mosquitto-clients
PACKAGES+=,openssh-server,sqlite3,libnss-systemd,netbase,strace
HOST_TOOLS=(qemu-system-x86 socat mmdebstrap e2fsprogs cpio xz-utils openssh-client kmod gcc make libc6-dev)

apt_quiet() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o APT::Sandbox::User=root "$@" > /dev/null; }

# Debian archive lines as this machine's apt knows them: nothing about the mirror is written down here.
sources() {
  # shellcheck disable=SC2016 # apt's own placeholders
  apt-get indextargets 'Created-By: Packages' \
    --format '$(ORIGIN)|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(RELEASE) $(COMPONENT)' |
    sed -n 's/^Debian|//p' | sort -u
}

# One line that changes whenever one of the files or functions that make a step does.
digest() { # <folder under guest/> <function>...
  (cd "$here/guest" && find "$1" -type f -exec sha256sum {} + | sort -k2 && shift && declare -f "$@") | sha256sum | cut -d' ' -f1
}

current() { [ "$(cat "$CACHE/$1.stamp" 2>/dev/null)" = "$2" ]; }

# Two checkouts may share one cache.
locked_build() { (flock 9; build 9>&-) 9> "$CACHE/lock"; }

build() {
  local kernel_package version source_package codename node stamp
  [ "$(id -u)" = 0 ] || die "build needs root"
  install_host_tools
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  kernel_package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/{print $2; exit}')
  source_package=$(apt-cache depends linux-source | awk '/Depends: linux-source-/{print $2; exit}')
  version=${kernel_package#linux-image-}
  [ -n "$version" ] && [ -n "$source_package" ] || die "no linux-image-amd64 and linux-source in this machine's apt sources"
  node=${VPI_NODE:-$(node -p process.execPath 2>/dev/null || true)}

  stamp="$codename $PACKAGES ${node:+host-node}"
  if ! current rootfs "$stamp"; then
    user_land "$codename" "$node"
    echo "$stamp" > "$CACHE/rootfs.stamp"
  fi
  stamp="$version $(digest modules kernel patch_gpio_sim slim) $(digest initramfs initramfs)"
  if ! current kernel "$stamp"; then
    rm -f "$CACHE"/{kernel,image}.stamp
    kernel "$version" "$kernel_package" "$source_package"
    echo "$stamp" > "$CACHE/kernel.stamp"
  fi
  stamp="$(cat "$CACHE/rootfs.stamp" "$CACHE/kernel.stamp") $(digest root configure identity services)"
  stamp+=" $([ -z "$node" ] || sha256sum < "$node")"
  if ! current image "$stamp"; then
    rm -f "$CACHE/image.stamp"
    disk "$version" "$node"
    echo "$stamp" > "$CACHE/image.stamp"
  fi
  say "image ready: kernel $version, $(du -h "$CACHE/base.img" | cut -f1) in $CACHE"
}

install_host_tools() {
  local missing=() p
  [ -n "$(sources)" ] || apt_quiet update || true
  for p in "${HOST_TOOLS[@]}"; do dpkg -s "$p" > /dev/null 2>&1 || missing+=("$p"); done
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    apt_quiet update || true
    apt_quiet install -y --no-install-recommends "${missing[@]}"
  fi
}

user_land() { # <codename> <node binary or empty>
  say "bootstrapping $1"
  rm -rf "$CACHE/rootfs" "$CACHE/rootfs.stamp"
  sources | mmdebstrap --quiet --mode=root --variant=minbase \
    --include="$PACKAGES$([ -n "$2" ] || echo ,nodejs)" --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "$1" "$CACHE/rootfs" -
}

# Debian's kernel, and the modules that Debian does not build (gpio-sim) or nobody has (vi2c, vw1, vled).
kernel() { # <version> <image package> <source package>
  local version=$1 tree=$CACHE/kernel modules=$CACHE/modules
  say "kernel $version: download and unpack"
  apt_quiet install -y --no-install-recommends "linux-headers-$version"
  rm -rf "$tree" "$modules" "$CACHE/dl"
  mkdir -p "$tree" "$modules" "$CACHE/dl"
  (cd "$CACHE/dl" && apt_quiet download "$2" "$3" busybox-static)
  dpkg -x "$CACHE/dl/$2"_*.deb "$tree"
  dpkg -x "$CACHE"/dl/busybox-static_*.deb "$tree"
  dpkg --fsys-tarfile "$CACHE/dl/$3"_*.deb | tar -xO --wildcards '*/linux-source-*.tar.xz' |
    tar -xJ -C "$modules" --strip-components=1 --wildcards \
      '*/drivers/gpio/gpio-sim.c' '*/drivers/gpio/gpiolib.h' '*/kernel/irq/irq_sim.c'
  rm -rf "$CACHE/dl"
  mv "$modules"/drivers/gpio/* "$modules"/kernel/irq/irq_sim.c "$modules"
  patch_gpio_sim "$modules"
  cp "$here"/guest/modules/* "$modules"

  say "kernel $version: building gpio-sim, vi2c, vw1, vled"
  make -s -C "/lib/modules/$version/build" M="$modules" modules > "$modules/make.log" 2>&1 ||
    { cat "$modules/make.log" >&2; die "module build failed"; }
  strip --strip-debug "$modules"/*.ko
  slim "$tree/lib/modules/$version/kernel"
  install -D -m644 -t "$tree/lib/modules/$version/extra" "$modules"/*.ko
  depmod -b "$tree" "$version"
  uncompressed_kernel "$tree/boot/vmlinuz-$version"
  initramfs "$version" "$tree"
}

# gpio-sim unchanged but for a module parameter that fixes the sysfs base; irq_sim made a module.
patch_gpio_sim() { # <dir>
  sed -i 's/gc->base = -1;/gc->base = gpio_base;/
          /^static DEFINE_IDA(gpio_sim_ida);/a static int gpio_base = -1;\nmodule_param(gpio_base, int, 0644);' "$1/gpio-sim.c"
  sed -i 's/handle_simple_irq(irq_to_desc(irqnum));/generic_handle_irq(irqnum);/
          /^#include <linux\/slab.h>/a #include <linux/module.h>' "$1/irq_sim.c"
  echo 'MODULE_LICENSE("GPL");' >> "$1/irq_sim.c"
}

# Drops module families that a headless Pi never loads; i2c-i801 and -piix4 would add bus numbers of their own.
slim() { # <module folder>
  (cd "$1" && rm -rf sound arch/x86/kvm \
    drivers/{gpu,media,infiniband,isdn,staging,mmc,ata,scsi,nvme,message,target,nfc,thunderbolt,edac,bluetooth,crypto} \
    drivers/{mtd,firewire,net/{ethernet,wireless,can},cpufreq,acpi,platform,input/{joystick,misc,mouse,touchscreen,tablet}} \
    drivers/i2c/busses/i2c-{i801,piix4}.ko drivers/watchdog/iTCO* \
    fs/{btrfs,xfs,ocfs2,ceph,smb,nfs,nfsd,gfs2,f2fs,jfs,reiserfs,ntfs3} \
    net/{ceph,mac80211,wireless,bluetooth,sctp,openvswitch})
}

# It boots through PVH: no BIOS and no decompression, which saves 7 s under emulation.
uncompressed_kernel() { # <vmlinuz>
  local offset
  offset=$(LC_ALL=C grep -obUaP '\xFD7zXZ\x00' "$1" | head -1 | cut -d: -f1)
  tail -c "+$((offset + 1))" "$1" | xz -dcq --single-stream > "$CACHE/vmlinux" || true
  [ "$(head -c4 "$CACHE/vmlinux" | tail -c3)" = ELF ] || cp "$1" "$CACHE/vmlinux"
}

# busybox and the few modules that mount the disk.
initramfs() { # <version> <kernel dir>
  local dir=$CACHE/initramfs module file
  rm -rf "$dir"
  mkdir -p "$dir"/{bin,dev,new,m}
  cp "$2/bin/busybox" "$dir/bin/"
  for module in virtio_pci virtio_blk crc32c_generic ext4; do
    modprobe -d "$2" -S "$1" --show-depends "$module" | awk '/^insmod/{print $2}'
  done | awk '!seen[$0]++' | while read -r file; do
    cp "$file" "$dir/m/"
    basename "$file"
  done > "$dir/order"
  install -m755 "$here/guest/initramfs/init" "$dir/init"
  (cd "$dir" && find . | cpio -o -H newc --quiet) > "$CACHE/initrd"
}

disk() { # <kernel version> <node binary or empty>
  say "writing the disk image"
  configure "$1" "$2"
  rm -f "$CACHE/base.img"
  mke2fs -q -t ext4 -L rootfs -m 0 -E lazy_itable_init=1,lazy_journal_init=1 -d "$CACHE/rootfs" "$CACHE/base.img" 4G > /dev/null
}

configure() { # <kernel version> <node binary or empty>
  local root=$CACHE/rootfs
  rm -rf "$root/lib/modules"
  cp -a "$CACHE/kernel/lib/modules" "$root/usr/lib/"
  cp -r "$here/guest/root/." "$root/"
  if [ -n "$2" ]; then install -m755 "$2" "$root/usr/bin/node"; fi
  identity "$root"
  services "$root"
  mkdir -p "$root/host"
  # No "first boot after an update" work.
  touch "$root/etc/.updated" "$root/var/.updated"
}

# Keys, names, and the groups and the user of Raspberry Pi OS.
identity() { # <root>
  local root=$1 group
  [ -f "$CACHE/key" ] || ssh-keygen -q -t ed25519 -N '' -C virtual-pi -f "$CACHE/key"
  install -d -m700 "$root/root/.ssh"
  install -m600 "$CACHE/key.pub" "$root/root/.ssh/authorized_keys"
  rm -f "$root"/etc/ssh/ssh_host_*
  ssh-keygen -q -t ed25519 -N '' -C virtual-pi -f "$root/etc/ssh/ssh_host_ed25519_key"
  echo "virtual-pi $(cut -d' ' -f1,2 "$root/etc/ssh/ssh_host_ed25519_key.pub")" > "$CACHE/known_hosts"
  tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
  : > "$root/etc/fstab"
  for group in gpio i2c spi; do
    grep -q "^$group:" "$root/etc/group" || chroot "$root" groupadd -r "$group"
  done
  grep -q ^pi: "$root/etc/passwd" || chroot "$root" useradd -m -s /bin/bash -G gpio,i2c,spi,dialout pi
}

services() { # <root>
  chroot "$1" systemctl -q enable vpi-hardware vpi-i2c vpi-ready ssh systemd-networkd
  chroot "$1" systemctl -q disable mosquitto e2scrub_reap.service 2> /dev/null || true
  chroot "$1" systemctl -q mask systemd-networkd-wait-online.service systemd-binfmt.service getty@tty1.service \
    e2scrub_all.timer fstrim.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    systemd-hwdb-update.service dev-mqueue.mount dev-hugepages.mount sys-kernel-tracing.mount \
    sys-fs-fuse-connections.mount systemd-pstore.service systemd-logind.service systemd-network-generator.service 2> /dev/null || true
  chroot "$1" systemctl -q set-default multi-user.target
}
