# shellcheck shell=bash
# Commands and files, over ssh into a running guest. Sourced by virtual-pi.

# The control socket keeps later calls fast. In the guest's directory, so that the socket's path stays short.
guest() {
  (cd "$VM" && exec ssh -T -i "$CACHE/key" -p "$(cat port)" \
    -o BatchMode=yes -o HostKeyAlias=virtual-pi -o UserKnownHostsFile="$CACHE/known_hosts" -o GlobalKnownHostsFile=/dev/null \
    -o StrictHostKeyChecking=yes -o LogLevel=ERROR -o ConnectTimeout=30 -o ServerAliveInterval=5 -o ServerAliveCountMax=12 \
    -o ControlMaster=auto -o ControlPath=ssh.sock -o ControlPersist=600 root@127.0.0.1 "$@")
}

drop_ssh() {
  (cd "$VM" && { ssh -O exit -o ControlPath=ssh.sock root@127.0.0.1 2>/dev/null || true; rm -f ssh.sock; })
}

push() { # contents of a directory, or one file
  up
  if [ -d "$1" ]; then
    tar -C "$1" -cf - --exclude=./.git . |
      guest "mkdir -p ${2@Q} && tar -C ${2@Q} --no-same-owner --warning=no-timestamp -xf -"
  else
    guest "mkdir -p \$(dirname ${2@Q}) && cat > ${2@Q}" < "$1"
  fi
}

pull() {
  up
  if guest "test -d ${1@Q}" < /dev/null; then
    mkdir -p "$2"
    guest "tar -C ${1@Q} -cf - ." < /dev/null | tar -C "$2" --no-same-owner -xf -
  else
    guest "cat ${1@Q}" < /dev/null > "$2"
  fi
}
