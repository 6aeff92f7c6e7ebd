#!/bin/sh
# What the entry point of AWS's base images comes down to on a developer's machine: the handler is the first argument, and the
# emulator starts /var/runtime/bootstrap. RIE_PORT and RIE_API are the tests'.
export _HANDLER="$1"
exec /aws-lambda-rie --runtime-interface-emulator-address "127.0.0.1:$RIE_PORT" --runtime-api-address "127.0.0.1:$RIE_API" \
    /var/runtime/bootstrap
