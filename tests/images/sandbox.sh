#!/bin/sh
# Starts a program in a root, as Lambda does: read-only, as an unprivileged user, with its own processes and mounts.
#
#   unshare --mount --pid --fork --kill-child tests/images/sandbox.sh ROOT TASK LAYERS PROGRAM [ARGUMENT...]
#
# TASK and LAYERS: the folders for /var/task and /opt, or nothing if the root has them.
set -e
root=$1 task=$2 layers=$3
shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero random urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
if [ -n "$task" ]; then mount --bind "$task" "$root/var/task"; fi
if [ -n "$layers" ]; then mount --bind "$layers" "$root/opt"; fi
mount -o remount,bind,ro "$root"
cd /
chroot=$(PATH=/usr/sbin:/sbin:/usr/bin:/bin command -v chroot)
# The shell stays: it is the first process of the namespace.
"$chroot" --userspec=993:990 "$root" "$@" || exit
exit 0
